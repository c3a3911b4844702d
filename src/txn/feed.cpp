#include "txn/feed.hpp"

#include "base/error.hpp"
#include "log/chain.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace feed_impl {

constexpr std::uint64_t k_longest_wait_us = 100'000;

/// What a CommitRecord's views point into.
struct Copy {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<std::string> names;
};

/// Does a commit nothing but keep positions of consumers?
bool acknowledges(const CommitRecord& record) {
    return !record.operations.empty() &&
           std::all_of(record.operations.begin(), record.operations.end(),
                       [](const Operation& operation) { return operation.tree == k_consumers_tree; });
}

}  // namespace feed_impl

CommitReader::CommitReader(std::shared_ptr<DatabaseCore> core, Txn from, bool durable)
    : core_(std::move(core)), durable_(durable), txn_(from - 1) {
    if (from == 0) txn_ = 0;
}

bool CommitReader::next(CommitRecord& out) {
    core_->check_usable();
    core_->catch_up();
    if (durable_ && txn_ >= core_->durable_txn()) return false;
    // What is read stays where it is as long as its generation is in use.
    const OpenView view(core_->open_view());
    // What this handle shows, not what the words say: while somebody recovers the file they say nothing yet.
    if (!durable_ && txn_ >= view.view->root->txn.load()) return false;
    const std::uint64_t log_begin = view.view->root->base->meta.log_begin;
    if (txn_ + 1 < core_->first_readable(*view.view) || (position_ != 0 && position_ < log_begin)) {
        core_->fail_before_log(txn_ + 1);
    }
    // Kept when the commit is complete: what fails half-way is read again from its first record.
    std::uint64_t at = position_ != 0 ? position_ : core_->position_of(txn_ + 1);
    auto copy = std::make_shared<feed_impl::Copy>();
    const LogStore& log = core_->log();
    std::vector<Hash> part_digests;
    for (;;) {
        const RecordView record = log.read(at);
        if (record.kind() == RecordKind::part || record.kind() == RecordKind::commit) {
            copy->bytes.emplace_back(record.bytes().begin(), record.bytes().end());
            // Values may be redacted just now: what counts is the copy.
            if (!record_intact(copy->bytes.back(), record.header(), log.seed())) {
                copy->bytes.pop_back();
                continue;
            }
        }
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::commit) continue;
        if (record.txn() <= txn_) {
            copy->bytes.clear();
            continue;
        }
        break;
    }
    out = {};
    // Parts of a transaction that never committed may lie before those that belong to this one.
    const RecordView commit(copy->bytes.back());
    const std::size_t parts = std::min<std::size_t>(commit.parts().count, copy->bytes.size() - 1);
    copy->bytes.erase(copy->bytes.begin(), copy->bytes.end() - static_cast<std::ptrdiff_t>(parts) - 1);
    std::size_t operations = 0;
    for (const std::vector<std::byte>& bytes : copy->bytes) operations += RecordView(bytes).size();
    copy->names.reserve(operations);
    for (const std::vector<std::byte>& bytes : copy->bytes) {
        const RecordView record(bytes);
        const bool is_part = record.kind() == RecordKind::part;
        const auto number = static_cast<std::uint32_t>(is_part ? part_digests.size() + 1 : 0);
        part_digests.push_back(core_->digest_of(record, commit.txn(), number));
        RecordView::Walk walk = record.walk();
        LogOperation operation;
        while (walk.next(operation)) {
            if (operation.kind == OperationKind::prune) continue;  // its commit's annotation tells of it
            Operation op;
            op.kind = static_cast<Operation::Kind>(operation.kind);
            op.tree_id = operation.tree;
            if (operation.kind == OperationKind::create_tree) names_[operation.tree] = std::string(operation.key);
            const bool named = operation.kind == OperationKind::create_tree ||
                               operation.kind == OperationKind::drop_tree ||
                               operation.kind == OperationKind::set_history;
            if (named) {
                copy->names.emplace_back(operation.key);
            } else {
                auto name = names_.find(operation.tree);
                if (name == names_.end()) name = names_.emplace(operation.tree, core_->tree_name(operation.tree)).first;
                copy->names.push_back(name->second);
                op.key = operation.key;
            }
            op.tree = copy->names.back();
            if (operation.kind == OperationKind::put && !operation.redacted) op.value = operation.value;
            if (operation.kind == OperationKind::redact) op.txn = decode_redaction(operation).txn;
            if (operation.kind == OperationKind::erase_range && !operation.to_the_end) op.to = operation.value;
            op.redacted = operation.redacted;
            out.operations.push_back(op);
        }
    }
    const RecordView last(copy->bytes.back());
    last.each_annotation(
        [&](std::string_view key, std::string_view value) { out.annotations.emplace_back(key, value); });
    out.txn = last.txn();
    out.time_us = last.header().time_us;
    const Hash own = part_digests.back();
    part_digests.pop_back();
    out.digest = transaction_digest(part_digests, own);
    out.owner = copy;
    position_ = at;
    txn_ = out.txn;
    return true;
}

