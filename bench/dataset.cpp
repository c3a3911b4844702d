#include "dataset.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace bench {
namespace dataset_impl {

constexpr std::uint64_t k_most_misses = 1'000'000;
constexpr std::size_t k_pool_bytes = std::size_t{1} << 20;

}  // namespace dataset_impl

std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void KeyList::shuffle(std::uint64_t seed) {
    Random random(seed);
    std::array<char, k_key_size> held;
    for (std::size_t i = size(); i > 1; --i) {
        const auto j = static_cast<std::size_t>(random.below(i));
        char* a = bytes_.data() + (i - 1) * k_key_size;
        char* b = bytes_.data() + j * k_key_size;
        std::memcpy(held.data(), a, k_key_size);
        std::memmove(a, b, k_key_size);
        std::memcpy(b, held.data(), k_key_size);
    }
}

void KeyList::sort() {
    std::vector<std::array<char, k_key_size>> keys(size());
    std::memcpy(keys.data(), bytes_.data(), bytes_.size());
    std::sort(keys.begin(), keys.end());
    std::memcpy(bytes_.data(), keys.data(), bytes_.size());
}

std::string Dataset::key_of(std::uint64_t number) const {
    std::uint64_t bits = mix(number ^ (seed_ << 40));
    std::string key(k_key_size, '0');
    for (std::size_t i = k_key_size; i > 0; --i, bits >>= 4) key[i - 1] = "0123456789abcdef"[bits & 15];
    return key;
}

Dataset::Dataset(std::uint64_t entries, std::uint64_t seed) : entries_(entries), seed_(seed) {
    load_order_.reserve(static_cast<std::size_t>(entries));
    for (std::uint64_t i = 0; i < entries; ++i) load_order_.push_back(key_of(i));
    const std::uint64_t misses = std::min(entries, dataset_impl::k_most_misses);
    misses_.reserve(static_cast<std::size_t>(misses));
    for (std::uint64_t i = 0; i < misses; ++i) misses_.push_back(key_of(entries + i));
    ascending_ = load_order_;
    ascending_.sort();
    probes_ = load_order_;
    probes_.shuffle(seed + 1);
    updates_ = load_order_;
    updates_.shuffle(seed + 2);
    Random random(seed + 3);
    pool_.resize(dataset_impl::k_pool_bytes);
    for (char& byte : pool_) byte = static_cast<char>(random.next() & 0xff);
}

}  // namespace bench
