// Plans that are kept for shapes of texts, reads from entries of an index, and AS OF in plans that are kept.
#include "northstar.hpp"
#include "skip.hpp"
#include "slt/file.hpp"
#include "sql/error.hpp"
#include "sql/syntax/lexer.hpp"
#include "sql/syntax/statement_shape.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using northstar::sql::LiteralClass;
using northstar::sql::StatementShape;

std::vector<std::string> slt_files(const fs::path& folder) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".test") files.push_back(entry.path().generic_string());
    std::sort(files.begin(), files.end());
    return files;
}

std::string key_of(const std::string& text) {
    StatementShape shape;
    return read_shape(text, shape) ? shape.key : std::string();
}

/// The text with other literals of the same classes.
std::string with_other_literals(const std::string& text, const StatementShape& shape) {
    std::string out;
    std::size_t copied = 0;
    for (const auto& literal : shape.literals) {
        out += text.substr(copied, literal.begin - copied);
        copied = literal.end;
        std::string value(literal.text);
        const std::size_t digit = value.find_last_of("0123456789");
        switch (literal.kind) {
            case LiteralClass::medium:
            case LiteralClass::large: out += std::to_string(literal.number ^ 1); break;
            case LiteralClass::decimal:
                value[digit] = value[digit] == '1' ? '2' : '1';
                out += value;
                break;
            case LiteralClass::string:
                if (digit == std::string::npos) value += "z";
                else value[digit] = value[digit] == '1' ? '2' : '1';
                out += "'" + value + "'";
                break;
        }
    }
    return out + text.substr(copied);
}

/// Everything that a text answers, as one string.
std::string answer(northstar::SqlConnection& sql, const std::string& text, bool ordered) {
    try {
        const northstar::SqlResult result = sql.execute(text);
        std::string out = result.tag + "\n";
        for (const auto& column : result.columns) out += column.name + ":" + column.type + "|";
        std::vector<std::string> rows;
        for (const auto& row : result.rows) {
            rows.emplace_back();
            for (const auto& value : row) rows.back() += value ? *value + "|" : std::string("NULL|");
        }
        if (!ordered) std::sort(rows.begin(), rows.end());
        for (const std::string& row : rows) out += "\n" + row;
        for (const std::string& notice : result.notices) out += "\nnotice: " + notice;
        return out;
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate + " at " + std::to_string(failure.position) + ": " + failure.what() + failure.detail +
               failure.hint;
    }
}

/// Answers that differ from run to run whatever the plan is.
bool is_of_the_moment(const std::string& text) {
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    for (const char* const word : {"random", "now", "clock_timestamp", "current_time", "current_date", "localtime",
                                   "statement_timestamp", "transaction_timestamp", "timeofday", "today", "yesterday",
                                   "tomorrow", "uuid", "explain", "ctid", "txid", "committed_at", "tablesample",
                                   "plan_cache_mode", "pg_settings", "show all", "system_from", "age("})
        if (lower.find(word) != std::string::npos) return true;
    return false;
}

struct Connected {
    northstar::Database database;
    northstar::SqlConnection sql;
    Connected() : database(northstar::Database::open(":memory:", without_threads())), sql(database) {}
    static northstar::Options without_threads() {
        northstar::Options options;
        options.background = false;
        return options;
    }
};

/// With other literals it may never end.
bool may_run_away(const std::string& text) {
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return lower.find("recursive") != std::string::npos;
}

/// Runs a file's statements twice: each planned by itself; and from plans of their shapes, made for other literals.
void run_both_ways(const std::string& file, const std::string& setup, std::size_t& compared) {
    Connected plain, shaped;
    std::vector<slt::Record> records;
    if (!setup.empty()) records = slt::read_file(setup);
    for (slt::Record& record : slt::read_file(file)) records.push_back(std::move(record));
    plain.sql.execute("SET plan_cache_mode = force_custom_plan");
    shaped.sql.execute("SET plan_cache_mode = force_generic_plan");
    for (const slt::Record& record : records) {
        StatementShape shape;
        const bool reads = record.query && !shaped.sql.in_transaction() && !is_of_the_moment(record.sql) &&
                           !may_run_away(record.sql);
        if (reads && read_shape(record.sql, shape)) {
            // Both move the sequences that the other literals may move.
            const std::string other = with_other_literals(record.sql, shape);
            const std::string by_shape = answer(shaped.sql, other, false);
            INFO(file << ":" << record.line << ": " << other);
            CHECK(by_shape == answer(plain.sql, other, false));
        }
        const bool ordered = record.query && record.sort == slt::Sort::none;
        const std::string by_shape = answer(shaped.sql, record.sql, ordered);
        const std::string by_itself = answer(plain.sql, record.sql, ordered);
        if (is_of_the_moment(record.sql)) continue;
        INFO(file << ":" << record.line << ": " << record.sql);
        CHECK(by_shape == by_itself);
        ++compared;
    }
}

