#include "txn/root.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace northstar::inline v0::detail {

namespace root_impl {

/// A look at all slots costs about a microsecond, so it is shared by this many commits, or fewer that bury much: memory
/// that was used a moment ago is still in the caches, and memory that was never used is slow to come.
constexpr unsigned k_commits_per_look = 16;
constexpr std::size_t k_burials_per_look = 256;
/// What a commit frees at least when it looks, and twice what was buried meanwhile: the queue gets shorter, and nobody
/// waits for long.
constexpr std::size_t k_frees_per_look = 1024;
constexpr std::size_t k_given_at_once = 256;

/// Room for so many, and for as many again, so that growing one by one does not copy all each time.
void reserve_more(std::vector<Root*>& roots, std::size_t count) {
    if (roots.capacity() < count) roots.reserve(2 * count);
}

/// Is a root with from <= number < to among these, which ascend?
bool any_between(const std::vector<std::uint64_t>& numbers, std::uint64_t from, std::uint64_t to) {
    const auto first = std::lower_bound(numbers.begin(), numbers.end(), from);
    return first != numbers.end() && *first < to;
}

}  // namespace root_impl

Root* RootSet::prepare() {
    const std::lock_guard lock(mutex_);
    Root* root;
    if (pool_.empty()) {
        // No list of roots gets longer than all of them: nothing that moves one can fail.
        root_impl::reserve_more(pool_, all_.size() + 1);
        root_impl::reserve_more(retired_, all_.size() + 1);
        all_.push_back(std::make_unique<Root>());
        root = all_.back().get();
    } else {
        root = pool_.back();
        pool_.pop_back();
    }
    pending_.push_back(nullptr);  // room, so that install() cannot fail
    pending_.pop_back();
    root->number.store(next_number_, std::memory_order_relaxed);
    return root;
}

void RootSet::discard(Root* root) {
    const std::lock_guard lock(mutex_);
    pool_.push_back(root);
}

/// The built root is about to be replaced: one that neither is visible nor waits for it goes away.
void RootSet::retire_loose() {
    auto* const old = const_cast<Root*>(built_.load(std::memory_order_relaxed));
    if (old == nullptr || old == visible_.load(std::memory_order_relaxed)) return;
    if (pending_.empty() || pending_.back() != old) retired_.push_back(old);
}

void RootSet::install(Root* root) {
    const std::lock_guard lock(mutex_);
    NORTHSTAR_ASSERT(root->number.load(std::memory_order_relaxed) == next_number_);
    ++next_number_;
    root->buried = std::exchange(buried_by_next_, 0);
    retire_loose();
    built_.store(root, std::memory_order_seq_cst);
    pending_.push_back(root);
    if (visible_.load(std::memory_order_relaxed) == nullptr) {
        pending_.clear();
        visible_.store(root, std::memory_order_seq_cst);
    }
}

void RootSet::install_base(Root* root) {
    const std::lock_guard lock(mutex_);
    NORTHSTAR_ASSERT(root->number.load(std::memory_order_relaxed) == next_number_);
    ++next_number_;
    root->buried = std::exchange(buried_by_next_, 0);
    retire_loose();
    const Root* visible = visible_.load(std::memory_order_relaxed);
    built_.store(root, std::memory_order_seq_cst);
    if (visible == nullptr) {
        visible_.store(root, std::memory_order_seq_cst);
        return;
    }
    if (root->txn.load(std::memory_order_relaxed) >= visible->txn.load(std::memory_order_relaxed)) {
        pending_.push_back(root);
    }
}

void RootSet::replace_built(Root* root) {
    const std::lock_guard lock(mutex_);
    NORTHSTAR_ASSERT(root->number.load(std::memory_order_relaxed) == next_number_);
    ++next_number_;
    const Root* old = built_.load();
    root->buried = std::exchange(buried_by_next_, 0);
    built_.store(root, std::memory_order_seq_cst);
    if (!pending_.empty() && pending_.back() == old) {
        root->buried += old->buried;
        pending_.back() = root;
        retired_.push_back(const_cast<Root*>(old));
    } else {
        if (visible_.load(std::memory_order_relaxed) == old) visible_.store(root, std::memory_order_seq_cst);
        retired_.push_back(const_cast<Root*>(old));
    }
}

