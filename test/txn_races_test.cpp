// txn_races_test.cpp -- what other threads and processes do between two steps of a protocol. A second handle on the
// same file, opened with a Vfs of its own, acts as another process: locks belong to the open file.
#include "peer.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace {

using namespace northstar;
using detail::Processes;
using detail::Word;
using test::FileCall;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

Options without_history() {
    Options options = quiet();
    options.history = History::nothing();
    return options;
}

/// Turns the log over: what lay behind the base is released, free, and used for something else.
void turn_over(Peer& peer, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        for (int k = 0; k < 12; ++k) peer.put("turn " + std::to_string(k), 30'000);
        peer.db.checkpoint();
    }
}

}  // namespace

// A flush lock is a lock of the file, and the file belongs to the whole process. A thread that flushed for a checkpoint
// released the lock of another one that was flushing for a commit: another process could then flush, and checkpoint, in
// the middle of it, and took the word `flushing` for that of a dead process.
TEST_CASE("Two threads of a process never flush at the same time", "[CORE-5][DUR-7]") {
    const Workplace place;
    Peer peer(place / "flush.db");
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(place / "flush.db", {}, created);
    std::atomic<int> inside{0};
    std::atomic<int> together{0};
    std::atomic<int> unlocked{0};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync) return;
        if (done) {
            // The lock must still be there at the end.
            if (other->locked_by_others(Processes::flush, Processes::flush).empty()) ++unlocked;
            --inside;
            return;
        }
        if (inside.fetch_add(1) != 0) ++together;
        for (int i = 0; i < 5; ++i) std::this_thread::yield();
    });
    std::thread committing([&] {
        for (int i = 0; i < 40; ++i) peer.put("a" + std::to_string(i), 100, Durability::full);
    });
    std::thread checkpointing([&] {
        for (int i = 0; i < 20; ++i) {
            peer.put("b" + std::to_string(i));
            peer.db.checkpoint();
        }
    });
    committing.join();
    checkpointing.join();
    peer.vfs.set_hook(nullptr);
    CHECK(together == 0);
    CHECK(unlocked == 0);
}

// A process that catches up read the log in place, in the map of the file. Between its look at the meta page and its
// reading others may make several checkpoints, so that the extents it is about to read are free, used for pages, or
// cut off: what it then found was called damage after the second time, and bytes that changed after they had been
// verified were applied.
TEST_CASE("A process that is overtaken while it catches up starts over", "[REPLAY-1][SWARM-1]") {
    const Workplace place;
    Peer fast(place / "overtaken.db", without_history());
    fast.put("first");
    Peer slow(place / "overtaken.db", without_history());
    int overtakings = 0;
    // Each time it has read a meta page, twice: to find it, and to see that it is still there.
    int reads = 0;
    slow.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::read || !done || where > 4096 || overtakings == 4) return;
        if (++reads % 2 != 0) return;
        ++overtakings;
        turn_over(fast, 6);
        fast.put("overtaking", 40'000);
    });
    turn_over(fast, 2);
    fast.put("last");
    CHECK(slow.db.begin_read().tree("t").get("last").has_value());
    CHECK(overtakings > 0);
    slow.vfs.set_hook(nullptr);
    slow.put("after");
    CHECK(fast.db.begin_read().tree("t").contains("after"));
    const VerifyReport report = slow.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

TEST_CASE("A process that is overtaken while it reads the log starts over", "[REPLAY-1][SWARM-1]") {
    const Workplace place;
    Peer fast(place / "overtaken.db", without_history());
    fast.put("first");
    Peer slow(place / "overtaken.db", without_history());
    for (int i = 0; i < 20; ++i) fast.put("behind " + std::to_string(i), 30'000);
    int overtakings = 0;
    slow.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::read || done || where <= 4096 || overtakings == 3) return;
        ++overtakings;
        turn_over(fast, 6);
    });
    CHECK(slow.db.begin_read().tree("t").get("behind 19").has_value());
    CHECK(overtakings == 3);
    slow.vfs.set_hook(nullptr);
    slow.put("after");
    const VerifyReport report = slow.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

