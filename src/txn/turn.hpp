// turn.hpp -- the writer's turn inside one process: one at a time, in the order of asking.  Layer: txn.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace northstar::inline v0::detail {

/// A first-in-first-out lock with a deadline. Threads: any. Costs two uncontended mutex operations when free.
class WriterTurn {
public:
    /// False: the time was over before the turn came. Throws Error(misuse) when this thread has the turn already.
    bool acquire(std::optional<std::uint32_t> timeout_ms);
    bool try_acquire();
    void release();
    bool wanted() const;
    bool held_by_this_thread() const;

private:
    struct Waiter {
        std::condition_variable ready;
        bool granted = false;
    };
    mutable std::mutex mutex_;
    std::deque<Waiter*> queue_;
    bool taken_ = false;
    std::thread::id owner_;
};

/// Holds the turn for a scope.
class TurnGuard {
public:
    explicit TurnGuard(WriterTurn& turn) : turn_(turn) { turn.acquire(std::nullopt); }
    /// Of a turn that this thread has already.
    TurnGuard(WriterTurn& turn, std::adopt_lock_t) : turn_(turn) {}
    ~TurnGuard() { turn_.release(); }
    TurnGuard(const TurnGuard&) = delete;
    TurnGuard& operator=(const TurnGuard&) = delete;

private:
    WriterTurn& turn_;
};

}  // namespace northstar::inline v0::detail