struct Fixture : Connected {
    Fixture() {
        sql.execute_script("CREATE TABLE t (id bigint PRIMARY KEY, n integer, small smallint, s text, v varchar(3), "
                           "d numeric(8,2));"
                           "CREATE INDEX t_n ON t (n DESC, s);"
                           "CREATE INDEX t_d ON t (d);"
                           "INSERT INTO t VALUES (1, 10, 1, 'one', 'a', 1.25), (2, NULL, 2, NULL, NULL, NULL), "
                           "(3, 10, 3, E'it''s', 'c', 3.50), (100000, -7, 4, '', 'd', 4.00)");
    }
    std::string only(const std::string& text) {
        const auto result = sql.execute(text);
        return result.rows.empty() ? "nothing" : result.rows.at(0).at(0).value_or("NULL");
    }
    std::string plan_of(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute("EXPLAIN (COSTS OFF) " + text).rows) out += row.at(0).value_or("") + "\n";
        return out;
    }
    /// Every row of a query, values apart by commas.
    std::string rows(const std::string& text) {
        std::string out;
        for (const auto& row : sql.execute(text).rows) {
            for (const auto& value : row) out += value.value_or("NULL") + ",";
            out += ";";
        }
        return out;
    }
};

}  // namespace

// ---- shapes ----

TEST_CASE("texts that differ in their literals alone have one shape", "[sql][SHAPE-1]") {
    CHECK(key_of("SELECT a FROM t WHERE b = 1 AND c = 'x'") == key_of("SELECT a FROM t WHERE b = 99 AND c = 'it''s'"));
    CHECK(key_of("SELECT a FROM t WHERE b IN (1, 40000)") == key_of("SELECT a FROM t WHERE b IN (2147483647, 32768)"));
    CHECK(key_of("SELECT a1 FROM t WHERE b = 1.5") == key_of("SELECT a1 FROM t WHERE b = 1e10"));
    CHECK_FALSE(key_of("SELECT 1;").empty());
    CHECK(key_of("SELECT 1 /* a */ -- 'b\n") == key_of("SELECT 2  /* it's /* 3 */ */ "));
    CHECK(key_of("SELECT 1; --a") == key_of("SELECT 2;"));
    CHECK(key_of("/* f */ SELECT 1 -- 7\n + 5") == key_of("/* f */ SELECT 2 -- 7\n + 6"));
    CHECK(key_of("SELECT 1 -- 7\n + 5") != key_of("SELECT 1 -- 8\n + 5"));
}

TEST_CASE("literals that have another type make another shape", "[sql][SHAPE-1]") {
    const std::vector<std::string> literals = {"1", "3000000000", "1.5", "'1'", "NULL", "true", "$1"};
    for (const std::string& a : literals)
        for (const std::string& b : literals)
            if (a != b) CHECK((key_of("SELECT " + a).empty() || key_of("SELECT " + a) != key_of("SELECT " + b)));
    CHECK(key_of("SELECT a1") != key_of("SELECT a 1"));
}

TEST_CASE("texts whose literals cannot be told at a glance have no shape", "[sql][SHAPE-1]") {
    for (const char* const text :
         {"SELECT E'a'", "SELECT b'1'", "SELECT U&'a'", "SELECT U&\"a\", 1", "SELECT $$a$$, 1", "SELECT $1, 1",
          "SELECT 1 /* one", "SELECT 1 /* /* one */", "SELECT 1; SELECT 2", "SELECT 1; -- one\n2", "SELECT 'open",
          "SELECT \"open 1", "SELECT 1a", "SELECT 2147483648", "SELECT 12345678901234567890", "SELECT a",
          "SELECT \x01, 1"})
        CHECK(key_of(text).empty());
}

TEST_CASE("the literals of a shape are those that the lexer reads", "[sql][SHAPE-1]") {
    std::size_t seen = 0;
    for (const std::string& file : slt_files("test/slt/own"))
        for (const slt::Record& record : slt::read_file(file)) {
            StatementShape shape;
            if (!read_shape(record.sql, shape)) continue;
            northstar::sql::Arena arena;
            std::vector<std::string> read, lexed;
            for (const auto& literal : shape.literals) read.emplace_back(literal.value(arena));
            try {
                for (const auto& token : northstar::sql::lex(record.sql, arena))
                    if (token.literal != 0) lexed.emplace_back(token.text);
            } catch (const northstar::sql::SqlError&) {
                continue;
            }
            INFO(record.sql);
            CHECK(read == lexed);
            ++seen;
        }
    CHECK(seen > 100);
}

TEST_CASE("a statement answers the same from the plan of its shape as by itself", "[sql][SHAPES-1][LITERAL-1]") {
    std::size_t compared = 0;
    for (const std::string& file : slt_files("test/slt/own")) run_both_ways(file, {}, compared);
    CHECK(compared > 300);
}

