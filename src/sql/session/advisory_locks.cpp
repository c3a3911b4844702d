#include "sql/session/advisory_locks.hpp"

#include "api/access.hpp"
#include "sql/session/shared_by_sessions.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace northstar::inline v0::sql {

namespace advisory_locks {

/// The byte of a lock, as a number for the kernel.
std::uint64_t number_of(const AdvisoryLocks::Key& key) {
    std::uint64_t mixed = key.second ^ (key.first ? 0x9e3779b97f4a7c15u : 0);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

}  // namespace advisory_locks

AdvisoryLocks::Kind AdvisoryLocks::needed(const Lock& lock) {
    Kind kind = Kind::none;
    for (const auto& [owner, counts] : lock.owners) {
        if (counts.exclusive > 0) return Kind::exclusive;
        if (counts.shared > 0) kind = Kind::shared;
    }
    return kind;
}

bool AdvisoryLocks::try_take(const Database& database, const Key& key, bool shared, Owner owner) {
    const auto core = detail::CoreAccess::core(database);
    const std::lock_guard guard(mutex_);
    Lock& lock = locks_[key];
    Counts& mine = lock.owners[owner];
    const bool in_the_way = std::any_of(lock.owners.begin(), lock.owners.end(), [&](const auto& other) {
        return other.first != owner && (!shared || other.second.exclusive > 0);
    });
    const Kind wanted = shared ? std::max(Kind::shared, lock.system) : Kind::exclusive;
    const auto kind = shared ? detail::LockKind::shared : detail::LockKind::exclusive;
    try {
        if (!in_the_way &&
            (wanted == lock.system || core->processes().try_named(advisory_locks::number_of(key), kind))) {
            lock.system = wanted;
            ++(shared ? mine.shared : mine.exclusive);
            return true;
        }
    } catch (...) {
        forget_unused(key, owner);
        throw;
    }
    forget_unused(key, owner);
    return false;
}

void AdvisoryLocks::release(const Database& database, const Key& key, bool shared, Owner owner) {
    const std::lock_guard guard(mutex_);
    Lock& lock = locks_.at(key);
    Counts& mine = lock.owners.at(owner);
    --(shared ? mine.shared : mine.exclusive);
    give_back(database, key, lock);
    forget_unused(key, owner);
}

void AdvisoryLocks::forget_unused(const Key& key, Owner owner) {
    const auto lock = locks_.find(key);
    const auto mine = lock->second.owners.find(owner);
    if (mine->second.shared == 0 && mine->second.exclusive == 0) lock->second.owners.erase(mine);
    if (lock->second.owners.empty()) locks_.erase(lock);
}

void AdvisoryLocks::give_back(const Database& database, const Key& key, Lock& lock) {
    const Kind kind = needed(lock);
    if (kind == lock.system) return;
    lock.system = kind;
    try {
        detail::Processes& processes = detail::CoreAccess::core(database)->processes();
        const std::uint64_t number = advisory_locks::number_of(key);
        if (kind == Kind::none) processes.unlock_named(number);
        else processes.try_named(number, detail::LockKind::shared);
    } catch (const Error& error) {
        // Of a database that was closed the locks went with its file.
        if (error.code() != Errc::misuse) throw;
    }
}

AdvisoryHolder::~AdvisoryHolder() {
    end_transaction();
    release_all();
}

bool AdvisoryHolder::try_take(const AdvisoryLock& lock) {
    // By handle: what an earlier one had of the file went when it was closed.
    if (locks_ == nullptr) {
        const auto core = detail::CoreAccess::core(database_);
        locks_ = shared_by_sessions<AdvisoryLocks>(std::to_string(reinterpret_cast<std::uintptr_t>(core.get())));
    }
    const AdvisoryLocks::Key key{lock.pair, lock.number};
    if (!locks_->try_take(database_, key, lock.shared, this)) return false;
    ++(lock.of_transaction ? transaction_ : session_)[{key, lock.shared}];
    return true;
}

bool AdvisoryHolder::release(const AdvisoryLock& lock) {
    const AdvisoryLocks::Key key{lock.pair, lock.number};
    const auto held = session_.find({key, lock.shared});
    if (held == session_.end()) return false;
    locks_->release(database_, key, lock.shared, this);
    if (--held->second == 0) session_.erase(held);
    return true;
}

void AdvisoryHolder::release_all() { return_to(session_, {}); }

void AdvisoryHolder::end_transaction() noexcept {
    if (!transaction_.empty()) return_to(transaction_, {});
}

void AdvisoryHolder::return_to(Held& held, const Held& before) {
    for (auto at = held.begin(); at != held.end();) {
        const auto& [key, shared] = at->first;
        const auto kept = before.find(at->first);
        const std::uint32_t left = kept == before.end() ? 0 : kept->second;
        for (; at->second > left; --at->second) locks_->release(database_, key, shared, this);
        at = at->second == 0 ? held.erase(at) : std::next(at);
    }
}

}  // namespace northstar::inline v0::sql
