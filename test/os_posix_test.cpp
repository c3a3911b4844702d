// What only the operating system's own files can show: other processes, fork, full disks, permissions.
#include "os/vfs.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace northstar;
using namespace northstar::detail;
using namespace northstar::test;

namespace {

// In a child process: says what did not hold and ends the child with a failure.
#define EXPECT_IN_CHILD(expression)                                                    \
    do {                                                                               \
        if (!(expression)) {                                                           \
            std::fprintf(stderr, "child: line %d: %s\n", __LINE__, #expression);       \
            ::_exit(1);                                                                \
        }                                                                              \
    } while (false)

constexpr int k_not_possible_here = 77;

pid_t start_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    try {
        body();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "child: %s\n", error.what());
        ::_exit(2);
    }
    ::_exit(0);
}

// Exit code of a child, or 1000 + the signal that killed it.
int end_of(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int run_in_child(const std::function<void()>& body) { return end_of(start_child(body)); }

// A pipe to order what two processes do.
class Signal {
public:
    Signal() {
        if (::pipe(ends_) != 0) throw std::runtime_error("pipe");
    }
    ~Signal() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    void raise() const {
        if (::write(ends_[1], "x", 1) != 1) ::_exit(3);
    }
    void await() const {
        char byte;
        if (::read(ends_[0], &byte, 1) != 1) ::_exit(3);
    }

private:
    int ends_[2];
};

std::unique_ptr<File> open_file(const std::string& path, OpenMode mode = {.create = true}) {
    bool created = false;
    return posix_vfs().open(path, mode, created);
}

int handler_calls = 0;
std::uint64_t count_seen_by_handler = 0;
void count_fork() {
    ++handler_calls;
    count_seen_by_handler = fork_count();
}

std::vector<std::string> lines_of(const char* path) {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// Mounts a small file system of this type over a directory, for this process only; false where not allowed.
bool mount_here(const char* type, const std::string& directory, const char* options) {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount(type, directory.c_str(), type, 0, options) == 0;
}

}  // namespace

TEST_CASE("another process's locks exclude, and end with it", "[os][fast][SWARM-2]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    const Signal locked;
    const Signal finish;
    const auto mine = open_file(path);
    const pid_t child = start_child([&] {
        const auto file = open_file(path);
        EXPECT_IN_CHILD(file->try_lock(1, LockKind::exclusive));
        EXPECT_IN_CHILD(file->try_lock(2, LockKind::shared));
        locked.raise();
        finish.await();
    });
    locked.await();
    CHECK_FALSE(mine->try_lock(1, LockKind::shared));
    CHECK_FALSE(mine->try_lock(2, LockKind::exclusive));
    CHECK(mine->try_lock(2, LockKind::shared));
    CHECK(mine->locked_by_others(0, 9) == std::vector<std::uint64_t>{1, 2});
    CHECK_FALSE(mine->lock(1, LockKind::exclusive, 2000));
    ::kill(child, SIGKILL);
    CHECK(end_of(child) == 1000 + SIGKILL);
    CHECK(mine->try_lock(1, LockKind::exclusive));
    CHECK(mine->locked_by_others(0, 9).empty());
}

TEST_CASE("a lock is waited for across processes", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    auto mine = open_file(path);
    REQUIRE(mine->try_lock(1, LockKind::exclusive));
    const Signal trying;
    const pid_t child = start_child([&] {
        const auto file = open_file(path);
        EXPECT_IN_CHILD(!file->try_lock(1, LockKind::exclusive));
        trying.raise();
        EXPECT_IN_CHILD(file->lock(1, LockKind::exclusive, std::nullopt));
    });
    trying.await();
    mine->unlock(1);
    CHECK(end_of(child) == 0);
}

TEST_CASE("a forked child keeps no lock of a dead parent alive, mapped files included", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    const Signal grandchild_runs;
    const Signal finish;
    const pid_t parent = start_child([&] {
        const auto file = open_file(path);
        file->allocate(0, 1 << 16);
        EXPECT_IN_CHILD(file->map(1 << 20) != nullptr);
        EXPECT_IN_CHILD(posix_vfs().file_system(path) != FileSystem::in_place ||
                        file->map_writable(0, 4096) != nullptr);
        EXPECT_IN_CHILD(file->try_lock(1, LockKind::exclusive));
        if (start_child([&] {
                grandchild_runs.raise();
                finish.await();
            }) < 0) {
            ::_exit(1);
        }
        ::_exit(0);
    });
    CHECK(end_of(parent) == 0);
    grandchild_runs.await();
    const auto mine = open_file(path);
    CHECK(mine->try_lock(1, LockKind::exclusive));
    finish.raise();
}

TEST_CASE("in a child the parent's files refuse, and what the child does leaves the parent's locks",
          "[os][fast][SWARM-7]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    auto file = open_file(path);
    file->write(0, bytes_of("x"));
    REQUIRE(file->map(1 << 20) != nullptr);
    auto words = posix_vfs().shared_words(directory / "a-shared", 4, true);
    words->words()[0] = 5;
    REQUIRE(file->try_lock(1, LockKind::exclusive));
    const std::uint64_t forks = fork_count();
    const int end = run_in_child([&] {
        EXPECT_IN_CHILD(fork_count() == forks + 1);
        std::byte byte[1];
        EXPECT_IN_CHILD(code_of([&] { file->read(0, byte); }) == Errc::forked);
        EXPECT_IN_CHILD(code_of([&] { file->write(0, byte); }) == Errc::forked);
        EXPECT_IN_CHILD(code_of([&] { file->sync(); }) == Errc::forked);
        EXPECT_IN_CHILD(code_of([&] { file->size(); }) == Errc::forked);
        EXPECT_IN_CHILD(code_of([&] { file->try_lock(1, LockKind::shared); }) == Errc::forked);
        EXPECT_IN_CHILD(code_of([&] { file->locked_by_others(0, 1); }) == Errc::forked);
        file->unlock(1);
        for (const std::string& line : lines_of("/proc/self/maps")) {
            EXPECT_IN_CHILD(line.find(directory.path()) == std::string::npos);
        }
        EXPECT_IN_CHILD(words->words()[0] == 0);
        words->words()[0] = 6;
        words->wake(0);
        words.reset();
        file.reset();
        const auto own = open_file(path);
        EXPECT_IN_CHILD(read_text(*own, 0, 2) == "x");
        EXPECT_IN_CHILD(!own->try_lock(1, LockKind::shared));
    });
    CHECK(end == 0);
    CHECK(fork_count() == forks);
    CHECK(words->words()[0] == 5);
    CHECK_FALSE(open_file(path)->try_lock(1, LockKind::shared));
}

TEST_CASE("a file in memory refuses in a child", "[os][fast]") {
    const auto vfs = make_memory_vfs();
    bool created = false;
    const auto file = vfs->open("a", {.create = true}, created);
    CHECK(run_in_child([&] { EXPECT_IN_CHILD(code_of([&] { file->size(); }) == Errc::forked); }) == 0);
    CHECK_NOTHROW(file->size());
}

TEST_CASE("handlers run once in each child, after the count went up", "[os][fast]") {
    static const bool registered = [] {
        at_fork_in_child(count_fork);
        return true;
    }();
    REQUIRE(registered);
    const std::uint64_t forks = fork_count();
    CHECK(run_in_child([&] {
              EXPECT_IN_CHILD(handler_calls == 1);
              EXPECT_IN_CHILD(count_seen_by_handler == forks + 1);
              EXPECT_IN_CHILD(run_in_child([&] {
                                  EXPECT_IN_CHILD(handler_calls == 2);
                                  EXPECT_IN_CHILD(fork_count() == forks + 2);
                              }) == 0);
          }) == 0);
    CHECK(handler_calls == 0);
}

TEST_CASE("forks while other threads open and close files leave no descriptor behind", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    open_file(path);
    std::atomic<bool> stop{false};
    std::thread opener([&] {
        while (!stop) open_file(path);
    });
    int failures = 0;
    for (int i = 0; i < 50; ++i) {
        failures += run_in_child([&] {
                        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
                            std::error_code gone;
                            const auto target = std::filesystem::read_symlink(entry.path(), gone);
                            EXPECT_IN_CHILD(gone || target.string().find(directory.path()) == std::string::npos);
                        }
                    }) != 0;
    }
    stop = true;
    opener.join();
    CHECK(failures == 0);
}

