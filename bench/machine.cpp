#include "machine.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace bench {
namespace machine_impl {

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("model name")) continue;
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos) return line.substr(colon + 2);
    }
    return "unknown";
}

std::string file_system(const std::string& directory) {
    struct statfs info {};
    if (::statfs(directory.c_str(), &info) != 0) return "unknown";
    switch (static_cast<std::uint64_t>(info.f_type) & 0xffffffffu) {
        case 0xef53: return "ext4";
        case 0x58465342: return "xfs";
        case 0x9123683e: return "btrfs";
        case 0x01021994: return "tmpfs";
        case 0x858458f6: return "ramfs";
        case 0x794c7630: return "overlayfs";
        case 0x2fc12fc1: return "zfs";
        default: return "other";
    }
}

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace machine_impl

Json describe_machine(const std::string& directory) {
    Json machine = Json::object();
    machine.set("processor", machine_impl::processor());
    machine.set("processors", static_cast<std::uint64_t>(std::thread::hardware_concurrency()));
    struct sysinfo memory {};
    ::sysinfo(&memory);
    machine.set("memory_mib", static_cast<std::uint64_t>(memory.totalram) * memory.mem_unit / (1u << 20));
    utsname system{};
    ::uname(&system);
    machine.set("system", std::string(system.sysname) + " " + system.release + " " + system.machine);
    machine.set("file_system", machine_impl::file_system(directory));
#if defined(__clang__)
    machine.set("compiler", "clang " __clang_version__);
#else
    machine.set("compiler", "g++ " __VERSION__);
#endif
#if defined(__OPTIMIZE__) && defined(NDEBUG)
    machine.set("build", "release");
#elif defined(__OPTIMIZE__)
    machine.set("build", "optimised, with debug checks");
#else
    machine.set("build", "not optimised: numbers mean nothing");
#endif
    double load[1] = {0};
    if (::getloadavg(load, 1) == 1) machine.set("load_at_start", load[0]);
    return machine;
}

Scratch::Scratch(const std::string& parent) {
    std::filesystem::create_directories(parent);
    const std::string type = machine_impl::file_system(parent);
    if (type == "tmpfs" || type == "ramfs") {
        throw std::runtime_error(parent + " is on " + type +
                                 ", where flushes cost nothing: give --dir a real disk");
    }
    path_ = parent + "/run-" + std::to_string(::getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
}

Scratch::~Scratch() {
    std::error_code ignored;  // a destructor has nobody to tell; the directory is named in the documentation
    std::filesystem::remove_all(path_, ignored);
}

void remove_database(const std::string& path) {
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-shared");
}

std::uint64_t directory_bytes(const std::string& directory) {
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
}

Child::Child(const std::vector<std::string>& arguments) {
    int to_child[2];
    int from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0) machine_impl::fail("pipe");
    if (::pipe2(from_child, O_CLOEXEC) != 0) machine_impl::fail("pipe");
    std::vector<std::string> words{"northstar-bench"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
    const int code = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(to_child[0]);
    ::close(from_child[1]);
    input_ = to_child[1];
    output_ = from_child[0];
    if (code != 0) {
        pid_ = -1;
        errno = code;
        machine_impl::fail("start a child process");
    }
}

Child::~Child() {
    kill();
    ::close(input_);
    ::close(output_);
}

std::string Child::read_line() {
    std::string line;
    for (;;) {
        char c = 0;
        const ssize_t got = ::read(output_, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw std::runtime_error("a child process ended before it was ready");
        if (c == '\n') return line;
        line += c;
    }
}

void Child::go() {
    const char byte = 'g';
    while (::write(input_, &byte, 1) != 1) {
        if (errno != EINTR) machine_impl::fail("write to a child process");
    }
}

void Child::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
}

void Child::finish() {
    ::close(input_);
    input_ = -1;
    while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
}

void wait_for_parent() {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) {}
}

}  // namespace bench
