// EXCLUDE in definitions: which operators may compare two rows, and the index that the constraint is checked by.
#include "sql/session/access_methods.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/session/storage_options.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_exclusion {

/// Operators that say the same whichever row comes first.
bool is_commutative(std::string_view operation) {
    return operation == "=" || operation == "<>" || operation == "&&" || operation == "-|-";
}

void check_operation(SqlSession& session, const Relation& relation, const IndexColumn& element,
                     const syntax::SortItem& item, std::string_view method) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    std::vector<ColumnId> columns;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) columns.push_back(pool.column());
    const auto value = [&] { return binder.bind_over_table(*item.expr, relation, columns, "index expressions"); };
    const BoundExpr* const compared = binder.make_operation(element.operation, value(), value(), 0);
    if (compared->type != type::boolean)
        raise(sqlstate::wrong_object_type, "operator " + element.operation + " does not return boolean");
    const std::string name = format_type(value()->type, k_no_typmod, session.state().types);
    const std::string full = element.operation + "(" + name + "," + name + ")";
    if (!is_commutative(element.operation))
        raise(sqlstate::wrong_object_type, "operator " + full + " is not commutative",
              "Only commutative operators can be used in exclusion constraints.");
    const bool by_order = method == "btree" || method == "hash";
    if (by_order && element.operation != "=")
        raise(sqlstate::wrong_object_type,
              "operator " + full + " is not a member of the operator family of access method \"" + std::string(method) +
                  "\"",
              "The exclusion operator must be related to the index operator class for the constraint.");
}

}  // namespace define_exclusion

Index exclusion_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint) {
    const syntax::CreateIndex& syntax = *constraint.exclusion;
    if (relation.is_partition())
        raise_at(sqlstate::feature_not_supported, "exclusion constraints are not supported on partitions",
                 constraint.position);
    if (constraint.not_valid)
        raise_at(sqlstate::feature_not_supported, "EXCLUDE constraints cannot be marked NOT VALID",
                 constraint.position);
    check_index_method(syntax);
    check_storage_options(syntax.options, StorageOf::index, syntax.method);
    const std::string method = syntax.method.empty() ? "btree" : std::string(syntax.method);
    if (method == "gin" || method == "brin")
        raise(sqlstate::feature_not_supported,
              "access method \"" + method + "\" does not support exclusion constraints");
    std::string names;
    Index index = describe_index(session, relation, syntax, names);
    index.role = ConstraintRole::exclusion;
    index.method = method == "rtree" ? "gist" : method;
    index.deferrable = constraint.deferrable;
    index.initially_deferred = constraint.initially_deferred;
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        index.columns[i].operation = syntax.columns[i].using_operator;
        define_exclusion::check_operation(session, relation, index.columns[i], syntax.columns[i], index.method);
    }
    // What must be equal comes first, so that the rows with equal values lie together.
    std::stable_partition(index.columns.begin(), index.columns.end(),
                          [](const IndexColumn& column) { return column.operation == "="; });
    index.name = constraint.name.empty() ? unique_name(session, relation.schema, relation.name, names, "excl")
                                         : std::string(constraint.name);
    if (session.catalog().index(relation.schema, index.name).second != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + index.name + "\" already exists");
    return index;
}

}  // namespace northstar::inline v0::sql
