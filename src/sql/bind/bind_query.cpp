// Queries as a whole: VALUES, set operations, ORDER BY and LIMIT of any of them.
#include "sql/bind/binder.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

BoundQuery Binder::bind_query(const syntax::Query& syntax) { return query(syntax, true); }

/// INTO belongs to a statement of its own.
void Binder::refuse_into(const syntax::Query& query) {
    if (query.into != nullptr)
        raise_at(sqlstate::syntax_error, "SELECT ... INTO is not allowed here", query.into->name.position);
}

BoundExpr* Binder::bind_standalone(const syntax::Expr& node, std::string clause) {
    Scope scope;
    scope.allowed = {clause, clause, clause};
    if (clause == "partition bounds")
        scope.allowed.columns = scope.allowed.subqueries = "partition bound expression";
    scope.select = true;
    Scope* const before = std::exchange(scope_, &scope);
    BoundExpr* bound = expr(node);
    scope_ = before;
    return bound;
}

Plan* Binder::project(Plan* input, std::vector<PlanColumn> columns) {
    Plan* plan = pool_.plan(PlanKind::project);
    plan->left = input;
    plan->rows = input->rows;
    for (const PlanColumn& column : columns) plan->output.push_back(column.id);
    plan->columns = std::move(columns);
    return plan;
}

OutputColumn Binder::output_column(const std::string& name, BoundExpr* bound) {
    OutputColumn column;
    column.name = name;
    column.type = bound->type;
    column.typmod = bound->typmod;
    column.id = bound->kind == BoundKind::column ? bound->column : pool_.column();
    column.declared = declared_type(*bound);
    note_declared(column.id, column.declared);
    return column;
}

BoundQuery Binder::query(const syntax::Query& syntax, bool resolve_unknowns) {
    CommonTableScope* const commons = commons_;
    Scope* const scope = scope_;
    const std::size_t points = points_.size();
    if (syntax.time.system.kind != syntax::RangeKind::none)
        points_.push_back(&environment_.past(bind_point(syntax.time.system.first)));
    if (outermost_) {
        ReadPoint* const point = points_.empty() ? environment_.default_point() : points_.back();
        if (point != nullptr && point->past) environment_.read_whole_at(*point);
    }
    const std::size_t valids = valids_.size();
    if (syntax.time.valid.kind != syntax::RangeKind::none) valids_.push_back(&syntax.time.valid);
    const bool wants_row_keys = std::exchange(wants_row_keys_, false);
    LockingClauses handed_locking = std::exchange(handed_locking_, {});
    const bool values_apart = std::exchange(values_apart_, false);
    const bool outermost = std::exchange(outermost_, false);
    if (syntax.with != nullptr) bind_with(*syntax.with, outermost);
    values_apart_ = values_apart;
    wants_row_keys_ = wants_row_keys && syntax.kind == syntax::QueryKind::select;
    handed_locking_ = std::move(handed_locking);
    BoundQuery result = query_body(syntax, resolve_unknowns);
    outermost_ = outermost;
    points_.resize(points);
    valids_.resize(valids);
    commons_ = commons;
    scope_ = scope;
    return result;
}

BoundQuery Binder::query_body(const syntax::Query& syntax, bool resolve_unknowns) {
    switch (syntax.kind) {
        case syntax::QueryKind::select: return select(syntax, resolve_unknowns);
        case syntax::QueryKind::values: {
            handed_locking_.clear();
            if (!syntax.locking.empty())
                raise_at(sqlstate::feature_not_supported,
                         std::string(clause_name(syntax.locking[0].strength)) + " cannot be applied to VALUES",
                         syntax.position);
            BoundQuery result = values(syntax, resolve_unknowns);
            order_output(result, syntax);
            return result;
        }
        case syntax::QueryKind::set_operation: {
            LockingClauses locking(syntax.locking.begin(), syntax.locking.end());
            std::copy_if(handed_locking_.begin(), handed_locking_.end(), std::back_inserter(locking),
                         [](const syntax::LockingClause& clause) { return !clause.of_view; });
            handed_locking_.clear();
            if (!locking.empty())
                raise_at(sqlstate::feature_not_supported,
                         std::string(clause_name(locking[0].strength)) +
                             " is not allowed with UNION/INTERSECT/EXCEPT",
                         syntax.position);
            BoundQuery result = set_operation(syntax);
            if (resolve_unknowns)
                for (std::size_t i = 0; i < result.columns.size(); ++i)
                    if (result.columns[i].type == type::unknown)
                        coerce_output(result, i, type::text, k_no_typmod, syntax.position);
            order_output(result, syntax);
            return result;
        }
    }
    return {};
}

