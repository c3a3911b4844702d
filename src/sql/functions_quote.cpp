// Functions of any values as text: concatenation, quoting, format(); identifiers and encodings in texts.
#include "base/check.hpp"
#include "sql/array.hpp"
#include "sql/binary_io.hpp"
#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"
#include "sql/utf8.hpp"

namespace northstar::inline v0::sql {

namespace quote_functions_file {

Value text_of(Call& call, std::string_view text) { return Value::text(call.arena.copy(text)); }

std::string output_of(Call& call, const Value& value) { return value_to_text(value, call.session); }

/// The values of a variadic call: its own arguments, or the elements of an array that was marked VARIADIC.
std::vector<Value> variadic_values(Call& call, const Value* a, std::size_t from, std::size_t count) {
    if (call.variadic_array) {
        NORTHSTAR_ASSERT(count == from + 1);
        return a[from].is_null() ? std::vector<Value>() : array_elements(ArrayView(a[from]), call.arena);
    }
    return {a + from, a + count};
}

Value concat(Call& call, const Value* a, std::size_t count) {
    if (call.variadic_array && a[0].is_null()) return Value::null(type::text);
    std::string text;
    for (const Value& value : variadic_values(call, a, 0, count)) {
        if (!value.is_null()) value_to_text(value, text, call.session);
        check_piece(text.size());
    }
    return text_of(call, text);
}
Value concat_ws(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null() || (call.variadic_array && a[1].is_null())) return Value::null(type::text);
    std::string text;
    bool first = true;
    for (const Value& value : variadic_values(call, a, 1, count)) {
        if (value.is_null()) continue;
        if (!first) text += a[0].bytes();
        first = false;
        value_to_text(value, text, call.session);
        check_piece(text.size());
    }
    return text_of(call, text);
}

void append_identifier(std::string_view name, std::string& out) {
    static constexpr std::string_view k_reserved[] = {"all",
                                                      "analyse",
                                                      "analyze",
                                                      "and",
                                                      "any",
                                                      "array",
                                                      "as",
                                                      "asc",
                                                      "asymmetric",
                                                      "authorization",
                                                      "between",
                                                      "bigint",
                                                      "binary",
                                                      "bit",
                                                      "boolean",
                                                      "both",
                                                      "case",
                                                      "cast",
                                                      "char",
                                                      "character",
                                                      "check",
                                                      "coalesce",
                                                      "collate",
                                                      "collation",
                                                      "column",
                                                      "concurrently",
                                                      "constraint",
                                                      "create",
                                                      "cross",
                                                      "current_catalog",
                                                      "current_date",
                                                      "current_role",
                                                      "current_schema",
                                                      "current_time",
                                                      "current_timestamp",
                                                      "current_user",
                                                      "dec",
                                                      "decimal",
                                                      "default",
                                                      "deferrable",
                                                      "desc",
                                                      "distinct",
                                                      "do",
                                                      "else",
                                                      "end",
                                                      "except",
                                                      "exists",
                                                      "extract",
                                                      "false",
                                                      "fetch",
                                                      "float",
                                                      "for",
                                                      "foreign",
                                                      "freeze",
                                                      "from",
                                                      "full",
                                                      "grant",
                                                      "greatest",
                                                      "group",
                                                      "grouping",
                                                      "having",
                                                      "ilike",
                                                      "in",
                                                      "initially",
                                                      "inner",
                                                      "inout",
                                                      "int",
                                                      "integer",
                                                      "intersect",
                                                      "interval",
                                                      "into",
                                                      "is",
                                                      "isnull",
                                                      "join",
                                                      "lateral",
                                                      "leading",
                                                      "least",
                                                      "left",
                                                      "like",
                                                      "limit",
                                                      "localtime",
                                                      "localtimestamp",
                                                      "national",
                                                      "natural",
                                                      "nchar",
                                                      "none",
                                                      "normalize",
                                                      "not",
                                                      "notnull",
                                                      "null",
                                                      "nullif",
                                                      "numeric",
                                                      "offset",
                                                      "on",
                                                      "only",
                                                      "or",
                                                      "order",
                                                      "out",
                                                      "outer",
                                                      "overlaps",
                                                      "overlay",
                                                      "placing",
                                                      "position",
                                                      "precision",
                                                      "primary",
                                                      "real",
                                                      "references",
                                                      "returning",
                                                      "right",
                                                      "row",
                                                      "select",
                                                      "session_user",
                                                      "setof",
                                                      "similar",
                                                      "smallint",
                                                      "some",
                                                      "substring",
                                                      "symmetric",
                                                      "table",
                                                      "tablesample",
                                                      "then",
                                                      "time",
                                                      "timestamp",
                                                      "to",
                                                      "trailing",
                                                      "treat",
                                                      "trim",
                                                      "true",
                                                      "union",
                                                      "unique",
                                                      "user",
                                                      "using",
                                                      "values",
                                                      "varchar",
                                                      "variadic",
                                                      "verbose",
                                                      "when",
                                                      "where",
                                                      "window",
                                                      "with",
                                                      "xmlattributes",
                                                      "xmlconcat",
                                                      "xmlelement",
                                                      "xmlexists",
                                                      "xmlforest",
                                                      "xmlnamespaces",
                                                      "xmlparse",
                                                      "xmlpi",
                                                      "xmlroot",
                                                      "xmlserialize",
                                                      "xmltable"};
    bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && name[0] != '$';
    for (const char c : name) plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    plain = plain && !std::binary_search(std::begin(k_reserved), std::end(k_reserved), name);
    if (plain) {
        out += name;
        return;
    }
    out += '"';
    for (const char c : name) {
        if (c == '"') out += c;
        out += c;
    }
    out += '"';
}
void append_literal(std::string_view text, std::string& out) {
    const bool escapes = text.find('\\') != std::string_view::npos;
    if (escapes) out += 'E';
    out += '\'';
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        out += c;
    }
    out += '\'';
}
Value quote_ident(Call& call, const Value* a, std::size_t) {
    std::string text;
    append_identifier(a[0].bytes(), text);
    return text_of(call, text);
}
Value quote_literal(Call& call, const Value* a, std::size_t) {
    std::string text;
    // As it is cast to text, which shows a boolean in full.
    if (a[0].type() == type::boolean) append_literal(a[0].boolean() ? "true" : "false", text);
    else append_literal(output_of(call, a[0]), text);
    return text_of(call, text);
}
Value quote_nullable(Call& call, const Value* a, std::size_t count) {
    return a[0].is_null() ? Value::text("NULL") : quote_literal(call, a, count);
}

