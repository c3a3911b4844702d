// space.hpp -- which pages of the file are free, and when dead ones become free.  Layer: pager.
// Threads: one at a time (the holder of the checkpoint lock).
//
// [SPACE-1] A page born in generation b and dead since generation d is reusable when no generation p that either meta
//           page or a pin names lies in b <= p < d; of a tree's page also none that is retained as a base of the past.
// [SPACE-2] Every page from 2 to the end is exactly one of: free, dead, or in use.
// [SPACE-3] The map is written whole by a checkpoint and never lives in a tree that must allocate from itself.
// Each call but reclaim() does all it says or, where memory ends (std::bad_alloc), nothing. Behind allocate() and
// allocate_some() one run can be given back without memory.
#pragma once

#include "pager/free_runs.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// Pages that are to be emptied: those from a line on, and a window before it.
struct Clearing {
    std::uint64_t line = ~std::uint64_t{0};
    PageRun window;  ///< no pages: there is none

    bool in_window(std::uint64_t page, std::uint64_t pages = 1) const {
        return page < window.page + window.pages && window.page < page + pages;
    }
    bool takes(std::uint64_t page, std::uint64_t pages = 1) const {
        return page + pages > line || in_window(page, pages);
    }
};

struct DeadRun {
    std::uint64_t page = 0;
    std::uint64_t pages = 0;
    std::uint64_t born = 0;
    std::uint64_t died = 0;
    bool of_tree = true;  ///< false: log, history and maps, which no retained base needs
};

class SpaceMap {
public:
    explicit SpaceMap(std::uint64_t end = 0) : end_(end) {}

    /// One past the last page of the file.
    std::uint64_t end() const { return end_; }
    std::uint64_t free_pages() const { return free_pages_; }
    /// Free pages right before the end.
    std::uint64_t free_tail() const;
    /// Pages of the longest free run.
    std::uint64_t longest_free() const { return free_.longest(); }
    std::uint64_t dead_pages() const { return dead_pages_; }
    const FreeRuns& free_runs() const { return free_; }
    const std::vector<DeadRun>& dead_runs() const { return dead_; }

    /// A run of exactly this many pages: the lowest free one that holds it, else at the end of the file.
    std::uint64_t allocate(std::uint64_t pages);
    /// Between 1 and `wanted` pages in one run, lowest address first; grows the file only when nothing is free.
    PageRun allocate_some(std::uint64_t wanted);
    /// Until it is called again, pages of this run are not allocated (no pages: all are), nor free ones that touch it.
    void keep_clear(PageRun run) { clear_ = run; }
    /// So many free pages more at the end of the file.
    void extend(std::uint64_t pages);
    /// Pages that were allocated and never named by a meta page.
    void give_back(PageRun run);
    /// Pages that the generation being made no longer needs.
    void die(std::uint64_t page, std::uint64_t pages, std::uint64_t born, std::uint64_t died, bool of_tree = true);
    /// Makes dead pages free that none of these generations (ascending) can reach; `retained`: those of trees too.
    /// [SPACE-1] Error(corrupt) where one of them is free already.
    void reclaim(std::span<const std::uint64_t> generations, std::span<const std::uint64_t> retained);
    /// Pages whose use somebody announced are free or dead no more; the map grows where needed. Dead ones too: a later
    /// map, which was lost, may have called them free. False: some of them are in use; nothing was done to them.
    bool take(std::uint64_t page, std::uint64_t pages);
    /// Forgets a free tail but for `kept` pages: returns the new end. The file may be cut there once no generation
    /// needs more.
    std::uint64_t shrink(std::uint64_t kept);

    void encode(std::string& out) const;
    /// Throws Error(corrupt) on anything that breaks [SPACE-2]. `at` moves behind the map.
    static SpaceMap decode(std::span<const std::byte> bytes, std::size_t& at);

private:
    FreeRuns::Iterator first_usable(FreeRuns::Iterator from) const;
    void take_front(FreeRuns::Iterator at, std::uint64_t pages) noexcept;
    void take_there(std::uint64_t page, std::uint64_t pages);
    void add_free(std::uint64_t page, std::uint64_t pages);
    std::uint64_t end_ = 0;
    FreeRuns free_;
    PageRun clear_;
    std::vector<DeadRun> dead_;
    std::uint64_t free_pages_ = 0;
    std::uint64_t dead_pages_ = 0;
};

}  // namespace northstar::inline v0::detail
