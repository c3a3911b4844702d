// Addresses of networks and devices: parts of inet and cidr, containment, arithmetic; macaddr.
#include "sql/error.hpp"
#include "sql/network.hpp"
#include "sql/registry.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

namespace network_functions_file {

NetworkAddress address_of(const Value& value) { return network_of_bytes(value.bytes()); }

Value value_of(Call& call, const NetworkAddress& address) {
    return Value::bytes(call.result_type, call.arena.copy(network_to_bytes(address)));
}
Value text_of(Call& call, std::string_view text) { return Value::bytes(call.result_type, call.arena.copy(text)); }

// ---- parts ----

Value host(Call& call, const Value* a, std::size_t) {
    std::string text;
    network_host_to_text(address_of(a[0]), text);
    return text_of(call, text);
}
/// With its mask always, unlike what a client is shown.
Value show(Call& call, const Value* a, std::size_t) {
    std::string text;
    network_to_text(address_of(a[0]), true, text);
    return text_of(call, text);
}
Value abbreviate_inet(Call& call, const Value* a, std::size_t) {
    std::string text;
    network_to_text(address_of(a[0]), false, text);
    return text_of(call, text);
}
Value abbreviate_cidr(Call& call, const Value* a, std::size_t) {
    std::string text;
    network_short_to_text(address_of(a[0]), text);
    return text_of(call, text);
}
Value family(Call&, const Value* a, std::size_t) { return Value::int4(address_of(a[0]).wide ? 6 : 4); }
Value mask_length(Call&, const Value* a, std::size_t) { return Value::int4(address_of(a[0]).mask); }

Value network(Call& call, const Value* a, std::size_t) {
    const NetworkAddress address = address_of(a[0]);
    return value_of(call, address.network(address.mask));
}
/// All bits of the mask set.
NetworkAddress mask_of(NetworkAddress address) {
    address.octets.fill(0xff);
    return address.network(address.mask);
}
/// All bits behind the mask set.
NetworkAddress last_of(NetworkAddress address) {
    const NetworkAddress mask = mask_of(address);
    for (std::size_t i = 0; i < address.size(); ++i)
        address.octets[i] = static_cast<std::uint8_t>(address.octets[i] | ~mask.octets[i]);
    return address;
}
Value broadcast(Call& call, const Value* a, std::size_t) {
    return value_of(call, last_of(address_of(a[0])));
}
Value host_mask(Call& call, const Value* a, std::size_t) {
    NetworkAddress address = address_of(a[0]);
    address.octets.fill(0);
    address = last_of(address);
    address.mask = address.bits();
    return value_of(call, address);
}
Value net_mask(Call& call, const Value* a, std::size_t) {
    NetworkAddress address = mask_of(address_of(a[0]));
    address.mask = address.bits();
    return value_of(call, address);
}
/// -1 is the whole address. A cidr loses the bits behind its new mask.
template <bool Cidr>
Value set_mask(Call& call, const Value* a, std::size_t) {
    NetworkAddress address = address_of(a[0]);
    const std::int64_t mask = a[1].integer() == -1 ? address.bits() : a[1].integer();
    if (mask < 0 || mask > address.bits())
        raise(sqlstate::invalid_parameter_value, "invalid mask length: " + std::to_string(mask));
    address.mask = static_cast<int>(mask);
    return value_of(call, Cidr ? address.network(address.mask) : address);
}

// ---- two addresses ----

/// Do the first `mask` bits of both say the same?
bool same_network(const NetworkAddress& a, const NetworkAddress& b, int mask) {
    return a.wide == b.wide && a.network(mask).octets == b.network(mask).octets;
}
Value within(Call&, const Value* a, std::size_t) {
    const NetworkAddress left = address_of(a[0]), right = address_of(a[1]);
    return Value::boolean(left.mask > right.mask && same_network(left, right, right.mask));
}
Value within_or_equal(Call&, const Value* a, std::size_t) {
    const NetworkAddress left = address_of(a[0]), right = address_of(a[1]);
    return Value::boolean(left.mask >= right.mask && same_network(left, right, right.mask));
}
Value contains(Call& call, const Value* a, std::size_t count) {
    const Value turned[] = {a[1], a[0]};
    return within(call, turned, count);
}
Value contains_or_equal(Call& call, const Value* a, std::size_t count) {
    const Value turned[] = {a[1], a[0]};
    return within_or_equal(call, turned, count);
}
Value overlaps(Call&, const Value* a, std::size_t) {
    const NetworkAddress left = address_of(a[0]), right = address_of(a[1]);
    return Value::boolean(same_network(left, right, std::min(left.mask, right.mask)));
}
Value same_family(Call&, const Value* a, std::size_t) {
    return Value::boolean(address_of(a[0]).wide == address_of(a[1]).wide);
}
/// The smallest network that has both in it.
Value merge(Call& call, const Value* a, std::size_t) {
    const NetworkAddress left = address_of(a[0]), right = address_of(a[1]);
    if (left.wide != right.wide)
        raise(sqlstate::invalid_parameter_value, "cannot merge addresses from different families");
    int mask = std::min(left.mask, right.mask);
    while (!same_network(left, right, mask)) --mask;
    return value_of(call, left.network(mask));
}

// ---- arithmetic ----

Value invert(Call& call, const Value* a, std::size_t) {
    NetworkAddress address = address_of(a[0]);
    for (std::size_t i = 0; i < address.size(); ++i) address.octets[i] = static_cast<std::uint8_t>(~address.octets[i]);
    return value_of(call, address);
}
template <bool And>
Value combine(Call& call, const Value* a, std::size_t) {
    NetworkAddress left = address_of(a[0]);
    const NetworkAddress right = address_of(a[1]);
    if (left.wide != right.wide) {
        raise(sqlstate::invalid_parameter_value,
              std::string("cannot ") + (And ? "AND" : "OR") + " inet values of different sizes");
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
        left.octets[i] = static_cast<std::uint8_t>(And ? left.octets[i] & right.octets[i]
                                                       : left.octets[i] | right.octets[i]);
    }
    left.mask = std::max(left.mask, right.mask);
    return value_of(call, left);
}
[[noreturn]] void out_of_range() { raise(sqlstate::numeric_value_out_of_range, "result is out of range"); }

/// The address that lies `by` further on.
Value moved(Call& call, NetworkAddress address, std::int64_t by) {
    int carry = 0;
    for (std::size_t i = address.size(); i-- > 0;) {
        carry += address.octets[i] + static_cast<int>(by & 0xff);
        address.octets[i] = static_cast<std::uint8_t>(carry & 0xff);
        carry >>= 8;
        by >>= 8;
    }
    // What is left of the number is its sign, and the carry takes that back.
    if (by + carry != 0) out_of_range();
    return value_of(call, address);
}
Value plus(Call& call, const Value* a, std::size_t) { return moved(call, address_of(a[0]), a[1].integer()); }
Value plus_reversed(Call& call, const Value* a, std::size_t) { return moved(call, address_of(a[1]), a[0].integer()); }
Value minus(Call& call, const Value* a, std::size_t) {
    const auto negated = static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a[1].integer()));
    return moved(call, address_of(a[0]), negated);
}
Value distance(Call&, const Value* a, std::size_t) {
    const NetworkAddress left = address_of(a[0]), right = address_of(a[1]);
    if (left.wide != right.wide)
        raise(sqlstate::invalid_parameter_value, "cannot subtract inet values of different sizes");
    std::uint64_t low = 0;
    int borrow = 0;
    std::size_t done = 0;
    for (std::size_t i = left.size(); i-- > 0; ++done) {
        const int octet = left.octets[i] - right.octets[i] - borrow;
        borrow = octet < 0 ? 1 : 0;
        const auto byte = static_cast<std::uint8_t>(octet & 0xff);
        if (done < 8) low |= std::uint64_t{byte} << (done * 8);
        else if (byte != (low >> 63 != 0 ? 0xff : 0)) out_of_range();
    }
    if (done < 8 && borrow != 0) low |= ~std::uint64_t{0} << (done * 8);
    return Value::int8(static_cast<std::int64_t>(low));
}

