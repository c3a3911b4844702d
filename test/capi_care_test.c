/* capi_care_test.c -- the C interface, compiled as C99: asking more at a time, what is kept, reports, bad input.
   [ERR-2][ERR-3][ERR-4][KV-4] */
#include "capi_support.h"

static void test_asking_more(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_snapshot* snapshot = NULL;
    northstar_names* names = NULL;
    const void* keys[70];
    size_t key_sizes[70];
    const void* values[70];
    size_t value_sizes[70];
    char texts[70][8];
    uint64_t txn = 0, count = 0, low = 0, high = 0;
    size_t named = 0;
    int exists = -1, i, right = 0;
    const char* path = NULL;
    char uuid[37];

    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_txn_exists(tx, S("t"), &exists));
    CHECK(exists == 0);
    for (i = 0; i < 70; i += 2) {
        snprintf(texts[i], sizeof texts[i], "k%02d", i);
        OK(northstar_put(tx, S("t"), texts[i], 3, texts[i], 3));
    }
    OK(northstar_txn_exists(tx, S("t"), &exists));
    CHECK(exists == 1);
    OK(northstar_txn_tree_names(tx, &names));
    OK(northstar_names_count(names, &named));
    CHECK(named == 1);
    OK(northstar_names_close(names));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_set_durability(tx, NORTHSTAR_DURABILITY_DEFAULT));
    OK(northstar_set_durability(tx, NORTHSTAR_DURABILITY_LAZY));
    OK(northstar_commit(tx, NULL, NULL));
    put_one(db, "k02", "newer");

    OK(northstar_begin_read(db, &snapshot));
    OK(northstar_exists(snapshot, S("t"), &exists));
    CHECK(exists == 1);
    OK(northstar_exists(snapshot, S("u"), &exists));
    CHECK(exists == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_exists(snapshot, S("t"), NULL));
    OK(northstar_entry_txn(snapshot, S("t"), S("k02"), &txn));
    CHECK(txn == 2);
    OK(northstar_entry_txn(snapshot, S("t"), S("k04"), &txn));
    CHECK(txn == 1);
    CODE(NORTHSTAR_ABSENT, northstar_entry_txn(snapshot, S("t"), S("k03"), &txn));
    for (i = 0; i < 70; ++i) {
        snprintf(texts[i], sizeof texts[i], "k%02d", i);
        keys[i] = texts[i];
        key_sizes[i] = 3;
        values[i] = texts;
        value_sizes[i] = 99;
    }
    OK(northstar_multi_get(snapshot, S("t"), 70, keys, key_sizes, values, value_sizes));
    for (i = 0; i < 70; ++i) {
        if (i % 2 == 1) {
            if (values[i] == NULL && value_sizes[i] == 0) ++right;
        } else if (same(values[i], value_sizes[i], i == 2 ? "newer" : texts[i])) {
            ++right;
        }
    }
    CHECK(right == 70);
    OK(northstar_multi_get(snapshot, S("t"), 0, NULL, NULL, NULL, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_multi_get(snapshot, S("t"), 1, keys, key_sizes, NULL, value_sizes));
    OK(northstar_estimate(snapshot, S("t"), S("k10"), S("k20"), &count, &low, &high));
    CHECK(low <= 5 && 5 <= high && low <= count && count <= high);
    OK(northstar_estimate(snapshot, S("t"), S("k20"), S("k10"), &count, NULL, NULL));
    CHECK(count == 0);
    {
        size_t size = 77;
        CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_get_into(snapshot, S("t"), S("k02"), NULL, 3, &size));
        CHECK(size == 77);
        OK(northstar_get_into(snapshot, S("t"), S("k02"), NULL, 0, &size));
        CHECK(size == 5);
    }
    OK(northstar_snapshot_close(snapshot));
    CODE(NORTHSTAR_MISUSE, northstar_exists(snapshot, S("t"), &exists));

    OK(northstar_path(db, &path));
    CHECK(path != NULL && strcmp(path, ":memory:") == 0);
    memset(uuid, 'x', sizeof uuid);
    OK(northstar_uuid(db, uuid));
    CHECK(strlen(uuid) == 36 && uuid[8] == '-');
    CODE(NORTHSTAR_ABSENT, northstar_parent(db, uuid, NULL, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_uuid(db, NULL));
    OK(northstar_close(db));
}

