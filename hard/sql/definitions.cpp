#include "hard/sql/definitions.hpp"

#include "hard/sql/grammars.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::hard {

namespace {

constexpr int k_steps_per_round = 90;
constexpr int k_last_of_setup = 9;
// A server has no REVERT TABLE, so that what comes behind one is not compared with it.
constexpr int k_steps_before_reverts = 60;

constexpr const char* k_compared[] = {
    "SELECT * FROM t1",
    "SELECT * FROM t2",
    "SELECT * FROM t3",
    "SELECT * FROM t4",
    "SELECT * FROM t5",
    "SELECT table_name, column_name, ordinal_position, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_name IN ('t1', 't2', 't3', 't4', 't5')",
    "SELECT conrelid::regclass::text, conname, contype, CASE WHEN contype <> 'c' THEN conkey END FROM pg_constraint "
    "WHERE conrelid::regclass::text IN ('t1', 't2', 't3', 't4', 't5')",
};

constexpr const char* k_catalog[] = {
    "SELECT relname, relkind, relnatts, relhasindex FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 "
    "AND NOT a.attisdropped",
    "SELECT conname, contype, conkey FROM pg_constraint",
    ("SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
     "WHERE table_schema = 'public'"),
    "SELECT enumlabel FROM pg_enum",
    "SELECT c.relname, indkey, indisunique, indisprimary FROM pg_index JOIN pg_class c ON c.oid = indexrelid",
};

std::string number(Txn commit) { return std::to_string(commit); }

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
    return out + "'";
}

}  // namespace

Events Definitions::no_events() {
    Events events;
    for (const char* what : {"definitions", "pictures asked again", "states compared by versions",
                             "differences", "changes", "histories", "blames", "reverted"})
        events[what] = 0;
    return events;
}

Definitions::Definitions(std::uint64_t seed, const Beside& beside, Events& events)
    : grammar_(k_definitions_grammar), random_(seed), judge_("definitions", seed, beside), events_(events) {}

const Judge& Definitions::run() {
    for (int i = 0; i <= k_last_of_setup; ++i) judge_.change(make("setup" + std::to_string(i)));
    bool in_block = false;
    for (int i = 0; i < k_steps_per_round && judge_.findings() == 0; ++i)
        step(in_block, !judge_.has_server() || i >= k_steps_before_reverts);
    if (in_block) judge_.ask("ROLLBACK");
    for (int i = 0; i < k_steps_per_round && judge_.findings() == 0; ++i) ask_again();
    return judge_;
}

void Definitions::step(bool& in_block, bool reverts) {
    const std::uint64_t chance = random_.below(10);
    const std::string statement = make(random_.chance(1, in_block ? 3 : 15) ? "block"
                                       : chance < 5                        ? "definition"
                                                                           : "change");
    judge_.attempt_any_failure(statement);
    for (const char* query : k_compared)
        if (judge_.has_server() && judge_.findings() == 0) judge_.compare_failures(query);
    if (statement == "BEGIN") in_block = true;
    if (statement == "COMMIT" || statement == "ROLLBACK") in_block = false;
    if (in_block || judge_.findings() != 0) return;
    if (chance < 5) {
        for (const Problem& problem : verify_sql(judge_.database()))
            judge_.finding("verify_sql", problem.where + ": " + problem.what, {});
        count("definitions");
    }
    take_picture();
    switch (random_.below(12)) {
        case 0: return compare_versions();
        case 1: return compare_differences();
        case 2: return compare_changes();
        case 3: return compare_history();
        case 4: return compare_blame();
        case 5: return reverts ? revert() : ask_again();
        default: ask_again();
    }
}

void Definitions::take_picture() {
    SqlConnection& sql = judge_.connection();
    const Told commit = told_by(sql, "SELECT current_commit()::text");
    Picture& picture = pictures_[std::stoull(commit.rows.at(1).substr(1))];
    if (!picture.empty()) return;
    const auto add = [&](const std::string& query) { picture.emplace_back(query, told_by(sql, query)); };
    for (const char* query : k_catalog) add(query);
    const SqlResult relations = sql.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm') AND relnamespace = 'public'::regnamespace");
    for (const auto& relation : relations.rows) {
        const std::string& name = *relation.at(0);
        add("SELECT * FROM " + name);
        add("SELECT count(*) FROM " + name);
        const SqlResult rows = sql.execute("SELECT * FROM " + name);
        if (rows.rows.empty() || rows.columns.empty()) continue;
        // Through indexes, where the column has one.
        for (int i = 0; i < 2; ++i) {
            const std::size_t column = random_.below(rows.columns.size());
            const SqlValue& value = rows.rows[random_.below(rows.rows.size())][column];
            const std::string& left = rows.columns[column].name;
            if (!value) add("SELECT * FROM " + name + " WHERE " + left + " IS NULL");
            else if (i == 0) add("SELECT * FROM " + name + " WHERE " + left + " = " + quoted(*value));
            else add("SELECT " + left + " FROM " + name + " WHERE " + left + " <= " + quoted(*value));
        }
    }
}

