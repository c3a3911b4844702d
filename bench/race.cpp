#include "race.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "command.hpp"

namespace bench {
namespace race_impl {

constexpr std::size_t k_load_transaction = 1000;

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> words;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        if (to > from) words.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return words;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"entries", "seed", "rounds", "heavy-rounds", "seconds", "dir", "only",
                                      "engines", "json", "markdown", "svg"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    RaceOptions options;
    options.entries = arguments.number("entries", options.entries);
    options.seed = arguments.number("seed", options.seed);
    options.rounds = static_cast<unsigned>(arguments.number("rounds", options.rounds));
    options.heavy_rounds = static_cast<unsigned>(
        arguments.number("heavy-rounds", std::min(options.rounds, options.heavy_rounds)));
    options.seconds = arguments.real("seconds", options.seconds);
    options.directory = arguments.text("dir", options.directory);
    options.only = arguments.text("only", "");
    options.engines = split(arguments.text("engines", ""));
    if (options.entries < 1000) throw UsageError("--entries must be at least 1000");
    if (options.rounds == 0 || options.heavy_rounds == 0) throw UsageError("--rounds must be at least 1");
    Race race(std::move(options));
    bool stopped = false;
    try {
        race.run();
    } catch (const Interrupted&) {
        stopped = true;  // what was measured until now is shown
    }
    show_progress("");
    std::fputs(race_table(race).c_str(), stdout);
    if (stopped) throw Interrupted();
    if (const std::string path = arguments.text("json", ""); !path.empty()) race_json(race).write_file(path);
    if (const std::string path = arguments.text("markdown", ""); !path.empty())
        write_text_file(path, race_markdown(race));
    if (const std::string path = arguments.text("svg", ""); !path.empty())
        write_text_file(path, race_svg(race));
    return 0;
}

const RegisterCommand command(
    "race",
    "[--entries N] [--rounds N] [--seconds S] [--dir D] [--only REGEX] [--engines A,B] [--seed N]\n"
    "       [--json FILE] [--markdown FILE] [--svg FILE]\n"
    "       the kernel's workloads beside the peers",
    run);

}  // namespace race_impl

Outcome& RowResult::outcome(const std::string& subject) {
    for (auto& [name, outcome] : outcomes) {
        if (name == subject) return outcome;
    }
    return outcomes.emplace_back(subject, Outcome()).second;
}

const Outcome* RowResult::find(std::string_view subject) const {
    for (const auto& [name, outcome] : outcomes) {
        if (name == subject) return &outcome;
    }
    return nullptr;
}

std::vector<std::pair<int, std::function<void(Race&)>>>& race_workloads() {
    static std::vector<std::pair<int, std::function<void(Race&)>>> workloads;
    return workloads;
}

RegisterWorkload::RegisterWorkload(int position, std::function<void(Race&)> workload) {
    race_workloads().emplace_back(position, std::move(workload));
}

Race::Race(RaceOptions options)
    : options_(std::move(options)),
      scratch_(options_.directory),
      data_(options_.entries, options_.seed),
      machine_(describe_machine(scratch_.path())) {
    if (!options_.only.empty()) only_.emplace(options_.only);
    if (options_.engines.empty()) {
        for (const EngineEntry& entry : engine_registry()) {
            if (entry.by_default) options_.engines.push_back(entry.name);
        }
    }
    for (const RowSpec& spec : race_rows()) {
        RowResult result;
        result.spec = &spec;
        results_.push_back(std::move(result));
    }
}

Race::~Race() = default;

bool Race::wanted(std::string_view row) const {
    return !only_ || std::regex_search(row.begin(), row.end(), *only_);
}

bool Race::any_wanted(std::initializer_list<std::string_view> rows) const {
    return std::any_of(rows.begin(), rows.end(), [&](std::string_view row) { return wanted(row); });
}

RowResult& Race::row(std::string_view name) {
    for (RowResult& result : results_) {
        if (result.spec->name == name) return result;
    }
    throw std::logic_error("the race has no row named " + std::string(name));
}

void Race::step(std::string_view what, unsigned round, unsigned count, std::string_view subject) const {
    if (stop_requested()) throw Interrupted();
    show_progress(std::string(what) + ", round " + std::to_string(round + 1) + " of " +
                  std::to_string(count) + ": " + std::string(subject));
}

Race::Subject Race::create(const std::string& engine, const std::string& purpose,
                           std::unique_ptr<Engine>& owner, Holds holds) {
    owner = make_engine(engine);
    Subject subject{engine, owner.get(), scratch_ / (engine + "-" + purpose), 0};
    owner->open({subject.directory, 0, holds});
    return subject;
}

