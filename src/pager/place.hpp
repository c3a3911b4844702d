// place.hpp -- gives memory pages a position in the file and writes them.  Layer: pager.  Threads: one at a time.
//
// Children first, so that a parent is written with the numbers and checksums of its children; pages get ascending
// numbers in the order of the walk, so that leaves lie in key order and writes are long and sequential.
// [PLACE-1] Only pages that space allocated to this placer are written.
// [PLACE-2] A placed frame's `forward` names its page in the file; the frame itself stays as it is.
#pragma once

#include "os/vfs.hpp"
#include "pager/file_pages.hpp"
#include "pager/frames.hpp"
#include "pager/space.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

class Placer {
public:
    /// `expected_pages`: how many pages will come, to choose runs well; a guess is good enough.
    /// `mutex` guards `space`, from which others may carve at the same time.
    Placer(File& file, FilePages& pages, SpaceMap& space, std::mutex& mutex, std::uint64_t generation,
           std::uint64_t expected_pages);
    /// Writes everything reachable from a ref that lies in memory; returns the ref in the file.
    Ref place(Ref root);
    /// Writes a run of our own.
    Ref place_run(PageKind kind, std::span<const std::byte> bytes);
    /// The same onto pages that were allocated for it; returns the checksum.
    std::uint64_t place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number);
    /// Writes what is still buffered and gives back the pages that were not needed.
    void finish();
    std::uint64_t bytes_written() const { return bytes_written_; }
    /// Frames placed, children before parents.
    const std::vector<Frame*>& frames() const { return frames_; }

private:
    Ref place_page(std::byte* page, int depth);
    Ref place_large(Frame* frame);
    Ref write_run(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number);
    std::byte* next_page(std::uint64_t& number);
    void write_buffer();
    File& file_;
    FilePages& pages_;
    SpaceMap& space_;
    std::mutex& mutex_;
    const std::uint64_t generation_;
    const std::size_t page_size_;
    std::uint64_t expected_;
    PageRun run_;                      // allocated and not used yet
    std::uint64_t buffer_page_ = 0;    // number of the first page in the buffer
    std::size_t buffered_ = 0;         // pages in it
    std::vector<std::byte> buffer_;
    std::vector<Frame*> frames_;
    std::uint64_t bytes_written_ = 0;
};

}  // namespace northstar::inline v0::detail
