// txn_deaths_test.cpp -- what a process leaves that dies in the middle of a step, and what the next one makes of it.
#include "peer.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace {

using namespace northstar;
using detail::Processes;
using detail::Word;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

/// A record of this size is written with a call, where a hook can step in.
constexpr std::size_t k_long = 20'000;

/// Nobody catches it on the way: what was held is let go of, and nothing else is done, as at a death.
struct Death {};

/// Lets a writer die when its record is in the file and no word says so. `then` is run before.
template <class F>
void die_behind_the_record(Peer& peer, Durability durability, F then) {
    std::uint64_t at = 0;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::write || !done) return;
        at = where;
        then(where);
        peer.vfs.set_hook(nullptr);
        throw Death();
    });
    CHECK_THROWS_AS(peer.put("died", k_long, durability), Death);
    REQUIRE(at != 0);
    REQUIRE(peer.core->processes().load(Word::writing) == 1);
}

/// A transaction larger than memory, whose operations go into the log in parts.
void put_many(Peer& peer, const std::string& prefix) {
    Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
    for (int i = 0; i < 3000; ++i) tx.tree("t").put(prefix + std::to_string(i), std::string(200, 'v'));
    tx.commit();
}

bool sound(const Peer& peer) {
    const VerifyReport report = peer.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

}  // namespace

TEST_CASE("A full commit whose writer died is taken over, and shown when it is durable", "[DUR-5][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    die_behind_the_record(writer, Durability::full, [](std::uint64_t) {});
    CHECK(heir.db.begin_read().txn() == 1);
    {
        Transaction tx = heir.db.begin_write();
        CHECK(tx.base_txn() == 2);
        CHECK(heir.db.begin_read().txn() == 1);
    }
    heir.db.sync();
    CHECK(heir.db.begin_read().tree("t").contains("died"));
    CHECK(heir.put("b", 100, Durability::full) == 3);
    CHECK(sound(heir));
}

TEST_CASE("A lazy commit whose writer died is shown as soon as the next writer begins", "[SNAP-4][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    Peer reader(place / "a.db");
    writer.put("a", 100, Durability::full);
    die_behind_the_record(writer, Durability::lazy, [](std::uint64_t) {});
    CHECK(reader.db.begin_read().txn() == 1);
    Transaction tx = heir.db.begin_write();
    CHECK(tx.base_txn() == 2);
    CHECK(reader.db.begin_read().txn() == 2);
    CHECK(reader.db.begin_read().tree("t").contains("died"));
}

TEST_CASE("What was durable in the log of a dead writer and is gone is damage to who takes it over",
          "[DMG-4][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    die_behind_the_record(writer, Durability::full, [&](std::uint64_t where) {
        // Its record has rotted, and one behind it says that it was durable.
        const std::vector<std::byte> zeros(64);
        file->write(where, zeros);
        constexpr std::uint64_t k_behind = 16'384;
        detail::RecordFields fields;
        fields.position = writer.core->log().end() + k_behind;
        fields.epoch = writer.core->processes().load(Word::epoch);
        fields.txn = 2;
        fields.durable = fields.position;
        std::vector<std::byte> mark(detail::control_record_size(detail::RecordKind::mark, 0, false, 0));
        detail::encode_control_record(mark, detail::RecordKind::mark, fields, {}, 0, writer.core->log().seed());
        file->write(where + k_behind, mark);
    });
    for (int i = 0; i < 2; ++i) {
        CHECK(code_of([&] { const Transaction tx = heir.db.begin_write(); }) == Errc::corrupt);
        CHECK(heir.db.begin_read().txn() == 1);
    }
}

TEST_CASE("Half a record of a dead writer is fenced off by a new epoch", "[DUR-11][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    die_behind_the_record(writer, Durability::full, [&](std::uint64_t where) {
        const std::vector<std::byte> zeros(k_long / 2);
        file->write(where + k_long / 2, zeros);
    });
    const std::uint64_t epoch = heir.core->processes().load(Word::epoch);
    { Transaction tx = heir.db.begin_write(); }
    CHECK(heir.core->processes().load(Word::epoch) > epoch);
    CHECK(heir.put("b", 100, Durability::full) == 2);
    CHECK_FALSE(heir.db.begin_read().tree("t").contains("died"));
    CHECK(sound(heir));
}

