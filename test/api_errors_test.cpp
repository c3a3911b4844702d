// api_errors_test.cpp -- what bad input, bad files and bad use get: a code of its own and a sentence, never more.
#include "txn_support.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

Options existing() {
    Options options = quiet();
    options.create = false;
    return options;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << bytes;
    REQUIRE(file.flush());
}

void put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    tx.commit();
}

/// A small database with every kind of page: trees, a large value, history, a log behind the checkpoint or none.
std::string make_small(const std::string& path, bool clean) {
    Options options = quiet();
    Database db = Database::open(path, options);
    for (int i = 0; i < 40; ++i) put(db, "k" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 3, 'v'));
    put(db, "large", std::string(9000, 'L'));
    {
        Transaction tx = db.begin_write();
        tx.tree("t").erase_range("k1", "k15");
        tx.tree("other").put("x", "y");
        tx.annotate("who", "test");
        tx.commit();
    }
    if (clean) {
        db.close();
        return read_file(path);
    }
    db.checkpoint();
    put(db, "k1", "behind the checkpoint");
    put(db, "k2", std::string(100, 'w'));
    return read_file(path);
}

/// Everything that can be read, as one text; throws what reading throws.
std::string read_all(const Database& db) {
    std::string out;
    const auto state = [&](const Snapshot& snapshot) {
        out += "txn " + std::to_string(snapshot.txn()) + "\n";
        for (const std::string& name : snapshot.tree_names()) {
            out += name + ":\n";
            for (auto [key, value] : snapshot.tree(name).all()) {
                out += std::string(key) + "=" + std::string(value) + "\n";
            }
        }
    };
    const Snapshot now = db.begin_read();
    state(now);
    state(db.begin_read(AsOf::txn(now.txn() / 2)));
    for (const CommitRecord& record : db.commits()) {
        out += "commit " + std::to_string(record.txn) + " " + std::to_string(record.time_us);
        for (const Operation& op : record.operations) {
            out += " " + std::string(op.tree) + "." + std::string(op.key) + "=" + std::string(op.value);
        }
        out += "\n";
    }
    for (const Version& version : db.history("t", "k1")) out += "v" + std::to_string(version.txn) + "\n";
    return out;
}

struct Damage {
    int right = 0, refused = 0;
};

/// Opens the bytes as a database, reads everything and verifies: the right content, the right content of an older txn
/// that was acknowledged as such, or an error.
void try_bytes(const std::string& path, const std::string& bytes, const std::string& wanted, const Options& options,
               std::size_t place, Damage& damage) {
    write_file(path, bytes);
    try {
        const Database db = Database::open(path, options);
        const std::string got = read_all(db);
        const VerifyReport report = db.verify();
        if (got != wanted) {
            std::size_t at = 0;
            while (at < got.size() && at < wanted.size() && got[at] == wanted[at]) ++at;
            FAIL("byte " << place << ": other content from character " << at << ": \""
                         << got.substr(at, 40) << "\" for \"" << wanted.substr(at, 40) << "\"");
        }
        ++(report.ok() ? damage.right : damage.refused);
    } catch (const Error& error) {
        ++damage.refused;
        if (std::string(error.what()).size() < 20) FAIL("byte " << place << ": no sentence: " << error.what());
    }
}

void flip_everywhere(bool clean, ReadMode mode, std::size_t step) {
    const Workplace place;
    const std::string bytes = make_small(place / "whole.db", clean);
    const std::string path = place / "damaged.db";
    Options options = existing();
    options.read_mode = mode;
    options.map_size = 64u << 20;
    Damage damage;
    write_file(path, bytes);
    std::string wanted;
    {
        const Database db = Database::open(path, options);
        wanted = read_all(db);
    }
    try_bytes(path, bytes, wanted, options, bytes.size(), damage);
    REQUIRE(damage.right == 1);
    std::string copy = bytes;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
        copy[i] = static_cast<char>(copy[i] ^ (1 << i % 8));
        std::error_code ignored;
        std::filesystem::remove(path + "-shared", ignored);
        try_bytes(path, copy, wanted, options, i, damage);
        copy[i] = bytes[i];
    }
    INFO(bytes.size() << " bytes: " << damage.refused << " flips reported, " << damage.right << " not needed");
    CHECK(damage.refused > 0);
}

}  // namespace

