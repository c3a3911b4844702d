// Keys that ALTER TABLE adds: of columns, or made of an index that is there (ADD CONSTRAINT .. USING INDEX).
#include "sql/session/partition_indexes.hpp"
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

Index named_key(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                const std::vector<std::string>& names) {
    Index index = make_key_index(session, relation, constraint, names);
    if (!index.name.empty()) return index;
    index.name = index_name_of_its_own(session, relation, index);
    return index;
}

namespace define_key {

/// Raises where the index cannot be the constraint, as PostgreSQL does and in its order.
void check_usable(const Relation& relation, const Index& index) {
    static constexpr const char* k_such = "Cannot create a primary key or unique constraint using such an index.";
    if (index.role != ConstraintRole::none)
        raise(sqlstate::object_not_in_prerequisite_state,
              "index \"" + index.name + "\" is already associated with a constraint");
    if (!index.unique) raise(sqlstate::wrong_object_type, "\"" + index.name + "\" is not a unique index", k_such);
    for (const IndexColumn& column : index.columns)
        if (column.column < 0)
            raise(sqlstate::wrong_object_type, "index \"" + index.name + "\" contains expressions", k_such);
    if (index.partial()) raise(sqlstate::wrong_object_type, "\"" + index.name + "\" is a partial index", k_such);
    for (std::size_t i = 0; i < index.columns.size(); ++i)
        if (index.columns[i].order.descending || index.columns[i].order.nulls_first)
            raise(sqlstate::wrong_object_type,
                  "index \"" + index.name + "\" column number " + std::to_string(i + 1) +
                      " does not have default sorting behavior",
                  k_such);
    if (relation.is_partitioned())
        raise(sqlstate::feature_not_supported,
              "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables");
}

}  // namespace define_key

Index key_from_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint) {
    const std::string wanted(constraint.using_index);
    const auto found = std::find_if(relation.indexes.begin(), relation.indexes.end(),
                                    [&](const Index& index) { return index.name == wanted; });
    if (found == relation.indexes.end()) {
        if (session.catalog().index(relation.schema, wanted).second == nullptr)
            raise_at(sqlstate::undefined_object, "index \"" + wanted + "\" does not exist", constraint.position);
        raise_at(sqlstate::object_not_in_prerequisite_state,
                 "index \"" + wanted + "\" does not belong to table \"" + relation.name + "\"", constraint.position);
    }
    define_key::check_usable(relation, *found);
    const Index old = *found;
    // Entries of a key may lie elsewhere, or end otherwise, than those of the index: they are made anew.
    session.drop_tree(relation.index_tree(old), relation.temporary);
    relation.indexes.erase(found);
    std::vector<std::string> names;
    for (const IndexColumn& column : old.columns)
        names.push_back(relation.columns[static_cast<std::size_t>(column.column)].name);
    syntax::ConstraintDefinition unnamed = constraint;
    unnamed.name = {};
    Index index = make_key_index(session, relation, unnamed, names);
    index.include = old.include;
    index.nulls_not_distinct = old.nulls_not_distinct;
    index.name = constraint.name.empty() ? old.name : std::string(constraint.name);
    if (index.name == old.name) return index;
    if (session.catalog().index(relation.schema, index.name).second != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + index.name + "\" already exists");
    session.notice(sqlstate::successful_completion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"" +
                                                            old.name + "\" to \"" + index.name + "\"");
    return index;
}

}  // namespace northstar::inline v0::sql
