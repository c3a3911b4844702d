// The command-line tool `northstar`: finds the command, runs it, and turns whatever went wrong into one sentence on
// standard error and an exit code (failure.hpp).
#include <algorithm>
#include <cstdio>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "arguments.hpp"
#include "failure.hpp"
#include "northstar.hpp"
#include "output.hpp"
#include "signals.hpp"

namespace northstar_tool {
namespace main_impl {

int complain(std::string_view sentence, int code) {
    // One line whatever a file name or a library's message holds.
    std::string line = "northstar: ";
    for (const char c : sentence) line += c == '\n' || c == '\r' || c == '\x1b' ? ' ' : c;
    line += '\n';
    std::fflush(stderr);
    for (std::string_view rest = line; !rest.empty();) {
        const ssize_t wrote = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (wrote <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return code;
}

const Command& command_named(std::string_view name) {
    if (const Command* const command = find_command(name)) return *command;
    std::vector<std::string_view> names;
    for (const Command& command : all_commands()) names.push_back(command.name);
    const std::string_view close = suggestion(name, names);
    throw UsageError("there is no command '" + printable(name) + "'" +
                     (close.empty() ? "; northstar help lists them" : "; did you mean " + std::string(close) + "?"));
}

/// "northstar app.db" opens the shell: a word that is no command, and looks like a file or is one.
bool names_database(std::string_view word) {
#ifdef NORTHSTAR_OMIT_SQL
    static_cast<void>(word);
    return false;
#else
    if (word.empty() || word[0] == '-' || find_command(word) != nullptr) return false;
    return word.find_first_of("./:") != std::string_view::npos || ::access(std::string(word).c_str(), F_OK) == 0;
#endif
}

int run(std::span<const std::string_view> words, Output& output) {
    std::string_view name = words.empty() ? "help" : words[0];
    std::vector<std::string_view> with_command;
    if (!words.empty() && names_database(name)) {
        with_command = {"sql"};
        with_command.insert(with_command.end(), words.begin(), words.end());
        words = with_command;
        name = "sql";
    }
    if (name == "--help" || name == "-h") name = "help";
    if (name == "--version" || name == "-V") name = "version";
    const Command& command = command_named(name);
    std::span<const std::string_view> rest = words.empty() ? words : words.subspan(1);
    const Command* what = &command;
    const std::string_view topic[] = {command.name};
    const auto options_end = std::find(rest.begin(), rest.end(), "--");
    const auto asks = [](std::string_view word) { return word == "--help" || word == "-h"; };
    if (!command.raw && std::find_if(rest.begin(), options_end, asks) != options_end) {
        what = find_command("help");
        rest = topic;
    }
    const int code = what->run(Arguments(*what, rest), output);
    output.flush();
    if (words.empty()) return k_exit_usage;
    return code;
}

/// Runs and flushes even when the command failed half-way, so that what was printed before comes first.
int guarded(std::span<const std::string_view> words) {
    Output output(STDOUT_FILENO, "standard output");
    try {
        try {
            return run(words, output);
        } catch (const BrokenPipe&) {
            throw;
        } catch (...) {
            output.flush();
            throw;
        }
    } catch (const Failure& failure) {
        return complain(failure.what(), failure.code());
    } catch (const northstar::Error& error) {
        return complain(error.what(), exit_code_of(error.code()));
    } catch (const Interrupted&) {
        return complain("interrupted", k_exit_interrupted);
    } catch (const std::bad_alloc&) {
        return complain("not enough memory", k_exit_internal);
    } catch (const std::exception& error) {
        return complain("internal error: " + std::string(error.what()), k_exit_internal);
    }
}

}  // namespace main_impl
}  // namespace northstar_tool

int main(int count, char** words) {
    northstar_tool::ignore_broken_pipes();
    std::vector<std::string_view> all;
    for (int i = 1; i < count; ++i) all.emplace_back(words[i]);
    try {
        return northstar_tool::main_impl::guarded(all);
    } catch (const northstar_tool::BrokenPipe&) {
        northstar_tool::end_by_broken_pipe();
    }
}
