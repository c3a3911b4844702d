// Backup, restore, replay and vacuum through the public interface.
#include "api/northstar.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

using namespace northstar;

namespace {

struct Directory {
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "northstar_copy_XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::string operator/(const std::string& name) const { return (path / name).string(); }
    std::filesystem::path path;
};

Options options(History history = History::everything()) {
    Options o;
    o.history = history;
    o.durability = Durability::lazy;
    return o;
}

std::string key_of(std::uint64_t n) {
    std::string digits = std::to_string(n);
    return "key" + std::string(8 - digits.size(), '0') + digits;
}

/// Random changes, the same for the same seed.
void fill(Database& db, unsigned seed, int txns, std::size_t value_size = 100) {
    std::mt19937 random(seed);
    for (int i = 0; i < txns; ++i) {
        Transaction tx = db.begin_write();
        tx.annotate("who", "writer " + std::to_string(i));
        WritableTree tree = tx.tree("t" + std::to_string(i % 3));
        for (int k = 0; k < 20; ++k) {
            const std::size_t size = random() % 50 == 0 ? 9000 : random() % (value_size + 1);
            tree.put(key_of(random() % 2000), std::string(size, static_cast<char>('a' + random() % 26)));
        }
        if (i % 7 == 3) tree.erase_range(key_of(100), key_of(130));
        if (i % 11 == 5) tree.erase(key_of(random() % 2000));
        if (i == txns / 2) tx.drop_tree("t1");
        tx.commit();
    }
}

Errc code_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.code();
    }
    return Errc{0};
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const auto& problem : report.problems) {
        UNSCOPED_INFO(problem.where + ": " + problem.what);
    }
    REQUIRE(report.problems.empty());
}

}  // namespace

TEST_CASE("replay rebuilds every state from the log alone", "[TRUTH-5][TRUTH-2]") {
    Directory dir;
    Hash chains[121];
    Hash states[121];
    {
        Database db = Database::open(dir / "source", options());
        fill(db, 1, 120);
        db.sync();
        for (Txn txn : {1u, 60u, 61u, 120u}) {
            chains[txn] = db.chain_hash(txn);
            states[txn] = db.begin_read(AsOf::txn(txn)).state_hash();
        }
        SECTION("while the source is open") { Database::replay(dir / "source", dir / "live", AsOf::txn(120)); }
    }
    for (Txn txn : {1u, 60u, 61u, 120u}) {
        const std::string name = dir / ("copy" + std::to_string(txn));
        Database::replay(dir / "source", name, AsOf::txn(txn));
        Database copy = Database::open(name, {});
        REQUIRE(copy.begin_read().txn() == txn);
        REQUIRE(copy.begin_read().state_hash() == states[txn]);
        REQUIRE(copy.chain_hash(txn) == chains[txn]);
        REQUIRE(copy.begin_read(AsOf::txn(1)).state_hash() == states[1]);
        REQUIRE(copy.commit(1)->annotations.at(0).second == "writer 0");
        require_sound(copy);
        Transaction tx = copy.begin_write();
        tx.tree("after").put("k", "v");
        REQUIRE(tx.commit().txn == txn + 1);
    }
    REQUIRE_FALSE(std::filesystem::exists(dir / "copy1-partial"));
}

TEST_CASE("a replayed database has a uuid of its own and the same retention", "[TRUTH-5]") {
    Directory dir;
    std::string uuid;
    {
        Database db = Database::open(dir / "source", options(History::last(1000)));
        fill(db, 2, 10);
        uuid = db.uuid();
    }
    Database::replay(dir / "source", dir / "copy", AsOf::txn(10));
    const Database copy = Database::open(dir / "copy", {});
    REQUIRE(copy.uuid() != uuid);
    REQUIRE(copy.history() == History::last(1000));
}

