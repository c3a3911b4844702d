// input.hpp -- reads a file or a pipe line by line with bounded memory, and knows exactly how far it got.
//
// [INPUT-1] Memory is at most twice the line limit plus two read buffers, whatever the input holds.
// [INPUT-2] offset() and fingerprint() describe the bytes handed out so far and nothing else, so that a position kept
//           in a database can be checked against the file when an import goes on later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar_tool {

inline constexpr std::uint64_t k_default_line_limit = 64u << 20;

/// 64-bit hash of a stream of bytes, the same however the stream is cut. Tells an edited file from the one that was
/// imported; it is not meant to resist anybody who wants a collision.
class Fingerprint {
public:
    void update(std::string_view bytes) noexcept;
    std::uint64_t value() const noexcept;

private:
    void word(std::uint64_t bits) noexcept;

    std::uint64_t state_ = 0x9e3779b97f4a7c15u;
    std::uint64_t pending_ = 0;
    unsigned pending_bytes_ = 0;
    std::uint64_t length_ = 0;
};

/// A file ("-": standard input) as lines.
class LineSource {
public:
    enum class Result { line, end, too_long };

    LineSource(const std::string& path, std::uint64_t line_limit);
    LineSource(const LineSource&) = delete;
    LineSource& operator=(const LineSource&) = delete;
    ~LineSource();

    /// The next line with its line feed, if it has one. The view lives until the next call. too_long: the line was
    /// longer than the limit and has been skipped.
    Result next(std::string_view& line);
    /// Reads past bytes without looking for lines; returns how many there were, fewer only at the end.
    std::uint64_t skip(std::uint64_t bytes);

    /// Number of the line last returned, from 1.
    std::uint64_t line_number() const noexcept { return line_; }
    void set_line_number(std::uint64_t line) noexcept { line_ = line; }
    std::uint64_t offset() const noexcept { return offset_; }
    std::uint64_t fingerprint() const noexcept { return fingerprint_.value(); }
    /// Bytes of the whole file; 0 if it is not a regular file.
    std::uint64_t total_bytes() const noexcept { return total_; }
    /// For messages: the path as given, or "standard input".
    const std::string& name() const noexcept { return name_; }
    std::uint64_t line_limit() const noexcept { return limit_; }

private:
    /// Reads more behind what is buffered; false: the input has ended.
    bool fill();
    void consume(std::size_t bytes) noexcept;

    int descriptor_ = -1;
    bool close_ = false;
    std::string name_;
    std::uint64_t limit_ = 0;
    std::uint64_t total_ = 0;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool ended_ = false;
    std::uint64_t line_ = 0;
    std::uint64_t offset_ = 0;
    Fingerprint fingerprint_;
};

/// Everything a file ("-": standard input) holds, up to limit bytes; a Failure beyond.
std::string read_whole(const std::string& path, std::uint64_t limit);

}  // namespace northstar_tool
