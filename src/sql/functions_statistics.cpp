// Statistical and ordered-set aggregates.

#include "sql/aggregate_state.hpp"
#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"

#include <cmath>
#include <cstring>

namespace northstar::inline v0::sql {

namespace statistics_file {

void nothing(AggregateCall&, void*) {}

template <class State>
State& as(void* state) {
    return *static_cast<State*>(state);
}
template <class State>
const State& as(const void* state) {
    return *static_cast<const State*>(state);
}

// ---- variance of exact numbers: N, sum and sum of squares ----

struct ExactMoments {
    NumericSum sum;
    NumericSum squares;
    std::int64_t count;
};
void exact_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    ExactMoments& s = as<ExactMoments>(state);
    const Numeric value =
        a[0].form() == Form::integer ? numeric_from_int(a[0].integer(), call.arena) : a[0].numeric();
    s.sum.add(value, call.arena);
    if (value.is_finite()) s.squares.add(numeric_multiply(value, value, call.arena), call.arena);
    ++s.count;
}
void exact_combine(AggregateCall& call, void* state, const void* other) {
    ExactMoments& s = as<ExactMoments>(state);
    s.sum.add(as<ExactMoments>(other).sum, call.arena);
    s.squares.add(as<ExactMoments>(other).squares, call.arena);
    s.count += as<ExactMoments>(other).count;
}
template <bool Sample, bool Root>
Value exact_final(AggregateCall& call, void* state) {
    const ExactMoments& s = as<ExactMoments>(state);
    if (s.count == 0 || (Sample && s.count == 1)) return Value::null(type::numeric);
    if (!s.sum.is_finite()) return Value::numeric(Numeric::nan());
    Arena& arena = call.arena;
    const Numeric count = numeric_from_int(s.count, arena);
    const Numeric sum = s.sum.total(arena);
    const Numeric spread = numeric_subtract(numeric_multiply(s.squares.total(arena), count, arena),
                                            numeric_multiply(sum, sum, arena), arena);
    if (spread.sign() <= 0) return Value::numeric(Numeric::of(0));
    const Numeric divisor =
        numeric_multiply(count, numeric_from_int(s.count - (Sample ? 1 : 0), arena), arena);
    const Numeric variance = numeric_divide(spread, divisor, arena);
    return Value::numeric(Root ? numeric_sqrt_at_scale(variance, variance.scale, arena) : variance);
}
template <bool Sample, bool Root>
constexpr AggregateBody k_exact{sizeof(ExactMoments), &nothing, &exact_step,
                                &exact_combine,       nullptr,  &exact_final<Sample, Root>};

// ---- of floats: Youngs and Cramer's updating of sums of squares ----

struct RealMoments {
    double n;
    double sx;
    double sxx;
};
[[noreturn]] void overflow() { raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow"); }

void real_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    RealMoments& s = as<RealMoments>(state);
    const double x = a[0].real();
    const double before = s.sx;
    s.n += 1;
    s.sx += x;
    if (s.n > 1) {
        const double difference = x * s.n - s.sx;
        s.sxx += difference * difference / (s.n * (s.n - 1));
        if (std::isinf(s.sx) || std::isinf(s.sxx)) {
            if (!std::isinf(before) && !std::isinf(x)) overflow();
            s.sxx = std::nan("");
        }
    } else if (std::isnan(x) || std::isinf(x)) {
        s.sxx = std::nan("");
    }
}
void real_combine(AggregateCall&, void* state, const void* other) {
    RealMoments& s = as<RealMoments>(state);
    const RealMoments& o = as<RealMoments>(other);
    if (o.n == 0) return;
    if (s.n == 0) {
        s = o;
        return;
    }
    const double difference = s.sx / s.n - o.sx / o.n;
    s.sxx += o.sxx + s.n * o.n * difference * difference / (s.n + o.n);
    s.n += o.n;
    s.sx += o.sx;
}
Value real_avg(AggregateCall&, void* state) {
    const RealMoments& s = as<RealMoments>(state);
    return s.n == 0 ? Value::null(type::float8) : Value::float8(s.sx / s.n);
}
template <bool Sample, bool Root>
Value real_final(AggregateCall&, void* state) {
    const RealMoments& s = as<RealMoments>(state);
    const double divisor = s.n - (Sample ? 1 : 0);
    if (divisor <= 0) return Value::null(type::float8);
    return Value::float8(Root ? std::sqrt(s.sxx / divisor) : s.sxx / divisor);
}
constexpr AggregateBody k_real_avg{sizeof(RealMoments),
                                   &nothing,
                                   &real_step,
                                   &real_combine,
                                   nullptr,
                                   &real_avg,
                                   &aggregate_step_rows<real_step>,
                                   &aggregate_step_run<RealMoments, real_step>};
template <bool Sample, bool Root>
constexpr AggregateBody k_real{sizeof(RealMoments), &nothing, &real_step,
                               &real_combine,       nullptr,  &real_final<Sample, Root>};

// ---- of pairs (y, x) ----

struct Regression {
    double n, sx, sxx, sy, syy, sxy;
};
void regression_step(AggregateCall&, void* state, const Value* a, std::size_t) {
    Regression& s = as<Regression>(state);
    const double y = a[0].real();
    const double x = a[1].real();
    const double sx = s.sx;
    const double sy = s.sy;
    s.n += 1;
    s.sx += x;
    s.sy += y;
    if (s.n > 1) {
        const double dx = x * s.n - s.sx;
        const double dy = y * s.n - s.sy;
        const double scale = 1.0 / (s.n * (s.n - 1));
        s.sxx += dx * dx * scale;
        s.syy += dy * dy * scale;
        s.sxy += dx * dy * scale;
        if (std::isinf(s.sx) || std::isinf(s.sxx) || std::isinf(s.sy) || std::isinf(s.syy) ||
            std::isinf(s.sxy)) {
            const bool finite_x = !std::isinf(sx) && !std::isinf(x);
            const bool finite_y = !std::isinf(sy) && !std::isinf(y);
            if (((std::isinf(s.sx) || std::isinf(s.sxx)) && finite_x) ||
                ((std::isinf(s.sy) || std::isinf(s.syy)) && finite_y) ||
                (std::isinf(s.sxy) && finite_x && finite_y)) {
                overflow();
            }
            if (std::isinf(s.sxx)) s.sxx = std::nan("");
            if (std::isinf(s.syy)) s.syy = std::nan("");
            if (std::isinf(s.sxy)) s.sxy = std::nan("");
        }
        return;
    }
    if (std::isnan(x) || std::isinf(x)) s.sxx = s.sxy = std::nan("");
    if (std::isnan(y) || std::isinf(y)) s.syy = s.sxy = std::nan("");
}
void regression_combine(AggregateCall&, void* state, const void* other) {
    Regression& s = as<Regression>(state);
    const Regression& o = as<Regression>(other);
    if (o.n == 0) return;
    if (s.n == 0) {
        s = o;
        return;
    }
    const double n = s.n + o.n;
    const double dx = s.sx / s.n - o.sx / o.n;
    const double dy = s.sy / s.n - o.sy / o.n;
    s.sxx += o.sxx + s.n * o.n * dx * dx / n;
    s.syy += o.syy + s.n * o.n * dy * dy / n;
    s.sxy += o.sxy + s.n * o.n * dx * dy / n;
    s.n = n;
    s.sx += o.sx;
    s.sy += o.sy;
}
Value none() { return Value::null(type::float8); }
Value regr_count(AggregateCall&, void* state) {
    return Value::int8(static_cast<std::int64_t>(as<Regression>(state).n));
}
template <double Regression::*Member>
Value regr_member(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 ? none() : Value::float8(s.*Member);
}
Value regr_avgx(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 ? none() : Value::float8(s.sx / s.n);
}
Value regr_avgy(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 ? none() : Value::float8(s.sy / s.n);
}
Value covar_pop(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 ? none() : Value::float8(s.sxy / s.n);
}
Value covar_samp(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 2 ? none() : Value::float8(s.sxy / (s.n - 1));
}
Value corr(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 || s.sxx == 0 || s.syy == 0 ? none() : Value::float8(s.sxy / std::sqrt(s.sxx * s.syy));
}
Value regr_r2(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    if (s.n < 1 || s.sxx == 0) return none();
    return Value::float8(s.syy == 0 ? 1.0 : s.sxy * s.sxy / (s.sxx * s.syy));
}
Value regr_slope(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 || s.sxx == 0 ? none() : Value::float8(s.sxy / s.sxx);
}
Value regr_intercept(AggregateCall&, void* state) {
    const Regression& s = as<Regression>(state);
    return s.n < 1 || s.sxx == 0 ? none() : Value::float8((s.sy - s.sx * s.sxy / s.sxx) / s.n);
}
template <Value (*Final)(AggregateCall&, void*)>
constexpr AggregateBody k_regression{sizeof(Regression),  &nothing, &regression_step,
                                     &regression_combine, nullptr,  Final};

// ---- the states of floats as arrays, which PostgreSQL's functions behind the aggregates take and give ----

template <class State>
State state_in(const Value& array, Arena& arena) {
    constexpr std::size_t k_members = sizeof(State) / sizeof(double);
    const ArrayView view(array);
    double members[k_members] = {};
    bool good = view.dimensions().size() == 1 && view.size() == k_members;
    for (std::size_t i = 0; good && i < k_members; ++i) {
        good = !view.is_null(i);
        if (good) members[i] = view.element(i, arena).real();
    }
    if (!good) raise(sqlstate::internal_error, "expected " + std::to_string(k_members) + "-element float8 array");
    State state;
    std::memcpy(&state, members, sizeof state);
    return state;
}
template <class State>
Value array_of(const State& state, Call& call) {
    double members[sizeof(State) / sizeof(double)];
    std::memcpy(members, &state, sizeof state);
    std::vector<Value> values;
    for (const double member : members) values.push_back(Value::float8(member));
    return make_array(call.result_type, type::float8, values, call.arena);
}
template <class State, auto Step>
Value accumulated(Call& call, const Value* a, std::size_t count) {
    State state = state_in<State>(a[0], call.arena);
    AggregateCall inner{call.arena, call.session, type::float8, {}, {}, {}};
    Step(inner, &state, a + 1, count - 1);
    return array_of(state, call);
}
template <class State, auto Combine>
Value combined(Call& call, const Value* a, std::size_t) {
    State state = state_in<State>(a[0], call.arena);
    const State other = state_in<State>(a[1], call.arena);
    AggregateCall inner{call.arena, call.session, type::float8, {}, {}, {}};
    Combine(inner, &state, &other);
    return array_of(state, call);
}

// ---- ordered sets: values come sorted, and how many is known ----

/// Of all values those at some places are kept.
struct Picked {
    struct Spot {
        std::size_t place;
        Value value;
    };
    Spot* spots;  ///< in the order of their places
    std::size_t count;
    std::size_t reached;  ///< so many of them have their value
    std::size_t seen;     ///< values

