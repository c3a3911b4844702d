// log_bytes.hpp -- bytes of the file for the scanner of the log, read into a buffer of its own.  Layer: txn.
#pragma once

#include "log/scan.hpp"
#include "os/vfs.hpp"

#include <algorithm>
#include <vector>

namespace northstar::inline v0::detail {

class FileLogBytes final : public LogBytes {
public:
    explicit FileLogBytes(File& file) : file_(file) {}
    std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
        // A window is kept: small records lie side by side.
        if (offset >= window_offset_ && offset + length <= window_offset_ + window_size_) {
            return {window_.data() + (offset - window_offset_), static_cast<std::size_t>(length)};
        }
        const std::uint64_t size = file_.size();
        const std::uint64_t left = offset < size ? size - offset : 0;
        const std::uint64_t wanted = std::min(left, std::max<std::uint64_t>(length, k_window));
        if (window_.size() < wanted) window_.resize(static_cast<std::size_t>(wanted));
        window_offset_ = offset;
        window_size_ = file_.read(offset, {window_.data(), static_cast<std::size_t>(wanted)});
        return {window_.data(), std::min<std::size_t>(window_size_, static_cast<std::size_t>(length))};
    }

private:
    static constexpr std::uint64_t k_window = 256u << 10;
    File& file_;
    std::vector<std::byte> window_;
    std::uint64_t window_offset_ = 0;
    std::size_t window_size_ = 0;
};

}  // namespace northstar::inline v0::detail
