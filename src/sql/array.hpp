// array.hpp -- arrays: their bytes, and making and reading them. Layer: sql. Threads: any.
//
// Bytes (little-endian): u32 element type | u8 its form | u8 dimensions d (0: empty array) | d times (i32 length, i32
// lower bound) | u32 end offset of each element, counted from the first element's bytes, top bit set = NULL |
// elements in stored form (row_format.hpp).
//
// [ARRAY-1] Elements lie in row-major order; the k-th is found in O(1).
// [ARRAY-2] At most 6 dimensions and 2^27 elements (54000, "array size exceeds the maximum allowed").
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr int k_max_array_dimensions = 6;

struct ArrayDimension {
    std::int32_t length = 0;
    std::int32_t lower = 1;
};

class ArrayView {
public:
    /// Raises data_corrupted where the bytes are no array. `value` is of an array type and not NULL.
    explicit ArrayView(const Value& value);
    Oid element_type() const { return element_; }
    Form element_form() const { return form_; }
    std::span<const ArrayDimension> dimensions() const { return {dimensions_, count_of_dimensions_}; }
    std::size_t size() const { return size_; }  ///< elements of all dimensions
    bool is_null(std::size_t index) const;
    Value element(std::size_t index, Arena& arena) const;

private:
    Oid element_ = 0;
    Form form_ = Form::nothing;
    std::size_t count_of_dimensions_ = 0;
    ArrayDimension dimensions_[k_max_array_dimensions];
    std::size_t size_ = 0;
    const char* offsets_ = nullptr;
    std::string_view data_;
};

/// An array of any dimensions from elements in row-major order. The form of the elements is that of the first
/// one that is not NULL, or of their type where that is built in.
Value make_array(Oid array_type, Oid element_type, std::span<const ArrayDimension> dimensions,
                 std::span<const Value> elements, Arena& arena);
/// One dimension with lower bound 1; no elements: the empty array.
Value make_array(Oid array_type, Oid element_type, std::span<const Value> elements, Arena& arena);
/// Total number of elements; raises 54000 where it is too large.
std::size_t array_size(std::span<const ArrayDimension> dimensions);
std::vector<Value> array_elements(const ArrayView& array, Arena& arena);

/// Reads PostgreSQL's array syntax ("[0:1]={{1,2},{3,NULL}}"). Raises 22P02.
Value array_from_text(Oid array_type, Oid element_type, std::int32_t typmod, std::string_view text,
                      Arena& arena, Session& session);
void array_to_text(const Value& array, std::string& out, Session& session);
/// ARRAY[a, b] where a and b are arrays: one dimension more. Raises 2202E where their shapes differ.
Value stack_arrays(Oid array_type, Oid element_type, std::span<const Value> arrays, Arena& arena);

/// A subscript: x[upper], or x[lower:upper] with ends that may be missing.
struct Subscript {
    bool slice = false;
    bool has_lower = false;
    bool has_upper = false;
    std::int32_t lower = 0;
    std::int32_t upper = 0;
};
/// x[1][2] or x[1:2][3]; NULL outside the bounds, an empty array for an empty slice. `array` is not NULL.
Value array_get(const Value& array, std::span<const Subscript> subscripts, Oid result_type, Arena& arena);
/// x with a place or slice replaced, as UPDATE t SET x[1] = v does; a NULL array counts as empty. Raises
/// 2202E.
Value array_set(const Value& array, std::span<const Subscript> subscripts, const Value& value, Oid array_type,
                Oid element_type, Arena& arena);

}  // namespace northstar::inline v0::sql
