// frames.hpp -- memory pages: where they come from and what is known about each.  Layer: pager.
// Threads: FrameArena any; a PageWriter belongs to one thread at a time.
//
// A frame is a memory page with a small header in front of it. Its address is its ref.
// [FRAME-1] A frame that a built root reaches is never written again.
// [FRAME-2] A frame is freed when no root in use has a number n with birth <= n < death.
#pragma once

#include "base/check.hpp"
#include "format/ref.hpp"
#include "pager/early_pages.hpp"
#include "pager/page_source.hpp"
#include "pager/value_blocks.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// What is known about a memory page or a large value in memory; lies right in front of its bytes.
struct alignas(64) Frame {
    std::uint64_t birth = 0;    // number of the first root that reaches it; before that k_unborn | writer's epoch
    std::uint64_t death = 0;    // number of the first root that does not; 0: alive
    std::uint64_t forward = 0;  // ref that replaces this frame in the base being made; 0: none
    std::uint64_t bytes = 0;    // size of the bytes behind this header (page size, or a large value's capacity)
    std::uint64_t length = 0;   // large values: bytes used
    std::uint32_t index = 0;    // position in its writer's list while unborn
    std::uint32_t large = 0;    // 1: a large value, not a page
    Frame* next = nullptr;      // free list
    std::uint64_t kept = 0;     // generation onto whose base a rebase took it as it is, and all pages below it

    static constexpr std::uint64_t k_unborn = std::uint64_t{1} << 63;
    std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
    static Frame* of(const void* data) {
        return reinterpret_cast<Frame*>(const_cast<std::byte*>(static_cast<const std::byte*>(data))) - 1;
    }
    static Frame* of(Ref ref) { return of(ref.address()); }
};
static_assert(sizeof(Frame) == 64);

/// Hands out frames of one page size from large blocks, and those of large values. Thread-safe.
class FrameArena {
public:
    explicit FrameArena(std::size_t page_size);
    ~FrameArena();
    FrameArena(const FrameArena&) = delete;
    FrameArena& operator=(const FrameArena&) = delete;

    /// Takes `count` page frames off the free list (or makes them) as a chain through Frame::next.
    Frame* take(std::size_t count);
    /// Gives a chain of page frames back.
    void give(Frame* first, Frame* last, std::size_t count) noexcept;
    Frame* take_large(std::uint64_t length);
    void give_large(Frame* frame) noexcept;

    /// Lets the system find the memory for the next frames whenever they come near, so that who takes them does not
    /// wait for that. Returns after stop_preparing(): the work of a thread of its own.
    void prepare_until_stopped() noexcept;
    void stop_preparing() noexcept;

    std::size_t page_size() const { return page_size_; }
    /// Bytes in frames that are handed out.
    std::uint64_t bytes_in_use() const { return in_use_.load(std::memory_order_relaxed); }
    /// Of these, bytes of large values.
    std::uint64_t large_bytes_in_use() const { return large_.load(std::memory_order_relaxed); }
    /// How many large values these are.
    std::uint64_t large_count() const { return large_count_.load(std::memory_order_relaxed); }

private:
    void grow();
    void give_rest_of_block() noexcept;
    void prepare() noexcept;
    std::size_t stride() const { return page_size_ + sizeof(Frame); }
    const std::size_t page_size_;
    std::mutex mutex_;
    Frame* free_ = nullptr;
    std::size_t free_count_ = 0;
    std::vector<std::pair<void*, std::size_t>> blocks_;
    std::byte* fresh_ = nullptr;     // first frame of the last block that was never handed out
    std::size_t fresh_count_ = 0;    // how many follow
    std::byte* prepared_ = nullptr;  // the last block is backed by memory up to here
    ValueBlocks values_;
    enum Preparation : int { prepared, unprepared, stopped };
    std::atomic<int> preparation_{prepared};
    std::atomic<std::uint64_t> in_use_{0};
    std::atomic<std::uint64_t> large_{0};
    std::atomic<std::uint64_t> large_count_{0};
};

