// kept_literals.hpp -- what literals of dates and times meant when their statement was prepared.  Layer: sql.
//
// '2024-01-01 12:00'::timestamptz and 'now'::timestamptz are read once, by PREPARE: the statement means the same moment
// after SET TIME ZONE, and tomorrow.
#pragma once

#include "sql/arena.hpp"
#include "sql/type.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace northstar::inline v0::sql {

/// Threads: one at a time.
class KeptLiterals {
public:
    /// Does what such a literal means depend on the moment, or on settings?
    static bool concerns(Oid target) {
        return target == type::date || target == type::time || target == type::timetz || target == type::timestamp ||
               target == type::timestamptz || target == type::interval;
    }
    std::optional<Value> find(std::string_view text, Oid target, std::int32_t typmod) const {
        const auto found = values_.find({std::string(text), target, typmod});
        return found == values_.end() ? std::nullopt : std::optional(found->second);
    }
    void keep(std::string_view text, Oid target, std::int32_t typmod, const Value& value) {
        values_.emplace(std::tuple(std::string(text), target, typmod), copy_value(value, arena_));
    }
    /// The statement is read anew.
    void forget() {
        values_.clear();
        arena_.reset();
    }

private:
    Arena arena_;
    std::map<std::tuple<std::string, Oid, std::int32_t>, Value> values_;
};

}  // namespace northstar::inline v0::sql
