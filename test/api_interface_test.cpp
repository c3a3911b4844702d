// api_interface_test.cpp -- promises about the interface itself: codes, lifetimes, spent handles, files and what they
// are called, and errors that stay.
#include "txn_support.hpp"

#include "base/sha256.hpp"

#include <array>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <type_traits>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

Txn put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    return tx.commit().txn;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::set<std::string> files_in(const std::string& directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
    return names;
}

}  // namespace

TEST_CASE("Numbers and names of codes never change", "[ERR-3]") {
    // Numbers are part of the interface: a line here is never changed, only added.
    const std::pair<int, const char*> codes[] = {
        {1, "invalid_argument"}, {2, "misuse"}, {3, "not_found"}, {4, "timeout"}, {5, "conflict"},
        {6, "read_only"}, {7, "key_too_large"}, {8, "value_too_large"}, {9, "no_space"}, {10, "no_memory"},
        {11, "io"}, {12, "corrupt"}, {13, "not_a_database"}, {14, "newer_format"}, {15, "page_size_mismatch"},
        {16, "truncated"}, {17, "locked"}, {18, "already_open"}, {19, "permission"}, {20, "is_directory"},
        {21, "network_file_system"}, {22, "snapshot_closed"}, {23, "forked"}, {24, "poisoned"},
        {25, "outcome_unknown"}, {26, "before_horizon"}, {27, "in_the_future"}, {28, "unsupported"},
        {29, "too_many_snapshots"}, {30, "already_exists"}, {31, "still_held"},
        {32, "cancelled"}, {33, "stale"},
    };
    for (const auto& [number, name] : codes) {
        CHECK(std::string(to_string(static_cast<Errc>(number))) == name);
        CHECK(std::string(northstar_code_name(number)) == name);
    }
    CHECK(std::string(to_string(static_cast<Errc>(4711))) == "unknown");
    CHECK(NORTHSTAR_CORRUPT == 12);
    CHECK(NORTHSTAR_ALREADY_EXISTS == 30);
}

TEST_CASE("Destructors and moves do not throw", "[ERR-4]") {
    CHECK(std::is_nothrow_destructible_v<Database>);
    CHECK(std::is_nothrow_destructible_v<Snapshot>);
    CHECK(std::is_nothrow_destructible_v<Transaction>);
    CHECK(std::is_nothrow_destructible_v<Cursor>);
    CHECK(std::is_nothrow_destructible_v<Range>);
    CHECK(std::is_nothrow_destructible_v<Feed>);
    CHECK(std::is_nothrow_move_constructible_v<Database>);
    CHECK(std::is_nothrow_move_constructible_v<Snapshot>);
    CHECK(std::is_nothrow_move_constructible_v<Transaction>);
    CHECK(std::is_nothrow_move_constructible_v<Cursor>);
    CHECK_FALSE(std::is_copy_constructible_v<Database>);
    CHECK_FALSE(std::is_copy_constructible_v<Snapshot>);
    CHECK_FALSE(std::is_copy_constructible_v<Transaction>);
}