TEST_CASE("shared statements answer the same from plans of their shapes", "[sql][slow][SHAPES-1][LITERAL-1]") {
    if (!fs::exists("../shared/sql-cases")) NORTHSTAR_SKIP("../shared/sql-cases is not here");
    std::size_t compared = 0;
    for (const std::string& file : slt_files("../shared/sql-cases")) {
        const fs::path setup = fs::path(file).parent_path() / "_setup.test";
        if (fs::path(file).filename() == "_setup.test") continue;
        run_both_ways(file, fs::exists(setup) ? setup.generic_string() : std::string(), compared);
    }
    CHECK(compared > 1000);
}

TEST_CASE("literals of a text take the place of those its plan was made for", "[sql][SHAPES-1]") {
    Fixture f;
    const auto check = [&](const std::string& before, const std::string& behind,
                           const std::vector<std::pair<std::string, std::string>>& cases) {
        for (int round = 0; round < 3; ++round)
            for (const auto& [literal, expected] : cases) {
                INFO(before << literal << behind);
                CHECK(f.only(before + literal + behind) == expected);
            }
    };
    check("SELECT s FROM t WHERE id = ", "", {{"1", "one"}, {"3", "it's"}, {"100000", ""}, {"4", "nothing"},
                                             {"5000000000", "nothing"}, {"-1", "nothing"}});
    check("SELECT id FROM t WHERE small = ", "", {{"1", "1"}, {"3", "3"}, {"70000", "nothing"}});
    check("SELECT pg_typeof(small + ", ") FROM t WHERE id = 1", {{"1", "integer"}, {"32768", "integer"}});
    check("SELECT count(*) FROM t WHERE n > ", "",
          {{"-8", "3"}, {"10", "0"}, {"-3000000000", "3"}, {"3000000000", "0"}});
    check("SELECT id FROM t WHERE s = ", "", {{"'one'", "1"}, {"'it''s'", "3"}, {"''", "100000"}});
    check("SELECT pg_typeof(", ")",
          {{"1", "integer"}, {"3000000000", "bigint"}, {"1.0", "numeric"}, {"'1'", "unknown"}});
    check("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET ", "",
          {{"0", "1"}, {"1", "2"}, {"3", "100000"}, {"3000000000", "nothing"}});
    check("SELECT id FROM t ORDER BY id OFFSET 1 LIMIT ", "", {{"1", "2"}, {"0", "nothing"}});
    check("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET '", "'", {{"0", "1"}, {"2", "3"}});
    check("SELECT id FROM t WHERE n IN (", ", 77) ORDER BY id", {{"10", "1"}, {"-7", "100000"}, {"11", "nothing"}});
    check("SELECT ", "::numeric(4,1)", {{"1.25", "1.3"}, {"2", "2.0"}, {"17.55", "17.6"}});
    check("SELECT '", "'::varchar(2)", {{"abc", "ab"}, {"z", "z"}});
    check("SELECT percentile_disc(", ") WITHIN GROUP (ORDER BY id) FROM t",
          {{"0.0", "1"}, {"0.5", "2"}, {"1.0", "100000"}});
    check("SELECT 1 FROM t WHERE n = ", " GROUP BY 1", {{"10", "1"}, {"11", "nothing"}});
}

TEST_CASE("a literal that cannot be read is refused where it stands", "[sql][SHAPES-1]") {
    Fixture f;
    const auto failure = [&](const std::string& text) { return answer(f.sql, text, true); };
    f.only("SELECT '1'::integer + 1");
    f.only("SELECT '22'::integer + 2");
    CHECK(failure("SELECT 'many'::integer + 1").starts_with("22P02 at 8: "));
    CHECK(failure("SELECT '3000000000'::integer + 1").starts_with("22003 at 8: "));
    f.only("SELECT 5::smallint + 1");
    f.only("SELECT 6::smallint + 2");
    CHECK(failure("SELECT 40000::smallint + 1").starts_with("22003"));
    f.only("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET 1");
    f.only("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET 2");
    CHECK(failure("SELECT id FROM t ORDER BY id LIMIT 1 OFFSET -1").starts_with("2201X"));
    f.sql.execute("UPDATE t SET v = 'x' WHERE id = 1");
    f.sql.execute("UPDATE t SET v = 'y' WHERE id = 2");
    CHECK(failure("UPDATE t SET v = 'four' WHERE id = 1").starts_with("22001 "));
    CHECK(f.only("SELECT v FROM t WHERE id = 1") == "x");
}

