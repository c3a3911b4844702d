// record.hpp -- row values: ROW(1, 'a') and values of composite types. Layer: sql. Threads: any.
//
// Bytes (little-endian): u32 fields n, top bit set = with names | n times u32 type | n times u8 form | n times u32
// end offset, top bit set = NULL | fields in stored form | with names: n names, each with a zero byte behind it. Field
// names are the catalog's for a composite type; of an anonymous record those it brings along, or f1, f2, ...
#pragma once

#include "sql/session.hpp"
#include "sql/value.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class RecordView {
public:
    explicit RecordView(const Value& value);
    std::size_t size() const { return size_; }
    Oid type(std::size_t index) const;
    bool is_null(std::size_t index) const;
    Value field(std::size_t index, Arena& arena) const;
    /// Names that an anonymous record brings along, in order; empty: none.
    std::vector<std::string_view> names() const;

private:
    bool named_ = false;
    std::size_t size_ = 0;
    const char* types_ = nullptr;
    const char* forms_ = nullptr;
    const char* offsets_ = nullptr;
    std::string_view data_;
};

/// `type` is type::record or a composite type; `names` only with the former, one for each field or none.
Value make_record(Oid type, std::span<const Value> fields, Arena& arena, std::span<const FieldInfo> names = {});
void record_to_text(const Value& record, std::string& out, Session& session);
/// Reads "(1,abc,)" as a composite type whose fields the catalog knows. Raises 22P02; 0A000 for anonymous
/// records.
Value record_from_text(Oid type, std::string_view text, Arena& arena, Session& session);

}  // namespace northstar::inline v0::sql
