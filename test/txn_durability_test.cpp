// txn_durability_test.cpp -- what is acknowledged, shown and held back while flushes are slow or fail.
#include "watched_vfs.hpp"

#include <chrono>
#include <fstream>
#include <thread>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::open_on;
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

/// Holds every flush up until it is opened.
class Gate {
public:
    explicit Gate(Watch& watch) : watch_(watch) {
        watch_.set([this](Watch::Kind kind) {
            if (kind != Watch::Kind::sync) return;
            arrived = true;
            while (!open) std::this_thread::yield();
        });
    }
    ~Gate() {
        open = true;
        watch_.set({});
    }
    void wait_for_arrival() const {
        while (!arrived) std::this_thread::yield();
    }
    /// Time for somebody to run on who should not.
    static void linger() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
        for (int i = 0; i < 300 && std::chrono::steady_clock::now() < end; ++i) std::this_thread::yield();
    }
    std::atomic<bool> arrived{false}, open{false};

private:
    Watch& watch_;
};

}  // namespace

TEST_CASE("A full commit is shown and acknowledged only when its flush came back", "[DUR-1][DUR-5]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "a", "1");
    std::atomic<bool> returned{false};
    bool was_open = false;
    std::thread writer;
    {
        Gate gate(watch);
        writer = std::thread([&] {
            put(db, "a", "2");
            was_open = gate.open;
            returned = true;
        });
        gate.wait_for_arrival();
        Gate::linger();
        CHECK_FALSE(returned);
        CHECK(db.begin_read().txn() == 1);
        CHECK(db.begin_read().tree("t").get("a") == "1");
        gate.open = true;
        writer.join();
    }
    CHECK(was_open);
    CHECK(db.begin_read().txn() == 2);
}

TEST_CASE("Who read what is not durable waits for it, having written or not", "[DUR-6][DUR-5]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "a", "1");
    bool reader_was_open = false;
    bool writer_was_open = false;
    std::atomic<int> returned{0};
    std::string seen;
    Txn lazy = 0;
    {
        Gate gate(watch);
        std::thread writer([&] { put(db, "a", "2"); });
        gate.wait_for_arrival();
        std::thread reader([&] {
            // An optimistic transaction works on the newest state, durable or not.
            Transaction tx = db.begin_optimistic();
            seen = std::string(*tx.tree("t").get("a"));
            tx.commit();
            reader_was_open = gate.open;
            ++returned;
        });
        std::thread behind([&] {
            // A lazy commit behind a full one that is not durable yet is not shown before it.
            lazy = put(db, "b", "3", Durability::lazy);
            writer_was_open = gate.open;
            ++returned;
        });
        Gate::linger();
        CHECK(returned == 0);
        CHECK(db.begin_read().txn() == 1);
        gate.open = true;
        writer.join();
        reader.join();
        behind.join();
    }
    CHECK(seen == "2");
    CHECK(reader_was_open);
    CHECK(writer_was_open);
    CHECK(lazy == 3);
    CHECK(db.begin_read().txn() == 3);
}

// It returned at once where its own durability was lazy, and the same thread then saw an older state.
TEST_CASE("A lazy commit that a full one read is durable with that, which wrote nothing", "[DUR-6]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    const Txn lazy = put(db, "a", "1", Durability::lazy);
    REQUIRE(db.statistics().durable_txn < lazy);
    Transaction tx = db.begin_write({Durability::full, std::nullopt});
    CHECK(tx.tree("t").get("a") == "1");
    tx.commit();
    CHECK(db.statistics().durable_txn == lazy);
}

TEST_CASE("A snapshot behind a commit that wrote nothing shows what that commit read", "[SNAP-4][DUR-6]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "a", "1");
    std::string seen;
    std::string seen_afterwards;
    std::atomic<bool> returned{false};
    {
        Gate gate(watch);
        std::thread writer([&] { put(db, "a", "2"); });
        gate.wait_for_arrival();
        std::thread reader([&] {
            Transaction tx = db.begin_optimistic({Durability::lazy, std::nullopt});
            seen = std::string(*tx.tree("t").get("a"));
            tx.commit();
            seen_afterwards = std::string(*db.begin_read().tree("t").get("a"));
            returned = true;
        });
        // Time enough for a reader that does not wait.
        for (int i = 0; i < 100 && !returned; ++i) Gate::linger();
        gate.open = true;
        writer.join();
        reader.join();
    }
    CHECK(seen == "2");
    CHECK(seen_afterwards == "2");
}

