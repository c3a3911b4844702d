// Operators and functions of ranges.

#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/range.hpp"
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace range_functions_file {

Value construct(Call& call, const Value* a, std::size_t count) {
    Range range;
    std::string_view flags = "[)";
    if (count > 2) {
        if (a[2].is_null())
            raise(sqlstate::data_exception, "range constructor flags argument must not be null");
        flags = a[2].bytes();
        if (flags.size() != 2 || (flags[0] != '[' && flags[0] != '(') ||
            (flags[1] != ']' && flags[1] != ')')) {
            raise(sqlstate::syntax_error, "invalid range bound flags", "",
                  "Valid values are \"[]\", \"[)\", \"(]\", and \"()\".");
        }
    }
    range.lower.value = a[0];
    range.lower.inclusive = flags[0] == '[';
    range.upper.value = a[1];
    range.upper.inclusive = flags[1] == ']';
    return make_range(call.result_type, range, call.arena);
}

Value lower(Call& call, const Value* a, std::size_t) {
    const Range range = read_range(a[0], call.arena);
    return range.empty || range.lower.infinite ? Value::null(call.result_type) : range.lower.value;
}
Value upper(Call& call, const Value* a, std::size_t) {
    const Range range = read_range(a[0], call.arena);
    return range.empty || range.upper.infinite ? Value::null(call.result_type) : range.upper.value;
}
Value is_empty(Call& call, const Value* a, std::size_t) {
    return Value::boolean(read_range(a[0], call.arena).empty);
}
template <RangeBound Range::*Bound, bool RangeBound::*Flag>
Value bound_flag(Call& call, const Value* a, std::size_t) {
    const Range range = read_range(a[0], call.arena);
    return Value::boolean(!range.empty && range.*Bound.*Flag);
}

bool contains(const Range& whole, const Range& part) {
    if (part.empty) return true;
    if (whole.empty) return false;
    return compare_bounds(whole.lower, part.lower) <= 0 && compare_bounds(whole.upper, part.upper) >= 0;
}
bool overlaps(const Range& a, const Range& b) {
    if (a.empty || b.empty) return false;
    return compare_bounds(a.lower, b.upper) <= 0 && compare_bounds(b.lower, a.upper) <= 0;
}
/// Whether nothing lies between the end of one and the beginning of the other, and they share nothing.
bool meets(const RangeBound& end, const RangeBound& begin, Oid range_type, Arena& arena) {
    if (end.infinite || begin.infinite) return false;
    const int order = compare_values(end.value, begin.value);
    if (order == 0) return end.inclusive != begin.inclusive;
    if (order > 0) return false;
    // A discrete gap without members is no gap.
    Range gap;
    gap.lower.value = end.value;
    gap.lower.inclusive = !end.inclusive;
    gap.upper.value = begin.value;
    gap.upper.inclusive = !begin.inclusive;
    return read_range(make_range(range_type, gap, arena), arena).empty;
}
bool adjacent(const Range& a, const Range& b, Oid range_type, Arena& arena) {
    if (a.empty || b.empty) return false;
    return meets(a.upper, b.lower, range_type, arena) || meets(b.upper, a.lower, range_type, arena);
}
bool has_member(const Range& range, const Value& member) {
    if (range.empty) return false;
    if (!range.lower.infinite) {
        const int order = compare_values(range.lower.value, member);
        if (order > 0 || (order == 0 && !range.lower.inclusive)) return false;
    }
    if (range.upper.infinite) return true;
    const int order = compare_values(range.upper.value, member);
    return order > 0 || (order == 0 && range.upper.inclusive);
}

Value contains_range(Call& call, const Value* a, std::size_t) {
    return Value::boolean(contains(read_range(a[0], call.arena), read_range(a[1], call.arena)));
}
Value contained_range(Call& call, const Value* a, std::size_t) {
    return Value::boolean(contains(read_range(a[1], call.arena), read_range(a[0], call.arena)));
}
Value contains_element(Call& call, const Value* a, std::size_t) {
    return Value::boolean(has_member(read_range(a[0], call.arena), a[1]));
}
Value contained_element(Call& call, const Value* a, std::size_t) {
    return Value::boolean(has_member(read_range(a[1], call.arena), a[0]));
}
Value overlap(Call& call, const Value* a, std::size_t) {
    return Value::boolean(overlaps(read_range(a[0], call.arena), read_range(a[1], call.arena)));
}
Value adjacency(Call& call, const Value* a, std::size_t) {
    return Value::boolean(
        adjacent(read_range(a[0], call.arena), read_range(a[1], call.arena), a[0].type(), call.arena));
}
enum class Side { before, behind, not_right, not_left };
template <Side Which>
Value side(Call& call, const Value* a, std::size_t) {
    const Range x = read_range(a[0], call.arena);
    const Range y = read_range(a[1], call.arena);
    if (x.empty || y.empty) return Value::boolean(false);
    switch (Which) {
        case Side::before:
            return Value::boolean(compare_bounds(x.upper, y.lower) < 0);
        case Side::behind:
            return Value::boolean(compare_bounds(x.lower, y.upper) > 0);
        case Side::not_right:
            return Value::boolean(compare_bounds(x.upper, y.upper) <= 0);
        case Side::not_left:
            return Value::boolean(compare_bounds(x.lower, y.lower) >= 0);
    }
    return Value::null(type::boolean);
}
const RangeBound& least(const RangeBound& a, const RangeBound& b) {
    return compare_bounds(a, b) <= 0 ? a : b;
}
const RangeBound& greatest(const RangeBound& a, const RangeBound& b) {
    return compare_bounds(a, b) >= 0 ? a : b;
}

Value merge(Call& call, const Value* a, std::size_t) {
    const Range x = read_range(a[0], call.arena);
    const Range y = read_range(a[1], call.arena);
    if (x.empty) return a[1];
    if (y.empty) return a[0];
    // Of equal bounds the second is taken, which may have another scale.
    Range result;
    result.lower = least(y.lower, x.lower);
    result.upper = greatest(y.upper, x.upper);
    return make_range(call.result_type, result, call.arena);
}
Value unite(Call& call, const Value* a, std::size_t count) {
    const Range x = read_range(a[0], call.arena);
    const Range y = read_range(a[1], call.arena);
    if (!x.empty && !y.empty && !overlaps(x, y) && !adjacent(x, y, a[0].type(), call.arena)) {
        raise(sqlstate::data_exception, "result of range union would not be contiguous");
    }
    return merge(call, a, count);
}
Value intersect(Call& call, const Value* a, std::size_t) {
    const Range x = read_range(a[0], call.arena);
    const Range y = read_range(a[1], call.arena);
    Range result;
    if (!overlaps(x, y)) {
        result.empty = true;
    } else {
        result.lower = greatest(x.lower, y.lower);
        result.upper = least(x.upper, y.upper);
    }
    return make_range(call.result_type, result, call.arena);
}
Value subtract(Call& call, const Value* a, std::size_t) {
    const Range x = read_range(a[0], call.arena);
    const Range y = read_range(a[1], call.arena);
    if (!overlaps(x, y)) return a[0];
    const bool left = compare_bounds(x.lower, y.lower) < 0;
    const bool right = compare_bounds(x.upper, y.upper) > 0;
    if (left && right) raise(sqlstate::data_exception, "result of range difference would not be contiguous");
    Range result;
    if (left) {
        result.lower = x.lower;
        result.upper = y.lower;
        result.upper.inclusive = !y.lower.inclusive;
    } else if (right) {
        result.lower = y.upper;
        result.lower.inclusive = !y.upper.inclusive;
        result.upper = x.upper;
    } else {
        result.empty = true;
    }
    return make_range(call.result_type, result, call.arena);
}

/// range_intersect_agg: what all ranges so far share.
struct Shared {
    Value range;
    bool any;
};
void shared_nothing(AggregateCall&, void* state) { new (state) Shared{Value(), false}; }
void shared_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Shared& s = *static_cast<Shared*>(state);
    if (s.any) {
        const Value pair[] = {s.range, a[0]};
        Call both{call.arena, call.session, call.result_type, k_no_typmod, {}, nullptr};
        s.range = intersect(both, pair, 2);
    } else {
        s.range = copy_value(a[0], call.arena);
    }
    s.any = true;
}
Value shared_final(AggregateCall& call, void* state) {
    const Shared& s = *static_cast<const Shared*>(state);
    return s.any ? s.range : Value::null(call.result_type);
}
constexpr AggregateBody k_shared{sizeof(Shared), &shared_nothing, &shared_step, nullptr, nullptr, &shared_final};

