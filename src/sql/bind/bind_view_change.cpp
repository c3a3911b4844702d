// Changes through views: a view over one table whose columns are that table's columns stands for the table, under its
// own names and restricted by its condition. The rules are those of PostgreSQL's manual, page CREATE VIEW, "Updatable
// Views".
#include "sql/bind/binder.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_view_change {

/// Why a view cannot be changed; empty: nothing in its text forbids it.
std::string obstacle(const syntax::Query& query) {
    const char* const no = " are not automatically updatable.";
    if (query.distinct || !query.distinct_on.empty()) return std::string("Views containing DISTINCT") + no;
    if (!query.group_by.empty()) return std::string("Views containing GROUP BY") + no;
    if (query.having != nullptr) return std::string("Views containing HAVING") + no;
    if (query.kind == syntax::QueryKind::set_operation)
        return std::string("Views containing UNION, INTERSECT, or EXCEPT") + no;
    if (query.with != nullptr) return std::string("Views containing WITH") + no;
    if (query.limit != nullptr || query.offset != nullptr) return std::string("Views containing LIMIT or OFFSET") + no;
    if (query.kind != syntax::QueryKind::select || query.from.size() != 1 ||
        query.from[0]->kind != syntax::FromKind::table)
        return std::string("Views that do not select from a single table or view") + no;
    if (!query.from[0]->sample_method.empty()) return std::string("Views containing TABLESAMPLE") + no;
    return {};
}

/// The same of what only binding shows.
std::string obstacle(const Plan* plan) {
    const char* const no = " are not automatically updatable.";
    for (; plan != nullptr; plan = plan->left) {
        if (plan->kind == PlanKind::aggregate) return std::string("Views that return aggregate functions") + no;
        if (plan->kind == PlanKind::window) return std::string("Views that return window functions") + no;
        if (plan->kind == PlanKind::project_set) return std::string("Views that return set-returning functions") + no;
    }
    return {};
}

/// Gives the columns of a view's source the names that the view knows them by; `order`, the places of the source's
/// columns, loses those that came later.
void call_as_then(const Relation& view, const Relation& source, const syntax::FromItem& item, Relation& seen,
                  ChangeTarget& target) {
    std::vector<int>& order = target.order;
    const auto then = std::find_if(view.names.begin(), view.names.end(), [&](const NamedRelation& each) {
        return each.oid == source.oid && each.schema == item.table.schema() && each.name == item.table.last();
    });
    if (then == view.names.end()) return;
    seen.name = then->name;
    std::size_t kept = 0;
    for (std::size_t number = 0; number < source.columns.size() && kept < order.size(); ++number) {
        if (source.columns[number].dropped) continue;
        if (number >= then->columns.size()) break;
        target.called[kept] = then->columns[number];
        const int place = order[kept++];
        if (place >= 0) seen.columns[static_cast<std::size_t>(place)].name = then->columns[number];
    }
    for (std::size_t i = kept; i < order.size(); ++i)
        if (order[i] >= 0) seen.columns[static_cast<std::size_t>(order[i])].name.clear();
    order.resize(kept);
    target.called.resize(kept);
}

}  // namespace bind_view_change

/// Columns of the target under the names that the statement sees, each with its id.
void Binder::change_columns(const ChangeTarget& target, const std::vector<ColumnId>& ids, ScopeRelation& into) {
    if (target.parent != nullptr && target.levels.empty()) into.relation = target.parent;
    else if (target.levels.empty()) into.relation = target.relation;
    else if (target.partition != nullptr && target.levels.size() == 1) into.relation = target.partition;
    std::shared_ptr<ScopeRelation> source;
    for (std::size_t i = 0; i < target.order.size(); ++i) {
        const int place = target.order[i];
        if (place >= 0) {
            const Column& column = target.names->columns[static_cast<std::size_t>(place)];
            into.columns.push_back({target.called.empty() ? column.name : target.called[i],
                                    ids[static_cast<std::size_t>(place)], column.type, column.typmod, column.hidden,
                                    target.relation->oid, place});
            continue;
        }
        if (target.source == nullptr || target.values[i] == nullptr) continue;
        if (source == nullptr) {
            source = std::make_shared<ScopeRelation>();
            source_columns(*target.source, ids, *source);
        }
        ScopeColumn column{target.called[i], k_no_column, target.types[i]};
        column.computed = std::make_shared<ComputedColumn>(ComputedColumn{target.values[i], source});
        into.columns.push_back(std::move(column));
    }
}

