// parser.hpp -- from SQL text to syntax trees: PostgreSQL's grammar, and the clauses about time.  Layer: sql.
//
// [PARSE-1] Text is accepted or refused whole: an error anywhere in a script is raised before any statement runs.
// [PARSE-2] Errors are 42601 with the byte offset plus one of the offending token, 54001 where nesting is too deep.
// Threads: any; nothing is shared.
#pragma once

#include "sql/arena.hpp"
#include "sql/syntax/statement.hpp"

#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// Statements of a script, in order; empty ones are left out. Trees view into `text` and `arena`. O(bytes).
std::vector<const syntax::Statement*> parse_script(std::string_view text, Arena& arena);
/// The same; literals know their place among those of the text (Expr::number).
std::vector<const syntax::Statement*> parse_numbered_script(std::string_view text, Arena& arena);

/// Exactly one expression, e.g. a column default kept in the catalog.
const syntax::Expr* parse_expression(std::string_view text, Arena& arena);
/// Exactly one query, e.g. of a view.
const syntax::Query* parse_query(std::string_view text, Arena& arena);
/// Exactly one type name, e.g. 'int4[]'.
const syntax::TypeName* parse_type_name(std::string_view text, Arena& arena);

/// The text with every unquoted or quoted identifier `from` spelled `to` (quoted where it must be); for expressions of
/// a single table, where a name that matches is the column.
std::string rename_identifier(std::string_view text, std::string_view from, std::string_view to);
/// The identifier as it must be written: in double quotes unless it is lower case and no keyword.
std::string quote_identifier(std::string_view name);
/// 'text' with quotes doubled; E'' where there are backslashes.
std::string quote_literal(std::string_view text);

}  // namespace northstar::inline v0::sql