/* Of a tree of many pages an estimate is no count: what it says must hold all the same. */
static void test_estimates(void) {
    enum { k_entries = 20000, k_step = 1111 };
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_snapshot* snapshot = NULL;
    uint64_t count = 0, low = 0, high = 0;
    char from[16], to[16];
    unsigned i, j, above = 0, below = 0;
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    for (i = 0; i < k_entries; ++i) {
        /* Leaves of few entries and of many. */
        static const char value[800];
        snprintf(from, sizeof from, "%05u", i);
        if (northstar_append(tx, S("t"), from, 5, value, i % 2000 < 500 ? 800 : 1) != NORTHSTAR_OK) break;
    }
    CHECK(i == k_entries);
    OK(northstar_commit(tx, NULL, NULL));
    OK(northstar_begin_read(db, &snapshot));
    for (i = 0; i < k_entries; i += k_step) {
        for (j = i; j < k_entries; j += k_step) {
            const uint64_t real = j - i;
            snprintf(from, sizeof from, "%05u", i);
            snprintf(to, sizeof to, "%05u", j);
            count = low = high = 12345678;
            OK(northstar_estimate(snapshot, S("t"), from, 5, to, 5, &count, &low, &high));
            CHECK(low <= real && real <= high && low <= count && count <= high);
            if (count > real) ++above;
            if (count < real) ++below;
        }
    }
    CHECK(above > 0 && below > 0);
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_close(db));
}

/* What a range deletion says of its end in the log, where it has one. */
static void test_logged_ranges(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_commits* commits = NULL;
    northstar_operation operation;
    size_t count = 0, i, bounded = 0, unbounded = 0;
    uint64_t erased = 0;
    put_one(db, "a", "1");
    put_one(db, "c", "2");
    put_one(db, "e", "3");
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_erase_range(tx, S("t"), S("b"), 1, S("d"), &erased));
    CHECK(erased == 1);
    OK(northstar_erase_range(tx, S("t"), S("e"), 0, NULL, 0, &erased));
    CHECK(erased == 1);
    OK(northstar_commit(tx, NULL, NULL));
    OK(northstar_commits_open(db, 4, &commits));
    OK(northstar_commits_next(commits));
    OK(northstar_commits_operation_count(commits, &count));
    for (i = 0; i < count; ++i) {
        operation.size = sizeof operation;
        OK(northstar_commits_operation(commits, i, &operation));
        if (!CHECK(operation.kind == NORTHSTAR_OPERATION_ERASE_RANGE)) continue;
        if (operation.to == NULL) {
            CHECK(same(operation.key, operation.key_size, "e") && operation.to_size == 0);
            ++unbounded;
        } else {
            CHECK(same(operation.key, operation.key_size, "b") && same(operation.to, operation.to_size, "d"));
            ++bounded;
        }
    }
    CHECK(bounded == 1 && unbounded == 1);
    OK(northstar_commits_close(commits));
    OK(northstar_close(db));
}

