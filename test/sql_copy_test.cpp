// COPY: text and CSV, files and streams, and the places that errors name.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

/// Gives its text in pieces of a few bytes.
struct Pieces final : northstar::SqlCopySource {
    explicit Pieces(std::string all, std::size_t piece = 3) : text(std::move(all)), size(piece) {}
    std::string text;
    std::size_t size, at = 0, columns = 0;
    void begin(std::size_t count, bool) override { columns = count; }
    bool read(std::string& bytes) override {
        bytes = text.substr(at, size);
        at += bytes.size();
        return !bytes.empty();
    }
};

struct Collected final : northstar::SqlCopySink {
    std::string text;
    std::size_t columns = 0;
    void begin(std::size_t count, bool) override { columns = count; }
    void write(std::string_view bytes) override { text += bytes; }
};

struct Fixture {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql{database};
    Fixture() { sql.execute("CREATE TABLE t (a int, b text, c numeric(6,2) DEFAULT 7)"); }

    std::string copy_in(const std::string& statement, const std::string& input, std::size_t piece = 3) {
        Pieces source(input, piece);
        sql.copy_streams(&source, nullptr);
        std::string answer;
        try {
            answer = sql.execute(statement).tag;
        } catch (const northstar::SqlFailure& failure) {
            answer = failure.sqlstate + " " + failure.what() + " | " + failure.context;
        }
        sql.copy_streams(nullptr, nullptr);
        return answer;
    }
    std::string copy_out(const std::string& statement) {
        Collected sink;
        sql.copy_streams(nullptr, &sink);
        sql.execute(statement);
        sql.copy_streams(nullptr, nullptr);
        return sink.text;
    }
    std::string state_of(const std::string& statement) {
        try {
            sql.execute(statement);
        } catch (const northstar::SqlFailure& failure) {
            return failure.sqlstate;
        }
        return "00000";
    }
};

}  // namespace

TEST_CASE("COPY reads text with escapes, NULL and an end mark", "[sql]") {
    Fixture f;
    CHECK(f.copy_in("COPY t FROM STDIN", "1\tone\\ttab\\n\t1.5\n2\t\\N\t2\n3\t\\x41\\102\\\\\t3\n\\.\nignored\n") ==
          "COPY 3");
    CHECK(f.copy_out("COPY t TO STDOUT") == "1\tone\\ttab\\n\t1.50\n2\t\\N\t2.00\n3\tAB\\\\\t3.00\n");
}

TEST_CASE("COPY reads CSV with quotes, line ends inside them, and a header", "[sql]") {
    Fixture f;
    const std::string input = "a,b\r\n1,\"say \"\"x\"\", please\"\r\n2,\"two\nlines\"\r\n3,\r\n4,\"\"\r\n";
    for (const std::size_t piece : {1u, 2u, 5u, 1000u}) {
        f.sql.execute("TRUNCATE t");
        CHECK(f.copy_in("COPY t (a, b) FROM STDIN (FORMAT csv, HEADER match)", input, piece) == "COPY 4");
        CHECK(f.copy_out("COPY t TO STDOUT WITH CSV HEADER") ==
              "a,b,c\n1,\"say \"\"x\"\", please\",7.00\n2,\"two\nlines\",7.00\n3,,7.00\n4,\"\",7.00\n");
    }
}

TEST_CASE("options of CSV are obeyed", "[sql]") {
    Fixture f;
    f.sql.execute("INSERT INTO t VALUES (1, 'x;y', 1), (2, NULL, 2), (3, 'it''s', NULL)");
    const std::string text = f.copy_out("COPY t TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'none', QUOTE '''', "
                                        "FORCE_QUOTE (a))");
    CHECK(text == "'1';'x;y';1.00\n'2';none;2.00\n'3';'it''s';none\n");
    f.sql.execute("CREATE TABLE u (LIKE t)");
    CHECK(f.copy_in("COPY u FROM STDIN (FORMAT csv, DELIMITER ';', NULL 'none', QUOTE '''')", text) == "COPY 3");
    const auto same = f.sql.execute("SELECT count(*) FROM t JOIN u USING (a) WHERE t.b IS NOT DISTINCT FROM u.b");
    CHECK(same.rows[0][0] == "3");
    CHECK(f.copy_in("COPY u (a, b) FROM STDIN (FORMAT csv, NULL 'x', FORCE_NOT_NULL (b))", "5,x\n") == "COPY 1");
    CHECK(f.sql.execute("SELECT b FROM u WHERE a = 5").rows[0][0] == "x");
    CHECK(f.copy_in("COPY u (a, b) FROM STDIN (FORMAT csv, FORCE_NULL (b))", "6,\"\"\n") == "COPY 1");
    CHECK_FALSE(f.sql.execute("SELECT b FROM u WHERE a = 6").rows[0][0].has_value());
}