BoundQuery Binder::values(const syntax::Query& syntax, bool resolve_unknowns) {
    const bool apart = std::exchange(values_apart_, false);
    Plan* plan = pool_.plan(PlanKind::values);
    const std::size_t width = syntax.rows[0].size();
    if (width > 1664) raise(sqlstate::too_many_columns, "target lists can have at most 1664 entries");
    Scope scope;
    scope.outer = scope_;
    scope.select = true;
    scope.allowed = {"VALUES", "VALUES", "VALUES"};
    scope_ = &scope;
    for (const auto& row : syntax.rows) {
        if (row.size() != width)
            raise_at(sqlstate::syntax_error, "VALUES lists must all be the same length",
                     row.empty() ? syntax.position : row[0]->position);
        std::vector<BoundExpr*> bound;
        for (const syntax::Expr* item : row) {
            bound.push_back(expr(*item));
            if (bound.back()->kind == BoundKind::default_value && resolve_unknowns)
                raise_at(sqlstate::syntax_error, "DEFAULT is not allowed in this context", item->position);
        }
        plan->value_rows.push_back(std::move(bound));
    }
    scope_ = scope.outer;
    BoundQuery result;
    result.plan = plan;
    plan->rows = static_cast<double>(plan->value_rows.size());
    for (std::size_t i = 0; i < width; ++i) {
        std::vector<Oid> types;
        bool has_default = false;
        std::int32_t typmod = plan->value_rows[0][i]->typmod;
        for (const auto& row : plan->value_rows) {
            has_default |= row[i]->kind == BoundKind::default_value;
            types.push_back(row[i]->type);
        }
        Oid common = types[0];
        const bool unresolved = !resolve_unknowns &&
                                std::all_of(types.begin(), types.end(), [](Oid t) { return t == type::unknown; });
        if (!has_default && !unresolved && !apart) {
            try {
                common = select_common_type(types, "VALUES", environment_.session().types);
            } catch (SqlError& error) {
                error.place(plan->value_rows.back()[i]->position);
                throw;
            }
            for (auto& row : plan->value_rows) {
                if (row[i]->typmod != typmod || row[i]->type != common) typmod = k_no_typmod;
                row[i] = common_coerce(row[i], common, row[i]->position);
            }
        } else {
            typmod = k_no_typmod;
        }
        OutputColumn column;
        column.name = "column" + std::to_string(i + 1);
        column.type = common;
        column.typmod = typmod;
        column.id = pool_.column();
        column.declared = declared_type(*plan->value_rows[0][i]);
        for (const auto& row : plan->value_rows)
            if (declared_type(*row[i]) != column.declared) column.declared = 0;
        note_declared(column.id, column.declared);
        plan->output.push_back(column.id);
        result.columns.push_back(column);
    }
    return result;
}

