// redact.cpp -- lawful erasure: finding the values, and the commit that says so.
//
// A redaction is a commit like every other: it names each put whose value is to go, with the digest of its record
// before and after, and erases the key if its present value is among them. When it is durable, erasure.cpp removes
// the values from the file.
//
// [REDACT-1] One redaction at a time, over all processes; the values of those before it are gone from the log when the
//            next one computes its digests.
// [REDACT-2] Nothing is overwritten before the commit that says so is durable and neither generation needs the old
//            bytes to recover.
#include "base/error.hpp"
#include "btree/cursor.hpp"
#include "log/chain.hpp"
#include "txn/core.hpp"
#include "txn/erasure.hpp"
#include "txn/past.hpp"
#include "txn/redaction_note.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace northstar::inline v0::detail {

namespace redact_impl {

constexpr int k_attempts = 10;

/// Reads the log once and notes every put of a key.
class Search {
public:
    Search(const LogStore& log, std::set<std::uint64_t> trees, std::string_view key, Txn only, std::uint64_t from,
           Txn before)
        : log_(log), trees_(std::move(trees)), key_(key), only_(only), position_(from), txn_(before) {}

    struct Found {
        std::uint64_t tree = 0;
        Txn txn = 0;
        std::uint32_t part = 0;
        std::uint32_t index = 0;
        std::uint64_t position = 0;  // of the record
    };
    const std::vector<Found>& found() const { return found_; }

    /// Reads on up to a txn. False: the log was recycled in between.
    bool read_to(Txn last) {
        if (only_ != 0) last = std::min(last, only_);
        while (txn_ < last) {
            const std::optional<RecordView> record = log_.peek(position_);
            if (!record) return false;
            if (record->kind() == RecordKind::part) {
                parts_.push_back({});
                look(*record, parts_.back());
            } else if (record->kind() == RecordKind::commit) {
                txn_ = record->txn();
                take(*record);
            }
            position_ = record->kind() == RecordKind::next ? record->continues_at() : record->end();
        }
        return true;
    }

private:
    void take(const RecordView& commit) {
        // Parts of a transaction that never committed may lie before those that belong to this one.
        const std::size_t count = std::min<std::size_t>(commit.parts().count, parts_.size());
        std::vector<Found> here;
        look(commit, here);
        std::uint32_t number = 0;
        for (std::size_t i = parts_.size() - count; i < parts_.size(); ++i) {
            ++number;
            for (Found& found : parts_[i]) {
                found.part = number;
                here.push_back(found);
            }
        }
        parts_.clear();
        if (only_ != 0 && txn_ != only_) return;
        for (Found& found : here) {
            found.txn = txn_;
            found_.push_back(found);
        }
    }

    void look(const RecordView& record, std::vector<Found>& out) const {
        for (const std::uint64_t tree : trees_) {
            const std::optional<LogOperation> operation = record.find(tree, key_);
            if (!operation || operation->kind != OperationKind::put || operation->redacted) continue;
            std::uint32_t index = 0;
            LogOperation walked;
            for (RecordView::Walk walk = record.walk(); walk.next(walked) && walked.position != operation->position;) {
                ++index;
            }
            out.push_back({tree, 0, 0, index, record.position()});
        }
    }

    const LogStore& log_;
    const std::set<std::uint64_t> trees_;
    const std::string key_;
    const Txn only_;
    std::uint64_t position_;
    Txn txn_;
    std::vector<std::vector<Found>> parts_;
    std::vector<Found> found_;
};

}  // namespace redact_impl

/// Ids of the trees that have, or had, a name.
std::set<std::uint64_t> DatabaseCore::trees_named(Ref catalog, std::string_view name) {
    std::set<std::uint64_t> ids;
    CatalogEntry entry;
    if (find_tree(*source_, catalog, name, entry)) ids.insert(entry.id);
    for (const std::uint64_t id : dropped_trees_named(*source_, catalog, name)) ids.insert(id);
    return ids;
}

Commit DatabaseCore::redact(std::string_view tree, std::string_view key, Txn txn, std::string_view reason,
                            std::uint32_t timeout_ms) {
    check_writable();
    if (reason.empty()) {
        fail(Errc::invalid_argument, "a redaction is recorded with its reason, and the reason is empty; say why");
    }
    const std::uint64_t until = vfs_->monotonic_us() + std::uint64_t{timeout_ms} * 1000;
    const RedactionTurn mine(*this);
    // [REDACT-1]
    if (pending_redaction() != 0) finish_redactions(0);
    Commit commit = commit_redaction(tree, key, txn, reason);
    if (!finish_redactions(until)) {
        fail(Errc::still_held,
             "the redaction is committed as txn " + std::to_string(commit.txn) + ", but snapshots of " + path_ +
                 " that were opened before still show the values; they leave the file when those are closed",
             path_);
    }
    return commit;
}

