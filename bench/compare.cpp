// northstar-bench compare BASE.json NEW.json: did anything get slower, and is that more than noise?
//
// Gates: throughput -5 %, p99 +10 %, allocations per operation +5 %, flushes per operation any rise. A
// benchmark whose slices vary by more than 10 % in either file is unstable: shown, but it does not gate on
// time. Counts do not depend on the machine's mood and gate always. Entries marked "gate": false (peers) are
// shown only.
#include <algorithm>
#include <cstdio>

#include "command.hpp"
#include "json.hpp"

namespace bench {
namespace compare_impl {

constexpr double k_unstable = 0.10;
constexpr double k_throughput = 0.95;
constexpr double k_p99 = 1.10;
constexpr double k_allocations = 1.05;
// Counts come from divisions of large numbers; background work adds a little. Below this it is no rise.
constexpr double k_count_noise = 0.005;

struct Finding {
    std::string name;
    double ratio = 0;  ///< base cost over new cost: above 1 is faster
    double p99 = 0;    ///< new over base, 0: not measured
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

Finding judge(const Json& base, const Json& now) {
    Finding finding;
    finding.name = now["name"].string();
    finding.unstable = std::max(base["cv"].number(), now["cv"].number()) > k_unstable;
    const double base_cost = base["cost"].number();
    const double now_cost = now["cost"].number();
    finding.ratio = now_cost > 0 ? base_cost / now_cost : 0;
    if (base["p99_ns"].number() > 0) finding.p99 = now["p99_ns"].number() / base["p99_ns"].number();
    if (!now["gate"].boolean(true)) return finding;
    if (!finding.unstable) {
        if (finding.ratio < k_throughput) fail(finding, change("cost", base_cost, now_cost));
        if (finding.p99 > k_p99)
            fail(finding, change("p99", base["p99_ns"].number(), now["p99_ns"].number()));
    }
    const double base_allocations = base["allocations_per_op"].number();
    const double now_allocations = now["allocations_per_op"].number();
    if (now_allocations > base_allocations * k_allocations + k_count_noise) {
        fail(finding, change("allocations/op", base_allocations, now_allocations));
    }
    const double base_flushes = base["flushes_per_op"].number();
    const double now_flushes = now["flushes_per_op"].number();
    if (now_flushes > base_flushes * (1 + k_count_noise) + k_count_noise) {
        fail(finding, change("flushes/op", base_flushes, now_flushes));
    }
    return finding;
}

void warn_if_different(const Json& base, const Json& now, const char* section, const char* what) {
    const Json& a = base[section][what];
    const Json& b = now[section][what];
    if (a.text() != b.text()) {
        std::printf("note: %s differs: %s was %s", what, b.text().c_str(), a.text().c_str());
    }
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only"});
    if (arguments.words().size() != 2) throw UsageError("two result files are needed: BASE.json NEW.json");
    const Json base = Json::read_file(arguments.words()[0]);
    const Json now = Json::read_file(arguments.words()[1]);
    for (const char* what : {"processor", "processors", "file_system", "compiler", "build"}) {
        warn_if_different(base, now, "machine", what);
    }
    for (const char* what : {"entries", "page_size", "value_bytes"})
        warn_if_different(base, now, "options", what);
    std::printf("%-52s %8s %8s  %s\n", "benchmark", "speed", "p99", "verdict");
    unsigned compared = 0;
    unsigned failed = 0;
    unsigned unstable = 0;
    unsigned missing = 0;
    for (const Json& entry : base["benchmarks"].items()) {
        const std::string& name = entry["name"].string();
        const auto& others = now["benchmarks"].items();
        const auto other = std::find_if(others.begin(), others.end(),
                                        [&](const Json& o) { return o["name"].string() == name; });
        if (other == others.end()) {
            std::printf("%-52s %8s %8s  not in the new file\n", name.c_str(), "", "");
            ++missing;
            continue;
        }
        const Finding finding = judge(entry, *other);
        char p99[16] = "";
        if (finding.p99 > 0) std::snprintf(p99, sizeof p99, "%.2fx", finding.p99);
        std::string verdict = finding.failed ? "FAILED: " + finding.reasons : "ok";
        if (finding.unstable) verdict += " (unstable)";
        if (!(*other)["gate"].boolean(true)) verdict = "not gated";
        std::printf("%-52s %7.2fx %8s  %s\n", name.c_str(), finding.ratio, p99, verdict.c_str());
        ++compared;
        failed += finding.failed ? 1 : 0;
        unstable += finding.unstable ? 1 : 0;
    }
    std::printf("%u compared, %u failed, %u unstable, %u missing\n", compared, failed, unstable, missing);
    if (compared == 0) {
        std::printf("nothing in common: that is a failure too\n");
        return 1;
    }
    return failed == 0 ? 0 : 1;
}

const RegisterCommand command(
    "compare",
    "BASE.json NEW.json\n"
    "       ratios and gates: throughput -5 %, p99 +10 %, allocations/op +5 %, flushes/op any rise",
    run);

}  // namespace compare_impl
}  // namespace bench