TEST_CASE("A file that is something else is not a database", "[ERR-1][ERR-2]") {
    const Workplace place;
    const std::string path = place / "text";
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{4096}, std::size_t{100000}}) {
        const std::string bytes(size, 'x');
        write_file(path, bytes);
        CHECK(code_of([&] { Database::open(path); }) == Errc::not_a_database);
        CHECK(read_file(path) == bytes);
    }
}

TEST_CASE("A missing file, a directory and a missing directory have codes of their own", "[ERR-1][ERR-2]") {
    const Workplace place;
    CHECK(code_of([&] { Database::open(place / "none.db", existing()); }) == Errc::not_found);
    Options read_only;
    read_only.read_only = true;
    CHECK(code_of([&] { Database::open(place / "none.db", read_only); }) == Errc::not_found);
    CHECK(code_of([&] { Database::open(place.path()); }) == Errc::is_directory);
    CHECK(code_of([&] { Database::open("/dev/null"); }) == Errc::is_directory);
    CHECK(code_of([&] { Database::open(place / "no" + "/such/dir.db"); }) == Errc::not_found);
    CHECK(code_of([&] { Database::open(""); }) == Errc::invalid_argument);
    CHECK(std::filesystem::is_empty(place.path()));
}

TEST_CASE("Options that make no sense are refused before a file is made", "[ERR-1][ONE-4]") {
    const Workplace place;
    for (const std::uint32_t size : {1u, 1000u, 2048u, 5000u, 131072u}) {
        Options options = quiet();
        options.page_size = size;
        CHECK(code_of([&] { Database::open(place / "a.db", options); }) == Errc::invalid_argument);
    }
    Options options = quiet();
    options.log_align = 512;
    CHECK(code_of([&] { Database::open(place / "a.db", options); }) == Errc::invalid_argument);
    CHECK(std::filesystem::is_empty(place.path()));
}

TEST_CASE("Another page size than the file's is a mismatch", "[ERR-2][ONE-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    make_small(path, true);
    Options options = quiet();
    options.page_size = 8192;
    CHECK(code_of([&] { Database::open(path, options); }) == Errc::page_size_mismatch);
    options.page_size = 4096;
    CHECK_FALSE(code_of([&] { Database::open(path, options); }));
}

TEST_CASE("One file cannot be open twice in a process, whatever it is called", "[SWARM-9]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const Database db = Database::open(path, quiet());
    CHECK(code_of([&] { Database::open(path); }) == Errc::already_open);
    CHECK(code_of([&] { Database::open(place.path() + "/./a.db"); }) == Errc::already_open);
    std::filesystem::create_hard_link(path, place / "hard.db");
    CHECK(code_of([&] { Database::open(place / "hard.db"); }) == Errc::already_open);
    std::filesystem::create_symlink(path, place / "soft.db");
    CHECK(code_of([&] { Database::open(place / "soft.db"); }) == Errc::already_open);
    CHECK_FALSE(code_of([&] { static_cast<void>(db.begin_read()); }));
}

TEST_CASE("A truncated file is said to be truncated, or gives an error, never other content", "[ERR-2][DMG-2]") {
    const Workplace place;
    const std::string bytes = make_small(place / "whole.db", true);
    const std::string path = place / "short.db";
    int truncated = 0;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        for (std::size_t size = 0; size < bytes.size(); size += 1777) {
            INFO("cut to " << size << " of " << bytes.size());
            write_file(path, bytes.substr(0, size));
            std::error_code ignored;
            std::filesystem::remove(path + "-shared", ignored);
            Options options = existing();
            options.read_mode = mode;
            const auto code = code_of([&] {
                const Database db = Database::open(path, options);
                static_cast<void>(read_all(db));
                if (!db.verify().ok()) throw Error(Errc::corrupt, "verify found what was cut off");
            });
            // An empty file is a database about to be made.
            if (size >= 8192) CHECK(code.has_value());
            if (code == Errc::truncated) ++truncated;
        }
    }
    CHECK(truncated > 0);
}

