#include "names.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <dirent.h>

#include "meta_commands.hpp"
#include "result_printer.hpp"
#include "scan.hpp"

namespace northstar_tool::shell {
namespace names_impl {

/// Sorted.
constexpr std::string_view k_words[] = {
    "add", "all", "alter", "always", "analyze", "and", "any", "array", "as", "asc", "at", "begin", "between", "bigint",
    "boolean", "by", "bytea", "cascade", "case", "cast", "char", "check", "checkpoint", "collate", "column", "comment",
    "commit", "concurrently", "conflict", "constraint", "copy", "create", "cross", "cube", "current_date",
    "current_timestamp", "cycle", "date", "deallocate", "declare", "default", "deferrable", "deferred", "delete",
    "desc", "distinct", "do", "domain", "double", "drop", "else", "end", "enum", "erase", "except", "execute", "exists",
    "explain", "false", "fetch", "filter", "first", "following", "for", "foreign", "from", "full", "generated", "group",
    "grouping", "having", "identity", "if", "ilike", "in", "include", "index", "initially", "inner", "insert",
    "integer", "intersect", "interval", "into", "is", "isolation", "join", "json", "jsonb", "key", "last", "lateral",
    "left", "level", "like", "limit", "listen", "materialized", "merge", "natural", "not", "nothing", "notify", "null",
    "nulls", "numeric", "of", "offset", "on", "only", "or", "order", "ordinality", "over", "partition", "preceding",
    "precision", "prepare", "primary", "range", "read", "real", "recursive", "references", "refresh", "rename", "reset",
    "restrict", "returning", "revert", "right", "rollback", "rollup", "row", "rows", "savepoint", "schema", "select",
    "sequence", "serial", "serializable", "set", "sets", "show", "similar", "smallint", "start", "stored",
    "system_time", "table", "temporary", "text", "then", "time", "timestamp", "timestamptz", "to", "transaction",
    "true", "truncate", "type", "unbounded", "union", "unique", "unlisten", "update", "using", "uuid", "valid",
    "valid_time", "values", "varchar", "view", "when", "where", "window", "with", "within", "without", "zone",
};

constexpr std::string_view k_beginnings[] = {
    "alter", "analyze", "begin", "checkpoint", "close", "comment", "commit", "copy", "create", "deallocate", "declare",
    "delete", "drop", "end", "erase", "execute", "explain", "fetch", "insert", "listen", "merge", "notify", "prepare",
    "refresh", "release", "reset", "revert", "rollback", "savepoint", "select", "set", "show", "start", "table",
    "truncate", "unlisten", "update", "values", "with",
};

/// Behind these a table is named.
constexpr std::string_view k_before_table[] = {"from", "join", "into", "update", "table", "only", "truncate",
                                               "references", "analyze"};
/// And behind these an object of that kind, for CREATE, ALTER, DROP and COMMENT ON.
constexpr std::string_view k_kinds[] = {"table", "view", "index", "schema", "sequence", "type", "domain",
                                        "materialized"};

bool is_one_of(std::string_view word, const auto& list) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

struct Word {
    std::string text;  ///< in lower case unless quoted; a symbol is itself
    bool name = false;
    std::size_t begin = 0;
};

std::vector<Word> words_before(std::string_view text, std::size_t end) {
    std::vector<Word> words;
    for (std::size_t at = 0; at < end;) {
        const Span span = next_span(text, at);
        const std::string_view piece = text.substr(span.begin, span.end - span.begin);
        if (span.kind == SpanKind::word) words.push_back({lower_case(piece), true, span.begin});
        else if (span.kind == SpanKind::quoted && piece.size() >= 2 && !span.open)
            words.push_back({std::string(piece.substr(1, piece.size() - 2)), true, span.begin});
        else if (span.kind == SpanKind::symbol) {
            words.push_back({std::string(piece), false, span.begin});
            if (piece == ";") words.clear();
        } else if (span.kind != SpanKind::space && span.kind != SpanKind::comment)
            words.push_back({std::string(piece), false, span.begin});
        at = span.end;
    }
    return words;
}

/// Tables that the statement names, by the name or alias under which it knows them.
std::map<std::string, std::string> tables_of(std::string_view statement, const KnownNames& names) {
    std::map<std::string, std::string> tables;
    const std::vector<Word> words = words_before(statement, statement.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].name || names.columns.count(words[i].text) == 0) continue;
        tables[words[i].text] = words[i].text;
        std::size_t next = i + 1;
        if (next < words.size() && words[next].text == "as") ++next;
        if (next < words.size() && words[next].name && !is_keyword(words[next].text))
            tables[words[next].text] = words[i].text;
    }
    return tables;
}

std::vector<std::string> files_with(std::string_view typed) {
    const std::size_t slash = typed.rfind('/');
    const std::string folder = slash == std::string_view::npos ? "." : std::string(typed.substr(0, slash + 1));
    const std::string prefix = slash == std::string_view::npos ? "" : folder;
    const std::string_view start = slash == std::string_view::npos ? typed : typed.substr(slash + 1);
    std::vector<std::string> found;
    DIR* const directory = ::opendir(folder.c_str());
    if (directory == nullptr) return found;
    while (const dirent* const entry = ::readdir(directory)) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == ".." || name.substr(0, start.size()) != start) continue;
        if (start.empty() && name[0] == '.') continue;
        found.push_back(prefix + std::string(name) + (entry->d_type == DT_DIR ? "/" : ""));
    }
    ::closedir(directory);
    return found;
}

}  // namespace names_impl

