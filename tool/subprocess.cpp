#include "subprocess.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.hpp"

namespace northstar_tool {
namespace subprocess_impl {

/// Starts the program with these descriptors as its standard input, output and (if not -1) error.
pid_t start(const std::vector<std::string>& words, int in, int out, int err) {
    std::vector<std::string> copy = words;
    std::vector<char*> vector;
    for (std::string& word : copy) vector.push_back(word.data());
    vector.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw Failure(k_exit_system, "cannot start " + words[0]);
    if (child == 0) {
        ::dup2(in, 0);
        ::dup2(out, 1);
        if (err >= 0) ::dup2(err, 2);
        // The tool ignores broken pipes; others expect to end by them.
        std::signal(SIGPIPE, SIG_DFL);
        ::execvp(vector[0], vector.data());
        ::_exit(127);
    }
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Pipe {
    int ends[2];
    Pipe() {
        if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure(k_exit_system, "cannot make a pipe");
    }
};

}  // namespace subprocess_impl

Ended run_program(const std::vector<std::string>& words) {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0) throw Failure(k_exit_system, "cannot open /dev/null");
    const subprocess_impl::Pipe pipe;
    const pid_t child = subprocess_impl::start(words, null, pipe.ends[1], pipe.ends[1]);
    ::close(null);
    ::close(pipe.ends[1]);
    Ended ended;
    char buffer[4096];
    for (;;) {
        const ssize_t got = ::read(pipe.ends[0], buffer, sizeof buffer);
        if (got > 0) ended.output.append(buffer, static_cast<std::size_t>(got));
        else if (got == 0 || errno != EINTR) break;
    }
    ::close(pipe.ends[0]);
    ended.code = subprocess_impl::wait_for(child);
    return ended;
}

Subprocess::Subprocess(const std::vector<std::string>& words) : name_(words[0]) {
    const subprocess_impl::Pipe in;
    const subprocess_impl::Pipe out;
    child_ = subprocess_impl::start(words, in.ends[0], out.ends[1], -1);
    ::close(in.ends[0]);
    ::close(out.ends[1]);
    to_ = in.ends[1];
    from_ = ::fdopen(out.ends[0], "rb");
    if (from_ == nullptr) throw Failure(k_exit_system, "cannot read from " + name_);
}

Subprocess::~Subprocess() {
    ::close(to_);
    if (from_ != nullptr) std::fclose(from_);
    subprocess_impl::wait_for(child_);
}

void Subprocess::send(std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(to_, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) throw Failure(k_exit_system, name_ + " does not listen any more");
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

std::optional<std::string> Subprocess::until(char delimiter) {
    std::string text;
    for (int c = std::getc(from_); c != EOF; c = std::getc(from_)) {
        if (c == static_cast<unsigned char>(delimiter)) return text;
        text += static_cast<char>(c);
    }
    if (text.empty()) return std::nullopt;
    return text;
}

std::string Subprocess::exactly(std::size_t bytes) {
    std::string text(bytes, '\0');
    if (std::fread(text.data(), 1, bytes, from_) != bytes) throw Failure(k_exit_system, name_ + " ended too early");
    return text;
}

void Subprocess::skip(std::size_t bytes) {
    constexpr std::size_t k_piece = 64u << 10;
    while (bytes > 0) bytes -= exactly(std::min(bytes, k_piece)).size();
}

int Subprocess::peek() {
    const int c = std::getc(from_);
    if (c != EOF) std::ungetc(c, from_);
    return c;
}

}  // namespace northstar_tool
