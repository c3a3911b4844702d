// northstar-bench tasks: claims of many workers, Northstar's queue beside what others offer for it.
//
// The engines take turns in short slices, as in a race, so that a slow minute of the machine falls on all of them.
// In a slice each of W threads claims a task and completes it, again and again; a cost is the time per pair, a latency
// that of a claim.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "command.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "task_engine.hpp"
#include "workload.hpp"

namespace bench {
namespace race_tasks_impl {

constexpr std::uint64_t k_tasks = 100'000;
constexpr const char* k_payload =
    "{\"kind\":\"review\",\"path\":\"src/parser/index.cpp\",\"priority\":3,\"trace\":\"0000000000\"}";

struct Row {
    const char* name;
    Keeping keeping;
    unsigned workers;
};

constexpr Row k_rows[] = {
    {"1 worker, lazy", Keeping::lazy, 1},
    {"8 workers, lazy", Keeping::lazy, 8},
    {"100 workers, lazy", Keeping::lazy, 100},
    {"1 worker, durable", Keeping::full, 1},
    {"100 workers, durable", Keeping::full, 100},
};

struct Runner {
    std::string name;
    std::unique_ptr<TaskEngine> engine;
    std::vector<std::unique_ptr<TaskWorker>> workers;
    std::vector<double> costs;
    LatencyHistogram latencies;
};

/// One slice: claims and completions of all workers for some time; puts tasks back in afterwards, off the clock.
void slice(Runner& runner, std::uint64_t slice_ns) {
    std::atomic<bool> go{false};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> pairs{0};
    std::mutex mutex;
    std::exception_ptr failure;
    std::vector<std::thread> threads;
    for (const auto& worker : runner.workers) {
        threads.emplace_back([&] {
            LatencyHistogram latencies;
            std::uint64_t count = 0;
            try {
                go.wait(false);
                while (!stop.load(std::memory_order_relaxed)) {
                    const std::uint64_t start = now_ns();
                    must_hold(worker->claim(0), "the queue ran empty");
                    latencies.add(now_ns() - start);
                    must_hold(worker->complete(0), "a task was lost");
                    ++count;
                }
            } catch (...) {
                const std::lock_guard lock(mutex);
                failure = std::current_exception();
            }
            pairs += count;
            const std::lock_guard lock(mutex);
            runner.latencies.merge(latencies);
        });
    }
    const std::uint64_t start = now_ns();
    go.store(true);
    go.notify_all();
    std::this_thread::sleep_for(std::chrono::nanoseconds(slice_ns));
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    const std::uint64_t elapsed = now_ns() - start;
    if (failure) std::rethrow_exception(failure);
    if (pairs == 0) return;
    runner.costs.push_back(static_cast<double>(elapsed) / static_cast<double>(pairs.load()));
    runner.engine->add(pairs.load(), k_payload);
}

void run_row(const Row& row, const std::string& directory, unsigned rounds, std::uint64_t slice_ns) {
    std::vector<Runner> runners;
    for (const TaskEngineKind& kind : task_engine_kinds()) {
        if (!kind.available()) continue;
        Runner& runner = runners.emplace_back();
        runner.name = kind.name;
        runner.engine = kind.open(directory + "/tasks_" + kind.name, row.keeping);
        runner.engine->add(k_tasks, k_payload);
        for (unsigned i = 0; i < row.workers; ++i) runner.workers.push_back(runner.engine->worker(1));
    }
    for (unsigned round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < runners.size(); ++i) slice(runners[(i + round) % runners.size()], slice_ns);
    }
    const double own = median(runners.front().costs);
    for (Runner& runner : runners) {
        must_hold(runner.engine->totals().held == 0, "a task stayed behind");
        const double cost = median(runner.costs);
        std::printf("%-22s %-10s %10.0f pairs/s  claim p50 %9.1f us  p99 %9.1f us  %6.2fx\n", row.name,
                    runner.name.c_str(), 1e9 / cost, runner.latencies.percentile(0.5) / 1000,
                    runner.latencies.percentile(0.99) / 1000, cost / own);
        std::fflush(stdout);
        runner.workers.clear();
        runner.engine.reset();
    }
    for (const TaskEngineKind& kind : task_engine_kinds()) {
        for (const char* const suffix : {"", "-northstar", "-wal", "-shm"}) {
            std::filesystem::remove_all(directory + "/tasks_" + kind.name + suffix);
        }
    }
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"rounds", "slice-ms", "dir", "only"});
    const auto rounds = static_cast<unsigned>(arguments.number("rounds", 5));
    const std::uint64_t slice_ns = arguments.number("slice-ms", 300) * 1'000'000;
    const std::regex only = regular_expression(arguments.text("only", ""));
    const Scratch scratch(arguments.text("dir", "build/bench-data"));
    std::vector<TaskEngineKind>& kinds = task_engine_kinds();
    std::stable_partition(kinds.begin(), kinds.end(), [](const auto& kind) { return kind.name == "northstar"; });
    for (const TaskEngineKind& kind : task_engine_kinds()) {
        if (!kind.available()) std::printf("SKIPPED: %s is not installed\n", kind.name.c_str());
    }
    for (const Row& row : k_rows) {
        if (std::regex_search(row.name, only)) run_row(row, scratch.path(), rounds, slice_ns);
    }
    return 0;
}

const RegisterCommand command("tasks", "[--rounds N] [--slice-ms N] [--only REGEX] [--dir DIR]   claims beside peers",
                              run);

}  // namespace race_tasks_impl
}  // namespace bench
