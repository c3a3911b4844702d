#include "sql/plan/index_groups.hpp"

#include "sql/key_encoding.hpp"
#include "sql/plan/index_terms.hpp"
#include "sql/plan/read_point.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

namespace index_groups {

/// Shows each group whose entries begin with `lead`, by its tree and the bytes of its columns, until told to stop.
template <class Visit>
void each_group(const Plan& scan, std::size_t number, std::size_t columns, std::string_view lead, Visit&& visit) {
    const Relation& relation = *scan.relation;
    const Index& index = relation.indexes[number];
    const std::string name = index.holds_rows() ? relation.tree() : relation.index_tree(index);
    scan.point->show(name, relation.temporary, [&](const Tree& tree) {
        Cursor cursor = tree.cursor();
        for (bool there = cursor.lower_bound(lead); there && cursor.key().starts_with(lead);) {
            std::string_view rest = cursor.key();
            for (std::size_t i = 0; i < columns; ++i)
                skip_key(type_of_term(scan, number, i), index.columns[i].order, rest, scan.point->catalog.get());
            const std::string group(cursor.key().substr(0, cursor.key().size() - rest.size()));
            const std::string next = key_successor(group);
            there = cursor.lower_bound(next);
            if (!visit(tree, std::string_view(group), next, there)) break;
        }
    });
}

}  // namespace index_groups

double entries_of_a_group(const Plan& scan, std::size_t index, std::size_t columns) {
    constexpr int k_tried = 16;
    double entries = 0;
    int tried = 0;
    index_groups::each_group(scan, index, columns, {},
                             [&](const Tree& tree, std::string_view, const std::string& next, bool more) {
                                 if (++tried < k_tried && more) return true;
                                 const auto seen = more ? tree.estimate("", next).count : tree.size();
                                 entries = static_cast<double>(seen) / tried;
                                 return false;
                             });
    return entries;
}

std::optional<GroupCounts> count_groups(const Plan& scan, const AccessPath& path, const KeyRange& keys,
                                        std::size_t most) {
    GroupCounts found;
    bool all = false;
    const auto index = static_cast<std::size_t>(path.index);
    index_groups::each_group(scan, index, path.skipped_behind + path.skipped, keys.lead,
                             [&](const Tree& tree, std::string_view group, const std::string& next, bool more) {
                                 const std::string from = std::string(group) + keys.from;
                                 const std::string to = keys.to.empty() ? next : std::string(group) + keys.to;
                                 ++found.groups;
                                 found.entries += static_cast<double>(tree.estimate(from, to).count);
                                 all = !more || found.groups < static_cast<double>(most);
                                 return all;
                             });
    return all ? std::optional(found) : std::nullopt;
}

}  // namespace northstar::inline v0::sql
