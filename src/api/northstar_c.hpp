// northstar_c.hpp -- the C interface of Northstar: the same abilities, integer codes, nothing throws.
// What a C99 compiler reads of northstar.hpp; in C++ the functions have C linkage.
//
// Results
//   Functions return a code: NORTHSTAR_OK, NORTHSTAR_ABSENT (no error: the key, entry or commit is not
//   there), or a positive number that means the same as northstar::Errc. What goes wrong leaves a sentence,
//   which is read with northstar_last_error() (of this thread) or northstar_db_error() (of this database,
//   from any thread). Out parameters are written on NORTHSTAR_OK only, handles among them; they must not be
//   NULL unless it says so.
//
// Bytes
//   Keys, values and names are pointer and length; they may hold any byte. A pointer may be NULL if its
//   length is 0. Paths end with a zero byte.
//
// Lifetimes
//   * What northstar_get and a snapshot's cursor value hand out lives as long as the snapshot.
//   * What northstar_txn_get and a transaction's cursor value hand out lives until the next write in that
//     transaction, or its end.
//   * A key of a cursor lives until that cursor moves; bytes of a commit until the next
//     northstar_commits_next or northstar_commits_wait; bytes of versions, changes and names until their
//     handle is closed.
//   * None of them outlives its database handle.
//   * What is to be given to northstar_free says so.
//
// Handles
//   Every handle is closed once by its own function, in any order; commit and rollback close a transaction,
//   whatever they return. Closing NULL is NORTHSTAR_OK. A handle is a number in the clothes of a pointer and
//   is looked up, never followed: a handle that is closed, NULL, of another kind or made up is
//   NORTHSTAR_MISUSE. A cursor whose snapshot or transaction ended, and any handle whose database was closed,
//   is NORTHSTAR_SNAPSHOT_CLOSED or NORTHSTAR_MISUSE until it is closed too.
//
// Threads
//   northstar_db may be used by any number of threads. northstar_snapshot may be read by several threads at
//   once. northstar_txn, northstar_cursor and northstar_commits belong to one thread at a time;
//   northstar_versions, northstar_changes, northstar_names and northstar_report never change. One thing is not
//   detected:
//   closing a handle (or, for its cursors, the owner) while another thread is inside a call with it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NORTHSTAR_VERSION_MAJOR 0
#define NORTHSTAR_VERSION_MINOR 1
#define NORTHSTAR_VERSION_PATCH 0
#define NORTHSTAR_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Grows by one when something that existed changes; new functions and longer structs leave it as it is. */
#define NORTHSTAR_ABI_VERSION 1

enum {
    NORTHSTAR_ABSENT = -1, /* not found, no further entry, no commit came: an answer, not an error */
    NORTHSTAR_OK = 0,
    NORTHSTAR_INVALID_ARGUMENT = 1, /* an argument makes no sense; nothing was changed */
    NORTHSTAR_MISUSE = 2,    /* a handle that is closed or of another kind; a second write on one thread */
    NORTHSTAR_NOT_FOUND = 3, /* the file or a named thing does not exist */
    NORTHSTAR_TIMEOUT = 4,
    NORTHSTAR_CONFLICT = 5, /* an optimistic transaction read what another one changed */
    NORTHSTAR_READ_ONLY = 6,
    NORTHSTAR_KEY_TOO_LARGE = 7,
    NORTHSTAR_VALUE_TOO_LARGE = 8,
    NORTHSTAR_NO_SPACE = 9,
    NORTHSTAR_NO_MEMORY = 10,
    NORTHSTAR_IO = 11,
    NORTHSTAR_CORRUPT = 12,
    NORTHSTAR_NOT_A_DATABASE = 13,
    NORTHSTAR_NEWER_FORMAT = 14,
    NORTHSTAR_PAGE_SIZE_MISMATCH = 15,
    NORTHSTAR_TRUNCATED = 16,
    NORTHSTAR_LOCKED = 17,
    NORTHSTAR_ALREADY_OPEN = 18,
    NORTHSTAR_PERMISSION = 19,
    NORTHSTAR_IS_DIRECTORY = 20,
    NORTHSTAR_NETWORK_FILE_SYSTEM = 21,
    NORTHSTAR_SNAPSHOT_CLOSED = 22, /* a view was used after its snapshot, transaction or database ended */
    NORTHSTAR_FORKED = 23,
    NORTHSTAR_POISONED = 24,
    NORTHSTAR_OUTCOME_UNKNOWN = 25, /* the commit may or may not be there; reopen and look */
    NORTHSTAR_BEFORE_HORIZON = 26,
    NORTHSTAR_IN_THE_FUTURE = 27,
    NORTHSTAR_UNSUPPORTED = 28,
    NORTHSTAR_TOO_MANY_SNAPSHOTS = 29,
    NORTHSTAR_ALREADY_EXISTS = 30,
    NORTHSTAR_STILL_HELD = 31, /* a redaction is committed and not finished: snapshots still show the values */
    NORTHSTAR_CANCELLED = 32, /* a build was cancelled; nothing was changed */
    NORTHSTAR_STALE = 33 /* the cartridge is older than the snapshot, and only an exact one was asked for */
};

