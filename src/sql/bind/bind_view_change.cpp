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
                  std::vector<int>& order) {
    const auto then = std::find_if(view.names.begin(), view.names.end(), [&](const NamedRelation& each) {
        return each.oid == source.oid && each.schema == item.table.schema() && each.name == item.table.last();
    });
    if (then == view.names.end()) return;
    seen.name = then->name;
    std::size_t kept = 0;
    for (std::size_t number = 0; number < source.columns.size() && kept < order.size(); ++number) {
        if (source.columns[number].dropped) continue;
        if (number >= then->columns.size()) break;
        const int place = order[kept++];
        if (place >= 0) seen.columns[static_cast<std::size_t>(place)].name = then->columns[number];
    }
    for (std::size_t i = kept; i < order.size(); ++i)
        if (order[i] >= 0) seen.columns[static_cast<std::size_t>(order[i])].name.clear();
    order.resize(kept);
}

}  // namespace bind_view_change

/// Columns of the target under the names that the statement sees, each with its id.
void Binder::change_columns(const ChangeTarget& target, const std::vector<ColumnId>& ids, ScopeRelation& into) {
    if (target.parent != nullptr && target.levels.empty()) into.relation = target.parent;
    else if (target.levels.empty()) into.relation = target.relation;
    else if (target.partition != nullptr && target.levels.size() == 1) into.relation = target.partition;
    for (const int place : target.order) {
        if (place < 0) continue;
        const Column& column = target.names->columns[static_cast<std::size_t>(place)];
        into.columns.push_back({column.name, ids[static_cast<std::size_t>(place)], column.type, column.typmod,
                                column.hidden, target.relation->oid, place});
    }
}

/// WITH CHECK OPTION: conditions that a new row must meet.
void Binder::check_option(const ChangeTarget& target, BoundChange& bound) {
    if (target.partition != nullptr) {
        bound.partition_name = target.partition->name;
        bound.partition_check =
            condition(bind_text(partition_condition(*environment_.present().catalog, *target.partition),
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
                condition(bind_over_table(*level.where, *level.names, bound.new_columns, "UPDATE"), "WHERE", 0));
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
    bind_view_change::call_as_then(view, *source, item, *seen, inner.order);
    if (!item.alias.empty()) seen->name = item.alias;
    for (std::size_t i = 0; i < item.column_aliases.size() && i < inner.order.size(); ++i)
        if (inner.order[i] >= 0) seen->columns[static_cast<std::size_t>(inner.order[i])].name = item.column_aliases[i];

    ChangeTarget target;
    target.relation = inner.relation;
    target.partition = inner.partition;
    std::vector<int> places;
    for (const syntax::Target& output : query.targets) {
        if (output.expr->kind == syntax::ExprKind::star) {
            places.insert(places.end(), inner.order.begin(), inner.order.end());
        } else if (output.expr->kind == syntax::ExprKind::column) {
            places.push_back(seen->find_column(output.expr->names.back()));
        } else {
            places.push_back(-1);
        }
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
        int place = places[i];
        if (place >= 0 && !names->columns[static_cast<std::size_t>(place)].dropped) place = -1;  // shown twice
        target.order.push_back(place);
        if (place < 0) {
            target.computed.push_back(view.columns[i].name);
            continue;
        }
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
    target.levels.push_back({seen, query.where, view.name, view.check_option});
    return target;
}

}  // namespace northstar::inline v0::sql
