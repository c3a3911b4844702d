// INSERT, UPDATE, DELETE, MERGE: targets, assignments, RETURNING.
#include "sql/bind/binder.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_change_file {

/// Whether `names` are those of a view that has no default of its own for a column: to an UPDATE that is NULL, while an
/// INSERT takes what the table has.
bool lacks_default(const Catalog& catalog, const Relation& names, std::string_view column) {
    const auto view = catalog.relation(names.schema, names.name);
    if (view == nullptr || view->kind != RelationKind::view) return false;
    for (const Column& candidate : view->columns)
        if (candidate.name == column) return candidate.default_text.empty();
    return false;
}

}  // namespace bind_change_file

BoundChange* Binder::bind_change(const syntax::Statement& statement) {
    const syntax::DataChange& change = *statement.change;
    if (change.time.system.kind != syntax::RangeKind::none || !points_.empty() ||
        environment_.default_point() != nullptr)
        raise(sqlstate::read_only_sql_transaction, "cannot change data AS OF a point in the past");
    if (change.time.valid.kind != syntax::RangeKind::none)
        raise_at(sqlstate::feature_not_supported, "VALID AT cannot be used to change data", change.table.position, {},
                 "Use FOR PORTION OF valid_time FROM .. TO ..");
    CommonTableScope* const commons = commons_;
    Scope* const scope = scope_;
    const ChangeTarget* const target = change_target_;
    const bool outermost = std::exchange(outermost_, false);
    if (change.with != nullptr) bind_with(*change.with, outermost);
    const bool only = std::exchange(only_, change.only);
    const auto heir = std::exchange(heir_, nullptr);
    BoundChange* bound = bind_target_change(statement);
    const bool spreads = statement.kind == syntax::StatementKind::update ||
                         statement.kind == syntax::StatementKind::erase;
    if (spreads && !only_) bind_heirs(statement, *bound);
    only_ = only;
    heir_ = heir;
    outermost_ = outermost;
    scope_ = scope;
    commons_ = commons;
    change_target_ = target;
    return bound;
}

BoundChange* Binder::bind_target_change(const syntax::Statement& statement) {
    const syntax::DataChange& change = *statement.change;
    Scope* const outer = scope_;
    scope_storage_.push_back(std::make_unique<Scope>());
    Scope& own = *scope_storage_.back();
    own.outer = outer;
    own.select = true;
    scope_ = &own;
    BoundChange* bound = nullptr;
    switch (statement.kind) {
        case syntax::StatementKind::insert: bound = insert(change); break;
        case syntax::StatementKind::update: bound = update(change); break;
        case syntax::StatementKind::merge: bound = merge(change); break;
        default: bound = erase(change); break;
    }
    scope_ = outer;
    return bound;
}

ChangeTarget Binder::change_target(const syntax::DataChange& change, const char* verb) {
    if (change.table.parts.size() == 1 && find_common(change.table.last()) != nullptr &&
        find_relation(change.table, environment_.present(), true) == nullptr)
        raise_at(sqlstate::undefined_table,
                 "relation \"" + std::string(change.table.last()) + "\" cannot be the target of a modifying statement",
                 change.table.position);
    auto relation = find_relation(change.table, environment_.present(), true);
    if (relation == nullptr)
        raise_at(sqlstate::undefined_table, relation_message(change.table), change.table.position);
    if (relation->kind == RelationKind::sequence)
        raise_at(sqlstate::wrong_object_type, "cannot change sequence \"" + relation->name + "\"",
                 change.table.position);
    if (relation->kind != RelationKind::table && std::string_view(verb) == "merge into")
        raise_at(sqlstate::feature_not_supported, "cannot execute MERGE on relation \"" + relation->name + "\"",
                 change.table.position,
                 std::string("This operation is not supported for ") +
                     (relation->kind == RelationKind::view ? "views." : "materialized views."));
    if (relation->kind == RelationKind::materialized_view)
        raise_at(sqlstate::wrong_object_type, "cannot change materialized view \"" + relation->name + "\"",
                 change.table.position);
    if (relation->kind == RelationKind::view) return view_target(change, *relation, verb);
    if (relation->is_partition()) return partition_target(std::move(relation));
    if (heir_ != nullptr) return heir_target(std::move(relation));
    ChangeTarget target;
    for (std::size_t i = 0; i < relation->columns.size(); ++i)
        if (!relation->columns[i].dropped) target.order.push_back(static_cast<int>(i));
    target.relation = target.names = std::move(relation);
    return target;
}

