// api_bad_input_test.cpp -- files that are damaged, foreign or in strange places: each gets its code, none is changed,
// nothing leaks, nothing is guessed.
#include "txn_support.hpp"
#include "watched_vfs.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Dice;
using txn_test::open_on;
using txn_test::scaled;
using txn_test::Workplace;

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

Options existing() {
    Options options = quiet();
    options.create = false;
    options.map_size = 256u << 20;
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

void remove_side_file(const std::string& path) {
    std::error_code ignored;
    std::filesystem::remove(path + "-shared", ignored);
}

void put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    tx.commit();
}

/// Everything that a state holds, as one text.
std::string text_of(const Snapshot& snapshot) {
    std::string out;
    for (const std::string& name : snapshot.tree_names()) {
        out += "tree " + name + "\n";
        for (auto [key, value] : snapshot.tree(name).all()) {
            out += std::string(key) + "=" + std::string(value) + "\n";
        }
    }
    return out;
}

/// The texts of all states, and the bytes of a database that has them.
struct Original {
    std::string bytes;
    std::vector<std::string> states;  // by txn
};

/// A database of several levels, with large values, range deletions, a dropped tree, sealed history and several
/// checkpoints; the last commits lie behind the last checkpoint unless it is closed.
Original make_original(const std::string& path, int commits, int entries, bool closed) {
    Original original;
    original.states.emplace_back();
    Dice dice(31);
    Options options = quiet();
    options.checkpoint_log_bytes = 64u << 10;
    Database db = Database::open(path, options);
    for (int i = 0; i < commits; ++i) {
        Transaction tx = db.begin_write();
        for (int k = 0; k < entries; ++k) {
            tx.tree("t").put("key " + std::to_string(dice.below(3000)), dice.bytes(dice.below(60)));
        }
        if (i % 5 == 2) tx.tree("large").put("l" + std::to_string(i % 3), dice.bytes(6000 + dice.below(9000)));
        if (i % 7 == 3) tx.tree("t").erase_range("key 1", "key 15");
        if (i % 9 == 4) tx.tree("short").put("x", "y");
        if (i % 9 == 6) tx.drop_tree("short");
        tx.commit();
        if (i % 8 == 5) db.checkpoint();
        original.states.push_back(text_of(db.begin_read()));
    }
    if (closed) db.close();
    original.bytes = read_file(path);
    return original;
}

/// How often damaged bytes gave what.
struct Outcomes {
    int right = 0, refused = 0, older = 0;
};

/// Opens damaged bytes: looks at the present and the past, verifies, writes, opens again and looks once more. Whatever
/// comes is right or an Error. `behind`: the newest commits may be gone, since nothing durable vouches for them; the
/// state must then be an older one, whole.
void try_bytes(const std::string& path, const std::string& bytes, const Original& original, bool behind,
               const std::string& what, ReadMode mode, Outcomes& outcomes) {
    write_file(path, bytes);
    remove_side_file(path);
    Options options = existing();
    options.read_mode = mode;
    const Txn newest = original.states.size() - 1;
    try {
        std::string present;
        {
            Database db = Database::open(path, options);
            const Snapshot now = db.begin_read();
            if (now.txn() > newest || (!behind && now.txn() != newest)) {
                FAIL(what << ": the newest txn is " << now.txn() << " of " << newest);
            }
            present = text_of(now);
            if (present != original.states[now.txn()]) FAIL(what << ": another state of txn " << now.txn());
            for (Txn txn = 0; txn < now.txn(); txn += 1 + newest / 4) {
                try {
                    if (text_of(db.begin_read(AsOf::txn(txn))) != original.states[txn]) {
                        FAIL(what << ": another state AS OF " << txn);
                    }
                } catch (const Error&) {
                }
            }
            if (!db.verify().ok()) ++outcomes.refused;
            if (now.txn() < newest) ++outcomes.older;
        }
        {
            Database db = Database::open(path, options);
            put(db, "written behind the damage", "and there");
            db.checkpoint();
        }
        {
            const Database db = Database::open(path, options);
            const Snapshot now = db.begin_read();
            if (now.tree("t").get("written behind the damage") != "and there") FAIL(what << ": a commit is lost");
            Snapshot before = db.begin_read(AsOf::txn(now.txn() - 1));
            if (text_of(before) != present) FAIL(what << ": the state before the last commit is another one");
        }
        ++outcomes.right;
    } catch (const Error& error) {
        ++outcomes.refused;
        const std::string sentence = error.what();
        if (sentence.size() < 20) FAIL(what << ": no sentence: " << sentence);
        if (error.code() == Errc::invalid_argument || error.code() == Errc::misuse) {
            FAIL(what << ": the user is blamed: " << sentence);
        }
    }
}

