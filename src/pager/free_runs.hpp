// free_runs.hpp -- runs of free pages, in order.  Layer: pager.  Threads: one at a time.
//
// [RUNS-1] Runs are in ascending order, none is empty, and no two touch or overlap; who adds one sees to it.
// [RUNS-2] A block has between 1 and k_block runs, and its entry says where the first begins and how long the longest
//          is.
//
// A database that is written in random order has a free run for every few pages of the file, and each commit asks for
// the longest and each stretch of the log for one that is long enough. So runs lie in blocks of 128, whose entries
// answer that: O(runs / 128 + 128). Nothing but insert() and reserve_one() takes memory; where it ends (std::bad_alloc)
// nothing changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

namespace northstar::inline v0::detail {

struct PageRun {
    std::uint64_t page = 0;
    std::uint64_t pages = 0;
    std::uint64_t end() const { return page + pages; }
};

class FreeRuns {
    static constexpr std::size_t k_block = 128;
    using Block = std::array<PageRun, k_block>;
    struct Entry {
        std::uint64_t first = 0;
        std::uint64_t longest = 0;
        std::size_t count = 0;
        std::unique_ptr<Block> runs;
    };

public:
    /// Any change makes it invalid.
    class Iterator {
    public:
        using iterator_category = std::bidirectional_iterator_tag;
        using value_type = PageRun;
        using difference_type = std::ptrdiff_t;
        using pointer = const PageRun*;
        using reference = const PageRun&;

        reference operator*() const { return (*runs_->entries_[block_].runs)[index_]; }
        pointer operator->() const { return &**this; }
        Iterator& operator++() {
            if (++index_ == runs_->entries_[block_].count) {
                ++block_;
                index_ = 0;
            }
            return *this;
        }
        Iterator& operator--() {
            if (index_ == 0) index_ = runs_->entries_[--block_].count;
            --index_;
            return *this;
        }
        bool operator==(const Iterator& other) const { return block_ == other.block_ && index_ == other.index_; }

    private:
        friend class FreeRuns;
        Iterator(const FreeRuns* runs, std::size_t block, std::size_t index)
            : runs_(runs), block_(block), index_(index) {}
        const FreeRuns* runs_;
        std::size_t block_;
        std::size_t index_;  // behind the last run: 0 of a block that is not there
    };

    FreeRuns() = default;
    FreeRuns(const FreeRuns& other);
    FreeRuns(FreeRuns&&) noexcept = default;
    FreeRuns& operator=(FreeRuns&&) noexcept = default;
    FreeRuns& operator=(const FreeRuns&) = delete;

    Iterator begin() const { return {this, 0, 0}; }
    Iterator end() const { return {this, entries_.size(), 0}; }
    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return size_; }

    /// The first run that begins at this page or behind it.
    Iterator from(std::uint64_t page) const;
    /// The first run at this place or behind it that has so many pages.
    Iterator holding(std::uint64_t pages, Iterator at) const;
    /// Pages of the longest run.
    std::uint64_t longest() const;

    void insert(PageRun run);
    /// Another run, which lies between the same neighbours.
    void replace(Iterator at, PageRun run) noexcept;
    void erase(Iterator at) noexcept;
    /// The next insertion needs no memory.
    void reserve_one();

private:
    void measure(Entry& entry) noexcept;
    void split(std::size_t block);
    void remove_block(std::size_t block) noexcept;
    void join(std::size_t block) noexcept;

    std::vector<Entry> entries_;
    std::unique_ptr<Block> spare_;
    std::size_t size_ = 0;
};

}  // namespace northstar::inline v0::detail
