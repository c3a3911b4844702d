// generation.cpp -- standing on a generation of the file: its meta page, its ledger, and a root over them.
//
// Two generations are in the file. Whoever stands on one pins it, so that nobody uses its pages again; moving to a
// newer one replaces the built root by one on the new base, and lets go of the older base when nobody reads it.
#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "format/node.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"
#include "txn/log_bytes.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace generation_impl {

constexpr std::uint64_t k_default_map = std::uint64_t{1} << 40;

}  // namespace generation_impl

std::uint64_t DatabaseCore::file_seed() const { return xxh64(uuid_.data(), uuid_.size(), 0); }

/// Reads both meta pages. Sets metas_ and meta_valid_, of which at least one is true.
void DatabaseCore::read_metas() {
    std::vector<std::byte> bytes(k_meta_size);
    meta_valid_[0] = meta_valid_[1] = false;
    bool newer = false;
    bool ours = false;
    const auto look = [&](int slot, std::uint64_t offset) {
        Meta meta;
        if (file_->read_uncached(offset, bytes) < k_meta_size) return false;
        const MetaState state = decode_meta(bytes, meta);
        newer = newer || state == MetaState::newer;
        ours = ours || state == MetaState::damaged;
        if (state != MetaState::valid || static_cast<int>(meta.generation & 1) != slot) return false;
        if (slot == 1 && meta.page_size != offset) return false;
        metas_[slot] = meta;
        meta_valid_[slot] = true;
        return true;
    };
    look(0, 0);
    if (meta_valid_[0]) {
        look(1, metas_[0].page_size);
    } else {
        for (std::uint64_t at = k_min_page_size; at <= k_max_page_size && !look(1, at); at *= 2) {}
    }
    if (meta_valid_[0] && meta_valid_[1] && metas_[0].uuid != metas_[1].uuid) {
        fail(Errc::corrupt,
             "the two meta pages of " + path_ + " belong to different databases; restore it from a backup",
             path_, 0);
    }
    if (!meta_valid_[0] && !meta_valid_[1]) {
        if (newer) {
            fail(Errc::newer_format, path_ + " was written by a newer version of Northstar; use that version", path_);
        }
        if (ours) {
            fail(Errc::corrupt, "both meta pages of " + path_ + " are damaged; restore it from a backup", path_, 0);
        }
        fail(Errc::not_a_database, path_ + " is not a Northstar database; check the path", path_);
    }
    if (newer) {
        fail(Errc::newer_format, path_ + " was written by a newer version of Northstar; use that version", path_);
    }
}

/// Once for a handle: generations that are adopted later find them in use.
void DatabaseCore::make_parts(const Meta& meta) {
    if (source_ != nullptr) {
        if (meta.page_size == page_size_ && meta.uuid == uuid_) return;
        fail(Errc::corrupt, "the meta pages of " + path_ + " are of two databases; restore it from a backup", path_, 0);
    }
    page_size_ = meta.page_size;
    uuid_ = meta.uuid;
    if (options_.page_size != 0 && options_.page_size != page_size_) {
        fail(Errc::page_size_mismatch,
             path_ + " has pages of " + std::to_string(page_size_) + " bytes, not " +
                 std::to_string(options_.page_size) + "; open it without naming a page size",
             path_);
    }
    // A file that is large already goes on growing.
    const std::uint64_t chosen = std::max(generation_impl::k_default_map, 4 * file_->size());
    const std::uint64_t reserve = options_.map_size != 0 ? options_.map_size : chosen;
    ReadMode mode = options_.read_mode;
    try {
        source_ = std::make_unique<FilePages>(*file_, path_, page_size_, file_seed(), mode, reserve);
    } catch (const Error&) {
        if (mode == ReadMode::pread) throw;
        source_ = std::make_unique<FilePages>(*file_, path_, page_size_, file_seed(), ReadMode::pread, reserve);
    }
    arena_ = std::make_unique<FrameArena>(page_size_);
    views_ = std::make_unique<ViewTable>();
    roots_ = std::make_unique<RootSet>(*arena_, *views_);
    log_ = std::make_unique<LogStore>(*file_, *source_, uuid_, meta.log_align);
    log_->set_patience([this] { return log_has_settled(); });
    chain_ = std::make_unique<ChainFollower>(*log_);
    early_source_ = make_early_source();
    replay_work_ = std::make_unique<Workspace>(*arena_, *source_);
    replay_bytes_ = std::make_unique<FileLogBytes>(*file_);
}

