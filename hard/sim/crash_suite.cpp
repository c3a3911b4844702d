// crash_suite.cpp -- whole databases on a simulated disk that crashes: what was promised is there, and nothing else.
//
// What a seed does stands in crash_run.hpp.
//
//   crash_suite                        as many seeds as the tests run (HARD_SEEDS=n for another number)
//   crash_suite --seed N [--steps L]   one seed again, of it the steps of a list "0,4,17" alone; one that fails tells
//                                      what it did
//   crash_suite --seeds A..B
//   crash_suite --shrink N             fewer steps with which seed N fails, and what they do
//
// A seed that fails is run again at once: it must fail the same way. Stops behind five that failed (HARD_FAILURES=n for
// another number). Seeds that failed once are run first. What a whole run never tried fails it.
#include "hard/sim/crash_run.hpp"

#include "hard/sim/shrink.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace northstar::hard {

namespace {

constexpr std::uint64_t k_default_seeds = 200;
constexpr unsigned k_default_steps = 70;
constexpr int k_default_failures = 5;

/// Seeds that failed before the kernel or the model was mended, of the steps as they are now: when these change, the
/// tests named in CHANGELOG.md are what is left of older ones.
constexpr std::uint64_t k_failed_once[] = {721, 20388, 20433, 21000, 22886, 23077};

using Steps = std::vector<unsigned>;

Steps all_steps() {
    Steps steps(k_default_steps);
    std::iota(steps.begin(), steps.end(), 0u);
    return steps;
}

struct Outcome {
    std::string failure;  ///< empty: the seed passed
    std::vector<std::string> told;
    std::uint64_t fingerprint = 0;
};

Outcome try_seed(std::uint64_t seed, const Steps& steps, Totals& totals) {
    CrashRun run(seed, steps, totals);
    Outcome outcome;
    try {
        run.run();
    } catch (const Broken& broken) {
        outcome.failure = run.last() + ": " + broken.what();
    } catch (const Error& error) {
        outcome.failure = run.last() + ": unexpected error " + to_string(error.code()) + ": " + error.what();
    } catch (const std::exception& error) {
        outcome.failure = run.last() + ": not an error of the library: " + error.what();
    } catch (const Crash& crash) {
        outcome.failure = run.last() + ": the crash at call " + std::to_string(crash.call) + " was not expected";
    }
    outcome.told = run.told();
    outcome.fingerprint = run.fingerprint();
    return outcome;
}

std::string list(const Steps& steps) {
    std::string text;
    for (const unsigned step : steps) text += (text.empty() ? "" : ",") + std::to_string(step);
    return text;
}

/// The same seed does the same to the byte, and fails the same way.
bool repeats(std::uint64_t seed, const Steps& steps, const Outcome& outcome) {
    Totals ignored;
    const Outcome again = try_seed(seed, steps, ignored);
    if (again.failure == outcome.failure && again.fingerprint == outcome.fingerprint) return true;
    std::printf("seed %llu did something else the second time: %s\n", static_cast<unsigned long long>(seed),
                again.failure.empty() ? "it passed" : again.failure.c_str());
    return false;
}

int shrink(std::uint64_t seed) {
    std::size_t runs = 0;
    const auto fails = [&](const Steps& steps) {
        ++runs;
        Totals ignored;
        return !try_seed(seed, steps, ignored).failure.empty();
    };
    if (!fails(all_steps())) {
        std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(seed));
        return 0;
    }
    const Steps steps = fewest<unsigned>(all_steps(), fails);
    Totals ignored;
    const Outcome outcome = try_seed(seed, steps, ignored);
    for (const std::string& told : outcome.told) std::printf("  %s\n", told.c_str());
    std::printf("  %s\nseed %llu fails with %zu steps of %u (%zu runs)\nreplay: crash_suite --seed %llu --steps %s\n",
                outcome.failure.c_str(), static_cast<unsigned long long>(seed), steps.size(), k_default_steps, runs,
                static_cast<unsigned long long>(seed), list(steps).c_str());
    return 1;
}

void print_report(const Totals& totals) {
    const auto line = [](const std::string& name, std::uint64_t count) {
        std::printf("  %-50s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
    };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) line(name_of(static_cast<Fault>(i)), totals.faults[i]);
    for (std::size_t i = 0; i < k_call_kinds; ++i) {
        line(std::string("crash in a call: ") + name_of(static_cast<Call>(i)), totals.crashes[i]);
        line(std::string("failed call: ") + name_of(static_cast<Call>(i)), totals.failures[i]);
    }
    for (const auto& [name, count] : totals.classes) line(name, count);
}

/// Does the kernel make calls of this kind while the suite's processes work?
bool is_made(Call call) { return call != Call::remove && call != Call::rename; }

