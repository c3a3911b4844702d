// vector_support.hpp -- sets of vectors, and the nearest of them found by looking at each.
#pragma once

#include "txn_support.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace vector_test {

using namespace northstar;

/// Any vector, as numbers; a space says how it is kept.
using Numbers = std::vector<float>;

inline Embedding embedding(const EmbeddingSpace& space, const Numbers& numbers) {
    if (space.element == VectorElement::f32) return {space, std::span<const float>(numbers)};
    if (space.element == VectorElement::i8) {
        const std::vector<std::int8_t> bytes(numbers.begin(), numbers.end());
        return {space, std::span<const std::int8_t>(bytes)};
    }
    const std::vector<std::uint8_t> bytes(numbers.begin(), numbers.end());
    return {space, std::span<const std::uint8_t>(bytes)};
}

/// Distances as VectorAnswer has them, one number after the other.
inline double distance(VectorMetric metric, const Numbers& a, const Numbers& b) {
    double l2 = 0;
    double dot = 0;
    double length_a = 0;
    double length_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        l2 += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
        dot += double{a[i]} * double{b[i]};
        length_a += double{a[i]} * double{a[i]};
        length_b += double{b[i]} * double{b[i]};
    }
    if (metric == VectorMetric::l2) return l2;
    return 1 - (metric == VectorMetric::cosine ? dot / std::sqrt(length_a * length_b) : dot);
}

using Model = std::map<std::string, Numbers>;

struct Near {
    double distance = 0;
    std::string key;
    auto operator<=>(const Near&) const = default;
};

/// The k nearest of those that pass, by distance and then by key.
template <class Passes>
std::vector<Near> nearest(const Model& model, VectorMetric metric, const Numbers& query, std::size_t k,
                          Passes&& passes) {
    std::vector<Near> all;
    for (const auto& [key, numbers] : model) {
        if (passes(key)) all.push_back({distance(metric, query, numbers), key});
    }
    std::sort(all.begin(), all.end());
    if (all.size() > k) all.resize(k);
    return all;
}

/// Numbers around one of several centres: whole ones, so that sums of their products are exact in a float.
class Clouds {
public:
    Clouds(std::uint64_t seed, std::uint32_t dimensions, std::uint32_t centres, VectorElement element)
        : dice_(seed), low_(element == VectorElement::u8 ? 0 : -60), high_(element == VectorElement::u8 ? 120 : 60) {
        for (std::uint32_t i = 0; i < centres; ++i) {
            Numbers& centre = centres_.emplace_back();
            for (std::uint32_t j = 0; j < dimensions; ++j) centre.push_back(between(low_, high_));
        }
    }
    Numbers draw() {
        Numbers numbers = centres_[dice_.below(centres_.size())];
        for (float& number : numbers) {
            const float near = number + between(-30, 30);
            number = std::clamp(near, static_cast<float>(low_), static_cast<float>(high_));
        }
        numbers[0] = std::max(numbers[0], 1.0f);  // never all zero
        return numbers;
    }
    txn_test::Dice& dice() { return dice_; }

private:
    float between(int low, int high) {
        return static_cast<float>(low + static_cast<int>(dice_.below(static_cast<std::uint64_t>(high - low + 1))));
    }
    txn_test::Dice dice_;
    int low_;
    int high_;
    std::vector<Numbers> centres_;
};

/// "v00042"
inline std::string key_of(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return "v" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

inline Model fill(Database& db, const EmbeddingSpace& space, Clouds& clouds, std::uint64_t count,
                  const std::string& tree = "vectors") {
    Model model;
    Transaction tx = db.begin_write();
    WritableTree out = tx.tree(tree);
    for (std::uint64_t i = 0; i < count; ++i) {
        const Numbers& numbers = model[key_of(i)] = clouds.draw();
        out.put(key_of(i), embedding(space, numbers).value());
    }
    tx.commit();
    return model;
}

inline CartridgeParameters parameters(const EmbeddingSpace& space, const CartridgeParameters& more = {}) {
    constexpr const char* elements[] = {"f32", "i8", "u8"};
    CartridgeParameters all = {{"model", space.model},
                               {"dimensions", std::to_string(space.dimensions)},
                               {"element", elements[static_cast<int>(space.element)]},
                               {"normalised", space.normalised ? "yes" : "no"}};
    for (const auto& [name, value] : more) all[name] = value;
    return all;
}

/// Which share of `expected` is in an answer.
inline double recall(const VectorAnswer& answer, const std::vector<Near>& expected) {
    if (expected.empty()) return 1;
    const auto found = std::count_if(expected.begin(), expected.end(), [&](const Near& near) {
        return std::any_of(answer.rows.begin(), answer.rows.end(),
                           [&](const VectorAnswer::Row& row) { return row.key == near.key; });
    });
    return static_cast<double>(found) / static_cast<double>(expected.size());
}

}  // namespace vector_test
