// txn_refused_test.cpp -- locks and room that the system refuses: what was asked for says so, and works when it is
// tried again, because nothing that was had by then is kept.
#include "peer.hpp"

#include "base/error.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace {

using namespace northstar;
using detail::Processes;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

/// From now on nobody is given a lock of a vfs.
void refuse(test::HookedVfs& vfs, std::uint64_t lock) {
    vfs.set_refusal([lock](std::uint64_t byte, detail::LockKind) { return byte == lock; });
}

}  // namespace

TEST_CASE("Who is refused the lock of redactions can redact later", "[CHAIN-3][ERR-5]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("secret");
    refuse(peer.vfs, Processes::redact);
    CHECK(code_of([&] { peer.db.redact("t", "secret", 0, "asked for"); }) == Errc::timeout);
    CHECK(peer.db.begin_read().tree("t").contains("secret"));
    peer.vfs.set_refusal({});
    peer.db.redact("t", "secret", 0, "asked for");
    CHECK_FALSE(peer.db.begin_read().tree("t").contains("secret"));
}

TEST_CASE("Who is refused the lock of redactions for a copy can copy and redact later", "[CHAIN-3][SPACE-5][ERR-5]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("secret");
    refuse(peer.vfs, Processes::redact);
    CHECK(code_of([&] { peer.db.backup(place / "b.db"); }) == Errc::timeout);
    peer.vfs.set_refusal({});
    peer.db.backup(place / "b.db");
    peer.db.redact("t", "secret", 0, "asked for");
    CHECK_FALSE(peer.db.begin_read().tree("t").contains("secret"));
}

// The checkpoint tries, finds the lock with somebody else, and goes on without.
TEST_CASE("A redaction that waits for the copy of another process ends when that is done", "[CHAIN-3][SWARM-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    std::optional<Peer> copying(place / "a.db");
    peer.put("secret");
    {
        const Snapshot held = peer.db.begin_read();
        REQUIRE(code_of([&] { peer.db.redact("t", "secret", 0, "asked for", 0); }) == Errc::still_held);
    }
    copying->core->hold_log();
    for (int i = 0; i < 2; ++i) peer.db.checkpoint();
    CHECK(peer.db.statistics().redaction_pending != 0);
    copying->core->let_go_of_log();
    copying.reset();
    for (int i = 0; i < 2; ++i) peer.db.checkpoint();
    CHECK(peer.db.statistics().redaction_pending == 0);
}

TEST_CASE("Who is refused the checkpoint lock can make a checkpoint later", "[ERR-5][SWARM-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("key");
    const std::uint64_t before = peer.core->newest_meta().generation;
    refuse(peer.vfs, Processes::checkpoint);
    CHECK(code_of([&] { peer.db.checkpoint(); }) == Errc::timeout);
    peer.vfs.set_refusal({});
    peer.db.checkpoint();
    CHECK(peer.core->newest_meta().generation == before + 1);
}

// Somebody stopped, or a disk that takes long: nobody else may flush meanwhile, however long it lasts.
TEST_CASE("Who hears nothing of a flush for long waits for its end all the same", "[CORE-5][DUR-7]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer peer(path);
    peer.put("key");
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(path, {}, created);
    REQUIRE(other->try_lock(Processes::flush, detail::LockKind::exclusive));
    std::atomic<bool> flushed{false};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::sync && !done) flushed = true;
    });
    std::atomic<bool> over{false};
    std::thread flushing([&] {
        peer.db.sync();
        over = true;
    });
    while (peer.vfs.waits() == 0 && !over) std::this_thread::yield();
    CHECK_FALSE(flushed);
    other->unlock(Processes::flush);
    flushing.join();
    CHECK(flushed);
    peer.vfs.set_hook(nullptr);
    CHECK(peer.db.statistics().durable_txn == 1);
}

TEST_CASE("Room that cannot be had for another reason than a full disk is not asked for again", "[DUR-9][ERR-5]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("key");
    bool failed = false;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::allocate || done || std::exchange(failed, true)) return;
        detail::fail(Errc::io, "the disk of this test is broken");
    });
    CHECK(code_of([&] { peer.put("large", 4u << 20); }) == Errc::io);
    peer.vfs.set_hook(nullptr);
    REQUIRE(failed);
    CHECK_FALSE(peer.db.begin_read().tree("t").contains("large"));
    peer.put("large", 4u << 20);
    CHECK(peer.db.begin_read().tree("t").contains("large"));
    CHECK(peer.db.verify().ok());
}
