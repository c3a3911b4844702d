// bytes.hpp -- numbers and byte strings in memory, as the file keeps them.  Layer: base.  Threads: values.
//
// Numbers are little-endian and need no alignment. Variable-length integers are LEB128: seven bits a byte, lowest
// first, the high bit says that another byte follows.
// [BYTES-1] A reader never looks behind its end: what does not fit is Error(corrupt).
// [BYTES-2] A varint has one encoding: a superfluous last zero byte and values above 64 bits are refused, so
//           what was decoded encodes to the same bytes.
#pragma once

#include "base/check.hpp"
#include "base/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

namespace bytes_impl {

constexpr std::uint16_t swap(std::uint16_t v) { return __builtin_bswap16(v); }
constexpr std::uint32_t swap(std::uint32_t v) { return __builtin_bswap32(v); }
constexpr std::uint64_t swap(std::uint64_t v) { return __builtin_bswap64(v); }

template <class T>
T load_little(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = swap(value);
    return value;
}

template <class T>
void store_little(void* to, T value) {
    if constexpr (std::endian::native == std::endian::big) value = swap(value);
    std::memcpy(to, &value, sizeof value);
}

}  // namespace bytes_impl

inline std::uint16_t load_u16(const void* from) { return bytes_impl::load_little<std::uint16_t>(from); }
inline std::uint32_t load_u32(const void* from) { return bytes_impl::load_little<std::uint32_t>(from); }
inline std::uint64_t load_u64(const void* from) { return bytes_impl::load_little<std::uint64_t>(from); }
inline void store_u16(void* to, std::uint16_t value) { bytes_impl::store_little(to, value); }
inline void store_u32(void* to, std::uint32_t value) { bytes_impl::store_little(to, value); }
inline void store_u64(void* to, std::uint64_t value) { bytes_impl::store_little(to, value); }

/// The four bytes at `from` as a big-endian number: compares as the bytes do.
inline std::uint32_t load_head(const void* from) {
    std::uint32_t value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = bytes_impl::swap(value);
    return value;
}
/// The same of a string that may be shorter; missing bytes count as zero.
inline std::uint32_t load_head(std::string_view text) {
    if (text.size() >= 4) [[likely]] return load_head(text.data());
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << (24 - 8 * i);
    }
    return value;
}

/// Longest encoding of a 64-bit varint.
inline constexpr std::size_t k_max_varint_size = 10;

