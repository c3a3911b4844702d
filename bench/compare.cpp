// northstar-bench compare BASE.json NEW.json: did anything get slower, and is that more than noise?
//
// Gates: throughput -5 %, p99 +10 %, allocations per operation +5 %, flushes per operation any rise. A benchmark whose
// repeats vary by more than 10 % in either file is unstable, and times of another machine say nothing: there times do
// not gate, and the instruction counts decide in their place where both files have them. Counts do not depend on the
// machine's mood and gate always. Entries marked "gate": false (peers) are shown only. What the new file lacks is a
// failure, so that no benchmark gets lost unnoticed.
#include <algorithm>
#include <cstdio>
#include <regex>

#include "command.hpp"
#include "json.hpp"

namespace bench {
namespace compare_impl {

constexpr double k_unstable = 0.10;
constexpr double k_throughput = 0.95;
constexpr double k_p99 = 1.10;
constexpr double k_allocations = 1.05;
// Lazy commits are flushed by the clock: a slower machine has more flushes for each operation, and no more of them.
constexpr double k_lazy_flush_ns = 100e6;
// Counts come from divisions of large numbers; background work adds a little. Below this it is no rise.
constexpr double k_count_noise = 0.005;

struct Finding {
    double speed = 0;         ///< base cost over new cost: above 1 is faster
    double p99 = 0;           ///< new over base, 0: not measured
    double instructions = 0;  ///< new over base, 0: not counted
    bool unstable = false;
    bool failed = false;
    std::string reasons;
};

void fail(Finding& finding, const std::string& reason) {
    finding.failed = true;
    finding.reasons += (finding.reasons.empty() ? "" : ", ") + reason;
}

std::string change(const char* what, double from, double to) {
    char text[128];
    std::snprintf(text, sizeof text, "%s %.4g -> %.4g", what, from, to);
    return text;
}

double ratio(const Json& base, const Json& now, const char* what) {
    return base[what].number() > 0 ? now[what].number() / base[what].number() : 0;
}

Finding judge(const Json& base, const Json& now, bool same_machine, bool same_counting) {
    Finding finding;
    finding.unstable = std::max(base["cv"].number(), now["cv"].number()) > k_unstable;
    const double cost = ratio(base, now, "cost");
    finding.speed = cost > 0 ? 1 / cost : 0;
    finding.p99 = ratio(base, now, "p99_ns");
    if (same_counting) finding.instructions = ratio(base, now, "instructions_per_op");
    if (!now["gate"].boolean(true)) return finding;
    if (same_machine && !finding.unstable) {
        if (finding.speed < k_throughput) fail(finding, change("cost", base["cost"].number(), now["cost"].number()));
        if (finding.p99 > k_p99) fail(finding, change("p99", base["p99_ns"].number(), now["p99_ns"].number()));
    } else if (finding.instructions > 1 / k_throughput) {
        fail(finding,
             change("instructions/op", base["instructions_per_op"].number(), now["instructions_per_op"].number()));
    }
    const double base_allocations = base["allocations_per_op"].number();
    const double now_allocations = now["allocations_per_op"].number();
    if (now_allocations > base_allocations * k_allocations + k_count_noise) {
        fail(finding, change("allocations/op", base_allocations, now_allocations));
    }
    const double base_flushes = base["flushes_per_op"].number();
    const double now_flushes = now["flushes_per_op"].number();
    const double by_the_clock = now["durability"].string() == "lazy" ? now["cost"].number() / k_lazy_flush_ns : 0;
    if (now_flushes > base_flushes * (1 + k_count_noise) + k_count_noise + by_the_clock) {
        fail(finding, change("flushes/op", base_flushes, now_flushes));
    }
    return finding;
}

/// Says which of these differ; true: none.
bool same(const Json& base, const Json& now, const char* section, std::initializer_list<const char*> members) {
    bool equal = true;
    for (const char* member : members) {
        std::string was = base[section][member].text();
        std::string is = now[section][member].text();
        if (was == is) continue;
        was.pop_back();
        is.pop_back();
        std::printf("%s %s was %s, is %s\n", section, member, was.c_str(), is.c_str());
        equal = false;
    }
    return equal;
}

std::string times(double value) {
    char text[16] = "";
    if (value > 0) std::snprintf(text, sizeof text, "%.2fx", value);
    return text;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only"});
    if (arguments.words().size() != 2) throw UsageError("two result files are needed: BASE.json NEW.json");
    const std::regex only = regular_expression(arguments.text("only", "."));
    const Json base = Json::read_file(arguments.words()[0]);
    const Json now = Json::read_file(arguments.words()[1]);
    if (!same(base, now, "options", {"suite", "entries", "key_bytes", "value_bytes", "page_size", "seed", "scale"})) {
        std::printf("measured with other options: nothing can be compared\n");
        return 1;
    }
    const bool same_counting = base["options"]["entries_counted"].text() == now["options"]["entries_counted"].text();
    const bool same_machine =
        same(base, now, "machine", {"processor", "processors", "file_system", "compiler", "build"});
    if (!same_machine) std::printf("another machine: times do not gate, counts do\n");
    std::printf("%-52s %8s %8s %8s  %s\n", "benchmark", "speed", "p99", "instr.", "verdict");
    unsigned compared = 0;
    unsigned failed = 0;
    unsigned unstable = 0;
    unsigned missing = 0;
    for (const Json& entry : base["benchmarks"].items()) {
        const std::string& name = entry["name"].string();
        if (!std::regex_search(name, only)) continue;
        const auto& others = now["benchmarks"].items();
        const auto other =
            std::find_if(others.begin(), others.end(), [&](const Json& o) { return o["name"].string() == name; });
        if (other == others.end()) {
            std::printf("%-52s %8s %8s %8s  FAILED: not in the new file\n", name.c_str(), "", "", "");
            ++missing;
            continue;
        }
        if (entry["input"].string() != (*other)["input"].string()) {
            std::printf("%-52s %8s %8s %8s  not compared: another input\n", name.c_str(), "", "", "");
            continue;
        }
        const Finding finding = judge(entry, *other, same_machine, same_counting);
        std::string verdict = finding.failed ? "FAILED: " + finding.reasons : "ok";
        if (finding.unstable) verdict += " (unstable)";
        if (!(*other)["gate"].boolean(true)) verdict = "not gated";
        std::printf("%-52s %8s %8s %8s  %s\n", name.c_str(), times(finding.speed).c_str(), times(finding.p99).c_str(),
                    times(finding.instructions).c_str(), verdict.c_str());
        ++compared;
        failed += finding.failed ? 1 : 0;
        unstable += finding.unstable ? 1 : 0;
    }
    std::printf("%u compared, %u failed, %u unstable, %u missing\n", compared, failed, unstable, missing);
    if (compared == 0) {
        std::printf("nothing in common: that is a failure too\n");
        return 1;
    }
    return failed == 0 && missing == 0 ? 0 : 1;
}

const RegisterCommand command(
    "compare",
    "[--only REGEX] BASE.json NEW.json\n"
    "       ratios and gates: throughput -5 %, p99 +10 %, allocations/op +5 %, flushes/op any rise;\n"
    "       where times are unstable, instructions/op +5 %",
    run);

}  // namespace compare_impl
}  // namespace bench