typedef struct northstar_db northstar_db;
typedef struct northstar_snapshot northstar_snapshot;
typedef struct northstar_txn northstar_txn;
typedef struct northstar_cursor northstar_cursor;
typedef struct northstar_commits northstar_commits;
typedef struct northstar_versions northstar_versions;
typedef struct northstar_changes northstar_changes;
typedef struct northstar_names northstar_names;
typedef struct northstar_report northstar_report;

/* The longest value. What the longest key is depends on the page size: northstar_max_key_size. */
#define NORTHSTAR_MAX_VALUE_SIZE 0xffffffffu

/* ---- the library ---- */

int northstar_abi_version(void);           /* NORTHSTAR_ABI_VERSION of the library, not of the header */
const char* northstar_version(void);       /* e.g. "0.1.0" */
const char* northstar_source_id(void);     /* version and hash of all sources of this build */
const char* northstar_code_name(int code); /* e.g. "key_too_large"; never NULL */
/* Gives back what a function says is to be freed. NULL is allowed. */
void northstar_free(void* memory);

/* The newest error on this thread: its sentence ("" if there was none), its code (0), the file ("") and the page
   concerned (UINT64_MAX if none). Successful calls leave them. The texts live until the next error on this
   thread. */
const char* northstar_last_error(void);
int northstar_last_error_code(void);
const char* northstar_last_error_file(void);
uint64_t northstar_last_error_page(void);
/* The newest error of this database and of what was opened from it, on any thread; "" if there was none.
   Never NULL. Lives until this thread's next call of this function. */
const char* northstar_db_error(northstar_db* db);

/* ---- options ---- */

enum {
    NORTHSTAR_HISTORY_NOTHING = 0,
    NORTHSTAR_HISTORY_EVERYTHING = 1,
    NORTHSTAR_HISTORY_LAST_TXNS = 2,
    NORTHSTAR_HISTORY_DURATION = 3
};
enum { NORTHSTAR_DURABILITY_DEFAULT = -1, NORTHSTAR_DURABILITY_FULL = 0, NORTHSTAR_DURABILITY_LAZY = 1 };
enum { NORTHSTAR_READ_MAP = 0, NORTHSTAR_READ_PREAD = 1 };
/* How a point in the past is named: by transaction number, or as the newest commit at or before a time in
   microseconds since 1970-01-01 00:00 UTC. */
enum { NORTHSTAR_AT_TXN = 0, NORTHSTAR_AT_TIME = 1 };
/* Waits for ever. */
#define NORTHSTAR_FOREVER 0xffffffffu

/* Fill it with northstar_options_init(&options, sizeof options), then change what should differ. The size
   says which fields the caller knows; those it does not know are defaults. */
typedef struct northstar_options {
    size_t size;
    int32_t create;                /* 1: make the file if it does not exist */
    int32_t read_only;             /* 0 */
    int32_t exclusive;             /* 0; 1: no other process may have the file open */
    int32_t background;            /* 1; 0: no threads, the caller runs checkpoint and sync */
    uint32_t page_size;            /* 0: 4096, or the file's own */
    uint32_t log_align;            /* 0 or 4096 */
    int32_t history_kind;          /* NORTHSTAR_HISTORY_EVERYTHING */
    int32_t durability;            /* NORTHSTAR_DURABILITY_FULL */
    uint64_t history_amount;       /* transactions or microseconds */
    uint64_t overlay_limit;        /* bytes of memory pages; 0: chosen */
    uint64_t checkpoint_log_bytes; /* 64 MiB */
    uint64_t map_size;             /* bytes of address space; 0: chosen */
    uint32_t lazy_flush_ms;        /* 100 */
    int32_t read_mode;             /* NORTHSTAR_READ_MAP */
} northstar_options;