constexpr FunctionSource k_functions[] = {
    {"range_intersect_agg(anyrange) anyrange", &k_shared},
    {"int4range(int4,int4) int4range nonstrict", &construct},
    {"int4range(int4,int4,text) int4range nonstrict", &construct},
    {"int8range(int8,int8) int8range nonstrict", &construct},
    {"int8range(int8,int8,text) int8range nonstrict", &construct},
    {"numrange(numeric,numeric) numrange nonstrict", &construct},
    {"numrange(numeric,numeric,text) numrange nonstrict", &construct},
    {"daterange(date,date) daterange nonstrict", &construct},
    {"daterange(date,date,text) daterange nonstrict", &construct},
    {"tsrange(timestamp,timestamp) tsrange nonstrict", &construct},
    {"tsrange(timestamp,timestamp,text) tsrange nonstrict", &construct},
    {"tstzrange(timestamptz,timestamptz) tstzrange nonstrict", &construct},
    {"tstzrange(timestamptz,timestamptz,text) tstzrange nonstrict", &construct},
    {"lower(anyrange) anyelement", &lower},
    {"upper(anyrange) anyelement", &upper},
    {"isempty(anyrange) bool", &is_empty},
    {"lower_inc(anyrange) bool", &bound_flag<&Range::lower, &RangeBound::inclusive>},
    {"upper_inc(anyrange) bool", &bound_flag<&Range::upper, &RangeBound::inclusive>},
    {"lower_inf(anyrange) bool", &bound_flag<&Range::lower, &RangeBound::infinite>},
    {"upper_inf(anyrange) bool", &bound_flag<&Range::upper, &RangeBound::infinite>},
    {"range_merge(anyrange,anyrange) anyrange", &merge},
};

