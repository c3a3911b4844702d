#include "sql/session/numbered_locks.hpp"

#include "api/access.hpp"
#include "sql/session/shared_by_sessions.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

namespace numbered_locks {

/// The byte of a lock, as a number for the kernel.
std::uint64_t number_of(const LockName& name) {
    std::uint64_t mixed = name.number ^ static_cast<std::uint64_t>(name.space) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

}  // namespace numbered_locks

std::shared_ptr<NumberedLocks> NumberedLocks::of(const Database& database) {
    // By handle: what an earlier one had of the file went when it was closed.
    const auto core = detail::CoreAccess::core(database);
    return shared_by_sessions<NumberedLocks>(std::to_string(reinterpret_cast<std::uintptr_t>(core.get())));
}

NumberedLocks::Kind NumberedLocks::needed(const Lock& lock) {
    Kind kind = Kind::none;
    for (const auto& [owner, counts] : lock.owners) {
        if (counts.exclusive > 0) return Kind::exclusive;
        if (counts.shared > 0) kind = Kind::shared;
    }
    return kind;
}

bool NumberedLocks::try_take(const Database& database, const LockName& name, bool shared, Owner owner) {
    const auto core = detail::CoreAccess::core(database);
    const std::lock_guard guard(mutex_);
    Lock& lock = locks_[name];
    Counts& mine = lock.owners[owner];
    const bool in_the_way = std::any_of(lock.owners.begin(), lock.owners.end(), [&](const auto& other) {
        return other.first != owner && (!shared || other.second.exclusive > 0);
    });
    const Kind wanted = shared ? std::max(Kind::shared, lock.system) : Kind::exclusive;
    const auto kind = shared ? detail::LockKind::shared : detail::LockKind::exclusive;
    try {
        if (!in_the_way &&
            (wanted == lock.system || core->processes().try_named(numbered_locks::number_of(name), kind))) {
            lock.system = wanted;
            ++(shared ? mine.shared : mine.exclusive);
            return true;
        }
    } catch (...) {
        forget_unused(name, owner);
        throw;
    }
    forget_unused(name, owner);
    return false;
}

void NumberedLocks::release(const Database& database, const LockName& name, bool shared, Owner owner) {
    const std::lock_guard guard(mutex_);
    Lock& lock = locks_.at(name);
    Counts& mine = lock.owners.at(owner);
    --(shared ? mine.shared : mine.exclusive);
    give_back(database, name, lock);
    forget_unused(name, owner);
}

void NumberedLocks::forget_unused(const LockName& name, Owner owner) {
    const auto lock = locks_.find(name);
    const auto mine = lock->second.owners.find(owner);
    if (mine->second.shared == 0 && mine->second.exclusive == 0) lock->second.owners.erase(mine);
    if (lock->second.owners.empty()) locks_.erase(lock);
}

void NumberedLocks::give_back(const Database& database, const LockName& name, Lock& lock) {
    const Kind kind = needed(lock);
    if (kind == lock.system) return;
    try {
        detail::Processes& processes = detail::CoreAccess::core(database)->processes();
        const std::uint64_t number = numbered_locks::number_of(name);
        if (kind == Kind::none) processes.unlock_named(number);
        else processes.try_named(number, detail::LockKind::shared);
        lock.system = kind;
    } catch (const Error&) {
        // Of a database that was closed the locks went with its file. Where the system does not make one shared, other
        // processes are kept off by more than is needed until it is given back as a whole.
    }
}

}  // namespace northstar::inline v0::sql
