// race.hpp -- the same workloads on several engines, interleaved in one run.
//
// Method: every row is measured in rounds; in each round each subject runs one short slice, in an order that
// rotates. A row's value is the median of its slices, its noise their coefficient of variation. The measure
// is always a cost (time per operation, or bytes), so a ratio of costs is a ratio of speeds. Beside the time on the
// clock stands the processor time of the measuring thread: on a machine that others use too it decides where the work
// is done by one thread that never waits. Between slices
// the engine just measured finishes its background work, unmeasured, so that it is not charged to the next
// one.
//
// Threads: the race itself runs on one thread; workloads start their own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "dataset.hpp"
#include "engine.hpp"
#include "json.hpp"
#include "machine.hpp"
#include "measure.hpp"

namespace bench {

struct RaceOptions {
    std::uint64_t entries = 1'000'000;
    std::uint64_t seed = 1;
    unsigned rounds = 5;
    unsigned heavy_rounds = 3;  ///< of rows whose slice is a whole load or a recovery
    double seconds = 0.25;      ///< of one slice
    std::string directory = "build/bench-data";
    std::string only;  ///< regular expression over row names; empty: all rows
    std::vector<std::string> engines;
};

/// cost(row, subject) / cost(the row's own subject) must be at least factor.
struct Bound {
    std::string row;  ///< empty: the same row
    std::string subject;
    double factor;
};

/// What a row has to reach: every bound, and a cost of at most limit (0: none).
struct Target {
    std::vector<Bound> bounds;
    double limit = 0;
    bool empty() const noexcept { return bounds.empty() && limit == 0; }
};

struct RowSpec {
    std::string name;
    std::string title;
    std::string unit;        ///< of the shown cost
    double unit_ns;          ///< nanoseconds (or bytes) in one unit
    std::string durability;  ///< of its commits, if it makes any
    Target must;
    Target aim;
    std::string subject = "northstar";  ///< whose cost is judged
    std::string note;
    bool by_cpu = false;  ///< one thread that never waits: where the machine is busy, processor time says more
};

/// What one subject did in one row.
struct Outcome {
    std::vector<double> costs;      ///< one per slice
    std::vector<double> cpu_costs;  ///< the same in processor time of the measuring thread
    std::uint64_t operations = 0;
    std::uint64_t page_copies = 0;
    Counters counters;
    LatencyHistogram latencies;
    std::string latency_of;  ///< what one entry of the histogram is; empty: none were taken
    double cost() const { return median(costs); }
    double cpu_cost() const { return median(cpu_costs); }
    std::optional<double> variation() const { return coefficient_of_variation(costs); }
};

struct RowResult {
    const RowSpec* spec = nullptr;
    std::vector<std::pair<std::string, Outcome>> outcomes;  ///< by subject, in the order of their first slice
    Outcome& outcome(const std::string& subject);
    const Outcome* find(std::string_view subject) const;
};

/// The table of rows, in the order of the report.
const std::vector<RowSpec>& race_rows();

class Race {
public:
    explicit Race(RaceOptions options);
    ~Race();

    const RaceOptions& options() const noexcept { return options_; }
    Dataset& data() noexcept { return data_; }
    const Scratch& scratch() const noexcept { return scratch_; }
    std::vector<RowResult>& results() noexcept { return results_; }
    Json describe() const;

    bool wanted(std::string_view row) const;
    bool any_wanted(std::initializer_list<std::string_view> rows) const;
    RowResult& row(std::string_view name);

    struct Subject {
        std::string name;
        Engine* engine = nullptr;  ///< none for things that are no engine
        std::string directory;
        std::uint64_t checkpoint_bytes = 0;
    };
    /// The engines of this race that have their data loaded and are open; loads them at first use.
    std::vector<Subject*> loaded();
    Subject* find_loaded(std::string_view name);
    /// Opens a new engine in an empty directory.
    Subject create(const std::string& engine, const std::string& purpose, std::unique_ptr<Engine>& owner,
                   Holds holds = Holds::small_values);

    /// rounds times, each subject in a rotating order: slice(subject).
    template <class Subjects, class Slice>
    void rounds(std::string_view what, unsigned count, const Subjects& subjects, Slice&& slice) {
        for (unsigned round = 0; round < count; ++round) {
            for (std::size_t i = 0; i < subjects.size(); ++i) {
                const auto& subject = subjects[(i + round) % subjects.size()];
                step(what, round, count, subject->name);
                slice(*subject);
                if (subject->engine != nullptr) subject->engine->settle();
            }
        }
    }
    /// Shows progress and ends the race if the user asked for it.
    void step(std::string_view what, unsigned round, unsigned count, std::string_view subject) const;

    void run();

private:
    void load();
    RaceOptions options_;
    Scratch scratch_;
    Dataset data_;
    std::optional<std::regex> only_;
    std::vector<std::unique_ptr<Engine>> engines_;
    std::vector<Subject> subjects_;
    std::vector<RowResult> results_;
    bool is_loaded_ = false;
    Json machine_;
};

/// Measures one slice: work(deadline_ns, outcome) returns how many operations it did.
void measure(Outcome& outcome, const Race::Subject& subject, double seconds,
             const std::function<std::uint64_t(std::uint64_t deadline)>& work);

/// Loads every entry of keys in transactions of so many, lazily.
void load_all(Engine& engine, Dataset& data, KeyList& keys, Put put, std::size_t per_transaction);

/// Workloads, in running order. Files that need more than the Engine interface add theirs by being linked.
std::vector<std::pair<int, std::function<void(Race&)>>>& race_workloads();
struct RegisterWorkload {
    RegisterWorkload(int position, std::function<void(Race&)> workload);
};

// race_report.cpp
enum class Measure : std::uint8_t { wall, cpu };
std::string race_verdict(const std::vector<RowResult>& results, const RowResult& row, Measure measure = Measure::wall);
std::string race_table(Race& race);
std::string race_markdown(Race& race);
std::string race_svg(Race& race);
Json race_json(Race& race);

}  // namespace bench
