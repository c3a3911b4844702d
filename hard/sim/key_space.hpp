// key_space.hpp -- keys of many shapes and values of every size, for random work that is compared with a model.
//
// What the keys look like decides which ways the tree takes: it leaves out what the keys of a page begin with, cuts
// separators short, compares the first bytes alone where they differ, and has room for few keys at the limit. So each
// seed has one shape.
#pragma once

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "format/page.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>

namespace northstar::hard {

enum class KeyShape {
    numbered,         ///< short, with a number
    binary,           ///< 8 bytes of any kind
    hex,              ///< 16 digits
    long_beginnings,  ///< 130 bytes that share long beginnings of several lengths
    nested,           ///< each the beginning of others
    edge_bytes,       ///< few bytes, the least and the greatest, or none
    longest,          ///< as long as a key may be, alike up to the last bytes or different from the first one on
    paths,            ///< as those of a source tree
};
inline constexpr std::uint64_t k_key_shapes = 8;
inline KeyShape shape_of(std::uint64_t seed) { return static_cast<KeyShape>(seed % k_key_shapes); }

/// So many keys of one shape; which they are follows from the seed.
class KeySpace {
public:
    KeySpace(KeyShape shape, std::uint64_t count, std::size_t longest, std::uint64_t seed)
        : shape_(shape), count_(count), longest_(longest), seed_(seed) {}

    /// Any of them. `Chance` has below(limit).
    template <class Chance>
    std::string some(Chance& chance) const {
        std::string key = whole(chance.below(count_));
        key.resize(std::min(key.size(), longest_));
        return key;
    }

private:
    std::string whole(std::uint64_t number) const {
        detail::Random random(seed_ + number);
        switch (shape_) {
            case KeyShape::numbered: break;
            case KeyShape::binary: {
                std::string key(8, '\0');
                detail::store_u64(key.data(), random.next());
                return key;
            }
            case KeyShape::hex: return hex(random.next());
            case KeyShape::long_beginnings: {
                std::string key;
                while (key.size() < 114) key += letters(random, 19);
                return key + hex(number);
            }
            case KeyShape::nested: {
                const auto over = static_cast<char>('a' + number / longest_ % 26);
                return std::string(number % longest_, 'a') + over;
            }
            case KeyShape::edge_bytes: {
                std::string key(random.below(8), '\0');
                for (char& c : key) c = "\0\1\x7f\xff"[random.below(4)];
                return key;
            }
            case KeyShape::longest: return letters(random, longest_ - 16) + hex(number);
            case KeyShape::paths: return path(random) + std::to_string(number) + ".cpp";
        }
        return "k" + std::to_string(number);
    }

    static std::string hex(std::uint64_t number) {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
        return text;
    }
    /// One of a few texts of this size.
    static std::string letters(detail::Random& random, std::size_t size) {
        return std::string(size, static_cast<char>('a' + random.below(2)));
    }
    static std::string path(detail::Random& random) {
        static constexpr const char* k_folders[] = {"src", "test", "include", "third_party", "documentation", "tool"};
        std::string path;
        for (std::uint64_t depth = random.between(1, 6); depth > 0; --depth) {
            path += k_folders[random.below(std::size(k_folders))];
            path += '/';
        }
        return path;
    }

    KeyShape shape_;
    std::uint64_t count_;
    std::size_t longest_;
    std::uint64_t seed_;
};

/// Most are short; some lie at the borders of what a leaf, a page and several pages take.
template <class Chance>
std::size_t some_value_size(Chance& chance, std::size_t page_size) {
    const auto near = [&](std::size_t size) { return static_cast<std::size_t>(size - 20 + chance.below(40)); };
    switch (chance.below(60)) {
        case 0: return 0;
        case 1: return 1;
        case 2: return near(detail::max_inline_value_size(page_size));
        case 3: return near(page_size);
        case 4: return near(page_size * (2 + chance.below(4)));
        case 5: return chance.below(40) == 0 ? near(1u << 20) : 100 + chance.below(900);
        default: return chance.below(chance.below(5) == 0 ? 400 : 60);
    }
}

}  // namespace northstar::hard
