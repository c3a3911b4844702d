#include "sql/execute/index_range.hpp"

#include "sql/array.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

KeyFit fit_key(Value& value, Oid type) {
    if (value.type() == type || !is_plain_integer(type)) return KeyFit::fits;
    const std::int64_t limit = type == type::int2 ? INT16_MAX : type == type::int4 ? INT32_MAX : INT64_MAX;
    if (value.integer() > limit) return KeyFit::above;
    if (value.integer() < -limit - 1) return KeyFit::below;
    value = value.as(type);
    return KeyFit::fits;
}

IndexRange::IndexRange(const Plan& scan, Execution& execution)
    : path_(scan.access),
      relation_(*scan.relation),
      index_(scan.relation->indexes[static_cast<std::size_t>(scan.access.index)]),
      execution_(execution) {
    for (BoundExpr* expr : path_.equal) equal_.push_back(known(expr));
    if (path_.members != nullptr)
        for (std::size_t i = 1; i < path_.members->args.size(); ++i) members_.push_back(known(path_.members->args[i]));
    if (path_.low != nullptr) low_ = known(path_.low);
    if (path_.high != nullptr) high_ = known(path_.high);
}

IndexRange::Known IndexRange::known(BoundExpr* expr) {
    Known made;
    made.expr = expr;
    if (expr->kind != BoundKind::constant && expr->kind != BoundKind::parameter)
        made.evaluator = std::make_unique<Evaluator>(*expr, std::vector<ColumnId>(), execution_);
    return made;
}

Value IndexRange::value(const Known& known) {
    if (known.evaluator != nullptr) return known.evaluator->evaluate(arena_);
    return known.expr->kind == BoundKind::constant ? known.expr->value : execution_.parameter(known.expr->number);
}

Oid IndexRange::type_of(std::size_t column) const {
    return relation_.columns[static_cast<std::size_t>(index_.columns[column].column)].type;
}

void IndexRange::add_member(Value key) {
    const std::size_t at = equal_.size();
    if (key.is_null() || fit_key(key, type_of(at)) != KeyFit::fits) return;
    encode_key(key, index_.columns[at].order, starts_.emplace_back(prefix_));
}

bool IndexRange::compute_members() {
    next_ = 0;
    if (path_.members->kind == BoundKind::in_list) {
        for (const Known& member : members_) add_member(value(member));
    } else if (const Value array = value(members_.front()); !array.is_null()) {
        const ArrayView view(array);
        for (std::size_t i = 0; i < view.size(); ++i) add_member(view.element(i, arena_));
    }
    std::sort(starts_.begin(), starts_.end());
    starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
    if (path_.backward) std::reverse(starts_.begin(), starts_.end());
    return advance();
}

bool IndexRange::advance() {
    if (next_ >= starts_.size()) return false;
    from_ = starts_[next_++];
    to_ = key_successor(from_);
    return true;
}

bool IndexRange::compute() {
    starts_.clear();
    arena_.reset();
    prefix_.clear();
    for (std::size_t i = 0; i < equal_.size(); ++i) {
        Value key = value(equal_[i]);
        if (key.is_null() || fit_key(key, type_of(i)) != KeyFit::fits) return false;
        encode_key(key, index_.columns[i].order, prefix_);
    }
    if (path_.members != nullptr) return compute_members();
    from_ = prefix_;
    to_ = key_successor(prefix_);
    if (low_.expr == nullptr && high_.expr == nullptr) return true;
    // NULL is in no range.
    from_.push_back(k_value_tag);
    to_ = key_successor(from_);
    const std::size_t at = equal_.size();
    const KeyOrder order = index_.columns[at].order;
    std::string low, high;  // empty: no such end
    if (low_.expr != nullptr) {
        Value key = value(low_);
        if (key.is_null()) return false;
        const KeyFit fit = fit_key(key, type_of(at));
        if (fit == KeyFit::above) return false;
        if (fit == KeyFit::fits) {
            low = prefix_;
            encode_key(key, order, low);
        }
    }
    if (high_.expr != nullptr) {
        Value key = value(high_);
        if (key.is_null()) return false;
        const KeyFit fit = fit_key(key, type_of(at));
        if (fit == KeyFit::below) return false;
        if (fit == KeyFit::fits) {
            high = prefix_;
            encode_key(key, order, high);
        }
    }
    bool low_inclusive = path_.low_inclusive;
    bool high_inclusive = path_.high_inclusive;
    if (order.descending) {
        std::swap(low, high);
        std::swap(low_inclusive, high_inclusive);
    }
    if (!low.empty()) from_ = low_inclusive ? std::move(low) : key_successor(low);
    if (!high.empty()) to_ = high_inclusive ? key_successor(high) : std::move(high);
    return true;
}

}  // namespace northstar::inline v0::sql