void RootSet::advance(Txn txn) noexcept {
    const std::lock_guard lock(mutex_);
    Root* newest = const_cast<Root*>(visible_.load(std::memory_order_relaxed));
    while (!pending_.empty() && pending_.front()->txn.load(std::memory_order_relaxed) <= txn) {
        // The root of an adopted base lies behind newer ones that wait: what is visible never goes back.
        Root* next = pending_.front();
        pending_.pop_front();
        if (next->txn.load(std::memory_order_relaxed) < newest->txn.load(std::memory_order_relaxed)) {
            if (next != built_.load(std::memory_order_relaxed)) retired_.push_back(next);
        } else {
            retired_.push_back(std::exchange(newest, next));
        }
    }
    if (newest != visible_.load(std::memory_order_relaxed)) visible_.store(newest, std::memory_order_seq_cst);
}

void RootSet::reserve_burials(std::size_t count) { buried_.reserve(buried_.size() + count); }

void RootSet::bury(Frame* frame, std::uint64_t death) {
    frame->death = death;
    buried_.push_back({frame, frame->birth, death});
    buried_bytes_.fetch_add(frame->bytes, std::memory_order_relaxed);
    if (death > last_frozen_.load(std::memory_order_relaxed)) {
        buried_since_freeze_.fetch_add(frame->bytes, std::memory_order_relaxed);
    }
    if (death == next_number_) buried_by_next_ += frame->bytes;
    ++buried_since_;
}

void RootSet::begin_freeze() {
    const std::lock_guard lock(mutex_);
    const Root* visible = visible_.load(std::memory_order_relaxed);
    const std::uint64_t number = visible == nullptr ? 0 : visible->number.load(std::memory_order_relaxed);
    std::uint64_t buried = 0;
    for (const Root* root : pending_) {
        if (root->number.load(std::memory_order_relaxed) > number) buried += root->buried;
    }
    frozen_bytes_.store(live_bytes(), std::memory_order_relaxed);
    freezing_.store(true, std::memory_order_relaxed);
    last_frozen_.store(number, std::memory_order_relaxed);
    buried_since_freeze_.store(buried, std::memory_order_relaxed);
}

void RootSet::numbers_in_use(std::vector<std::uint64_t>& out) const {
    out.clear();
    {
        const std::lock_guard lock(mutex_);
        for (const Root* root : pending_) out.push_back(root->number.load(std::memory_order_relaxed));
        if (const Root* root = visible_.load(std::memory_order_seq_cst)) {
            out.push_back(root->number.load(std::memory_order_relaxed));
        }
    }
    if (const std::uint64_t frozen = frozen_.load(std::memory_order_seq_cst)) out.push_back(frozen);
    if (built() != nullptr) out.push_back(built()->number.load(std::memory_order_relaxed));
    views_.each([&](ReadView& view) {
        if (const std::uint64_t number = view.number.load(std::memory_order_seq_cst)) out.push_back(number);
    });
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
}

Txn RootSet::txn_of(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    for (const std::unique_ptr<Root>& root : all_) {
        if (root->number.load(std::memory_order_relaxed) == number) return root->txn.load(std::memory_order_relaxed);
    }
    return 0;
}

void RootSet::free_frame(Frame* frame, Freed& freed) noexcept {
    if (frame->large != 0) {
        arena_.give_large(frame);
        return;
    }
    frame->next = freed.first;
    freed.first = frame;
    if (freed.last == nullptr) freed.last = frame;
    if (++freed.count == root_impl::k_given_at_once) give(freed);
}

void RootSet::give(Freed& freed) noexcept {
    arena_.give(freed.first, freed.last, freed.count);
    freed = {};
}

void RootSet::reclaim_replaced(const std::vector<Frame*>& frames) noexcept {
    using namespace root_impl;
    std::vector<std::uint64_t> numbers;
    bool known = true;
    try {
        numbers_in_use(numbers);
    } catch (const std::bad_alloc&) {
        known = false;  // then every one may be in use
    }
    Freed freed;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (i + k_ahead < frames.size()) __builtin_prefetch(frames[i + k_ahead]);
        Frame* frame = frames[i];
        if (known && !any_between(numbers, frame->birth, frame->death)) {
            free_frame(frame, freed);
            continue;
        }
        buried_bytes_.fetch_add(frame->bytes, std::memory_order_relaxed);
        frame->next = late_.load(std::memory_order_relaxed);
        while (!late_.compare_exchange_weak(frame->next, frame, std::memory_order_release)) {}
    }
    give(freed);
}