TEST_CASE("The epoch behind a dead writer is a later one than any that lies behind the end", "[DUR-11][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    detail::RecordFields fields;
    die_behind_the_record(writer, Durability::full, [&](std::uint64_t where) {
        const std::vector<std::byte> zeros(64);
        file->write(where, zeros);
        // What somebody wrote there once and dropped.
        constexpr std::uint64_t k_behind = 16'384;
        fields.position = writer.core->log().end() + k_behind;
        fields.epoch = writer.core->processes().load(Word::epoch) + (std::uint64_t{3} << 32);
        fields.txn = 1;
        std::vector<std::byte> mark(detail::control_record_size(detail::RecordKind::mark, 0, false, 0));
        detail::encode_control_record(mark, detail::RecordKind::mark, fields, {}, 0, writer.core->log().seed());
        file->write(where + k_behind, mark);
    });
    CHECK(heir.put("b", 100, Durability::full) == 2);
    CHECK(heir.core->processes().load(Word::epoch) > fields.epoch);
}

// The record of the new epoch names the newest txn, which is that of a record nobody had known of.
TEST_CASE("What is written behind a whole record of a dead writer and half a one is found by a recovery",
          "[DUR-11][SWARM-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    die_behind_the_record(writer, Durability::full, [&](std::uint64_t where) {
        const std::vector<std::byte> half(64, std::byte{0x5a});
        file->write(where + k_long + 4096, half);
    });
    const std::uint64_t epoch = heir.core->processes().load(Word::epoch);
    CHECK(heir.put("b", 100, Durability::full) == 3);
    CHECK(heir.core->processes().load(Word::epoch) > epoch);
    txn_test::write_file(place / "b.db", txn_test::read_file(place / "a.db"));
    const Peer recovered(place / "b.db");
    CHECK(recovered.db.begin_read().txn() == 3);
    CHECK(recovered.db.begin_read().tree("t").contains("died"));
    CHECK(recovered.db.begin_read().tree("t").contains("b"));
}

TEST_CASE("Parts of a transaction whose writer died do not come with the next one", "[TX-8][SWARM-2]") {
    const Workplace place;
    Options small = quiet();
    small.overlay_limit = 64u << 10;
    Peer follower(place / "a.db");
    Peer writer(place / "a.db", small);
    Peer heir(place / "a.db", small);
    writer.put("a", 100, Durability::full);
    CHECK(follower.db.begin_read().txn() == 1);
    int written = 0;
    writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::write || !done || writer.core->processes().load(Word::writing) == 0) return;
        if (++written == 10) throw Death();
    });
    CHECK_THROWS_AS(put_many(writer, "died"), Death);
    writer.vfs.set_hook(nullptr);
    // Follows the log up to the next one before the checkpoint behind that is made.
    bool followed = false;
    heir.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::write || done || heir.core->processes().load(Word::visible_txn) != 2) return;
        if (std::exchange(followed, true)) return;
        const Snapshot now = follower.db.begin_read();
        CHECK(now.txn() == 2);
        CHECK(now.tree("t").size() == 3001);
        CHECK_FALSE(now.tree("t").contains("died0"));
    });
    put_many(heir, "lives");
    heir.vfs.set_hook(nullptr);
    CHECK(followed);
    CHECK(sound(follower));
    CHECK(sound(heir));
}

TEST_CASE("A log extent that a dead writer announced is left alone by the checkpoint of another process",
          "[SPACE-2][SWARM-2]") {
    const Workplace place;
    Peer heir(place / "a.db");
    Peer writer(place / "a.db");
    for (int i = 0; i < 12; ++i) heir.put("h" + std::to_string(i), k_long, Durability::full);
    writer.put("w", 100, Durability::full);
    CHECK(heir.db.begin_read().tree("t").contains("w"));
    // Dies with the first record in a new extent: none of that is visible, and the next one who writes adopts it.
    const detail::ExtentDirectory before = writer.core->log().extents();
    writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::write || !done || writer.core->processes().load(Word::writing) == 0) return;
        if (writer.core->log().extents().size() > before.size()) throw Death();
    });
    const auto write_until_death = [&] {
        for (int i = 0; i < 100; ++i) writer.put("w" + std::to_string(i), k_long);
    };
    CHECK_THROWS_AS(write_until_death(), Death);
    REQUIRE(writer.core->log().extents().size() > before.size());
    heir.db.checkpoint();
    heir.put("b", 100, Durability::full);
    CHECK(heir.db.begin_read().tree("t").contains("h11"));
    CHECK(sound(heir));
}

TEST_CASE("The tail of the log is written again behind a process that died in its flush", "[DUR-7][SWARM-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    peer.put("b", k_long);
    // What it was told of its flush died with it: the pages may count as clean and not be on the disk.
    peer.core->processes().store(Word::flushing, 1);
    int written = 0;
    int flushed = 0;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::write && !done) ++written;
        if (call == FileCall::sync && !done) ++flushed;
    });
    peer.db.sync();
    peer.vfs.set_hook(nullptr);
    CHECK(written == 1);
    CHECK(flushed == 1);
    CHECK(peer.core->processes().load(Word::flushing) == 0);
}

