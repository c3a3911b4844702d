// What verifying takes of memory, which does not grow with the history, and what snapshots of the past give back.
#include "counted_memory.hpp"
#include "txn_support.hpp"

namespace {

using namespace northstar;

/// The most that is allocated while a database of so many commits is verified.
std::size_t verifying(const txn_test::Workplace& place, int commits) {
    Options options;
    options.background = false;
    options.durability = Durability::lazy;
    Database db = Database::open(place / std::to_string(commits), options);
    for (int i = 0; i < commits; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("key " + std::to_string(i % 100), "value " + std::to_string(i));
        tx.tree("t").put("counter", std::to_string(i));
        tx.commit();
    }
    db.checkpoint();
    VerifyReport report;
    const std::size_t most = most_during([&] { report = db.verify(); });
    CHECK(report.problems.empty());
    CHECK(report.versions > static_cast<std::uint64_t>(commits));
    return most;
}

}  // namespace

TEST_CASE("Verifying takes no more memory where there are more versions", "[COMPARE-1][slow]") {
    const txn_test::Workplace place;
    const std::size_t few = verifying(place, 20'000);
    const std::size_t many = verifying(place, 100'000);
    INFO("most allocated: " << few << " bytes of 20 000 commits, " << many << " of 100 000");
    CHECK(many < few + (1u << 20));
}

TEST_CASE("A snapshot of the past gives back what it learned", "[PAST-1]") {
    const txn_test::Workplace place;
    const auto look_back = [&] {
        Options options;
        options.background = false;
        options.history = History::everything();
        Database db = Database::open(place / "a.db", options);
        db.update([](Transaction& tx) { tx.tree("t").put("key", "value"); });
        CHECK(db.begin_read(AsOf::txn(1)).tree("t").contains("key"));
    };
    look_back();  // what is made once stays
    const std::size_t before = allocated.load();
    for (int i = 0; i < 5; ++i) look_back();
    CHECK(allocated.load() == before);
}