TEST_CASE("A read that fails is reported, whether or not others have made a checkpoint meanwhile", "[ERR-5]") {
    const Workplace place;
    Peer fast(place / "a.db");
    fast.put("first");
    Peer slow(place / "a.db");
    fast.put("last");
    for (const bool checkpoint : {false, true}) {
        CAPTURE(checkpoint);
        fast.put("last");
        slow.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::read || done || where <= 4096) return;
            slow.vfs.set_hook(nullptr);
            if (checkpoint) fast.db.checkpoint();
            throw Error(Errc::io, "the disk of this test cannot be read");
        });
        CHECK(txn_test::code_of([&] { static_cast<void>(slow.db.begin_read()); }) == Errc::io);
        CHECK(slow.db.begin_read().tree("t").contains("last"));
    }
}

TEST_CASE("Damage that is met while others make a checkpoint is that of a log that is over", "[REPLAY-1][DMG-1]") {
    const Workplace place;
    Peer fast(place / "a.db");
    fast.put("first");
    Peer slow(place / "a.db");
    for (const Errc code : {Errc::corrupt, Errc::truncated, Errc::no_memory}) {
        for (const bool checkpoint : {false, true}) {
            CAPTURE(static_cast<int>(code), checkpoint);
            const Txn newest = fast.put("last");
            bool met = false;
            slow.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
                if (call != FileCall::read || done || where <= 4096 || std::exchange(met, true)) return;
                if (checkpoint) fast.db.checkpoint();
                detail::fail(code, "what this test reads of the log is not there");
            });
            const std::optional<Errc> told = txn_test::code_of([&] { static_cast<void>(slow.db.begin_read()); });
            slow.vfs.set_hook(nullptr);
            CHECK(met);
            const bool is_over = checkpoint && code != Errc::no_memory;
            CHECK(told == (is_over ? std::nullopt : std::optional(code)));
            CHECK(slow.db.begin_read().txn() == newest);
        }
    }
}

