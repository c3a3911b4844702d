// json.hpp -- a small strict JSON reader (RFC 8259) and the pieces of a writer.
//
// The reader pulls values out of one text held in memory, usually a line; it builds no tree, so what it needs beside
// the text is one nesting depth. Strict means: exactly one value, UTF-8 well-formed, no lone surrogates, no leading
// zeros, no comments, no trailing commas, no control characters inside strings, at most k_max_depth levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace northstar_tool::json {

inline constexpr std::size_t k_max_depth = 256;

/// Where and why a text is not JSON. what() is the reason alone, e.g. "a string is not closed".
class SyntaxError : public std::runtime_error {
public:
    SyntaxError(std::size_t offset, const std::string& reason) : std::runtime_error(reason), offset_(offset) {}
    /// Byte within the text, from 0.
    std::size_t offset() const noexcept { return offset_; }

private:
    std::size_t offset_;
};

enum class Kind { object, array, string, number, boolean, null };

/// What a kind is called in a sentence, with its article.
std::string_view name_of(Kind kind) noexcept;

/// Pull reader. The caller asks for what it expects; anything else is a SyntaxError.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : text_(text) {}
    /// Kind of the value that comes next.
    Kind peek();
    std::string read_string();
    bool read_boolean();
    /// Non-negative integer that fits 64 bits.
    std::uint64_t read_unsigned();
    /// Checks the next value, whatever it is, and returns its text as written.
    std::string_view read_raw();
    void begin_object();
    /// Name of the next member, whose value must be read before the next call; false: the object ended.
    bool next_member(std::string& name);
    void begin_array();
    /// Another element comes, which must be read before the next call; false: the array ended.
    bool next_element();
    /// Nothing but white space may follow.
    void finish();

private:
    [[noreturn]] void fail(const std::string& reason) const;
    void skip_space() noexcept;
    bool accept(char c);
    void expect(char c, const char* what);
    void literal(std::string_view word);
    void number();
    /// Checks a string and, if out is given, appends its decoded bytes.
    void string(std::string* out);
    unsigned escaped_unit();
    void skip_value();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    bool fresh_ = false;  ///< an object or array was begun and nothing of it read yet
};

/// Appends a quoted string; the bytes must be well-formed UTF-8.
void append_string(std::string& out, std::string_view utf8);
/// Appends a string, or {"$base64": ...} if the bytes are not well-formed UTF-8.
void append_bytes(std::string& out, std::string_view bytes);
/// Reads what append_bytes writes, and {"$hex": ...}. Of other values returns the text as written; was_bytes, if given,
/// says which it was.
std::string read_bytes(Reader& reader, bool* was_bytes = nullptr);

/// Writes one object or array member by member; text() is complete after the last close.
class Writer {
public:
    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& name(std::string_view name);
    Writer& string(std::string_view utf8);
    /// append_bytes.
    Writer& bytes(std::string_view bytes);
    Writer& number(std::uint64_t number);
    Writer& boolean(bool value);
    Writer& null();
    /// A value that is JSON text already.
    Writer& raw(std::string_view json);
    const std::string& text() const noexcept { return text_; }
    void clear() noexcept {
        text_.clear();
        comma_ = false;
    }

private:
    Writer& open(char bracket);
    Writer& close(char bracket);
    void separate();

    std::string text_;
    bool comma_ = false;
};

}  // namespace northstar_tool::json
