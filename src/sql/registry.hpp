// registry.hpp -- how the tables of functions, operators and casts are written. Layer: sql. Threads: any.
//
// A function is one line: "name(argument types) result options". Options, separated by blanks: `nonstrict`, `stable`,
// `volatile`, `variadic` (the last type is that of the further arguments), `window=rank`, `ordered=N` (N direct
// arguments), `hypothetical`, `names=a,b`, `defaults=x|y`, `columns=key:text,value:json`. An operator: "left name
// right result"; `-` for the missing left operand. A cast: "source target context", the context one of i (implicit),
// a (assignment), e (explicit).
#pragma once

#include "sql/function.hpp"

#include <span>

namespace northstar::inline v0::sql {

struct FunctionSource {
    const char* signature;
    ScalarBody scalar = nullptr;
    SetBody set = nullptr;
    const AggregateBody* aggregate = nullptr;
    constexpr FunctionSource(const char* text, ScalarBody body) : signature(text), scalar(body) {}
    constexpr FunctionSource(const char* text, SetBody body) : signature(text), set(body) {}
    constexpr FunctionSource(const char* text, const AggregateBody* body)
        : signature(text), aggregate(body) {}
    constexpr explicit FunctionSource(const char* text) : signature(text) {}
};

struct OperatorSource {
    const char* signature;
    ScalarBody body;
    const char* function = "";
};

struct CastSource {
    const char* signature;
    ScalarBody body = nullptr;
};

// One of each subject; a new file of functions is a line here and in registry.cpp.
std::span<const FunctionSource> number_functions();
std::span<const OperatorSource> number_operators();
std::span<const CastSource> number_casts();
std::span<const FunctionSource> text_functions();
std::span<const OperatorSource> text_operators();
std::span<const CastSource> text_casts();
std::span<const FunctionSource> network_functions();
std::span<const OperatorSource> network_operators();
std::span<const CastSource> network_casts();
std::span<const FunctionSource> quote_functions();
std::span<const FunctionSource> aggregate_functions();
std::span<const FunctionSource> statistics_aggregates();
std::span<const FunctionSource> datetime_functions();
std::span<const OperatorSource> datetime_operators();
std::span<const CastSource> datetime_casts();
std::span<const FunctionSource> json_functions();
std::span<const OperatorSource> json_operators();
std::span<const CastSource> json_casts();
std::span<const FunctionSource> json_aggregates();
std::span<const FunctionSource> json_record_functions();
std::span<const FunctionSource> jsonpath_functions();
std::span<const OperatorSource> jsonpath_operators();
std::span<const FunctionSource> array_functions();
std::span<const OperatorSource> array_operators();
std::span<const FunctionSource> range_functions();
std::span<const OperatorSource> range_operators();
std::span<const FunctionSource> system_functions();
std::span<const FunctionSource> regex_functions();
std::span<const OperatorSource> regex_operators();
std::span<const FunctionSource> window_functions();
std::span<const FunctionSource> bit_functions();
std::span<const OperatorSource> bit_operators();
std::span<const CastSource> bit_casts();
std::span<const OperatorSource> record_operators();
std::span<const FunctionSource> digest_functions();
std::span<const FunctionSource> hash_functions();
std::span<const FunctionSource> compare_functions();
std::span<const FunctionSource> zone_functions();
std::span<const FunctionSource> unicode_functions();
std::span<const FunctionSource> formatting_functions();
std::span<const FunctionSource> advisory_functions();
std::span<const FunctionSource> notify_functions();
std::span<const FunctionSource> send_functions();
std::span<const FunctionSource> catalog_functions();
std::span<const FunctionSource> size_functions();
std::span<const FunctionSource> privilege_functions();
std::span<const CastSource> catalog_casts();

// Bodies of the comparison operators, for any type with an order.
Value compare_equal(Call& call, const Value* arguments, std::size_t count);
Value compare_not_equal(Call& call, const Value* arguments, std::size_t count);
Value compare_less(Call& call, const Value* arguments, std::size_t count);
Value compare_less_equal(Call& call, const Value* arguments, std::size_t count);
Value compare_greater(Call& call, const Value* arguments, std::size_t count);
Value compare_greater_equal(Call& call, const Value* arguments, std::size_t count);

}  // namespace northstar::inline v0::sql
