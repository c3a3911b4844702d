// Compaction: the file shrinks, the content stays.
#include "api/northstar.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

using namespace northstar;

namespace {

struct Directory {
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "northstar_compact_XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
    std::filesystem::path path;
};

std::string key_of(std::uint64_t n) {
    std::string digits = std::to_string(n);
    return "key" + std::string(8 - digits.size(), '0') + digits;
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const auto& problem : report.problems) {
        UNSCOPED_INFO(problem.where + ": " + problem.what);
    }
    REQUIRE(report.problems.empty());
}

/// Fills a database, then erases most of it, so that what stays is scattered.
void scatter(Database& db, unsigned seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < 20; ++i) {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree(i % 2 == 0 ? "even" : "odd");
        for (int k = 0; k < 1000; ++k) {
            const std::size_t size = random() % 100 == 0 ? 20000 : random() % 300;
            tree.put(key_of(random() % 100000), std::string(size, 'x'));
        }
        tx.commit();
        if (i % 5 == 4) db.checkpoint();
    }
    Transaction tx = db.begin_write();
    for (int k = 0; k < 100000; k += 1000) {
        tx.tree("even").erase_range(key_of(static_cast<std::uint64_t>(k)), key_of(static_cast<std::uint64_t>(k) + 900));
        tx.tree("odd").erase_range(key_of(static_cast<std::uint64_t>(k)), key_of(static_cast<std::uint64_t>(k) + 800));
    }
    tx.commit();
    db.checkpoint();
}

Options options(History history) {
    Options o;
    o.history = history;
    o.durability = Durability::lazy;
    return o;
}

}  // namespace

TEST_CASE("compacting gives free space back and changes no content", "[SPACE-4]") {
    const History history = GENERATE(History::nothing(), History::everything());
    Directory dir;
    Database db = Database::open(dir / "db", options(history));
    scatter(db, 1);
    const Hash before = db.begin_read().state_hash();
    const Txn txn = db.begin_read().txn();
    const Statistics was = db.statistics();
    const std::uint64_t released = db.compact();
    const Statistics is = db.statistics();
    INFO("used " << was.used_pages << " free " << was.free_pages << " held " << was.held_pages << ", now used "
                 << is.used_pages << " free " << is.free_pages << " held " << is.held_pages);
    REQUIRE(is.file_bytes == was.file_bytes - released);
    REQUIRE(is.file_bytes == std::filesystem::file_size(dir / "db"));
    // What the log keeps is most of the file where there is history.
    REQUIRE(is.file_bytes * 3 < was.file_bytes * 2);
    REQUIRE(is.file_bytes <= (is.used_pages + is.used_pages / 10 + 20) * is.page_size);
    REQUIRE(db.begin_read().txn() == txn);
    REQUIRE(db.begin_read().state_hash() == before);
    require_sound(db);
    db.close();
    db = Database::open(dir / "db", {});
    REQUIRE(db.begin_read().state_hash() == before);
    if (history == History::everything()) {
        REQUIRE(db.begin_read(AsOf::txn(5)).tree("even").size() > 0);
        REQUIRE_NOTHROW(db.chain_hash(3));
    }
    require_sound(db);
}

// Compacting lifted a large value that fits into no hole below the line again and again, since it came back where it
// was each time: vacuum_into of a database with such values never ended.
TEST_CASE("compacting ends where large values fit into no hole further down", "[SPACE-4]") {
    const History history = GENERATE(History::nothing(), History::everything());
    Directory dir;
    Options quiet = options(history);
    quiet.background = false;
    Database db = Database::open(dir / "db", quiet);
    for (int i = 0; i < 8; ++i) {
        Transaction tx = db.begin_write();
        for (std::uint64_t k = 0; k < 300; ++k) {
            tx.tree("small").put(key_of(k * 8 + static_cast<std::uint64_t>(i)), std::string(300, 'a'));
        }
        tx.tree("large").put(key_of(static_cast<std::uint64_t>(i)), std::string(1'000'000, static_cast<char>('a' + i)));
        tx.commit();
        db.checkpoint();
    }
    {
        Transaction tx = db.begin_write();
        for (std::uint64_t i = 0; i < 7; ++i) tx.tree("large").erase(key_of(i));
        for (std::uint64_t k = 0; k < 2400; ++k) {
            if (k % 3 != 0) tx.tree("small").erase(key_of(k));
        }
        tx.commit();
    }
    const Hash before = db.begin_read().state_hash();
    const std::uint64_t generation = db.statistics().generation;
    db.compact();
    // A few checkpoints for each round, and no window behind two that were in vain.
    CHECK(db.statistics().generation <= generation + 50);
    REQUIRE(db.begin_read().state_hash() == before);
    require_sound(db);
    db.vacuum_into(dir / "vacuum");
    const Database copy = Database::open(dir / "vacuum", {});
    REQUIRE(copy.begin_read().state_hash() == before);
}

