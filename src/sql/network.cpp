#include "sql/network.hpp"

#include "sql/error.hpp"
#include "sql/scalar_text.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace network_file {

constexpr char k_narrow = 2, k_wide = 3;  // as PostgreSQL numbers the families where values travel

using Word = unsigned;

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored address is malformed"); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_of(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Digits at the front of `rest` as a number of at most `limit`; nothing where there is none or it is larger.
std::optional<int> take_number(std::string_view& rest, int limit) {
    if (rest.empty() || !is_digit(rest[0])) return std::nullopt;
    int number = 0;
    for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1)) {
        number = number * 10 + (rest[0] - '0');
        if (number > limit) return std::nullopt;
    }
    return number;
}

/// Octets in decimal, up to a mask or the end. A cidr ends with a digit, an inet may end with a dot.
std::optional<std::size_t> take_octets(std::string_view& rest, NetworkAddress& address, bool cidr) {
    std::size_t count = 0;
    while (!rest.empty() && is_digit(rest[0])) {
        const std::optional<int> octet = take_number(rest, 255);
        if (!octet || count == 4) return std::nullopt;
        address.octets[count++] = static_cast<std::uint8_t>(*octet);
        if (rest.empty() || rest[0] == '/') return count;
        if (rest[0] != '.') return std::nullopt;
        rest.remove_prefix(1);
        if (cidr && (rest.empty() || !is_digit(rest[0]))) return std::nullopt;
    }
    return count;
}

/// Octets of a cidr as 0x and hexadecimal digits.
std::optional<std::size_t> take_hexadecimal(std::string_view& rest, NetworkAddress& address) {
    rest.remove_prefix(2);
    std::size_t digits = 0;
    for (; !rest.empty() && hex_of(rest[0]) >= 0; rest.remove_prefix(1), ++digits) {
        if (digits == 8) return std::nullopt;
        address.octets[digits / 2] = static_cast<std::uint8_t>(
            address.octets[digits / 2] | hex_of(rest[0]) << (digits % 2 == 0 ? 4 : 0));
    }
    return (digits + 1) / 2;
}

/// The mask that the class of the network means, no shorter than the octets that were written.
int mask_of_class(std::uint8_t first, std::size_t octets) {
    int mask = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
    mask = std::max(mask, static_cast<int>(octets) * 8);
    return mask == 8 && first == 224 ? 4 : mask;
}

std::optional<NetworkAddress> narrow_from_text(std::string_view rest, bool cidr) {
    NetworkAddress address;
    const bool hexadecimal = cidr && rest.size() > 2 && rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X') &&
                             hex_of(rest[2]) >= 0;
    const std::optional<std::size_t> octets =
        hexadecimal ? take_hexadecimal(rest, address) : take_octets(rest, address, cidr);
    if (!octets || *octets == 0) return std::nullopt;
    if (!rest.empty()) {
        if (rest[0] != '/') return std::nullopt;
        rest.remove_prefix(1);
        const std::optional<int> mask = take_number(rest, 32);
        if (!mask || !rest.empty()) return std::nullopt;
        if (!cidr && static_cast<std::size_t>(*mask / 8) > *octets) return std::nullopt;
        address.mask = *mask;
        return address;
    }
    if (!cidr && *octets != 4) return std::nullopt;
    address.mask = cidr ? mask_of_class(address.octets[0], *octets) : 32;
    return address;
}

/// A number without zeros before it that ends the text.
std::optional<int> plain_number(std::string_view text, int limit) {
    if (text.size() > 1 && text[0] == '0') return std::nullopt;
    const std::optional<int> number = take_number(text, limit);
    return text.empty() ? number : std::nullopt;
}

