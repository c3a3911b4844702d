// What a race found: a table for the terminal, Markdown, JSON, and a plot of ratios as SVG.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "race.hpp"

namespace bench {
namespace race_report_impl {

constexpr double k_unstable = 0.10;

std::string format(const char* pattern, double value) {
    char text[64];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

std::string amount(double value) {
    if (value >= 100) return format("%.0f", value);
    if (value >= 10) return format("%.1f", value);
    return format(value >= 0.1 ? "%.2f" : "%.4f", value);
}

std::string pretty(const std::string& subject) {
    if (subject == "northstar") return "Northstar";
    if (subject == "northstar_no_history") return "Northstar, no history";
    if (subject == "lmdb") return "LMDB";
    if (subject == "lmdb_writemap") return "LMDB, write map";
    if (subject == "rocksdb") return "RocksDB";
    if (subject == "sqlite") return "SQLite";
    if (subject == "leveldb") return "LevelDB";
    if (subject == "present") return "a present get";
    if (subject == "present_same_keys") return "present, the same keys";
    if (subject == "bare_4k") return "bare 4 KiB write + flush";
    if (subject == "bare_16k") return "bare 16 KiB write + flush";
    return subject;
}

const Outcome* find(const std::vector<RowResult>& results, const RowResult& row, const Bound& bound) {
    for (const RowResult& candidate : results) {
        if (candidate.spec->name == (bound.row.empty() ? row.spec->name : bound.row)) {
            const Outcome* outcome = candidate.find(bound.subject);
            return outcome != nullptr && !outcome->costs.empty() ? outcome : nullptr;
        }
    }
    return nullptr;
}

const Outcome* own(const RowResult& row) {
    const Outcome* outcome = row.find(row.spec->subject);
    return outcome != nullptr && !outcome->costs.empty() ? outcome : nullptr;
}

enum class Reached : std::uint8_t { unknown, no, yes };

double cost_of(const Outcome& outcome, Measure measure) {
    return measure == Measure::cpu ? outcome.cpu_cost() : outcome.cost();
}

Reached reached(const std::vector<RowResult>& results, const RowResult& row, const Target& target, Measure measure) {
    const Outcome* outcome = own(row);
    if (outcome == nullptr || target.empty()) return Reached::unknown;
    if (target.limit != 0 && cost_of(*outcome, measure) > target.limit) return Reached::no;
    for (const Bound& bound : target.bounds) {
        const Outcome* other = find(results, row, bound);
        if (other == nullptr) return Reached::unknown;
        if (cost_of(*other, measure) / cost_of(*outcome, measure) < bound.factor) return Reached::no;
    }
    return Reached::yes;
}

std::string target_text(const RowSpec& spec, const Target& target) {
    std::string text;
    if (target.limit != 0) text = "at most " + amount(target.limit / spec.unit_ns) + " " + spec.unit;
    for (const Bound& bound : target.bounds) {
        if (!text.empty()) text += ", ";
        text += format("%.2gx ", bound.factor) + pretty(bound.subject);
        if (!bound.row.empty()) text += " in " + bound.row;
    }
    return text;
}

std::string ratio_text(const std::vector<RowResult>& results, const RowResult& row, Measure measure = Measure::wall) {
    const Outcome* outcome = own(row);
    if (outcome == nullptr) return "";
    std::vector<Bound> bounds = row.spec->must.bounds;
    for (const Bound& bound : row.spec->aim.bounds) {
        const bool known = std::any_of(bounds.begin(), bounds.end(), [&](const Bound& other) {
            return other.row == bound.row && other.subject == bound.subject;
        });
        if (!known) bounds.push_back(bound);
    }
    std::string text;
    for (const Bound& bound : bounds) {
        if (const Outcome* other = find(results, row, bound)) {
            if (!text.empty()) text += ", ";
            text += format("%.2fx ", cost_of(*other, measure) / cost_of(*outcome, measure)) + pretty(bound.subject);
        }
    }
    return text;
}

std::string cost_text(const RowSpec& spec, const Outcome* outcome) {
    if (outcome == nullptr || outcome->costs.empty()) return "";
    std::string text = amount(outcome->cost() / spec.unit_ns);
    if (outcome->variation().value_or(0) > k_unstable) text += "~";
    return text;
}

bool shown(const Race& race, const RowResult& row) {
    return race.wanted(row.spec->name) && std::any_of(row.outcomes.begin(), row.outcomes.end(),
                                                      [](const auto& o) { return !o.second.costs.empty(); });
}

/// Cost, ratio and verdict by processor time, where that says something.
std::string cpu_text(Race& race, const RowResult& row) {
    const Outcome* outcome = own(row);
    if (!row.spec->by_cpu || outcome == nullptr) return "";
    std::string text = amount(outcome->cpu_cost() / row.spec->unit_ns) + " " + row.spec->unit;
    const std::string ratios = ratio_text(race.results(), row, Measure::cpu);
    if (!ratios.empty()) text += ": " + ratios;
    if (!row.spec->must.empty()) text += ", " + race_verdict(race.results(), row, Measure::cpu);
    return text;
}

/// Subjects in columns: engines in table order, then whatever else some row measured.
std::vector<std::string> columns(Race& race) {
    std::vector<std::string> names = race.options().engines;
    for (const RowResult& row : race.results()) {
        for (const auto& [name, outcome] : row.outcomes) {
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

std::string join(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + cell + " |";
    return line + "\n";
}

std::string escape(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else
            out += c;
    }
    return out;
}

}  // namespace race_report_impl

using namespace race_report_impl;

std::string race_verdict(const std::vector<RowResult>& results, const RowResult& row, Measure measure) {
    const Outcome* outcome = own(row);
    if (outcome == nullptr) return "not measured";
    const Reached must = reached(results, row, row.spec->must, measure);
    const Reached aim = reached(results, row, row.spec->aim, measure);
    std::string verdict = "reported";
    if (must == Reached::no)
        verdict = "missed";
    else if (aim == Reached::yes)
        verdict = "aim";
    else if (must == Reached::yes)
        verdict = "must";
    else if (!row.spec->must.empty())
        verdict = "no reference";
    else if (aim == Reached::no)
        verdict = "below aim";
    if (measure == Measure::wall && outcome->variation().value_or(0) > k_unstable) verdict += ", unstable";
    return verdict;
}

std::string race_table(Race& race) {
    std::string out;
    char line[512];
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        std::snprintf(line, sizeof line, "%-62s %s\n", row.spec->title.c_str(),
                      race_verdict(race.results(), row).c_str());
        out += line;
        for (const auto& [name, outcome] : row.outcomes) {
            if (outcome.costs.empty()) continue;
            std::snprintf(line, sizeof line, "    %-24s %10s %-3s", name.c_str(),
                          cost_text(*row.spec, &outcome).c_str(), row.spec->unit.c_str());
            out += line;
            if (const auto variation = outcome.variation()) out += format("  cv %4.1f%%", *variation * 100);
            if (row.spec->by_cpu) out += "  cpu " + amount(outcome.cpu_cost() / row.spec->unit_ns);
            if (outcome.latencies.count() != 0) {
                std::snprintf(line, sizeof line, "  p50 %s p99 %s p99.9 %s max %s us",
                              amount(outcome.latencies.percentile(0.5) / 1e3).c_str(),
                              amount(outcome.latencies.percentile(0.99) / 1e3).c_str(),
                              amount(outcome.latencies.percentile(0.999) / 1e3).c_str(),
                              amount(static_cast<double>(outcome.latencies.max()) / 1e3).c_str());
                out += line;
            }
            out += '\n';
        }
        if (const std::string ratios = ratio_text(race.results(), row); !ratios.empty()) {
            out += "    = " + ratios + "\n";
        }
        if (row.spec->by_cpu && !row.spec->must.empty()) {
            out += "    by processor time: " + ratio_text(race.results(), row, Measure::cpu) + "  " +
                   race_verdict(race.results(), row, Measure::cpu) + "\n";
        }
    }
    return out;
}

std::string race_markdown(Race& race) {
    const Json about = race.describe();
    const Json& machine = about["machine"];
    const Json& options = about["options"];
    std::string out =
        "# Race results\n\nWritten by `make race`; do not edit. Method: `spec/performance.md`.\n\n";
    out += "Machine: " + machine["processor"].string() + ", " +
           format("%.0f", machine["processors"].number()) + " processors, " +
           amount(machine["memory_mib"].number()) + " MiB, " + machine["file_system"].string() + ", " +
           machine["system"].string() + "; " + machine["compiler"].string() + ", " +
           machine["build"].string() + "; load at the start " + amount(machine["load_at_start"].number()) +
           ".\n\n";
    out +=
        "Data: " + format("%.0f", options["entries"].number()) +
        " entries, keys of 16 hexadecimal digits, values of 100 bytes, seed " +
        format("%.0f", options["seed"].number()) + "; " + format("%.0f", options["rounds"].number()) +
        " rounds of " + format("%.2f", options["seconds_per_slice"].number()) +
        " s slices, medians. A `~` marks a coefficient of variation over 10 %. Where one thread does the work and "
        "never waits, the last column repeats cost, ratio and verdict in processor time of that thread, which other "
        "users of the machine disturb less.\n\n## Against the targets\n\n";
    out +=
        join({"work", "Northstar", "ratio", "must reach", "aim", "verdict", "by processor time"}) +
        "|---|---|---|---|---|---|---|\n";
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        const Outcome* outcome = own(row);
        out += join({row.spec->title,
                     outcome == nullptr ? "" : cost_text(*row.spec, outcome) + " " + row.spec->unit,
                     ratio_text(race.results(), row), target_text(*row.spec, row.spec->must),
                     target_text(*row.spec, row.spec->aim), race_verdict(race.results(), row), cpu_text(race, row)});
    }
    out += "\n![speed ratios](race.svg)\n\n## Everything measured\n\nCosts: smaller is better.\n\n";
    const std::vector<std::string> names = columns(race);
    std::vector<std::string> header{"work", "unit"};
    std::string rule = "|---|---|";
    for (const std::string& name : names) {
        header.push_back(pretty(name));
        rule += "---|";
    }
    out += join(header) + rule + "\n";
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        std::vector<std::string> cells{
            row.spec->title + (row.spec->note.empty() ? "" : " (" + row.spec->note + ")"), row.spec->unit};
        for (const std::string& name : names) cells.push_back(cost_text(*row.spec, row.find(name)));
        out += join(cells);
    }
    out += "\n## Commit latency, us\n\n" + join({"work", "engine", "p50", "p95", "p99", "p99.9", "max"}) +
           "|---|---|---|---|---|---|---|\n";
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        for (const auto& [name, outcome] : row.outcomes) {
            if (outcome.latency_of != "commit") continue;
            std::vector<std::string> cells{row.spec->title, pretty(name)};
            for (const double share : {0.5, 0.95, 0.99, 0.999}) {
                cells.push_back(amount(outcome.latencies.percentile(share) / 1e3));
            }
            cells.push_back(amount(static_cast<double>(outcome.latencies.max()) / 1e3));
            out += join(cells);
        }
    }
    out += "\n## How each engine was set up\n\n" + join({"engine", "version", "settings", "multi_get"}) +
           "|---|---|---|---|\n";
    for (const auto& [name, engine] : about["engines"].members()) {
        out += join({pretty(name), engine["version"].string(), engine["settings"].string(),
                     engine["native_multi_get"].boolean() ? "native" : "loop of get"});
    }
    return out;
}

