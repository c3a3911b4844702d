/* capi_test.c -- the C interface, compiled as C99: every function does its work, every misuse is a code.
   [ERR-3][ERR-4] */
#include "capi_support.h"

static void test_versions_and_codes(void) {
    CHECK(northstar_abi_version() == NORTHSTAR_ABI_VERSION);
    CHECK(strcmp(northstar_version(), NORTHSTAR_VERSION) == 0);
    CHECK(strncmp(northstar_source_id(), NORTHSTAR_VERSION, strlen(NORTHSTAR_VERSION)) == 0);
    CHECK(strcmp(northstar_code_name(NORTHSTAR_OK), "ok") == 0);
    CHECK(strcmp(northstar_code_name(NORTHSTAR_ABSENT), "absent") == 0);
    CHECK(strcmp(northstar_code_name(NORTHSTAR_KEY_TOO_LARGE), "key_too_large") == 0);
    CHECK(strcmp(northstar_code_name(4711), "unknown") == 0);
    CHECK(strcmp(northstar_last_error(), "") == 0);
    CHECK(northstar_last_error_code() == NORTHSTAR_OK);
    northstar_free(NULL);
}

static void test_options(void) {
    northstar_options options;
    northstar_db* db = NULL;
    struct {
        northstar_options known;
        uint64_t later;
    } longer;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_options_init(NULL, sizeof options));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_options_init(&options, 1));
    OK(northstar_options_init(&options, sizeof options));
    CHECK(options.size == sizeof options && options.create == 1 && options.background == 1);
    CHECK(options.history_kind == NORTHSTAR_HISTORY_EVERYTHING && options.lazy_flush_ms == 100);

    options.durability = 9;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(":memory:", &options, &db));
    options.durability = NORTHSTAR_DURABILITY_LAZY;
    options.history_kind = 17;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(":memory:", &options, &db));
    options.history_kind = NORTHSTAR_HISTORY_EVERYTHING;
    options.size = 0;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(":memory:", &options, &db));
    CHECK(db == NULL);

    /* A caller of an older header knows the first fields only. */
    memset(&options, 0xff, sizeof options);
    options.size = offsetof(northstar_options, read_only);
    options.create = 1;
    OK(northstar_open(":memory:", &options, &db));
    OK(northstar_close(db));

    /* A caller of a newer header may pass what this library does not know as long as it is not set. */
    OK(northstar_options_init(&longer.known, sizeof longer));
    CHECK(longer.known.size == sizeof longer && longer.later == 0);
    OK(northstar_open(":memory:", &longer.known, &db));
    OK(northstar_close(db));
    longer.later = 1;
    CODE(NORTHSTAR_UNSUPPORTED, northstar_open(":memory:", &longer.known, &db));

    OK(northstar_options_init(&options, sizeof options));
    options.create = 0;
    CODE(NORTHSTAR_NOT_FOUND, northstar_open(path_of("missing"), &options, &db));
    CHECK(northstar_last_error_code() == NORTHSTAR_NOT_FOUND && strlen(northstar_last_error()) > 0);
    CHECK(northstar_last_error_page() == UINT64_MAX);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(NULL, NULL, &db));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(":memory:", NULL, NULL));
}

