// erasure.cpp -- erasing redacted values from the file, and finishing that whatever happens in between.
//
//   1  two checkpoints: neither generation needs the log before the redaction to recover
//   2  values and nonces in the log become zeros, in place; flush
//   3  a checkpoint whose history segments are free of the values, and those of a move of the horizon that begins with
//      it, after which no base has them either (the last is generation g); another one
//   4  wait until nobody reads a generation before g, or before the one from which 5 takes the horizon; a checkpoint:
//      what died until g is free
//   5  free pages, the parts of the log's extents that hold no record, and values in front of the horizon that every
//      reader has passed become zeros
//   6  a checkpoint, which flushes them before it says: finished
//
// [ERASE-1] Every step may be repeated. The first commit that is not finished stands in the words, and in every meta
//           page made since; nothing of the log is let go of meanwhile. Whoever finds it and nobody at work goes on: a
//           first opener before anybody else gets in, other processes in the background or at their next checkpoint.
// [ERASE-2] A record is overwritten only with bytes whose digest the redaction names.
//           Who may not write sees records that were overwritten in part as they will be.
// [ERASE-3] Values in pages of a generation that somebody reads stay as they are.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "log/chain.hpp"
#include "pager/place.hpp"
#include "txn/core.hpp"
#include "txn/erasure.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace erasure_impl {

constexpr std::uint64_t k_wait_us = 5000;
/// So many bytes are zeroed while others wait for space or the turn.
constexpr std::uint64_t k_step_bytes = 1u << 20;
/// How long a reader waits for a record that is being overwritten: as long as it takes another process to notice that
/// the one at work died, and more.
constexpr int k_patience = 2000;
constexpr std::uint64_t k_patience_us = 2000;

[[noreturn]] void damaged_at(const std::string& path, std::uint64_t position) {
    fail(Errc::corrupt, "the log of " + path + " is damaged at position " + std::to_string(position) +
                            ", where values are to be redacted; run 'northstar verify'", path);
}

/// The database whose turn of redactions this thread has: what it calls meanwhile must neither ask for it again nor
/// wait for the end of what it does itself.
thread_local const DatabaseCore* turn_of = nullptr;

/// Zeros where something else was. What the file does not reach is left alone.
bool write_zeros(File& file, std::uint64_t offset, std::uint64_t length, std::vector<std::byte>& block) {
    bool wrote = false;
    static const std::vector<std::byte> k_zeros(k_step_bytes);
    while (length != 0) {
        block.resize(static_cast<std::size_t>(std::min(length, k_step_bytes)));
        const std::size_t got = file.read(offset, block);
        if (got == 0) return wrote;
        const auto used = std::find_if(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got),
                                       [](std::byte b) { return b != std::byte{0}; });
        if (used != block.begin() + static_cast<std::ptrdiff_t>(got)) {
            file.write(offset, {k_zeros.data(), got});
            wrote = true;
        }
        offset += got;
        length -= std::min<std::uint64_t>(length, got);
    }
    return wrote;
}

/// The same for positions of the log; those in no extent are left out.
void zero_positions(File& file, const ExtentDirectory& extents, std::uint64_t from, std::uint64_t to,
                    std::vector<std::byte>& block) {
    for (std::size_t i = extents.at_or_after(from); i < extents.size() && extents[i].logical < to; ++i) {
        const std::uint64_t begin = std::max(from, extents[i].logical);
        const std::uint64_t length = std::min(to, extents.end_of(extents[i])) - begin;
        const std::uint64_t offset = extents[i].page * extents.page_size() + (begin - extents[i].logical);
        write_zeros(file, offset, length, block);
    }
}

}  // namespace erasure_impl

/// One at a time, over all processes and with nobody copying the log.
DatabaseCore::RedactionTurn::RedactionTurn(DatabaseCore& core) : core_(core), held_(true) {
    core_.redaction_mutex_.lock();
    try {
        core_.take_lock(Processes::redact);
    } catch (...) {
        core_.redaction_mutex_.unlock();
        throw;
    }
    erasure_impl::turn_of = &core_;
}

