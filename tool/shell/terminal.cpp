#include "terminal.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "northstar.hpp"

namespace northstar_tool::shell {
namespace terminal_impl {

// Pasted text comes between two marks, so that its line feeds do not run it.
constexpr std::string_view k_paste_on = "\x1b[?2004h";
constexpr std::string_view k_paste_off = "\x1b[?2004l";
constexpr int k_look_again_ms = 1000;

// What handlers of signals may look at.
struct termios saved_modes;
struct termios raw_modes;
volatile std::sig_atomic_t raw_descriptor = -1;  ///< -1: not raw
volatile std::sig_atomic_t output_descriptor = -1;
volatile std::sig_atomic_t redraw = 0;
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t ended = 0;
std::atomic<northstar::SqlConnection*> running{nullptr};

void put(std::string_view text) noexcept {
    const int kept = errno;
    if (output_descriptor >= 0 && ::write(output_descriptor, text.data(), text.size()) < 0) {
        // Nothing can be done about it here; the modes are restored all the same.
    }
    errno = kept;
}

void restore() noexcept {
    if (raw_descriptor < 0) return;
    put(k_paste_off);
    ::tcsetattr(raw_descriptor, TCSANOW, &saved_modes);
}

void set_action(int number, void (*handler)(int), int flags) noexcept {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    action.sa_flags = flags;
    ::sigaction(number, &action, nullptr);
}

/// Ends the process as the signal would have, with the terminal as it was.
void on_fatal(int number) {
    restore();
    set_action(number, SIG_DFL, 0);
    ::raise(number);
}

void on_stop(int number) {
    const int kept = errno;
    restore();
    set_action(number, SIG_DFL, 0);
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, number);
    ::raise(number);
    ::sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);  // it stops here, and goes on here
    set_action(number, on_stop, 0);
    if (raw_descriptor >= 0) {
        ::tcsetattr(raw_descriptor, TCSANOW, &raw_modes);
        put(k_paste_on);
    }
    redraw = 1;
    errno = kept;
}

void on_resize(int) { redraw = 1; }

void on_interrupt(int number) {
    if (number == SIGINT) interrupted = 1;
    else ended = 1;
    if (northstar::SqlConnection* const connection = running.load()) connection->cancel();
}

void install() {
    for (const int number : {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) set_action(number, on_fatal, 0);
    set_action(SIGTSTP, on_stop, 0);
    set_action(SIGWINCH, on_resize, 0);
}

}  // namespace terminal_impl

Terminal::Terminal(int input, int output) : input_(input), output_(output) {
    terminal_impl::output_descriptor = output;
    terminal_impl::install();
}

Terminal::~Terminal() { terminal_impl::output_descriptor = -1; }

int Terminal::next(int timeout_ms) {
    using namespace terminal_impl;
    if (begin_ < end_) return static_cast<unsigned char>(buffer_[begin_++]);
    for (;;) {
        if (ended != 0) return k_end;
        if (redraw != 0) {
            redraw = 0;
            return k_interrupted;
        }
        struct pollfd ready {
            input_, POLLIN, 0
        };
        // A signal between the look and the wait would not end the wait: look again now and then.
        const int found = ::poll(&ready, 1, timeout_ms < 0 ? k_look_again_ms : timeout_ms);
        if (found == 0 && timeout_ms < 0) continue;
        if (found == 0) return k_nothing;
        if (found < 0) {
            if (errno == EINTR) continue;
            return k_end;
        }
        const ssize_t got = ::read(input_, buffer_, sizeof buffer_);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return k_end;
        begin_ = 1;
        end_ = static_cast<std::size_t>(got);
        return static_cast<unsigned char>(buffer_[0]);
    }
}

void Terminal::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(output_, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return;  // the next read finds the end
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

TerminalSize terminal_size(int descriptor) {
    struct winsize size {};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
    return {size.ws_col, size.ws_row};
}

void Terminal::suspend() { ::kill(0, SIGTSTP); }

Terminal::Raw::Raw(Terminal& terminal) : terminal_(terminal) {
    using namespace terminal_impl;
    if (::tcgetattr(terminal.input_, &saved_modes) != 0) return;
    raw_modes = saved_modes;
    raw_modes.c_iflag &= static_cast<tcflag_t>(~(BRKINT | ICRNL | INPCK | ISTRIP | IXON));
    raw_modes.c_cflag |= CS8;
    raw_modes.c_lflag &= static_cast<tcflag_t>(~(ECHO | ICANON | IEXTEN | ISIG));
    raw_modes.c_cc[VMIN] = 1;
    raw_modes.c_cc[VTIME] = 0;
    if (::tcsetattr(terminal.input_, TCSADRAIN, &raw_modes) != 0) return;
    raw_descriptor = terminal.input_;
    put(k_paste_on);
}

Terminal::Raw::~Raw() {
    using namespace terminal_impl;
    if (raw_descriptor < 0) return;
    put(k_paste_off);
    ::tcsetattr(terminal_.input_, TCSADRAIN, &saved_modes);
    raw_descriptor = -1;
}

void cancel_on_interrupt(northstar::SqlConnection* connection) noexcept {
    using namespace terminal_impl;
    running.store(connection);
    // No SA_RESTART: what waits for input must return.
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) set_action(number, on_interrupt, 0);
}

bool take_interrupt() noexcept {
    const bool came = terminal_impl::interrupted != 0;
    terminal_impl::interrupted = 0;
    return came;
}

bool end_is_asked() noexcept { return terminal_impl::ended != 0; }

}  // namespace northstar_tool::shell