std::string race_svg(Race& race) {
    struct Colour {
        const char* peer;
        const char* fill;
    };
    constexpr Colour k_peers[] = {
        {"lmdb", "#4e79a7"}, {"rocksdb", "#f28e2b"}, {"sqlite", "#59a14f"}, {"leveldb", "#b07aa1"}};
    constexpr double k_letter = 7, k_width = 560, k_bar = 9, k_gap = 10, k_top = 56;
    constexpr double k_low = 0.125, k_high = 64;
    std::size_t longest = 40;
    for (const RowResult& row : race.results())
        if (shown(race, row)) longest = std::max(longest, std::string_view(row.spec->title).size());
    const double left = 20 + k_letter * static_cast<double>(longest);
    const auto x = [&](double ratio) {
        const double bounded = std::clamp(ratio, k_low, k_high);
        return left + k_width * std::log2(bounded / k_low) / std::log2(k_high / k_low);
    };
    // Without Northstar in the race the bars compare the peers with the first engine.
    const std::string reference = std::find(race.options().engines.begin(), race.options().engines.end(),
                                            "northstar") != race.options().engines.end()
                                      ? "northstar"
                                      : race.options().engines.front();
    std::string body;
    double y = k_top;
    char text[512];
    for (const RowResult& row : race.results()) {
        const Outcome* self = row.find(row.spec->subject == "northstar" ? reference : row.spec->subject);
        if (!shown(race, row) || self == nullptr || self->costs.empty()) continue;
        const double begin = y;
        for (const Colour& colour : k_peers) {
            const Outcome* peer = row.find(colour.peer);
            if (peer == nullptr || peer->costs.empty() || peer == self) continue;
            const double ratio = peer->cost() / self->cost();
            const double from = std::min(x(1), x(ratio));
            std::snprintf(text, sizeof text,
                          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>"
                          "<text x=\"%.1f\" y=\"%.1f\" class=\"n\">%.2fx</text>\n",
                          from, y, std::max(1.0, std::fabs(x(ratio) - x(1))), k_bar - 1, colour.fill,
                          std::max(x(1), x(ratio)) + 4, y + k_bar - 2, ratio);
            body += text;
            for (const Bound& bound : row.spec->must.bounds) {
                if (!bound.row.empty() || bound.subject != colour.peer) continue;
                std::snprintf(text, sizeof text,
                              "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#d00\" "
                              "stroke-width=\"2\"/>\n",
                              x(bound.factor), x(bound.factor), y - 1, y + k_bar);
                body += text;
            }
            y += k_bar;
        }
        if (y == begin) continue;
        std::snprintf(text, sizeof text, "<text x=\"%.0f\" y=\"%.1f\" class=\"t\">%s</text>\n", left - 8,
                      (begin + y) / 2 + 4, escape(row.spec->title).c_str());
        body += text;
        y += k_gap;
    }
    std::string out;
    std::snprintf(text, sizeof text,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                  "font-family=\"sans-serif\">\n",
                  left + k_width + 60, y + 20);
    out += text;
    out +=
        "<style>text{font-size:12px;fill:#222}.t{text-anchor:end}.n{font-size:8px}.g{text-anchor:middle;fill:"
        "#666}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    std::snprintf(text, sizeof text,
                  "<text x=\"12\" y=\"20\">Speed of %s as a multiple of each peer's (logarithmic); red: must "
                  "reach</text>\n",
                  escape(pretty(reference)).c_str());
    out += text;
    double legend = 12;
    for (const Colour& colour : k_peers) {
        std::snprintf(text, sizeof text,
                      "<rect x=\"%.0f\" y=\"30\" width=\"10\" height=\"10\" fill=\"%s\"/><text x=\"%.0f\" "
                      "y=\"39\">%s</text>\n",
                      legend, colour.fill, legend + 14, pretty(colour.peer).c_str());
        out += text;
        legend += 80;
    }
    for (double ratio = k_low; ratio <= k_high; ratio *= 2) {
        std::snprintf(text, sizeof text,
                      "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.1f\" stroke=\"%s\"/><text x=\"%.1f\" "
                      "y=\"%.1f\" class=\"g\">%gx</text>\n",
                      x(ratio), x(ratio), k_top - 6, y, ratio == 1 ? "#222" : "#ddd", x(ratio), y + 14,
                      ratio);
        out += text;
    }
    return out + body + "</svg>\n";
}