TEST_CASE("A flipped bit anywhere in a closed file is reported or harmless", "[DMG-1][DMG-2][DMG-6][slow]") {
    flip_everywhere(true, ReadMode::map, txn_test::scaled(1) > 2 ? 1 : 29);
}

TEST_CASE("A flipped bit anywhere in a closed file is reported or harmless, read without a mapping",
          "[DMG-1][DMG-2][DMG-6][slow]") {
    flip_everywhere(true, ReadMode::pread, txn_test::scaled(1) > 2 ? 1 : 37);
}

TEST_CASE("A flipped bit in either meta page is survived or reported", "[DUR-10][DMG-1]") {
    const Workplace place;
    const std::string bytes = make_small(place / "whole.db", true);
    const std::string path = place / "damaged.db";
    write_file(path, bytes);
    std::string wanted;
    {
        const Database db = Database::open(path, existing());
        wanted = read_all(db);
    }
    Damage damage;
    std::string copy = bytes;
    for (std::size_t i = 0; i < 8192; i += i % 4096 < 512 ? 3 : 101) {
        copy[i] = static_cast<char>(copy[i] ^ (0x80 >> i % 8));
        std::error_code ignored;
        std::filesystem::remove(path + "-shared", ignored);
        try_bytes(path, copy, wanted, existing(), i, damage);
        copy[i] = bytes[i];
    }
    CHECK(damage.right > 0);
}

TEST_CASE("A full disk refuses the commit and stays readable", "[ERR-2][DUR-9][SPACE-3]") {
    if (::geteuid() != 0) NORTHSTAR_SKIP("needs root for a small tmpfs");
    const Workplace place;
    const std::string directory = place / "small";
    std::filesystem::create_directory(directory);
    if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=3m") != 0) {
        NORTHSTAR_SKIP("mounting a tmpfs is not allowed here");
    }
    {
        Options options = quiet();
        Database db = Database::open(directory + "/a.db", options);
        Txn last = 0;
        std::optional<Errc> code;
        int acknowledged = 0;
        for (int i = 0; i < 400 && !code; ++i) {
            code = code_of([&] {
                Transaction tx = db.begin_write();
                tx.tree("t").put("k" + std::to_string(i), std::string(20000, 'v'));
                last = tx.commit().txn;
                ++acknowledged;
            });
        }
        CHECK(code == Errc::no_space);
        CHECK(acknowledged > 10);
        const Snapshot now = db.begin_read();
        CHECK(now.txn() == last);
        CHECK(now.tree("t").size() == static_cast<std::uint64_t>(acknowledged));
        // What removes data still works.
        CHECK_FALSE(code_of([&] {
            Transaction tx = db.begin_write();
            CHECK(tx.tree("t").erase("k0"));
            tx.commit();
        }));
    }
    {
        const auto code = code_of([&] {
            const Database db = Database::open(directory + "/a.db", existing());
            CHECK(db.begin_read().tree("t").contains("k1"));
        });
        CHECK_FALSE(code.has_value());
    }
    CHECK(::umount2(directory.c_str(), MNT_DETACH) == 0);
}

TEST_CASE("Read-only files and directories give the permission code, and can be read", "[ERR-2][SWARM-8]") {
    if (::geteuid() == 0) {
        // Root may write everywhere: the same in a child that is nobody.
        const Workplace place;
        const std::string path = place / "a.db";
        make_small(path, true);
        REQUIRE(::chmod(place.path().c_str(), 0755) == 0);
        REQUIRE(::chmod(path.c_str(), 0444) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(77);
            const auto code = [](auto&& fn) {
                try {
                    fn();
                } catch (const Error& error) {
                    return error.code();
                }
                return Errc{};
            };
            Options read_only;
            read_only.read_only = true;
            if (code([&] { Database::open(path); }) != Errc::permission) ::_exit(1);
            if (code([&] { Database::open(place / "new.db"); }) != Errc::permission) ::_exit(2);
            if (code([&] {
                    const Database db = Database::open(path, read_only);
                    if (db.begin_read().tree("t").get("k2") != std::string(6, 'v') &&
                        !db.begin_read().tree("other").contains("x")) {
                        ::_exit(4);
                    }
                }) != Errc{}) {
                ::_exit(3);
            }
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) NORTHSTAR_SKIP("cannot become nobody here");
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        return;
    }
    const Workplace place;
    const std::string path = place / "a.db";
    make_small(path, true);
    REQUIRE(::chmod(path.c_str(), 0444) == 0);
    CHECK(code_of([&] { Database::open(path); }) == Errc::permission);
}