static void test_reading_and_writing(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_snapshot* snapshot = NULL;
    northstar_names* names = NULL;
    const void* value = NULL;
    void* copy = NULL;
    size_t size = 0, count = 0;
    char buffer[4];
    uint64_t txn = 0, time_us = 0, entries = 0, erased = 0, base = 77, savepoint = 0;
    int done = -1;

    OK(northstar_begin_write(db, 1000, NORTHSTAR_DURABILITY_FULL, &tx));
    OK(northstar_txn_base(tx, &base));
    CHECK(base == 0);
    CODE(NORTHSTAR_ABSENT, northstar_txn_get(tx, S("t"), S("a"), &value, &size));
    OK(northstar_put(tx, S("t"), S("a"), S("apple")));
    OK(northstar_put(tx, S("t"), S("empty"), NULL, 0));
    OK(northstar_put(tx, S("t"), S("z\0z"), S("\0\1\2")));
    OK(northstar_txn_get(tx, S("t"), S("a"), &value, &size));
    CHECK(same(value, size, "apple"));
    OK(northstar_txn_size(tx, S("t"), &entries));
    CHECK(entries == 3);

    OK(northstar_put_if_absent(tx, S("t"), S("a"), S("other"), &done));
    CHECK(done == 0);
    OK(northstar_put_if_absent(tx, S("t"), S("b"), S("banana"), &done));
    CHECK(done == 1);
    OK(northstar_compare_and_swap(tx, S("t"), S("b"), 1, S("cherry"), 1, S("no"), &done));
    CHECK(done == 0);
    OK(northstar_compare_and_swap(tx, S("t"), S("b"), 1, S("banana"), 1, S("blueberry"), &done));
    CHECK(done == 1);
    OK(northstar_compare_and_swap(tx, S("t"), S("c"), 0, NULL, 0, 1, S("cherry"), &done));
    CHECK(done == 1);
    OK(northstar_compare_and_swap(tx, S("t"), S("c"), 1, S("cherry"), 0, NULL, 0, &done));
    CHECK(done == 1);
    CODE(NORTHSTAR_ABSENT, northstar_txn_get(tx, S("t"), S("c"), &value, &size));
    CODE(NORTHSTAR_ABSENT, northstar_erase(tx, S("t"), S("nothing")));

    OK(northstar_savepoint(tx, &savepoint));
    OK(northstar_erase(tx, S("t"), S("a")));
    OK(northstar_put(tx, S("gone"), S("k"), S("v")));
    OK(northstar_rollback_to(tx, savepoint));
    OK(northstar_txn_get(tx, S("t"), S("a"), &value, &size));
    CHECK(same(value, size, "apple"));

    OK(northstar_append(tx, S("log"), S("1"), S("one")));
    OK(northstar_append(tx, S("log"), S("2"), S("two")));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_append(tx, S("log"), S("1"), S("again")));
    OK(northstar_put(tx, S("r"), S("1"), S("x")));
    OK(northstar_put(tx, S("r"), S("2"), S("x")));
    OK(northstar_put(tx, S("r"), S("3"), S("x")));
    OK(northstar_erase_range(tx, S("r"), S("1"), 1, S("3"), &erased));
    CHECK(erased == 2);
    OK(northstar_erase_range(tx, S("r"), NULL, 0, 0, NULL, 0, &erased));
    CHECK(erased == 1);
    CODE(NORTHSTAR_ABSENT, northstar_create_tree(tx, S("made")));
    OK(northstar_create_tree(tx, S("made")));
    OK(northstar_drop_tree(tx, S("made")));
    OK(northstar_drop_tree(tx, S("r")));
    CODE(NORTHSTAR_ABSENT, northstar_drop_tree(tx, S("r")));
    OK(northstar_annotate(tx, S("who"), S("capi_test")));
    OK(northstar_set_time(tx, 1000000));
    OK(northstar_commit(tx, &txn, &time_us));
    CHECK(txn == 1 && time_us == 1000000);
    CODE(NORTHSTAR_MISUSE, northstar_commit(tx, NULL, NULL));
    CODE(NORTHSTAR_MISUSE, northstar_put(tx, S("t"), S("a"), S("late")));
    CODE(NORTHSTAR_MISUSE, northstar_rollback(tx));

    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_snapshot_txn(snapshot, &txn));
    OK(northstar_snapshot_time(snapshot, &time_us));
    CHECK(txn == 1 && time_us == 1000000);
    OK(northstar_get(snapshot, S("t"), S("b"), &value, &size));
    CHECK(same(value, size, "blueberry"));
    OK(northstar_get(snapshot, S("t"), S("empty"), &value, &size));
    CHECK(value != NULL && size == 0);
    OK(northstar_get(snapshot, S("t"), S("z\0z"), &value, &size));
    CHECK(size == 3 && memcmp(value, "\0\1\2", 3) == 0);
    CODE(NORTHSTAR_ABSENT, northstar_get(snapshot, S("t"), S("c"), &value, &size));
    CODE(NORTHSTAR_ABSENT, northstar_get(snapshot, S("no such tree"), S("c"), &value, &size));
    OK(northstar_get_into(snapshot, S("t"), S("a"), buffer, sizeof buffer, &size));
    CHECK(size == 5 && memcmp(buffer, "appl", 4) == 0);
    OK(northstar_get_into(snapshot, S("t"), S("a"), NULL, 0, &size));
    CHECK(size == 5);
    OK(northstar_get_copy(snapshot, S("t"), S("a"), &copy, &size));
    CHECK(size == 5 && strcmp((const char*)copy, "apple") == 0);
    northstar_free(copy);
    CODE(NORTHSTAR_ABSENT, northstar_get_copy(snapshot, S("t"), S("c"), &copy, &size));
    OK(northstar_size(snapshot, S("t"), &entries));
    CHECK(entries == 4);
    uint32_t depth = 0;
    uint64_t inner_pages = 9, leaves = 0, value_pages = 9, space = 0;
    OK(northstar_tree_space(snapshot, S("t"), &depth, &inner_pages, &leaves, &value_pages, &space));
    CHECK(depth == 1 && inner_pages == 0 && leaves == 1 && value_pages == 0 && space == 4096);
    OK(northstar_tree_space(snapshot, S("t"), NULL, NULL, NULL, NULL, NULL));
    OK(northstar_size(snapshot, S("no such tree"), &entries));
    CHECK(entries == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_get(snapshot, S("t"), NULL, 1, &value, &size));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_get(snapshot, S("t"), S("a"), NULL, &size));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_get(snapshot, S("t"), "a", SIZE_MAX, &value, &size));

    OK(northstar_tree_names(snapshot, &names));
    OK(northstar_names_count(names, &count));
    CHECK(count == 2);
    OK(northstar_names_get(names, 0, &value, &size));
    CHECK(same(value, size, "log"));
    OK(northstar_names_get(names, 1, &value, &size));
    CHECK(same(value, size, "t"));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_names_get(names, 2, &value, &size));
    OK(northstar_names_close(names));
    CODE(NORTHSTAR_MISUSE, northstar_names_count(names, &count));

    /* What the snapshot sees stays, whatever comes after it. */
    put_one(db, "a", "avocado");
    OK(northstar_get(snapshot, S("t"), S("a"), &value, &size));
    CHECK(same(value, size, "apple"));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_LAZY, &tx));
    OK(northstar_put(tx, S("t"), S("a"), S("rolled back")));
    OK(northstar_rollback(tx));
    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_get(snapshot, S("t"), S("a"), &value, &size));
    CHECK(same(value, size, "avocado"));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_close(db));
}

