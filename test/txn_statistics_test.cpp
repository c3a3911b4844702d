// txn_statistics_test.cpp -- each number of Statistics against the same thing counted in another way.
#include "peer.hpp"
#include "watched_vfs.hpp"

#include <thread>

#include <sys/wait.h>

namespace {

using namespace northstar;
using detail::Processes;
using test::FileCall;
using txn_test::code_of;
using txn_test::open_on;
using txn_test::Peer;
using txn_test::Watch;
using txn_test::WatchedVfs;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

Txn put(Database& db, const std::string& key, const std::string& value, Durability durability = Durability::full) {
    Transaction tx = db.begin_write({durability, std::nullopt});
    tx.tree("t").put(key, value);
    return tx.commit().txn;
}

}  // namespace

TEST_CASE("Statistics tell what is in the database", "[SNAP-7][SPACE-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = quiet();
    options.page_size = 8192;
    Database db = Database::open(path, options);
    CHECK(db.statistics().txn == 0);
    CHECK(db.statistics().trees == 0);
    CHECK(db.statistics().entries == 0);
    CHECK(db.statistics().page_size == 8192);
    const std::uint64_t first_generation = db.statistics().generation;
    for (int i = 0; i < 300; ++i) put(db, "k" + std::to_string(i), std::string(500, 'v'));
    {
        Transaction tx = db.begin_write();
        tx.tree("u").put("x", "1");
        tx.tree("t").erase_range("k1", "k2");
        tx.commit();
    }
    Statistics now = db.statistics();
    CHECK(now.txn == 301);
    CHECK(now.durable_txn == 301);
    CHECK(now.oldest_txn == 0);
    CHECK(now.trees == 2);
    CHECK(now.entries == db.begin_read().tree("t").size() + 1);
    CHECK(now.entries == 300 - 111 + 1);
    CHECK(now.file_bytes == std::filesystem::file_size(path));
    put(db, "lazy", "1", Durability::lazy);
    CHECK(db.statistics().txn == 302);
    CHECK(db.statistics().durable_txn == 301);
    db.sync();
    CHECK(db.statistics().durable_txn == 302);

    db.checkpoint();
    now = db.statistics();
    CHECK(now.generation == first_generation + 1);
    CHECK(now.file_bytes == std::filesystem::file_size(path));
    // All pages of the file are used, free or held for a generation that somebody may need.
    CHECK((now.used_pages + now.free_pages + now.held_pages) * now.page_size == now.file_bytes);
    CHECK(now.history_segments == 0);
    CHECK(now.history_bytes == 0);
    CHECK(now.log_bytes % now.page_size == 0);
    CHECK(now.log_bytes < now.file_bytes);
    // What is stored has to be somewhere.
    CHECK(now.used_pages * now.page_size > 189 * 500);
    // More history than is worth leaving unsealed.
    for (int i = 0; i < 20; ++i) put(db, "k5", std::string(100'000, static_cast<char>('a' + i)));
    db.checkpoint();
    now = db.statistics();
    CHECK(now.history_segments == 1);
    CHECK(now.history_bytes > 0);
    CHECK(now.history_bytes < now.file_bytes);
    const std::uint64_t free_before = now.free_pages + now.held_pages;
    {
        Transaction tx = db.begin_write();
        tx.tree("t").erase_range("", std::nullopt);
        tx.commit();
    }
    db.checkpoint();
    CHECK(db.statistics().entries == 1);
    CHECK(db.statistics().free_pages + db.statistics().held_pages > free_before);
    CHECK(db.verify().ok());
}

TEST_CASE("Statistics wait for nobody, whatever another process holds", "[SNAP-3][SNAP-7]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer peer(path);
    for (int i = 0; i < 20; ++i) peer.put("k" + std::to_string(i), 20'000);
    peer.db.checkpoint();
    for (int i = 0; i < 20; ++i) peer.put("k" + std::to_string(i), 20'000);
    const Statistics before = peer.db.statistics();
    // As one that is in the middle of a checkpoint, of a flush, and of a transaction.
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(path, {}, created);
    for (const std::uint64_t byte : {Processes::write, Processes::checkpoint, Processes::flush}) {
        REQUIRE(other->try_lock(byte, detail::LockKind::exclusive));
    }
    peer.vfs.set_hook([](FileCall call, std::uint64_t, bool) {
        if (call == FileCall::lock) throw Error(Errc::io, "a lock was asked for, which the test does not allow");
    });
    const Statistics now = peer.db.statistics();
    peer.vfs.set_hook(nullptr);
    CHECK(now.used_pages == before.used_pages);
    CHECK(now.free_pages == before.free_pages);
    CHECK(now.held_pages == before.held_pages);
    CHECK(now.used_pages * now.page_size > 40 * 20'000);
}

TEST_CASE("Statistics tell the same of the pages whether or not a process has carved space itself", "[SPACE-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    for (int i = 0; i < 20; ++i) writer.put("k" + std::to_string(i), 20'000);
    writer.db.checkpoint();
    for (int i = 0; i < 20; ++i) writer.put("k" + std::to_string(i), 20'000);
    Peer other(path);
    const Statistics own = writer.db.statistics();
    const Statistics seen = other.db.statistics();
    CHECK(own.generation == seen.generation);
    CHECK(own.used_pages == seen.used_pages);
    CHECK(own.held_pages == seen.held_pages);
}

TEST_CASE("Statistics count commits, conflicts, checkpoints and flushes of this handle", "[TX-3]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "first", "1");  // says in the meta page, too, that the file is not closed cleanly any more
    std::uint64_t looked = watch.syncs;
    const auto since = [&] {
        const std::uint64_t now = watch.syncs;
        return now - std::exchange(looked, now);
    };
    Statistics before = db.statistics();
    for (int i = 0; i < 7; ++i) put(db, "k", std::to_string(i));
    Statistics now = db.statistics();
    CHECK(now.commits == 8);
    CHECK(now.conflicts == 0);
    CHECK(now.flushes - before.flushes == since());
    CHECK(now.flushes - before.flushes == 7);
    before = now;
    for (int i = 0; i < 5; ++i) put(db, "k", std::to_string(i), Durability::lazy);
    now = db.statistics();
    CHECK(now.commits == 13);
    CHECK(now.flushes == before.flushes);
    CHECK(since() == 0);
    db.sync();
    CHECK(db.statistics().flushes == before.flushes + since());
    CHECK(db.statistics().flushes == before.flushes + 1);
    db.sync();
    CHECK(since() == 0);
    {
        Transaction tx = db.begin_optimistic();
        static_cast<void>(tx.tree("t").get("k"));
        tx.tree("t").put("x", "1");
        put(db, "k", "other");
        CHECK(code_of([&] { tx.commit(); }) == Errc::conflict);
    }
    CHECK(db.statistics().conflicts == 1);
    CHECK(db.statistics().commits == 14);
    {
        Transaction tx = db.begin_write();
        tx.tree("t").put("rolled", "back");
    }
    CHECK(db.statistics().commits == 14);
    before = db.statistics();
    since();
    db.checkpoint();
    CHECK(db.statistics().checkpoints == before.checkpoints + 1);
    CHECK(db.statistics().flushes - before.flushes == since());
}

TEST_CASE("A checkpoint of nothing new is none, and closing writes nothing where nothing was written", "[CALM-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        put(db, "k", "v");
        db.checkpoint();
        const std::uint64_t made = db.statistics().checkpoints;
        const std::string file = txn_test::read_file(path);
        db.checkpoint();
        CHECK(db.statistics().checkpoints == made);
        CHECK(txn_test::read_file(path) == file);
    }
    const std::string closed = txn_test::read_file(path);
    {
        const Database db = Database::open(path, quiet());
        CHECK(db.begin_read().tree("t").get("k") == "v");
    }
    CHECK(txn_test::read_file(path) == closed);
}

TEST_CASE("Statistics tell how many bytes were written and why", "[CALM-4]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "first", "1");  // says in the meta page, too, that the file is not closed cleanly any more
    const auto written = [&] { return watch.written_bytes - watch.zero_bytes; };
    Statistics before = db.statistics();
    std::uint64_t wrote = written();
    for (int i = 0; i < 50; ++i) {
        put(db, "k" + std::to_string(i), std::string(1000, 'v'), i % 2 == 0 ? Durability::full : Durability::lazy);
    }
    Statistics now = db.statistics();
    CHECK(now.log_bytes_written - before.log_bytes_written == written() - wrote);
    CHECK(now.log_bytes_written - before.log_bytes_written > 50 * 1000);
    CHECK(now.page_bytes_written == before.page_bytes_written);
    CHECK(now.bytes_written == now.log_bytes_written + now.page_bytes_written);
    CHECK(now.log_bytes_since_checkpoint == now.log_bytes_written);
    before = now;
    wrote = written();
    db.checkpoint();
    now = db.statistics();
    // Beside pages and log a checkpoint writes its ledger and a meta page.
    const std::uint64_t told = now.bytes_written - before.bytes_written;
    INFO(told << " told, " << written() - wrote << " written");
    CHECK(told <= written() - wrote);
    CHECK(told + 5 * 4096 >= written() - wrote);
    CHECK(now.page_bytes_written > before.page_bytes_written);
    CHECK((now.page_bytes_written - before.page_bytes_written) % 4096 == 0);
    CHECK(now.log_bytes_since_checkpoint < 1000);
}

TEST_CASE("Statistics tell what memory pages are there for", "[CALM-1][SNAP-7]") {
    const Workplace place;
    Options options = quiet();
    options.overlay_limit = 32u << 20;
    Database db = Database::open(place / "a.db", options);
    CHECK(db.statistics().overlay_limit == 32u << 20);
    for (int i = 0; i < 100; ++i) put(db, "k" + std::to_string(100 + i), std::string(900, 'a'));
    db.checkpoint();
    const std::uint64_t idle = db.statistics().overlay_bytes;
    CHECK(db.statistics().overlay_held_by_snapshots == 0);
    const Statistics before = db.statistics();
    {
        Transaction tx = db.begin_write();
        for (int i = 0; i < 100; ++i) tx.tree("t").put("k" + std::to_string(100 + i), std::string(900, 'b'));
        tx.commit();
    }
    Statistics now = db.statistics();
    // Each leaf that holds an entry was copied; a page holds four of these at most.
    CHECK(now.pages_copied - before.pages_copied >= 25);
    CHECK(now.pages_copied - before.pages_copied <= 60);
    CHECK(now.overlay_bytes - idle >= 25 * 4096);
    CHECK(now.overlay_held_by_snapshots == 0);
    std::optional<Snapshot> held(db.begin_read());
    for (int round = 0; round < 3; ++round) {
        Transaction tx = db.begin_write();
        for (int i = 0; i < 100; ++i) tx.tree("t").put("k" + std::to_string(100 + i), std::string(900, 'c'));
        tx.commit();
    }
    now = db.statistics();
    CHECK(now.overlay_held_by_snapshots >= 25 * 4096);
    // One overlay at most, however much was written since.
    CHECK(now.overlay_held_by_snapshots <= 60 * 4096);
    held.reset();
    put(db, "z", "1");
    db.checkpoint();
    CHECK(db.statistics().overlay_held_by_snapshots == 0);
    CHECK(db.statistics().overlay_bytes <= idle + 16 * 4096);
}

TEST_CASE("Statistics tell of open snapshots, how old and since when", "[SNAP-7]") {
    for (const bool background : {true, false}) {
        INFO("background " << background);
        const Workplace place;
        Options options;
        options.background = background;
        Database db = Database::open(place / "a.db", options);
        for (int i = 0; i < 5; ++i) put(db, "k", std::to_string(i));
        CHECK(db.statistics().snapshots_open == 0);
        CHECK(db.statistics().oldest_snapshot_txn == 0);
        CHECK(db.statistics().oldest_snapshot_age_us == 0);
        const std::uint64_t began = detail::posix_vfs().monotonic_us();
        std::vector<Snapshot> held;
        held.push_back(db.begin_read());
        for (int i = 0; i < 5; ++i) {
            put(db, "k", std::to_string(i));
            held.push_back(db.begin_read());
        }
        CHECK(db.statistics().snapshots_open == 6);
        CHECK(db.statistics().oldest_snapshot_txn == 5);
        // Half a second is as exact as it is.
        while (db.statistics().oldest_snapshot_age_us < 1'000'000 &&
               detail::posix_vfs().monotonic_us() - began < 20'000'000) {
            std::this_thread::yield();
        }
        const std::uint64_t told = db.statistics().oldest_snapshot_age_us;
        const std::uint64_t age = detail::posix_vfs().monotonic_us() - began;
        CHECK(told >= 1'000'000);
        CHECK(told <= age + 5'000'000);
        held.erase(held.begin());
        CHECK(db.statistics().oldest_snapshot_txn == 6);
        held.push_back(db.begin_read(AsOf::txn(2)));
        CHECK(db.statistics().snapshots_open == 6);
        held.clear();
        CHECK(db.statistics().snapshots_open == 0);
    }
}

TEST_CASE("A snapshot is no older than statistics that were asked for before it", "[SNAP-7]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    const auto now = [] { return detail::posix_vfs().monotonic_us(); };
    const std::uint64_t opened = now();
    while (now() - opened < 300'000) std::this_thread::yield();
    // Without a thread of the database nobody else looks at the clock.
    const std::uint64_t before = now();
    static_cast<void>(db.statistics());
    const Snapshot held = db.begin_read();
    const std::uint64_t age = db.statistics().oldest_snapshot_age_us;
    CHECK(age <= now() - before);
}

TEST_CASE("Statistics tell how many transactions of others were replayed", "[SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, quiet());
    put(db, "a", "1");
    CHECK(db.statistics().replayed_txns == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            Database own = Database::open(path, quiet());
            for (int i = 0; i < 9; ++i) put(own, "k" + std::to_string(i), "v");
            ::_exit(own.statistics().commits == 9 ? 0 : 1);
        } catch (const Error&) {
            ::_exit(2);
        }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    CHECK(db.begin_read().txn() == 10);
    CHECK(db.statistics().replayed_txns == 9);
    CHECK(db.statistics().commits == 1);
}

TEST_CASE("Statistics tell what opening a file that was not closed replayed, and how much log that was", "[CALM-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    put(peer.db, "a", "1");
    peer.db.checkpoint();
    for (int i = 0; i < 9; ++i) put(peer.db, "k" + std::to_string(i), std::string(3000, 'v'));
    const std::uint64_t log_bytes = peer.db.statistics().log_bytes_since_checkpoint;
    CHECK(log_bytes > 27'000);
    txn_test::write_file(place / "b.db", txn_test::read_file(place / "a.db"));
    for (const bool may_write : {false, true}) {
        CAPTURE(may_write);
        Options options = quiet();
        options.read_only = !may_write;
        const Peer other(place / "b.db", options);
        const Statistics now = other.db.statistics();
        CHECK(now.txn == 10);
        CHECK(now.replayed_txns == 9);
        CHECK(now.log_bytes_since_checkpoint >= log_bytes);
        CHECK(now.commits == 0);
    }
}

TEST_CASE("Statistics tell how many pages were verified, once each", "[DMG-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        Transaction tx = db.begin_write();
        for (int i = 0; i < 2000; ++i) tx.tree("t").put("k" + std::to_string(10000 + i), std::string(100, 'v'));
        tx.commit();
    }
    const Database db = Database::open(path, quiet());
    const std::uint64_t opened = db.statistics().pages_verified;
    const auto scan = [&] {
        std::uint64_t count = 0;
        const Snapshot now = db.begin_read();
        for (auto entry : now.tree("t").all()) count += entry.value.size() / 100;
        return count;
    };
    CHECK(scan() == 2000);
    const std::uint64_t scanned = db.statistics().pages_verified;
    // 200 KB of values lie in fifty pages at least.
    CHECK(scanned - opened >= 50);
    CHECK(scanned - opened <= 120);
    CHECK(scan() == 2000);
    CHECK(db.statistics().pages_verified == scanned);
}

TEST_CASE("The limit of memory follows the machine's between 64 MiB and 1 GiB", "[CALM-1]") {
    const auto limit_on = [](std::uint64_t machine_mib, std::uint64_t asked_mib = 0) {
        const Workplace place;
        test::HookedVfs vfs;
        vfs.set_memory_bytes(machine_mib << 20);
        Options options = quiet();
        options.overlay_limit = asked_mib << 20;
        Database db = detail::make_database(detail::DatabaseCore::open(place / "a.db", options, &vfs));
        return db.statistics().overlay_limit >> 10;
    };
    CHECK(limit_on(100) == 64u << 10);
    CHECK(limit_on(2048) == 256u << 10);
    CHECK(limit_on(65536) == 1u << 20);
    CHECK(limit_on(2048, 8) == 8u << 10);
}

TEST_CASE("Memory pages go when another process has made a checkpoint of them", "[CALM-1][SWARM-1]") {
    const Workplace place;
    Peer here(place / "a.db");
    Peer other(place / "a.db");
    Transaction tx = here.db.begin_write({Durability::lazy, std::nullopt});
    for (int i = 0; i < 3000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(300, 'v'));
    tx.tree("t").put("large", std::string(100'000, 'v'));
    tx.commit();
    CHECK(here.db.statistics().overlay_bytes > 900'000);
    other.db.checkpoint();
    CHECK(here.db.begin_read().tree("t").size() == 3001);
    here.put("one more");
    CHECK(here.db.statistics().overlay_bytes < 300'000);
}

TEST_CASE("Statistics tell how long checkpoints took and writers were slowed down", "[CALM-1]") {
    const Workplace place;
    Options options;
    options.overlay_limit = 2u << 20;
    options.durability = Durability::lazy;
    Database db = Database::open(place / "a.db", options);
    CHECK(db.statistics().slowdown_us == 0);
    CHECK(db.statistics().last_checkpoint_us == 0);
    const std::uint64_t began = detail::posix_vfs().monotonic_us();
    for (int i = 0; i < 100'000 && db.statistics().slowdown_us == 0; ++i) {
        Transaction tx = db.begin_write();
        for (int k = 0; k < 50; ++k) {
            tx.tree("t").put(std::to_string((i * 50 + k) * 7919 % 100'003), std::string(300, 'v'));
        }
        tx.commit();
    }
    CHECK(db.statistics().slowdown_us > 0);
    CHECK(db.statistics().slowdown_us <= detail::posix_vfs().monotonic_us() - began);
    const std::uint64_t before = detail::posix_vfs().monotonic_us();
    put(db, "z", "1");
    db.checkpoint();
    const std::uint64_t took = detail::posix_vfs().monotonic_us() - before;
    // Of this one, or of one that began in the background meanwhile.
    CHECK(db.statistics().last_checkpoint_us > 0);
    CHECK(db.statistics().last_checkpoint_us <= took + (before - began));
}

TEST_CASE("After a flush that failed nothing more is acknowledged, and the flush is not tried again",
          "[DUR-7][DUR-4][ERR-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Watch watch;
    WatchedVfs vfs(watch);
    {
        Database db = open_on(vfs, path, quiet());
        put(db, "a", "1");
        CHECK_FALSE(db.statistics().poisoned);
        int failed = 0;
        watch.set([&](Watch::Kind kind) {
            if (kind != Watch::Kind::sync) return;
            ++failed;
            throw Error(Errc::io, "fdatasync failed, as the test wants it; look elsewhere");
        });
        CHECK(code_of([&] { put(db, "b", "2"); }) == Errc::outcome_unknown);
        CHECK(failed == 1);
        CHECK(db.statistics().poisoned);
        watch.set([&](Watch::Kind kind) { failed += kind == Watch::Kind::sync || kind == Watch::Kind::write; });
        CHECK(code_of([&] { put(db, "c", "3"); }) == Errc::poisoned);
        CHECK(code_of([&] { put(db, "c", "3", Durability::lazy); }) == Errc::poisoned);
        CHECK(code_of([&] { db.sync(); }).has_value());
        CHECK(code_of([&] { db.checkpoint(); }).has_value());
        CHECK(db.begin_read().tree("t").get("a") == "1");
        // What the failed flush covered is not shown: it was promised to nobody.
        CHECK(db.begin_read().txn() == 1);
        CHECK(failed == 1);
    }
    watch.set({});
    Database db = open_on(vfs, path, quiet());
    CHECK_FALSE(db.statistics().poisoned);
    CHECK(db.begin_read().tree("t").get("a") == "1");
    CHECK_FALSE(db.begin_read().tree("t").contains("c"));
    CHECK(put(db, "d", "4") > 1);
    CHECK(db.verify().ok());
}