DatabaseCore::RedactionTurn::RedactionTurn(DatabaseCore& core, std::try_to_lock_t) : core_(core) {
    if (erasure_impl::turn_of != nullptr || !core_.redaction_mutex_.try_lock()) return;
    try {
        held_ = core_.processes_->try_lock(Processes::redact, LockKind::exclusive);
    } catch (...) {
        core_.redaction_mutex_.unlock();
        throw;
    }
    if (!held_) core_.redaction_mutex_.unlock();
    if (held_) erasure_impl::turn_of = &core_;
}

DatabaseCore::RedactionTurn::~RedactionTurn() {
    if (!held_) return;
    erasure_impl::turn_of = nullptr;
    core_.processes_->unlock(Processes::redact);
    core_.redaction_mutex_.unlock();
}

void DatabaseCore::finish_redactions_if_possible() {
    const RedactionTurn mine(*this, std::try_to_lock);
    if (mine.held() && pending_redaction() != 0 && !poisoned()) finish_redactions(0);
}

/// Goes through the steps; false: at `until` somebody still reads a generation with the values. Call with the turn of
/// redactions and without any other lock.
bool DatabaseCore::finish_redactions(std::uint64_t until_us) {
    const auto checkpoint_again = [this] {
        const std::lock_guard lock(checkpoint_mutex_);
        checkpoint_locked(false, true);
    };
    if (processes_->load(Word::redaction_generation) == 0) {
        const std::vector<Erasure> erasures = pending_erasures();
        if (!erasures.empty()) {
            const Txn last = erasures.back().by;
            for (int i = 0; i < 2 && !both_generations_behind(last); ++i) checkpoint_again();
            bool first = true;
            do {
                const std::lock_guard lock(checkpoint_mutex_);
                if (first) erase_from_log(erasures);
                erasing_ = &erasures;
                erasing_anew_ = std::exchange(first, false);
                const std::uint64_t before = steps_.load();
                try {
                    checkpoint_locked(false, true);
                } catch (...) {
                    erasing_ = nullptr;
                    erasing_anew_ = false;
                    throw;
                }
                erasing_ = nullptr;
                erasing_anew_ = false;
                if (horizon_moves() && steps_.load() == before) {
                    fail(Errc::no_space, "there is no room in " + path_ + " to rewrite the history without the " +
                                             "redacted values; they are erased when there is room", path_);
                }
            } while (horizon_moves());
        }
        processes_->store(Word::redaction_generation, processes_->load(Word::generation));
    }
    const std::uint64_t clean = processes_->load(Word::redaction_generation);
    // One from before is of a redaction that another process finished.
    if (!erasable_front_ || erasable_front_->generation < clean) erasable_front_ = front_of_horizon();
    if (processes_->load(Word::generation) <= erasable_front_->generation) checkpoint_again();
    while (!nobody_reads_before(erasable_front_->generation)) {
        if (vfs_->monotonic_us() >= until_us) return false;
        // Others look at the words from time to time, and move on.
        processes_->wake(Word::write_wanted);
        processes_->wait(Word::redaction_generation, clean, erasure_impl::k_wait_us);
    }
    checkpoint_again();
    // In this order: a log extent that is carved meanwhile is free before, or has its unused part looked at after.
    zero_free_pages();
    zero_unused_log();
    zero_ends_of_extents(erasable_front_->position);
    erasable_front_.reset();
    const Txn pending = pending_redaction();
    processes_->store(Word::redaction, 0);
    try {
        checkpoint_again();
    } catch (...) {
        processes_->store(Word::redaction, pending);
        throw;
    }
    processes_->store(Word::redaction_generation, 0);
    return true;
}

// ---- what is to be done ----

/// A record whose checksum is not looked at: an overwriting that was cut short may have left it wrong. Lengths and
/// places are never overwritten.
std::optional<RecordView> DatabaseCore::unchecked_record(std::uint64_t position) {
    const std::byte* front = log_->bytes(position, k_record_header_size);
    if (front == nullptr) return std::nullopt;
    const std::optional<RecordHeader> header = peek_record({front, k_record_header_size});
    if (!header || header->position != position) return std::nullopt;
    const std::byte* all = log_->bytes(position, header->length);
    if (all == nullptr) return std::nullopt;
    return RecordView({all, static_cast<std::size_t>(header->length)});
}

