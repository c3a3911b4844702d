// Aggregates: count, sum, avg, min, max, and those that gather. (Statistics: functions_statistics.cpp.)

#include "sql/aggregate_state.hpp"
#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace northstar::inline v0::sql {

// ---- states ----

void NumericSum::flush(Arena& arena) {
    const Numeric part = numeric_from_int128(small, scale, arena);
    large = has_large ? numeric_add(large, part, arena) : part;
    has_large = true;
    small = 0;
}

void NumericSum::add(const Numeric& value, Arena& arena) {
    if (!value.is_finite()) {
        if (value.is_nan()) {
            ++nans;
        } else {
            ++(value.small > 0 ? plus_infinities : minus_infinities);
        }
        return;
    }
    most_scale = std::max<std::uint32_t>(most_scale, value.scale);
    // 10^36 leaves room for 170 further numbers of 18 digits at the same scale before the next look.
    constexpr Int128 k_full = static_cast<Int128>(1'000'000'000'000'000'000) * 1'000'000'000'000'000'000;
    if (value.is_small() && value.scale <= 18) {
        if (value.scale > scale) {
            if (small != 0) flush(arena);
            scale = value.scale;
        }
        Int128 term = value.small;
        for (std::uint32_t i = value.scale; i < scale; ++i) term *= 10;
        small += term;
        if (small > k_full || small < -k_full) flush(arena);
        return;
    }
    large = has_large ? numeric_add(large, value, arena) : Value::numeric(value).numeric();
    if (!has_large) large = copy_value(Value::numeric(large), arena).numeric();
    has_large = true;
}

void NumericSum::add_integer(std::int64_t value, Arena& arena) {
    if (scale != 0) {
        add(numeric_from_int(value, arena), arena);
        return;
    }
    small += value;
    constexpr Int128 k_full = static_cast<Int128>(1) << 120;
    if (small > k_full || small < -k_full) flush(arena);
}

void NumericSum::add(const NumericSum& other, Arena& arena) {
    nans += other.nans;
    plus_infinities += other.plus_infinities;
    minus_infinities += other.minus_infinities;
    most_scale = std::max(most_scale, other.most_scale);
    if (small == 0 && !has_large) scale = std::max(scale, other.scale);
    if (!other.has_large && (other.scale == scale || other.small == 0)) {
        small += other.small;
        constexpr Int128 k_half = static_cast<Int128>(1) << 118;
        if (small > k_half || small < -k_half) flush(arena);
        return;
    }
    NumericSum finite = other;
    finite.nans = finite.plus_infinities = finite.minus_infinities = 0;
    const Numeric part = finite.total(arena);
    if (numeric_compare(part, Numeric::of(0)) != 0 || part.scale != 0) {
        large = has_large ? numeric_add(large, part, arena) : part;
        has_large = true;
    }
}

Numeric NumericSum::total(Arena& arena) const {
    if (nans > 0 || (plus_infinities > 0 && minus_infinities > 0)) return Numeric::nan();
    if (plus_infinities > 0) return Numeric::infinity(1);
    if (minus_infinities > 0) return Numeric::infinity(-1);
    Numeric sum = numeric_from_int128(small, scale, arena);
    if (has_large) sum = numeric_add(large, sum, arena);
    return numeric_round(sum, static_cast<int>(std::max<std::uint32_t>(most_scale, 0)), arena);
}

void KeptValue::keep(const Value& other, Arena& arena) {
    if (other.is_null() || other.form() < Form::bytes) {
        value = copy_value(other, arena);
        return;
    }
    const std::string_view bytes = other.bytes();
    if (bytes.size() > capacity) {
        capacity = std::max(bytes.size(), capacity * 2);
        buffer = arena.allocate(capacity);
    }
    if (!bytes.empty()) std::memcpy(buffer, bytes.data(), bytes.size());
    value = Value::bytes(other.type(), other.form(), {buffer, bytes.size()});
}

void GatheredValues::add(const Value& value, Arena& arena) {
    if (size == capacity) {
        const std::size_t larger = capacity == 0 ? 8 : capacity * 2;
        Value* moved = arena.allocate_array<Value>(larger);
        if (size > 0) std::memcpy(static_cast<void*>(moved), items, size * sizeof(Value));
        items = moved;
        capacity = larger;
    }
    new (items + size) Value(copy_value(value, arena));
    ++size;
}