/// Four octets in decimal at the end of an IPv6 address.
bool take_narrow_tail(std::string_view text, std::uint8_t* to) {
    for (int i = 0; i < 4; ++i) {
        const std::size_t end = i < 3 ? text.find('.') : text.size();
        if (end == std::string_view::npos) return false;
        const std::optional<int> octet = plain_number(text.substr(0, end), 255);
        if (!octet) return false;
        to[i] = static_cast<std::uint8_t>(*octet);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
}

std::optional<NetworkAddress> wide_from_text(std::string_view text) {
    NetworkAddress address;
    address.wide = true;
    address.mask = 128;
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
        const std::optional<int> mask = plain_number(text.substr(slash + 1), 128);
        if (!mask) return std::nullopt;
        address.mask = *mask;
        text = text.substr(0, slash);
    }
    std::array<std::uint8_t, 16>& octets = address.octets;
    std::size_t count = 0;
    std::optional<std::size_t> gap;  ///< where :: stands for zeros
    std::size_t at = 0;
    if (text.starts_with(':')) {
        if (!text.starts_with("::")) return std::nullopt;
        at = 1;
    }
    while (at < text.size()) {
        if (text[at] == ':') {
            if (gap) return std::nullopt;
            gap = count;
            ++at;
            continue;
        }
        Word group = 0;
        std::size_t end = at;
        for (; end < text.size() && hex_of(text[end]) >= 0; ++end)
            group = group << 4 | static_cast<Word>(hex_of(text[end]));
        if (end < text.size() && text[end] == '.') {
            if (count > 12 || !take_narrow_tail(text.substr(at), &octets[count])) return std::nullopt;
            count += 4;
            break;
        }
        if (end == at || end - at > 4 || count == 16) return std::nullopt;
        octets[count++] = static_cast<std::uint8_t>(group >> 8);
        octets[count++] = static_cast<std::uint8_t>(group & 0xff);
        if (end == text.size()) break;
        at = end + 1;
        if (text[end] != ':' || at == text.size()) return std::nullopt;
    }
    if (gap.has_value() == (count == 16)) return std::nullopt;
    if (gap) {
        const auto from = octets.begin() + static_cast<std::ptrdiff_t>(*gap);
        std::rotate(from, octets.begin() + static_cast<std::ptrdiff_t>(count), octets.end());
    }
    return address;
}

struct Run {
    std::size_t begin = 0;
    std::size_t length = 0;
};
/// The longest run of words that are zero, the first one of those.
Run longest_zeros(const std::array<Word, 8>& words, std::size_t count) {
    Run best, run;
    for (std::size_t i = 0; i < count; ++i) {
        run = words[i] != 0 ? Run() : run.length == 0 ? Run{i, 1} : Run{run.begin, run.length + 1};
        if (run.length > best.length) best = run;
    }
    return best;
}

std::array<Word, 8> words_of(const NetworkAddress& address) {
    std::array<Word, 8> words{};
    for (std::size_t i = 0; i < 8; ++i)
        words[i] = static_cast<Word>(address.octets[i * 2]) << 8 | address.octets[i * 2 + 1];
    return words;
}

void put_hexadecimal(Word word, std::string& out) {
    static constexpr char k_digits[] = "0123456789abcdef";
    bool begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        const Word digit = word >> shift & 15;
        begun = begun || digit != 0 || shift == 0;
        if (begun) out += k_digits[digit];
    }
}

void put_octets(const std::uint8_t* octets, std::size_t count, std::string& out) {
    for (std::size_t i = 0; i < count; ++i) {
        if (i != 0) out += '.';
        integer_to_text(octets[i], out);
    }
}

void wide_to_text(const NetworkAddress& address, std::string& out) {
    const std::array<Word, 8> words = words_of(address);
    Run zeros = longest_zeros(words, 8);
    if (zeros.length < 2) zeros = Run();
    // An IPv4 address inside of an IPv6 one is written as such.
    const bool narrow_tail = zeros.begin == 0 && (zeros.length == 6 || (zeros.length == 7 && words[7] != 1) ||
                                                  (zeros.length == 5 && words[5] == 0xffff));
    for (std::size_t i = 0; i < 8; ++i) {
        if (i >= zeros.begin && i < zeros.begin + zeros.length) {
            if (i == zeros.begin) out += ':';
            continue;
        }
        if (i != 0) out += ':';
        if (narrow_tail && i == 6) {
            put_octets(&address.octets[12], 4, out);
            return;
        }
        put_hexadecimal(words[i], out);
    }
    if (zeros.length != 0 && zeros.begin + zeros.length == 8) out += ':';
}

/// The words that the mask reaches, at least two; a run of zeros among them is left out.
void short_wide_to_text(const NetworkAddress& address, std::string& out) {
    if (address.mask == 0) {
        out += "::";
        return;
    }
    const std::array<Word, 8> words = words_of(address);
    const std::size_t count = std::max<std::size_t>(2, static_cast<std::size_t>(address.mask + 15) / 16);
    const Run zeros = longest_zeros(words, count);
    const bool narrow_tail = zeros.length != count && zeros.begin == 0 &&
                             (zeros.length == 6 || (zeros.length == 5 && words[5] == 0xffff) ||
                              (zeros.length == 7 && words[7] >> 8 != 0 && (words[7] & 0xff) != 1));
    const std::size_t start = out.size();
    for (std::size_t i = 0; i < count; ++i) {
        if (i >= zeros.begin && i < zeros.begin + zeros.length) {
            if (i == zeros.begin) out += ':';
            if (i == count - 1) out += ':';
        } else if (narrow_tail && i > 5) {
            out += i == 6 ? ':' : '.';
            put_octets(&address.octets[i * 2], i != 7 || address.mask > 120 ? 2 : 1, out);
        } else {
            if (out.size() != start) out += ':';
            put_hexadecimal(words[i], out);
        }
    }
}