static void test_many_trees_of_one_snapshot(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_snapshot* snapshot = NULL;
    const void* value = NULL;
    size_t size = 0;
    int i, round, right = 0;
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    for (i = 0; i < 40; ++i) {
        char name[16];
        snprintf(name, sizeof name, "tree%d", i);
        if (northstar_put(tx, name, strlen(name), S("k"), name, strlen(name)) == NORTHSTAR_OK) ++right;
    }
    CHECK(right == 40);
    OK(northstar_commit(tx, NULL, NULL));
    OK(northstar_begin_read(db, &snapshot));
    right = 0;
    for (round = 0; round < 2; ++round) {
        for (i = 0; i < 40; ++i) {
            char name[16];
            snprintf(name, sizeof name, "tree%d", i);
            if (northstar_get(snapshot, name, strlen(name), S("k"), &value, &size) == NORTHSTAR_OK &&
                same(value, size, name)) {
                ++right;
            }
        }
    }
    CHECK(right == 80);
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_close(db));
}

static void test_cursors(void) {
    northstar_db* db = open_memory();
    northstar_snapshot* snapshot = NULL;
    northstar_txn* tx = NULL;
    northstar_cursor* cursor = NULL;
    const void* data = NULL;
    size_t size = 0;
    uint64_t txn = 0;
    put_one(db, "b", "2");
    put_one(db, "d", "4");
    put_one(db, "f", "6");

    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_cursor_open(snapshot, S("t"), &cursor));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cursor_key(cursor, &data, &size));
    OK(northstar_cursor_first(cursor));
    OK(northstar_cursor_key(cursor, &data, &size));
    CHECK(same(data, size, "b"));
    OK(northstar_cursor_next(cursor));
    OK(northstar_cursor_value(cursor, &data, &size));
    CHECK(same(data, size, "4"));
    OK(northstar_cursor_txn(cursor, &txn));
    CHECK(txn == 2);
    OK(northstar_cursor_prev(cursor));
    CODE(NORTHSTAR_ABSENT, northstar_cursor_prev(cursor));
    OK(northstar_cursor_last(cursor));
    OK(northstar_cursor_key(cursor, &data, &size));
    CHECK(same(data, size, "f"));
    CODE(NORTHSTAR_ABSENT, northstar_cursor_next(cursor));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cursor_value(cursor, &data, &size));
    OK(northstar_cursor_lower_bound(cursor, S("c")));
    OK(northstar_cursor_key(cursor, &data, &size));
    CHECK(same(data, size, "d"));
    OK(northstar_cursor_upper_bound(cursor, S("d")));
    OK(northstar_cursor_key(cursor, &data, &size));
    CHECK(same(data, size, "f"));
    CODE(NORTHSTAR_ABSENT, northstar_cursor_lower_bound(cursor, S("g")));
    CODE(NORTHSTAR_ABSENT, northstar_cursor_find(cursor, S("c")));
    OK(northstar_cursor_find(cursor, S("b")));
    OK(northstar_snapshot_close(snapshot));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_cursor_next(cursor));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_cursor_first(cursor));
    OK(northstar_cursor_close(cursor));
    CODE(NORTHSTAR_MISUSE, northstar_cursor_close(cursor));
    CODE(NORTHSTAR_MISUSE, northstar_cursor_first(cursor));

    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_txn_cursor_open(tx, S("t"), &cursor));
    OK(northstar_put(tx, S("t"), S("c"), S("3")));
    OK(northstar_cursor_lower_bound(cursor, S("c")));
    OK(northstar_cursor_value(cursor, &data, &size));
    CHECK(same(data, size, "3"));
    OK(northstar_commit(tx, NULL, NULL));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_cursor_next(cursor));
    OK(northstar_cursor_close(cursor));
    OK(northstar_close(db));
}

