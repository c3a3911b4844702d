// front_code.hpp -- sorted strings, each by what it does not share with the one before.  Layer: cartridge.  Threads:
// values.
//
// A byte: how many bytes are shared (low four bits) and how many follow (high four bits); 15 in either means 15 and
// as many more as a varint says, that of the shared ones first. Then those that follow.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

template <class Container>
void write_front_coded(ByteWriter<Container>& out, std::string_view before, std::string_view text) {
    const std::size_t most = std::min(before.size(), text.size());
    std::size_t shared = 0;
    while (shared < most && before[shared] == text[shared]) ++shared;
    const std::size_t rest = text.size() - shared;
    out.u8(static_cast<std::uint8_t>(std::min<std::size_t>(shared, 15) | std::min<std::size_t>(rest, 15) << 4));
    if (shared >= 15) out.varint(shared - 15);
    if (rest >= 15) out.varint(rest - 15);
    out.text(text.substr(shared));
}

/// Turns a string into the one behind it. Throws Error(corrupt).
inline void read_front_coded(ByteReader& in, std::string& text) {
    const std::uint8_t both = in.u8();
    std::uint64_t shared = both & 15u;
    std::uint64_t rest = both >> 4;
    if (shared == 15) shared += in.varint();
    if (rest == 15) rest += in.varint();
    if (shared > text.size()) in.damaged("shares more than there is");
    text.resize(static_cast<std::size_t>(shared));
    text += in.text(rest);
}

}  // namespace northstar::inline v0::detail