constexpr OperatorSource k_operators[] = {
    {"anyrange @> anyrange bool", &contains_range, "range_contains"},
    {"anyrange @> anyelement bool", &contains_element, "range_contains_elem"},
    {"anyrange <@ anyrange bool", &contained_range, "range_contained_by"},
    {"anyelement <@ anyrange bool", &contained_element, "elem_contained_by_range"},
    {"anyrange && anyrange bool", &overlap, "range_overlaps"},
    {"anyrange << anyrange bool", &side<Side::before>, "range_before"},
    {"anyrange >> anyrange bool", &side<Side::behind>, "range_after"},
    {"anyrange &< anyrange bool", &side<Side::not_right>, "range_overleft"},
    {"anyrange &> anyrange bool", &side<Side::not_left>, "range_overright"},
    {"anyrange -|- anyrange bool", &adjacency, "range_adjacent"},
    {"anyrange + anyrange anyrange", &unite, "range_union"},
    {"anyrange * anyrange anyrange", &intersect, "range_intersect"},
    {"anyrange - anyrange anyrange", &subtract, "range_minus"},
};

}  // namespace range_functions_file

std::span<const FunctionSource> range_functions() { return range_functions_file::k_functions; }
std::span<const OperatorSource> range_operators() { return range_functions_file::k_operators; }

}  // namespace northstar::inline v0::sql