void GatheredText::add(std::string_view text, Arena& arena) {
    check_piece(size + text.size());
    if (capacity - size < text.size()) {
        capacity = std::min(std::max<std::size_t>({64, capacity * 2, size + text.size()}), k_largest_piece);
        char* moved = arena.allocate(capacity);
        if (size > 0) std::memcpy(moved, data, size);
        data = moved;
    }
    if (!text.empty()) std::memcpy(data + size, text.data(), text.size());
    size += text.size();
}

namespace aggregate_file {

/// An empty state is zeroed memory.
void nothing(AggregateCall&, void*) {}

template <class State>
State& as(void* state) {
    return *static_cast<State*>(state);
}
template <class State>
const State& as(const void* state) {
    return *static_cast<const State*>(state);
}

// ---- count ----

struct Count {
    std::int64_t rows;
};
void count_step(AggregateCall&, void* state, const Value*, std::size_t) { ++as<Count>(state).rows; }
void count_run(AggregateCall&, void* state, const Value* a, std::size_t count) {
    std::int64_t rows = static_cast<std::int64_t>(count);
    if (a != nullptr)
        for (std::size_t k = 0; k < count; ++k) rows -= a[k].is_null() ? 1 : 0;
    as<Count>(state).rows += rows;
}
void count_inverse(AggregateCall&, void* state, const Value*, std::size_t) { --as<Count>(state).rows; }
void count_combine(AggregateCall&, void* state, const void* other) {
    as<Count>(state).rows += as<Count>(other).rows;
}
Value count_final(AggregateCall&, void* state) { return Value::int8(as<Count>(state).rows); }
constexpr AggregateBody k_count{sizeof(Count),
                                &nothing,
                                &count_step,
                                &count_combine,
                                &count_inverse,
                                &count_final,
                                &aggregate_step_rows<count_step>,
                                &count_run};

// ---- sum and avg of integers ----

struct IntegerSum {
    Int128 sum;
    std::int64_t count;
};
void integer_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    as<IntegerSum>(state).sum += a[0].integer();
    ++as<IntegerSum>(state).count;
}
void integer_inverse(AggregateCall&, void* state, const Value* a, std::size_t) {
    as<IntegerSum>(state).sum -= a[0].integer();
    --as<IntegerSum>(state).count;
}
void integer_combine(AggregateCall&, void* state, const void* other) {
    as<IntegerSum>(state).sum += as<IntegerSum>(other).sum;
    as<IntegerSum>(state).count += as<IntegerSum>(other).count;
}
Value integer_sum_final(AggregateCall& call, void* state) {
    const IntegerSum& s = as<IntegerSum>(state);
    if (s.count == 0) return Value::null(call.result_type);
    if (call.result_type == type::numeric) return Value::numeric(numeric_from_int128(s.sum, 0, call.arena));
    if (s.sum < INT64_MIN || s.sum > INT64_MAX)
        raise(sqlstate::numeric_value_out_of_range, "bigint out of range");
    return Value::int8(static_cast<std::int64_t>(s.sum));
}
Value integer_avg_final(AggregateCall& call, void* state) {
    const IntegerSum& s = as<IntegerSum>(state);
    if (s.count == 0) return Value::null(type::numeric);
    return Value::numeric(numeric_divide(numeric_from_int128(s.sum, 0, call.arena),
                                         numeric_from_int(s.count, call.arena), call.arena));
}
constexpr AggregateBody k_integer_sum{sizeof(IntegerSum),
                                      &nothing,
                                      &integer_step,
                                      &integer_combine,
                                      &integer_inverse,
                                      &integer_sum_final,
                                      &aggregate_step_rows<integer_step>,
                                      &aggregate_step_run<IntegerSum, integer_step>};
constexpr AggregateBody k_integer_avg{sizeof(IntegerSum),
                                      &nothing,
                                      &integer_step,
                                      &integer_combine,
                                      &integer_inverse,
                                      &integer_avg_final,
                                      &aggregate_step_rows<integer_step>,
                                      &aggregate_step_run<IntegerSum, integer_step>};

