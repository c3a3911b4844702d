// sqllogictest files: the project's own and the recorded ones must pass whole; families of the shared ones at least as
// far as test/slt/floor.txt says, which only rises.
#include "skip.hpp"
#include "slt/run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;

std::vector<std::string> test_files(const fs::path& folder) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".test") files.push_back(entry.path().generic_string());
    std::sort(files.begin(), files.end());
    return files;
}

/// Families of test/slt/floor.txt, and the least share of records in per cent.
std::vector<std::pair<std::string, double>> floors() {
    std::vector<std::pair<std::string, double>> list;
    std::ifstream file("test/slt/floor.txt");
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream fields(line);
        std::string family;
        double least = 0;
        REQUIRE(fields >> family >> least);
        list.emplace_back(family, least);
    }
    REQUIRE(!list.empty());
    return list;
}

/// SQLite's corpus: values are rendered by type letters.
bool is_classic(const std::string& family) { return family.rfind("sqllogictest", 0) == 0; }

/// Every record of the folder's files, statements that must succeed among them.
void pass_whole(const char* folder) {
    for (const std::string& file : test_files(folder)) {
        slt::RunOptions options;
        options.count_statements_ok = true;
        const slt::Outcome outcome = slt::run_file(file, options);
        for (const std::string& failure : outcome.failures) UNSCOPED_INFO(failure);
        CHECK(outcome.passed > 0);
        CHECK(outcome.failed == 0);
    }
}

}  // namespace

TEST_CASE("the project's own records pass", "[sql]") { pass_whole("test/slt/own"); }

// What PostgreSQL answered to random statements (hard/sql/record.sh), for machines where there is none to compare with.
TEST_CASE("recorded rounds pass", "[sql]") { pass_whole("test/slt/recorded"); }

TEST_CASE("MD5 gives the digests of RFC 1321", "[sql]") {
    CHECK(slt::md5("") == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(slt::md5("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(slt::md5(std::string(80, '1')).size() == 32);
}

TEST_CASE("shared families pass as far as the floor", "[sql][slow]") {
    if (!fs::exists("../shared/sql-cases")) NORTHSTAR_SKIP("../shared/sql-cases is not here");
    for (const auto& [family, least] : floors()) {
        if (is_classic(family)) continue;
        slt::Outcome outcome;
        // A file _setup.test makes the tables that the others of its folder read.
        slt::RunOptions options;
        const std::string setup = "../shared/" + family + "/_setup.test";
        if (fs::exists(setup)) options.setup = setup;
        for (const std::string& file : test_files("../shared/" + family))
            if (file != setup) outcome.add(slt::run_file(file, options));
        INFO(family << ": " << outcome.passed << " passed, " << outcome.failed << " failed");
        CHECK(outcome.passed > 0);
        CHECK(outcome.rate() * 100 >= least);
    }
}

TEST_CASE("SQLite's corpus passes as far as the floor, where PostgreSQL agrees with it", "[sql][slow]") {
    if (!fs::exists("../shared/sqllogictest")) NORTHSTAR_SKIP("../shared/sqllogictest is not here");
    auto divergence = slt::read_divergence("../shared/sqllogictest/pg15-divergence.tsv");
    REQUIRE(!divergence.empty());
    for (const auto& [family, least] : floors()) {
        if (!is_classic(family)) continue;
        slt::Outcome outcome;
        slt::RunOptions options;
        options.classic = true;
        for (const std::string& file : test_files("../shared/" + family)) {
            options.left_out = divergence[file.substr(std::string("../shared/sqllogictest/").size())];
            outcome.add(slt::run_file(file, options));
        }
        for (const std::string& failure : outcome.failures) UNSCOPED_INFO(failure);
        INFO(family << ": " << outcome.passed << " passed, " << outcome.failed << " failed");
        CHECK(outcome.passed > 0);
        CHECK(outcome.rate() * 100 >= least);
    }
}
