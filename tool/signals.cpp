#include "signals.hpp"

#include <csignal>
#include <cstdlib>

#include <signal.h>

namespace northstar_tool {
namespace signals_impl {

volatile std::sig_atomic_t raised = 0;

void remember(int) { raised = 1; }

void install(int signal_number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    // No SA_RESTART: a read that waits for input must return so that the flag is seen.
    action.sa_flags = 0;
    sigaction(signal_number, &action, nullptr);
}

}  // namespace signals_impl

void catch_interrupts() {
    signals_impl::install(SIGINT, signals_impl::remember);
    signals_impl::install(SIGTERM, signals_impl::remember);
    signals_impl::install(SIGHUP, signals_impl::remember);
}

bool interrupted() noexcept { return signals_impl::raised != 0; }

void ignore_broken_pipes() { signals_impl::install(SIGPIPE, SIG_IGN); }

void end_by_broken_pipe() {
    signals_impl::install(SIGPIPE, SIG_DFL);
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &pipe_signal, nullptr);
    std::raise(SIGPIPE);
    std::_Exit(128 + SIGPIPE);
}

}  // namespace northstar_tool
