// northstar-bench scale: the driver of the scale suites.
#include "scale.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "command.hpp"

namespace bench {
namespace scale_impl {

/// "10k,300k,1m" as numbers, ascending.
std::vector<std::uint64_t> sizes_of(const std::string& option, const std::string& text) {
    std::vector<std::uint64_t> sizes;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        std::uint64_t size = 0;
        const char* end = word.data() + word.size();
        const auto result = std::from_chars(word.data(), end, size);
        const std::string unit(result.ptr, end);
        if (result.ec != std::errc() || size == 0 || !(unit.empty() || unit == "k" || unit == "m"))
            throw UsageError("--" + option + " takes sizes like 10k,300k,1m, not '" + text + "'");
        sizes.push_back(size * (unit == "k" ? 1000 : unit == "m" ? 1'000'000 : 1));
    }
    if (sizes.empty()) throw UsageError("--" + option + " needs a size");
    std::sort(sizes.begin(), sizes.end());
    return sizes;
}

struct Group {
    int position;
    std::vector<std::string> curves;
    std::function<void(Scale&)> run;
};

std::vector<Group>& groups() {
    static std::vector<Group> all;
    return all;
}

int list() {
    for (const std::string& name : scale_curve_names()) std::printf("%s\n", name.c_str());
    return 0;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(
        words, {"only", "rounds", "seconds", "entries", "limited-entries", "memory-limit", "trees", "tables",
                "versions", "snapshots", "threads", "processes", "seed", "dir", "json", "markdown", "svg"});
    if (arguments.words() == std::vector<std::string>{"list"}) return list();
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    ScaleOptions options;
    const auto sizes = [&](const char* option, std::vector<std::uint64_t>& into) {
        if (const std::string text = arguments.text(option, ""); !text.empty()) into = sizes_of(option, text);
    };
    sizes("entries", options.entries);
    sizes("limited-entries", options.limited);
    sizes("trees", options.trees);
    sizes("tables", options.tables);
    sizes("versions", options.versions);
    sizes("snapshots", options.snapshots);
    sizes("threads", options.threads);
    sizes("processes", options.processes);
    options.memory_limit_mib = arguments.number("memory-limit", options.memory_limit_mib);
    options.seed = arguments.number("seed", options.seed);
    options.rounds = static_cast<unsigned>(arguments.number("rounds", options.rounds));
    options.seconds = arguments.real("seconds", options.seconds);
    options.directory = arguments.text("dir", "build/bench-data");
    options.only = regular_expression(arguments.text("only", "."));
    if (options.rounds == 0) throw UsageError("--rounds must be at least 1");
    std::filesystem::create_directories(options.directory);
    const Json machine = describe_machine(options.directory);
    Scale scale(std::move(options));
    bool stopped = false;
    try {
        for (const Group& group : groups()) {
            if (std::any_of(group.curves.begin(), group.curves.end(),
                            [&](const std::string& name) { return scale.wanted(name); }))
                group.run(scale);
        }
    } catch (const Interrupted&) {
        stopped = true;  // what was measured until now is shown
    }
    show_progress("");
    const std::vector<Curve> curves = scale.curves();
    if (curves.empty() && !stopped)
        throw UsageError("no curve has a name like that; northstar-bench scale list shows all");
    std::fputs(scale_table(curves).c_str(), stdout);
    if (stopped) throw Interrupted();
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json settings = Json::object();
        settings.set("suite", "scale").set("seed", scale.options().seed);
        settings.set("page_size", northstar::Database::open(":memory:").statistics().page_size);
        settings.set("rounds", std::uint64_t{scale.options().rounds})
            .set("seconds_per_slice", scale.options().seconds);
        result_file(machine, settings, scale.results()).write_file(path);
    }
    if (const std::string path = arguments.text("markdown", ""); !path.empty())
        write_text_file(path, scale_markdown(curves, machine, scale.options()));
    if (const std::string path = arguments.text("svg", ""); !path.empty()) write_text_file(path, scale_svg(curves));
    return std::any_of(curves.begin(), curves.end(), [](const Curve& curve) { return curve.failed(); }) ? 1 : 0;
}