TEST_CASE("a plan of a shape follows schema, settings and the present time", "[sql][SHAPES-1]") {
    Fixture f;
    for (const char* const key : {"1", "2", "3"}) f.only("SELECT * FROM t WHERE id = " + std::string(key));
    f.sql.execute("ALTER TABLE t ADD COLUMN more integer DEFAULT 5");
    CHECK(f.sql.execute("SELECT * FROM t WHERE id = 3").columns.size() == 7);
    for (const char* const date : {"01/02/2024", "03/04/2024"}) f.only("SELECT '" + std::string(date) + "'::date");
    f.sql.execute("SET datestyle = 'ISO, DMY'");
    CHECK(f.only("SELECT '05/06/2024'::date") == "2024-06-05");
    CHECK(f.only("SELECT 'now'::timestamptz > '2024-01-01'::timestamptz") == "t");
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE t SET n = 55 WHERE id = 2");
    CHECK(f.only("SELECT n FROM t WHERE id = 2") == "55");
    f.sql.execute("ROLLBACK");
    CHECK(f.only("SELECT n FROM t WHERE id = 1") == "10");
    CHECK(f.only("SELECT n FROM t WHERE id = 2") == "NULL");
    f.sql.execute("DROP TABLE t");
    CHECK(answer(f.sql, "SELECT n FROM t WHERE id = 3", true).starts_with("42P01"));
}

// ---- entries of an index ----

TEST_CASE("columns that an index has are read from its entries", "[sql][ENTRIES-1]") {
    Fixture f;
    const std::string text = "SELECT s, n, id FROM t WHERE n = 10 ORDER BY s";
    CHECK(f.plan_of(text).find("Index Only Scan using t_n on t") != std::string::npos);
    CHECK(f.rows(text) == "it's,10,3,;one,10,1,;");
    CHECK(f.rows("SELECT n, id FROM t WHERE n < 10") == "-7,100000,;");
    CHECK(f.rows("SELECT n, s, id, n FROM t ORDER BY n DESC, s LIMIT 10") ==
          "NULL,NULL,2,NULL,;10,it's,3,10,;10,one,1,10,;-7,,100000,-7,;");
    CHECK(f.rows("SELECT n, id FROM t ORDER BY n, s DESC NULLS FIRST LIMIT 2") == "-7,100000,;10,1,;");
}

TEST_CASE("entries are enough for a large range where nothing but the range needs what they do not have exactly",
          "[sql][ENTRIES-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE sums (id int PRIMARY KEY, state text, total double precision, note text);"
                         "INSERT INTO sums SELECT i, 's' || i % 3, i / 4.0, 'n' FROM generate_series(1, 6000) AS g(i);"
                         "CREATE INDEX sums_total ON sums (total);"
                         "CREATE INDEX sums_state ON sums (state, total)");
    const auto is_read_alone = [&](const std::string& text) {
        return f.plan_of(text).find("Index Only") != std::string::npos;
    };
    const std::string range = " FROM sums WHERE total > 500";
    CHECK(is_read_alone("SELECT count(*)" + range));
    CHECK(f.rows("SELECT count(*)" + range) == "4000,;");
    CHECK(is_read_alone("SELECT sum(id), count(id)" + range));
    CHECK(f.rows("SELECT sum(id), count(id)" + range) == "16002000,4000,;");
    // What is asked for is not in entries, and so many rows are not fetched one by one.
    for (const std::string what : {"max(note)", "max(total + 1)", "count(*) FILTER (WHERE total > 700)"}) {
        CAPTURE(what);
        CHECK(f.plan_of("SELECT " + what + range).find("Seq Scan") != std::string::npos);
    }
    CHECK(f.rows("SELECT max(total + 1), count(*) FILTER (WHERE total > 700), max(note)" + range) == "1501,3200,n,;");
    CHECK(f.rows("SELECT count(*)" + range + " AND note > 'm'") == "4000,;");
    f.sql.execute("DROP INDEX sums_total");
    CHECK(is_read_alone("SELECT count(*) FROM sums WHERE total > 1200"));
    CHECK(f.rows("SELECT count(*) FROM sums WHERE total > 1200") == "1200,;");
    CHECK(f.plan_of("SELECT max(total + 1) FROM sums WHERE total > 1200").find("Seq Scan") != std::string::npos);
    CHECK(f.rows("SELECT max(total + 1) FROM sums WHERE total > 1200") == "1501,;");
}