/// Gives a column of a query another type: in its own target list where that is possible (so that a literal is read as
/// the type), in a projection on top otherwise.
void Binder::coerce_output(BoundQuery& result, std::size_t place, Oid type, std::int32_t typmod,
                           std::uint32_t position) {
    OutputColumn& column = result.columns[place];
    if (column.type == type && column.typmod == typmod) return;
    Plan* plan = result.plan;
    while (plan->kind == PlanKind::limit || plan->kind == PlanKind::sort) plan = plan->left;
    if (column.type == type::unknown && (plan->kind == PlanKind::project || plan->kind == PlanKind::values) &&
        plan->output.size() > place) {
        bool done = false;
        if (plan->kind == PlanKind::project) {
            for (PlanColumn& item : plan->columns) {
                if (item.id != column.id) continue;
                if (item.expr->kind == BoundKind::constant || item.expr->kind == BoundKind::parameter) {
                    item.expr = common_coerce(item.expr, type, position);
                    done = true;
                }
            }
        } else {
            for (auto& row : plan->value_rows) row[place] = common_coerce(row[place], type, position);
            done = true;
        }
        if (done) {
            column.type = type;
            return;
        }
    }
    std::vector<PlanColumn> columns;
    for (std::size_t i = 0; i < result.columns.size(); ++i) {
        BoundExpr* value = pool_.expr(BoundKind::column, result.columns[i].type);
        value->column = result.columns[i].id;
        value->typmod = result.columns[i].typmod;
        if (i != place) {
            columns.push_back({value->column, value});
            continue;
        }
        BoundExpr* coerced = common_coerce(value, type, position);
        const ColumnId id = coerced == value ? value->column : pool_.column();
        columns.push_back({id, coerced});
        column.id = id;
        column.type = type;
        column.typmod = typmod;
    }
    result.plan = project(result.plan, std::move(columns));
}

void Binder::unify_branches(BoundQuery& left, BoundQuery& right, std::string_view construct, std::uint32_t position) {
    if (left.columns.size() != right.columns.size())
        raise_at(sqlstate::syntax_error,
                 "each " + std::string(construct) + " query must have the same number of columns", position);
    for (std::size_t i = 0; i < left.columns.size(); ++i) {
        const Oid types[] = {left.columns[i].type, right.columns[i].type};
        Oid common = 0;
        if (types[0] == type::unknown && types[1] == type::unknown) common = type::text;
        else {
            try {
                common = select_common_type(types, construct, environment_.session().types);
            } catch (SqlError& error) {
                error.place(position);
                throw;
            }
        }
        const std::int32_t typmod = left.columns[i].typmod == right.columns[i].typmod &&
                                            types[0] == common && types[1] == common
                                        ? left.columns[i].typmod
                                        : k_no_typmod;
        coerce_output(left, i, common, typmod, position);
        coerce_output(right, i, common, typmod, position);
        if (left.columns[i].declared != right.columns[i].declared)
            left.columns[i].declared = right.columns[i].declared = 0;
        left.columns[i].typmod = right.columns[i].typmod = typmod;
    }
}

Plan* Binder::union_of(std::span<Plan* const> parts) {
    if (parts.size() == 1) return parts[0];
    Plan* const both = pool_.plan(PlanKind::set_operation);
    both->set = SetKind::union_;
    both->all = true;
    for (std::size_t i = 0; i < parts[0]->output.size(); ++i) both->output.push_back(pool_.column());
    divide_union(*both, parts);
    return both;
}

void Binder::divide_union(Plan& both, std::span<Plan* const> parts) {
    // What lies in one half is no deeper than the logarithm of what there is.
    const std::size_t half = parts.size() / 2;
    both.left = union_of(parts.first(half));
    both.right = union_of(parts.subspan(half));
    both.rows = both.left->rows + both.right->rows;
}

