// row_format.hpp -- rows as bytes in a tree, with access to each column in constant time.  Layer: sql.  Threads: any.
//
// A row (little-endian):
//   u16 layout version | u16 stored columns n | null bitmap, (n + 7) / 8 bytes, bit set = NULL |
//   fixed-width section: a slot of each fixed-width column, in declared order, without padding |
//   u32 end offset of each variable column, counted from the start of the variable section, NULLs included |
//   variable section
// Slots: boolean 1; int2 2; int4, oid, date, float4 4; int8, float8, times, enum 8; timetz 12; interval, uuid 16
// bytes.
// Variable columns hold the stored form of their type (stored_bytes).
//
// [ROW-1] A column added later is missing from rows written before; reading it gives the default of RowLayout, so
//         that ADD COLUMN with a default that is not volatile writes no row.
// [ROW-2] Reading never looks outside the bytes: damage raises data_corrupted, and no byte reaches an assertion.
#pragma once

#include "sql/value.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct ColumnLayout {
    Oid type = 0;
    Form form = Form::nothing;
    std::uint32_t width = 0;  ///< of its slot; 0: variable
    std::uint32_t place = 0;  ///< offset in the fixed section, or ordinal among the variable columns
    Value missing;            ///< for rows without the column; lives as long as the layout
};

/// Where the columns of a table lie. Made once per version of a table's schema; dropped columns keep their
/// place.
class RowLayout {
public:
    RowLayout() = default;
    /// `types` are the physical columns in order. Raises too_many_columns above 1600.
    RowLayout(std::uint16_t version, std::span<const Oid> types, const TypeCatalog* catalog);

    std::size_t size() const { return columns_.size(); }
    const ColumnLayout& column(std::size_t index) const { return columns_[index]; }
    /// What rows without the column have in it, instead of NULL. Copied.
    void set_missing(std::size_t index, const Value& value) {
        if (missing_ == nullptr) missing_ = std::make_shared<Arena>();
        columns_[index].missing = copy_value(value, *missing_);
    }

    /// Appends the row of values, one for each column.
    void encode(std::span<const Value> values, std::string& out) const;
    /// One column of a row; a view into `row` where it is variable. O(1). `arena` is used by large numerics
    /// alone.
    Value column_of(std::string_view row, std::size_t index, Arena& arena) const;
    /// The same column of many rows: out[k] of rows[index[k]], or out[index[k]] where `in_place`. What is the same for
    /// all is looked at once.
    void column_of_rows(const std::string_view* rows, const std::uint32_t* index, std::size_t count, std::size_t column,
                        Value* out, bool in_place, Arena& arena) const;
    /// All columns at once.
    void decode(std::string_view row, std::span<Value> values, Arena& arena) const;

private:
    struct Prefix {
        std::uint32_t fixed = 0;      ///< bytes of the fixed section of the first n columns
        std::uint32_t variables = 0;  ///< variable columns among them
    };
    std::uint16_t version_ = 0;
    std::vector<ColumnLayout> columns_;
    std::vector<Prefix> prefixes_;  ///< by n
    std::shared_ptr<Arena> missing_;  ///< payloads of missing values
};

/// Bytes of a fixed-width slot of the type; 0: variable.
std::uint32_t stored_width(Oid type, Form form);
/// Appends the stored form of a value that is not NULL: the slot, or the bytes of a variable column.
void stored_bytes(const Value& value, std::string& out);
/// Reads it; views into `bytes`. Raises data_corrupted where the size does not fit.
Value value_from_stored(Oid type, Form form, std::string_view bytes, Arena& arena);

}  // namespace northstar::inline v0::sql
