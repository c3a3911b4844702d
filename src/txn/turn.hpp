// turn.hpp -- the writer's turn inside one process: one at a time.  Layer: txn.
//
// [TURN-1] Those who wait have the turn in the order of asking.
// [TURN-2] The turn does not lie idle while somebody who waited wakes up, which takes as long as a dozen short
//          transactions: until then it goes to whoever asks. Who has come once finds it, or has it next.
// [TURN-3] A turn that was not short is followed by that of the one who waits first, whoever else asks.
// [TURN-4] The turn is free only where nobody waits or the first of them was called.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace northstar::inline v0::detail {

/// A lock with a queue and a deadline. Threads: any. Costs two uncontended mutex operations when free. Where threads
/// ask again and again a change of thread takes as long as waking one, and others work meanwhile.
class WriterTurn {
public:
    /// `short_turn`: one that takes less than waking a thread, which is 20 to 50 us.
    explicit WriterTurn(std::chrono::microseconds short_turn = std::chrono::microseconds{50})
        : short_turn_(short_turn) {}
    /// False: the time was over before the turn came, or the caller gave up. Throws Error(misuse) when this thread has
    /// the turn already.
    bool acquire(std::optional<std::uint32_t> timeout_ms, const std::function<bool()>& gives_up = {});
    bool try_acquire();
    void release();
    /// Does somebody wait for it?
    bool wanted() const;
    bool held_by_this_thread() const;

private:
    using Clock = std::chrono::steady_clock;

    struct Waiter {
        std::condition_variable ready;
        std::atomic<bool> granted{false};
        bool called = false;  ///< was woken, and is on its way
        bool here = false;    ///< is awake, or was when the turn was another's: has it next
    };

    void take();
    void grant(Waiter& waiter);
    void call_first();
    struct Limit {
        std::optional<Clock::time_point> deadline;
        const std::function<bool()>& gives_up;
    };
    bool wait(Waiter& waiter, std::unique_lock<std::mutex>& lock, const Limit& limit);
    bool sleep(Waiter& waiter, std::unique_lock<std::mutex>& lock, const Limit& limit);
    static bool spin(const Waiter& waiter);

    const std::chrono::microseconds short_turn_;
    mutable std::mutex mutex_;
    std::deque<Waiter*> queue_;
    bool taken_ = false;
    std::thread::id owner_;
    Clock::time_point held_since_;  ///< the turn has been taken since then or longer; known while somebody waits
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
