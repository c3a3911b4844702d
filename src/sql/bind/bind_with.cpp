// WITH: common tables, recursive ones, SEARCH and CYCLE.
#include "sql/bind/binder.hpp"
#include "sql/bind/with_recursion.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

CommonTableScope* Binder::find_common(std::string_view name) {
    for (CommonTableScope* common = commons_; common != nullptr; common = common->outer)
        if (common->name == name && !common->forbidden) return common;
    return nullptr;
}

Plan* Binder::from_common(const syntax::FromItem& item, CommonTableScope& common) {
    if (item.time.system.kind != syntax::RangeKind::none)
        raise_at(sqlstate::feature_not_supported, "FOR SYSTEM_TIME is not possible for a WITH query", item.position);
    ScopeRelation into;
    into.alias = common.name;
    Plan* plan = nullptr;
    const std::vector<OutputColumn>* columns = nullptr;
    if (common.working_table >= 0) {
        scope_->reads_working_table = true;
        plan = pool_.plan(PlanKind::working_scan);
        plan->working_table = common.working_table;
        plan->round = common.round;
        columns = &common.working_columns;
    } else {
        plan = pool_.plan(PlanKind::cte_scan);
        plan->common = common.common;
        ++common.common->references;
        columns = &common.common->columns;
        plan->rows = common.common->plan == nullptr ? 100 : common.common->plan->rows;
        if (common.common->change != nullptr && columns->empty())
            raise_at(sqlstate::feature_not_supported,
                     "WITH query \"" + common.name + "\" does not have a RETURNING clause", item.position);
    }
    plan->alias = item.alias;
    for (std::size_t i = 0; i < columns->size(); ++i) {
        const OutputColumn& column = (*columns)[i];
        const bool hidden = common.working_table >= 0 && i >= common.starred_columns;
        const ColumnId id = pool_.column();
        plan->output.push_back(id);
        note_declared(id, column.declared);
        into.columns.push_back({column.name, id, column.type, column.typmod, hidden, 0, -1, column.fields});
    }
    add_relation(std::move(into), item);
    return plan;
}

