#include "sql/execute/index_range.hpp"

#include "sql/array.hpp"
#include "sql/plan/index_terms.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

IndexRange::IndexRange(const Plan& scan, const AccessPath& path, Execution& execution)
    : scan_(scan), path_(path), execution_(execution), values_{std::vector<Value>(path_.equal.size()), {}, {}} {
    for (BoundExpr* expr : path_.equal) equal_.push_back(known(expr));
    if (path_.members != nullptr)
        for (std::size_t i = 1; i < path_.members->args.size(); ++i) members_.push_back(known(path_.members->args[i]));
    if (path_.low != nullptr) low_ = known(path_.low);
    if (path_.high != nullptr) high_ = known(path_.high);
    if (!skips()) return;
    const auto number = static_cast<std::size_t>(path_.index);
    for (std::size_t i = 0; i < path_.skipped_behind + path_.skipped; ++i)
        group_columns_.emplace_back(type_of_term(scan, number, i), scan.relation->indexes[number].columns[i].order,
                                    execution.session().types);
}

IndexRange::Known IndexRange::known(BoundExpr* expr) {
    Known made;
    made.expr = expr;
    if (expr != nullptr && expr->kind != BoundKind::constant && expr->kind != BoundKind::parameter)
        made.evaluator = std::make_unique<Evaluator>(*expr, std::vector<ColumnId>(), execution_);
    return made;
}

Value IndexRange::value(const Known& known) {
    if (known.evaluator != nullptr) return known.evaluator->evaluate(arena_);
    return known.expr->kind == BoundKind::constant ? known.expr->value : execution_.parameter(known.expr->number);
}

void IndexRange::add_member(Value key) {
    const auto index = static_cast<std::size_t>(path_.index);
    const std::size_t at = path_.next_part();
    if (key.is_null() || fit_key(key, type_of_term(scan_, index, at)) != KeyFit::fits) return;
    encode_key(key, scan_.relation->indexes[index].columns[at].order, starts_.emplace_back(keys_.prefix));
}

void IndexRange::compute_members() {
    if (path_.members->kind == BoundKind::in_list) {
        for (const Known& member : members_) add_member(value(member));
    } else if (const Value array = value(members_.front()); !array.is_null()) {
        const ArrayView view(array);
        for (std::size_t i = 0; i < view.size(); ++i) add_member(view.element(i, arena_));
    }
    std::sort(starts_.begin(), starts_.end());
    starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
    if (path_.backward) std::reverse(starts_.begin(), starts_.end());
}

bool IndexRange::enter_member() {
    if (next_ >= starts_.size()) return false;
    keys_.from = group_ + starts_[next_++];
    keys_.to = key_successor(keys_.from);
    return true;
}

/// To an entry of the group that comes next; false: there is none.
bool IndexRange::find_group(Cursor& cursor) const {
    const std::string& lead = behind_.lead;
    if (path_.backward) {
        const bool found = !edge_.empty() && cursor.lower_bound(edge_) ? cursor.prev() : cursor.last();
        return found && cursor.key() >= lead;
    }
    return (edge_.empty() ? cursor.first() : cursor.lower_bound(edge_)) && cursor.key().starts_with(lead);
}

bool IndexRange::enter_group(Cursor& cursor) {
    execution_.check_cancelled();
    if (!find_group(cursor)) return false;
    std::string_view rest = cursor.key();
    for (const KeyColumn& column : group_columns_) skip_key(column, rest, execution_.session().types);
    group_ = cursor.key().substr(0, cursor.key().size() - rest.size());
    const std::string behind_group = key_successor(group_);
    edge_ = path_.backward ? group_ : behind_group;
    next_ = 0;
    if (path_.members != nullptr) return enter_member();
    keys_.from = group_ + behind_.from;
    keys_.to = behind_.to.empty() ? behind_group : group_ + behind_.to;
    return true;
}

bool IndexRange::compute() {
    starts_.clear();
    next_ = 0;
    group_.clear();
    arena_.reset();
    for (std::size_t i = 0; i < equal_.size(); ++i)
        if (equal_[i].expr != nullptr) values_.equal[i] = value(equal_[i]);
    if (low_.expr != nullptr) values_.low = value(low_);
    if (high_.expr != nullptr) values_.high = value(high_);
    if (!make_key_range(scan_, path_, values_, &execution_.session(), keys_)) return false;
    if (path_.members != nullptr) compute_members();
    if (!skips()) return path_.members == nullptr || enter_member();
    std::swap(behind_, keys_);
    keys_.from = behind_.lead;
    keys_.to = key_successor(behind_.lead);
    edge_ = path_.backward ? keys_.to : keys_.from;
    return true;
}

}  // namespace northstar::inline v0::sql
