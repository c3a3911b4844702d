// copy.cpp -- backup, restore, replay and vacuum.
//
// backup    raw pages of one generation and the log behind it: same uuid, same positions
// replay    the log alone, record by record, into a new file: new uuid, same chain
// vacuum    the present state alone, in key order: new uuid, names its parent
#include "txn/copy.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "btree/cursor.hpp"
#include "log/chain.hpp"
#include "txn/ledger.hpp"
#include "txn/past.hpp"
#include "txn/redaction_note.hpp"
#include "txn/replay.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace northstar::inline v0::detail {

namespace copy_impl {

constexpr std::uint64_t k_block_bytes = 1u << 20;
/// A root is installed after so many log bytes; a transaction is never split.
constexpr std::uint64_t k_batch_bytes = 1u << 20;
constexpr int k_pin_attempts = 100;

/// Where copies are made: beside the source's file, or on disk if the source lies in memory.
Vfs& vfs_of(DatabaseCore& core) { return core.path() == ":memory:" ? posix_vfs() : core.vfs(); }

/// The file under its temporary name; removed unless it was finished. [COPY-1]
class Partial {
public:
    Partial(Vfs& vfs, const std::string& destination)
        : vfs_(vfs), destination_(destination), path_(destination + "-partial") {
        if (vfs_.exists(destination_)) {
            fail(Errc::already_exists, destination_ + " exists already; remove it or choose another name",
                 destination_);
        }
        if (vfs_.exists(path_)) {
            bool created = false;
            if (!vfs_.open(path_, {false, false}, created)->try_lock(Processes::open, LockKind::exclusive)) {
                fail(Errc::locked, path_ + " is being written by another copy; wait until it is done", path_);
            }
            vfs_.remove(path_);
        }
    }
    ~Partial() {
        if (done_) return;
        try {
            if (vfs_.exists(path_)) vfs_.remove(path_);
        } catch (...) {
            // The failure that led here is the one that is reported; the next copy removes the rest.
        }
    }
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;

    const std::string& path() const { return path_; }
    /// The file must be flushed.
    void finish() {
        vfs_.rename(path_, destination_);
        done_ = true;
    }

private:
    Vfs& vfs_;
    const std::string destination_;
    const std::string path_;
    bool done_ = false;
};

/// A tree as a view shows it, and when it last changed.
struct KnownTree {
    std::string name;
    CatalogEntry entry;
    History history;
    bool own_history = false;
    Txn changed = 0;
};

Options private_options() {
    Options options;
    options.exclusive = true;
    options.background = false;
    return options;
}

/// A handle for a copy's source. Several handles of one file are fine as long as all but one only read.
std::shared_ptr<DatabaseCore> open_source(const std::string& path, Vfs& vfs) {
    Options options;
    options.create = false;
    options.read_only = true;
    options.background = false;
    return DatabaseCore::open(path, options, &vfs);
}

/// Copies [from, to) of the source; what lies behind its end is zeros.
void copy_bytes(File& source, std::uint64_t from, File& destination, std::uint64_t to, std::uint64_t length) {
    std::vector<std::byte> block(static_cast<std::size_t>(std::min(length, k_block_bytes)));
    while (length != 0) {
        const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(length, block.size()));
        const std::span<std::byte> part(block.data(), bytes);
        const std::size_t got = source.read(from, part);
        std::fill(part.begin() + static_cast<std::ptrdiff_t>(got), part.end(), std::byte{0});
        destination.write(to, part);
        from += part.size();
        to += part.size();
        length -= part.size();
    }
}

void write_zeros(File& file, std::uint64_t at, std::uint64_t length) {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min(length, k_block_bytes)));
    while (length != 0) {
        const std::uint64_t now = std::min<std::uint64_t>(length, zeros.size());
        file.write(at, {zeros.data(), static_cast<std::size_t>(now)});
        at += now;
        length -= now;
    }
}

