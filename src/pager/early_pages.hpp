// early_pages.hpp -- file pages that a writer fills before anything names them.  Layer: pager.
// Threads: the writer's.
//
// A transaction too large for memory writes pages of its own into the file long before a meta page can name them.
// They come from a source that keeps others from them; all of them go back to it unless a commit keeps them.
//
// [EARLY-1] Every page taken from the source is exactly one of: filled (a ref of the state being made, or of one a
//           savepoint may go back to, names it), lent out by exactly(), or idle.
// [EARLY-2] A filled page that goes in the level it was made in is idle at once; one of an earlier level stays, since
//           a savepoint names it.
#pragma once

#include "pager/page_output.hpp"
#include "pager/page_set.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Who hands out pages that nothing names yet, and keeps everybody else from them.
class EarlySource {
public:
    virtual ~EarlySource() = default;
    /// Pages with room in the file: one run of exactly that many, or of at least one. Throws Error(no_space).
    virtual PageRun carve(std::uint64_t pages, bool exactly) = 0;
    virtual void give_back(const PageSet& pages) noexcept = 0;
    /// Generation that pages written now carry: the one that a reader of them keeps pinned.
    virtual std::uint64_t generation() = 0;
    virtual File& file() = 0;
    virtual FilePages& pages() = 0;
};

class EarlyPages final : public PageAllocator {
public:
    explicit EarlyPages(EarlySource& source) : source_(source), filled_(1) {}
    ~EarlyPages() override { source_.give_back(all_); }
    EarlyPages(const EarlyPages&) = delete;
    EarlyPages& operator=(const EarlyPages&) = delete;

    EarlySource& source() { return source_; }
    PageRun some(std::uint64_t wanted) override;
    PageRun exactly(std::uint64_t pages) override;
    void give_back(PageRun run) override { idle_.insert(run); }
    /// Makes sure that so many single pages can be taken without asking the source.
    void reserve(std::uint64_t pages);

    /// A page or run was filled for a state of this level.
    void fill(std::size_t level, PageRun run);
    /// A page or run is no longer part of the state being made. True: it was one of ours and is idle now. False: it
    /// is of somebody else, or a savepoint needs it.
    bool drop(std::size_t level, PageRun run);
    /// The same at the end, when no savepoint is left.
    bool drop_at_last(PageRun run);
    bool filled(std::uint64_t page) const;
    /// Everything filled in this level or a later one is idle.
    void rewind(std::size_t level);

    /// What a commit keeps.
    PageSet kept() const;
    /// The commit happened: these pages do not go back to the source.
    void keep(const PageSet& kept) noexcept { all_.erase(kept); }
    std::uint64_t size() const { return all_.size(); }

private:
    EarlySource& source_;
    PageSet all_;
    PageSet idle_;
    std::vector<PageSet> filled_;  // by level of savepoints
};

}  // namespace northstar::inline v0::detail
