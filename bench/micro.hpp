// micro.hpp -- what the micro suites share: databases to work on, and a meter for what one operation costs.
//
// The suites use the public header only. A benchmark named ..._1m works on as many entries as --entries says,
// one million unless told otherwise; the number is in the results.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "dataset.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"

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

private:
    Scratch scratch_;
    Dataset data_;
    bool is_loaded_ = false;
    std::optional<northstar::Database> db_;
    unsigned files_ = 0;
};

/// Removes a database file and what lies beside it.
void remove_database(const std::string& path);

/// Asks the system to forget a file's pages, so that the next read comes from the disk.
void drop_from_cache(const std::string& path);

void put_all(northstar::Database& db, KeyList& keys, Dataset& data, std::size_t per_transaction);

northstar::WriteOptions with(northstar::Durability durability);

/// Put beside a benchmark's loop; finish() turns what it saw into counters of the run.
class Meter {
public:
    Meter(benchmark::State& state, const northstar::Database* db = nullptr);
    /// Ends one operation and begins the next. Costs a clock call: not for operations of nanoseconds.
    void lap() noexcept {
        const std::uint64_t now = now_ns();
        latencies_.add(now - last_);
        last_ = now;
    }
    /// The time since the last lap was no operation.
    void skip() noexcept { last_ = now_ns(); }
    void finish(std::uint64_t operations);

private:
    benchmark::State& state_;
    const northstar::Database* db_;
    std::uint64_t copies_ = 0;
    Counters start_;
    LatencyHistogram latencies_;
    std::uint64_t last_;
};

}  // namespace bench