int northstar_options_init(northstar_options* options, size_t size);

/* ---- databases ---- */

/* path ":memory:" makes a database in memory; options NULL: defaults. */
int northstar_open(const char* path, const northstar_options* options, northstar_db** db);
/* Makes a checkpoint and releases everything. The handle is closed even if an error is returned. */
int northstar_close(northstar_db* db);
/* Makes every lazy commit durable. */
int northstar_sync(northstar_db* db);
int northstar_checkpoint(northstar_db* db);
/* A consistent copy with log and history, while others write. The destination must not exist. */
int northstar_backup(northstar_db* db, const char* destination);
/* A dense copy of the present state, without the past. */
int northstar_vacuum_into(northstar_db* db, const char* destination);
/* Writes to destination the state that the file source had at a point (NORTHSTAR_AT_...), with its log up to
 * there. */
int northstar_restore(const char* source, const char* destination, int at, uint64_t point);
/* The same, built anew from the log of source. */
int northstar_replay(const char* source, const char* destination, int at, uint64_t point);
/* Cuts unused pages off the file's end; released (may be NULL) is the number of bytes. */
int northstar_compact(northstar_db* db, uint64_t* released);
/* Erases the values that a txn (0: every txn so far) wrote to a key, from log, pages, history and free space, by a
   commit with the reason; its number goes to commit (may be NULL). NORTHSTAR_NOT_FOUND: there is no such value.
   NORTHSTAR_STILL_HELD: committed, and finished when snapshots that were opened before are closed, which did not
   happen within timeout_ms; see redaction_pending of the statistics. */
int northstar_redact(northstar_db* db, const void* tree, size_t tree_size, const void* key, size_t key_size,
                     uint64_t txn, const void* reason, size_t reason_size, uint32_t timeout_ms, uint64_t* commit);
/* Checks everything. Found problems are not an error of the call: NORTHSTAR_OK, and problems is their number.
   text (may be NULL) has one line for each, "" if there is none; give it to northstar_free. */
int northstar_verify(northstar_db* db, uint64_t* problems, char** text);
enum {
    NORTHSTAR_VERIFY_STRUCTURE = 1, /* pages, checksums, key order, space accounting */
    NORTHSTAR_VERIFY_LOG = 2,       /* records and chain */
    NORTHSTAR_VERIFY_HISTORY = 4,   /* history rebuilt from the log and compared */
    NORTHSTAR_VERIFY_ALL = 7
};
/* Set size to sizeof(northstar_report_numbers) before the call. */
typedef struct northstar_report_numbers {
    size_t size;
    uint64_t problems;
    uint64_t pages, entries, records, versions; /* that were looked at */
    uint64_t first_txn, last_txn;               /* of the log */
} northstar_report_numbers;
/* Set size to sizeof(northstar_problem) before the call. The texts live until the report is closed. */
typedef struct northstar_problem {
    size_t size;
    int32_t code;
    const char* where;   /* "page 17", "txn 42", ... */
    const char* what;    /* one sentence */
    const char* affects; /* tree and key range, txns, or the whole database */
} northstar_problem;
/* The same in parts (NORTHSTAR_VERIFY_... added up), with what was found one by one. */
int northstar_verify_parts(northstar_db* db, unsigned parts, northstar_report** report);
int northstar_report_close(northstar_report* report);
int northstar_report_counts(northstar_report* report, northstar_report_numbers* numbers);
int northstar_report_problem(northstar_report* report, size_t index, northstar_problem* problem);
/* SHA-256 that stands for the whole log up to a retained txn. */
int northstar_chain_hash(northstar_db* db, uint64_t txn, unsigned char hash[32]);
int northstar_max_key_size(northstar_db* db, size_t* size);
/* As it was given to northstar_open; lives as long as the handle. */
int northstar_path(northstar_db* db, const char** path);
/* 36 characters and a zero byte. */
int northstar_uuid(northstar_db* db, char uuid[37]);
/* What a file made by northstar_vacuum_into was made from; NORTHSTAR_ABSENT of any other. txn and chain may be
   NULL. */