std::optional<CommitRecord> FeedState::next(std::uint32_t timeout_ms) {
    const std::uint64_t until = core_->vfs().monotonic_us() + std::uint64_t{timeout_ms} * 1000;
    CommitRecord record;
    for (;;) {
        while (reader_.next(record)) {
            if (feed_impl::acknowledges(record)) continue;
            returned_ = record.txn;
            return record;
        }
        const std::uint64_t now = core_->vfs().monotonic_us();
        if (now >= until) return std::nullopt;
        Processes& processes = core_->processes();
        const std::uint64_t seen = processes.load(Word::durable_txn);
        processes.word(Word::visible_waiters).fetch_add(1);
        if (seen <= reader_.last()) {
            processes.wait(Word::durable_txn, seen, std::min(until - now, feed_impl::k_longest_wait_us));
        }
        processes.word(Word::visible_waiters).fetch_sub(1);
    }
}

FeedPosition FeedState::position() const { return {returned_, core_->chain_hash(returned_)}; }

Txn DatabaseCore::durable_txn() {
    return processes_->load(Word::durable_txn);
}

/// The name a tree has, or had.
std::string DatabaseCore::tree_name(std::uint64_t id) {
    // Closed whatever happens: the catalog may be damaged.
    const std::unique_ptr<ReadView, void (*)(ReadView*) noexcept> view(open_view(), close_view);
    CatalogEntry entry;
    if (find_tree(*source_, view->root->catalog.root, id, entry)) return std::string(entry.name);
    return dropped_tree_name(*source_, view->root->catalog.root, id);
}

/// The first commit that may be asked for.
Txn DatabaseCore::first_readable(const ReadView& view) const {
    return keeps_history(*view.root) ? std::max<Txn>(oldest_readable(view), 1) : 1;
}

Txn DatabaseCore::first_readable(Txn from) {
    if (from == 0) from = 1;
    const OpenView view(open_view());
    if (from < std::max(first_readable(*view.view), first_logged_txn())) fail_before_log(from);
    return from;
}

void DatabaseCore::fail_before_log(Txn txn) {
    const OpenView view(open_view());
    fail(Errc::before_horizon,
         "the log of " + path_ + " begins with txn " +
             std::to_string(std::max(first_readable(*view.view), first_logged_txn())) + "; txn " +
             std::to_string(txn) + " is not kept any more",
         path_);
}

/// Number of the first commit that the log still has.
Txn DatabaseCore::first_logged_txn() {
    if (const Horizon oldest = horizon(); oldest.first.position != 0) return oldest.txn;
    std::uint64_t at = log_start();
    while (const std::optional<RecordView> record = log_->peek(at)) {
        if (record->kind() == RecordKind::commit) return record->txn();
        at = record->kind() == RecordKind::next ? record->continues_at() : record->end();
    }
    return processes_->load(Word::built_txn) + 1;
}

std::uint64_t DatabaseCore::position_of(Txn txn) {
    const OpenView view(open_view());
    if (const std::optional<std::uint64_t> position = find_position(*view.view->root->base, txn)) return *position;
    fail(Errc::before_horizon, "txn " + std::to_string(txn) + " is not kept any more", path_);
}

/// A log position at or before the records of a txn, such that no other commit lies between, as a generation that
/// somebody stands on has it. nullopt: the records are not kept any more. `from`: what was found for an earlier txn.
std::optional<std::uint64_t> DatabaseCore::find_position(const Base& base, Txn txn, std::uint64_t from) {
    std::uint64_t at = 0;
    if (const std::optional<LogAnchor> anchor = base.history->anchor_of(txn)) at = anchor->position;
    if (at == 0) at = log_start(base.horizon, base.meta);
    at = std::max(at, from);
    std::uint64_t behind = at;  // the last commit before
    for (;;) {
        // Where no history is kept the log may begin behind the newest commit.
        if (txn <= base.meta.txn && at >= base.meta.log_position) return std::nullopt;
        const RecordView record = log_->read(at);
        if (record.kind() == RecordKind::commit) {
            if (record.txn() == txn) return behind;
            if (record.txn() > txn) return std::nullopt;
        }
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() == RecordKind::commit) behind = at;
    }
}

std::uint64_t DatabaseCore::log_start() const { return log_start(horizon(), newest_meta()); }

std::uint64_t DatabaseCore::log_start(const Horizon& oldest, const Meta& meta) const {
    if (oldest.first.position != 0) return oldest.first.position;
    // What is left of an extent may begin inside a record.
    return log_->peek(meta.log_begin) ? meta.log_begin : meta.log_position;
}

/// Where the log goes on behind the commit of a horizon.
std::uint64_t DatabaseCore::position_behind(const Horizon& oldest) const {
    if (oldest.first.position == 0) return log_start();
    for (std::uint64_t at = oldest.first.position;;) {
        const RecordView record = log_->read(at);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() == RecordKind::commit) return at;
    }
}

}  // namespace northstar::inline v0::detail
