// scale.hpp -- what one operation costs as something grows: entries, trees, tables, versions, open snapshots, threads,
// processes.
//
// Where one thread does the work and never waits, costs are processor time of that thread, which other users of the
// machine disturb little.
//
// Threads: belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "curve.hpp"
#include "json.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "results.hpp"
#include "workload.hpp"

namespace bench {

struct ScaleOptions {
    std::vector<std::uint64_t> entries{10'000, 30'000, 100'000, 300'000, 1'000'000};
    std::vector<std::uint64_t> limited{300'000, 1'000'000, 3'000'000};  ///< all larger than the memory
    std::vector<std::uint64_t> trees{1, 10, 100, 1000, 10'000};
    std::vector<std::uint64_t> tables{10, 100, 1000, 3000};
    std::vector<std::uint64_t> versions{10, 100, 1000, 10'000, 100'000};
    std::vector<std::uint64_t> snapshots{1, 10, 100, 1000, 10'000};
    std::vector<std::uint64_t> threads{1, 2, 4, 8, 16};
    std::vector<std::uint64_t> processes{1, 2, 4, 8, 16};
    std::uint64_t memory_limit_mib = 64;
    std::uint64_t seed = 1;
    unsigned rounds = 3;
    double seconds = 0.1;  ///< of one slice
    std::string directory;
    std::regex only;
};

class Scale {
public:
    explicit Scale(ScaleOptions options);
    const ScaleOptions& options() const noexcept { return options_; }
    std::string fresh_path();
    bool wanted(const std::string& curve) const { return std::regex_search(curve, options_.only); }
    bool any_wanted(const std::vector<CurveSpec>& curves) const;
    void progress(const std::string& what, std::uint64_t size) const;
    /// One slice of a curve at a size.
    void add(const CurveSpec& curve, std::uint64_t size, const Repeat& repeat, std::uint64_t thread_cpu_ns);
    /// Repeats operation until the time of a slice is over, in every round, and adds that; an operation counts for so
    /// many.
    void measure(const CurveSpec& curve, std::uint64_t size, const northstar::Database& db, std::uint64_t counts,
                 const std::function<void()>& operation);
    /// The curves that have points, in the order in which they first came.
    std::vector<Curve> curves() const;
    const Results& results() const noexcept { return results_; }

private:
    ScaleOptions options_;
    Scratch scratch_;
    Results results_;
    struct Sizes {
        CurveSpec spec;
        std::set<std::uint64_t> sizes;
    };
    std::vector<Sizes> curves_;
    unsigned files_ = 0;
};

/// A group of curves.
struct RegisterScale {
    /// position: place in the order; curves: the names it can report.
    RegisterScale(int position, std::vector<std::string> curves, std::function<void(Scale&)> run);
};
/// Names of all curves, in running order.
std::vector<std::string> scale_curve_names();

// scale_report.cpp
std::string scale_table(const std::vector<Curve>& curves);
std::string scale_markdown(const std::vector<Curve>& curves, const Json& machine, const ScaleOptions& options);
std::string scale_svg(const std::vector<Curve>& curves);

}  // namespace bench