Txn Definitions::any_commit() {
    return std::next(pictures_.begin(), static_cast<std::ptrdiff_t>(random_.below(pictures_.size())))->first;
}

void Definitions::ask_again() {
    if (pictures_.empty()) return;
    const Txn commit = any_commit();
    const auto& [query, then] = pictures_[commit][random_.below(pictures_[commit].size())];
    std::vector<std::string> before, after;
    std::string asked = query;
    switch (random_.below(4)) {
        case 0: asked = "SETTING DEFAULT SYSTEM_TIME AS OF " + number(commit) + " " + query; break;
        case 1:
            before = {"SET northstar.as_of = '" + number(commit) + "'"};
            after = {"RESET northstar.as_of"};
            break;
        case 2:
            before = {"BEGIN READ ONLY AS OF " + number(commit)};
            after = {"ROLLBACK"};
            break;
        default: asked += " AS OF " + number(commit);
    }
    std::unique_ptr<SqlConnection> fresh;
    if (random_.chance(1, 3)) fresh = std::make_unique<SqlConnection>(judge_.database());
    SqlConnection& sql = fresh == nullptr ? judge_.connection() : *fresh;
    for (const std::string& statement : before) told_by(sql, statement);
    const Told now = told_by(sql, asked);
    for (const std::string& statement : after) told_by(sql, statement);
    judge_.count();
    count("pictures asked again");
    if (now.same_as(then)) return;
    before.push_back(asked);
    judge_.finding("pictures", "then \"" + then.line() + "\", now \"" + now.line() + "\"" +
                                   (fresh == nullptr ? "" : " in a new session"), before);
}

std::vector<std::string> Definitions::rows_of(const std::string& query) {
    Told told = told_by(judge_.connection(), query);
    if (told.failed()) judge_.finding("failure", told.line(), {query});
    if (!told.rows.empty()) told.rows.erase(told.rows.begin());
    return told.rows;
}

std::string Definitions::table_since(Txn one, Txn other, std::vector<std::string>& columns) {
    const auto tables = [](const std::string& moment) {
        return "(SELECT c.oid, c.relname FROM pg_class FOR SYSTEM_TIME AS OF " + moment +
               " c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace)";
    };
    const std::vector<std::string> names =
        rows_of("SELECT x.relname FROM " + tables("LATEST") + " x JOIN " + tables(number(one)) +
                " y USING (oid, relname) JOIN " + tables(number(other)) + " z USING (oid, relname)");
    if (names.empty()) return "";
    std::string table = names[random_.below(names.size())];
    table = table.substr(1, table.size() - 2);
    const auto attributes = [&](const std::string& moment) {
        return "(SELECT attnum, attname, format_type(atttypid, atttypmod) FROM pg_attribute FOR SYSTEM_TIME AS OF " +
               moment + " WHERE attrelid = '" + table +
               "'::regclass AND attnum > 0 AND NOT attisdropped AND atttypid < 16384)";
    };
    columns.clear();
    for (const std::string& row : rows_of("SELECT attname FROM (" + attributes("LATEST") + " INTERSECT " +
                                          attributes(number(one)) + " INTERSECT " + attributes(number(other)) + ") x"))
        columns.push_back(row.substr(1, row.size() - 2));
    return columns.empty() ? "" : table;
}

std::string Definitions::as_object(const std::vector<std::string>& columns, const std::string& source) {
    std::string text = "jsonb_build_object(";
    for (const std::string& column : columns)
        text += (text.back() == '(' ? "" : ", ") + quoted(column) + ", " + source + " -> " + quoted(column);
    return text + ")";
}

void Definitions::expect_no_rows(const char* oracle, const std::string& query) {
    const Told told = told_by(judge_.connection(), query);
    judge_.count();
    if (told.failed() || told.rows.size() > 1) judge_.finding(oracle, told.line(), {query});
}

void Definitions::compare_versions() {
    const Txn commit = any_commit();
    std::vector<std::string> columns;
    const std::string table = table_since(commit, commit, columns);
    if (table.empty()) return;
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + column;
    count("states compared by versions");
    const std::string query = "SELECT " + list + " FROM ONLY " + table;
    judge_.same_rows("versions", query + " AS OF " + number(commit),
                     query + " FOR SYSTEM_TIME ALL WHERE _commit_from <= " + number(commit) +
                         " AND (_commit_to IS NULL OR _commit_to > " + number(commit) + ")");
}

