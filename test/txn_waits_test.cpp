// txn_waits_test.cpp -- who waits for whom, and who must not: snapshots, writers and checkpoints of several processes.
// A second handle on the same file, opened with a Vfs of its own, acts as another process: locks belong to the open
// file.
#include "peer.hpp"
#include "thread_state.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <thread>

namespace {

using namespace northstar;
using detail::Processes;
using test::FileCall;
using txn_test::Peer;
using txn_test::Workplace;

/// Does it come within a time that only standing still takes?
template <class T>
bool comes(const std::future<T>& coming) {
    return coming.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
}

template <class T>
bool has_come(const std::future<T>& coming) {
    return coming.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

/// A snapshot that another thread asks for, and the txn it shows.
std::future<Txn> ask_for_snapshot(Peer& peer) {
    return std::async(std::launch::async, [&peer] { return peer.db.begin_read().txn(); });
}

/// A thread of `peer` that has the writer's turn there and waits for the write lock, which `holder` has.
std::thread start_waiting_writer(Peer& peer, Peer& holder) {
    std::thread writer([&peer] { peer.put("late"); });
    while (!holder.core->processes().write_wanted()) std::this_thread::yield();
    return writer;
}

}  // namespace

// It waited for the turn there, whose owner waited for the write lock, whose owner waited for the checkpoint lock to
// get room for its record: three processes on a small full disk stood still for good.
TEST_CASE("A checkpoint does not wait for the writer's turn while it has the checkpoint lock", "[SWARM-2]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer peer(place / "a.db");
    other.put("a", 100, Durability::lazy);
    std::optional<Transaction> holder;  // of the write lock
    std::thread waiting;                // has the turn of `peer`, and waits for that lock
    std::atomic<bool> waits{false};
    std::atomic<bool> locked{false};
    std::atomic<bool> released{false};
    std::atomic<bool> first{true};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call == FileCall::lock && where == Processes::write && !done) waits = true;
        if (where != Processes::checkpoint) return;
        if (call == FileCall::unlock && locked) released = true;
        if (call != FileCall::lock) return;
        if (done) {
            locked = true;
        } else if (first.exchange(false)) {
            other.put("b", 100, Durability::lazy);  // a newer state is visible than the one caught up with
            holder.emplace(other.db.begin_write());
            waiting = std::thread([&] { peer.put("c", 100, Durability::lazy); });
            while (!waits) std::this_thread::yield();
        }
    });
    std::thread checkpointing([&] { peer.db.checkpoint(); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!released && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    CHECK(released);
    if (holder) holder->rollback();
    checkpointing.join();
    if (waiting.joinable()) waiting.join();
    peer.vfs.set_hook(nullptr);
}

// Catching up took the writer's turn, so that a snapshot waited for a thread of its own process that waited for another
// process, however long that took, or stood still (stop_suite, one round in seventy).
TEST_CASE("A snapshot does not wait for a writer of its process that waits for another process", "[SNAP-3][SNAP-4]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer here(place / "a.db");
    const Txn newest = other.put("a");
    Transaction held = other.db.begin_write();
    std::thread writer = start_waiting_writer(here, other);
    std::future<Txn> snapshot = ask_for_snapshot(here);
    CHECK(comes(snapshot));
    held.rollback();
    writer.join();
    CHECK(snapshot.get() == newest);
}

TEST_CASE("A snapshot of what is in memory does not wait for a writer that replays what nobody may see yet",
          "[SNAP-3][SNAP-4]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer peer(place / "a.db");
    writer.put("a", 100, Durability::full);
    REQUIRE(peer.db.begin_read().txn() == 1);
    // While a commit is flushed, a writer elsewhere stands on it.
    const auto commit_and = [&](const char* key, const std::function<void()>& beside) {
        bool flushed = false;
        writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
            if (call == FileCall::sync && !done && !std::exchange(flushed, true)) beside();
        });
        writer.put(key, 100, Durability::full);
        writer.vfs.set_hook(nullptr);
        REQUIRE(flushed);
    };
    commit_and("b", [&] { CHECK(peer.db.begin_write().base_txn() == 2); });
    std::future<Txn> snapshot;
    commit_and("c", [&] {
        peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
            if (call != FileCall::read || done || snapshot.valid()) return;
            snapshot = ask_for_snapshot(peer);
            CHECK(comes(snapshot));
        });
        CHECK(peer.db.begin_write().base_txn() == 3);
        peer.vfs.set_hook(nullptr);
    });
    REQUIRE(snapshot.valid());
    CHECK(snapshot.get() == 2);
}

TEST_CASE("An optimistic transaction begins beside a writer of its process that waits for another process",
          "[SNAP-3][SNAP-4]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer here(place / "a.db");
    other.put("a");
    Transaction held = other.db.begin_write();
    std::thread writer = start_waiting_writer(here, other);
    std::future<bool> found =
        std::async(std::launch::async, [&] { return here.db.begin_optimistic().tree("t").contains("a"); });
    CHECK(comes(found));
    held.rollback();
    writer.join();
    CHECK(found.get());
}