/// What a view reads, as its own expressions see it.
void Binder::source_columns(const ChangeTarget& source, const std::vector<ColumnId>& ids, ScopeRelation& into) {
    change_columns(source, ids, into);
    into.relation = nullptr;
    into.alias = source.names->name;
    into.schema = source.names->schema;
}

/// The condition of a view or partition over the columns of its table.
BoundExpr* Binder::bind_level(const ChangeTarget::Level& level, const std::vector<ColumnId>& ids) {
    if (level.source == nullptr) return bind_over_table(*level.where, *level.names, ids, "UPDATE");
    ScopeRelation relation;
    source_columns(*level.source, ids, relation);
    return bind_over_scope(*level.where, relation, {"WHERE", "WHERE", "WHERE"});
}

/// WITH CHECK OPTION: conditions that a new row must meet.
void Binder::check_option(const ChangeTarget& target, BoundChange& bound) {
    if (target.partition != nullptr) {
        bound.partition_name = target.partition->name;
        bound.partition_check =
            condition(bind_text(partition_condition(*environment_.present().catalog, *target.partition,
                                                    OfRest::by_directory),
                                *target.relation, bound.new_columns, "partition bounds"),
                      "WHERE", 0);
    }
    bool cascaded = false;
    for (std::size_t i = target.levels.size(); i-- > 0;) {
        const ChangeTarget::Level& level = target.levels[i];
        if (level.check_option != 0 && bound.view_name.empty()) bound.view_name = level.view;
        cascaded = cascaded || level.check_option == 2;
        if (level.where != nullptr && (cascaded || level.check_option != 0))
            bound.view_checks.push_back(
                condition(bind_level(level, bound.new_columns), "WHERE", 0));
    }
}

