#include "sql/plan/index_order.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace index_order {

struct Key {
    int place = 0;  ///< of the column in the table
    bool descending = false;
    bool nulls_first = false;
};

/// Whether the index gives the order, from the column `from` on; the answer says in which direction it is to be read.
std::optional<bool> backward(const Relation& relation, const Index& index, std::size_t from,
                             const std::vector<Key>& keys) {
    std::optional<bool> direction;
    std::size_t at = from;
    for (const Key& key : keys) {
        bool fixed = false;  // equal in all rows that are read
        for (std::size_t i = 0; i < from; ++i) fixed = fixed || index.columns[i].column == key.place;
        if (fixed) continue;
        if (at == index.columns.size() || index.columns[at].column != key.place) return std::nullopt;
        const KeyOrder& order = index.columns[at].order;
        const bool turned = order.descending != key.descending;
        const bool nullable = !relation.columns[static_cast<std::size_t>(key.place)].not_null;
        if (nullable && (order.nulls_first != key.nulls_first) != turned) return std::nullopt;
        if (direction && *direction != turned) return std::nullopt;
        direction = turned;
        ++at;
    }
    return direction.value_or(false);
}

}  // namespace index_order

Plan* ordered_input(Plan& sort, bool few) {
    std::vector<ColumnId> ids;
    for (const SortKey& key : sort.keys) {
        if (key.expr->kind != BoundKind::column) return nullptr;
        ids.push_back(key.expr->column);
    }
    Plan* scan = sort.left;
    while (scan->kind == PlanKind::project || scan->kind == PlanKind::filter) {
        if (scan->kind == PlanKind::project)
            for (ColumnId& id : ids)
                for (const PlanColumn& column : scan->columns)
                    if (column.id == id) {
                        if (column.expr->kind != BoundKind::column) return nullptr;
                        id = column.expr->column;
                        break;
                    }
        scan = scan->left;
    }
    if (scan->kind != PlanKind::scan || scan->versions.present || scan->sample >= 0) return nullptr;
    std::vector<index_order::Key> keys;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto column = std::find_if(scan->scan_columns.begin(), scan->scan_columns.end(),
                                         [&](const ScanColumn& item) { return item.id == ids[i]; });
        if (column == scan->scan_columns.end() || column->place < 0) return nullptr;
        keys.push_back({column->place, sort.keys[i].descending, sort.keys[i].nulls_first});
    }
    const Relation& relation = *scan->relation;
    for (std::size_t i = 0; i < relation.indexes.size(); ++i) {
        const Index& index = relation.indexes[i];
        const bool used = scan->access.index == static_cast<int>(i);
        if (used && scan->access.wasteful && !few) continue;
        // A scan that an index narrows keeps it; one that reads all rows may read them along another for a few of them.
        if (index.partial() || (scan->access.index >= 0 && !used)) continue;
        if (!used && !few && !index.holds_rows()) continue;
        const auto direction = index_order::backward(relation, index, used ? scan->access.equal.size() : 0, keys);
        if (!direction) continue;
        scan->access.index = static_cast<int>(i);
        scan->access.wasteful = false;
        scan->access.backward = *direction;
        return sort.left;
    }
    return nullptr;
}

}  // namespace northstar::inline v0::sql
