// Time in queries and changes: points and ranges of system time, filters on valid time, FOR PORTION OF, and the
// functions that tell what happened to a table. Points are evaluated while a statement is bound: they decide which
// catalog names are looked up in. Those of AS OF are evaluated again when the plan is run again.
#include "sql/bind/binder.hpp"
#include "sql/catalog/period.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_time {

constexpr std::int64_t k_epoch_2000_us = 946684800000000;  // between 1970 and 2000

bool is_moment(Oid type) { return type == type::timestamptz || type == type::timestamp || type == type::date; }

bool is_number(Oid type) {
    const TypeInfo* info = type == type::unknown ? nullptr : find_builtin_type(type);
    return info != nullptr && info->category == Category::numeric;
}

/// A commit number written as a string of digits: AS OF '12'.
std::optional<std::uint64_t> digits(const BoundExpr& expr) {
    if (expr.kind != BoundKind::constant || expr.type != type::unknown || expr.value.is_null()) return std::nullopt;
    const std::string_view text = expr.value.bytes();
    if (text.empty() || text.size() > 18 ||
        !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) number = number * 10 + static_cast<std::uint64_t>(c - '0');
    return number;
}

}  // namespace bind_time

// ---- system time ----

std::uint64_t Binder::resolve_point(const syntax::TimePoint& point) {
    environment_.depends_on_moment();
    return environment_.commit_of(bind_point(point));
}

PointExpr Binder::bind_point(const syntax::TimePoint& point) {
    PointExpr made;
    made.position = point.position;
    if (point.kind == syntax::PointKind::latest) return made;
    // A string means a commit or a time by what it says.
    const bool fixed = literals_fixed_;
    literals_fixed_ = fixed || point.value->kind == syntax::ExprKind::string;
    BoundExpr* bound = bind_standalone(*point.value, "AS OF");
    literals_fixed_ = fixed;
    if (!used_columns(bound).empty())
        raise_at(sqlstate::invalid_column_reference, "a point in time must not contain variables", point.position);
    if (point.kind == syntax::PointKind::tag) {
        made.value = coerce(bound, type::text, k_no_typmod, CastContext::assignment, point.position);
        return made;
    }
    const bool expression = point.kind == syntax::PointKind::expression;
    const bool untyped_parameter = bound->kind == BoundKind::parameter && bound->type == type::unknown;
    if (expression)
        if (const auto number = bind_time::digits(*bound)) {
            made.value = constant(Value::int8(static_cast<std::int64_t>(*number)), point.position);
            return made;
        }
    const bool commit = expression && (bind_time::is_number(bound->type) || untyped_parameter);
    made.value = coerce(bound, commit ? type::int8 : type::timestamptz, k_no_typmod, CastContext::explicit_,
                        point.position);
    return made;
}

ReadPoint& Binder::point_of(const syntax::TimeClause& time, VersionRange& versions) {
    using syntax::RangeKind;
    const syntax::TimeRange& range = time.system;
    if (range.kind == RangeKind::as_of) return environment_.past(bind_point(range.first));
    if (range.kind == RangeKind::none) {
        if (!points_.empty()) return *points_.back();
        if (ReadPoint* point = environment_.default_point()) return *point;
        return environment_.present();
    }
    environment_.depends_on_moment();
    const std::uint64_t newest = environment_.present().txn;
    versions.present = true;
    versions.whole = range.kind == RangeKind::all;
    versions.to = newest;
    if (versions.whole) return environment_.present();
    versions.from = resolve_point(range.first);
    const std::uint64_t to = resolve_point(range.second);
    // FROM a TO b is half-open, BETWEEN and CONTAINED IN include both ends.
    const bool half_open = range.kind == RangeKind::from_to;
    if (half_open && to <= versions.from) versions.empty = true;
    versions.to = std::min(half_open && to > 0 ? to - 1 : to, newest);
    versions.empty |= versions.to < versions.from;
    versions.contained = range.kind == RangeKind::contained_in;
    return environment_.present();
}

// ---- valid time ----