std::vector<Erasure> DatabaseCore::pending_erasures() {
    catch_up();
    std::vector<Erasure> out;
    ReadView* view = pin_root(roots_->visible(), roots_->visible_word());
    const std::uint64_t end = view->root->log_position;
    close_view(view);
    std::uint64_t at = processes_->load(Word::redaction_position);
    const auto take = [&](std::uint64_t position, Txn by) {
        const RecordView record = log_->read(position);
        LogOperation operation;
        for (RecordView::Walk walk = record.walk(); walk.next(operation);) {
            if (operation.kind != OperationKind::redact) continue;
            out.push_back({operation.tree, std::string(operation.key), decode_redaction(operation), by});
        }
    };
    std::vector<std::uint64_t> redacting_parts;
    // Nothing lies there if its writer died before the first byte.
    while (at < end) {
        const std::optional<RecordView> record = unchecked_record(at);
        if (!record) erasure_impl::damaged_at(path_, at);
        if (record->kind() == RecordKind::part && redacts(*record)) redacting_parts.push_back(at);
        if (record->kind() == RecordKind::commit) {
            const Txn txn = record->txn();
            const PartsOf of = record->parts();
            for (const std::uint64_t part : redacting_parts) {
                if (of.count != 0 && part >= of.first) take(part, txn);
            }
            redacting_parts.clear();
            if (redacts(*record)) take(at, txn);
        }
        at = record->kind() == RecordKind::next ? record->continues_at() : record->end();
    }
    return out;
}

/// True: what was overwritten up to a txn is needed by no recovery.
bool DatabaseCore::both_generations_behind(Txn txn) {
    std::vector<std::byte> bytes(k_meta_size);
    for (std::uint64_t slot = 0; slot < 2; ++slot) {
        Meta meta;
        if (file_->read(slot * page_size_, bytes) != k_meta_size || decode_meta(bytes, meta) != MetaState::valid ||
            meta.txn < txn) {
            return false;
        }
    }
    return true;
}

// ---- the log ----

std::optional<std::uint64_t> DatabaseCore::record_position(Txn txn, std::uint32_t part, std::uint64_t readable_to) {
    const ExtentDirectory extents = log_->extents();
    // The first record of the log may be the one whose overwriting was cut short.
    const std::uint64_t begin = newest_meta().log_begin;
    std::uint64_t at = horizon().first.position == 0 && unchecked_record(begin) ? begin : log_start();
    if (const std::optional<LogAnchor> anchor = history()->anchor_of(txn)) {
        if (extents.find(anchor->position)) at = anchor->position;
    }
    std::vector<std::uint64_t> parts;
    while (const std::optional<RecordView> record = unchecked_record(at)) {
        if (record->kind() == RecordKind::part) parts.push_back(at);
        if (record->kind() == RecordKind::commit) {
            if (record->txn() > txn) return std::nullopt;
            if (record->txn() == txn) {
                if (part == 0) return at;
                const std::size_t count = record->parts().count;
                if (count > parts.size() || part > count) return std::nullopt;
                return parts[parts.size() - count + part - 1];
            }
            parts.clear();
        }
        at = record->kind() == RecordKind::next ? record->continues_at() : record->end();
    }
    if (at < readable_to) erasure_impl::damaged_at(path_, at);
    return std::nullopt;
}

namespace erasure_impl {

/// By record; of several redactions of one the newest, which is the last, names what is left of it.
std::map<std::pair<Txn, std::uint32_t>, std::vector<const Erasure*>> by_record(const std::vector<Erasure>& erasures) {
    std::map<std::pair<Txn, std::uint32_t>, std::vector<const Erasure*>> records;
    for (const Erasure& erasure : erasures) {
        if (erasure.redaction.position == 0) continue;
        records[{erasure.redaction.txn, erasure.redaction.part}].push_back(&erasure);
    }
    return records;
}

}  // namespace erasure_impl

/// Overwrites every record that the erasures name, and fails behind that where one of them is damaged. Call with the
/// checkpoint mutex: extents stay where they are.
void DatabaseCore::erase_from_log(const std::vector<Erasure>& erasures) {
    ReadView* view = freeze();
    std::atomic<std::uint64_t>& rewrites = processes_->word(Word::rewrites);
    std::optional<Error> damaged;
    try {
        const std::uint64_t end = view->root->log_position;
        // Odd already where a process died at it.
        if (rewrites.load() % 2 == 0) rewrites.fetch_add(1);
        for (const auto& [place, values] : erasure_impl::by_record(erasures)) {
            try {
                const std::optional<std::uint64_t> position = record_position(place.first, place.second, end);
                // The log may have let go of it; then it is free space.
                if (!position) continue;
                const ErasedRecord erased = erased_record(*position, values);
                file_->write(log_->file_offset(*position),
                             {erased.bytes.data(), static_cast<std::size_t>(erased.changed)});
            } catch (const Error& error) {
                if (error.code() != Errc::corrupt) throw;
                damaged = error;
            }
        }
        flush_everything();
        // Even also where one is damaged: who reads that would wait in vain.
        rewrites.fetch_add(1);
        if (damaged) throw *damaged;
    } catch (...) {
        close_view(view);
        release_carving();
        throw;
    }
    close_view(view);
    release_carving();
}