// A log that is kept lies in extents of many pages, which need as many free pages side by side: where pages of trees
// lay between them, compacting left the holes that were shorter.
TEST_CASE("compacting a file with history ends near the size of what is in it", "[SPACE-4][PAST-1]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::everything()));
    std::mt19937 random(9);
    for (int i = 0; i < 60; ++i) {
        Transaction tx = db.begin_write();
        // All over the tree, so that each checkpoint writes most leaves anew between two stretches of log.
        for (int k = 0; k < 1500; ++k) tx.tree("t").put(key_of(random() % 20000), std::string(100, 'x'));
        if (i % 7 == 0) tx.tree("large").put(key_of(random() % 5), std::string(300'000, 'y'));
        tx.commit();
        db.checkpoint();
    }
    db.update([](Transaction& tx) { tx.tree("t").erase_range(key_of(3000), key_of(18000)); });
    const Hash before = db.begin_read().state_hash();
    const Hash past = db.begin_read(AsOf::txn(20)).state_hash();
    const Statistics was = db.statistics();
    db.compact();
    const Statistics is = db.statistics();
    INFO("used " << was.used_pages << " free " << was.free_pages << " held " << was.held_pages << ", now used "
                 << is.used_pages << " free " << is.free_pages << " held " << is.held_pages);
    CHECK(is.file_bytes <= (is.used_pages + is.used_pages / 20) * is.page_size);
    CHECK(db.begin_read().state_hash() == before);
    CHECK(db.begin_read(AsOf::txn(20)).state_hash() == past);
    require_sound(db);
}

TEST_CASE("compacting fills leaves that random inserts left room in", "[SPACE-4]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::nothing()));
    std::mt19937_64 random(7);
    std::uint64_t bytes = 0;
    for (int i = 0; i < 60; ++i) {
        Transaction tx = db.begin_write();
        for (int k = 0; k < 1000; ++k) {
            const std::string key = key_of(random() % 100'000'000);
            tx.tree("t").put(key, std::string(100, 'x'));
            bytes += key.size() + 100;
        }
        tx.commit();
    }
    const Hash before = db.begin_read().state_hash();
    db.compact();
    // Each entry needs some bytes beside its key and value, each page a header.
    CHECK(db.statistics().used_pages * db.statistics().page_size < bytes + bytes / 10);
    CHECK(db.begin_read().state_hash() == before);
    require_sound(db);
}

// Two entries of half a page leave a third of it free, and no other leaf can take a part of one.
TEST_CASE("compacting ends where leaves have room that no entry fits into", "[SPACE-4]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::nothing()));
    for (std::uint64_t i = 0; i < 40; ++i) {
        Transaction tx = db.begin_write();
        for (std::uint64_t k = 0; k < 40; ++k) tx.tree("t").put(key_of(k * 40 + i), std::string(1300 + k, 'x'));
        tx.commit();
    }
    const Hash before = db.begin_read().state_hash();
    db.compact();
    CHECK(db.begin_read().state_hash() == before);
    require_sound(db);
}

TEST_CASE("after compacting, history that was off can be turned on and the log goes on", "[SPACE-4][PAST-4]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::nothing()));
    scatter(db, 2);
    db.compact();
    db.set_history(History::everything());
    for (int i = 0; i < 3; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("odd").put("z" + std::to_string(i), "v");
        tx.commit();
        db.checkpoint();
    }
    require_sound(db);
    const Hash now = db.begin_read().state_hash();
    db.close();
    db = Database::open(dir / "db", {});
    REQUIRE(db.begin_read().state_hash() == now);
}

// The log begins behind the newest commit then: whoever looked for its record read on into what was never written.
TEST_CASE("the present version of a key is told where a compaction let go of the whole log", "[SPACE-4][PAST-6]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::nothing()));
    db.update([](Transaction& tx) {
        for (int i = 0; i < 300; ++i) tx.tree("t").put("k" + std::to_string(i), std::string(1000, 'v'));
    });
    db.compact();
    const std::vector<Version> versions = db.history("t", "k7");
    REQUIRE(versions.size() == 1);
    CHECK(versions[0].value == std::string(1000, 'v'));
    CHECK(db.verify().ok());
}

TEST_CASE("closing gives back a file that is mostly free", "[SPACE-4]") {
    Directory dir;
    std::uint64_t before = 0;
    Hash state;
    {
        Database db = Database::open(dir / "db", options(History::nothing()));
        scatter(db, 4);
        before = db.statistics().file_bytes;
        state = db.begin_read().state_hash();
        Transaction tx = db.begin_write();
        tx.tree("even").put("key", "value");
        tx.tree("even").erase("key");
        tx.commit();
    }
    REQUIRE(std::filesystem::file_size(dir / "db") * 2 < before);
    const Database db = Database::open(dir / "db", {});
    REQUIRE(db.begin_read().state_hash() == state);
    require_sound(db);
}

TEST_CASE("readers and writers go on while a database is compacted", "[SPACE-4][SNAP-3][CALM-2]") {
    Directory dir;
    Database db = Database::open(dir / "db", options(History::nothing()));
    scatter(db, 3);
    const Snapshot old = db.begin_read();
    const Hash before = old.state_hash();
    std::atomic<bool> stop{false};
    std::uint64_t written = 0;
    std::thread writer([&] {
        while (!stop) {
            Transaction tx = db.begin_write();
            tx.tree("counter").put("n", std::to_string(++written));
            tx.tree("odd").put(key_of(written % 100000), "new");
            tx.commit();
        }
    });
    std::atomic<int> wrong{0};
    std::thread reader([&] {
        while (!stop) {
            const Snapshot now = db.begin_read();
            if (now.state_hash() != now.state_hash()) ++wrong;
        }
    });
    db.compact();
    db.compact();
    stop = true;
    writer.join();
    reader.join();
    REQUIRE(wrong == 0);
    REQUIRE(old.state_hash() == before);
    REQUIRE(db.begin_read().tree("counter").get("n") == std::to_string(written));
    require_sound(db);
}

// A large value at the end, and no hole that is long enough for it: a close makes none.
TEST_CASE("a close gives up soon where nothing finds room further down", "[SPACE-4][COMPACT-3]") {
    Directory dir;
    Options quiet = options(History::nothing());
    quiet.background = false;
    std::uint64_t before = 0;
    {
        Database db = Database::open(dir / "db", quiet);
        const auto put = [&](const std::string& key, std::size_t size) {
            Transaction tx = db.begin_write();
            tx.tree("t").put(key, std::string(size, 'x'));
            tx.commit();
        };
        for (int i = 0; i < 40; ++i) {
            put("gone" + std::to_string(i), 100'000);
            put("kept" + std::to_string(i), 20'000);
            db.checkpoint();
        }
        put("large", 2'500'000);
        db.checkpoint();
        Transaction tx = db.begin_write();
        tx.tree("t").erase_range("gone", "gonf");
        tx.commit();
        for (int i = 0; i < 4; ++i) db.checkpoint();
        before = db.statistics().generation;
    }
    // A few checkpoints for each round, and no round behind two that were in vain.
    Database db = Database::open(dir / "db", quiet);
    CHECK(db.statistics().generation > before);
    CHECK(db.statistics().generation <= before + 30);
    require_sound(db);
}

// Those in front stay where they are: where they were moved as well, they took the room of those behind.
TEST_CASE("compacting ends near the size of what is in a file with large values in front and behind", "[SPACE-4]") {
    Directory dir;
    Options quiet = options(History::nothing());
    quiet.background = false;
    Database db = Database::open(dir / "db", quiet);
    const auto put = [&](const std::string& key, std::size_t size) {
        db.update([&](Transaction& tx) { tx.tree("t").put(key, std::string(size, 'x')); });
        db.checkpoint();
    };
    constexpr std::size_t k_front = 3'000'000;
    constexpr std::size_t k_other = 230'000;
    put("front", k_front);
    for (int i = 0; i < 10; ++i) put("between" + std::to_string(i), k_other);
    for (int i = 0; i < 10; ++i) put("gone" + std::to_string(i), k_other);
    put("behind", k_other);
    db.update([](Transaction& tx) { tx.tree("t").erase_range("gone", "gonf"); });
    for (int i = 0; i < 4; ++i) db.checkpoint();
    const std::uint64_t before = db.statistics().file_bytes;
    db.compact();
    const Statistics is = db.statistics();
    CHECK(is.file_bytes < before);
    CHECK(is.file_bytes <= (is.used_pages + is.used_pages / 20) * is.page_size);
    CHECK(db.begin_read().tree("t").get("behind") == std::string(k_other, 'x'));
    require_sound(db);
}
