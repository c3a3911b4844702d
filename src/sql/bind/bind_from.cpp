// FROM: tables and views at their point in time, subqueries, functions, joins.
#include "sql/bind/binder.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <tuple>

namespace northstar::inline v0::sql {

Plan* Binder::from_list(const syntax::List<const syntax::FromItem*>& items) {
    if (items.empty()) {
        Plan* plan = pool_.plan(PlanKind::single);
        plan->rows = 1;
        return plan;
    }
    Plan* plan = nullptr;
    for (const syntax::FromItem* item : items) {
        const std::size_t first = scope_->relations.size();
        // Items further left are visible in LATERAL items only.
        std::vector<bool> visible;
        const bool lateral = item->lateral || item->kind == syntax::FromKind::function ||
                             item->kind == syntax::FromKind::rows_from || item->kind == syntax::FromKind::join;
        for (ScopeRelation& relation : scope_->relations) {
            visible.push_back(relation.visible);
            if (!lateral) relation.visible = false;
        }
        Plan* right = from_item(*item);
        for (std::size_t i = 0; i < first; ++i) scope_->relations[i].visible = visible[i];
        check_duplicate_aliases(0, first, item->position);
        if (plan == nullptr) {
            plan = right;
            continue;
        }
        Plan* join = pool_.plan(PlanKind::join);
        join->left = plan;
        join->right = right;
        join->output = plan->output;
        join->output.insert(join->output.end(), right->output.begin(), right->output.end());
        join->rows = plan->rows * right->rows;
        if (lateral)
            for (const ColumnId id : free_columns(*right)) join->lateral |= produces(*plan, id);
        plan = join;
    }
    return plan;
}

Plan* Binder::from_item(const syntax::FromItem& item) {
    switch (item.kind) {
        case syntax::FromKind::table: return from_table(item);
        case syntax::FromKind::query: return from_query(item);
        case syntax::FromKind::function:
        case syntax::FromKind::rows_from: return from_function(item);
        case syntax::FromKind::join: return from_join(item);
    }
    return nullptr;
}

/// Relations from `first` on against those from `middle` on: both sides of a join, or of a comma. Names inside of a
/// join that has a name itself are not seen from outside, and may be those of others.
void Binder::check_duplicate_aliases(std::size_t first, std::size_t middle, std::uint32_t position) {
    const std::vector<ScopeRelation>& all = scope_->relations;
    for (std::size_t i = middle; i < all.size(); ++i)
        for (std::size_t k = first; k < middle; ++k)
            if (!all[i].alias.empty() && all[k].alias == all[i].alias &&
                (all[k].schema == all[i].schema || all[k].schema.empty() || all[i].schema.empty()))
                raise_at(sqlstate::duplicate_alias, "table name \"" + all[i].alias + "\" specified more than once",
                         position);
}

void Binder::apply_aliases(ScopeRelation& relation, const syntax::FromItem& item) {
    if (!item.alias.empty()) {
        relation.alias = item.alias;
        relation.schema.clear();
    }
    std::size_t visible = 0;
    for (const ScopeColumn& column : relation.columns) visible += column.hidden ? 0 : 1;
    if (item.column_aliases.size() > visible)
        raise_at(sqlstate::invalid_column_reference,
                 "table \"" + relation.alias + "\" has " + std::to_string(visible) + " columns available but " +
                     std::to_string(item.column_aliases.size()) + " columns specified",
                 item.position);
    std::size_t at = 0;
    for (ScopeColumn& column : relation.columns)
        if (!column.hidden && at < item.column_aliases.size()) column.name = item.column_aliases[at++];
}

/// What a view calls a relation, if that is being bound, and notes of what the query itself calls it.
void Binder::call_as_then(ScopeRelation& relation, const syntax::FromItem& item) {
    const Relation& named = *relation.relation;
    const auto same = [&](const NamedRelation& each) {
        return each.oid == named.oid && each.schema == item.table.schema() && each.name == item.table.last();
    };
    if (notes_names_ && view_depth_ == 0 && std::none_of(named_.begin(), named_.end(), same)) {
        NamedRelation& now = named_.emplace_back();
        now.oid = named.oid;
        now.schema = item.table.schema();
        now.name = item.table.last();
        for (const Column& column : named.columns) now.columns.push_back(column.name);
    }
    if (names_then_ == nullptr) return;
    const auto then = std::find_if(names_then_->begin(), names_then_->end(), same);
    if (then == names_then_->end()) return;
    relation.alias = then->name;
    if (!then->schema.empty()) relation.schema = then->schema;
    for (ScopeColumn& column : relation.columns) {
        if (column.place < 0) continue;
        const bool later = static_cast<std::size_t>(column.place) >= then->columns.size();
        column.name = later ? std::string() : then->columns[static_cast<std::size_t>(column.place)];
        column.hidden = column.hidden || later;
    }
}

void Binder::add_relation(ScopeRelation relation, const syntax::FromItem& item) {
    if (relation.relation != nullptr && !item.table.parts.empty()) call_as_then(relation, item);
    apply_aliases(relation, item);
    if (relation.scan != nullptr) relation.scan->alias = item.alias;
    for (const ScopeColumn& column : relation.columns) {
        note_scope(column.id, scope_);
        scope_->columns.push_back({column, scope_->relations.size(), !column.hidden});
    }
    scope_->relations.push_back(std::move(relation));
}

std::shared_ptr<const Relation> Binder::find_relation(const syntax::QualifiedName& name, ReadPoint& point,
                                                      bool missing_ok) {
    const Catalog& catalog = *point.catalog;
    const std::string_view last = name.last();
    if (names_then_ != nullptr)
        for (const NamedRelation& then : *names_then_)
            if (then.name == last && then.schema == name.schema())
                if (auto found = catalog.relation(then.oid)) return found;
    if (!name.schema().empty()) {
        const std::string_view schema = name.schema();
        if (const auto found = catalog.relation(schema, last)) return found;
        if (!missing_ok && !catalog.has_schema(schema) && schema != k_temporary_schema && schema != "pg_catalog" &&
            schema != "information_schema" && schema != "sys")
            raise_at(sqlstate::invalid_schema_name, "schema \"" + std::string(schema) + "\" does not exist",
                     name.position);
    } else {
        for (const std::string& schema : environment_.search_path())
            if (const auto found = catalog.relation(schema, last)) return found;
    }
    if (missing_ok) return nullptr;
    raise_at(sqlstate::undefined_table, relation_message(name), name.position);
}

std::string Binder::relation_message(const syntax::QualifiedName& name) const {
    std::string full;
    for (std::size_t i = name.parts.size() > 2 ? 1 : 0; i < name.parts.size(); ++i)
        full.append(full.empty() ? "" : ".").append(name.parts[i]);
    return "relation \"" + full + "\" does not exist";
}

// ---- tables
// ----------------------------------------------------------------------------------------------------------

Plan* Binder::scan(std::shared_ptr<const Relation> relation, ReadPoint& point, ScopeRelation& into, Oid partition) {
    Plan* plan = pool_.plan(PlanKind::scan);
    plan->relation = relation;
    plan->point = &point;
    plan->rows = std::max<double>(1, point.row_count(relation->tree(), relation->temporary));
    into.relation = relation;
    into.scan = plan;
    for (std::size_t i = 0; i < relation->columns.size(); ++i) {
        const Column& column = relation->columns[i];
        if (column.dropped) continue;
        const ColumnId id = pool_.column();
        plan->scan_columns.push_back({static_cast<int>(i), id});
        plan->output.push_back(id);
        note_declared(id, column.domain);
        into.columns.push_back({column.name, id, column.type, column.typmod, column.hidden, relation->oid,
                                static_cast<int>(i)});
    }
    bind_index_terms(*plan, partition);
    return plan;
}

Plan* Binder::from_table(const syntax::FromItem& item) {
    if (item.table.parts.size() == 1)
        if (CommonTableScope* common = find_common(item.table.last())) return from_common(item, *common);
    VersionRange versions;
    ReadPoint& point = point_of(item.time, versions);
    const std::shared_ptr<const Relation> relation = find_relation(item.table, point, true);
    if (relation == nullptr) {
        const int number = environment_.find_virtual_table(item.table.schema(), item.table.last());
        if (number < 0) {
            if (item.table.parts.size() == 1)
                for (const CommonTableScope* common = commons_; common != nullptr; common = common->outer)
                    if (common->forbidden && common->name == item.table.last())
                        raise_at(sqlstate::undefined_table, relation_message(item.table), item.table.position,
                                 "There is a WITH item named \"" + common->name +
                                     "\", but it cannot be referenced from this part of the query.",
                                 "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.");
            raise_at(sqlstate::undefined_table, relation_message(item.table), item.table.position);
        }
        const VirtualTable& table = environment_.virtual_table(number);
        if (!table.query.empty()) return from_system_view(item, table, point);
        Plan* plan = pool_.plan(PlanKind::virtual_scan);
        plan->virtual_table = number;
        plan->alias = item.alias;
        plan->point = &point;
        ScopeRelation into;
        into.alias = table.name;
        into.schema = table.schema;
        for (const OutputColumn& column : table.columns) {
            const ColumnId id = pool_.column();
            plan->output.push_back(id);
            into.columns.push_back({column.name, id, column.type});
        }
        if (table.oid != 0) {
            const ColumnId id = pool_.column();
            plan->output.push_back(id);
            into.columns.push_back({"tableoid", id, type::oid, k_no_typmod, true});
        }
        add_relation(std::move(into), item);
        return plan;
    }
    if (relation->kind == RelationKind::view) return from_view(item, *relation, point);
    if (relation->kind == RelationKind::sequence) {
        Plan* plan = pool_.plan(PlanKind::virtual_scan);
        plan->relation = relation;
        plan->point = &point;
        ScopeRelation into;
        into.alias = relation->name;
        const std::pair<const char*, Oid> columns[] = {
            {"last_value", type::int8}, {"log_cnt", type::int8}, {"is_called", type::boolean}};
        for (const auto& [name, type] : columns) {
            const ColumnId id = pool_.column();
            plan->output.push_back(id);
            into.columns.push_back({name, id, type});
        }
        add_relation(std::move(into), item);
        return plan;
    }
    if (!relation->populated && !definition_only_)
        raise_at(sqlstate::object_not_in_prerequisite_state,
                 "materialized view \"" + relation->name + "\" has not been populated", item.position, {},
                 "Use the REFRESH MATERIALIZED VIEW command.");
    ScopeRelation into;
    into.alias = relation->name;
    into.schema = relation->schema;
    Plan* plan = relation->is_partition() ? partition_scan(relation, point, into) : scan(relation, point, into);
    // A table that is divided has no rows but those of its partitions.
    if (item.only && relation->is_partitioned()) plan->conditions.push_back(constant(Value::boolean(false), 0));
    plan->versions = versions;
    filter_valid_time(*plan, into, item.time.valid);
    if (!item.sample_method.empty()) {
        if (item.sample_method != "bernoulli" && item.sample_method != "system")
            raise_at(sqlstate::undefined_object,
                     "tablesample method " + std::string(item.sample_method) + " does not exist", item.position);
        BoundExpr* percent = coerce(bind_standalone(*item.sample_arguments[0], "TABLESAMPLE"), type::float8,
                                    k_no_typmod, CastContext::assignment, item.position);
        Arena arena;
        const Value value = environment_.evaluate(*percent, arena);
        if (value.is_null() || !(value.real() >= 0 && value.real() <= 100))
            raise_at(SqlState("2202H"), "sample percentage must be between 0 and 100", item.position);
        plan->sample = value.real();
        if (item.sample_seed != nullptr) {
            BoundExpr* seed = coerce(bind_standalone(*item.sample_seed, "TABLESAMPLE"), type::float8, k_no_typmod,
                                     CastContext::assignment, item.position);
            const Value given = environment_.evaluate(*seed, arena);
            if (given.is_null()) raise_at(SqlState("2202G"), "TABLESAMPLE REPEATABLE parameter cannot be null",
                                          item.position);
            plan->sample_seed = static_cast<std::int64_t>(given.real() * 1000);
        }
    }
    if (!item.only && relation->kind == RelationKind::table) plan = with_heirs(plan, point, into);
    add_relation(std::move(into), item);
    return plan;
}

/// The query of a view, which sees nothing of the statement around it.
BoundQuery Binder::view_query(const std::string& text, ReadPoint& point, std::uint32_t position,
                              const std::vector<NamedRelation>* names) {
    if (++view_depth_ > 100) raise_at(sqlstate::statement_too_complex, "views are nested too deeply", position);
    texts_.push_back(std::make_unique<Arena>());
    const syntax::Query* parsed = parse_query(texts_.back()->copy(text), *texts_.back());
    Scope* const scope = std::exchange(scope_, nullptr);
    CommonTableScope* const commons = std::exchange(commons_, nullptr);
    const std::vector<NamedRelation>* const names_before = std::exchange(names_then_, names);
    const bool own_point = &point != &environment_.present();
    if (own_point) points_.push_back(&point);
    const std::shared_ptr<const Catalog> catalog = point.catalog;
    const UnderSearchPath stored(environment_, catalog->stored_path());
    BoundQuery result = query(*parsed, true);
    if (own_point) points_.pop_back();
    scope_ = scope;
    commons_ = commons;
    names_then_ = names_before;
    --view_depth_;
    return result;
}

Plan* Binder::from_system_view(const syntax::FromItem& item, const VirtualTable& view, ReadPoint& point) {
    const BoundQuery result = view_query(view.query, point, item.position);
    ScopeRelation into;
    into.alias = view.name;
    into.schema = view.schema;
    for (const OutputColumn& column : result.columns)
        into.columns.push_back({column.name, column.id, column.type, column.typmod});
    Plan* plan = result.plan;
    if (view.oid != 0) {  // a table to PostgreSQL
        std::vector<PlanColumn> columns;
        for (ScopeColumn& column : into.columns) {
            columns.push_back({pool_.column(), column_of(column, item.position)});
            column.id = columns.back().id;
        }
        columns.push_back({pool_.column(), constant(Value::integer(type::oid, view.oid), item.position)});
        into.columns.push_back({"tableoid", columns.back().id, type::oid, k_no_typmod, true});
        plan = project(plan, std::move(columns));
    }
    add_relation(std::move(into), item);
    return plan;
}

/// What FOR UPDATE and its kin ask of an item, for all that it reads.
Binder::LockingClauses Binder::locking_of(const syntax::FromItem& item) const {
    LockingClauses found;
    if (locking_ == nullptr) return found;
    const std::string_view name = item.alias.empty() && !item.table.parts.empty() ? item.table.last() : item.alias;
    for (syntax::LockingClause clause : *locking_) {
        const bool named = std::any_of(clause.of.begin(), clause.of.end(),
                                       [&](const syntax::LockedName& of) { return of.name == name; });
        if (!named && !clause.of.empty()) continue;
        clause.of = {};
        found.push_back(clause);
    }
    return found;
}

Plan* Binder::from_view(const syntax::FromItem& item, const Relation& view, ReadPoint& point) {
    const bool own_valid_time = item.time.valid.kind != syntax::RangeKind::none;
    if (own_valid_time) valids_.push_back(&item.time.valid);
    handed_locking_ = locking_of(item);
    for (syntax::LockingClause& clause : handed_locking_) clause.of_view = true;
    const BoundQuery result = view_query(view.query, point, item.position, &view.names);
    if (own_valid_time) valids_.pop_back();
    ScopeRelation into;
    into.alias = view.name;
    into.schema = view.schema;
    for (std::size_t i = 0; i < result.columns.size() && i < view.columns.size(); ++i) {
        const OutputColumn& column = result.columns[i];
        into.columns.push_back({view.columns[i].name, column.id, column.type, column.typmod, false, view.oid,
                                static_cast<int>(i), column.fields});
    }
    into.relation = point.catalog->relation(view.oid);
    add_relation(std::move(into), item);
    return result.plan;
}

Plan* Binder::from_query(const syntax::FromItem& item) {
    // Without LATERAL a subquery sees what the enclosing queries see, not its neighbours; those are hidden by the
    // caller.
    refuse_into(*item.query);
    Scope* const outer = scope_;
    const bool own_time = item.time.system.kind != syntax::RangeKind::none;
    VersionRange versions;
    if (own_time) {
        ReadPoint& point = point_of(item.time, versions);
        if (versions.present)
            raise_at(sqlstate::feature_not_supported, "a range of system time needs a table", item.position);
        points_.push_back(&point);
    }
    const bool own_valid_time = item.time.valid.kind != syntax::RangeKind::none;
    if (own_valid_time) valids_.push_back(&item.time.valid);
    handed_locking_ = locking_of(item);
    const BoundQuery result = query(*item.query, true);
    if (own_valid_time) valids_.pop_back();
    if (own_time) points_.pop_back();
    scope_ = outer;
    ScopeRelation into;
    into.alias = item.alias;
    into.subquery = true;
    for (const OutputColumn& column : result.columns)
        into.columns.push_back(
            {column.name, column.id, column.type, column.typmod, false, column.table, column.column, column.fields});
    add_relation(std::move(into), item);
    return result.plan;
}

/// The calls of one FROM item: unnest(a, b) there is ROWS FROM (unnest(a), unnest(b)).
std::vector<Binder::FromCall> Binder::from_calls(const syntax::FromItem& item) {
    std::vector<FromCall> calls;
    for (std::size_t i = 0; i < item.functions.size(); ++i) {
        const syntax::Expr* const node = item.functions[i];
        const auto columns = item.function_columns.empty() ? item.column_definitions : item.function_columns[i];
        const bool several = node->kind == syntax::ExprKind::function && !node->names.empty() &&
                             node->names.back() == "unnest" && node->args.size() > 1;
        if (!several) {
            calls.push_back({node, columns});
            continue;
        }
        texts_.push_back(std::make_unique<Arena>());
        for (const syntax::Expr* arg : node->args) {
            syntax::Expr* one = texts_.back()->create<syntax::Expr>(*node);
            one->args = syntax::make_list(*texts_.back(), std::vector<const syntax::Expr*>{arg});
            calls.push_back({one, columns});
        }
    }
    return calls;
}

Plan* Binder::from_function(const syntax::FromItem& item) {
    if (Plan* past = temporal_function(item)) return past;
    Plan* plan = pool_.plan(PlanKind::function_scan);
    plan->alias = item.alias;
    ScopeRelation into;
    std::vector<PlanColumn> columns_above;  // what is declared with domains is checked
    bool checked = false;
    const TypeCatalog* types = environment_.session().types;
    const std::vector<FromCall> functions = from_calls(item);
    for (const auto& [node, definitions] : functions) {
        const std::string name = target_name(*node);
        if (into.alias.empty()) into.alias = name;
        const Permissions before = scope_->allowed;
        const std::size_t sets = scope_->set_functions.size();
        scope_->allowed.sets.clear();
        scope_->allowed.aggregates = "functions in FROM";
        scope_->allowed.windows = "functions in FROM";
        // The call itself may return a set; calls inside its arguments may not.
        BoundExpr* call = expr(*node);
        scope_->allowed = before;
        // Columns are checked below, each on its own.
        if (call->kind == BoundKind::check_parts) call = call->args[0];
        if (scope_->set_functions.size() > sets) {
            if (scope_->set_functions.size() > sets + 1 || call->kind != BoundKind::column ||
                call->column != scope_->set_functions.back().id)
                raise_at(sqlstate::feature_not_supported,
                         "set-returning functions must appear at top level of FROM", node->position);
            call = scope_->set_functions.back().call;
            scope_->set_functions.pop_back();
        }
        Plan::ScanCall scan_call;
        scan_call.call = resolve_unknown(call);
        std::vector<ScopeColumn> columns;
        const bool record = call->type == type::record;
        if (!definitions.empty()) {
            const bool has_columns = record && call->function != nullptr && call->function->columns[0] != '\0';
            if (!record || has_columns)
                raise_at(sqlstate::syntax_error,
                         has_columns ? "a column definition list is redundant for a function with OUT parameters"
                                     : "a column definition list is only allowed for functions returning \"record\"",
                         item.position);
            if (item.ordinality && item.function_columns.empty())
                raise_at(sqlstate::syntax_error, "WITH ORDINALITY cannot be used with a column definition list",
                         item.position);
            for (const syntax::ColumnDefinition& definition : definitions) {
                const TypeMeaning meaning = resolve_type(*definition.type);
                columns.push_back({std::string(definition.name), pool_.column(), meaning.type, meaning.typmod});
                note_declared(columns.back().id, meaning.domain);
                scan_call.call->fields.push_back(
                    {pool_.arena().copy(definition.name), meaning.type, meaning.typmod, meaning.domain});
            }
            scan_call.expand_record = true;
        } else if (call->function != nullptr && call->function->columns[0] != '\0') {
            for (const FieldInfo& field : result_fields(*call->function))
                columns.push_back({std::string(field.name), pool_.column(), field.type});
            // One column that is no record has its name whatever the alias is.
            into.scalar = columns.size() == 1 && !record && functions.size() == 1 && !item.ordinality;
        } else if (!types->fields(call->type).empty()) {
            for (const FieldInfo& field : types->fields(call->type)) {
                columns.push_back({std::string(field.name), pool_.column(), field.type, field.typmod});
                note_declared(columns.back().id, field.domain);
            }
            scan_call.expand_record = true;
        } else if (record && call->function != nullptr && call->function->result == type::record) {
            raise_at(sqlstate::syntax_error,
                     "a column definition list is required for functions returning \"record\"", item.position);
        } else {
            const std::string column_name =
                !item.alias.empty() && functions.size() == 1 ? std::string(item.alias) : name;
            columns.push_back({column_name, pool_.column(), call->type, call->typmod});
            note_declared(columns.back().id, declared_type(*call));
            into.scalar = functions.size() == 1 && !item.ordinality;
        }
        scan_call.column_count = columns.size();
        for (ScopeColumn& column : columns) {
            plan->output.push_back(column.id);
            BoundExpr* value = column_of(column, node->position);
            const Oid declared = declared_type(*value) != 0 ? declared_type(*value) : column.type;
            if (scan_call.expand_record && has_checks(declared)) {
                value = with_checks(value, declared, node->position);
                column.id = pool_.column();
                note_declared(column.id, declared);
                checked = true;
            }
            columns_above.push_back({column.id, value});
            into.columns.push_back(std::move(column));
        }
        plan->calls.push_back(scan_call);
    }
    if (item.ordinality) {
        const ColumnId id = pool_.column();
        plan->ordinality = true;
        plan->output.push_back(id);
        into.columns.push_back({"ordinality", id, type::int8});
        columns_above.push_back({id, column_of(into.columns.back(), item.position)});
    }
    if (item.kind == syntax::FromKind::rows_from && into.alias.empty()) into.alias = "rows from";
    plan->rows = 1000;
    add_relation(std::move(into), item);
    return checked ? project(plan, std::move(columns_above)) : plan;
}

// ---- joins
// -----------------------------------------------------------------------------------------------------------

Plan* Binder::from_join(const syntax::FromItem& item) {
    using syntax::JoinKind;
    const std::size_t before_relations = scope_->relations.size();
    const std::size_t before_columns = scope_->columns.size();
    Plan* left = from_item(*item.left);
    const std::size_t left_relations = scope_->relations.size();
    const std::size_t left_columns = scope_->columns.size() - before_columns;
    const bool lateral_right = item.right->lateral || item.right->kind == syntax::FromKind::function ||
                               item.right->kind == syntax::FromKind::rows_from ||
                               item.right->kind == syntax::FromKind::join;
    std::vector<std::pair<bool, bool>> seen_before;
    const bool keeps_left = item.join != JoinKind::right && item.join != JoinKind::full;
    for (std::size_t i = 0; i < left_relations; ++i) {
        ScopeRelation& relation = scope_->relations[i];
        seen_before.emplace_back(relation.visible, relation.lateral_refused);
        if (!lateral_right) relation.visible = false;
        if (!keeps_left && i >= before_relations) relation.lateral_refused = true;
    }
    Plan* right = from_item(*item.right);
    for (std::size_t i = 0; i < left_relations; ++i)
        std::tie(scope_->relations[i].visible, scope_->relations[i].lateral_refused) = seen_before[i];
    check_duplicate_aliases(before_relations, left_relations, item.position);
    Plan* join = pool_.plan(PlanKind::join);
    join->left = left;
    join->right = right;
    join->rows = std::max(left->rows, right->rows);
    join->output = left->output;
    join->output.insert(join->output.end(), right->output.begin(), right->output.end());
    for (const ColumnId id : free_columns(*right)) join->lateral |= produces(*left, id);
    const bool keeps_right = item.join != JoinKind::left && item.join != JoinKind::full;
    for (std::size_t i = before_relations; i < scope_->relations.size(); ++i)
        if (i < left_relations ? !keeps_left : !keeps_right) scope_->relations[i].nullable = true;
    // Only what is joined here is visible in ON.
    std::vector<bool> outside;
    for (std::size_t i = 0; i < before_relations; ++i) {
        outside.push_back(scope_->relations[i].visible);
        scope_->relations[i].visible = false;
    }
    const std::size_t right_columns = scope_->columns.size() - before_columns - left_columns;
    std::vector<std::string> names;
    if (item.natural) {
        for (std::size_t i = 0; i < left_columns; ++i) {
            const VisibleColumn& column = scope_->columns[before_columns + i];
            if (!column.star) continue;
            for (std::size_t k = 0; k < right_columns; ++k) {
                const VisibleColumn& other = scope_->columns[before_columns + left_columns + k];
                if (other.star && other.column.name == column.column.name) {
                    names.push_back(column.column.name);
                    break;
                }
            }
        }
    } else {
        for (const syntax::Name name : item.using_columns) names.emplace_back(name);
    }
    if (item.on != nullptr) {
        const Permissions before = std::exchange(scope_->allowed, {"JOIN conditions", "JOIN conditions",
                                                                   "JOIN conditions"});
        split_conjuncts(condition(expr(*item.on), "JOIN/ON", item.on->position), join->conditions);
        scope_->allowed = before;
    }
    switch (item.join) {
        case JoinKind::inner:
        case JoinKind::cross: join->join = JoinType::inner; break;
        case JoinKind::left: join->join = JoinType::left; break;
        case JoinKind::full: join->join = JoinType::full; break;
        case JoinKind::right:
            join->join = JoinType::left;
            std::swap(join->left, join->right);
            break;
    }
    Plan* result = join;
    if (!names.empty()) {
        join_using(item, *join, left_columns, right_columns, names);
        if (item.join == JoinKind::full) {
            // The merged columns are computed above the join.
            std::vector<PlanColumn> columns;
            for (const ColumnId id : join->output) {
                BoundExpr* column = pool_.expr(BoundKind::column, 0);
                column->column = id;
                for (const ScopeRelation& relation : scope_->relations)
                    for (const ScopeColumn& known : relation.columns)
                        if (known.id == id) column->type = known.type;
                columns.push_back({id, column});
            }
            for (std::size_t i = 0; i < names.size(); ++i) {
                VisibleColumn& merged = scope_->columns[before_columns + i];
                BoundExpr* either = pool_.expr(BoundKind::coalesce, merged.column.type);
                const std::vector<BoundExpr*>& sides =
                    join->conditions[join->conditions.size() - names.size() + i]->args;
                either->args = {common_coerce(sides[0], merged.column.type, item.position),
                                common_coerce(sides[1], merged.column.type, item.position)};
                columns.push_back({merged.column.id, either});
            }
            result = project(join, columns);
        }
    }
    for (std::size_t i = 0; i < before_relations; ++i) scope_->relations[i].visible = outside[i];
    if (!item.alias.empty()) {
        // (a JOIN b) AS j: the joined tables can be named through j only.
        ScopeRelation into;
        into.alias = item.alias;
        for (std::size_t i = before_columns; i < scope_->columns.size(); ++i)
            if (scope_->columns[i].star) into.columns.push_back(scope_->columns[i].column);
        scope_->columns.resize(before_columns);
        for (std::size_t i = before_relations; i < scope_->relations.size(); ++i) {
            scope_->relations[i].visible = false;
            scope_->relations[i].alias.clear();
        }
        add_relation(std::move(into), item);
    }
    return result;
}

void Binder::join_using(const syntax::FromItem& item, Plan& join, std::size_t left_columns, std::size_t right_columns,
                        std::vector<std::string> names) {
    using syntax::JoinKind;
    const std::size_t first = scope_->columns.size() - left_columns - right_columns;
    std::vector<VisibleColumn> left(scope_->columns.begin() + static_cast<std::ptrdiff_t>(first),
                                    scope_->columns.begin() + static_cast<std::ptrdiff_t>(first + left_columns));
    std::vector<VisibleColumn> right(scope_->columns.begin() + static_cast<std::ptrdiff_t>(first + left_columns),
                                     scope_->columns.end());
    std::vector<VisibleColumn> merged;
    ScopeRelation using_alias;
    for (auto name = names.begin(); name != names.end(); ++name)
        if (!item.natural && std::find(names.begin(), name, *name) != name)
            raise_at(sqlstate::duplicate_column,
                     "column name \"" + *name + "\" appears more than once in USING clause", item.position);
    for (const std::string& name : names) {
        const auto find = [&](std::vector<VisibleColumn>& side, const char* which) -> VisibleColumn& {
            VisibleColumn* found = nullptr;
            for (VisibleColumn& column : side) {
                if (column.column.name != name || !column.star) continue;
                if (found != nullptr)
                    raise_at(sqlstate::ambiguous_column,
                             "common column name \"" + name + "\" appears more than once in " + which + " table",
                             item.position);
                found = &column;
            }
            if (found == nullptr)
                raise_at(sqlstate::undefined_column,
                         "column \"" + name + "\" specified in USING clause does not exist in " + which + " table",
                         item.position);
            return *found;
        };
        VisibleColumn& a = find(left, "left");
        VisibleColumn& b = find(right, "right");
        const Oid types[] = {a.column.type, b.column.type};
        const Oid common = select_common_type(types, "JOIN/USING", environment_.session().types);
        join.conditions.push_back(make_comparison("=", column_of(a.column, item.position),
                                                  column_of(b.column, item.position), item.position));
        const bool takes_right =
            item.join == JoinKind::right ||
            (item.join == JoinKind::inner && a.column.type != common && b.column.type == common);
        VisibleColumn both = takes_right ? b : a;
        if (item.join == JoinKind::full) {
            both.column.id = pool_.column();
            both.column.merged = nullptr;
            note_scope(both.column.id, scope_);
        } else if (both.column.type != common) {
            both.column.merged = common_coerce(column_of(both.column, item.position), common, item.position);
            both.column.id = k_no_column;
        }
        both.column.typmod = a.column.type == b.column.type && a.column.typmod == b.column.typmod ? a.column.typmod
                                                                                                  : k_no_typmod;
        both.column.type = common;
        merged.push_back(both);
        a.star = b.star = false;
        a.column.name.clear();  // found through its table only
        b.column.name.clear();
        using_alias.columns.push_back(both.column);
    }
    std::vector<VisibleColumn> all = merged;
    all.insert(all.end(), left.begin(), left.end());
    all.insert(all.end(), right.begin(), right.end());
    scope_->columns.resize(first);
    scope_->columns.insert(scope_->columns.end(), all.begin(), all.end());
    if (!item.join_using_alias.empty()) {
        using_alias.alias = item.join_using_alias;
        scope_->relations.push_back(std::move(using_alias));
        check_duplicate_aliases(0, scope_->relations.size() - 1, item.position);
    }
}

}  // namespace northstar::inline v0::sql