/// Descriptors, threads and mappings of this process.
struct Resources {
    std::size_t descriptors = 0, threads = 0, mappings = 0;
    static Resources now() {
        const auto count = [](const char* path) {
            std::size_t n = 0;
            for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path)) ++n;
            return n;
        };
        Resources out;
        out.descriptors = count("/proc/self/fd");
        out.threads = count("/proc/self/task");
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.find(".db") != std::string::npos) ++out.mappings;
        }
        return out;
    }
};

/// Changes both meta pages of a file and makes their checksums right again.
template <class F>
void change_metas(std::string& bytes, std::size_t page_size, F&& change) {
    for (const std::size_t at : {std::size_t{0}, page_size}) {
        auto* page = reinterpret_cast<std::byte*>(bytes.data() + at);
        change(page);
        constexpr std::size_t k_size = detail::k_meta_size;
        detail::store_u64(page, detail::xxh64(page + 8, k_size - 8, 0x6e6f727468737461));
    }
}

}  // namespace

TEST_CASE("Pipes, sockets, devices and directories are not opened, and not waited for", "[ERR-2][ERR-1]") {
    const Workplace place;
    REQUIRE(::mkfifo((place / "pipe").c_str(), 0600) == 0);
    std::filesystem::create_directory(place / "directory");
    std::filesystem::create_symlink(place / "directory", place / "link");
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(socket >= 0);
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string name = place / "socket";
    REQUIRE(name.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, name.c_str(), name.size());
    REQUIRE(::bind(socket, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0);
    Options read_only = quiet();
    read_only.read_only = true;
    for (const Options& options : {quiet(), existing(), read_only}) {
        for (const std::string& path :
             {place / "pipe", place / "directory", place / "link", name, std::string("/dev/null"),
              std::string("/dev/zero"), std::string("/"), std::string(".")}) {
            INFO(path << ", read only " << options.read_only);
            CHECK(code_of([&] { Database::open(path, options); }) == Errc::is_directory);
        }
    }
    ::close(socket);
    Database db = Database::open(place / "a.db", quiet());
    put(db, "a", "1");
    CHECK(code_of([&] { db.backup(place / "directory"); }) == Errc::already_exists);
    CHECK(code_of([&] { db.backup(place / "pipe"); }) == Errc::already_exists);
    CHECK(code_of([&] { db.vacuum_into(place / "none" + "/b.db"); }) == Errc::not_found);
    CHECK(code_of([&] { Database::restore(place / "none.db", place / "b.db", AsOf::txn(1)); }) == Errc::not_found);
    CHECK_FALSE(std::filesystem::exists(place / "b.db"));
    CHECK_FALSE(std::filesystem::exists(place / "none.db"));
}

TEST_CASE("A path that no file can have is an invalid argument", "[ERR-1]") {
    const Workplace place;
    CHECK(code_of([&] { Database::open(place / std::string(300, 'n'), quiet()); }) == Errc::invalid_argument);
    CHECK(code_of([&] { Database::open(place / std::string("a\0b", 3), quiet()); }) == Errc::invalid_argument);
    std::filesystem::create_symlink(place / "two", place / "one");
    std::filesystem::create_symlink(place / "one", place / "two");
    CHECK(code_of([&] { Database::open(place / "one", quiet()); }) == Errc::invalid_argument);
    std::filesystem::create_symlink(place / "nowhere", place / "dangling");
    CHECK(code_of([&] { Database::open(place / "dangling", quiet()); }) == Errc::not_found);
}

TEST_CASE("A file under two names is one database, also between processes", "[SWARM-9][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        put(db, "a", "1");
    }
    std::filesystem::create_hard_link(path, place / "hard.db");
    std::filesystem::create_symlink(path, place / "soft.db");
    Database db = Database::open(path, quiet());
    for (const char* const other : {"hard.db", "soft.db"}) {
        INFO(other);
        CHECK(code_of([&] { Database::open(place / other, quiet()); }) == Errc::already_open);
        Options read_only = quiet();
        read_only.read_only = true;
        CHECK(code_of([&] { Database::open(place / other, read_only); }) == Errc::already_open);
        // Another process must share the words of the one that is there, or be refused: never recover beside it.
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                Database own = Database::open(place / other, quiet());
                put(own, std::string("by the child as ") + other, "2");
                ::_exit(0);
            } catch (const Error& error) {
                ::_exit(error.code() == Errc::locked ? 1 : 2);
            }
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) <= 1);
        CHECK(db.begin_read().tree("t").contains(std::string("by the child as ") + other) ==
              (WEXITSTATUS(status) == 0));
        put(db, "and on", other);
    }
    CHECK(db.begin_read().tree("t").get("a") == "1");
    db.close();
    const Database again = Database::open(place / "soft.db", quiet());
    CHECK(again.begin_read().tree("t").get("and on") == "soft.db");
    CHECK(again.verify().ok());
}

