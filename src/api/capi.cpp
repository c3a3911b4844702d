// capi.cpp -- the C functions: each looks up its handle, calls the C++ interface and turns what it throws
// into a code.
#include "api/capi_handles.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// ---- the library ----

int northstar_abi_version(void) { return NORTHSTAR_ABI_VERSION; }
const char* northstar_version(void) { return northstar::version(); }
const char* northstar_source_id(void) { return northstar::source_id(); }

const char* northstar_code_name(int code) {
    if (code == NORTHSTAR_OK) return "ok";
    if (code == NORTHSTAR_ABSENT) return "absent";
    return northstar::to_string(static_cast<northstar::Errc>(code));
}

void northstar_free(void* memory) { std::free(memory); }

const char* northstar_last_error(void) { return northstar::detail::capi::last_error().message.get(); }
int northstar_last_error_code(void) { return northstar::detail::capi::last_error().code; }
uint64_t northstar_last_error_page(void) { return northstar::detail::capi::last_error().page; }

const char* northstar_db_error(northstar_db* db) {
    using namespace northstar::detail::capi;
    thread_local Message copy;
    Handle* handle = handle_table.find(reinterpret_cast<std::uintptr_t>(db), Kind::db);
    if (handle == nullptr) {
        not_open();
        return northstar_last_error();
    }
    const std::lock_guard lock(handle->errors->mutex);
    copy = handle->errors->message;
    return copy.get();
}

int northstar_options_init(northstar_options* options, size_t size) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(options, "the options");
        if (size >= sizeof size) options->size = size;
        return size >= sizeof size
                   ? give_struct(default_options(), options)
                   : record(nullptr, northstar::Errc::invalid_argument,
                            "the size of the options is impossible", northstar::Error::no_page);
    });
}

// ---- databases ----

int northstar_open(const char* path, const northstar_options* options, northstar_db** db) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(path, "the path");
        need(db, "the place for the database");
        return open_handle<DbHandle>(db, std::make_shared<DatabaseErrors>(),
                                     northstar::Database::open(path, options_of(options)));
    });
}

int northstar_close(northstar_db* db) {
    using namespace northstar::detail::capi;
    if (db == nullptr) return NORTHSTAR_OK;
    const std::unique_ptr<Handle> handle = handle_table.take(reinterpret_cast<std::uintptr_t>(db), Kind::db);
    if (handle == nullptr) return not_open();
    return guard(handle->errors.get(), [&] {
        static_cast<DbHandle&>(*handle).db.close();
        return NORTHSTAR_OK;
    });
}

int northstar_sync(northstar_db* db) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [](DbHandle& h) { return h.db.sync(), NORTHSTAR_OK; });
}

int northstar_checkpoint(northstar_db* db) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [](DbHandle& h) { return h.db.checkpoint(), NORTHSTAR_OK; });
}

int northstar_backup(northstar_db* db, const char* destination) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(destination, "the destination");
        return h.db.backup(destination), NORTHSTAR_OK;
    });
}

int northstar_vacuum_into(northstar_db* db, const char* destination) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(destination, "the destination");
        return h.db.vacuum_into(destination), NORTHSTAR_OK;
    });
}

int northstar_restore(const char* source, const char* destination, int at, uint64_t value) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(source, "the source");
        need(destination, "the destination");
        return northstar::Database::restore(source, destination, point(at, value)), NORTHSTAR_OK;
    });
}

int northstar_replay(const char* source, const char* destination, int at, uint64_t value) {
    using namespace northstar::detail::capi;
    return guard(nullptr, [&] {
        need(source, "the source");
        need(destination, "the destination");
        return northstar::Database::replay(source, destination, point(at, value)), NORTHSTAR_OK;
    });
}

int northstar_compact(northstar_db* db, uint64_t* released) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        const std::uint64_t bytes_released = h.db.compact();
        if (released != nullptr) *released = bytes_released;
        return NORTHSTAR_OK;
    });
}

int northstar_verify(northstar_db* db, uint64_t* problems, char** text) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(problems, "the place for the number of problems");
        const northstar::VerifyReport report = h.db.verify();
        if (text != nullptr) {
            std::string lines;
            for (const northstar::Problem& problem : report.problems) {
                lines += std::string(to_string(problem.code)) + ": " + problem.where + ": " + problem.what +
                         " Affects: " + problem.affects + "\n";
            }
            *text = new_copy(lines);
        }
        *problems = report.problems.size();
        return NORTHSTAR_OK;
    });
}

