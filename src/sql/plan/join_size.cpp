#include "sql/plan/join_size.hpp"

#include "sql/plan/selectivity.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0::sql {

namespace join_size {

constexpr double k_usual_keys = 200;  // different values of a column that no unique index is on

/// The scan below a plan that reads a column, and the column's place in its table.
struct Origin {
    const Plan* scan = nullptr;
    int place = -1;
};

Origin origin_of(const Plan& plan, ColumnId id) {
    if (plan.kind == PlanKind::scan) {
        for (const ScanColumn& column : plan.scan_columns)
            if (column.id == id) return {&plan, column.place};
        return {};
    }
    if (plan.kind != PlanKind::join && plan.kind != PlanKind::filter) return {};
    const Origin left = origin_of(*plan.left, id);
    return left.scan != nullptr || plan.right == nullptr ? left : origin_of(*plan.right, id);
}

using Keys = std::map<const Plan*, std::vector<int>>;  // columns that are compared, by scan

/// Different values of the columns together, as far as ANALYZE knows them.
double usual_keys(const Plan& scan, const std::vector<int>& places, double rows) {
    double keys = 1;
    for (const int place : places) {
        const ColumnStatistics* const column = statistics_of(scan, place);
        if (column == nullptr) return k_usual_keys;
        keys *= std::max(1.0, column->distinct_of(rows));
    }
    return keys;
}

struct Different {
    double keys = k_usual_keys;
    bool all = false;  ///< each key of the other side is taken to be among them
};

/// Different keys of one side: those of the scan that is known to have most.
Different different_keys(const Keys& keys, const WholeRows& whole) {
    Different most;
    for (const auto& [scan, places] : keys) {
        const auto known = whole.find(scan);
        const double table_rows = known == whole.end() ? scan->rows : known->second;
        double found = std::min(table_rows, usual_keys(*scan, places, table_rows));
        for (const Index& index : scan->relation->indexes) {
            if (!index.unique || !index.predicate.empty()) continue;
            const auto compared = [&places = places](const IndexColumn& column) {
                return std::find(places.begin(), places.end(), column.column) != places.end();
            };
            if (!std::all_of(index.columns.begin(), index.columns.end(), compared)) continue;
            found = table_rows;
            most.all = keys.size() == 1;
        }
        most.keys = keys.size() == 1 ? found : std::max(most.keys, found);
    }
    return most;
}

}  // namespace join_size

double joined_rows(const Plan& left, const Plan& right, const std::vector<BoundExpr*>& conditions,
                   const WholeRows& whole) {
    using namespace join_size;
    Keys left_keys, right_keys;
    for (const BoundExpr* condition : conditions) {
        if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
            condition->args.size() != 2)
            continue;
        for (const BoundExpr* side : condition->args) {
            const BoundExpr* const column = column_of(*side);
            if (column == nullptr) continue;
            if (const Origin from = origin_of(left, column->column); from.scan != nullptr)
                left_keys[from.scan].push_back(from.place);
            else if (const Origin origin = origin_of(right, column->column); origin.scan != nullptr)
                right_keys[origin.scan].push_back(origin.place);
        }
    }
    // A key that is unique on one side is what the other side refers to: it has no other keys.
    const Different a = different_keys(left_keys, whole), b = different_keys(right_keys, whole);
    const double keys = a.all && !b.all ? a.keys : b.all && !a.all ? b.keys : std::max(a.keys, b.keys);
    return std::max(1.0, left.rows * right.rows / std::max(1.0, keys));
}

}  // namespace northstar::inline v0::sql
