// The engine that macro/task_queue_claims measures: what it claims, and what its check notices.
#include "bench/task_queue.cpp"

#include <catch2/catch.hpp>

namespace bench {
namespace task_queue_test {

struct Fixture {
    Fixture()
        : db(northstar::Database::open(":memory:")),
          engine(make_task_engine(db, northstar::Durability::lazy, 600'000'000)), worker(engine->worker(2)) {
        engine->add(10, "payload");
    }
    northstar::Database db;
    std::unique_ptr<TaskEngine> engine;
    std::unique_ptr<TaskWorker> worker;
};

}  // namespace task_queue_test

using namespace task_queue_test;

TEST_CASE("every task is claimed and completed once", "[bench][fast]") {
    Fixture fixture;
    int claims = 0;
    while (fixture.worker->claim(0)) {
        CHECK(fixture.worker->complete(0));
        CHECK_FALSE(fixture.worker->complete(0));
        ++claims;
    }
    CHECK(claims == 10);
    CHECK(fixture.engine->totals().ready + fixture.engine->totals().held == 0);
}

TEST_CASE("a task that was given back is counted among those that wait", "[bench][fast]") {
    Fixture fixture;
    REQUIRE(fixture.worker->claim(0));
    REQUIRE(fixture.worker->claim(1));
    CHECK(fixture.engine->totals().held == 2);
    CHECK(fixture.worker->give_back(0));
    CHECK_FALSE(fixture.worker->give_back(0));
    CHECK(fixture.engine->totals().held == 1);
    CHECK(fixture.engine->totals().ready == 9);
}

TEST_CASE("the check notices a task that stands nowhere", "[bench][fast]") {
    Fixture fixture;
    northstar::Transaction tx = fixture.db.begin_write();
    std::string key;
    {
        northstar::Cursor first = tx.tree("northstar.tasks").cursor();
        REQUIRE(first.lower_bound("r"));
        key = first.key();
    }
    tx.tree("northstar.tasks").erase(key);
    tx.commit();
    CHECK_THROWS_AS(fixture.engine->totals(), std::runtime_error);
}

}  // namespace bench
