#include "sql/plan/key_range.hpp"

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

bool make_key_range(const Plan& scan, PathValues& values, KeyRange& out) {
    const AccessPath& path = scan.access;
    const auto number = static_cast<std::size_t>(path.index);
    const Index& index = scan.relation->indexes[number];
    out.prefix.clear();
    for (std::size_t i = 0; i < path.equal.size(); ++i) {
        const Oid type = type_of_term(scan, number, i);
        Value key = path.equal[i] == nullptr ? Value::null(type) : values.equal[i];
        if (path.equal[i] != nullptr && (key.is_null() || fit_key(key, type) != KeyFit::fits)) return false;
        encode_key(key, index.columns[i].order, out.prefix);
    }
    out.from = out.prefix;
    out.to = key_successor(out.prefix);
    if (path.low == nullptr && path.high == nullptr && !path.not_null) return true;
    // NULL is in no range.
    out.from.push_back(k_value_tag);
    out.to = key_successor(out.from);
    if (path.low == nullptr && path.high == nullptr) return true;
    const std::size_t at = path.equal.size();
    const Oid type = type_of_term(scan, number, at);
    const KeyOrder order = index.columns[at].order;
    std::string low, high;  // empty: no such end
    if (path.low != nullptr) {
        if (values.low.is_null()) return false;
        const KeyFit fit = fit_key(values.low, type);
        if (fit == KeyFit::above) return false;
        if (fit == KeyFit::fits) {
            low = out.prefix;
            encode_key(values.low, order, low);
        }
    }
    if (path.high != nullptr) {
        if (values.high.is_null()) return false;
        const KeyFit fit = fit_key(values.high, type);
        if (fit == KeyFit::below) return false;
        if (fit == KeyFit::fits) {
            high = out.prefix;
            encode_key(values.high, order, high);
        }
    }
    bool low_inclusive = path.low_inclusive;
    bool high_inclusive = path.high_inclusive;
    if (order.descending) {
        std::swap(low, high);
        std::swap(low_inclusive, high_inclusive);
    }
    if (!low.empty()) out.from = low_inclusive ? std::move(low) : key_successor(low);
    if (!high.empty()) out.to = high_inclusive ? key_successor(high) : std::move(high);
    return true;
}

}  // namespace northstar::inline v0::sql