TEST_CASE("every descriptor is closed by exec", "[os][fast]") {
    const TemporaryDirectory directory;
    const auto file = open_file(directory / "a");
    const auto words = posix_vfs().shared_words(directory / "a-shared", 4, true);
    int seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (gone || target.string().find(directory.path()) == std::string::npos) continue;
        ++seen;
        CHECK((::fcntl(std::stoi(entry.path().filename().string()), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(seen == 2);
}

TEST_CASE("sleepers on a shared word are woken from another process", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a-shared";
    const auto words = posix_vfs().shared_words(path, 4, true);
    const Signal ready;
    const pid_t child = start_child([&] {
        const auto own = posix_vfs().shared_words(path, 4, false);
        ready.raise();
        const std::uint64_t start = posix_vfs().monotonic_us();
        while (own->words()[2] == 0) own->wait(2, 0, 60'000'000);
        EXPECT_IN_CHILD(posix_vfs().monotonic_us() - start < 30'000'000);
        own->words()[3] = 1;
        own->wake(3);
    });
    ready.await();
    words->words()[2] = 1;
    words->wake(2);
    while (words->words()[3] == 0) words->wait(3, 0, 60'000'000);
    CHECK(end_of(child) == 0);
}

TEST_CASE("a path that is no regular file or leads nowhere is refused with a sentence", "[os][fast]") {
    const TemporaryDirectory directory;
    CHECK(code_of([&] { open_file(directory.path()); }) == Errc::is_directory);
    CHECK(code_of([&] { open_file(directory.path(), {.read_only = true}); }) == Errc::is_directory);
    CHECK(code_of([&] { open_file("/dev/null"); }) == Errc::is_directory);
    const std::string fifo = directory / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(code_of([&] { open_file(fifo); }) == Errc::is_directory);
    CHECK(code_of([&] { open_file(fifo, {.read_only = true}); }) == Errc::is_directory);

    const std::string deep = directory / "missing/a";
    CHECK(code_of([&] { open_file(deep); }) == Errc::not_found);
    CHECK(message_of([&] { open_file(deep); }).find("the directory '" + (directory / "missing") + "' does not exist") !=
          std::string::npos);
    const std::string file = directory / "file";
    open_file(file);
    CHECK(code_of([&] { open_file(file + "/a"); }) == Errc::not_found);
    CHECK(message_of([&] { open_file(file + "/a"); }).find("is not a directory") != std::string::npos);
    CHECK(code_of([&] { open_file(""); }) == Errc::invalid_argument);
    CHECK(code_of([&] { open_file(std::string("a\0b", 3)); }) == Errc::invalid_argument);
    CHECK(code_of([&] { open_file(directory / std::string(5000, 'x')); }) == Errc::invalid_argument);
    CHECK(code_of([&] { posix_vfs().shared_words(directory.path(), 4, true); }) == Errc::is_directory);
    const std::string link = directory / "link";
    REQUIRE(::symlink("nowhere", link.c_str()) == 0);
    CHECK(code_of([&] { open_file(link); }) == Errc::not_found);
    try {
        open_file(deep);
    } catch (const Error& error) {
        CHECK(error.file() == deep);
    }
}

TEST_CASE("one file under two names has one identity", "[os][fast][SWARM-9]") {
    const TemporaryDirectory directory;
    open_file(directory / "a");
    REQUIRE(::symlink("a", (directory / "b").c_str()) == 0);
    REQUIRE(::link((directory / "a").c_str(), (directory / "c").c_str()) == 0);
    const FileIdentity identity = posix_vfs().identity(directory / "a");
    CHECK(posix_vfs().identity(directory / "b") == identity);
    CHECK(posix_vfs().identity(directory / "c") == identity);
    const auto a = open_file(directory / "a");
    REQUIRE(a->try_lock(0, LockKind::exclusive));
    CHECK_FALSE(open_file(directory / "b")->try_lock(0, LockKind::shared));
}

TEST_CASE("denied access is Errc::permission, and reading stays possible where it is allowed",
          "[os][fast][SWARM-8]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    open_file(path)->write(0, bytes_of("x"));
    REQUIRE(::chmod(path.c_str(), 0444) == 0);
    REQUIRE(::chmod(directory.path().c_str(), 0555) == 0);
    const int end = run_in_child([&] {
        // The super-user may do everything; nobody may not.
        if (::getuid() == 0) {
            EXPECT_IN_CHILD(::setgroups(0, nullptr) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0);
        }
        EXPECT_IN_CHILD(code_of([&] { open_file(path); }) == Errc::permission);
        EXPECT_IN_CHILD(code_of([&] { open_file(directory / "b"); }) == Errc::permission);
        EXPECT_IN_CHILD(code_of([&] { posix_vfs().remove(path); }) == Errc::permission);
        EXPECT_IN_CHILD(code_of([&] { posix_vfs().rename(path, directory / "b"); }) == Errc::permission);
        EXPECT_IN_CHILD(code_of([&] { posix_vfs().shared_words(directory / "c", 4, true); }) == Errc::permission);
        const auto reader = open_file(path, {.read_only = true});
        EXPECT_IN_CHILD(read_text(*reader, 0, 2) == "x");
        EXPECT_IN_CHILD(reader->try_lock(3, LockKind::shared));
    });
    CHECK(::chmod(directory.path().c_str(), 0755) == 0);
    CHECK(end == 0);
}

TEST_CASE("the process's file size limit is Errc::no_space, not a signal", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    const int end = run_in_child([&] {
        const auto file = open_file(path);
        file->write(0, bytes_of(std::string(5000, 'x')));
        const struct rlimit limit = {8192, 8192};
        EXPECT_IN_CHILD(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
        file->write(5000, bytes_of("y"));
        EXPECT_IN_CHILD(code_of([&] { file->write(8000, bytes_of(std::string(193, 'z'))); }) == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { file->write(10000, bytes_of("z")); }) == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { file->truncate(8193); }) == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { file->allocate(8000, 200); }) == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { file->write(~std::uint64_t{0}, bytes_of("zz")); }) == Errc::no_space);
        EXPECT_IN_CHILD(file->size() == 5001);
        file->write(8000, bytes_of(std::string(192, 'z')));
        file->sync();
    });
    CHECK(end == 0);
    CHECK(std::filesystem::file_size(path) == 8192);
}