// ---- of numerics ----

struct NumericState {
    NumericSum sum;
    std::int64_t count;
};
void numeric_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    NumericState& s = as<NumericState>(state);
    const Numeric& value = a[0].numeric();
    if (!s.sum.add_alike(value)) s.sum.add(value, call.arena);
    ++s.count;
}
void numeric_combine(AggregateCall& call, void* state, const void* other) {
    as<NumericState>(state).sum.add(as<NumericState>(other).sum, call.arena);
    as<NumericState>(state).count += as<NumericState>(other).count;
}
Value numeric_sum_final(AggregateCall& call, void* state) {
    const NumericState& s = as<NumericState>(state);
    return s.count == 0 ? Value::null(type::numeric) : Value::numeric(s.sum.total(call.arena));
}
Value numeric_avg_final(AggregateCall& call, void* state) {
    const NumericState& s = as<NumericState>(state);
    if (s.count == 0) return Value::null(type::numeric);
    return Value::numeric(
        numeric_divide(s.sum.total(call.arena), numeric_from_int(s.count, call.arena), call.arena));
}
constexpr AggregateBody k_numeric_sum{sizeof(NumericState),
                                      &nothing,
                                      &numeric_step,
                                      &numeric_combine,
                                      nullptr,
                                      &numeric_sum_final,
                                      &aggregate_step_rows<numeric_step>,
                                      &aggregate_step_run<NumericState, numeric_step>,
                                      true};
constexpr AggregateBody k_numeric_avg{sizeof(NumericState),
                                      &nothing,
                                      &numeric_step,
                                      &numeric_combine,
                                      nullptr,
                                      &numeric_avg_final,
                                      &aggregate_step_rows<numeric_step>,
                                      &aggregate_step_run<NumericState, numeric_step>,
                                      true};

// ---- of floats: sums only; avg is with the statistics ----

struct RealSum {
    double sum;
    std::int64_t count;
};
template <bool Single>
void real_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    RealSum& s = as<RealSum>(state);
    double sum = s.count == 0 ? a[0].real() : s.sum + a[0].real();
    if (Single) sum = static_cast<double>(static_cast<float>(sum));
    if (std::isinf(sum) && !std::isinf(s.sum) && !std::isinf(a[0].real())) {
        raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
    }
    s.sum = sum;
    ++s.count;
}
template <bool Single>
void real_combine(AggregateCall& call, void* state, const void* other) {
    const RealSum& o = as<RealSum>(other);
    if (o.count == 0) return;
    const Value value = Value::float8(o.sum);
    real_step<Single>(call, state, &value, 1);
    as<RealSum>(state).count += o.count - 1;
}
Value real_sum_final(AggregateCall& call, void* state) {
    const RealSum& s = as<RealSum>(state);
    if (s.count == 0) return Value::null(call.result_type);
    return call.result_type == type::float4 ? Value::float4(static_cast<float>(s.sum)) : Value::float8(s.sum);
}
constexpr AggregateBody k_float4_sum{sizeof(RealSum),
                                     &nothing,
                                     &real_step<true>,
                                     &real_combine<true>,
                                     nullptr,
                                     &real_sum_final,
                                     &aggregate_step_rows<real_step<true>>,
                                     &aggregate_step_run<RealSum, real_step<true>>};
constexpr AggregateBody k_float8_sum{sizeof(RealSum),
                                     &nothing,
                                     &real_step<false>,
                                     &real_combine<false>,
                                     nullptr,
                                     &real_sum_final,
                                     &aggregate_step_rows<real_step<false>>,
                                     &aggregate_step_run<RealSum, real_step<false>>};

// ---- of intervals ----

