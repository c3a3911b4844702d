// views.hpp -- open snapshots: a slot each, in a table that lives as long as the program.  Layer: txn.
//
// [VIEW-1] Opening stores the root's number in a free slot, then looks at the visible root again; if it moved, the
//          slot is given the newer number. A root whose number stands in a slot is not freed.
// [VIEW-2] A slot's ticket changes when its snapshot closes and when the process is forked; a view compares its
//          ticket before every use, so a late use is an error and never reads freed memory.
// Threads: a slot is opened by the thread that found it free; its fields are read by the reclaimer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace northstar::inline v0 {
namespace detail {

class DatabaseCore;
struct Root;
struct PastState;
class WriteTxn;

struct alignas(128) ReadView {
    std::atomic<std::uint64_t> number{0};  // of the root in use; 0: the slot is free
    std::atomic<std::uint64_t> ticket{1};
    const Root* root = nullptr;
    DatabaseCore* core = nullptr;
    PastState* past = nullptr;             // AS OF: what the snapshot needs beside the root; owned by it
    WriteTxn* txn = nullptr;               // the view of a write transaction
    std::atomic<std::uint64_t> opened_us{0};
};

/// Slots of one database handle. Blocks are taken from and returned to a list that is never freed.
class ViewTable {
public:
    static constexpr std::size_t k_block = 64;
    static constexpr std::size_t k_max_blocks = 1024;
    ViewTable();
    /// Orphans what is still open and keeps its slots out of use for ever.
    ~ViewTable();
    ViewTable(const ViewTable&) = delete;
    ViewTable& operator=(const ViewTable&) = delete;

    /// A free slot, claimed with this root number. Throws Error(too_many_snapshots).
    ReadView* claim(std::uint64_t number);
    static void release(ReadView* view) noexcept {
        view->ticket.store(view->ticket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        view->number.store(0, std::memory_order_release);
    }
    /// Calls fn(ReadView&) for every slot in use.
    template <class F>
    void each(F&& fn) const {
        const std::size_t blocks = block_count_.load(std::memory_order_seq_cst);
        for (std::size_t b = 0; b < blocks; ++b) {
            ReadView* block = blocks_[b].load(std::memory_order_acquire);
            for (std::size_t i = 0; i < k_block; ++i) {
                if (block[i].number.load(std::memory_order_seq_cst) != 0) fn(block[i]);
            }
        }
    }

private:
    ReadView* add_block();
    std::mutex mutex_;
    std::atomic<std::size_t> block_count_{0};
    std::unique_ptr<std::atomic<ReadView*>[]> blocks_;
};

}  // namespace detail
}  // namespace northstar::inline v0
