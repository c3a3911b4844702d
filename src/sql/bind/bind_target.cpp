// What a select list or RETURNING has in it, and what its columns are called.
#include "sql/bind/binder.hpp"

namespace northstar::inline v0::sql {

using syntax::ExprKind;

namespace bind_target {

/// (SELECT * FROM ..), (SELECT t.* FROM ..)
bool names_all_columns(const syntax::Expr& node) {
    if (node.kind != ExprKind::scalar_query) return false;
    const syntax::Query* query = node.query;
    while (query->kind == syntax::QueryKind::set_operation) query = query->left;
    return !query->targets.empty() && query->targets[0].expr->kind == ExprKind::star;
}

}  // namespace bind_target

std::string Binder::target_name(const syntax::Expr& node) const {
    switch (node.kind) {
        case ExprKind::column: return std::string(node.names.back());
        case ExprKind::function: return std::string(node.names.back());
        case ExprKind::field: return std::string(node.text);
        case ExprKind::coalesce: return "coalesce";
        case ExprKind::nullif: return "nullif";
        case ExprKind::greatest: return "greatest";
        case ExprKind::least: return "least";
        case ExprKind::grouping: return "grouping";
        case ExprKind::case_when: {
            const std::string name = target_name(*node.args[node.args.size() - 1]);
            return name == "?column?" ? "case" : name;
        }
        case ExprKind::cast: {
            // Of several casts the outermost gives its type's name.
            const syntax::Expr* inner = node.args[0];
            while (inner->kind == ExprKind::cast || inner->kind == ExprKind::collate) inner = inner->args[0];
            const std::string name = target_name(*inner);
            return name == "?column?" ? std::string(node.type->names.back()) : name;
        }
        case ExprKind::star: return node.names.empty() ? "?column?" : std::string(node.names.back());
        case ExprKind::array: return "array";
        case ExprKind::row: return "row";
        case ExprKind::exists: return "exists";
        case ExprKind::array_query: return "array";
        case ExprKind::special_value: return std::string(node.text);
        case ExprKind::collate: return target_name(*node.args[0]);
        case ExprKind::subscript: return target_name(*node.args[0]);
        case ExprKind::scalar_query: {
            const syntax::Query* query = node.query;
            while (query->kind == syntax::QueryKind::set_operation) query = query->left;
            if (query->targets.empty()) return "?column?";
            const syntax::Target& target = query->targets[0];
            return target.alias.empty() ? target_name(*target.expr) : std::string(target.alias);
        }
        default: return "?column?";
    }
}

std::vector<Binder::TargetItem> Binder::targets(const syntax::List<syntax::Target>& list) {
    std::vector<TargetItem> items;
    for (const syntax::Target& target : list) {
        std::vector<std::pair<std::string, BoundExpr*>> columns;
        if (target.expr->kind == ExprKind::star) {
            expand_star(*target.expr, columns);
        } else if (target.expr->kind == ExprKind::field_star) {
            expand_fields(expr(*target.expr->args[0]), columns, target.expr->position);
        } else {
            TargetItem item;
            item.expr = expr(*target.expr);
            if (item.expr->kind == BoundKind::default_value)
                raise_at(sqlstate::syntax_error, "DEFAULT is not allowed in this context", target.expr->position);
            item.aliased = !target.alias.empty();
            item.name = item.aliased ? std::string(target.alias) : target_name(*target.expr);
            // (SELECT * FROM ..): only what was bound knows the column's name.
            if (!item.aliased && bind_target::names_all_columns(*target.expr) &&
                item.expr->kind == BoundKind::scalar_query)
                item.name = item.expr->text;
            item.source = target.expr;
            items.push_back(std::move(item));
        }
        for (auto& [name, column] : columns) items.push_back({name, column, nullptr, false});
    }
    if (items.size() > 1664) raise(sqlstate::too_many_columns, "target lists can have at most 1664 entries");
    return items;
}

}  // namespace northstar::inline v0::sql
