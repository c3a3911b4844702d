// txn_seal_ahead_test.cpp -- history that a checkpoint seals before it freezes a root, and what is committed meanwhile.
#include "peer.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace northstar;
using test::FileCall;
using txn_test::Peer;
using txn_test::Workplace;

constexpr std::uint64_t k_page = 4096;

/// Nobody catches it on the way: what was held is let go of, and nothing else is done, as at a death.
struct Death {};

/// So many commits that a checkpoint seals what they did.
Txn fill(Peer& peer, const std::string& tree = "t") {
    Txn last = 0;
    for (int i = 0; i < 120; ++i) {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        const std::string value = std::to_string(i) + std::string(80, 'v');
        for (int k = 0; k < 100; ++k) tx.tree(tree).put("k" + std::to_string(k), value);
        last = tx.commit().txn;
    }
    return last;
}

/// Makes a checkpoint, during whose first write of a page, a segment's, another thread does something.
void checkpoint_with(Peer& peer, const std::function<void()>& meanwhile) {
    std::atomic<bool> begun{false};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::write || done || where < 2 * k_page || begun.exchange(true)) return;
        std::thread(meanwhile).join();
    });
    peer.db.checkpoint();
    peer.vfs.set_hook({});
    REQUIRE(begun);
}

std::string value_at(const Database& db, Txn txn, const std::string& key = "k1") {
    const Snapshot snapshot = db.begin_read(AsOf::txn(txn));
    return std::string(snapshot.tree("t").get(key).value_or("none"));
}

bool sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

}  // namespace

TEST_CASE("What is committed while history is sealed has its past in the log", "[AHEAD-3]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Txn filled = 0;
    Txn later = 0;
    const auto check = [&](Peer& peer) {
        CHECK(value_at(peer.db, filled) == "119" + std::string(80, 'v'));
        for (Txn txn = filled + 1; txn <= later; ++txn) CHECK(value_at(peer.db, txn).size() == txn - filled);
        CHECK(value_at(peer.db, filled - 1) == "118" + std::string(80, 'v'));
        CHECK(sound(peer.db));
    };
    {
        Peer peer(path);
        filled = fill(peer);
        checkpoint_with(peer, [&] {
            for (std::size_t size = 1; size <= 5; ++size) later = peer.put("k1", size);
        });
        CHECK(peer.core->newest_meta().txn == later);
        CHECK(peer.core->newest_meta().sealed_txn == filled);
        check(peer);
    }
    Peer again(path);
    check(again);
    const Txn more = fill(again);
    again.db.checkpoint();
    CHECK(again.core->newest_meta().sealed_txn == more);
    check(again);
}

TEST_CASE("Much that was committed while history was sealed is not left to the next checkpoint", "[AHEAD-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    fill(peer);
    Txn large = 0;
    checkpoint_with(peer, [&] { large = peer.put("large", 34u << 20); });
    CHECK(peer.core->newest_meta().sealed_txn == large);
    CHECK(value_at(peer.db, large - 1, "large") == "none");
    CHECK(sound(peer.db));
}

TEST_CASE("A checkpoint of nothing but what was left to it seals that", "[AHEAD-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    fill(peer);
    Txn left = 0;
    checkpoint_with(peer, [&] { left = peer.put("large", 2u << 20); });
    REQUIRE(peer.core->newest_meta().sealed_txn < left);
    peer.db.checkpoint();
    CHECK(peer.core->newest_meta().sealed_txn == left);
    CHECK(sound(peer.db));
}

TEST_CASE("Where the history of a tree ended while it was sealed, what was sealed ahead is not used", "[AHEAD-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("k0");
    fill(peer, "other");
    checkpoint_with(peer, [&] {
        Transaction tx = peer.db.begin_write();
        tx.set_history("other", History::nothing());
        tx.commit();
    });
    CHECK(peer.core->newest_meta().sealed_txn == peer.core->newest_meta().txn);
    CHECK(peer.db.statistics().history_bytes < 100'000);
    CHECK(sound(peer.db));
}

TEST_CASE("A database that stops to keep history while it is sealed keeps none of it", "[AHEAD-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    fill(peer);
    checkpoint_with(peer, [&] { peer.db.set_history(History::nothing()); });
    CHECK(peer.db.statistics().history_segments == 0);
    CHECK(sound(peer.db));
    fill(peer);
    peer.db.checkpoint();
    CHECK(sound(peer.db));
}

TEST_CASE("Where sealing ahead fails, nothing of it keeps a page", "[AHEAD-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    const Txn filled = fill(peer);
    bool failed = false;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::write || done || where < 2 * k_page || std::exchange(failed, true)) return;
        throw Error(Errc::io, "the disk is gone for a moment");
    });
    CHECK_THROWS_AS(peer.db.checkpoint(), Error);
    peer.vfs.set_hook({});
    CHECK(peer.core->newest_meta().txn == 0);
    CHECK(sound(peer.db));
    peer.db.checkpoint();
    CHECK(peer.core->newest_meta().sealed_txn == filled);
    CHECK(sound(peer.db));
}

TEST_CASE("A log extent that a dead writer announced is left alone by history that is sealed ahead",
          "[AHEAD-2][SPACE-2]") {
    const Workplace place;
    Peer heir(place / "a.db");
    const Txn filled = fill(heir);
    Peer writer(place / "a.db");
    const std::size_t before = writer.core->log().extents().size();
    writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::write && done && writer.core->log().extents().size() > before) throw Death();
    });
    const auto write_until_death = [&] {
        for (int i = 0; i < 1000; ++i) writer.put("w" + std::to_string(i), 20'000);
    };
    CHECK_THROWS_AS(write_until_death(), Death);
    writer.vfs.set_hook({});
    REQUIRE(writer.core->log().extents().size() > before);
    heir.db.checkpoint();
    CHECK(heir.core->newest_meta().sealed_txn >= filled);
    heir.put("k1", 7, Durability::full);
    CHECK(value_at(heir.db, filled) == "119" + std::string(80, 'v'));
    CHECK(sound(heir.db));
}
