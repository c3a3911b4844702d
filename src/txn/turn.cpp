#include "txn/turn.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "base/spin.hpp"
#include "txn/wait_limit.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace turn_impl {

/// How long the one who is next looks before it sleeps: some short transactions.
constexpr std::chrono::microseconds k_spin{10};

}  // namespace turn_impl

bool WriterTurn::acquire(std::optional<std::uint32_t> timeout_ms, const std::function<bool()>& gives_up) {
    std::unique_lock lock(mutex_);
    if (!taken_) {
        take();
        return true;
    }
    if (owner_ == std::this_thread::get_id()) {
        fail(Errc::misuse, "this thread has a write transaction open already; commit or roll it back first");
    }
    if (timeout_ms && *timeout_ms == 0) return false;
    std::optional<Clock::time_point> deadline;
    const Clock::time_point now = Clock::now();
    if (timeout_ms) deadline = now + std::chrono::milliseconds(*timeout_ms);
    Waiter waiter;
    if (queue_.empty()) held_since_ = now;
    queue_.push_back(&waiter);
    if (!wait(waiter, lock, {deadline, gives_up})) {
        // Who was called does not give up before it has looked; for the one before this one the turn may be free.
        NORTHSTAR_ASSERT(taken_ || queue_.front() != &waiter);  // [TURN-4]
        queue_.erase(std::find(queue_.begin(), queue_.end(), &waiter));
        return false;
    }
    owner_ = std::this_thread::get_id();
    return true;
}

/// Until the turn is this waiter's, which then is in the queue no more.
bool WriterTurn::wait(Waiter& waiter, std::unique_lock<std::mutex>& lock, const Limit& limit) {
    if (queue_.front() == &waiter) {
        // Nobody is before it, so it may not have to sleep at all.
        waiter.here = true;
        lock.unlock();
        const bool granted = spin(waiter);
        lock.lock();
        if (granted || waiter.granted.load(std::memory_order_relaxed)) return true;
        waiter.here = false;
    }
    for (;;) {
        if (!sleep(waiter, lock, limit)) return false;
        if (waiter.granted.load(std::memory_order_relaxed)) return true;
        if (!taken_) {
            NORTHSTAR_ASSERT(queue_.front() == &waiter);  // nobody else is called
            queue_.pop_front();
            take();
            return true;
        }
        // Others were quicker, as they may be once.
        waiter.called = false;
        waiter.here = true;
        lock.unlock();
        const bool granted = spin(waiter);
        lock.lock();
        if (granted) return true;
    }
}

/// Until the waiter has the turn or is called; false: it waits no longer.
bool WriterTurn::sleep(Waiter& waiter, std::unique_lock<std::mutex>& lock, const Limit& limit) {
    const auto woken = [&] { return waiter.granted.load(std::memory_order_relaxed) || waiter.called; };
    if (!limit.gives_up && !limit.deadline) {
        waiter.ready.wait(lock, woken);
        return true;
    }
    for (;;) {
        auto until = limit.gives_up ? Clock::now() + std::chrono::milliseconds(WaitLimit::k_pause_ms)
                                    : *limit.deadline;
        if (limit.deadline) until = std::min(until, *limit.deadline);
        if (waiter.ready.wait_until(lock, until, woken)) return true;
        if (limit.deadline && until == *limit.deadline) return false;
        lock.unlock();
        const bool over = limit.gives_up();
        lock.lock();
        if (woken()) return true;
        if (over) return false;
    }
}

bool WriterTurn::spin(const Waiter& waiter) {
    return spin_until([&] { return waiter.granted.load(std::memory_order_acquire); }, turn_impl::k_spin);
}

void WriterTurn::take() {
    taken_ = true;
    owner_ = std::this_thread::get_id();
    if (!queue_.empty()) held_since_ = Clock::now();
}

void WriterTurn::grant(Waiter& waiter) {
    queue_.pop_front();
    if (!queue_.empty()) held_since_ = Clock::now();
    waiter.granted.store(true, std::memory_order_release);
    waiter.ready.notify_one();
}

void WriterTurn::call_first() {
    if (queue_.empty() || queue_.front()->called) return;
    queue_.front()->called = true;
    queue_.front()->ready.notify_one();
}

bool WriterTurn::try_acquire() {
    const std::lock_guard lock(mutex_);
    if (taken_) return false;
    take();
    return true;
}

void WriterTurn::release() {
    const std::lock_guard lock(mutex_);
    NORTHSTAR_ASSERT(taken_);
    owner_ = {};
    if (!queue_.empty() && (queue_.front()->here || Clock::now() - held_since_ >= short_turn_)) {
        grant(*queue_.front());  // directly, so nobody who asks now can overtake [TURN-2] [TURN-3]
        return;
    }
    taken_ = false;
    call_first();
}

bool WriterTurn::wanted() const {
    const std::lock_guard lock(mutex_);
    return !queue_.empty();
}

bool WriterTurn::held_by_this_thread() const {
    const std::lock_guard lock(mutex_);
    return taken_ && owner_ == std::this_thread::get_id();
}

}  // namespace northstar::inline v0::detail
