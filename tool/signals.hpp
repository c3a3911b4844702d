// signals.hpp -- Ctrl-C and SIGTERM as a flag that long-running commands look at where nothing is half done.
#pragma once

namespace northstar_tool {

/// From now on SIGINT, SIGTERM and SIGHUP set the flag instead of ending the process.
void catch_interrupts();
bool interrupted() noexcept;

/// SIGPIPE is ignored while the tool works (writes then fail with EPIPE) and put back for the end.
void ignore_broken_pipes();
/// Ends the process as SIGPIPE would have.
[[noreturn]] void end_by_broken_pipe();

}  // namespace northstar_tool