void load_all(Engine& engine, Dataset& data, KeyList& keys, Put put, std::size_t per_transaction) {
    const auto writer = engine.writer();
    std::vector<Entry> batch;
    keys.seek(0);
    for (std::size_t done = 0; done < keys.size(); done += batch.size()) {
        batch.clear();
        while (batch.size() < per_transaction && done + batch.size() < keys.size()) {
            batch.push_back({keys.next(), data.value()});
        }
        writer->commit(batch, Durability::lazy, put);
    }
}

// The load that the read rows work on is itself the row "load_random": the last round's databases stay.
void Race::load() {
    if (is_loaded_) return;
    is_loaded_ = true;
    const unsigned count = wanted("load_random") ? options_.heavy_rounds : 1;
    for (unsigned round = 0; round < count; ++round) {
        for (const Subject& subject : subjects_) {
            subject.engine->close();
            std::filesystem::remove_all(subject.directory);
        }
        subjects_.clear();
        engines_.clear();
        engines_.resize(options_.engines.size());
        subjects_.resize(options_.engines.size());
        for (std::size_t i = 0; i < options_.engines.size(); ++i) {
            const std::size_t which = (i + round) % options_.engines.size();
            const std::string& name = options_.engines[which];
            step("load in random order", round, count, name);
            subjects_[which] = create(name, "random-" + std::to_string(round), engines_[which]);
            measure(row("load_random").outcome(name), subjects_[which], 0, [&](std::uint64_t) {
                load_all(*engines_[which], data_, data_.load_order(), Put::anywhere,
                         race_impl::k_load_transaction);
                return data_.entries();
            });
            engines_[which]->settle();
            engines_[which]->sync();
        }
    }
    for (Subject& subject : subjects_) {
        subject.engine->close();
        row("file_size").outcome(subject.name).costs = {
            static_cast<double>(directory_bytes(subject.directory))};
        subject.engine->open({subject.directory, 0});
    }
}

std::vector<Race::Subject*> Race::loaded() {
    load();
    std::vector<Subject*> subjects;
    for (Subject& subject : subjects_) subjects.push_back(&subject);
    return subjects;
}

Race::Subject* Race::find_loaded(std::string_view name) {
    for (Subject* subject : loaded()) {
        if (subject->name == name) return subject;
    }
    return nullptr;
}

void measure(Outcome& outcome, const Race::Subject& subject, double seconds,
             const std::function<std::uint64_t(std::uint64_t)>& work) {
    const std::uint64_t copies = subject.engine != nullptr ? subject.engine->page_copies() : 0;
    const Counters before = Counters::now();
    const std::uint64_t cpu_start = thread_cpu_ns();
    const std::uint64_t start = now_ns();
    const std::uint64_t operations = work(start + static_cast<std::uint64_t>(seconds * 1e9));
    const std::uint64_t elapsed = now_ns() - start;
    const std::uint64_t cpu = thread_cpu_ns() - cpu_start;
    outcome.counters += Counters::now() - before;
    if (subject.engine != nullptr) outcome.page_copies += subject.engine->page_copies() - copies;
    outcome.operations += operations;
    if (operations == 0) return;
    outcome.costs.push_back(static_cast<double>(elapsed) / static_cast<double>(operations));
    outcome.cpu_costs.push_back(static_cast<double>(cpu) / static_cast<double>(operations));
}

void Race::run() {
    auto workloads = race_workloads();
    std::stable_sort(workloads.begin(), workloads.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [position, workload] : workloads) workload(*this);
    for (Subject& subject : subjects_) subject.engine->close();
}

Json Race::describe() const {
    Json engines = Json::object();
    for (const std::string& name : options_.engines) {
        const Traits traits = make_engine(name)->traits();
        Json engine = Json::object();
        engine.set("version", traits.version).set("settings", traits.settings);
        engine.set("native_multi_get", traits.native_multi_get);
        engines.set(name, std::move(engine));
    }
    Json all = Json::object();
    all.set("machine", machine_);
    all.set("engines", std::move(engines));
    Json options = Json::object();
    options.set("entries", options_.entries).set("key_bytes", std::uint64_t{k_key_size});
    options.set("value_bytes", std::uint64_t{k_value_size}).set("page_size", 4096).set("seed", options_.seed);
    options.set("rounds", std::uint64_t{options_.rounds})
        .set("heavy_rounds", std::uint64_t{options_.heavy_rounds});
    options.set("seconds_per_slice", options_.seconds);
    all.set("options", std::move(options));
    return all;
}

}  // namespace bench
