// northstar-bench micro: the driver of the micro suites, on Google Benchmark.
#include "micro.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>

#include "command.hpp"

namespace bench {
namespace micro_impl {

MicroContext* context = nullptr;

/// Keeps every repetition: for the table at the end and for the result file.
class Collector final : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context&) override { return true; }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            show_progress(run.benchmark_name());
            if (run.error_occurred) {
                std::fprintf(stderr, "\n%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
                ++failures_;
            } else if (run.run_type == Run::RT_Iteration) {
                keep(run);
            }
        }
    }

    unsigned failures() const noexcept { return failures_; }

    void print() const {
        std::printf("%-46s %14s %6s %10s %10s %10s %10s\n", "per operation", "median ns", "cv", "p50 us",
                    "p99 us", "flushes", "allocs");
        for (const auto& [name, series] : series_) {
            std::printf("%-46s %14.1f %5.1f%%", name.c_str(), median(series.costs),
                        coefficient_of_variation(series.costs).value_or(0) * 100);
            for (const char* latency : {"p50_ns", "p99_ns"}) {
                const auto found = series.counters.find(latency);
                if (found == series.counters.end())
                    std::printf(" %10s", "");
                else
                    std::printf(" %10.2f", median(found->second) / 1e3);
            }
            for (const char* counter : {"flushes_per_op", "allocations_per_op"}) {
                const auto found = series.counters.find(counter);
                if (found == series.counters.end())
                    std::printf(" %10s", "");
                else
                    std::printf(" %10.3f", median(found->second));
            }
            std::printf("\n");
        }
        const double single = cost_of("btree/point_put_update_10pct_hot/1");
        const double ten = cost_of("btree/point_put_update_10pct_hot/10");
        const double hundred = cost_of("btree/point_put_update_10pct_hot/100");
        if (single > 0 && ten > 0 && hundred > 0) {
            std::printf(
                "durable throughput: 10 updates per txn %.1fx, 100 per txn %.1fx (at least 20x) that of 1\n",
                single / ten, single / hundred);
        }
    }

    Json benchmarks() const {
        Json all = Json::array();
        for (const auto& [name, series] : series_) {
            Json entry = Json::object();
            entry.set("name", name).set("gate", true).set("unit", "ns");
            entry.set("cost", median(series.costs));
            entry.set("operations_per_second", 1e9 / median(series.costs));
            if (const auto variation = coefficient_of_variation(series.costs)) entry.set("cv", *variation);
            Json costs = Json::array();
            for (const double cost : series.costs) costs.push_back(cost);
            entry.set("slices", std::move(costs));
            for (const auto& [counter, values] : series.counters) entry.set(counter, median(values));
            all.push_back(std::move(entry));
        }
        return all;
    }

private:
    struct Series {
        std::vector<double> costs;
        std::map<std::string, std::vector<double>> counters;
    };

    double cost_of(const std::string& name) const {
        const auto found = series_.find(name);
        return found == series_.end() ? 0 : median(found->second.costs);
    }

    void keep(const Run& run) {
        std::string name = run.run_name.function_name;
        if (!run.run_name.args.empty()) name += "/" + run.run_name.args;
        if (run.threads > 1) name += "/threads:" + std::to_string(run.threads);
        Series& series = series_[name];
        double operations = static_cast<double>(run.iterations);
        for (const auto& [counter, value] : run.counters) {
            if (counter == "operations") {
                operations = value.value;
            } else {
                series.counters[counter].push_back(value.value);
            }
        }
        series.costs.push_back(run.real_accumulated_time * 1e9 / operations);
    }

    std::map<std::string, Series> series_;
    unsigned failures_ = 0;
};

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only", "rounds", "seconds", "entries", "seed", "dir", "json"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::uint64_t rounds = arguments.number("rounds", 5);
    const double seconds = arguments.real("seconds", 0.1);
    MicroContext own(arguments.text("dir", "build/bench-data"), arguments.number("entries", 1'000'000),
                     arguments.number("seed", 1));
    context = &own;
    std::vector<std::string> flags{"northstar-bench", "--benchmark_filter=" + arguments.text("only", "."),
                                   "--benchmark_repetitions=" + std::to_string(rounds),
                                   "--benchmark_min_time=" + std::to_string(seconds),
                                   "--benchmark_enable_random_interleaving=true"};
    std::vector<char*> pointers;
    for (std::string& flag : flags) pointers.push_back(flag.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    Collector collector;
    const std::size_t ran = benchmark::RunSpecifiedBenchmarks(&collector);
    show_progress("");
    collector.print();
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json result = Json::object();
        result.set("machine", describe_machine(arguments.text("dir", "build/bench-data")));
        Json options = Json::object();
        options.set("entries", own.entries()).set("key_bytes", std::uint64_t{k_key_size});
        options.set("value_bytes", std::uint64_t{k_value_size}).set("page_size", 4096);
        options.set("seed", own.data().seed()).set("rounds", rounds).set("seconds_per_slice", seconds);
        result.set("options", std::move(options));
        result.set("benchmarks", collector.benchmarks());
        result.write_file(path);
    }
    context = nullptr;
    return ran == 0 || collector.failures() != 0 ? 1 : 0;
}