// A writer took back the word `writing` when its record was in the log and before the words said where the log ends.
// Killed in between it left a whole record that the next writer wrote over without fencing it off; an extent that
// the record announced was known to those who had read it and unknown to the others, who then announced another one
// at the same position.
TEST_CASE("Whenever a record lies behind the end of the log, the word says that somebody writes", "[CORE-6][DUR-11]") {
    const Workplace place;
    Peer peer(place / "window.db");
    Peer watcher(place / "window.db");
    std::atomic<bool> over{false};
    std::atomic<int> unnoticed{0};
    std::thread watching([&] {
        Processes& words = watcher.core->processes();
        while (!over) {
            const std::uint64_t end = words.load(Word::log_position);
            if (!watcher.core->log().peek(end)) continue;
            // A writer that is done has moved the end before it takes the word back.
            if (words.load(Word::writing) == 0 && words.load(Word::log_position) == end) ++unnoticed;
        }
    });
    for (int i = 0; i < 20'000; ++i) peer.put("k", 20);
    over = true;
    watching.join();
    CHECK(unnoticed == 0);
}

// When a process moved to a newer meta page it forgot every log extent announced since, until it had read the log
// again; whoever read the log meanwhile in another thread was told that it is damaged.
TEST_CASE("Extents announced behind a generation stay known when it is adopted", "[STORE-1]") {
    const Workplace place;
    Peer peer(place / "extents.db");
    for (int i = 0; i < 10; ++i) peer.put("k" + std::to_string(i), 30'000);
    detail::LogStore& log = peer.core->log();
    const detail::ExtentDirectory all = log.extents();
    const std::map<std::uint64_t, std::uint64_t> births = log.births();
    REQUIRE(all.size() > 2);
    detail::ExtentDirectory first(all.page_size());
    first.add(all[0]);
    log.set_extents(first, {{all[0].logical, 1}});
    CHECK(log.extents() == all);
    CHECK(log.births() == births);
}

// A writer that had carved a log extent and then failed to read the size of the file gave its pages back, but went on
// knowing the extent (crash suite, seed 314): the next record that did not fit moved into it without an announcement,
// on pages that were free. Who replayed the log met a record that goes on nowhere.
TEST_CASE("A log extent whose carving failed is not written into", "[STORE-1][DUR-9]") {
    const Workplace place;
    Peer writer(place / "carving.db");
    writer.put("first");
    bool carving = false;
    bool failed = false;
    writer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call == FileCall::lock && where == Processes::checkpoint && done) carving = true;
        if ((call != FileCall::size && call != FileCall::allocate) || !carving || std::exchange(failed, true)) return;
        throw Error(Errc::io, "the file cannot be made to grow");
    });
    std::optional<Errc> code;
    for (int i = 0; i < 10 && !failed; ++i) {
        code = txn_test::code_of([&] { writer.put("k" + std::to_string(i), 30'000); });
    }
    REQUIRE(code == Errc::io);
    writer.vfs.set_hook(nullptr);
    for (int i = 0; i < 10; ++i) writer.put("l" + std::to_string(i), 30'000);
    Peer reader(place / "carving.db");
    CHECK(reader.db.begin_read().tree("t").contains("l9"));
    const VerifyReport report = reader.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

// A process learned of an extent, then failed to read the size of the file: the extent was known from then on, and the
// limit up to which pages may be read never raised. Everything that read the log in place there was told that it is
// damaged, until the process ended.
TEST_CASE("An extent that could not be looked at when it was announced is no damage later", "[ERR-5]") {
    const Workplace place;
    Peer writer(place / "size.db");
    writer.put("first");
    Peer reader(place / "size.db");
    for (int i = 0; i < 10; ++i) writer.put("k" + std::to_string(i), 30'000, Durability::full);
    bool failed = false;
    reader.vfs.set_hook([&](FileCall call, std::uint64_t, bool) {
        if (call != FileCall::size || std::exchange(failed, true)) return;
        throw Error(Errc::io, "the size cannot be read");
    });
    CHECK(txn_test::code_of([&] { static_cast<void>(reader.db.begin_read()); }) == Errc::io);
    reader.vfs.set_hook(nullptr);
    CHECK(reader.db.begin_read().txn() == 11);
    Txn last = 0;
    for (const CommitRecord& record : reader.db.commits(1)) last = record.txn;
    CHECK(last == 11);
}

// A commit whose record was in the log reported whatever went wrong when its flush was asked for, "io" for instance,
// which promises that nothing changed.
TEST_CASE("A commit that fails behind its record has an unknown outcome", "[DUR-4]") {
    const Workplace place;
    Peer peer(place / "unknown.db");
    peer.put("a");
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call == FileCall::lock && where == Processes::flush && !done) {
            throw Error(Errc::io, "the lock cannot be taken");
        }
    });
    CHECK(txn_test::code_of([&] { peer.put("b", 100, Durability::full); }) == Errc::outcome_unknown);
    peer.vfs.set_hook(nullptr);
    peer.put("c", 100, Durability::full);
    CHECK(peer.db.begin_read().txn() == 3);
}

// A checkpoint whose rebase found that the process stood on a newer generation already kept the pin of its own one: the
// pages of that generation were never used again while the process lived.
TEST_CASE("A checkpoint that others overtake leaves no pin behind", "[SNAP-7][SPACE-2]") {
    const Workplace place;
    Peer peer(place / "pins.db");
    Peer other(place / "pins.db");
    peer.put("a");
    bool overtaken = false;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool) {
        if (call != FileCall::unlock || where != Processes::checkpoint || overtaken) return;
        overtaken = true;  // the checkpoint is made, its rebase comes next
        other.put("b");
        other.db.checkpoint();
        CHECK(peer.db.begin_read().txn() == 2);  // stands on the newer base
    });
    peer.db.checkpoint();
    REQUIRE(overtaken);
    peer.vfs.set_hook(nullptr);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "pins.db", {}, created);
    other.core->close();
    for (int i = 0; i < 3; ++i) {
        peer.put("d" + std::to_string(i));
        peer.db.checkpoint();
    }
    const std::uint64_t newest = peer.core->newest_meta().generation;
    CHECK(file->locked_by_others(Processes::first_pin, Processes::first_pin + newest) ==
          std::vector<std::uint64_t>{Processes::first_pin + newest});
    CHECK(peer.db.verify().ok());
}