BoundQuery Binder::set_operation(const syntax::Query& syntax) {
    std::vector<const syntax::Query*> chain = {&syntax};
    while (const syntax::Query* const inner = chain.back()->united()) chain.push_back(inner);
    const auto refuse_locking = [&](const syntax::Query& branch) {
        if (!branch.locking.empty())
            raise_at(sqlstate::feature_not_supported,
                     std::string(clause_name(branch.locking[0].strength)) +
                         " is not allowed with UNION/INTERSECT/EXCEPT",
                     branch.position);
    };
    for (const syntax::Query* const each : chain) {
        refuse_locking(*each->left);
        refuse_locking(*each->right);
    }
    const char* construct = syntax.operation == syntax::SetOperation::union_      ? "UNION"
                            : syntax.operation == syntax::SetOperation::intersect ? "INTERSECT"
                                                                                  : "EXCEPT";
    // A literal in SELECT gets its type from the other branch, one in VALUES has it before.
    const auto bind = [&](const syntax::Query& of) { return query(of, of.kind == syntax::QueryKind::values); };
    // Branches are read by place: each gives exactly its columns in order.
    const auto exact = [&](BoundQuery& branch) {
        std::vector<ColumnId> ids;
        for (const OutputColumn& column : branch.columns) ids.push_back(column.id);
        if (branch.plan->output == ids) return branch.plan;
        std::vector<PlanColumn> columns;
        for (const OutputColumn& column : branch.columns) {
            BoundExpr* value = pool_.expr(BoundKind::column, column.type);
            value->column = column.id;
            columns.push_back({column.id, value});
        }
        return project(branch.plan, std::move(columns));
    };
    // A UNION drops what those before it would have dropped as well.
    const auto last_distinct = std::find_if(chain.begin(), chain.end(), [](const auto* each) { return !each->all; });
    const syntax::Query* const distinct = last_distinct == chain.end() ? nullptr : *last_distinct;
    BoundQuery result = bind(*chain.back()->left);
    Plan* node = nullptr;  // has the parts, once they are all there
    std::vector<Plan*> parts;
    std::size_t nodes = 0;
    bool before_distinct = distinct != nullptr;
    for (; !chain.empty(); chain.pop_back()) {
        const syntax::Query& each = *chain.back();
        BoundQuery right = bind(*each.right);
        unify_branches(result, right, construct, each.right->position);
        const bool goes_on = node != nullptr && result.plan == node && node->all;
        if (!goes_on) {
            if (node != nullptr) divide_union(*node, parts);
            if (++nodes > syntax::k_depth_limit)
                raise_at(sqlstate::statement_too_complex, "stack depth limit exceeded", each.position);
            parts = {exact(result)};
            node = pool_.plan(PlanKind::set_operation);
            node->set = static_cast<SetKind>(each.operation);
            node->rows = result.plan->rows;
            for (OutputColumn& column : result.columns) {
                column.id = pool_.column();
                column.table = 0;
                node->output.push_back(column.id);
            }
            result.plan = node;
        }
        parts.push_back(exact(right));
        node->rows += right.plan->rows;
        node->all = before_distinct ? &each != distinct : each.all;
        if (&each == distinct) before_distinct = false;
        for (const OutputColumn& column : result.columns) {
            note_declared(column.id, column.declared);
            if (!(each.all && each.operation == syntax::SetOperation::union_))
                require_order(column.type, "equality", each.position);
        }
    }
    divide_union(*node, parts);
    return result;
}

bool is_other_constant(const syntax::Expr& node) {
    using syntax::ExprKind;
    return node.kind == ExprKind::null || node.kind == ExprKind::boolean || node.kind == ExprKind::decimal ||
           node.kind == ExprKind::string || node.kind == ExprKind::bit_string;
}

/// ORDER BY of VALUES and set operations: output columns by name or number only.
void Binder::order_output(BoundQuery& result, const syntax::Query& syntax) {
    std::vector<SortKey> keys;
    for (const syntax::SortItem& item : syntax.order_by) {
        const syntax::Expr& node = *item.expr;
        BoundExpr* bound = nullptr;
        const auto output = [&](std::size_t place) {
            BoundExpr* column = pool_.expr(BoundKind::column, result.columns[place].type);
            column->column = result.columns[place].id;
            column->typmod = result.columns[place].typmod;
            return column;
        };
        if (node.kind == syntax::ExprKind::integer) {
            std::size_t place = 0;
            const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), place);
            if (error != std::errc() || place < 1 || place > result.columns.size())
                raise_at(sqlstate::invalid_column_reference,
                         "ORDER BY position " + std::string(node.text) + " is not in select list", node.position);
            bound = output(place - 1);
        } else if (is_other_constant(node)) {
            raise_at(sqlstate::syntax_error, "non-integer constant in ORDER BY", node.position);
        } else if (node.kind == syntax::ExprKind::column && node.names.size() == 1) {
            std::size_t found = result.columns.size();
            for (std::size_t i = result.columns.size(); i-- > 0;)
                if (result.columns[i].name == node.names[0]) found = i;
            if (found == result.columns.size())
                raise_at(sqlstate::undefined_column,
                         "column \"" + std::string(node.names[0]) + "\" does not exist", node.position);
            bound = output(found);
        } else {
            const bool of_values = syntax.kind == syntax::QueryKind::values;
            Scope scope;
            scope.outer = scope_;
            scope.select = !of_values;
            ScopeRelation relation;
            if (of_values) relation.alias = "*VALUES*";
            for (const OutputColumn& column : result.columns)
                relation.columns.push_back({column.name, column.id, column.type, column.typmod});
            scope.relations.push_back(relation);
            for (const ScopeColumn& column : relation.columns) scope.columns.push_back({column, 0, true});
            scope_ = &scope;
            bound = expr(node);
            scope_ = scope.outer;
            // What names other columns is told so first.
            if (!of_values)
                raise_at(sqlstate::feature_not_supported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                         node.position, "Only result column names can be used, not expressions or functions.",
                         "Add the expression/function to every SELECT, or move the UNION into a FROM clause.");
        }
        keys.push_back(sort_key(bound, item));
    }
    if (!keys.empty()) {
        Plan* sort = pool_.plan(PlanKind::sort);
        sort->left = result.plan;
        sort->output = result.plan->output;
        sort->rows = result.plan->rows;
        sort->keys = keys;
        result.plan = sort;
    }
    limit_output(result, syntax, std::move(keys), nullptr);
}

