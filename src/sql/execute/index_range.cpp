#include "sql/execute/index_range.hpp"

#include "sql/array.hpp"
#include "sql/plan/index_terms.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

IndexRange::IndexRange(const Plan& scan, const AccessPath& path, Execution& execution)
    : scan_(scan), path_(path), execution_(execution) {
    values_.equal.resize(path_.equal.size());
    for (BoundExpr* expr : path_.equal) equal_.push_back(known(expr));
    for (const PathMembers& list : path_.members) {
        std::vector<Known>& members = members_.emplace_back();
        const std::vector<BoundExpr*>& args = list.condition->args;
        for (std::size_t i = 1; i < args.size(); ++i) members.push_back(known(args[i]));
    }
    if (path_.low != nullptr) low_ = known(path_.low);
    if (path_.high != nullptr) high_ = known(path_.high);
    for (BoundExpr* expr : path_.low_rest) low_rest_.push_back(known(expr));
    for (BoundExpr* expr : path_.high_rest) high_rest_.push_back(known(expr));
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

bool IndexRange::outlasts_run() const {
    const auto outlasts = [](const Known& known) {
        return known.evaluator == nullptr || known.evaluator->outlasts_run();
    };
    const auto all = [&](const std::vector<Known>& values) {
        return std::all_of(values.begin(), values.end(), outlasts);
    };
    return all(equal_) && std::all_of(members_.begin(), members_.end(), all) && outlasts(low_) && outlasts(high_) &&
           all(low_rest_) && all(high_rest_);
}

Value IndexRange::value(const Known& known) {
    if (known.evaluator != nullptr) return known.evaluator->evaluate(arena_);
    return known.expr->kind == BoundKind::constant ? known.expr->value : execution_.parameter(known.expr->number);
}

void IndexRange::compute_members() {
    values_.members.resize(members_.size());
    for (std::size_t list = 0; list < members_.size(); ++list) {
        std::vector<Value>& values = values_.members[list];
        values.clear();
        if (path_.members[list].condition->kind == BoundKind::in_list) {
            for (const Known& member : members_[list]) values.push_back(value(member));
        } else if (const Value array = value(members_[list].front()); !array.is_null()) {
            const ArrayView view(array);
            for (std::size_t i = 0; i < view.size(); ++i) values.push_back(view.element(i, arena_));
        }
    }
}

bool IndexRange::enter_member() {
    const std::size_t count = behind_.starts.size();
    if (next_ >= count) return false;
    const std::string start = group_ + behind_.starts[path_.backward ? count - 1 - next_ : next_];
    ++next_;
    keys_.from = start + behind_.from;
    keys_.to = behind_.to.empty() ? key_successor(start) : start + behind_.to;
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
    if (!path_.members.empty()) return enter_member();
    keys_.from = group_ + behind_.from;
    keys_.to = behind_.to.empty() ? behind_group : group_ + behind_.to;
    return true;
}

bool IndexRange::compute() {
    next_ = 0;
    group_.clear();
    arena_.reset();
    for (std::size_t i = 0; i < equal_.size(); ++i)
        if (equal_[i].expr != nullptr) values_.equal[i] = value(equal_[i]);
    if (!members_.empty()) compute_members();
    if (low_.expr != nullptr) values_.low = value(low_);
    if (high_.expr != nullptr) values_.high = value(high_);
    values_.low_rest.clear();
    for (const Known& part : low_rest_) values_.low_rest.push_back(value(part));
    values_.high_rest.clear();
    for (const Known& part : high_rest_) values_.high_rest.push_back(value(part));
    const bool plain = !skips() && members_.empty();
    if (!make_key_range(scan_, path_, values_, &execution_.session(), plain ? keys_ : behind_)) return false;
    if (plain) return true;
    if (!skips()) return enter_member();
    keys_.from = behind_.lead;
    keys_.to = key_successor(behind_.lead);
    edge_ = path_.backward ? keys_.to : keys_.from;
    return true;
}

}  // namespace northstar::inline v0::sql
