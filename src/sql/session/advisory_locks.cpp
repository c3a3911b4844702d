#include "sql/session/advisory_locks.hpp"

#include <iterator>

namespace northstar::inline v0::sql {

namespace advisory_locks {

LockName name_of(const AdvisoryLock& lock) {
    return {lock.pair ? LockSpace::two_numbers : LockSpace::number, lock.number};
}

}  // namespace advisory_locks

AdvisoryHolder::~AdvisoryHolder() {
    end_transaction();
    release_all();
}

bool AdvisoryHolder::try_take(const AdvisoryLock& lock) {
    if (locks_ == nullptr) locks_ = NumberedLocks::of(database_);
    const LockName name = advisory_locks::name_of(lock);
    if (!locks_->try_take(database_, name, lock.shared, this)) return false;
    ++(lock.of_transaction ? transaction_ : session_)[{name, lock.shared}];
    return true;
}

bool AdvisoryHolder::release(const AdvisoryLock& lock) {
    const LockName name = advisory_locks::name_of(lock);
    const auto held = session_.find({name, lock.shared});
    if (held == session_.end()) return false;
    locks_->release(database_, name, lock.shared, this);
    if (--held->second == 0) session_.erase(held);
    return true;
}

void AdvisoryHolder::release_all() { return_to(session_, {}); }

void AdvisoryHolder::end_transaction() noexcept {
    if (!transaction_.empty()) return_to(transaction_, {});
}

void AdvisoryHolder::return_to(Held& held, const Held& before) {
    for (auto at = held.begin(); at != held.end();) {
        const auto& [name, shared] = at->first;
        const auto kept = before.find(at->first);
        const std::uint32_t left = kept == before.end() ? 0 : kept->second;
        for (; at->second > left; --at->second) locks_->release(database_, name, shared, this);
        at = at->second == 0 ? held.erase(at) : std::next(at);
    }
}

}  // namespace northstar::inline v0::sql
