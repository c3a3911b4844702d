// names.hpp -- what TAB knows: words of the language, and the tables, columns and schemas of the database.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "line_editor.hpp"

namespace northstar_tool::shell {

/// The objects of the database by name, as one moment sees them.
struct KnownNames {
    std::map<std::string, std::vector<std::string>> columns;  ///< by table or view
    std::vector<std::string> schemas;
    std::vector<std::string> types;
    std::vector<std::string> settings;
};

/// Words that may stand where the cursor is: behind FROM a table, behind "table." its columns, behind a backslash a
/// command, and so on. Keywords come in the case in which they are typed.
Completions complete_sql(std::string_view text, std::size_t cursor, const KnownNames& names);

/// Whether the language knows the word; for colouring.
bool is_keyword(std::string_view lower_case_word);
/// As it must be written in SQL: in double quotes where it must.
std::string quoted_name(std::string_view name);

}  // namespace northstar_tool::shell