/// A bound or point on the axis of a period. Of times and numbers the one is read as the other in microseconds since
/// 1970-01-01 UTC.
Value Binder::axis_value(const syntax::Expr& node, syntax::PointKind kind, Oid axis, const char* clause) {
    BoundExpr* bound = bind_standalone(node, clause);
    if (!used_columns(bound).empty())
        raise_at(sqlstate::invalid_column_reference, "a point in time must not contain variables", node.position);
    Arena arena;
    const auto value_of = [&](Oid type) {
        return environment_.evaluate(*coerce(bound, type, k_no_typmod, CastContext::explicit_, node.position), arena);
    };
    Value value;
    Session& session = environment_.session();
    if (bind_time::is_moment(axis) && bind_time::is_number(bound->type)) {
        value = value_of(type::int8);
        if (!value.is_null()) {
            if (value.integer() < INT64_MIN + bind_time::k_epoch_2000_us)
                raise_at(sqlstate::datetime_field_overflow, "timestamp out of range", node.position);
            value = cast_value(Value::integer(type::timestamptz, value.integer() - bind_time::k_epoch_2000_us), axis,
                               k_no_typmod, CastContext::explicit_, arena, session);
        }
    } else if (bind_time::is_number(axis) &&
               (bind_time::is_moment(bound->type) || kind == syntax::PointKind::timestamp)) {
        value = value_of(type::timestamptz);
        if (!value.is_null()) {
            if (value.integer() > INT64_MAX - bind_time::k_epoch_2000_us)
                raise_at(sqlstate::numeric_value_out_of_range, "bigint out of range", node.position);
            value = cast_value(Value::int8(value.integer() + bind_time::k_epoch_2000_us), axis, k_no_typmod,
                               CastContext::explicit_, arena, session);
        }
    } else {
        value = value_of(axis);
    }
    return value.is_null() ? Value::null(axis) : copy_value(value, pool_.arena());
}

Value Binder::valid_point(const syntax::TimePoint& point, Oid axis) {
    if (point.kind == syntax::PointKind::tag)
        raise_at(sqlstate::feature_not_supported, "valid time has no tags", point.position);
    if (point.kind == syntax::PointKind::latest) return present_moment(axis);
    const Value value = axis_value(*point.value, point.kind, axis, "VALID AT");
    if (value.is_null() && !environment_.describing())
        raise_at(sqlstate::invalid_parameter_value, "a point in time must not be null", point.position);
    return value;
}

/// The clock of the transaction on an axis.
Value Binder::present_moment(Oid axis) {
    environment_.depends_on_moment();
    Session& session = environment_.session();
    Value now = Value::integer(type::timestamptz, session.transaction_time);
    if (bind_time::is_number(axis)) now = Value::int8(session.transaction_time + bind_time::k_epoch_2000_us);
    return copy_value(cast_value(now, axis, k_no_typmod, CastContext::explicit_, pool_.arena(), session),
                      pool_.arena());
}

/// Conditions that hold for rows whose span overlaps the given one.
void Binder::overlap_conditions(const Period& period, const Relation& relation, const ScopeRelation& target,
                                const Range& span, std::vector<BoundExpr*>& out) {
    const auto column = [&](int place) -> BoundExpr* {
        for (const ScopeColumn& candidate : target.columns)
            if (candidate.place == place) return column_of(candidate, 0);
        return nullptr;
    };
    if (period.range >= 0) {
        const Oid type = relation.columns[static_cast<std::size_t>(period.range)].type;
        const Value wanted = is_empty_span(span) ? range_from_text(type, "empty", pool_.arena(), environment_.session())
                                                 : make_range(type, span, pool_.arena());
        out.push_back(make_operation("&&", column(period.range), constant(wanted, 0), 0));
        return;
    }
    if (is_empty_span(span)) {
        out.push_back(constant(Value::boolean(false), 0));
        return;
    }
    // An open end of a row passes every comparison.
    const auto compare = [&](int place, const char* name, const Value& bound) {
        BoundExpr* comparison = make_comparison(name, column(place), constant(bound, 0), 0);
        if (relation.columns[static_cast<std::size_t>(place)].not_null) {
            out.push_back(comparison);
            return;
        }
        BoundExpr* open = pool_.expr(BoundKind::is_null, type::boolean);
        open->args = {column(place)};
        BoundExpr* either = pool_.expr(BoundKind::disjunction, type::boolean);
        either->args = {open, comparison};
        out.push_back(either);
    };
    if (!span.upper.infinite) compare(period.from, span.upper.inclusive ? "<=" : "<", span.upper.value);
    if (!span.lower.infinite) compare(period.to, ">", span.lower.value);
}