TEST_CASE("Keys and names that are too long are refused before anything changes", "[KV-4][ERR-1]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    CHECK(db.max_key_size() >= 1024);
    Transaction tx = db.begin_write();
    const std::string longest(db.max_key_size(), 'k');
    tx.tree("t").put(longest, "v");
    tx.tree("t").put("", "the empty key");
    CHECK(code_of([&] { tx.tree("t").put(longest + "k", "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").append(longest + "k", "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").put_if_absent(longest + "k", "v"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("").put("a", "v"); }) == Errc::invalid_argument);
    CHECK(code_of([&] { tx.tree(std::string(256, 'n')).put("a", "v"); }) == Errc::invalid_argument);
    CHECK_FALSE(tx.tree("t").get(longest + "k").has_value());
    CHECK(code_of([&] { tx.tree("t").erase(longest + "k"); }) == Errc::key_too_large);
    CHECK(code_of([&] { tx.tree("t").append("a", "not behind the last key"); }) == Errc::invalid_argument);
    CHECK(tx.tree("t").size() == 2);
    CHECK(tx.commit().txn == 1);
    CHECK(db.begin_read().tree("t").get(longest) == "v");
    CHECK(db.begin_read().tree("t").get("") == "the empty key");
    CHECK_FALSE(db.begin_read().tree("t").get(longest + "k").has_value());
    CHECK_FALSE(db.begin_read().tree(std::string(300, 'n')).exists());
}

TEST_CASE("A tree whose name is as long as may be is one like others", "[KV-1]") {
    Database db = Database::open(":memory:", quiet());
    const std::string longest(255, 'n');
    Transaction tx = db.begin_write();
    CHECK(tx.create_tree(longest));
    tx.tree(longest).put("k", "v");
    tx.commit();
    const Snapshot now = db.begin_read();
    CHECK(now.tree_names() == std::vector<std::string>{longest});
    CHECK(now.tree(longest).exists());
    CHECK(now.tree(longest).get("k") == "v");
}

TEST_CASE("A value that is too large is refused before its bytes are looked at", "[KV-4]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    const std::string_view impossible("x", (std::size_t{1} << 32));
    CHECK(code_of([&] { tx.tree("t").put("k", impossible); }) == Errc::value_too_large);
    CHECK_FALSE(tx.tree("t").get("k").has_value());
}

TEST_CASE("Views used after their snapshot was closed say so", "[SNAP-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    put(db, "a", "1");
    Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree("t");
    Cursor cursor = tree.cursor();
    REQUIRE(cursor.first());
    Range range = tree.all();
    snapshot.close();
    snapshot.close();
    CHECK(code_of([&] { static_cast<void>(snapshot.txn()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(snapshot.tree("t")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(snapshot.tree_names()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(snapshot.state_hash()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.get("a")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.exists()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.size()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.txn_of("a")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.estimate("a", "b")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(tree.cursor()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { cursor.next(); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { cursor.first(); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(cursor.key()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(cursor.value()); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(range.begin()); }) == Errc::snapshot_closed);
    // The slot of the closed snapshot is used again: the old views must not see the new one.
    const Snapshot next = db.begin_read();
    CHECK(code_of([&] { static_cast<void>(tree.get("a")); }) == Errc::snapshot_closed);
    CHECK(next.tree("t").get("a") == "1");
}

TEST_CASE("Snapshots of the past end like others", "[SNAP-6]") {
    Database db = Database::open(":memory:", quiet());
    put(db, "a", "1");
    put(db, "a", "2");
    Snapshot snapshot = db.begin_read(AsOf::txn(1));
    const Tree tree = snapshot.tree("t");
    Cursor cursor = tree.cursor();
    REQUIRE(cursor.last());
    snapshot.close();
    CHECK(code_of([&] { static_cast<void>(tree.get("a")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { cursor.prev(); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(cursor.key()); }) == Errc::snapshot_closed);
}

TEST_CASE("A cursor that stands nowhere says so", "[ERR-1][KV-3]") {
    Database db = Database::open(":memory:", quiet());
    put(db, "a", "1");
    const Snapshot snapshot = db.begin_read();
    Cursor cursor = snapshot.tree("t").cursor();
    CHECK_FALSE(cursor.valid());
    CHECK(code_of([&] { static_cast<void>(cursor.key()); }) == Errc::invalid_argument);
    CHECK_FALSE(cursor.next());
    CHECK_FALSE(cursor.prev());
    CHECK_FALSE(cursor.find("b"));
    CHECK_FALSE(cursor.valid());
    REQUIRE(cursor.first());
    CHECK_FALSE(cursor.next());
    CHECK(code_of([&] { static_cast<void>(cursor.value()); }) == Errc::invalid_argument);
    std::array<std::string_view, 2> keys{"a", "b"};
    std::array<std::optional<std::string_view>, 1> out;
    CHECK(code_of([&] { snapshot.tree("t").multi_get(keys, out); }) == Errc::invalid_argument);
}

TEST_CASE("A transaction that ended refuses everything, its trees too", "[TX-5][SNAP-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    for (const bool commit : {true, false}) {
        for (const bool optimistic : {true, false}) {
            INFO("commit " << commit << ", optimistic " << optimistic);
            Transaction tx = optimistic ? db.begin_optimistic() : db.begin_write();
            WritableTree tree = tx.tree("t");
            tree.put("a", "1");
            Cursor cursor = tree.cursor();
            REQUIRE(cursor.first());
            const Savepoint savepoint = tx.savepoint();
            if (commit) {
                tx.commit();
            } else {
                tx.rollback();
            }
            CHECK(code_of([&] { static_cast<void>(tx.tree("t")); }) == Errc::misuse);
            CHECK(code_of([&] { tx.commit(); }) == Errc::misuse);
            CHECK(code_of([&] { tx.annotate("a", "b"); }) == Errc::misuse);
            CHECK(code_of([&] { static_cast<void>(tx.savepoint()); }) == Errc::misuse);
            CHECK(code_of([&] { tx.rollback_to(savepoint); }) == Errc::misuse);
            CHECK(code_of([&] { static_cast<void>(tx.tree_names()); }) == Errc::misuse);
            CHECK(code_of([&] { tx.drop_tree("t"); }) == Errc::misuse);
            CHECK(code_of([&] { tree.put("b", "1"); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { static_cast<void>(tree.get("a")); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { tree.erase("a"); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { tree.erase_range("a", std::nullopt); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { tree.compare_and_swap("a", std::nullopt, "2"); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { cursor.next(); }) == Errc::snapshot_closed);
            CHECK(code_of([&] { static_cast<void>(cursor.key()); }) == Errc::snapshot_closed);
            tx.rollback();
        }
    }
    Transaction moved = db.begin_write();
    Transaction to = std::move(moved);
    CHECK(code_of([&] { moved.commit(); }) == Errc::misuse);
    to.rollback();
}

TEST_CASE("A savepoint that ended is refused", "[TX-6]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    const Savepoint first = tx.savepoint();
    const Savepoint second = tx.savepoint();
    tx.rollback_to(first);
    CHECK(code_of([&] { tx.rollback_to(second); }) == Errc::invalid_argument);
    tx.rollback_to(first);
    CHECK(code_of([&] { tx.rollback_to(Savepoint{99}); }) == Errc::invalid_argument);
}

TEST_CASE("A second write transaction on the same thread is misuse, not a deadlock", "[TX-2]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    {
        Transaction tx = db.begin_write();
        CHECK(code_of([&] { static_cast<void>(db.begin_write()); }) == Errc::misuse);
        CHECK(code_of([&] { static_cast<void>(db.begin_write({std::nullopt, 10})); }) == Errc::misuse);
        Transaction optimistic = db.begin_optimistic();
        optimistic.tree("t").put("a", "1");
        CHECK(code_of([&] { optimistic.commit(); }) == Errc::misuse);
        CHECK(code_of([&] { db.set_history(History::nothing()); }) == Errc::misuse);
        tx.tree("t").put("b", "1");
        CHECK(tx.commit().txn == 1);
    }
    CHECK_FALSE(code_of([&] { put(db, "c", "1"); }));
}

TEST_CASE("Waiting for the writer's turn ends at its deadline", "[TX-1]") {
    Database db = Database::open(":memory:", quiet());
    Transaction tx = db.begin_write();
    std::optional<Errc> code;
    std::thread other([&] {
        try {
            static_cast<void>(db.begin_write({std::nullopt, 30}));
        } catch (const Error& error) {
            code = error.code();
        }
    });
    other.join();
    CHECK(code == Errc::timeout);
    // Whoever began without the turn asks for it at the commit.
    code.reset();
    std::thread beside([&] {
        Transaction optimistic = db.begin_optimistic({std::nullopt, 30});
        optimistic.tree("t").put("a", "1");
        code = code_of([&] { optimistic.commit(); });
    });
    beside.join();
    CHECK(code == Errc::timeout);
    tx.rollback();
    CHECK_FALSE(db.begin_read().tree("t").contains("a"));
    std::thread again([&] { static_cast<void>(db.begin_write({std::nullopt, 30})); });
    again.join();
}

TEST_CASE("An optimistic transaction that read what changed is a conflict and changes nothing", "[TX-3]") {
    Database db = Database::open(":memory:", quiet());
    put(db, "a", "1");
    Transaction tx = db.begin_optimistic();
    CHECK(tx.tree("t").get("a") == "1");
    tx.tree("t").put("b", "2");
    put(db, "a", "3");
    CHECK(code_of([&] { tx.commit(); }) == Errc::conflict);
    CHECK_FALSE(db.begin_read().tree("t").contains("b"));
    CHECK(db.begin_read().txn() == 2);
    CHECK(db.statistics().conflicts == 1);
    // A key that was looked for and not there counts, and so does a range.
    Transaction missing = db.begin_optimistic();
    CHECK_FALSE(missing.tree("t").contains("m"));
    missing.tree("t").put("x", "1");
    put(db, "m", "now");
    CHECK(code_of([&] { missing.commit(); }) == Errc::conflict);
    Transaction ranged = db.begin_optimistic();
    for (auto entry : ranged.tree("t").range("p", "q")) FAIL(entry.key);
    ranged.tree("t").put("x", "1");
    put(db, "pp", "now");
    CHECK(code_of([&] { ranged.commit(); }) == Errc::conflict);
    Transaction names = db.begin_optimistic();
    CHECK(names.tree_names().size() == 1);
    names.tree("t").put("x", "1");
    {
        Transaction maker = db.begin_write();
        maker.tree("new").put("a", "b");
        maker.commit();
    }
    CHECK(code_of([&] { names.commit(); }) == Errc::conflict);
    // What was not read does not count.
    Transaction blind = db.begin_optimistic();
    blind.tree("t").put("x", "1");
    put(db, "y", "2");
    CHECK_FALSE(code_of([&] { blind.commit(); }));
    CHECK(db.begin_read().tree("t").get("x") == "1");
}

TEST_CASE("A read-only handle refuses every kind of write", "[ERR-1][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    make_small(path, true);
    const std::string before = read_file(path);
    Options options = quiet();
    options.read_only = true;
    {
        Database db = Database::open(path, options);
        CHECK(code_of([&] { static_cast<void>(db.begin_write()); }) == Errc::read_only);
        CHECK(code_of([&] { static_cast<void>(db.begin_optimistic()); }) == Errc::read_only);
        CHECK(code_of([&] { db.checkpoint(); }) == Errc::read_only);
        CHECK(code_of([&] { db.set_history(History::nothing()); }) == Errc::read_only);
        CHECK(code_of([&] { db.acknowledge("me", {}); }) == Errc::read_only);
        CHECK(code_of([&] { db.compact(); }) == Errc::read_only);
        CHECK(db.begin_read().tree("t").size() > 10);
        CHECK(db.verify().ok());
    }
    CHECK(read_file(path) == before);
}

TEST_CASE("A handle that was closed or moved from says so", "[ERR-1][SNAP-6]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    put(db, "a", "1");
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree("t");
    const Commit commit = db.update([](Transaction& tx) { tx.tree("t").put("b", "2"); });
    Transaction optimistic = db.begin_optimistic();
    db.close();
    db.close();
    CHECK(code_of([&] { static_cast<void>(commit.hash()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.begin_read()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.begin_write()); }) == Errc::misuse);
    CHECK(code_of([&] { db.sync(); }) == Errc::misuse);
    CHECK(code_of([&] { db.checkpoint(); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.statistics()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(db.commits()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(tree.get("a")); }) == Errc::snapshot_closed);
    CHECK(code_of([&] { static_cast<void>(optimistic.tree("t")); }).has_value());
    Database other = Database::open(place / "b.db", quiet());
    const Database to = std::move(other);
    CHECK(code_of([&] { static_cast<void>(other.begin_read()); }) == Errc::misuse);
    CHECK(code_of([&] { static_cast<void>(other.begin_read(AsOf::txn(0))); }) == Errc::misuse);
    CHECK_FALSE(code_of([&] { static_cast<void>(to.begin_read()); }));
}

TEST_CASE("Points that are not there have codes of their own", "[PAST-3]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    put(db, "a", "1");
    CHECK(code_of([&] { static_cast<void>(db.begin_read(AsOf::txn(2))); }) == Errc::in_the_future);
    CHECK(code_of([&] { static_cast<void>(db.diff(AsOf::txn(0), AsOf::txn(9))); }) == Errc::in_the_future);
    CHECK_FALSE(db.commit(2).has_value());
    CHECK_FALSE(db.commit(0).has_value());
    CHECK(code_of([&] { static_cast<void>(db.chain_hash(9)); }).has_value());
    FeedPosition elsewhere;
    elsewhere.txn = 1;
    CHECK(code_of([&] { static_cast<void>(db.feed(elsewhere)); }) == Errc::not_found);
    Options none = quiet();
    none.history = History::nothing();
    Database forgetful = Database::open(place / "b.db", none);
    put(forgetful, "a", "1");
    put(forgetful, "a", "2");
    CHECK(code_of([&] { static_cast<void>(forgetful.begin_read(AsOf::txn(1))); }) == Errc::before_horizon);
}

TEST_CASE("Damage under an open handle is an error, not other content", "[DMG-2][ERR-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = existing();
    options.read_mode = ReadMode::pread;
    make_small(path, true);
    Database db = Database::open(path, options);
    const std::string bytes = read_file(path);
    {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        for (std::size_t at = 8192 + 100; at < bytes.size(); at += 512) {
            file.seekp(static_cast<std::streamoff>(at));
            file.put(static_cast<char>(~bytes[at]));
        }
    }
    const auto code = code_of([&] { static_cast<void>(read_all(db)); });
    CHECK(code == Errc::corrupt);
    try {
        static_cast<void>(read_all(db));
    } catch (const Error& error) {
        CHECK(error.page() != Error::no_page);
        CHECK(error.file().find("a.db") != std::string::npos);
    }
}

TEST_CASE("The destination of a copy must not exist", "[SPACE-5][ERR-1]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", quiet());
    put(db, "a", "1");
    write_file(place / "there", "mine");
    CHECK(code_of([&] { db.backup(place / "there"); }) == Errc::already_exists);
    CHECK(code_of([&] { db.vacuum_into(place / "there"); }) == Errc::already_exists);
    CHECK(read_file(place / "there") == "mine");
}
