#include "hard/sql/past.hpp"

#include "hard/sql/grammars.hpp"

#include <iterator>

namespace northstar::hard {

namespace {

constexpr int k_changes_of_a_past = 60;
constexpr int k_last_of_setup = 15;  // what follows is temporary, and has no past

// Of every kind of relation in the grammar of changes, through indexes and without.
constexpr const char* k_queries[] = {
    "SELECT * FROM p",
    "SELECT * FROM c",
    "SELECT k, pid, d FROM e",
    "SELECT * FROM f",
    "SELECT tableoid::regclass::text, * FROM q",
    "SELECT * FROM q1",
    "SELECT * FROM h",
    "SELECT * FROM ONLY h",
    "SELECT * FROM self",
    "SELECT * FROM small_p",
    "SELECT * FROM both_p",
    "SELECT * FROM view_c",
    "SELECT * FROM n1",
    "SELECT c.id, p.t FROM c LEFT JOIN p ON c.p = p.id WHERE c.s > 3",
    "SELECT p, count(*), sum(s) FROM c GROUP BY p",
    "SELECT a, b FROM f WHERE v > 2",
    "SELECT a, b FROM f WHERE lower(t) = 'a'",
    "SELECT id, n FROM p WHERE k IN (1, 2, 3, 5)",
    "SELECT max(id), min(k), count(*) FROM p",
    "SELECT id FROM p WHERE EXISTS (SELECT 1 FROM c WHERE c.p = p.id)",
    "SELECT id FROM c WHERE s BETWEEN 2 AND 30 ORDER BY s",
    "SELECT id, v FROM h WHERE id = 3",
    "SELECT x.id, y.t FROM self x JOIN self y ON x.up = y.id",
    "WITH RECURSIVE r (i) AS (SELECT id FROM self WHERE up IS NULL UNION SELECT id FROM self, r WHERE up = i) TABLE r",
};

std::string number(std::uint64_t commit) { return std::to_string(commit); }

}  // namespace

Past::Past(std::uint64_t seed) : grammar_(k_changes_grammar), random_(seed), judge_("past", seed, Beside{}) {}

const Judge& Past::run() {
    for (int i = 0; i <= k_last_of_setup; ++i) judge_.change(grammar_.make("setup" + std::to_string(i), random_, 3));
    bool in_block = false;
    for (int i = 0; i < k_changes_of_a_past && judge_.findings() == 0; ++i) {
        const std::string statement =
            grammar_.make(random_.chance(1, in_block ? 4 : 12) ? "block" : "change", random_, 3);
        judge_.attempt(statement);
        if (statement == "BEGIN" || statement == "COMMIT AND CHAIN") in_block = true;
        if (statement == "COMMIT" || statement == "ROLLBACK") in_block = false;
        if (in_block) continue;
        keep();
        switch (random_.below(8)) {
            case 0: ask_versions(); break;
            case 1: ask_differences(); break;
            case 2: revert(); break;
            default: ask_again();
        }
    }
    if (in_block) judge_.ask("ROLLBACK");
    for (int i = 0; i < k_changes_of_a_past && judge_.findings() == 0; ++i) ask_again();
    return judge_;
}

void Past::keep() {
    const Answer commit = judge_.ask("SELECT current_commit()");
    std::vector<Answer>& answers = answers_[std::stoull(*commit.rows.at(0).at(0))];
    if (!answers.empty()) return;
    for (const char* query : k_queries) answers.push_back(judge_.ask(query));
}

std::uint64_t Past::any_commit() {
    return std::next(answers_.begin(), static_cast<std::ptrdiff_t>(random_.below(answers_.size())))->first;
}

void Past::check(const std::string& query, const Answer& then, const Answer& now) {
    judge_.count();
    if (then.state == now.state && then.sorted() == now.sorted()) return;
    judge_.finding("past",
                   "\"" + then.state + "\" and " + std::to_string(then.rows.size()) + " rows then, \"" + now.state +
                       "\" and " + std::to_string(now.rows.size()) + " now: " + now.message,
                   {query});
}

void Past::ask_again() {
    if (answers_.empty()) return;
    const std::uint64_t commit = any_commit();
    const std::size_t place = random_.below(std::size(k_queries));
    const std::string query = k_queries[place];
    const Answer& then = answers_[commit][place];
    switch (random_.below(3)) {
        case 0: return check(query + " AS OF " + number(commit), then, judge_.ask(query + " AS OF " + number(commit)));
        case 1: {
            judge_.ask("SET northstar.as_of = '" + number(commit) + "'");
            const Answer now = judge_.ask(query);
            judge_.ask("RESET northstar.as_of");
            return check("SET northstar.as_of = '" + number(commit) + "'; " + query, then, now);
        }
        default: {
            judge_.ask("BEGIN READ ONLY AS OF " + number(commit));
            const Answer now = judge_.ask(query);
            judge_.ask("ROLLBACK");
            return check("BEGIN READ ONLY AS OF " + number(commit) + "; " + query, then, now);
        }
    }
}

void Past::ask_versions() {
    const std::string commit = number(any_commit());
    static constexpr const char* k_columns[] = {"id, k FROM p", "a, b, v, t FROM f", "id, up, t FROM self",
                                                "id, part, v FROM q"};
    const std::string columns = k_columns[random_.below(std::size(k_columns))];
    const std::string all = "SELECT " + columns + " FOR SYSTEM_TIME ALL WHERE _commit_from <= " + commit +
                            " AND (_commit_to IS NULL OR _commit_to > " + commit + ")";
    judge_.same_rows("versions", "SELECT " + columns + " AS OF " + commit, all);
}

void Past::ask_differences() {
    const std::string one = number(any_commit()), other = number(any_commit());
    judge_.same_rows("differences",
                     "SELECT CASE WHEN x.id IS NULL THEN 'insert' WHEN y.id IS NULL THEN 'delete' ELSE 'update' END, "
                     "x.up, y.up FROM self FOR SYSTEM_TIME AS OF " + one + " x FULL JOIN self FOR SYSTEM_TIME AS OF " +
                         other + " y ON x.id = y.id WHERE x.id IS NULL OR y.id IS NULL OR x.up IS DISTINCT FROM y.up "
                                 "OR x.t IS DISTINCT FROM y.t",
                     "SELECT operation, (old ->> 'up')::int, (new ->> 'up')::int FROM diff('self', " + one + ", " +
                         other + ")");
}

void Past::revert() {
    const std::string commit = number(any_commit());
    static constexpr const char* k_tables[] = {"p", "f", "self", "q", "h1"};
    const std::string table = k_tables[random_.below(std::size(k_tables))];
    // Keys and foreign keys may refuse it.
    const std::string statement = "REVERT TABLE " + table + " TO " + commit;
    if (!judge_.ask(statement).state.empty()) return;
    const Answer then = judge_.ask("SELECT * FROM " + table + " AS OF " + commit);
    const Answer now = judge_.ask("SELECT * FROM " + table);
    // Columns may have come, gone or changed since.
    if (table == "self" || table == "f") check(statement, then, now);
    keep();
}

}  // namespace northstar::hard