int Binder::target_column(const Relation& relation, std::string_view name, std::uint32_t position) {
    int column = relation.find_column(name);
    // A column that a view shows twice is one column.
    if (change_target_ != nullptr && change_target_->names.get() == &relation)
        for (std::size_t i = 0; i < change_target_->shown.size(); ++i)
            if (change_target_->shown[i] >= 0 && change_target_->called[i] == name) column = change_target_->shown[i];
    if (change_target_ != nullptr && change_target_->names.get() == &relation)
        for (const std::string& computed : change_target_->computed)
            if (computed == name)
                raise_at(sqlstate::feature_not_supported,
                         std::string(change_target_->insert ? "cannot insert into" : "cannot update") + " column \"" +
                             computed + "\" of view \"" + relation.name + "\"",
                         position, "View columns that are not columns of their base relation are not updatable.");
    if (column < 0)
        raise_at(sqlstate::undefined_column,
                 "column \"" + std::string(name) + "\" of relation \"" + relation.name + "\" does not exist", position);
    return column;
}

void Binder::twice(const Relation& relation, int place, std::uint32_t position) {
    raise_at(sqlstate::syntax_error,
             "multiple assignments to same column \"" + relation.columns[static_cast<std::size_t>(place)].name + "\"",
             position);
}

void Binder::refuse_generated(const Relation& relation, int column, bool default_value, std::uint32_t position) {
    const Column& target = relation.columns[static_cast<std::size_t>(column)];
    if (!target.generated_text.empty() && !default_value)
        raise_at(sqlstate::generated_always, "column \"" + target.name + "\" can only be updated to DEFAULT", position,
                 "Column \"" + target.name + "\" is a generated column.");
    if (target.identity == 'a' && !default_value)
        raise_at(sqlstate::generated_always, "column \"" + target.name + "\" can only be updated to DEFAULT", position,
                 "Column \"" + target.name + "\" is an identity column defined as GENERATED ALWAYS.");
}

/// Defaults, generated columns and checks, over fresh columns that stand for the row to be stored.
void Binder::prepare_change(BoundChange& change, const Relation* names) {
    const Relation& relation = *change.relation;
    Scope* const scope = std::exchange(scope_, nullptr);
    CommonTableScope* const commons = std::exchange(commons_, nullptr);
    if (change.new_columns.empty())
        for (std::size_t i = 0; i < relation.columns.size(); ++i) change.new_columns.push_back(pool_.column());
    change.defaults.assign(relation.columns.size(), nullptr);
    change.generated.assign(relation.columns.size(), nullptr);
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (column.dropped) continue;
        const Column& named = names == nullptr ? column : names->columns[i];
        if (named.identity != 0 && named.sequence != 0) {
            BoundExpr* next = pool_.expr(BoundKind::sequence_next, column.type);
            next->number = named.sequence;
            change.defaults[i] = next;
        } else if (!named.default_text.empty()) {
            BoundExpr* value = bind_text(named.default_text, relation, {}, "DEFAULT expressions");
            change.defaults[i] = coerce_for_column(value, column, 0);
        } else if (column.domain != 0) {
            const auto domain = environment_.present().catalog->user_type(column.domain);
            if (domain != nullptr && !domain->default_text.empty())
                change.defaults[i] = coerce_for_column(
                    bind_text(domain->default_text, relation, {}, "DEFAULT expressions"), column, 0);
        }
        if (!column.generated_text.empty())
            change.generated[i] = coerce_for_column(
                bind_text(column.generated_text, relation, change.new_columns, "generated columns"), column, 0);
        const Oid declared = column.domain != 0 ? column.domain : column.type;
        if (has_checks(declared)) {
            BoundExpr* value = pool_.expr(BoundKind::column, column.type);
            value->column = change.new_columns[i];
            value->typmod = column.typmod;
            change.domain_checks.emplace_back(static_cast<int>(i), with_checks(value, declared, 0));
        }
        note_declared(change.new_columns[i], column.domain);
    }
    for (const CheckConstraint& check : relation.checks)
        change.checks.emplace_back(check.name,
                                   condition(bind_text(check.text, relation, change.new_columns, "check constraints"),
                                             "CHECK", 0));
    scope_ = scope;
    commons_ = commons;
}