/// The pages of a generation and the log up to a position, as a file of its own. The generation is pinned.
void copy_generation(DatabaseCore& core, Meta meta, const ExtentDirectory& known, std::uint64_t end, File& out) {
    File& in = core.file();
    const std::uint64_t page_size = core.page_size();
    const Ledger ledger = Ledger::decode(
        core.file_pages().read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum),
        core.page_size());
    std::uint64_t size = meta.file_pages * page_size;
    std::vector<Extent> extents(ledger.extents.all().begin(), ledger.extents.all().end());
    for (const Extent& extent : known.all()) {
        if (extent.logical >= ledger.extents.end() && extent.logical < end) extents.push_back(extent);
    }
    for (const Extent& extent : extents) size = std::max(size, (extent.page + extent.pages) * page_size);
    out.truncate(size);
    std::uint64_t at = k_first_data_page;
    const auto copy_pages = [&](std::uint64_t to) {
        if (at < to) copy_bytes(in, at * page_size, out, at * page_size, (to - at) * page_size);
    };
    for (const auto& [page, pages] : ledger.space.free_runs()) {
        copy_pages(page);
        at = page + pages;
    }
    copy_pages(meta.file_pages);
    for (const Extent& extent : extents) {
        const std::uint64_t offset = extent.page * page_size;
        const std::uint64_t bytes = extent.pages * page_size;
        const std::uint64_t used = std::clamp(end, extent.logical, extent.logical + bytes) - extent.logical;
        copy_bytes(in, offset, out, offset, used);
        write_zeros(out, offset + used, bytes - used);
    }
    meta.clean = false;
    std::vector<std::byte> bytes(k_meta_size);
    for (int i = 0; i < 2; ++i) {
        encode_meta(meta, bytes);
        out.write((meta.generation & 1) * page_size, bytes);
        ++meta.generation;
    }
    out.sync();
}

/// The default retention that a log began with: what its first new tree says.
History first_default(DatabaseCore& source, std::uint64_t at, Txn target) {
    ReadView* view = source.open_view();
    const History now = view->root->history;
    DatabaseCore::close_view(view);
    for (Txn txn = 0; txn < target;) {
        const RecordView record = source.log().read(at);
        if (record.kind() == RecordKind::part || record.kind() == RecordKind::commit) {
            RecordView::Walk walk = record.walk();
            LogOperation operation;
            while (walk.next(operation)) {
                if (operation.kind == OperationKind::create_tree) return decode_history(operation);
                if (operation.kind == OperationKind::set_history && operation.tree == 0) return now;
            }
        }
        if (record.kind() == RecordKind::commit) txn = record.txn();
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
    }
    return now;
}

/// While it lives, values in the source's log stay as they are.
class LogHold {
public:
    explicit LogHold(DatabaseCore& core) : core_(core) { core_.hold_log(); }
    ~LogHold() { core_.let_go_of_log(); }
    LogHold(const LogHold&) = delete;
    LogHold& operator=(const LogHold&) = delete;

private:
    DatabaseCore& core_;
};

/// Values that the copy no longer has were redacted by commits that it does not have either: one of its own says so.
void restate_redactions(DatabaseCore& source, const std::shared_ptr<DatabaseCore>& copy, Txn target) {
    std::vector<RedactedRecord> records;
    ReadView* view = source.open_view();
    try {
        records = list_redacted(source.source(), view->root->catalog.root);
    } catch (...) {
        DatabaseCore::close_view(view);
        throw;
    }
    DatabaseCore::close_view(view);
    std::erase_if(records, [&](const RedactedRecord& r) { return r.txn > target || r.by <= target; });
    if (records.empty()) return;
    WriteTxn txn(copy, WriteTxn::Mode::exclusive, Durability::full, {});
    std::set<std::uint64_t> trees;
    for (const RedactedRecord& from : records) {
        const std::optional<std::uint64_t> position = copy->record_position(from.txn, from.part);
        if (!position) continue;
        const RecordView record = copy->log().read(*position);
        for (std::uint32_t i = 0; i < record.size(); ++i) {
            const LogOperation operation = record.operation(i);
            if (!operation.redacted) continue;
            const Redaction redaction{from.txn, *position, from.part, i, from.original, from.remaining};
            trees.insert(operation.tree);
            txn.operations().redact(operation.tree, operation.key, redaction);
            txn.work().note_redacted(redaction);
        }
    }
    for (const std::uint64_t id : trees) {
        CatalogEntry entry;
        const bool there = find_tree(txn.source(), txn.view()->root->catalog.root, id, entry);
        leave_redaction_note(txn, there ? std::string(entry.name)
                                        : dropped_tree_name(txn.source(), txn.view()->root->catalog.root, id), true);
    }
    txn.annotate("reason", "values were redacted in " + to_text(source.uuid()) + " after txn " +
                               std::to_string(target) + ", which this is a copy of");
    txn.commit();
}