Value format(Call& call, const Value* a, std::size_t count) {
    if (a[0].is_null()) return Value::null(type::text);
    const auto bad = [](std::string message, const char* hint = "") {
        raise(sqlstate::invalid_parameter_value, std::move(message), "", hint);
    };
    const std::string_view pattern = a[0].bytes();
    const std::vector<Value> values = count > 1 ? variadic_values(call, a, 1, count) : std::vector<Value>();
    std::string text;
    std::size_t next = 0;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != '%') {
            text += pattern[at];
            continue;
        }
        const auto here = [&]() {
            if (at >= pattern.size())
                bad("unterminated format() type specifier", "For a single \"%\" use \"%%\".");
            return pattern[at];
        };
        const auto number = [&](std::int64_t& to) {
            bool any = false;
            to = 0;
            while (at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9') {
                to = to * 10 + (pattern[at++] - '0');
                if (to > INT32_MAX) raise(sqlstate::numeric_value_out_of_range, "number is out of range");
                any = true;
            }
            return any;
        };
        const auto argument = [&](std::int64_t place) -> const Value& {
            if (place == 0) bad("format specifies argument 0, but arguments are numbered from 1");
            if (place > static_cast<std::int64_t>(values.size())) bad("too few arguments for format()");
            return values[static_cast<std::size_t>(place) - 1];
        };
        ++at;
        if (here() == '%') {
            text += '%';
            continue;
        }
        std::int64_t place = -1;
        std::int64_t width = 0;
        bool minus = false;
        std::int64_t digits = 0;
        if (pattern[at] != '0' && number(digits)) {
            if (here() == '$') {
                place = digits;
                ++at;
            } else {
                width = digits;
            }
        } else if (pattern[at] == '0') {
            number(digits);
            if (here() == '$') {
                place = digits;
                ++at;
                argument(place);
            } else {
                width = digits;
            }
        }
        if (width == 0) {
            while (here() == '-') {
                minus = true;
                ++at;
            }
            if (here() == '*') {
                ++at;
                std::int64_t width_place = 0;
                if (number(width_place)) {
                    if (here() != '$') bad("width argument position must be ended by \"$\"");
                    ++at;
                } else {
                    width_place = static_cast<std::int64_t>(next) + 1;
                }
                const Value& value = argument(width_place);
                next = static_cast<std::size_t>(width_place);
                if (!value.is_null()) width = integer_from_text(output_of(call, value), 32);
                if (width < 0) {
                    minus = true;
                    width = -width;
                }
            } else {
                number(width);
            }
        }
        const char kind = here();
        if (kind != 's' && kind != 'I' && kind != 'L') {
            const std::size_t size = utf8_size(pattern, at);
            bad("unrecognized format() type specifier \"" + std::string(pattern.substr(at, size)) + '"',
                "For a single \"%\" use \"%%\".");
        }
        if (place >= 0) next = static_cast<std::size_t>(place) - 1;
        const Value& value = argument(static_cast<std::int64_t>(++next));
        std::string piece;
        if (value.is_null()) {
            if (kind == 'I')
                raise(sqlstate::null_value_not_allowed,
                      "null values cannot be formatted as an SQL identifier");
            if (kind == 'L') piece = "NULL";
        } else if (kind == 's') {
            piece = output_of(call, value);
        } else if (kind == 'I') {
            append_identifier(output_of(call, value), piece);
        } else {
            append_literal(output_of(call, value), piece);
        }
        const std::int64_t missing = width - static_cast<std::int64_t>(utf8_length(piece));
        if (missing > static_cast<std::int64_t>(k_largest_piece))
            raise(sqlstate::program_limit_exceeded, "requested length too large");
        check_piece(text.size() + piece.size() + static_cast<std::size_t>(std::max<std::int64_t>(missing, 0)));
        if (missing > 0 && !minus) text.append(static_cast<std::size_t>(missing), ' ');
        text += piece;
        if (missing > 0 && minus) text.append(static_cast<std::size_t>(missing), ' ');
    }
    return text_of(call, text);
}