[[noreturn]] void bad_mac(std::string_view text) { raise_bad_text("macaddr", text); }

}  // namespace network_file

NetworkAddress NetworkAddress::network(int length) const {
    NetworkAddress result = *this;
    result.mask = length;
    for (std::size_t i = 0; i < size(); ++i) {
        const int kept = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
        result.octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00 >> kept & 0xff));
    }
    return result;
}

NetworkAddress network_of_bytes(std::string_view bytes) {
    NetworkAddress address;
    address.wide = !bytes.empty() && bytes[0] == network_file::k_wide;
    const std::size_t size = address.size();
    if (bytes.size() != 2 + 2 * size) network_file::damaged();
    address.mask = static_cast<unsigned char>(bytes[1 + size]);
    if (address.mask > address.bits()) network_file::damaged();
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(2 + size), size,
                reinterpret_cast<char*>(address.octets.data()));
    return address;
}

std::string network_to_bytes(const NetworkAddress& address) {
    const auto append = [size = address.size()](const NetworkAddress& from, std::string& to) {
        to.append(reinterpret_cast<const char*>(from.octets.data()), size);
    };
    std::string bytes(1, address.wide ? network_file::k_wide : network_file::k_narrow);
    append(address.network(address.mask), bytes);
    bytes += static_cast<char>(address.mask);
    append(address, bytes);
    return bytes;
}

NetworkAddress network_from_text(std::string_view text, bool cidr) {
    using namespace network_file;
    const bool wide = text.find(':') != std::string_view::npos;
    const std::optional<NetworkAddress> address = wide ? wide_from_text(text) : narrow_from_text(text, cidr);
    if (!address) raise_bad_text(cidr ? "cidr" : "inet", text);
    if (cidr && address->network(address->mask) != *address) {
        raise(sqlstate::invalid_text_representation, "invalid cidr value: \"" + std::string(text) + '"',
              "Value has bits set to right of mask.");
    }
    return *address;
}

void network_host_to_text(const NetworkAddress& address, std::string& out) {
    if (address.wide) network_file::wide_to_text(address, out);
    else network_file::put_octets(address.octets.data(), 4, out);
}

void network_to_text(const NetworkAddress& address, bool cidr, std::string& out) {
    network_host_to_text(address, out);
    if (!cidr && address.mask == address.bits()) return;
    out += '/';
    integer_to_text(address.mask, out);
}

void network_short_to_text(const NetworkAddress& address, std::string& out) {
    if (address.wide) network_file::short_wide_to_text(address, out);
    else if (address.mask == 0) out += '0';
    else network_file::put_octets(address.octets.data(), static_cast<std::size_t>(address.mask + 7) / 8, out);
    out += '/';
    integer_to_text(address.mask, out);
}

std::string mac_from_text(std::string_view text) {
    using namespace network_file;
    const std::string_view written = trim_blanks(text);
    const std::size_t mark_at = written.find_first_of(":-.");
    const char mark = mark_at == std::string_view::npos ? '\0' : written[mark_at];
    const std::size_t groups = 1 + static_cast<std::size_t>(std::count(written.begin(), written.end(), mark));
    const bool known = groups == 1 || (groups == 3 && mark != ':') || ((groups == 2 || groups == 6) && mark != '.');
    if (!known) bad_mac(text);
    std::string octets;
    std::string_view rest = written;
    for (std::size_t group = 0; group < groups; ++group) {
        const std::size_t end = std::min(rest.find(mark), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        // An octet of its own may have one digit, others have two.
        const bool alone = groups == 6;
        if (part.empty() || (!alone && part.size() != 12 / groups)) bad_mac(text);
        unsigned value = 0;
        for (std::size_t i = 0; i < part.size(); ++i) {
            if (hex_of(part[i]) < 0) bad_mac(text);
            value = (value << 4 | static_cast<unsigned>(hex_of(part[i]))) & 0xfffff;
            if (!alone && i % 2 == 1) octets += static_cast<char>(value & 0xff);
        }
        if (!alone) continue;
        if (value > 0xff) {
            raise(sqlstate::numeric_value_out_of_range,
                  "invalid octet value in \"macaddr\" value: \"" + std::string(text) + '"');
        }
        octets += static_cast<char>(value);
    }
    return octets;
}

std::string_view mac_of_bytes(std::string_view bytes) {
    if (bytes.size() != k_mac_octets) network_file::damaged();
    return bytes;
}

void mac_to_text(std::string_view octets, std::string& out) {
    static constexpr char k_digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < octets.size(); ++i) {
        if (i != 0) out += ':';
        out += k_digits[static_cast<unsigned char>(octets[i]) >> 4];
        out += k_digits[static_cast<unsigned char>(octets[i]) & 15];
    }
}

}  // namespace northstar::inline v0::sql