ChangeTarget Binder::view_target(const syntax::DataChange& change, const Relation& view, const char* verb) {
    const auto refuse = [&](const std::string& detail) {
        raise_at(sqlstate::object_not_in_prerequisite_state,
                 std::string("cannot ") + verb + " view \"" + view.name + "\"", change.table.position, detail);
    };
    const BoundQuery bound = view_query(view.query, environment_.present(), change.table.position, &view.names);
    texts_.push_back(std::make_unique<Arena>());
    const syntax::Query& query = *parse_query(texts_.back()->copy(view.query), *texts_.back());
    if (const std::string detail = bind_view_change::obstacle(query); !detail.empty()) refuse(detail);
    if (const std::string detail = bind_view_change::obstacle(bound.plan); !detail.empty()) refuse(detail);
    const syntax::FromItem& item = *query.from[0];
    const std::vector<NamedRelation>* const names_before = std::exchange(names_then_, &view.names);
    const auto source = find_relation(item.table, environment_.present(), true);
    names_then_ = names_before;
    ChangeTarget inner;
    if (source != nullptr && source->kind == RelationKind::table && item.time.system.kind == syntax::RangeKind::none) {
        only_ = item.only;
        if (source->is_partition()) {
            inner = partition_target(source);
        } else if (heir_ != nullptr) {
            inner = heir_target(source);
        } else {
            inner.relation = inner.names = source;
            for (std::size_t i = 0; i < source->columns.size(); ++i)
                if (!source->columns[i].dropped) inner.order.push_back(static_cast<int>(i));
        }
    } else if (source != nullptr && source->kind == RelationKind::view) {
        inner = view_target(change, *source, verb);
    } else {
        refuse("Views that do not select from a single table or view are not automatically updatable.");
    }

    if (inner.relation->hidden_valid_time || !change.portion.period.empty())
        raise_at(sqlstate::feature_not_supported, "valid time cannot be changed through a view",
                 change.table.position);

    // What the view's own condition sees: its source, under the alias.
    auto seen = std::make_shared<Relation>(*inner.names);
    if (inner.called.empty())
        for (const int place : inner.order) inner.called.push_back(seen->columns[static_cast<std::size_t>(place)].name);
    bind_view_change::call_as_then(view, *source, item, *seen, inner);
    if (!item.alias.empty()) seen->name = item.alias;
    for (std::size_t i = 0; i < item.column_aliases.size() && i < inner.order.size(); ++i) {
        inner.called[i] = item.column_aliases[i];
        if (inner.order[i] >= 0)
            seen->columns[static_cast<std::size_t>(inner.order[i])].name = item.column_aliases[i];
    }
    inner.names = seen;
    const auto read = std::make_shared<const ChangeTarget>(inner);

    ChangeTarget target;
    target.relation = inner.relation;
    target.partition = inner.partition;
    // What a column of the source shows, -1: what is computed there.
    const auto place_of = [&](std::string_view name) {
        const auto found = std::find(inner.called.begin(), inner.called.end(), name);
        if (found == inner.called.end()) return -1;
        const std::size_t i = static_cast<std::size_t>(found - inner.called.begin());
        return inner.shown.empty() ? inner.order[i] : inner.shown[i];
    };
    std::vector<int> places;
    for (const syntax::Target& output : query.targets) {
        if (output.expr->kind == syntax::ExprKind::star) {
            for (std::size_t i = 0; i < inner.called.size(); ++i) {
                places.push_back(inner.shown.empty() ? inner.order[i] : inner.shown[i]);
                syntax::Expr* column = texts_.back()->create<syntax::Expr>();
                column->kind = syntax::ExprKind::column;
                const std::vector<syntax::Name> names = {texts_.back()->copy(inner.called[i])};
                column->names = syntax::make_list(*texts_.back(), names);
                target.values.push_back(column);
            }
            continue;
        }
        places.push_back(output.expr->kind == syntax::ExprKind::column ? place_of(output.expr->names.back()) : -1);
        target.values.push_back(output.expr);
    }
    auto names = std::make_shared<Relation>(*inner.relation);
    names->name = view.name;
    names->schema = view.schema;
    for (std::size_t i = 0; i < names->columns.size(); ++i) {
        Column& column = names->columns[i];
        column.dropped = true;
        column.default_text = inner.names->columns[i].default_text;
        column.identity = inner.names->columns[i].identity;
        column.sequence = inner.names->columns[i].sequence;
    }
    for (std::size_t i = 0; i < view.columns.size() && i < places.size(); ++i) {
        const int place = places[i];
        const bool before = place >= 0 && !names->columns[static_cast<std::size_t>(place)].dropped;
        target.order.push_back(before ? -1 : place);
        target.shown.push_back(place);
        target.called.push_back(view.columns[i].name);
        target.types.push_back(view.columns[i].type);
        if (place < 0) target.computed.push_back(view.columns[i].name);
        if (place < 0 && !view.columns[i].default_text.empty() && std::string_view(verb) == "insert into")
            raise_at(sqlstate::feature_not_supported,
                     "cannot insert into column \"" + view.columns[i].name + "\" of view \"" + view.name + "\"",
                     change.table.position,
                     "View columns that are not columns of their base relation are not updatable.");
        if (place < 0 || before) continue;
        Column& column = names->columns[static_cast<std::size_t>(place)];
        column.dropped = false;
        column.name = view.columns[i].name;
        if (view.columns[i].default_text.empty()) continue;
        column.default_text = view.columns[i].default_text;  // a view's own default comes before the table's
        column.identity = 0;
        column.sequence = 0;
    }
    if (target.computed.size() == target.order.size())
        refuse("Views that have no updatable columns are not automatically updatable.");
    target.names = names;
    target.levels = inner.levels;
    target.levels.push_back({seen, query.where, view.name, view.check_option, read});
    target.source = read;
    return target;
}

}  // namespace northstar::inline v0::sql
