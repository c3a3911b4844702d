// Operators, casts and functions of text and byte strings. (functions_quote.cpp: what makes text of any values.)

#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/like.hpp"
#include "sql/network.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"
#include "sql/utf8.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace text_functions_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }

[[noreturn]] void too_long() { raise(sqlstate::program_limit_exceeded, "requested length too large"); }

Value concatenate(Call& call, const Value* a, std::size_t) {
    const std::string_view x = a[0].bytes();
    const std::string_view y = a[1].bytes();
    if (x.size() + y.size() > k_largest_piece) too_long();
    char* to = call.arena.allocate(x.size() + y.size());
    if (!x.empty()) std::memcpy(to, x.data(), x.size());
    if (!y.empty()) std::memcpy(to + x.size(), y.data(), y.size());
    return Value::bytes(call.result_type, {to, x.size() + y.size()});
}

std::string output_of(Call& call, const Value& value) { return value_to_text(value, call.session); }

Value concatenate_any(Call& call, const Value* a, std::size_t) {
    // The other side is cast to text, which for booleans and addresses is not what they show as.
    const auto as_text = [&](const Value& value) {
        if (value.type() == type::boolean) return std::string(value.boolean() ? "true" : "false");
        if (value.type() != type::inet) return output_of(call, value);
        std::string text;
        network_to_text(network_of_bytes(value.bytes()), true, text);
        return text;
    };
    return text_of(call, as_text(a[0]) + as_text(a[1]));
}

Value length(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int64_t>(utf8_length(a[0].bytes())));
}
Value bpchar_length(Call&, const Value* a, std::size_t) {
    std::string_view text = a[0].bytes();
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return Value::int4(static_cast<std::int64_t>(utf8_length(text)));
}
Value byte_length(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int64_t>(a[0].bytes().size()));
}
Value bit_length(Call&, const Value* a, std::size_t) {
    return Value::int4(static_cast<std::int64_t>(a[0].bytes().size()) * 8);
}

Value lower(Call& call, const Value* a, std::size_t) { return text_of(call, lower_case_text(a[0].bytes())); }
Value upper(Call& call, const Value* a, std::size_t) { return text_of(call, upper_case_text(a[0].bytes())); }
Value initcap(Call& call, const Value* a, std::size_t) { return text_of(call, initial_case_text(a[0].bytes())); }

/// Characters [from, from + count) counted from 1; bytes for bytea.
std::string_view substring_of(std::string_view text, std::int64_t from, std::int64_t count, bool limited,
                              bool bytes) {
    std::int64_t end = INT64_MAX;
    if (limited) {
        if (count < 0) raise(sqlstate::substring_error, "negative substring length not allowed");
        end = from + count;
    }
    from = std::max<std::int64_t>(from, 1);
    if (end <= from) return {};
    if (bytes) {
        const std::size_t begin = std::min(static_cast<std::size_t>(from - 1), text.size());
        return text.substr(begin, static_cast<std::size_t>(end - from));
    }
    const std::size_t begin = utf8_offset(text, static_cast<std::size_t>(from - 1));
    if (end == INT64_MAX) return text.substr(begin);
    return text.substr(begin, utf8_offset(text.substr(begin), static_cast<std::size_t>(end - from)));
}
Value substring(Call& call, const Value* a, std::size_t count) {
    const bool bytes = call.result_type == type::bytea;
    return Value::bytes(call.result_type, substring_of(a[0].bytes(), a[1].integer(),
                                                       count > 2 ? a[2].integer() : 0, count > 2, bytes));
}
Value left(Call&, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    std::int64_t count = a[1].integer();
    if (count < 0) count = std::max<std::int64_t>(0, static_cast<std::int64_t>(utf8_length(text)) + count);
    return Value::text(text.substr(0, utf8_offset(text, static_cast<std::size_t>(count))));
}
Value right(Call&, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    const std::int64_t size = static_cast<std::int64_t>(utf8_length(text));
    const std::int64_t skip = a[1].integer() < 0 ? -a[1].integer() : size - a[1].integer();
    return Value::text(
        text.substr(utf8_offset(text, static_cast<std::size_t>(std::clamp<std::int64_t>(skip, 0, size)))));
}
Value overlay(Call& call, const Value* a, std::size_t count) {
    const bool bytes = call.result_type == type::bytea;
    const std::int64_t from = a[2].integer();
    if (from <= 0) raise(sqlstate::substring_error, "negative substring length not allowed");
    const std::int64_t size =
        count > 3 ? a[3].integer()
                  : static_cast<std::int64_t>(bytes ? a[1].bytes().size() : utf8_length(a[1].bytes()));
    const std::int64_t behind = from + size;
    if (behind > INT32_MAX) raise(sqlstate::numeric_value_out_of_range, "integer out of range");
    std::string result(substring_of(a[0].bytes(), 1, from - 1, true, bytes));
    result += a[1].bytes();
    result += substring_of(a[0].bytes(), behind, 0, false, bytes);
    return Value::bytes(call.result_type, call.arena.copy(result));
}
Value position(Call& call, const Value* a, std::size_t) {
    const std::size_t at = a[0].bytes().find(a[1].bytes());
    if (at == std::string_view::npos) return Value::int4(0);
    const bool bytes = !call.argument_types.empty() && call.argument_types[0] == type::bytea;
    return Value::int4(static_cast<std::int64_t>(bytes ? at : utf8_length(a[0].bytes().substr(0, at))) + 1);
}
Value starts_with(Call&, const Value* a, std::size_t) {
    return Value::boolean(a[0].bytes().starts_with(a[1].bytes()));
}