void Binder::limit_output(BoundQuery& result, const syntax::Query& syntax, std::vector<SortKey> tie_keys,
                          const Scope* own) {
    if (syntax.limit == nullptr && syntax.offset == nullptr) return;
    const auto count = [&](const syntax::Expr* node, const char* clause) -> BoundExpr* {
        if (node == nullptr) return nullptr;
        Scope scope;
        scope.outer = nullptr;
        scope.select = true;
        scope.allowed = {clause, clause, clause};
        Scope* const before = scope_;
        scope.outer = before;
        scope_ = &scope;
        // How many rows are wanted is for the planner to know; behind how many others they come is not.
        const bool fixed = std::exchange(literals_fixed_, literals_fixed_ || node == syntax.limit);
        BoundExpr* bound = expr(*node);
        literals_fixed_ = fixed;
        scope_ = before;
        if (own != nullptr)
            for (const GatheredCall& call : own->aggregates)
                if (used_columns(bound).count(call.id) != 0)
                    raise_at(sqlstate::grouping_error,
                             std::string("aggregate functions are not allowed in ") + clause, node->position);
        for (const ColumnId id : used_columns(bound))
            if (const auto found = column_scope_.find(id);
                own != nullptr && found != column_scope_.end() && found->second == own)
                raise_at(sqlstate::invalid_column_reference,
                         std::string("argument of ") + clause + " must not contain variables", node->position);
        if (bound->type != type::unknown &&
            !can_coerce(bound->type, type::int8, CastContext::assignment, environment_.session().types))
            raise_at(sqlstate::datatype_mismatch,
                     std::string("argument of ") + clause + " must be type bigint, not type " + type_name(bound->type),
                     node->position);
        return coerce(bound, type::int8, k_no_typmod, CastContext::assignment, node->position);
    };
    if (syntax.limit_with_ties && syntax.limit != nullptr && syntax.limit->kind == syntax::ExprKind::null)
        raise(sqlstate::invalid_row_count_in_limit_clause,
              "row count cannot be null in FETCH FIRST ... WITH TIES clause");
    Plan* limit = pool_.plan(PlanKind::limit);
    limit->left = result.plan;
    limit->output = result.plan->output;
    limit->limit = count(syntax.limit, "LIMIT");
    limit->offset = count(syntax.offset, "OFFSET");
    limit->with_ties = syntax.limit_with_ties;
    if (limit->with_ties) limit->tie_keys = std::move(tie_keys);
    limit->rows = result.plan->rows;
    if (limit->limit != nullptr && limit->limit->kind == BoundKind::constant && !limit->limit->value.is_null())
        limit->rows = std::min(limit->rows, static_cast<double>(limit->limit->value.integer()));
    result.plan = limit;
}

}  // namespace northstar::inline v0::sql
