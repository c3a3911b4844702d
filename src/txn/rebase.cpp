// rebase.cpp -- moving what was committed during a checkpoint onto the base that it made.
//
//   1  in passes, while commits go on: note which pages just placed, and which copied in earlier passes, have died
//      again, some at a time under the turn; copy the memory pages made since from which a placed page can be reached
//   2  under the turn: the rest of both, and the root on the new base is the built one
//   3  free what it replaced, without the turn
//
// [CKPT-2] A rebase changes no content: a copied page differs from its original in its refs alone. The original of a
//          placed page is replaced by its page in the file. A page whose refs stay as they are is kept: roots on both
//          bases reach it.
// [CKPT-3] What happens under the turn does not grow with the overlay, but for a few nanoseconds a page.
#include "base/check.hpp"
#include "txn/core.hpp"
#include "txn/past.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace northstar::inline v0::detail {

namespace rebase_impl {

/// Passes go on as long as one met more new pages than this, so that little is left to be done under the turn.
constexpr std::size_t k_small_rest = 64;
constexpr int k_max_passes = 8;
/// Burials looked at, or frames freed, while a writer waits.
constexpr std::size_t k_burials_at_once = 1024;

/// Calls fn for each, whose frame the processor was asked for before.
template <class T, class FrameOf, class F>
void each_prefetched(const std::vector<T>& items, FrameOf&& frame_of, F&& fn) {
    constexpr std::size_t k_ahead = RootSet::k_ahead;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i + k_ahead < items.size()) __builtin_prefetch(frame_of(items[i + k_ahead]));
        fn(items[i]);
    }
}

}  // namespace rebase_impl

/// One rebase. What it copied it gives back, unless it came to its end.
struct DatabaseCore::Rebase {
    DatabaseCore& core;
    std::unique_ptr<Base> base;
    const Meta meta;
    const std::uint64_t frozen;          // number of the root that was placed
    const std::vector<Frame*>& placed;
    std::vector<RebasedPage> copies;     // of originals that are alive, as far as burials were looked at
    std::vector<Frame*> replaced;        // originals and placed frames that die with the new root
    ReadView* view = nullptr;            // of the root copied from last: holds the originals
    ReadView* view_before = nullptr;     // until all that died between the two was looked at
    std::uint64_t seen = frozen;         // burials up to this root were looked at
    std::uint64_t number = 0;            // of the new root; 0: none yet
    std::uint64_t met = 0;               // pages looked at for the first time

    static void close(ReadView*& which) noexcept {
        if (which != nullptr) close_view(std::exchange(which, nullptr));
    }
    /// Gives back the copies whose originals have died.
    void forget_dead() noexcept {
        std::size_t kept = 0;
        for (const RebasedPage& page : copies) {
            if (page.copy->death == 0) {
                copies[kept++] = page;
            } else {
                core.arena_->give(page.copy, page.copy, 1);
            }
        }
        copies.resize(kept);
    }
    ~Rebase() {
        if (number == 0) {
            forget_dead();
            for (const RebasedPage& page : copies) {
                page.original->forward = 0;
                core.arena_->give(page.copy, page.copy, 1);
            }
        }
        close(view);
        close(view_before);
    }
};

/// What stands for a page on the new base.
Ref DatabaseCore::translate(Ref ref, Rebase& rebase) {
    if (!ref.in_memory()) return ref;
    Frame* original = Frame::of(ref);
    if (original->forward != 0) return Ref(original->forward);
    if (original->kept == rebase.meta.generation) return ref;
    ++rebase.met;
    // A large value that was not placed is shared: nothing in it refers to a base.
    const auto translated = [&](Ref child, bool large) {
        if (!large) return translate(child, rebase);
        const std::uint64_t forward = child.in_memory() ? Frame::of(child)->forward : 0;
        return forward != 0 ? Ref(forward) : child;
    };
    bool changed = false;
    for_each_ref(static_cast<const std::byte*>(original->data()), page_size_, false, [&](Ref child, bool large) {
        changed = translated(child, large) != child || changed;
    });
    if (!changed) {
        original->kept = rebase.meta.generation;
        return ref;
    }
    std::vector<RebasedPage>& copies = rebase.copies;
    if (copies.size() == copies.capacity()) copies.reserve(2 * copies.size() + 16);  // the frame is not lost below
    Frame* copy = arena_->take(1);
    *copy = Frame{};  // the frame was used before: nothing that was known of it holds
    copy->bytes = page_size_;
    std::memcpy(copy->data(), original->data(), page_size_);
    copies.push_back({original, copy});
    for_each_ref(copy->data(), page_size_, false, [&](Ref& child, bool large) { child = translated(child, large); });
    original->forward = Ref::memory(copy->data()).bits();
    return Ref(original->forward);
}