static void test_optimistic(void) {
    northstar_db* db = open_memory();
    northstar_txn* one = NULL;
    northstar_txn* two = NULL;
    northstar_txn* three = NULL;
    const void* value = NULL;
    size_t size = 0;
    put_one(db, "n", "1");
    OK(northstar_begin_optimistic(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &one));
    OK(northstar_begin_optimistic(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &two));
    OK(northstar_txn_get(one, S("t"), S("n"), &value, &size));
    OK(northstar_put(one, S("t"), S("n"), S("2")));
    OK(northstar_txn_get(two, S("t"), S("n"), &value, &size));
    OK(northstar_put(two, S("t"), S("n"), S("3")));
    OK(northstar_commit(one, NULL, NULL));
    CODE(NORTHSTAR_CONFLICT, northstar_commit(two, NULL, NULL));
    CHECK(strcmp(northstar_db_error(db), northstar_last_error()) == 0);
    CHECK(strlen(northstar_db_error(db)) > 0);
    CODE(NORTHSTAR_MISUSE, northstar_rollback(two));

    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &one));
    CODE(NORTHSTAR_MISUSE, northstar_begin_write(db, 1, NORTHSTAR_DURABILITY_DEFAULT, &three));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_begin_optimistic(db, 1, 5, &three));
    OK(northstar_rollback(one));
    OK(northstar_close(db));
}

static void test_moving_on(void) {
    northstar_db* db = open_memory();
    northstar_txn* one = NULL;
    const void* value = NULL;
    size_t size = 0;
    int moved = 0;
    put_one(db, "n", "1");
    OK(northstar_begin_optimistic(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &one));
    OK(northstar_txn_get(one, S("t"), S("n"), &value, &size));
    put_one(db, "n", "2");
    CODE(NORTHSTAR_CONFLICT, northstar_refresh(one, 100, &moved));
    OK(northstar_forget_reads(one));
    OK(northstar_refresh(one, 100, &moved));
    CHECK(moved == 1);
    OK(northstar_txn_get(one, S("t"), S("n"), &value, &size));
    CHECK(same(value, size, "2"));
    OK(northstar_put(one, S("t"), S("mine"), S("1")));
    put_one(db, "n", "3");
    OK(northstar_refresh(one, 0, NULL));
    CODE(NORTHSTAR_CONFLICT, northstar_take_turn(one));
    CODE(NORTHSTAR_MISUSE, northstar_commit(one, NULL, NULL));

    OK(northstar_begin_optimistic(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &one));
    OK(northstar_validate_reads(one, 0));
    OK(northstar_txn_get(one, S("t"), S("n"), &value, &size));
    OK(northstar_put(one, S("t"), S("mine"), S("1")));
    put_one(db, "n", "4");
    OK(northstar_take_turn(one));
    OK(northstar_txn_get(one, S("t"), S("n"), &value, &size));
    CHECK(same(value, size, "4"));
    OK(northstar_commit(one, NULL, NULL));
    OK(northstar_close(db));
}