    const Value& at(std::size_t place) const {
        return std::lower_bound(spots, spots + count, place,
                                [](const Spot& spot, std::size_t wanted) { return spot.place < wanted; })->value;
    }
};

double fraction_of(const Value& value) {
    const double fraction = value.real();
    if (!(fraction >= 0 && fraction <= 1)) {
        std::string text = std::to_string(fraction);
        text.resize(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        raise(sqlstate::numeric_value_out_of_range, "percentile value " + text + " is not between 0 and 1");
    }
    return fraction;
}

/// The values that a fraction of so many ones stands between, by their places, and how near it is to the second.
struct Between {
    std::size_t first, second;
    double share;
};
Between discrete(double fraction, std::size_t size) {
    const double row = std::ceil(fraction * static_cast<double>(size));
    const std::size_t place = row < 1 ? 0 : static_cast<std::size_t>(row) - 1;
    return {place, place, 0};
}
Between continuous(double fraction, std::size_t size) {
    const double place = fraction * static_cast<double>(size - 1);
    const double first = std::floor(place);
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(std::ceil(place)), place - first};
}

Value value_between(const Picked& picked, const Between& between) {
    const Value& low = picked.at(between.first);
    if (between.first == between.second) return low;
    const Value& high = picked.at(between.second);
    if (low.form() == Form::interval) {
        const Interval difference = interval_add(high.interval(), interval_negate(low.interval()));
        return Value::interval(interval_add(low.interval(), interval_multiply(difference, between.share)));
    }
    return Value::float8(low.real() + between.share * (high.real() - low.real()));
}

/// The fractions that the direct argument asks for.
template <bool Several>
std::vector<Value> fractions_of(AggregateCall& call) {
    const Value& given = call.direct_arguments[0];
    std::vector<Value> fractions;
    if (given.is_null()) return fractions;
    if constexpr (Several) {
        const ArrayView view(given);
        for (std::size_t i = 0; i < view.size(); ++i) fractions.push_back(view.element(i, call.arena));
    } else {
        fractions.push_back(given);
    }
    return fractions;
}

template <Between (*Place)(double, std::size_t), bool Several>
void choose_places(AggregateCall& call, Picked& picked) {
    std::vector<std::size_t> places;
    for (const Value& fraction : fractions_of<Several>(call)) {
        if (fraction.is_null()) continue;
        const Between between = Place(fraction_of(fraction), static_cast<std::size_t>(call.row_count));
        places.push_back(between.first);
        places.push_back(between.second);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    picked.count = places.size();
    picked.spots = call.arena.allocate_array<Picked::Spot>(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) new (picked.spots + i) Picked::Spot{places[i], Value()};
}

template <Between (*Place)(double, std::size_t), bool Several>
void percentile_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    Picked& picked = as<Picked>(state);
    if (picked.seen == 0) choose_places<Place, Several>(call, picked);
    if (picked.reached < picked.count && picked.spots[picked.reached].place == picked.seen)
        picked.spots[picked.reached++].value = copy_value(a[0], call.arena);
    ++picked.seen;
}

template <Between (*Place)(double, std::size_t)>
Value percentile(AggregateCall& call, void* state) {
    const Picked& picked = as<Picked>(state);
    if (call.direct_arguments[0].is_null()) return Value::null(call.result_type);
    const double fraction = fraction_of(call.direct_arguments[0]);
    return picked.seen == 0 ? Value::null(call.result_type) : value_between(picked, Place(fraction, picked.seen));
}
template <Between (*Place)(double, std::size_t)>
Value percentiles(AggregateCall& call, void* state) {
    const Picked& picked = as<Picked>(state);
    if (call.direct_arguments[0].is_null() || picked.seen == 0) return Value::null(call.result_type);
    const Oid element = type_info(call.result_type, call.session.types).element;
    std::vector<Value> results;
    for (const Value& fraction : fractions_of<true>(call))
        results.push_back(fraction.is_null() ? Value::null(element)
                                             : value_between(picked, Place(fraction_of(fraction), picked.seen)));
    return make_array(call.result_type, element, ArrayView(call.direct_arguments[0]).dimensions(), results, call.arena);
}
template <Between (*Place)(double, std::size_t)>
constexpr AggregateBody k_percentile{sizeof(Picked), &nothing, &percentile_step<Place, false>, nullptr, nullptr,
                                     &percentile<Place>};
template <Between (*Place)(double, std::size_t)>
constexpr AggregateBody k_percentiles{sizeof(Picked), &nothing, &percentile_step<Place, true>, nullptr, nullptr,
                                      &percentiles<Place>};

/// The longest run of equal values; of several the first.
struct LongestRun {
    KeptValue best, present;
    std::size_t best_length, length;
    bool is_best;  ///< the present run is
};
void mode_step(AggregateCall& call, void* state, const Value* a, std::size_t) {
    LongestRun& s = as<LongestRun>(state);
    if (s.length == 0 || !equal_values(s.present.value, a[0])) {
        s.present.keep(a[0], call.arena);
        s.length = 0;
        s.is_best = false;
    }
    if (++s.length <= s.best_length) return;
    s.best_length = s.length;
    if (!s.is_best) s.best.keep(a[0], call.arena);
    s.is_best = true;
}
Value mode(AggregateCall& call, void* state) {
    const LongestRun& s = as<LongestRun>(state);
    return s.best_length == 0 ? Value::null(call.result_type) : s.best.value;
}
constexpr AggregateBody k_mode{sizeof(LongestRun), &nothing, &mode_step, nullptr, nullptr, &mode};

// ---- where a row that is not there would stand among those that are ----

struct Hypothetical {
    std::int64_t rows = 0;
    std::int64_t before = 0;
    std::int64_t peers = 0;
    std::int64_t groups_before = 0;  ///< of equal rows
    KeptValue* last = nullptr;    ///< of these, the newest row
};

int compare_sorted(AggregateCall& call, const Value* a, const Value* b, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const ArgumentOrder order = i < call.orders.size() ? call.orders[i] : ArgumentOrder{};
        if (a[i].is_null() || b[i].is_null()) {
            if (a[i].is_null() == b[i].is_null()) continue;
            return a[i].is_null() == order.nulls_first ? -1 : 1;
        }
        if (const int by_value = compare_values(a[i], b[i]); by_value != 0)
            return order.descending ? -by_value : by_value;
    }
    return 0;
}