// A process that stands on the root of a newer meta page may have newer roots that wait for their flush: the older one
// took the place of the newer one when both became visible, and a snapshot showed less than one before it.
TEST_CASE("The visible root never goes back to an older txn", "[ROOT-3][SNAP-4]") {
    detail::FrameArena arena(4096);
    detail::ViewTable views;
    detail::RootSet roots(arena, views);
    const auto make = [&](Txn txn) {
        detail::Root* root = roots.prepare();
        root->txn.store(txn);
        return root;
    };
    roots.install(make(10));
    roots.install(make(11));
    roots.install(make(12));
    roots.install_base(make(11));
    roots.advance(12);
    CHECK(roots.visible()->txn.load() == 12);
    roots.install(make(12));
    roots.install(make(13));
    roots.advance(13);
    CHECK(roots.visible()->txn.load() == 13);
    // Every root but those in use is used again, each once.
    roots.reclaim();
    std::vector<detail::Root*> again;
    for (int i = 0; i < 8; ++i) again.push_back(roots.prepare());
    std::sort(again.begin(), again.end());
    CHECK(std::adjacent_find(again.begin(), again.end()) == again.end());
    CHECK(std::find(again.begin(), again.end(), roots.visible()) == again.end());
}

// A thread that caught up with txn n found its process at n + 1 already, by the replay of another thread in one root,
// and showed what was there before both.
TEST_CASE("Snapshots opened at once behind others show all that was acknowledged before", "[SNAP-4]") {
    const Workplace place;
    Peer writer(place / "acknowledged.db", without_history());
    writer.put("first");
    Peer reader(place / "acknowledged.db", without_history());
    std::atomic<Txn> acknowledged{0};
    std::atomic<bool> done{false};
    std::atomic<int> stale{0}, opened{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 8; ++i) {
        readers.emplace_back([&] {
            while (!done) {
                const Txn least = acknowledged.load();
                if (reader.db.begin_read().txn() < least) ++stale;
                ++opened;
            }
        });
    }
    for (int i = 0; i < 20'000; ++i) acknowledged = writer.put("key", 100, Durability::lazy);
    done = true;
    for (std::thread& thread : readers) thread.join();
    INFO(opened << " snapshots");
    CHECK(stale == 0);
}

// Between a look at the visible root and the slot that holds it a commit may free what only that root reaches.
TEST_CASE("A snapshot whose root was replaced before it was registered takes the newer one", "[VIEW-1][SNAP-1]") {
    const Workplace place;
    Peer peer(place / "late.db");
    peer.put("a");
    detail::RootSet& roots = peer.core->roots();
    const detail::Root* const seen = roots.visible();
    peer.put("b");
    REQUIRE(roots.visible() != seen);
    detail::ReadView* view = peer.core->pin_root(seen, roots.visible_word());
    CHECK(view->root == roots.visible());
    CHECK(view->number.load() == roots.visible()->number.load());
    detail::DatabaseCore::close_view(view);
}

// What a rebase replaces is freed without the writer's turn; an old snapshot still reads some of it.
TEST_CASE("A rebase frees what it replaced, except what a snapshot reaches", "[FRAME-2]") {
    detail::FrameArena arena(4096);
    detail::ViewTable views;
    detail::RootSet roots(arena, views);
    const auto install = [&](Txn txn) {
        detail::Root* root = roots.prepare();
        root->txn.store(txn);
        const std::uint64_t number = root->number.load();
        roots.install(root);
        roots.advance(txn);
        return number;
    };
    const std::uint64_t old = install(1);
    const std::uint64_t young = install(2);
    const std::uint64_t rebased = install(3);
    detail::ReadView* view = views.claim(young);
    const auto replaced = [&](std::uint64_t birth, std::uint64_t death) {
        detail::Frame* frame = arena.take(1);
        *frame = detail::Frame{};
        frame->bytes = 4096;
        frame->birth = birth;
        frame->death = death;
        return frame;
    };
    const std::vector<detail::Frame*> frames = {replaced(old, young), replaced(old, rebased), replaced(young, rebased),
                                                replaced(rebased, rebased)};
    roots.reclaim_replaced(frames);
    CHECK(arena.bytes_in_use() == 2 * 4096);
    CHECK(roots.buried_bytes() == 2 * 4096);
    CHECK_FALSE(roots.reclaim());
    CHECK(arena.bytes_in_use() == 2 * 4096);
    detail::ViewTable::release(view);
    CHECK_FALSE(roots.reclaim());
    CHECK(arena.bytes_in_use() == 0);
    CHECK(roots.buried_bytes() == 0);
}

// The last one to close wrote into the meta page where the log ended at that moment, which could lie behind a commit
// that another thread had made since the checkpoint's root was chosen: acknowledged, durable, and skipped at the next
// open.
TEST_CASE("A commit beside a close is there afterwards", "[DUR-1]") {
    const Workplace place;
    std::optional<Txn> committed;
    {
        Peer peer(place / "close.db");
        peer.put("a");
        bool carving = false;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call == FileCall::lock && where == Processes::checkpoint && done) carving = true;
            if (call != FileCall::read || !carving || committed) return;
            committed = 0;
            try {
                Transaction tx = peer.db.begin_write();
                tx.tree("t").put("b", "acknowledged");
                committed = tx.commit().txn;
            } catch (const Error& error) {
                CHECK(error.code() == Errc::misuse);
            }
        });
        peer.core->close();
        peer.vfs.set_hook(nullptr);
    }
    REQUIRE(committed.has_value());
    Peer again(place / "close.db");
    CHECK(again.db.begin_read().tree("t").contains("b") == (*committed != 0));
    CHECK(again.db.begin_read().txn() == (*committed != 0 ? 2u : 1u));
}

