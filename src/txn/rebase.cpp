// rebase.cpp -- moving what was committed during a checkpoint onto the base that it made.
//
//   1  copy the memory pages made since the root was frozen, in passes, while commits go on
//   2  note which pages just placed have died again, a few thousand at a time under the turn
//   3  under the turn: the rest of both, and the root on the new base is the built one
//   4  free what it replaced, without the turn
//
// [CKPT-2] A rebase changes no content: a copied page differs from its original in its refs alone. The original of a
//          placed page is replaced by its page in the file.
// [CKPT-3] What happens under the turn does not grow with the overlay, but for a few nanoseconds a page.
#include "base/check.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace northstar::inline v0::detail {

namespace rebase_impl {

/// Passes go on as long as one copied more than this, so that little is left to be copied under the turn.
constexpr std::size_t k_small_rest = 64;
constexpr int k_max_passes = 8;
/// Burials looked at, or frames freed, while a writer waits.
constexpr std::size_t k_burials_at_once = 1024;
/// Frames lie far apart in memory: so many are asked for ahead.
constexpr std::size_t k_ahead = 16;

template <class T, class FrameOf, class F>
void each_prefetched(const std::vector<T>& items, FrameOf&& frame_of, F&& fn) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i + k_ahead < items.size()) __builtin_prefetch(frame_of(items[i + k_ahead]));
        fn(items[i]);
    }
}

}  // namespace rebase_impl

Ref DatabaseCore::translate(Ref ref, std::vector<RebasedPage>& copies) {
    if (!ref.in_memory()) return ref;
    Frame* original = Frame::of(ref);
    if (original->forward != 0) return Ref(original->forward);
    if (copies.size() == copies.capacity()) copies.reserve(2 * copies.size() + 16);  // the frame is not lost below
    Frame* copy = arena_->take(1);
    *copy = Frame{};  // the frame was used before: nothing that was known of it holds
    copy->bytes = page_size_;
    std::memcpy(copy->data(), original->data(), page_size_);
    copies.push_back({original, copy});
    for_each_ref(copy->data(), page_size_, false, [&](Ref& child, bool large) {
        if (!child.in_memory()) return;
        // A large value that was not placed is shared: nothing in it refers to a base.
        if (large) {
            if (const std::uint64_t forward = Frame::of(child)->forward) child = Ref(forward);
        } else {
            child = translate(child, copies);
        }
    });
    original->forward = Ref::memory(copy->data()).bits();
    return Ref(original->forward);
}

/// One rebase. What it copied it gives back, unless it came to its end.
struct DatabaseCore::Rebase {
    DatabaseCore& core;
    std::unique_ptr<Base> base;
    const Meta meta;
    const std::uint64_t frozen;              // number of the root that was placed
    const std::vector<Frame*>& placed;
    std::vector<RebasedPage> copies;
    std::vector<Frame*> replaced;            // originals and placed frames that die with the new root
    std::vector<ReadView*> views;            // of the roots that were copied from: no original is freed meanwhile
    std::uint64_t seen = frozen;             // burials up to this root were looked at
    std::uint64_t number = 0;                // of the new root; 0: none yet

    void close_views() noexcept {
        for (ReadView* view : views) close_view(view);
        views.clear();
    }
    ~Rebase() {
        close_views();
        if (number != 0) return;
        for (const RebasedPage& page : copies) {
            page.original->forward = 0;
            page.copy->next = nullptr;
            core.arena_->give(page.copy, page.copy, 1);
        }
    }
};

/// Notes the pages just placed whose frames have died since: no root from there on has them. Some at a time; false:
/// all was seen. Call with the turn.
bool DatabaseCore::note_burials(Rebase& rebase) {
    const auto note = [&](const RootSet::Buried& buried) {
        if (buried.birth > rebase.frozen) return;
        const Frame& frame = *buried.frame;
        const Ref forward(frame.forward);
        if (forward.empty() || forward.in_memory()) return;
        const std::uint64_t pages = frame.large != 0 ? run_pages(frame.length, page_size_) : 1;
        rebase.base->dropped.push_back({forward.page(), pages, rebase.meta.generation, buried.death});
    };
    return roots_->each_buried_behind(rebase.seen, rebase_impl::k_burials_at_once, note);
}

