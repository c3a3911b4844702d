// northstar-bench micro: the driver of the micro suites, on Google Benchmark.
#include "micro.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <stdexcept>

#include "command.hpp"
#include "instruction_counter.hpp"
#include "results.hpp"

namespace bench {
namespace micro_impl {

MicroContext* context = nullptr;

constexpr const char* k_update = "btree/point_put_update_10pct_hot/";
constexpr double k_batching = 20;
constexpr double k_unstable = 0.10;

/// Keeps every repetition.
class Collector final : public benchmark::BenchmarkReporter {
public:
    Collector(const std::vector<std::string>& names, std::uint64_t rounds) : expected_(names.size() * rounds) {
        for (const std::string& name : names) results_.expect(name);  // they come in another order
    }
    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.error_occurred) {
                std::fprintf(stderr, "\n%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
                ++failures_;
            } else if (run.run_type == Run::RT_Iteration) {
                keep(run);
                show_progress("repeat " + std::to_string(++seen_) + " of " + std::to_string(expected_) + ": " +
                              run.benchmark_name());
            }
        }
        if (stop_requested()) throw Interrupted();
    }

    unsigned failures() const noexcept { return failures_; }
    const Results& results() const noexcept { return results_; }

private:
    void keep(const Run& run) {
        About about;
        about.name = run.run_name.function_name;
        if (!run.run_name.args.empty()) about.name += "/" + run.run_name.args;
        if (!run.run_name.threads.empty()) about.name += "/" + run.run_name.threads;
        const std::size_t comma = run.report_label.find(',');
        about.durability = run.report_label.substr(0, comma);
        about.latency_of = run.report_label.substr(comma + 1);
        std::map<std::string, double> metrics;
        double operations = static_cast<double>(run.iterations);
        for (const auto& [counter, value] : run.counters) {
            metrics[counter] = value.value;
        }
        if (metrics.find("operations") != metrics.end()) operations = metrics["operations"];
        results_.add(about, run.real_accumulated_time * 1e9 / operations, metrics);
    }

    Results results_;
    std::size_t expected_;
    std::size_t seen_ = 0;
    unsigned failures_ = 0;
};

/// Hands the benchmarks that are wanted to Google Benchmark; returns the names of their results.
std::vector<std::string> register_benchmarks(const std::regex& only, std::uint64_t iterations) {
    std::vector<std::string> names;
    for (const MicroBenchmark& one : micro_benchmarks()) {
        const auto add = [&](const std::string& full_name, std::optional<std::int64_t> argument, int threads) {
            if (!std::regex_search(full_name, only)) return;
            names.push_back(full_name);
            auto* registered = benchmark::RegisterBenchmark(one.name.c_str(), one.run);
            // Real time: a flush takes next to no processor time.
            one.manual_time ? registered->UseManualTime() : registered->UseRealTime();
            if (argument) registered->Arg(*argument);
            if (threads != 0) registered->Threads(threads);
            if (one.iterations != 0) {
                registered->Iterations(one.iterations);
            } else if (iterations != 0) {
                registered->Iterations(static_cast<std::int64_t>(iterations));
            }
        };
        for (const std::int64_t argument : one.arguments) add(one.name + "/" + std::to_string(argument), argument, 0);
        for (const int threads : one.threads) add(one.name + "/threads:" + std::to_string(threads), {}, threads);
        if (one.arguments.empty() && one.threads.empty()) add(one.name, {}, 0);
    }
    return names;
}

/// Durable throughput must come from batching. False: measured here, and it does not.
bool batching_wins(const Results& results) {
    const Series* single = results.find(std::string(k_update) + "1");
    const Series* ten = results.find(std::string(k_update) + "10");
    const Series* hundred = results.find(std::string(k_update) + "100");
    if (single == nullptr || ten == nullptr || hundred == nullptr) return true;
    for (const Series* series : {single, ten, hundred}) {
        if (coefficient_of_variation(series->costs).value_or(1) > k_unstable) {
            std::printf("durable throughput by size of transaction: unstable, not judged\n");
            return true;
        }
    }
    const double at_ten = single->cost() / ten->cost();
    const double at_hundred = single->cost() / hundred->cost();
    const bool wins = at_hundred >= k_batching && at_ten > 1 && at_ten < at_hundred;
    std::printf(
        "durable throughput at 10 per txn is %.1fx, at 100 per txn %.1fx that at 1 (at least %.0fx, 10 between): "
        "%s\n",
        at_ten, at_hundred, k_batching, wins ? "reached" : "MISSED");
    return wins;
}

int list() {
    for (const MicroBenchmark& one : micro_benchmarks()) std::printf("%s\n", one.name.c_str());
    return 0;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only", "rounds", "seconds", "iterations", "entries", "seed", "dir", "json"});
    if (arguments.words() == std::vector<std::string>{"list"}) return list();
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::uint64_t rounds = arguments.number("rounds", 5);
    const double seconds = arguments.real("seconds", 0.1);
    const std::uint64_t iterations = arguments.number("iterations", 0);
    const std::string directory = arguments.text("dir", "build/bench-data");
    if (rounds == 0) throw UsageError("--rounds must be at least 1");
    MicroContext own(directory, std::max<std::uint64_t>(100, arguments.number("entries", 1'000'000)),
                     arguments.number("seed", 1));
    context = &own;
    const std::vector<std::string> wanted =
        register_benchmarks(regular_expression(arguments.text("only", ".")), iterations);
    if (wanted.empty()) throw UsageError("no benchmark has a name like that; northstar-bench micro list shows all");
    std::vector<std::string> flags{"northstar-bench", "--benchmark_repetitions=" + std::to_string(rounds),
                                   "--benchmark_min_time=" + std::to_string(seconds),
                                   "--benchmark_enable_random_interleaving=true"};
    std::vector<char*> pointers;
    for (std::string& flag : flags) pointers.push_back(flag.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    Json machine = describe_machine(directory);
    Collector collector(wanted, rounds);
    benchmark::RunSpecifiedBenchmarks(&collector);
    show_progress("");
    collector.results().print(stdout);
    const bool batching = batching_wins(collector.results());
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json options = Json::object();
        options.set("suite", "micro").set("entries", own.entries()).set("key_bytes", std::uint64_t{k_key_size});
        options.set("value_bytes", std::uint64_t{k_value_size});
        options.set("page_size", northstar::Database::open(":memory:").statistics().page_size);
        options.set("seed", own.data().seed()).set("rounds", rounds);
        options.set("seconds_per_slice", seconds).set("iterations", iterations);
        result_file(machine, options, collector.results()).write_file(path);
    }
    context = nullptr;
    return collector.failures() != 0 || !batching ? 1 : 0;
}