static void test_retention_and_consumers(void) {
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    uint64_t amount = 0, txn = 99, oldest = 0;
    int kind = -1;
    unsigned char chain[32], kept[32], state[32];
    /* Nobody pruned, so there is no hash of a state that the past begins with. */
    memset(state, 0x5a, sizeof state);
    CODE(NORTHSTAR_ABSENT, northstar_oldest_state(db, &txn, NULL, chain, state));
    CHECK(txn == 0 && state[0] == 0x5a && state[31] == 0x5a);
    txn = 99;
    OK(northstar_get_history(db, &kind, &amount));
    CHECK(kind == NORTHSTAR_HISTORY_EVERYTHING);
    OK(northstar_set_history(db, NORTHSTAR_HISTORY_LAST_TXNS, 1000));
    OK(northstar_get_history(db, &kind, &amount));
    CHECK(kind == NORTHSTAR_HISTORY_LAST_TXNS && amount == 1000);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_set_history(db, 17, 0));
    OK(northstar_get_history(db, &kind, NULL));
    OK(northstar_set_history(db, NORTHSTAR_HISTORY_EVERYTHING, 0));
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_set_tree_history(tx, S("cache"), NORTHSTAR_HISTORY_NOTHING, 0));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_set_tree_history(tx, S("cache"), -1, 0));
    OK(northstar_commit(tx, NULL, NULL));
    put_one(db, "a", "1");
    put_one(db, "a", "2");

    CODE(NORTHSTAR_ABSENT, northstar_consumer(db, S("mirror"), &txn, kept));
    OK(northstar_chain_hash(db, 4, chain));
    OK(northstar_acknowledge(db, S("mirror"), 4, chain));
    OK(northstar_consumer(db, S("mirror"), &txn, kept));
    CHECK(txn == 4 && memcmp(chain, kept, sizeof chain) == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_acknowledge(db, S("mirror"), 4, NULL));
    /* What somebody else put there is no position. */
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_put(tx, S("northstar.consumers"), S("short"), S("12345678")));
    OK(northstar_put(tx, S("northstar.consumers"), S("long"), S("12345678901234567890123456789012345678901")));
    OK(northstar_commit(tx, NULL, NULL));
    CODE(NORTHSTAR_ABSENT, northstar_consumer(db, S("short"), &txn, kept));
    CODE(NORTHSTAR_ABSENT, northstar_consumer(db, S("long"), &txn, kept));

    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_prune(db, 9, 1, &oldest));
    CODE(NORTHSTAR_MISUSE, northstar_prune(NULL, NORTHSTAR_AT_TXN, 1, &oldest));
    OK(northstar_prune(db, NORTHSTAR_AT_TXN, 4, &oldest));
    CHECK(oldest == 4);
    OK(northstar_close(db));
}

static void test_reports(void) {
    const char* path = path_of("report");
    northstar_db* db = NULL;
    northstar_report* report = NULL;
    northstar_report_numbers numbers;
    northstar_problem problem;
    northstar_options options;
    FILE* file;
    long at;
    int i;
    OK(northstar_open(path, NULL, &db));
    put_one(db, "a", "1");
    put_one(db, "b", "2");
    OK(northstar_checkpoint(db));
    OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_ALL, &report));
    numbers.size = sizeof numbers;
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.problems == 0 && numbers.entries >= 2 && numbers.records >= 2 && numbers.last_txn == 2);
    problem.size = sizeof problem;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_report_problem(report, 0, &problem));
    OK(northstar_report_close(report));
    CODE(NORTHSTAR_MISUSE, northstar_report_counts(report, &numbers));
    OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_LOG, &report));
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.pages == 0 && numbers.records >= 2);
    OK(northstar_report_close(report));
    /* More past than is worth leaving out of the history: each part is looked at alone. */
    for (i = 0; i < 20; ++i) {
        static char value[100001];
        memset(value, 'a' + i, sizeof value - 1);
        put_one(db, "b", value);
    }
    OK(northstar_checkpoint(db));
    OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_HISTORY, &report));
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.problems == 0 && numbers.versions >= 20 && numbers.records == 0 && numbers.pages == 0);
    OK(northstar_report_close(report));
    OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_STRUCTURE, &report));
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.problems == 0 && numbers.versions == 0 && numbers.records == 0 && numbers.pages > 0);
    OK(northstar_report_close(report));
    OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_ALL, &report));
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.problems == 0 && numbers.versions >= 20 && numbers.records >= 22 && numbers.pages > 0);
    OK(northstar_report_close(report));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_verify_parts(db, 8, &report));
    OK(northstar_close(db));

    /* Damage in every page but the first two: where it matters it is told one by one. */
    file = fopen(path, "r+b");
    if (!CHECK(file != NULL)) return;
    for (at = 8192 + 64; fseek(file, at, SEEK_SET) == 0 && fgetc(file) != EOF; at += 512) {
        fseek(file, at, SEEK_SET);
        fputc(0x5a, file);
        fflush(file);
    }
    fclose(file);
    OK(northstar_options_init(&options, sizeof options));
    options.read_only = 1;
    if (northstar_open(path, &options, &db) == NORTHSTAR_OK) {
        OK(northstar_verify_parts(db, NORTHSTAR_VERIFY_ALL, &report));
        OK(northstar_report_counts(report, &numbers));
        if (CHECK(numbers.problems > 0)) {
            OK(northstar_report_problem(report, 0, &problem));
            CHECK(problem.code == NORTHSTAR_CORRUPT && strlen(problem.where) > 0 && strlen(problem.what) > 10);
            CHECK(strlen(problem.affects) > 0);
        }
        OK(northstar_report_close(report));
        OK(northstar_close(db));
    } else {
        CHECK(northstar_last_error_code() == NORTHSTAR_CORRUPT);
        CHECK(strcmp(northstar_last_error_file(), path) == 0);
    }
    remove_database(path);
}

