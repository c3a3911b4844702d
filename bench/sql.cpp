// The command "sql": options, rounds, the report. Rows are in sql_*.cpp.
#include "sql.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <regex>
#include <stdexcept>

#include "command.hpp"
#include "dataset.hpp"

namespace bench {

void SqlChecksum::add(double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.8e", value == 0 ? 0.0 : value);
    add(std::string_view(digits));
}

void SqlChecksum::add(std::string_view text) {
    for (const char c : text) state_ = mix(state_ ^ static_cast<unsigned char>(c));
    state_ = mix(state_ ^ text.size());
}

void SqlChecksum::add_rows(SqlQuery& query) {
    const int width = query.columns();
    while (query.step())
        for (int i = 0; i < width; ++i) {
            const std::string text = query.text(i);
            char* end = nullptr;
            const double number = std::strtod(text.c_str(), &end);
            if (!text.empty() && *end == '\0') add(number);
            else add(std::string_view(text));
        }
}

SqlBench::SqlBench(SqlBenchOptions options) : options_(std::move(options)), scratch_(options_.directory) {}

bool SqlBench::wanted(const std::string& row) const {
    return options_.only.empty() || std::regex_search(row, regular_expression(options_.only));
}

SqlBench::Pair SqlBench::open(const std::string& purpose, SqlDurability durability) {
    Pair pair;
    pair.engines[0] = open_northstar_sql(scratch_ / (purpose + ".northstar"), durability);
    pair.engines[1] = open_sqlite_sql(scratch_ / (purpose + ".sqlite"), durability);
    return pair;
}

void SqlBench::race(const std::string& name, double must, Pair& pair,
                    const std::function<SqlSlice(SqlEngine&, unsigned)>& slice, bool by_wall) {
    if (!wanted(name)) return;
    SqlRow row;
    row.name = name;
    row.must = must;
    row.by_wall = by_wall;
    for (unsigned round = 0; round < options_.rounds; ++round) {
        std::uint64_t checksums[2] = {};
        for (unsigned i = 0; i < 2; ++i) {
            if (stop_requested()) throw Interrupted();
            const unsigned at = (i + round) % 2;
            SqlEngine& engine = *pair.engines[at];
            show_progress(name + ": " + engine.name());
            const std::uint64_t wall = now_ns();
            const std::uint64_t cpu = thread_cpu_ns();
            const SqlSlice done = slice(engine, round);
            const auto operations = static_cast<double>(std::max<std::uint64_t>(1, done.operations));
            row.cpu_ns[at].push_back(static_cast<double>(thread_cpu_ns() - cpu) / operations);
            row.wall_ns[at].push_back(static_cast<double>(now_ns() - wall) / operations);
            checksums[at] = done.checksum;
            engine.settle();
        }
        if (checksums[0] != checksums[1]) throw std::runtime_error(name + ": the engines answered differently");
    }
    rows_.push_back(std::move(row));
}

void SqlBench::race_short(const std::string& name, double must, Pair& pair,
                          const std::function<std::function<double(std::uint64_t)>(SqlEngine&)>& start) {
    if (!wanted(name)) return;
    // The same number of operations for both, chosen by the slower one's speed, so that checksums can be compared.
    std::uint64_t operations = 0;
    for (auto& engine : pair.engines) {
        const auto operation = start(*engine);
        const std::uint64_t begin = now_ns();
        std::uint64_t done = 0;
        while (static_cast<double>(now_ns() - begin) < options_.seconds * 1e9 / 4) operation(done++);
        operations = operations == 0 ? done * 4 : std::min(operations, done * 4);
    }
    race(name, must, pair, [&](SqlEngine& engine, unsigned round) {
        const auto operation = start(engine);
        SqlSlice slice;
        double sum = 0;
        for (std::uint64_t i = 0; i < operations; ++i) sum += operation(round * operations + i);
        SqlChecksum checksum;
        checksum.add(sum);
        slice.operations = operations;
        slice.checksum = checksum.value();
        return slice;
    });
}

namespace sql_impl {

double ratio(const SqlRow& row) {
    const auto& costs = row.by_wall ? row.wall_ns : row.cpu_ns;
    return median(costs[1]) / median(costs[0]);
}

std::string cost(double ns) {
    char text[32];
    if (ns < 1e3) std::snprintf(text, sizeof text, "%.0f ns", ns);
    else if (ns < 1e6) std::snprintf(text, sizeof text, "%.2f us", ns / 1e3);
    else std::snprintf(text, sizeof text, "%.2f ms", ns / 1e6);
    return text;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"rows", "scale", "rounds", "seconds", "dir", "only", "seed", "json", "gate"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    SqlBenchOptions options;
    options.rows = arguments.number("rows", options.rows);
    options.scale = arguments.real("scale", options.scale);
    options.rounds = static_cast<unsigned>(arguments.number("rounds", options.rounds));
    options.seconds = arguments.real("seconds", options.seconds);
    options.directory = arguments.text("dir", options.directory);
    options.only = arguments.text("only", "");
    options.seed = arguments.number("seed", options.seed);
    if (options.rounds == 0 || options.rows < 100) throw UsageError("--rounds must be at least 1, --rows at least 100");
    SqlBench bench(options);
    bench_sql_points(bench);
    bench_sql_commits(bench);
    bench_sql_scans(bench);
    bench_sql_tpch(bench);
    bench_sql_tpcc(bench);
    show_progress("");
    const bool reached = bench.print();
    if (const std::string path = arguments.text("json", ""); !path.empty()) bench.write_json(path);
    return reached || arguments.text("gate", "no") != "yes" ? 0 : 1;
}

const RegisterCommand command("sql",
                              "[--rows N] [--scale F] [--rounds N] [--seconds S] [--only REGEX] [--gate yes]\n"
                              "      [--dir D] [--json FILE]   SQL beside SQLite; what counts is 1m rows and scale 0.1",
                              run);

}  // namespace sql_impl

bool SqlBench::print() const {
    std::printf("%-34s %12s %12s %8s %6s\n", "row", "northstar", "sqlite", "ratio", "must");
    bool reached = true;
    double logarithms = 0;
    unsigned queries = 0;
    for (const SqlRow& row : rows_) {
        const auto& costs = row.by_wall ? row.wall_ns : row.cpu_ns;
        const double factor = sql_impl::ratio(row);
        std::printf("%-34s %12s %12s %7.2fx", row.name.c_str(), sql_impl::cost(median(costs[0])).c_str(),
                    sql_impl::cost(median(costs[1])).c_str(), factor);
        if (row.must > 0) std::printf(" %5.1fx%s", row.must, factor < row.must ? "  missed" : "");
        std::printf("\n");
        reached = reached && factor >= row.must;
        if (row.name.rfind("tpch/", 0) == 0) {
            logarithms += std::log(factor);
            ++queries;
        }
    }
    if (queries > 0) {
        const double mean = std::exp(logarithms / queries);
        std::printf("%-34s %12s %12s %7.2fx %5.1fx%s\n", "TPC-H, geometric mean", "", "", mean, 4.0,
                    mean < 4 ? "  missed" : "");
        reached = reached && mean >= 4;
    }
    return reached;
}

void SqlBench::write_json(const std::string& path) const {
    Json list = Json::array();
    for (const SqlRow& row : rows_) {
        Json item = Json::object();
        item.set("name", row.name).set("must", row.must).set("ratio", sql_impl::ratio(row));
        item.set("northstar_cpu_ns", median(row.cpu_ns[0])).set("sqlite_cpu_ns", median(row.cpu_ns[1]));
        item.set("northstar_wall_ns", median(row.wall_ns[0])).set("sqlite_wall_ns", median(row.wall_ns[1]));
        list.push_back(std::move(item));
    }
    Json all = Json::object();
    all.set("machine", describe_machine(options_.directory)).set("rows", std::move(list));
    all.write_file(path);
}

}  // namespace bench
