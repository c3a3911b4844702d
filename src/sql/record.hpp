// record.hpp -- row values: ROW(1, 'a') and values of composite types. Layer: sql. Threads: any.
//
// Bytes (little-endian): u32 fields n | n times u32 type | n times u8 form | n times u32 end offset, top bit set =
// NULL | fields in stored form. Field names are the catalog's, or f1, f2, ... of an anonymous record.
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

class RecordView {
public:
    explicit RecordView(const Value& value);
    std::size_t size() const { return size_; }
    Oid type(std::size_t index) const;
    bool is_null(std::size_t index) const;
    Value field(std::size_t index, Arena& arena) const;

private:
    std::size_t size_ = 0;
    const char* types_ = nullptr;
    const char* forms_ = nullptr;
    const char* offsets_ = nullptr;
    std::string_view data_;
};

/// `type` is type::record or a composite type.
Value make_record(Oid type, std::span<const Value> fields, Arena& arena);
void record_to_text(const Value& record, std::string& out, Session& session);
/// Reads "(1,abc,)" as a composite type whose fields the catalog knows. Raises 22P02; 0A000 for anonymous
/// records.
Value record_from_text(Oid type, std::string_view text, Arena& arena, Session& session);

}  // namespace northstar::inline v0::sql
