// micro.hpp -- what the micro suites share: databases to work on, and a meter for what one operation costs.
//
// The suites use the public header; only log/encode, log/decode and log/chain_hash reach into src/, because no public
// call does one of them alone. A benchmark named ..._1m works on as many entries as --entries says, one million unless
// told otherwise; the number is in the results.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "workload.hpp"

namespace bench {

inline constexpr const char* k_micro_tree = "data";

class MicroContext {
public:
    MicroContext(const std::string& directory, std::uint64_t entries, std::uint64_t seed);
    static MicroContext& current();
    /// A database with every entry of data(), loaded in random order at first use. Benchmarks may update
    /// values.
    northstar::Database& loaded();
    /// The file of loaded(), closed; loaded() opens it again.
    std::string close_loaded();
    Dataset& data() noexcept { return data_; }
    std::uint64_t entries() const noexcept { return data_.entries(); }
    /// A path that no file has yet.
    std::string fresh_path();
    /// The file of that name, which build(path) makes at first use and leaves closed.
    std::string prepared(const std::string& name, const std::function<void(const std::string&)>& build);

private:
    Scratch scratch_;
    Dataset data_;
    bool is_loaded_ = false;
    std::optional<northstar::Database> db_;
    std::map<std::string, std::string> prepared_;
    unsigned files_ = 0;
};

/// Asks the system to forget a file's pages, so that the next read comes from the disk.
void drop_from_cache(const std::string& path);

/// Puts every key in transactions of so many; committed() is called behind each.
void put_all(
    northstar::Database& db, KeyList& keys, Dataset& data, std::size_t per_transaction,
    const std::function<void()>& committed = [] {});

/// Put beside a benchmark's loop; finish() turns what it saw into counters of the run.
class Meter {
public:
    struct Settings {
        const northstar::Database* db = nullptr;  ///< whose copied pages are counted
        const char* durability = "";
        const char* latency_of = "operation";
    };
    Meter(benchmark::State& state, const Settings& settings);
    /// Ends one operation and begins the next. Costs a clock call: not for operations of nanoseconds.
    void lap() noexcept {
        const std::uint64_t now = now_ns();
        latencies_.add(now - last_);
        last_ = now;
    }
    /// The time since the last lap was no operation.
    void skip() noexcept { last_ = now_ns(); }
    /// What follows is not measured, until resume(). Costs some microseconds.
    void pause();
    void resume();
    /// Pages that a database copied which is not the one of the settings.
    void add_copies(std::uint64_t pages) noexcept { copies_ += pages; }
    /// The loop of a benchmark whose operation takes nanoseconds: of so many one is timed by itself, what reading the
    /// clock takes being left out. Returns how many there were.
    template <class Operation>
    std::uint64_t sample(Operation&& operation) {
        std::uint64_t operations = 0;
        for ([[maybe_unused]] auto _ : state_) {
            if (operations % k_sampled == 0) {
                const std::uint64_t start = now_ns();
                operation();
                const std::uint64_t took = now_ns() - start;
                latencies_.add(took > clock_ns_ ? took - clock_ns_ : 0);
            } else {
                operation();
            }
            ++operations;
        }
        return operations;
    }
    void finish(std::uint64_t operations);

private:
    static constexpr std::uint64_t k_sampled = 128;
    benchmark::State& state_;
    Settings settings_;
    std::uint64_t clock_ns_;
    std::uint64_t copies_ = 0;
    Counters spent_;
    Counters start_;
    LatencyHistogram latencies_;
    std::uint64_t last_;
};

/// One benchmark of a micro suite; runs once for each argument, or number of threads, if it has any.
struct MicroBenchmark {
    std::string name;
    std::function<void(benchmark::State&)> run;
    std::vector<std::int64_t> arguments = {};
    std::vector<int> threads = {};
    std::int64_t iterations = 0;  ///< 0: as many as fill the time of a slice
    bool manual_time = false;     ///< it sets the time of an iteration itself
};

/// The benchmarks that are linked, in the order of their files.
std::vector<MicroBenchmark>& micro_benchmarks();

struct RegisterMicro {
    RegisterMicro(std::initializer_list<MicroBenchmark> benchmarks);
};

}  // namespace bench