/// The oldest state from which the log leads to all later ones: 0, or the latest horizon of any tree. nullopt: without
/// a history there is none.
std::optional<Txn> first_whole_state(DatabaseCore& source) {
    const OpenView view(source.open_view());
    const Root& root = *view.view->root;
    const Txn newest = root.txn.load();
    if (newest == 0) return 0;
    const bool keeps = source.keeps_history(root);
    // Where the past before txn 1 is gone, the log begins with that txn all the same.
    if (source.first_logged_txn() <= 1 && (!keeps || source.horizon().txn == 0)) return 0;
    if (!keeps) return std::nullopt;
    Txn base = source.oldest_readable(*view.view);
    for (const CatalogEntry& tree : list_trees(source.source(), root.catalog.root)) {
        base = std::max(base, tree_horizon(*view.view, tree.id).value_or(newest));
    }
    return base;
}

void replay_into(DatabaseCore& source, const std::string& destination, Txn target) {
    const std::optional<Txn> start = first_whole_state(source);
    if (!start || target < *start) {
        fail(Errc::before_horizon,
             "the log of " + source.path() + " begins with txn " + std::to_string(source.first_logged_txn()) +
                 ", so the state of txn " + std::to_string(target) + " cannot be built from it",
             source.path());
    }
    const Txn base = *start;
    Vfs& vfs = vfs_of(source);
    Partial partial(vfs, destination);
    const LogHold hold(source);
    // Everything is read as one view has it: nothing of it is let go meanwhile.
    const OpenView view(base == 0 ? source.open_view() : source.open_past_view(AsOf::txn(base)));
    std::uint64_t at = view.view->root->base->meta.log_begin;
    if (base != 0 && base < target) at = source.position_of(base + 1);
    Options options = private_options();
    options.page_size = source.page_size();
    options.log_align = source.log().log_align();
    options.history = base == 0 ? first_default(source, at, target) : History::nothing();
    const std::shared_ptr<DatabaseCore> copy = DatabaseCore::open(partial.path(), options, &vfs);
    if (base != 0) copy->begin_with(*view.view, source.chain_hash(base), false);
    std::vector<std::vector<std::byte>> batch;
    std::uint64_t bytes = 0;
    for (Txn txn = base; txn < target;) {
        const RecordView record = source.log().read(at);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::part && record.kind() != RecordKind::commit) continue;
        batch.emplace_back(record.bytes().begin(), record.bytes().end());
        // The original may lie in pages that somebody recycles just now.
        if (!record_intact(batch.back(), record.header(), source.log().seed())) {
            fail(Errc::corrupt, "the log of " + source.path() + " changed while it was read; try again", source.path());
        }
        bytes += batch.back().size();
        if (record.kind() != RecordKind::commit) continue;
        if (record.txn() != txn + 1) {
            fail(Errc::corrupt, "txn " + std::to_string(record.txn()) + " follows txn " + std::to_string(txn) +
                                    " in the log of " + source.path(), source.path());
        }
        txn = record.txn();
        if (bytes < k_batch_bytes && txn < target) continue;
        copy->append_copied(batch, source.originals());
        batch.clear();
        bytes = 0;
    }
    restate_redactions(source, copy, target);
    if (target != 0 && copy->chain_hash(target) != source.chain_hash(target)) {
        fail(Errc::corrupt, "the chain hash of txn " + std::to_string(target) + " in " + source.path() +
                                " does not follow from its log: the log was rewritten", source.path());
    }
    copy->close();
    partial.finish();
}