/// Looks at what has died since the root was frozen: pages just placed, which no root from there on has, and pages that
/// were copied. Some at a time, up to a root; false: all was seen. Call with the turn.
bool DatabaseCore::note_burials(Rebase& rebase, std::uint64_t up_to) {
    const auto note = [&](const RootSet::Buried& buried) {
        Frame& frame = *buried.frame;
        const Ref forward(frame.forward);
        if (forward.empty()) return;
        if (buried.birth > rebase.frozen) {
            if (!forward.in_memory()) return;
            Frame::of(forward)->death = buried.death;
            frame.forward = 0;
            return;
        }
        if (forward.in_memory()) return;
        const std::uint64_t pages = frame.large != 0 ? run_pages(frame.length, page_size_) : 1;
        rebase.base->dropped.push_back({forward.page(), pages, rebase.meta.generation, buried.death});
    };
    return roots_->each_buried(rebase.seen, up_to, rebase_impl::k_burials_at_once, note);
}

/// `frozen`: the view of the root that was placed; closed (and set to nullptr) before old bases are dropped.
void DatabaseCore::rebase(std::unique_ptr<Base> base, std::uint64_t frozen_number, const std::vector<Frame*>& placed,
                          ReadView*& frozen) {
    using namespace rebase_impl;
    const Meta meta = base->meta;
    Rebase rebase{*this, std::move(base), meta, frozen_number, placed, {}, {}};
    rebase.base->dropped.reserve(placed.size());
    for (int pass = 0; pass < k_max_passes; ++pass) {
        // Not open_view(): a handle that is being closed meanwhile finishes what it began.
        ReadView* next = pin_root(roots_->visible(), roots_->visible_word());
        rebase.view_before = std::exchange(rebase.view, next);
        const std::uint64_t newest = next->root->number.load();
        for (bool more = true; more;) {
            const RootsGuard guard(turn_, replay_mutex_);
            more = note_burials(rebase, newest);
        }
        // Every original that has a copy now is in the newer view.
        rebase.forget_dead();
        Rebase::close(rebase.view_before);
        const std::uint64_t before = rebase.met;
        if (newest > frozen_number) translate(next->root->catalog.root, rebase);
        if (rebase.met - before <= k_small_rest) break;
    }
    if (!install_rebased(rebase)) return;
    const auto end_here = [&](Frame* frame) {
        if (frame->death != 0) return;
        frame->death = rebase.number;
        rebase.replaced.push_back(frame);
    };
    // The frozen root still holds every frame that was placed, so that death tells whether it was needed to the end;
    // with such a one nobody but this thread has to do from now on.
    each_prefetched(rebase.copies, [](const RebasedPage& page) { return page.original; },
                    [&](const RebasedPage& page) { end_here(page.original); });
    each_prefetched(placed, [](Frame* frame) { return frame; }, end_here);
    Rebase::close(rebase.view);
    close_view(std::exchange(frozen, nullptr));
    roots_->thaw();
    roots_->reclaim_replaced(rebase.replaced);
    // There may be very many others, so they are freed in steps between which writers get their turn.
    for (bool more = true; more;) {
        const RootsGuard guard(turn_, replay_mutex_);
        more = roots_->reclaim(k_burials_at_once);
        if (!more) drop_old_bases();
    }
}

/// Makes the built root anew on the base of a checkpoint. False: nothing was done, because somebody here stands on a
/// newer base already.
bool DatabaseCore::install_rebased(Rebase& rebase) {
    Base* const base = rebase.base.get();
    const RootsGuard guard(turn_, replay_mutex_);
    if (bases_.back()->meta.generation >= rebase.meta.generation) {
        // Another process made a newer generation meanwhile, and a writer here stands on that already.
        const std::lock_guard lock(meta_mutex_);
        own_generation_.store(0);
        if (!keeps_pin(rebase.meta.generation)) processes_->unpin(rebase.meta.generation);
        return false;
    }
    const Root* built = roots_->built();
    TreeRoot catalog = built->catalog;
    catalog.root = translate(catalog.root, rebase);
    while (note_burials(rebase, built->number.load())) {}
    rebase.forget_dead();
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
    kept_pasts_->clear();  // none is of a root to come
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
    // The pin of a base holds the extents that were born up to it. They ascend.
    while (!extent_pins_.empty() && extent_pins_.front() <= bases_.front()->meta.generation) {
        const std::uint64_t generation = extent_pins_.front();
        extent_pins_.erase(extent_pins_.begin());
        if (!keeps_pin(generation)) processes_->unpin(generation);
    }
}

/// Does anything in this process still need the pin of a generation? Call with the meta mutex.
bool DatabaseCore::keeps_pin(std::uint64_t generation) const {
    return std::any_of(bases_.begin(), bases_.end(),
                       [&](const std::unique_ptr<Base>& base) { return base->meta.generation == generation; }) ||
           std::find(extent_pins_.begin(), extent_pins_.end(), generation) != extent_pins_.end();
}

}  // namespace northstar::inline v0::detail
