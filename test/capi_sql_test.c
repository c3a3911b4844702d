/* capi_sql_test.c -- SQL through the C interface, compiled as C99. */
#include "capi_support.h"

#define TEXT(text) (text), strlen(text)

static northstar_sql* open_sql(northstar_db* db) {
    northstar_sql* sql = NULL;
    OK(northstar_sql_open(db, &sql));
    return sql;
}

static northstar_sql_statement* prepare(northstar_sql* sql, const char* text) {
    northstar_sql_statement* statement = NULL;
    OK(northstar_sql_prepare(sql, TEXT(text), &statement));
    return statement;
}

/* The only value of the only row that a query gives. */
static int gives(northstar_sql* sql, const char* query, const char* expected) {
    northstar_sql_statement* statement = prepare(sql, query);
    const void* data = NULL;
    size_t size = 0;
    int good = northstar_sql_step(statement) == NORTHSTAR_OK &&
               northstar_sql_column(statement, 0, &data, &size, NULL) == NORTHSTAR_OK && same(data, size, expected) &&
               northstar_sql_step(statement) == NORTHSTAR_ABSENT;
    OK(northstar_sql_finalize(statement));
    return good;
}

static void test_statements(void) {
    northstar_db* db = open_memory();
    northstar_sql* sql = open_sql(db);
    northstar_sql_statement* insert;
    northstar_sql_statement* select;
    const void* data = NULL;
    const char* text = NULL;
    size_t size = 0, count = 0;
    uint32_t type = 0;
    uint64_t txn = 0;
    int is_null = -1, i;
    char number[16];

    OK(northstar_sql_execute(sql, TEXT("CREATE TABLE t (a int PRIMARY KEY, b text); CREATE TABLE u (a int)")));
    insert = prepare(sql, "INSERT INTO t VALUES ($1, $2)");
    OK(northstar_sql_parameter_count(insert, &count));
    OK(northstar_sql_parameter_type(insert, 1, &type));
    CHECK(count == 2 && type == 23);
    for (i = 1; i <= 600; ++i) {
        snprintf(number, sizeof number, "%d", i);
        OK(northstar_sql_bind(insert, 1, NORTHSTAR_SQL_TEXT, TEXT(number)));
        if (i % 2 == 0) OK(northstar_sql_bind_null(insert, 2));
        else OK(northstar_sql_bind(insert, 2, NORTHSTAR_SQL_TEXT, TEXT("odd")));
        CODE(NORTHSTAR_ABSENT, northstar_sql_step(insert));
    }
    OK(northstar_sql_tag(insert, &text));
    OK(northstar_sql_txn(insert, &txn));
    CHECK(strcmp(text, "INSERT 0 1") == 0 && txn > 600);
    OK(northstar_sql_finalize(insert));

    select = prepare(sql, "SELECT a, b FROM t WHERE a > $1 ORDER BY a");
    OK(northstar_sql_column_count(select, &count));
    OK(northstar_sql_column_name(select, 1, &text));
    CHECK(count == 2 && strcmp(text, "b") == 0);
    OK(northstar_sql_column_type(select, 1, &type));
    CHECK(type == 25);
    OK(northstar_sql_bind(select, 1, NORTHSTAR_SQL_BINARY, "\0\0\0\1", 4));
    OK(northstar_sql_result_format(select, NORTHSTAR_SQL_BINARY));
    for (i = 2; i <= 600; ++i) {
        OK(northstar_sql_step(select));
        OK(northstar_sql_column(select, 0, &data, &size, &is_null));
        CHECK(size == 4 && is_null == 0 && ((const unsigned char*)data)[3] == (i & 255));
        OK(northstar_sql_column(select, 1, &data, &size, &is_null));
        CHECK(is_null == (i % 2 == 0) && size == (i % 2 == 0 ? 0u : 3u));
    }
    CODE(NORTHSTAR_ABSENT, northstar_sql_step(select));
    OK(northstar_sql_tag(select, &text));
    CHECK(strcmp(text, "SELECT 599") == 0);
    OK(northstar_sql_step(select)); /* it runs again */
    OK(northstar_sql_reset(select));
    CODE(NORTHSTAR_MISUSE, northstar_sql_column(select, 0, &data, &size, NULL));
    OK(northstar_sql_finalize(select));
    CHECK(gives(sql, "SELECT count(*) FROM t", "600"));
    OK(northstar_sql_close(sql));
    OK(northstar_close(db));
}