static void test_errors_of_two_databases(void) {
    northstar_db* one = open_memory();
    northstar_db* two = open_memory();
    northstar_txn* tx = NULL;
    char* huge = (char*)calloc(1, 70000);
    size_t max_key = 0;
    CHECK(huge != NULL);
    CHECK(strcmp(northstar_db_error(one), "") == 0);
    OK(northstar_max_key_size(one, &max_key));
    CHECK(max_key > 0 && max_key < 70000);
    OK(northstar_begin_write(one, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    CODE(NORTHSTAR_KEY_TOO_LARGE, northstar_put(tx, S("t"), huge, 70000, S("v")));
    OK(northstar_rollback(tx));
    CHECK(strlen(northstar_db_error(one)) > 0);
    CHECK(strcmp(northstar_db_error(two), "") == 0);
    free(huge);
    OK(northstar_close(one));
    CHECK(strlen(northstar_db_error(one)) > 0);
    CHECK(northstar_last_error_code() == NORTHSTAR_MISUSE);
    OK(northstar_close(two));
}

static void test_past(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_snapshot* snapshot = NULL;
    northstar_versions* versions = NULL;
    northstar_changes* changes = NULL;
    northstar_version_entry version;
    northstar_change change;
    const void* value = NULL;
    size_t size = 0, count = 0;
    uint64_t txn = 0;
    unsigned char now[32], then[32];
    int i;
    for (i = 1; i <= 3; ++i) {
        OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
        OK(northstar_set_time(tx, (uint64_t)i * 1000000));
        if (i < 3) {
            OK(northstar_put(tx, S("t"), S("k"), i == 1 ? "one" : "two", 3));
        } else {
            OK(northstar_erase(tx, S("t"), S("k")));
        }
        OK(northstar_commit(tx, NULL, NULL));
    }

    OK(northstar_begin_read_as_of_txn(db, 1, &snapshot));
    OK(northstar_get(snapshot, S("t"), S("k"), &value, &size));
    CHECK(same(value, size, "one"));
    OK(northstar_state_hash(snapshot, then));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_begin_read_as_of_time(db, 2500000, &snapshot));
    OK(northstar_snapshot_txn(snapshot, &txn));
    CHECK(txn == 2);
    OK(northstar_get(snapshot, S("t"), S("k"), &value, &size));
    CHECK(same(value, size, "two"));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_state_hash(snapshot, now));
    CHECK(memcmp(now, then, sizeof now) != 0);
    OK(northstar_snapshot_close(snapshot));
    CODE(NORTHSTAR_IN_THE_FUTURE, northstar_begin_read_as_of_txn(db, 99, &snapshot));

    OK(northstar_history(db, S("t"), S("k"), &versions));
    OK(northstar_versions_count(versions, &count));
    CHECK(count == 3);
    version.size = sizeof version;
    OK(northstar_versions_get(versions, 0, &version));
    CHECK(version.txn == 3 && version.time_us == 3000000 && version.value == NULL && version.redacted == 0);
    OK(northstar_versions_get(versions, 2, &version));
    CHECK(version.txn == 1 && same(version.value, version.value_size, "one"));
    version.size = 1;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_versions_get(versions, 0, &version));
    OK(northstar_versions_close(versions));
    CODE(NORTHSTAR_MISUSE, northstar_versions_close(versions));

    OK(northstar_diff(db, NORTHSTAR_AT_TXN, 1, NORTHSTAR_AT_TIME, 2000000, &changes));
    OK(northstar_changes_count(changes, &count));
    CHECK(count == 1);
    change.size = sizeof change;
    OK(northstar_changes_get(changes, 0, &change));
    CHECK(same(change.tree, change.tree_size, "t") && same(change.key, change.key_size, "k"));
    CHECK(same(change.before, change.before_size, "one") && same(change.after, change.after_size, "two"));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_changes_get(changes, 1, &change));
    OK(northstar_changes_close(changes));
    OK(northstar_diff(db, NORTHSTAR_AT_TXN, 2, NORTHSTAR_AT_TXN, 3, &changes));
    OK(northstar_changes_get(changes, 0, &change));
    CHECK(same(change.before, change.before_size, "two") && change.after == NULL);
    OK(northstar_changes_close(changes));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_diff(db, 7, 1, NORTHSTAR_AT_TXN, 2, &changes));
    OK(northstar_close(db));
}

static void test_log(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_commits* commits = NULL;
    northstar_operation operation;
    const void* key = NULL;
    const void* value = NULL;
    size_t key_size = 0, value_size = 0, count = 0;
    uint64_t txn = 0, time_us = 0;
    unsigned char chain[32], kept[32];
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_set_time(tx, 5000000));
    OK(northstar_annotate(tx, S("who"), S("me")));
    OK(northstar_put(tx, S("t"), S("k"), S("v")));
    OK(northstar_commit(tx, NULL, NULL));
    put_one(db, "l", "w");

    OK(northstar_commits_open(db, 1, &commits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_commits_txn(commits, &txn));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_commits_wait(commits, 1));
    OK(northstar_commits_next(commits));
    OK(northstar_commits_txn(commits, &txn));
    OK(northstar_commits_time(commits, &time_us));
    CHECK(txn == 1 && time_us == 5000000);
    OK(northstar_commits_digest(commits, chain));
    OK(northstar_commits_annotation_count(commits, &count));
    CHECK(count == 1);
    OK(northstar_commits_annotation(commits, 0, &key, &key_size, &value, &value_size));
    CHECK(same(key, key_size, "who") && same(value, value_size, "me"));
    CODE(NORTHSTAR_INVALID_ARGUMENT,
         northstar_commits_annotation(commits, 1, &key, &key_size, &value, &value_size));
    OK(northstar_commits_operation_count(commits, &count));
    CHECK(count == 2);
    operation.size = sizeof operation;
    OK(northstar_commits_operation(commits, 0, &operation));
    CHECK(operation.kind == NORTHSTAR_OPERATION_CREATE_TREE &&
          same(operation.tree, operation.tree_size, "t"));
    OK(northstar_commits_operation(commits, 1, &operation));
    CHECK(operation.kind == NORTHSTAR_OPERATION_PUT && operation.redacted == 0 && operation.to == NULL);
    CHECK(same(operation.key, operation.key_size, "k") && same(operation.value, operation.value_size, "v"));
    OK(northstar_commits_next(commits));
    CODE(NORTHSTAR_ABSENT, northstar_commits_next(commits));
    CODE(NORTHSTAR_ABSENT, northstar_commits_next(commits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_commits_time(commits, &time_us));
    OK(northstar_commits_close(commits));
    CODE(NORTHSTAR_MISUSE, northstar_commits_next(commits));

    OK(northstar_feed_open(db, 2, &commits));
    OK(northstar_commits_wait(commits, 1000));
    OK(northstar_commits_txn(commits, &txn));
    CHECK(txn == 2);
    CODE(NORTHSTAR_ABSENT, northstar_commits_wait(commits, 1));
    put_one(db, "m", "x");
    OK(northstar_commits_wait(commits, 1000));
    OK(northstar_commits_txn(commits, &txn));
    CHECK(txn == 3);
    OK(northstar_feed_position(commits, &txn, chain));
    CHECK(txn == 3);
    OK(northstar_chain_hash(db, 3, kept));
    CHECK(memcmp(chain, kept, sizeof chain) == 0);
    OK(northstar_commits_close(commits));
    CODE(NORTHSTAR_NOT_FOUND, northstar_feed_open_after(db, 2, kept, &commits));
    OK(northstar_chain_hash(db, 2, kept));
    OK(northstar_feed_open_after(db, 2, kept, &commits));
    OK(northstar_commits_next(commits));
    OK(northstar_commits_txn(commits, &txn));
    CHECK(txn == 3);
    OK(northstar_commits_close(commits));
    OK(northstar_close(db));
}

