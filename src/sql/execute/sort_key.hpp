// sort_key.hpp -- comparing values in the order of a key of ORDER BY.  Layer: sql.
#pragma once

#include "sql/compare.hpp"
#include "sql/plan/expr.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::sql {

/// < 0: `a` comes first; 0: they are equal in it.
inline int compare_by_key(const Value& a, const Value& b, const SortKey& key) {
    if (a.is_null() || b.is_null()) {
        if (a.is_null() == b.is_null()) return 0;
        return a.is_null() == key.nulls_first ? -1 : 1;
    }
    const int order = compare_values(a, b);
    return key.descending ? -order : order;
}

/// A value as a number that orders as the key does, or is the same for values that it cannot tell apart.
class KeyPrefix {
public:
    explicit KeyPrefix(const SortKey& key) : descending_(key.descending), nulls_first_(key.nulls_first) {}
    std::uint64_t of(const Value& value) const {
        if (value.is_null()) return nulls_first_ ? 0 : ~std::uint64_t{0};
        const std::uint64_t ascending = ascending_of(value);
        return descending_ ? ~ascending : ascending;
    }

private:
    static constexpr std::uint64_t k_sign = std::uint64_t{1} << 63;

    static std::uint64_t ascending_of(const Value& value) {
        switch (value.form()) {
            case Form::boolean: return value.boolean() ? 1 : 0;
            case Form::integer: return static_cast<std::uint64_t>(value.integer()) ^ k_sign;
            case Form::real: {
                if (std::isnan(value.real())) return ~std::uint64_t{0};
                const auto bits = std::bit_cast<std::uint64_t>(value.real() == 0 ? 0.0 : value.real());
                return (bits & k_sign) != 0 ? ~bits : bits | k_sign;
            }
            case Form::bytes: {
                if (value.type() != type::text && value.type() != type::varchar) return 0;
                std::uint64_t head = 0;
                const std::string_view bytes = value.bytes();
                for (std::size_t i = 0; i < 8; ++i)
                    head = head << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
                return head;
            }
            default: return 0;
        }
    }
    bool descending_, nulls_first_;
};

/// Of rows in the order of a key no more are asked for than those up to a value of it, as far as that is known.
struct KeyBound {
    explicit KeyBound(const SortKey& key) : prefix_of(key) {}
    KeyPrefix prefix_of;
    bool known = false;
    std::uint64_t prefix = 0;  ///< of the last value; larger ones come behind it
};

}  // namespace northstar::inline v0::sql