BoundExpr* Binder::bind_over_table(const syntax::Expr& node, const Relation& relation,
                                   const std::vector<ColumnId>& columns, std::string clause) {
    ScopeRelation into;
    into.alias = relation.name;
    into.schema = relation.schema;
    for (std::size_t i = 0; i < relation.columns.size() && i < columns.size(); ++i) {
        const Column& column = relation.columns[i];
        if (!column.dropped)
            into.columns.push_back({column.name, columns[i], column.type, column.typmod, column.hidden, relation.oid,
                                    static_cast<int>(i)});
    }
    Permissions allowed = {clause, clause, clause};
    if (clause != "UPDATE") allowed.subqueries = clause.ends_with('s') ? clause.substr(0, clause.size() - 1) : clause;
    if (clause == "DEFAULT expressions") allowed.columns = allowed.subqueries;
    return bind_over_scope(node, into, std::move(allowed));
}

BoundExpr* Binder::bind_over_scope(const syntax::Expr& node, const ScopeRelation& relation, Permissions allowed) {
    Scope scope;
    scope.select = true;
    scope.allowed = std::move(allowed);
    scope.relations.push_back(relation);
    for (const ScopeColumn& column : relation.columns) scope.columns.push_back({column, 0, true});
    Scope* const before = std::exchange(scope_, &scope);
    BoundExpr* bound = expr(node);
    scope_ = before;
    return bound;
}

BoundExpr* Binder::bind_text(const std::string& text, const Relation& relation, const std::vector<ColumnId>& columns,
                             std::string clause) {
    texts_.push_back(std::make_unique<Arena>());
    const syntax::Expr* parsed = parse_expression(texts_.back()->copy(text), *texts_.back());
    const std::shared_ptr<const Catalog> catalog = environment_.present().catalog;
    const UnderSearchPath stored(environment_, catalog->stored_path());
    try {
        return bind_over_table(*parsed, relation, columns, std::move(clause));
    } catch (SqlError& error) {
        error.edit().position = 0;  // a place in the text of a definition says nothing about this statement
        throw;
    }
}

/// VALUES of one row that calls functions is a SELECT, so that they may return sets.
const syntax::Query& Binder::one_row_as_select(const syntax::Query& query) {
    if (query.kind != syntax::QueryKind::values || query.rows.size() != 1 || !query.order_by.empty() ||
        query.limit != nullptr || query.offset != nullptr || query.with != nullptr)
        return query;
    const auto returns_set = [&](const syntax::Expr* expr) {
        if (expr->kind != syntax::ExprKind::function) return false;
        const auto entries = find_functions(expr->names.back());
        return std::any_of(entries.begin(), entries.end(),
                           [](const FunctionEntry* entry) { return entry->kind == FunctionKind::set; });
    };
    if (std::none_of(query.rows[0].begin(), query.rows[0].end(), returns_set)) return query;
    for (const syntax::Expr* expr : query.rows[0])
        if (expr->kind == syntax::ExprKind::default_value) return query;
    texts_.push_back(std::make_unique<Arena>());
    Arena& arena = *texts_.back();
    syntax::Query* select = arena.create<syntax::Query>();
    select->kind = syntax::QueryKind::select;
    select->position = query.position;
    std::vector<syntax::Target> targets;
    for (const syntax::Expr* expr : query.rows[0]) targets.emplace_back().expr = expr;
    select->targets = syntax::make_list(arena, targets);
    return *select;
}

// ---- INSERT
// ----------------------------------------------------------------------------------------------------------

