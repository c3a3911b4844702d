// key_encoding.hpp -- values as bytes that compare by memcmp as the values do.  Layer: sql.  Threads: any.
//
// A column is a tag byte and a payload. Ascending: 0x02 value, 0x03 NULL (last, as in PostgreSQL); NULLS FIRST: 0x01
// NULL, 0x02 value. Descending: every byte of the payload is inverted, the tags stay, so DESC with its default NULLS
// FIRST writes 0x01 for NULL. Payloads:
//   boolean              one byte
//   int2 int4 int8 oid   2, 4, 8, 4 bytes big-endian, sign bit turned (oid without)
//   date; time types     4; 8 bytes as above. timetz: instant in UTC, then zone
//   enum                 8 bytes, the number of the label
//   float4 float8        8 bytes: sign-folded; -0 as 0, NaN above infinity
//   numeric              numeric_to_key
//   interval             16 bytes: its span in microseconds, big-endian, sign turned
//   uuid                 16 bytes
//   strings, bytea       0x00 as 0x00 0xff, end 0x00 0x01. char(n) without blanks at its end
//   arrays, ranges, records, jsonb   element by element behind structure bytes, in the type's order
//
// [KEY-1] memcmp of two encodings orders as compare_values does with the direction and NULLs of each column, and
//         equal values have equal bytes. (Intervals: '24:00' and '1 day' are equal and come back as the stored row
//         has them.)
// [KEY-2] No encoding of a column is a prefix of another one, so keys of several columns can be put one behind
//         another.
// [KEY-3] decode gives a value equal to what was encoded for the types where is_key_exact says so; an index on such
//         columns can answer without the row.
#pragma once

#include "sql/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

/// What every encoding of a value that is not NULL begins with.
inline constexpr char k_value_tag = 0x02;

struct KeyOrder {
    bool descending = false;
    bool nulls_first = false;
};

/// Appends one column. Raises 42883 for types without an order.
void encode_key(const Value& value, KeyOrder order, std::string& out);
/// Reads one column off the front. Raises data_corrupted. Needs is_key_exact(type).
Value decode_key(Oid type, KeyOrder order, std::string_view& bytes, Arena& arena, const TypeCatalog* catalog);
/// A column of many keys, whose form is looked up once.
struct KeyColumn {
    Oid type = 0;
    Form form = Form::nothing;
    KeyOrder order;
    KeyColumn(Oid of, KeyOrder in, const TypeCatalog* catalog) : type(of), form(form_of(of, catalog)), order(in) {}
};
/// The same. A string may be a view into `bytes`.
Value decode_key(const KeyColumn& column, std::string_view& bytes, Arena& arena);
/// Steps over one column of any type. Raises data_corrupted.
void skip_key(Oid type, KeyOrder order, std::string_view& bytes, const TypeCatalog* catalog);
void skip_key(const KeyColumn& column, std::string_view& bytes, const TypeCatalog* catalog);
constexpr bool is_plain_integer(Oid oid) { return oid == type::int2 || oid == type::int4 || oid == type::int8; }
/// Integers, times, strings but for char(n), bytea, uuid, boolean, enum.
bool is_key_exact(Oid type, const TypeCatalog* catalog);
bool is_key_exact(Oid type, Form form);
/// The least key above every key that begins with `prefix`; empty: there is none.
std::string key_successor(std::string_view prefix);

}  // namespace northstar::inline v0::sql
