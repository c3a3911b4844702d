// sql: statements from the command line, a file or standard input; results as lines or JSON
#ifndef NORTHSTAR_OMIT_SQL
#include "commands.hpp"
#include "input.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"

#include <cstdio>

namespace northstar_tool {
namespace sql_impl {

using northstar::SqlResult;
using northstar::SqlValue;

void print_lines(const SqlResult& result, Output& output) {
    if (!result.has_rows) {
        output.line(result.tag);
        return;
    }
    std::vector<std::size_t> widths;
    for (const auto& column : result.columns) widths.push_back(column.name.size());
    for (const auto& row : result.rows)
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c] ? row[c]->size() : 0);
    const auto line = [&](auto&& cell) {
        std::string text;
        for (std::size_t c = 0; c < widths.size(); ++c) {
            if (c > 0) text += " | ";
            std::string value = cell(c);
            value.resize(std::max(value.size(), widths[c]), ' ');
            text += value;
        }
        while (!text.empty() && text.back() == ' ') text.pop_back();
        output.line(text);
    };
    line([&](std::size_t c) { return result.columns[c].name; });
    std::string rule;
    for (std::size_t c = 0; c < widths.size(); ++c) rule += (c > 0 ? "-+-" : "") + std::string(widths[c], '-');
    output.line(rule);
    for (const auto& row : result.rows) line([&](std::size_t c) { return row[c].value_or(""); });
    output.line("(" + std::to_string(result.rows.size()) + (result.rows.size() == 1 ? " row)" : " rows)"));
}

void print_json(const SqlResult& result, Output& output) {
    for (const auto& row : result.rows) {
        std::string text = "{";
        for (std::size_t c = 0; c < row.size(); ++c) {
            if (c > 0) text += ",";
            json::append_string(text, result.columns[c].name);
            text += ':';
            if (row[c]) json::append_string(text, *row[c]);
            else text += "null";
        }
        output.line(text + "}");
    }
}

std::string read_all(const std::string& name) {
    std::FILE* file = name == "-" ? stdin : std::fopen(name.c_str(), "rb");
    if (file == nullptr) throw Failure(k_exit_system, name + " cannot be read");
    std::string text;
    char buffer[65536];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
    const bool failed = std::ferror(file) != 0;
    if (file != stdin) std::fclose(file);
    if (failed) throw Failure(k_exit_system, name + " cannot be read");
    return text;
}

int run_sql(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(0), arguments, true);
    northstar::SqlConnection connection(database);
    std::vector<std::string> scripts = arguments.values("command");
    for (const std::string& file : arguments.values("file")) scripts.push_back(read_all(file));
    if (scripts.empty()) scripts.push_back(read_all("-"));
    try {
        if (const auto point = arguments.value("as-of"))
            connection.execute("SELECT set_config('northstar.as_of', $1, false)", {SqlValue(*point)});
        for (const std::string& script : scripts)
            for (const SqlResult& result : connection.execute_script(script)) {
                for (const std::string& notice : result.notices) std::fprintf(stderr, "NOTICE: %s\n", notice.c_str());
                if (arguments.has("json")) print_json(result, output);
                else print_lines(result, output);
            }
    } catch (const northstar::SqlFailure& failure) {
        std::string text = std::string(failure.what()) + " (" + failure.sqlstate + ")";
        if (failure.position > 0) text += " at character " + std::to_string(failure.position);
        if (!failure.detail.empty()) text += "\n  " + failure.detail;
        if (!failure.hint.empty()) text += "\n  " + failure.hint;
        throw Failure(k_exit_bad_input, text);
    }
    return k_exit_ok;
}

}  // namespace sql_impl

std::vector<Command> sql_commands() {
    return {
        {.name = "sql",
         .group = k_group_entries,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "run SQL statements",
         .description = "Statements come from -c, from files (-f), or from standard input. A script stops at the first "
                        "statement that fails; statements outside BEGIN and COMMIT are committed one by one.",
         .options = {{"command", 'c', "SQL", "statements to run; may be repeated", true},
                     {"file", 'f', "FILE", "a file of statements (-: standard input); may be repeated", true},
                     {"as-of", 0, "POINT", "read the state after a commit, or at a time"},
                     {"json", 0, "", "each row as a line of JSON"}},
         .examples = {"northstar sql app.db -c \"SELECT 1 + 1\"", "northstar sql app.db -f schema.sql"},
         .run = sql_impl::run_sql},
    };
}

}  // namespace northstar_tool
#endif
