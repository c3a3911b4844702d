#include "sql/session/shared_catalogs.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

std::shared_ptr<const Catalog> SharedCatalogs::find(const std::string& version) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(),
                                    [&version](const auto& kept) { return kept.first == version; });
    if (found == kept_.end()) return nullptr;
    std::rotate(kept_.begin(), found, found + 1);
    return kept_.front().second;
}

std::shared_ptr<const Catalog> SharedCatalogs::newest() {
    const std::lock_guard lock(mutex_);
    return kept_.empty() ? nullptr : kept_.front().second;
}

void SharedCatalogs::keep(const std::string& version, std::shared_ptr<const Catalog> catalog) {
    std::shared_ptr<const Catalog> dropped;  // ends without the lock
    const std::lock_guard lock(mutex_);
    auto place = std::find_if(kept_.begin(), kept_.end(),
                              [&version](const auto& kept) { return kept.first == version; });
    if (place == kept_.end()) {
        if (kept_.size() < k_most) kept_.emplace_back();
        place = kept_.end() - 1;
    }
    dropped = std::move(place->second);
    *place = {version, std::move(catalog)};
    std::rotate(kept_.begin(), place, place + 1);
}

}  // namespace northstar::inline v0::sql
