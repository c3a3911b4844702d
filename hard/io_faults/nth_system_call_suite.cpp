// nth_system_call_suite.cpp -- every system call of the OS layer fails in turn: what failed says so, nothing is lost,
// no descriptor stays open.
//
// The linker puts the functions below in the place of the C library's (--wrap). A fixed script is run once to see which
// calls the library makes; then once for each of them and each error that the call may report.
//
//   nth_system_call_suite             every call (there is no chance in it)
//   nth_system_call_suite N ERROR     call N with one error, as a failure's line names them
#include "hard/io_faults/script.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

enum class Kind : std::uint8_t {
    open, read, write, sync, begin_sync, truncate, allocate, lock, map, status, name, random, other
};
constexpr std::size_t k_kinds = 13;
constexpr const char* k_kind_names[k_kinds] = {"open", "read", "write",  "sync", "begin_sync", "truncate", "allocate",
                                               "lock", "map",  "status", "name", "random",     "other"};

/// Errors that a call of a kind may report. EINTR is nobody's business: the call is made again.
std::vector<int> errors_of(Kind kind) {
    switch (kind) {
        case Kind::open: return {EIO, EINTR, EMFILE, ENOSPC};
        case Kind::read: return {EIO, EINTR};
        case Kind::write: return {EIO, EINTR, ENOSPC};
        case Kind::sync: return {EIO, EINTR, ENOSPC};
        case Kind::begin_sync: return {EIO, ENOSYS};
        case Kind::truncate: return {EIO, EINTR, ENOSPC};
        case Kind::allocate: return {EIO, EINTR, ENOSPC, EOPNOTSUPP};
        case Kind::lock: return {EIO, ENOLCK};
        case Kind::map: return {ENOMEM};
        case Kind::status: return {EIO};
        case Kind::name: return {EIO, ENOSPC};
        case Kind::random: return {EIO, EINTR};
        case Kind::other: return {EIO};
    }
    return {};
}

struct Calls {
    std::atomic<bool> armed{false};
    std::vector<Kind> made;          // of the run that counts
    bool recording = false;
    std::uint64_t number = 0;
    std::uint64_t fail_at = 0;
    int error = 0;
    std::uint64_t failed = 0;
    Kind failed_kind{};
};
Calls calls;

/// True: the call is to fail, and errno says how. The script has one thread.
bool fails(Kind kind) {
    if (!calls.armed.load(std::memory_order_relaxed)) return false;
    ++calls.number;
    if (calls.recording) {
        calls.armed.store(false);
        calls.made.push_back(kind);
        calls.armed.store(true);
    }
    if (calls.number != calls.fail_at) return false;
    ++calls.failed;
    calls.failed_kind = kind;
    errno = calls.error;
    return true;
}

class CallInjection final : public Injection {
public:
    void arm(bool on) override { calls.armed.store(on); }
    void stop() override { calls.fail_at = 0; }
    std::uint64_t hits() const override { return calls.failed; }
    bool explains(const Error& error) const override {
        // Nobody is to notice these.
        if (calls.error == EINTR || calls.failed_kind == Kind::begin_sync) return false;
        const Errc code = error.code();
        // A commit whose record is in the log cannot promise that nothing happened.
        if (code == Errc::outcome_unknown || (code == Errc::poisoned && poisons())) return true;
        switch (calls.error) {
            // A flush that finds no room is a flush that failed.
            case ENOSPC: return code == Errc::no_space || (code == Errc::io && calls.failed_kind == Kind::sync);
            case ENOMEM: return code == Errc::no_memory;
            default: return code == Errc::io;
        }
    }
    /// A read, where a large transaction is copied into the log: what the log has of it by then is half a record.
    bool poisons() const override {
        return calls.failed_kind == Kind::write || calls.failed_kind == Kind::sync || calls.failed_kind == Kind::read;
    }
};

