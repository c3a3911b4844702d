#include "sql/execute/source_flow.hpp"

#include "sql/plan/read_point.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace source_flow {

bool reads_present(const Plan& scan) {
    return !scan.versions.present && scan.point != nullptr && !scan.point->past;
}

/// Does the source read what other tables than this one hold, and nothing that is computed once for several places?
bool reads_others(Plan& plan, const Relation& written) {
    if (any_subquery(plan)) return false;
    switch (plan.kind) {
        case PlanKind::scan:
            if (plan.versions.present || plan.relation->oid == written.oid || plan.relation->tree() == written.tree())
                return false;
            break;
        case PlanKind::single:
        case PlanKind::values:
        case PlanKind::function_scan:
        case PlanKind::filter:
        case PlanKind::project:
        case PlanKind::project_set:
        case PlanKind::join:
        case PlanKind::aggregate:
        case PlanKind::window:
        case PlanKind::sort:
        case PlanKind::limit:
        case PlanKind::distinct:
        case PlanKind::set_operation: break;
        case PlanKind::virtual_scan:
        case PlanKind::lock_rows:
        case PlanKind::cte_scan:
        case PlanKind::recursive_union:
        case PlanKind::working_scan: return false;
    }
    return (plan.left == nullptr || reads_others(*plan.left, written)) &&
           (plan.right == nullptr || reads_others(*plan.right, written));
}

/// Columns that an UPDATE stores other values in.
bool stores(const BoundChange& change, int column) {
    const auto place = static_cast<std::size_t>(column);
    return (place < change.generated.size() && change.generated[place] != nullptr) ||
           std::any_of(change.assignments.begin(), change.assignments.end(),
                       [&](const ColumnAssignment& assignment) { return assignment.column == column; });
}

/// Do entries of the index stay where they are? Those with expressions or a predicate are not looked into.
bool keeps_entries(const BoundChange& change, const Index& index) {
    const auto moves = [&](int column) { return column < 0 || stores(change, column); };
    return index.predicate.empty() &&
           std::none_of(index.columns.begin(), index.columns.end(),
                        [&](const IndexColumn& column) { return moves(column.column); }) &&
           std::none_of(index.include.begin(), index.include.end(), moves);
}

/// The scan of the changed table, below conditions and expressions alone; null: the source is something else.
const Plan* scan_of(const BoundChange& change) {
    Plan* plan = change.source;
    for (; plan->kind == PlanKind::filter || plan->kind == PlanKind::project; plan = plan->left)
        if (any_subquery(*plan)) return nullptr;
    const bool plain = plan->kind == PlanKind::scan && plan->relation->oid == change.relation->oid &&
                       reads_present(*plan) && plan->united.empty() && plan->access.once_in == 0 &&
                       !any_subquery(*plan);
    return plain ? plan : nullptr;
}

/// Do rows stay behind the scan once they are written?
bool stays_behind(const BoundChange& change) {
    const Plan* const scan = scan_of(change);
    if (scan == nullptr) return false;
    if (change.kind == ChangeKind::erase) return true;
    const Relation& relation = *change.relation;
    if (const int key = relation.row_key(); key >= 0)
        if (!keeps_entries(change, relation.indexes[static_cast<std::size_t>(key)])) return false;
    return scan->access.index < 0 ||
           keeps_entries(change, relation.indexes[static_cast<std::size_t>(scan->access.index)]);
}

}  // namespace source_flow

bool flows(const BoundChange& change) {
    using namespace source_flow;
    if (!change.heirs.empty() || change.leads_through_partitions() || change.partition_check != nullptr ||
        change.portion.present || any_subquery(change.assignments) || any_subquery(change.view_checks))
        return false;
    switch (change.kind) {
        case ChangeKind::insert: return reads_others(*change.source, *change.relation);
        case ChangeKind::update:
        case ChangeKind::erase: return stays_behind(change);
        case ChangeKind::merge: return false;
    }
    return false;
}

}  // namespace northstar::inline v0::sql