int northstar_chain_hash(northstar_db* db, uint64_t txn, unsigned char hash[32]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) { return give_hash(h.db.chain_hash(txn), hash); });
}

int northstar_max_key_size(northstar_db* db, size_t* size) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) { return give_number(h.db.max_key_size(), size); });
}

int northstar_get_statistics(northstar_db* db, northstar_statistics* statistics) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(
        db, [&](DbHandle& h) { return give_struct(statistics_of(h.db.statistics()), statistics); });
}

// ---- snapshots ----

int northstar_begin_read(northstar_db* db, northstar_snapshot** snapshot) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(snapshot, "the place for the snapshot");
        return open_handle<SnapshotHandle>(snapshot, h.errors, h.db.begin_read());
    });
}

int northstar_begin_read_as_of_txn(northstar_db* db, uint64_t txn, northstar_snapshot** snapshot) {
    return northstar::detail::capi::begin_read_at(db, northstar::AsOf::txn(txn), snapshot);
}

int northstar_begin_read_as_of_time(northstar_db* db, uint64_t time_us, northstar_snapshot** snapshot) {
    return northstar::detail::capi::begin_read_at(db, northstar::AsOf::time(time_us), snapshot);
}

int northstar_snapshot_close(northstar_snapshot* snapshot) {
    using namespace northstar::detail::capi;
    return close<SnapshotHandle>(snapshot);
}

int northstar_snapshot_txn(northstar_snapshot* snapshot, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot,
                                [&](SnapshotHandle& h) { return give_number(h.snapshot.txn(), txn); });
}

int northstar_snapshot_time(northstar_snapshot* snapshot, uint64_t* time_us) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(
        snapshot, [&](SnapshotHandle& h) { return give_number(h.snapshot.time_us(), time_us); });
}

int northstar_get(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                  size_t key_size, const void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            return give_value(found.get(bytes(key, key_size)), value, value_size);
        });
    });
}

int northstar_get_into(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                       size_t key_size, void* buffer, size_t capacity, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            if (capacity != 0) need(buffer, "the buffer");
            need(value_size, "the place for a length");
            const std::optional<std::string_view> value = found.get(bytes(key, key_size));
            if (!value) return NORTHSTAR_ABSENT;
            const std::size_t part = std::min(capacity, value->size());
            if (part != 0) std::memcpy(buffer, value->data(), part);
            *value_size = value->size();
            return NORTHSTAR_OK;
        });
    });
}

int northstar_get_copy(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                       size_t key_size, void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            need(value, "the place for a pointer");
            need(value_size, "the place for a length");
            const std::optional<std::string_view> there = found.get(bytes(key, key_size));
            if (!there) return NORTHSTAR_ABSENT;
            *value = new_copy(*there);
            *value_size = there->size();
            return NORTHSTAR_OK;
        });
    });
}

int northstar_size(northstar_snapshot* snapshot, const void* tree, size_t tree_size, uint64_t* entries) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size),
                           [&](const northstar::Tree& found) { return give_number(found.size(), entries); });
    });
}

int northstar_state_hash(northstar_snapshot* snapshot, unsigned char hash[32]) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot,
                                [&](SnapshotHandle& h) { return give_hash(h.snapshot.state_hash(), hash); });
}

int northstar_tree_names(northstar_snapshot* snapshot, northstar_names** names) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        need(names, "the place for the names");
        return open_handle<NamesHandle>(names, h.errors, h.snapshot.tree_names());
    });
}

int northstar_names_close(northstar_names* names) {
    using namespace northstar::detail::capi;
    return close<NamesHandle>(names);
}

int northstar_names_count(northstar_names* names, size_t* count) {
    using namespace northstar::detail::capi;
    return with<NamesHandle>(names, [&](NamesHandle& h) { return give_number(h.items.size(), count); });
}

int northstar_names_get(northstar_names* names, size_t index, const void** name, size_t* name_size) {
    using namespace northstar::detail::capi;
    return with<NamesHandle>(
        names, [&](NamesHandle& h) { return give(item(h.items, index), name, name_size), NORTHSTAR_OK; });
}

// ---- write transactions ----

int northstar_begin_write(northstar_db* db, uint32_t timeout_ms, int durability, northstar_txn** txn) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(txn, "the place for the transaction");
        return open_handle<TxnHandle>(txn, h.errors, h.db.begin_write(write_options(timeout_ms, durability)));
    });
}