Commit DatabaseCore::commit_redaction(std::string_view tree, std::string_view key, Txn only, std::string_view reason) {
    using redact_impl::Search;
    for (int attempt = 1;; ++attempt) {
        std::optional<Search> search;
        {
            // No checkpoint of this process lets go of the log while it is read, which may take a while; commits go on.
            const std::lock_guard lock(checkpoint_mutex_);
            ReadView* view = open_view();
            try {
                const Txn newest = view->root->txn.load();
                if (only > newest) {
                    fail(Errc::in_the_future, "txn " + std::to_string(only) + " does not exist yet", path_);
                }
                std::uint64_t from = log_start();
                Txn before = first_logged_txn() - 1;
                if (only > before) {
                    if (const std::optional<LogAnchor> anchor = history()->anchor_of(only)) {
                        from = anchor->position;
                        before = anchor->txn - 1;
                    }
                }
                search.emplace(*log_, trees_named(view->root->catalog.root, tree), key, only, from, before);
                if (only == 0 || only > before) search->read_to(newest);
            } catch (...) {
                close_view(view);
                throw;
            }
            close_view(view);
        }
        WriteTxn txn(shared_from_this(), WriteTxn::Mode::exclusive, Durability::full, {});
        const Root& root = *txn.view()->root;
        if (!search->read_to(root.txn.load())) {
            if (attempt < redact_impl::k_attempts) continue;
            fail(Errc::corrupt, "the log of " + path_ + " cannot be read to its end; run 'northstar verify' to see "
                                "what is affected", path_);
        }
        // Records first, so that each is digested once with all that goes from it.
        std::map<std::pair<Txn, std::uint32_t>, std::vector<Search::Found>> records;
        for (const Search::Found& found : search->found()) records[{found.txn, found.part}].push_back(found);
        std::set<std::pair<std::uint64_t, Txn>> named;
        const auto redact_value = [&](std::uint64_t id, const Redaction& redaction) {
            named.emplace(id, redaction.txn);
            txn.operations().redact(id, key, redaction);
            txn.work().note_redacted(redaction);
        };
        for (const auto& [place, values] : records) {
            const std::optional<RecordView> record = log_->peek(values.front().position);
            if (!record) continue;  // a checkpoint let go of it just now
            std::vector<std::byte> copy(record->bytes().begin(), record->bytes().end());
            Redaction redaction;
            redaction.txn = place.first;
            redaction.part = place.second;
            redaction.position = record->position();
            redaction.original = chain_digest(*record, place.first, place.second, originals());
            for (const Search::Found& value : values) redact_record(copy, value.index, log_->seed());
            redaction.remaining = record_digest(RecordView(copy));
            for (const Search::Found& value : values) {
                redaction.index = value.index;
                redact_value(value.tree, redaction);
            }
        }
        // Values whose records the log has let go of: in the tree, in the history.
        const auto wanted = [&](std::uint64_t id, Txn writer) {
            return (only == 0 || writer == only) && !named.contains({id, writer});
        };
        const auto redact_unlogged = [&](std::uint64_t id, Txn writer) {
            Redaction redaction;
            redaction.txn = writer;
            redact_value(id, redaction);
        };
        const std::shared_ptr<const HistoryIndex> index = root.base->history->index(root.txn.load());
        std::vector<Ref> bases;
        if (root.base->meta.retained_txn != 0) bases.emplace_back(root.base->meta.retained.root);
        for (const YoungBase& young : root.base->horizon.young) bases.emplace_back(young.kept.root);
        for (const std::uint64_t id : trees_named(root.catalog.root, tree)) {
            index->each_version(id, key, 0, 0, [&](const HistoryVersion& version) {
                const bool value = version.kind == HistoryVersion::Kind::logged ||
                                   version.kind == HistoryVersion::Kind::inlined;
                if (value && wanted(id, version.txn)) redact_unlogged(id, version.txn);
                return true;
            });
            CatalogEntry entry;
            for (const Ref base : bases) {
                if (!find_tree(*source_, base, id, entry) || entry.root.root.empty()) continue;
                const std::optional<TreeValue> then = tree_get(*source_, entry.root.root, key);
                if (then && wanted(id, then->txn)) redact_unlogged(id, then->txn);
            }
            if (!find_tree(*source_, root.catalog.root, id, entry) || entry.root.root.empty()) continue;
            const std::optional<TreeValue> now = tree_get(*source_, entry.root.root, key);
            if (!now || (only != 0 && now->txn != only)) continue;
            if (wanted(id, now->txn)) redact_unlogged(id, now->txn);
            txn.erase(txn.find_tree(tree), key);
        }
        if (named.empty()) {
            fail(Errc::not_found,
                 only == 0 ? "no value of this key is left to redact in tree " + std::string(tree) + " of " + path_
                           : "txn " + std::to_string(only) + " wrote no value of this key that is left to redact in " +
                                 "tree " + std::string(tree) + " of " + path_,
                 path_);
        }
        leave_redaction_note(txn, tree, false);
        txn.annotate("reason", reason);
        note_redaction(txn.work().txn(), log_->end());
        return txn.commit();
    }
}

/// Known before the record is written: whoever adopts it after this process died looks after it.
void DatabaseCore::note_redaction(Txn txn, std::uint64_t position) {
    processes_->store(Word::redaction_generation, 0);
    if (pending_redaction() != 0) return;
    processes_->store(Word::redaction_position, position);
    processes_->store(Word::redaction, txn);
}

// ---- who may ----

void DatabaseCore::hold_log() {
    redaction_mutex_.lock_shared();
    const std::lock_guard lock(log_holders_mutex_);
    if (log_holders_ == 0 && !processes_->lock(Processes::redact, LockKind::shared, std::nullopt)) {
        redaction_mutex_.unlock_shared();
        fail(Errc::timeout, "another process is redacting values of " + path_ + "; try again", path_);
    }
    ++log_holders_;
}

void DatabaseCore::let_go_of_log() noexcept {
    {
        const std::lock_guard lock(log_holders_mutex_);
        if (--log_holders_ == 0 && processes_ != nullptr) processes_->unlock(Processes::redact);
    }
    redaction_mutex_.unlock_shared();
}

}  // namespace northstar::inline v0::detail
