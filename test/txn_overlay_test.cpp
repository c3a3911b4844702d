// Memory pages while snapshots are open.
#include "txn_support.hpp"

namespace {

using namespace northstar;
using namespace txn_test;

constexpr std::uint64_t k_limit = 4u << 20;

}  // namespace

TEST_CASE("a snapshot that holds much memory does not make one checkpoint follow the other", "[CALM-2][SNAP-7]") {
    // The bytes that start a checkpoint counted pages that snapshots alone keep alive: with an old snapshot over half
    // of the limit every commit asked for another checkpoint.
    const Workplace place;
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    Database db = Database::open(place / "db", options);
    Dice dice(seed(4));
    std::optional<Snapshot> old;
    const auto fill = [&] {
        for (int i = 0; i < 60; ++i) {
            Transaction tx = db.begin_write();
            for (int n = 0; n < 100; ++n) tx.tree("t").put(std::to_string(dice.below(20000)), dice.bytes(100));
            tx.commit();
        }
    };
    fill();
    for (int i = 0; i < 10 && db.statistics().overlay_held_by_snapshots < k_limit / 2; ++i) {
        if (!old) old.emplace(db.begin_read());
        fill();
        db.checkpoint();
    }
    const std::uint64_t before = db.statistics().checkpoints;
    for (int i = 0; i < 200; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("one", std::to_string(i));
        tx.commit();
    }
    REQUIRE(db.statistics().checkpoints <= before + 3);
}
