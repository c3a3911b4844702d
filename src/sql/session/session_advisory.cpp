// pg_advisory_lock and its kin, and how long they wait.
#include "sql/session/sql_session.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace northstar::inline v0::sql {

bool SqlSession::take_lock(const AdvisoryLock& lock, bool wait) {
    using std::chrono::milliseconds, std::chrono::steady_clock;
    constexpr milliseconds k_longest_pause{16};
    const auto begin = steady_clock::now();
    for (milliseconds pause{1}; !advisory_.try_take(lock); pause = std::min(pause * 2, k_longest_pause)) {
        if (!wait) return false;
        check_cancelled();
        if (lock_timeout_ms_ != 0 && steady_clock::now() - begin >= milliseconds(lock_timeout_ms_))
            raise(sqlstate::lock_not_available, "canceling statement due to lock timeout");
        std::this_thread::sleep_for(pause);
    }
    return true;
}

}  // namespace northstar::inline v0::sql