BoundChange* Binder::insert(const syntax::DataChange& change) {
    BoundChange* bound = pool_.change();
    bound->kind = ChangeKind::insert;
    ChangeTarget into = change_target(change, "insert into");
    into.insert = true;
    change_target_ = &into;
    bound->relation = into.relation;
    const Relation& relation = *into.names;
    bound->overriding_system = change.overriding == syntax::Overriding::system;
    bound->overriding_user = change.overriding == syntax::Overriding::user;
    std::vector<int> targets;
    if (change.columns.empty()) {
        for (const int place : into.shown.empty() ? into.order : into.shown)
            if (place < 0 || !relation.columns[static_cast<std::size_t>(place)].hidden) targets.push_back(place);
    } else {
        for (const syntax::ColumnTarget& column : change.columns) {
            const int place = target_column(relation, column.name, column.position);
            // Parts of a column may be given one by one.
            for (std::size_t i = 0; i < targets.size(); ++i)
                if (targets[i] == place && change.columns[i].name != column.name)
                    twice(relation, place, column.position);
                else if (targets[i] == place && (column.subscripts.empty() || change.columns[i].subscripts.empty()))
                    raise_at(sqlstate::duplicate_column,
                             "column \"" + std::string(column.name) + "\" specified more than once", column.position);
            targets.push_back(place);
        }
    }
    if (change.source == nullptr) {
        bound->source = pool_.plan(PlanKind::single);
        targets.clear();
    } else {
        refuse_into(*change.source);
        const syntax::Query& source = one_row_as_select(*change.source);
        Scope* const own = scope_;
        scope_ = own->outer;
        // Each value goes into its column; parts of columns are put together from rows of one type.
        values_apart_ = source.kind == syntax::QueryKind::values &&
                        std::none_of(change.columns.begin(), change.columns.end(),
                                     [](const syntax::ColumnTarget& column) { return !column.subscripts.empty(); });
        BoundQuery rows = query(source, false);
        values_apart_ = false;
        scope_ = own;
        if (rows.columns.size() > targets.size())
            raise_at(sqlstate::syntax_error, "INSERT has more expressions than target columns", source.position);
        if (rows.columns.size() < targets.size() && !change.columns.empty())
            raise_at(sqlstate::syntax_error, "INSERT has more target columns than expressions", source.position);
        targets.resize(rows.columns.size());
        if (change.columns.empty())
            for (std::size_t i = 0; i < targets.size(); ++i)
                if (targets[i] >= 0 && std::find(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(i),
                                                 targets[i]) != targets.begin() + static_cast<std::ptrdiff_t>(i))
                    twice(relation, targets[i], change.table.position);
        if (std::find(targets.begin(), targets.end(), -1) != targets.end())
            target_column(relation, into.computed[0], change.table.position);
        bound->source = rows.plan;
        const bool constant_rows = source.kind == syntax::QueryKind::values && rows.plan->kind == PlanKind::values;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const Column& column = relation.columns[static_cast<std::size_t>(targets[i])];
            ColumnAssignment assignment;
            assignment.column = targets[i];
            const bool part = i < change.columns.size() && !change.columns[i].subscripts.empty();
            if (part) {
                insert_part(change.columns[i], targets[i], column, rows, i, *bound);
                continue;
            }
            const auto is_default_here = [&](const auto& row) { return row[i]->kind == BoundKind::default_value; };
            if (constant_rows &&
                std::all_of(rows.plan->value_rows.begin(), rows.plan->value_rows.end(), is_default_here)) {
                // Nothing but DEFAULT: the column is as if it had not been named.
                if (!column.generated_text.empty() && !column.default_text.empty())
                    raise_at(sqlstate::generated_always,
                             "cannot insert a non-DEFAULT value into column \"" + column.name + "\"", source.position,
                             "Column \"" + column.name + "\" is a generated column.");
                for (auto& row : rows.plan->value_rows) row[i] = constant(Value::null(column.type), 0);
                continue;
            }
            if (constant_rows) {
                // Each value is coerced where it stands, so that literals are read as the column's type.
                for (auto& row : rows.plan->value_rows) {
                    BoundExpr*& value = row[i];
                    const bool is_default = value->kind == BoundKind::default_value;
                    if (!is_default) value = coerce_for_column(value, column, value->position);
                    if (!is_default) continue;
                    if (column.identity != 0 && bound->overriding_user) {
                        value = constant(Value::null(column.type), 0);  // the sequence is asked below, for every row
                        continue;
                    }
                    // DEFAULT among several rows: its expression stands in the row.
                    BoundChange defaults;
                    defaults.relation = bound->relation;
                    prepare_change(defaults, into.names.get());
                    value = defaults.defaults[static_cast<std::size_t>(targets[i])] != nullptr
                                ? defaults.defaults[static_cast<std::size_t>(targets[i])]
                                : constant(Value::null(column.type), 0);
                }
                if (!column.generated_text.empty())
                    raise_at(sqlstate::generated_always,
                             "cannot insert a non-DEFAULT value into column \"" + column.name + "\"", source.position,
                             "Column \"" + column.name + "\" is a generated column.");
                BoundExpr* value = pool_.expr(BoundKind::column, column.type);
                value->column = rows.columns[i].id;
                value->typmod = column.typmod;
                assignment.value = value;
            } else {
                if (!column.generated_text.empty())
                    raise_at(sqlstate::generated_always,
                             "cannot insert a non-DEFAULT value into column \"" + column.name + "\"", source.position,
                             "Column \"" + column.name + "\" is a generated column.");
                if (rows.columns[i].type == type::unknown) coerce_output(rows, i, column.type, k_no_typmod, 0);
                BoundExpr* value = pool_.expr(BoundKind::column, rows.columns[i].type);
                value->column = rows.columns[i].id;
                value->typmod = rows.columns[i].typmod;
                assignment.value = coerce_for_column(value, column, source.position);
            }
            if (column.identity == 'a' && !bound->overriding_system && !bound->overriding_user)
                raise_at(sqlstate::generated_always,
                         "cannot insert a non-DEFAULT value into column \"" + column.name + "\"", source.position,
                         "Column \"" + column.name + "\" is an identity column defined as GENERATED ALWAYS.",
                         "Use OVERRIDING SYSTEM VALUE to override.");
            if (column.identity != 0 && bound->overriding_user) continue;
            bound->assignments.push_back(assignment);
        }
        bound->source = rows.plan;
    }
    prepare_change(*bound, into.names.get());
    check_option(into, *bound);
    if (change.conflict.present) conflict(change, into, *bound);
    returning(change, into, *bound);
    return bound;
}