bool contains_character(std::string_view set, std::string_view character) {
    for (std::size_t at = 0; at < set.size();) {
        const std::size_t size = utf8_size(set, at);
        if (set.substr(at, size) == character) return true;
        at += size;
    }
    return false;
}
std::string_view trim(std::string_view text, std::string_view set, bool front, bool back) {
    while (front && !text.empty()) {
        const std::size_t size = utf8_size(text, 0);
        if (!contains_character(set, text.substr(0, size))) break;
        text.remove_prefix(size);
    }
    while (back && !text.empty()) {
        std::size_t begin = text.size() - 1;
        while (begin > 0 && is_utf8_continuation(text[begin])) --begin;
        if (!contains_character(set, text.substr(begin))) break;
        text.remove_suffix(text.size() - begin);
    }
    return text;
}
Value btrim(Call&, const Value* a, std::size_t count) {
    return Value::text(trim(a[0].bytes(), count > 1 ? a[1].bytes() : " ", true, true));
}
Value ltrim(Call&, const Value* a, std::size_t count) {
    return Value::text(trim(a[0].bytes(), count > 1 ? a[1].bytes() : " ", true, false));
}
Value rtrim(Call&, const Value* a, std::size_t count) {
    return Value::text(trim(a[0].bytes(), count > 1 ? a[1].bytes() : " ", false, true));
}
template <bool Front, bool Back>
Value trim_bytes(Call&, const Value* a, std::size_t) {
    std::string_view bytes = a[0].bytes();
    const std::string_view set = a[1].bytes();
    while (Front && !bytes.empty() && set.find(bytes.front()) != std::string_view::npos)
        bytes.remove_prefix(1);
    while (Back && !bytes.empty() && set.find(bytes.back()) != std::string_view::npos) bytes.remove_suffix(1);
    return Value::bytes(type::bytea, bytes);
}

