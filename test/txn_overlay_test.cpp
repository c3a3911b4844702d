// Memory pages while snapshots are open.
#include "peer.hpp"

#include <atomic>
#include <string>
#include <thread>

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

// Pages made while a checkpoint writes are copied onto the new base.
TEST_CASE("Memory pages of commits beside checkpoints are all given back", "[CALM-1][FRAME-2]") {
    const txn_test::Workplace place;
    txn_test::Peer peer(place / "a.db");
    const auto change = [&](int step) {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        for (int i = 0; i < 2000; i += step) tx.tree("t").put(std::to_string(10'000 + i), std::string(100, 'v'));
        tx.commit();
    };
    for (int round = 0; round < 100; ++round) {
        change(1);
        bool beside = false;
        peer.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
            if (call == test::FileCall::sync && !done && !std::exchange(beside, true)) change(50);
        });
        peer.db.checkpoint();
        peer.vfs.set_hook(nullptr);
        REQUIRE(beside);
        peer.db.checkpoint();
        CHECK(peer.db.statistics().overlay_bytes < 256u << 10);
    }
}

TEST_CASE("A writer whose memory is used up is told why no checkpoint could make room", "[CALM-1][ERR-5]") {
    const Workplace place;
    test::HookedVfs vfs;
    std::atomic<bool> full{false};
    const std::thread::id writer = std::this_thread::get_id();
    vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        if (!full || call != test::FileCall::write || done || std::this_thread::get_id() == writer) return;
        throw Error(Errc::no_space, "the disk of this test is full");
    });
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    Database db = detail::make_database(detail::DatabaseCore::open(place / "a.db", options, &vfs));
    full = true;
    std::string told;
    for (int i = 0; i < 1000 && told.empty(); ++i) {
        try {
            db.update([&](Transaction& tx) { tx.tree("t").put("key" + std::to_string(i), std::string(20'000, 'v')); });
        } catch (const Error& error) {
            CHECK(error.code() == Errc::no_space);
            told = error.what();
        }
    }
    full = false;
    CHECK(told.find("a checkpoint failed: the disk of this test is full") != std::string::npos);
}
