#include "results.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace bench {
namespace results_impl {

/// A number in a column of so many characters, with as many digits as fit.
std::string cell(double value, int width) {
    char text[32];
    const double size = value < 0 ? -value : value;
    const char* unit = "";
    double shown = value;
    if (size >= 1e9) {
        shown = value / 1e9;
        unit = "G";
    } else if (size >= 1e6) {
        shown = value / 1e6;
        unit = "M";
    } else if (size >= 1e4) {
        shown = value / 1e3;
        unit = "k";
    }
    const int decimals = value == 0 ? 0 : std::abs(shown) < 10 ? 2 : std::abs(shown) < 100 ? 1 : 0;
    std::snprintf(text, sizeof text, "%.*f%s", decimals, shown, unit);
    std::string out(text);
    if (out.size() < static_cast<std::size_t>(width)) out.insert(0, static_cast<std::size_t>(width) - out.size(), ' ');
    return out;
}

struct Column {
    const char* title;
    const char* metric;
    double unit;
    int width;
};

constexpr std::array<Column, 11> k_columns{{{"p50 us", "p50_ns", 1e3, 8},
                                            {"p95 us", "p95_ns", 1e3, 8},
                                            {"p99 us", "p99_ns", 1e3, 8},
                                            {"p99.9 us", "p999_ns", 1e3, 8},
                                            {"max us", "max_ns", 1e3, 8},
                                            {"read B", "bytes_read_per_op", 1, 7},
                                            {"write B", "bytes_written_per_op", 1, 7},
                                            {"flushes", "flushes_per_op", 1, 8},
                                            {"allocs", "allocations_per_op", 1, 7},
                                            {"copies", "page_copies_per_op", 1, 7},
                                            {"cpu ns", "cpu_ns_per_op", 1, 8}}};

}  // namespace results_impl

std::map<std::string, double> metrics_of(const Repeat& repeat) {
    std::map<std::string, double> metrics;
    if (repeat.operations == 0) return metrics;
    const auto per_operation = [&](const char* name, std::uint64_t count) {
        metrics[name] = static_cast<double>(count) / static_cast<double>(repeat.operations);
    };
    if (repeat.counted) {
        per_operation("allocations_per_op", repeat.counters.allocations);
        per_operation("flushes_per_op", repeat.counters.flushes);
        per_operation("bytes_read_per_op", repeat.counters.read_bytes);
        per_operation("bytes_written_per_op", repeat.counters.written_bytes);
        per_operation("bytes_fetched_per_op", repeat.counters.fetched_bytes);
        per_operation("bytes_dirtied_per_op", repeat.counters.dirtied_bytes);
        per_operation("cpu_ns_per_op", repeat.counters.cpu_ns);
        per_operation("page_copies_per_op", repeat.page_copies);
    }
    if (repeat.latencies.count() == 0) return metrics;
    metrics["p50_ns"] = repeat.latencies.percentile(0.5);
    metrics["p95_ns"] = repeat.latencies.percentile(0.95);
    metrics["p99_ns"] = repeat.latencies.percentile(0.99);
    metrics["p999_ns"] = repeat.latencies.percentile(0.999);
    metrics["max_ns"] = static_cast<double>(repeat.latencies.max());
    return metrics;
}

double Series::metric(const std::string& name) const {
    const auto found = metrics.find(name);
    return found == metrics.end() ? 0 : median(found->second);
}

void Results::add(const About& about, double cost_ns, const std::map<std::string, double>& metrics) {
    auto series = std::find_if(series_.begin(), series_.end(),
                               [&](const Series& other) { return other.about.name == about.name; });
    if (series == series_.end()) series = series_.insert(series_.end(), Series{});
    series->about = about;
    series->costs.push_back(cost_ns);
    for (const auto& [name, value] : metrics) series->metrics[name].push_back(value);
}

void Results::add(const About& about, const Repeat& repeat) {
    const auto operations = static_cast<double>(repeat.operations);
    add(about, operations == 0 ? 0 : static_cast<double>(repeat.elapsed_ns) / operations, metrics_of(repeat));
}

void Results::expect(const std::string& name) {
    if (std::none_of(series_.begin(), series_.end(), [&](const Series& other) { return other.about.name == name; }))
        series_.insert(series_.end(), Series{{name}, {}, {}});
}

const Series* Results::find(const std::string& name) const {
    for (const Series& series : series_) {
        if (series.about.name == name && !series.costs.empty()) return &series;
    }
    return nullptr;
}

void Results::print(std::FILE* out) const {
    int longest = 9;
    for (const Series& series : series_) longest = std::max(longest, static_cast<int>(series.about.name.size()));
    std::fprintf(out, "%-*s %8s %8s %5s", longest, "benchmark", "ops/s", "ns/op", "cv");
    for (const auto& column : results_impl::k_columns) std::fprintf(out, " %*s", column.width, column.title);
    std::fprintf(out, "\n");
    for (const Series& series : series_) {
        if (series.costs.empty()) continue;
        const double cost = series.cost();
        const auto variation = coefficient_of_variation(series.costs);
        char noise[16] = "";
        if (variation) std::snprintf(noise, sizeof noise, "%.0f%%", *variation * 100);
        std::fprintf(out, "%-*s %s %s %5s", longest, series.about.name.c_str(),
                     results_impl::cell(cost > 0 ? 1e9 / cost : 0, 8).c_str(), results_impl::cell(cost, 8).c_str(),
                     noise);
        for (const auto& column : results_impl::k_columns) {
            const bool known = series.metrics.find(column.metric) != series.metrics.end();
            const std::string text =
                known ? results_impl::cell(series.metric(column.metric) / column.unit, column.width) : "";
            std::fprintf(out, " %*s", column.width, text.c_str());
        }
        std::fprintf(out, "\n");
    }
}

Json Results::benchmarks() const {
    Json all = Json::array();
    for (const Series& series : series_) {
        if (series.costs.empty()) continue;
        Json entry = Json::object();
        entry.set("name", series.about.name).set("gate", true).set("unit", "ns");
        if (!series.about.durability.empty()) entry.set("durability", series.about.durability);
        if (!series.about.input.empty()) entry.set("input", series.about.input);
        if (!series.about.latency_of.empty()) entry.set("latency_of", series.about.latency_of);
        const double cost = series.cost();
        entry.set("cost", cost);
        if (cost > 0) entry.set("operations_per_second", 1e9 / cost);
        if (const auto variation = coefficient_of_variation(series.costs)) entry.set("cv", *variation);
        Json costs = Json::array();
        for (const double value : series.costs) costs.push_back(value);
        entry.set("slices", std::move(costs));
        for (const auto& [name, values] : series.metrics) entry.set(name, median(values));
        all.push_back(std::move(entry));
    }
    return all;
}

Json result_file(const Json& machine, const Json& options, const Results& results) {
    Json file = Json::object();
    file.set("machine", machine).set("options", options).set("benchmarks", results.benchmarks());
    return file;
}

}  // namespace bench