/// Bytes that the varint of a value takes.
constexpr std::size_t varint_size(std::uint64_t value) {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

/// Stores a varint, returns the byte behind it. The caller has varint_size(value) bytes of room.
inline std::byte* store_varint(std::byte* to, std::uint64_t value) {
    while (value >= 0x80) {
        *to++ = static_cast<std::byte>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<std::byte>(value);
    return to;
}

/// Reads a varint that lies wholly before `end`; returns the byte behind it, or nullptr where there is none.
inline const std::byte* load_varint(const std::byte* from, const std::byte* end, std::uint64_t& value) {
    if (from == end) return nullptr;
    value = std::to_integer<std::uint64_t>(*from);
    if (value < 0x80) return from + 1;
    if (end - from >= 8) [[likely]] {
        // Without a loop, whose end would be guessed wrong: the first byte without the high bit is the last one.
        const std::uint64_t word = load_u64(from);
        const std::uint64_t stops = ~word & 0x8080808080808080u;
        if (stops != 0) [[likely]] {
            const std::uint64_t up_to = stops ^ (stops - 1);  // all bits up to the first stop
            if ((word & up_to) >> (static_cast<unsigned>(std::countr_zero(stops)) - 7) == 0) return nullptr;
            std::uint64_t bits = word & up_to & 0x7f7f7f7f7f7f7f7fu;
            bits = (bits & 0x007f007f007f007fu) | (bits & 0x7f007f007f007f00u) >> 1;
            bits = (bits & 0x00003fff00003fffu) | (bits & 0x3fff00003fff0000u) >> 2;
            value = (bits & 0x000000000fffffffu) | (bits & 0x0fffffff00000000u) >> 4;
            return from + (static_cast<unsigned>(std::countr_zero(stops)) + 1) / 8;
        }
    }
    value = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (from == end) return nullptr;
        const std::uint64_t byte = std::to_integer<std::uint64_t>(*from++);
        if (shift != 0 && byte == 0) return nullptr;   // a shorter encoding exists
        if (shift == 63 && byte > 1) return nullptr;   // more than 64 bits
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) return from;
    }
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads numbers and strings one behind the other out of bytes that nobody vouches for.
class ByteReader {
public:
    /// `what` names the bytes in messages ("log record", ...) and outlives the reader.
    explicit ByteReader(std::span<const std::byte> bytes, const char* what = "record",
                        std::uint64_t page = Error::no_page)
        : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()), what_(what), page_(page) {}
    explicit ByteReader(std::string_view text, const char* what = "record", std::uint64_t page = Error::no_page)
        : ByteReader(bytes_of(text), what, page) {}

    std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
    std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
    bool at_end() const { return at_ == end_; }

    std::uint8_t u8() { return std::to_integer<std::uint8_t>(*take(1)); }
    std::uint16_t u16() { return load_u16(take(2)); }
    std::uint32_t u32() { return load_u32(take(4)); }
    std::uint64_t u64() { return load_u64(take(8)); }
    std::uint64_t varint() {
        std::uint64_t value;
        const std::byte* next = load_varint(at_, end_, value);
        if (next == nullptr) [[unlikely]] damaged("has a malformed integer");
        at_ = next;
        return value;
    }
    std::span<const std::byte> bytes(std::uint64_t length) {
        return {take(length), static_cast<std::size_t>(length)};
    }
    std::string_view text(std::uint64_t length) { return text_of(bytes(length)); }
    /// A string with its length as a varint in front of it.
    std::string_view counted_text() { return text(varint()); }
    void skip(std::uint64_t length) { take(length); }

    /// Throws unless everything was read.
    void expect_end() const {
        if (at_ != end_) [[unlikely]] damaged("has bytes behind its end");
    }
    /// Throws Error(corrupt): "<what> <problem> at byte <position>".
    [[noreturn]] void damaged(const char* problem) const {
        fail(Errc::corrupt, std::string(what_) + ' ' + problem + " at byte " + std::to_string(position()), {}, page_);
    }

private:
    const std::byte* take(std::uint64_t length) {
        if (length > remaining()) [[unlikely]] damaged("ends too early");
        const std::byte* bytes = at_;
        at_ += length;
        return bytes;
    }

    const std::byte* begin_;
    const std::byte* at_;
    const std::byte* end_;
    const char* what_;
    std::uint64_t page_;
};

/// Appends numbers and strings to a std::string or a std::vector<std::byte>.
template <class Container>
class ByteWriter {
    static_assert(sizeof(typename Container::value_type) == 1);

public:
    explicit ByteWriter(Container& out) : out_(out) {}

    std::size_t position() const { return out_.size(); }
    void u8(std::uint8_t value) { out_.push_back(static_cast<typename Container::value_type>(value)); }
    void u16(std::uint16_t value) { little(value); }
    void u32(std::uint32_t value) { little(value); }
    void u64(std::uint64_t value) { little(value); }
    void varint(std::uint64_t value) {
        std::byte buffer[k_max_varint_size];
        append(buffer, static_cast<std::size_t>(store_varint(buffer, value) - buffer));
    }
    void bytes(std::span<const std::byte> bytes) { append(bytes.data(), bytes.size()); }
    void text(std::string_view text) { append(text.data(), text.size()); }
    void counted_text(std::string_view text) {
        varint(text.size());
        append(text.data(), text.size());
    }
    void zeros(std::size_t count) { out_.resize(out_.size() + count); }

    /// Overwrites four bytes that were written earlier.
    void patch_u32(std::size_t position, std::uint32_t value) {
        NORTHSTAR_ASSERT(position <= out_.size() && out_.size() - position >= sizeof value);
        store_u32(out_.data() + position, value);
    }
    void patch_u64(std::size_t position, std::uint64_t value) {
        NORTHSTAR_ASSERT(position <= out_.size() && out_.size() - position >= sizeof value);
        store_u64(out_.data() + position, value);
    }

private:
    template <class T>
    void little(T value) {
        std::byte buffer[sizeof value];
        bytes_impl::store_little(buffer, value);
        append(buffer, sizeof value);
    }
    void append(const void* from, std::size_t count) {
        const auto* first = static_cast<const typename Container::value_type*>(from);
        out_.insert(out_.end(), first, first + count);
    }
    Container& out_;
};

}  // namespace northstar::inline v0::detail
