// api_memory_test.cpp -- memory: what allocates, what takes a lock, and what happens when there is none left.
#include "txn_support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include <dlfcn.h>
#include <pthread.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MEMORY_TEST_SANITIZED 1
#else
#define MEMORY_TEST_SANITIZED 0
#endif

namespace {

/// Allocations of this thread while it counts; the one numbered `fail_at` fails, and with `for_ever` all behind it.
struct Counting {
    bool on = false;
    std::uint64_t allocations = 0;
    std::uint64_t fail_at = ~std::uint64_t{0};
    bool for_ever = false;
    std::uint64_t failed = 0;
    std::size_t largest = 0;
};
thread_local constinit Counting counting;
thread_local constinit std::uint64_t locks = 0;

bool refused() {
    if (!counting.on) return false;
    const std::uint64_t number = counting.allocations++;
    if (number != counting.fail_at && !(counting.for_ever && number > counting.fail_at)) return false;
    ++counting.failed;
    return true;
}

void* allocate(std::size_t size, std::size_t alignment) {
    if (refused()) return nullptr;
    if (counting.on) counting.largest = std::max(counting.largest, size);
    if (size == 0) size = 1;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const memory = allocate(size, alignment)) return memory;
    throw std::bad_alloc();
}

}  // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

#if !MEMORY_TEST_SANITIZED
/// Every mutex of the process comes by here.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    using Lock = int (*)(pthread_mutex_t*);
    static const Lock real = reinterpret_cast<Lock>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
    ++locks;
    return real(mutex);
}
#endif

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    options.map_size = 64u << 20;
    return options;
}

