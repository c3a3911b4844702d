// Latencies in buckets, and the numbers that stand in a result file.
#include "bench/json.cpp"
#include "bench/measure.cpp"
#include "bench/results.cpp"

#include <catch2/catch.hpp>

namespace bench {

// In place of counting.cpp, which would replace operator new in this program.
std::uint64_t allocations_of_this_thread() noexcept { return 0; }
std::uint64_t flushes_of_this_process() noexcept { return 0; }

namespace measure_test {

/// 1 us to 10 ms in steps of 1 us.
LatencyHistogram ascending() {
    LatencyHistogram histogram;
    for (std::uint64_t us = 1; us <= 10'000; ++us) histogram.add(us * 1000);
    return histogram;
}

}  // namespace measure_test

using namespace measure_test;

TEST_CASE("percentiles are at most a thirty-second too large", "[bench][fast]") {
    const LatencyHistogram histogram = ascending();
    for (const double share : {0.5, 0.95, 0.99, 0.999}) {
        const double exact = share * 1e7;
        CHECK(histogram.percentile(share) >= exact);
        CHECK(histogram.percentile(share) <= exact * 33 / 32);
    }
}

TEST_CASE("the longest latency is exact", "[bench][fast]") { CHECK(ascending().max() == 10'000'000); }

TEST_CASE("a histogram survives its text", "[bench][fast]") {
    const LatencyHistogram copy = LatencyHistogram::parse(ascending().text());
    CHECK(copy.count() == 10'000);
    CHECK(copy.max() == ascending().max());
    CHECK(copy.percentile(0.99) == ascending().percentile(0.99));
}

TEST_CASE("what is no histogram is refused", "[bench][fast]") {
    CHECK_THROWS_AS(LatencyHistogram::parse("12 3:x"), std::runtime_error);
    CHECK_THROWS_AS(LatencyHistogram::parse("12 999999:1"), std::runtime_error);
}

TEST_CASE("a result file says every number for each operation", "[bench][fast]") {
    Repeat repeat;
    repeat.operations = 4;
    repeat.elapsed_ns = 400;
    repeat.counters.allocations = 8;
    repeat.counters.flushes = 2;
    repeat.counters.read_bytes = 40;
    repeat.counters.written_bytes = 80;
    repeat.page_copies = 12;
    repeat.latencies = ascending();
    Results results;
    results.add({"x", "full", "commit"}, repeat);
    const Json all = results.benchmarks();
    const Json& entry = all.items().at(0);
    CHECK(entry["cost"].number() == 100);
    CHECK(entry["operations_per_second"].number() == 1e7);
    CHECK(entry["durability"].string() == "full");
    CHECK(entry["allocations_per_op"].number() == 2);
    CHECK(entry["flushes_per_op"].number() == 0.5);
    CHECK(entry["bytes_read_per_op"].number() == 10);
    CHECK(entry["bytes_written_per_op"].number() == 20);
    CHECK(entry["page_copies_per_op"].number() == 3);
    for (const char* latency : {"p50_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns"}) CHECK(entry[latency].number() > 0);
}

TEST_CASE("the cost of several repeats is their median, with their variation", "[bench][fast]") {
    Results results;
    for (const double cost : {100.0, 300.0, 110.0}) results.add({"x"}, cost, {});
    CHECK(results.benchmarks().items().at(0)["cost"].number() == 110);
    CHECK(results.benchmarks().items().at(0)["cv"].number() > 0.5);
}

TEST_CASE("results come in the order in which they were expected", "[bench][fast]") {
    Results results;
    for (const char* name : {"a", "never", "b"}) results.expect(name);
    for (const char* name : {"b", "a"}) results.add({name}, 1, {});
    const Json all = results.benchmarks();
    REQUIRE(all.items().size() == 2);
    CHECK(all.items()[0]["name"].string() == "a");
    CHECK(all.items()[1]["name"].string() == "b");
}

}  // namespace bench
