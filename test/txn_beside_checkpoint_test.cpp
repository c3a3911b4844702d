// txn_beside_checkpoint_test.cpp -- writers while another process makes a checkpoint, which keeps everybody else from
// carving space from its beginning to its end: here that lock is refused to them for as long.
#include "peer.hpp"

#include <atomic>
#include <string>

namespace {

using namespace northstar;
using detail::LockKind;
using detail::Processes;
using detail::Word;
using test::FileCall;
using txn_test::Peer;
using txn_test::Workplace;

void keep_from_carving(Peer& peer) {
    peer.vfs.set_refusal([](std::uint64_t byte, LockKind) { return byte == Processes::checkpoint; });
}

void let_carve(Peer& peer) { peer.vfs.set_refusal({}); }

bool sound(Peer& peer) {
    const VerifyReport report = peer.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

}  // namespace

TEST_CASE("The log of a writer goes on while another process carves", "[CKPT-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    for (int i = 0; i < 200; ++i) {
        peer.put("a", 10'000);
        other.put("b", 10'000);
    }
    const std::uint64_t before = peer.core->processes().load(Word::log_position);
    keep_from_carving(peer);
    for (int i = 0; i < 20; ++i) CHECK_NOTHROW(peer.put("c", 10'000));
    let_carve(peer);
    // More than the extent that was begun holds.
    CHECK(peer.core->processes().load(Word::log_position) - before >= 200'000);
    peer.db.checkpoint();
    CHECK(sound(other));
}

TEST_CASE("The memory of a writer may grow while another process carves", "[CKPT-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    // A key on each leaf: changed by little log and many pages.
    const auto change = [&](int from, int to, int step, std::size_t size) {
        Transaction tx = peer.db.begin_write();
        for (int i = from; i < to; i += step) tx.tree("wide").put(std::to_string(10'000 + i), std::string(size, 'v'));
        tx.commit();
    };
    change(0, 8000, 1, 400);
    peer.db.checkpoint();
    other.put("b");
    change(0, 4000, 9, 1);
    keep_from_carving(peer);
    CHECK_NOTHROW(change(4000, 7000, 9, 1));
    let_carve(peer);
    peer.db.checkpoint();
    CHECK(sound(other));
}

TEST_CASE("A writer alone holds no more than its next checkpoint takes", "[CKPT-3]") {
    const Workplace place;
    Peer alone(place / "alone.db");
    Peer peer(place / "shared.db");
    Peer other(place / "shared.db");
    other.put("b");
    for (Peer* const each : {&alone, &peer}) {
        for (int i = 0; i < 100; ++i) each->put("a" + std::to_string(i), 10'000);
    }
    CHECK(alone.db.statistics().file_bytes < peer.db.statistics().file_bytes);
}

TEST_CASE("What of the log is reserved ahead stays small beside the file", "[CKPT-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    other.put("b");
    // Two extents of a thirty-second of the file each may come on top.
    for (int i = 0; i < 400; ++i) {
        peer.put("a" + std::to_string(i), 10'000);
        const Statistics now = peer.db.statistics();
        const std::uint64_t ahead = now.log_bytes - peer.core->processes().load(Word::log_position);
        REQUIRE(ahead <= now.file_bytes / 4 + now.file_bytes / 8);
    }
}

TEST_CASE("A checkpoint that another process made meanwhile is not made again", "[CKPT-4]") {
    const Workplace place;
    Options options;
    options.checkpoint_log_bytes = 1u << 20;
    Peer other(place / "a.db");
    Peer peer(place / "a.db", options);
    const std::uint64_t before = other.core->processes().load(Word::generation);
    // Its background thread asks for the lock because of what was written here; another process makes one first.
    std::atomic<bool> overtaken{false};
    std::atomic<int> given_back{0};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (where != Processes::checkpoint) return;
        if (call == FileCall::lock && !done && other.core->processes().load(Word::log_position) > (1u << 20) &&
            !overtaken.exchange(true)) {
            other.db.checkpoint();
            other.put("b");  // there is something to do, but little
        }
        // Once because it does not stand on the new generation yet, and once when it has looked at that.
        if (call == FileCall::unlock && done && overtaken) {
            ++given_back;
            given_back.notify_all();
        }
    });
    Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
    for (int i = 0; i < 300; ++i) tx.tree("t").put(std::to_string(i), std::string(5000, 'v'));
    tx.commit();
    for (int seen = given_back; seen < 2; seen = given_back) given_back.wait(seen);
    CHECK(other.core->processes().load(Word::generation) == before + 1);
    CHECK(sound(other));
    peer.vfs.set_hook(nullptr);
}
