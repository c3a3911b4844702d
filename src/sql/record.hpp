// record.hpp -- row values: ROW(1, 'a') and values of composite types.  Layer: sql.  Threads: any.
//
// Bytes (little-endian): u32 fields n | n times u32 type | n times u32 end offset, top bit set = NULL | fields in stored
// form. Field names are the catalog's, or f1, f2, ... of an anonymous record.
#pragma once

#include "sql/value.hpp"

#include <span>
#include <string_view>

namespace northstar::inline v0::sql {

class RecordView {
public:
    explicit RecordView(const Value& value);
    std::size_t size() const { return size_; }
    Oid type(std::size_t index) const;
    bool is_null(std::size_t index) const;
    /// `catalog` is needed for fields of types that users made.
    Value field(std::size_t index, Arena& arena, const TypeCatalog* catalog) const;

private:
    std::size_t size_ = 0;
    const char* types_ = nullptr;
    const char* offsets_ = nullptr;
    std::string_view data_;
};

/// `type` is type::record or a composite type.
Value make_record(Oid type, std::span<const Value> fields, Arena& arena);

}  // namespace northstar::inline v0::sql
