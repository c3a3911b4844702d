// macro.hpp -- what the macro suites share: whole workloads, in rounds, on a database of their own.
//
// A workload runs once in each round and reports one or more benchmarks; rounds rotate through the workloads, so that
// a slow minute of the machine does not fall on one of them alone. Every workload ends by checking what it left
// behind: a run that lost or doubled anything fails, however fast it was.
//
// Threads: a Macro belongs to one thread; run_threads starts others.
#pragma once

#include <cstdint>
#include <functional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "inputs.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "results.hpp"
#include "workload.hpp"

namespace bench {

struct MacroOptions {
    double scale = 1;  ///< of the amount of work; 1 takes a second or so for each workload
    std::uint64_t seed = 1;
    unsigned rounds = 3;
    std::string directory;
    std::string data;  ///< directory of shared inputs; "none": everything is made from the seed
    std::regex only;
};

class Macro {
public:
    explicit Macro(MacroOptions options);
    const MacroOptions& options() const noexcept { return options_; }
    const Inputs& inputs() const noexcept { return inputs_; }
    Results& results() noexcept { return results_; }
    /// True: a benchmark of that name, or one that begins with it, is asked for.
    bool wanted(const std::string& name) const { return std::regex_search(name, options_.only); }
    /// count times the scale, at least so many.
    std::uint64_t scaled(std::uint64_t count, std::uint64_t least = 1) const;
    /// A path that no file has yet.
    std::string fresh_path();
    void add(const About& about, const Repeat& repeat);

private:
    MacroOptions options_;
    Scratch scratch_;
    Inputs inputs_;
    Results results_;
    unsigned files_ = 0;
};

/// One part of a workload on one thread: from its making to done() it is on the clock.
class Stage {
public:
    Stage(Macro& macro, About about, const northstar::Database& db);
    /// Ends one operation and begins the next.
    void lap() noexcept {
        const std::uint64_t now = now_ns();
        repeat_.latencies.add(now - last_);
        last_ = now;
    }
    /// The time since the last lap was no operation, and is not on the clock.
    void skip() noexcept {
        const std::uint64_t now = now_ns();
        skipped_ += now - last_;
        last_ = now;
    }
    void done(std::uint64_t operations);

private:
    Macro& macro_;
    About about_;
    const northstar::Database& db_;
    Repeat repeat_;
    std::uint64_t copies_;
    Counters counters_;
    std::uint64_t start_;
    std::uint64_t last_;
    std::uint64_t skipped_ = 0;
};

/// What one thread of a workload did.
struct Worker {
    std::uint64_t operations = 0;
    std::uint64_t allocations = 0;
    LatencyHistogram latencies;
};

/// Runs work(0 .. threads-1) at the same time and adds up what the workers did; the first exception of any is thrown.
Repeat run_threads(unsigned threads, const northstar::Database& db,
                   const std::function<void(unsigned, Worker&)>& work);

struct MacroWorkload {
    std::string name;                     ///< "macro/telemetry"
    std::vector<std::string> benchmarks;  ///< what it reports, without that name
    std::function<void(Macro&)> run;      ///< one round
};

/// The workloads that are linked, in the order of their files.
std::vector<MacroWorkload>& macro_workloads();

struct RegisterMacro {
    explicit RegisterMacro(MacroWorkload workload);
};

}  // namespace bench
