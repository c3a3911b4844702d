// command.hpp -- subcommands of northstar-bench and their options.
//
// A source file that defines a subcommand registers it; leaving the file out of the link leaves the command
// out of the program, which is how missing optional libraries are handled.
#pragma once

#include <cstdint>
#include <functional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// A mistake in how the program was called: one sentence for the user, exit code 2.
class UsageError {
public:
    explicit UsageError(std::string message) : message_(std::move(message)) {}
    const std::string& message() const noexcept { return message_; }

private:
    std::string message_;
};

/// Options of the form --name VALUE (or --name=VALUE), and the words between them.
class Arguments {
public:
    /// Throws UsageError for an option that is not in allowed.
    Arguments(const std::vector<std::string>& words, const std::vector<std::string_view>& allowed);
    std::string text(std::string_view name, std::string_view otherwise) const;
    std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
    double real(std::string_view name, double otherwise) const;
    const std::vector<std::string>& words() const noexcept { return words_; }

private:
    const std::string* find(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> options_;
    std::vector<std::string> words_;
};

/// A regular expression that a user wrote; UsageError where it is none.
std::regex regular_expression(const std::string& text);

struct Command {
    std::string name;
    std::string usage;  ///< arguments and one sentence; empty: not shown
    std::function<int(const std::vector<std::string>&)> run;
};

std::vector<Command>& command_registry();

struct RegisterCommand {
    RegisterCommand(std::string name, std::string usage,
                    std::function<int(const std::vector<std::string>&)> run) {
        command_registry().push_back({std::move(name), std::move(usage), std::move(run)});
    }
};

/// True once the user asked to stop; long loops look at it and end by throwing Interrupted.
bool stop_requested() noexcept;
class Interrupted {};

/// One line on standard error that replaces the last one, only if that is a terminal.
void show_progress(std::string_view line);

}  // namespace bench
