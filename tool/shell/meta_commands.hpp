// meta_commands.hpp -- the commands of the shell: psql's backslash commands, sqlite3's dot commands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar_tool::shell {

class Shell;

/// What stands behind a command, for completion.
enum class CommandArgument : std::uint8_t { none, text, file, mode, relation };

struct MetaCommand {
    std::string_view name;   ///< with its backslash or dot
    std::string_view usage;  ///< what follows it
    std::string_view help;   ///< empty: a second name, which help leaves out
    CommandArgument argument = CommandArgument::none;
    void (*run)(Shell& shell, const std::vector<std::string>& words, std::string_view rest);
    /// Behind the name with a +, which asks for more; nullptr: the same.
    void (*run_more)(Shell& shell, const std::vector<std::string>& words, std::string_view rest) = nullptr;
};

const std::vector<MetaCommand>& meta_commands();
std::vector<std::string> names_of_commands();
CommandArgument argument_of(std::string_view command);

/// Runs "\name words" or ".name words"; throws Failure or SqlFailure.
void run_meta_command(Shell& shell, std::string_view line);

/// Words of a command line: quotes hold blanks together and are taken off, and variables are replaced.
std::vector<std::string> command_words(const Shell& shell, std::string_view text);

// Groups of commands, one file each.
std::vector<MetaCommand> describe_commands();  ///< \d and its kin, .tables, .schema
std::vector<MetaCommand> transfer_meta_commands();  ///< \copy, .import, .dump
/// Syntax of a statement for \h; empty: no such statement.
std::string statement_help(std::string_view topic);

}  // namespace northstar_tool::shell
