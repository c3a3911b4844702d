// vector_codes.hpp -- how the rows of a cartridge of vectors are written, and queries to compare with them.
// Layer: cartridge.  Threads: any.
//
// A vector has up to two forms: *codes*, which a search compares, and an *exact* one, by which the best of a search are
// compared again and small sets are compared at once. Where the codes are exact there is no second form.
// [VECTOR-2] Both forms, and the scale that codes have, are functions of the vectors alone: no sum depends on threads,
//            and no product of floats is rounded together with a sum.
//
// i8 codes of floats are round(x * scale), clipped to -127 .. 127, but for those of a query; the scale is such that one
// number in 1024 is clipped; under ip one in 4096, since the longest vectors, whose numbers these are, are the nearest.
// Under l2 they are kept as x + 128, so that all whole numbers under l2 are u8: differences are the same.
// Bits are the signs of (vector - mean), turned by a random rotation: a random sign for each number, then the
// Walsh-Hadamard transform, over the next power of two of numbers. (Gao, Long: RaBitQ, SIGMOD 2024, section 3, without
// its factors for each vector: rerank makes good what they would.)
#pragma once

#include "cartridge/vector_distance.hpp"
#include "cartridge/vector_space.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// A query in both forms.
struct PreparedQuery {
    std::vector<std::int16_t> whole;   // codes i8, u8
    std::vector<float> floats;         // codes f32, bf16; the exact form
    std::vector<std::uint64_t> bits;   // codes bit
    const void* codes = nullptr;       // the one of these that codes are compared with
    const void* exact = nullptr;
    std::vector<float> numbers;        // room
};

/// How rows of one form lie side by side.
struct RowForm {
    DistanceKind kind = DistanceKind::l2_u8;
    std::size_t stride = 0;  ///< bytes from row to row
    std::size_t length = 0;  ///< numbers (bits: words) that are compared
};

class VectorCoder {
public:
    /// `scale`, `mean`: of the artifact; mean is empty unless codes are bits.
    VectorCoder(const VectorParameters& parameters, float scale, std::vector<float> mean);

    const RowForm& codes() const { return codes_; }
    /// That of the codes where there is no second one.
    const RowForm& exact() const { return exact_; }
    bool has_exact() const { return parameters_.rerank != VectorCodes::none; }

    /// The numbers of a vector as they are coded: normalised where only the direction counts. Not for native codes.
    void numbers_of(std::string_view elements, std::vector<float>& numbers) const;
    /// Writes a vector's codes; numbers is room, and holds numbers_of() afterwards where codes are not native.
    void write_codes(std::string_view elements, unsigned char* row, std::vector<float>& numbers) const;
    /// Writes the exact form of numbers_of().
    void write_exact(std::span<const float> numbers, unsigned char* row) const;
    void prepare(std::string_view elements, PreparedQuery& query) const;
    /// The same of query.numbers: a vector's, normalised where only the direction counts.
    void prepare_numbers(PreparedQuery& query) const;
    /// A row as a query. `exact`: its second form; unused where there is none.
    void query_of_row(const unsigned char* codes, const unsigned char* exact, PreparedQuery& query) const;
    /// A row of whole numbers as a query: i16, length of them.
    void widen(const unsigned char* row, std::int16_t* query) const;
    /// A row's codes as a query to compare codes with; lives as long as row and `query`, which is room. Not of bits.
    const void* query_of_codes(const unsigned char* row, PreparedQuery& query) const;

    /// What a distance between codes, or between exact forms, is to the user.
    double distance_of_codes(std::uint32_t distance) const;
    double distance_of_exact(std::uint32_t distance) const;
    /// A distance between codes that is no smaller; the largest one where there is none.
    std::uint32_t codes_at(double distance) const;
    /// What rounding adds to a distance between codes, or takes from it, give or take.
    double noise_of_codes() const;
    bool is_l2() const { return parameters_.metric == VectorMetric::l2; }
    VectorMetric metric() const { return parameters_.metric; }
    std::uint32_t dimensions() const { return parameters_.space.dimensions; }

    // What rows and queries stand for, as many numbers as there are dimensions. Codes must not be bits.
    void numbers_of_exact(const unsigned char* row, std::vector<float>& numbers) const;
    /// Those of the form that says more.
    void numbers_of_row(const unsigned char* codes, const unsigned char* exact, std::vector<float>& numbers) const;
    void numbers_of_codes(const unsigned char* row, std::vector<double>& numbers) const;
    /// Its codes.
    void numbers_of_query(const PreparedQuery& query, std::vector<double>& numbers) const;

private:
    void write_query(std::span<const float> numbers, std::vector<std::int16_t>& whole) const;
    void write_bits(std::span<const float> numbers, unsigned char* row) const;
    /// Of a form f32 or bf16.
    static void read_floats(VectorCodes form, const unsigned char* row, std::span<float> numbers);
    const VectorParameters parameters_;
    const float scale_;
    const std::vector<float> mean_;
    std::vector<float> signs_;  // of the rotation
    RowForm codes_;
    RowForm exact_;
};

/// Finds the scale of i8 codes from the numbers of all vectors.
class ScaleFinder {
public:
    void add(std::span<const float> numbers);
    float scale(VectorMetric metric) const;

private:
    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(std::size_t{1} << 15);  // by upper bits of |number|
    std::uint64_t all_ = 0;
};

/// Bytes of a row under a form that holds so many numbers.
std::size_t code_stride(VectorCodes codes, std::uint32_t dimensions);

}  // namespace northstar::inline v0::detail
