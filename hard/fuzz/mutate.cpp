#include "hard/fuzz/mutate.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::array<std::uint64_t, 12> k_special = {
    0, 1, 2, 7, 127, 128, 255, 4096, 65535, 0x7fffffff, 0xffffffff, ~std::uint64_t{0}};

/// Changes cluster where structure is: at the front of the input and of its pages.
std::size_t place(std::size_t size, Random& random) {
    std::size_t at = static_cast<std::size_t>(random.below(size));
    if (random.chance(1, 4)) at = at / 4096 * 4096 + static_cast<std::size_t>(random.below(64));
    return std::min(at, size - 1);
}

void store_number(Bytes& input, Random& random) {
    const std::size_t width = std::size_t{1} << random.below(4);
    if (input.size() < width) return;
    const std::size_t at = std::min(place(input.size(), random), input.size() - width);
    std::uint64_t value = 0;
    std::memcpy(&value, input.data() + at, width);
    switch (random.below(3)) {
        case 0: value = k_special[static_cast<std::size_t>(random.below(k_special.size()))]; break;
        case 1: value += random.between(1, 16); break;
        default: value -= random.between(1, 16); break;
    }
    std::memcpy(input.data() + at, &value, width);
}

void copy_piece(Bytes& input, std::span<const std::byte> from, std::size_t most, Random& random) {
    if (from.empty()) return;
    const std::size_t begin = static_cast<std::size_t>(random.below(from.size()));
    const std::size_t limit = std::min<std::size_t>(from.size() - begin, random.chance(1, 4) ? 5000 : 40);
    const auto size = static_cast<std::size_t>(random.between(1, limit));
    const Bytes piece(from.begin() + static_cast<std::ptrdiff_t>(begin),
                      from.begin() + static_cast<std::ptrdiff_t>(begin + size));
    const auto at = static_cast<std::size_t>(random.below(input.size() + 1));
    if (random.chance(1, 2) && input.size() + size <= most) {
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
    } else {
        std::copy_n(piece.begin(), std::min(size, input.size() - at), input.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

}  // namespace

void mutate(Bytes& input, std::span<const std::byte> other, std::size_t most, Random& random) {
    if (input.empty()) input.push_back(std::byte{0});
    for (std::uint64_t left = random.between(1, 4); left > 0; --left) {
        switch (random.below(8)) {
            case 0:
            case 1: input[place(input.size(), random)] ^= static_cast<std::byte>(1u << random.below(8)); break;
            case 2: input[place(input.size(), random)] = static_cast<std::byte>(random.below(256)); break;
            case 3:
            case 4: store_number(input, random); break;
            case 5: copy_piece(input, Bytes(input), most, random); break;
            case 6: copy_piece(input, other, most, random); break;
            default: {
                const std::size_t from = static_cast<std::size_t>(random.below(input.size()));
                const std::size_t size = static_cast<std::size_t>(random.between(1, 64));
                const std::size_t to = random.chance(1, 8) ? input.size() : std::min(input.size(), from + size);
                if (to - from == input.size()) break;
                input.erase(input.begin() + static_cast<std::ptrdiff_t>(from),
                            input.begin() + static_cast<std::ptrdiff_t>(to));
                break;
            }
        }
    }
}

}  // namespace northstar::hard
