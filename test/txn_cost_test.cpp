// What reading costs in coordination: nothing; and what small commits allocate. Counts calls of operator new and locks
// taken by the thread that works.
#include "txn_support.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>

namespace {

thread_local std::uint64_t allocations = 0;
thread_local std::uint64_t locks = 0;

void* counted(std::size_t size) {
    ++allocations;
    void* const memory = std::malloc(size != 0 ? size : 1);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

// ThreadSanitizer has locks of its own.
#if !defined(__SANITIZE_THREAD__)
#define READING_COST_COUNTS_LOCKS 1

namespace {

template <class Function>
Function* real(Function*& found, const char* name) {
    if (found == nullptr) found = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
    return found;
}

}  // namespace

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static int (*found)(pthread_mutex_t*) = nullptr;
    ++locks;
    return real(found, "pthread_mutex_lock")(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
    static int (*found)(pthread_rwlock_t*) = nullptr;
    ++locks;
    return real(found, "pthread_rwlock_rdlock")(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
    static int (*found)(pthread_rwlock_t*) = nullptr;
    ++locks;
    return real(found, "pthread_rwlock_wrlock")(lock);
}

}  // extern "C"
#endif

namespace {

using namespace northstar;

std::string key(int i) {
    std::string text = std::to_string(i);
    return "key " + std::string(12 - text.size(), '0') + text;
}

void fill(Database& db, int from, int to) {
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("data");
    for (int i = from; i < to; ++i) tree.put(key(i), std::string(100, 'v') + std::to_string(i));
    tx.commit();
}

struct Cost {
    std::uint64_t allocations;
    std::uint64_t locks;
};

template <class Work>
Cost cost_of(Work&& work) {
    const Cost before{allocations, locks};
    work();
    return {allocations - before.allocations, locks - before.locks};
}

/// Half of the entries in the file, the others in memory only.
Database prepared(const std::string& path) {
    Database db = Database::open(path);
    fill(db, 0, 20000);
    db.checkpoint();
    for (int i = 20000; i < 30000; i += 100) fill(db, i, i + 100);
    return db;
}

std::vector<std::string> some_keys() {
    std::vector<std::string> keys;
    for (int i = 0; i < 31000; i += 7) keys.push_back(key(i));
    return keys;
}

}  // namespace

TEST_CASE("opening and closing a snapshot takes no lock and allocates nothing", "[txn][SNAP-2]") {
    const txn_test::Workplace place;
    for (const std::string& path : {place / "a.db", std::string(":memory:")}) {
        Database db = prepared(path);
        db.begin_read().close();  // the first one finds its place
        const Cost cost = cost_of([&] {
            for (int i = 0; i < 1000; ++i) db.begin_read().close();
            const Snapshot one = db.begin_read();
            const Snapshot two = db.begin_read();
        });
        REQUIRE(cost.allocations == 0);
        REQUIRE(cost.locks == 0);
        // Behind a commit of this process too.
        fill(db, 0, 1);
        const Cost behind = cost_of([&] { db.begin_read().close(); });
        REQUIRE(behind.allocations == 0);
        REQUIRE(behind.locks == 0);
    }
}

TEST_CASE("reading the present allocates nothing, and takes no lock where pages were verified", "[txn][SNAP-2]") {
    const txn_test::Workplace place;
    for (const std::string& path : {place / "a.db", std::string(":memory:")}) {
        Database db = prepared(path);
        const std::vector<std::string> keys = some_keys();
        std::vector<std::string_view> wanted(keys.begin(), keys.end());
        std::vector<std::optional<std::string_view>> found(keys.size());
        std::size_t hits = 0;
        const auto read = [&] {
            const Snapshot snapshot = db.begin_read();
            const Tree tree = snapshot.tree("data");
            for (const std::string& k : keys) hits += tree.get(k) ? 1u : 0u;
            hits += tree.get("absent") ? 1u : 0u;
            tree.multi_get(wanted, found);
        };
        const Cost first = cost_of(read);  // verifies pages of the file at their first touch
        const Cost again = cost_of(read);
        REQUIRE(first.allocations == 0);
        REQUIRE(again.allocations == 0);
        REQUIRE(again.locks == 0);
        REQUIRE(hits == 2 * ((30000 + 6) / 7));
        REQUIRE(found[0].has_value());
        REQUIRE(!found.back().has_value());
    }
}

TEST_CASE("a state of the past that is read again and again is found out once", "[txn][SNAP-2][PAST-1]") {
    const txn_test::Workplace place;
    for (const std::string& path : {place / "a.db", std::string(":memory:")}) {
        Database db = prepared(path);
        fill(db, 100, 200);
        const Txn then = db.begin_read().txn();
        for (int i = 0; i < 10; ++i) fill(db, 0, 300);
        db.checkpoint();
        std::size_t found = 0;
        const auto read = [&] {
            const Snapshot snapshot = db.begin_read(AsOf::txn(then));
            found += snapshot.tree("data").get("key 000000000150") ? 1u : 0u;
        };
        read();
        const Cost again = cost_of([&] {
            for (int i = 0; i < 100; ++i) read();
        });
        CHECK(again.allocations == 0);
        CHECK(again.locks == 0);
        CHECK(found == 101);
        // Behind a commit there is another root, and the point is looked at anew; what it shows stays the same.
        Transaction tx = db.begin_write();
        tx.tree("data").erase("key 000000000150");
        tx.commit();
        read();
        CHECK(found == 102);
        CHECK_FALSE(db.begin_read().tree("data").contains("key 000000000150"));
        CHECK(cost_of(read).allocations == 0);
        // Two at once have a state each.
        const Snapshot one = db.begin_read(AsOf::txn(then));
        const Snapshot two = db.begin_read(AsOf::txn(then));
        CHECK(one.tree("data").get("key 000000000150") == two.tree("data").get("key 000000000150"));
        CHECK(one.time_us() == two.time_us());
        CHECK(one.time_us() == db.commit(then)->time_us);
    }
}

TEST_CASE("a cursor allocates when it is made and not when it moves", "[txn][SNAP-2]") {
    const txn_test::Workplace place;
    Database db = prepared(place / "a.db");
    const Snapshot snapshot = db.begin_read();
    Cursor cursor = snapshot.tree("data").cursor();
    std::size_t count = 0;
    const auto walk = [&] {
        for (bool there = cursor.first(); there; there = cursor.next()) count += cursor.value().empty() ? 0u : 1u;
    };
    walk();  // verifies pages of the file at their first touch
    const Cost cost = cost_of(walk);
    REQUIRE(count == 2 * 30000);
    REQUIRE(cost.allocations == 0);
    REQUIRE(cost.locks == 0);
}

// One leaf stood for all that was deleted, and its whole past was collected before the first entry of it was shown.
TEST_CASE("the first entries of a tree that was emptied since cost the same whatever it held", "[txn][PAST-1]") {
    const int keys = GENERATE(3000, 30000);
    CAPTURE(keys);
    const txn_test::Workplace place;
    Database db = Database::open(place / "a.db");
    fill(db, 0, keys);
    const Txn then = db.begin_read().txn();
    {
        Transaction tx = db.begin_write();
        tx.tree("data").erase_range("", std::nullopt);
        tx.commit();
    }
    const Snapshot past = db.begin_read(AsOf::txn(then));
    Cursor cursor = past.tree("data").cursor();
    const auto look = [&] {
        REQUIRE(cursor.lower_bound(key(keys / 2)));
        REQUIRE(cursor.next());
        REQUIRE(cursor.key() == key(keys / 2 + 1));
        REQUIRE(cursor.last());
        REQUIRE(cursor.prev());
        REQUIRE(cursor.key() == key(keys - 2));
    };
    look();
    CHECK(cost_of(look).allocations < 300);
}

TEST_CASE("a small commit allocates no buffers of its own", "[txn]") {
    const txn_test::Workplace place;
    Database db = prepared(place / "a.db");
    WriteOptions lazy;
    lazy.durability = Durability::lazy;
    const std::string value(100, 'w');
    const auto commit_one = [&] {
        Transaction tx = db.begin_write(lazy);
        tx.tree("data").put("key 000000000007", value);
        tx.commit();
    };
    for (int i = 0; i < 100; ++i) commit_one();
    const Cost cost = cost_of([&] {
        for (int i = 0; i < 1000; ++i) commit_one();
    });
    // The transaction itself; lists of the database grow now and then.
    REQUIRE(cost.allocations < 1100);
}

TEST_CASE("the counters of these tests count", "[txn]") {
    const txn_test::Workplace place;
    Database db = prepared(place / "a.db");
    const Cost cost = cost_of([&] { fill(db, 0, 1); });
    REQUIRE(cost.allocations != 0);
#if defined(READING_COST_COUNTS_LOCKS)
    REQUIRE(cost.locks != 0);
#endif
}