TEST_CASE("an index of expressions is read alone where nothing but its first columns and the row's key is asked for",
          "[sql][ENTRIES-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE mails (id int PRIMARY KEY, state text, mail text);"
                         "INSERT INTO mails SELECT i, CASE WHEN i % 2 = 0 THEN 'new' ELSE 'read' END, 'Mail-' || i "
                         "FROM generate_series(1, 3000) AS g(i);"
                         "CREATE INDEX mails_mail ON mails (lower(mail));"
                         "CREATE INDEX mails_state ON mails (state, upper(mail), mail)");
    const auto is_read_alone = [&](const std::string& text) {
        return f.plan_of(text).find("Index Only Scan") != std::string::npos;
    };
    const std::string by_mail = "SELECT id FROM mails WHERE lower(mail) = 'mail-7'";
    CHECK(is_read_alone(by_mail));
    CHECK(f.rows(by_mail) == "7,;");
    CHECK(f.rows("SELECT count(*), min(id) FROM mails WHERE lower(mail) BETWEEN 'mail-29' AND 'mail-3'") == "112,3,;");
    const std::string of_state = "SELECT state, id FROM mails WHERE state = 'new' AND upper(mail) = 'MAIL-10'";
    CHECK(is_read_alone(of_state));
    CHECK(f.rows(of_state) == "new,10,;");
    // What lies behind an expression is not stepped to, and what an expression is made from is not in it.
    const std::string behind = "SELECT mail, id FROM mails WHERE state = 'new' AND upper(mail) = 'MAIL-10'";
    CHECK_FALSE(is_read_alone(behind));
    CHECK(f.rows(behind) == "Mail-10,10,;");
    CHECK_FALSE(is_read_alone(by_mail + " AND mail <> 'x'"));
    CHECK(f.rows(by_mail + " AND mail <> 'Mail-7'").empty());
}

TEST_CASE("columns that an index does not give back exactly are read from the row", "[sql][ENTRIES-1]") {
    Fixture f;
    CHECK(f.plan_of("SELECT d FROM t WHERE d = 3.5").find("Index Scan using t_d") != std::string::npos);
    CHECK(f.only("SELECT d FROM t WHERE d = 3.5") == "3.50");
    CHECK(f.plan_of("SELECT v, n FROM t WHERE n = -7").find("Index Scan using t_n") != std::string::npos);
}

TEST_CASE("columns of the primary key are read from the values of entries", "[sql][ENTRIES-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE two (a text, b int, c int, PRIMARY KEY (b, a)); CREATE INDEX two_c ON two "
                         "(c, a); CREATE UNIQUE INDEX two_u ON two (c, b);"
                         "INSERT INTO two SELECT 'a' || i % 50, i, i / 3 FROM generate_series(1, 3000) AS g(i)");
    const std::vector<std::string> blocks = {"", "BEGIN"};
    for (const std::string& block : blocks) {
        if (!block.empty()) f.sql.execute(block);
        for (const std::string& condition : {std::string("c = 7"), std::string("c >= 7 AND c < 8")}) {
            const std::string text = "SELECT a, b, a FROM two WHERE " + condition + " ORDER BY c, a";
            CHECK(f.plan_of(text).find("Index Only Scan using two_c") != std::string::npos);
            CHECK(f.rows(text) == "a21,21,a21,;a22,22,a22,;a23,23,a23,;");
        }
        CHECK(f.rows("SELECT count(*), min(b), max(b) FROM two WHERE c >= 10 AND c <= 900") == "2673,30,2702,;");
        CHECK(f.rows("SELECT sum(b) FROM (SELECT b FROM two WHERE c >= 100 ORDER BY c LIMIT 2001) AS x") ==
              "2601300,;");
        CHECK(f.rows("SELECT count(*), min(s), max(id) FROM t WHERE id >= 1 AND id < 4") == "3,it's,3,;");
        // Written meanwhile by the same block: what comes behind is read from the newest state.
        if (!block.empty()) f.sql.execute("DELETE FROM two WHERE c >= 500");
    }
    CHECK(f.rows("SELECT count(*), max(b) FROM two WHERE c >= 10") == "1470,1499,;");
    CHECK(f.rows("SELECT max(b) FROM two WHERE c > 400 AND c < 450") == "1349,;");
    f.sql.execute("ROLLBACK");
}

TEST_CASE("entries are read as a transaction and as the past see them", "[sql][ENTRIES-1]") {
    Fixture f;
    const std::string text = "SELECT id FROM t WHERE n = 10";
    f.sql.execute("BEGIN");
    f.sql.execute("UPDATE t SET n = 11 WHERE id = 1");
    CHECK(f.rows(text) == "3,;");
    CHECK(f.rows("SELECT id, n FROM t WHERE n = 11") == "1,11,;");
    const northstar::SqlResult done = f.sql.execute("COMMIT");
    CHECK(f.rows(text) == "3,;");
    CHECK(f.rows(text + " ORDER BY s AS OF " + std::to_string(done.txn - 1)) == "3,;1,;");
}

TEST_CASE("integers of another width find their rows through an index", "[sql][RANGE-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE wide (k bigint); INSERT INTO wide VALUES (10), (-7), (5000000000), (NULL)");
    CHECK(f.plan_of("SELECT s FROM t WHERE n = 10::bigint").find("Index Only Scan using t_n") != std::string::npos);
    CHECK(f.rows("SELECT s FROM t WHERE n = 10::bigint") == "it's,;one,;");
    CHECK(f.rows("SELECT count(*) FROM t WHERE n < 5000000000") == "3,;");
    CHECK(f.rows("SELECT count(*) FROM t WHERE n > 5000000000") == "0,;");
    CHECK(f.rows("SELECT count(*) FROM t WHERE n >= -5000000000") == "3,;");
    CHECK(f.rows("SELECT count(*) FROM t WHERE n = 5000000000") == "0,;");
    CHECK(f.rows("SELECT k, count(id) FROM wide LEFT JOIN t ON n = k GROUP BY k ORDER BY k") ==
          "-7,1,;10,2,;5000000000,0,;NULL,0,;");
}