/// Puts the frames that a rebase replaced, but somebody still needs, where their death belongs.
void RootSet::take_late() {
    std::size_t count = 0;
    std::uint64_t oldest = next_number_;
    for (const Frame* frame = late_.load(std::memory_order_acquire); frame != nullptr; frame = frame->next) {
        ++count;
        oldest = std::min(oldest, frame->death);
    }
    if (count == 0) return;
    buried_.reserve(buried_.size() + count);
    const std::size_t from = buried_.first_behind(oldest);
    for (Frame* frame = late_.exchange(nullptr, std::memory_order_acquire); frame != nullptr; frame = frame->next) {
        buried_.push_back({frame, frame->birth, frame->death});
    }
    buried_.sort_from(from);
}

/// A buried page is about to be freed.
void RootSet::forget(const Buried& buried) {
    buried_bytes_.fetch_sub(buried.frame->bytes, std::memory_order_relaxed);
    if (buried.death <= last_frozen_.load(std::memory_order_relaxed)) return;
    // The count may have begun anew while this page was counted.
    std::uint64_t since = buried_since_freeze_.load(std::memory_order_relaxed);
    const auto without = [&] { return since - std::min<std::uint64_t>(since, buried.frame->bytes); };
    while (!buried_since_freeze_.compare_exchange_weak(since, without(), std::memory_order_relaxed)) {}
}

bool RootSet::free_oldest(std::size_t& most, Freed& freed) {
    const std::uint64_t oldest = scratch_.empty() ? next_number_ : scratch_.front();
    for (; buried_.size() != 0 && buried_.front().death <= oldest; --most) {
        if (most == 0) return true;
        if (buried_.size() > k_ahead) __builtin_prefetch(buried_[k_ahead].frame);
        const Buried& buried = buried_.front();
        forget(buried);
        free_frame(buried.frame, freed);
        buried_.pop_front();
    }
    return false;
}

/// Looks behind what an old snapshot holds in front.
bool RootSet::free_between(std::size_t& most, Freed& freed) {
    bool more = false;
    buried_.remove_if([&](const Buried& buried) {
        if (root_impl::any_between(scratch_, buried.birth, buried.death)) return false;
        if (most == 0) {
            more = true;
            return false;
        }
        --most;
        forget(buried);
        free_frame(buried.frame, freed);
        return true;
    });
    if (!more) scanned_size_ = buried_.size();
    return more;
}

bool RootSet::reclaim(std::size_t most, bool everything) {
    numbers_in_use(scratch_);
    Freed freed;
    bool more = free_oldest(most, freed);
    if (!more && (everything || buried_.size() > scanned_size_ + scanned_size_ / 8 + root_impl::k_frees_per_look)) {
        more = free_between(most, freed);
    } else {
        scanned_size_ = std::min(scanned_size_, buried_.size());
    }
    give(freed);
    const std::lock_guard lock(mutex_);
    std::size_t kept = 0;
    for (Root* root : retired_) {
        const std::uint64_t number = root->number.load(std::memory_order_relaxed);
        if (std::binary_search(scratch_.begin(), scratch_.end(), number)) {
            retired_[kept++] = root;
        } else {
            pool_.push_back(root);
        }
    }
    retired_.resize(kept);
    return more;
}

void RootSet::reclaim_some() noexcept {
    // A look goes over all roots in use: where snapshots hold many, an eighth as many commits share it, and what dies
    // meanwhile is little beside what the snapshots hold.
    const std::size_t in_use = scratch_.size() / 8;
    if (++skipped_ < root_impl::k_commits_per_look + in_use && buried_since_ < root_impl::k_burials_per_look + in_use)
        return;
    skipped_ = 0;
    const std::size_t buried = std::exchange(buried_since_, 0);
    try {
        reclaim(std::max(root_impl::k_frees_per_look, 2 * buried), false);
    } catch (const std::bad_alloc&) {
        // The commit is made: one of the next ones looks.
    }
}

bool RootSet::reclaim(std::size_t most) {
    take_late();
    return reclaim(most, true);
}

}  // namespace northstar::inline v0::detail
