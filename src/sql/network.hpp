// network.hpp -- addresses of networks and of devices: inet, cidr and macaddr. Layer: sql. Threads: any.
//
// [NETWORK-1] The bytes of an inet or cidr: the family (2: IPv4, 3: IPv6), the address with the bits behind the mask
//             cleared, the length of the mask, the address. They are equal and order by memcmp as PostgreSQL compares
//             addresses: by family, by what the shorter mask covers, by the masks, by the rest. A cidr differs by its
//             type alone. The bytes of a macaddr are its six octets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

struct NetworkAddress {
    bool wide = false;  ///< IPv6
    int mask = 0;       ///< number of bits that name the network
    std::array<std::uint8_t, 16> octets{};

    std::size_t size() const { return wide ? 16 : 4; }
    int bits() const { return wide ? 128 : 32; }
    /// The address with its bits behind the first `length` cleared, and that mask.
    NetworkAddress network(int length) const;
    bool operator==(const NetworkAddress&) const = default;
};

/// Raises XX001 where bytes that were stored are no address.
NetworkAddress network_of_bytes(std::string_view bytes);
std::string network_to_bytes(const NetworkAddress& address);

/// Raises 22P02; of a cidr also where bits are set behind the mask.
NetworkAddress network_from_text(std::string_view text, bool cidr);
/// An inet leaves the mask out where it covers the whole address.
void network_to_text(const NetworkAddress& address, bool cidr, std::string& out);
/// The address alone.
void network_host_to_text(const NetworkAddress& address, std::string& out);
/// What abbrev makes of a cidr: without the octets behind the mask.
void network_short_to_text(const NetworkAddress& address, std::string& out);

inline constexpr std::size_t k_mac_octets = 6;
/// The same bytes; raises XX001 where they are not six.
std::string_view mac_of_bytes(std::string_view bytes);
/// The six octets. Raises 22P02 and, for an octet above 255, 22003.
std::string mac_from_text(std::string_view text);
void mac_to_text(std::string_view octets, std::string& out);

}  // namespace northstar::inline v0::sql