/// What the redactions leave of a record, which may be overwritten already, in part or as a whole.
DatabaseCore::ErasedRecord DatabaseCore::erased_record(std::uint64_t position,
                                                       const std::vector<const Erasure*>& values) {
    const auto damaged = [&](const char* what) {
        fail(Errc::corrupt, "the log record at position " + std::to_string(position) + " of " + path_ + ' ' + what +
                                ", so its values cannot be redacted; run 'northstar verify'", path_);
    };
    const std::optional<RecordView> record = unchecked_record(position);
    if (!record) damaged("cannot be read");
    ErasedRecord erased{{record->bytes().begin(), record->bytes().end()}, 0};
    for (const Erasure* value : values) {
        const std::uint32_t index = value->redaction.index;
        if (index >= record->size()) damaged("has fewer operations than a redaction names");
        const LogOperation operation = RecordView(erased.bytes).operation(index);
        if (operation.kind != OperationKind::put || operation.tree != value->tree || operation.key != value->key) {
            damaged("is not what a redaction names");
        }
        redact_record(erased.bytes, index, log_->seed());
        erased.changed = std::max(erased.changed, operation.value_position - position + operation.value.size());
    }
    // [ERASE-2]
    if (record_digest(RecordView(erased.bytes)) != values.back()->redaction.remaining) {
        damaged("is not what a redaction names");
    }
    return erased;
}

void DatabaseCore::restate_half_erased() {
    const std::vector<Erasure> erasures = pending_erasures();
    for (const auto& [place, values] : erasure_impl::by_record(erasures)) {
        const std::optional<std::uint64_t> position = record_position(place.first, place.second);
        if (!position || log_->peek(*position)) continue;
        log_->restate(*position, erased_record(*position, values).bytes);
    }
}

/// Waits while another thread or process overwrites records. False: they never were, or this thread does it.
bool DatabaseCore::log_has_settled() {
    if (erasure_impl::turn_of == this) return false;
    if (processes_ == nullptr || processes_->load(Word::rewrites) == 0) return false;
    for (int i = 0; i < erasure_impl::k_patience; ++i) {
        const std::uint64_t seen = processes_->load(Word::rewrites);
        if (seen % 2 == 0) break;
        processes_->wait(Word::rewrites, seen, erasure_impl::k_patience_us);
    }
    return true;
}

// ---- history ----

std::function<bool(std::uint64_t, std::string_view, Txn)> DatabaseCore::redacted_values() const {
    std::set<std::tuple<std::uint64_t, std::string, Txn>> values;
    for (const Erasure& erasure : *erasing_) values.emplace(erasure.tree, erasure.key, erasure.redaction.txn);
    return [values = std::move(values)](std::uint64_t tree, std::string_view key, Txn txn) {
        return values.contains({tree, std::string(key), txn});
    };
}