// Who asked for the turn while a writer caught up had it only behind that writer's whole transaction.
TEST_CASE("A snapshot asked for while a writer catches up does not wait for its transaction", "[SNAP-3][SNAP-4]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer here(place / "a.db");
    const Txn newest = other.put("a");
    std::future<Txn> snapshot;
    here.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where != Processes::write || !done || snapshot.valid()) return;
        snapshot = ask_for_snapshot(here);
        while (!here.core->turn().wanted() && !has_come(snapshot)) std::this_thread::yield();
    });
    Transaction tx = here.db.begin_write();
    here.vfs.set_hook(nullptr);
    CHECK(comes(snapshot));
    tx.rollback();
    CHECK(snapshot.get() == newest);
}

// It would change the roots and bases under a transaction that is at work on them.
TEST_CASE("A snapshot that finds its state replayed by a writer leaves a newer generation alone", "[CORE-7][SNAP-3]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer here(place / "a.db");
    const Txn newest = other.put("a");
    const std::uint64_t generation = here.core->newest_meta().generation;
    std::atomic<long> thread{0};
    std::future<Txn> snapshot;
    here.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::read || done || where <= 4096 || snapshot.valid()) return;
        snapshot = std::async(std::launch::async, [&] {
            thread = txn_test::this_thread();
            return here.db.begin_read().txn();
        });
        // It waits for this replay.
        while (!has_come(snapshot) && (thread == 0 || txn_test::state_of(thread) != 'S')) std::this_thread::yield();
        other.db.checkpoint();
    });
    Transaction tx = here.db.begin_write();
    here.vfs.set_hook(nullptr);
    REQUIRE(snapshot.valid());
    tx.tree("t").put("b", "v");
    CHECK(snapshot.get() == newest);
    CHECK(here.core->newest_meta().generation == generation);
    CHECK(tx.commit().txn == newest + 1);
    CHECK(other.db.begin_read().tree("t").contains("b"));
    CHECK(here.db.verify().ok());
}

// Its pages have to be placed early, which takes the turn. A checkpoint follows such a transaction, and is adopted.
TEST_CASE("A snapshot that cannot replay a large transaction without the turn takes the checkpoint behind it",
          "[SNAP-3][TX-8]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer third(place / "a.db");
    Options small;
    small.overlay_limit = 1u << 20;
    Peer here(place / "a.db", small);
    Txn newest = 0;
    {
        Transaction tx = other.db.begin_write();
        for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(500, 'v'));
        newest = tx.commit().txn;
    }
    Transaction held = third.db.begin_write();
    std::thread writer = start_waiting_writer(here, third);
    std::future<Txn> snapshot = ask_for_snapshot(here);
    while (!here.core->turn().wanted() && !has_come(snapshot)) std::this_thread::yield();
    CHECK_FALSE(has_come(snapshot));
    other.db.checkpoint();
    CHECK(comes(snapshot));
    held.rollback();
    writer.join();
    CHECK(snapshot.get() == newest);
}

TEST_CASE("A snapshot that cannot replay a large transaction without the turn takes what the writer there replayed",
          "[SNAP-3][TX-8]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer third(place / "a.db");
    Options small;
    small.overlay_limit = 1u << 20;
    Peer here(place / "a.db", small);
    Txn newest = 0;
    {
        Transaction tx = other.db.begin_write();
        for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(500, 'v'));
        newest = tx.commit().txn;
    }
    Transaction held = third.db.begin_write();
    std::atomic<bool> over{false};
    std::thread writer([&] {
        const Transaction tx = here.db.begin_write();
        while (!over) std::this_thread::yield();
    });
    while (!third.core->processes().write_wanted()) std::this_thread::yield();
    std::future<Txn> snapshot = ask_for_snapshot(here);
    while (!here.core->turn().wanted() && !has_come(snapshot)) std::this_thread::yield();
    CHECK_FALSE(has_come(snapshot));
    held.rollback();
    // The transaction goes on.
    CHECK(comes(snapshot));
    over = true;
    writer.join();
    CHECK(snapshot.get() == newest);
}

// While it has the turn and waits for the write lock, which it needs to place the pages, the checkpoint comes.
TEST_CASE("Who waits for the write lock to replay a large transaction takes the checkpoint behind it",
          "[SNAP-3][TX-8]") {
    const Workplace place;
    Peer other(place / "a.db");
    Peer third(place / "a.db");
    Options small;
    small.overlay_limit = 1u << 20;
    test::HookedVfs vfs;
    std::atomic<bool> armed{false};
    vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where != Processes::waiting || !done || !armed.exchange(false)) return;
        other.db.checkpoint();
    });
    const Database here = detail::make_database(detail::DatabaseCore::open(place / "a.db", small, &vfs));
    Txn newest = 0;
    {
        Transaction tx = other.db.begin_write();
        for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(500, 'v'));
        newest = tx.commit().txn;
    }
    Transaction held = third.db.begin_write();
    armed = true;
    std::future<Txn> snapshot = std::async(std::launch::async, [&here] { return here.begin_read().txn(); });
    CHECK(comes(snapshot));
    CHECK_FALSE(armed);
    held.rollback();
    CHECK(snapshot.get() == newest);
}