// ---- UPDATE and DELETE
// -----------------------------------------------------------------------------------------------

/// WHERE CURRENT OF: the row whose key the cursor has.
BoundExpr* Binder::on_cursor(const syntax::DataChange& syntax, const ChangeTarget& target, const BoundChange& change) {
    if (target.levels.size() > (target.partition != nullptr ? 1u : 0u))
        raise_at(sqlstate::feature_not_supported, "WHERE CURRENT OF on a view is not implemented",
                 syntax.table.position);
    environment_.depends_on_moment();
    BoundExpr* key = pool_.expr(BoundKind::column, type::bytea);
    key->column = change.row_key;
    const std::string row = environment_.cursor_row(syntax.current_of, *target.relation);
    return make_comparison("=", key, constant(Value::bytes(type::bytea, pool_.arena().copy(row)), 0), 0);
}

Plan* Binder::target_scan(BoundChange& change, const syntax::DataChange& syntax, const ChangeTarget& target,
                          ScopeRelation& relation) {
    relation.alias = syntax.alias.empty() ? target.names->name : std::string(syntax.alias);
    relation.schema = syntax.alias.empty() ? target.names->schema : "";
    Plan* plan = scan(change.relation, environment_.present(), relation);
    change.old_columns.assign(change.relation->columns.size(), k_no_column);
    for (const ScanColumn& column : plan->scan_columns)
        change.old_columns[static_cast<std::size_t>(column.place)] = column.id;
    change.row_key = pool_.column();
    plan->scan_columns.push_back({hidden_row_key, change.row_key});
    plan->output.push_back(change.row_key);
    if (target.parent != nullptr) relation.relation = target.parent;
    // ONLY what is divided has no rows but those of its partitions.
    const Relation& named = target.partition != nullptr ? *target.partition : *target.relation;
    if (syntax.only && named.is_partitioned()) plan->conditions.push_back(constant(Value::boolean(false), 0));
    const bool same_columns = target.levels.empty() && target.parent == nullptr;
    if (same_columns && syntax.current_of.empty()) return plan;
    if (!same_columns) {
        relation.columns.clear();
        change_columns(target, change.old_columns, relation);
    }
    Plan* filter = pool_.plan(PlanKind::filter);
    filter->left = plan;
    filter->output = plan->output;
    if (!syntax.current_of.empty()) filter->conditions.push_back(on_cursor(syntax, target, change));
    for (const ChangeTarget::Level& level : target.levels)
        if (level.where != nullptr)
            split_conjuncts(condition(bind_level(level, change.old_columns), "WHERE", level.where->position),
                            filter->conditions);
    return filter->conditions.empty() ? plan : filter;
}

