// page_set.hpp -- a set of file pages, a bit each.  Layer: pager.  Threads: one at a time.
//
// Blocks of 4096 pages exist only where the set has pages, so that one that is dense costs a byte for eight pages and
// one that is scattered half a kilobyte a block.
#pragma once

#include "pager/space.hpp"

#include <array>
#include <cstdint>
#include <map>

namespace northstar::inline v0::detail {

class PageSet {
public:
    bool empty() const { return size_ == 0; }
    /// Pages in the set.
    std::uint64_t size() const { return size_; }
    bool contains(std::uint64_t page) const;
    /// Pages that are in the set already are left alone.
    void insert(PageRun run);
    /// Pages that are not in the set are left alone.
    void erase(PageRun run) noexcept;
    void insert(const PageSet& other);
    void erase(const PageSet& other) noexcept;
    void clear() noexcept {
        blocks_.clear();
        size_ = 0;
    }

    /// The first run of pages at or behind `from`; without pages: there is none. At most `most` pages.
    PageRun run_at(std::uint64_t from, std::uint64_t most) const;
    /// Takes out up to `wanted` pages that lie side by side, the lowest ones. Without pages: the set is empty.
    PageRun take_some(std::uint64_t wanted) noexcept;
    /// Takes out the lowest run of so many pages. Without pages: there is none.
    PageRun take_exactly(std::uint64_t pages) noexcept;
    /// Calls fn(PageRun) for every run, ascending.
    template <class F>
    void each_run(F&& fn) const {
        for (PageRun run = run_at(0, ~std::uint64_t{0}); run.pages != 0;
             run = run_at(run.page + run.pages, ~std::uint64_t{0})) {
            fn(run);
        }
    }

private:
    static constexpr std::uint64_t k_block_pages = 4096;
    using Block = std::array<std::uint64_t, k_block_pages / 64>;
    std::map<std::uint64_t, Block> blocks_;  // by page / k_block_pages
    std::uint64_t size_ = 0;
};

}  // namespace northstar::inline v0::detail