static void test_notifications(void) {
    northstar_db* db = open_memory();
    northstar_sql* sql = open_sql(db);
    northstar_sql* other = open_sql(db);
    const char* channel = NULL;
    const char* payload = NULL;
    int32_t process = 0;
    uint64_t txn = 0;
    char number[16];

    CODE(NORTHSTAR_ABSENT, northstar_sql_notification(sql, 0, &channel, &payload, &process, &txn));
    OK(northstar_sql_execute(sql, TEXT("LISTEN jobs")));
    CODE(NORTHSTAR_ABSENT, northstar_sql_notification(sql, 10, &channel, &payload, &process, &txn));
    CHECK(channel == NULL && payload == NULL);
    OK(northstar_sql_execute(other, TEXT("NOTIFY jobs, 'one'; NOTIFY jobs")));
    OK(northstar_sql_notification(sql, 60000, &channel, &payload, &process, &txn));
    CHECK(strcmp(channel, "jobs") == 0 && strcmp(payload, "one") == 0 && txn == 1);
    snprintf(number, sizeof number, "%d", (int)process);
    CHECK(gives(other, "SELECT pg_backend_pid()", number));
    OK(northstar_sql_notification(sql, 0, &channel, &payload, NULL, NULL));
    CHECK(strcmp(payload, "") == 0);
    CODE(NORTHSTAR_ABSENT, northstar_sql_notification(sql, 0, &channel, NULL, NULL, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_sql_notification(sql, 0, NULL, &payload, NULL, NULL));
    OK(northstar_sql_execute(sql, TEXT("BEGIN")));
    CHECK(northstar_sql_notification(sql, 0, &channel, NULL, NULL, NULL) > 0);
    CHECK(strcmp(northstar_sql_state(), "25001") == 0);
    OK(northstar_sql_close(other));
    OK(northstar_sql_close(sql));
    CODE(NORTHSTAR_MISUSE, northstar_sql_notification(sql, 0, &channel, NULL, NULL, NULL));
    OK(northstar_close(db));
}

static void test_errors(void) {
    northstar_db* db = open_memory();
    northstar_sql* sql = open_sql(db);
    northstar_sql_statement* statement = NULL;
    size_t count = 0;
    int status = -1;

    CHECK(northstar_sql_prepare(sql, TEXT("SELECT nothing"), &statement) > 0 && statement == NULL);
    CHECK(strcmp(northstar_sql_state(), "42703") == 0 && northstar_sql_position() == 8);
    CHECK(strstr(northstar_last_error(), "nothing") != NULL);
    OK(northstar_sql_execute(sql, TEXT("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); BEGIN")));
    OK(northstar_sql_status(sql, &status));
    CHECK(status == NORTHSTAR_SQL_IN_TRANSACTION);
    CODE(NORTHSTAR_ALREADY_EXISTS, northstar_sql_execute(sql, TEXT("INSERT INTO t VALUES (1)")));
    CHECK(strcmp(northstar_sql_state(), "23505") == 0);
    CHECK(strcmp(northstar_sql_detail(), "Key (a)=(1) already exists.") == 0);
    OK(northstar_sql_status(sql, &status));
    CHECK(status == NORTHSTAR_SQL_FAILED_TRANSACTION);
    OK(northstar_sql_execute(sql, TEXT("ROLLBACK")));
    OK(northstar_sql_status(sql, &status));
    CHECK(status == NORTHSTAR_SQL_IDLE);

    statement = prepare(sql, "SELECT $1::int");
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_sql_bind(statement, 2, NORTHSTAR_SQL_TEXT, "1", 1));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_sql_bind(statement, 1, 7, "1", 1));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_sql_result_format(statement, 7));
    OK(northstar_sql_bind(statement, 1, NORTHSTAR_SQL_TEXT, "x", 1));
    CHECK(northstar_sql_step(statement) > 0 && strcmp(northstar_sql_state(), "22P02") == 0);
    OK(northstar_sql_cancel(sql)); /* nothing runs */
    OK(northstar_sql_close(sql));
    CODE(NORTHSTAR_MISUSE, northstar_sql_step(statement));
    OK(northstar_sql_parameter_count(statement, &count));
    OK(northstar_sql_finalize(statement));
    CODE(NORTHSTAR_MISUSE, northstar_sql_finalize(statement));
    CODE(NORTHSTAR_MISUSE, northstar_sql_execute(sql, TEXT("SELECT 1")));
    CODE(NORTHSTAR_MISUSE, northstar_sql_open(NULL, &sql));
    OK(northstar_close(db));
}

static void test_database_closed_first(void) {
    northstar_db* db = open_memory();
    northstar_sql* sql = open_sql(db);
    northstar_sql_statement* statement;
    OK(northstar_sql_execute(sql, TEXT("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g")));
    statement = prepare(sql, "SELECT * FROM t");
    OK(northstar_sql_step(statement));
    OK(northstar_close(db));
    CHECK(northstar_sql_execute(sql, TEXT("SELECT * FROM t")) > 0);
    OK(northstar_sql_close(sql));
    OK(northstar_sql_finalize(statement));
}

/* SQL and keys lie in one file, under one numbering of commits. */
static void test_beside_keys(void) {
    const char* path = path_of("sql");
    northstar_db* db = NULL;
    northstar_sql* sql;
    northstar_sql_statement* create;
    uint64_t first, txn = 0;
    OK(northstar_open(path, NULL, &db));
    first = put_one(db, "key", "value");
    sql = open_sql(db);
    create = prepare(sql, "CREATE TABLE t AS SELECT 7 AS a");
    CODE(NORTHSTAR_ABSENT, northstar_sql_step(create));
    OK(northstar_sql_txn(create, &txn));
    CHECK(txn == first + 1);
    OK(northstar_sql_finalize(create));
    OK(northstar_sql_close(sql));
    OK(northstar_close(db));
    OK(northstar_open(path, NULL, &db));
    sql = open_sql(db);
    CHECK(gives(sql, "SELECT a FROM t", "7"));
    OK(northstar_sql_close(sql));
    OK(northstar_close(db));
    remove_database(path);
}

int main(void) {
    test_statements();
    test_notifications();
    test_errors();
    test_database_closed_first();
    test_beside_keys();
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
