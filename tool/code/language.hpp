// language.hpp -- what the code reader knows of a file by its name: its language, and which languages call each other.
#pragma once

#include <cstdint>
#include <string_view>

namespace northstar_tool::code {

enum class Language : std::uint8_t { none, c, cpp, python, go, rust, javascript, typescript, markdown };

/// By the ending of the file's name.
Language language_of(std::string_view path) noexcept;
/// "c", "c++", "python", ...; empty for none.
std::string_view name_of(Language language) noexcept;
Language language_named(std::string_view name) noexcept;

/// Languages whose functions call each other by name: C and C++ are one family, JavaScript and TypeScript another.
enum class Family : std::uint8_t { none, c, python, go, rust, javascript };
Family family_of(Language language) noexcept;

/// A file that C and C++ include: what it defines static is everybody's.
bool is_header(std::string_view path) noexcept;

}  // namespace northstar_tool::code