/// VALID AT and FOR VALID_TIME over one table: the nearest clause, or what holds now where valid time is hidden.
void Binder::filter_valid_time(Plan& plan, const ScopeRelation& target, const syntax::TimeRange& own) {
    using syntax::RangeKind;
    const Relation& relation = *plan.relation;
    const syntax::TimeRange* clause = own.kind != RangeKind::none ? &own
                                      : !valids_.empty()          ? valids_.back()
                                                                  : environment_.default_valid_time();
    const std::optional<Period> period = valid_time_of(relation);
    if (clause == nullptr) {
        if (!relation.hidden_valid_time || !period) return;
        Range now = make_span(present_moment(period->axis), present_moment(period->axis));
        now.upper.inclusive = true;
        overlap_conditions(*period, relation, target, now, plan.conditions);
        return;
    }
    if (clause->kind == RangeKind::all) return;
    if (!period) {
        environment_.notice(sqlstate::warning,
                            "table \"" + relation.name + "\" has no valid time; all of its rows count");
        return;
    }
    const Value first = valid_point(clause->first, period->axis);
    if (clause->kind == RangeKind::as_of) {
        Range moment = make_span(first, first);
        moment.upper.inclusive = true;
        overlap_conditions(*period, relation, target, moment, plan.conditions);
        return;
    }
    const Value second = valid_point(clause->second, period->axis);
    Range span = make_span(first, second);
    if (clause->kind != RangeKind::contained_in) {
        span.upper.inclusive = clause->kind == RangeKind::between;
        overlap_conditions(*period, relation, target, span, plan.conditions);
        return;
    }
    const auto column = [&](int place) -> BoundExpr* {
        for (const ScopeColumn& candidate : target.columns)
            if (candidate.place == place) return column_of(candidate, 0);
        return nullptr;
    };
    if (period->range >= 0) {
        const Oid type = relation.columns[static_cast<std::size_t>(period->range)].type;
        const Value whole = is_empty_span(span) ? range_from_text(type, "empty", pool_.arena(), environment_.session())
                                                : make_range(type, span, pool_.arena());
        plan.conditions.push_back(make_operation("<@", column(period->range), constant(whole, 0), 0));
        return;
    }
    plan.conditions.push_back(make_comparison(">=", column(period->from), constant(first, 0), 0));
    plan.conditions.push_back(make_comparison("<=", column(period->to), constant(second, 0), 0));
}

/// FOR PORTION OF, or from now on where valid time is hidden: which rows a change reaches, and what of them. Without a
/// scan (INSERT .. ON CONFLICT) the row in the way is found by its key.
void Binder::bind_portion(BoundChange& bound, const syntax::DataChange& change, Plan* scan,
                          const ScopeRelation& target) {
    const Relation& relation = *bound.relation;
    const syntax::PortionClause& clause = change.portion;
    if (clause.period.empty()) {
        if (!relation.hidden_valid_time || change.redact) return;
        Host* host = environment_.session().host;
        if (host->setting("northstar.valid_time_changes", true).value_or("") == "all") return;
        // Whoever sets the bounds by hand changes the rows as they are stored.
        for (const syntax::Assignment& item : change.assignments)
            for (const syntax::Name name : item.columns)
                if (name == k_valid_from || name == k_valid_to) return;
        bound.portion.present = true;
        bound.portion.period = *valid_time_of(relation);
        bound.portion.span = make_span(present_moment(bound.portion.period.axis), Value::null(0));
        if (scan != nullptr)
            overlap_conditions(bound.portion.period, relation, target, bound.portion.span, scan->conditions);
        return;
    }
    const std::optional<Period> period = find_period(relation, clause.period);
    if (!period) {
        const std::string name(clause.period);
        if (relation.find_column(name) >= 0)
            raise_at(sqlstate::datatype_mismatch,
                     "column \"" + name + "\" of relation \"" + relation.name + "\" is not a range type",
                     change.table.position);
        raise_at(sqlstate::undefined_column,
                 "column or period \"" + name + "\" of relation \"" + relation.name + "\" does not exist",
                 change.table.position);
    }
    for (const syntax::Assignment& item : change.assignments)
        for (const syntax::Name name : item.columns) {
            const int place = relation.find_column(name);
            if (place >= 0 && (place == period->range || place == period->from || place == period->to))
                raise_at(sqlstate::syntax_error,
                         "cannot update column \"" + std::string(name) + "\" because it is used in FOR PORTION OF",
                         item.position);
        }
    constexpr auto expression = syntax::PointKind::expression;
    const Value from = axis_value(*clause.from, expression, period->axis, "FOR PORTION OF");
    const Value to = axis_value(*clause.to, expression, period->axis, "FOR PORTION OF");
    if (!from.is_null() && !to.is_null() && compare_values(from, to) > 0)
        raise_at(sqlstate::data_exception, "range lower bound must be less than or equal to range upper bound",
                 clause.from->position);
    bound.portion.present = true;
    bound.portion.period = *period;
    bound.portion.span = make_span(from, to);
    overlap_conditions(*period, relation, target, bound.portion.span, scan->conditions);
}

// ---- what happened to a table ----