int northstar_parent(northstar_db* db, char uuid[37], uint64_t* txn, unsigned char chain[32]);

/* Counters and gauges. Set size to sizeof(northstar_statistics) before the call; what the library does not
   know of it becomes 0. */
typedef struct northstar_statistics {
    size_t size;
    /* the database */
    uint64_t txn, durable_txn, oldest_txn;
    uint64_t generation, page_size, trees, entries;
    uint64_t file_bytes, used_pages, free_pages, held_pages;
    uint64_t log_bytes, log_bytes_since_checkpoint, history_bytes, history_segments;
    /* this process */
    uint64_t overlay_bytes, overlay_limit, overlay_held_by_snapshots;
    uint64_t snapshots_open, oldest_snapshot_txn, oldest_snapshot_age_us;
    uint64_t commits, conflicts, flushes, checkpoints, replayed_txns;
    uint64_t bytes_written, log_bytes_written, page_bytes_written;
    uint64_t pages_copied, pages_verified;
    uint64_t last_checkpoint_us, slowdown_us;
    uint64_t poisoned; /* 0 or 1 */
    uint64_t redaction_pending; /* first txn whose redactions are not finished; 0: none */
} northstar_statistics;

int northstar_get_statistics(northstar_db* db, northstar_statistics* statistics);

/* ---- snapshots: reading takes no lock and never waits ---- */

int northstar_begin_read(northstar_db* db, northstar_snapshot** snapshot);
int northstar_begin_read_as_of_txn(northstar_db* db, uint64_t txn, northstar_snapshot** snapshot);
int northstar_begin_read_as_of_time(northstar_db* db, uint64_t time_us, northstar_snapshot** snapshot);
int northstar_snapshot_close(northstar_snapshot* snapshot);
int northstar_snapshot_txn(northstar_snapshot* snapshot, uint64_t* txn);
int northstar_snapshot_time(northstar_snapshot* snapshot, uint64_t* time_us);
/* The value of a key, in place; NORTHSTAR_ABSENT if the key or the tree is not there. */
int northstar_get(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                  size_t key_size, const void** value, size_t* value_size);
/* The value copied into the caller's buffer: as much of it as fits. value_size is its whole size, so that the
   buffer was too small if value_size > capacity. */
int northstar_get_into(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                       size_t key_size, void* buffer, size_t capacity, size_t* value_size);
/* The value copied into new memory with a zero byte behind it; give it to northstar_free. */
int northstar_get_copy(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                       size_t key_size, void** value, size_t* value_size);
/* Number of entries; 0 for a tree that does not exist. */
int northstar_size(northstar_snapshot* snapshot, const void* tree, size_t tree_size, uint64_t* entries);
/* 1 if there is such a tree, else 0. */
int northstar_exists(northstar_snapshot* snapshot, const void* tree, size_t tree_size, int* exists);
/* The transaction that wrote the entry; NORTHSTAR_ABSENT if the key is not there. */
int northstar_entry_txn(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                        size_t key_size, uint64_t* txn);
/* values[i] is the value of keys[i], in place, or NULL if it is not there. Faster than as many northstar_get. */
int northstar_multi_get(northstar_snapshot* snapshot, const void* tree, size_t tree_size, size_t count,
                        const void* const* keys, const size_t* key_sizes, const void** values,
                        size_t* value_sizes);
/* Estimated number of entries with from <= key < to; the true number lies in [low, high] (either may be NULL). */
int northstar_estimate(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* from,
                       size_t from_size, const void* to, size_t to_size, uint64_t* count, uint64_t* low,
                       uint64_t* high);
/* Pages from the root to an entry, inner pages, leaves, pages of values too large for a leaf (with more than 64 leaves
 * an estimate), and bytes of all; each may be NULL. NORTHSTAR_INVALID_ARGUMENT for AS OF. Reads the inner pages. */