// ---- subqueries that aggregate ----

TEST_CASE("an aggregate of rows that belong to outer ones is computed for all keys at once where that is less",
          "[sql][GROUPED-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE big (id int PRIMARY KEY, k int, x int);"
                         "INSERT INTO big SELECT i, i % 300, i * 7919 % 1000 FROM generate_series(1, 3000) AS g(i)");
    const auto grouped = [&](const std::string& text) {
        return f.plan_of(text).find("HashAggregate") != std::string::npos;
    };
    const std::string least = "SELECT count(*) FROM big a WHERE x = (SELECT min(x) FROM big b WHERE b.k = a.k)";
    CHECK(grouped(least));
    CHECK(f.plan_of(least).find("Left") == std::string::npos);
    CHECK(f.only(least) == "300");
    const std::string counted = "SELECT count(*) FROM big a WHERE (SELECT count(*) FROM big b WHERE b.k = a.id) = 0";
    CHECK(f.plan_of(counted).find("Hash Left Join") != std::string::npos);
    CHECK(f.only(counted) == "2701");
    // Few rows ask: each looks its own rows up.
    f.sql.execute("CREATE INDEX big_k ON big (k)");
    CHECK_FALSE(grouped(least + " AND a.id = 5"));
    CHECK(grouped(least));
    CHECK(f.only(least) == "300");
    // What may fail, differs from run to run, or has no equality stays as it is.
    for (const char* const query : {"SELECT min(1 / x) FROM big b WHERE b.k = a.k",
                                    "SELECT min(x) FROM big b WHERE b.k < a.k",
                                    "SELECT min(x) FROM big b WHERE b.k = a.k AND b.x <> a.x",
                                    "SELECT min(x + random()) FROM big b WHERE b.k = a.k",
                                    "SELECT min(x) FROM big b WHERE b.k = a.k LIMIT 1",
                                    "SELECT min(x) FROM big b WHERE b.k = a.k HAVING count(*) > 1",
                                    "SELECT min(x + a.id) FROM big b WHERE b.k = a.k"})
        CHECK_FALSE(grouped("SELECT count(*) FROM big a WHERE x = (" + std::string(query) + ")"));
}

TEST_CASE("what a subquery says of all rows at once is looked up in an index", "[sql][RANGE-1]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE log (id int PRIMARY KEY, at int, x int); CREATE INDEX log_at ON log (at);"
                         "INSERT INTO log SELECT i, i / 3, i % 7 FROM generate_series(1, 3000) AS g(i)");
    const auto uses = [&](const std::string& text) {
        return f.plan_of(text).find("Index Cond: (") != std::string::npos;
    };
    CHECK(uses("SELECT x FROM log WHERE id = (SELECT max(x) FROM log)"));
    CHECK(f.rows("SELECT id, x FROM log WHERE id = (SELECT max(id) FROM log)") == "3000,4,;");
    CHECK(f.rows("SELECT id FROM log WHERE at = (SELECT max(at) FROM log) OR id = (SELECT min(id) FROM log) "
                 "ORDER BY id") == "1,;3000,;");
    CHECK(f.rows("SELECT count(*) FROM log WHERE at > (SELECT avg(at)::int FROM log)") == "1498,;");
    CHECK(f.rows("UPDATE log SET x = 9 WHERE id = (SELECT max(id) FROM log) RETURNING id, x") == "3000,9,;");
    CHECK(f.rows("SELECT id FROM log WHERE id = (SELECT x FROM log WHERE x > 100)") == "");
    CHECK_THROWS_AS(f.sql.execute("SELECT id FROM log WHERE id = (SELECT x FROM log)"), northstar::SqlFailure);
    // What differs from row to row, or from call to call, is asked of each.
    CHECK_FALSE(uses("SELECT x FROM log a WHERE id = (SELECT max(b.x) FROM log b WHERE b.x < a.x + 1)"));
    CHECK_FALSE(uses("SELECT x FROM log WHERE id = (SELECT (random() * 10)::int)"));
    // A kept statement asks again each time it runs.
    northstar::SqlStatement newest = f.sql.prepare("SELECT id FROM log WHERE id = (SELECT max(id) FROM log)");
    const auto answer = [&] {
        newest.reset();
        return newest.step() ? std::string(newest.text(0)) : std::string();
    };
    CHECK(answer() == "3000");
    f.sql.execute("INSERT INTO log VALUES (4000, 1, 1)");
    CHECK(answer() == "4000");
}

// ---- sizes and orders of joins ----

