#include "txn/open_trees.hpp"

#include <utility>

namespace northstar::inline v0::detail {

int OpenTrees::find_again(std::string_view name) const {
    int found = -1;
    if (is_short()) {
        for (found = static_cast<int>(list_.size()) - 1; found >= 0 && (*this)[found].name != name;) --found;
    } else {
        bring_up_to_date();
        const auto known = by_name_.find(name);
        if (known != by_name_.end()) found = known->second;
    }
    latest_ = found;
    if (found >= 0) latest_name_ = (*this)[found].name;
    return found;
}

int OpenTrees::find(std::uint64_t id) const {
    if (is_short()) {
        for (std::size_t i = list_.size(); i-- > 0;) {
            if (list_[i].id == id) return static_cast<int>(i);
        }
        return -1;
    }
    bring_up_to_date();
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? -1 : found->second;
}

int OpenTrees::add(OpenTree tree) {
    list_.push_back(std::move(tree));
    latest_ = -1;
    return static_cast<int>(list_.size()) - 1;
}

void OpenTrees::clear() noexcept {
    if (indexed_ != 0) {
        by_name_.clear();
        by_id_.clear();
        indexed_ = 0;
    }
    list_.clear();
    latest_ = -1;
}

void OpenTrees::bring_up_to_date() const {
    for (; indexed_ < list_.size(); ++indexed_) {
        const int index = static_cast<int>(indexed_);
        by_name_.insert_or_assign(list_[indexed_].name, index);
        by_id_.insert_or_assign(list_[indexed_].id, index);
    }
}

}  // namespace northstar::inline v0::detail