TEST_CASE("copies refuse an existing destination and points that are not there", "[SPACE-5][PAST-3]") {
    Directory dir;
    {
        Database db = Database::open(dir / "source", options());
        fill(db, 3, 5);
    }
    std::ofstream(dir / "there") << "mine";
    REQUIRE(code_of([&] { Database::replay(dir / "source", dir / "there", AsOf::txn(5)); }) == Errc::already_exists);
    REQUIRE(code_of([&] { Database::replay(dir / "source", dir / "copy", AsOf::txn(6)); }) == Errc::in_the_future);
    REQUIRE(code_of([&] { Database::replay(dir / "none", dir / "copy", AsOf::txn(1)); }) == Errc::not_found);
    Database db = Database::open(dir / "source", {});
    REQUIRE(code_of([&] { db.backup(dir / "there"); }) == Errc::already_exists);
    REQUIRE(code_of([&] { db.vacuum_into(dir / "there"); }) == Errc::already_exists);
    REQUIRE(std::filesystem::file_size(dir / "there") == 4);
    REQUIRE_FALSE(std::filesystem::exists(dir / "copy"));
    REQUIRE_FALSE(std::filesystem::exists(dir / "copy-partial"));
}

TEST_CASE("What a backup has is durable in the database that it was made of", "[SPACE-5][DUR-6]") {
    Directory dir;
    Options lazy = options();
    lazy.background = false;
    Database db = Database::open(dir / "db", lazy);
    for (int i = 1; i <= 3; ++i) db.update([](Transaction& tx) { tx.tree("t").put("key", "value"); });
    REQUIRE(db.statistics().durable_txn == 0);
    db.backup(dir / "copy");
    CHECK(db.statistics().durable_txn == 3);
}

TEST_CASE("restore without a whole log gives the present and nothing older", "[SPACE-5]") {
    Directory dir;
    Hash now;
    Txn newest = 0;
    {
        Database db = Database::open(dir / "source", options(History::nothing()));
        for (int round = 0; round < 4; ++round) {
            fill(db, 4 + static_cast<unsigned>(round), 300, 1000);
            db.checkpoint();
        }
        now = db.begin_read().state_hash();
        newest = db.begin_read().txn();
    }
    REQUIRE(code_of([&] { Database::replay(dir / "source", dir / "r", AsOf::txn(newest)); }) == Errc::before_horizon);
    REQUIRE(code_of([&] { Database::restore(dir / "source", dir / "r", AsOf::txn(3)); }) == Errc::before_horizon);
    Database::restore(dir / "source", dir / "r", AsOf::txn(newest));
    Database copy = Database::open(dir / "r", {});
    REQUIRE(copy.begin_read().state_hash() == now);
    require_sound(copy);
}

TEST_CASE("a backup made while others write is a state that was", "[SPACE-5][SNAP-3]") {
    Directory dir;
    Database db = Database::open(dir / "source", [] {
        Options o = options();
        o.checkpoint_log_bytes = 1u << 20;
        return o;
    }());
    fill(db, 7, 50);
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (unsigned seed = 100; !stop && seed < 140; ++seed) fill(db, seed, 20);
    });
    for (int i = 0; i < 5; ++i) db.backup(dir / ("copy" + std::to_string(i)));
    stop = true;
    writer.join();
    db.sync();
    for (int i = 0; i < 5; ++i) {
        Database copy = Database::open(dir / ("copy" + std::to_string(i)), {});
        const Txn txn = copy.begin_read().txn();
        REQUIRE(txn >= 50);
        REQUIRE(copy.uuid() == db.uuid());
        REQUIRE(copy.chain_hash(txn) == db.chain_hash(txn));
        REQUIRE(copy.begin_read().state_hash() == db.begin_read(AsOf::txn(txn)).state_hash());
        REQUIRE(copy.begin_read(AsOf::txn(20)).state_hash() == db.begin_read(AsOf::txn(20)).state_hash());
        require_sound(copy);
        Transaction tx = copy.begin_write();
        tx.tree("after").put("k", "v");
        REQUIRE(tx.commit().txn == txn + 1);
    }
}