void hypothetical_step(AggregateCall& call, void* state, const Value* a, std::size_t count) {
    Hypothetical& s = as<Hypothetical>(state);
    ++s.rows;
    const int order = compare_sorted(call, a, call.direct_arguments.data(), count);
    if (order == 0) ++s.peers;
    if (order >= 0) return;
    ++s.before;
    if (s.last == nullptr) {
        s.last = call.arena.allocate_array<KeptValue>(count);
        for (std::size_t i = 0; i < count; ++i) new (s.last + i) KeptValue{Value(), nullptr, 0};
    } else {
        bool same = true;
        for (std::size_t i = 0; i < count && same; ++i) same = compare_sorted(call, a + i, &s.last[i].value, 1) == 0;
        if (same) return;
    }
    ++s.groups_before;
    for (std::size_t i = 0; i < count; ++i) s.last[i].keep(a[i], call.arena);
}
Value hypothetical_rank(AggregateCall&, void* state) { return Value::int8(as<Hypothetical>(state).before + 1); }
Value hypothetical_dense_rank(AggregateCall&, void* state) {
    return Value::int8(as<Hypothetical>(state).groups_before + 1);
}
Value hypothetical_percent_rank(AggregateCall&, void* state) {
    const Hypothetical& s = as<Hypothetical>(state);
    return Value::float8(s.rows == 0 ? 0.0 : static_cast<double>(s.before) / static_cast<double>(s.rows));
}
Value hypothetical_cume_dist(AggregateCall&, void* state) {
    const Hypothetical& s = as<Hypothetical>(state);
    return Value::float8(static_cast<double>(s.before + s.peers + 1) / static_cast<double>(s.rows + 1));
}
template <Value (*Final)(AggregateCall&, void*)>
constexpr AggregateBody k_hypothetical{sizeof(Hypothetical), &nothing, &hypothetical_step, nullptr, nullptr, Final};