// Rows of the one state, less those that went, and those that came, less the rows of the other, are none.
void Definitions::compare_differences() {
    const Txn one = any_commit(), other = any_commit();
    std::vector<std::string> columns;
    const std::string table = table_since(one, other, columns);
    if (table.empty()) return;
    count("differences");
    const auto state = [&](Txn commit, const char* sign) {
        return "SELECT " + as_object(columns, "to_jsonb(t)") + " AS r, " + sign + "1 AS n FROM ONLY " + table +
               " FOR SYSTEM_TIME AS OF " + number(commit) + " t";
    };
    const std::string difference = " FROM diff('" + table + "', " + number(one) + ", " + number(other) + ")";
    expect_no_rows("differences",
                   "SELECT r, sum(n) FROM (" + state(one, "+") + " UNION ALL " + state(other, "-") +
                       " UNION ALL SELECT " + as_object(columns, "old") + ", -1" + difference +
                       " WHERE old IS NOT NULL UNION ALL SELECT " + as_object(columns, "new") + ", 1" + difference +
                       " WHERE new IS NOT NULL) x GROUP BY r HAVING sum(n) <> 0");
}

void Definitions::compare_changes() {
    const Txn since = any_commit();
    const Txn until = random_.chance(1, 2) ? pictures_.rbegin()->first : std::max(since, any_commit());
    std::vector<std::string> columns;
    const std::string table = table_since(since, until, columns);
    if (table.empty()) return;
    count("changes");
    const auto state = [&](Txn commit, const char* sign) {
        return "SELECT " + as_object(columns, "to_jsonb(t)") + " AS r, " + sign + "1 AS n FROM ONLY " + table +
               " FOR SYSTEM_TIME AS OF " + number(commit) + " t";
    };
    const std::string changes =
        " FROM changes('" + table + "', " + number(since) + ") WHERE txn <= " + number(until);
    expect_no_rows("changes", "SELECT r, sum(n) FROM (" + state(since, "+") + " UNION ALL " + state(until, "-") +
                                  " UNION ALL SELECT " + as_object(columns, "old") + ", -1" + changes +
                                  " AND old IS NOT NULL UNION ALL SELECT " + as_object(columns, "new") + ", 1" +
                                  changes + " AND new IS NOT NULL) x GROUP BY r HAVING sum(n) <> 0");
}

std::pair<std::string, std::string> Definitions::keyed_table() {
    std::vector<std::string> columns;
    const Txn now = pictures_.rbegin()->first;
    const std::string table = table_since(now, now, columns);
    if (table.empty()) return {};
    const std::vector<std::string> key =
        rows_of("SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) "
                "WHERE indisprimary AND indrelid = '" + table + "'::regclass");
    if (key.size() != 1) return {};
    return {table, key[0].substr(1, key[0].size() - 2)};
}

void Definitions::compare_history() {
    const auto [table, column] = keyed_table();
    if (table.empty()) return;
    const SqlResult rows = judge_.connection().execute("SELECT " + column + " FROM ONLY " + table);
    if (rows.rows.empty()) return;
    const std::string value = quoted(rows.rows[random_.below(rows.rows.size())][0].value_or("NULL"));
    count("histories");
    // The first version may be one that another type of the key made of an older one. Each version is told under the
    // columns that it had when it was made, so what is old is not compared.
    const std::string told = "SELECT txn, operation, new FROM ";
    const std::string behind = " WHERE txn > (SELECT min(txn) FROM history('" + table + "', " + value + "))";
    judge_.same_rows("history", told + "history('" + table + "', " + value + ")" + behind,
                     told + "changes('" + table + "', 0)" + behind +
                         " AND (SELECT string_agg(value, '') FROM jsonb_each_text(key)) = " + value);
}

void Definitions::compare_blame() {
    const auto [table, column] = keyed_table();
    if (table.empty()) return;
    const SqlResult rows = judge_.connection().execute("SELECT * FROM ONLY " + table);
    if (rows.rows.empty()) return;
    const std::vector<SqlValue>& row = rows.rows[random_.below(rows.rows.size())];
    std::string value, values;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string text = row[i] ? quoted(*row[i]) : "NULL";
        if (rows.columns[i].name == column) value = text;
        values += (i == 0 ? "(" : ", (") + quoted(rows.columns[i].name) + ", " + text + ")";
    }
    count("blames");
    judge_.same_rows("blame", "SELECT column_name, value FROM blame('" + table + "', " + value + ")",
                     "SELECT * FROM (VALUES " + values + ") v");
}

void Definitions::revert() {
    const Txn commit = any_commit();
    std::vector<std::string> columns;
    const std::string table = table_since(commit, commit, columns);
    if (table.empty()) return;
    const std::string statement = "REVERT TABLE " + table + " TO " + number(commit);
    const Told told = told_by(judge_.connection(), statement);
    judge_.count();
    if (told.failed()) {
        count("refused to revert");
        // Constraints and types of today are in its way.
        if (!told.state.starts_with("23") && !told.state.starts_with("22") && told.state != "42804")
            judge_.finding("revert", told.line(), {statement});
        return;
    }
    count("reverted");
    judge_.changed_alone(statement);
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + column;
    judge_.same_rows("revert", "SELECT " + list + " FROM ONLY " + table,
                     "SELECT " + list + " FROM ONLY " + table + " AS OF " + number(commit));
    take_picture();
}

}  // namespace northstar::hard
