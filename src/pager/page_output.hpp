// page_output.hpp -- writes pages and runs to places that an allocator names, in long sequential pieces.
// Layer: pager.  Threads: one at a time.
//
// [OUTPUT-1] Only pages that the allocator handed out are written, and what was verified of them before is forgotten.
#pragma once

#include "os/vfs.hpp"
#include "pager/file_pages.hpp"
#include "pager/space.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// Where pages come from.
class PageAllocator {
public:
    virtual ~PageAllocator() = default;
    /// Between 1 and `wanted` pages in one run.
    virtual PageRun some(std::uint64_t wanted) = 0;
    virtual PageRun exactly(std::uint64_t pages) = 0;
    virtual void give_back(PageRun run) = 0;
};

/// Takes them out of a space map that others carve from at the same time.
class SpaceAllocator final : public PageAllocator {
public:
    SpaceAllocator(SpaceMap& space, std::mutex& mutex) : space_(space), mutex_(mutex) {}
    PageRun some(std::uint64_t wanted) override;
    PageRun exactly(std::uint64_t pages) override;
    void give_back(PageRun run) override;

private:
    SpaceMap& space_;
    std::mutex& mutex_;
};

class PageOutput {
public:
    /// `expected_pages`: how many pages will come, to choose runs well; a guess is good enough.
    PageOutput(File& file, FilePages& pages, PageAllocator& allocator, std::uint64_t generation,
               std::uint64_t expected_pages);

    /// Room for a page and the number it will have; the caller fills it, and seals it with seal().
    std::byte* next_page(std::uint64_t& number);
    Ref seal(std::byte* page, std::uint64_t number) const;

    Ref place_run(PageKind kind, std::span<const std::byte> bytes);
    /// The same onto pages that were allocated for it.
    Ref place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number);
    /// The same; a short one that lies behind the one before is written together with it, by finish() at the latest.
    Ref gather_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number);

    /// Writes what is still buffered and gives back the pages that were not needed.
    void finish();
    std::uint64_t bytes_written() const { return bytes_written_; }
    std::size_t page_size() const { return page_size_; }

private:
    void write_buffer();
    void write_gathered();
    File& file_;
    FilePages& pages_;
    PageAllocator& allocator_;
    const std::uint64_t generation_;
    const std::size_t page_size_;
    std::uint64_t expected_;
    PageRun run_;                    // allocated and not used yet
    std::uint64_t buffer_page_ = 0;  // number of the first page in the buffer
    std::size_t buffered_ = 0;       // pages in it
    std::vector<std::byte> buffer_;
    std::uint64_t gathered_page_ = 0;    // number of the first page of the runs that are gathered
    std::size_t gathered_bytes_ = 0;     // of these runs
    std::vector<std::byte> gathered_;
    std::uint64_t bytes_written_ = 0;
};

}  // namespace northstar::inline v0::detail