TEST_CASE("A log that changed under the flush of a process that died is unknown, and nothing more is written",
          "[DUR-7][DUR-4][DMG-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    const std::uint64_t at = peer.core->log().file_offset(peer.core->log().end());
    peer.put("b", k_long);
    peer.core->processes().store(Word::flushing, 1);
    const std::byte other{0xff};
    peer.core->file().write(at + k_long / 2, {&other, 1});
    CHECK(code_of([&] { peer.db.sync(); }) == Errc::outcome_unknown);
    CHECK(peer.core->poisoned());
    CHECK(code_of([&] { peer.put("c"); }) == Errc::poisoned);
}

TEST_CASE("A checkpoint whose pages a dead process was flushing is not completed", "[DUR-7][CKPT-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    peer.put("a", 100, Durability::full);
    const std::uint64_t before = peer.core->newest_meta().generation;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::write || !done || where <= 4096) return;
        other.core->processes().store(Word::flushing, 1);
    });
    CHECK(code_of([&] { peer.db.checkpoint(); }) == Errc::io);
    peer.vfs.set_hook(nullptr);
    CHECK(peer.core->processes().load(Word::generation) == before);
    peer.db.checkpoint();
    CHECK(peer.core->newest_meta().generation == before + 1);
    CHECK(sound(peer));
}

TEST_CASE("A meta page whose writer died is on the disk before anybody relies on it", "[DUR-7][SWARM-2][SPACE-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer heir(place / "a.db");
    writer.put("a", 100, Durability::full);
    CHECK(heir.db.begin_read().txn() == 1);
    writer.db.checkpoint();
    const std::uint64_t made = writer.core->newest_meta().generation;
    // Written and, as far as anybody alive knows, never flushed nor announced.
    heir.core->processes().store(Word::generation, made - 1);
    std::string calls;
    std::string until_known;
    heir.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (heir.core->processes().load(Word::generation) == made && until_known.empty()) until_known = calls;
        if (!done) return;
        if (call == FileCall::write) calls += where == (made & 1) * 4096 ? 'm' : 'w';
        if (call == FileCall::sync) calls += 's';
    });
    heir.put("b", 100, Durability::full);
    heir.db.checkpoint();
    heir.vfs.set_hook(nullptr);
    CHECK(until_known.find("ms") != std::string::npos);
    CHECK(heir.core->newest_meta().generation == made + 1);
    CHECK(sound(heir));
}

TEST_CASE("Lazy commits of a process that died are flushed by one that lives", "[DUR-2][SWARM-2]") {
    const Workplace place;
    Options options;
    options.lazy_flush_ms = 5;
    Peer living(place / "a.db", options);
    Peer dead(place / "a.db");  // without a thread of its own it flushes nothing by itself
    const Txn txn = dead.put("a");
    const std::uint64_t began = detail::posix_vfs().monotonic_us();
    const auto durable = [&] { return living.core->processes().load(Word::durable_txn); };
    while (durable() < txn && detail::posix_vfs().monotonic_us() - began < 30'000'000) std::this_thread::yield();
    CHECK(durable() == txn);
}

TEST_CASE("A process that catches up in the middle of a flush shows what is durable", "[DUR-5][SNAP-4]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer other(place / "a.db");
    CHECK(other.db.begin_read().txn() == 0);
    writer.put("a", 100, Durability::full);
    bool looked = false;
    writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || done || std::exchange(looked, true)) return;
        // A writer stands on the second commit, which nobody else may see yet; the first one everybody must.
        Transaction tx = other.db.begin_write();
        CHECK(tx.base_txn() == 2);
        CHECK(other.db.begin_read().txn() == 1);
    });
    writer.put("b", 100, Durability::full);
    writer.vfs.set_hook(nullptr);
    CHECK(looked);
    CHECK(other.db.begin_read().txn() == 2);
}

TEST_CASE("Who only reads replays nothing that nobody may see yet", "[REPLAY-1][SNAP-3]") {
    const Workplace place;
    Peer writer(place / "a.db");
    Peer other(place / "a.db");
    writer.put("a", 100, Durability::full);
    bool looked = false;
    writer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || done || std::exchange(looked, true)) return;
        CHECK(other.db.begin_read().txn() == 1);
        CHECK(other.db.statistics().replayed_txns == 1);
    });
    writer.put("b", 100, Durability::full);
    writer.vfs.set_hook(nullptr);
    CHECK(looked);
    CHECK(other.db.begin_read().txn() == 2);
    CHECK(other.db.statistics().replayed_txns == 2);
}

TEST_CASE("What is written while a flush is under way is not covered by it", "[DUR-1][CORE-2]") {
    const Workplace place;
    Peer flushing(place / "a.db");
    Peer other(place / "a.db");
    flushing.put("a");
    bool written = false;
    flushing.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || !done || std::exchange(written, true)) return;
        other.put("late");  // when the device has done its work, and before anybody is told
    });
    flushing.db.sync();
    flushing.vfs.set_hook(nullptr);
    REQUIRE(written);
    CHECK(flushing.core->processes().load(Word::durable_txn) == 1);
    flushing.db.sync();
    CHECK(flushing.core->processes().load(Word::durable_txn) == 2);
}