void Binder::bind_with(const syntax::WithClause& with, bool outermost) {
    for (std::size_t i = 0; i < with.tables.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (with.tables[i].name == with.tables[k].name)
                raise_at(sqlstate::duplicate_alias,
                         "WITH query name \"" + std::string(with.tables[i].name) + "\" specified more than once",
                         with.tables[i].position);
    for (const syntax::CommonTable& table : with.tables)
        if (!outermost && table.body->kind != syntax::StatementKind::query)
            raise_at(sqlstate::feature_not_supported,
                     "WITH clause containing a data-modifying statement must be at the top level", table.position);
    if (!with.recursive) {
        for (const syntax::CommonTable& table : with.tables) bind_common_table(table, false);
        return;
    }
    // WITH RECURSIVE lets a query refer to later ones; they are bound in the order in which they need each other.
    const WithRecursion recursion = examine_recursion(with);
    for (const std::size_t place : recursion.order) bind_common_table(with.tables[place], recursion.recursive[place]);
}

void Binder::bind_common_table(const syntax::CommonTable& table, bool recursive) {
    common_storage_.push_back(std::make_unique<CommonTableScope>());
    CommonTableScope& scope = *common_storage_.back();
    scope.name = table.name;
    scope.common = std::make_shared<CommonTablePlan>();
    scope.common->name = table.name;
    scope.outer = commons_;
    const auto name_columns = [&](std::vector<OutputColumn>& columns) {
        if (table.columns.size() > columns.size())
            raise_at(sqlstate::invalid_column_reference,
                     "WITH query \"" + scope.name + "\" has " + std::to_string(columns.size()) +
                         " columns available but " + std::to_string(table.columns.size()) + " columns specified",
                     table.position);
        for (std::size_t i = 0; i < table.columns.size(); ++i) columns[i].name = table.columns[i];
    };
    if (!recursive && (!table.search_set.empty() || !table.cycle_mark.empty()))
        raise_at(sqlstate::syntax_error, "WITH query is not recursive", table.position);
    const syntax::Statement& body = *table.body;
    if (body.kind != syntax::StatementKind::query) {
        scope.forbidden = true;
        commons_ = &scope;
        scope.common->change = bind_change(body);
        scope.forbidden = false;
        common_changes_.push_back(scope.common);
        scope.common->columns = scope.common->change->returning_columns;
        name_columns(scope.common->columns);
        commons_ = &scope;
        return;
    }
    const syntax::Query& query_syntax = *body.query;
    refuse_into(query_syntax);
    if (recursive) {
        bind_recursive(table, scope);
        return;
    }
    scope.forbidden = true;
    commons_ = &scope;
    Scope* const before = scope_;
    BoundQuery result = query(query_syntax, true);
    scope_ = before;
    scope.forbidden = false;
    scope.common->plan = result.plan;
    scope.common->columns = result.columns;
    scope.common->references += table.materialized > 0;  // which asks for rows that could be read again
    name_columns(scope.common->columns);
    commons_ = &scope;
}

/// start UNION [ALL] step, where step may refer to the table itself.
void Binder::bind_recursive(const syntax::CommonTable& table, CommonTableScope& scope) {
    const syntax::Query& syntax = *table.body->query;
    CommonTableScope* const outer = commons_;
    Scope* const before = scope_;
    scope.working_table = next_working_table_++;
    scope.round = pool_.column();
    commons_ = &scope;
    if (syntax.with != nullptr) bind_with(*syntax.with, false);
    BoundQuery start = query(*syntax.left, true);
    scope_ = before;
    std::vector<OutputColumn> columns = start.columns;
    if (table.columns.size() > columns.size())
        raise_at(sqlstate::invalid_column_reference,
                 "WITH query \"" + scope.name + "\" has " + std::to_string(columns.size()) +
                     " columns available but " + std::to_string(table.columns.size()) + " columns specified",
                 table.position);
    for (std::size_t i = 0; i < table.columns.size(); ++i) columns[i].name = table.columns[i];
    check_search_and_cycle(table, columns);
    scope.working_columns = columns;
    scope.starred_columns = columns.size();
    const auto add = [&](syntax::Name name, Oid type) {
        OutputColumn column;
        column.name = name;
        column.type = type;
        scope.working_columns.push_back(column);
    };
    const bool search = !table.search_set.empty();
    const bool cycle = !table.cycle_mark.empty();
    Oid mark_type = type::boolean;
    if (cycle && table.cycle_value != nullptr) {
        const Oid types[] = {bind_standalone(*table.cycle_value, "CYCLE")->type,
                             bind_standalone(*table.cycle_default, "CYCLE")->type};
        mark_type = select_common_type(types, "CYCLE", environment_.session().types);
        require_order(mark_type, "equality", table.position);
    }
    if (search) add(table.search_set, table.search_breadth ? type::record : type::record_array);
    if (cycle) add(table.cycle_mark, mark_type), add(table.cycle_path, type::record_array);
    BoundQuery step = query(*syntax.right, true);
    scope_ = before;
    commons_ = outer;
    if (start.columns.size() != step.columns.size())
        raise_at(sqlstate::syntax_error, "each UNION query must have the same number of columns", table.position);
    for (std::size_t i = 0; i < start.columns.size(); ++i) {
        const Oid types[] = {start.columns[i].type, step.columns[i].type};
        const Oid common = select_common_type(types, "UNION", environment_.session().types);
        const bool typmod_differs = start.columns[i].typmod != k_no_typmod &&
                                    step.columns[i].typmod != start.columns[i].typmod &&
                                    common == start.columns[i].type;
        if (common != start.columns[i].type || typmod_differs)
            raise_at(sqlstate::datatype_mismatch,
                     "recursive query \"" + scope.name + "\" column " + std::to_string(i + 1) + " has type " +
                         format_type(start.columns[i].type, start.columns[i].typmod, environment_.session().types) +
                         " in non-recursive term but type " +
                         format_type(common, typmod_differs ? k_no_typmod : step.columns[i].typmod,
                                     environment_.session().types) +
                         " overall",
                     table.position, {}, "Cast the output of the non-recursive term to the correct type.");
        coerce_output(step, i, common, k_no_typmod, table.position);
    }
    if (search || cycle) search_and_cycle(table, start, step, columns, scope.working_columns);
    Plan* plan = pool_.plan(PlanKind::recursive_union);
    const auto exact = [&](BoundQuery& branch) {
        std::vector<PlanColumn> out;
        for (const OutputColumn& column : branch.columns) {
            BoundExpr* value = pool_.expr(BoundKind::column, column.type);
            value->column = column.id;
            out.push_back({pool_.column(), value});
        }
        return project(branch.plan, std::move(out));
    };
    plan->left = exact(start);
    plan->right = exact(step);
    plan->all = syntax.all;
    plan->working_table = scope.working_table;
    plan->round = scope.round;
    plan->rows = plan->left->rows * 10;
    for (OutputColumn& column : columns) {
        column.id = pool_.column();
        note_declared(column.id, column.declared);
        plan->output.push_back(column.id);
        if (!plan->all) require_order(column.type, "equality", table.position);
    }
    scope.working_table = -1;
    scope.common->plan = plan;
    scope.common->columns = columns;
    commons_ = &scope;
}

/// The names in SEARCH and CYCLE: columns that exist, once each, and new ones that do not exist yet.
void Binder::check_search_and_cycle(const syntax::CommonTable& table, const std::vector<OutputColumn>& columns) {
    const bool search = !table.search_set.empty();
    const bool cycle = !table.cycle_mark.empty();
    if (!search && !cycle) return;
    const syntax::Query& query = *table.body->query;
    for (const syntax::Query* side : {query.left, query.right})
        if (side->kind == syntax::QueryKind::set_operation)
            raise_at(sqlstate::feature_not_supported,
                     std::string("with a SEARCH or CYCLE clause, the ") + (side == query.left ? "left" : "right") +
                         " side of the UNION must be a SELECT",
                     table.position);
    const auto exists = [&](syntax::Name name) {
        return std::any_of(columns.begin(), columns.end(), [&](const OutputColumn& c) { return c.name == name; });
    };
    const auto given = [&](const syntax::List<syntax::Name>& names, const std::string& clause) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::string column = clause + " column \"" + std::string(names[i]) + "\" ";
            if (!exists(names[i]))
                raise_at(sqlstate::syntax_error, column + "not in WITH query column list", table.position);
            if (std::find(names.begin(), names.begin() + i, names[i]) != names.begin() + i)
                raise_at(sqlstate::duplicate_column, column + "specified more than once", table.position);
        }
    };
    const auto fresh = [&](syntax::Name name, const char* what) {
        if (exists(name))
            raise_at(sqlstate::syntax_error,
                     std::string(what) + " column name \"" + std::string(name) +
                         "\" already used in WITH query column list",
                     table.position);
    };
    const auto distinct = [&](syntax::Name a, const char* what_a, syntax::Name b, const char* what_b) {
        if (a == b)
            raise_at(sqlstate::syntax_error,
                     std::string(what_a) + " column name and " + what_b + " column name are the same",
                     table.position);
    };
    if (search) {
        given(table.search_columns, "search");
        fresh(table.search_set, "search sequence");
    }
    if (cycle) {
        given(table.cycle_columns, "cycle");
        fresh(table.cycle_mark, "cycle mark");
        fresh(table.cycle_path, "cycle path");
        distinct(table.cycle_mark, "cycle mark", table.cycle_path, "cycle path");
    }
    if (search && cycle) {
        distinct(table.search_set, "search sequence", table.cycle_mark, "cycle mark");
        distinct(table.search_set, "search sequence", table.cycle_path, "cycle path");
    }
}