TEST_CASE("a query is copied out, a condition chooses what is copied in", "[sql]") {
    Fixture f;
    CHECK(f.copy_in("COPY t (a) FROM STDIN WHERE a > 1", "1\n2\n3\n") == "COPY 2");
    CHECK(f.copy_out("COPY (SELECT a, a * 2 AS twice FROM t ORDER BY a DESC) TO STDOUT (FORMAT csv, HEADER)") ==
          "a,twice\n3,6\n2,4\n");
}

TEST_CASE("a table without columns has empty lines in COPY", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE bare ()");
    CHECK(f.copy_in("COPY bare FROM STDIN", "\n\n\n") == "COPY 3");
    CHECK(f.copy_out("COPY bare TO STDOUT") == "\n\n\n");
    CHECK(f.copy_in("COPY bare FROM STDIN", "x\n") ==
          "22P04 extra data after last expected column | COPY bare, line 1: \"x\"");
}

TEST_CASE("errors of COPY say line and column", "[sql]") {
    Fixture f;
    CHECK(f.copy_in("COPY t FROM STDIN", "1\tx\t1\nnone\ty\t2\n") ==
          "22P02 invalid input syntax for type integer: \"none\" | COPY t, line 2, column a: \"none\"");
    CHECK(f.copy_in("COPY t FROM STDIN", "1\tx\n") ==
          "22P04 missing data for column \"c\" | COPY t, line 1: \"1\tx\"");
    CHECK(f.copy_in("COPY t FROM STDIN", "1\tx\t1\t9\n") ==
          "22P04 extra data after last expected column | COPY t, line 1: \"1\tx\t1\t9\"");
    CHECK(f.copy_in("COPY t FROM STDIN (FORMAT csv)", "1,\"x\n").rfind("22P04 unterminated CSV quoted field", 0) == 0);
    CHECK(f.copy_in("COPY t FROM STDIN", "1\tx\t1\r\n2\ty\t2\n").rfind("22P04 literal newline found in data", 0) == 0);
    CHECK(f.sql.execute("SELECT count(*) FROM t").rows[0][0] == "0");
}

TEST_CASE("a constraint undoes the whole COPY", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE k (id int PRIMARY KEY, parent int REFERENCES k)");
    CHECK(f.copy_in("COPY k FROM STDIN", "2\t1\n1\t\\N\n") == "COPY 2");
    CHECK(f.copy_in("COPY k FROM STDIN", "3\t1\n1\t\\N\n").rfind("23505", 0) == 0);
    CHECK(f.copy_in("COPY k FROM STDIN", "4\t99\n").rfind("23503", 0) == 0);
    CHECK(f.sql.execute("SELECT count(*) FROM k").rows[0][0] == "2");
}

TEST_CASE("many rows pass through a file unchanged", "[sql]") {
    Fixture f;
    const std::string path = (std::filesystem::temp_directory_path() / "northstar_sql_copy_test.txt").string();
    f.sql.execute("INSERT INTO t SELECT i, 'row ' || i || E'\\n', i % 100 FROM generate_series(1, 10000) i");
    CHECK(f.sql.execute("COPY t TO '" + path + "'").tag == "COPY 10000");
    f.sql.execute("CREATE TABLE u (LIKE t)");
    CHECK(f.sql.execute("COPY u FROM '" + path + "'").tag == "COPY 10000");
    CHECK(f.sql.execute("SELECT count(*) FROM (TABLE t EXCEPT TABLE u) d").rows[0][0] == "0");
    std::filesystem::remove(path);
    CHECK(f.state_of("COPY u FROM '" + path + "'") == "58P01");
}

TEST_CASE("COPY with HISTORY writes every version of a table with the commits between which it stood", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE h (id int PRIMARY KEY, v text)");           // commit 2
    f.sql.execute("INSERT INTO h VALUES (2, 'two'), (1, 'one')");           // 3
    f.sql.execute("UPDATE h SET v = 'uno' WHERE id = 1");                   // 4
    f.sql.execute("DELETE FROM h WHERE id = 2");                            // 5
    const std::string out = f.copy_out("COPY h TO STDOUT (HISTORY, FORMAT csv, HEADER)");
    std::vector<std::vector<std::string>> lines;
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t end = out.find('\n', at);
        lines.emplace_back(1);
        for (const char c : out.substr(at, end - at))
            if (c == ',') lines.back().emplace_back();
            else lines.back().back() += c;
        at = end + 1;
    }
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == std::vector<std::string>{"_commit_from", "_commit_to", "_system_from", "_system_to", "id", "v"});
    const auto row = [&](std::size_t i) {
        return lines[i][0] + " " + lines[i][1] + " " + lines[i][4] + " " + lines[i][5];
    };
    CHECK(row(1) == "3 4 1 one");
    CHECK(row(2) == "3 5 2 two");
    CHECK(row(3) == "4  1 uno");
    CHECK_FALSE(lines[1][2].empty());
    CHECK(lines[1][3] == lines[3][2]);
    CHECK(lines[3][3].empty());
}

