// resolve.hpp -- which operator, function or common type an expression means.  Layer: sql.  Threads: any.
//
// The rules are those of PostgreSQL 15's manual, chapter 10 (Type Conversion): operators 10.2, functions 10.3, UNION,
// CASE and related constructs 10.5. A literal without a type has type::unknown.
//
// [RES-1] Resolution is a function of names and types; values do not matter.
// [RES-2] Nothing found raises undefined_function (42883) and several equally good ones ambiguous_function (42725),
//         with
//         PostgreSQL's message ("operator does not exist: integer + boolean") and hint.
#pragma once

#include "sql/function.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct OperatorMatch {
    const OperatorEntry* entry = nullptr;
    Oid left = 0;  ///< what the operands are to be coerced to; polymorphic types replaced
    Oid right = 0;
    Oid result = 0;
};

/// `left` is type::none for a prefix operator. Raises 42883, 42725.
OperatorMatch resolve_operator(std::string_view name, Oid left, Oid right, const TypeCatalog* catalog);
/// The same; nothing instead of an error.
std::optional<OperatorMatch> find_operator(std::string_view name, Oid left, Oid right,
                                           const TypeCatalog* catalog);

struct FunctionMatch {
    const FunctionEntry* entry = nullptr;
    std::vector<Oid>
        arguments;           ///< what each given argument is to be coerced to; defaults follow the given ones
    std::vector<int> order;  ///< place in the call of each declared argument; -1: take the default
    bool variadic_call =
        false;       ///< the arguments from argument_count - 1 on are elements of the variadic one
    Oid result = 0;  ///< polymorphic results replaced
    /// type(x) where no function has the name: a cast written as a function call; then entry is nullptr.
    Oid cast_to = 0;
};

struct FunctionCall {
    std::string_view name;
    std::span<const Oid> arguments;
    std::span<const std::string_view>
        names;              ///< of named arguments; empty where positional. May be shorter than arguments
    bool variadic = false;  ///< the last argument was marked VARIADIC
    bool star = false;      ///< count(*)
    /// How many of the arguments stand in WITHIN GROUP (ORDER BY ...), at the end of `arguments`.
    std::size_t ordered = 0;
};

/// Raises 42883, 42725, and 42804 where polymorphic arguments do not agree.
FunctionMatch resolve_function(const FunctionCall& call, const TypeCatalog* catalog);
std::optional<FunctionMatch> find_function(const FunctionCall& call, const TypeCatalog* catalog);

/// Type in which UNION, CASE, VALUES, ARRAY, GREATEST and the like meet. `construct` names it in the message
/// of 42804
/// ("CASE types integer and text cannot be matched"). All unknown: text.
Oid select_common_type(std::span<const Oid> types, std::string_view construct, const TypeCatalog* catalog);
std::optional<Oid> find_common_type(std::span<const Oid> types, const TypeCatalog* catalog);

}  // namespace northstar::inline v0::sql