// The slot of a snapshot that a handle was closed under went to the next handle with what it said of the past: a
// snapshot of the present there showed the past of the other database.
TEST_CASE("Nothing of a closed handle's snapshots shows in another handle", "[SNAP-6][VIEW-2]") {
    const Workplace place;
    std::optional<Peer> first(place / "slots.db");
    first->put("a", 10);
    first->put("a", 20);
    const Snapshot past = first->db.begin_read(AsOf::txn(1));
    Transaction open = first->db.begin_optimistic();
    CHECK(past.txn() == 1);
    first->db.close();
    Peer second(place / "slots.db");
    std::vector<Snapshot> snapshots;
    for (int i = 0; i < 4; ++i) snapshots.push_back(second.db.begin_read());
    for (const Snapshot& now : snapshots) {
        CHECK(now.txn() == 2);
        CHECK(now.tree("t").get("a").value_or("").size() == 20);
    }
    CHECK(txn_test::code_of([&] { static_cast<void>(past.tree("t").get("a")); }) == Errc::snapshot_closed);
}

// An AS OF snapshot held the generation of its root; its history was read from segments of the newest generation, which
// a checkpoint had made a moment before. When a later checkpoint merged those, their pages were used again under it.
// Both are of one generation now.
TEST_CASE("A snapshot of the past keeps the generation that its history is read from", "[SPACE-2][SNAP-1]") {
    const Workplace place;
    Peer peer(place / "segments.db");
    peer.put("a", 10);
    std::optional<Snapshot> past;
    std::uint64_t made = 0;
    peer.put("a", 20);
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool) {
        if (call != FileCall::unlock || where != Processes::checkpoint || past) return;
        made = peer.core->newest_meta().generation;  // the rebase onto the next one is still to come
        past.emplace(peer.db.begin_read(AsOf::txn(1)));
    });
    peer.db.checkpoint();
    peer.vfs.set_hook(nullptr);
    REQUIRE(past.has_value());
    for (int i = 0; i < 3; ++i) {
        peer.put("b");
        peer.db.checkpoint();
    }
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "segments.db", {}, created);
    const std::uint64_t pin = Processes::first_pin + made;
    CHECK_FALSE(file->locked_by_others(pin, pin).empty());
    CHECK(past->tree("t").get("a").value_or("").size() == 10);
    past.reset();
    peer.put("c");
    peer.db.checkpoint();
    CHECK(file->locked_by_others(pin, pin).empty());
}