/// The trees of a view, those of the present by when they last changed.
std::vector<KnownTree> trees_to_copy(const ReadView& from) {
    const Txn txn = from.past != nullptr ? from.past->txn : from.root->txn.load();
    std::vector<KnownTree> trees;
    for (const std::string& name : tree_names_in_view(from)) {
        KnownTree tree;
        tree.changed = txn;
        if (!find_tree_in_view(from, name, tree.entry)) continue;
        tree.name = name;
        tree.history = tree_history_in_view(from, name, tree.entry);
        tree.own_history = tree.history != default_history_in_view(from);
        if (from.past == nullptr) {
            tree.own_history = tree.entry.own_history;
            const Ref root = tree.entry.root.root;
            if (!root.empty()) tree.changed = newest_txn(from.core->source(), root);
        }
        trees.push_back(std::move(tree));
    }
    std::stable_sort(trees.begin(), trees.end(),
                     [](const KnownTree& a, const KnownTree& b) { return a.changed < b.changed; });
    return trees;
}

}  // namespace copy_impl

/// A view whose base is the newest generation: what hides behind neither a newer meta page nor an unfinished rebase.
ReadView* DatabaseCore::open_copy_view() {
    for (int attempt = 0; attempt < copy_impl::k_pin_attempts; ++attempt) {
        {
            // An own checkpoint ends with a rebase.
            const std::lock_guard lock(checkpoint_mutex_);
            const TurnGuard guard(turn_);
            const Txn visible = processes_->load(Word::visible_txn);
            if (newer_meta_exists()) replay_to(visible, false);
            roots_->advance(visible);
        }
        ReadView* view = open_view();
        if (view->root->base->meta.generation == processes_->load(Word::generation)) return view;
        close_view(view);
        if (!options_.read_only) {
            make_durable(processes_->load(Word::built_txn), 0);
            publish_visible();
        }
    }
    fail(Errc::locked, path_ + " is being checkpointed without pause; try again", path_);
}

/// Appends transactions of another database's log as they stand: number, time, annotations, operations and nonce, and
/// with them the digest, are kept; place, epoch and checksum are new.
void DatabaseCore::append_copied(std::span<std::vector<std::byte>> records, const OriginalDigest& digests_before) {
    begin_exclusive({});
    {
        const ExclusiveScope scope(*this);
        Workspace work(*arena_, *source_);
        work.limit_pages(page_budget(), [&] { make_room_for_replay(work); });
        const Root* built = roots_->built();
        Txn installed = built->txn.load(std::memory_order_relaxed);
        Txn txn = installed;
        std::uint64_t time_us = built->time_us;
        std::uint64_t behind = 0;
        work.begin(built->catalog, built->next_tree_id, built->history, txn);
        const auto install_here = [&] {
            if (txn == installed) return;
            work.finish();
            Root* root = root_of(work, txn, time_us, behind, log_->epoch());
            reserve_install(work);
            install(work, root);
            installed = txn;
            published(txn, log_->end(), time_us, false);
            work.begin(root->catalog, root->next_tree_id, root->history, txn);
        };
        std::vector<RecordView> parts;
        std::uint64_t first_part = 0;
        // The redactions of what comes now may lie further on: the chain goes on with what the original knows.
        TransactionDigests digests(digests_before);
        for (std::vector<std::byte>& bytes : records) {
            const RecordView original(bytes);
            const bool commit = original.kind() == RecordKind::commit;
            if (!log_->fits(bytes.size())) {
                // A record that says where the log goes on carries the number of the built root.
                install_here();
                extend_log(bytes.size());
            }
            ensure_unclean();
            RecordFields fields;
            fields.position = log_->end();
            fields.epoch = log_->epoch();
            fields.txn = original.txn();
            fields.time_us = original.header().time_us;
            fields.durable = std::min(processes_->load(Word::durable_position), fields.position);
            place_record(bytes, fields);
            if (const PartsOf of = original.parts(); of.count != 0) {
                // Behind header, nonce and chain.
                const std::size_t at = k_record_header_size + k_record_nonce_size +
                                       (original.has(k_flag_chain) ? k_record_chain_size : 0);
                store_u64(bytes.data() + at, first_part);
            }
            seal_record(bytes, log_->seed());
            const RecordView record(bytes);
            if (commit) {
                work.pages().set_txn(record.txn());
                for (const RecordView& part : parts) apply_record(work, part);
                parts.clear();
                apply_record(work, record);
            } else {
                if (parts.empty()) first_part = fields.position;
                parts.push_back(record);
            }
            log_->prepare(bytes.size());
            write_log(
                [&] {
                    const std::span<std::byte> out = log_->stage(bytes.size(), true);
                    std::memcpy(out.data(), bytes.data(), bytes.size());
                    log_->publish();
                },
                [&] { publish_log_end(); });
            if (redacts(record)) note_redaction(record.txn() + (commit ? 0 : 1), fields.position);
            const bool complete = digests.add(record);
            if (!commit) continue;
            txn = record.txn();
            time_us = fields.time_us;
            behind = log_->end();
            if (complete) chain_->append(txn, digests.digest(), behind);
        }
        install_here();
    }
    if (holds_early()) settle_early();
    checkpoint_if_wanted();
}

