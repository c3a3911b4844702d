// Time in SQL against a naive model that keeps every version, and what records of rows cannot show: notices,
// parameters, annotations of commits, bytes that are gone. The rest is in test/slt/own/time_*.test.
#include "northstar.hpp"
#include "os_support.hpp"
#include "sql/session/statement_text.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using Rows = std::vector<std::vector<northstar::SqlValue>>;

std::string state_of(northstar::SqlConnection& sql, const std::string& text) {
    try {
        sql.execute(text);
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "00000";
}

// ---- the model: the rows after every commit ----

struct ModelRow {
    int id = 0;
    int value = 0;
    int since = 0;
    int until = 0;
    auto operator<=>(const ModelRow&) const = default;
};

using ModelState = std::set<ModelRow>;

struct Model {
    std::map<northstar::Txn, ModelState> states;  // by the commit that made them
    ModelState now;

    const ModelState& at(northstar::Txn txn) const { return std::prev(states.upper_bound(txn))->second; }
    bool overlaps(int id, int since, int until) const {
        for (const ModelRow& row : now)
            if (row.id == id && row.since < until && since < row.until) return true;
        return false;
    }
    /// Cuts rows with the id to what lies outside [from, to); `inside` is called with what lies in it.
    template <class Inside>
    void portion(int id, int from, int to, Inside&& inside) {
        const ModelState before = now;
        for (const ModelRow& row : before) {
            if (row.id != id || row.since >= to || from >= row.until) continue;
            now.erase(row);
            if (row.since < from) now.insert({row.id, row.value, row.since, from});
            if (to < row.until) now.insert({row.id, row.value, to, row.until});
            inside(ModelRow{row.id, row.value, std::max(row.since, from), std::min(row.until, to)});
        }
    }
};

/// (id, since) names a row; a version lasts while the rest of it stays.
std::multiset<std::tuple<ModelRow, northstar::Txn, northstar::Txn>> versions_of(const Model& model, northstar::Txn from,
                                                                                northstar::Txn to) {
    std::multiset<std::tuple<ModelRow, northstar::Txn, northstar::Txn>> result;
    std::map<ModelRow, northstar::Txn> open;
    const auto add = [&](const ModelRow& row, northstar::Txn begin, northstar::Txn end) {
        if (begin <= to && (end == 0 || end > from)) result.insert({row, begin, end});
    };
    for (const auto& [txn, state] : model.states) {
        for (auto it = open.begin(); it != open.end();) {
            if (state.count(it->first) != 0) {
                ++it;
                continue;
            }
            add(it->first, it->second, txn);
            it = open.erase(it);
        }
        for (const ModelRow& row : state) open.emplace(row, txn);
    }
    for (const auto& [row, begin] : open) add(row, begin, 0);
    return result;
}

int number(const northstar::SqlValue& value) { return std::stoi(*value); }

}  // namespace

