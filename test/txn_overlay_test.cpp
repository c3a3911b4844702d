// Memory pages under load: within the limit however fast commits come, whatever snapshots are open.
#include "txn_support.hpp"

#include <atomic>
#include <thread>

namespace {

using namespace northstar;
using namespace txn_test;

constexpr std::uint64_t k_limit = 4u << 20;

}  // namespace

TEST_CASE("memory pages stay under the limit while commits outrun the checkpoint", "[CALM-1][SNAP-7][slow]") {
    const Workplace place;
    const std::uint64_t start = seed(3);
    CAPTURE(start);
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    Database db = Database::open(place / "db", options);
    std::optional<Snapshot> old;
    std::atomic<bool> stop{false};
    std::uint64_t most = 0;
    std::uint64_t held = 0;
    std::thread watcher([&] {
        std::uint64_t before = 0;
        while (!stop.load()) {
            // The two numbers are not read at once: pages may be freed in between.
            const Statistics now = db.statistics();
            const std::uint64_t dead = std::max(before, now.overlay_held_by_snapshots);
            held = std::max(held, dead);
            most = std::max(most, now.overlay_bytes - std::min(now.overlay_bytes, dead));
            before = now.overlay_held_by_snapshots;
        }
    });
    const int commits = scaled(4000);
    const auto write = [&](std::uint64_t thread) {
        Dice dice(start + thread);
        for (int i = 0; i < commits; ++i) {
            Transaction tx = db.begin_write();
            for (int n = 0; n < 20; ++n) {
                tx.tree("t").put("k" + std::to_string(dice.below(50000)), dice.bytes(100));
            }
            tx.commit();
        }
    };
    {
        std::thread first(write, 1);
        std::thread second(write, 2);
        old.emplace(db.begin_read());
        first.join();
        second.join();
    }
    stop = true;
    watcher.join();
    const Statistics now = db.statistics();
    UNSCOPED_INFO("most " << most << ", held by snapshots " << held << ", checkpoints " << now.checkpoints);
    REQUIRE(now.checkpoints > 3);
    // What one transaction adds comes on top, for each of the two that wait, and what a writer keeps for reuse.
    REQUIRE(most <= k_limit + k_limit / 8 + 2 * 20 * 2 * 4096 + (1u << 19));
    // The old snapshot keeps what it reaches: at most one overlay, and what a checkpoint under way still needs.
    REQUIRE(now.overlay_held_by_snapshots <= 2 * k_limit);
    const Txn txn = old->txn();
    REQUIRE(txn <= now.txn);
    old.reset();
    db.checkpoint();
    db.update([](Transaction& tx) { tx.tree("t").put("a", "b"); });
    db.checkpoint();
    REQUIRE(db.statistics().overlay_held_by_snapshots < 1u << 20);
    REQUIRE(db.statistics().overlay_bytes < k_limit);
}

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
