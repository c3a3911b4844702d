// sql_oracle_suite.cpp -- random SQL, judged by oracles without a second engine, and by PostgreSQL where one answers.
//
//   * NoREC (M. Rigger and Z. Su, Detecting Optimization Bugs in Database Engines via Non-Optimizing Reference Engine
//     Construction, ESEC/FSE 2020): a condition holds for as many rows in WHERE as it is true for in the select list.
//   * TLP (the same, Finding Bugs in Database Systems via Query Partitioning, OOPSLA 2020): the rows where a condition
//     holds, where it does not, and where it is NULL are all rows, under DISTINCT and for sums as well.
//   * Differential: statements of all kinds answer as PostgreSQL's do: rows, or SQLSTATE.
// A statement that fails by its data (class 22) on one side alone says nothing: plans may leave expressions out.
//
//   sql_oracle_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
// NORTHSTAR_POSTGRES names the server as libpq does ("host=/tmp dbname=test"). Findings are printed with the
// statements that make them; the same seed makes them again.
#include "hard/sql/server.hpp"
#include "hard/sql/statements.hpp"
#include "northstar.hpp"

#include <cstdio>
#include <cstdlib>

namespace northstar::hard {

namespace {

constexpr std::uint64_t k_default_rounds = 20;
constexpr int k_checks_per_round = 60;

/// One database in memory and what happened to it.
class Engine {
public:
    Engine() : database_(Database::open(":memory:", options())), connection_(database_) {}

    Answer run(const std::string& statement) {
        Answer answer;
        try {
            answer.rows = connection_.execute(statement).rows;
        } catch (const SqlFailure& failure) {
            answer.state = failure.sqlstate;
            answer.message = failure.what();
        }
        return answer;
    }

private:
    static Options options() {
        Options open;
        open.background = false;
        return open;
    }
    Database database_;
    SqlConnection connection_;
};

bool by_data(const Answer& answer) { return answer.state.rfind("22", 0) == 0; }

class Round {
public:
    Round(std::uint64_t seed, Server* server) : seed_(seed), statements_(seed), server_(server) {}

    /// The number of findings, each printed.
    int run() {
        if (server_ != nullptr) server_->run("DROP SCHEMA northstar_oracle CASCADE; CREATE SCHEMA northstar_oracle");
        for (const std::string& statement : statements_.schema()) change(statement);
        for (int i = 0; i < k_checks_per_round && findings_ == 0; ++i) {
            switch (statements_.random().below(6)) {
                case 0: norec(); break;
                case 1: partition_rows(); break;
                case 2: partition_sums(); break;
                case 3: change(statements_.change()); break;
                default: compare(statements_.query());
            }
        }
        return findings_;
    }
    std::uint64_t judged = 0;

private:
    void finding(const char* oracle, const std::string& what, const std::vector<std::string>& queries) {
        ++findings_;
        std::printf("%s, seed %llu: %s\n", oracle, static_cast<unsigned long long>(seed_), what.c_str());
        for (const std::string& statement : history_) std::printf("    %s;\n", statement.c_str());
        for (const std::string& query : queries) std::printf("  > %s;\n", query.c_str());
    }

    /// A failure that is none of the data's.
    bool is_wrong(const Answer& answer, const char* oracle, const std::string& query) {
        if (answer.state.empty() || by_data(answer)) return false;
        finding(oracle, "failed with " + answer.state + ": " + answer.message, {query});
        return true;
    }

    void change(const std::string& statement) {
        const Answer ours = engine_.run(statement);
        if (ours.state == "XX000") return finding("difference", ours.message, {statement});
        if (server_ != nullptr) {
            const Answer theirs = server_->run(statement);
            ++judged;
            // What only one of them carried out must not part them.
            if (ours.state != theirs.state) {
                if (by_data(ours) || by_data(theirs)) return end_early();
                return finding("difference", "\"" + ours.state + "\" here, \"" + theirs.state + "\" there: " +
                                                 ours.message + theirs.message,
                               {statement});
            }
        } else if (!ours.state.empty() && !by_data(ours) && ours.state != "23505" && ours.state != "21000") {
            return finding("failure", ours.state + ": " + ours.message, {statement});
        }
        if (ours.state.empty()) history_.push_back(statement);
        if (server_ == nullptr) return;
        for (const RandomTable& table : statements_.tables())
            if (statement.find(table.name) != std::string::npos && statement.rfind("CREATE", 0) != 0)
                compare("SELECT * FROM " + table.name);
    }

