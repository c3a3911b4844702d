#include "sql/plan/key_range.hpp"

#include "sql/cast.hpp"
#include "sql/plan/index_terms.hpp"

#include <utility>

namespace northstar::inline v0::sql {

KeyFit fit_key(Value& value, Oid type) {
    if (value.type() == type || !is_plain_integer(type)) return KeyFit::fits;
    const std::int64_t limit = type == type::int2 ? INT16_MAX : type == type::int4 ? INT32_MAX : INT64_MAX;
    if (value.integer() > limit) return KeyFit::above;
    if (value.integer() < -limit - 1) return KeyFit::below;
    value = value.as(type);
    return KeyFit::fits;
}

bool has_keys_of(Oid column, Oid value) {
    if (has_bytes_of(column, value)) return true;
    // A local time is turned into a moment, not the other way round: where clocks are set back, that has no order.
    switch (column) {
        case type::date: return value == type::timestamp || value == type::timestamptz;
        case type::timestamp: return value == type::date;
        case type::timestamptz: return value == type::date || value == type::timestamp;
        default: return false;
    }
}

KeyFit fit_moment(Value& value, Oid type, Session& session) {
    Arena arena;
    const auto as = [&](const Value& from, Oid to) {
        return cast_value(from, to, k_no_typmod, CastContext::explicit_, arena, session);
    };
    const std::int64_t before = value.integer();
    try {
        if (type != type::date) {
            value = as(value, type);
            return KeyFit::fits;
        }
        const Value moment = value;
        value = as(moment, type::date);
        const std::int64_t begin = as(value, moment.type()).integer();
        if (begin == before) return KeyFit::fits;
        if (begin > before) value = Value::integer(type::date, value.integer() - 1);
        return KeyFit::between;
    } catch (const SqlError&) {
        // Too far away for the column: behind its last moment, before infinity; or the other way round.
        value = Value::integer(type, before < 0 ? INT64_MIN : INT64_MAX - 1);
        return KeyFit::between;
    }
}

bool make_key_range(const Plan& scan, const AccessPath& path, PathValues& values, Session* session, KeyRange& out) {
    const auto fit_value = [session](Value& value, Oid type) {
        return has_bytes_of(type, value.type()) ? fit_key(value, type) : fit_moment(value, type, *session);
    };
    const auto number = static_cast<std::size_t>(path.index);
    const Index& index = scan.relation->indexes[number];
    out.prefix.clear();
    out.lead.clear();
    for (std::size_t i = 0; i < path.equal.size(); ++i) {
        if (path.skipped > 0 && i == path.skipped_behind) out.lead.swap(out.prefix);
        const Oid type = type_of_term(scan, number, path.part(i));
        Value key = path.equal[i] == nullptr ? Value::null(type) : values.equal[i];
        if (path.equal[i] != nullptr && (key.is_null() || fit_value(key, type) != KeyFit::fits)) return false;
        encode_key(key, index.columns[path.part(i)].order, out.prefix);
    }
    if (path.skipped > 0 && path.equal.size() == path.skipped_behind) out.lead.swap(out.prefix);
    out.from = out.prefix;
    out.to = key_successor(out.prefix);
    if (path.low == nullptr && path.high == nullptr && !path.not_null) return true;
    // NULL is in no range.
    out.from.push_back(k_value_tag);
    out.to = key_successor(out.from);
    if (path.low == nullptr && path.high == nullptr) return true;
    const std::size_t at = path.next_part();
    const Oid type = type_of_term(scan, number, at);
    const KeyOrder order = index.columns[at].order;
    std::string low, high;  // empty: no such end
    bool low_inclusive = path.low_inclusive;
    bool high_inclusive = path.high_inclusive;
    if (path.low != nullptr) {
        if (values.low.is_null()) return false;
        const KeyFit fit = fit_value(values.low, type);
        if (fit == KeyFit::above) return false;
        low_inclusive = low_inclusive && fit == KeyFit::fits;
        if (fit != KeyFit::below) {
            low = out.prefix;
            encode_key(values.low, order, low);
        }
    }
    if (path.high != nullptr) {
        if (values.high.is_null()) return false;
        const KeyFit fit = fit_value(values.high, type);
        if (fit == KeyFit::below) return false;
        high_inclusive = high_inclusive || fit == KeyFit::between;
        if (fit != KeyFit::above) {
            high = out.prefix;
            encode_key(values.high, order, high);
        }
    }
    if (order.descending) {
        std::swap(low, high);
        std::swap(low_inclusive, high_inclusive);
    }
    if (!low.empty()) out.from = low_inclusive ? std::move(low) : key_successor(low);
    if (!high.empty()) out.to = high_inclusive ? key_successor(high) : std::move(high);
    return true;
}

}  // namespace northstar::inline v0::sql