const RegisterCommand command(
    "micro",
    "[--only REGEX] [--rounds N] [--seconds S] [--entries N] [--seed N] [--dir D] [--json FILE]\n"
    "       one operation at a time: pager/ btree/ mvcc/ log/ timetravel/",
    run);

}  // namespace micro_impl

MicroContext::MicroContext(const std::string& directory, std::uint64_t entries, std::uint64_t seed)
    : scratch_(directory), data_(entries, seed) {}

MicroContext& MicroContext::current() {
    if (micro_impl::context == nullptr)
        throw std::logic_error("a micro benchmark runs outside of its driver");
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

void remove_database(const std::string& path) {
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-shared");
}

void drop_from_cache(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::runtime_error("cannot open " + path);
    ::fdatasync(descriptor);
    const int code = ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
    if (code != 0) throw std::runtime_error("the system does not drop " + path + " from its cache");
}

void put_all(northstar::Database& db, KeyList& keys, Dataset& data, std::size_t per_transaction) {
    for (std::size_t done = 0; done < keys.size();) {
        northstar::Transaction tx = db.begin_write(with(northstar::Durability::lazy));
        northstar::WritableTree tree = tx.tree(k_micro_tree);
        for (std::size_t i = 0; i < per_transaction && done < keys.size(); ++i, ++done) {
            tree.put(keys[done], data.value());
        }
        tx.commit();
    }
}

northstar::WriteOptions with(northstar::Durability durability) {
    northstar::WriteOptions options;
    options.durability = durability;
    return options;
}

Meter::Meter(benchmark::State& state, const northstar::Database* db)
    : state_(state),
      db_(db),
      copies_(db != nullptr ? db->statistics().pages_copied : 0),
      start_(Counters::now()),
      last_(now_ns()) {}

void Meter::finish(std::uint64_t operations) {
    const Counters spent = Counters::now() - start_;
    const auto per_operation = [&](std::uint64_t count) {
        return benchmark::Counter(
            operations == 0 ? 0 : static_cast<double>(count) / static_cast<double>(operations),
            benchmark::Counter::kAvgThreads);
    };
    state_.counters["operations"] = static_cast<double>(operations);
    state_.counters["allocations_per_op"] = per_operation(spent.allocations);
    state_.counters["flushes_per_op"] = per_operation(spent.flushes);
    state_.counters["bytes_read_per_op"] = per_operation(spent.read_bytes);
    state_.counters["bytes_written_per_op"] = per_operation(spent.written_bytes);
    if (db_ != nullptr)
        state_.counters["page_copies_per_op"] = per_operation(db_->statistics().pages_copied - copies_);
    if (latencies_.count() == 0) return;
    const auto average = [](double value) {
        return benchmark::Counter(value, benchmark::Counter::kAvgThreads);
    };
    state_.counters["p50_ns"] = average(latencies_.percentile(0.5));
    state_.counters["p95_ns"] = average(latencies_.percentile(0.95));
    state_.counters["p99_ns"] = average(latencies_.percentile(0.99));
    state_.counters["p999_ns"] = average(latencies_.percentile(0.999));
    state_.counters["max_ns"] = average(static_cast<double>(latencies_.max()));
}

}  // namespace bench