struct IntervalSum {
    Interval sum;
    std::int64_t count;
};
void interval_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    IntervalSum& s = as<IntervalSum>(state);
    s.sum = interval_add(s.sum, a[0].interval());
    ++s.count;
}
void interval_combine(AggregateCall&, void* state, const void* other) {
    IntervalSum& s = as<IntervalSum>(state);
    s.sum = interval_add(s.sum, as<IntervalSum>(other).sum);
    s.count += as<IntervalSum>(other).count;
}
Value interval_sum_final(AggregateCall&, void* state) {
    const IntervalSum& s = as<IntervalSum>(state);
    return s.count == 0 ? Value::null(type::interval) : Value::interval(s.sum);
}
Value interval_avg_final(AggregateCall&, void* state) {
    const IntervalSum& s = as<IntervalSum>(state);
    return s.count == 0 ? Value::null(type::interval)
                        : Value::interval(interval_divide(s.sum, static_cast<double>(s.count)));
}
constexpr AggregateBody k_interval_sum{sizeof(IntervalSum), &nothing, &interval_step, &interval_combine, nullptr,
                                       &interval_sum_final, nullptr,  nullptr,        true};
constexpr AggregateBody k_interval_avg{sizeof(IntervalSum), &nothing, &interval_step, &interval_combine, nullptr,
                                       &interval_avg_final, nullptr,  nullptr,        true};

// ---- min and max ----

struct Extreme {
    KeptValue kept;
    bool any;
};
void extreme_init(AggregateCall&, void* state) { new (state) Extreme{{Value(), nullptr, 0}, false}; }
void keep_extreme(AggregateCall& call, Extreme& extreme, const Value& value) {
    extreme.any = true;
    extreme.kept.keep(value, call.arena);
}
template <int Sign>
void extreme_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Extreme& extreme = as<Extreme>(state);
    const Value& value = a[0];
    if (extreme.any && value.form() == Form::integer) {
        if (Sign > 0 ? value.integer() > extreme.kept.value.integer() : value.integer() < extreme.kept.value.integer())
            extreme.kept.value = value;
    } else if (!extreme.any || compare_values(value, extreme.kept.value) * Sign > 0) {
        keep_extreme(call, extreme, value);
    }
}
template <int Sign>
void extreme_combine(AggregateCall& call, void* state, const void* other) {
    if (as<Extreme>(other).any) extreme_step<Sign>(call, state, &as<Extreme>(other).kept.value, 1);
}
Value extreme_final(AggregateCall& call, void* state) {
    const Extreme& extreme = as<Extreme>(state);
    return extreme.any ? extreme.kept.value.as(call.result_type) : Value::null(call.result_type);
}
template <int Sign>
constexpr AggregateBody k_extreme{sizeof(Extreme),
                                  &extreme_init,
                                  &extreme_step<Sign>,
                                  &extreme_combine<Sign>,
                                  nullptr,
                                  &extreme_final,
                                  &aggregate_step_rows<extreme_step<Sign>>,
                                  &aggregate_step_run<Extreme, extreme_step<Sign>>,
                                  true};

// ---- booleans and bits ----

struct Flags {
    std::int64_t yes;
    std::int64_t no;
};
void flags_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    ++(a[0].boolean() ? as<Flags>(state).yes : as<Flags>(state).no);
}
void flags_inverse(AggregateCall&, void* state, const Value* a, std::size_t) {
    --(a[0].boolean() ? as<Flags>(state).yes : as<Flags>(state).no);
}
void flags_combine(AggregateCall&, void* state, const void* other) {
    as<Flags>(state).yes += as<Flags>(other).yes;
    as<Flags>(state).no += as<Flags>(other).no;
}
Value and_final(AggregateCall&, void* state) {
    const Flags& flags = as<Flags>(state);
    return flags.yes + flags.no == 0 ? Value::null(type::boolean) : Value::boolean(flags.no == 0);
}
Value or_final(AggregateCall&, void* state) {
    const Flags& flags = as<Flags>(state);
    return flags.yes + flags.no == 0 ? Value::null(type::boolean) : Value::boolean(flags.yes > 0);
}
constexpr AggregateBody k_bool_and{sizeof(Flags),  &nothing,       &flags_step,
                                   &flags_combine, &flags_inverse, &and_final};
constexpr AggregateBody k_bool_or{sizeof(Flags),  &nothing,       &flags_step,
                                  &flags_combine, &flags_inverse, &or_final};

