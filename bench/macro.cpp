// northstar-bench macro: the driver of the macro suites.
#include "macro.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "command.hpp"
#include "counting.hpp"

namespace bench {
namespace macro_impl {

bool any_wanted(const Macro& macro, const MacroWorkload& workload) {
    return std::any_of(workload.benchmarks.begin(), workload.benchmarks.end(),
                       [&](const std::string& name) { return macro.wanted(workload.name + "/" + name); });
}

int list() {
    for (const MacroWorkload& workload : macro_workloads()) {
        for (const std::string& name : workload.benchmarks)
            std::printf("%s/%s\n", workload.name.c_str(), name.c_str());
    }
    return 0;
}

void run_rounds(Macro& macro, const std::vector<const MacroWorkload*>& workloads) {
    for (unsigned round = 0; round < macro.options().rounds; ++round) {
        for (std::size_t i = 0; i < workloads.size(); ++i) {
            if (stop_requested()) throw Interrupted();
            const MacroWorkload& workload = *workloads[(i + round) % workloads.size()];
            show_progress("round " + std::to_string(round + 1) + " of " + std::to_string(macro.options().rounds) +
                          ": " + workload.name);
            workload.run(macro);
        }
    }
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only", "rounds", "scale", "seed", "dir", "data", "json"});
    if (arguments.words() == std::vector<std::string>{"list"}) return list();
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    MacroOptions options;
    options.scale = arguments.real("scale", options.scale);
    options.seed = arguments.number("seed", options.seed);
    options.rounds = static_cast<unsigned>(arguments.number("rounds", options.rounds));
    options.directory = arguments.text("dir", "build/bench-data");
    options.data = arguments.text("data", "../shared/data");
    options.only = regular_expression(arguments.text("only", "."));
    if (options.scale <= 0) throw UsageError("--scale must be more than 0");
    if (options.rounds == 0) throw UsageError("--rounds must be at least 1");
    const Json machine = describe_machine((std::filesystem::create_directories(options.directory), options.directory));
    Macro macro(std::move(options));
    std::vector<const MacroWorkload*> workloads;
    for (const MacroWorkload& workload : macro_workloads()) {
        if (any_wanted(macro, workload)) workloads.push_back(&workload);
    }
    if (workloads.empty()) throw UsageError("no benchmark has a name like that; northstar-bench macro list shows all");
    run_rounds(macro, workloads);
    show_progress("");
    macro.results().print(stdout);
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json settings = Json::object();
        settings.set("suite", "macro").set("scale", macro.options().scale).set("seed", macro.options().seed);
        settings.set("page_size", northstar::Database::open(":memory:").statistics().page_size);
        settings.set("rounds", std::uint64_t{macro.options().rounds});
        result_file(machine, settings, macro.results()).write_file(path);
    }
    return 0;
}

const RegisterCommand command(
    "macro",
    "[--only REGEX] [--rounds N] [--scale S] [--seed N] [--dir D] [--data D|none] [--json FILE] | list\n"
    "       whole workloads: task queue, code graph, agents, time travel, documents, telemetry",
    run);

}  // namespace macro_impl

Macro::Macro(MacroOptions options)
    : options_(std::move(options)), scratch_(options_.directory), inputs_(options_.data, options_.seed) {}

std::uint64_t Macro::scaled(std::uint64_t count, std::uint64_t least) const {
    return std::max(least, static_cast<std::uint64_t>(static_cast<double>(count) * options_.scale));
}

std::string Macro::fresh_path() { return scratch_ / ("macro-" + std::to_string(++files_) + ".db"); }

void Macro::add(const About& about, const Repeat& repeat) {
    if (wanted(about.name)) results_.add(about, repeat);
}

Stage::Stage(Macro& macro, About about, const northstar::Database& db)
    : macro_(macro),
      about_(std::move(about)),
      db_(db),
      copies_(db.statistics().pages_copied),
      counters_(Counters::now()),
      start_(now_ns()),
      last_(start_) {}

void Stage::done(std::uint64_t operations) {
    repeat_.elapsed_ns = now_ns() - start_ - skipped_;
    repeat_.operations = operations;
    repeat_.counters = Counters::now() - counters_;
    repeat_.page_copies = db_.statistics().pages_copied - copies_;
    macro_.add(about_, repeat_);
}

Repeat run_threads(unsigned threads, const northstar::Database& db,
                   const std::function<void(unsigned, Worker&)>& work) {
    std::vector<Worker> workers(threads);
    std::mutex mutex;
    std::exception_ptr failure;
    Repeat repeat;
    const std::uint64_t copies = db.statistics().pages_copied;
    const Counters counters = Counters::now();
    const std::uint64_t start = now_ns();
    std::vector<std::thread> running;
    for (unsigned thread = 0; thread < threads; ++thread) {
        running.emplace_back([&, thread] {
            try {
                work(thread, workers[thread]);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
            }
            workers[thread].allocations = allocations_of_this_thread();
        });
    }
    for (std::thread& thread : running) thread.join();
    repeat.elapsed_ns = now_ns() - start;
    repeat.counters = Counters::now() - counters;
    repeat.counters.allocations = 0;
    repeat.page_copies = db.statistics().pages_copied - copies;
    if (failure) std::rethrow_exception(failure);
    for (const Worker& worker : workers) {
        repeat.operations += worker.operations;
        repeat.counters.allocations += worker.allocations;
        repeat.latencies.merge(worker.latencies);
    }
    return repeat;
}

std::vector<MacroWorkload>& macro_workloads() {
    static std::vector<MacroWorkload> workloads;
    return workloads;
}

RegisterMacro::RegisterMacro(MacroWorkload workload) { macro_workloads().push_back(std::move(workload)); }

}  // namespace bench
