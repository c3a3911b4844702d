// thread_state.hpp -- what a thread of this process does, as the system sees it.
#pragma once

#include <fstream>
#include <string>

#include <sys/syscall.h>
#include <unistd.h>

namespace txn_test {

inline long this_thread() { return ::syscall(SYS_gettid); }

/// 'R' it runs, 'S' it sleeps ...
inline char state_of(long thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t at = text.rfind(") ");
    return at == std::string::npos ? '?' : text[at + 2];
}

/// How often it went to sleep by itself.
inline long switches_of(long thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/status");
    const std::string key = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) return std::stol(line.substr(key.size()));
    }
    return -1;
}

}  // namespace txn_test