TEST_CASE("a database in memory can be backed up to a file", "[ONE-3][SPACE-5]") {
    Directory dir;
    Database db = Database::open(":memory:", options());
    fill(db, 8, 30);
    db.backup(dir / "copy");
    db.checkpoint();
    db.backup(dir / "again");
    REQUIRE(Database::open(dir / "copy", {}).begin_read().state_hash() == db.begin_read().state_hash());
    REQUIRE(Database::open(dir / "again", {}).begin_read().state_hash() == db.begin_read().state_hash());
}

TEST_CASE("a vacuumed database with history is not larger than its source, however small that is", "[SPACE-5]") {
    Directory dir;
    Database db = Database::open(dir / "source", options(History::everything()));
    db.update([&](Transaction& tx) { tx.tree("t").put("k", "v"); });
    db.vacuum_into(dir / "copy");
    db.close();
    CHECK(std::filesystem::file_size(dir / "copy") <= std::filesystem::file_size(dir / "source"));
}

TEST_CASE("a vacuumed database is dense, says where it comes from, and goes on", "[SPACE-5]") {
    Directory dir;
    Database db = Database::open(dir / "source", options(History::nothing()));
    {
        Transaction tx = db.begin_write();
        tx.tree("empty").put("k", "v");
        tx.tree("empty").erase("k");
        tx.set_history("kept", History::everything());
        tx.commit();
    }
    fill(db, 9, 400);
    db.vacuum_into(dir / "copy");
    db.vacuum_into(dir / "another copy");
    const Txn newest = db.begin_read().txn();
    const Hash state = db.begin_read().state_hash();
    {
        Database copy = Database::open(dir / "copy", options());
        REQUIRE(copy.begin_read().state_hash() == state);
        REQUIRE(copy.begin_read().tree("empty").exists());
        REQUIRE(copy.history() == History::nothing());
        REQUIRE(copy.uuid() != db.uuid());
        REQUIRE(copy.parent().uuid == db.uuid());
        REQUIRE(copy.parent().txn == newest);
        REQUIRE(copy.parent().chain == db.chain_hash(newest));
        require_sound(copy);
        fill(copy, 10, 50);
        copy.checkpoint();
        fill(copy, 11, 50);
    }
    Database copy = Database::open(dir / "copy", {});
    REQUIRE(copy.parent().uuid == db.uuid());
    require_sound(copy);
    // A tree keeps the history of its own.
    Database another = Database::open(dir / "another copy", {});
    for (const char* const value : {"1", "2"}) {
        another.update([&](Transaction& tx) {
            tx.tree("kept").put("k", value);
            tx.tree("empty").put("k", value);
        });
    }
    CHECK(another.history("kept", "k").size() == 2);
    CHECK(another.history("empty", "k").size() < 2);
}