static void expect_value(const char* path, const char* key, const char* expected) {
    northstar_options options;
    northstar_db* db = NULL;
    northstar_snapshot* snapshot = NULL;
    const void* value = NULL;
    size_t size = 0;
    OK(northstar_options_init(&options, sizeof options));
    options.create = 0;
    OK(northstar_open(path, &options, &db));
    OK(northstar_begin_read(db, &snapshot));
    if (expected != NULL) {
        OK(northstar_get(snapshot, S("t"), key, strlen(key), &value, &size));
        CHECK(same(value, size, expected));
    } else {
        CODE(NORTHSTAR_ABSENT, northstar_get(snapshot, S("t"), key, strlen(key), &value, &size));
    }
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_close(db));
}

static void test_files_and_care(void) {
    const char* path = path_of("main");
    const char* backup = path_of("backup");
    const char* vacuum = path_of("vacuum");
    const char* restored = path_of("restored");
    const char* replayed = path_of("replayed");
    northstar_db* db = NULL;
    northstar_snapshot* past = NULL;
    uint64_t oldest = 0;
    northstar_db* twice = NULL;
    northstar_statistics statistics;
    char* text = NULL;
    uint64_t problems = 99, released = 0, number = 0;
    struct {
        northstar_statistics known;
        uint64_t later;
    } longer;

    OK(northstar_open(path, NULL, &db));
    CODE(NORTHSTAR_ALREADY_OPEN, northstar_open(path, NULL, &twice));
    put_one(db, "k", "old");
    put_one(db, "k", "new");
    OK(northstar_sync(db));
    OK(northstar_checkpoint(db));

    statistics.size = sizeof statistics;
    OK(northstar_get_statistics(db, &statistics));
    CHECK(statistics.size == sizeof statistics && statistics.txn == 2 && statistics.durable_txn == 2);
    CHECK(statistics.page_size == 4096 && statistics.entries == 1 && statistics.poisoned == 0);
    memset(&longer, 0xff, sizeof longer);
    longer.known.size = sizeof longer;
    OK(northstar_get_statistics(db, &longer.known));
    CHECK(longer.later == 0 && longer.known.txn == 2);
    memset(&longer, 0xff, sizeof longer);
    longer.known.size = offsetof(northstar_statistics, durable_txn);
    OK(northstar_get_statistics(db, &longer.known));
    CHECK(longer.known.txn == 2 && longer.known.durable_txn == UINT64_MAX);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_get_statistics(db, NULL));

    OK(northstar_verify(db, &problems, &text));
    if (CHECK(text != NULL)) CHECK(problems == 0 && strcmp(text, "") == 0);
    northstar_free(text);
    OK(northstar_verify(db, &problems, NULL));
    OK(northstar_backup(db, backup));
    CODE(NORTHSTAR_ALREADY_EXISTS, northstar_backup(db, backup));
    OK(northstar_vacuum_into(db, vacuum));
    OK(northstar_compact(db, &released));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_backup(db, NULL));
    OK(northstar_close(db));

    OK(northstar_restore(path, restored, NORTHSTAR_AT_TXN, 1));
    OK(northstar_replay(path, replayed, NORTHSTAR_AT_TXN, 2));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_restore(path, restored, 3, 1));
    expect_value(path, "k", "new");
    expect_value(backup, "k", "new");
    expect_value(vacuum, "k", "new");
    expect_value(restored, "k", "old");
    expect_value(replayed, "k", "new");
    expect_value(path, "nothing", NULL);
    OK(northstar_open(path, NULL, &db));
    number = put_one(db, "k", "newer");
    CHECK(number == 3);
    OK(northstar_prune(db, NORTHSTAR_AT_TXN, 2, &oldest));
    {
        unsigned char chain[32];
        unsigned char state[32];
        uint64_t txn = 0;
        OK(northstar_oldest_state(db, &txn, NULL, chain, state));
        CHECK(txn == 2);
    }
    CHECK(oldest == 2);
    CODE(NORTHSTAR_BEFORE_HORIZON, northstar_begin_read_as_of_txn(db, 1, &past));
    CODE(NORTHSTAR_IN_THE_FUTURE, northstar_prune(db, NORTHSTAR_AT_TXN, 99, NULL));
    OK(northstar_close(db));
    remove_database(path);
    remove_database(backup);
    remove_database(vacuum);
    remove_database(restored);
    remove_database(replayed);
}