bool is_keyword(std::string_view lower_case_word) {
    using namespace names_impl;
    return std::binary_search(std::begin(k_words), std::end(k_words), lower_case_word) ||
           is_one_of(lower_case_word, k_beginnings);
}

std::string quoted_name(std::string_view name) {
    bool plain = !name.empty() && !(name[0] >= '0' && name[0] <= '9') && !is_keyword(name);
    for (const char c : name)
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                          static_cast<unsigned char>(c) >= 0x80);
    if (plain) return std::string(name);
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

Completions complete_sql(std::string_view text, std::size_t cursor, const KnownNames& names) {
    using namespace names_impl;
    Completions found;
    const std::string_view before = text.substr(0, cursor);
    std::vector<std::string> candidates;
    const auto take = [&](std::string_view typed) {
        std::set<std::string> unique;
        for (std::string& word : candidates)
            if (lower_case(word).substr(0, typed.size()) == lower_case(typed)) unique.insert(std::move(word));
        found.words.assign(unique.begin(), unique.end());
        return found;
    };
    const auto add_tables = [&] {
        for (const auto& [table, columns] : names.columns) candidates.push_back(quoted_name(table));
        for (const std::string& schema : names.schemas) candidates.push_back(quoted_name(schema) + ".");
    };

    // Commands of the shell take files, modes and tables.
    const std::string_view line = trim_statement(before);
    if (!line.empty() && (line[0] == '\\' || line[0] == '.')) {
        std::size_t begin = before.find_last_of(" \t\n");
        begin = begin == std::string_view::npos ? 0 : begin + 1;
        const std::string_view typed = before.substr(begin);
        found.begin = begin;
        const std::string command(line.substr(0, line.find_first_of(" \t\n")));
        if (begin + typed.size() == cursor && typed.data() == line.data()) candidates = names_of_commands();
        else if (const CommandArgument argument = argument_of(command); argument == CommandArgument::file)
            candidates = files_with(typed);
        else if (argument == CommandArgument::mode)
            for (const PrintMode mode : {PrintMode::table, PrintMode::line, PrintMode::csv, PrintMode::json,
                                         PrintMode::jsonl, PrintMode::markdown})
                candidates.emplace_back(name_of(mode));
        else if (argument == CommandArgument::relation) add_tables();
        return take(typed);
    }

    // What is being typed: a word, or nothing yet.
    std::size_t begin = cursor;
    while (begin > 0) {
        const char c = before[begin - 1];
        const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                          static_cast<unsigned char>(c) >= 0x80;
        if (!word) break;
        --begin;
    }
    found.begin = begin;
    const std::string_view typed = before.substr(begin);
    const StatementEnd end = end_of_statement(before);
    if (end.inside != 0 && end.inside != '(') return found;  // in a string or comment
    const std::vector<Word> words = words_before(before, begin);
    const auto word_at = [&](std::size_t back) {
        return back < words.size() ? words[words.size() - 1 - back].text : std::string();
    };
    const std::map<std::string, std::string> tables = tables_of(text, names);
    if (word_at(0) == "." && words.size() > 1) {
        const auto table = tables.find(word_at(1));
        if (table != tables.end()) {
            for (const std::string& column : names.columns.at(table->second)) candidates.push_back(quoted_name(column));
        } else {
            for (const auto& [name, columns] : names.columns) candidates.push_back(quoted_name(name));
        }
        return take(typed);
    }
    const bool upper = typed.empty() || (typed[0] >= 'A' && typed[0] <= 'Z');
    const auto add_words = [&](const auto& list) {
        for (const std::string_view word : list) {
            std::string out(word);
            if (upper)
                for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
            candidates.push_back(std::move(out));
        }
    };
    const std::string last = word_at(0);
    if (words.empty()) {
        add_words(k_beginnings);
    } else if (is_one_of(last, k_before_table) && !(last == "table" && word_at(1) == "create")) {
        add_tables();
        if (last == "update" && word_at(1) == "do") add_words(std::initializer_list<std::string_view>{"set"});
        if (last == "table" && words.size() > 1) add_words(std::initializer_list<std::string_view>{"if exists"});
    } else if (last == "create" || last == "drop" || last == "alter") {
        add_words(k_kinds);
        if (last == "create") add_words(std::initializer_list<std::string_view>{"unique", "temporary", "or replace"});
    } else if (last == "set" && words.size() == 1) {
        candidates = names.settings;
        add_words(std::initializer_list<std::string_view>{"transaction", "constraints", "local", "session"});
    } else if (last == "show" || last == "reset") {
        candidates = names.settings;
        add_words(std::initializer_list<std::string_view>{"all"});
    } else if (last == "view" || last == "on") {
        add_tables();
        for (const auto& [alias, table] : tables) candidates.push_back(quoted_name(alias) + ".");
    } else {
        for (const auto& [alias, table] : tables) {
            candidates.push_back(quoted_name(alias));
            for (const std::string& column : names.columns.at(table)) candidates.push_back(quoted_name(column));
        }
        for (const std::string& type : names.types) candidates.push_back(quoted_name(type));
        add_words(k_words);
    }
    return take(typed);
}

}  // namespace northstar_tool::shell