const RegisterCommand command(
    "scale",
    "[--only REGEX] [--entries SIZES] [--limited-entries SIZES] [--memory-limit MIB] [--trees SIZES]\n"
    "       [--tables SIZES] [--versions SIZES] [--snapshots SIZES] [--threads SIZES] [--processes SIZES]\n"
    "       [--rounds N] [--seconds S] [--seed N] [--dir D] [--json FILE] [--markdown FILE] [--svg FILE] | list\n"
    "       cost per operation against sizes like 10k,1m,50m; fails where it grows faster than it should",
    run);

}  // namespace scale_impl

Scale::Scale(ScaleOptions options) : options_(std::move(options)), scratch_(options_.directory) {}

std::string Scale::fresh_path() { return scratch_ / ("scale-" + std::to_string(++files_) + ".db"); }

bool Scale::any_wanted(const std::vector<CurveSpec>& curves) const {
    return std::any_of(curves.begin(), curves.end(), [&](const CurveSpec& curve) { return wanted(curve.name); });
}

void Scale::progress(const std::string& what, std::uint64_t size) const {
    if (stop_requested()) throw Interrupted();
    show_progress(what + " at " + std::to_string(size));
}

void Scale::add(const CurveSpec& curve, std::uint64_t size, const Repeat& repeat, std::uint64_t thread_cpu_ns) {
    if (!wanted(curve.name) || repeat.operations == 0) return;
    auto known = std::find_if(curves_.begin(), curves_.end(),
                              [&](const Sizes& other) { return other.spec.name == curve.name; });
    if (known == curves_.end()) known = curves_.insert(curves_.end(), {curve, {}});
    known->sizes.insert(size);
    const auto operations = static_cast<double>(repeat.operations);
    std::map<std::string, double> metrics = metrics_of(repeat);
    metrics["thread_cpu_ns_per_op"] = static_cast<double>(thread_cpu_ns) / operations;
    metrics["size"] = static_cast<double>(size);
    results_.add({curve.name + "/" + std::to_string(size), curve.durability, "operation"},
                 static_cast<double>(repeat.elapsed_ns) / operations, metrics);
}

void Scale::measure(const CurveSpec& curve, std::uint64_t size, const northstar::Database& db, std::uint64_t counts,
                    const std::function<void()>& operation) {
    if (!wanted(curve.name)) return;
    for (unsigned round = 0; round < options_.rounds; ++round) {
        progress(curve.title, size);
        Repeat repeat;
        const std::uint64_t copies = db.statistics().pages_copied;
        const Counters counters = Counters::now();
        const std::uint64_t cpu = thread_cpu_ns();
        const std::uint64_t start = now_ns();
        const std::uint64_t deadline = start + static_cast<std::uint64_t>(options_.seconds * 1e9);
        std::uint64_t before = start;
        do {
            operation();
            const std::uint64_t after = now_ns();
            repeat.latencies.add(after - before);
            before = after;
            repeat.operations += counts;
        } while (before < deadline);
        const std::uint64_t spent = thread_cpu_ns() - cpu;
        repeat.elapsed_ns = before - start;
        repeat.counters = Counters::now() - counters;
        repeat.page_copies = db.statistics().pages_copied - copies;
        add(curve, size, repeat, spent);
    }
}

std::vector<Curve> Scale::curves() const {
    std::vector<Curve> all;
    for (const Sizes& known : curves_) {
        Curve curve{known.spec, {}};
        for (const std::uint64_t size : known.sizes) {
            const Series& series = *results_.find(known.spec.name + "/" + std::to_string(size));
            curve.points.emplace_back(static_cast<double>(size),
                                      known.spec.by_cpu ? series.metric("thread_cpu_ns_per_op") : series.cost());
        }
        all.push_back(std::move(curve));
    }
    return all;
}

RegisterScale::RegisterScale(int position, std::vector<std::string> curves, std::function<void(Scale&)> run) {
    auto& groups = scale_impl::groups();
    const auto place =
        std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return group.position > position; });
    groups.insert(place, {position, std::move(curves), std::move(run)});
}

std::vector<std::string> scale_curve_names() {
    std::vector<std::string> names;
    for (const auto& group : scale_impl::groups()) names.insert(names.end(), group.curves.begin(), group.curves.end());
    return names;
}

}  // namespace bench
