// sql_reopened_test.cpp -- what definitions ask for holds behind a reopening: nothing of it is in memory alone.
#include "northstar.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

const char* const k_definitions = R"(
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN short AS varchar(3) DEFAULT 'abc' NOT NULL CHECK (value <> 'no');
    CREATE TYPE spot AS (x numeric(4, 1), y varchar(2), m mood);
    CREATE SEQUENCE steps INCREMENT 5 MINVALUE 10 MAXVALUE 20 START 15 CACHE 1 CYCLE;
    CREATE SEQUENCE hurried AS smallint CACHE 3;
    CREATE TABLE parent (a int, b int, name text UNIQUE, PRIMARY KEY (a, b));
    CREATE TABLE child (id int PRIMARY KEY, a int, b int, name text DEFAULT 'none',
        CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES parent MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE partly (id int PRIMARY KEY, a int, b int DEFAULT 2,
        FOREIGN KEY (a, b) REFERENCES parent ON DELETE SET NULL (a));
    CREATE TABLE late (name text REFERENCES parent (name) DEFERRABLE INITIALLY DEFERRED, n int UNIQUE DEFERRABLE);
    CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY (START 7), n int,
        twice int GENERATED ALWAYS AS (n * 2) STORED, w short, at spot, list numeric(3, 1)[], CHECK (n > 0) NO INHERIT);
    CREATE TABLE heir (extra int) INHERITS (made);
    CREATE UNIQUE INDEX few ON made (n) WHERE n < 5;
    CREATE UNIQUE INDEX lower_name ON parent (lower(name) DESC NULLS LAST) INCLUDE (a);
    CREATE TABLE halves (id int, k int, note text, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
    CREATE TABLE halves_low PARTITION OF halves FOR VALUES FROM (MINVALUE) TO (10);
    CREATE TABLE halves_high PARTITION OF halves FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
    CREATE TABLE halves_one PARTITION OF halves_high FOR VALUES IN (1, NULL);
    CREATE TABLE halves_rest PARTITION OF halves_high DEFAULT;
    ALTER TABLE halves_low ADD FOREIGN KEY (note) REFERENCES parent (name), ADD UNIQUE (note), ADD CHECK (id < 50);
    CREATE TABLE refers (id int, k int, FOREIGN KEY (id, k) REFERENCES halves);
    CREATE VIEW small AS SELECT a, b FROM parent WHERE a < 5 WITH CASCADED CHECK OPTION;
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM parent WITH NO DATA;
    COMMENT ON COLUMN child.name IS 'of the child';
    INSERT INTO parent VALUES (1, 1, 'One'), (1, 2, 'Two');
    INSERT INTO child VALUES (1, 1, 1); INSERT INTO partly VALUES (1, 1, 2);
    INSERT INTO halves VALUES (1, 5), (1, 15), (2, 15);
    INSERT INTO refers VALUES (1, 5), (2, 15); INSERT INTO made (n, at) VALUES (1, (1.25, 'ab', 'glad')))";

struct Probe {
    std::string statements;
    std::string answer;  ///< an SQLSTATE, or the first value of the last statement
};

