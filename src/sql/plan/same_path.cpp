#include "sql/plan/same_path.hpp"

#include "sql/plan/index_terms.hpp"

namespace northstar::inline v0::sql {

std::optional<AccessPath> same_path(const Plan& scan, std::size_t index) {
    const AccessPath& path = scan.access;
    if (path.index < 0 || static_cast<std::size_t>(path.index) == index || !path.members.empty() || path.skipped > 0 ||
        path.once_in > 0)
        return std::nullopt;
    const auto present = static_cast<std::size_t>(path.index);
    const std::size_t parts = path.equal.size();
    const Relation& relation = *scan.relation;
    // A partial index may owe what it is narrowed by to its predicate.
    if (relation.indexes[present].partial() || !has_all_rows(scan, index) ||
        relation.indexes[index].columns.size() < parts + (path.has_range() ? 1 : 0))
        return std::nullopt;
    AccessPath found;
    found.index = static_cast<int>(index);
    std::vector<bool> taken(parts);
    for (std::size_t i = 0; i < parts; ++i) {
        std::size_t same = 0;
        while (same < parts && (taken[same] || term_of(scan, present, same) != term_of(scan, index, i))) ++same;
        if (same == parts) return std::nullopt;
        taken[same] = true;
        found.equal.push_back(path.equal[same]);
    }
    if (path.has_range() && term_of(scan, index, parts) != term_of(scan, present, parts)) return std::nullopt;
    found.low = path.low;
    found.high = path.high;
    found.low_inclusive = path.low_inclusive;
    found.high_inclusive = path.high_inclusive;
    found.not_null = path.not_null;
    found.first_rows = path.first_rows;
    found.wasteful = path.wasteful;
    return found;
}

}  // namespace northstar::inline v0::sql
