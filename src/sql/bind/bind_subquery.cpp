// Subqueries in expressions: scalar, EXISTS, IN, ANY, ALL, ARRAY.
#include "sql/bind/binder.hpp"
#include "sql/plan/walk.hpp"

namespace northstar::inline v0::sql {

using syntax::ExprKind;

/// A query in an expression that may have none, or one that makes a table.
void Binder::refuse_subquery(const syntax::Expr& node) {
    if (scope_ != nullptr && !scope_->allowed.subqueries.empty())
        raise_at(sqlstate::feature_not_supported, "cannot use subquery in " + scope_->allowed.subqueries,
                 node.position);
    refuse_into(*node.query);
}

BoundExpr* Binder::subquery(const syntax::Expr& node) {
    refuse_subquery(node);
    const BoundQuery inner = query(*node.query, true);
    if (node.kind == ExprKind::exists) {
        BoundExpr* bound = pool_.expr(BoundKind::exists, type::boolean);
        bound->position = node.position;
        bound->subquery = inner.plan;
        return bound;
    }
    if (inner.columns.size() != 1)
        raise_at(sqlstate::syntax_error,
                 inner.columns.empty() && node.kind == ExprKind::scalar_query ? "subquery must return a column"
                                                                              : "subquery must return only one column",
                 node.position);
    const OutputColumn& column = inner.columns[0];
    if (node.kind == ExprKind::scalar_query) {
        BoundExpr* bound = pool_.expr(BoundKind::scalar_query, column.type);
        bound->typmod = column.typmod;
        bound->declared = column.declared;
        bound->fields = column.fields;
        bound->position = node.position;
        bound->subquery = inner.plan;
        bound->text = column.name;  // what a target without a name is called
        return bound;
    }
    const TypeInfo& info = type_info(column.type, environment_.session().types);
    const Oid array = info.form == Form::array ? column.type : info.array;
    if (array == 0)
        raise_at(sqlstate::undefined_object, "could not find array type for data type " + type_name(column.type),
                 node.position);
    BoundExpr* bound = pool_.expr(BoundKind::array_query, array);
    bound->typmod = column.typmod;
    bound->position = node.position;
    bound->declared = array_of_declared(column.declared);
    bound->subquery = inner.plan;
    return bound;
}

BoundExpr* Binder::in_query(const syntax::Expr& node) {
    refuse_subquery(node);
    BoundExpr* left = expr(*node.args[0]);
    const BoundQuery inner = query(*node.query, true);
    return make_in_query(left, inner, "=", false, node.flag, node.position);
}

BoundExpr* Binder::make_in_query(BoundExpr* left, const BoundQuery& inner, std::string_view op, bool all, bool negated,
                                 std::uint32_t position) {
    std::vector<BoundExpr*> sides = {left};
    // ROW(..) is compared field by field, the row of a table as one value.
    if (left->kind == BoundKind::row && left->number == 0) sides = left->args;
    if (inner.columns.size() != sides.size())
        raise_at(sqlstate::syntax_error,
                 inner.columns.size() < sides.size() ? "subquery has too few columns" : "subquery has too many columns",
                 position);
    const bool membership = op == "=" && !all;
    BoundExpr* bound = pool_.expr(membership ? BoundKind::in_query : BoundKind::quantified_query, type::boolean);
    bound->position = position;
    std::vector<PlanColumn> columns;
    bool identity = true;
    for (std::size_t i = 0; i < sides.size(); ++i) {
        OperatorMatch match;
        try {
            match = resolve_operator(op, sides[i]->type, inner.columns[i].type, environment_.session().types);
        } catch (SqlError& error) {
            error.place(position);
            throw;
        }
        if (match.result != type::boolean)
            raise_at(sqlstate::datatype_mismatch, "operator of ANY or ALL must yield boolean", position);
        if (sides.size() > 1 && match.entry->comparison == Comparison::none)
            raise_at(sqlstate::feature_not_supported,
                     "could not determine interpretation of row comparison operator " + std::string(op), position, {},
                     "Row comparison operators must be associated with btree operator families.");
        bound->args.push_back(common_coerce(sides[i], match.left, position));
        BoundExpr* column = pool_.expr(BoundKind::column, inner.columns[i].type);
        column->column = inner.columns[i].id;
        column->typmod = inner.columns[i].typmod;
        BoundExpr* value = common_coerce(column, match.right, position);
        identity = identity && value == column;
        columns.push_back({value == column ? inner.columns[i].id : pool_.column(), value});
        bound->operators.push_back(match.entry);
    }
    bound->subquery = inner.plan;
    if (!identity) bound->subquery = project(inner.plan, columns);
    bound->negated = all;
    if (!negated) return bound;
    return negate(bound);
}

BoundExpr* Binder::quantified(const syntax::Expr& node) {
    if (node.query != nullptr) {
        BoundExpr* left = expr(*node.args[0]);
        const BoundQuery inner = query(*node.query, true);
        return make_in_query(left, inner, node.text, node.flag, false, node.position);
    }
    BoundExpr* left = expr(*node.args[0]);
    BoundExpr* right = expr(*node.args[1]);
    const TypeCatalog* types = environment_.session().types;
    if (right->type == type::unknown) {
        const Oid element = left->type == type::unknown ? type::text : left->type;
        const Oid array = type_info(element, types).array;
        right = coerce(right, array, k_no_typmod, CastContext::implicit, node.position);
    }
    const TypeInfo& info = type_info(right->type, types);
    if (info.form != Form::array)
        raise_at(sqlstate::wrong_object_type, "op ANY/ALL (array) requires array on right side", node.position);
    OperatorMatch match;
    try {
        match = resolve_operator(node.text, left->type, info.element, types);
    } catch (SqlError& error) {
        error.place(node.position);
        throw;
    }
    if (match.result != type::boolean)
        raise_at(sqlstate::wrong_object_type, "op ANY/ALL (array) requires operator to yield boolean", node.position);
    BoundExpr* bound = pool_.expr(BoundKind::quantified, type::boolean);
    bound->position = node.position;
    bound->negated = node.flag;
    bound->operation = match.entry;
    const Oid wanted = match.right == info.element ? right->type : type_info(match.right, types).array;
    bound->args = {common_coerce(left, match.left, node.position), common_coerce(right, wanted, node.position)};
    return bound;
}

}  // namespace northstar::inline v0::sql
