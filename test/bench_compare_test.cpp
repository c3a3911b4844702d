// The gates of northstar-bench compare: what fails, what noise excuses, and what it does not.
#include "bench/command.cpp"
#include "bench/compare.cpp"
#include "bench/json.cpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>

namespace bench {
namespace compare_test {

/// A stable benchmark with middling numbers, of which each test changes one.
Json benchmark(const std::string& member = "", const Json& value = {}) {
    Json entry = Json::object();
    entry.set("name", "x").set("cost", 100).set("cv", 0.02).set("p99_ns", 500);
    entry.set("allocations_per_op", 1).set("flushes_per_op", 0.1).set("instructions_per_op", 1000);
    if (!member.empty()) entry.set(member, value);
    return entry;
}

Json unstable(const std::string& member = "", const Json& value = {}) {
    return benchmark(member, value).set("cv", 0.2);
}

Json file(const Json& entry, const std::string& processor = "one", int entries = 1000) {
    Json machine = Json::object();
    machine.set("processor", processor);
    Json options = Json::object();
    options.set("entries", entries);
    Json benchmarks = Json::array();
    if (!entry.is_null()) benchmarks.push_back(entry);
    Json result = Json::object();
    return result.set("machine", machine).set("options", options).set("benchmarks", benchmarks);
}

int compare(const Json& base, const Json& now, std::vector<std::string> words = {}) {
    const std::string stem = "/tmp/northstar-compare-" + std::to_string(::getpid());
    base.write_file(stem + "-base.json");
    now.write_file(stem + "-new.json");
    words.insert(words.end(), {stem + "-base.json", stem + "-new.json"});
    int code = -1;
    for (const Command& command : command_registry()) {
        if (command.name == "compare") code = command.run(words);
    }
    std::remove((stem + "-base.json").c_str());
    std::remove((stem + "-new.json").c_str());
    return code;
}

/// The stable benchmark against itself with one member changed.
int against_base(const std::string& member, const Json& value) {
    return compare(file(benchmark()), file(benchmark(member, value)));
}

}  // namespace compare_test

using namespace compare_test;

TEST_CASE("compare accepts equal results", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(benchmark())) == 0);
}

TEST_CASE("compare accepts better results", "[bench][fast]") {
    CHECK(against_base("cost", 50) == 0);
    CHECK(against_base("flushes_per_op", 0) == 0);
}

TEST_CASE("throughput may fall by five per cent and no more", "[bench][fast]") {
    CHECK(against_base("cost", 105) == 0);
    CHECK(against_base("cost", 106) == 1);
}

TEST_CASE("p99 may rise by ten per cent and no more", "[bench][fast]") {
    CHECK(against_base("p99_ns", 549) == 0);
    CHECK(against_base("p99_ns", 551) == 1);
}

TEST_CASE("allocations per operation may rise by five per cent and no more", "[bench][fast]") {
    CHECK(against_base("allocations_per_op", 1.05) == 0);
    CHECK(against_base("allocations_per_op", 1.06) == 1);
}

TEST_CASE("flushes per operation may not rise", "[bench][fast]") { CHECK(against_base("flushes_per_op", 0.12) == 1); }

TEST_CASE("flushes that lazy commits get by the clock are no rise", "[bench][fast]") {
    const Json base = benchmark("durability", "lazy").set("cost", 2e6).set("flushes_per_op", 0);
    Json slower = base;
    slower.set("cost", 10e6).set("cv", 0.2).set("flushes_per_op", 0.1);
    CHECK(compare(file(base), file(slower)) == 0);
    slower.set("flushes_per_op", 0.2);
    CHECK(compare(file(base), file(slower)) == 1);
}

TEST_CASE("a variation over ten per cent in either file excuses times", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(unstable("cost", 150).set("p99_ns", 900))) == 0);
    CHECK(compare(file(unstable()), file(benchmark("cost", 150).set("p99_ns", 900))) == 0);
}

TEST_CASE("a variation over ten per cent does not excuse allocations", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(unstable("allocations_per_op", 2))) == 1);
}

TEST_CASE("a variation over ten per cent does not excuse flushes", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(unstable("flushes_per_op", 1))) == 1);
}

TEST_CASE("instructions decide where times are unstable", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(unstable("instructions_per_op", 1100))) == 1);
    CHECK(compare(file(benchmark()), file(unstable("instructions_per_op", 1040))) == 0);
}

TEST_CASE("instructions do not overrule times that are stable", "[bench][fast]") {
    CHECK(against_base("instructions_per_op", 1100) == 0);
}

TEST_CASE("times of another machine do not gate, and its counts do", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(benchmark("cost", 150), "another")) == 0);
    CHECK(compare(file(benchmark()), file(benchmark("instructions_per_op", 1100), "another")) == 1);
    CHECK(compare(file(benchmark()), file(benchmark("flushes_per_op", 1), "another")) == 1);
}

TEST_CASE("results of other options are not compared", "[bench][fast]") {
    CHECK(compare(file(benchmark()), file(benchmark(), "one", 2000)) == 1);
}

TEST_CASE("peers do not gate", "[bench][fast]") {
    const Json peer = benchmark("gate", false);
    CHECK(compare(file(peer), file(benchmark("gate", false).set("cost", 900))) == 0);
}

TEST_CASE("a benchmark that the new file lacks is a failure", "[bench][fast]") {
    Json base = file(benchmark());
    Json benchmarks = base["benchmarks"];
    benchmarks.push_back(benchmark("name", "y"));
    base.set("benchmarks", benchmarks);
    CHECK(compare(base, file(benchmark())) == 1);
    CHECK(compare(base, file(benchmark()), {"--only", "^x$"}) == 0);
}

TEST_CASE("nothing in common is a failure", "[bench][fast]") { CHECK(compare(file({}), file({})) == 1); }

TEST_CASE("a result file that is no JSON is refused with its line", "[bench][fast]") {
    CHECK_THROWS_WITH(Json::parse("{\n\"a\": ]"), Catch::Contains("line 2"));
    CHECK_THROWS_WITH(Json::parse(std::string(200, '[')), Catch::Contains("too deeply"));
    const Json value = Json::parse(R"({"a": [1, -2.5e3, "x\"y", true, null]})");
    CHECK(value["a"].items()[1].number() == -2500);
    CHECK(Json::parse(value.text()).text() == value.text());
}

}  // namespace bench
