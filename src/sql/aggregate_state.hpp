// aggregate_state.hpp -- what aggregates keep: sums of numerics and gathered values. Layer: sql. Threads: one state
// belongs to one thread.
//
// [AGG-1] These are plain bytes (FUN-3): zeroed memory is the empty state, memcpy moves them.
#pragma once

#include "sql/function.hpp"

#include <span>

namespace northstar::inline v0::sql {

/// An exact sum. Small numbers are added in 128 bits and go over to a numeric before they could overflow.
struct NumericSum {
    Int128 small;
    Numeric large;
    std::uint32_t scale;       ///< of `small`
    std::uint32_t most_scale;  ///< digits that the sum shows
    bool has_large;
    std::int64_t nans;
    std::int64_t plus_infinities;
    std::int64_t minus_infinities;

    void add(const Numeric& value, Arena& arena);
    /// add() of a small number with the scale of those before, as long as the sum is small; false: nothing was added.
    bool add_alike(const Numeric& value) {
        constexpr Int128 k_half = static_cast<Int128>(1) << 118;
        if (!value.is_small() || value.scale != scale || scale > most_scale || small > k_half || small < -k_half)
            return false;
        small += value.small;
        return true;
    }
    void add_integer(std::int64_t value, Arena& arena);
    void add(const NumericSum& other, Arena& arena);
    Numeric total(Arena& arena) const;
    bool is_finite() const { return nans == 0 && plus_infinities == 0 && minus_infinities == 0; }

private:
    void flush(Arena& arena);
};

/// A value that others take the place of: what a longer one took in the arena is used again.
struct KeptValue {
    Value value;
    char* buffer;
    std::size_t capacity;

    void keep(const Value& other, Arena& arena);
};

/// A list of values that grows in an arena.
struct GatheredValues {
    Value* items;
    std::size_t size;
    std::size_t capacity;

    void add(const Value& value, Arena& arena);
    std::span<const Value> values() const { return {items, size}; }
};

/// Text that grows in an arena.
struct GatheredText {
    char* data;
    std::size_t size;
    std::size_t capacity;

    void add(std::string_view text, Arena& arena);
    std::string_view view() const { return {data, size}; }
};

}  // namespace northstar::inline v0::sql
