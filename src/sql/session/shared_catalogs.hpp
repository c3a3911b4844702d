// shared_catalogs.hpp -- the newest catalogs of a database, shared by the sessions of this process.  Layer: sql.
// Threads: any.
//
// A catalog is right for every state that has its version [CAT-1], whoever read it.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class SharedCatalogs {
public:
    /// Null: nobody kept it, or others were kept since.
    std::shared_ptr<const Catalog> find(const std::string& version);
    /// The one that was kept or found last; null: there is none.
    std::shared_ptr<const Catalog> newest();
    void keep(const std::string& version, std::shared_ptr<const Catalog> catalog);

private:
    static constexpr std::size_t k_most = 4;
    std::mutex mutex_;
    std::vector<std::pair<std::string, std::shared_ptr<const Catalog>>> kept_;  // the last used first
};

}  // namespace northstar::inline v0::sql