TEST_CASE("a full disk is Errc::no_space, and space that comes back can be used", "[os][fast][DUR-9]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    const int end = run_in_child([&] {
        if (!mount_here("tmpfs", directory.path(), "size=1m")) ::_exit(k_not_possible_here);
        EXPECT_IN_CHILD(posix_vfs().file_system(path) == FileSystem::in_place);
        const auto file = open_file(path);
        file->write(0, bytes_of("kept"));
        EXPECT_IN_CHILD(code_of([&] { file->allocate(0, 2 << 20); }) == Errc::no_space);
        EXPECT_IN_CHILD(read_text(*file, 0, 4) == "kept");
        file->truncate(4096);
        const auto other = open_file(directory / "b");
        const std::string block(4096, 'b');
        Errc code{};
        for (std::uint64_t at = 0; code == Errc{}; at += block.size()) {
            code = code_of([&] { other->write(at, bytes_of(block)); });
        }
        EXPECT_IN_CHILD(code == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { file->allocate(4096, 4096); }) == Errc::no_space);
        EXPECT_IN_CHILD(code_of([&] { posix_vfs().shared_words(directory / "c", 4, true); }) == Errc::no_space);
        other->truncate(0);
        file->allocate(4096, 4096);
        EXPECT_IN_CHILD(posix_vfs().shared_words(directory / "c", 4, true) != nullptr);
    });
    if (end == k_not_possible_here) {
        WARN("skipped: no small file system can be mounted here");
    } else {
        CHECK(end == 0);
    }
}