struct Bits {
    std::int64_t bits;
    bool any;
};
Value both_true(Call&, const Value* a, std::size_t) { return Value::boolean(a[0].boolean() && a[1].boolean()); }
Value either_true(Call&, const Value* a, std::size_t) { return Value::boolean(a[0].boolean() || a[1].boolean()); }
template <char Op>
void bits_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    Bits& s = as<Bits>(state);
    const std::int64_t value = a[0].integer();
    s.bits = !s.any ? value : Op == '&' ? s.bits & value : Op == '|' ? s.bits | value : s.bits ^ value;
    s.any = true;
}
template <char Op>
void bits_combine(AggregateCall& call, void* state, const void* other) {
    if (!as<Bits>(other).any) return;
    const Value value = Value::int8(as<Bits>(other).bits);
    bits_step<Op>(call, state, &value, 1);
}
Value bits_final(AggregateCall& call, void* state) {
    return as<Bits>(state).any ? Value::integer(call.result_type, as<Bits>(state).bits)
                               : Value::null(call.result_type);
}
constexpr AggregateBody k_bit_and{sizeof(Bits),       &nothing, &bits_step<'&'>,
                                  &bits_combine<'&'>, nullptr,  &bits_final};
constexpr AggregateBody k_bit_or{sizeof(Bits),       &nothing, &bits_step<'|'>,
                                 &bits_combine<'|'>, nullptr,  &bits_final};
constexpr AggregateBody k_bit_xor{sizeof(Bits),       &nothing, &bits_step<'^'>,
                                  &bits_combine<'^'>, nullptr,  &bits_final};

// ---- gathering ----

struct Joined {
    GatheredText text;
    bool any;
};
void joined_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Joined& s = as<Joined>(state);
    if (a[0].is_null()) return;
    if (s.any && !a[1].is_null()) s.text.add(a[1].bytes(), call.arena);
    s.text.add(a[0].bytes(), call.arena);
    s.any = true;
}
Value joined_final(AggregateCall& call, void* state) {
    const Joined& s = as<Joined>(state);
    return s.any ? Value::bytes(call.result_type, call.arena.copy(s.text.view()))
                 : Value::null(call.result_type);
}
constexpr AggregateBody k_string_agg{sizeof(Joined), &nothing, &joined_step, nullptr, nullptr, &joined_final};

void gathered_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    as<GatheredValues>(state).add(a[0], call.arena);
}
void gathered_combine(AggregateCall& call, void* state, const void* other) {
    for (const Value& value : as<GatheredValues>(other).values())
        as<GatheredValues>(state).add(value, call.arena);
}
Value array_final(AggregateCall& call, void* state) {
    const GatheredValues& s = as<GatheredValues>(state);
    if (s.size == 0) return Value::null(call.result_type);
    return make_array(call.result_type, call.argument_types[0], s.values(), call.arena);
}
Value array_of_arrays_final(AggregateCall& call, void* state) {
    const GatheredValues& s = as<GatheredValues>(state);
    if (s.size == 0) return Value::null(call.result_type);
    for (const Value& value : s.values()) {
        if (value.is_null()) raise(sqlstate::null_value_not_allowed, "cannot accumulate null arrays");
        if (ArrayView(value).size() == 0)
            raise(sqlstate::array_subscript_error, "cannot accumulate empty arrays");
    }
    const Oid element = ArrayView(s.items[0]).element_type();
    try {
        return stack_arrays(call.result_type, element, s.values(), call.arena);
    } catch (SqlError& error) {
        if (error.state() == sqlstate::array_subscript_error) {
            raise(sqlstate::array_subscript_error, "cannot accumulate arrays of different dimensionality");
        }
        throw;
    }
}
constexpr AggregateBody k_array_agg{sizeof(GatheredValues), &nothing, &gathered_step,
                                    &gathered_combine,      nullptr,  &array_final};
constexpr AggregateBody k_array_agg_arrays{sizeof(GatheredValues), &nothing, &gathered_step,
                                           &gathered_combine,      nullptr,  &array_of_arrays_final};

