/* capi_support.h -- what the tests of the C interface share: checks that are counted, places for files. */
#ifndef NORTHSTAR_CAPI_SUPPORT_H
#define NORTHSTAR_CAPI_SUPPORT_H

#include "northstar.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int passed = 0;
static int failed = 0;

static int check(int good, const char* what, int line) {
    if (good) {
        ++passed;
    } else {
        ++failed;
        printf("line %d: %s is false; last error: %s\n", line, what, northstar_last_error());
    }
    return good;
}

static void check_code(int code, int expected, const char* what, int line) {
    if (code == expected) {
        ++passed;
    } else {
        ++failed;
        printf("line %d: %s is %s, not %s; last error: %s\n", line, what, northstar_code_name(code),
               northstar_code_name(expected), northstar_last_error());
    }
}

#define CHECK(condition) check((condition), #condition, __LINE__)
#define CODE(expected, call) check_code((call), (expected), #call, __LINE__)
#define OK(call) CODE(NORTHSTAR_OK, call)
#define S(text) (text), sizeof(text) - 1

static int same(const void* data, size_t size, const char* text) {
    return data != NULL && size == strlen(text) && memcmp(data, text, size) == 0;
}

/* The file, and the words that its processes share beside it. */
static inline void remove_database(const char* path) {
    char name[320];
    snprintf(name, sizeof name, "%s-shared", path);
    remove(path);
    remove(name);
}

/* A path of this process's own, so that runs beside each other do not meet. */
static inline const char* path_of(const char* name) {
    static char paths[8][256];
    static int next = 0;
    const char* directory = getenv("TMPDIR");
    char* path = paths[next++ % 8];
    snprintf(path, 256, "%s/northstar-capi-%p-%ld-%s.db", directory != NULL ? directory : "/tmp", (void*)&next,
             (long)time(NULL), name);
    remove_database(path);
    return path;
}

static northstar_db* open_memory(void) {
    northstar_db* db = NULL;
    OK(northstar_open(":memory:", NULL, &db));
    return db;
}

/* Puts one entry in a transaction of its own; returns its number. */
static inline uint64_t put_one(northstar_db* db, const char* key, const char* value) {
    northstar_txn* tx = NULL;
    uint64_t txn = 0;
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    OK(northstar_put(tx, S("t"), key, strlen(key), value, strlen(value)));
    OK(northstar_commit(tx, &txn, NULL));
    return txn;
}

#endif