TEST_CASE("A lazy commit becomes durable by itself, by sync, by the next full commit and by close", "[DUR-2]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    {
        Options options;
        options.lazy_flush_ms = 5;
        Database db = open_on(vfs, place / "a.db", options);
        const Txn txn = put(db, "a", "1", Durability::lazy);
        const std::uint64_t began = detail::posix_vfs().monotonic_us();
        while (db.statistics().durable_txn < txn && detail::posix_vfs().monotonic_us() - began < 30'000'000) {
            std::this_thread::yield();
        }
        CHECK(db.statistics().durable_txn == txn);
    }
    std::uint64_t syncs = 0;
    {
        Database db = open_on(vfs, place / "b.db", quiet());
        CHECK(put(db, "a", "1", Durability::lazy) == 1);
        CHECK(db.statistics().durable_txn == 0);
        db.sync();
        CHECK(db.statistics().durable_txn == 1);
        put(db, "a", "2", Durability::lazy);
        CHECK(db.statistics().durable_txn == 1);
        put(db, "a", "3");
        CHECK(db.statistics().durable_txn == 3);
        put(db, "a", "4", Durability::lazy);
        syncs = watch.syncs;
    }
    CHECK(watch.syncs > syncs);
}

TEST_CASE("A lazy commit is not flushed before its time", "[DUR-2]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Options options;
    options.lazy_flush_ms = 3'600'000;
    Database db = open_on(vfs, place / "a.db", options);
    // As many as it takes for somebody to look who should not flush yet.
    for (int i = 0; i < 300; ++i) {
        put(db, "a", std::to_string(i), Durability::lazy);
        std::this_thread::yield();
    }
    CHECK(db.statistics().durable_txn == 0);
}

TEST_CASE("Neither commits nor reads wait for a checkpoint or a writer", "[SNAP-3][CALM-2]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    for (int i = 0; i < 200; ++i) put(db, "k" + std::to_string(i), std::string(200, 'v'), Durability::lazy);
    db.sync();
    Gate gate(watch);
    std::thread checkpointer([&] { db.checkpoint(); });
    gate.wait_for_arrival();
    // The checkpoint stands in the middle of its flush.
    Txn last = 0;
    for (int i = 0; i < 100; ++i) {
        last = put(db, "k" + std::to_string(i), "new", Durability::lazy);
        CHECK(db.begin_read().txn() == last);
    }
    {
        Transaction tx = db.begin_write();
        tx.tree("t").put("k1", "never");
        CHECK(db.begin_read().tree("t").get("k1") == "new");
        CHECK(db.begin_read(AsOf::txn(200)).tree("t").get("k1") == std::string(200, 'v'));
    }
    CHECK_FALSE(gate.open);
    gate.open = true;
    checkpointer.join();
    CHECK(db.begin_read().txn() == last);
    CHECK(db.begin_read().tree("t").size() == 200);
    CHECK(db.verify().ok());
}

TEST_CASE("Commits that wait at the same time share a flush", "[DUR-1]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Database db = open_on(vfs, place / "a.db", quiet());
    put(db, "a", "1");
    const std::uint64_t before = watch.syncs;
    std::vector<std::thread> writers;
    {
        Gate gate(watch);
        writers.emplace_back([&] { put(db, "first", "1"); });
        gate.wait_for_arrival();
        for (int i = 0; i < 8; ++i) writers.emplace_back([&, i] { put(db, std::to_string(i), "1"); });
        // Until all have written their records and wait.
        while (db.statistics().commits < 10) std::this_thread::yield();
        gate.open = true;
        for (std::thread& writer : writers) writer.join();
    }
    CHECK(watch.syncs - before <= 4);
    CHECK(db.begin_read().tree("t").size() == 10);
}