const RegisterCommand command(
    "micro",
    "[--only REGEX] [--rounds N] [--seconds S | --iterations N] [--entries N] [--seed N] [--dir D]\n"
    "       [--json FILE] | list\n"
    "       one operation at a time: pager/ btree/ mvcc/ log/ timetravel/ care/",
    run);

}  // namespace micro_impl

std::vector<MicroBenchmark>& micro_benchmarks() {
    static std::vector<MicroBenchmark> benchmarks;
    return benchmarks;
}

RegisterMicro::RegisterMicro(std::initializer_list<MicroBenchmark> benchmarks) {
    micro_benchmarks().insert(micro_benchmarks().end(), benchmarks.begin(), benchmarks.end());
}

MicroContext::MicroContext(const std::string& directory, std::uint64_t entries, std::uint64_t seed)
    : scratch_(directory), data_(entries, seed) {}

MicroContext& MicroContext::current() {
    if (micro_impl::context == nullptr) throw std::logic_error("a micro benchmark runs outside of its driver");
    return *micro_impl::context;
}

northstar::Database& MicroContext::loaded() {
    if (!db_) {
        db_.emplace(northstar::Database::open(scratch_ / "loaded.db"));
        if (!is_loaded_) put_all(*db_, data_.load_order(), data_, 1000);
        if (!is_loaded_) db_->checkpoint();
        is_loaded_ = true;
    }
    return *db_;
}

std::string MicroContext::close_loaded() {
    loaded().close();
    db_.reset();
    return scratch_ / "loaded.db";
}

std::string MicroContext::fresh_path() { return scratch_ / ("fresh-" + std::to_string(++files_) + ".db"); }

std::string MicroContext::prepared(const std::string& name, const std::function<void(const std::string&)>& build) {
    const auto found = prepared_.find(name);
    if (found != prepared_.end()) return found->second;
    const std::string path = scratch_ / (name + ".db");
    build(path);
    prepared_[name] = path;
    return path;
}

void drop_from_cache(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::runtime_error("cannot open " + path);
    const int flushed = ::fdatasync(descriptor);
    const int code = ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
    if (flushed != 0 || code != 0) throw std::runtime_error("the system does not drop " + path + " from its cache");
}

void put_all(northstar::Database& db, KeyList& keys, Dataset& data, std::size_t per_transaction,
             const std::function<void()>& committed) {
    for (std::size_t done = 0; done < keys.size();) {
        northstar::Transaction tx = db.begin_write(write_with(northstar::Durability::lazy));
        northstar::WritableTree tree = tx.tree(k_micro_tree);
        for (std::size_t i = 0; i < per_transaction && done < keys.size(); ++i, ++done) {
            tree.put(keys[done], data.value());
        }
        tx.commit();
        committed();
    }
}

namespace meter_impl {

/// What two readings of the clock are apart when nothing lies between them.
std::uint64_t clock_cost() noexcept {
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t start = now_ns();
        least = std::min(least, now_ns() - start);
    }
    return least;
}

std::uint64_t copies_of(const northstar::Database* db) { return db == nullptr ? 0 : db->statistics().pages_copied; }

}  // namespace meter_impl

Meter::Meter(benchmark::State& state, const Settings& settings)
    : state_(state), settings_(settings), clock_ns_(meter_impl::clock_cost()) {
    copies_ -= meter_impl::copies_of(settings.db);
    start_ = Counters::now();
    last_ = now_ns();
    toggle_instruction_counter();
}

void Meter::pause() {
    state_.PauseTiming();
    toggle_instruction_counter();
    spent_ += Counters::now() - start_;
}

void Meter::resume() {
    start_ = Counters::now();
    toggle_instruction_counter();
    skip();
    state_.ResumeTiming();
}

void Meter::finish(std::uint64_t operations) {
    toggle_instruction_counter();
    spent_ += Counters::now() - start_;
    copies_ += meter_impl::copies_of(settings_.db);
    Repeat repeat;
    repeat.operations = operations;
    repeat.counters = spent_;
    repeat.page_copies = copies_;
    repeat.latencies = latencies_;
    // Allocations and copied pages are those of one thread and its operations; the rest is of the whole process.
    const auto threads = static_cast<double>(state_.threads());
    for (const auto& [name, value] : metrics_of(repeat)) {
        const bool own = name == "allocations_per_op" || name.ends_with("_ns");
        state_.counters[name] = benchmark::Counter(own ? value : value / threads, benchmark::Counter::kAvgThreads);
    }
    state_.counters["operations"] = static_cast<double>(operations);
    state_.SetLabel(std::string(settings_.durability) + "," + settings_.latency_of);
}

}  // namespace bench