TEST_CASE("COPY with HISTORY writes the hidden valid time too, and obeys a list of columns", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE h (id int PRIMARY KEY, v text) WITH (valid_time)");
    f.sql.execute("INSERT INTO h VALUES (1, 'one')");
    const std::string out = f.copy_out("COPY h (v) TO STDOUT WITH (HISTORY true, FORMAT csv, HEADER)");
    CHECK(out.substr(0, out.find('\n')) == "_commit_from,_commit_to,_system_from,_system_to,_valid_from,_valid_to,v");
    CHECK(f.copy_out("COPY h (v) TO STDOUT WITH (HISTORY false)") == "one\n");
}

TEST_CASE("COPY cannot write history, nor find the one of a query", "[sql]") {
    Fixture f;
    CHECK(f.state_of("COPY t FROM STDIN (HISTORY)") == "0A000");
    CHECK(f.state_of("COPY (SELECT 1) TO STDOUT (HISTORY)") == "0A000");
}

TEST_CASE("the binary form is PostgreSQL's, and is read as it was written", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE s (i int2, t text)");
    f.sql.execute("INSERT INTO s VALUES (258, 'hi'), (NULL, '')");
    const std::string bytes = f.copy_out("COPY s TO STDOUT (FORMAT binary)");
    const char expected[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                            "\0\2\0\0\0\2\1\2\0\0\0\2hi"
                            "\0\2\377\377\377\377\0\0\0\0\377\377";
    CHECK(bytes == std::string(expected, sizeof expected - 1));
    for (const std::size_t piece : {1u, 7u, 1000u}) {
        CHECK(f.copy_in("COPY s FROM STDIN BINARY", bytes, piece) == "COPY 2");
    }
    CHECK(f.sql.execute("SELECT count(*), sum(i) FROM s").rows[0][1] == "1032");
    CHECK(f.copy_in("COPY s FROM STDIN BINARY", bytes.substr(0, 30)).rfind("22P04 unexpected EOF", 0) == 0);
    CHECK(f.copy_in("COPY s FROM STDIN BINARY", "PGCOPY").rfind("22P04", 0) == 0);
}

TEST_CASE("what COPY cannot do is refused with PostgreSQL's code", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE VIEW v AS SELECT 1 AS x");
    CHECK(f.state_of("COPY v TO STDOUT") == "42809");
    CHECK(f.state_of("COPY t TO STDOUT") == "0A000");
    CHECK(f.state_of("COPY t FROM STDIN") == "0A000");
    CHECK(f.state_of("COPY nowhere TO STDOUT") == "42P01");
    CHECK(f.state_of("COPY t (nothing) TO STDOUT") == "42703");
    CHECK(f.state_of("COPY t (a, a) TO STDOUT") == "42701");
    CHECK(f.state_of("COPY t TO STDOUT (FORMAT nonsense)") == "22023");
    CHECK(f.state_of("COPY t TO STDOUT (DELIMITER ',,')") == "0A000");
    CHECK(f.state_of("COPY t TO STDOUT (FORMAT csv, QUOTE ',')") == "22023");
    CHECK(f.state_of("COPY t TO STDOUT (colour 'red')") == "42601");
}

TEST_CASE("COPY FROM fills a partition by its own name, and no other", "[sql]") {
    Fixture f;
    f.sql.execute("CREATE TABLE p (a int, b text, n int DEFAULT 5) PARTITION BY LIST (a)");
    f.sql.execute("CREATE TABLE p1 (n int DEFAULT 6, b text, a int)");
    f.sql.execute("ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)");
    f.sql.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)");
    CHECK(f.copy_in("COPY p1 FROM STDIN", "7\tone\t1\n") == "COPY 1");
    CHECK(f.copy_in("COPY p1 (b, a) FROM STDIN CSV", "uno,1\n") == "COPY 1");
    CHECK(f.copy_in("COPY p1 FROM STDIN", "7\ttwo\t2\n")
              .starts_with("23514 new row for relation \"p1\" violates partition constraint"));
    CHECK(f.copy_in("COPY p2 FROM STDIN WHERE n > 1", "2\ttwo\t1\n2\tzwei\t2\n") == "COPY 1");
    CHECK(f.copy_out("COPY (SELECT a, b, n FROM p ORDER BY a, b) TO STDOUT") ==
          "1\tone\t7\n1\tuno\t6\n2\tzwei\t2\n");
}
