#include "hard/fuzz/sql_subject.hpp"

namespace northstar::hard {

namespace {

Options in_memory() {
    Options options;
    options.background = false;
    return options;
}

}  // namespace

SqlSubject::SqlSubject(const char* schema)
    : database_(Database::open(":memory:", in_memory())), connection_(database_) {
    connection_.execute_script(schema);
}

void SqlSubject::bound() {
    if (connection_.transaction_failed()) return;
    connection_.execute(k_sanitized ? "SET statement_timeout = 200" : "SET statement_timeout = 20");
    connection_.execute("SET work_mem = '1MB'");
}

void SqlSubject::check(const SqlFailure& failure) {
    const std::string& state = failure.sqlstate;
    if (state.size() != 5 || state == "00000" || state.starts_with("XX")) {
        finding("a statement fails with " + state + ": " + failure.what());
    }
    if (std::string_view(failure.what()).empty()) finding("a statement fails with " + state + " for no reason");
}

void SqlSubject::must_be_well() {
    if (connection_.in_transaction()) connection_.execute("ROLLBACK");
    connection_.execute("RESET ALL");
    const SqlResult answer = connection_.execute("SELECT 1");
    if (answer.rows.size() != 1 || answer.rows[0].size() != 1 || answer.rows[0][0] != "1") {
        finding("the session does not answer any more");
    }
    for (const Problem& problem : verify_sql(database_)) finding(problem.where + ": " + problem.what);
    for (const Problem& problem : database_.verify().problems) finding(problem.where + ": " + problem.what);
}

const char* const k_sql_schema =
    "BEGIN;"
    "CREATE TYPE mood AS ENUM ('calm', 'wild', 'odd');"
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
    "CREATE SEQUENCE s1 START 5;"
    "CREATE TABLE t1 (id int PRIMARY KEY, a int, b text, c numeric(12,3), d date, e boolean DEFAULT true);"
    "CREATE TABLE t2 (id bigint PRIMARY KEY, j jsonb, k int[], ts timestamptz, f float8, r int4range, u uuid, y bytea,"
    " iv interval, m mood, p positive);"
    "CREATE TABLE t3 (x int REFERENCES t1 ON DELETE CASCADE DEFERRABLE, w text UNIQUE,"
    " z int GENERATED ALWAYS AS (x * 2) STORED, CHECK (x < 100000));"
    "CREATE TABLE t4 (n int, during daterange, v text, PRIMARY KEY (n, during WITHOUT OVERLAPS));"
    "CREATE TABLE events (pk text PRIMARY KEY);"
    "CREATE INDEX t1_ab ON t1 (a, b DESC);"
    "CREATE INDEX t1_lower ON t1 (lower(b)) INCLUDE (c) WHERE a > 2;"
    "CREATE INDEX t2_f ON t2 (f NULLS FIRST);"
    "CREATE VIEW v1 AS SELECT id, a, upper(b) AS b FROM t1 WHERE a IS NOT NULL;"
    "INSERT INTO t1 SELECT g, nullif(g % 5, 3), chr(96 + g) || 'bc', g * 1.5, date '2024-02-20' + g, g % 3 = 0"
    " FROM generate_series(1, 9) g;"
    "INSERT INTO t2 SELECT g, jsonb_build_object('a', g, 'b', ARRAY[g, NULL]), ARRAY[g, g + 1],"
    " timestamptz '2024-03-01 12:00+00' + g * interval '1 day', g / 4.0, int4range(g::int, g::int + 3),"
    " '00000000-0000-0000-0000-00000000000a', '\\x0a0b', g * interval '1 hour', 'wild', 1"
    " FROM generate_series(1, 6) g;"
    "INSERT INTO t3 SELECT g, 'w' || g FROM generate_series(1, 5) g;"
    "INSERT INTO t4 VALUES (1, '[2024-01-01,2024-06-01)', 'first'), (1, '[2024-06-01,)', 'second');"
    "INSERT INTO events (pk, doc) VALUES ('e1', '{\"type\": \"signup\", \"n\": 3}');"
    "COMMIT";

}  // namespace northstar::hard
