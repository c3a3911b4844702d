// shared_by_sessions.hpp -- one object for all sessions of this process on one database.  Layer: sql.
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace northstar::inline v0::sql {

/// That of a database, which `database` names among all; it lives as long as anybody holds it. O(log databases).
template <class Shared>
std::shared_ptr<Shared> shared_by_sessions(const std::string& database) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<Shared>> all;
    const std::lock_guard lock(mutex);
    std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<Shared> found = all[database].lock();
    if (found == nullptr) all[database] = found = std::make_shared<Shared>();
    return found;
}

}  // namespace northstar::inline v0::sql
