#include "sql/range.hpp"

#include "base/bytes.hpp"
#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/row_format.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace range_file {

enum Flag : unsigned {
    k_empty = 1,
    k_lower_inclusive = 2,
    k_upper_inclusive = 4,
    k_lower_infinite = 8,
    k_upper_infinite = 16
};

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored range is malformed"); }

Oid bound_type(Oid range_type) {
    const TypeInfo* info = find_builtin_type(range_type);
    NORTHSTAR_ASSERT(info != nullptr && info->form == Form::range);
    return info->element;
}

bool is_discrete(Oid type) { return type == type::int4 || type == type::int8 || type == type::date; }

/// A discrete bound one step further.
void step(RangeBound& bound, Oid type) {
    const std::int64_t value = bound.value.integer();
    const bool last = type == type::int8 ? value == INT64_MAX : value == INT32_MAX;
    if (type == type::date) {
        if (value == k_date_infinity || value == k_date_minus_infinity) return;
        if (value >= 2145031948) raise(sqlstate::datetime_field_overflow, "date out of range");
    } else if (last) {
        raise(sqlstate::numeric_value_out_of_range,
              type == type::int8 ? "bigint out of range" : "integer out of range");
    }
    bound.value = Value::integer(type, value + 1);
    bound.inclusive = !bound.inclusive;
}

bool is_infinite_date(const RangeBound& bound, Oid type) {
    return type == type::date &&
           (bound.value.integer() == k_date_infinity || bound.value.integer() == k_date_minus_infinity);
}

}  // namespace range_file

Range read_range(const Value& value, Arena& arena) {
    using namespace range_file;
    const std::string_view bytes = value.bytes();
    if (bytes.empty()) damaged();
    const unsigned flags = static_cast<unsigned char>(bytes[0]);
    const Oid element = bound_type(value.type());
    const Form form = find_builtin_type(element)->form;
    Range range;
    range.empty = (flags & k_empty) != 0;
    std::size_t at = 1;
    const auto bound = [&](RangeBound& to, bool infinite) {
        if (infinite) {
            to.infinite = true;
            return;
        }
        if (bytes.size() - at < 4) damaged();
        const std::size_t size = detail::load_u32(bytes.data() + at);
        at += 4;
        if (bytes.size() - at < size) damaged();
        to.value = value_from_stored(element, form, bytes.substr(at, size), arena);
        at += size;
    };
    range.lower.lower = true;
    range.lower.inclusive = (flags & k_lower_inclusive) != 0;
    range.upper.inclusive = (flags & k_upper_inclusive) != 0;
    if (!range.empty) {
        bound(range.lower, (flags & k_lower_infinite) != 0);
        bound(range.upper, (flags & k_upper_infinite) != 0);
    }
    return range;
}

int compare_bounds(const RangeBound& a, const RangeBound& b) {
    if (a.infinite || b.infinite) {
        const int left = !a.infinite ? 0 : a.lower ? -1 : 1;
        const int right = !b.infinite ? 0 : b.lower ? -1 : 1;
        return left < right ? -1 : left > right;
    }
    const int order = compare_values(a.value, b.value);
    if (order != 0) return order;
    // Of equal values an exclusive lower bound lies behind, an exclusive upper bound before an inclusive one.
    const auto side = [](const RangeBound& bound) { return bound.inclusive ? 0 : bound.lower ? 1 : -1; };
    return side(a) < side(b) ? -1 : side(a) > side(b);
}

int compare_ranges(const Range& a, const Range& b) {
    if (a.empty || b.empty) return static_cast<int>(b.empty) - static_cast<int>(a.empty);
    const int order = compare_bounds(a.lower, b.lower);
    return order != 0 ? order : compare_bounds(a.upper, b.upper);
}

