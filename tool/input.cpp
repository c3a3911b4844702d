#include "input.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.hpp"
#include "signals.hpp"
#include "text.hpp"

namespace northstar_tool {
namespace input_impl {

constexpr std::size_t k_read_bytes = 256u << 10;

std::size_t read_some(int descriptor, char* to, std::size_t bytes, const std::string& name) {
    for (;;) {
        if (interrupted()) throw Interrupted{};
        const ssize_t got = ::read(descriptor, to, bytes);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) throw Failure(k_exit_system, "cannot read " + name + ": " + std::strerror(errno));
    }
}

struct Opened {
    int descriptor;
    std::string name;
    std::uint64_t size;
};

Opened open_input(const std::string& path) {
    Opened opened{STDIN_FILENO, "standard input", 0};
    if (path != "-") {
        opened.name = path;
        opened.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (opened.descriptor < 0) throw Failure(k_exit_system, "cannot open " + path + ": " + std::strerror(errno));
    }
    struct stat status {};
    if (::fstat(opened.descriptor, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            if (path != "-") ::close(opened.descriptor);
            throw Failure(k_exit_system, opened.name + " is a directory, not a file");
        }
        if (S_ISREG(status.st_mode)) opened.size = static_cast<std::uint64_t>(status.st_size);
    }
    return opened;
}

}  // namespace input_impl

void Fingerprint::word(std::uint64_t bits) noexcept {
    std::uint64_t x = (state_ ^ bits) * 0xff51afd7ed558ccdu;
    x ^= x >> 32;
    state_ = x * 0xc4ceb9fe1a85ec53u;
}

void Fingerprint::update(std::string_view bytes) noexcept {
    length_ += bytes.size();
    std::size_t i = 0;
    while (pending_bytes_ != 0 && i < bytes.size()) {
        pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i++])) << (8 * pending_bytes_);
        if (++pending_bytes_ == 8) {
            word(pending_);
            pending_ = 0;
            pending_bytes_ = 0;
        }
    }
    for (; bytes.size() - i >= 8; i += 8) {
        std::uint64_t bits = 0;
        for (unsigned j = 0; j < 8; ++j) {
            bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i + j])) << (8 * j);
        }
        word(bits);
    }
    for (; i < bytes.size(); ++i) {
        pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * pending_bytes_++);
    }
}

std::uint64_t Fingerprint::value() const noexcept {
    Fingerprint last = *this;
    last.word(pending_);
    last.word(length_);
    return last.state_ ^ (last.state_ >> 29);
}

LineSource::LineSource(const std::string& path, std::uint64_t line_limit) : limit_(line_limit) {
    input_impl::Opened opened = input_impl::open_input(path);
    descriptor_ = opened.descriptor;
    close_ = path != "-";
    name_ = std::move(opened.name);
    total_ = opened.size;
    buffer_.resize(input_impl::k_read_bytes);
}

LineSource::~LineSource() {
    if (close_) ::close(descriptor_);
}

bool LineSource::fill() {
    if (ended_) return false;
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() - end_ < input_impl::k_read_bytes) {
        buffer_.resize(std::max(buffer_.size() * 2, end_ + input_impl::k_read_bytes));
    }
    const std::size_t got =
        input_impl::read_some(descriptor_, buffer_.data() + end_, input_impl::k_read_bytes, name_);
    ended_ = got == 0;
    end_ += got;
    return got != 0;
}

void LineSource::consume(std::size_t bytes) noexcept {
    fingerprint_.update({buffer_.data() + begin_, bytes});
    begin_ += bytes;
    offset_ += bytes;
}

LineSource::Result LineSource::next(std::string_view& line) {
    std::size_t searched = 0;
    bool skipping = false;
    for (;;) {
        const char* const start = buffer_.data() + begin_;
        const std::size_t have = end_ - begin_;
        const void* const found = std::memchr(start + searched, '\n', have - searched);
        if (found != nullptr) {
            const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - start) + 1;
            ++line_;
            consume(length);
            if (skipping || length - 1 > limit_) return Result::too_long;
            line = {start, length};
            return Result::line;
        }
        searched = have;
        if (have > limit_) {
            skipping = true;
            consume(have);
            searched = 0;
        }
        if (fill()) continue;
        const std::size_t rest = end_ - begin_;
        if (rest == 0 && !skipping) return Result::end;
        ++line_;
        line = {buffer_.data() + begin_, rest};
        consume(rest);
        return skipping ? Result::too_long : Result::line;
    }
}

std::uint64_t LineSource::skip(std::uint64_t bytes) {
    std::uint64_t skipped = 0;
    while (skipped < bytes) {
        if (begin_ == end_ && !fill()) break;
        const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - skipped, end_ - begin_));
        consume(step);
        skipped += step;
    }
    return skipped;
}

std::string read_whole(const std::string& path, std::uint64_t limit) {
    const input_impl::Opened opened = input_impl::open_input(path);
    struct Closer {
        int descriptor;
        ~Closer() {
            if (descriptor != STDIN_FILENO) ::close(descriptor);
        }
    } const closer{opened.descriptor};
    std::string all;
    for (;;) {
        const std::size_t have = all.size();
        all.resize(have + input_impl::k_read_bytes);
        const std::size_t got =
            input_impl::read_some(opened.descriptor, all.data() + have, input_impl::k_read_bytes, opened.name);
        all.resize(have + got);
        if (all.size() > limit) {
            throw Failure(k_exit_usage, opened.name + " is larger than a value may be (" + human_bytes(limit) + ")");
        }
        if (got == 0) return all;
    }
}

}  // namespace northstar_tool