/// Replaces segments that keep one of the values, or name it.
void DatabaseCore::erase_from_segments(HistoryFollower::Sealed& sealed, Placer& placer, std::uint64_t generation) {
    std::set<std::pair<std::uint64_t, std::string>> keys;
    for (const Erasure& erasure : *erasing_) keys.emplace(erasure.tree, erasure.key);
    RewriteOptions options = unchanged_history();
    options.redacted = redacted_values();
    for (StoredSegment& stored : sealed.segments) {
        source_->set_limit(std::max(source_->limit(), stored.page + run_pages(stored.bytes, page_size_)));
        const std::byte* at = source_->raw(stored.page * page_size_, k_page_header_size + stored.bytes);
        const auto view = std::make_shared<const SegmentView>(
            std::span(at + k_page_header_size, static_cast<std::size_t>(stored.bytes)));
        bool named = false;
        for (const auto& [tree, key] : keys) {
            view->each_version(tree, key, [&, tree = tree, key = std::string_view(key)](const HistoryVersion& version) {
                const bool value = version.kind == HistoryVersion::Kind::logged ||
                                   version.kind == HistoryVersion::Kind::inlined;
                named = named || (value && options.redacted(tree, key, version.txn));
                return !named;
            });
            if (named) break;
        }
        if (!named) continue;
        const std::vector<std::shared_ptr<const SegmentSet>> alone{
            std::make_shared<SegmentSet>(std::vector<std::shared_ptr<const SegmentView>>{view})};
        const std::vector<std::byte> bytes = rewrite_piece(alone, options, {}, k_in_one_piece, true).segment;
        if (stored.born == generation) {
            // Made by this checkpoint: no meta page names it.
            const std::lock_guard lock(space_mutex_);
            space_.give_back({stored.page, run_pages(stored.bytes, page_size_)});
        } else {
            sealed.dead.push_back(stored);
        }
        const Ref ref = placer.place_run(PageKind::history, bytes);
        stored.page = ref.page();
        stored.bytes = bytes.size();
        stored.checksum = ref.checksum();
        stored.born = generation;
    }
}

// ---- readers ----

/// New snapshots of this process read the newest generation, and what closed ones held is let go, unless a writer has
/// the turn.
void DatabaseCore::stand_on_newest() {
    if (!turn_.try_acquire()) return;
    try {
        const Txn visible = processes_->load(Word::visible_txn);
        if (newer_meta_exists()) replay_to(visible, false);
        roots_->advance(visible);
        const std::lock_guard lock(replay_mutex_);
        roots_->reclaim();
        drop_old_bases();
    } catch (...) {
        turn_.release();
        throw;
    }
    turn_.release();
}

bool DatabaseCore::nobody_reads_before(std::uint64_t generation) {
    stand_on_newest();
    const std::vector<std::uint64_t> used = generations_in_use();
    return used.empty() || used.front() >= generation;
}

/// What a process does for a redaction of another one: stands on a generation without the values, and takes over where
/// nobody is at work.
void DatabaseCore::move_on_for_redaction() {
    if (processes_->load(Word::redaction_generation) != 0) stand_on_newest();
    if (redaction_wanted_.exchange(true)) return;
    { const std::lock_guard lock(background_mutex_); }
    background_wake_.notify_all();
}

// ---- free space ----

void DatabaseCore::zero_free_pages() {
    std::vector<std::byte> block;
    std::uint64_t page = k_first_data_page;
    for (bool more = true; more;) {
        // A checkpoint takes more pages than it needs and gives the rest back as they were.
        const std::lock_guard serial(checkpoint_mutex_);
        acquire_carving();
        ReadView* view = nullptr;
        try {
            // What another writer announced is not free, whatever the map says.
            view = pin_root(roots_->visible(), roots_->visible_word());
            learn_announced(*view->root);
            const std::lock_guard lock(space_mutex_);
            load_space();
            std::uint64_t pages = erasure_impl::k_step_bytes / page_size_;
            const auto& runs = space_.free_runs();
            auto run = runs.from(page);
            if (run != runs.begin() && std::prev(run)->end() > page) --run;
            for (; run != runs.end() && pages != 0; ++run) {
                page = std::max(page, run->page);
                const std::uint64_t count = std::min(pages, run->end() - page);
                if (erasure_impl::write_zeros(*file_, page * page_size_, count * page_size_, block)) {
                    source_->forget(page, count);
                }
                page += count;
                pages -= count;
            }
            more = pages == 0;
            if (!more) {
                // Behind the last page, as long as an older generation was longer.
                const std::uint64_t end = space_.end() * page_size_;
                const std::uint64_t size = file_->size();
                if (size > end) erasure_impl::write_zeros(*file_, end, size - end, block);
            }
        } catch (...) {
            if (view != nullptr) close_view(view);
            release_carving();
            throw;
        }
        close_view(view);
        release_carving();
    }
}

/// Up to where nobody needs the log who stands on the newest generation or a later one.
ErasableFront DatabaseCore::front_of_horizon() {
    const std::lock_guard lock(checkpoint_mutex_);
    ReadView* view = freeze();
    ErasableFront front;
    try {
        const Base& base = *view->root->base;
        front = {base.meta.generation, log_start(base.horizon, base.meta)};
    } catch (...) {
        close_view(view);
        release_carving();
        throw;
    }
    close_view(view);
    release_carving();
    return front;
}