void prepare(Database& db) {
    {
        Transaction tx = db.begin_write();
        for (int i = 0; i < 200; ++i) tx.tree("t").put("k" + std::to_string(1000 + i), std::string(60, 'v'));
        tx.tree("t").put("large", std::string(20'000, 'l'));
        tx.tree("gone").put("x", "1");
        tx.commit();
    }
    db.checkpoint();
    Transaction tx = db.begin_write();
    tx.tree("t").put("k1005", "second");
    tx.tree("t").erase_range("k1100", "k1120");
    tx.commit();
}

/// What one operation does when its n-th allocation fails, for each n until none does: an Error(no_memory) and nothing
/// changed, or it worked. Returns how many allocations were made to fail.
std::uint64_t starve(const std::string& path, const std::function<void(Database&)>& operation, bool for_ever) {
    std::uint64_t failures = 0;
    std::optional<Database> db;
    std::string place = path;
    const auto open = [&] {
        if (path != ":memory:") {
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        }
        db.emplace(Database::open(path, quiet()));
        prepare(*db);
    };
    open();
    for (std::uint64_t n = 0;; ++n) {
        const Txn before = db->begin_read().txn();
        const Hash state = db->begin_read().state_hash();
        std::string what;
        std::optional<Errc> code;
        bool done = false;
        counting = {true, 0, n, for_ever, 0};
        try {
            operation(*db);
            done = true;
        } catch (const Error& error) {
            counting.on = false;
            code = error.code();
            what = error.what();
        } catch (const std::exception& error) {
            counting.on = false;
            what = error.what();
        }
        counting.on = false;
        const std::uint64_t failed = counting.failed;
        INFO("allocation " << n << (for_ever ? " and all behind it" : "") << ": " << what);
        if (failed == 0) {
            REQUIRE(done);
            break;
        }
        ++failures;
        if (!done) {
            REQUIRE(what.size() > 20);
            if (code == Errc::outcome_unknown) {
                // The record was written already; what becomes of it shows when the file is opened again.
                open();
                continue;
            }
            REQUIRE(code == Errc::no_memory);
            REQUIRE(db->begin_read().txn() == before);
            REQUIRE(db->begin_read().state_hash() == state);
        }
        REQUIRE(db->statistics().snapshots_open == 0);
        // It goes on as if nothing had been.
        if (done || n % 8 == 0) {
            const VerifyReport report = db->verify();
            for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
            REQUIRE(report.ok());
            open();
        } else {
            REQUIRE_FALSE(code_of([&] {
                Transaction tx = db->begin_write();
                tx.tree("t").put("after", std::to_string(n));
                tx.commit();
            }));
            REQUIRE(db->begin_read().tree("t").get("after") == std::to_string(n));
        }
    }
    return failures;
}

}  // namespace

TEST_CASE("Snapshots and reads of the present allocate nothing and take no lock", "[SNAP-2]") {
    for (const bool memory : {true, false}) {
        for (const bool background : {false, true}) {
            const Workplace place;
            const std::string path = memory ? ":memory:" : place / "a.db";
            Options options = quiet();
            options.background = background;
            Database db = Database::open(path, options);
            prepare(db);
            const std::array<std::string_view, 3> keys{"k1001", "large", "none"};
            std::array<std::optional<std::string_view>, 3> values;
            static_cast<void>(db.begin_read().tree("t").get("large"));  // the first one of a thread finds its place
            counting = {true, 0, ~std::uint64_t{0}, false, 0};
            locks = 0;
            std::uint64_t bytes = 0;
            for (int i = 0; i < 100; ++i) {
                const Snapshot now = db.begin_read();
                const Tree tree = now.tree("t");
                bytes += tree.get("k1005")->size() + tree.get("large")->size();
                bytes += tree.contains("none");
                bytes += *tree.txn_of("k1001") + tree.size();
                tree.multi_get(keys, values);
                bytes += values[0]->size();
            }
            counting.on = false;
            CHECK(counting.allocations == 0);
            CHECK(locks == 0);
            CHECK(bytes == 100 * (6 + 20'000 + 0 + 1 + 181 + 60));
            // The counters count: a transaction does both.
            counting = {true, 0, ~std::uint64_t{0}, false, 0};
            {
                Transaction tx = db.begin_write();
                tx.tree("t").put("a", "1");
                tx.commit();
            }
            counting.on = false;
            CHECK(counting.allocations > 0);
            if (MEMORY_TEST_SANITIZED == 0) CHECK(locks > 0);
        }
    }
}

TEST_CASE("A value longer than the limit of memory goes into the file without a copy in memory", "[TX-8][CALM-1]") {
    const Workplace place;
    Options options = quiet();
    options.overlay_limit = 1u << 20;
    Database db = Database::open(place / "a.db", options);
    const std::string value(8u << 20, 'v');
    for (const bool append : {false, true}) {
        CAPTURE(append);
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree(append ? "appended" : "put");
        tree.put("a", "short");
        counting = {true, 0, ~std::uint64_t{0}, false, 0, 0};
        if (append) tree.append("b", value);
        else tree.put("b", value);
        counting.on = false;
        CHECK(counting.largest < value.size() / 2);
        tx.commit();
        CHECK(db.begin_read().tree(append ? "appended" : "put").get("b") == value);
    }
}

TEST_CASE("Writing without memory left changes nothing and says so", "[DUR-9][ERR-1][slow]") {
    // Made before memory runs out.
    const std::string large(9000, 'n');
    const std::string value(60, 'v');
    const auto write = [&](Database& db) {
        Transaction tx = db.begin_write();
        tx.annotate("who", "a test of memory that runs out");
        WritableTree tree = tx.tree("t");
        tree.put("k1007", "changed");
        tree.put("new key that is longer than a short string", large);
        const Savepoint savepoint = tx.savepoint();
        tx.tree("made and gone").put("a", "b");
        tree.erase_range("k1010", "k1050");
        tx.rollback_to(savepoint);
        tree.erase("k1008");
        tree.put_if_absent("k1300", "x");
        tree.compare_and_swap("k1009", value, "y");
        tx.drop_tree("gone");
        tx.tree("appended").append("a", "1");
        Cursor cursor = tree.cursor();
        cursor.first();
        cursor.next();
        static_cast<void>(tx.tree_names());
        tx.commit();
    };
    CHECK(starve(":memory:", write, false) > 20);
    CHECK(starve(":memory:", write, true) > 20);
    const Workplace place;
    CHECK(starve(place / "a.db", write, false) > 15);
}

TEST_CASE("Optimistic writing without memory left changes nothing and says so", "[DUR-9][TX-3][slow]") {
    const auto write = [](Database& db) {
        Transaction tx = db.begin_optimistic({Durability::lazy, std::nullopt});
        static_cast<void>(tx.tree("t").get("k1003"));
        for (auto entry : tx.tree("t").range("k1020", "k1030")) static_cast<void>(entry);
        tx.tree("t").put("blind", "1");
        {
            Transaction other = db.begin_write();
            other.tree("t").put("k1190", "moved on");
            // Not committed when memory fails in here; then the outer one is not either.
            if (counting.failed == 0) other.rollback();
        }
        tx.commit();
    };
    CHECK(starve(":memory:", write, false) > 10);
    CHECK(starve(":memory:", write, true) > 10);
}

TEST_CASE("Reading without memory left says so and nothing else", "[DUR-9][ERR-1][slow]") {
    const auto read = [](Database& db) {
        const Snapshot now = db.begin_read();
        static_cast<void>(now.tree_names());
        for (auto entry : now.tree("t").prefix("k10").reversed()) static_cast<void>(entry);
        const Snapshot then = db.begin_read(AsOf::txn(1));
        static_cast<void>(then.tree_names());
        static_cast<void>(then.tree("t").get("k1005"));
        static_cast<void>(then.tree("t").size());
        static_cast<void>(then.tree("gone").estimate("a", "z"));
        static_cast<void>(db.diff(AsOf::txn(1), AsOf::txn(2)));
        static_cast<void>(db.history("t", "k1005"));
        for (const CommitRecord& record : db.commits()) static_cast<void>(record.digest);
        static_cast<void>(db.chain_hash(2));
        static_cast<void>(db.statistics());
        Feed feed = db.feed(1);
        static_cast<void>(feed.next(0));
        static_cast<void>(feed.position());
        static_cast<void>(now.state_hash());
        static_cast<void>(db.uuid());
    };
    CHECK(starve(":memory:", read, false) > 20);
    CHECK(starve(":memory:", read, true) > 20);
}

TEST_CASE("A checkpoint without memory left changes nothing and says so", "[DUR-9][ERR-1][slow]") {
    const Workplace place;
    CHECK(starve(place / "a.db", [](Database& db) { db.checkpoint(); }, false) > 10);
    CHECK(starve(place / "b.db", [](Database& db) { db.checkpoint(); }, true) > 10);
}

TEST_CASE("Checkpoints beside a snapshot without memory left change nothing and say so",
          "[DUR-9][ERR-1][SNAP-1][slow]") {
    const Workplace place;
    const auto compact = [](Database& db) {
        const Snapshot held = db.begin_read();
        db.compact();
    };
    CHECK(starve(place / "a.db", compact, false) > 100);
    CHECK(starve(place / "b.db", compact, true) > 100);
}

TEST_CASE("Opening without memory left says so and can be tried again", "[DUR-9][ERR-1][slow]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        prepare(db);
    }
    for (const bool for_ever : {false, true}) {
        for (std::uint64_t n = 0;; ++n) {
            INFO("allocation " << n << (for_ever ? " and all behind it" : ""));
            std::optional<Errc> code;
            bool another = false;
            counting = {true, 0, n, for_ever, 0};
            try {
                const Database db = Database::open(path, quiet());
                counting.on = false;
            } catch (const Error& error) {
                counting.on = false;
                code = error.code();
            } catch (const std::exception&) {
                counting.on = false;
                another = true;
            }
            REQUIRE_FALSE(another);
            if (code) REQUIRE(code == Errc::no_memory);
            const Database db = Database::open(path, quiet());
            REQUIRE(db.begin_read().tree("t").get("k1005") == "second");
            if (counting.failed == 0) break;
        }
    }
    const Database db = Database::open(path, quiet());
    CHECK(db.verify().ok());
}
