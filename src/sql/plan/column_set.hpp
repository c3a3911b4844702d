// column_set.hpp -- a few columns, by number.  Layer: sql.  Threads: one.
//
// The planner asks again and again which columns an expression uses: mostly a handful, which lie in the set itself, in
// ascending order. Many are put in at once, or in that order: each of the others moves those above it.
#pragma once

#include "sql/plan/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class ColumnSet {
public:
    ColumnSet() = default;
    template <class Input>
    ColumnSet(Input first, Input last) {
        insert(first, last);
    }
    ColumnSet(std::initializer_list<ColumnId> columns) : ColumnSet(columns.begin(), columns.end()) {}

    const ColumnId* begin() const { return many_.empty() ? few_ : many_.data(); }
    const ColumnId* end() const { return begin() + size(); }
    std::size_t size() const { return many_.empty() ? count_ : many_.size(); }
    bool empty() const { return size() == 0; }
    std::size_t count(ColumnId column) const { return std::binary_search(begin(), end(), column) ? 1 : 0; }

    /// Whether the column was not there.
    bool insert(ColumnId column) {
        const ColumnId* const place = std::lower_bound(begin(), end(), column);
        if (place != end() && *place == column) return false;
        const std::ptrdiff_t at = place - begin();
        if (many_.empty() && count_ < k_few) {
            std::move_backward(few_ + at, few_ + count_, few_ + count_ + 1);
            few_[at] = column;
            ++count_;
            return true;
        }
        if (many_.empty()) many_.assign(few_, few_ + count_);
        many_.insert(many_.begin() + at, column);
        return true;
    }
    template <class Input>
    void insert(Input first, Input last) {
        if (static_cast<std::size_t>(std::distance(first, last)) <= k_few) {
            for (; first != last; ++first) insert(*first);
            return;
        }
        if (many_.empty()) many_.assign(few_, few_ + count_);
        many_.insert(many_.end(), first, last);
        std::sort(many_.begin(), many_.end());
        many_.erase(std::unique(many_.begin(), many_.end()), many_.end());
    }
    void erase(ColumnId column) {
        const ColumnId* const place = std::lower_bound(begin(), end(), column);
        if (place == end() || *place != column) return;
        const std::ptrdiff_t at = place - begin();
        if (many_.empty()) {
            std::move(few_ + at + 1, few_ + count_, few_ + at);
            --count_;
            return;
        }
        many_.erase(many_.begin() + at);
        if (many_.empty()) count_ = 0;
    }

private:
    static constexpr std::size_t k_few = 8;
    ColumnId few_[k_few] = {};
    std::size_t count_ = 0;
    std::vector<ColumnId> many_;  // then `few_` has no meaning
};

}  // namespace northstar::inline v0::sql