Json race_json(Race& race) {
    Json result = race.describe();
    Json benchmarks = Json::array();
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        for (const auto& [name, outcome] : row.outcomes) {
            if (outcome.costs.empty()) continue;
            Json entry = Json::object();
            entry.set("name", "race/" + row.spec->name + "/" + name);
            entry.set("gate", name.starts_with("northstar"));
            entry.set("unit", row.spec->unit == "MB" ? "bytes" : "ns");
            if (!row.spec->durability.empty()) entry.set("durability", row.spec->durability);
            entry.set("cost", outcome.cost());
            if (row.spec->by_cpu) entry.set("cpu_cost", outcome.cpu_cost());
            if (row.spec->unit != "MB") entry.set("operations_per_second", 1e9 / outcome.cost());
            if (const auto variation = outcome.variation()) entry.set("cv", *variation);
            Json costs = Json::array();
            for (const double cost : outcome.costs) costs.push_back(cost);
            entry.set("slices", std::move(costs));
            if (outcome.operations != 0) {
                const auto operations = static_cast<double>(outcome.operations);
                const auto per_operation = [&](const char* what, std::uint64_t count) {
                    entry.set(what, static_cast<double>(count) / operations);
                };
                entry.set("operations", outcome.operations);
                per_operation("allocations_per_op", outcome.counters.allocations);
                per_operation("flushes_per_op", outcome.counters.flushes);
                per_operation("bytes_read_per_op", outcome.counters.read_bytes);
                per_operation("bytes_written_per_op", outcome.counters.written_bytes);
                per_operation("bytes_dirtied_per_op", outcome.counters.dirtied_bytes);
                per_operation("cpu_ns_per_op", outcome.counters.cpu_ns);
                per_operation("page_copies_per_op", outcome.page_copies);
            }
            if (outcome.latencies.count() != 0) {
                entry.set("latency_of", outcome.latency_of);
                entry.set("p50_ns", outcome.latencies.percentile(0.5));
                entry.set("p95_ns", outcome.latencies.percentile(0.95));
                entry.set("p99_ns", outcome.latencies.percentile(0.99));
                entry.set("p999_ns", outcome.latencies.percentile(0.999));
                entry.set("max_ns", outcome.latencies.max());
            }
            benchmarks.push_back(std::move(entry));
        }
    }
    result.set("benchmarks", std::move(benchmarks));
    Json rows = Json::array();
    for (const RowResult& row : race.results()) {
        if (!shown(race, row)) continue;
        Json entry = Json::object();
        entry.set("row", row.spec->name).set("title", row.spec->title);
        entry.set("must", target_text(*row.spec, row.spec->must))
            .set("aim", target_text(*row.spec, row.spec->aim));
        entry.set("ratio", ratio_text(race.results(), row)).set("verdict", race_verdict(race.results(), row));
        rows.push_back(std::move(entry));
    }
    result.set("rows", std::move(rows));
    return result;
}

}  // namespace bench
