#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "failure.hpp"

namespace northstar_tool {
namespace output_impl {

constexpr std::size_t k_buffer_bytes = 64u << 10;

bool colours_wanted(bool terminal) {
    const char* const no_color = std::getenv("NO_COLOR");
    if (no_color != nullptr && *no_color != '\0') return false;
    const char* const kind = std::getenv("TERM");
    return terminal && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

}  // namespace output_impl

Output::Output(int descriptor, std::string name)
    : descriptor_(descriptor),
      name_(std::move(name)),
      terminal_(::isatty(descriptor) == 1),
      coloured_(output_impl::colours_wanted(terminal_)) {}

void Output::write(std::string_view text) {
    buffer_.append(text);
    if (buffer_.size() >= output_impl::k_buffer_bytes) flush();
}

void Output::line(std::string_view text) {
    buffer_.append(text);
    buffer_ += '\n';
    if (buffer_.size() >= output_impl::k_buffer_bytes) flush();
}

void Output::flush() {
    std::size_t done = 0;
    while (done < buffer_.size()) {
        const ssize_t wrote = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
        if (wrote >= 0) {
            done += static_cast<std::size_t>(wrote);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd ready {
                descriptor_, POLLOUT, 0
            };
            ::poll(&ready, 1, -1);
            continue;
        }
        const int reason = errno;
        buffer_.clear();
        if (reason == EPIPE) throw BrokenPipe{};
        throw Failure(k_exit_system, "cannot write to " + name_ + ": " + std::strerror(reason));
    }
    buffer_.clear();
}

void Output::check_reader() const {
    struct pollfd reader {
        descriptor_, 0, 0
    };
    if (::poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0) throw BrokenPipe{};
}

std::string Output::paint(Colour colour, std::string_view text) const {
    if (!coloured_ || colour == Colour::plain) return std::string(text);
    const char* code = "0";
    switch (colour) {
    case Colour::red: code = "31"; break;
    case Colour::green: code = "32"; break;
    case Colour::yellow: code = "33"; break;
    case Colour::blue: code = "34"; break;
    case Colour::faint: code = "2"; break;
    case Colour::bold: code = "1"; break;
    case Colour::plain: break;
    }
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

NewFile::NewFile(std::string path, bool replace) : path_(std::move(path)), replace_(replace) {
    if (!replace_ && ::access(path_.c_str(), F_OK) == 0) {
        throw Failure(k_exit_system, path_ + " exists already; --force replaces it");
    }
    temporary_ = path_ + ".partial-" + std::to_string(::getpid());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw Failure(k_exit_system, "cannot create " + temporary_ + ": " + std::strerror(errno));
}

NewFile::~NewFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
}

void NewFile::finish() {
    if (::fsync(descriptor_) != 0)
        throw Failure(k_exit_system, "cannot flush " + temporary_ + ": " + std::strerror(errno));
    // link() refuses an existing name, rename() replaces it.
    const int named =
        replace_ ? ::rename(temporary_.c_str(), path_.c_str()) : ::link(temporary_.c_str(), path_.c_str());
    if (named != 0) throw Failure(k_exit_system, "cannot create " + path_ + ": " + std::strerror(errno));
    ::close(descriptor_);
    descriptor_ = -1;
    if (!replace_) ::unlink(temporary_.c_str());
    // The name is on stable storage when the directory is.
    const std::string directory = path_.substr(0, path_.rfind('/') + 1);
    const int parent = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return;
    const bool flushed = ::fsync(parent) == 0 || errno == EINVAL;
    const int reason = errno;
    ::close(parent);
    if (!flushed) throw Failure(k_exit_system, "cannot flush the directory of " + path_ + ": " + std::strerror(reason));
}

Progress::Progress(bool wanted)
    : active_(wanted && ::isatty(STDERR_FILENO) == 1), started_(std::chrono::steady_clock::now()), last_(started_) {}

Progress::~Progress() { clear(); }

bool Progress::due() {
    // The clock is looked at once in 64 calls; a progress line needs no better.
    if (!active_ || (++calls_ & 63u) != 0) return false;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) return false;
    last_ = now;
    return true;
}

void Progress::show(const std::string& text) {
    if (!active_) return;
    std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
    std::fflush(stderr);
    shown_ = true;
}

void Progress::clear() {
    if (!shown_) return;
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
    shown_ = false;
}

double Progress::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void notice(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

}  // namespace northstar_tool
