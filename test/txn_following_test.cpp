// txn_following_test.cpp -- a process that follows what others write: damage on the way, generations, memory.
#include "peer.hpp"

#include "base/error.hpp"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace northstar;
using test::FileCall;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

}  // namespace

// The file may be cut behind a generation that is being loaded, and its pages used for something else.
TEST_CASE("Damage that is met in a generation which two more have followed is that of one that is gone",
          "[PROC-2][DMG-1]") {
    const Workplace place;
    Peer fast(place / "a.db");
    fast.put("first");
    Peer slow(place / "a.db");
    for (const Errc code : {Errc::corrupt, Errc::truncated, Errc::no_memory}) {
        for (const int more : {1, 2}) {
            CAPTURE(static_cast<int>(code), more);
            const auto make_generation = [&] {
                fast.put("last");
                fast.db.checkpoint();
            };
            make_generation();
            bool met = false;
            // It has read the meta page, and looks at the file.
            slow.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
                if (call != FileCall::size || done || std::exchange(met, true)) return;
                for (int i = 0; i < more; ++i) make_generation();
                detail::fail(code, "what this test reads of the generation is not there");
            });
            const std::optional<Errc> told = txn_test::code_of([&] { static_cast<void>(slow.db.begin_read()); });
            slow.vfs.set_hook(nullptr);
            CHECK(met);
            const bool is_gone = more == 2 && code != Errc::no_memory;
            CHECK(told == (is_gone ? std::nullopt : std::optional(code)));
            CHECK(slow.db.begin_read().txn() == fast.db.begin_read().txn());
        }
    }
}

TEST_CASE("Who cannot hold a newer generation says so and stays on the one it has", "[SNAP-7][SPACE-2]") {
    const Workplace place;
    Peer fast(place / "a.db");
    fast.put("first");
    Peer slow(place / "a.db");
    const Snapshot before = slow.db.begin_read();
    fast.put("second");
    fast.db.checkpoint();
    slow.vfs.set_refusal([](std::uint64_t byte, detail::LockKind) { return byte >= detail::Processes::first_pin; });
    for (int i = 0; i < 2; ++i) {
        CHECK(txn_test::code_of([&] { static_cast<void>(slow.db.begin_read()); }) == Errc::io);
        CHECK(before.tree("t").contains("first"));
    }
    slow.vfs.set_refusal(nullptr);
    CHECK(slow.db.begin_read().tree("t").contains("second"));
}

TEST_CASE("Who joins others stands on what they show", "[SNAP-4][SWARM-1]") {
    const Workplace place;
    Peer first(place / "a.db");
    const Txn txn = first.put("key");
    const Peer second(place / "a.db");
    CHECK(second.core->roots().visible()->txn.load() == txn);
}

TEST_CASE("Who has the write lock stands on what others show", "[SNAP-4][SWARM-1]") {
    const Workplace place;
    Peer first(place / "a.db");
    Peer second(place / "a.db");
    const Txn txn = first.put("key");
    const Transaction writing = second.db.begin_write();
    CHECK(second.core->roots().visible()->txn.load() == txn);
}

// It was relied on all the same, and others were free to use its pages again.
TEST_CASE("Who cannot hold the generation that its own checkpoint made says so, and adopts it later",
          "[SNAP-7][SPACE-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("first");
    const std::uint64_t made = peer.core->newest_meta().generation + 1;
    peer.vfs.set_refusal([](std::uint64_t byte, detail::LockKind) { return byte >= detail::Processes::first_pin; });
    CHECK(txn_test::code_of([&] { peer.db.checkpoint(); }) == Errc::io);
    peer.vfs.set_refusal(nullptr);
    peer.put("second");
    peer.db.checkpoint();
    CHECK(peer.core->newest_meta().generation == made + 1);
    CHECK(peer.db.verify().ok());
}

TEST_CASE("What another process pruned is gone as soon as its commit is seen", "[PAST-5][SWARM-1]") {
    constexpr Txn k_horizon = 6;
    constexpr Txn k_last = 10;
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer pruning(place / "a.db", options);
    Peer other(place / "a.db", options);
    for (Txn txn = 1; txn <= k_last; ++txn) pruning.put("key");
    Txn oldest = 0;
    // Behind the commit, and before the checkpoint that moves the horizon.
    pruning.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (oldest != 0 || done || call != FileCall::lock || where != detail::Processes::checkpoint) return;
        if (other.db.begin_read().txn() > k_last) oldest = other.db.statistics().oldest_txn;
    });
    pruning.db.prune(AsOf::txn(k_horizon));
    pruning.vfs.set_hook(nullptr);
    CHECK(oldest == k_horizon);
}

TEST_CASE("A snapshot shows a large transaction of another process, though it takes the turn to replay it",
          "[SNAP-4][TX-8]") {
    const Workplace place;
    Peer other(place / "a.db");
    Options small;
    small.overlay_limit = 1u << 20;
    Peer here(place / "a.db", small);
    for (int round = 0; round < 3; ++round) {
        Txn newest = 0;
        {
            Transaction tx = other.db.begin_write();
            for (int i = 0; i < 4000; ++i) {
                tx.tree("t").put("key" + std::to_string(i), std::string(500, static_cast<char>('a' + round)));
            }
            newest = tx.commit().txn;
        }
        const Snapshot now = here.db.begin_read();
        CHECK(now.txn() == newest);
        CHECK(now.tree("t").get("key3999").value_or("").starts_with(static_cast<char>('a' + round)));
    }
}

