// sql: the shell for SQL: statements from the command line, files, standard input or a person at a terminal.
#ifndef NORTHSTAR_OMIT_SQL
#include <unistd.h>

#include "commands.hpp"
#include "input.hpp"
#include "output.hpp"
#include "session.hpp"
#include "shell/meta_commands.hpp"
#include "shell/shell.hpp"

namespace northstar_tool {
namespace sql_impl {

constexpr std::uint64_t k_script_limit = std::uint64_t{1} << 31;

/// Standard input line by line, so that a program on the other side of a pipe gets its answers.
void run_standard_input(shell::Shell& shell, Output& output) {
    LineSource source("-", k_script_limit);
    for (std::string_view line; !shell.quit_is_asked();) {
        const LineSource::Result result = source.next(line);
        if (result == LineSource::Result::end) break;
        if (result == LineSource::Result::too_long) throw Failure(k_exit_bad_input, "a line is too long");
        shell.feed(line, {});
        output.flush();
    }
    shell.finish({});
}

int run_sql(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(0), arguments, true);
    const std::vector<std::string> commands = arguments.values("command");
    const std::vector<std::string> files = arguments.values("file");
    const bool asks = commands.empty() && files.empty();
    const char* const kind = std::getenv("TERM");
    shell::ShellOptions options;
    options.interactive = asks && ::isatty(STDIN_FILENO) == 1 && output.terminal() && kind != nullptr &&
                          std::string_view(kind) != "dumb";
    options.echo_tags = !arguments.has("quiet");
    if (arguments.has("json")) {
        options.print.mode = shell::PrintMode::jsonl;
        options.echo_tags = false;
    }
    if (const auto mode = arguments.value("mode")) options.print.mode = *shell::print_mode_of(*mode);
    shell::Shell shell(database, output, options);
    for (const auto& [name, value] : arguments.pairs("set")) shell.variables()[name] = value;
    if (arguments.value("as-of")) shell::run_meta_command(shell, "\\asof " + *arguments.value("as-of"));
    for (const std::string& command : commands) {
        if (shell.quit_is_asked()) break;
        shell.run_together(command);
    }
    for (const std::string& file : files) {
        if (shell.quit_is_asked()) break;
        if (file == "-") {
            run_standard_input(shell, output);
            continue;
        }
        shell.feed(read_whole(file, k_script_limit), file);
        shell.finish(file);
    }
    if (options.interactive) shell.run_terminal();
    else if (asks) run_standard_input(shell, output);
    shell.redirect({});
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
         .summary = "run SQL statements, or open a shell for them",
         .description = "Statements come from -c, from files (-f), from standard input, or from a person: at a "
                        "terminal a shell opens, in which \\? lists the commands. \"northstar app.db\" is short for "
                        "\"northstar sql app.db\". A script stops at the first statement that fails (exit code 6) "
                        "unless --set ON_ERROR_STOP=off. The statements of one -c are one transaction; those of files "
                        "and standard input outside of BEGIN and COMMIT are committed one by one. A database that does "
                        "not exist is made.",
         .options = {{"command", 'c', "SQL", "statements or commands of the shell to run; may be repeated", true},
                     {"file", 'f', "FILE", "a file of them (-: standard input); may be repeated", true},
                     {"as-of", 'a', "POINT", "read the state of that moment (northstar help points)"},
                     {"mode", 'm', "MODE", "how rows are shown", false, shell::k_print_modes},
                     {"json", 'j', "", "each row as a line of JSON, and nothing else"},
                     {"set", 0, "NAME=VALUE", "a variable of the shell; may be repeated", true},
                     k_option_quiet,
                     k_option_exclusive,
                     k_option_pread},
         .examples = {"northstar app.db", "northstar sql app.db -c \"SELECT 1 + 1\"",
                      "northstar sql app.db -f schema.sql",
                      "northstar sql app.db -m csv -c \"TABLE users\" > users.csv",
                      "northstar sql app.db --as-of 2h-ago -c \"SELECT count(*) FROM orders\""},
         .run = sql_impl::run_sql},
    };
}

}  // namespace northstar_tool
#endif