void Binder::assignments(const syntax::List<syntax::Assignment>& list, const Relation& relation,
                         std::vector<ColumnAssignment>& out, const ScopeRelation* target) {
    const auto add = [&](int column, BoundExpr* value, const syntax::Assignment& item) {
        const Column& definition = relation.columns[static_cast<std::size_t>(column)];
        if (value->kind == BoundKind::default_value && item.subscripts.empty() &&
            bind_change_file::lacks_default(*environment_.present().catalog, relation, definition.name))
            value = null_constant(item.position);
        const bool is_default = value->kind == BoundKind::default_value;
        refuse_generated(relation, column, is_default, item.position);
        for (ColumnAssignment& other : out)
            if (other.column == column && item.subscripts.empty())
                raise_at(sqlstate::syntax_error, "multiple assignments to same column \"" + definition.name + "\"",
                         item.position);
        if (!item.subscripts.empty()) {
            if (is_default)
                raise_at(sqlstate::feature_not_supported, default_of_part(*item.subscripts.back()), item.position);
            // SET a[1] = .., a[2] = ..: the second assignment goes on from the first.
            for (ColumnAssignment& other : out)
                if (other.column == column) {
                    other.value = assigned_part(item.subscripts, 0, other.value, definition, value, item.position);
                    return;
                }
            BoundExpr* old = nullptr;
            for (const ScopeColumn& candidate : target->columns)
                if (candidate.place == column) old = column_of(candidate, item.position);
            out.push_back({column, assigned_part(item.subscripts, 0, old, definition, value, item.position)});
            return;
        }
        out.push_back({column, is_default ? nullptr : coerce_for_column(value, definition, item.position)});
    };
    for (const syntax::Assignment& item : list) {
        std::vector<int> columns;
        for (const syntax::Name name : item.columns) columns.push_back(target_column(relation, name, item.position));
        if (!item.row) {
            add(columns[0], expr(*item.value), item);
            continue;
        }
        const syntax::Expr& source = *item.value;
        if (source.kind == syntax::ExprKind::row || columns.size() == 1) {
            std::vector<BoundExpr*> values;
            if (source.kind == syntax::ExprKind::row) values = expand_arguments(source.args);
            else values.push_back(expr(source));
            if (values.size() != columns.size())
                raise_at(sqlstate::syntax_error, "number of columns does not match number of values", item.position);
            for (std::size_t i = 0; i < columns.size(); ++i) add(columns[i], values[i], item);
            continue;
        }
        if (source.kind != syntax::ExprKind::scalar_query)
            raise_at(sqlstate::feature_not_supported,
                     "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
                     item.position);
        BoundQuery inner = query(*source.query, true);
        if (inner.columns.size() != columns.size())
            raise_at(sqlstate::syntax_error, "number of columns does not match number of values", item.position);
        BoundExpr* record = pool_.expr(BoundKind::scalar_query, type::record);
        BoundExpr* row = pool_.expr(BoundKind::row, type::record);
        for (const OutputColumn& column : inner.columns) {
            BoundExpr* value = pool_.expr(BoundKind::column, column.type);
            value->column = column.id;
            row->args.push_back(value);
        }
        record->subquery = project(inner.plan, {{pool_.column(), row}});
        for (std::size_t i = 0; i < columns.size(); ++i) {
            BoundExpr* field = pool_.expr(BoundKind::field, inner.columns[i].type);
            field->typmod = inner.columns[i].typmod;
            field->number = static_cast<std::int64_t>(i);
            field->args = {record};
            add(columns[i], field, item);
        }
    }
}