// Only a meta page makes the pages known to others.
TEST_CASE("What a replay placed early is named by a checkpoint that nobody asks for", "[EARLY-3][CALM-1]") {
    const Workplace place;
    Peer other(place / "a.db");
    Options small;
    small.overlay_limit = 1u << 20;
    Peer here(place / "a.db", small);
    Transaction tx = other.db.begin_write();
    for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(500, 'v'));
    tx.commit();
    const std::uint64_t before = here.core->newest_meta().generation;
    static_cast<void>(here.db.begin_read());
    const std::uint64_t began = here.vfs.monotonic_us();
    while (here.core->newest_meta().generation == before && here.vfs.monotonic_us() - began < 30'000'000) {
        std::this_thread::yield();
    }
    CHECK(here.core->newest_meta().generation > before);
}

TEST_CASE("Who follows others from generation to generation lets go of those behind it", "[SNAP-7][SPACE-2]") {
    const Workplace place;
    Peer fast(place / "a.db");
    Peer slow(place / "a.db");
    const auto follow = [&] {
        fast.put("key");
        fast.db.checkpoint();
        static_cast<void>(slow.db.begin_read());
    };
    follow();
    const std::size_t held = slow.vfs.held().size();
    for (int i = 0; i < 6; ++i) {
        follow();
        CHECK(slow.vfs.held().size() <= held + 1);
    }
}

TEST_CASE("What a replay that failed had made in memory is given back", "[CALM-1][ERR-5]") {
    const Workplace place;
    Peer writer(place / "a.db");
    writer.put("first");
    Peer failing(place / "a.db");
    Peer other(place / "a.db");
    // More than is read at once.
    for (int i = 0; i < 40; ++i) writer.put("key" + std::to_string(i), 30'000);
    for (int i = 0; i < 3; ++i) {
        int reads = 0;
        failing.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::read || done || where <= 4096 || ++reads < 3) return;
            throw Error(Errc::io, "the disk of this test cannot be read");
        });
        CHECK(txn_test::code_of([&] { static_cast<void>(failing.db.begin_read()); }) == Errc::io);
        failing.vfs.set_hook(nullptr);
    }
    CHECK(failing.db.begin_read().txn() == other.db.begin_read().txn());
    CHECK(failing.db.statistics().overlay_bytes == other.db.statistics().overlay_bytes);
}

TEST_CASE("What a process replayed takes no memory any more when it stands on the checkpoint of another one",
          "[CALM-1][SNAP-4]") {
    const Workplace place;
    Peer fast(place / "a.db");
    Peer slow(place / "a.db");
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 20; ++i) fast.put("key" + std::to_string(i), 20'000);
        static_cast<void>(slow.db.begin_read());
        fast.db.checkpoint();
        static_cast<void>(slow.db.begin_read());
        CHECK(slow.db.statistics().overlay_bytes < 1u << 20);
    }
}

// Behind the end of a mapped file there is no memory: reading there ends the process.
TEST_CASE("Who follows others to a shorter file takes a page behind its end for damage", "[DMG-1][SWARM-1]") {
    const Workplace place;
    Peer fast(place / "a.db");
    for (int i = 0; i < 100; ++i) fast.put("key" + std::to_string(i), 20'000);
    fast.db.checkpoint();
    Peer slow(place / "a.db");
    const std::uint64_t last = slow.core->newest_meta().file_pages - 1;
    Transaction tx = fast.db.begin_write();
    tx.tree("t").erase_range({}, std::nullopt);
    tx.commit();
    fast.db.compact();
    static_cast<void>(slow.db.begin_read());
    REQUIRE(slow.core->newest_meta().file_pages <= last);
    CHECK(txn_test::code_of([&] {
              static_cast<void>(slow.core->file_pages().read_run(detail::PageKind::space, last, 100, 0));
          }) == Errc::corrupt);
}

// What a handle is made of is used by other threads while a generation is adopted, so it never changes.
TEST_CASE("A generation of another database, or with other pages, is not adopted", "[PROC-2][DMG-1]") {
    const Workplace place;
    Peer slow(place / "a.db");
    Peer fast(place / "a.db");
    fast.put("first");
    fast.db.checkpoint();
    const detail::Meta sound = fast.core->newest_meta();
    const std::uint64_t at = (sound.generation & 1) * sound.page_size;
    const auto write = [&](const detail::Meta& meta) {
        std::vector<std::byte> bytes(detail::k_meta_size);
        detail::encode_meta(meta, bytes);
        std::fstream file(place / "a.db", std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        REQUIRE(file.flush());
    };
    detail::Meta other_database = sound, other_pages = sound;
    other_database.uuid[0] ^= 1;
    other_pages.page_size *= 2;
    for (const detail::Meta& meta : {other_database, other_pages}) {
        write(meta);
        CHECK(txn_test::code_of([&] { static_cast<void>(slow.db.begin_read()); }) == Errc::corrupt);
    }
    write(sound);
    CHECK(slow.db.begin_read().txn() == fast.db.begin_read().txn());
}

// Nothing has to be placed early where somebody has placed it already.
TEST_CASE("A writer that meets a large transaction behind a checkpoint of others stands on that", "[TX-8][EARLY-3]") {
    const Workplace place;
    Peer other(place / "a.db");
    Options small = quiet();
    small.overlay_limit = 1u << 20;
    Peer here(place / "a.db", small);
    {
        Transaction tx = other.db.begin_write();
        for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(500, 'v'));
        tx.commit();
    }
    bool made = false;
    here.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::read || !done || where <= 4096 || std::exchange(made, true)) return;
        other.db.checkpoint();
    });
    Transaction tx = here.db.begin_write();
    here.vfs.set_hook(nullptr);
    REQUIRE(made);
    CHECK(here.core->newest_meta().generation == other.core->newest_meta().generation);
    CHECK_FALSE(here.core->holds_early());
    CHECK(tx.tree("t").size() == 4000);
}