TEST_CASE("A network file system is refused unless the file is opened exclusively", "[SWARM-6]") {
    const Workplace place;
    const std::string path = place / "a.db";
    txn_test::Watch watch;
    txn_test::WatchedVfs network(watch);
    network.kind = detail::FileSystem::network;
    CHECK(code_of([&] { open_on(network, path, quiet()); }) == Errc::network_file_system);
    // Nothing was made by asking.
    CHECK(std::filesystem::is_empty(place.path()));
    Options exclusive = quiet();
    exclusive.exclusive = true;
    {
        Database db = open_on(network, path, exclusive);
        put(db, "a", "1");
    }
    CHECK_FALSE(std::filesystem::exists(path + "-shared"));
    const std::string before = read_file(path);
    CHECK(code_of([&] { open_on(network, path, quiet()); }) == Errc::network_file_system);
    Options read_only = quiet();
    read_only.read_only = true;
    CHECK(code_of([&] { open_on(network, path, read_only); }) == Errc::network_file_system);
    CHECK(read_file(path) == before);
    try {
        open_on(network, path, quiet());
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("exclusive") != std::string::npos);
        CHECK(error.file() == path);
    }
    txn_test::WatchedVfs copying(watch);
    copying.kind = detail::FileSystem::copy_on_write;
    Database db = open_on(copying, path, quiet());
    CHECK(db.begin_read().tree("t").get("a") == "1");
    Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
    tx.tree("t").put("b", "2");
    CHECK(tx.commit().txn == 2);
}

TEST_CASE("A file of a newer format is left alone", "[ERR-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Original original = make_original(path, 10, 20, true);
    const auto refused = [&](const char* what, const auto& change) {
        INFO(what);
        std::string bytes = original.bytes;
        change_metas(bytes, 4096, change);
        write_file(path, bytes);
        for (const bool read_only : {false, true}) {
            Options options = existing();
            options.read_only = read_only;
            CHECK(code_of([&] { Database::open(path, options); }) == Errc::newer_format);
        }
        CHECK(read_file(path) == bytes);
    };
    {
        // The seal is right: unchanged pages are accepted.
        std::string bytes = original.bytes;
        change_metas(bytes, 4096, [](std::byte*) {});
        CHECK((bytes == original.bytes));
    }
    refused("a version that this one cannot read", [](std::byte* page) {
        detail::store_u32(page + 16, detail::k_format_version + 1);
        detail::store_u32(page + 20, detail::k_format_version + 1);
    });
    // A feature this version does not know changes the meaning of bytes that it would believe.
    refused("an unknown feature", [](std::byte* page) { detail::store_u64(page + 24, 1); });
    refused("an unknown feature, the last", [](std::byte* page) { detail::store_u64(page + 24, 1ull << 63); });
    // Whoever wrote one of them was newer: this version would go on with what the other one says.
    for (const int newer : {0, 1}) {
        int page_number = 0;
        refused("one of the two pages alone", [&](std::byte* page) {
            if (page_number++ == newer) detail::store_u32(page + 20, detail::k_format_version + 1);
        });
        CHECK(page_number == 2);
    }
}

