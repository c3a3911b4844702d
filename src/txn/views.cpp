#include "txn/views.hpp"

#include "base/error.hpp"
#include "os/vfs.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace views_impl {

struct Pool {
    std::mutex mutex;
    std::vector<ReadView*> free;
    std::vector<ReadView*> all;
};

// Never destroyed: a view may be used, wrongly, after everything else is gone, and must find its slot.
Pool& pool() {
    static Pool* const instance = [] {
        auto* made = new Pool;
        at_fork_in_child([] {
            // The parent's snapshots are not this process's: every view becomes an orphan.
            for (ReadView* block : pool().all) {
                for (std::size_t i = 0; i < ViewTable::k_block; ++i) {
                    block[i].ticket.fetch_add(1, std::memory_order_relaxed);
                }
            }
        });
        return made;
    }();
    return *instance;
}

/// The block in which this thread found a free slot last. Where thousands of snapshots are held, most blocks are full,
/// and a search that began at the first would look through all of them each time.
thread_local std::size_t last_block = 0;

/// Small numbers for threads, so that each begins its search at a slot of its own.
std::size_t thread_number() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t number = next.fetch_add(1, std::memory_order_relaxed);
    return number;
}

}  // namespace views_impl

ViewTable::ViewTable() : blocks_(std::make_unique<std::atomic<ReadView*>[]>(k_max_blocks)) { add_block(); }

ViewTable::~ViewTable() {
    views_impl::Pool& pool = views_impl::pool();
    const std::lock_guard lock(pool.mutex);
    for (std::size_t b = 0; b < block_count_.load(); ++b) {
        ReadView* block = blocks_[b].load();
        for (std::size_t i = 0; i < k_block; ++i) {
            if (block[i].number.load() != 0) release(&block[i]);
        }
        pool.free.push_back(block);
    }
}

ReadView* ViewTable::add_block() {
    views_impl::Pool& pool = views_impl::pool();
    const std::lock_guard pool_lock(pool.mutex);
    ReadView* block;
    if (pool.free.empty()) {
        pool.free.reserve(pool.all.size() + 1);
        pool.all.reserve(pool.all.size() + 1);
        block = new ReadView[k_block];
        pool.all.push_back(block);
    } else {
        block = pool.free.back();
        pool.free.pop_back();
    }
    const std::size_t count = block_count_.load();
    blocks_[count].store(block, std::memory_order_release);
    block_count_.store(count + 1, std::memory_order_seq_cst);
    return block;
}

ReadView* ViewTable::claim(std::uint64_t number) {
    const std::size_t start = views_impl::thread_number() % k_block;
    for (;;) {
        const std::size_t blocks = block_count_.load(std::memory_order_acquire);
        const std::size_t first = views_impl::last_block < blocks ? views_impl::last_block : 0;
        for (std::size_t n = 0; n < blocks; ++n) {
            const std::size_t b = first + n < blocks ? first + n : first + n - blocks;
            ReadView* block = blocks_[b].load(std::memory_order_acquire);
            for (std::size_t i = 0; i < k_block; ++i) {
                ReadView& view = block[(start + i) % k_block];
                std::uint64_t expected = 0;
                if (view.number.load(std::memory_order_relaxed) == 0 &&
                    view.number.compare_exchange_strong(expected, number, std::memory_order_seq_cst)) {
                    views_impl::last_block = b;
                    return &view;
                }
            }
        }
        const std::lock_guard lock(mutex_);
        if (block_count_.load() != blocks) continue;
        if (blocks == k_max_blocks) {
            fail(Errc::too_many_snapshots, "65536 snapshots are open already; close some that are no longer used");
        }
        // As many again, so that looking through all that are full is paid for by the claims that find the new ones.
        views_impl::last_block = blocks;
        const std::size_t wanted = std::min(2 * blocks, k_max_blocks);
        while (block_count_.load() < wanted) add_block();
    }
}

}  // namespace northstar::inline v0::detail
