// Databases of every released version (hard/format/golden) are read, and written, by this one: as the text beside each
// says, which was written when it was made.
#include "hard_format_support.hpp"

#include <algorithm>

using namespace northstar;
using format_test::content;
using format_test::has_python;
using format_test::read_database;
using format_test::require_equal;
using txn_test::Workplace;

namespace {

struct Golden {
    std::string name;  // version and name
    std::string path;  // without an extension
};

std::vector<Golden> all_golden() {
    std::vector<Golden> found;
    const std::string golden = format_test::folder() + "/golden";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(golden)) {
        std::string path = entry.path().string();
        if (!path.ends_with(".db.gz")) continue;
        path.resize(path.size() - 6);
        found.push_back({path.substr(golden.size() + 1), path});
    }
    std::sort(found.begin(), found.end(), [](const Golden& a, const Golden& b) { return a.name < b.name; });
    REQUIRE(found.size() >= 8);
    return found;
}

std::string unpack(const Golden& golden, const Workplace& place) {
    const std::string path = place / "db";
    std::filesystem::remove(path);
    REQUIRE(format_test::run("gzip -dc '" + golden.path + ".db.gz' >'" + path + "'").code == 0);
    return path;
}

Options as_it_is() {
    Options options;
    options.create = false;
    options.background = false;
    return options;
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.ok());
}

using State = std::map<std::string, std::map<std::string, std::string>>;

State state_of(const Snapshot& snapshot) {
    State state;
    for (const std::string& name : snapshot.tree_names()) {
        for (const auto [key, value] : snapshot.tree(name).all()) state[name].emplace(key, value);
    }
    return state;
}

}  // namespace

TEST_CASE("a golden database shows a read-only handle what its text says", "[ONE-4][TRUTH-2][TRUTH-4][CHAIN-1]") {
    const Workplace place;
    for (const Golden& golden : all_golden()) {
        INFO(golden.name);
        const std::string path = unpack(golden, place);
        const std::string before = content(path);
        require_equal(format_test::text_of_file(path), content(golden.path + ".txt"));
        CHECK(content(path) == before);
    }
}

TEST_CASE("a golden database shows a handle that may write what its text says", "[ONE-4][TRUTH-2][DMG-5][PAST-6]") {
    const Workplace place;
    for (const Golden& golden : all_golden()) {
        INFO(golden.name);
        const Database db = Database::open(unpack(golden, place), as_it_is());
        require_equal(northstar::format_text::text_of(db), content(golden.path + ".txt"));
        require_sound(db);
    }
}

TEST_CASE("a golden database is written, checkpointed, compacted, closed and read again", "[ONE-4][DMG-5][SPACE-4]") {
    const Workplace place;
    for (const Golden& golden : all_golden()) {
        INFO(golden.name);
        const std::string path = unpack(golden, place);
        State wanted;
        Txn golden_txn = 0;
        Hash state;
        Hash chain;
        {
            Database db = Database::open(path, as_it_is());
            {
                const Snapshot now = db.begin_read();
                wanted = state_of(now);
                golden_txn = now.txn();
                state = now.state_hash();
                chain = db.chain_hash(golden_txn);
            }
            for (int round = 0; round < 3; ++round) {
                for (auto& [name, entries] : wanted) {
                    const std::string key = "written now " + std::to_string(round);
                    {
                        Transaction tx = db.begin_write();
                        tx.tree(name).put(key, golden.name);
                        if (!entries.empty()) tx.tree(name).erase(entries.begin()->first);
                        tx.commit();
                    }
                    if (!entries.empty()) entries.erase(entries.begin());
                    entries[key] = golden.name;
                }
                db.checkpoint();
            }
            db.compact();
            require_sound(db);
            db.close();
        }
        const Database db = Database::open(path, as_it_is());
        CHECK(state_of(db.begin_read()) == wanted);
        require_sound(db);
        if (db.history().kind == History::Kind::nothing) continue;
        CHECK(db.begin_read(AsOf::txn(golden_txn)).state_hash() == state);
        CHECK(db.chain_hash(golden_txn) == chain);
    }
}

TEST_CASE("a reader of the documents sees in golden databases what their texts say", "[ONE-4][TRUTH-4][DMG-5]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    const Workplace place;
    for (const Golden& golden : all_golden()) {
        INFO(golden.name);
        const std::string path = unpack(golden, place);
        require_equal(read_database(path, "--log --history").text, content(golden.path + ".txt"));
        CHECK(read_database(path, "--check").text == "");
    }
}

TEST_CASE("a reader of the documents reports single bits that flipped", "[DMG-1][DMG-5][DUR-10][slow]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    const Workplace place;
    const std::uint64_t seed = txn_test::seed(1);
    for (const Golden& golden : all_golden()) {
        // A log that no checkpoint stands behind may end where it is damaged.
        if (golden.name.ends_with("killed") || golden.name.ends_with("aligned")) continue;
        INFO(golden.name);
        const std::string path = unpack(golden, place);
        const char* const flips = std::filesystem::file_size(path) < (2u << 20) ? " 40" : " 8";
        const format_test::Output output = format_test::run("python3 '" + format_test::folder() + "/flip_bits.py' '" +
                                                            path + "' " + std::to_string(seed) + flips + " 2>&1");
        INFO(output.text);
        CHECK(output.code == 0);
        std::fputs(output.text.c_str(), stdout);
    }
}