TEST_CASE("What was moved from says so, whatever is asked of it", "[ERR-1][SNAP-6][TX-5]") {
    Database db = Database::open(":memory:", quiet());
    put(db, "a", "1");
    put(db, "b", "2");
    Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree("t");
    Cursor cursor = tree.cursor();
    REQUIRE(cursor.first());
    Cursor to = std::move(cursor);
    CHECK(to.key() == "a");
    CHECK_FALSE(cursor.valid());
    CHECK(code_of([&] { cursor.first(); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.last(); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.lower_bound("a"); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.upper_bound("a"); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.find("a"); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.next(); }) == Errc::misuse);
    CHECK(code_of([&] { cursor.prev(); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(cursor.key()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(cursor.value()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(cursor.txn()); }) == Errc::misuse);
    Range range = tree.all();
    Range range_to = std::move(range);
    CHECK(code_of([&] { static_cast<void>(range.begin()); }) == Errc::misuse);
    CHECK((*range_to.begin()).key == "a");
    CommitRange commits = db.commits();
    CommitRange commits_to = std::move(commits);
    CHECK(code_of([&] { static_cast<void>(commits.begin()); }) == Errc::misuse);
    CHECK((*commits_to.begin()).txn == 1);
    Feed feed = db.feed(1);
    Feed feed_to = std::move(feed);
    CHECK(code_of([&] { static_cast<void>(feed.next(0)); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(feed.position()); }) == Errc::misuse);
    CHECK(feed_to.next(0)->txn == 1);
    Snapshot snapshot_to = std::move(snapshot);
    CHECK(code_of([&] { static_cast<void>(snapshot.txn()); }) == Errc::snapshot_closed);
    CHECK(snapshot_to.txn() == 2);
    Database db_to = std::move(db);
    CHECK(code_of([&] { static_cast<void>(db.path()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.uuid()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.history()); }) == Errc::misuse);
    CHECK(code_of([&] { db.set_history(History::nothing()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.statistics()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.max_key_size()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.diff(AsOf::txn(1), AsOf::txn(2))); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.consumer("c")); }) == Errc::misuse);
    CHECK(code_of([&] { db.acknowledge("c", {}); }) == Errc::misuse);
    CHECK(code_of([&] { db.backup("x"); }) == Errc::misuse);
    db.close();
    CHECK(db_to.path() == ":memory:");
}

TEST_CASE("A refused write leaves no tree behind", "[KV-4]") {
    // The tree was made first, and committed empty although the only write to it had been refused.
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    const std::string too_long(db.max_key_size() + 1, 'k');
    CHECK(code_of([&] { tx.tree("t").put(too_long, "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").put_if_absent(too_long, "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").compare_and_swap(too_long, std::nullopt, "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").append(too_long, "v"); }) == Errc::key_too_large);
    const std::string_view impossible("x", std::size_t{1} << 32);
    CHECK(code_of([&] { tx.tree("t").put("k", impossible); }) == Errc::value_too_large);
    CHECK(tx.tree_names().empty());
    CHECK(tx.commit().txn == 0);
    CHECK(db.begin_read().tree_names().empty());
}

TEST_CASE("A database is one file, with a side file only while it is open", "[ONE-1][ONE-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    std::string uuid;
    {
        Database db = Database::open(path);
        for (int i = 0; i < 50; ++i) put(db, "k" + std::to_string(i), std::string(3000, 'v'));
        db.checkpoint();
        uuid = db.uuid();
        for (const std::string& name : files_in(place.path())) CHECK((name == "a.db" || name == "a.db-shared"));
    }
    // Nobody has it open: the side file may go, the file may be moved and copied.
    std::error_code ignored;
    std::filesystem::remove(path + "-shared", ignored);
    std::filesystem::create_directory(place / "elsewhere");
    const std::string moved = place / "elsewhere" + "/b.db";
    std::filesystem::copy_file(path, moved);
    std::filesystem::rename(path, place / "c.db");
    for (const std::string& name : {moved, place / "c.db"}) {
        Database db = Database::open(name);
        CHECK(db.uuid() == uuid);
        CHECK(db.begin_read().tree("t").size() == 50);
        CHECK(db.begin_read(AsOf::txn(7)).tree("t").size() == 7);
        CHECK(put(db, "more", "1") == 51);
        CHECK(db.verify().ok());
    }
}

TEST_CASE("Keys to the limit of every page size, with every byte", "[KV-1][KV-4][ONE-4]") {
    for (const std::uint32_t page_size : {4096u, 8192u, 16384u, 32768u, 65536u}) {
        INFO("page size " << page_size);
        const Workplace place;
        Options options = quiet();
        options.page_size = page_size;
        std::optional<Database> db(Database::open(place / "a.db", options));
        const std::size_t longest = db->max_key_size();
        CHECK(longest >= page_size / 4);
        std::map<std::string, std::string> wanted;
        {
            Transaction tx = db->begin_write();
            const auto add = [&](const std::string& key, const std::string& value) {
                tx.tree("t").put(key, value);
                wanted[key] = value;
            };
            add("", "");
            for (int byte = 0; byte < 256; ++byte) {
                const char c = static_cast<char>(byte);
                add(std::string(1, c), std::string(1, c));
                if (byte % 16 == 0) add(std::string(longest, c), std::string(page_size / 3, c));
                if (byte % 32 == 1) add(std::string(longest - 1, 'p') + c, "");
            }
            CHECK(code_of([&] { tx.tree("t").put(std::string(longest + 1, 'x'), ""); }) == Errc::key_too_large);
            tx.commit();
        }
        for (int round = 0; round < 2; ++round) {
            if (round == 1) {
                db.reset();
                db.emplace(Database::open(place / "a.db", options));
            }
            const Snapshot now = db->begin_read();
            auto at = wanted.begin();
            for (auto [key, value] : now.tree("t").all()) {
                if (at == wanted.end() || key != at->first || value != at->second) FAIL("differs");
                ++at;
            }
            CHECK(at == wanted.end());
            for (const auto& [key, value] : wanted) {
                if (now.tree("t").get(key) != value) FAIL("get of " << key.size() << " bytes");
            }
        }
        CHECK(db->verify().ok());
    }
}

TEST_CASE("Each link of the chain is the hash of the one before and of the record", "[CHAIN-1][CHAIN-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Database db = Database::open(path, quiet());
    std::vector<Hash> promised(1);
    for (int i = 0; i < 30; ++i) {
        Transaction tx = db.begin_write();
        tx.annotate("number", std::to_string(i));
        tx.tree("t").put("k" + std::to_string(i % 4), std::to_string(i));
        const Commit commit = tx.commit();
        promised.push_back(commit.hash());
        if (i % 10 == 9) db.checkpoint();
    }
    Hash chain;
    Txn txn = 0;
    for (const CommitRecord& record : db.commits()) {
        ++txn;
        detail::Sha256 sha;
        sha.update(chain.bytes, sizeof chain.bytes);
        sha.update(record.digest.bytes, sizeof record.digest.bytes);
        chain = sha.finish();
        CHECK(chain == promised[txn]);
        CHECK(db.chain_hash(txn) == chain);
    }
    CHECK(txn == 30);
    // Equal contents have different digests: each record has a nonce.
    Database one = Database::open(":memory:", quiet());
    Database two = Database::open(":memory:", quiet());
    put(one, "a", "1");
    put(two, "a", "1");
    CHECK_FALSE(one.commit(1)->digest == two.commit(1)->digest);
    CHECK(one.begin_read().state_hash() == two.begin_read().state_hash());
    Transaction nothing = one.begin_write();
    const Commit empty = nothing.commit();
    CHECK(empty.txn == 0);
    CHECK(code_of([&] { static_cast<void>(empty.hash()); }) == Errc::invalid_argument);
}

TEST_CASE("A position of the feed is not continued in another history", "[PAST-9]") {
    const Workplace place;
    FeedPosition second;
    FeedPosition fifth;
    {
        Database db = Database::open(place / "a.db", quiet());
        for (int i = 1; i <= 5; ++i) put(db, "k", std::to_string(i));
        Feed feed = db.feed(1);
        for (int i = 1; i <= 5; ++i) {
            REQUIRE(feed.next(0).has_value());
            if (i == 2) second = feed.position();
        }
        fifth = feed.position();
        Feed goes_on = db.feed(fifth);
        CHECK_FALSE(goes_on.next(0).has_value());
    }
    // Restored to txn 3, and another txn 4 and 5 since: the same numbers, another history.
    Database::restore(place / "a.db", place / "b.db", AsOf::txn(3));
    Database db = Database::open(place / "b.db", quiet());
    CHECK(code_of([&] { static_cast<void>(db.feed(fifth)); }) == Errc::not_found);
    for (int i = 4; i <= 6; ++i) CHECK(put(db, "k", "other " + std::to_string(i)) == static_cast<Txn>(i));
    CHECK(code_of([&] { static_cast<void>(db.feed(fifth)); }) == Errc::not_found);
    Feed feed = db.feed(second);
    const std::optional<CommitRecord> next = feed.next(0);
    REQUIRE(next.has_value());
    CHECK(next->txn == 3);
    CHECK(feed.next(0)->operations.back().value == "other 4");
}

TEST_CASE("Reading the past costs no replay, however much was written since", "[PAST-2]") {
    // The same question about a key with few versions and about one with thousands.
    Database db = Database::open(":memory:", quiet());
    const auto write = [&](const std::string& key, int versions) {
        for (int i = 0; i < versions; ++i) {
            Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
            tx.tree("t").put(key, std::to_string(i));
            tx.commit();
        }
    };
    write("few", 10);
    const Txn early = db.begin_read().txn();
    write("many", 10'000);
    db.checkpoint();
    const auto cost = [&](const std::string& key, Txn txn) {
        const Snapshot then = db.begin_read(AsOf::txn(txn));
        const Tree tree = then.tree("t");
        std::uint64_t best = ~std::uint64_t{0};
        for (int round = 0; round < 20; ++round) {
            const auto began = std::chrono::steady_clock::now();
            for (int i = 0; i < 50; ++i) {
                if (!tree.get(key)) FAIL("not there");
            }
            const auto took = std::chrono::steady_clock::now() - began;
            best = std::min<std::uint64_t>(best, static_cast<std::uint64_t>(took.count()));
        }
        return best;
    };
    const std::uint64_t few = cost("few", 5);
    const std::uint64_t many = cost("many", early + 5000);
    INFO(few << " ns for 50 reads of a key with 10 versions, " << many << " with 10,000");
    // A replay would be a thousand times slower.
    CHECK(many < 50 * few + 100'000);
}

TEST_CASE("The state hash is that of the specification", "[TRUTH-4]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    tx.tree("t").put("a", "1");
    tx.tree("t").put("bc", "");
    tx.tree("u").put("", "x");
    tx.commit();
    detail::Sha256 sha;
    const auto tree = [&](std::string_view name) {
        sha.update(std::string_view("T"));
        sha.update_u64(name.size());
        sha.update(name);
    };
    const auto entry = [&](std::string_view key, std::string_view value) {
        sha.update(std::string_view("E"));
        sha.update_u64(key.size());
        sha.update_u64(value.size());
        sha.update(key);
        sha.update(value);
    };
    tree("t");
    entry("a", "1");
    entry("bc", "");
    tree("u");
    entry("", "x");
    CHECK(db.begin_read().state_hash() == sha.finish());
}

TEST_CASE("A cursor that met damage keeps saying so, and what is intact stays readable", "[KV-6][DMG-2]") {
    const Workplace place;
    const std::string whole = place / "whole.db";
    {
        Database db = Database::open(whole, quiet());
        Transaction tx = db.begin_write();
        for (int i = 0; i < 3000; ++i) tx.tree("t").append("k" + std::to_string(10000 + i), std::string(50, 'v'));
        tx.commit();
    }
    const std::string bytes = read_file(whole);
    const std::string path = place / "a.db";
    int met = 0;
    for (std::size_t page = 2; page < bytes.size() / 4096 && met < 8; ++page) {
        std::string damaged = bytes;
        damaged[page * 4096 + 2000] = static_cast<char>(~damaged[page * 4096 + 2000]);
        {
            std::ofstream file(path, std::ios::binary | std::ios::trunc);
            file << damaged;
        }
        std::optional<Database> db;
        if (code_of([&] { db.emplace(Database::open(path, quiet())); })) continue;
        const Snapshot now = db->begin_read();
        if (code_of([&] { static_cast<void>(now.tree("t")); })) continue;
        const Tree tree = now.tree("t");
        Cursor cursor = tree.cursor();
        std::uint64_t count = 0;
        std::optional<Errc> code;
        bool there = false;
        code = code_of([&] { there = cursor.first(); });
        while (!code && there) {
            ++count;
            code = code_of([&] { there = cursor.next(); });
        }
        if (!code || count == 0) continue;
        ++met;
        INFO("page " << page << ", after " << count << " entries");
        CHECK(code == Errc::corrupt);
        CHECK(count < 3000);
        for (int i = 0; i < 3; ++i) CHECK(code_of([&] { cursor.next(); }) == Errc::corrupt);
        // What lies on the other side of the damage is found from there.
        CHECK(cursor.last());
        CHECK(cursor.key() == "k12999");
        CHECK(cursor.first());
        CHECK(cursor.key() == "k10000");
        CHECK(tree.get("k10001").has_value());
        // A range does the same: it ends with the error, not early.
        std::uint64_t ranged = 0;
        CHECK(code_of([&] { for (auto entry : tree.all()) ranged += entry.key.size() / 6; }) == Errc::corrupt);
        CHECK(ranged == count);
        std::uint64_t backwards = 0;
        CHECK(code_of([&] { for (auto entry : tree.all().reversed()) backwards += entry.key.size() / 6; }) ==
              Errc::corrupt);
        CHECK(backwards + count < 3000);
        const VerifyReport report = db->verify();
        CHECK_FALSE(report.ok());
        bool named = false;
        for (const Problem& problem : report.problems) named = named || problem.where == "page " + std::to_string(page);
        CHECK(named);
    }
    CHECK(met >= 4);
}
