// subprocess.hpp -- another program whose output is read, and whose input is written piece by piece.
#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace northstar_tool {

/// What an ended program said and how it ended.
struct Ended {
    int code = -1;       ///< 127: there is no such program; 128 + signal
    std::string output;  ///< standard output and standard error
};

/// Runs a program to its end, with nothing to read. A Failure if no process can be made.
Ended run_program(const std::vector<std::string>& words);

/// A running program. The one that reads must not wait for one that waits for it: write no more than a pipe holds
/// (k_pipe_bytes) before reading what it answers.
class Subprocess {
public:
    static constexpr std::size_t k_pipe_bytes = 32u << 10;

    explicit Subprocess(const std::vector<std::string>& words);
    Subprocess(const Subprocess&) = delete;
    Subprocess& operator=(const Subprocess&) = delete;
    /// Closes both ends and waits.
    ~Subprocess();

    void send(std::string_view text);
    /// Up to the delimiter, without it; nullopt at the end.
    std::optional<std::string> until(char delimiter);
    /// A Failure if the output ends before so many bytes.
    std::string exactly(std::size_t bytes);
    void skip(std::size_t bytes);
    /// The next byte, which stays; EOF at the end.
    int peek();

private:
    std::string name_;
    pid_t child_ = -1;
    int to_ = -1;
    std::FILE* from_ = nullptr;
};

}  // namespace northstar_tool
