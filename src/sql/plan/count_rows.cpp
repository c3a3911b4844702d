#include "sql/plan/count_rows.hpp"

#include <algorithm>
#include <string_view>

namespace northstar::inline v0::sql {

namespace count_rows_file {

bool never_null(const BoundExpr& expr, const Plan& input) {
    if (expr.kind == BoundKind::constant) return !expr.value.is_null();
    if (expr.kind != BoundKind::column || input.kind != PlanKind::scan) return false;
    return std::any_of(input.scan_columns.begin(), input.scan_columns.end(), [&](const ScanColumn& column) {
        return column.id == expr.column && column.place >= 0 &&
               input.relation->columns[static_cast<std::size_t>(column.place)].not_null;
    });
}

}  // namespace count_rows_file

void count_rows(Plan& aggregate) {
    for (PlanColumn& column : aggregate.columns) {
        BoundExpr& call = *column.expr;
        if (call.kind == BoundKind::aggregate && std::string_view(call.function->name) == "count" &&
            call.args.size() == 1 && !call.clauses->distinct &&
            count_rows_file::never_null(*call.args[0], *aggregate.left))
            call.args.clear();
    }
}

}  // namespace northstar::inline v0::sql