/// `frozen`: the view of the root that was placed; closed (and set to nullptr) before old bases are dropped.
void DatabaseCore::rebase(std::unique_ptr<Base> base, std::uint64_t frozen_number, const std::vector<Frame*>& placed,
                          ReadView*& frozen) {
    using namespace rebase_impl;
    const Meta meta = base->meta;
    Rebase rebase{*this, std::move(base), meta, frozen_number, placed, {}, {}, {}};
    rebase.views.reserve(k_max_passes);
    rebase.base->dropped.reserve(placed.size());
    for (int pass = 0; pass < k_max_passes; ++pass) {
        const std::size_t before = rebase.copies.size();
        // Not open_view(): a handle that is being closed meanwhile finishes what it began.
        rebase.views.push_back(pin_root(roots_->visible(), roots_->visible_word()));
        const Root& root = *rebase.views.back()->root;
        if (root.number.load() > frozen_number) translate(root.catalog.root, rebase.copies);
        for (bool more = true; more;) {
            const TurnGuard guard(turn_);
            more = note_burials(rebase);
        }
        if (rebase.copies.size() - before <= k_small_rest) break;
    }
    if (!install_rebased(rebase)) return;
    // The views still hold every frame that died before, so that death tells those that did not, with which nobody but
    // this thread has to do from now on.
    const auto end_here = [&](Frame* frame) {
        if (frame->death != 0) return false;
        frame->death = rebase.number;
        rebase.replaced.push_back(frame);
        return true;
    };
    each_prefetched(rebase.copies, [](const RebasedPage& page) { return page.original; },
                    [&](const RebasedPage& page) {
                        if (end_here(page.original)) return;
                        page.copy->next = nullptr;
                        arena_->give(page.copy, page.copy, 1);
                    });
    each_prefetched(placed, [](Frame* frame) { return frame; }, end_here);
    rebase.close_views();
    close_view(std::exchange(frozen, nullptr));
    roots_->thaw();
    roots_->reclaim_replaced(rebase.replaced);
    // There may be very many others, so they are freed in steps between which writers get their turn.
    for (bool more = true; more;) {
        const TurnGuard guard(turn_);
        more = roots_->reclaim(k_burials_at_once);
        if (!more) drop_old_bases();
    }
}

/// Makes the built root anew on the base of a checkpoint. False: nothing was done, because somebody here stands on a
/// newer base already.
bool DatabaseCore::install_rebased(Rebase& rebase) {
    Base* const base = rebase.base.get();
    const TurnGuard guard(turn_);
    if (bases_.back()->meta.generation >= rebase.meta.generation) {
        // Another process made a newer generation meanwhile, and a writer here stands on that already.
        const std::lock_guard lock(meta_mutex_);
        own_generation_.store(0);
        if (!keeps_pin(rebase.meta.generation)) processes_->unpin(rebase.meta.generation);
        return false;
    }
    const Root* built = roots_->built();
    TreeRoot catalog = built->catalog;
    catalog.root = translate(catalog.root, rebase.copies);
    while (note_burials(rebase)) {}
    const auto moved = static_cast<std::ptrdiff_t>(base->dropped.size());
    for (const DroppedPage& d : bases_.back()->dropped) {
        if (d.root > rebase.frozen) base->dropped.push_back(d);
    }
    std::inplace_merge(base->dropped.begin(), base->dropped.begin() + moved, base->dropped.end(),
                       [](const DroppedPage& a, const DroppedPage& b) { return a.root < b.root; });
    rebase.replaced.reserve(rebase.placed.size() + rebase.copies.size());
    {
        const std::lock_guard lock(meta_mutex_);
        bases_.reserve(bases_.size() + 1);
    }
    Root* root = roots_->prepare();
    rebase.number = root->number.load();  // nothing fails from here on
    root->txn.store(built->txn.load());
    root->time_us = built->time_us;
    root->catalog = catalog;
    root->next_tree_id = built->next_tree_id;
    root->history = built->history;
    root->log_position = built->log_position;
    root->epoch = built->epoch;
    root->base = base;
    base->first_root = rebase.number;
    rebase_impl::each_prefetched(rebase.copies, [](const RebasedPage& page) { return page.copy; },
                                 [&](const RebasedPage& page) { page.copy->birth = rebase.number; });
    {
        const std::lock_guard lock(meta_mutex_);
        bases_.push_back(std::move(rebase.base));
        newest_ = rebase.meta;
        stands_on_.store(rebase.meta.generation);
        own_generation_.store(0);
    }
    roots_->replace_built(root);
    return true;
}

void DatabaseCore::drop_old_bases() {
    std::vector<std::uint64_t> numbers;
    roots_->numbers_in_use(numbers);
    const std::lock_guard lock(meta_mutex_);
    const auto unused = [&](std::size_t i) {
        const auto first = std::lower_bound(numbers.begin(), numbers.end(), bases_[i]->first_root);
        return first == numbers.end() || *first >= bases_[i + 1]->first_root;
    };
    std::vector<std::unique_ptr<Base>> kept;
    std::vector<std::unique_ptr<Base>> dropped;
    kept.reserve(bases_.size());
    dropped.reserve(bases_.size());
    for (std::size_t i = 0; i + 1 < bases_.size(); ++i) {
        (unused(i) ? dropped : kept).push_back(std::move(bases_[i]));
    }
    kept.push_back(std::move(bases_.back()));
    bases_ = std::move(kept);
    // First forgotten, then let go: their pages may be used again at once.
    log_->remove_below(bases_.front()->meta.log_begin);
    for (const std::unique_ptr<Base>& base : dropped) {
        if (!keeps_pin(base->meta.generation)) processes_->unpin(base->meta.generation);
    }
}

/// Does anything in this process still need the pin of a generation? Call with the meta mutex.
bool DatabaseCore::keeps_pin(std::uint64_t generation) const {
    return std::any_of(bases_.begin(), bases_.end(),
                       [&](const std::unique_ptr<Base>& base) { return base->meta.generation == generation; });
}

}  // namespace northstar::inline v0::detail