static void test_redaction(void) {
    northstar_db* db = open_memory();
    northstar_snapshot* held = NULL;
    northstar_commits* commits = NULL;
    northstar_versions* versions = NULL;
    northstar_operation operation;
    northstar_version_entry version;
    northstar_statistics statistics;
    unsigned char before[32];
    unsigned char after[32];
    uint64_t one = put_one(db, "k", "one");
    uint64_t two = put_one(db, "k", "two");
    uint64_t commit = 0;
    const void* value = NULL;
    size_t size = 0;
    OK(northstar_chain_hash(db, two, before));
    CODE(NORTHSTAR_NOT_FOUND, northstar_redact(db, S("t"), S("never"), 0, S("why"), 0, &commit));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_redact(db, S("t"), S("k"), 0, S(""), 0, &commit));
    CHECK(commit == 0);
    OK(northstar_redact(db, S("t"), S("k"), one, S("asked for"), 1000, &commit));
    CHECK(commit == 3);
    OK(northstar_begin_read(db, &held));
    CODE(NORTHSTAR_STILL_HELD, northstar_redact(db, S("t"), S("k"), 0, S("asked for"), 0, NULL));
    OK(northstar_get(held, S("t"), S("k"), &value, &size));
    CHECK(same(value, size, "two"));
    statistics.size = sizeof statistics;
    OK(northstar_get_statistics(db, &statistics));
    CHECK(statistics.redaction_pending == 4);
    OK(northstar_snapshot_close(held));
    CODE(NORTHSTAR_NOT_FOUND, northstar_redact(db, S("t"), S("k"), 0, S("again"), 1000, NULL));
    OK(northstar_chain_hash(db, two, after));
    CHECK(memcmp(before, after, sizeof before) == 0);
    OK(northstar_history(db, S("t"), S("k"), &versions));
    version.size = sizeof version;
    OK(northstar_versions_get(versions, 1, &version));
    CHECK(version.txn == two && version.redacted == 1 && version.value_size == 0);
    OK(northstar_versions_close(versions));
    OK(northstar_commits_open(db, 4, &commits));
    OK(northstar_commits_next(commits));
    operation.size = sizeof operation;
    OK(northstar_commits_operation(commits, 1, &operation));
    CHECK(operation.kind == NORTHSTAR_OPERATION_REDACT && operation.txn == two);
    CHECK(same(operation.key, operation.key_size, "k"));
    OK(northstar_commits_close(commits));
    OK(northstar_close(db));
    CODE(NORTHSTAR_MISUSE, northstar_redact(db, S("t"), S("k"), 0, S("why"), 0, NULL));
}