// ---- devices ----

template <class Combine>
Value combine_octets(Call& call, const Value* a, Combine combine) {
    std::string octets(mac_of_bytes(a[0].bytes()));
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(combine(i));
    return text_of(call, octets);
}
Value mac_and(Call& call, const Value* a, std::size_t) {
    const std::string_view left = mac_of_bytes(a[0].bytes()), right = mac_of_bytes(a[1].bytes());
    return combine_octets(call, a, [&](std::size_t i) { return left[i] & right[i]; });
}
Value mac_or(Call& call, const Value* a, std::size_t) {
    const std::string_view left = mac_of_bytes(a[0].bytes()), right = mac_of_bytes(a[1].bytes());
    return combine_octets(call, a, [&](std::size_t i) { return left[i] | right[i]; });
}
Value mac_not(Call& call, const Value* a, std::size_t) {
    return combine_octets(call, a, [&](std::size_t i) { return ~a[0].bytes()[i]; });
}
/// Keeps the three octets of the manufacturer.
Value mac_truncate(Call& call, const Value* a, std::size_t) {
    return combine_octets(call, a, [&](std::size_t i) { return i < 3 ? int{a[0].bytes()[i]} : 0; });
}

constexpr FunctionSource k_functions[] = {
    {"host(inet) text", &host},
    {"text(inet) text", &show},
    {"abbrev(inet) text", &abbreviate_inet},
    {"abbrev(cidr) text", &abbreviate_cidr},
    {"family(inet) int4", &family},
    {"masklen(inet) int4", &mask_length},
    {"network(inet) cidr", &network},
    {"cidr(inet) cidr", &network},
    {"broadcast(inet) inet", &broadcast},
    {"hostmask(inet) inet", &host_mask},
    {"netmask(inet) inet", &net_mask},
    {"set_masklen(inet,int4) inet", &set_mask<false>},
    {"set_masklen(cidr,int4) cidr", &set_mask<true>},
    {"inet_same_family(inet,inet) bool", &same_family},
    {"inet_merge(inet,inet) cidr", &merge},
    {"trunc(macaddr) macaddr", &mac_truncate},
};

