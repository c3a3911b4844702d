#include "sql/catalog/describe_object.hpp"

#include "sql/catalog/period.hpp"
#include "sql/syntax/parser.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace describe_object {

/// Does the first parenthesis of an expression end with it? Strings and names in quotes may hold others.
bool is_in_parentheses(std::string_view text) {
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') return false;
    int depth = 0;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != '\0') quote = c == quote ? '\0' : quote;
        else if (c == '\'' || c == '"') quote = c;
        else if (c == '(') ++depth;
        else if (c == ')' && --depth == 0 && i + 1 < text.size()) return false;
    }
    return depth == 0 && quote == '\0';
}

std::string column_list(const Relation& relation, const std::vector<int>& columns) {
    std::string text;
    for (const int column : columns) {
        if (!text.empty()) text += ", ";
        text += quote_identifier(relation.columns[static_cast<std::size_t>(column)].name);
    }
    return text;
}

std::string key_columns(const Relation& relation, const Index& index) {
    std::vector<int> columns;
    for (const IndexColumn& column : index.columns) columns.push_back(column.column);
    if (!index.without_overlaps) return column_list(relation, columns);
    columns.pop_back();
    const std::string list = column_list(relation, columns);
    if (relation.hidden_valid_time) return list;
    return list + ", " + quote_identifier(period_of_key(relation, index).name) + " WITHOUT OVERLAPS";
}

/// Columns of a foreign key on one of its sides; with PERIOD the last ones are the period of that table.
std::string foreign_columns(const Relation& relation, std::vector<int> columns, bool period) {
    if (!period) return column_list(relation, columns);
    const bool pair = columns.size() > 1 && columns.back() == relation.period_to;
    const std::string name =
        pair ? relation.period_name : relation.columns[static_cast<std::size_t>(columns.back())].name;
    columns.resize(columns.size() - (pair ? 2 : 1));
    return column_list(relation, columns) + ", PERIOD " + quote_identifier(name);
}

std::string deferral(bool deferrable, bool initially_deferred) {
    if (!deferrable) return "";
    return initially_deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
}

const char* action_words(ForeignAction action) {
    switch (action) {
        case ForeignAction::no_action: return "";
        case ForeignAction::restrict: return "RESTRICT";
        case ForeignAction::cascade: return "CASCADE";
        case ForeignAction::set_null: return "SET NULL";
        case ForeignAction::set_default: return "SET DEFAULT";
    }
    return "";
}

/// An expression of an index needs parentheses unless it is a call or has them already.
std::string in_parentheses(const std::string& text) {
    if (!text.empty() && text.front() == '(' && text.back() == ')') return text;
    const auto open = text.find('(');
    bool call = open != std::string::npos && open > 0 && text.back() == ')';
    for (std::size_t i = 0; call && i < open; ++i) {
        const char c = text[i];
        call = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    int depth = 0;
    for (std::size_t i = 0; call && i + 1 < text.size(); ++i) {
        depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
        if (i >= open && depth == 0) call = false;  // f(a) + g(b)
    }
    return call ? text : std::string("(") + text + ")";
}

}  // namespace describe_object

std::string order_of_index_column(const IndexColumn& column) {
    std::string text;
    if (column.order.descending) text += " DESC";
    if (column.order.descending != column.order.nulls_first)
        text += column.order.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    return text;
}

std::string index_column_definition(const Relation& relation, const Index& index, int number) {
    const auto at = static_cast<std::size_t>(number) - 1;
    if (number < 1 || at >= index.columns.size() + index.include.size()) return {};
    if (at >= index.columns.size())
        return quote_identifier(
            relation.columns[static_cast<std::size_t>(index.include[at - index.columns.size()])].name);
    const IndexColumn& column = index.columns[at];
    return column.column >= 0 ? quote_identifier(relation.columns[static_cast<std::size_t>(column.column)].name)
                              : describe_object::in_parentheses(column.text);
}

