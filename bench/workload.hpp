// workload.hpp -- small things that programs on the public interface write again and again.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "northstar.hpp"

namespace bench {

/// A number as eight bytes whose order is that of the numbers.
inline std::string big_endian(std::uint64_t number) {
    std::string bytes(8, '\0');
    for (std::size_t i = 8; i > 0; --i, number >>= 8) bytes[i - 1] = static_cast<char>(number & 0xff);
    return bytes;
}

inline std::uint64_t from_big_endian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (const char byte : bytes.substr(0, 8)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
}

/// Throws unless the statement holds: a workload that went wrong has no speed.
inline void must_hold(bool statement, const char* what) {
    if (!statement) throw std::runtime_error(what);
}

inline northstar::WriteOptions write_with(northstar::Durability durability) {
    northstar::WriteOptions options;
    options.durability = durability;
    return options;
}

}  // namespace bench