constexpr FunctionSource k_aggregates[] = {
    {"count() int8", &k_count},
    {"count(any) int8", &k_count},
    {"sum(int2) int8", &k_integer_sum},
    {"sum(int4) int8", &k_integer_sum},
    {"sum(int8) numeric", &k_integer_sum},
    {"sum(numeric) numeric", &k_numeric_sum},
    {"sum(float4) float4", &k_float4_sum},
    {"sum(float8) float8", &k_float8_sum},
    {"sum(interval) interval", &k_interval_sum},
    {"avg(int2) numeric", &k_integer_avg},
    {"avg(int4) numeric", &k_integer_avg},
    {"avg(int8) numeric", &k_integer_avg},
    {"avg(numeric) numeric", &k_numeric_avg},
    {"avg(interval) interval", &k_interval_avg},
    {"min(int2) int2", &k_extreme<-1>},
    {"min(int4) int4", &k_extreme<-1>},
    {"min(int8) int8", &k_extreme<-1>},
    {"min(float4) float4", &k_extreme<-1>},
    {"min(float8) float8", &k_extreme<-1>},
    {"min(numeric) numeric", &k_extreme<-1>},
    {"min(text) text", &k_extreme<-1>},
    {"min(bpchar) bpchar", &k_extreme<-1>},
    {"min(date) date", &k_extreme<-1>},
    {"min(time) time", &k_extreme<-1>},
    {"min(timetz) timetz", &k_extreme<-1>},
    {"min(timestamp) timestamp", &k_extreme<-1>},
    {"min(timestamptz) timestamptz", &k_extreme<-1>},
    {"min(interval) interval", &k_extreme<-1>},
    {"min(oid) oid", &k_extreme<-1>},
    {"min(xid8) xid8", &k_extreme<-1>},
    {"min(inet) inet", &k_extreme<-1>},
    {"min(anyarray) anyarray", &k_extreme<-1>},
    {"min(anyenum) anyenum", &k_extreme<-1>},
    {"max(int2) int2", &k_extreme<1>},
    {"max(int4) int4", &k_extreme<1>},
    {"max(int8) int8", &k_extreme<1>},
    {"max(float4) float4", &k_extreme<1>},
    {"max(float8) float8", &k_extreme<1>},
    {"max(numeric) numeric", &k_extreme<1>},
    {"max(text) text", &k_extreme<1>},
    {"max(bpchar) bpchar", &k_extreme<1>},
    {"max(date) date", &k_extreme<1>},
    {"max(time) time", &k_extreme<1>},
    {"max(timetz) timetz", &k_extreme<1>},
    {"max(timestamp) timestamp", &k_extreme<1>},
    {"max(timestamptz) timestamptz", &k_extreme<1>},
    {"max(interval) interval", &k_extreme<1>},
    {"max(oid) oid", &k_extreme<1>},
    {"max(xid8) xid8", &k_extreme<1>},
    {"max(inet) inet", &k_extreme<1>},
    {"max(anyarray) anyarray", &k_extreme<1>},
    {"max(anyenum) anyenum", &k_extreme<1>},
    {"bool_and(bool) bool", &k_bool_and},
    {"every(bool) bool", &k_bool_and},
    {"bool_or(bool) bool", &k_bool_or},
    {"booland_statefunc(bool,bool) bool", &both_true},
    {"boolor_statefunc(bool,bool) bool", &either_true},
    {"bit_and(int2) int2", &k_bit_and},
    {"bit_and(int4) int4", &k_bit_and},
    {"bit_and(int8) int8", &k_bit_and},
    {"bit_or(int2) int2", &k_bit_or},
    {"bit_or(int4) int4", &k_bit_or},
    {"bit_or(int8) int8", &k_bit_or},
    {"bit_xor(int2) int2", &k_bit_xor},
    {"bit_xor(int4) int4", &k_bit_xor},
    {"bit_xor(int8) int8", &k_bit_xor},
    {"string_agg(text,text) text nonstrict", &k_string_agg},
    {"string_agg(bytea,bytea) bytea nonstrict", &k_string_agg},
    {"array_agg(anynonarray) anyarray nonstrict", &k_array_agg},
    {"array_agg(anyarray) anyarray nonstrict", &k_array_agg_arrays},
};

}  // namespace aggregate_file

std::span<const FunctionSource> aggregate_functions() { return aggregate_file::k_aggregates; }

}  // namespace northstar::inline v0::sql