template <bool Front>
Value pad(Call& call, const Value* a, std::size_t count) {
    const std::string_view text = a[0].bytes();
    const std::string_view fill = count > 2 ? a[2].bytes() : " ";
    const std::int64_t wanted = std::max<std::int64_t>(a[1].integer(), 0);
    const std::int64_t size = static_cast<std::int64_t>(utf8_length(text));
    if (size >= wanted || fill.empty())
        return Value::text(text.substr(0, utf8_offset(text, static_cast<std::size_t>(wanted))));
    if (static_cast<std::size_t>(wanted) > k_largest_piece / 4) too_long();
    std::string padding;
    std::size_t at = 0;
    for (std::int64_t missing = wanted - size; missing > 0; --missing) {
        const std::size_t character = utf8_size(fill, at);
        padding += fill.substr(at, character);
        at += character;
        if (at == fill.size()) at = 0;
    }
    return text_of(call, Front ? padding + std::string(text) : std::string(text) + padding);
}
Value repeat(Call& call, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    const std::int64_t times = std::max<std::int64_t>(a[1].integer(), 0);
    if (!text.empty() && static_cast<std::size_t>(times) > k_largest_piece / text.size()) too_long();
    const std::size_t size = text.size() * static_cast<std::size_t>(times);
    char* to = call.arena.allocate(size);
    for (std::int64_t i = 0; i < times; ++i) {
        if (!text.empty())
            std::memcpy(to + static_cast<std::size_t>(i) * text.size(), text.data(), text.size());
    }
    return Value::text({to, size});
}
Value reverse(Call& call, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    std::string result(text.size(), '\0');
    std::size_t end = text.size();
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_size(text, at);
        end -= size;
        std::memcpy(result.data() + end, text.data() + at, size);
        at += size;
    }
    return text_of(call, result);
}
Value replace(Call& call, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    const std::string_view from = a[1].bytes();
    if (from.empty()) return Value::text(text);
    std::string result;
    std::size_t at = 0;
    for (std::size_t found = 0; (found = text.find(from, at)) != std::string_view::npos;
         at = found + from.size()) {
        result += text.substr(at, found - at);
        result += a[2].bytes();
        if (result.size() > k_largest_piece) too_long();
    }
    result += text.substr(at);
    return text_of(call, result);
}
Value translate(Call& call, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    const std::string_view from = a[1].bytes();
    const std::string_view to = a[2].bytes();
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_size(text, at);
        const std::string_view character = text.substr(at, size);
        at += size;
        std::size_t index = 0;
        std::size_t place = 0;
        for (; place < from.size(); place += utf8_size(from, place), ++index) {
            if (from.substr(place, utf8_size(from, place)) == character) break;
        }
        if (place >= from.size()) {
            result += character;
            continue;
        }
        const std::size_t target = utf8_offset(to, index);
        if (target < to.size()) result += to.substr(target, utf8_size(to, target));
    }
    return text_of(call, result);
}
Value split_part(Call&, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    const std::string_view separator = a[1].bytes();
    std::int64_t wanted = a[2].integer();
    if (wanted == 0) raise(sqlstate::invalid_parameter_value, "field position must not be zero");
    std::vector<std::string_view> parts;
    std::size_t at = 0;
    if (!separator.empty() && !text.empty()) {
        for (std::size_t found = 0; (found = text.find(separator, at)) != std::string_view::npos;
             at = found + separator.size()) {
            parts.push_back(text.substr(at, found - at));
        }
    }
    parts.push_back(text.substr(at));
    const std::int64_t count = static_cast<std::int64_t>(parts.size());
    if (wanted < 0) wanted += count + 1;
    if (wanted < 1 || wanted > count) return Value::text("");
    return Value::text(parts[static_cast<std::size_t>(wanted) - 1]);
}
Value ascii(Call&, const Value* a, std::size_t) {
    const std::string_view text = a[0].bytes();
    return Value::int4(
        text.empty() ? 0 : static_cast<std::int64_t>(utf8_code_point(text.substr(0, utf8_size(text, 0)))));
}
Value chr(Call& call, const Value* a, std::size_t) {
    const std::int64_t point = a[0].integer();
    if (point < 0) raise(sqlstate::invalid_parameter_value, "character number must be positive");
    if (point == 0) raise(sqlstate::program_limit_exceeded, "null character not permitted");
    if (point > 0x10ffff)
        raise(sqlstate::program_limit_exceeded,
              "requested character too large for encoding: " + std::to_string(point));
    if (point >= 0xd800 && point < 0xe000) {
        raise(sqlstate::program_limit_exceeded,
              "requested character not valid for encoding: " + std::to_string(point));
    }
    std::string text;
    utf8_append(static_cast<std::uint32_t>(point), text);
    return text_of(call, text);
}
Value to_hex(Call& call, const Value* a, std::size_t) {
    static constexpr char k_digits[] = "0123456789abcdef";
    std::uint64_t value = static_cast<std::uint64_t>(a[0].integer());
    if (a[0].type() == type::int4) value &= 0xffffffffu;
    std::string text;
    do {
        text.insert(text.begin(), k_digits[value & 15]);
        value >>= 4;
    } while (value != 0);
    return text_of(call, text);
}

