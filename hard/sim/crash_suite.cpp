// crash_suite.cpp -- whole databases on a simulated disk that crashes: what was promised is there, and nothing else.
//
// What a seed does stands in crash_run.hpp.
//
//   crash_suite                     as many seeds as the tests run (HARD_SEEDS=n for another number)
//   crash_suite --seed N [--ops M]  one seed again, M operations of it
//   crash_suite --seeds A..B
//   crash_suite --shrink N          the fewest operations with which seed N fails
//
// Stops behind five seeds that failed (HARD_FAILURES=n for another number).
//
// Seeds that failed once are run first. What a whole run never tried fails it.
#include "hard/sim/crash_run.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace northstar::hard {

namespace {

constexpr std::uint64_t k_default_seeds = 200;
constexpr unsigned k_default_operations = 70;
constexpr int k_default_failures = 5;

/// Seeds that failed before the kernel was mended.
constexpr std::uint64_t k_failed_once[] = {
    123,  // a short read of a page's header put zeros into a page that was verified
    142,  // the chain went on in a log extent that another process had released
    314,  // an extent that was announced while the size of the file could not be read
    420,  // an interrupted creation over the remains of another one
    358,   // a compaction took the log on behind the record of an epoch
    1'746,  // the same, seen from the older generation
    760,    // a log extent on pages that a lost checkpoint had freed
    3'088,  // the write lock of a process that had replayed a large transaction and then wrote nothing
    4'049,  // the same
    489,    // a checkpoint that failed behind such a replay
    6'787,  // the write lock of a recovery that had to make room
    6'836,  // the meta page of a dead process, of which a part was read
    3'215,   // an interrupted creation whose first meta page was in the cache alone
    20'052,  // compaction repacked leaves for ever that could not become fewer
    20'054,  // a meta page that only the cache has, taken for one with a damaged ledger
};

/// True: the seed passed.
bool try_seed(std::uint64_t seed, unsigned operations, Totals& totals, std::string& failure) {
    CrashRun run(seed, operations, totals);
    try {
        run.run();
        return true;
    } catch (const Broken& broken) {
        failure = run.last() + ": " + broken.what();
    } catch (const Error& error) {
        failure = run.last() + ": unexpected error " + to_string(error.code()) + ": " + error.what();
    } catch (const Crash& crash) {
        failure = run.last() + ": the crash at call " + std::to_string(crash.call) + " was not expected";
    }
    return false;
}

int shrink(std::uint64_t seed) {
    for (unsigned operations = 0; operations <= k_default_operations; ++operations) {
        Totals totals;
        std::string failure;
        if (try_seed(seed, operations, totals, failure)) continue;
        std::printf("seed %llu fails with %u operations: %s\nreplay: crash_suite --seed %llu --ops %u\n",
                    static_cast<unsigned long long>(seed), operations, failure.c_str(),
                    static_cast<unsigned long long>(seed), operations);
        return 1;
    }
    std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(seed));
    return 0;
}

void print_report(const Totals& totals) {
    const auto line = [](const char* name, std::uint64_t count) {
        std::printf("  %-50s %llu\n", name, static_cast<unsigned long long>(count));
    };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) line(name_of(static_cast<Fault>(i)), totals.faults[i]);
    for (const auto& [name, count] : totals.classes) line(name.c_str(), count);
}

/// Classes of faults that a whole run must have seen.
bool all_fired(const Totals& totals) {
    bool fired = true;
    const auto must = [&](const std::string& name, std::uint64_t count) {
        if (count != 0) return;
        std::printf("never happened: %s\n", name.c_str());
        fired = false;
    };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) {
        const auto fault = static_cast<Fault>(i);
        // Only machines that lie lose flushed sectors; damage at rest shows what the kernel makes of them.
        if (fault != Fault::lost_write) must(name_of(fault), totals.faults[i]);
    }
    for (const std::string& name : crash_classes()) {
        const auto found = totals.classes.find(name);
        must(name, found == totals.classes.end() ? 0 : found->second);
    }
    return fired;
}

int run_seeds(const std::vector<std::uint64_t>& seeds, unsigned operations, bool whole) {
    Totals totals;
    const char* const most_text = std::getenv("HARD_FAILURES");
    const int most = most_text != nullptr ? std::atoi(most_text) : k_default_failures;
    int failures = 0;
    for (const std::uint64_t seed : seeds) {
        if (failures == most) break;
        std::string failure;
        if (try_seed(seed, operations, totals, failure)) continue;
        ++failures;
        std::printf("seed %llu FAILED at %s\nreplay: crash_suite --seed %llu --ops %u\n",
                    static_cast<unsigned long long>(seed), failure.c_str(), static_cast<unsigned long long>(seed),
                    operations);
        std::fflush(stdout);
    }
    print_report(totals);
    const bool fired = !whole || all_fired(totals);
    std::printf("%llu crash images, %llu recoveries, %llu commits from %llu seeds up to %llu: %s\n",
                static_cast<unsigned long long>(totals.images), static_cast<unsigned long long>(totals.recoveries),
                static_cast<unsigned long long>(totals.commits), static_cast<unsigned long long>(seeds.size()),
                static_cast<unsigned long long>(seeds.back()), failures == 0 && fired ? "all as promised" : "FAILED");
    return failures == 0 && fired ? 0 : 1;
}

int suite_main(int argc, char** argv) {
    std::uint64_t count = k_default_seeds;
    if (const char* text = std::getenv("HARD_SEEDS")) count = std::strtoull(text, nullptr, 10);
    std::uint64_t first = 1;
    std::uint64_t last = count;
    unsigned operations = k_default_operations;
    bool whole = count >= k_default_seeds;
    std::vector<std::uint64_t> seeds;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        char* rest = nullptr;
        const std::uint64_t value = std::strtoull(argv[i + 1], &rest, 10);
        if (name == "--shrink") return shrink(value);
        if (name == "--ops") {
            operations = static_cast<unsigned>(value);
        } else if (name == "--seed") {
            first = last = value;
        } else if (name == "--seeds") {
            first = value;
            last = std::strncmp(rest, "..", 2) == 0 ? std::strtoull(rest + 2, nullptr, 10) : value;
        } else {
            std::fprintf(stderr, "usage: crash_suite [--seed N | --seeds A..B | --shrink N] [--ops M]\n");
            return 2;
        }
        whole = false;
    }
    if (argc == 1) seeds.assign(std::begin(k_failed_once), std::end(k_failed_once));
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
    return run_seeds(seeds, operations, whole);
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