int northstar_begin_optimistic(northstar_db* db, uint32_t timeout_ms, int durability, northstar_txn** txn) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(txn, "the place for the transaction");
        return open_handle<TxnHandle>(txn, h.errors,
                                      h.db.begin_optimistic(write_options(timeout_ms, durability)));
    });
}

int northstar_commit(northstar_txn* transaction, uint64_t* txn, uint64_t* time_us) {
    using namespace northstar::detail::capi;
    const std::unique_ptr<Handle> handle =
        handle_table.take(reinterpret_cast<std::uintptr_t>(transaction), Kind::txn);
    if (handle == nullptr) return not_open();
    return guard(handle->errors.get(), [&] {
        const northstar::Commit commit = static_cast<TxnHandle&>(*handle).transaction.commit();
        if (txn != nullptr) *txn = commit.txn;
        if (time_us != nullptr) *time_us = commit.time_us;
        return NORTHSTAR_OK;
    });
}

int northstar_rollback(northstar_txn* transaction) {
    using namespace northstar::detail::capi;
    return close<TxnHandle>(transaction);
}

int northstar_txn_base(northstar_txn* transaction, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction,
                           [&](TxnHandle& h) { return give_number(h.transaction.base_txn(), txn); });
}

int northstar_txn_get(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                      size_t key_size, const void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return give_value(h.transaction.tree(bytes(tree, tree_size)).get(bytes(key, key_size)), value,
                          value_size);
    });
}

int northstar_txn_size(northstar_txn* transaction, const void* tree, size_t tree_size, uint64_t* entries) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return give_number(h.transaction.tree(bytes(tree, tree_size)).size(), entries);
    });
}

int northstar_put(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                  size_t key_size, const void* value, size_t value_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        h.transaction.tree(bytes(tree, tree_size)).put(bytes(key, key_size), bytes(value, value_size));
        return NORTHSTAR_OK;
    });
}

int northstar_put_if_absent(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                            size_t key_size, const void* value, size_t value_size, int* done) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        const bool was_absent = h.transaction.tree(bytes(tree, tree_size))
                                    .put_if_absent(bytes(key, key_size), bytes(value, value_size));
        if (done != nullptr) *done = was_absent;
        return NORTHSTAR_OK;
    });
}

int northstar_compare_and_swap(northstar_txn* transaction, const void* tree, size_t tree_size,
                               const void* key, size_t key_size, int has_expected, const void* expected,
                               size_t expected_size, int has_desired, const void* desired,
                               size_t desired_size, int* done) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        const bool swapped =
            h.transaction.tree(bytes(tree, tree_size))
                .compare_and_swap(bytes(key, key_size), bytes_if(has_expected, expected, expected_size),
                                  bytes_if(has_desired, desired, desired_size));
        if (done != nullptr) *done = swapped;
        return NORTHSTAR_OK;
    });
}

int northstar_erase(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                    size_t key_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return there(h.transaction.tree(bytes(tree, tree_size)).erase(bytes(key, key_size)));
    });
}

int northstar_erase_range(northstar_txn* transaction, const void* tree, size_t tree_size, const void* from,
                          size_t from_size, int has_to, const void* to, size_t to_size, uint64_t* erased) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        const std::uint64_t count = h.transaction.tree(bytes(tree, tree_size))
                                        .erase_range(bytes(from, from_size), bytes_if(has_to, to, to_size));
        if (erased != nullptr) *erased = count;
        return NORTHSTAR_OK;
    });
}

int northstar_append(northstar_txn* transaction, const void* tree, size_t tree_size, const void* key,
                     size_t key_size, const void* value, size_t value_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        h.transaction.tree(bytes(tree, tree_size)).append(bytes(key, key_size), bytes(value, value_size));
        return NORTHSTAR_OK;
    });
}

int northstar_drop_tree(northstar_txn* transaction, const void* tree, size_t tree_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(
        transaction, [&](TxnHandle& h) { return there(h.transaction.drop_tree(bytes(tree, tree_size))); });
}

int northstar_annotate(northstar_txn* transaction, const void* key, size_t key_size, const void* value,
                       size_t value_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return h.transaction.annotate(bytes(key, key_size), bytes(value, value_size)), NORTHSTAR_OK;
    });
}

int northstar_set_time(northstar_txn* transaction, uint64_t time_us) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction,
                           [&](TxnHandle& h) { return h.transaction.set_time_us(time_us), NORTHSTAR_OK; });
}

int northstar_savepoint(northstar_txn* transaction, uint64_t* savepoint) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        need(savepoint, "the place for the savepoint");
        return give_number(h.transaction.savepoint().id, savepoint);
    });
}