std::string index_definition(const Relation& relation, const Index& index) {
    std::string text = std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " +
                       quote_identifier(index.name) + (relation.is_partitioned() ? " ON ONLY " : " ON ") +
                       quote_identifier(relation.schema) + "." + quote_identifier(relation.name) + " USING " +
                       (index.method.empty() ? "btree" : index.method) + " (";
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        if (i > 0) text += ", ";
        text += index_column_definition(relation, index, static_cast<int>(i) + 1);
        text += order_of_index_column(index.columns[i]);
    }
    text += ")";
    if (!index.include.empty()) text += " INCLUDE (" + describe_object::column_list(relation, index.include) + ")";
    if (index.nulls_not_distinct) text += " NULLS NOT DISTINCT";
    if (!index.predicate.empty())
        text += " WHERE " + index_predicate(index);
    return text;
}

namespace describe_object {

std::string exclusion(const Relation& relation, const Index& index) {
    std::string text = "EXCLUDE USING " + index.method + " (";
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        const IndexColumn& column = index.columns[i];
        text += (i > 0 ? ", " : "") + index_column_definition(relation, index, static_cast<int>(i) + 1) +
                order_of_index_column(column) + " WITH " + column.operation;
    }
    text += ")";
    if (!index.include.empty()) text += " INCLUDE (" + column_list(relation, index.include) + ")";
    if (!index.predicate.empty()) text += " WHERE (" + in_parentheses(index.predicate) + ")";
    return text + deferral(index.deferrable, index.initially_deferred);
}

}  // namespace describe_object

std::string constraint_definition(const Relation& relation, const Index& index) {
    if (index.role == ConstraintRole::exclusion) return describe_object::exclusion(relation, index);
    std::string text = index.role == ConstraintRole::primary_key ? "PRIMARY KEY"
                       : index.nulls_not_distinct                ? "UNIQUE NULLS NOT DISTINCT"
                                                                 : "UNIQUE";
    text += " (" + describe_object::key_columns(relation, index) + ")";
    if (!index.include.empty()) text += " INCLUDE (" + describe_object::column_list(relation, index.include) + ")";
    return text + describe_object::deferral(index.deferrable, index.initially_deferred);
}

std::string constraint_definition(const TypeCatalog& names, const Catalog& catalog, const Relation& relation,
                                  const ForeignKey& foreign) {
    using namespace describe_object;
    std::string text = "FOREIGN KEY (" + foreign_columns(relation, foreign.columns, foreign.period) + ") REFERENCES ";
    if (const auto target = catalog.relation(foreign.table))
        text += names.object_name(type::regclass, foreign.table) + "(" +
                foreign_columns(*target, foreign.referenced, foreign.period) + ")";
    if (foreign.match_full) text += " MATCH FULL";
    if (foreign.on_update != ForeignAction::no_action)
        text += std::string(" ON UPDATE ") + action_words(foreign.on_update);
    if (foreign.on_delete != ForeignAction::no_action) {
        text += std::string(" ON DELETE ") + action_words(foreign.on_delete);
        if (!foreign.set_columns.empty()) text += " (" + column_list(relation, foreign.set_columns) + ")";
    }
    text += deferral(foreign.deferrable, foreign.initially_deferred);
    return foreign.validated ? text : text + " NOT VALID";
}

