#include "pager/free_runs.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

FreeRuns::FreeRuns(const FreeRuns& other) : size_(other.size_) {
    entries_.reserve(other.entries_.size());
    for (const Entry& entry : other.entries_) {
        entries_.push_back({entry.first, entry.longest, entry.count, std::make_unique<Block>(*entry.runs)});
    }
}

void FreeRuns::measure(Entry& entry) noexcept {
    entry.first = entry.runs->front().page;
    entry.longest = 0;
    for (std::size_t i = 0; i < entry.count; ++i) entry.longest = std::max(entry.longest, (*entry.runs)[i].pages);
}

FreeRuns::Iterator FreeRuns::from(std::uint64_t page) const {
    // The last block that begins at the page or before it has the run, or the next block begins with it.
    const auto behind = std::partition_point(entries_.begin(), entries_.end(),
                                             [&](const Entry& entry) { return entry.first <= page; });
    if (behind == entries_.begin()) return begin();
    const auto block = static_cast<std::size_t>(behind - entries_.begin()) - 1;
    const Entry& entry = entries_[block];
    const PageRun* const runs = entry.runs->data();
    const PageRun* const found = std::partition_point(runs, runs + entry.count,
                                                      [&](const PageRun& run) { return run.page < page; });
    const auto index = static_cast<std::size_t>(found - runs);
    return index == entry.count ? Iterator(this, block + 1, 0) : Iterator(this, block, index);
}

FreeRuns::Iterator FreeRuns::holding(std::uint64_t pages, Iterator at) const {
    for (std::size_t block = at.block_, index = at.index_; block < entries_.size(); ++block, index = 0) {
        const Entry& entry = entries_[block];
        if (entry.longest < pages) continue;
        for (; index < entry.count; ++index) {
            if ((*entry.runs)[index].pages >= pages) return {this, block, index};
        }
    }
    return end();
}

std::uint64_t FreeRuns::longest() const {
    std::uint64_t longest = 0;
    for (const Entry& entry : entries_) longest = std::max(longest, entry.longest);
    return longest;
}

void FreeRuns::reserve_one() {
    if (entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size() + 8);
    if (spare_ == nullptr) spare_ = std::make_unique<Block>();
}

/// Moves the upper half of a full block into the spare one, behind it.
void FreeRuns::split(std::size_t block) {
    reserve_one();
    constexpr std::size_t k_half = k_block / 2;
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(block) + 1,
                    Entry{0, 0, k_block - k_half, std::move(spare_)});
    Entry& lower = entries_[block];
    Entry& upper = entries_[block + 1];
    std::copy(lower.runs->begin() + k_half, lower.runs->end(), upper.runs->begin());
    lower.count = k_half;
    measure(lower);
    measure(upper);
}

void FreeRuns::insert(PageRun run) {
    Iterator at = from(run.page);
    if (at.index_ == 0 && at.block_ > 0) {
        // Between two blocks: at the end of the first, or at the front of the second if that is full.
        const std::size_t before = at.block_ - 1;
        if (entries_[before].count < k_block || at.block_ == entries_.size() ||
            entries_[at.block_].count == k_block) {
            at = {this, before, entries_[before].count};
        }
    }
    if (entries_.empty() || at.block_ == entries_.size() ||
        (at.block_ + 1 == entries_.size() && at.index_ == k_block)) {
        // Maps are read in order: blocks that are filled from the front stay full.
        reserve_one();
        at = {this, entries_.size(), 0};
        entries_.push_back({0, 0, 0, std::move(spare_)});
    } else if (entries_[at.block_].count == k_block) {
        split(at.block_);
        if (at.index_ > entries_[at.block_].count) {
            at.index_ -= entries_[at.block_].count;
            ++at.block_;
        }
    }
    Entry& entry = entries_[at.block_];
    const auto place = entry.runs->begin() + static_cast<std::ptrdiff_t>(at.index_);
    std::copy_backward(place, entry.runs->begin() + static_cast<std::ptrdiff_t>(entry.count),
                       entry.runs->begin() + static_cast<std::ptrdiff_t>(entry.count) + 1);
    *place = run;
    ++entry.count;
    ++size_;
    entry.first = entry.runs->front().page;
    entry.longest = std::max(entry.longest, run.pages);
}

void FreeRuns::replace(Iterator at, PageRun run) noexcept {
    NORTHSTAR_ASSERT(run.pages > 0);
    Entry& entry = entries_[at.block_];
    PageRun& there = (*entry.runs)[at.index_];
    const bool was_longest = there.pages == entry.longest;
    there = run;
    if (run.pages >= entry.longest) {
        entry.longest = run.pages;
        entry.first = entry.runs->front().page;
    } else if (was_longest) {
        measure(entry);
    } else {
        entry.first = entry.runs->front().page;
    }
}

void FreeRuns::erase(Iterator at) noexcept {
    Entry& entry = entries_[at.block_];
    const auto place = entry.runs->begin() + static_cast<std::ptrdiff_t>(at.index_);
    std::copy(place + 1, entry.runs->begin() + static_cast<std::ptrdiff_t>(entry.count), place);
    --entry.count;
    --size_;
    if (entry.count == 0) {
        remove_block(at.block_);
        return;
    }
    measure(entry);
    // Few runs in each of many blocks would be looked at one by one again.
    if (at.block_ > 0) join(at.block_ - 1);
    else join(0);
}

void FreeRuns::remove_block(std::size_t block) noexcept {
    if (spare_ == nullptr) spare_ = std::move(entries_[block].runs);
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(block));
}

/// Makes one block of one and the next where they fill less than half of it.
void FreeRuns::join(std::size_t block) noexcept {
    if (block + 1 >= entries_.size()) return;
    Entry& lower = entries_[block];
    const Entry& upper = entries_[block + 1];
    if (lower.count + upper.count > k_block / 2) return;
    std::copy(upper.runs->begin(), upper.runs->begin() + static_cast<std::ptrdiff_t>(upper.count),
              lower.runs->begin() + static_cast<std::ptrdiff_t>(lower.count));
    lower.count += upper.count;
    lower.longest = std::max(lower.longest, upper.longest);
    remove_block(block + 1);
}

}  // namespace northstar::inline v0::detail