// ---- LIKE ----

Value like(Call&, const Value* a, std::size_t) {
    return Value::boolean(like_match(a[0].bytes(), a[1].bytes(), false));
}
Value not_like(Call&, const Value* a, std::size_t) {
    return Value::boolean(!like_match(a[0].bytes(), a[1].bytes(), false));
}
Value ilike(Call&, const Value* a, std::size_t) {
    return Value::boolean(like_match(a[0].bytes(), a[1].bytes(), true));
}
Value not_ilike(Call&, const Value* a, std::size_t) {
    return Value::boolean(!like_match(a[0].bytes(), a[1].bytes(), true));
}
Value like_escape(Call& call, const Value* a, std::size_t) {
    return Value::bytes(call.result_type, call.arena.copy(like_escape_pattern(a[0].bytes(), a[1].bytes())));
}

// ---- casts ----

Value bpchar_to_text(Call& call, const Value* a, std::size_t) {
    std::string_view text = a[0].bytes();
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return Value::bytes(call.result_type, text);
}
Value to_name(Call& call, const Value* a, std::size_t) {
    return Value::bytes(call.result_type, utf8_within(a[0].bytes(), 63));
}
Value to_one_byte(Call& call, const Value* a, std::size_t) {
    return Value::bytes(call.result_type, call.arena.copy(one_byte_from_text(a[0].bytes())));
}
Value from_one_byte(Call& call, const Value* a, std::size_t) {
    std::string text;
    one_byte_to_text(a[0].bytes(), text);
    return Value::bytes(call.result_type, call.arena.copy(text));
}
Value boolean_to_text(Call& call, const Value* a, std::size_t) {
    return Value::bytes(call.result_type, a[0].boolean() ? "true" : "false");
}
Value text_to_regclass(Call& call, const Value* a, std::size_t) {
    return value_from_text(type::regclass, k_no_typmod, a[0].bytes(), call.arena, call.session);
}

constexpr FunctionSource k_functions[] = {
    {"length(text) int4", &length},
    {"length(bpchar) int4", &bpchar_length},
    {"length(bytea) int4", &byte_length},
    {"length(bit) int4", &byte_length},
    {"char_length(text) int4", &length},
    {"char_length(bpchar) int4", &bpchar_length},
    {"character_length(text) int4", &length},
    {"character_length(bpchar) int4", &bpchar_length},
    {"octet_length(text) int4", &byte_length},
    {"octet_length(bpchar) int4", &byte_length},
    {"octet_length(bytea) int4", &byte_length},
    {"bit_length(text) int4", &bit_length},
    {"bit_length(bytea) int4", &bit_length},
    {"lower(text) text", &lower},
    {"upper(text) text", &upper},
    {"initcap(text) text", &initcap},
    {"substr(text,int4) text", &substring},
    {"substr(text,int4,int4) text", &substring},
    {"substr(bytea,int4) bytea", &substring},
    {"substr(bytea,int4,int4) bytea", &substring},
    {"substring(text,int4) text", &substring},
    {"substring(text,int4,int4) text", &substring},
    {"substring(bytea,int4) bytea", &substring},
    {"substring(bytea,int4,int4) bytea", &substring},
    {"left(text,int4) text", &left},
    {"right(text,int4) text", &right},
    {"overlay(text,text,int4) text", &overlay},
    {"overlay(text,text,int4,int4) text", &overlay},
    {"overlay(bytea,bytea,int4) bytea", &overlay},
    {"overlay(bytea,bytea,int4,int4) bytea", &overlay},
    {"position(text,text) int4", &position},
    {"position(bytea,bytea) int4", &position},
    {"strpos(text,text) int4", &position},
    {"starts_with(text,text) bool", &starts_with},
    {"btrim(text) text", &btrim},
    {"btrim(text,text) text", &btrim},
    {"ltrim(text) text", &ltrim},
    {"ltrim(text,text) text", &ltrim},
    {"rtrim(text) text", &rtrim},
    {"rtrim(text,text) text", &rtrim},
    {"btrim(bytea,bytea) bytea", &trim_bytes<true, true>},
    {"ltrim(bytea,bytea) bytea", &trim_bytes<true, false>},
    {"rtrim(bytea,bytea) bytea", &trim_bytes<false, true>},
    {"lpad(text,int4) text", &pad<true>},
    {"lpad(text,int4,text) text", &pad<true>},
    {"rpad(text,int4) text", &pad<false>},
    {"rpad(text,int4,text) text", &pad<false>},
    {"repeat(text,int4) text", &repeat},
    {"reverse(text) text", &reverse},
    {"replace(text,text,text) text", &replace},
    {"translate(text,text,text) text", &translate},
    {"split_part(text,text,int4) text", &split_part},
    {"ascii(text) int4", &ascii},
    {"chr(int4) text", &chr},
    {"to_hex(int4) text", &to_hex},
    {"to_hex(int8) text", &to_hex},
    {"like_escape(text,text) text", &like_escape},
    {"like_escape(bytea,bytea) bytea", &like_escape},
    {"like(text,text) bool", &like},
    {"notlike(text,text) bool", &not_like},
};

