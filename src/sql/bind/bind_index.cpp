// Indexes of a scan's table that are over expressions or some of the rows: what they say, over the scan's columns, and
// which literals of the statement decide whether they can be used.
#include "sql/bind/binder.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/value_list.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_index {

bool has_terms(const Index& index) {
    return index.partial() || std::any_of(index.columns.begin(), index.columns.end(),
                                          [](const IndexColumn& column) { return column.column < 0; });
}

void add_names(const Relation& relation, const std::vector<ColumnId>& ids, BoundExpr* expr,
               std::set<std::string>& names) {
    for (const ColumnId id : used_columns(expr)) {
        const auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
        if (at < relation.columns.size()) names.insert(relation.columns[at].name);
    }
}

/// Does the expression name one of the columns? Subqueries are not looked into: they are bound by themselves.
bool mentions(const syntax::Expr& node, const std::set<std::string>& names) {
    if (node.kind == syntax::ExprKind::column) return names.count(std::string(node.names.back())) != 0;
    return std::any_of(node.args.begin(), node.args.end(),
                       [&](const syntax::Expr* arg) { return arg != nullptr && mentions(*arg, names); });
}

bool is_comparison(const syntax::Expr& node) {
    static const std::set<std::string_view> k_comparisons{"=", "<>", "!=", "<", "<=", ">", ">="};
    return node.kind == syntax::ExprKind::operation && k_comparisons.count(node.text) != 0;
}

}  // namespace bind_index

void Binder::bind_index_terms(Plan& scan, Oid partition) {
    using namespace bind_index;
    const Relation& relation = *scan.relation;
    if (std::none_of(relation.indexes.begin(), relation.indexes.end(), has_terms)) return;
    std::vector<ColumnId> ids(relation.columns.size(), k_no_column);
    for (const ScanColumn& column : scan.scan_columns)
        if (column.place >= 0) ids[static_cast<std::size_t>(column.place)] = column.id;
    for (const Index& index : relation.indexes) {
        IndexTerms& terms = scan.index_terms.emplace_back();
        terms.unusable = index.partition != 0 && index.partition != partition;
        for (const IndexColumn& column : index.columns) {
            terms.parts.push_back(nullptr);
            if (column.column >= 0) continue;
            terms.parts.back() = bind_text(column.text, relation, ids, "index expressions");
            terms.unusable = terms.unusable || !is_immutable(terms.parts.back(), environment_.session().types);
            add_names(relation, ids, terms.parts.back(), index_expression_names_);
        }
        if (!index.partial() || terms.unusable) continue;
        terms.rows = scan.point->past ? scan.rows / 10
                                      : scan.point->row_count(relation.index_tree(index), relation.temporary);
        // What makes a row one of the partition is known of a scan of the partition.
        if (index.predicate.empty()) continue;
        BoundExpr* const holds = condition(bind_text(index.predicate, relation, ids, "index predicates"), "WHERE", 0);
        terms.unusable = !is_immutable(holds, environment_.session().types);
        split_conjuncts(holds, terms.predicate);
        for (BoundExpr*& part : terms.predicate) {
            add_names(relation, ids, part, index_predicate_names_);
            part = as_value_list(part, pool_);
        }
    }
}

bool Binder::decides_index(const syntax::Expr& node) const {
    using syntax::ExprKind;
    switch (node.kind) {
        case ExprKind::operation:
        case ExprKind::between:
        case ExprKind::in_list:
        case ExprKind::quantified:
        case ExprKind::function:
        case ExprKind::coalesce:
        case ExprKind::cast:
        case ExprKind::subscript: break;
        default: return false;
    }
    if (bind_index::mentions(node, index_predicate_names_)) return true;
    // What an indexed expression is compared with is a value like any other.
    const bool compares = bind_index::is_comparison(node) || node.kind == ExprKind::between ||
                          node.kind == ExprKind::in_list || node.kind == ExprKind::quantified;
    return !compares && bind_index::mentions(node, index_expression_names_);
}

}  // namespace northstar::inline v0::sql