TEST_CASE("random changes read back at any commit and any moment as from a model that keeps everything", "[sql]") {
    const auto seed = GENERATE(11u, 12u, 13u);
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    Model model;
    model.states[0] = {};
    sql.execute("CREATE TABLE t (id int, v int, since int, until int, PERIOD FOR valid_time (since, until), "
                "PRIMARY KEY (id, valid_time WITHOUT OVERLAPS))");
    sql.execute("CREATE INDEX t_v ON t (v)");
    model.states[database.begin_read().txn()] = {};
    bool extra = false;
    for (int step = 1; step <= 120; ++step) {
        const int id = below(4), from = below(20), to = from + 1 + below(8);
        const std::string span = " FROM " + std::to_string(from) + " TO " + std::to_string(to);
        const std::string where = " WHERE id = " + std::to_string(id);
        std::string text;
        switch (below(7)) {
            case 0:
            case 1:
            case 2: {
                text = "INSERT INTO t (id, v, since, until) VALUES (" + std::to_string(id) + ", " +
                       std::to_string(step) + ", " + std::to_string(from) + ", " + std::to_string(to) + ")";
                if (model.overlaps(id, from, to)) {
                    CHECK(state_of(sql, text) == "23P01");
                    continue;
                }
                model.now.insert({id, step, from, to});
                break;
            }
            case 3:
                text = "UPDATE t FOR PORTION OF valid_time" + span + " SET v = " + std::to_string(step) + where;
                model.portion(id, from, to, [&](ModelRow row) {
                    row.value = step;
                    model.now.insert(row);
                });
                break;
            case 4:
                text = "DELETE FROM t FOR PORTION OF valid_time" + span + where;
                model.portion(id, from, to, [](const ModelRow&) {});
                break;
            case 5:
                text = "DELETE FROM t" + where + " AND since = " + std::to_string(from);
                std::erase_if(model.now, [&](const ModelRow& row) { return row.id == id && row.since == from; });
                break;
            default:
                text = extra ? "ALTER TABLE t DROP COLUMN extra" : "ALTER TABLE t ADD COLUMN extra int";
                extra = !extra;
        }
        INFO(text);
        sql.execute(text);
        model.states[database.begin_read().txn()] = model.now;
    }
    const northstar::Txn last = database.begin_read().txn();
    for (int question = 0; question < 150; ++question) {
        const auto txn = static_cast<northstar::Txn>(2 + below(static_cast<int>(last) - 1));
        const int moment = below(30);
        INFO("AS OF " << txn << " VALID AT " << moment);
        Rows expected;
        for (const ModelRow& row : model.at(txn))
            if (row.since <= moment && moment < row.until)
                expected.push_back({std::to_string(row.id), std::to_string(row.value)});
        CHECK(sql.execute("SELECT id, v FROM t ORDER BY id VALID AT $2 AS OF $1",
                          {std::to_string(txn), std::to_string(moment)}).rows == expected);
        std::size_t with_index = 0;
        const int value = 1 + below(120);
        for (const ModelRow& row : model.at(txn)) with_index += row.value == value ? 1 : 0;
        CHECK(sql.execute("SELECT count(*) FROM t WHERE v = $1 AS OF $2",
                          {std::to_string(value), std::to_string(txn)}).rows == Rows{{std::to_string(with_index)}});
    }
    for (int question = 0; question < 20; ++question) {
        const auto a = static_cast<northstar::Txn>(2 + below(static_cast<int>(last) - 1));
        const auto b = static_cast<northstar::Txn>(2 + below(static_cast<int>(last) - 1));
        INFO("between " << a << " and " << b);
        std::multiset<std::tuple<ModelRow, northstar::Txn, northstar::Txn>> found;
        for (const auto& row :
             sql.execute("SELECT id, v, since, until, _commit_from, coalesce(_commit_to, 0) FROM t "
                         "FOR SYSTEM_TIME BETWEEN " + std::to_string(a) + " AND " + std::to_string(b)).rows)
            found.insert({ModelRow{number(row[0]), number(row[1]), number(row[2]), number(row[3])},
                          static_cast<northstar::Txn>(number(row[4])), static_cast<northstar::Txn>(number(row[5]))});
        if (a <= b) CHECK(found == versions_of(model, a, b));
        else CHECK(found.empty());
        std::set<std::pair<int, int>> keys;
        for (const ModelRow& row : model.at(a))
            if (model.at(b).count(row) == 0) keys.insert({row.id, row.since});
        for (const ModelRow& row : model.at(b))
            if (model.at(a).count(row) == 0) keys.insert({row.id, row.since});
        CHECK(sql.execute("SELECT count(*) FROM diff('t', $1, $2)", {std::to_string(a), std::to_string(b)}).rows ==
              Rows{{std::to_string(keys.size())}});
    }
    // Taking a state back is a change like any other.
    const auto back = static_cast<northstar::Txn>(2 + below(static_cast<int>(last) - 1));
    INFO("REVERT TO " << back);
    sql.execute("REVERT TABLE t TO " + std::to_string(back));
    Rows expected;
    for (const ModelRow& row : model.at(back))
        expected.push_back({std::to_string(row.id), std::to_string(row.value), std::to_string(row.since)});
    CHECK(sql.execute("SELECT id, v, since FROM t ORDER BY id, v, since").rows == expected);
}