// Its state cannot be built from what is left of the log, nor could the txns of its entries.
TEST_CASE("A database that lost the beginning of its log is restored with the txns of its entries", "[SPACE-5]") {
    for (Txn lost = 1; lost < 4; ++lost) {
        CAPTURE(lost);
        Directory dir;
        Database db = Database::open(dir / "a", options(History::nothing()));
        const auto put = [&](Txn txn) {
            db.update([&](Transaction& tx) { tx.tree("t").put(key_of(txn), std::string(200'000, 'v')); });
        };
        for (Txn txn = 1; txn <= lost; ++txn) put(txn);
        db.compact();
        put(lost + 1);
        db.sync();
        std::filesystem::copy_file(dir / "a", dir / "b");
        Database::restore(dir / "b", dir / "c", AsOf::txn(lost + 1));
        const Database restored = Database::open(dir / "c");
        const Snapshot now = restored.begin_read();
        for (Txn txn = 1; txn <= lost + 1; ++txn) CHECK(now.tree("t").txn_of(key_of(txn)) == txn);
        CHECK(now.state_hash() == db.begin_read().state_hash());
    }
}

TEST_CASE("A copy of a point behind the checkpoint knows nothing of what came later", "[SPACE-5][PAST-3]") {
    Directory dir;
    Options on = options();
    on.background = false;
    Database db = Database::open(dir / "a", on);
    // None begins like another one: at the end of a page anything may follow.
    const auto value_of = [](Txn txn) { return "value " + std::to_string(txn) + ";"; };
    const auto put = [&](Txn txn) {
        db.update([&](Transaction& tx) { tx.tree("t").put(key_of(txn), value_of(txn)); });
    };
    for (Txn txn = 1; txn <= 10; ++txn) put(txn);
    REQUIRE(db.prune(AsOf::txn(5)) == 5);  // the beginning of the log is gone
    db.checkpoint();
    const Txn checkpointed = db.begin_read().txn();
    for (Txn txn = 12; txn <= 20; ++txn) put(txn);
    db.sync();
    std::filesystem::copy_file(dir / "a", dir / "b");
    for (const Txn txn : {checkpointed, Txn{15}, Txn{20}}) {
        CAPTURE(txn);
        const std::string path = dir / ("c" + std::to_string(txn));
        Database::restore(dir / "b", path, AsOf::txn(txn));
        const Database copy = Database::open(path);
        CHECK(copy.begin_read().txn() == txn);
        CHECK(copy.begin_read().state_hash() == db.begin_read(AsOf::txn(txn)).state_hash());
        CHECK_FALSE(copy.commit(txn + 1));
        std::ifstream file(path, std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        // Not even bytes that nothing names.
        for (Txn later = 12; later <= 20; ++later) {
            const bool there = bytes.find(value_of(later)) != std::string::npos;
            CHECK(there == (later <= txn));
        }
        require_sound(copy);
    }
}

TEST_CASE("A copy gives the number of no tree of its source again", "[SPACE-5]") {
    Directory dir;
    Database db = Database::open(dir / "a", options());
    std::uint64_t largest = 0;
    const auto numbers_of = [](const Database& of, Txn txn) {
        std::vector<std::uint64_t> ids;
        const std::optional<CommitRecord> record = of.commit(txn);
        REQUIRE(record);
        for (const Operation& operation : record->operations) ids.push_back(operation.tree_id);
        return ids;
    };
    db.update([](Transaction& tx) {
        tx.tree("kept").put("k", "v");
        for (int i = 0; i < 5; ++i) tx.create_tree("dropped" + std::to_string(i));
    });
    db.sync();
    for (const std::uint64_t id : numbers_of(db, 1)) largest = std::max(largest, id);
    db.update([](Transaction& tx) {
        for (int i = 0; i < 5; ++i) tx.drop_tree("dropped" + std::to_string(i));
    });
    db.vacuum_into(dir / "b");
    Database copy = Database::open(dir / "b", options());
    const Txn made = copy.update([](Transaction& tx) { tx.create_tree("new"); }).txn;
    copy.sync();
    REQUIRE(numbers_of(copy, made).size() == 1);
    CHECK(numbers_of(copy, made).front() > largest);
}

TEST_CASE("A copy made by vacuum_into keeps of each tree how long its past is kept", "[SPACE-5][PAST-4]") {
    Directory dir;
    {
        Database db = Database::open(dir / "a", options(History::nothing()));
        db.update([](Transaction& tx) {
            tx.tree("kept").put("key", "value");
            tx.tree("other").put("key", "value");
            tx.set_history("kept", History::everything());
        });
        db.vacuum_into(dir / "b");
    }
    Database db = Database::open(dir / "b");
    for (const char* const value : {"older", "newer"}) {
        db.update([&](Transaction& tx) {
            for (const char* const tree : {"kept", "other"}) tx.tree(tree).put("key", value);
        });
    }
    const Txn older = db.begin_read().txn() - 1;
    CHECK(db.begin_read(AsOf::txn(older)).tree("kept").get("key") == "older");
    CHECK_THROWS_AS(db.begin_read(AsOf::txn(older)).tree("other").get("key"), Error);
}