std::string index_predicate(const Index& index) {
    const std::string& text = index.predicate;
    const bool name = std::all_of(text.begin(), text.end(), [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    return name || describe_object::is_in_parentheses(text) ? text : "(" + text + ")";
}

std::string constraint_definition(const CheckConstraint& check) {
    const std::string text = describe_object::is_in_parentheses(check.text) ? check.text : "(" + check.text + ")";
    return "CHECK (" + text + ")" + (check.validated ? "" : " NOT VALID");
}

namespace describe_object {

bool is_number(std::string_view text) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (text.empty() || digits == 0) return false;
    if (digits == text.npos) return true;
    return text[digits] == '.' && text.find_first_not_of("0123456789", digits + 1) == text.npos;
}

std::string with_type(std::string_view literal, std::string_view type) {
    return std::string(literal).append("::").append(type);
}

std::string literal_type(const Catalog& catalog, Oid oid) {
    if (oid == type::bpchar) return "bpchar";
    if (oid == type::char_internal) return "\"char\"";
    const TypeInfo* const built_in = find_builtin_type(oid);
    return built_in != nullptr ? built_in->sql_name : catalog.object_name(type::regtype, oid);
}

/// A constant in quotes as a default of that type.
std::string quoted_default(const Catalog& catalog, std::string_view literal, Oid oid) {
    const std::string_view value = literal.substr(1, literal.size() - 2);
    switch (oid) {
        case type::boolean:
            if (value == "t" || value == "true" || value == "yes" || value == "on" || value == "1") return "true";
            if (value == "f" || value == "false" || value == "no" || value == "off" || value == "0") return "false";
            break;
        case type::int2:
        case type::int4:
            if (is_number(value)) return std::string(value);
            break;
        case type::numeric:  // without a point it would be read as an integer
            if (is_number(value) && value.find('.') != value.npos) return std::string(value);
            break;
        default: break;
    }
    return with_type(literal, literal_type(catalog, oid));
}

/// A default as PostgreSQL spells it: constants with their types. What is no constant stays as it was written.
std::string spelled_default(const Catalog& catalog, const Column& column) {
    const std::string_view text = column.default_text;
    std::string lower(text);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower == "null" && column.domain == 0)
        return column.typmod == k_no_typmod ? std::string()
                                            : with_type("NULL", literal_type(catalog, column.type));
    if (lower == "true" || lower == "false") return lower;
    const bool negative = text.front() == '-';
    if (is_number(text.substr(negative ? 1 : 0))) {
        const std::string_view digits = text.substr(negative ? 1 : 0);
        const bool whole = digits.find('.') == digits.npos;
        const auto at_most = [&](std::string_view largest) {
            return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
        };
        const std::string_view type = !whole || !at_most(negative ? "9223372036854775808" : "9223372036854775807")
                                          ? "numeric"
                                      : at_most(negative ? "2147483648" : "2147483647") ? "integer"
                                                                                        : "bigint";
        return negative || (whole && type != "integer") ? with_type("'" + lower + "'", type) : lower;
    }
    for (const std::string_view word : {"current_timestamp", "current_date", "current_time", "localtimestamp",
                                        "localtime", "current_user", "session_user"})
        if (lower == word) {
            for (char& c : lower) c = c == '_' ? c : static_cast<char>(c - 32);
            return lower;
        }
    // A type behind a constant is spelled in small letters.
    if (const std::size_t cast = text.rfind("::"); cast != text.npos && cast > 0) {
        const std::string_view type = text.substr(cast + 2);
        constexpr const char* k_plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ []";
        const bool plain = type.find_first_not_of(k_plain) == type.npos;
        const bool constant = text[cast - 1] == '\'' || lower.starts_with("array[]::");
        if (plain && constant) return column.default_text.substr(0, cast) + lower.substr(cast);
    }
    const bool quoted = text.size() >= 2 && text.front() == '\'' && text.back() == '\'';
    if (!quoted || column.domain != 0) return column.default_text;
    for (std::size_t i = 1; i + 1 < text.size(); ++i)
        if (text[i] == '\'' && (i + 2 >= text.size() || text[++i] != '\'')) return column.default_text;
    return quoted_default(catalog, text, column.type);
}

}  // namespace describe_object

std::string default_definition(const Catalog& catalog, const Column& column) {
    if (!column.generated_text.empty()) return column.generated_text;
    if (!column.default_text.empty()) return describe_object::spelled_default(catalog, column);
    if (column.sequence != 0 && column.identity == 0)
        return "nextval('" + catalog.object_name(type::regclass, column.sequence) + "'::regclass)";
    return {};
}

char action_letter(ForeignAction action) {
    switch (action) {
        case ForeignAction::no_action: return 'a';
        case ForeignAction::restrict: return 'r';
        case ForeignAction::cascade: return 'c';
        case ForeignAction::set_null: return 'n';
        case ForeignAction::set_default: return 'd';
    }
    return 'a';
}

}  // namespace northstar::inline v0::sql
