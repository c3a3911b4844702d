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

/// What a column of an expression is called. A name that is weak, of a type or CASE, gives way to that of a cast or
/// CASE around it.
struct TargetName {
    std::string text = "?column?";
    bool weak = true;
};

TargetName name_of(const syntax::Expr& node) {
    const auto named = [](std::string_view text) { return TargetName{std::string(text), false}; };
    switch (node.kind) {
        case ExprKind::column: return named(node.names.back());
        case ExprKind::function: return named(node.names.back());
        case ExprKind::field: return named(node.text);
        case ExprKind::coalesce: return named("coalesce");
        case ExprKind::nullif: return named("nullif");
        case ExprKind::greatest: return named("greatest");
        case ExprKind::least: return named("least");
        case ExprKind::grouping: return named("grouping");
        case ExprKind::case_when: {
            const TargetName otherwise = name_of(*node.args[node.args.size() - 1]);
            return otherwise.weak ? TargetName{"case", true} : otherwise;
        }
        case ExprKind::cast: {
            const TargetName inner = name_of(*node.args[0]);
            return inner.weak ? TargetName{std::string(node.type->names.back()), true} : inner;
        }
        case ExprKind::star: return node.names.empty() ? TargetName() : named(node.names.back());
        case ExprKind::array: return named("array");
        case ExprKind::row: return named("row");
        case ExprKind::exists: return named("exists");
        case ExprKind::array_query: return named("array");
        case ExprKind::special_value: return named(node.text);
        case ExprKind::collate: return name_of(*node.args[0]);
        case ExprKind::subscript: return name_of(*node.args[0]);
        case ExprKind::scalar_query: {
            const syntax::Query* query = node.query;
            while (query->kind == syntax::QueryKind::set_operation) query = query->left;
            if (query->targets.empty()) return {};
            const syntax::Target& target = query->targets[0];
            return named(target.alias.empty() ? name_of(*target.expr).text : std::string(target.alias));
        }
        default: return {};
    }
}

}  // namespace bind_target

std::string Binder::target_name(const syntax::Expr& node) const { return bind_target::name_of(node).text; }

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