static void test_read_only(void) {
    const char* path = path_of("read-only");
    northstar_options options;
    northstar_db* db = NULL;
    northstar_txn* tx = NULL;
    OK(northstar_open(path, NULL, &db));
    put_one(db, "k", "v");
    OK(northstar_close(db));
    OK(northstar_options_init(&options, sizeof options));
    options.read_only = 1;
    OK(northstar_open(path, &options, &db));
    CODE(NORTHSTAR_READ_ONLY, northstar_begin_write(db, 1, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_close(db));
    remove_database(path);
}

/* Everything that is open when its database closes, and everything that never was a handle. */
static void test_late_and_false_handles(void) {
    northstar_db* db = open_memory();
    northstar_db* other = NULL;
    northstar_snapshot* snapshot = NULL;
    northstar_snapshot* past = NULL;
    northstar_cursor* cursor = NULL;
    northstar_cursor* past_cursor = NULL;
    northstar_txn* tx = NULL;
    northstar_commits* commits = NULL;
    northstar_commits* feed = NULL;
    northstar_versions* versions = NULL;
    const void* value = NULL;
    size_t size = 0, count = 0;
    int ordinary = 0, code, i, right = 0;
    unsigned long seed = 20240607;

    put_one(db, "k", "v");
    put_one(db, "k", "w");
    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_begin_read_as_of_txn(db, 1, &past));
    OK(northstar_cursor_open(snapshot, S("t"), &cursor));
    OK(northstar_cursor_first(cursor));
    OK(northstar_cursor_open(past, S("t"), &past_cursor));
    OK(northstar_cursor_first(past_cursor));
    OK(northstar_commits_open(db, 1, &commits));
    OK(northstar_commits_next(commits));
    OK(northstar_feed_open(db, 1, &feed));
    OK(northstar_history(db, S("t"), S("k"), &versions));
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_put(tx, S("t"), S("k"), S("never")));

    /* A handle of another kind is not taken for its own. */
    CODE(NORTHSTAR_MISUSE, northstar_snapshot_close((northstar_snapshot*)(void*)db));
    CODE(NORTHSTAR_MISUSE, northstar_cursor_first((northstar_cursor*)(void*)snapshot));
    OK(northstar_close(db));
    CODE(NORTHSTAR_MISUSE, northstar_close(db));
    CODE(NORTHSTAR_MISUSE, northstar_sync(db));
    CODE(NORTHSTAR_MISUSE, northstar_begin_read(db, &snapshot));
    CODE(NORTHSTAR_MISUSE, northstar_begin_write(db, 1, NORTHSTAR_DURABILITY_DEFAULT, &tx));

    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_get(snapshot, S("t"), S("k"), &value, &size));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_get(past, S("t"), S("k"), &value, &size));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_cursor_next(cursor));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_cursor_next(past_cursor));
    code = northstar_put(tx, S("t"), S("k"), S("late"));
    CHECK(code == NORTHSTAR_MISUSE || code == NORTHSTAR_SNAPSHOT_CLOSED);
    code = northstar_commits_next(commits);
    CHECK(code == NORTHSTAR_MISUSE || code == NORTHSTAR_SNAPSHOT_CLOSED);
    code = northstar_commits_wait(feed, 1);
    CHECK(code == NORTHSTAR_MISUSE || code == NORTHSTAR_SNAPSHOT_CLOSED);
    OK(northstar_versions_count(versions, &count));
    CHECK(count == 2);
    OK(northstar_cursor_close(cursor));
    OK(northstar_cursor_close(past_cursor));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_snapshot_close(past));
    OK(northstar_commits_close(commits));
    OK(northstar_commits_close(feed));
    OK(northstar_versions_close(versions));
    OK(northstar_rollback(tx));

    /* The place of a closed handle is used again; the old handle still means the old one. */
    other = open_memory();
    for (i = 0; i < 5000; ++i) {
        if (northstar_begin_read(other, &past) == NORTHSTAR_OK && past != snapshot &&
            northstar_snapshot_close(snapshot) == NORTHSTAR_MISUSE &&
            northstar_snapshot_close(past) == NORTHSTAR_OK) {
            ++right;
        }
    }
    CHECK(right == 5000);
    CODE(NORTHSTAR_MISUSE, northstar_sync(db));

    /* NULL, the address of something else, and numbers by chance. */
    CODE(NORTHSTAR_MISUSE, northstar_sync(NULL));
    CODE(NORTHSTAR_MISUSE, northstar_commit(NULL, NULL, NULL));
    OK(northstar_close(NULL));
    OK(northstar_snapshot_close(NULL));
    OK(northstar_rollback(NULL));
    OK(northstar_cursor_close(NULL));
    OK(northstar_commits_close(NULL));
    OK(northstar_versions_close(NULL));
    OK(northstar_changes_close(NULL));
    OK(northstar_names_close(NULL));
    CODE(NORTHSTAR_MISUSE, northstar_sync((northstar_db*)(void*)&ordinary));
    right = 0;
    for (i = 0; i < 10000; ++i) {
        seed = (seed * 1103515245ul + 12345ul) & 0xfffffffful;
        if (northstar_cursor_first((northstar_cursor*)(uintptr_t)(seed | 1ul)) == NORTHSTAR_MISUSE) ++right;
    }
    CHECK(right == 10000);
    OK(northstar_close(other));
}

int main(void) {
    test_versions_and_codes();
    test_options();
    test_reading_and_writing();
    test_many_trees_of_one_snapshot();
    test_cursors();
    test_optimistic();
    test_moving_on();
    test_errors_of_two_databases();
    test_past();
    test_log();
    test_files_and_care();
    test_redaction();
    test_read_only();
    test_late_and_false_handles();
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
