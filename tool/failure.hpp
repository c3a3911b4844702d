// failure.hpp -- how a command of the tool ends: its exit codes and the exceptions that carry them.
//
// Every failure is one sentence on standard error, "northstar: sentence", and one of these exit codes. The codes are
// part of the tool's interface: `northstar help exit-codes` and spec/tool.md list them, and they never change meaning.
#pragma once

#include <stdexcept>
#include <string>

#include "northstar.hpp"

namespace northstar_tool {

enum ExitCode : int {
    k_exit_ok = 0,
    k_exit_negative = 1,       ///< the answer is no: key absent, states differ, condition not met
    k_exit_usage = 2,          ///< the command line makes no sense
    k_exit_damage = 3,         ///< the file is damaged, or is not a database this version reads
    k_exit_system = 4,         ///< the operating system or the file system says no
    k_exit_busy = 5,           ///< somebody else is in the way; trying again may help
    k_exit_bad_input = 6,      ///< the data to import is malformed
    k_exit_unknown = 7,        ///< a commit may or may not have happened
    k_exit_not_retained = 8,   ///< the asked-for past or future point does not exist
    k_exit_internal = 9,       ///< a defect of the tool, or no memory
    k_exit_interrupted = 130,  ///< ended by Ctrl-C
};

/// A sentence for the user and the exit code that goes with it.
class Failure : public std::runtime_error {
public:
    Failure(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
    ExitCode code() const noexcept { return code_; }

private:
    ExitCode code_;
};

/// The command line makes no sense.
class UsageError : public Failure {
public:
    explicit UsageError(const std::string& sentence) : Failure(k_exit_usage, sentence) {}
};

/// Whoever reads our output has gone; the process ends as if by SIGPIPE, after closing the database.
class BrokenPipe {};

/// Ctrl-C or SIGTERM arrived at a place where nothing is half done.
class Interrupted {};

/// Exit code that stands for an error of the library.
ExitCode exit_code_of(northstar::Errc code) noexcept;

}  // namespace northstar_tool