/// The rows of the target with what FROM or USING adds, as far as WHERE holds.
Plan* Binder::joined_and_filtered(const syntax::DataChange& change, Plan* plan, const ScopeRelation& target) {
    syntax::FromItem none;
    add_relation(target, none);
    if (!change.from.empty()) {
        scope_->allowed = {"FROM", "FROM", "FROM"};
        scope_->relations[0].lateral_refused = true;
        Plan* from = from_list(change.from);
        scope_->relations[0].lateral_refused = false;
        Plan* join = pool_.plan(PlanKind::join);
        join->left = plan;
        join->right = from;
        join->output = plan->output;
        join->output.insert(join->output.end(), from->output.begin(), from->output.end());
        plan = join;
    }
    if (change.where != nullptr) {
        scope_->allowed = {"WHERE", "WHERE", "WHERE"};
        Plan* filter = pool_.plan(PlanKind::filter);
        filter->left = plan;
        filter->output = plan->output;
        split_conjuncts(condition(expr(*change.where), "WHERE", change.where->position), filter->conditions);
        plan = filter;
    }
    return plan;
}

BoundChange* Binder::update(const syntax::DataChange& change) {
    BoundChange* bound = pool_.change();
    bound->kind = ChangeKind::update;
    const ChangeTarget into = change_target(change, "update");
    change_target_ = &into;
    bound->relation = into.relation;
    ScopeRelation target;
    Plan* plan = target_scan(*bound, change, into, target);
    bind_portion(*bound, change, plan, target);
    plan = joined_and_filtered(change, plan, target);
    scope_->allowed = {"UPDATE", "UPDATE", "UPDATE"};
    assignments(change.assignments, *into.names, bound->assignments, &scope_->relations[0]);
    scope_->allowed = {};
    bound->source = plan;
    prepare_change(*bound, into.names.get());
    check_option(into, *bound);
    returning(change, into, *bound);
    return bound;
}

BoundChange* Binder::erase(const syntax::DataChange& change) {
    BoundChange* bound = pool_.change();
    bound->kind = ChangeKind::erase;
    bound->redact = change.redact;
    const ChangeTarget into = change_target(change, "delete from");
    change_target_ = &into;
    bound->relation = into.relation;
    ScopeRelation target;
    Plan* plan = target_scan(*bound, change, into, target);
    bind_portion(*bound, change, plan, target);
    plan = joined_and_filtered(change, plan, target);
    scope_->allowed = {};
    bound->source = plan;
    if (change.reason != nullptr)
        bound->reason = coerce(bind_standalone(*change.reason, "REASON"), type::text, k_no_typmod,
                               CastContext::assignment, change.reason->position);
    if (bound->portion.present) prepare_change(*bound);
    else for (std::size_t i = 0; i < bound->relation->columns.size(); ++i) bound->new_columns.push_back(pool_.column());
    returning(change, into, *bound);
    return bound;
}

/// RETURNING sees the row as stored (or as deleted) under the table's name, and what FROM and USING joined.
void Binder::returning(const syntax::DataChange& change, const ChangeTarget& into, BoundChange& bound) {
    if (change.returning.empty()) return;
    const bool has_target = !scope_->relations.empty();
    ScopeRelation target;
    target.alias = change.alias.empty() ? into.names->name : std::string(change.alias);
    target.schema = change.alias.empty() ? into.names->schema : "";
    change_columns(into, bound.new_columns, target);
    target.stored = bound.new_columns;
    target.stored_in = bound.relation->oid;
    for (const ScopeColumn& column : target.columns) note_scope(column.id, scope_);
    if (has_target) {
        std::size_t at = 0;
        for (VisibleColumn& column : scope_->columns)
            if (column.relation == 0 && at < target.columns.size()) column.column = target.columns[at++];
        scope_->relations[0] = target;
    } else {
        syntax::FromItem none;
        add_relation(target, none);
    }
    scope_->allowed = {"RETURNING", "RETURNING", "RETURNING"};
    returning_of_ = bound.kind == ChangeKind::insert ? &bound : nullptr;
    const std::vector<TargetItem> items = targets(change.returning);
    returning_of_ = nullptr;
    for (const TargetItem& item : items) {
        BoundExpr* value = resolve_unknown(item.expr);
        bound.returning.push_back(value);
        OutputColumn column;
        column.name = item.name;
        column.type = value->type;
        column.typmod = value->typmod;
        column.id = pool_.column();
        column.declared = declared_type(*value);
        bound.returning_columns.push_back(std::move(column));
    }
    scope_->allowed = {};
}