TEST_CASE("VALID AT on a table without valid time filters nothing and says so", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute("CREATE TABLE plain (a int)");
    sql.execute("INSERT INTO plain VALUES (1)");
    const northstar::SqlResult result = sql.execute("SELECT a FROM plain VALID AT 5");
    CHECK(result.rows == Rows{{"1"}});
    REQUIRE(result.notices.size() == 1);
    CHECK(result.notices[0] == "table \"plain\" has no valid time; all of its rows count");
    CHECK(sql.execute("SELECT a FROM plain FOR VALID_TIME ALL").notices.empty());
}

TEST_CASE("points of time may be parameters of a statement and of a block", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute("CREATE TABLE t (a int)");
    sql.execute("INSERT INTO t VALUES (1)");
    sql.execute("INSERT INTO t VALUES (2)");
    const std::string when = *sql.execute("SELECT committed_at FROM sys.commits WHERE txn = 3").rows[0][0];
    CHECK(sql.execute("SELECT count(*) FROM t AS OF TIMESTAMP $1", {when}).rows == Rows{{"2"}});
    CHECK(sql.execute("SELECT count(*) FROM t FOR SYSTEM_TIME AS OF $1", {"2"}).rows == Rows{{"1"}});
    CHECK(sql.execute("SELECT count(*) FROM changes('t', $1)", {"2"}).rows == Rows{{"1"}});
    CHECK(sql.execute("SELECT count(*) FROM t AS OF $1 - 1", {"3"}).rows == Rows{{"1"}});
}

TEST_CASE("author, reason and statement are annotations of the commit", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute("CREATE TABLE t (a text)");
    sql.execute("BEGIN WITH (author = 'ada', reason = 'first')");
    sql.execute("INSERT INTO t VALUES ('secret')");
    sql.execute("COMMIT WITH (reason = 'second')");
    const std::optional<northstar::CommitRecord> record = database.commit(2);
    REQUIRE(record);
    std::map<std::string, std::string> found;
    for (const auto& [key, value] : record->annotations) found[std::string(key)] = std::string(value);
    CHECK(found == std::map<std::string, std::string>{
                       {"author", "ada"}, {"reason", "second"}, {"statement", "INSERT INTO t VALUES (?)"}});
}

TEST_CASE("the text kept beside a commit has no literals", "[sql]") {
    const auto kept = [](const char* text) { return northstar::sql::statement_without_literals(text, 100); };
    CHECK(kept("INSERT INTO t1 VALUES (1, -2.5e-3, 'it''s', E'a\\'b', $$x$$, $tag$y$tag$, $1)") ==
          "INSERT INTO t1 VALUES (?, -?, ?, ?, ?, ?, $1)");
    CHECK(kept("SELECT /* a 'b' /* c */ */ \"Na'me 1\", x1\n -- 'end'\n FROM t;") == "SELECT \"Na'me 1\", x1 FROM t");
    CHECK(kept("SELECT X'ff', U&'\\0041', date '2024-01-01'") == "SELECT ?, ?, date ?");
    CHECK(kept("SELECT 'open") == "SELECT ?");
    CHECK(northstar::sql::statement_without_literals("SELECT \"\xc3\xa4\xc3\xa4\"", 9) == "SELECT \"");
}

