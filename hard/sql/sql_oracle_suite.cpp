// sql_oracle_suite.cpp -- random SQL, judged by oracles without a second engine, and by PostgreSQL where one answers.
//
//   * NoREC (M. Rigger and Z. Su, Detecting Optimization Bugs in Database Engines via Non-Optimizing Reference Engine
//     Construction, ESEC/FSE 2020): a condition holds for as many rows in WHERE as it is true for in the select list.
//   * TLP (the same, Finding Bugs in Database Systems via Query Partitioning, OOPSLA 2020): the rows where a condition
//     holds, where it does not, and where it is NULL are all rows, under DISTINCT and for sums as well.
//   * Indexes: a query answers the same with new indexes, new statistics, and from a plan for any literals.
//   * Past: a query AS OF a commit answers what it did when that commit was the newest; so do versions and differences.
//   * Arguments: a prepared statement answers as the same statement with literals does, however often it ran before.
//   * Sessions: blocks of several sessions answer from their snapshots, and commit as if one came after the other.
//   * Frames: what EXCLUDE leaves out of a window frame adds up, and a frame is the same from the other end.
//   * Differential: statements of all kinds answer as PostgreSQL's do: rows, or SQLSTATE.
// A statement that fails by its data (class 22) on one side alone says nothing: plans may leave expressions out.
//
//   sql_oracle_suite [--record FOLDER] [ROUNDS] [SEED] [KIND]      HARD_SEEDS=n: n rounds
// KIND is one of k_kinds; all of them where none is named. NORTHSTAR_POSTGRES names the server as libpq does
// ("host=/tmp dbname=test"), a database whose LC_COLLATE is C and LC_CTYPE C.UTF-8. Findings are printed with the
// statements that make them; the same seed makes them again. With --record what both answer alike becomes a
// sqllogictest file for each round of a kind that has a server beside it (recorder.hpp; record.sh makes those of
// test/slt/recorded, which are run where there is no server).
#include "hard/sql/arguments.hpp"
#include "hard/sql/definitions.hpp"
#include "hard/sql/frames.hpp"
#include "hard/sql/grammar.hpp"
#include "hard/sql/grammars.hpp"
#include "hard/sql/judge.hpp"
#include "hard/sql/past.hpp"
#include "hard/sql/periods.hpp"
#include "hard/sql/sessions.hpp"
#include "hard/sql/statements.hpp"
#include "hard/sql/values.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

namespace northstar::hard {

namespace {

constexpr std::uint64_t k_default_rounds = 20;
constexpr const char* k_kinds[] = {"tables", "calls", "queries", "changes", "past",
                                     "arguments", "sessions", "definitions", "periods",
                                     "values", "frames"};
constexpr int k_checks_per_round = 60;
constexpr int k_queries_per_round = 40;
constexpr int k_changes_per_round = 60;

/// Statements that code makes: NoREC, TLP and the differential check.
class Tables {
public:
    Tables(std::uint64_t seed, const Beside& beside) : statements_(seed), judge_("tables", seed, beside) {}

    const Judge& run() {
        for (const std::string& statement : statements_.schema()) change(statement);
        for (int i = 0; i < k_checks_per_round && judge_.findings() == 0; ++i) {
            switch (statements_.random().below(6)) {
                case 0: norec(); break;
                case 1: partition_rows(); break;
                case 2: partition_sums(); break;
                case 3: change(statements_.change()); break;
                default: judge_.compare(statements_.query());
            }
        }
        return judge_;
    }

private:
    void change(const std::string& statement) {
        if (!judge_.change(statement) || !judge_.has_server()) return;
        for (const RandomTable& table : statements_.tables())
            if (statement.find(table.name) != std::string::npos && statement.rfind("CREATE", 0) != 0)
                judge_.compare("SELECT * FROM " + table.name);
    }

    void norec() {
        std::vector<Reference> columns;
        const std::string from = statements_.from(columns);
        const std::string condition = statements_.condition(columns);
        const std::string filtered = "SELECT count(*) FROM " + from + " WHERE " + condition;
        const std::string listed = "SELECT count(*) FROM (SELECT (" + condition + ") AS holds FROM " + from +
                                   ") x WHERE holds";
        const std::string counted =
            "SELECT coalesce(sum(CASE WHEN holds THEN 1 ELSE 0 END), 0) FROM (SELECT (" + condition +
            ") AS holds FROM " + from + " OFFSET 0) x";
        judge_.same_rows("NoREC", filtered, counted);
        judge_.same_rows("NoREC", filtered, listed);
    }

    std::vector<std::string> thirds(const std::string& head, const std::string& condition) {
        return {head + " WHERE " + condition, head + " WHERE NOT " + condition,
                head + " WHERE (" + condition + ") IS NULL"};
    }

