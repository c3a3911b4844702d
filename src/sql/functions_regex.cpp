// Operators and functions of regular expressions, and SIMILAR TO, which becomes one.

#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/regex.hpp"
#include "sql/registry.hpp"
#include "sql/utf8.hpp"

#include <algorithm>
#include <memory>
#include <optional>

namespace northstar::inline v0::sql {

namespace regex_functions_file {

[[noreturn]] void invalid(std::string message) {
    raise(sqlstate::invalid_parameter_value, std::move(message));
}

struct Flags {
    RegexOptions options;
    bool global = false;
};

Flags flags_of(std::string_view text) {
    Flags flags;
    for (std::size_t at = 0; at < text.size(); at += utf8_size(text, at)) {
        switch (text[at]) {
            case 'g':
                flags.global = true;
                break;
            case 'i':
                flags.options.ignore_case = true;
                break;
            case 'c':
                flags.options.ignore_case = false;
                break;
            case 'm':
            case 'n':
                flags.options.newline_stops = flags.options.newline_anchors = true;
                break;
            case 'p':
                flags.options.newline_stops = true;
                break;
            case 'w':
                flags.options.newline_anchors = true;
                break;
            case 's':
                flags.options.newline_stops = flags.options.newline_anchors = false;
                break;
            case 'x':
                flags.options.expanded = true;
                break;
            case 't':
                flags.options.expanded = false;
                break;
            case 'q':
                flags.options.literal = true;
                flags.options.dialect = RegexDialect::advanced;
                break;
            case 'b':
            case 'e':  // PostgreSQL 15 means the extended syntax by it, and reads the basic one
                flags.options.dialect = RegexDialect::basic;
                flags.options.literal = false;
                break;
            default:
                invalid("invalid regular expression option: \"" +
                        std::string(text.substr(at, utf8_size(text, at))) + '"');
        }
    }
    return flags;
}

/// What a call expression keeps: the pattern it compiled last.
struct Compiled : CallCache::Entry {
    std::string pattern;
    std::string flags;
    std::unique_ptr<Regex> regex;
};

/// The compiled pattern, from the cache of the call where it is the same one; `own` keeps it otherwise.
const Regex& compiled(Call& call, std::string_view pattern, std::string_view flags, RegexOptions options,
                      std::unique_ptr<Regex>& own) {
    if (call.cache == nullptr) {
        own = std::make_unique<Regex>(pattern, options);
        return *own;
    }
    // The cache of this call expression holds nothing but what this file put there.
    auto* entry = static_cast<Compiled*>(call.cache->entry.get());
    if (entry == nullptr || entry->pattern != pattern || entry->flags != flags) {
        auto fresh = std::make_unique<Compiled>();
        fresh->pattern = pattern;
        fresh->flags = flags;
        fresh->regex = std::make_unique<Regex>(pattern, options);
        entry = fresh.get();
        call.cache->entry = std::move(fresh);
    }
    return *entry->regex;
}

template <bool IgnoreCase, bool Wanted>
Value matches(Call& call, const Value* a, std::size_t) {
    RegexOptions options;
    options.ignore_case = IgnoreCase;
    std::unique_ptr<Regex> own;
    std::vector<RegexGroup> groups;
    const Regex& regex = compiled(call, a[1].bytes(), IgnoreCase ? "i" : "", options, own);
    return Value::boolean(regex.search(RegexText(a[0].bytes()), 0, false, groups) == Wanted);
}

/// All matches one behind the other. An empty match moves on by a character; `visit` says whether to go on.
template <class Visit>
void each_match(const Regex& regex, const RegexText& text, std::size_t from, bool with_groups, Visit visit) {
    std::vector<RegexGroup> groups;
    while (from <= text.points.size() && regex.search(text, from, with_groups, groups)) {
        if (!visit(groups)) return;
        from = groups[0].end == groups[0].begin ? groups[0].end + 1 : groups[0].end;
    }
}

Value groups_of(Call& call, const RegexText& text, const std::vector<RegexGroup>& groups) {
    std::vector<Value> found;
    for (std::size_t i = groups.size() == 1 ? 0 : 1; i < groups.size(); ++i) {
        found.push_back(groups[i].is_set() ? Value::text(text.slice(groups[i].begin, groups[i].end))
                                           : Value::null(type::text));
    }
    return make_array(type::text_array, type::text, found, call.arena);
}

void refuse_global(const Flags& flags, const char* function, const char* hint = "") {
    if (flags.global) {
        raise(sqlstate::invalid_parameter_value,
              std::string(function) + " does not support the \"global\" option", "", hint);
    }
}

Value regexp_match(Call& call, const Value* a, std::size_t count) {
    const std::string_view flag_text = count > 2 ? a[2].bytes() : "";
    const Flags flags = flags_of(flag_text);
    refuse_global(flags, "regexp_match()", "Use the regexp_matches function instead.");
    std::unique_ptr<Regex> own;
    const Regex& regex = compiled(call, a[1].bytes(), flag_text, flags.options, own);
    const RegexText text(a[0].bytes());
    std::vector<RegexGroup> groups;
    return regex.search(text, 0, true, groups) ? groups_of(call, text, groups)
                                               : Value::null(call.result_type);
}
void regexp_matches(Call& call, const Value* a, std::size_t count, RowSink& rows) {
    const Flags flags = flags_of(count > 2 ? a[2].bytes() : "");
    const Regex regex(a[1].bytes(), flags.options);
    const RegexText text(a[0].bytes());
    each_match(regex, text, 0, true, [&](const std::vector<RegexGroup>& groups) {
        const Value row = groups_of(call, text, groups);
        return rows.row({&row, 1}) && flags.global;
    });
}
Value regexp_like(Call& call, const Value* a, std::size_t count) {
    const std::string_view flag_text = count > 2 ? a[2].bytes() : "";
    const Flags flags = flags_of(flag_text);
    refuse_global(flags, "regexp_like()");
    std::unique_ptr<Regex> own;
    std::vector<RegexGroup> groups;
    return Value::boolean(compiled(call, a[1].bytes(), flag_text, flags.options, own)
                              .search(RegexText(a[0].bytes()), 0, false, groups));
}

std::int64_t positive(const Value& value, const char* name) {
    if (value.integer() <= 0)
        invalid(std::string("invalid value for parameter \"") + name +
                "\": " + std::to_string(value.integer()));
    return value.integer();
}

Value regexp_count(Call& call, const Value* a, std::size_t count) {
    const std::size_t from = count > 2 ? static_cast<std::size_t>(positive(a[2], "start")) - 1 : 0;
    const std::string_view flag_text = count > 3 ? a[3].bytes() : "";
    const Flags flags = flags_of(flag_text);
    refuse_global(flags, "regexp_count()");
    std::unique_ptr<Regex> own;
    const Regex& regex = compiled(call, a[1].bytes(), flag_text, flags.options, own);
    std::int64_t matches_found = 0;
    each_match(regex, RegexText(a[0].bytes()), from, false,
               [&](const std::vector<RegexGroup>&) { return ++matches_found > 0; });
    return Value::int4(matches_found);
}

/// The text that a replacement stands for: \1 to \9 are groups, \& the match, \\ a backslash.
void append_replacement(std::string_view replacement, const RegexText& text,
                        const std::vector<RegexGroup>& groups, std::string& out) {
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const char c = replacement[i];
        if (c != '\\' || i + 1 == replacement.size()) {
            out += c;
            continue;
        }
        const char next = replacement[i + 1];
        if (next == '&' || (next >= '0' && next <= '9')) {
            const std::size_t group = next == '&' ? 0 : static_cast<std::size_t>(next - '0');
            if (next == '0') {
                out += "\\0";
            } else if (group < groups.size() && groups[group].is_set()) {
                out += text.slice(groups[group].begin, groups[group].end);
            }
            ++i;
        } else if (next == '\\') {
            out += '\\';
            ++i;
        } else {
            out += c;
        }
    }
}
/// Replaces the n-th match from `from` on, or all (n = 0).
Value replaced(Call& call, const Value* a, std::size_t from, std::int64_t n, std::string_view flag_text,
               RegexOptions options) {
    std::unique_ptr<Regex> own;
    const Regex& regex = compiled(call, a[1].bytes(), flag_text, options, own);
    const RegexText text(a[0].bytes());
    std::string result;
    std::size_t copied = 0;
    std::int64_t number = 0;
    each_match(regex, text, from, a[2].bytes().find('\\') != std::string_view::npos,
               [&](const std::vector<RegexGroup>& groups) {
                   ++number;
                   if (n > 0 && number < n) return true;
                   result += text.slice(copied, groups[0].begin);
                   append_replacement(a[2].bytes(), text, groups, result);
                   check_piece(result.size());
                   copied = groups[0].end;
                   return n == 0;
               });
    result += text.slice(copied, text.points.size());
    return Value::text(call.arena.copy(result));
}
Value regexp_replace(Call& call, const Value* a, std::size_t count) {
    const std::string_view flag_text = count > 3 ? a[3].bytes() : "";
    if (!flag_text.empty() && flag_text[0] >= '0' && flag_text[0] <= '9') {
        raise(sqlstate::invalid_parameter_value,
              "invalid regular expression option: \"" + std::string(flag_text.substr(0, 1)) + '"', "",
              "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to "
              "integer explicitly.");
    }
    const Flags flags = flags_of(flag_text);
    return replaced(call, a, 0, flags.global ? 0 : 1, flag_text, flags.options);
}
Value regexp_replace_from(Call& call, const Value* a, std::size_t count) {
    const std::size_t from = static_cast<std::size_t>(positive(a[3], "start")) - 1;
    std::int64_t n = 1;
    if (count > 4) {
        n = a[4].integer();
        if (n < 0) invalid("invalid value for parameter \"n\": " + std::to_string(n));
    }
    const std::string_view flag_text = count > 5 ? a[5].bytes() : "";
    const Flags flags = flags_of(flag_text);
    if (count == 4 && flags.global) n = 0;
    return replaced(call, a, from, n, flag_text, flags.options);
}

/// The n-th match and a group of it; the arguments stand behind (text, pattern).
std::optional<RegexGroup> find_nth(Call& call, const Value* a, const RegexText& text, std::size_t from,
                                   std::int64_t n, std::string_view flag_text, std::int64_t group,
                                   const char* function) {
    const Flags flags = flags_of(flag_text);
    refuse_global(flags, function);
    if (group < 0) invalid("invalid value for parameter \"subexpr\": " + std::to_string(group));
    std::unique_ptr<Regex> own;
    const Regex& regex = compiled(call, a[1].bytes(), flag_text, flags.options, own);
    std::optional<RegexGroup> found;
    std::int64_t number = 0;
    each_match(regex, text, from, group > 0, [&](const std::vector<RegexGroup>& groups) {
        if (++number < n) return true;
        // Without parentheses the whole match is the first group.
        if (groups.size() == 1 && group == 1) found = groups[0];
        else if (static_cast<std::size_t>(group) < groups.size() &&
            groups[static_cast<std::size_t>(group)].is_set()) {
            found = groups[static_cast<std::size_t>(group)];
        }
        return false;
    });
    return found;
}
Value regexp_substr(Call& call, const Value* a, std::size_t count) {
    const std::size_t from = count > 2 ? static_cast<std::size_t>(positive(a[2], "start")) - 1 : 0;
    const std::int64_t n = count > 3 ? positive(a[3], "n") : 1;
    const RegexText text(a[0].bytes());
    const std::optional<RegexGroup> found = find_nth(call, a, text, from, n, count > 4 ? a[4].bytes() : "",
                                                     count > 5 ? a[5].integer() : 0, "regexp_substr()");
    return found ? Value::text(text.slice(found->begin, found->end)) : Value::null(type::text);
}
Value regexp_instr(Call& call, const Value* a, std::size_t count) {
    const std::size_t from = count > 2 ? static_cast<std::size_t>(positive(a[2], "start")) - 1 : 0;
    const std::int64_t n = count > 3 ? positive(a[3], "n") : 1;
    const std::int64_t end = count > 4 ? a[4].integer() : 0;
    if (end != 0 && end != 1) invalid("invalid value for parameter \"endoption\": " + std::to_string(end));
    const RegexText text(a[0].bytes());
    const std::optional<RegexGroup> found = find_nth(call, a, text, from, n, count > 5 ? a[5].bytes() : "",
                                                     count > 6 ? a[6].integer() : 0, "regexp_instr()");
    return Value::int4(found ? static_cast<std::int64_t>(end == 1 ? found->end : found->begin) + 1 : 0);
}

/// The pieces between matches; an empty match at the beginning, at the end or right behind another match cuts
/// nothing.
std::vector<Value> pieces(const Value* a, std::size_t count, const char* function) {
    const Flags flags = flags_of(count > 2 ? a[2].bytes() : "");
    refuse_global(flags, function);
    const Regex regex(a[1].bytes(), flags.options);
    const RegexText text(a[0].bytes());
    std::vector<Value> result;
    std::size_t copied = 0;
    each_match(regex, text, 0, false, [&](const std::vector<RegexGroup>& groups) {
        const RegexGroup& match = groups[0];
        const bool empty = match.begin == match.end;
        if (empty && (match.begin == copied || match.begin >= text.points.size())) return true;
        result.push_back(Value::text(text.slice(copied, match.begin)));
        copied = match.end;
        return true;
    });
    result.push_back(Value::text(text.slice(copied, text.points.size())));
    return result;
}
Value regexp_split_to_array(Call& call, const Value* a, std::size_t count) {
    return make_array(type::text_array, type::text, pieces(a, count, "regexp_split_to_array()"), call.arena);
}
void regexp_split_to_table(Call&, const Value* a, std::size_t count, RowSink& rows) {
    for (const Value& piece : pieces(a, count, "regexp_split_to_table()")) {
        if (!rows.row({&piece, 1})) return;
    }
}

/// substring(text from pattern): the first group, or the whole match of a pattern without groups.
Value substring(Call& call, const Value* a, std::size_t) {
    std::unique_ptr<Regex> own;
    const Regex& regex = compiled(call, a[1].bytes(), "", {}, own);
    const RegexText text(a[0].bytes());
    std::vector<RegexGroup> groups;
    if (!regex.search(text, 0, true, groups)) return Value::null(type::text);
    const RegexGroup& wanted = groups[groups.size() > 1 ? 1 : 0];
    return wanted.is_set() ? Value::text(text.slice(wanted.begin, wanted.end)) : Value::null(type::text);
}

/// The SQL standard's pattern as a regular expression that matches the whole text. Two escaped double quotes
/// mark the part that substring() takes out.
std::string similar_pattern(std::string_view pattern, std::string_view escape) {
    if (utf8_length(escape) > 1) {
        raise(sqlstate::invalid_escape_sequence, "invalid escape string", "",
              "Escape string must be empty or one character.");
    }
    std::string result = "^(?:";
    int separators = 0;
    int bracket = 0;  // characters since an opening bracket; 0: outside
    for (std::size_t at = 0; at < pattern.size();) {
        const std::string_view character = pattern.substr(at, utf8_size(pattern, at));
        at += character.size();
        if (!escape.empty() && character == escape) {
            if (at >= pattern.size()) break;
            const std::string_view next = pattern.substr(at, utf8_size(pattern, at));
            at += next.size();
            if (next == "\"" && bracket == 0) {
                if (++separators > 2) {
                    raise(sqlstate::invalid_use_of_escape_character,
                          "SQL regular expression may not contain more than two escape-double-quote "
                          "separators");
                }
                result += separators == 1 ? "){1,1}?(" : "){1,1}(?:";
            } else {
                if (next.size() == 1) result += '\\';
                result += next;
            }
            continue;
        }
        const char c = character.size() == 1 ? character[0] : 'a';
        if (bracket > 0) {
            ++bracket;
            if (c == ']' && bracket > 2) bracket = 0;
            if (c == '\\') result += '\\';
            result += character;
        } else if (c == '[') {
            bracket = 1;
            result += c;
        } else if (c == '%') {
            result += ".*";
        } else if (c == '_') {
            result += '.';
        } else if (c == '(') {
            result += "(?:";
        } else {
            if (c == '\\' || c == '.' || c == '^' || c == '$') result += '\\';
            result += character;
        }
    }
    return result + ")$";
}
Value similar_to_escape(Call& call, const Value* a, std::size_t count) {
    return Value::text(call.arena.copy(similar_pattern(a[0].bytes(), count > 1 ? a[1].bytes() : "\\")));
}
Value similar_substring(Call& call, const Value* a, std::size_t) {
    const Value pattern = Value::text(call.arena.copy(similar_pattern(a[1].bytes(), a[2].bytes())));
    const Value arguments[] = {a[0], pattern};
    return substring(call, arguments, 2);
}

constexpr FunctionSource k_functions[] = {
    {"regexp_match(text,text) _text", &regexp_match},
    {"regexp_match(text,text,text) _text", &regexp_match},
    {"regexp_matches(text,text) _text", &regexp_matches},
    {"regexp_matches(text,text,text) _text", &regexp_matches},
    {"regexp_like(text,text) bool", &regexp_like},
    {"regexp_like(text,text,text) bool", &regexp_like},
    {"regexp_count(text,text) int4", &regexp_count},
    {"regexp_count(text,text,int4) int4", &regexp_count},
    {"regexp_count(text,text,int4,text) int4", &regexp_count},
    {"regexp_replace(text,text,text) text", &regexp_replace},
    {"regexp_replace(text,text,text,text) text", &regexp_replace},
    {"regexp_replace(text,text,text,int4) text", &regexp_replace_from},
    {"regexp_replace(text,text,text,int4,int4) text", &regexp_replace_from},
    {"regexp_replace(text,text,text,int4,int4,text) text", &regexp_replace_from},
    {"regexp_substr(text,text) text", &regexp_substr},
    {"regexp_substr(text,text,int4) text", &regexp_substr},
    {"regexp_substr(text,text,int4,int4) text", &regexp_substr},
    {"regexp_substr(text,text,int4,int4,text) text", &regexp_substr},
    {"regexp_substr(text,text,int4,int4,text,int4) text", &regexp_substr},
    {"regexp_instr(text,text) int4", &regexp_instr},
    {"regexp_instr(text,text,int4) int4", &regexp_instr},
    {"regexp_instr(text,text,int4,int4) int4", &regexp_instr},
    {"regexp_instr(text,text,int4,int4,int4) int4", &regexp_instr},
    {"regexp_instr(text,text,int4,int4,int4,text) int4", &regexp_instr},
    {"regexp_instr(text,text,int4,int4,int4,text,int4) int4", &regexp_instr},
    {"regexp_split_to_array(text,text) _text", &regexp_split_to_array},
    {"regexp_split_to_array(text,text,text) _text", &regexp_split_to_array},
    {"regexp_split_to_table(text,text) text", &regexp_split_to_table},
    {"regexp_split_to_table(text,text,text) text", &regexp_split_to_table},
    {"substring(text,text) text", &substring},
    {"substring(text,text,text) text", &similar_substring},
    {"similar_to_escape(text) text", &similar_to_escape},
    {"similar_to_escape(text,text) text", &similar_to_escape},
};

constexpr OperatorSource k_operators[] = {
    {"text ~ text bool", &matches<false, true>, "textregexeq"},
    {"name ~ text bool", &matches<false, true>, "nameregexeq"},
    {"bpchar ~ text bool", &matches<false, true>, "bpcharregexeq"},
    {"text !~ text bool", &matches<false, false>, "textregexne"},
    {"name !~ text bool", &matches<false, false>, "nameregexne"},
    {"bpchar !~ text bool", &matches<false, false>, "bpcharregexne"},
    {"text ~* text bool", &matches<true, true>, "texticregexeq"},
    {"name ~* text bool", &matches<true, true>, "nameicregexeq"},
    {"bpchar ~* text bool", &matches<true, true>, "bpcharicregexeq"},
    {"text !~* text bool", &matches<true, false>, "texticregexne"},
    {"name !~* text bool", &matches<true, false>, "nameicregexne"},
    {"bpchar !~* text bool", &matches<true, false>, "bpcharicregexne"},
};

}  // namespace regex_functions_file

std::span<const FunctionSource> regex_functions() { return regex_functions_file::k_functions; }
std::span<const OperatorSource> regex_operators() { return regex_functions_file::k_operators; }

}  // namespace northstar::inline v0::sql
