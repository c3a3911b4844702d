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
const char* northstar_last_error_file(void) { return northstar::detail::capi::last_error().file.get(); }
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
    return init_struct(default_options(), options, size);
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

int northstar_redact(northstar_db* db, const void* tree, size_t tree_size, const void* key, size_t key_size,
                     uint64_t txn, const void* reason, size_t reason_size, uint32_t timeout_ms, uint64_t* commit) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        const northstar::Commit made = h.db.redact(bytes(tree, tree_size), bytes(key, key_size), txn,
                                                   bytes(reason, reason_size), timeout_ms);
        if (commit != nullptr) *commit = made.txn;
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

int northstar_verify_parts(northstar_db* db, unsigned parts, northstar_report** report) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(report, "the place for the report");
        if ((parts & ~(unsigned{NORTHSTAR_VERIFY_ALL})) != 0) {
            northstar::detail::fail(northstar::Errc::invalid_argument,
                                    "there is a part to verify that this version does not know; use "
                                    "NORTHSTAR_VERIFY_...");
        }
        northstar::VerifyOptions options;
        options.structure = (parts & NORTHSTAR_VERIFY_STRUCTURE) != 0;
        options.log = (parts & NORTHSTAR_VERIFY_LOG) != 0;
        options.history = (parts & NORTHSTAR_VERIFY_HISTORY) != 0;
        return open_handle<ReportHandle>(report, h.errors, h.db.verify(options));
    });
}

int northstar_report_close(northstar_report* report) {
    using namespace northstar::detail::capi;
    return close<ReportHandle>(report);
}

int northstar_report_counts(northstar_report* report, northstar_report_numbers* numbers) {
    using namespace northstar::detail::capi;
    return with<ReportHandle>(report, [&](ReportHandle& h) {
        northstar_report_numbers to = {};
        to.problems = h.report.problems.size();
        to.pages = h.report.pages;
        to.entries = h.report.entries;
        to.records = h.report.records;
        to.versions = h.report.versions;
        to.first_txn = h.report.first_txn;
        to.last_txn = h.report.last_txn;
        return give_struct(to, numbers);
    });
}

int northstar_report_problem(northstar_report* report, size_t index, northstar_problem* problem) {
    using namespace northstar::detail::capi;
    return with<ReportHandle>(report, [&](ReportHandle& h) {
        const northstar::Problem& from = item(h.report.problems, index);
        northstar_problem to = {};
        to.code = static_cast<std::int32_t>(from.code);
        to.where = from.where.c_str();
        to.what = from.what.c_str();
        to.affects = from.affects.c_str();
        return give_struct(to, problem);
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

int northstar_path(northstar_db* db, const char** path) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) { return give_number(h.db.path().c_str(), path); });
}

int northstar_uuid(northstar_db* db, char uuid[37]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) { return give_uuid(h.db.uuid(), uuid); });
}

int northstar_parent(northstar_db* db, char uuid[37], uint64_t* txn, unsigned char chain[32]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) -> int {
        need(uuid, "the place for the uuid");
        const northstar::Database::Parent parent = h.db.parent();
        if (parent.uuid.empty()) return NORTHSTAR_ABSENT;
        if (txn != nullptr) *txn = parent.txn;
        if (chain != nullptr) give_hash(parent.chain, chain);
        return give_uuid(parent.uuid, uuid);
    });
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

int northstar_exists(northstar_snapshot* snapshot, const void* tree, size_t tree_size, int* exists) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            return give_number(int{found.exists()}, exists);
        });
    });
}

int northstar_entry_txn(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* key,
                        size_t key_size, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            return give_if(found.txn_of(bytes(key, key_size)), txn);
        });
    });
}