    void partition_rows() {
        std::vector<Reference> columns;
        const std::string from = statements_.from(columns);
        const bool distinct = statements_.random().chance(1, 3);
        std::string targets;
        for (std::size_t i = 0; i < columns.size() && i < 4; ++i) targets += (i == 0 ? "" : ", ") + columns[i].text;
        const std::string head = std::string("SELECT ") + (distinct ? "DISTINCT " : "") + targets + " FROM " + from;
        const std::vector<std::string> parts = thirds(head, statements_.condition(columns));
        const std::string together = parts[0] + (distinct ? " UNION " : " UNION ALL ") + parts[1] +
                                     (distinct ? " UNION " : " UNION ALL ") + parts[2];
        judge_.same_rows("TLP", head, together);
    }

    void partition_sums() {
        std::vector<Reference> columns;
        const std::string from = statements_.from(columns);
        const std::string summed = statements_.value(columns, ColumnType::numeric, 1);
        const std::vector<std::string> parts =
            thirds("SELECT sum(" + summed + ") AS s FROM " + from, statements_.condition(columns));
        judge_.same_rows(
            "TLP", "SELECT sum(" + summed + ") FROM " + from,
            "SELECT sum(s) FROM (" + parts[0] + " UNION ALL " + parts[1] + " UNION ALL " + parts[2] + ") p");
    }

    Statements statements_;
    Judge judge_;
};

/// Functions, operators and casts.
class Calls {
public:
    Calls(std::uint64_t seed, const Beside& beside) : random_(seed), judge_("calls", seed, beside) {}

    const Judge& run() {
        for (int i = 0; i < k_checks_per_round; ++i) {
            const auto depth = static_cast<int>(random_.between(1, 5));
            const std::string query = grammar_.make("script", random_, depth);
            // Which of several failures is told, and whether one behind a NULL is, nobody says.
            if (depth <= 2 && query.find("NULL") == std::string::npos)
                judge_.compare_failures(query);
            else
                judge_.compare_answers(query);
        }
        return judge_;
    }

private:
    Grammar grammar_{std::string(k_calls_grammar) + k_calls_text_grammar + k_calls_time_grammar};
    detail::Random random_;
    Judge judge_;
};

/// Queries of tables, and whether indexes, kept plans or ANALYZE change their answers.
class Queries {
public:
    Queries(std::uint64_t seed, const Beside& beside) : random_(seed), judge_("queries", seed, beside) {}

    const Judge& run() {
        for (int i = 0; i <= 11; ++i) judge_.change(make("setup" + std::to_string(i), 2));
        // A view of any query; some are refused, as a view of itself is.
        judge_.attempt(make("view", 2));
        if (!judge_.ask("SELECT FROM w5").state.empty()) judge_.change(make("view0", 2));
        for (const char* table : {"w0", "w1", "w2", "w3", "w3a", "w6", "w7"}) fill(table);
        for (int i = 0; i < k_queries_per_round && judge_.findings() == 0; ++i) {
            const std::string query = make("query", static_cast<int>(random_.between(2, 6)));
            judge_.compare_made(query);
            if (judge_.findings() == 0 && random_.chance(1, 4)) indexed(query);
        }
        return judge_;
    }

private:
    std::string make(const std::string& rule, int depth) { return grammar_.make(rule, random_, depth); }

    void fill(const std::string& table) {
        const std::uint64_t rows = random_.chance(1, 8) ? 60 + random_.below(100) : random_.below(20);
        std::string values;
        for (std::uint64_t id = 1; id <= rows; ++id) {
            const std::string row = make("literals", 2);
            values += std::string(id == 1 ? "" : ", ") + "(" + std::to_string(id) + ", " + row + ")";
        }
        if (rows > 0) judge_.change("INSERT INTO " + table + " VALUES " + values);
    }

    // The rows are the same whatever the planner can choose from.
    void indexed(const std::string& query) {
        const Answer before = judge_.ask(query);
        for (std::uint64_t i = 0, n = 1 + random_.below(3); i < n; ++i) judge_.change(make("index", 2));
        if (random_.chance(1, 3)) judge_.change("ANALYZE");
        const bool generic = random_.chance(1, 2);
        if (generic) judge_.change("SET plan_cache_mode = force_generic_plan");
        const Answer after = judge_.ask(query);
        judge_.compare_made(query);
        if (generic) judge_.change("RESET plan_cache_mode");
        if (!before.state.empty() || judge_.is_wrong(after, "indexes", query) || !after.state.empty()) return;
        if (before.sorted() != after.sorted())
            judge_.finding("indexes", std::to_string(before.rows.size()) + " and " + std::to_string(after.rows.size()) +
                                          " rows" + (generic ? ", generic plan" : ""), {query});
    }

    Grammar grammar_{k_queries_grammar};
    detail::Random random_;
    Judge judge_;
};

/// Changes, refused ones among them, with the whole tables behind each.
class Changes {
public:
    Changes(std::uint64_t seed, const Beside& beside) : random_(seed), judge_("changes", seed, beside) {}