/// What the background thread does, for handles without one.
void DatabaseCore::checkpoint_if_wanted() {
    if (checkpoint_wanted_.load()) checkpoint();
}

/// Names the database that this one was made from; every later meta page carries it on.
void DatabaseCore::set_parent(const Uuid& uuid, Txn txn, const Hash& chain) {
    const std::lock_guard lock(checkpoint_mutex_);
    {
        const std::lock_guard meta_lock(meta_mutex_);
        newest_.parent_uuid = uuid;
        newest_.parent_txn = txn;
        newest_.parent_chain = chain;
    }
    checkpoint_locked(false, true);
}

/// Makes the state that a view of another database shows the first one of this new and empty one: same txn, chain and
/// ids of trees. Its entries count as written by that txn, or, of a state of the present, when their tree changed last:
/// what was derived from a tree knows whether it is that of the copy. The log goes on behind it. `dense`: the file is.
void DatabaseCore::begin_with(const ReadView& from, const Hash& chain, bool dense) {
    using namespace copy_impl;
    const Txn txn = from.past != nullptr ? from.past->txn : from.root->txn.load();
    const std::uint64_t time_us = from.past != nullptr ? time_of_past(from) : from.root->time_us;
    chain_->stand_on({txn, log_->end(), chain}, {});
    // Each piece becomes a root of that txn, and gets its place before the next; its entries were written by `written`.
    const auto add = [&](Txn written, const std::function<void(Workspace&)>& change) {
        begin_exclusive({});
        {
            const ExclusiveScope scope(*this);
            Workspace work(*arena_, *source_);
            const Root* built = roots_->built();
            work.begin(built->catalog, std::max(built->next_tree_id, from.root->next_tree_id), built->history, written);
            change(work);
            work.finish();
            Root* root = root_of(work, txn, time_us, log_->end(), log_->epoch());
            reserve_install(work);
            install(work, root);
            published(txn, log_->end(), time_us, false);
        }
        checkpoint_if_wanted();
    };
    const auto copy = [&](const KnownTree& tree, auto&& cursor) {
        bool there = cursor.first();
        add(tree.changed, [&](Workspace& work) { work.create(tree.name, tree.entry.id); });
        while (there) {
            add(tree.changed, [&](Workspace& work) {
                const int to = work.open(tree.name);
                for (std::uint64_t bytes = 0; there && bytes < k_batch_bytes; there = cursor.next()) {
                    work.append(to, cursor.key(), cursor.value());
                    bytes += cursor.key().size() + cursor.value().size();
                }
            });
        }
    };
    const std::vector<KnownTree> trees = trees_to_copy(from);
    for (const KnownTree& tree : trees) {
        const Ref root = tree.entry.root.root;
        if (from.past != nullptr) {
            copy(tree, PastCursor(past_tree(from, tree.entry.id, root)));
        } else {
            copy(tree, TreeCursor(from.core->source(), root));
        }
    }
    // That state is in the file before its past begins: it becomes the retained base.
    if (dense) {
        compact();
    } else {
        checkpoint();
    }
    add(txn, [&](Workspace& work) {
        work.set_default_history(default_history_in_view(from));
        for (const KnownTree& tree : trees) {
            if (tree.own_history) work.set_history(work.open(tree.name), tree.history);
        }
        const bool kept = std::any_of(trees.begin(), trees.end(), [](const KnownTree& tree) {
            return tree.history != History::nothing();
        });
        if (txn != 0 && (kept || work.default_history() != History::nothing())) work.prune({txn, chain, std::nullopt});
    });
    checkpoint();
}

