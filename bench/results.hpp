// results.hpp -- what benchmarks measured: one series of repeats for each, the table of them, and the result file.
//
// Every benchmark reports the same things: operations per second, p50, p95, p99, p99.9 and the longest latency, bytes,
// flushes, allocations and page copies per operation. A cost is nanoseconds per operation; that of a series is the
// median of its repeats, its noise their coefficient of variation.
//
// Threads: belongs to one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "json.hpp"
#include "measure.hpp"

namespace bench {

/// What a benchmark is, beside its numbers.
struct About {
    std::string name;
    std::string durability = {};  ///< of its commits, "lazy" or "full"; empty: it makes none
    std::string latency_of = {};  ///< what a latency is the time of
    std::string input = {};       ///< data it worked on that another machine may lack; empty: made from the seed
};

/// One repeat of one benchmark.
struct Repeat {
    std::uint64_t operations = 0;
    std::uint64_t elapsed_ns = 0;
    Counters counters;
    std::uint64_t page_copies = 0;
    LatencyHistogram latencies;
    bool counted = true;  ///< false: only times are known, because others worked at the same time
};

/// Names and values of what a repeat says beside its cost, in the form of the result file.
std::map<std::string, double> metrics_of(const Repeat& repeat);

struct Series {
    About about;
    std::vector<double> costs;
    std::map<std::string, std::vector<double>> metrics;
    double cost() const { return median(costs); }
    /// Median of the repeats; 0 where none said it.
    double metric(const std::string& name) const;
};

class Results {
public:
    void add(const About& about, double cost_ns, const std::map<std::string, double>& metrics);
    void add(const About& about, const Repeat& repeat);
    /// A benchmark that will come: names in this order stand first in the table.
    void expect(const std::string& name);
    /// The series of that name that has repeats, or nullptr.
    const Series* find(const std::string& name) const;

    /// A line for each benchmark.
    void print(std::FILE* out) const;
    /// The member "benchmarks" of a result file.
    Json benchmarks() const;

private:
    std::vector<Series> series_;
};

/// A result file: machine, options and benchmarks.
Json result_file(const Json& machine, const Json& options, const Results& results);

}  // namespace bench
