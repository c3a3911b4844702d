// log_bytes.hpp -- bytes of the file for the scanner of the log, read into a buffer of its own.  Layer: txn.
//
// [BYTES-1] What read() returns is a copy: nobody who writes the file changes it, and a file that was cut
//           short meanwhile is a short answer.
#pragma once

#include "base/error.hpp"
#include "log/scan.hpp"
#include "os/vfs.hpp"

#include <algorithm>
#include <vector>

namespace northstar::inline v0::detail {

class FileLogBytes final : public LogBytes {
public:
    static constexpr std::uint64_t k_window = 256u << 10;
    explicit FileLogBytes(File& file) : file_(file) {}

    /// Forgets what was read. So many bytes are read ahead from now on.
    void begin(std::uint64_t window) {
        ahead_ = std::min(window, k_window);
        window_size_ = 0;
    }
    std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
        // A window is kept: small records lie side by side.
        if (offset >= window_offset_ && offset + length <= window_offset_ + window_size_) {
            return {window_.data() + (offset - window_offset_), static_cast<std::size_t>(length)};
        }
        std::uint64_t wanted = std::max(length, ahead_);
        if (wanted > k_window) {
            // The file's size bounds the memory that a length in the file can ask for.
            const std::uint64_t size = file_.size();
            wanted = std::min(wanted, offset < size ? size - offset : 0);
        }
        if (window_.size() < wanted) window_.resize(static_cast<std::size_t>(wanted));
        window_offset_ = offset;
        window_size_ = 0;
        window_size_ = fill(offset, {window_.data(), static_cast<std::size_t>(wanted)});
        return {window_.data(), std::min<std::size_t>(window_size_, static_cast<std::size_t>(length))};
    }

private:
    /// Less than asked for only where the file ends: the log must not seem to end where a read did.
    std::size_t fill(std::uint64_t offset, std::span<std::byte> out) {
        std::size_t got = 0;
        while (got < out.size()) {
            const std::size_t more = file_.read(offset + got, out.subspan(got));
            got += more;
            if (got == out.size() || offset + got >= file_.size()) break;
            if (more == 0) fail(Errc::io, "the log cannot be read: the file ends before its size");
        }
        return got;
    }
    File& file_;
    std::vector<std::byte> window_;
    std::uint64_t ahead_ = k_window;
    std::uint64_t window_offset_ = 0;
    std::size_t window_size_ = 0;
};

}  // namespace northstar::inline v0::detail