int northstar_tree_space(northstar_snapshot* snapshot, const void* tree, size_t tree_size, uint32_t* depth,
                         uint64_t* inner_pages, uint64_t* leaf_pages, uint64_t* value_pages, uint64_t* bytes);
/* SHA-256 of all entries of all trees, whatever the layout. Reads everything. */
int northstar_state_hash(northstar_snapshot* snapshot, unsigned char hash[32]);
int northstar_tree_names(northstar_snapshot* snapshot, northstar_names** names);
int northstar_names_close(northstar_names* names);
int northstar_names_count(northstar_names* names, size_t* count);
int northstar_names_get(northstar_names* names, size_t index, const void** name, size_t* name_size);

/* ---- write transactions ---- */

/* The exclusive writer, in turn; waits up to timeout_ms, or NORTHSTAR_FOREVER. durability:
 * NORTHSTAR_DURABILITY_... */
int northstar_begin_write(northstar_db* db, uint32_t timeout_ms, int durability, northstar_txn** txn);
/* Works beside other writers; commit returns NORTHSTAR_CONFLICT if it read what another one changed. */
int northstar_begin_optimistic(northstar_db* db, uint32_t timeout_ms, int durability, northstar_txn** txn);
/* txn and time_us may be NULL. txn is 0 if nothing was written. */
int northstar_commit(northstar_txn* transaction, uint64_t* txn, uint64_t* time_us);
int northstar_rollback(northstar_txn* transaction);
/* Number of the state that the transaction began on. */
int northstar_txn_base(northstar_txn* transaction, uint64_t* txn);
/* Reading what the transaction sees, its own writes included. */
int northstar_txn_get(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                      size_t key_size, const void** value, size_t* value_size);
int northstar_txn_size(northstar_txn* transaction, const void* tree, size_t tree_size, uint64_t* entries);
int northstar_txn_exists(northstar_txn* transaction, const void* tree, size_t tree_size, int* exists);
int northstar_txn_tree_names(northstar_txn* transaction, northstar_names** names);
/* NORTHSTAR_DURABILITY_FULL or _LAZY, for this commit. */
int northstar_set_durability(northstar_txn* transaction, int durability);
/* Retention of one tree (NORTHSTAR_HISTORY_...); it is made if it does not exist. */
int northstar_set_tree_history(northstar_txn* transaction, const void* tree, size_t tree_size, int kind,
                               uint64_t amount);
/* A tree is made by its first write. */
int northstar_put(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                  size_t key_size, const void* value, size_t value_size);
/* done (may be NULL): 1 if the key was absent and is now there, else 0. */
int northstar_put_if_absent(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                            size_t key_size, const void* value, size_t value_size, int* done);
/* Sets the value to desired if it is expected. A flag of 0 means absent: expect no such key, or erase it.
   done (may be NULL): 1 if it was so, else 0. */
int northstar_compare_and_swap(northstar_txn* transaction, const void* tree, size_t tree_size,
                               const void* key, size_t key_size, int has_expected, const void* expected,
                               size_t expected_size, int has_desired, const void* desired,
                               size_t desired_size, int* done);
/* NORTHSTAR_ABSENT: the key was not there. */
int northstar_erase(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                    size_t key_size);
/* Erases from <= key < to, or to the end if has_to is 0. erased (may be NULL) is the number of entries. */
int northstar_erase_range(northstar_txn* transaction, const void* tree, size_t tree_size, const void* from,
                          size_t from_size, int has_to, const void* to, size_t to_size, uint64_t* erased);
/* An entry with a key larger than any in the tree, else NORTHSTAR_INVALID_ARGUMENT. */
int northstar_append(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                     size_t key_size, const void* value, size_t value_size);
/* NORTHSTAR_ABSENT: there is no such tree. */
/* NORTHSTAR_ABSENT: it was not there, and is now. The first write makes a tree as well; but transactions that make one
   at the same time conflict. */
int northstar_create_tree(northstar_txn* transaction, const void* tree, size_t tree_size);
int northstar_drop_tree(northstar_txn* transaction, const void* tree, size_t tree_size);
/* Who and why: kept in the commit's record. */
int northstar_annotate(northstar_txn* transaction, const void* key, size_t key_size, const void* value,
                       size_t value_size);
