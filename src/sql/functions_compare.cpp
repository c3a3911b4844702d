// The functions that stand behind min and max (the larger and the smaller of two) and behind orders (less, equal or
// greater as a number) under the names that PostgreSQL gives them for each type.
#include "sql/compare.hpp"
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace compare_functions_file {

Value larger(Call&, const Value* a, std::size_t) { return compare_values(a[0], a[1]) > 0 ? a[0] : a[1]; }
Value smaller(Call&, const Value* a, std::size_t) { return compare_values(a[0], a[1]) < 0 ? a[0] : a[1]; }
Value three_way(Call&, const Value* a, std::size_t) {
    const int order = compare_values(a[0], a[1]);
    return Value::int4(order < 0 ? -1 : order > 0 ? 1 : 0);
}

constexpr FunctionSource k_functions[] = {
    {"int2larger(int2,int2) int2", &larger},
    {"int2smaller(int2,int2) int2", &smaller},
    {"int4larger(int4,int4) int4", &larger},
    {"int4smaller(int4,int4) int4", &smaller},
    {"int8larger(int8,int8) int8", &larger},
    {"int8smaller(int8,int8) int8", &smaller},
    {"float4larger(float4,float4) float4", &larger},
    {"float4smaller(float4,float4) float4", &smaller},
    {"float8larger(float8,float8) float8", &larger},
    {"float8smaller(float8,float8) float8", &smaller},
    {"numeric_larger(numeric,numeric) numeric", &larger},
    {"numeric_smaller(numeric,numeric) numeric", &smaller},
    {"oidlarger(oid,oid) oid", &larger},
    {"oidsmaller(oid,oid) oid", &smaller},
    {"text_larger(text,text) text", &larger},
    {"text_smaller(text,text) text", &smaller},
    {"bpchar_larger(bpchar,bpchar) bpchar", &larger},
    {"bpchar_smaller(bpchar,bpchar) bpchar", &smaller},
    {"date_larger(date,date) date", &larger},
    {"date_smaller(date,date) date", &smaller},
    {"time_larger(time,time) time", &larger},
    {"time_smaller(time,time) time", &smaller},
    {"timetz_larger(timetz,timetz) timetz", &larger},
    {"timetz_smaller(timetz,timetz) timetz", &smaller},
    {"timestamp_larger(timestamp,timestamp) timestamp", &larger},
    {"timestamp_smaller(timestamp,timestamp) timestamp", &smaller},
    {"timestamptz_larger(timestamptz,timestamptz) timestamptz", &larger},
    {"timestamptz_smaller(timestamptz,timestamptz) timestamptz", &smaller},
    {"interval_larger(interval,interval) interval", &larger},
    {"interval_smaller(interval,interval) interval", &smaller},
    {"xid8_larger(xid8,xid8) xid8", &larger},
    {"xid8_smaller(xid8,xid8) xid8", &smaller},
    {"array_larger(anyarray,anyarray) anyarray", &larger},
    {"array_smaller(anyarray,anyarray) anyarray", &smaller},
    {"enum_larger(anyenum,anyenum) anyenum", &larger},
    {"enum_smaller(anyenum,anyenum) anyenum", &smaller},
    {"btboolcmp(bool,bool) int4", &three_way},
    {"btcharcmp(char,char) int4", &three_way},
    {"btnamecmp(name,name) int4", &three_way},
    {"btint2cmp(int2,int2) int4", &three_way},
    {"btint4cmp(int4,int4) int4", &three_way},
    {"btint8cmp(int8,int8) int4", &three_way},
    {"btint24cmp(int2,int4) int4", &three_way},
    {"btint28cmp(int2,int8) int4", &three_way},
    {"btint42cmp(int4,int2) int4", &three_way},
    {"btint48cmp(int4,int8) int4", &three_way},
    {"btint82cmp(int8,int2) int4", &three_way},
    {"btint84cmp(int8,int4) int4", &three_way},
    {"btfloat4cmp(float4,float4) int4", &three_way},
    {"btfloat8cmp(float8,float8) int4", &three_way},
    {"btfloat48cmp(float4,float8) int4", &three_way},
    {"btfloat84cmp(float8,float4) int4", &three_way},
    {"btoidcmp(oid,oid) int4", &three_way},
    {"bttextcmp(text,text) int4", &three_way},
    {"bttext_pattern_cmp(text,text) int4", &three_way},
    {"bpcharcmp(bpchar,bpchar) int4", &three_way},
    {"byteacmp(bytea,bytea) int4", &three_way},
    {"bitcmp(bit,bit) int4", &three_way},
    {"varbitcmp(varbit,varbit) int4", &three_way},
    {"numeric_cmp(numeric,numeric) int4", &three_way},
    {"date_cmp(date,date) int4", &three_way},
    {"time_cmp(time,time) int4", &three_way},
    {"timetz_cmp(timetz,timetz) int4", &three_way},
    {"timestamp_cmp(timestamp,timestamp) int4", &three_way},
    {"timestamptz_cmp(timestamptz,timestamptz) int4", &three_way},
    {"interval_cmp(interval,interval) int4", &three_way},
    {"uuid_cmp(uuid,uuid) int4", &three_way},
    {"network_cmp(inet,inet) int4", &three_way},
    {"macaddr_cmp(macaddr,macaddr) int4", &three_way},
    {"jsonb_cmp(jsonb,jsonb) int4", &three_way},
    {"xid8cmp(xid8,xid8) int4", &three_way},
    {"enum_cmp(anyenum,anyenum) int4", &three_way},
    {"btarraycmp(anyarray,anyarray) int4", &three_way},
    {"range_cmp(anyrange,anyrange) int4", &three_way},
    {"btrecordcmp(record,record) int4", &three_way},
};

}  // namespace compare_functions_file

std::span<const FunctionSource> compare_functions() { return compare_functions_file::k_functions; }

}  // namespace northstar::inline v0::sql