int northstar_multi_get(northstar_snapshot* snapshot, const void* tree, size_t tree_size, size_t count,
                        const void* const* keys, const size_t* key_sizes, const void** values,
                        size_t* value_sizes) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            if (count != 0) {
                need(keys, "the keys");
                need(key_sizes, "the lengths of the keys");
                need(values, "the place for the values");
                need(value_sizes, "the place for the lengths of the values");
            }
            // In groups, so that nothing is allocated however many there are.
            constexpr std::size_t k_group = 32;
            std::string_view wanted[k_group];
            std::optional<std::string_view> got[k_group];
            for (std::size_t at = 0; at < count; at += k_group) {
                const std::size_t size = std::min(k_group, count - at);
                for (std::size_t i = 0; i < size; ++i) wanted[i] = bytes(keys[at + i], key_sizes[at + i]);
                found.multi_get({wanted, size}, {got, size});
                for (std::size_t i = 0; i < size; ++i) {
                    values[at + i] = nullptr;
                    value_sizes[at + i] = 0;
                    if (got[i]) give(*got[i], &values[at + i], &value_sizes[at + i]);
                }
            }
            return NORTHSTAR_OK;
        });
    });
}

int northstar_estimate(northstar_snapshot* snapshot, const void* tree, size_t tree_size, const void* from,
                       size_t from_size, const void* to, size_t to_size, uint64_t* count, uint64_t* low,
                       uint64_t* high) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            const northstar::Estimate estimate = found.estimate(bytes(from, from_size), bytes(to, to_size));
            if (low != nullptr) *low = estimate.low;
            if (high != nullptr) *high = estimate.high;
            return give_number(estimate.count, count);
        });
    });
}

int northstar_tree_space(northstar_snapshot* snapshot, const void* tree, size_t tree_size, uint32_t* depth,
                         uint64_t* inner_pages, uint64_t* leaf_pages, uint64_t* value_pages, uint64_t* size) {
    using namespace northstar::detail::capi;
    return with<SnapshotHandle>(snapshot, [&](SnapshotHandle& h) {
        return h.with_tree(bytes(tree, tree_size), [&](const northstar::Tree& found) {
            const northstar::TreeSpace space = found.space();
            if (depth != nullptr) *depth = space.depth;
            if (inner_pages != nullptr) *inner_pages = space.inner_pages;
            if (leaf_pages != nullptr) *leaf_pages = space.leaf_pages;
            if (value_pages != nullptr) *value_pages = space.value_pages;
            if (size != nullptr) *size = space.bytes;
            return int{NORTHSTAR_OK};
        });
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

int northstar_validate_reads(northstar_txn* transaction, int on) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        h.transaction.validate_reads(on != 0);
        return NORTHSTAR_OK;
    });
}

int northstar_take_turn(northstar_txn* transaction) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        h.transaction.take_turn();
        return NORTHSTAR_OK;
    });
}

int northstar_forget_reads(northstar_txn* transaction) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        h.transaction.forget_reads();
        return NORTHSTAR_OK;
    });
}

int northstar_refresh(northstar_txn* transaction, size_t most_changes, int* moved) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        const bool other = h.transaction.refresh(most_changes);
        if (moved != nullptr) *moved = other ? 1 : 0;
        return NORTHSTAR_OK;
    });
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

int northstar_txn_exists(northstar_txn* transaction, const void* tree, size_t tree_size, int* exists) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return give_number(int{h.transaction.tree(bytes(tree, tree_size)).exists()}, exists);
    });
}

int northstar_txn_tree_names(northstar_txn* transaction, northstar_names** names) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        need(names, "the place for the names");
        return open_handle<NamesHandle>(names, h.errors, h.transaction.tree_names());
    });
}

int northstar_set_durability(northstar_txn* transaction, int durability) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return h.transaction.set_durability(durability_of(durability)), NORTHSTAR_OK;
    });
}

int northstar_set_tree_history(northstar_txn* transaction, const void* tree, size_t tree_size, int kind,
                               uint64_t amount) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(transaction, [&](TxnHandle& h) {
        return h.transaction.set_history(bytes(tree, tree_size), history_of(kind, amount)), NORTHSTAR_OK;
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

int northstar_create_tree(northstar_txn* transaction, const void* tree, size_t tree_size) {
    using namespace northstar::detail::capi;
    return with<TxnHandle>(
        transaction, [&](TxnHandle& h) { return there(!h.transaction.create_tree(bytes(tree, tree_size))); });
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