/* Commit time to record instead of the clock's; at most 2^63 - 1. */
int northstar_set_time(northstar_txn* transaction, uint64_t time_us);
/* Optimistic only. 0: what is read from now on is not compared at commit (snapshot isolation); 1: it is again. */
int northstar_validate_reads(northstar_txn* transaction, int on);
/* Optimistic only: goes on upon the newest state. NORTHSTAR_CONFLICT: what it read reads another way there, and it is
   as it was. With more changes than most_changes it stays where it is. moved (or NULL): 1 where the state is another
   one. */
int northstar_refresh(northstar_txn* transaction, size_t most_changes, int* moved);
/* What was read so far is not compared at commit, unless the transaction has written. */
int northstar_forget_reads(northstar_txn* transaction);
/* Optimistic: goes on as the exclusive writer upon the newest state, until it ends. NORTHSTAR_CONFLICT: rolled back. */
int northstar_take_turn(northstar_txn* transaction);
int northstar_savepoint(northstar_txn* transaction, uint64_t* savepoint);
/* Undoes everything since the savepoint, which stays valid; later ones end. */
int northstar_rollback_to(northstar_txn* transaction, uint64_t savepoint);

/* ---- cursors: entries in key order, bytes compared as unsigned ---- */

int northstar_cursor_open(northstar_snapshot* snapshot, const void* tree, size_t tree_size,
                          northstar_cursor** cursor);
int northstar_txn_cursor_open(northstar_txn* transaction, const void* tree, size_t tree_size,
                              northstar_cursor** cursor);
int northstar_cursor_close(northstar_cursor* cursor);
/* These return NORTHSTAR_ABSENT when there is no such entry; the cursor then stands on none. */
int northstar_cursor_first(northstar_cursor* cursor);
int northstar_cursor_last(northstar_cursor* cursor);
int northstar_cursor_lower_bound(northstar_cursor* cursor, const void* key, size_t key_size); /* >= key */
int northstar_cursor_upper_bound(northstar_cursor* cursor, const void* key, size_t key_size); /* > key */
int northstar_cursor_find(northstar_cursor* cursor, const void* key, size_t key_size);        /* == key */
int northstar_cursor_next(northstar_cursor* cursor);
int northstar_cursor_prev(northstar_cursor* cursor);
/* NORTHSTAR_INVALID_ARGUMENT if the cursor stands on no entry. */
int northstar_cursor_key(northstar_cursor* cursor, const void** key, size_t* key_size);
int northstar_cursor_value(northstar_cursor* cursor, const void** value, size_t* value_size);
int northstar_cursor_txn(northstar_cursor* cursor, uint64_t* txn); /* the transaction that wrote the entry */

/* ---- the log: commits in order, and waiting for the next ---- */

enum {
    NORTHSTAR_OPERATION_PUT = 1,
    NORTHSTAR_OPERATION_ERASE = 2,
    NORTHSTAR_OPERATION_ERASE_RANGE = 3,
    NORTHSTAR_OPERATION_CREATE_TREE = 4,
    NORTHSTAR_OPERATION_DROP_TREE = 5,
    NORTHSTAR_OPERATION_SET_HISTORY = 6,
    NORTHSTAR_OPERATION_REDACT = 7
};

/* Set size to sizeof(northstar_operation) before the call. */
typedef struct northstar_operation {
    size_t size;
    int32_t kind;
    int32_t redacted; /* 1: the value was lawfully erased */
    uint64_t tree_id;
    const void* tree; /* its name */
    size_t tree_size;
    const void* key; /* erase_range: from */
    size_t key_size;
    const void* to; /* erase_range: exclusive end; NULL: to the end */
    size_t to_size;
    const void* value; /* put only; empty when redacted */
    size_t value_size;
    uint64_t txn; /* redact: the transaction whose value of the key was erased */
} northstar_operation;

/* Commits from txn from on. */
int northstar_commits_open(northstar_db* db, uint64_t from, northstar_commits** commits);
/* The same, to be waited on; after_... goes on behind a position that was kept, and refuses one of another
 * history. */
int northstar_feed_open(northstar_db* db, uint64_t from, northstar_commits** commits);
int northstar_feed_open_after(northstar_db* db, uint64_t txn, const unsigned char chain[32],
                              northstar_commits** commits);
