// segment_reader.hpp -- integers and texts of one block of a history segment.  Layer: history.  Threads: values.
//
// Never looks behind the block's end: what does not fit is Error(corrupt).
#pragma once

#include "base/bytes.hpp"
#include "history/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::detail {

struct SegmentView::Reader {
    const SegmentView& segment;
    const std::byte* at;
    const std::byte* end;

    std::uint64_t varint() {
        if (at != end && *at < std::byte{0x80}) [[likely]] return std::to_integer<std::uint64_t>(*at++);
        std::uint64_t value = 0;
        at = load_varint(at, end, value);
        if (at == nullptr) [[unlikely]] segment.damaged("has a malformed number");
        return value;
    }
    std::uint8_t u8() {
        if (at == end) segment.damaged("has a block that ends too early");
        return std::to_integer<std::uint8_t>(*at++);
    }
    std::uint32_t u32() {
        if (end - at < 4) segment.damaged("has a block that ends too early");
        at += 4;
        return load_u32(at - 4);
    }
    std::string_view text(std::uint64_t length) {
        if (length > static_cast<std::uint64_t>(end - at)) [[unlikely]] segment.damaged("has a text that is too long");
        at += length;
        return {reinterpret_cast<const char*>(at) - length, static_cast<std::size_t>(length)};
    }
    std::string_view counted_text() { return text(varint()); }
};

}  // namespace northstar::inline v0::detail
