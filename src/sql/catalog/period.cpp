#include "sql/catalog/period.hpp"

#include "sql/error.hpp"

namespace northstar::inline v0::sql {

namespace period_file {

const Column& column(const Relation& relation, int place) { return relation.columns[static_cast<std::size_t>(place)]; }

std::optional<Period> range_period(const Relation& relation, int place) {
    const TypeInfo* info = find_builtin_type(column(relation, place).type);
    if (info == nullptr || info->form != Form::range) return std::nullopt;
    Period period;
    period.name = column(relation, place).name;
    period.range = place;
    period.axis = info->element;
    return period;
}

/// An end that another span leaves over: where that one begins, this one stops.
RangeBound opposite(RangeBound bound) {
    bound.inclusive = !bound.inclusive;
    bound.lower = !bound.lower;
    return bound;
}

}  // namespace period_file

std::optional<Period> valid_time_of(const Relation& relation) {
    if (relation.period_from >= 0) {
        Period period;
        period.name = relation.period_name;
        period.from = relation.period_from;
        period.to = relation.period_to;
        period.axis = period_file::column(relation, period.from).type;
        return period;
    }
    for (const Index& index : relation.indexes)
        if (index.without_overlaps) return period_of_key(relation, index);
    return std::nullopt;
}

std::optional<Period> find_period(const Relation& relation, std::string_view name) {
    if (relation.period_from >= 0 && name == relation.period_name) return valid_time_of(relation);
    if (const int place = relation.find_column(name); place >= 0) return period_file::range_period(relation, place);
    if (name == "valid_time") return valid_time_of(relation);
    return std::nullopt;
}

Period period_of_key(const Relation& relation, const Index& index) {
    const int last = index.columns.back().column;
    if (const auto range = period_file::range_period(relation, last)) return *range;
    Period period;
    period.name = relation.period_name;
    period.from = relation.period_from;
    period.to = relation.period_to;
    period.axis = period_file::column(relation, last).type;
    return period;
}

Range make_span(const Value& from, const Value& to) {
    Range span;
    span.lower.lower = true;
    span.lower.inclusive = true;
    span.lower.infinite = from.is_null();
    span.upper.infinite = to.is_null();
    span.lower.value = from;
    span.upper.value = to;
    return span;
}

Range read_period(const Period& period, const Value* row, Arena& arena) {
    if (period.range < 0) return make_span(row[period.from], row[period.to]);
    if (row[period.range].is_null()) {
        Range none;
        none.empty = true;
        return none;
    }
    return read_range(row[period.range], arena);
}

void write_period(const Period& period, const Relation& relation, const Range& span, Value* row, Arena& arena) {
    if (period.range >= 0) {
        row[period.range] = make_range(period_file::column(relation, period.range).type, span, arena);
        return;
    }
    row[period.from] = span.lower.infinite ? Value::null(period.axis) : span.lower.value;
    row[period.to] = span.upper.infinite ? Value::null(period.axis) : span.upper.value;
}

bool is_empty_span(const Range& span) { return span.empty || compare_bounds(span.lower, span.upper) > 0; }

bool spans_overlap(const Range& a, const Range& b) {
    if (is_empty_span(a) || is_empty_span(b)) return false;
    return compare_bounds(a.lower, b.upper) <= 0 && compare_bounds(b.lower, a.upper) <= 0;
}

Range common_span(const Range& a, const Range& b) {
    Range common;
    common.lower = compare_bounds(a.lower, b.lower) >= 0 ? a.lower : b.lower;
    common.upper = compare_bounds(a.upper, b.upper) <= 0 ? a.upper : b.upper;
    return common;
}

std::optional<Range> span_before(const Range& whole, const Range& part) {
    if (part.lower.infinite || compare_bounds(whole.lower, part.lower) >= 0) return std::nullopt;
    Range before;
    before.lower = whole.lower;
    before.upper = period_file::opposite(part.lower);
    return is_empty_span(before) ? std::nullopt : std::optional<Range>(before);
}

std::optional<Range> span_behind(const Range& whole, const Range& part) {
    if (part.upper.infinite || compare_bounds(whole.upper, part.upper) <= 0) return std::nullopt;
    Range behind;
    behind.lower = period_file::opposite(part.upper);
    behind.upper = whole.upper;
    return is_empty_span(behind) ? std::nullopt : std::optional<Range>(behind);
}

}  // namespace northstar::inline v0::sql
