// The task queue that macro/task_queue_claims measures: leases, fences, and what its check notices.
#include "bench/task_queue.cpp"

#include <catch2/catch.hpp>

namespace bench {
namespace task_queue_test {

struct Fixture {
    explicit Fixture(Claiming claiming = Claiming::exclusive)
        : db(northstar::Database::open(":memory:")), queue(db, {claiming, northstar::Durability::lazy, 3, 1}) {
        queue.add(0, 10, "payload");
    }
    northstar::Database db;
    TaskQueue queue;
};

}  // namespace task_queue_test

using namespace task_queue_test;

TEST_CASE("every task is claimed once", "[bench][fast]") {
    const Claiming claiming = GENERATE(Claiming::exclusive, Claiming::optimistic);
    Fixture fixture(claiming);
    std::uint64_t claims = 0;
    while (const auto claim = fixture.queue.claim(claims + 1)) {
        CHECK(fixture.queue.finish(*claim));
        ++claims;
        REQUIRE(claims <= 10);
    }
    CHECK(claims == 10);
    CHECK(fixture.queue.check().done == 10);
}

TEST_CASE("a task that was given back is claimed again, behind the others", "[bench][fast]") {
    Fixture fixture;
    const Claim first = *fixture.queue.claim(1);
    REQUIRE(fixture.queue.give_back(first));
    for (int i = 0; i < 9; ++i) CHECK(fixture.queue.claim(1)->id != first.id);
    const Claim again = *fixture.queue.claim(1);
    CHECK(again.id == first.id);
    CHECK(again.fence == first.fence + 1);
}

TEST_CASE("who has lost a lease cannot finish", "[bench][fast]") {
    Fixture fixture;
    const Claim lost = *fixture.queue.claim(1);
    for (int i = 0; i < 4; ++i) fixture.queue.claim(1);
    fixture.queue.claim(16);  // looks for an expired lease first
    CHECK_FALSE(fixture.queue.finish(lost));
    CHECK(fixture.queue.check().done == 0);
}

TEST_CASE("nobody finishes twice", "[bench][fast]") {
    Fixture fixture;
    const Claim claim = *fixture.queue.claim(1);
    REQUIRE(fixture.queue.finish(claim));
    CHECK_FALSE(fixture.queue.finish(claim));
    CHECK(fixture.queue.check().done == 1);
}

TEST_CASE("the check notices a task that stands in no tree", "[bench][fast]") {
    Fixture fixture;
    northstar::Transaction tx = fixture.db.begin_write();
    std::string key;
    {
        northstar::Cursor first = tx.tree("ready").cursor();
        REQUIRE(first.first());
        key = first.key();
    }
    tx.tree("ready").erase(key);
    tx.commit();
    CHECK_THROWS_AS(fixture.queue.check(), std::runtime_error);
}

}  // namespace bench
