// cast.hpp -- turning a value of one type into another: which casts there are, and doing them.
// Layer: sql.  Threads: any.
//
// Implicit casts happen anywhere, assignment casts also where a value is stored into a column, explicit ones where
// the
// query says so. Besides the table of casts there are: any type to the string types (assignment) and back (explicit)
// through text; arrays element by element; a record to a composite type.
#pragma once

#include "sql/function.hpp"

#include <cstdint>
#include <optional>

namespace northstar::inline v0::sql {

enum class CastMethod : std::uint8_t {
    none,      ///< same type, or unknown literal that is read by the target's input
    relabel,   ///< the payload stays
    function,  ///< CastEntry::body
    text,      ///< output of the one, input of the other
    array,     ///< each element by `element`
};

/// How to get from one type to another; found once when a statement is bound, then applied to values.
struct CastPath {
    CastMethod method = CastMethod::none;
    Oid source = 0;
    Oid target = 0;
    const CastEntry* entry = nullptr;
    CastMethod element_method = CastMethod::none;
    const CastEntry* element_entry = nullptr;
    Volatility volatility = Volatility::immutable;
};

/// The way from source to target in a context; nothing: there is none. Modifiers are apart (apply_typmod).
std::optional<CastPath> find_cast(Oid source, Oid target, CastContext context, const TypeCatalog* catalog);
bool can_coerce(Oid source, Oid target, CastContext context, const TypeCatalog* catalog);

/// Casts a value; NULL stays NULL. `typmod` is applied as a cast does (an explicit one cuts varchar(n), an
/// assignment raises 22001). Raises what the input functions raise.
Value cast_value(const CastPath& path, const Value& value, std::int32_t typmod, CastContext context,
                 Arena& arena, Session& session);
/// The same, looked up by types; raises cannot_coerce (42846).
Value cast_value(const Value& value, Oid target, std::int32_t typmod, CastContext context, Arena& arena,
                 Session& session);

/// Fits a value of its type to a modifier: rounds numerics, times and intervals, pads char(n), cuts or
/// refuses strings.
Value apply_typmod(const Value& value, std::int32_t typmod, CastContext context, Arena& arena,
                   Session& session);

}  // namespace northstar::inline v0::sql