/// The pages a write transaction makes and drops. Copies at first touch, edits its own copies, gives everything back
/// on abort. Savepoints start a new epoch: pages of an earlier epoch count as shared again. Where memory becomes short,
/// pages are placed early: they move into the file, and are copied into memory again when they are touched again.
class PageWriter {
public:
    PageWriter(FrameArena& arena, const PageSource& source);
    ~PageWriter();
    PageWriter(const PageWriter&) = delete;
    PageWriter& operator=(const PageWriter&) = delete;

    const PageSource& source() const { return source_; }
    std::size_t page_size() const { return arena_.page_size(); }
    /// Number of the transaction being made (what new entries and pages carry).
    std::uint64_t txn() const { return txn_; }
    void set_txn(std::uint64_t txn) { txn_ = txn; }

    /// True: this writer made the page in its current epoch, so it may be edited in place.
    bool owns(Ref ref) const { return ref.in_memory() && Frame::of(ref)->birth == (Frame::k_unborn | epoch_); }
    /// A new page with undefined content, owned.
    std::byte* new_page();
    /// A buffer for a large value, owned; the caller fills it.
    std::byte* new_large(std::uint64_t length);
    /// A copy of a large value, owned: in memory, or in the file where it is long and pages are placed early.
    Ref new_value(std::string_view value);
    /// The page (or large value) is no longer reachable from the root being made. Owned: freed at once.
    void drop(Ref ref, bool large = false);

    /// Epochs for savepoints. mark() returns a token; rewind(token) frees what was made and forgets what was dropped
    /// since; the caller restores its roots.
    /// Marks nest: rewinding to one invalidates those taken after it, not the mark itself.
    struct Mark { std::size_t frames = 0; std::size_t dropped = 0; std::size_t level = 0; };
    Mark mark();
    void rewind(Mark mark);

    /// From now on pages may be placed early, and values of at least `least_value` bytes are at once.
    void begin_early(EarlySource& source, std::uint64_t least_value);
    EarlyPages* early() { return early_.get(); }
    /// Places what this writer made and `roots` reach, children first; the refs are changed to what became of them.
    /// `roots` are all states that can still be wanted, savepoints' included, and `marks` all marks. Pages above one
    /// that is shared with a built root stay in memory. After an error
    /// the state can only be abandoned.
    void place_early(std::span<Ref* const> roots, std::span<Mark* const> marks);

    /// Frees what an earlier epoch made and a later one dropped; ends all marks. The commit calls it before it reads
    /// the lists: frames made and still wanted (nullptr: freed), and refs dropped that are older than this writer.
    void settle();
    std::vector<Frame*>& frames() { return frames_; }
    struct Dropped { Ref ref; bool large = false; };
    std::vector<Dropped>& dropped() { return dropped_; }
    /// Frees every frame and forgets what was dropped (abort, or after the commit took both lists). A few free frames
    /// stay with the writer for its next transaction; its end gives them back.
    void abandon() noexcept;
    void forget() noexcept {
        frames_.clear();
        dropped_.clear();
        levels_.clear();
        early_.reset();
        least_early_value_ = ~std::uint64_t{0};
        floor_ = 0;
        bytes_ = 0;
    }
    std::uint64_t pages_made() const { return pages_made_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    class EarlyWalk;
    Frame* cached();
    void remember(Frame* frame);
    void free_frame(Frame* frame) noexcept;
    PageRun run_of(Dropped dropped) const;
    void remove_gaps(std::span<Mark* const> marks) noexcept;
    FrameArena& arena_;
    const PageSource& source_;
    std::uint64_t txn_ = 0;
    std::uint64_t epoch_ = 0;
    Frame* cache_ = nullptr;
    std::size_t cache_count_ = 0;
    std::size_t floor_ = 0;        // frames made before the newest mark
    std::vector<Frame*> frames_;   // nullptr: freed again
    std::vector<Dropped> dropped_;
    std::vector<std::uint64_t> levels_;  // first epoch behind each mark
    std::unique_ptr<EarlyPages> early_;
    std::uint64_t least_early_value_ = ~std::uint64_t{0};
    std::uint64_t pages_made_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace northstar::inline v0::detail