constexpr OperatorSource k_operators[] = {
    {"inet << inet bool", &within, "network_sub"},
    {"inet <<= inet bool", &within_or_equal, "network_subeq"},
    {"inet >> inet bool", &contains, "network_sup"},
    {"inet >>= inet bool", &contains_or_equal, "network_supeq"},
    {"inet && inet bool", &overlaps, "network_overlap"},
    {"- ~ inet inet", &invert, "inetnot"},
    {"inet & inet inet", &combine<true>, "inetand"},
    {"inet | inet inet", &combine<false>, "inetor"},
    {"inet + int8 inet", &plus, "inetpl"},
    {"int8 + inet inet", &plus_reversed, "int8pl_inet"},
    {"inet - int8 inet", &minus, "inetmi_int8"},
    {"inet - inet int8", &distance, "inetmi"},
    {"macaddr & macaddr macaddr", &mac_and, "macaddr_and"},
    {"macaddr | macaddr macaddr", &mac_or, "macaddr_or"},
    {"- ~ macaddr macaddr", &mac_not, "macaddr_not"},
};

constexpr CastSource k_casts[] = {
    {"cidr inet i"},
    {"inet cidr a", &network},
    {"inet text a", &show},
    {"inet varchar a", &show},
    {"inet bpchar a", &show},
    {"cidr text a", &show},
    {"cidr varchar a", &show},
    {"cidr bpchar a", &show},
};

}  // namespace network_functions_file

std::span<const FunctionSource> network_functions() { return network_functions_file::k_functions; }
std::span<const OperatorSource> network_operators() { return network_functions_file::k_operators; }
std::span<const CastSource> network_casts() { return network_functions_file::k_casts; }

}  // namespace northstar::inline v0::sql