/// Stands on a generation: ledger, base and root of its meta page. Throws Error(corrupt) when its ledger is damaged.
void DatabaseCore::load_generation(const Meta& meta) {
    make_parts(meta);
    const std::uint64_t size = file_->size();
    if (size < meta.file_pages * page_size_) {
        fail(Errc::truncated,
             path_ + " has " + std::to_string(size) + " bytes, its meta page says " +
                 std::to_string(meta.file_pages * page_size_) + "; restore it from a backup",
             path_, size / page_size_);
    }
    source_->forget_all();
    // Others read meanwhile: the limit may only fall when what they can reach is known to lie below it.
    source_->set_limit(std::max(source_->limit(), meta.file_pages));
    Ledger ledger = Ledger::decode(
        source_->read_run(PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum), page_size_,
        Ledger::Parts::without_space);
    const std::uint64_t end_of_log = log_->set_extents(ledger.extents, ledger.births);
    if (end_of_log * page_size_ > size) {
        fail(Errc::truncated, path_ + " is shorter than its log says; restore it from a backup", path_, end_of_log);
    }
    source_->set_limit(std::max(meta.file_pages, end_of_log));
    auto base = std::make_unique<Base>();
    base->meta = meta;
    equip(*base, ledger, bases_.empty() ? nullptr : bases_.back()->history.get());
    Root* root = roots_->prepare();
    base->first_root = root->number.load();
    root->txn.store(meta.txn);
    root->time_us = meta.time_us;
    root->catalog.root = Ref(meta.catalog.root);
    root->catalog.count = meta.catalog.count;
    root->next_tree_id = meta.next_tree_id;
    root->history = meta.history;
    root->log_position = meta.log_position;
    root->epoch = meta.epoch;
    root->base = base.get();
    {
        const std::lock_guard lock(meta_mutex_);
        bases_.push_back(std::move(base));
        newest_ = meta;
        stands_on_.store(meta.generation);
    }
    roots_->install_base(root);
    chain_->stand_on({meta.txn, meta.log_position, meta.chain}, std::move(ledger.chain));
    checkpoint_position_.store(meta.log_position);
    const bool log_is_kept = meta.history.kind != History::Kind::nothing || !ledger.segments.empty();
    checkpoint_bytes_.store(checkpoint_interval(log_is_kept, meta.file_pages - ledger.extents.pages()));
}

/// What a base knows beside its meta page.
void DatabaseCore::equip(Base& base, const Ledger& ledger, const HistoryFollower* before) {
    base.horizon = ledger.horizon;
    base.move = ledger.move;
    base.extents = std::make_shared<ExtentDirectory>(ledger.extents);
    base.history = std::make_shared<HistoryFollower>(*source_, *log_, ledger.segments, base.meta.sealed_txn,
                                                     base.meta.sealed_position, before);
}

/// Others have the file open: stand on the newest generation and follow the log.
void DatabaseCore::join() {
    for (int attempt = 0;; ++attempt) {
        const Meta meta = read_meta_anywhere(processes_->load(Word::generation));
        if (stand_on(meta)) break;
        if (attempt > 100) fail_overtaken();
    }
    const TurnGuard guard(turn_);
    const Txn visible = processes_->load(Word::visible_txn);
    replay_to(visible, false);
    roots_->advance(visible);
}

void DatabaseCore::fail_overtaken() const {
    fail(Errc::locked, path_ + " is being checkpointed without pause; try again", path_);
}

Meta DatabaseCore::read_meta_anywhere(std::uint64_t generation) {
    if (source_ == nullptr) {
        read_metas();
        page_size_ = metas_[meta_valid_[0] ? 0 : 1].page_size;
    }
    return read_meta(generation);
}

/// Does the file still name this generation? [PROC-2]
bool DatabaseCore::still_there(const Meta& meta) {
    std::vector<std::byte> bytes(k_meta_size);
    Meta now;
    return file_->read((meta.generation & 1) * page_size_, bytes) == k_meta_size &&
           decode_meta(bytes, now) == MetaState::valid && now.generation == meta.generation;
}

/// Made by another process: what a checkpoint of this one made, its rebase adopts.
bool DatabaseCore::newer_meta_exists() const {
    const std::uint64_t own = own_generation_.load();  // first: it goes back to 0 when its base is stood on
    return processes_->load(Word::generation) > std::max(stands_on_.load(), own);
}

/// Moves to the newest meta page, which another process wrote. Call with the turn. The built root is replaced by one
/// on the new base, at least as new.
void DatabaseCore::adopt_newest() {
    const Root* old = roots_->built();
    while (!stand_on(read_meta(processes_->load(Word::generation)))) continue;
    supersede_early();
    bury_overlay(old);
    drop_old_bases();
}

/// Holds a generation, or throws: what is not held must not be read, since others use its pages again.
void DatabaseCore::pin(std::uint64_t generation) {
    if (!processes_->pin(generation)) fail(Errc::io, "cannot pin a generation of " + path_, path_);
}

/// Pins a generation and loads it. False: it is none of the two in the file any more, nothing was done.
bool DatabaseCore::stand_on(const Meta& meta) {
    pin(meta.generation);
    const auto let_go = [&] {
        const std::lock_guard lock(meta_mutex_);
        if (!keeps_pin(meta.generation)) processes_->unpin(meta.generation);
    };
    try {
        if (still_there(meta)) {
            load_generation(meta);
            return true;
        }
    } catch (const Error& error) {
        // The file may be cut behind a generation while it is being loaded, when two more were made meanwhile: free
        // pages at its end are not missing then.
        const bool of_the_file = error.code() == Errc::corrupt || error.code() == Errc::truncated;
        if (!of_the_file || processes_->load(Word::generation) <= meta.generation + 1) {
            let_go();
            throw;
        }
    }
    let_go();
    return false;
}

/// Every memory page that only the state before a change of base reaches.
void DatabaseCore::bury_overlay(const Root* old) {
    std::vector<Frame*> frames;
    const auto visit = [&](auto&& self, Ref ref, bool large) -> void {
        if (!ref.in_memory()) return;
        Frame* frame = Frame::of(ref);
        if (frame->death != 0) return;
        frames.push_back(frame);
        if (large) return;
        for_each_ref(static_cast<const std::byte*>(frame->data()), page_size_, false,
                     [&](Ref child, bool child_large) { self(self, child, child_large); });
    };
    visit(visit, old->catalog.root, false);
    roots_->reserve_burials(frames.size());
    const std::uint64_t death = roots_->built()->number.load();
    for (Frame* frame : frames) roots_->bury(frame, death);
    roots_->reclaim();
}

}  // namespace northstar::inline v0::detail
