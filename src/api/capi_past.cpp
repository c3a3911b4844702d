// capi_past.cpp -- the C functions of the log, the feed, and what is kept of the past.
#include "api/capi_handles.hpp"

#include <cstring>
#include <optional>
#include <utility>

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
        to.txn = from.txn;
        return give_struct(std::move(to), operation);
    });
}

// ---- what is kept of the past ----

int northstar_set_history(northstar_db* db, int kind, uint64_t amount) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db,
                          [&](DbHandle& h) { return h.db.set_history(history_of(kind, amount)), NORTHSTAR_OK; });
}

int northstar_get_history(northstar_db* db, int* kind, uint64_t* amount) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(kind, "the place for the kind of history");
        const northstar::History history = h.db.history();
        if (amount != nullptr) *amount = history.amount;
        return give_number(static_cast<int>(history.kind), kind);
    });
}

int northstar_prune(northstar_db* db, int at, uint64_t value, uint64_t* oldest) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        const northstar::Txn txn = h.db.prune(point(at, value));
        if (oldest != nullptr) *oldest = txn;
        return NORTHSTAR_OK;
    });
}

int northstar_oldest_state(northstar_db* db, uint64_t* txn, uint64_t* time_us, unsigned char chain[32],
                           unsigned char state[32]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) -> int {
        need(txn, "the place for the txn");
        need(chain, "the place for the chain hash");
        need(state, "the place for the state hash");
        const northstar::OldestState oldest = h.db.oldest_state();
        *txn = oldest.txn;
        if (time_us != nullptr) *time_us = oldest.time_us;
        give_hash(oldest.chain, chain);
        return oldest.state ? give_hash(*oldest.state, state) : NORTHSTAR_ABSENT;
    });
}

int northstar_acknowledge(northstar_db* db, const void* consumer, size_t consumer_size, uint64_t txn,
                          const unsigned char chain[32]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(chain, "the chain hash");
        northstar::FeedPosition position;
        position.txn = txn;
        std::memcpy(position.chain.bytes, chain, sizeof position.chain.bytes);
        return h.db.acknowledge(bytes(consumer, consumer_size), position), NORTHSTAR_OK;
    });
}

int northstar_consumer(northstar_db* db, const void* consumer, size_t consumer_size, uint64_t* txn,
                       unsigned char chain[32]) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) -> int {
        need(txn, "the place for the txn");
        need(chain, "the place for the chain hash");
        const std::optional<northstar::FeedPosition> position = h.db.consumer(bytes(consumer, consumer_size));
        if (!position) return NORTHSTAR_ABSENT;
        *txn = position->txn;
        return give_hash(position->chain, chain);
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
