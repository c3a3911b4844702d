// vector_space.hpp -- which space vectors are of, and what a cartridge of them is built with.  Layer: cartridge.
// Threads: any.
//
// Value of an entry: u8 'v', u8 version 1, u8 element, u8 normalised, varint dimensions, counted model, then the
// numbers, little-endian.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::uint32_t k_most_dimensions = 32768;
/// Numbers of so few dimensions are kept as floats: a byte of each would tell too few rows apart.
inline constexpr std::uint32_t k_few_dimensions = 8;
inline constexpr std::size_t k_longest_model_name = 200;

/// How a row is kept: what a search compares, or what its best are compared again by.
enum class VectorCodes : std::uint8_t { none = 0, f32 = 1, bf16 = 2, i8 = 3, u8 = 4, bit = 5 };

constexpr std::size_t element_size(VectorElement element) { return element == VectorElement::f32 ? 4 : 1; }

/// A value taken apart; views of it.
struct VectorValue {
    VectorElement element = VectorElement::f32;
    bool normalised = false;
    std::uint32_t dimensions = 0;
    std::string_view model;
    std::string_view elements;
    bool is_of(const EmbeddingSpace& space) const {
        return dimensions == space.dimensions && element == space.element && normalised == space.normalised &&
               model == space.model;
    }
    EmbeddingSpace space() const { return {std::string(model), dimensions, element, normalised}; }
};

/// Throws Error(invalid_argument) where a value is no vector, or its numbers are not those of its space.
VectorValue parse_vector_value(std::string_view value);
/// The numbers of a value as floats, exactly.
void vector_floats(VectorElement element, std::string_view elements, std::vector<float>& out);
/// Divides by the length; zeros alone stay. The same result on every machine: products of floats are exact in double,
/// and are summed in order.
void normalise_vector(std::vector<float>& elements);

/// The parameters of the kind, with what follows from them.
struct VectorParameters {
    std::string tree;
    EmbeddingSpace space;
    VectorMetric metric = VectorMetric::cosine;
    VectorCodes codes = VectorCodes::i8;
    VectorCodes rerank = VectorCodes::f32;
    std::uint32_t links = 0;        ///< on level 0; half of it above
    std::uint32_t build_width = 0;
    /// The codes are the vectors themselves: nothing is lost.
    bool native() const { return space.element != VectorElement::f32 && metric != VectorMetric::cosine; }
    /// Distances of the answer are those of the vectors.
    bool exact() const { return native() || codes == VectorCodes::f32 || rerank == VectorCodes::f32; }
};

/// Throws Error(invalid_argument) for parameters that make no sense.
VectorParameters read_vector_parameters(const CartridgeParameters& parameters);

}  // namespace northstar::inline v0::detail
