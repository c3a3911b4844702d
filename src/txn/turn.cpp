#include "txn/turn.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <chrono>

namespace northstar::inline v0::detail {

bool WriterTurn::acquire(std::optional<std::uint32_t> timeout_ms) {
    std::unique_lock lock(mutex_);
    if (!taken_) {
        taken_ = true;
        owner_ = std::this_thread::get_id();
        return true;
    }
    if (owner_ == std::this_thread::get_id()) {
        fail(Errc::misuse, "this thread has a write transaction open already; commit or roll it back first");
    }
    if (timeout_ms && *timeout_ms == 0) return false;
    Waiter waiter;
    queue_.push_back(&waiter);
    const auto granted = [&] { return waiter.granted; };
    if (!timeout_ms) {
        waiter.ready.wait(lock, granted);
    } else if (!waiter.ready.wait_for(lock, std::chrono::milliseconds(*timeout_ms), granted)) {
        queue_.erase(std::find(queue_.begin(), queue_.end(), &waiter));
        return false;
    }
    owner_ = std::this_thread::get_id();
    return true;
}

bool WriterTurn::try_acquire() {
    const std::lock_guard lock(mutex_);
    if (taken_) return false;
    taken_ = true;
    owner_ = std::this_thread::get_id();
    return true;
}

void WriterTurn::release() {
    const std::lock_guard lock(mutex_);
    NORTHSTAR_ASSERT(taken_);
    owner_ = {};
    if (queue_.empty()) {
        taken_ = false;
        return;
    }
    // Handed over directly, so nobody who asks now can overtake.
    Waiter* next = queue_.front();
    queue_.pop_front();
    next->granted = true;
    next->ready.notify_one();
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