    void end_early() { server_ = nullptr; }

    void compare(const std::string& query) {
        const Answer ours = engine_.run(query);
        if (server_ == nullptr) {
            is_wrong(ours, "failure", query);
            return;
        }
        const Answer theirs = server_->run(query);
        ++judged;
        if (theirs.state == "57014") return;
        if (!ours.state.empty() || !theirs.state.empty()) {
            if (ours.state == theirs.state || by_data(ours) || by_data(theirs)) return;
            return finding("difference",
                           "\"" + ours.state + "\" here, \"" + theirs.state + "\" there: " + ours.message +
                               theirs.message,
                           {query});
        }
        const std::vector<std::string> left = ours.sorted(), right = theirs.sorted();
        if (left == right) return;
        std::size_t at = 0;
        while (at < left.size() && at < right.size() && left[at] == right[at]) ++at;
        finding("difference",
                std::to_string(left.size()) + " rows here, " + std::to_string(right.size()) + " there; " +
                    (at < left.size() ? left[at] : "-") + " here, " + (at < right.size() ? right[at] : "-") + " there",
                {query});
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
        const Answer a = engine_.run(filtered), b = engine_.run(counted), c = engine_.run(listed);
        ++judged;
        if (is_wrong(a, "NoREC", filtered) || is_wrong(b, "NoREC", counted) || is_wrong(c, "NoREC", listed)) return;
        if (!a.state.empty() || !b.state.empty() || !c.state.empty()) return;
        if (a.rows != b.rows || a.rows != c.rows)
            finding("NoREC", *a.rows[0][0] + ", " + *b.rows[0][0] + " and " + *c.rows[0][0] + " rows",
                    {filtered, counted, listed});
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
        same_rows("TLP", head, together);
    }

    void partition_sums() {
        std::vector<Reference> columns;
        const std::string from = statements_.from(columns);
        const std::string summed = statements_.value(columns, ColumnType::numeric, 1);
        const std::vector<std::string> parts =
            thirds("SELECT sum(" + summed + ") AS s FROM " + from, statements_.condition(columns));
        same_rows("TLP", "SELECT sum(" + summed + ") FROM " + from,
                  "SELECT sum(s) FROM (" + parts[0] + " UNION ALL " + parts[1] + " UNION ALL " + parts[2] + ") p");
    }

    void same_rows(const char* oracle, const std::string& whole, const std::string& parts) {
        const Answer a = engine_.run(whole), b = engine_.run(parts);
        ++judged;
        if (is_wrong(a, oracle, whole) || is_wrong(b, oracle, parts)) return;
        if (!a.state.empty() || !b.state.empty()) return;
        if (a.sorted() != b.sorted())
            finding(oracle, std::to_string(a.rows.size()) + " and " + std::to_string(b.rows.size()) + " rows",
                    {whole, parts});
    }

    std::uint64_t seed_;
    Statements statements_;
    Engine engine_;
    Server* server_;
    std::vector<std::string> history_;
    int findings_ = 0;
};

int suite_main(int argc, char** argv) {
    const char* seeds = std::getenv("HARD_SEEDS");
    const std::uint64_t rounds = argc > 1                              ? std::strtoull(argv[1], nullptr, 10)
                                 : seeds != nullptr && *seeds != '\0' ? std::strtoull(seeds, nullptr, 10)
                                                                       : k_default_rounds;
    const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const char* conninfo = std::getenv("NORTHSTAR_POSTGRES");
    std::string why = "NORTHSTAR_POSTGRES names no server";
    const std::unique_ptr<Server> server = conninfo == nullptr ? nullptr : Server::connect(conninfo, why);
    if (server == nullptr) std::printf("without PostgreSQL: %s\n", why.c_str());
    std::uint64_t judged = 0, findings = 0;
    for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
        Round round(seed, server.get());
        findings += static_cast<std::uint64_t>(round.run());
        judged += round.judged;
    }
    std::printf("%llu rounds from seed %llu, %llu statements judged%s: %llu findings\n",
                static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(judged), server == nullptr ? "" : ", beside PostgreSQL",
                static_cast<unsigned long long>(findings));
    return findings == 0 ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