TEST_CASE("Whichever call fails, a commit is there, not there, or said to be unknown", "[DUR-4][DUR-9][ERR-5][slow]") {
    // The n-th call of each kind fails once: with a full disk where space is asked for, else with an I/O error.
    const Workplace place;
    using Kind = Watch::Kind;
    for (const Kind kind : {Kind::read, Kind::write, Kind::sync, Kind::truncate, Kind::allocate}) {
        for (std::uint64_t n = 0;; ++n) {
            INFO("call " << n << " of kind " << static_cast<int>(kind));
            const std::string path = place / "a.db";
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
            std::filesystem::remove(path + "-shared", ignored);
            Watch watch;
            WatchedVfs vfs(watch);
            Options options = quiet();
            options.read_mode = ReadMode::pread;
            std::uint64_t seen = 0;
            std::uint64_t failed = 0;
            std::map<std::string, std::string> sure;
            std::map<std::string, std::string> maybe;
            bool unknown = false;
            {
                Database db = open_on(vfs, path, options);
                put(db, "before", "1");
                sure["before"] = "1";
                bool armed = false;  // only while something is attempted
                watch.set([&](Kind called) {
                    if (!armed || called != kind || seen++ != n) return;
                    ++failed;
                    throw Error(kind == Kind::allocate ? Errc::no_space : Errc::io,
                                "the test makes this call fail; try it again", path);
                });
                const auto attempt = [&](const std::string& key, const std::string& value, Durability durability) {
                    armed = true;
                    const auto code = code_of([&] { put(db, key, value, durability); });
                    armed = false;
                    if (!code) {
                        CHECK_FALSE(unknown);
                        sure[key] = value;
                        maybe.erase(key);
                        CHECK(db.begin_read().tree("t").get(key) == value);
                        return;
                    }
                    if (*code == Errc::outcome_unknown) {
                        unknown = true;
                        maybe[key] = value;
                        return;
                    }
                    // Nothing changed: reading goes on, and the state is what it was.
                    INFO(to_string(*code));
                    CHECK((*code == Errc::poisoned) == unknown);
                    const Snapshot now = db.begin_read();
                    for (const auto& [name, wanted] : sure) CHECK(now.tree("t").get(name) == wanted);
                    std::optional<std::string_view> before;
                    if (sure.contains(key)) before = sure[key];
                    if (!unknown) CHECK(now.tree("t").get(key) == before);
                };
                attempt("full", "1", Durability::full);
                attempt("lazy", std::string(70'000, 'l'), Durability::lazy);
                for (int i = 0; i < 3; ++i) {
                    armed = true;
                    static_cast<void>(code_of([&] { db.checkpoint(); }));
                    armed = false;
                    if (db.statistics().poisoned) unknown = true;
                    attempt("full", std::string(30'000, static_cast<char>('a' + i)), Durability::full);
                    attempt("more " + std::to_string(i), "x", Durability::full);
                }
                watch.set({});
                if (!unknown) {
                    // There is room again and the disk works: everything goes on.
                    attempt("after", "1", Durability::full);
                    CHECK(sure.contains("after"));
                    CHECK(db.verify().ok());
                }
            }
            Database db = open_on(vfs, path, options);
            const Snapshot now = db.begin_read();
            for (const auto& [key, value] : sure) {
                const auto got = now.tree("t").get(key);
                // A lazy promise ends where a flush failed; what was promised as full does not.
                if (unknown && key == "lazy" && !got) continue;
                const bool replaced = maybe.contains(key) && got == maybe[key];
                if (!replaced && got != value) FAIL(key << " is lost or another");
            }
            CHECK(db.verify().ok());
            put(db, "again", "1");
            if (failed == 0) break;
        }
    }
}

TEST_CASE("A log that is longer than it should be starts a checkpoint", "[CALM-3]") {
    const Workplace place;
    Options options;
    options.checkpoint_log_bytes = 256u << 10;
    Database db = Database::open(place / "a.db", options);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        while (db.statistics().checkpoints < round && db.statistics().log_bytes_since_checkpoint <= 256u << 10) {
            put(db, "k" + std::to_string(round), std::string(10'000, 'v'), Durability::lazy);
        }
        const std::uint64_t began = detail::posix_vfs().monotonic_us();
        while (db.statistics().checkpoints < round && detail::posix_vfs().monotonic_us() - began < 60'000'000) {
            std::this_thread::yield();
        }
        CHECK(db.statistics().checkpoints >= round);
        CHECK(db.statistics().log_bytes_since_checkpoint <= 256u << 10);
    }
}

TEST_CASE("A lone process takes no lock for a lazy commit", "[CALM-4]") {
    const Workplace place;
    Watch watch;
    WatchedVfs vfs(watch);
    Options options;
    options.lazy_flush_ms = 60'000;
    Database db = open_on(vfs, place / "a.db", options);
    put(db, "a", "1", Durability::lazy);
    const std::uint64_t before = watch.locks;
    for (int i = 0; i < 1000; ++i) put(db, "k", std::to_string(i), Durability::lazy);
    CHECK(watch.locks - before <= 10);
}

TEST_CASE("Rot of the last flush is seen as rot once the log has been idle", "[DMG-4][DUR-1]") {
    // Nothing behind the last commit says that it was durable until the mark that a flush is followed by.
    const Workplace place;
    const std::string needle = "needle in the newest record";
    Options options;
    options.lazy_flush_ms = 5;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "a.db", options);
    Database db = detail::make_database(core);
    put(db, "a", "before");
    const auto end = [&] { return core->processes().load(detail::Word::log_position); };
    const std::uint64_t began = detail::posix_vfs().monotonic_us();
    put(db, "a", needle);
    const std::uint64_t behind = core->roots().visible()->log_position;
    while (end() == behind && detail::posix_vfs().monotonic_us() - began < 30'000'000) std::this_thread::yield();
    REQUIRE(end() > behind);
    std::ifstream in(place / "a.db", std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const std::size_t at = bytes.find(needle);
    REQUIRE(at != std::string::npos);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    std::ofstream(place / "b.db", std::ios::binary) << bytes;
    CHECK(code_of([&] { static_cast<void>(Database::open(place / "b.db", quiet())); }) == Errc::corrupt);
}
