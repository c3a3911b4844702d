// scalar_text.hpp -- booleans, integers, floats, byte strings and uuids as text. Layer: sql. Threads: any.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

[[noreturn]] void raise_bad_text(const char* type_name,
                                 std::string_view text);  ///< 22P02 invalid input syntax
bool is_sql_blank(char c);
std::string_view trim_blanks(std::string_view text);

bool boolean_from_text(std::string_view text);
/// `bits` is 16, 32 or 64. Raises 22P02 and 22003.
std::int64_t integer_from_text(std::string_view text, int bits);
std::uint32_t oid_from_text(std::string_view text);
double float8_from_text(std::string_view text);
float float4_from_text(std::string_view text);
void integer_to_text(std::int64_t value, std::string& out);
/// The shortest digits that read back as the same number where extra_float_digits > 0, else 15 +
/// extra_float_digits.
void float8_to_text(double value, std::string& out, int extra_float_digits);
void float4_to_text(float value, std::string& out, int extra_float_digits);
/// The byte of "char": the first of a text, or the one of '\ooo'; none is the byte 0.
std::string one_byte_from_text(std::string_view text);
/// A byte that is no ASCII is written in octal.
void one_byte_to_text(std::string_view byte, std::string& out);
std::string bytea_from_text(std::string_view text);
void bytea_to_text(std::string_view bytes, std::string& out, ByteaOutput format);
Uuid uuid_from_text(std::string_view text);
void uuid_to_text(const Uuid& uuid, std::string& out);

}  // namespace northstar::inline v0::sql