std::size_t open_descriptors() {
    const auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Runs that made fewer calls than the first one: numbers that are drawn by chance have other lengths.
std::uint64_t missed = 0;

/// True: as promised. `number` 0: nothing fails.
bool try_one(const std::string& folder, std::uint64_t number, int error, FaultCounts& counts) {
    calls.number = 0;
    calls.failed = 0;
    calls.fail_at = number;
    calls.error = error;
    const std::size_t before = open_descriptors();
    ++counts.runs;
    std::string failure;
    std::size_t step = 0;
    {
        CallInjection injection;
        FaultScript script(folder, false, injection);
        try {
            script.run(counts);
        } catch (const Broken& broken) {
            failure = broken.what();
        } catch (const Error& unexpected) {
            failure = std::string("unexpected error ") + to_string(unexpected.code()) + ": " + unexpected.what();
        }
        calls.fail_at = 0;
        step = script.step();
    }
    if (failure.empty() && open_descriptors() != before) failure = "a descriptor stayed open";
    if (number != 0 && calls.failed == 0) ++missed;
    if (failure.empty()) return true;
    std::printf("call %llu (%s, %s) FAILED at step %zu: %s\nreplay: nth_system_call_suite %llu %d\n",
                static_cast<unsigned long long>(number), k_kind_names[static_cast<std::size_t>(calls.failed_kind)],
                std::strerror(error), step, failure.c_str(), static_cast<unsigned long long>(number), error);
    std::fflush(stdout);
    return false;
}

int suite_main(int argc, char** argv) {
    const std::string folder = script_folder("nth-system-call");
    const char* const sample = std::getenv("NORTHSTAR_NTH_CALL_EVERY");
    const std::uint64_t every = sample != nullptr ? std::max<std::uint64_t>(std::strtoull(sample, nullptr, 10), 1) : 1;
    FaultCounts counts;
    if (argc > 2) {
        const std::uint64_t number = std::strtoull(argv[1], nullptr, 10);
        return try_one(folder, number, std::atoi(argv[2]), counts) ? 0 : 1;
    }
    calls.recording = true;
    if (!try_one(folder, 0, 0, counts)) return 1;
    calls.recording = false;
    const std::vector<Kind> made = calls.made;
    std::array<std::uint64_t, k_kinds> tried{};
    int failures = 0;
    for (std::uint64_t n = 1; n <= made.size() && failures < 5; n += every) {
        for (const int error : errors_of(made[n - 1])) {
            ++tried[static_cast<std::size_t>(made[n - 1])];
            if (!try_one(folder, n, error, counts)) ++failures;
        }
    }
    if (missed > counts.runs / 20) {
        std::printf("%llu runs made too few calls\n", static_cast<unsigned long long>(missed));
        ++failures;
    }
    bool fired = counts.reported != 0 && counts.hidden != 0 && counts.poisoned != 0;
    for (std::size_t kind = 0; kind < k_kinds; ++kind) {
        std::printf("  %-10s %llu\n", k_kind_names[kind], static_cast<unsigned long long>(tried[kind]));
        if (tried[kind] == 0 && every == 1) fired = false;
    }
    std::printf("%llu runs with a failing system call, %llu reported, %llu hidden, %llu times poisoned: %s\n",
                static_cast<unsigned long long>(counts.runs), static_cast<unsigned long long>(counts.reported),
                static_cast<unsigned long long>(counts.hidden), static_cast<unsigned long long>(counts.poisoned),
                failures == 0 && (fired || every != 1) ? "all as promised" : "FAILED");
    return failures == 0 && (fired || every != 1) ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

using northstar::hard::fails;
using northstar::hard::Kind;

// What the linker calls in the place of the C library's functions, and what it calls these. NOLINTBEGIN
extern "C" {
int __real_open(const char* path, int flags, ...);
ssize_t __real_pread(int file, void* to, size_t size, off_t at);
ssize_t __real_pwrite(int file, const void* from, size_t size, off_t at);
int __real_fsync(int file);
int __real_fdatasync(int file);
int __real_sync_file_range(int file, off_t at, off_t size, unsigned flags);
int __real_ftruncate(int file, off_t size);
int __real_fallocate(int file, int mode, off_t at, off_t size);
int __real_fcntl(int file, int command, ...);
void* __real_mmap(void* address, size_t size, int protection, int flags, int file, off_t at);
int __real_fstat(int file, struct stat* to);
int __real_stat(const char* path, struct stat* to);
int __real_statfs(const char* path, struct statfs* to);
int __real_fstatfs(int file, struct statfs* to);
int __real_link(const char* from, const char* to);
int __real_rename(const char* from, const char* to);
int __real_unlink(const char* path);
char* __real_realpath(const char* path, char* to);
ssize_t __real_getrandom(void* to, size_t size, unsigned flags);

int __wrap_open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = static_cast<mode_t>((flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0);
    va_end(arguments);
    return fails(Kind::open) ? -1 : __real_open(path, flags, mode);
}
ssize_t __wrap_pread(int file, void* to, size_t size, off_t at) {
    return fails(Kind::read) ? -1 : __real_pread(file, to, size, at);
}
ssize_t __wrap_pwrite(int file, const void* from, size_t size, off_t at) {
    return fails(Kind::write) ? -1 : __real_pwrite(file, from, size, at);
}
int __wrap_fsync(int file) { return fails(Kind::sync) ? -1 : __real_fsync(file); }
int __wrap_fdatasync(int file) { return fails(Kind::sync) ? -1 : __real_fdatasync(file); }
int __wrap_sync_file_range(int file, off_t at, off_t size, unsigned flags) {
    return fails(Kind::begin_sync) ? -1 : __real_sync_file_range(file, at, size, flags);
}
int __wrap_ftruncate(int file, off_t size) { return fails(Kind::truncate) ? -1 : __real_ftruncate(file, size); }
int __wrap_fallocate(int file, int mode, off_t at, off_t size) {
    return fails(Kind::allocate) ? -1 : __real_fallocate(file, mode, at, size);
}
int __wrap_fcntl(int file, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return fails(Kind::lock) ? -1 : __real_fcntl(file, command, argument);
}
void* __wrap_mmap(void* address, size_t size, int protection, int flags, int file, off_t at) {
    return fails(Kind::map) ? MAP_FAILED : __real_mmap(address, size, protection, flags, file, at);
}
int __wrap_fstat(int file, struct stat* to) { return fails(Kind::status) ? -1 : __real_fstat(file, to); }
int __wrap_stat(const char* path, struct stat* to) { return fails(Kind::status) ? -1 : __real_stat(path, to); }
int __wrap_statfs(const char* path, struct statfs* to) { return fails(Kind::status) ? -1 : __real_statfs(path, to); }
int __wrap_fstatfs(int file, struct statfs* to) { return fails(Kind::status) ? -1 : __real_fstatfs(file, to); }
int __wrap_link(const char* from, const char* to) { return fails(Kind::name) ? -1 : __real_link(from, to); }
int __wrap_rename(const char* from, const char* to) { return fails(Kind::name) ? -1 : __real_rename(from, to); }
int __wrap_unlink(const char* path) { return fails(Kind::other) ? -1 : __real_unlink(path); }
char* __wrap_realpath(const char* path, char* to) {
    return fails(Kind::other) ? nullptr : __real_realpath(path, to);
}
ssize_t __wrap_getrandom(void* to, size_t size, unsigned flags) {
    return fails(Kind::random) ? -1 : __real_getrandom(to, size, flags);
}
}
// NOLINTEND

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