/// Extents that the log has left: what lies behind their last record, and those it passed over; and values in front of
/// `front`, a record.
void DatabaseCore::zero_ends_of_extents(std::uint64_t front) {
    const std::lock_guard lock(checkpoint_mutex_);
    ReadView* view = freeze();
    try {
        const ExtentDirectory extents = log_->extents();
        const std::uint64_t end = view->root->log_position;
        const Txn newest = view->root->txn.load();
        std::vector<std::byte> block;
        std::uint64_t zeros_from = 0;  // what lies between here and the next record belongs to nothing
        const auto zero_to = [&](std::uint64_t to) {
            erasure_impl::zero_positions(*file_, extents, zeros_from, to, block);
        };
        // Records that the horizon left behind, in front of those that count. Whoever takes over finds the redactions
        // by their records: from the first of these on only values go.
        zeros_from = newest_meta().log_begin;
        std::uint64_t at = log_start();
        if (front >= zeros_from) {
            at = front;
            const std::uint64_t own = std::clamp(processes_->load(Word::redaction_position), zeros_from, front);
            if (zeros_from < own) zero_to(own);
            zero_values(own, front, block);
        }
        while (at < end) {
            // The last known place in this extent: the records before it need not be looked at.
            const std::optional<ExtentDirectory::Place> place = extents.find(at);
            if (!place) break;
            const std::uint64_t extent_end = at + place->remaining;
            Txn low = 0;
            for (Txn high = newest; low < high;) {
                const Txn middle = low + (high - low + 1) / 2;
                const std::optional<LogAnchor> anchor = history()->anchor_of(middle);
                if (!anchor || anchor->position < extent_end) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            if (const std::optional<LogAnchor> anchor = history()->anchor_of(low)) {
                if (anchor->position >= at && anchor->position < extent_end) at = anchor->position;
            }
            std::optional<RecordView> record;
            while (at < end && (record = unchecked_record(at)) && record->kind() != RecordKind::next) {
                at = record->end();
            }
            if (at >= end || !record) break;
            zeros_from = record->end();
            at = record->continues_at();
            zero_to(at);
        }
    } catch (...) {
        close_view(view);
        release_carving();
        throw;
    }
    close_view(view);
    release_carving();
}

/// Records stay where they are and can be walked; what they put is gone, and so is what lies behind the last one of an
/// extent, which was there before the log was.
void DatabaseCore::zero_values(std::uint64_t from, std::uint64_t to, std::vector<std::byte>& block) {
    while (from < to) {
        const std::optional<RecordView> record = unchecked_record(from);
        if (!record) return;
        LogOperation operation;
        for (RecordView::Walk walk = record->walk(); walk.next(operation);) {
            if (operation.kind != OperationKind::put) continue;
            const std::uint64_t offset = log_->file_offset(operation.value_position);
            erasure_impl::write_zeros(*file_, offset, operation.value.size(), block);
        }
        from = record->end();
        if (record->kind() != RecordKind::next) continue;
        from = record->continues_at();
        erasure_impl::zero_positions(*file_, log_->extents(), record->end(), from, block);
    }
}

/// What lies behind the end of the log, in steps under the turn.
void DatabaseCore::zero_unused_log() {
    std::vector<std::byte> block;
    std::uint64_t done = 0;
    for (bool more = true; more;) {
        take_turn({});
        const ExclusiveScope scope(*this);
        const ExtentDirectory extents = log_->extents();
        std::uint64_t at = std::max(done, log_->end());
        std::uint64_t bytes = erasure_impl::k_step_bytes;
        std::size_t i = extents.at_or_after(at);
        for (; i < extents.size() && bytes != 0; ++i) {
            at = std::max(at, extents[i].logical);
            const std::uint64_t length = std::min(bytes, extents.end_of(extents[i]) - at);
            const std::uint64_t offset = extents[i].page * page_size_ + (at - extents[i].logical);
            erasure_impl::write_zeros(*file_, offset, length, block);
            at += length;
            bytes -= length;
            if (at < extents.end_of(extents[i])) break;
        }
        done = at;
        more = i < extents.size();
    }
}

}  // namespace northstar::inline v0::detail
