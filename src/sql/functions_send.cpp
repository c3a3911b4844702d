// The binary forms of values, as functions: what a client gets that asks for binary columns.
#include "sql/binary_io.hpp"
#include "sql/function.hpp"
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace functions_send_file {

Value send(Call& call, const Value* a, std::size_t) {
    std::string bytes;
    value_to_binary(a[0], bytes, call.session);
    return Value::bytes(type::bytea, call.arena.copy(bytes));
}

constexpr FunctionSource k_functions[] = {
    {"boolsend(bool) bytea", &send},
    {"int2send(int2) bytea", &send},
    {"int4send(int4) bytea", &send},
    {"int8send(int8) bytea", &send},
    {"oidsend(oid) bytea", &send},
    {"float4send(float4) bytea", &send},
    {"float8send(float8) bytea", &send},
    {"numeric_send(numeric) bytea", &send},
    {"charsend(char) bytea", &send},
    {"namesend(name) bytea stable", &send},
    {"textsend(text) bytea stable", &send},
    {"varcharsend(varchar) bytea stable", &send},
    {"bpcharsend(bpchar) bytea stable", &send},
    {"byteasend(bytea) bytea", &send},
    {"bit_send(bit) bytea", &send},
    {"varbit_send(varbit) bytea", &send},
    {"inet_send(inet) bytea", &send},
    {"cidr_send(cidr) bytea", &send},
    {"macaddr_send(macaddr) bytea", &send},
    {"uuid_send(uuid) bytea", &send},
    {"date_send(date) bytea", &send},
    {"time_send(time) bytea", &send},
    {"timetz_send(timetz) bytea", &send},
    {"timestamp_send(timestamp) bytea", &send},
    {"timestamptz_send(timestamptz) bytea", &send},
    {"interval_send(interval) bytea", &send},
    {"json_send(json) bytea stable", &send},
    {"jsonb_send(jsonb) bytea", &send},
    {"array_send(anyarray) bytea stable", &send},
    {"range_send(anyrange) bytea stable", &send},
    {"enum_send(anyenum) bytea stable", &send},
    {"record_send(record) bytea stable", &send},
};

}  // namespace functions_send_file

std::span<const FunctionSource> send_functions() { return functions_send_file::k_functions; }

}  // namespace northstar::inline v0::sql