TEST_CASE("joins begin where little is read, and know what a key refers to", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TABLE region (r int PRIMARY KEY, name text); CREATE TABLE nation (n int PRIMARY KEY, r int);"
        "CREATE TABLE seller (s int PRIMARY KEY, n int); CREATE TABLE part (p int PRIMARY KEY, kind text, size int);"
        "CREATE TABLE offer (p int, s int, cost int, PRIMARY KEY (p, s));"
        "INSERT INTO region SELECT i, 'r' || i FROM generate_series(1, 5) AS g(i);"
        "INSERT INTO nation SELECT i, i % 5 + 1 FROM generate_series(1, 25) AS g(i);"
        "INSERT INTO seller SELECT i, i % 25 + 1 FROM generate_series(1, 500) AS g(i);"
        "INSERT INTO part SELECT i, 'k' || i % 50, i % 40 FROM generate_series(1, 4000) AS g(i);"
        "INSERT INTO offer SELECT i % 4000 + 1, i % 499 + 1, i % 97 FROM generate_series(1, 16000) AS g(i)");
    const auto rows_of = [&](const std::string& text) {
        return f.sql.execute("EXPLAIN " + text).rows.at(0).at(0).value_or("");
    };
    CHECK(rows_of("SELECT * FROM nation JOIN region ON nation.r = region.r").find("(rows=25)") != std::string::npos);
    CHECK(rows_of("SELECT s FROM seller WHERE n > 5 AND n < 8").find("(rows=25)") != std::string::npos);
    CHECK(rows_of("SELECT s FROM seller WHERE n > 5 AND s < 8").find("(rows=25)") == std::string::npos);
    CHECK(rows_of("SELECT * FROM offer WHERE EXISTS (SELECT 1 FROM seller, nation WHERE seller.s = offer.s AND "
                  "seller.n = nation.n)").find("(rows=8000)") != std::string::npos);
    // The smallest table leads to all offers of many sellers, few parts to few offers.
    const std::string query =
        "SELECT count(*), sum(cost) FROM part, seller, offer, nation, region WHERE part.p = offer.p AND "
        "seller.s = offer.s AND size = 15 AND kind LIKE '%5' AND seller.n = nation.n AND nation.r = region.r AND "
        "name = 'r2'";
    CHECK(f.plan_of(query).find("Index Scan using offer_pkey on offer") != std::string::npos);
    CHECK(f.rows(query) == "87,4140,;");
}

TEST_CASE("what is equal to a column of one value has that value", "[sql]") {
    Fixture f;
    f.sql.execute_script(
        "CREATE TABLE a (id int PRIMARY KEY, k int, big bigint, n numeric, s text, v varchar(9), d double precision);"
        "INSERT INTO a SELECT i, nullif(i % 50, 7), i % 40, (i % 30)::numeric(9, 2), 's' || i % 20, 's' || i % 25,"
        " CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN -0.0 ELSE i % 3 END FROM generate_series(1, 600) AS g(i);"
        "CREATE TABLE b AS SELECT id + 300 AS id, k, big, n * 1.000 AS n, s, v, -d AS d FROM a;"
        "CREATE INDEX b_k ON b (k); CREATE INDEX b_big ON b (big); CREATE INDEX b_s ON b (s, id); ANALYZE");
    const auto fixes = [&](const std::string& text, const std::string& condition) {
        const std::string plan = f.plan_of(text);
        CAPTURE(text, plan);
        CHECK(plan.find("Cond: " + condition) != std::string::npos);
    };
    fixes("SELECT * FROM a JOIN b ON b.k = a.k WHERE a.k = 5", "(b.k = 5)");
    fixes("SELECT * FROM a JOIN b ON b.big = a.k WHERE a.k = 5", "(b.big = 5)");
    fixes("SELECT * FROM a JOIN b ON b.s = a.s AND b.id = a.id WHERE a.s = 's3'", "(b.s = 's3'::text)");
    fixes("SELECT * FROM a LEFT JOIN b ON b.k = a.k AND b.n = a.n WHERE a.k = 5", "(b.k = 5)");
    fixes("SELECT * FROM a JOIN a x ON x.k = a.k JOIN b ON b.k = x.k WHERE a.k = 5", "(b.k = 5)");
    // The same rows as where nothing is known of the column.
    for (const std::string join :
         {"JOIN b ON b.k = a.k", "LEFT JOIN b ON b.k = a.k AND b.n = a.n", "JOIN b ON b.big = a.k AND b.id = a.id",
          "JOIN b ON b.s = a.s", "JOIN b ON b.s = a.v", "JOIN b ON b.n = a.n", "JOIN b ON b.d = a.d AND a.n = b.n",
          "LEFT JOIN b ON b.d = a.d AND b.k = a.k", "JOIN a x ON x.k = a.k JOIN b ON b.k = x.k AND b.n = a.n",
          "LEFT JOIN a x ON x.k = a.k AND x.n = a.n LEFT JOIN b ON b.k = x.k AND b.s = x.s"}) {
        for (const auto& [column, value] : std::vector<std::pair<std::string, std::string>>{
                 {"k", "5"}, {"k", "NULL"}, {"n", "3"}, {"n", "3.00"}, {"s", "'s3'"}, {"v", "'s3'"}, {"d", "'NaN'"},
                 {"d", "0"}, {"k", "7"}, {"big", "5"}}) {
            const std::string query = "SELECT a.id, b.*, a.n FROM a " + join + " WHERE ";
            const std::string order = " ORDER BY a.id, b.id, b.k, b.n";
            CAPTURE(query, column, value);
            REQUIRE(f.rows(query + "a." + column + " = " + value + order) ==
                    f.rows(query + "(a." + column + " = " + value + ") IS TRUE" + order));
        }
    }
    for (const std::string exists : {"EXISTS", "NOT EXISTS"}) {
        const std::string query =
            "SELECT a.id FROM a WHERE " + exists + " (SELECT FROM b WHERE b.k = a.k AND b.n = a.n) AND ";
        CHECK(f.rows(query + "a.k = 5 ORDER BY 1") == f.rows(query + "(a.k = 5) IS TRUE ORDER BY 1"));
    }
}