int northstar_commits_close(northstar_commits* commits);
/* Moves to the next durable commit. NORTHSTAR_ABSENT: there is none; a feed may be asked again, of
   commits_open it is the end. */
int northstar_commits_next(northstar_commits* commits);
/* Of a feed: the next commit, waiting up to timeout_ms for it. NORTHSTAR_ABSENT: none came. */
int northstar_commits_wait(northstar_commits* commits, uint32_t timeout_ms);
/* Of a feed: the position behind the last commit, for northstar_feed_open_after. */
int northstar_feed_position(northstar_commits* commits, uint64_t* txn, unsigned char chain[32]);
/* What the current commit holds; NORTHSTAR_INVALID_ARGUMENT if there is none. */
int northstar_commits_txn(northstar_commits* commits, uint64_t* txn);
int northstar_commits_time(northstar_commits* commits, uint64_t* time_us);
int northstar_commits_digest(northstar_commits* commits, unsigned char hash[32]);
int northstar_commits_annotation_count(northstar_commits* commits, size_t* count);
int northstar_commits_annotation(northstar_commits* commits, size_t index, const void** key, size_t* key_size,
                                 const void** value, size_t* value_size);
int northstar_commits_operation_count(northstar_commits* commits, size_t* count);
int northstar_commits_operation(northstar_commits* commits, size_t index, northstar_operation* operation);

/* ---- what is kept of the past ---- */

/* Default retention (NORTHSTAR_HISTORY_...; amount: transactions or microseconds). amount may be NULL. */
int northstar_set_history(northstar_db* db, int kind, uint64_t amount);
int northstar_get_history(northstar_db* db, int* kind, uint64_t* amount);
/* Forgets what lies before the point (NORTHSTAR_AT_...). oldest (may be NULL) is the oldest readable txn then. */
int northstar_prune(northstar_db* db, int at, uint64_t point, uint64_t* oldest);
/* What is kept of the oldest readable state: its txn, its time (0: its commit is not kept), the chain hash after it,
   and its state hash where one was computed (NORTHSTAR_ABSENT: none was; the rest is there). time_us may be NULL. */
int northstar_oldest_state(northstar_db* db, uint64_t* txn, uint64_t* time_us, unsigned char chain[32],
                           unsigned char state[32]);
/* Keeps the position of a named consumer of the feed in the database, by a commit that no feed delivers; reads it back
   (NORTHSTAR_ABSENT: none). */
int northstar_acknowledge(northstar_db* db, const void* consumer, size_t consumer_size, uint64_t txn,
                          const unsigned char chain[32]);
int northstar_consumer(northstar_db* db, const void* consumer, size_t consumer_size, uint64_t* txn,
                       unsigned char chain[32]);

/* ---- the past of one key, and the difference of two states ---- */

/* Set size to sizeof(northstar_version_entry) before the call. */
typedef struct northstar_version_entry {
    size_t size;
    uint64_t txn;
    uint64_t time_us;
    const void* value; /* NULL: erased */
    size_t value_size;
    int32_t redacted;
} northstar_version_entry;

/* Set size to sizeof(northstar_change) before the call. */
typedef struct northstar_change {
    size_t size;
    const void* tree;
    size_t tree_size;
    const void* key;
    size_t key_size;
    const void* before; /* NULL: was not there */
    size_t before_size;
    const void* after; /* NULL: is not there */
    size_t after_size;
} northstar_change;

/* Versions of a key, newest first. */
int northstar_history(northstar_db* db, const void* tree, size_t tree_size, const void* key, size_t key_size,
                      northstar_versions** versions);
int northstar_versions_close(northstar_versions* versions);
int northstar_versions_count(northstar_versions* versions, size_t* count);
int northstar_versions_get(northstar_versions* versions, size_t index, northstar_version_entry* version);

/* Keys that differ between two points (NORTHSTAR_AT_...), by tree and key. */
int northstar_diff(northstar_db* db, int from_at, uint64_t from, int to_at, uint64_t to,
                   northstar_changes** changes);
int northstar_changes_close(northstar_changes* changes);
int northstar_changes_count(northstar_changes* changes, size_t* count);
int northstar_changes_get(northstar_changes* changes, size_t index, northstar_change* change);

#ifdef __cplusplus
} /* extern "C" */
#endif
