// The gates of northstar-bench compare: what fails, what noise excuses, and what it does not.
#include "bench/command.cpp"
#include "bench/compare.cpp"
#include "bench/json.cpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>

namespace bench {
namespace compare_test {

Json result(double cost, double cv, double p99, double allocations, double flushes, bool gate = true) {
    Json entry = Json::object();
    entry.set("name", "x").set("gate", gate).set("cost", cost).set("cv", cv).set("p99_ns", p99);
    entry.set("allocations_per_op", allocations).set("flushes_per_op", flushes);
    Json benchmarks = Json::array();
    benchmarks.push_back(std::move(entry));
    Json file = Json::object();
    file.set("benchmarks", std::move(benchmarks));
    return file;
}

int compare(const Json& base, const Json& now) {
    const std::string stem = "/tmp/northstar-compare-" + std::to_string(::getpid());
    base.write_file(stem + "-base.json");
    now.write_file(stem + "-new.json");
    int code = -1;
    for (const Command& command : command_registry()) {
        if (command.name == "compare") code = command.run({stem + "-base.json", stem + "-new.json"});
    }
    std::remove((stem + "-base.json").c_str());
    std::remove((stem + "-new.json").c_str());
    return code;
}

}  // namespace compare_test

using namespace compare_test;

TEST_CASE("compare accepts equal and better results", "[bench][fast]") {
    const Json base = result(100, 0.02, 500, 1, 0.1);
    CHECK(compare(base, base) == 0);
    CHECK(compare(base, result(50, 0.02, 300, 0, 0)) == 0);
    CHECK(compare(base, result(104, 0.02, 540, 1.04, 0.1)) == 0);
}

TEST_CASE("compare fails on each gate alone", "[bench][fast]") {
    const Json base = result(100, 0.02, 500, 1, 0.1);
    CHECK(compare(base, result(107, 0.02, 500, 1, 0.1)) == 1);
    CHECK(compare(base, result(100, 0.02, 560, 1, 0.1)) == 1);
    CHECK(compare(base, result(100, 0.02, 500, 1.1, 0.1)) == 1);
    CHECK(compare(base, result(100, 0.02, 500, 1, 0.12)) == 1);
}

TEST_CASE("noise excuses times but not counts", "[bench][fast]") {
    const Json base = result(100, 0.02, 500, 0, 1);
    CHECK(compare(base, result(150, 0.2, 900, 0, 1)) == 0);
    CHECK(compare(result(100, 0.2, 500, 0, 1), result(150, 0.02, 900, 0, 1)) == 0);
    CHECK(compare(base, result(100, 0.2, 500, 1, 1)) == 1);
    CHECK(compare(base, result(100, 0.2, 500, 0, 2)) == 1);
}

TEST_CASE("peers do not gate, and nothing in common is a failure", "[bench][fast]") {
    CHECK(compare(result(100, 0, 1, 0, 0, false), result(900, 0, 1, 0, 9, false)) == 0);
    Json empty = Json::object();
    empty.set("benchmarks", Json::array());
    CHECK(compare(result(100, 0, 1, 0, 0), empty) == 1);
}

TEST_CASE("a result file that is no JSON is refused with its line", "[bench][fast]") {
    CHECK_THROWS_WITH(Json::parse("{\n\"a\": ]"), Catch::Contains("line 2"));
    CHECK_THROWS_WITH(Json::parse(std::string(200, '[')), Catch::Contains("too deeply"));
    const Json value = Json::parse(R"({"a": [1, -2.5e3, "x\"y", true, null]})");
    CHECK(value["a"].items()[1].number() == -2500);
    CHECK(Json::parse(value.text()).text() == value.text());
}

}  // namespace bench