    const Judge& run() {
        for (int i = 0; i <= 16; ++i) judge_.change(make("setup" + std::to_string(i)));
        bool in_block = false;
        for (int i = 0; i < k_changes_per_round && judge_.findings() == 0; ++i) {
            const std::string statement = make(random_.chance(1, in_block ? 4 : 12) ? "block" : "change");
            judge_.attempt(statement);
            if (statement == "BEGIN" || statement == "COMMIT AND CHAIN") in_block = true;
            if (statement == "COMMIT" || statement == "ROLLBACK") in_block = false;
            // Behind a failure in a block nothing can be read.
            for (const char* table : {"p", "c", "f", "q", "h", "self", "tmp"})
                if (judge_.findings() == 0) judge_.compare_failures("SELECT * FROM " + std::string(table));
            if (judge_.findings() == 0) judge_.compare_failures("SELECT k, pid, d FROM e");
        }
        return judge_;
    }

private:
    std::string make(const std::string& rule) { return grammar_.make(rule, random_, 3); }

    Grammar grammar_{k_changes_grammar};
    detail::Random random_;
    Judge judge_;
};

struct Total {
    std::uint64_t judged = 0, findings = 0;
    template <typename Kind>
    void add(const Kind& kind) {
        judged += kind.judged();
        findings += static_cast<std::uint64_t>(kind.findings());
    }
};

/// What happened, and how often; an event that never did in many rounds is a finding.
std::uint64_t tell_events(const char* kind, const Events& events, std::uint64_t rounds) {
    std::uint64_t missing = 0;
    std::printf("%s:", kind);
    for (const auto& [event, times] : events) {
        std::printf(" %llu %s;", static_cast<unsigned long long>(times), event.c_str());
        missing += times == 0 ? 1 : 0;
    }
    std::printf("\n");
    if (missing == 0 || rounds < k_default_rounds) return 0;
    std::printf("%llu events of %s never happened\n", static_cast<unsigned long long>(missing), kind);
    return missing;
}

int suite_main(int argc, char** argv) {
    Beside beside;
    if (argc > 2 && std::strcmp(argv[1], "--record") == 0) {
        beside.records = argv[2];
        argc -= 2;
        argv += 2;
    }
    const char* seeds = std::getenv("HARD_SEEDS");
    const std::uint64_t rounds = argc > 1                              ? std::strtoull(argv[1], nullptr, 10)
                                 : seeds != nullptr && *seeds != '\0' ? std::strtoull(seeds, nullptr, 10)
                                                                       : k_default_rounds;
    const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const char* conninfo = std::getenv("NORTHSTAR_POSTGRES");
    std::string why = "NORTHSTAR_POSTGRES names no server";
    const std::unique_ptr<Server> server = conninfo == nullptr ? nullptr : Server::connect(conninfo, why);
    if (server == nullptr) std::printf("without PostgreSQL: %s\n", why.c_str());
    if (server == nullptr && !beside.records.empty()) return 2;
    beside.server = server.get();
    const std::string kind = argc > 3 ? argv[3] : "";
    if (!kind.empty() && std::find(std::begin(k_kinds), std::end(k_kinds), kind) == std::end(k_kinds)) {
        std::fprintf(stderr, "there is no kind %s; there are", kind.c_str());
        for (const char* known : k_kinds) std::fprintf(stderr, " %s", known);
        std::fprintf(stderr, "\n");
        return 2;
    }
    Total total;
    Events of_sessions = Sessions::no_events(), of_definitions = Definitions::no_events(),
           of_periods = Periods::no_events();
    for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
        if (kind.empty() || kind == "tables") total.add(Tables(seed, beside).run());
        if (kind.empty() || kind == "calls") total.add(Calls(seed, beside).run());
        if (kind.empty() || kind == "queries") total.add(Queries(seed, beside).run());
        if (kind.empty() || kind == "changes") total.add(Changes(seed, beside).run());
        if (kind.empty() || kind == "past") total.add(Past(seed).run());
        if (kind.empty() || kind == "arguments") total.add(Arguments(seed, beside).run());
        if (kind.empty() || kind == "sessions") total.add(Sessions(seed, of_sessions).run());
        if (kind.empty() || kind == "definitions")
            total.add(Definitions(seed, beside, of_definitions).run());
        if (kind.empty() || kind == "periods") total.add(Periods(seed, of_periods).run());
        if (kind.empty() || kind == "values") total.add(Values(seed, beside).run());
        if (kind.empty() || kind == "frames") total.add(Frames(seed, beside).run());
    }
    if (kind.empty() || kind == "sessions") total.findings += tell_events("sessions", of_sessions, rounds);
    if (kind.empty() || kind == "definitions")
        total.findings += tell_events("definitions", of_definitions, rounds);
    if (kind.empty() || kind == "periods") total.findings += tell_events("periods", of_periods, rounds);
    std::printf("%llu rounds from seed %llu, %llu statements judged%s: %llu findings\n",
                static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(total.judged), server == nullptr ? "" : ", beside PostgreSQL",
                static_cast<unsigned long long>(total.findings));
    return total.findings == 0 ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