void copy_database(DatabaseCore& source, const std::string& destination, std::optional<AsOf> point) {
    using namespace copy_impl;
    Vfs& vfs = vfs_of(source);
    Partial partial(vfs, destination);
    const LogHold hold(source);
    ReadView* view = source.open_copy_view();
    Txn txn = 0;
    try {
        const Meta& meta = view->root->base->meta;
        const Txn newest = view->root->txn.load();
        txn = point ? source.resolve(*point) : newest;
        if (txn < meta.txn) {
            fail(Errc::before_horizon, source.path() + " can be copied as of txn " + std::to_string(meta.txn) +
                                           " or later; txn " + std::to_string(txn) + " is not kept", source.path());
        }
        txn = std::min(txn, newest);
        if (!source.options().read_only) source.make_durable(newest, view->root->log_position);
        const std::uint64_t behind = txn == newest ? view->root->log_position : source.position_of(txn + 1);
        const std::uint64_t end = std::max(behind, meta.log_position);
        bool created = false;
        const std::unique_ptr<File> out = vfs.open(partial.path(), {true, false}, created);
        out->lock(Processes::open, LockKind::exclusive, std::nullopt);
        copy_generation(source, meta, source.log().extents(), end, *out);
    } catch (...) {
        DatabaseCore::close_view(view);
        throw;
    }
    DatabaseCore::close_view(view);
    // Opening it is the proof that it can be opened; closing it makes it whole.
    const std::shared_ptr<DatabaseCore> copy = DatabaseCore::open(partial.path(), private_options(), &vfs);
    if (copy->durable_txn() != txn) {
        fail(Errc::corrupt, "the copy of " + source.path() + " ends with txn " + std::to_string(copy->durable_txn()) +
                                " instead of " + std::to_string(txn), source.path());
    }
    copy->close();
    partial.finish();
}

void replay(const std::string& source, const std::string& destination, AsOf point, Vfs& vfs) {
    const std::shared_ptr<DatabaseCore> core = copy_impl::open_source(source, vfs);
    copy_impl::replay_into(*core, destination, core->resolve(point));
}

void restore(const std::string& source, const std::string& destination, AsOf point, Vfs& vfs) {
    const std::shared_ptr<DatabaseCore> core = copy_impl::open_source(source, vfs);
    const Txn txn = core->resolve(point);
    // Without the beginning of its log, the newest generation is the best start; else what there was at the horizon.
    if (txn != 0 && core->first_logged_txn() > 1 && txn >= core->newest_meta().txn) {
        copy_database(*core, destination, AsOf::txn(txn));
    } else {
        copy_impl::replay_into(*core, destination, txn);
    }
}

void vacuum_into(DatabaseCore& source, const std::string& destination) {
    using namespace copy_impl;
    Vfs& vfs = vfs_of(source);
    Partial partial(vfs, destination);
    Options options = private_options();
    options.page_size = source.page_size();
    options.log_align = source.log().log_align();
    options.history = History::nothing();
    const std::shared_ptr<DatabaseCore> copy = DatabaseCore::open(partial.path(), options, &vfs);
    {
        const OpenView view(source.open_view());
        const Txn txn = view.view->root->txn.load();
        copy->set_parent(source.uuid(), txn, source.chain_hash(txn));
        copy->begin_with(*view.view, source.chain_hash(txn), true);
    }
    copy->compact();
    copy->close();
    partial.finish();
}

}  // namespace northstar::inline v0::detail
