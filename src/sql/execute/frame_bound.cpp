#include "sql/execute/frame_bound.hpp"

#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace northstar::inline v0::sql {

namespace frame_bound {

bool is_nan(const Value& value) {
    return value.form() == Form::real ? std::isnan(value.real())
                                      : value.form() == Form::numeric && value.numeric().is_nan();
}

std::int64_t moved(std::int64_t value, std::int64_t distance, bool subtracts, int& beyond) {
    std::int64_t sum = 0;
    const bool overflows = subtracts ? __builtin_sub_overflow(value, distance, &sum)
                                     : __builtin_add_overflow(value, distance, &sum);
    if (overflows) beyond = subtracts ? 1 : -1;
    return sum;
}

Value midnight_of(const Value& date) {
    if (is_finite_date(date.integer())) return Value::integer(type::timestamp, timestamp_of(date.integer(), 0));
    return Value::integer(type::timestamp,
                          date.integer() > 0 ? k_timestamp_infinity : k_timestamp_minus_infinity);
}

/// What a time of day is moved by. More than some days lead from any time, in any zone, beyond all others.
std::int64_t within_days(const Value& offset) {
    return std::min(offset.interval().microseconds, 4 * k_microseconds_per_day);
}

}  // namespace frame_bound

void refuse_negative_offset(Oid order_type, const Value& offset) {
    bool negative = false;
    switch (offset.type()) {
        case type::int2:
        case type::int4:
        case type::int8: negative = offset.integer() < 0; break;
        case type::float8: negative = offset.real() < 0 || std::isnan(offset.real()); break;
        case type::numeric:
            negative = offset.numeric().is_nan() || compare_values(offset, Value::numeric(Numeric())) < 0;
            break;
        case type::interval:
            // Times of day are moved by the time of an interval alone.
            negative = order_type == type::time || order_type == type::timetz
                           ? offset.interval().microseconds < 0
                           : compare_values(offset, Value::interval({})) < 0;
            break;
        default: break;
    }
    if (negative)
        raise(sqlstate::invalid_preceding_or_following_size,
              "invalid preceding or following size in window function");
}

FrameBound::FrameBound(const Value& here, const Value& offset, const OperatorEntry& op, bool subtracts, bool below_all,
                       Call& call) {
    using namespace frame_bound;
    switch (here.type()) {
        case type::int2:
        case type::int4:
        case type::int8:
            bound_ = Value::int8(moved(here.integer(), offset.integer(), subtracts, beyond_));
            break;
        case type::float4:
        case type::float8:
            bound_ = Value::float8(subtracts ? here.real() - offset.real() : here.real() + offset.real());
            break;
        case type::time:
            bound_ = Value::int8(moved(here.integer(), within_days(offset), subtracts, beyond_));
            break;
        case type::timetz:
            bound_ = Value::timetz({moved(here.timetz().microseconds, within_days(offset), subtracts, beyond_),
                                    here.timetz().zone});
            break;
        default: {
            const Value pair[] = {here, offset};
            bound_ = op.body(call, pair, 2);
        }
    }
    // The middle between two infinities: everything but NaN is within the offset.
    if (!is_nan(bound_) || is_nan(here)) return;
    const double infinity = std::numeric_limits<double>::infinity();
    bound_ = here.type() == type::numeric ? Value::numeric(Numeric::infinity(below_all ? -1 : 1))
                                          : Value::float8(below_all ? -infinity : infinity);
}

int FrameBound::compare(const Value& value) const {
    if (beyond_ != 0) return beyond_;
    switch (value.type()) {
        case type::int2:
        case type::int4:
        case type::time: return compare_values(Value::int8(value.integer()), bound_);
        case type::float4: return compare_values(Value::float8(value.real()), bound_);
        case type::date: return compare_values(frame_bound::midnight_of(value), bound_);
        default: return compare_values(value, bound_);
    }
}

}  // namespace northstar::inline v0::sql
