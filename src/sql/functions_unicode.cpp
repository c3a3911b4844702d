// Escapes of Unicode code points in texts, normalization forms.
#include "sql/error.hpp"
#include "sql/registry.hpp"
#include "sql/unicode_normal.hpp"
#include "sql/utf8.hpp"

#include <string>

namespace northstar::inline v0::sql {

namespace unicode_file {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

[[noreturn]] void bad_pair() { raise(sqlstate::syntax_error, "invalid Unicode surrogate pair"); }

/// Text with \XXXX, \uXXXX, \+XXXXXX, \UXXXXXXXX and \\ replaced. Raises 42601, 22023.
Value unistr(Call& call, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    std::string out;
    std::uint32_t high = 0;  // the first half of a surrogate pair
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] != '\\' || text.substr(i, 2) == "\\\\") {
            if (high != 0) bad_pair();
            out += text[i];
            i += text[i] == '\\' ? 2 : 1;
            continue;
        }
        std::size_t begin = i + 1, count = 4;
        if (begin < text.size() && (text[begin] == 'u' || text[begin] == '+' || text[begin] == 'U')) {
            count = text[begin] == 'u' ? 4 : text[begin] == '+' ? 6 : 8;
            ++begin;
        }
        std::uint64_t point = 0;
        for (std::size_t k = begin; k < begin + count; ++k) {
            if (k >= text.size() || !is_hex(text[k]))
                raise(sqlstate::syntax_error, "invalid Unicode escape", {},
                      "Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
            const char c = text[k];
            point = point * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        i = begin + count;
        const bool first = point >= 0xd800 && point < 0xdc00, second = point >= 0xdc00 && point < 0xe000;
        if (second != (high != 0)) bad_pair();
        if (first) {
            high = static_cast<std::uint32_t>(point);
            continue;
        }
        if (second) point = 0x10000 + ((high - 0xd800u) << 10) + (point - 0xdc00);
        high = 0;
        if (point == 0 || point > 0x10ffff) {
            static constexpr char digits[] = "0123456789ABCDEF";
            std::string shown;
            for (int shift = 28; shift >= 0; shift -= 4)
                if (!shown.empty() || (point >> shift) != 0 || shift < 16) shown += digits[point >> shift & 15];
            raise(sqlstate::invalid_parameter_value, "invalid Unicode code point: " + shown);
        }
        utf8_append(static_cast<std::uint32_t>(point), out);
    }
    if (high != 0) bad_pair();
    return Value::text(call.arena.copy(out));
}

NormalForm form_named(std::string_view name) {
    std::string lower(name);
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (lower == "nfc") return NormalForm::nfc;
    if (lower == "nfd") return NormalForm::nfd;
    if (lower == "nfkc") return NormalForm::nfkc;
    if (lower == "nfkd") return NormalForm::nfkd;
    raise(sqlstate::invalid_parameter_value, "invalid normalization form: " + std::string(name));
}
Value normalize(Call& call, const Value* a, std::size_t) {
    return Value::text(call.arena.copy(unicode_normalized(a[0].bytes(), form_named(a[1].bytes()))));
}
Value is_normalized(Call&, const Value* a, std::size_t) {
    return Value::boolean(unicode_normalized(a[0].bytes(), form_named(a[1].bytes())) == a[0].bytes());
}

constexpr FunctionSource k_functions[] = {
    {"unistr(text) text", &unistr},
    {"normalize(text,text) text defaults=NFC", &normalize},
    {"is_normalized(text,text) bool defaults=NFC", &is_normalized},
};

}  // namespace unicode_file

std::span<const FunctionSource> unicode_functions() { return unicode_file::k_functions; }

}  // namespace northstar::inline v0::sql