TEST_CASE("A file whose meta pages are both damaged is corrupt, not foreign", "[ERR-2][DMG-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const Original original = make_original(path, 10, 20, true);
    std::string bytes = original.bytes;
    for (const std::size_t page : {std::size_t{0}, std::size_t{4096}}) bytes[page + 200] ^= 1;
    write_file(path, bytes);
    for (const bool read_only : {false, true}) {
        remove_side_file(path);
        Options options = existing();
        options.read_only = read_only;
        CHECK(code_of([&] { Database::open(path, options); }) == Errc::corrupt);
    }
    CHECK(read_file(path) == bytes);
}

TEST_CASE("A file whose first meta page is gone is never taken for one that was just being made", "[ERR-2][DUR-1]") {
    for (const std::uint32_t page_size : {4096u, 8192u, 16384u, 32768u, 65536u}) {
        INFO("page size " << page_size);
        const Workplace place;
        const std::string path = place / "a.db";
        Options options = quiet();
        options.page_size = page_size;
        {
            Database db = Database::open(path, options);
            put(db, "a", "1");
        }
        std::string bytes = read_file(path);
        std::fill_n(bytes.begin(), 4096, '\0');
        write_file(path, bytes);
        remove_side_file(path);
        // The other meta page leads to the entry, or the damage is an error: an empty database it is not.
        try {
            Database db = Database::open(path, existing());
            CHECK(db.begin_read().tree("t").get("a") == "1");
        } catch (const Error& error) {
            CHECK(error.code() == Errc::corrupt);
        }
    }
}

