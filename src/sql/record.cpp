#include "sql/record.hpp"

#include "base/bytes.hpp"
#include "sql/error.hpp"
#include "sql/row_format.hpp"
#include "sql/text_io.hpp"

#include <vector>

namespace northstar::inline v0::sql {

namespace record_file {

constexpr std::uint32_t k_null_bit = 0x80000000u;
constexpr std::uint32_t k_names_bit = 0x80000000u;
constexpr std::size_t k_bytes_per_field = 9;

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored record is malformed"); }

void put_u32(std::string& out, std::uint32_t value) {
    char bytes[4];
    detail::store_u32(bytes, value);
    out.append(bytes, 4);
}

/// Whether a field needs quotes in the text of a record.
bool needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of("\"\\(), \t\n\r\v\f") != std::string_view::npos;
}

}  // namespace record_file

RecordView::RecordView(const Value& value) {
    const std::string_view bytes = value.bytes();
    if (bytes.size() < 4) record_file::damaged();
    const std::uint32_t head = detail::load_u32(bytes.data());
    named_ = (head & record_file::k_names_bit) != 0;
    size_ = head & ~record_file::k_names_bit;
    if ((bytes.size() - 4) / record_file::k_bytes_per_field < size_) record_file::damaged();
    types_ = bytes.data() + 4;
    forms_ = types_ + size_ * 4;
    offsets_ = forms_ + size_;
    data_ = bytes.substr(4 + size_ * record_file::k_bytes_per_field);
}

Oid RecordView::type(std::size_t index) const { return detail::load_u32(types_ + index * 4); }

bool RecordView::is_null(std::size_t index) const {
    return (detail::load_u32(offsets_ + index * 4) & record_file::k_null_bit) != 0;
}

Value RecordView::field(std::size_t index, Arena& arena) const {
    const std::uint32_t word = detail::load_u32(offsets_ + index * 4);
    if ((word & record_file::k_null_bit) != 0) return Value::null(type(index));
    const std::uint32_t begin =
        index == 0 ? 0 : detail::load_u32(offsets_ + (index - 1) * 4) & ~record_file::k_null_bit;
    if (begin > word || word > data_.size() ||
        static_cast<unsigned char>(forms_[index]) > static_cast<unsigned char>(Form::record)) {
        record_file::damaged();
    }
    return value_from_stored(type(index), static_cast<Form>(forms_[index]), data_.substr(begin, word - begin),
                             arena);
}

std::vector<std::string_view> RecordView::names() const {
    std::vector<std::string_view> names;
    if (!named_ || size_ == 0) return names;
    std::size_t at = detail::load_u32(offsets_ + (size_ - 1) * 4) & ~record_file::k_null_bit;
    while (names.size() < size_) {
        const std::size_t end = at <= data_.size() ? data_.find('\0', at) : std::string_view::npos;
        if (end == std::string_view::npos) record_file::damaged();
        names.push_back(data_.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

Value make_record(Oid type, std::span<const Value> fields, Arena& arena, std::span<const FieldInfo> names) {
    using namespace record_file;
    std::string bytes;
    const bool named = type == type::record && !names.empty() && names.size() == fields.size();
    put_u32(bytes, static_cast<std::uint32_t>(fields.size()) | (named ? k_names_bit : 0));
    for (const Value& field : fields) put_u32(bytes, field.type());
    for (const Value& field : fields)
        bytes += static_cast<char>(field.is_null() ? Form::nothing : field.form());
    const std::size_t offsets = bytes.size();
    bytes.append(fields.size() * 4, '\0');
    const std::size_t start = bytes.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!fields[i].is_null()) stored_bytes(fields[i], bytes);
        if (bytes.size() - start >= k_null_bit) raise(sqlstate::program_limit_exceeded, "row is too big");
        const std::uint32_t end = static_cast<std::uint32_t>(bytes.size() - start);
        detail::store_u32(bytes.data() + offsets + i * 4, fields[i].is_null() ? end | k_null_bit : end);
    }
    if (named) {
        for (const FieldInfo& field : names) {
            bytes += field.name;
            bytes += '\0';
        }
    }
    return Value::bytes(type, Form::record, arena.copy(bytes));
}

void record_to_text(const Value& record, std::string& out, Session& session) {
    const RecordView view(record);
    Arena arena;
    out += '(';
    for (std::size_t i = 0; i < view.size(); ++i) {
        if (i > 0) out += ',';
        if (view.is_null(i)) continue;
        const std::string text = value_to_text(view.field(i, arena), session);
        if (!record_file::needs_quotes(text)) {
            out += text;
            continue;
        }
        out += '"';
        for (const char c : text) {
            if (c == '"' || c == '\\') out += c;
            out += c;
        }
        out += '"';
    }
    out += ')';
}

Value record_from_text(Oid type, std::string_view text, Arena& arena, Session& session) {
    const std::span<const FieldInfo> fields =
        session.types != nullptr ? session.types->fields(type) : std::span<const FieldInfo>();
    if (type == type::record || fields.empty()) {
        raise(sqlstate::feature_not_supported, "input of anonymous composite types is not implemented");
    }
    const auto malformed = [&](const char* why) {
        raise(sqlstate::invalid_text_representation, "malformed record literal: \"" + std::string(text) + '"',
              why);
    };
    std::size_t at = text.find_first_not_of(" \t\n\r\v\f");
    if (at == std::string_view::npos || text[at] != '(') malformed("Missing left parenthesis.");
    ++at;
    std::vector<Value> values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) {
            if (at >= text.size() || text[at] != ',') malformed("Too few columns.");
            ++at;
        }
        if (at < text.size() && (text[at] == ',' || text[at] == ')')) {
            values.push_back(Value::null(fields[i].type));
            continue;
        }
        std::string field;
        bool quoted = false;
        for (; quoted || (at < text.size() && text[at] != ',' && text[at] != ')'); ++at) {
            if (at >= text.size()) malformed("Unexpected end of input.");
            const char c = text[at];
            if (c == '\\') {
                if (++at >= text.size()) malformed("Unexpected end of input.");
                field += text[at];
            } else if (c == '"' && quoted && at + 1 < text.size() && text[at + 1] == '"') {
                field += '"';
                ++at;
            } else if (c == '"') {
                quoted = !quoted;
            } else {
                field += c;
            }
        }
        if (at >= text.size()) malformed("Unexpected end of input.");
        values.push_back(value_from_text(fields[i].type, fields[i].typmod, field, arena, session));
    }
    if (at >= text.size() || text[at] != ')') malformed("Too many columns.");
    if (text.find_first_not_of(" \t\n\r\v\f", at + 1) != std::string_view::npos)
        malformed("Junk after right parenthesis.");
    return make_record(type, values, arena);
}

}  // namespace northstar::inline v0::sql