int northstar_rollback_to(northstar_txn* transaction, uint64_t savepoint) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return h.transaction.rollback_to(northstar::Savepoint{savepoint}), NORTHSTAR_OK;
    });
}

// ---- cursors ----

int northstar_cursor_open(northstar_snapshot* snapshot, const void* tree, size_t tree_size,
                          northstar_cursor** cursor) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        need(cursor, "the place for the cursor");
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            return open_handle<CursorHandle>(cursor, h.errors, found.cursor());
        });
    });
}

int northstar_txn_cursor_open(northstar_txn* transaction, const void* tree, size_t tree_size,
                              northstar_cursor** cursor) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        need(cursor, "the place for the cursor");
        return open_handle<CursorHandle>(cursor, h.errors,
                                         h.transaction.tree(bytes(tree, tree_size)).cursor());
    });
}

int northstar_cursor_close(northstar_cursor* cursor) {
    using namespace northstar::detail::capi;
    return close<CursorHandle>(cursor);
}

int northstar_cursor_first(northstar_cursor* cursor) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor, [](CursorHandle& h) { return there(h.cursor.first()); });
}

int northstar_cursor_last(northstar_cursor* cursor) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor, [](CursorHandle& h) { return there(h.cursor.last()); });
}

int northstar_cursor_lower_bound(northstar_cursor* cursor, const void* key, size_t key_size) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(
        cursor, [&](CursorHandle& h) { return there(h.cursor.lower_bound(bytes(key, key_size))); });
}

int northstar_cursor_upper_bound(northstar_cursor* cursor, const void* key, size_t key_size) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(
        cursor, [&](CursorHandle& h) { return there(h.cursor.upper_bound(bytes(key, key_size))); });
}

int northstar_cursor_find(northstar_cursor* cursor, const void* key, size_t key_size) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor,
                              [&](CursorHandle& h) { return there(h.cursor.find(bytes(key, key_size))); });
}

int northstar_cursor_next(northstar_cursor* cursor) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor, [](CursorHandle& h) { return there(h.cursor.next()); });
}

int northstar_cursor_prev(northstar_cursor* cursor) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor, [](CursorHandle& h) { return there(h.cursor.prev()); });
}

int northstar_cursor_key(northstar_cursor* cursor, const void** key, size_t* key_size) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(
        cursor, [&](CursorHandle& h) { return give(h.cursor.key(), key, key_size), NORTHSTAR_OK; });
}

int northstar_cursor_value(northstar_cursor* cursor, const void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(
        cursor, [&](CursorHandle& h) { return give(h.cursor.value(), value, value_size), NORTHSTAR_OK; });
}

int northstar_cursor_txn(northstar_cursor* cursor, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<CursorHandle>(cursor, [&](CursorHandle& h) { return give_number(h.cursor.txn(), txn); });
}

// ---- the log ----

int northstar_commits_open(northstar_db* db, uint64_t from, northstar_commits** commits) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(commits, "the place for the commits");
        return open_handle<CommitsHandle>(commits, h.errors, h.db.commits(from));
    });
}

int northstar_feed_open(northstar_db* db, uint64_t from, northstar_commits** commits) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(commits, "the place for the commits");
        return open_handle<CommitsHandle>(commits, h.errors, h.db.feed(from));
    });
}

int northstar_feed_open_after(northstar_db* db, uint64_t txn, const unsigned char chain[32],
                              northstar_commits** commits) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(chain, "the chain hash");
        need(commits, "the place for the commits");
        northstar::FeedPosition position;
        position.txn = txn;
        std::memcpy(position.chain.bytes, chain, sizeof position.chain.bytes);
        return open_handle<CommitsHandle>(commits, h.errors, h.db.feed(position));
    });
}

int northstar_commits_close(northstar_commits* commits) {
    using namespace northstar::detail::capi;
    return close<CommitsHandle>(commits);
}

int northstar_commits_next(northstar_commits* commits) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [](CommitsHandle& h) { return h.move(0); });
}

int northstar_commits_wait(northstar_commits* commits, uint32_t timeout_ms) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [&](CommitsHandle& h) { return h.as_feed(), h.move(timeout_ms); });
}

int northstar_feed_position(northstar_commits* commits, uint64_t* txn, unsigned char chain[32]) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [&](CommitsHandle& h) {
        const northstar::FeedPosition position = h.as_feed().position();
        need(chain, "the place for a hash");
        give_number(position.txn, txn);
        return give_hash(position.chain, chain);
    });
}