TEST_CASE("a join looks rows up by whole keys where a small table has many more", "[sql]") {
    Fixture f;
    f.sql.execute_script("CREATE TABLE small (id int PRIMARY KEY, x int); CREATE TABLE few (id int PRIMARY KEY);"
                         "INSERT INTO small SELECT i, i % 7 FROM generate_series(1, 10000) AS g(i);"
                         "INSERT INTO few SELECT i * 20 FROM generate_series(1, 500) AS g(i); ANALYZE");
    const std::string query = "SELECT count(*), sum(x) FROM few JOIN small ON small.id = few.id";
    CHECK(f.plan_of(query).find("Index Scan using small_pkey on small") != std::string::npos);
    CHECK(f.rows(query) == "500,1506,;");
    f.sql.execute("INSERT INTO few SELECT i * 20 + 1 FROM generate_series(1, 500) AS g(i)");
    CHECK(f.plan_of(query).find("Hash Join") != std::string::npos);
    CHECK(f.rows(query) == "999,3003,;");
}

// ---- AS OF ----

TEST_CASE("a kept plan reads the past that each run asks for", "[sql][BOUND-1]") {
    Fixture f;
    std::vector<std::uint64_t> commits;
    for (int n = 1; n <= 5; ++n)
        commits.push_back(f.sql.execute("UPDATE t SET n = " + std::to_string(n) + " WHERE id = 1").txn);
    auto statement = f.sql.prepare("SELECT n FROM t WHERE id = $1 AS OF $2");
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < commits.size(); ++i) {
            const std::string commit = std::to_string(commits[i]);
            CHECK(f.only("SELECT n FROM t WHERE id = 1 AS OF " + commit) == std::to_string(i + 1));
            CHECK(f.only("SELECT n FROM t WHERE id = 1 AS OF '" + commit + "'") == std::to_string(i + 1));
            CHECK(f.only("SELECT sum(n) FROM t WHERE id <= 1 AS OF " + commit) == std::to_string(i + 1));
            statement.bind_integer(1, 1);
            statement.bind_integer(2, static_cast<std::int64_t>(commits[i]));
            REQUIRE(statement.step());
            CHECK(statement.integer(0) == static_cast<std::int64_t>(i + 1));
            CHECK_FALSE(statement.step());
        }
    CHECK(answer(f.sql, "SELECT n FROM t WHERE id = 1 AS OF 1000000", true).starts_with("22023"));
    statement.bind_null(2);
    CHECK_THROWS_AS(statement.step(), northstar::SqlFailure);
}

TEST_CASE("a kept plan reads the past by the schema of the past", "[sql][BOUND-1]") {
    Fixture f;
    const std::uint64_t before = f.sql.execute("UPDATE t SET n = 1 WHERE id = 1").txn;
    f.sql.execute("ALTER TABLE t DROP COLUMN small");
    const std::uint64_t behind = f.sql.execute("UPDATE t SET n = 2 WHERE id = 1").txn;
    auto statement = f.sql.prepare("SELECT * FROM t WHERE id = 1 AS OF $1");
    for (int round = 0; round < 3; ++round)
        for (const auto& [commit, width] : {std::pair(before, std::size_t{6}), std::pair(behind, std::size_t{5})}) {
            statement.bind_integer(1, static_cast<std::int64_t>(commit));
            REQUIRE(statement.step());
            CHECK(statement.column_count() == width);
            statement.reset();
            const std::string text = "SELECT * FROM t WHERE id = 1 AS OF " + std::to_string(commit);
            CHECK(f.sql.execute(text).columns.size() == width);
        }
}