Value count_nulls(Call& call, const Value* a, std::size_t count, bool null) {
    if (call.variadic_array && a[0].is_null()) return Value::null(type::int4);
    const std::vector<Value> values = variadic_values(call, a, 0, count);
    return Value::int4(std::count_if(values.begin(), values.end(),
                                     [&](const Value& value) { return value.is_null() == null; }));
}
Value num_nulls(Call& call, const Value* a, std::size_t count) { return count_nulls(call, a, count, true); }
Value num_nonnulls(Call& call, const Value* a, std::size_t count) { return count_nulls(call, a, count, false); }

// ---- identifiers and encodings in texts ----

bool begins_identifier(unsigned char c) {
    return c == '_' || c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool continues_identifier(unsigned char c) { return begins_identifier(c) || (c >= '0' && c <= '9') || c == '$'; }

/// parse_ident: the names of a qualified name, folded where they are not quoted.
Value parse_ident(Call& call, const Value* a, std::size_t count) {
    const std::string_view text = a[0].bytes();
    const bool strict = count < 2 || a[1].boolean();
    const auto bad = [&](std::string detail) {
        raise(sqlstate::invalid_parameter_value, "string is not a valid identifier: \"" + std::string(text) + '"',
              std::move(detail));
    };
    std::vector<Value> names;
    std::size_t at = 0;
    const auto skip_blanks = [&] {
        while (at < text.size() && is_sql_blank(text[at])) ++at;
    };
    skip_blanks();
    for (bool behind_dot = false;; behind_dot = true) {
        std::string name;
        if (at < text.size() && text[at] == '"') {
            for (++at;; ++at) {
                if (at == text.size()) bad("String has unclosed double quotes.");
                if (text[at] == '"' && (++at == text.size() || text[at] != '"')) break;
                name += text[at];
            }
            if (name.empty()) bad("Quoted identifier must not be empty.");
        } else if (at < text.size() && begins_identifier(static_cast<unsigned char>(text[at]))) {
            const std::size_t begin = at;
            while (at < text.size() && continues_identifier(static_cast<unsigned char>(text[at]))) ++at;
            name = lower_case_text(text.substr(begin, at - begin));
        } else if (at < text.size() && text[at] == '.') {
            bad("No valid identifier before \".\".");
        } else {
            bad(behind_dot ? "No valid identifier after \".\"." : "");
        }
        names.push_back(text_of(call, name));
        skip_blanks();
        if (at == text.size()) break;
        if (text[at] != '.') {
            if (strict) bad("");
            break;
        }
        ++at;
        skip_blanks();
    }
    const ArrayDimension dimension{static_cast<std::int32_t>(names.size()), 1};
    return make_array(call.result_type, type::text, {&dimension, 1}, names, call.arena);
}

/// Texts are UTF-8; other encodings are refused by name.
void expect_utf8(std::string_view encoding) {
    std::string letters;
    for (const char c : lower_case_text(encoding))
        if (c != '-' && c != '_' && c != ' ') letters += c;
    if (letters == "utf8" || letters == "unicode") return;
    raise(sqlstate::feature_not_supported, "conversion between UTF8 and \"" + std::string(encoding) +
                                               "\" is not supported");
}
Value convert_to(Call&, const Value* a, std::size_t) {
    expect_utf8(a[1].bytes());
    return Value::bytes(type::bytea, a[0].bytes());
}
Value convert_from(Call&, const Value* a, std::size_t) {
    expect_utf8(a[1].bytes());
    return Value::text(checked_text(a[0].bytes()));
}

Value length_of(Call&, const Value* a, std::size_t) {
    expect_utf8(a[1].bytes());
    return Value::int4(static_cast<std::int64_t>(utf8_length(checked_text(a[0].bytes()))));
}

constexpr FunctionSource k_functions[] = {
    {"concat(any) text nonstrict stable variadic", &concat},
    {"concat_ws(text,any) text nonstrict stable variadic", &concat_ws},
    {"format(text,any) text nonstrict stable variadic", &format},
    {"format(text) text nonstrict stable", &format},
    {"quote_ident(text) text", &quote_ident},
    {"quote_literal(text) text", &quote_literal},
    {"quote_literal(anyelement) text stable", &quote_literal},
    {"quote_nullable(text) text nonstrict", &quote_nullable},
    {"quote_nullable(anyelement) text nonstrict stable", &quote_nullable},
    {"num_nulls(any) int4 nonstrict variadic", &num_nulls},
    {"num_nonnulls(any) int4 nonstrict variadic", &num_nonnulls},
    {"parse_ident(text) _text", &parse_ident},
    {"parse_ident(text,bool) _text names=str,strict", &parse_ident},
    {"convert_to(text,name) bytea stable", &convert_to},
    {"convert_from(bytea,name) text stable", &convert_from},
    {"length(bytea,name) int4 stable", &length_of},
};

}  // namespace quote_functions_file

std::span<const FunctionSource> quote_functions() { return quote_functions_file::k_functions; }

}  // namespace northstar::inline v0::sql