Value make_range(Oid range_type, Range range, Arena& arena) {
    using namespace range_file;
    const Oid element = bound_type(range_type);
    range.lower.lower = true;
    range.upper.lower = false;
    for (RangeBound* bound : {&range.lower, &range.upper}) {
        if (!range.empty && !bound->infinite && bound->value.is_null()) bound->infinite = true;
        if (bound->infinite) bound->inclusive = false;
    }
    if (!range.empty && !range.lower.infinite && !range.upper.infinite) {
        const int order = compare_values(range.lower.value, range.upper.value);
        if (order > 0) {
            raise(sqlstate::data_exception,
                  "range lower bound must be less than or equal to range upper bound");
        }
        if (order == 0 && !(range.lower.inclusive && range.upper.inclusive)) range.empty = true;
    }
    if (!range.empty && is_discrete(element)) {
        if (!range.lower.infinite && !range.lower.inclusive && !is_infinite_date(range.lower, element))
            step(range.lower, element);
        if (!range.upper.infinite && range.upper.inclusive && !is_infinite_date(range.upper, element))
            step(range.upper, element);
        if (!range.lower.infinite && !range.upper.infinite && range.lower.inclusive &&
            !range.upper.inclusive && compare_values(range.lower.value, range.upper.value) == 0) {
            range.empty = true;
        }
    }
    std::string bytes;
    if (range.empty) {
        bytes += static_cast<char>(k_empty);
        return Value::bytes(range_type, Form::range, arena.copy(bytes));
    }
    bytes += static_cast<char>(
        (range.lower.inclusive ? k_lower_inclusive : 0u) | (range.upper.inclusive ? k_upper_inclusive : 0u) |
        (range.lower.infinite ? k_lower_infinite : 0u) | (range.upper.infinite ? k_upper_infinite : 0u));
    for (const RangeBound* bound : {&range.lower, &range.upper}) {
        if (bound->infinite) continue;
        const std::size_t at = bytes.size();
        bytes.append(4, '\0');
        stored_bytes(bound->value, bytes);
        detail::store_u32(bytes.data() + at, static_cast<std::uint32_t>(bytes.size() - at - 4));
    }
    return Value::bytes(range_type, Form::range, arena.copy(bytes));
}

Value range_from_text(Oid range_type, std::string_view text, Arena& arena, Session& session) {
    const Oid element = range_file::bound_type(range_type);
    const auto malformed = [&](const char* why) {
        raise(sqlstate::invalid_text_representation, "malformed range literal: \"" + std::string(text) + '"',
              why);
    };
    const char* blanks = " \t\n\r\v\f";
    std::size_t at = text.find_first_not_of(blanks);
    if (at == std::string_view::npos) malformed("Missing left parenthesis or bracket.");
    Range range;
    std::string word;
    for (std::size_t i = at; i < text.size() && i < at + 5; ++i) word += static_cast<char>(text[i] | 0x20);
    if (word == "empty") {
        if (text.find_first_not_of(blanks, at + 5) != std::string_view::npos)
            malformed("Junk after \"empty\" key word.");
        range.empty = true;
        return make_range(range_type, range, arena);
    }
    if (text[at] != '[' && text[at] != '(') malformed("Missing left parenthesis or bracket.");
    range.lower.inclusive = text[at++] == '[';
    // The literal is taken apart before its bounds are read: what is malformed is told of first.
    const auto bound = [&](RangeBound& to, std::string& content) {
        if (at < text.size() && (text[at] == ',' || text[at] == ')' || text[at] == ']')) {
            to.infinite = true;
            return;
        }
        bool quoted = false;
        for (;; ++at) {
            if (at >= text.size()) malformed("Unexpected end of input.");
            const char c = text[at];
            if (!quoted && (c == ',' || c == ')' || c == ']')) break;
            if (!quoted && (c == '(' || c == '[')) malformed("Unexpected character.");
            if (c == '\\') {
                if (++at >= text.size()) malformed("Unexpected end of input.");
                content += text[at];
            } else if (c == '"' && quoted && at + 1 < text.size() && text[at + 1] == '"') {
                content += '"';
                ++at;
            } else if (c == '"') {
                quoted = !quoted;
            } else {
                content += c;
            }
        }
    };
    std::string lower, upper;
    bound(range.lower, lower);
    if (at >= text.size() || text[at] != ',') malformed("Missing comma after lower bound.");
    ++at;
    bound(range.upper, upper);
    if (at >= text.size()) malformed("Unexpected end of input.");
    if (text[at] == ',') malformed("Too many commas.");
    range.upper.inclusive = text[at] == ']';
    if (text.find_first_not_of(blanks, at + 1) != std::string_view::npos)
        malformed("Junk after right parenthesis or bracket.");
    if (!range.lower.infinite) range.lower.value = value_from_text(element, k_no_typmod, lower, arena, session);
    if (!range.upper.infinite) range.upper.value = value_from_text(element, k_no_typmod, upper, arena, session);
    return make_range(range_type, range, arena);
}

void range_to_text(const Value& value, std::string& out, Session& session) {
    Arena arena;
    const Range range = read_range(value, arena);
    if (range.empty) {
        out += "empty";
        return;
    }
    const auto bound = [&](const RangeBound& from) {
        if (from.infinite) return;
        const std::string text = value_to_text(from.value, session);
        const bool quotes = text.empty() || text.find_first_of("\"\\()[], \t\n\r\v\f") != std::string::npos;
        if (quotes) out += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') out += c;
            out += c;
        }
        if (quotes) out += '"';
    };
    out += range.lower.inclusive ? '[' : '(';
    bound(range.lower);
    out += ',';
    bound(range.upper);
    out += range.upper.inclusive ? ']' : ')';
}

}  // namespace northstar::inline v0::sql