TEST_CASE("Who waits for the flush of another process makes none of its own for what that one covered",
          "[DUR-1][CORE-2]") {
    const Workplace place;
    Peer flushing(place / "a.db");
    Peer other(place / "a.db");
    const Txn txn = other.put("a");
    int flushes = 0;
    std::atomic<bool> waits{false};
    other.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call == FileCall::sync && done) ++flushes;
        if (call == FileCall::lock && where == Processes::flush && done) waits = true;
    });
    std::thread waiting;
    flushing.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || done || waiting.joinable()) return;
        waiting = std::thread([&] { other.db.sync(); });
        while (!waits) std::this_thread::yield();
    });
    flushing.db.sync();
    REQUIRE(waiting.joinable());
    waiting.join();
    flushing.vfs.set_hook(nullptr);
    CHECK(other.core->processes().load(Word::durable_txn) == txn);
    CHECK(flushes == 0);
}

TEST_CASE("Room that another process cut off the file is reserved again", "[DUR-9][SPACE-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    peer.put("a", 100, Durability::full);
    other.put("b", 100, Durability::full);
    for (int i = 0; i < 4; ++i) {
        other.put("c", 100, Durability::full);
        other.db.checkpoint();
    }
    other.db.compact();  // the file has nothing to spare any more
    peer.vfs.set_hook([](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::allocate && !done) throw Error(Errc::no_space, "the test has no room left on this disk");
    });
    CHECK(code_of([&] { peer.put("d", 100, Durability::full); }) == Errc::no_space);
    peer.vfs.set_hook(nullptr);
    peer.put("d", 100, Durability::full);
    CHECK(sound(peer));
}

TEST_CASE("Room that the log of another process has taken is not promised again", "[DUR-9][SPACE-3][RESERVE-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    // One key on each leaf is changed by little log and many pages.
    const auto change = [&](std::size_t size, int step) {
        Transaction tx = peer.db.begin_write();
        for (int i = 0; i < 4000; i += step) tx.tree("wide").put(std::to_string(10'000 + i), std::string(size, 'v'));
        tx.commit();
    };
    change(400, 1);
    // The file gets many free pages, and the first process knows of them.
    for (const char* const key : {"large", "behind"}) {
        peer.put(key, 4u << 20, Durability::full);
        peer.db.checkpoint();
    }
    for (int i = 0; i < 4; ++i) {
        peer.put("large", 100, Durability::full);
        peer.db.checkpoint();
    }
    peer.put("small", 100, Durability::full);
    const Statistics before = peer.db.statistics();
    REQUIRE(before.free_pages > 1000);
    const std::uint64_t end = (before.used_pages + before.free_pages + before.held_pages) * before.page_size;
    const auto full = [end](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::allocate || where < end || done) return;
        throw Error(Errc::no_space, "the test has no room left on this disk");
    };
    peer.vfs.set_hook(full);
    other.vfs.set_hook(full);
    while (other.db.statistics().free_pages > 200) other.put("log", 30'000);
    CHECK(code_of([&] { change(1, 10); }) == Errc::no_space);
    CHECK(code_of([&] { peer.db.checkpoint(); }) == std::nullopt);
    peer.vfs.set_hook(nullptr);
    other.vfs.set_hook(nullptr);
    change(1, 10);
    CHECK(sound(peer));
}

TEST_CASE("Pages of a large transaction whose checkpoint failed are given to nobody else", "[TX-8][SPACE-1][DUR-9]") {
    const Workplace place;
    Options small = quiet();
    small.overlay_limit = 64u << 10;
    Peer peer(place / "a.db", small);
    peer.put("a", 100, Durability::full);
    bool failed = false;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::write || done || peer.core->processes().load(Word::built_txn) < 2) return;
        failed = true;
        throw Error(Errc::no_space, "the test has no room left on this disk");
    });
    static_cast<void>(code_of([&] { put_many(peer, "many"); }));
    peer.vfs.set_hook(nullptr);
    REQUIRE(failed);
    REQUIRE(peer.db.begin_read().txn() == 2);
    for (int i = 0; i < 20; ++i) peer.put("other " + std::to_string(i), k_long);
    peer.db.checkpoint();
    CHECK(sound(peer));
    const Snapshot now = peer.db.begin_read();
    CHECK(now.tree("t").size() == 3021);
    for (int i = 0; i < 3000; ++i) REQUIRE(now.tree("t").get("many" + std::to_string(i)) == std::string(200, 'v'));
}