// ---- MERGE
// -----------------------------------------------------------------------------------------------------------

BoundChange* Binder::merge(const syntax::DataChange& change) {
    BoundChange* bound = pool_.change();
    bound->kind = ChangeKind::merge;
    const ChangeTarget into = change_target(change, "merge into");
    change_target_ = &into;
    bound->relation = into.relation;
    const Relation& relation = *into.names;
    ScopeRelation target;
    Plan* plan = target_scan(*bound, change, into, target);
    bind_portion(*bound, change, plan, target);
    scope_->allowed = {"FROM", "FROM", "FROM"};
    Plan* source = from_list(change.from);
    syntax::FromItem none;
    if (!scope_->relations.empty())
        for (const ScopeRelation& other : scope_->relations)
            if (other.alias == target.alias)
                raise_at(sqlstate::duplicate_alias, "name \"" + target.alias + "\" specified more than once",
                         change.table.position,
                         "The name is used both as MERGE target table and data source.");
    target.nullable = true;
    add_relation(target, none);
    scope_->allowed = {"MERGE", "MERGE", "MERGE"};
    Plan* join = pool_.plan(PlanKind::join);
    join->join = JoinType::left;
    join->left = source;
    join->right = plan;
    join->output = source->output;
    join->output.insert(join->output.end(), plan->output.begin(), plan->output.end());
    split_conjuncts(condition(expr(*change.where), "JOIN/ON", change.where->position), join->conditions);
    bound->source = join;
    bool unconditional[2] = {false, false};
    const std::size_t target_place = scope_->relations.size() - 1;
    for (const syntax::MergeAction& action : change.merge_actions) {
        if (unconditional[action.matched ? 1 : 0])
            raise_at(sqlstate::syntax_error, "unreachable WHEN clause specified after unconditional WHEN clause",
                     action.position);
        MergeBranch branch;
        branch.matched = action.matched;
        branch.action = static_cast<MergeBranch::Action>(action.kind);
        // A row that matched nothing has no target to look at.
        scope_->relations[target_place].visible = action.matched;
        if (action.condition != nullptr)
            split_conjuncts(condition(expr(*action.condition), "WHEN", action.condition->position), branch.condition);
        else
            unconditional[action.matched ? 1 : 0] = true;
        if (action.kind == syntax::MergeAction::Kind::update)
            assignments(action.assignments, relation, branch.assignments, &scope_->relations[target_place]);
        if (action.kind == syntax::MergeAction::Kind::insert && !action.default_values) {
            std::vector<int> columns;
            if (action.columns.empty()) {
                for (const int place : into.order)
                    if (!relation.columns[static_cast<std::size_t>(place)].hidden) columns.push_back(place);
            } else {
                for (const syntax::Name name : action.columns) {
                    columns.push_back(target_column(relation, name, action.position));
                    if (std::find(columns.begin(), columns.end() - 1, columns.back()) != columns.end() - 1)
                        raise_at(sqlstate::duplicate_column,
                                 "column \"" + std::string(name) + "\" specified more than once", action.position);
                }
            }
            const std::vector<BoundExpr*> values = expand_arguments(action.values);
            if (values.size() > columns.size())
                raise_at(sqlstate::syntax_error, "INSERT has more expressions than target columns", action.position);
            if (values.size() < columns.size() && !action.columns.empty())
                raise_at(sqlstate::syntax_error, "INSERT has more target columns than expressions", action.position);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const Column& column = relation.columns[static_cast<std::size_t>(columns[i])];
                if (values[i]->kind == BoundKind::default_value) continue;
                if (column.identity != 0 && action.overriding == syntax::Overriding::user) continue;
                if (!column.generated_text.empty() ||
                    (column.identity == 'a' && action.overriding != syntax::Overriding::system))
                    raise_at(sqlstate::generated_always,
                             "cannot insert a non-DEFAULT value into column \"" + column.name + "\"", action.position);
                branch.assignments.push_back({columns[i], coerce_for_column(values[i], column, action.position)});
            }
        }
        bound->branches.push_back(std::move(branch));
    }
    scope_->relations[target_place].visible = true;
    prepare_change(*bound, into.names.get());
    check_option(into, *bound);
    return bound;
}

}  // namespace northstar::inline v0::sql