constexpr FunctionSource k_aggregates[] = {
    {"avg(float4) float8", &k_real_avg},
    {"avg(float8) float8", &k_real_avg},
    {"variance(int2) numeric", &k_exact<true, false>},
    {"variance(int4) numeric", &k_exact<true, false>},
    {"variance(int8) numeric", &k_exact<true, false>},
    {"variance(numeric) numeric", &k_exact<true, false>},
    {"variance(float4) float8", &k_real<true, false>},
    {"variance(float8) float8", &k_real<true, false>},
    {"var_samp(int2) numeric", &k_exact<true, false>},
    {"var_samp(int4) numeric", &k_exact<true, false>},
    {"var_samp(int8) numeric", &k_exact<true, false>},
    {"var_samp(numeric) numeric", &k_exact<true, false>},
    {"var_samp(float4) float8", &k_real<true, false>},
    {"var_samp(float8) float8", &k_real<true, false>},
    {"var_pop(int2) numeric", &k_exact<false, false>},
    {"var_pop(int4) numeric", &k_exact<false, false>},
    {"var_pop(int8) numeric", &k_exact<false, false>},
    {"var_pop(numeric) numeric", &k_exact<false, false>},
    {"var_pop(float4) float8", &k_real<false, false>},
    {"var_pop(float8) float8", &k_real<false, false>},
    {"stddev(int2) numeric", &k_exact<true, true>},
    {"stddev(int4) numeric", &k_exact<true, true>},
    {"stddev(int8) numeric", &k_exact<true, true>},
    {"stddev(numeric) numeric", &k_exact<true, true>},
    {"stddev(float4) float8", &k_real<true, true>},
    {"stddev(float8) float8", &k_real<true, true>},
    {"stddev_samp(int2) numeric", &k_exact<true, true>},
    {"stddev_samp(int4) numeric", &k_exact<true, true>},
    {"stddev_samp(int8) numeric", &k_exact<true, true>},
    {"stddev_samp(numeric) numeric", &k_exact<true, true>},
    {"stddev_samp(float4) float8", &k_real<true, true>},
    {"stddev_samp(float8) float8", &k_real<true, true>},
    {"stddev_pop(int2) numeric", &k_exact<false, true>},
    {"stddev_pop(int4) numeric", &k_exact<false, true>},
    {"stddev_pop(int8) numeric", &k_exact<false, true>},
    {"stddev_pop(numeric) numeric", &k_exact<false, true>},
    {"stddev_pop(float4) float8", &k_real<false, true>},
    {"stddev_pop(float8) float8", &k_real<false, true>},
    {"regr_count(float8,float8) int8", &k_regression<&regr_count>},
    {"regr_sxx(float8,float8) float8", &k_regression<&regr_member<&Regression::sxx>>},
    {"regr_syy(float8,float8) float8", &k_regression<&regr_member<&Regression::syy>>},
    {"regr_sxy(float8,float8) float8", &k_regression<&regr_member<&Regression::sxy>>},
    {"regr_avgx(float8,float8) float8", &k_regression<&regr_avgx>},
    {"regr_avgy(float8,float8) float8", &k_regression<&regr_avgy>},
    {"regr_r2(float8,float8) float8", &k_regression<&regr_r2>},
    {"regr_slope(float8,float8) float8", &k_regression<&regr_slope>},
    {"regr_intercept(float8,float8) float8", &k_regression<&regr_intercept>},
    {"covar_pop(float8,float8) float8", &k_regression<&covar_pop>},
    {"covar_samp(float8,float8) float8", &k_regression<&covar_samp>},
    {"corr(float8,float8) float8", &k_regression<&corr>},
    {"float8_accum(_float8,float8) _float8", &accumulated<RealMoments, &real_step>},
    {"float8_combine(_float8,_float8) _float8", &combined<RealMoments, &real_combine>},
    {"float8_regr_accum(_float8,float8,float8) _float8", &accumulated<Regression, &regression_step>},
    {"float8_regr_combine(_float8,_float8) _float8", &combined<Regression, &regression_combine>},
    {"percentile_cont(float8,float8) float8 ordered=1", &k_percentile<&continuous>},
    {"percentile_cont(float8,interval) interval ordered=1", &k_percentile<&continuous>},
    {"percentile_cont(_float8,float8) _float8 ordered=1", &k_percentiles<&continuous>},
    {"percentile_cont(_float8,interval) _interval ordered=1", &k_percentiles<&continuous>},
    {"percentile_disc(float8,anyelement) anyelement ordered=1", &k_percentile<&discrete>},
    {"percentile_disc(_float8,anyelement) anyarray ordered=1", &k_percentiles<&discrete>},
    {"mode(anyelement) anyelement ordered=0", &k_mode},
    {"rank(any) int8 variadic nonstrict hypothetical", &k_hypothetical<&hypothetical_rank>},
    {"dense_rank(any) int8 variadic nonstrict hypothetical", &k_hypothetical<&hypothetical_dense_rank>},
    {"percent_rank(any) float8 variadic nonstrict hypothetical", &k_hypothetical<&hypothetical_percent_rank>},
    {"cume_dist(any) float8 variadic nonstrict hypothetical", &k_hypothetical<&hypothetical_cume_dist>},
};

}  // namespace statistics_file

std::span<const FunctionSource> statistics_aggregates() { return statistics_file::k_aggregates; }

}  // namespace northstar::inline v0::sql
