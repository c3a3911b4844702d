// vector_errors.hpp -- how far codes are from exact forms, and which rows need no exact comparison for it.
// Layer: cartridge.  Threads: any, once made.
//
// [VECTOR-11] A row is left out by its code alone only where no rounding could have brought it so near: by the triangle
//             inequality under l2, by that of Cauchy and Schwarz for products. So answers are those of comparing each
//             row by its exact form.
#pragma once

#include "cartridge/vector_codes.hpp"

#include <cstdint>
#include <vector>

namespace northstar::inline v0::detail {

/// Of the rows of an artifact that have two forms, codes being no bits. Made once, for about what it costs to compare
/// all rows twice.
class CodeErrors {
public:
    static constexpr unsigned k_group_shift = 6;  ///< rows are looked at in groups of 64
    CodeErrors(const VectorCoder& coder, std::uint32_t rows, const unsigned char* codes, const unsigned char* exact);
    /// The longest difference between both forms of a row of a group.
    double of_group(std::uint32_t group) const { return errors_[group]; }
    std::uint32_t groups() const { return static_cast<std::uint32_t>(errors_.size()); }
    /// Length of the longest row.
    double longest() const { return longest_; }

private:
    std::vector<float> errors_;
    double longest_ = 0;
};

/// The same for one query.
class CodeLimits {
public:
    CodeLimits(const VectorCoder& coder, const CodeErrors& errors, const PreparedQuery& query);
    /// A row of the group whose codes are farther is farther than `exact_distance`.
    std::uint32_t of_group(std::uint32_t group, double exact_distance) const;

private:
    const VectorCoder& coder_;
    const CodeErrors& errors_;
    double query_error_ = 0;   // length of the difference between both forms of the query
    double query_length_ = 0;  // of its codes
};

}  // namespace northstar::inline v0::detail