constexpr OperatorSource k_operators[] = {
    {"text || text text", &concatenate, "textcat"},
    {"bytea || bytea bytea", &concatenate, "byteacat"},
    {"varbit || varbit varbit", &concatenate, "bitcat"},
    {"text || anynonarray text stable", &concatenate_any, "textanycat"},
    {"anynonarray || text text stable", &concatenate_any, "anytextcat"},
    {"text ~~ text bool", &like, "textlike"},
    {"name ~~ text bool", &like, "namelike"},
    {"bpchar ~~ text bool", &like, "bpcharlike"},
    {"bytea ~~ bytea bool", &like, "bytealike"},
    {"text !~~ text bool", &not_like, "textnlike"},
    {"name !~~ text bool", &not_like, "namenlike"},
    {"bpchar !~~ text bool", &not_like, "bpcharnlike"},
    {"bytea !~~ bytea bool", &not_like, "byteanlike"},
    {"text ~~* text bool", &ilike, "texticlike"},
    {"name ~~* text bool", &ilike, "nameiclike"},
    {"bpchar ~~* text bool", &ilike, "bpchariclike"},
    {"text !~~* text bool", &not_ilike, "texticnlike"},
    {"name !~~* text bool", &not_ilike, "nameicnlike"},
    {"bpchar !~~* text bool", &not_ilike, "bpcharicnlike"},
    {"text ^@ text bool", &starts_with, "starts_with"},
    {"text ~<~ text bool", &compare_less, "text_pattern_lt"},
    {"text ~<=~ text bool", &compare_less_equal, "text_pattern_le"},
    {"text ~>~ text bool", &compare_greater, "text_pattern_gt"},
    {"text ~>=~ text bool", &compare_greater_equal, "text_pattern_ge"},
};

constexpr CastSource k_casts[] = {
    {"text varchar i"},
    {"text bpchar i"},
    {"varchar text i"},
    {"varchar bpchar i"},
    {"bpchar text i", &bpchar_to_text},
    {"bpchar varchar i", &bpchar_to_text},
    {"bpchar name i", &to_name},
    {"bpchar char a", &to_one_byte},
    {"text name i", &to_name},
    {"varchar name i", &to_name},
    {"text char a", &to_one_byte},
    {"varchar char a", &to_one_byte},
    {"name text i"},
    {"name varchar a"},
    {"name bpchar a"},
    {"char text i", &from_one_byte},
    {"char varchar a", &from_one_byte},
    {"char bpchar a", &from_one_byte},
    {"bool text a", &boolean_to_text},
    {"bool varchar a", &boolean_to_text},
    {"bool bpchar a", &boolean_to_text},
    {"text regclass i", &text_to_regclass},
    {"varchar regclass i", &text_to_regclass},
    {"bit varbit i"},
    {"varbit bit i"},
};

}  // namespace text_functions_file

std::span<const FunctionSource> text_functions() { return text_functions_file::k_functions; }
std::span<const OperatorSource> text_operators() { return text_functions_file::k_operators; }
std::span<const CastSource> text_casts() { return text_functions_file::k_casts; }

}  // namespace northstar::inline v0::sql
