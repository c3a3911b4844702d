#include "sql/plan/same_path.hpp"

#include "sql/plan/index_terms.hpp"

namespace northstar::inline v0::sql {

namespace same_path_parts {

/// Values of the path's first columns in the order of another index that begins with the same ones; false: it does not.
bool copy_values(const Plan& scan, std::size_t index, AccessPath& found) {
    const AccessPath& path = scan.access;
    const auto present = static_cast<std::size_t>(path.index);
    if (!path.members.empty()) {
        // Members are visited in the order in which their columns stand.
        for (std::size_t i = 0; i < path.next_part(); ++i)
            if (term_of(scan, index, i) != term_of(scan, present, i)) return false;
        found.equal = path.equal;
        found.members = path.members;
        return true;
    }
    const std::size_t parts = path.equal.size();
    std::vector<bool> taken(parts);
    for (std::size_t i = 0; i < parts; ++i) {
        std::size_t same = 0;
        while (same < parts && (taken[same] || term_of(scan, present, same) != term_of(scan, index, i))) ++same;
        if (same == parts) return false;
        taken[same] = true;
        found.equal.push_back(path.equal[same]);
    }
    return true;
}

}  // namespace same_path_parts

std::optional<AccessPath> same_path(const Plan& scan, std::size_t index) {
    const AccessPath& path = scan.access;
    if (path.index < 0 || static_cast<std::size_t>(path.index) == index || path.skipped > 0 || path.once_in > 0)
        return std::nullopt;
    const auto present = static_cast<std::size_t>(path.index);
    const std::size_t parts = path.next_part();
    const Relation& relation = *scan.relation;
    // A partial index may owe what it is narrowed by to its predicate.
    if (relation.indexes[present].partial() || !has_all_rows(scan, index) ||
        relation.indexes[index].columns.size() < parts + (path.has_range() ? 1 : 0))
        return std::nullopt;
    AccessPath found;
    found.index = static_cast<int>(index);
    if (!same_path_parts::copy_values(scan, index, found)) return std::nullopt;
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
