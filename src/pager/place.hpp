// place.hpp -- gives memory pages a position in the file and writes them.  Layer: pager.  Threads: one at a time.
//
// Children first, so that a parent is written with the numbers and checksums of its children; pages get ascending
// numbers in the order of the walk, so that leaves lie in key order and writes are long and sequential.
// [PLACE-1] Only pages that space allocated to this placer are written.
// [PLACE-2] A placed frame's `forward` names its page in the file; the frame itself stays as it is.
#pragma once

#include "pager/frames.hpp"
#include "pager/page_output.hpp"

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
    /// Takes pages for the large values that place() will find: called before it, since pages of trees fit anywhere and
    /// would take what lies side by side. Needed where the root has large values in memory.
    void reserve_runs(Ref root);
    /// Writes everything reachable from a ref that lies in memory; returns the ref in the file.
    Ref place(Ref root);
    /// Writes a run of our own.
    Ref place_run(PageKind kind, std::span<const std::byte> bytes) { return output_.place_run(kind, bytes); }
    /// The same onto pages that were allocated for it; returns the checksum.
    std::uint64_t place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number);
    /// Writes what is still buffered and gives back the pages that were not needed.
    void finish() { output_.finish(); }
    std::uint64_t bytes_written() const { return output_.bytes_written(); }
    /// Frames placed, children before parents.
    const std::vector<Frame*>& frames() const { return frames_; }

private:
    struct Reserved {
        Frame* frame;
        std::uint64_t page;
    };
    void find_large(std::byte* page, int depth);
    Ref place_page(std::byte* page, int depth);
    Ref place_large(Frame* frame);
    SpaceAllocator allocator_;
    PageOutput output_;
    const std::uint64_t generation_;
    const std::uint64_t seed_;
    std::vector<Frame*> frames_;
    std::vector<Reserved> reserved_;  // of large values, by frame
};

}  // namespace northstar::inline v0::detail