int northstar_commits_txn(northstar_commits* commits, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [&](CommitsHandle& h) { return give_number(h.current().txn, txn); });
}

int northstar_commits_time(northstar_commits* commits, uint64_t* time_us) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits,
                               [&](CommitsHandle& h) { return give_number(h.current().time_us, time_us); });
}

int northstar_commits_digest(northstar_commits* commits, unsigned char hash[32]) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits,
                               [&](CommitsHandle& h) { return give_hash(h.current().digest, hash); });
}

int northstar_commits_annotation_count(northstar_commits* commits, size_t* count) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(
        commits, [&](CommitsHandle& h) { return give_number(h.current().annotations.size(), count); });
}

int northstar_commits_annotation(northstar_commits* commits, size_t index, const void** key, size_t* key_size,
                                 const void** value, size_t* value_size) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [&](CommitsHandle& h) {
        const auto& annotation = item(h.current().annotations, index);
        need(value, "the place for a pointer");
        need(value_size, "the place for a length");
        give(annotation.first, key, key_size);
        give(annotation.second, value, value_size);
        return NORTHSTAR_OK;
    });
}

int northstar_commits_operation_count(northstar_commits* commits, size_t* count) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(
        commits, [&](CommitsHandle& h) { return give_number(h.current().operations.size(), count); });
}

int northstar_commits_operation(northstar_commits* commits, size_t index, northstar_operation* operation) {
    using namespace northstar::detail::capi;
    return with<CommitsHandle>(commits, [&](CommitsHandle& h) {
        const northstar::Operation& from = item(h.current().operations, index);
        northstar_operation to = {};
        to.kind = static_cast<std::int32_t>(from.kind);
        to.redacted = from.redacted;
        to.tree_id = from.tree_id;
        set_bytes(from.tree, to.tree, to.tree_size);
        set_bytes(from.key, to.key, to.key_size);
        set_bytes(from.to, to.to, to.to_size);
        set_bytes(from.value, to.value, to.value_size);
        return give_struct(std::move(to), operation);
    });
}

// ---- history and differences ----

int northstar_history(northstar_db* db, const void* tree, size_t tree_size, const void* key, size_t key_size,
                      northstar_versions** versions) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(versions, "the place for the versions");
        return open_handle<VersionsHandle>(versions, h.errors,
                                           h.db.history(bytes(tree, tree_size), bytes(key, key_size)));
    });
}

int northstar_versions_close(northstar_versions* versions) {
    using namespace northstar::detail::capi;
    return close<VersionsHandle>(versions);
}

int northstar_versions_count(northstar_versions* versions, size_t* count) {
    using namespace northstar::detail::capi;
    return with<VersionsHandle>(versions,
                                [&](VersionsHandle& h) { return give_number(h.items.size(), count); });
}

int northstar_versions_get(northstar_versions* versions, size_t index, northstar_version_entry* version) {
    using namespace northstar::detail::capi;
    return with<VersionsHandle>(versions, [&](VersionsHandle& h) {
        const northstar::Version& from = item(h.items, index);
        northstar_version_entry to = {};
        to.txn = from.txn;
        to.time_us = from.time_us;
        set_bytes(from.value, to.value, to.value_size);
        to.redacted = from.redacted;
        return give_struct(std::move(to), version);
    });
}

int northstar_diff(northstar_db* db, int from_at, uint64_t from, int to_at, uint64_t to,
                   northstar_changes** changes) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(changes, "the place for the changes");
        return open_handle<ChangesHandle>(changes, h.errors,
                                          h.db.diff(point(from_at, from), point(to_at, to)));
    });
}

int northstar_changes_close(northstar_changes* changes) {
    using namespace northstar::detail::capi;
    return close<ChangesHandle>(changes);
}

int northstar_changes_count(northstar_changes* changes, size_t* count) {
    using namespace northstar::detail::capi;
    return with<ChangesHandle>(changes, [&](ChangesHandle& h) { return give_number(h.items.size(), count); });
}

int northstar_changes_get(northstar_changes* changes, size_t index, northstar_change* change) {
    using namespace northstar::detail::capi;
    return with<ChangesHandle>(changes, [&](ChangesHandle& h) {
        const northstar::Change& from = item(h.items, index);
        northstar_change to = {};
        set_bytes(from.tree, to.tree, to.tree_size);
        set_bytes(from.key, to.key, to.key_size);
        set_bytes(from.before, to.before, to.before_size);
        set_bytes(from.after, to.after, to.after_size);
        return give_struct(std::move(to), change);
    });
}
