// dataset.hpp -- keys and values of a race: 16 hexadecimal digits, 100 bytes that do not compress.
//
// The key of number i is a bijective mix of i and the seed, so keys are unique, spread evenly, and the keys
// of numbers that were not loaded are misses from the same distribution. Everything is made before the clock
// starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine.hpp"

namespace bench {

inline constexpr std::size_t k_key_size = 16;
inline constexpr std::size_t k_value_size = 100;

std::uint64_t mix(std::uint64_t x) noexcept;

/// A small generator (SplitMix64): the same sequence everywhere for the same seed.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept { return mix(state_ += 0x9e3779b97f4a7c15u); }
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }

private:
    std::uint64_t state_;
};

/// Keys one behind the other in memory, in some order, handed out round and round.
class KeyList {
public:
    std::size_t size() const noexcept { return bytes_.size() / k_key_size; }
    std::string_view operator[](std::size_t i) const noexcept {
        return {bytes_.data() + i * k_key_size, k_key_size};
    }
    std::string_view next() noexcept {
        if (position_ == size()) position_ = 0;
        return (*this)[position_++];
    }
    void seek(std::size_t position) noexcept { position_ = position % size(); }
    void reserve(std::size_t keys) { bytes_.reserve(keys * k_key_size); }
    void push_back(std::string_view key) { bytes_.insert(bytes_.end(), key.begin(), key.end()); }
    void shuffle(std::uint64_t seed);
    void sort();

private:
    std::vector<char> bytes_;
    std::size_t position_ = 0;
};

class Dataset {
public:
    Dataset(std::uint64_t entries, std::uint64_t seed);
    std::uint64_t entries() const noexcept { return entries_; }
    std::uint64_t seed() const noexcept { return seed_; }
    KeyList& load_order() noexcept { return load_order_; }  ///< random
    KeyList& ascending() noexcept { return ascending_; }
    KeyList& probes() noexcept { return probes_; }    ///< the loaded keys in another random order
    KeyList& updates() noexcept { return updates_; }  ///< and in a third
    KeyList& misses() noexcept { return misses_; }
    /// The next of many different values.
    std::string_view value() noexcept {
        value_position_ += k_value_size + 1;
        if (value_position_ + k_value_size > pool_.size()) value_position_ %= k_value_size;
        return std::string_view(pool_).substr(value_position_, k_value_size);
    }
    std::string key_of(std::uint64_t number) const;

private:
    std::uint64_t entries_;
    std::uint64_t seed_;
    KeyList load_order_, ascending_, probes_, updates_, misses_;
    std::string pool_;
    std::size_t value_position_ = 0;
};

}  // namespace bench
