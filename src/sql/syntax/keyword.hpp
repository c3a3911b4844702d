// keyword.hpp -- the words that the grammar knows, in PostgreSQL's four classes.
//
// A word that is not listed is an ordinary identifier. Unreserved keywords behave like identifiers wherever the grammar
// does not expect them, so only those are listed that the grammar mentions or that may not stand as a bare label.
//
// Keywords are numbered by their place in the sorted table; "select"_kw is that number, found while compiling, and
// misspelling a keyword in the parser does not compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::sql {

enum class KeywordClass : std::uint8_t {
    unreserved,      ///< may name anything
    column_name,     ///< may name a column or table, not a function or type
    type_function,   ///< may name a function or type, not a column or table
    reserved,        ///< may only be a label behind AS
};

struct KeywordEntry {
    std::string_view word;
    KeywordClass kind;
    bool bare_label;  ///< may be an output name without AS
};

namespace keyword_table {
constexpr auto U = KeywordClass::unreserved;
constexpr auto C = KeywordClass::column_name;
constexpr auto T = KeywordClass::type_function;
constexpr auto R = KeywordClass::reserved;

/// Sorted by word.
inline constexpr KeywordEntry k_keywords[] = {
    {"abort", U, true}, {"action", U, true}, {"add", U, true}, {"after", U, true}, {"all", R, true},
    {"alter", U, true}, {"always", U, true}, {"analyse", R, true}, {"analyze", R, true}, {"and", R, true},
    {"any", R, true}, {"array", R, false}, {"as", R, false}, {"asc", R, true}, {"asymmetric", R, true},
    {"at", U, true}, {"attribute", U, true}, {"authorization", T, true}, {"before", U, true}, {"begin", U, true},
    {"between", C, true}, {"bigint", C, true}, {"binary", T, true}, {"bit", C, true}, {"boolean", C, true},
    {"both", R, true}, {"breadth", U, true}, {"by", U, true}, {"cache", U, true}, {"cascade", U, true},
    {"cascaded", U, true}, {"case", R, true}, {"cast", R, true}, {"chain", U, true}, {"char", C, false},
    {"character", C, false}, {"characteristics", U, true}, {"check", R, true}, {"checkpoint", U, true},
    {"close", U, true}, {"cluster", U, true}, {"coalesce", C, true}, {"collate", R, true}, {"collation", T, true},
    {"column", R, true}, {"columns", U, true}, {"comment", U, true}, {"comments", U, true}, {"commit", U, true},
    {"committed", U, true}, {"compression", U, true}, {"concurrently", T, true}, {"conflict", U, true},
    {"constraint", R, true}, {"constraints", U, true}, {"contained", U, true}, {"continue", U, true},
    {"copy", U, true}, {"create", R, false}, {"cross", T, true}, {"csv", U, true}, {"cube", U, true},
    {"current", U, true}, {"current_catalog", R, true}, {"current_date", R, true}, {"current_role", R, true},
    {"current_schema", T, true}, {"current_time", R, true}, {"current_timestamp", R, true},
    {"current_user", R, true}, {"cycle", U, true}, {"data", U, true}, {"database", U, true}, {"day", U, false},
    {"deallocate", U, true}, {"dec", C, true}, {"decimal", C, true}, {"declare", U, true}, {"default", R, true},
    {"defaults", U, true}, {"deferrable", R, true}, {"deferred", U, true}, {"delete", U, true},
    {"delimiter", U, true}, {"depth", U, true}, {"desc", R, true}, {"discard", U, true}, {"distinct", R, true},
    {"do", R, true}, {"domain", U, true}, {"double", U, true}, {"drop", U, true}, {"each", U, true},
    {"else", R, true}, {"enable", U, true}, {"end", R, true}, {"enum", U, true}, {"erase", U, true},
    {"escape", U, true}, {"except", R, false}, {"exclude", U, true}, {"excluding", U, true}, {"execute", U, true},
    {"exists", C, true}, {"explain", U, true}, {"expression", U, true}, {"extension", U, true},
    {"extract", C, true}, {"false", R, true}, {"fetch", R, false}, {"filter", U, false}, {"first", U, true},
    {"float", C, true}, {"following", U, true}, {"for", R, false}, {"force", U, true}, {"foreign", R, true},
    {"freeze", T, true}, {"from", R, false}, {"full", T, true}, {"function", U, true}, {"generated", U, true},
    {"global", U, true}, {"grant", R, false}, {"greatest", C, true}, {"group", R, false}, {"grouping", C, true},
    {"groups", U, true}, {"having", R, false}, {"header", U, true}, {"history", U, true}, {"hold", U, true},
    {"hour", U, false}, {"identity", U, true}, {"if", U, true}, {"ilike", T, true}, {"immediate", U, true},
    {"in", R, true}, {"include", U, true}, {"including", U, true}, {"increment", U, true}, {"index", U, true},
    {"inherits", U, true}, {"initially", R, true}, {"inner", T, true}, {"inout", C, true}, {"input", U, true},
    {"insert", U, true}, {"instead", U, true}, {"int", C, true}, {"integer", C, true}, {"intersect", R, false},
    {"interval", C, true}, {"into", R, false}, {"is", T, true}, {"isnull", T, false}, {"isolation", U, true},
    {"join", T, true}, {"key", U, true}, {"last", U, true}, {"lateral", R, true}, {"latest", U, true},
    {"leading", R, true}, {"least", C, true}, {"left", T, true}, {"level", U, true}, {"like", T, true},
    {"limit", R, false}, {"listen", U, true}, {"local", U, true}, {"localtime", R, true}, {"localtimestamp", R, true},
    {"lock", U, true}, {"locked", U, true}, {"logged", U, true}, {"match", U, true}, {"matched", U, true},
    {"materialized", U, true}, {"maxvalue", U, true}, {"merge", U, true}, {"minute", U, false},
    {"minvalue", U, true}, {"mode", U, true}, {"month", U, false}, {"move", U, true}, {"name", U, true},
    {"names", U, true}, {"national", C, true}, {"natural", T, true}, {"nchar", C, true}, {"new", U, true},
    {"next", U, true}, {"no", U, true}, {"none", C, true}, {"normalize", C, true}, {"normalized", U, true},
    {"not", R, true}, {"nothing", U, true}, {"notify", U, true}, {"notnull", T, false}, {"nowait", U, true},
    {"null", R, true}, {"nullif", C, true}, {"nulls", U, true}, {"numeric", C, true}, {"of", U, true}, {"off", U, true},
    {"offset", R, false}, {"old", U, true}, {"on", R, false}, {"only", R, true}, {"operator", U, true},
    {"option", U, true}, {"options", U, true}, {"or", R, true}, {"order", R, false}, {"ordinality", U, true},
    {"others", U, true}, {"out", C, true}, {"outer", T, true}, {"over", U, false}, {"overlaps", T, false},
    {"overlay", C, true}, {"overriding", U, true}, {"owned", U, true}, {"owner", U, true}, {"partial", U, true},
    {"partition", U, true}, {"period", U, true}, {"placing", R, true}, {"plans", U, true}, {"portion", U, true},
    {"position", C, true}, {"preceding", U, true}, {"precision", C, false}, {"prepare", U, true},
    {"prepared", U, true}, {"preserve", U, true}, {"primary", R, true}, {"quote", U, true}, {"range", U, true},
    {"read", U, true}, {"real", C, true}, {"recursive", U, true}, {"references", R, true}, {"refresh", U, true},
    {"reindex", U, true}, {"release", U, true}, {"rename", U, true}, {"repeatable", U, true},
    {"replace", U, true}, {"replica", U, true}, {"reset", U, true}, {"restart", U, true}, {"restrict", U, true},
    {"returning", R, false}, {"revert", U, true}, {"revoke", U, true}, {"right", T, true}, {"role", U, true},
    {"rollback", U, true}, {"rollup", U, true}, {"row", C, true}, {"rows", U, true}, {"savepoint", U, true},
    {"schema", U, true}, {"search", U, true}, {"second", U, false}, {"security", U, true}, {"select", R, true},
    {"sequence", U, true}, {"sequences", U, true}, {"serializable", U, true}, {"session", U, true},
    {"session_user", R, true}, {"set", U, true}, {"setof", C, true}, {"sets", U, true}, {"setting", U, true},
    {"share", U, true}, {"show", U, true}, {"similar", T, true}, {"simple", U, true}, {"skip", U, true},
    {"smallint", C, true}, {"snapshot", U, true}, {"some", R, true}, {"start", U, true}, {"statistics", U, true},
    {"stdin", U, true}, {"stdout", U, true}, {"storage", U, true}, {"stored", U, true}, {"substring", C, true},
    {"symmetric", R, true}, {"system", U, true}, {"system_time", U, true}, {"system_user", R, true},
    {"table", R, true}, {"tables", U, true}, {"tablesample", T, true}, {"tablespace", U, true}, {"tag", U, true},
    {"temp", U, true}, {"template", U, true}, {"temporary", U, true}, {"text", U, true}, {"then", R, true},
    {"ties", U, true}, {"time", C, true}, {"timestamp", C, true}, {"to", R, false}, {"trailing", R, true},
    {"transaction", U, true}, {"treat", C, true}, {"trigger", U, true}, {"trim", C, true}, {"true", R, true},
    {"truncate", U, true}, {"type", U, true}, {"uescape", U, true}, {"unbounded", U, true},
    {"uncommitted", U, true}, {"union", R, false}, {"unique", R, true}, {"unknown", U, true},
    {"unlisten", U, true}, {"unlogged", U, true}, {"until", U, true}, {"update", U, true}, {"user", R, true},
    {"using", R, true}, {"vacuum", U, true}, {"valid", U, true}, {"valid_time", U, true}, {"validate", U, true},
    {"value", U, true}, {"values", C, true}, {"varchar", C, true}, {"variadic", R, true}, {"varying", U, false},
    {"verbose", T, true}, {"version", U, true}, {"view", U, true}, {"when", R, true}, {"where", R, false},
    {"window", R, false}, {"with", R, false}, {"within", U, false}, {"without", U, false}, {"work", U, true},
    {"write", U, true}, {"xmlattributes", C, true}, {"xmlconcat", C, true}, {"xmlelement", C, true},
    {"year", U, false}, {"yes", U, true}, {"zone", U, true},
};
}  // namespace keyword_table

using Keyword = std::uint16_t;
inline constexpr Keyword k_no_keyword = 0xffff;

/// Number of a word in lower case, or k_no_keyword. O(log n).
constexpr Keyword find_keyword(std::string_view word) {
    std::size_t low = 0, high = std::size(keyword_table::k_keywords);
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (keyword_table::k_keywords[middle].word < word) low = middle + 1;
        else high = middle;
    }
    if (low < std::size(keyword_table::k_keywords) && keyword_table::k_keywords[low].word == word)
        return static_cast<Keyword>(low);
    return k_no_keyword;
}

constexpr const KeywordEntry& keyword_entry(Keyword keyword) { return keyword_table::k_keywords[keyword]; }

consteval Keyword operator""_kw(const char* word, std::size_t size) {
    const Keyword found = find_keyword({word, size});
    if (found == k_no_keyword) throw "not in the table of keywords";
    return found;
}

}  // namespace northstar::inline v0::sql