// A process that had computed the chain up to a txn went on from there; another one had let the log go on in a new
// extent behind that same txn, and released the old one: the next checkpoint said that the log is damaged (crash suite,
// seed 142).
TEST_CASE("The chain goes on where another process compacted the log", "[CHAIN-1][SPACE-4]") {
    const Workplace place;
    Peer first(place / "chain.db", without_history());
    for (int i = 0; i < 6; ++i) first.put("k" + std::to_string(i), 30'000, Durability::full);
    Peer second(place / "chain.db", without_history());
    static_cast<void>(second.core->chain_hash(6));
    first.db.compact();
    second.put("after", 100, Durability::full);
    second.db.checkpoint();
    CHECK(first.db.begin_read().txn() == 7);
    CHECK(first.core->chain_hash(7) == second.core->chain_hash(7));
}

// A process with less memory than the writer before it places pages early while it catches up, and keeps the write lock
// until a checkpoint names them: also where its own transaction then comes to nothing.
TEST_CASE("Who replayed more than its memory holds keeps the write lock no longer than its transaction",
          "[EARLY-3][TX-8]") {
    const Workplace place;
    Peer rich(place / "a.db");
    Options small = quiet();
    small.overlay_limit = 256u << 10;
    Peer poor(place / "a.db", small);
    rich.put("long", 300, Durability::full);
    {
        Transaction tx = rich.db.begin_write();
        for (int i = 0; i < 4000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(200, 'v'));
        tx.commit();
    }
    SECTION("nothing written") { poor.db.begin_write().commit(); }
    SECTION("rolled back") { poor.db.begin_write().rollback(); }
    SECTION("a conflict") {
        Transaction tx = poor.db.begin_optimistic();
        CHECK(tx.tree("t").contains("long"));
        {
            Transaction other = rich.db.begin_write();
            other.tree("t").put("long", "x");
            for (int i = 0; i < 4000; ++i) other.tree("t").put("key" + std::to_string(i), std::string(200, 'w'));
            other.commit();
        }
        tx.tree("t").put("mine", "y");
        CHECK(txn_test::code_of([&] { tx.commit(); }) == Errc::conflict);
    }
    SECTION("compacted") { poor.db.compact(); }
    Transaction next = rich.db.begin_write({Durability::lazy, 0});
    next.tree("t").put("next", "z");
    CHECK(next.commit().txn != 0);
}

TEST_CASE("A redaction whose search another process cuts the log off from looks again", "[CHAIN-3][SWARM-1]") {
    const Workplace place;
    Peer peer(place / "a.db", without_history());
    Peer other(place / "a.db", without_history());
    peer.put("secret", 300, Durability::full);
    int cuts = 0;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where != Processes::write || done || cuts == 3) return;
        ++cuts;
        turn_over(other, 4);
    });
    // The other one stands on a generation that has the value.
    CHECK(txn_test::code_of([&] { peer.db.redact("t", "secret", 0, "asked for", 0); }) == Errc::still_held);
    peer.vfs.set_hook(nullptr);
    CHECK(cuts > 0);
    CHECK_FALSE(other.db.begin_read().tree("t").contains("secret"));
    CHECK(peer.db.verify().ok());
}

TEST_CASE("Whichever write of a redaction fails, others may make checkpoints behind it", "[CHAIN-3][ERR-5][SWARM-2]") {
    bool finished = false;
    for (int good = 0; !finished && good < 100; ++good) {
        CAPTURE(good);
        const Workplace place;
        Peer peer(place / "a.db");
        peer.put("secret", 300, Durability::full);
        int writes = 0;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
            if (call != FileCall::write || done || writes++ != good) return;
            throw Error(Errc::io, "the disk of this test fails");
        });
        finished = !txn_test::code_of([&] { peer.db.redact("t", "secret", 0, "asked for"); });
        peer.vfs.set_hook(nullptr);
        CHECK_FALSE(peer.vfs.held().contains(Processes::checkpoint));
    }
    CHECK(finished);
}