namespace bind_time {

struct HistoryName {
    std::string_view name;
    HistoryKind kind;
    std::vector<std::pair<const char*, Oid>> columns;
};

const HistoryName* history_name(std::string_view name) {
    static const std::vector<HistoryName> names = {
        {"history", HistoryKind::history,
         {{"txn", type::int8}, {"committed_at", type::timestamptz}, {"author", type::text}, {"reason", type::text},
          {"operation", type::text}, {"old", type::jsonb}, {"new", type::jsonb}}},
        {"diff", HistoryKind::diff,
         {{"operation", type::text}, {"key", type::jsonb}, {"old", type::jsonb}, {"new", type::jsonb}}},
        {"changes", HistoryKind::changes,
         {{"txn", type::int8}, {"committed_at", type::timestamptz}, {"author", type::text}, {"reason", type::text},
          {"operation", type::text}, {"key", type::jsonb}, {"old", type::jsonb}, {"new", type::jsonb}}},
        {"blame", HistoryKind::blame,
         {{"column_name", type::text}, {"value", type::text}, {"txn", type::int8},
          {"committed_at", type::timestamptz}, {"author", type::text}, {"reason", type::text}}},
    };
    for (const HistoryName& entry : names)
        if (entry.name == name) return &entry;
    return nullptr;
}

}  // namespace bind_time

/// history('t', key), diff('t', a, b), changes('t', since), blame('t', key); nullptr: another function.
Plan* Binder::temporal_function(const syntax::FromItem& item) {
    if (item.functions.size() != 1 || item.functions[0]->kind != syntax::ExprKind::function) return nullptr;
    const syntax::Expr& node = *item.functions[0];
    const bool own_schema = node.names.size() == 1 || node.names[node.names.size() - 2] == "sys";
    const bind_time::HistoryName* entry = own_schema ? bind_time::history_name(node.names.back()) : nullptr;
    if (entry == nullptr || node.call != nullptr) return nullptr;
    std::vector<const syntax::Expr*> args;
    for (const syntax::Expr* arg : node.args)
        args.push_back(arg->kind == syntax::ExprKind::named_argument ? arg->args[0] : arg);
    const auto wrong = [&] {
        raise_at(sqlstate::undefined_function,
                 "function " + std::string(entry->name) + " with these arguments does not exist", node.position, {},
                 "There are history(table, key...), diff(table, from, to), changes(table, since) and "
                 "blame(table, key...).");
    };
    if (args.empty()) wrong();
    syntax::QualifiedName name;
    texts_.push_back(std::make_unique<Arena>());
    const syntax::Expr* table = args[0];
    if (table->kind == syntax::ExprKind::string)
        table = parse_expression(texts_.back()->copy(table->text), *texts_.back());
    if (table->kind != syntax::ExprKind::column) wrong();
    name.parts = table->names;
    name.position = args[0]->position;
    environment_.depends_on_moment();
    VersionRange no_range;
    ReadPoint& point = point_of({}, no_range);
    Plan* plan = pool_.plan(PlanKind::virtual_scan);
    plan->relation = find_relation(name, point, false);
    plan->point = &point;
    plan->history.kind = entry->kind;
    plan->history.to = point.past ? point.txn : environment_.present().txn;
    const Relation& relation = *plan->relation;
    if (relation.kind != RelationKind::table || relation.temporary || relation.is_partition())
        raise_at(sqlstate::wrong_object_type, "\"" + relation.name + "\" is not a table with history", node.position);
    const auto commit = [&](const syntax::Expr* value) {
        syntax::TimePoint moment;
        moment.value = value;
        moment.position = value->position;
        return resolve_point(moment);
    };
    if (entry->kind == HistoryKind::diff) {
        if (args.size() != 3) wrong();
        plan->history.from = commit(args[1]);
        plan->history.to = commit(args[2]);
    } else if (entry->kind == HistoryKind::changes) {
        if (args.size() != 2) wrong();
        plan->history.from = commit(args[1]);
    } else {
        const int primary = relation.primary_key();
        if (primary < 0)
            raise_at(sqlstate::undefined_object, "table \"" + relation.name + "\" has no primary key", node.position);
        const Index& index = relation.indexes[static_cast<std::size_t>(primary)];
        // Of a key WITHOUT OVERLAPS the period may be left out: then all rows with the rest of the key count.
        const std::size_t least = index.columns.size() - (index.without_overlaps ? 1 : 0);
        if (args.size() - 1 < least || args.size() - 1 > index.columns.size()) wrong();
        for (std::size_t i = 1; i < args.size(); ++i) {
            const Column& column = relation.columns[static_cast<std::size_t>(index.columns[i - 1].column)];
            plan->history.key.push_back(
                coerce(expr(*args[i]), column.type, k_no_typmod, CastContext::assignment, args[i]->position));
        }
    }
    ScopeRelation into;
    into.alias = entry->name;
    for (const auto& [column, type] : entry->columns) {
        const ColumnId id = pool_.column();
        plan->output.push_back(id);
        into.columns.push_back({column, id, type});
    }
    plan->rows = 10;
    add_relation(std::move(into), item);
    return plan;
}

}  // namespace northstar::inline v0::sql