TEST_CASE("ERASE leaves nothing of the rows' values in the file, and keeps the reason", "[sql]") {
    const northstar::test::TemporaryDirectory folder;
    const std::string path = folder / "people.db";
    const auto in_file = [&](const std::string& bytes) {
        std::ifstream file(path, std::ios::binary);
        const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        return content.find(bytes) != std::string::npos;
    };
    northstar::Database database = northstar::Database::open(path);
    northstar::SqlConnection sql(database);
    sql.execute("CREATE TABLE person (id int PRIMARY KEY, badge int UNIQUE, story text)");
    sql.execute("INSERT INTO person VALUES (1, 10, 'first-secret-story'), (2, 20, 'kept-story')");
    sql.execute("UPDATE person SET story = 'second-secret-story' WHERE id = 1");
    database.checkpoint();
    CHECK(in_file("second-secret-story"));
    CHECK(state_of(sql, "BEGIN") == "00000");
    CHECK(state_of(sql, "ERASE FROM person WHERE id = 1") == "25001");
    sql.execute("ROLLBACK");
    const northstar::SqlResult erased = sql.execute("ERASE FROM person WHERE id = 1 REASON 'asked to be forgotten'");
    CHECK(erased.tag == "ERASE 1");
    CHECK(erased.notices == std::vector<std::string>{"values of keys and indexes stay in the log: id, badge"});
    CHECK_FALSE(in_file("first-secret-story"));
    CHECK_FALSE(in_file("second-secret-story"));
    CHECK(in_file("kept-story"));
    CHECK(sql.execute("SELECT operation FROM history('person', 1) WHERE operation <> 'delete'").rows ==
          Rows{{"erased"}, {"erased"}});
    CHECK(sql.execute("SELECT count(*) FROM sys.commits WHERE reason = 'asked to be forgotten'").rows[0][0] != "0");
    CHECK(sql.execute("SELECT id FROM person WHERE badge = 20").rows == Rows{{"2"}});
    sql.execute("INSERT INTO person VALUES (1, 10, 'new')");
    CHECK(sql.execute("SELECT story FROM person WHERE badge = 10").rows == Rows{{"new"}});
    CHECK(database.verify().ok());
}

TEST_CASE("a past state does not show rows that were erased from it", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute("CREATE TABLE person (id int PRIMARY KEY, badge int UNIQUE, story text)");
    sql.execute("INSERT INTO person VALUES (1, 10, 'secret'), (2, 20, 'kept'), (3, 30, 'kept as well')");
    sql.execute("ERASE FROM person WHERE id = 1 REASON 'asked to be forgotten'");
    const auto past = [&](const std::string& query) { return sql.execute(query + " AS OF 2").rows; };
    CHECK(past("SELECT * FROM person ORDER BY id") == Rows{{"2", "20", "kept"}, {"3", "30", "kept as well"}});
    CHECK(past("SELECT count(*) FROM person") == Rows{{"2"}});
    CHECK(past("SELECT story FROM person WHERE id = 1").empty());
    CHECK(past("SELECT story FROM person WHERE id < 3") == Rows{{"kept"}});
    CHECK(past("SELECT story FROM person WHERE badge = 10").empty());
    CHECK(past("SELECT badge FROM person WHERE badge BETWEEN 1 AND 25") == Rows{{"20"}});
    CHECK(past("SELECT id FROM person ORDER BY id DESC") == Rows{{"3"}, {"2"}});
    CHECK(sql.execute("SELECT operation FROM diff('person', 2, 3)").rows.empty());
}

TEST_CASE("the numbers of the documents are those of the database", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    CHECK(sql.execute("CREATE TABLE events (pk TEXT PRIMARY KEY)").txn == 1);
    const std::string insert = "INSERT INTO events (pk, doc) VALUES ";
    CHECK(sql.execute(insert + "('evt-1', '{\"type\":\"signup\",\"user\":\"alice\"}');").txn == 2);
    CHECK(sql.execute(insert + "('evt-2', '{\"type\":\"purchase\",\"user\":\"bob\"}');").txn == 3);
    CHECK(sql.execute("SELECT doc FROM events WHERE pk='evt-1' AS OF 1;").rows.empty());
    CHECK(sql.execute("SELECT doc FROM events WHERE pk='evt-1' AS OF 2;").rows.size() == 1);
    CHECK(sql.execute("SELECT doc FROM events VALID AT 1000;").rows ==
          Rows{{"{\"type\": \"signup\", \"user\": \"alice\"}"}, {"{\"type\": \"purchase\", \"user\": \"bob\"}"}});
    CHECK(database.begin_read().txn() == 3);
}