/// SEARCH adds a column to order by, CYCLE a mark and the path to here; both are maintained in the two branches.
void Binder::search_and_cycle(const syntax::CommonTable& table, BoundQuery& start, BoundQuery& step,
                              std::vector<OutputColumn>& columns, const std::vector<OutputColumn>& working) {
    const auto place_of = [&](syntax::Name name) {
        std::size_t place = 0;
        while (columns[place].name != name) ++place;
        return place;
    };
    const auto value_of = [&](const OutputColumn& column) {
        BoundExpr* value = pool_.expr(BoundKind::column, column.type);
        value->column = column.id;
        return value;
    };
    const auto row_of = [&](const BoundQuery& branch, const syntax::List<syntax::Name>& names) {
        BoundExpr* row = pool_.expr(BoundKind::row, type::record);
        for (const syntax::Name name : names) row->args.push_back(value_of(branch.columns[place_of(name)]));
        return row;
    };
    // The columns of the working table that the step reads: its scan is below the step, its ids are there.
    std::vector<ColumnId> scanned;
    std::vector<Plan*> stack = {step.plan};
    while (!stack.empty()) {
        Plan* plan = stack.back();
        stack.pop_back();
        if (plan->kind == PlanKind::working_scan) scanned = plan->output;
        if (plan->left != nullptr) stack.push_back(plan->left);
        if (plan->right != nullptr) stack.push_back(plan->right);
    }
    if (scanned.size() != working.size())
        raise_at(sqlstate::feature_not_supported, "SEARCH and CYCLE need the recursive reference in FROM",
                 table.position);
    const std::size_t plain = columns.size();
    const auto before = [&](std::size_t extra) {
        OutputColumn column = working[plain + extra];
        column.id = scanned[plain + extra];
        return column;
    };
    // What the step's operators pass up must include the extra columns of the working table.
    const auto pass_up = [&](auto&& self, Plan* plan) -> bool {
        if (plan->kind == PlanKind::working_scan) return true;
        const bool below = (plan->left != nullptr && self(self, plan->left)) ||
                           (plan->right != nullptr && self(self, plan->right));
        if (!below) return false;
        for (std::size_t i = plain; i < scanned.size(); ++i) {
            if (produces(*plan, scanned[i])) continue;
            plan->output.push_back(scanned[i]);
            if (plan->kind == PlanKind::project) {
                BoundExpr* value = pool_.expr(BoundKind::column, working[i].type);
                value->column = scanned[i];
                plan->columns.push_back({scanned[i], value});
            }
        }
        return true;
    };
    pass_up(pass_up, step.plan);
    const auto extend = [&](BoundQuery& branch, std::vector<BoundExpr*> extra, std::vector<BoundExpr*> conditions) {
        if (!conditions.empty()) {
            Plan* filter = pool_.plan(PlanKind::filter);
            filter->left = branch.plan;
            filter->output = branch.plan->output;
            filter->conditions = std::move(conditions);
            branch.plan = filter;
        }
        std::vector<PlanColumn> out;
        for (const OutputColumn& column : branch.columns) out.push_back({column.id, value_of(column)});
        for (std::size_t i = 0; i < extra.size(); ++i) {
            OutputColumn column = working[plain + i];
            column.id = pool_.column();
            out.push_back({column.id, extra[i]});
            branch.columns.push_back(column);
        }
        branch.plan = project(branch.plan, out);
    };
    std::vector<BoundExpr*> first, next, conditions;
    std::size_t extra = 0;
    if (!table.search_set.empty()) {
        const OutputColumn old = before(extra++);
        if (table.search_breadth) {
            BoundExpr* depth_first = row_of(start, table.search_columns);
            depth_first->args.insert(depth_first->args.begin(), constant(Value::int8(0), 0));
            first.push_back(depth_first);
            BoundExpr* depth_next = row_of(step, table.search_columns);
            BoundExpr* depth = pool_.expr(BoundKind::field, type::int8);
            depth->number = 0;
            depth->args = {value_of(old)};
            depth_next->args.insert(depth_next->args.begin(),
                                    make_operation("+", depth, constant(Value::int8(1), 0), 0));
            next.push_back(depth_next);
        } else {
            BoundExpr* path = pool_.expr(BoundKind::array, type::record_array);
            path->args = {row_of(start, table.search_columns)};
            first.push_back(path);
            next.push_back(make_call("array_append", {value_of(old), row_of(step, table.search_columns)}, 0));
        }
    }
    if (!table.cycle_mark.empty()) {
        const OutputColumn mark = before(extra++);
        const OutputColumn path = before(extra++);
        BoundExpr* value = table.cycle_value == nullptr ? constant(Value::boolean(true), 0)
                                                        : coerce(bind_standalone(*table.cycle_value, "CYCLE"),
                                                                 mark.type, k_no_typmod, CastContext::implicit, 0);
        BoundExpr* none = table.cycle_default == nullptr ? constant(Value::boolean(false), 0)
                                                         : coerce(bind_standalone(*table.cycle_default, "CYCLE"),
                                                                  mark.type, k_no_typmod, CastContext::implicit, 0);
        first.push_back(none);
        BoundExpr* start_path = pool_.expr(BoundKind::array, type::record_array);
        start_path->args = {row_of(start, table.cycle_columns)};
        first.push_back(start_path);
        BoundExpr* here = row_of(step, table.cycle_columns);
        BoundExpr* seen = pool_.expr(BoundKind::quantified, type::boolean);
        seen->operation = resolve_operator("=", type::record, type::record, environment_.session().types).entry;
        seen->args = {here, value_of(path)};
        BoundExpr* is_cycle = pool_.expr(BoundKind::case_when, mark.type);
        is_cycle->args = {seen, value, none};
        next.push_back(is_cycle);
        next.push_back(make_call("array_append", {value_of(path), here}, 0));
        conditions.push_back(make_operation("<>", value_of(mark), value, 0));
    }
    extend(start, std::move(first), {});
    extend(step, std::move(next), std::move(conditions));
    for (std::size_t i = plain; i < working.size(); ++i) columns.push_back(working[i]);
}

}  // namespace northstar::inline v0::sql