/// Classes that happen in one of some hundred seeds: a run of so many must have seen them, a short one need not.
constexpr std::size_t k_seeds_for_rare = 1000;
bool is_rare(const std::string& name) {
    return name == "failed call: map_writable" || name == "failed call: open" ||
           name == "redaction finished by another process";
}

/// Classes of faults that a whole run must have seen.
bool all_fired(const Totals& totals, std::size_t seeds) {
    bool fired = true;
    const auto must = [&](const std::string& name, std::uint64_t count) {
        if (count != 0 || (is_rare(name) && seeds < k_seeds_for_rare)) return;
        std::printf("never happened: %s\n", name.c_str());
        fired = false;
    };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) {
        const auto fault = static_cast<Fault>(i);
        // Only machines that lie lose flushed sectors; damage at rest shows what the kernel makes of them.
        if (fault != Fault::lost_write) must(name_of(fault), totals.faults[i]);
    }
    for (std::size_t i = 0; i < k_call_kinds; ++i) {
        const auto call = static_cast<Call>(i);
        if (!is_made(call)) continue;
        must(std::string("crash in a call: ") + name_of(call), totals.crashes[i]);
        must(std::string("failed call: ") + name_of(call), totals.failures[i]);
    }
    for (const std::string& name : crash_classes()) {
        const auto found = totals.classes.find(name);
        must(name, found == totals.classes.end() ? 0 : found->second);
    }
    return fired;
}

int run_seeds(const std::vector<std::uint64_t>& seeds, const Steps& steps, bool whole) {
    Totals totals;
    const char* const most_text = std::getenv("HARD_FAILURES");
    const int most = most_text != nullptr ? std::atoi(most_text) : k_default_failures;
    int failures = 0;
    bool repeatable = true;
    for (std::size_t i = 0; i < seeds.size() && failures < most; ++i) {
        const std::uint64_t seed = seeds[i];
        const Outcome outcome = try_seed(seed, steps, totals);
        if (whole && i == 0) repeatable = repeats(seed, steps, outcome);
        if (outcome.failure.empty()) continue;
        ++failures;
        std::printf("seed %llu FAILED at %s\n", static_cast<unsigned long long>(seed), outcome.failure.c_str());
        repeatable = repeats(seed, steps, outcome) && repeatable;
        const std::size_t lines = seeds.size() == 1 ? outcome.told.size() : 1;
        for (std::size_t line = 0; line < lines; ++line) std::printf("%s\n", outcome.told[line].c_str());
        std::printf("replay: crash_suite --seed %llu%s%s\nshorter: crash_suite --shrink %llu\n",
                    static_cast<unsigned long long>(seed), steps.size() == k_default_steps ? "" : " --steps ",
                    steps.size() == k_default_steps ? "" : list(steps).c_str(),
                    static_cast<unsigned long long>(seed));
        std::fflush(stdout);
    }
    print_report(totals);
    const bool fired = !whole || all_fired(totals, seeds.size());
    const bool fine = failures == 0 && fired && repeatable;
    std::printf("%llu crash images, %llu recoveries, %llu commits from %llu seeds up to %llu: %s\n",
                static_cast<unsigned long long>(totals.images), static_cast<unsigned long long>(totals.recoveries),
                static_cast<unsigned long long>(totals.commits), static_cast<unsigned long long>(seeds.size()),
                static_cast<unsigned long long>(seeds.back()), fine ? "all as promised" : "FAILED");
    return fine ? 0 : 1;
}

Steps parse_steps(const char* text) {
    Steps steps;
    for (char* rest = nullptr; *text != '\0'; text = *rest == ',' ? rest + 1 : rest) {
        steps.push_back(static_cast<unsigned>(std::strtoul(text, &rest, 10)));
        if (rest == text) break;
    }
    return steps;
}

int suite_main(int argc, char** argv) {
    std::uint64_t count = k_default_seeds;
    if (const char* text = std::getenv("HARD_SEEDS")) count = std::strtoull(text, nullptr, 10);
    std::uint64_t first = 1;
    std::uint64_t last = count;
    Steps steps = all_steps();
    bool whole = count >= k_default_seeds;
    std::vector<std::uint64_t> seeds;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        char* rest = nullptr;
        const std::uint64_t value = std::strtoull(argv[i + 1], &rest, 10);
        if (name == "--shrink") return shrink(value);
        if (name == "--steps") {
            steps = parse_steps(argv[i + 1]);
        } else if (name == "--seed") {
            first = last = value;
        } else if (name == "--seeds") {
            first = value;
            last = std::strncmp(rest, "..", 2) == 0 ? std::strtoull(rest + 2, nullptr, 10) : value;
        } else {
            std::fprintf(stderr, "usage: crash_suite [--seed N | --seeds A..B | --shrink N] [--steps L]\n");
            return 2;
        }
        whole = false;
    }
    if (argc == 1) seeds.assign(std::begin(k_failed_once), std::end(k_failed_once));
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
    return run_seeds(seeds, steps, whole);
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
