#include "txn/root.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace root_impl {

/// A look at all slots costs about a microsecond, so it is shared by this many commits.
constexpr unsigned k_commits_per_look = 16;

}  // namespace root_impl

Root* RootSet::prepare() {
    const std::lock_guard lock(mutex_);
    Root* root;
    if (pool_.empty()) {
        pool_.reserve(all_.size() + 1);
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
    built_.store(root, std::memory_order_seq_cst);
    if (!pending_.empty() && pending_.back() == old) {
        pending_.back() = root;
        retired_.push_back(const_cast<Root*>(old));
    } else {
        if (visible_.load(std::memory_order_relaxed) == old) visible_.store(root, std::memory_order_seq_cst);
        retired_.push_back(const_cast<Root*>(old));
    }
}

void RootSet::advance(Txn txn) {
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
    buried_.push_back({frame, death});
    buried_bytes_.fetch_add(frame->bytes, std::memory_order_relaxed);
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

void RootSet::free_frame(Frame* frame) {
    buried_bytes_.fetch_sub(frame->bytes, std::memory_order_relaxed);
    if (frame->large != 0) {
        arena_.give_large(frame);
        return;
    }
    frame->next = freed_first_;
    freed_first_ = frame;
    if (freed_last_ == nullptr) freed_last_ = frame;
    ++freed_count_;
}

bool RootSet::free_oldest(std::size_t most) {
    numbers_in_use(scratch_);
    const std::uint64_t oldest = scratch_.empty() ? next_number_ : scratch_.front();
    for (; buried_.size() != 0 && buried_.front().death <= oldest; --most) {
        if (most == 0) return true;
        free_frame(buried_.front().frame);
        buried_.pop_front();
    }
    return false;
}

void RootSet::give_freed() noexcept {
    if (freed_first_ == nullptr) return;
    arena_.give(freed_first_, freed_last_, freed_count_);
    freed_first_ = freed_last_ = nullptr;
    freed_count_ = 0;
}

bool RootSet::reclaim_oldest(std::size_t most) {
    const bool more = free_oldest(most);
    give_freed();
    return more;
}

void RootSet::reclaim(bool force) {
    if (!force && ++skipped_ < root_impl::k_commits_per_look) return;
    skipped_ = 0;
    free_oldest(~std::size_t{0});
    // An old snapshot holds what is in front; look behind it when enough has gathered there.
    if (force || buried_.size() > 2 * scanned_size_ + 4096) {
        buried_.remove_if([&](const Buried& buried) {
            const auto first = std::lower_bound(scratch_.begin(), scratch_.end(), buried.frame->birth);
            if (first != scratch_.end() && *first < buried.death) return false;
            free_frame(buried.frame);
            return true;
        });
        scanned_size_ = buried_.size();
    } else if (buried_.size() < scanned_size_) {
        scanned_size_ = buried_.size();
    }
    give_freed();
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
}

}  // namespace northstar::inline v0::detail