TEST_CASE("A file that begins with zeros and is no database is left alone", "[ERR-2][ERR-6]") {
    const Workplace place;
    const std::string path = place / "image";
    // Where a new database of 4096-byte pages has nothing, or something else: its log, its meta page, its ledger.
    const std::size_t places[] = {4096, 4096 + 8, 8192, 20'000, 32'768, 73'727, 77'820, 77'824, 150'000, 250'000};
    for (const std::size_t at : places) {
        INFO("text at byte " << at);
        std::string bytes(at, '\0');
        bytes += "somebody else's";
        bytes.resize(std::max<std::size_t>(bytes.size(), 77'824), '\0');
        write_file(path, bytes);
        for (const bool read_only : {false, true}) {
            Options options = quiet();
            options.read_only = read_only;
            CHECK(code_of([&] { Database::open(path, options); }) == Errc::not_a_database);
        }
        CHECK(read_file(path) == bytes);
        CHECK_FALSE(std::filesystem::exists(path + "-shared"));
    }
}

TEST_CASE("A database that lost both meta pages is not made anew", "[ERR-2][DMG-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    std::string bytes;
    {
        Database db = Database::open(path, quiet());
        put(db, "a", "1");
        bytes = read_file(path);  // with the log that has the entry
    }
    std::fill_n(bytes.begin(), 8192, '\0');
    write_file(path, bytes);
    remove_side_file(path);
    CHECK(code_of([&] { Database::open(path, quiet()); }) == Errc::not_a_database);
    CHECK(read_file(path) == bytes);
}

TEST_CASE("What a creation that was cut short left is made anew", "[DUR-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    make_original(path, 0, 0, true);
    const std::string whole = read_file(path);
    REQUIRE(whole.size() >= 77'824);
    const auto opens = [&](const std::string& bytes) {
        write_file(path, bytes);
        remove_side_file(path);
        Database db = Database::open(path, quiet());
        put(db, "a", "1");
        return db.begin_read().txn() == 1;
    };
    std::string left(77'824, '\0');
    CHECK(opens(left));
    left.replace(73'728, 4096, whole, 73'728, 4096);  // the ledger, as closing wrote none behind it
    CHECK(opens(left));
    left.replace(4096 + 1024, 512, 512, 'x');  // a part of the meta page
    CHECK(opens(left));
    // A ledger that is not the first one of a file says that more was there.
    for (const std::size_t field : {8u, 16u, 24u}) {
        std::string other = left;
        ++other[73'728 + field];
        CHECK(code_of([&] { opens(other); }) == Errc::not_a_database);
        CHECK(read_file(path) == other);
    }
}

TEST_CASE("A file cannot be opened read-only and exclusively at the same time", "[ERR-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    make_original(path, 1, 1, true);
    Options options = existing();
    options.read_only = options.exclusive = true;
    CHECK(code_of([&] { Database::open(path, options); }) == Errc::invalid_argument);
}

TEST_CASE("A file cut anywhere is an error or what it was", "[ERR-2][DMG-2][DMG-6][slow]") {
    const Workplace place;
    const Original original = make_original(place / "whole.db", 40, 30, false);
    const std::string path = place / "cut.db";
    std::set<std::size_t> cuts;
    // Around the ends of pages and in between; everywhere in the two meta pages.
    for (std::size_t at = 0; at < original.bytes.size(); at += 4096) {
        cuts.insert({at, at + 1, at + 8, at + 2048});
        if (at != 0) cuts.insert(at - 1);
    }
    Outcomes outcomes;
    for (const std::size_t size : cuts) {
        if (size >= original.bytes.size()) continue;
        // Nothing at all is a database that is about to be made.
        if (size == 0) continue;
        const ReadMode mode = size % 3 == 0 ? ReadMode::pread : ReadMode::map;
        try_bytes(path, original.bytes.substr(0, size), original, true, "cut to " + std::to_string(size), mode,
                  outcomes);
    }
    INFO(outcomes.right << " right, " << outcomes.refused << " refused, " << outcomes.older << " older");
    CHECK(outcomes.refused > 10);
    Options read_only = existing();
    read_only.read_only = true;
    write_file(path, original.bytes.substr(0, original.bytes.size() / 2));
    remove_side_file(path);
    CHECK(code_of([&] { Database::open(path, read_only); }) == Errc::truncated);
    write_file(path, "");
    remove_side_file(path);
    CHECK(code_of([&] { Database::open(path, read_only); }) == Errc::not_a_database);
}

TEST_CASE("A flipped bit in a larger database gives the right answer or an error",
          "[DMG-1][DMG-2][DMG-5][DMG-6][slow]") {
    const Workplace place;
    const std::uint64_t seed = txn_test::seed(41);
    INFO("seed " << seed);
    Dice dice(seed);
    for (const bool closed : {true, false}) {
        const Original original = make_original(place / (closed ? "closed.db" : "open.db"), 60, 40, closed);
        const std::string path = place / "damaged.db";
        Outcomes outcomes;
        std::string bytes = original.bytes;
        for (int i = 0; i < scaled(100); ++i) {
            const std::size_t at = dice.below(bytes.size());
            const auto bit = static_cast<unsigned>(dice.below(8));
            const char before = bytes[at];
            bytes[at] = static_cast<char>(static_cast<unsigned char>(before) ^ (1u << bit));
            try_bytes(path, bytes, original, !closed, "bit " + std::to_string(bit) + " of byte " + std::to_string(at),
                      i % 2 == 0 ? ReadMode::map : ReadMode::pread, outcomes);
            bytes[at] = before;
        }
        INFO(outcomes.right << " right, " << outcomes.refused << " refused, " << outcomes.older << " older");
        CHECK(outcomes.refused > 0);
        CHECK(outcomes.right > 0);
    }
}

TEST_CASE("Damage in the log that something durable lies behind is reported, not taken for the end", "[DMG-4][DUR-1]") {
    const Workplace place;
    const std::string whole = place / "whole.db";
    Database db = Database::open(whole, quiet());
    for (int i = 0; i < 6; ++i) put(db, "k" + std::to_string(i), "needle number " + std::to_string(i));
    const std::string bytes = read_file(whole);
    const std::string path = place / "a.db";
    for (int i = 0; i < 6; ++i) {
        const std::size_t at = bytes.find("needle number " + std::to_string(i));
        REQUIRE(at != std::string::npos);
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        for (const bool read_only : {false, true}) {
            INFO("record " << i << ", read only " << read_only);
            write_file(path, damaged);
            remove_side_file(path);
            Options options = existing();
            options.read_only = read_only;
            Txn newest = 0;
            const auto code = code_of([&] { newest = Database::open(path, options).begin_read().txn(); });
            if (i < 5) {
                CHECK(code == Errc::corrupt);
            } else if (!code) {
                // Of the last record nothing says that it was durable.
                CHECK(newest == 5);
            }
        }
    }
}

TEST_CASE("Pages that were exchanged, repeated or put back are recognised", "[DMG-3][DMG-1][DMG-2][slow]") {
    // What a device does that loses a write or puts it elsewhere: whole sectors with checksums of their own.
    const Workplace place;
    const std::string path = place / "a.db";
    const std::uint64_t seed = txn_test::seed(43);
    INFO("seed " << seed);
    Dice dice(seed);
    std::string older;
    {
        Database db = Database::open(path, quiet());
        for (int i = 0; i < 600; ++i) put(db, "key " + std::to_string(i % 200), std::string(100, 'a'));
        db.close();
        older = read_file(path);
    }
    Original original;
    {
        Database db = Database::open(path, quiet());
        for (int i = 0; i < 100; ++i) {
            put(db, "key " + std::to_string(i * 7 % 200), std::string(100, 'b'));
            // So that places of the older pages are used again.
            if (i % 20 == 19) db.checkpoint();
        }
        for (Txn txn = 0; txn <= 700; ++txn) original.states.emplace_back();
        for (Txn txn = 0; txn <= 700; txn += 1 + 700 / 4) original.states[txn] = text_of(db.begin_read(AsOf::txn(txn)));
        original.states[700] = text_of(db.begin_read());
        db.close();
        original.bytes = read_file(path);
    }
    const std::size_t pages = std::min(older.size(), original.bytes.size()) / 4096;
    Outcomes outcomes;
    // Every page that is another one now, as it was when the last writes to it had been lost.
    for (std::size_t page = 2; page < pages; ++page) {
        if (original.bytes.compare(page * 4096, 4096, older, page * 4096, 4096) == 0) continue;
        std::string bytes = original.bytes;
        bytes.replace(page * 4096, 4096, older, page * 4096, 4096);
        try_bytes(place / "damaged.db", bytes, original, false, "put back page " + std::to_string(page), ReadMode::map,
                  outcomes);
    }
    for (int i = 0; i < scaled(150); ++i) {
        std::string bytes = original.bytes;
        const std::size_t one = 2 + dice.below(pages - 2);
        const std::size_t two = 2 + dice.below(pages - 2);
        const char* way = "";
        switch (dice.below(3)) {
            case 0:
                way = "exchanged";
                std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(one * 4096),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(one * 4096 + 4096),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(two * 4096));
                break;
            case 1:
                way = "repeated";
                bytes.replace(one * 4096, 4096, original.bytes, two * 4096, 4096);
                break;
            default:
                way = "put back";
                bytes.replace(one * 4096, 4096, older, one * 4096, 4096);
                break;
        }
        try_bytes(place / "damaged.db", bytes, original, false,
                  std::string(way) + " page " + std::to_string(one) + " and " + std::to_string(two), ReadMode::map,
                  outcomes);
    }
    INFO(outcomes.right << " right, " << outcomes.refused << " refused");
    CHECK(outcomes.refused > 0);
}

TEST_CASE("How much a large value gives back is not taken from a damaged header", "[DMG-1][DMG-2][SPACE-1]") {
    // A value that is replaced is not read: its header was believed because its parent had been verified, and a damaged
    // length gave pages away that others were using.
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path, quiet());
        put(db, "large", std::string(9000, 'l'));
        db.close();
    }
    std::string bytes = read_file(path);
    unsigned damaged = 0;
    for (std::size_t at = 2 * 4096; at + 4096 <= bytes.size(); at += 4096) {
        const bool run = bytes[at + detail::k_page_kind_offset] == static_cast<char>(detail::PageKind::run);
        if (!run || detail::load_u64(bytes.data() + at + detail::k_run_bytes_offset) != 9000) continue;
        detail::store_u64(reinterpret_cast<std::byte*>(bytes.data() + at + detail::k_run_bytes_offset),
                          9000 + 3 * 4096);
        ++damaged;
    }
    REQUIRE(damaged == 1);
    write_file(path, bytes);
    remove_side_file(path);
    Database db = Database::open(path, existing());
    CHECK(code_of([&] { put(db, "large", "small"); }) == Errc::corrupt);
    put(db, "other", "value");  // what does not touch it goes on
}

TEST_CASE("Any bytes at all are an error", "[DMG-6][slow]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const std::uint64_t seed = txn_test::seed(47);
    INFO("seed " << seed);
    Dice dice(seed);
    const Original original = make_original(place / "whole.db", 20, 20, false);
    for (int i = 0; i < scaled(120); ++i) {
        std::string bytes = i % 4 == 0 ? dice.bytes(dice.below(100'000)) : original.bytes;
        if (i % 4 != 0) {
            // Stretches of noise, zeros and copies of other places, the metas among them.
            for (std::uint64_t k = 1 + dice.below(6); k > 0; --k) {
                const std::size_t at = dice.below(bytes.size());
                const std::size_t size = std::min<std::size_t>(1 + dice.below(6000), bytes.size() - at);
                switch (dice.below(3)) {
                    case 0: bytes.replace(at, size, dice.bytes(size)); break;
                    case 1: bytes.replace(at, size, std::string(size, '\0')); break;
                    default: {
                        const std::size_t from = dice.below(bytes.size() - size + 1);
                        bytes.replace(at, size, bytes.substr(from, size));
                        break;
                    }
                }
            }
        }
        if (bytes.empty()) continue;
        Outcomes outcomes;
        try_bytes(path, bytes, original, true, "run " + std::to_string(i), i % 2 == 0 ? ReadMode::map : ReadMode::pread,
                  outcomes);
    }
}

TEST_CASE("What is refused leaves nothing behind", "[ERR-2][ERR-1]") {
    const Workplace place;
    const std::string whole = place / "whole.db";
    const Original original = make_original(whole, 12, 20, true);
    write_file(place / "text.db", std::string(20'000, 'x'));
    write_file(place / "short.db", original.bytes.substr(0, original.bytes.size() - 9000));
    {
        std::string bytes = original.bytes;
        for (std::size_t at = 64; at < bytes.size(); at += 256) bytes[at] = static_cast<char>(~bytes[at]);
        write_file(place / "damaged.db", bytes);
    }
    Options other_pages;
    other_pages.page_size = 16384;
    Options read_only;
    read_only.read_only = true;
    Options create_nothing;
    create_nothing.create = false;
    const auto everything = [&] {
        int codes = 0;
        const auto refused = [&](const std::string& path, const Options& options) {
            if (code_of([&] { Database::open(path, options); })) ++codes;
        };
        for (const Options& options : {Options(), read_only, create_nothing, other_pages}) {
            refused(place / "text.db", options);
            refused(place / "short.db", options);
            refused(place / "damaged.db", options);
            refused(place.path(), options);
            refused(place / "none" + "/a.db", options);
        }
        refused(whole, other_pages);
        refused(place / "missing.db", create_nothing);
        {
            Database db = Database::open(whole);
            refused(whole, {});
            if (code_of([&] { db.backup(place / "text.db"); })) ++codes;
            if (code_of([&] { static_cast<void>(db.begin_read(AsOf::txn(1000))); })) ++codes;
            if (code_of([&] { static_cast<void>(db.feed(FeedPosition{3, {}})); })) ++codes;
            Transaction tx = db.begin_write();
            if (code_of([&] { tx.tree("t").put(std::string(5000, 'k'), "v"); })) ++codes;
            if (code_of([&] { static_cast<void>(db.begin_write()); })) ++codes;
            if (code_of([&] { db.set_history(History::nothing()); })) ++codes;
        }
        return codes;
    };
    CHECK(everything() == 29);
    const Resources before = Resources::now();
    for (int i = 0; i < 5; ++i) CHECK(everything() == 29);
    const Resources after = Resources::now();
    CHECK(after.descriptors == before.descriptors);
    CHECK(after.threads == before.threads);
    CHECK(after.mappings == before.mappings);
    CHECK(read_file(place / "text.db") == std::string(20'000, 'x'));
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(place.path())) files.insert(entry.path().filename());
    CHECK(files.count("missing.db") == 0);
    CHECK(files.count("none") == 0);
    CHECK(files.count("text.db-shared") == 0);
}