/* Each kind of bad file and bad input, as a C program meets it. */
static void test_bad_input(void) {
    const char* text = path_of("text");
    const char* whole = path_of("whole");
    const char* cut = path_of("cut");
    northstar_options options, existing;
    northstar_db* db = NULL;
    northstar_txn* tx = NULL;
    static char bytes[300000];
    size_t size = 0;
    FILE* file = fopen(text, "wb");
    if (!CHECK(file != NULL)) return;
    memset(bytes, 'x', sizeof bytes);
    fwrite(bytes, 1, 20000, file);
    fclose(file);
    CODE(NORTHSTAR_NOT_A_DATABASE, northstar_open(text, NULL, &db));
    CHECK(strcmp(northstar_last_error_file(), text) == 0);
    CODE(NORTHSTAR_IS_DIRECTORY, northstar_open("/", NULL, &db));
    CODE(NORTHSTAR_IS_DIRECTORY, northstar_open("/dev/null", NULL, &db));
    CODE(NORTHSTAR_NOT_FOUND, northstar_open("/no such directory/a.db", NULL, &db));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open("", NULL, &db));

    OK(northstar_open(whole, NULL, &db));
    put_one(db, "k", "v");
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    CODE(NORTHSTAR_KEY_TOO_LARGE, northstar_put(tx, S("new"), bytes, 5000, S("v")));
    CODE(NORTHSTAR_VALUE_TOO_LARGE, northstar_put(tx, S("new"), S("k"), bytes, (size_t)NORTHSTAR_MAX_VALUE_SIZE + 1));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_put(tx, S(""), S("k"), S("v")));
    CODE(NORTHSTAR_MISUSE, northstar_begin_write(db, 1, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    {
        uint64_t txn = 77;
        /* What was refused made nothing, the tree neither. */
        OK(northstar_commit(tx, &txn, NULL));
        CHECK(txn == 0);
    }
    OK(northstar_close(db));

    OK(northstar_options_init(&options, sizeof options));
    options.page_size = 8192;
    CODE(NORTHSTAR_PAGE_SIZE_MISMATCH, northstar_open(whole, &options, &db));
    options.page_size = 1000;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_open(whole, &options, &db));
    OK(northstar_options_init(&existing, sizeof existing));
    existing.create = 0;
    file = fopen(whole, "rb");
    if (!CHECK(file != NULL)) return;
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    file = fopen(cut, "wb");
    if (!CHECK(file != NULL)) return;
    fwrite(bytes, 1, size / 2, file);
    fclose(file);
    CODE(NORTHSTAR_TRUNCATED, northstar_open(cut, &existing, &db));
    remove_database(text);
    remove_database(whole);
    remove_database(cut);
}

int main(void) {
    test_asking_more();
    test_estimates();
    test_logged_ranges();
    test_retention_and_consumers();
    test_reports();
    test_bad_input();
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