TEST_CASE("a write of which the disk takes only a part is Errc::no_space", "[os][fast][ERR-5]") {
    const TemporaryDirectory directory;
    const int end = run_in_child([&] {
        if (!mount_here("tmpfs", directory.path(), "size=64k")) ::_exit(k_not_possible_here);
        const auto file = open_file(directory / "a");
        const std::string twice_the_room(128 << 10, 'x');
        EXPECT_IN_CHILD(code_of([&] { file->write(0, bytes_of(twice_the_room)); }) == Errc::no_space);
        EXPECT_IN_CHILD(file->size() > 0);  // it was not refused as a whole
    });
    if (end == k_not_possible_here) {
        WARN("skipped: no small file system can be mounted here");
    } else {
        CHECK(end == 0);
    }
}

TEST_CASE("space is reserved with zeros where the file system cannot reserve", "[os][fast]") {
    const TemporaryDirectory directory;
    const std::string path = directory / "a";
    const int end = run_in_child([&] {
        if (!mount_here("ramfs", directory.path(), nullptr)) ::_exit(k_not_possible_here);
        const auto file = open_file(path);
        file->write(10, bytes_of("kept"));
        file->allocate(0, 300000);
        EXPECT_IN_CHILD(file->size() == 300000);
        EXPECT_IN_CHILD(read_text(*file, 0, 300000) == std::string(10, '\0') + "kept" + std::string(299986, '\0'));
        const auto words = posix_vfs().shared_words(directory / "c", 600, true);
        words->words()[599] = 9;
        EXPECT_IN_CHILD(posix_vfs().shared_words(directory / "c", 1200, true)->words()[599] == 9);
        const auto lock = open_file(directory / "c");
        EXPECT_IN_CHILD(lock->locked_by_others(0, 10).empty());
    });
    if (end == k_not_possible_here) {
        WARN("skipped: no file system without fallocate can be mounted here");
    } else {
        CHECK(end == 0);
    }
}

TEST_CASE("a mapping that is refused is nullptr, not an error", "[os][fast]") {
    const TemporaryDirectory directory;
    const auto file = open_file(directory / "a");
    CHECK(file->map(std::uint64_t{1} << 60) == nullptr);
    CHECK(file->map(~std::uint64_t{0}) == nullptr);
    CHECK(file->map(0) == nullptr);
    CHECK(file->map(1 << 20) != nullptr);
}
