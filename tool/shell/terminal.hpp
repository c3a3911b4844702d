// terminal.hpp -- the terminal under the line editor: raw while a line is edited, and put back whatever happens.
//
// [TERMINAL-1] The modes of before are restored when the guard ends, when the process is stopped (SIGTSTP) and when a
//              signal kills it; after SIGCONT they are raw again and the line is drawn anew.
// [TERMINAL-2] While raw, Ctrl-C and Ctrl-Z are bytes like any other. While not, Ctrl-C is SIGINT: a flag, and whoever
//              is named by cancel_on_interrupt() is told to stop.
// One terminal per process: signal handlers have no other way to find it.
#pragma once

#include <cstddef>
#include <string_view>

namespace northstar {
inline namespace v0 {
class SqlConnection;
}
}  // namespace northstar

namespace northstar_tool::shell {

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

/// 80 columns and 24 rows where it does not say.
TerminalSize terminal_size(int descriptor);

/// Where the decoder of keys gets its bytes.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    static constexpr int k_nothing = -1;      ///< none came within the time
    static constexpr int k_end = -2;          ///< there will be none any more
    static constexpr int k_interrupted = -3;  ///< a signal came: another size, or the process goes on
    /// The next byte; waits `timeout_ms`, for ever if that is negative.
    virtual int next(int timeout_ms) = 0;
};

class Terminal final : public ByteSource {
public:
    Terminal(int input, int output);
    ~Terminal() override;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    int next(int timeout_ms) override;
    void write(std::string_view text);
    TerminalSize size() const { return terminal_size(output_); }
    /// Stops the process as Ctrl-Z does, and returns when it goes on.
    void suspend();

    /// Raw as long as it lives; nothing where the terminal refuses.
    class Raw {
    public:
        explicit Raw(Terminal& terminal);
        ~Raw();
        Raw(const Raw&) = delete;
        Raw& operator=(const Raw&) = delete;

    private:
        Terminal& terminal_;
    };

private:
    int input_;
    int output_;
    char buffer_[256];
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// From now on SIGINT cancels what runs on the connection (nullptr: nothing) instead of ending the process, and SIGTERM
/// and SIGHUP do so and ask the shell to end.
void cancel_on_interrupt(northstar::SqlConnection* connection) noexcept;
/// Ctrl-C came since the last call.
bool take_interrupt() noexcept;
/// SIGTERM or SIGHUP came.
bool end_is_asked() noexcept;

}  // namespace northstar_tool::shell