const std::vector<Probe>& probes() {
    static const std::vector<Probe> list = {
        {"INSERT INTO child VALUES (2, 1, NULL)", "23503"},
        {"INSERT INTO child VALUES (2, NULL, NULL)", "INSERT"},
        {"INSERT INTO child VALUES (2, 5, 5)", "23503"},
        {"DELETE FROM parent WHERE b = 1; SELECT a IS NULL AND b IS NULL AND name = 'none' FROM child", "t"},
        {"UPDATE parent SET a = 9 WHERE b = 1; SELECT a FROM child", "9"},
        {"DELETE FROM parent WHERE b = 2; SELECT a IS NULL AND b = 2 FROM partly", "t"},
        {"INSERT INTO late VALUES ('later', 1); INSERT INTO parent VALUES (3, 3, 'later'); "
         "SET CONSTRAINTS ALL IMMEDIATE", "SET"},
        {"INSERT INTO late VALUES ('never', 1); SET CONSTRAINTS ALL IMMEDIATE", "23503"},
        {"INSERT INTO late VALUES (NULL, 1), (NULL, 2); UPDATE late SET n = n + 1; SELECT max(n) FROM late", "3"},
        {"SELECT nextval('steps')", "15"},
        {"SELECT nextval('steps'), nextval('steps'); SELECT nextval('steps')", "10"},
        {"INSERT INTO made (n) VALUES (3) RETURNING id", "8"},
        {"INSERT INTO made (id, n) VALUES (3, 3)", "428C9"},
        {"INSERT INTO made (n) VALUES (3) RETURNING twice || w", "6abc"},
        {"INSERT INTO made (n, w) VALUES (3, 'no')", "23514"},
        {"INSERT INTO made (n, w) VALUES (3, NULL)", "23502"},
        {"INSERT INTO made (n, w) VALUES (3, 'long')", "22001"},
        {"INSERT INTO made (n) VALUES (0)", "23514"},
        {"INSERT INTO heir (id, n, extra) VALUES (1, 0, 5) RETURNING extra", "5"},
        {"INSERT INTO made (n) VALUES (1)", "23505"},
        {"INSERT INTO made (n) VALUES (6), (6)", "INSERT"},
        {"SELECT at FROM made", "(1.3,ab,glad)"},
        {"UPDATE made SET at.y = 'abc'", "22001"},
        {"UPDATE made SET at.x = 12345", "22003"},
        {"UPDATE made SET at.m = 'mad'", "22P02"},
        {"UPDATE made SET list[2] = 1.25; SELECT list FROM made", "[2:2]={1.3}"},
        {"INSERT INTO parent VALUES (4, 4, 'ONE')", "23505"},
        {"INSERT INTO halves VALUES (1, 25)", "23514"},
        {"INSERT INTO halves VALUES (1, 5)", "23505"},
        {"INSERT INTO halves VALUES (1, 16) RETURNING tableoid::regclass", "halves_one"},
        {"INSERT INTO halves VALUES (3, 16) RETURNING tableoid::regclass", "halves_rest"},
        {"INSERT INTO halves VALUES (3, -100) RETURNING tableoid::regclass", "halves_low"},
        {"INSERT INTO halves VALUES (3, 1, 'nobody')", "23503"},
        {"INSERT INTO halves VALUES (60, 1, 'One')", "23514"},
        {"INSERT INTO halves VALUES (3, 1, 'One'), (4, 1, 'One')", "23505"},
        {"INSERT INTO halves VALUES (60, 16, 'nobody'), (61, 16, 'nobody')", "INSERT"},
        {"DELETE FROM halves_low", "23503"},
        {"DELETE FROM halves WHERE id = 2", "23503"},
        {"INSERT INTO refers VALUES (9, 9)", "23503"},
        {"DROP TABLE halves_low", "2BP01"},
        {"INSERT INTO small VALUES (7, 7)", "44000"},
        {"SELECT n FROM counted", "55000"},
        {"SELECT col_description('child'::regclass, 4)", "of the child"},
        {"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'whole'",
         "FOREIGN KEY (a, b) REFERENCES parent(a, b) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL"},
        {"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'partly_a_b_fkey'",
         "FOREIGN KEY (a, b) REFERENCES parent(a, b) ON DELETE SET NULL (a)"},
        {"SELECT increment_by || ' ' || min_value || ' ' || max_value || ' ' || cycle FROM pg_sequences "
         "WHERE sequencename = 'steps'",
         "5 10 20 true"},
        {"SELECT cache_size || ' ' || data_type FROM pg_sequences WHERE sequencename = 'hurried'", "3 smallint"},
        {"SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
         "WHERE attrelid = 'made'::regclass AND attname = 'list'",
         "numeric(3,1)[]"},
    };
    return list;
}

/// What the statements give, in a transaction that is rolled back.
std::string answer_of(northstar::SqlConnection& sql, const std::string& statements) {
    sql.execute("BEGIN");
    std::string answer;
    try {
        const auto results = sql.execute_script(statements);
        const northstar::SqlResult& last = results.back();
        if (last.rows.empty()) answer = last.tag.substr(0, last.tag.find(' '));
        else answer = last.rows[0][0].value_or("NULL");
    } catch (const northstar::SqlFailure& failure) {
        answer = failure.sqlstate;
    }
    sql.execute("ROLLBACK");
    return answer;
}

void check_probes(northstar::SqlConnection& sql) {
    for (const Probe& probe : probes()) {
        INFO(probe.statements);
        CHECK(answer_of(sql, probe.statements) == probe.answer);
        sql.execute("SELECT setval('steps', 15, false), setval(pg_get_serial_sequence('made', 'id'), 7)");
    }
}

}  // namespace

TEST_CASE("definitions ask for the same behind a reopening", "[sql]") {
    const northstar::test::TemporaryDirectory folder;
    northstar::Options options;
    options.background = false;
    {
        northstar::Database db = northstar::Database::open(folder / "a.db", options);
        northstar::SqlConnection sql(db);
        sql.execute_script(k_definitions);
        check_probes(sql);
    }
    northstar::Database db = northstar::Database::open(folder / "a.db", options);
    northstar::SqlConnection sql(db);
    check_probes(sql);
}
