/* use.c -- a C99 program on the public header; the library behind it was compiled as C++. */
#include "northstar.hpp"

#include <stdio.h>
#include <string.h>

int main(void) {
    northstar_db* db = NULL;
    northstar_txn* txn = NULL;
    northstar_snapshot* snapshot = NULL;
    const void* value = NULL;
    size_t size = 0;
    uint64_t number = 0;
    if (northstar_open(":memory:", NULL, &db) != NORTHSTAR_OK) return 1;
    if (northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &txn) != NORTHSTAR_OK) return 2;
    if (northstar_put(txn, "t", 1, "key", 3, "value", 5) != NORTHSTAR_OK) return 3;
    if (northstar_commit(txn, &number, NULL) != NORTHSTAR_OK || number != 1) return 4;
    if (northstar_begin_read(db, &snapshot) != NORTHSTAR_OK) return 5;
    if (northstar_get(snapshot, "t", 1, "key", 3, &value, &size) != NORTHSTAR_OK) return 6;
    if (size != 5 || memcmp(value, "value", 5) != 0) return 7;
    if (northstar_snapshot_close(snapshot) != NORTHSTAR_OK || northstar_close(db) != NORTHSTAR_OK) return 8;
    if (strcmp(northstar_source_id(), NORTHSTAR_SOURCE_ID) != 0) return 9;
    if (northstar_abi_version() != NORTHSTAR_ABI_VERSION) return 10;
    printf("%s from C\n", northstar_version());
    return 0;
}
