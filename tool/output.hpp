// output.hpp -- buffered writing to standard output or a file, colours for terminals, and progress on standard error.
//
// [OUTPUT-1] Nothing written is lost silently: a failed write is a Failure, a reader that left is a BrokenPipe.
// [OUTPUT-2] Escape sequences go to a terminal only, and never when NO_COLOR is set.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace northstar_tool {

enum class Colour { plain, red, green, yellow, blue, faint, bold };

class Output {
public:
    /// Writes to an open descriptor, which stays the caller's. name is for messages.
    Output(int descriptor, std::string name);
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    void write(std::string_view text);
    void line(std::string_view text);
    void flush();
    bool terminal() const noexcept { return terminal_; }
    /// Looks whether the reader of a pipe has left, for commands that wait long before they write: a BrokenPipe then.
    void check_reader() const;
    /// The text in that colour, or as it is where colours do not belong.
    std::string paint(Colour colour, std::string_view text) const;

private:
    int descriptor_;
    std::string name_;
    bool terminal_;
    bool coloured_;
    std::string buffer_;
};

/// Writes a new file under a temporary name beside it; it gets its own name when finish() is called, and is removed if
/// that does not happen.
class NewFile {
public:
    /// replace = false: a Failure if the file exists.
    NewFile(std::string path, bool replace);
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();
    int descriptor() const noexcept { return descriptor_; }
    void finish();

private:
    std::string path_;
    std::string temporary_;
    int descriptor_ = -1;
    bool replace_;
};

/// One line on standard error that is written over again, if standard error is a terminal; otherwise nothing.
class Progress {
public:
    explicit Progress(bool wanted);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// True now and then: time to call show().
    bool due();
    void show(const std::string& text);
    void clear();
    double seconds() const;

private:
    bool active_;
    bool shown_ = false;
    unsigned calls_ = 0;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point last_;
};

/// A line on standard error.
void notice(const std::string& text);

}  // namespace northstar_tool
