#include "sql/execute/point_query.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

std::optional<PointQuery> PointQuery::recognize(const Plan& plan, const std::vector<ColumnId>& wanted) {
    const Plan* scan = &plan;
    const Plan* project = nullptr;
    if (plan.kind == PlanKind::project) {
        project = &plan;
        scan = plan.left;
    }
    if (scan->kind != PlanKind::scan || scan->point == nullptr || scan->versions.present || scan->sample >= 0 ||
        scan->access.index < 0)
        return std::nullopt;
    const Index& index = scan->relation->indexes[static_cast<std::size_t>(scan->access.index)];
    if (!index.holds_rows() || scan->access.equal.size() != index.columns.size() ||
        !scan->conditions.empty())
        return std::nullopt;
    PointQuery made;
    made.relation_ = scan->relation;
    made.source_ = scan->point;
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        const BoundExpr& value = *scan->access.equal[i];
        Part part;
        part.order = index.columns[i].order;
        part.type = made.relation_->columns[static_cast<std::size_t>(index.columns[i].column)].type;
        if (!has_bytes_of(part.type, value.type)) return std::nullopt;
        if (value.kind == BoundKind::parameter) part.parameter = value.number;
        else if (value.kind == BoundKind::constant) part.constant = value.value;
        else return std::nullopt;
        made.parts_.push_back(part);
    }
    for (ColumnId id : wanted) {
        if (project != nullptr) {
            const auto column = std::find_if(project->columns.begin(), project->columns.end(),
                                             [&](const PlanColumn& item) { return item.id == id; });
            if (column != project->columns.end()) {
                if (column->expr->kind != BoundKind::column) return std::nullopt;
                id = column->expr->column;
            }
        }
        const auto stored = std::find_if(scan->scan_columns.begin(), scan->scan_columns.end(),
                                         [&](const ScanColumn& item) { return item.id == id; });
        if (stored == scan->scan_columns.end() || stored->place < 0) return std::nullopt;
        made.places_.push_back(static_cast<std::size_t>(stored->place));
    }
    return made;
}

bool PointQuery::key(const std::vector<Value>& parameters, std::string& out) const {
    for (const Part& part : parts_) {
        const auto at = static_cast<std::size_t>(part.parameter);
        Value value = part.parameter == 0 ? part.constant : parameters[at - 1];
        if (value.is_null() || fit_key(value, part.type) != KeyFit::fits) return false;
        encode_key(value, part.order, out);
    }
    return true;
}

void PointQuery::columns(std::string_view row, Value* out, Arena& arena) const {
    for (std::size_t i = 0; i < places_.size(); ++i) out[i] = relation_->layout->column_of(row, places_[i], arena);
}

}  // namespace northstar::inline v0::sql
