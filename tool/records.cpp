#include "records.hpp"

#include <algorithm>

#include "failure.hpp"

namespace northstar_tool {
namespace records_impl {

constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

csv::Dialect dialect_of(Format format) { return format == Format::tsv ? csv::Dialect::tsv : csv::Dialect::csv; }

}  // namespace records_impl

RecordReader::RecordReader(LineSource& source, RecordShape shape)
    : source_(source), shape_(std::move(shape)), fields_(source, records_impl::dialect_of(shape_.format)) {
    if (shape_.format != Format::jsonl) read_header();
}

void RecordReader::read_header() {
    if (!shape_.header) {
        // Columns are given by number, from 1; by default the key comes first and the value second.
        const auto column = [](const std::string& text, const char* option, std::size_t otherwise) {
            if (text == "key" || text == "value") return otherwise;
            const auto number = parse_unsigned(text);
            if (!number || *number == 0) {
                throw UsageError("without a header line --" + std::string(option) +
                                 " takes the number of a column, from 1");
            }
            return static_cast<std::size_t>(*number - 1);
        };
        key_column_ = column(shape_.key_field, "key-field", 0);
        if (shape_.value_field != "*") value_column_ = column(shape_.value_field, "value-field", 1);
        return;
    }
    const csv::Reader::Result result = fields_.next();
    if (result == csv::Reader::Result::end) return;
    if (result == csv::Reader::Result::bad) {
        throw Failure(k_exit_bad_input, source_.name() + ":1: " + fields_.reason());
    }
    columns_ = fields_.fields();
    if (columns_[0].substr(0, 3) == records_impl::k_byte_order_mark) columns_[0].erase(0, 3);
    const auto position = [this](std::string_view name) -> std::optional<std::size_t> {
        const auto found = std::find(columns_.begin(), columns_.end(), name);
        if (found == columns_.end()) return std::nullopt;
        return static_cast<std::size_t>(found - columns_.begin());
    };
    for (const std::string* const name : {&shape_.key_field, &shape_.value_field}) {
        if (*name == "*" && name == &shape_.value_field) continue;
        if (position(*name)) continue;
        throw Failure(k_exit_bad_input, source_.name() + ":1: the header has no column '" + printable(*name) +
                                            "'; name one with --key-field or --value-field, or give --no-header");
    }
    key_column_ = *position(shape_.key_field);
    if (shape_.value_field != "*") value_column_ = position(shape_.value_field);
    if (shape_.value_field == "value") tree_column_ = position("tree");
}

RecordReader::Result RecordReader::bad(std::string reason) {
    reason_ = std::move(reason);
    return Result::bad;
}

RecordReader::Result RecordReader::next(ImportRecord& record) {
    return shape_.format == Format::jsonl ? next_json(record) : next_fields(record);
}

void RecordReader::take_object(std::string_view text, ImportRecord& record) const {
    json::Reader reader(text);
    std::string name;
    std::vector<std::string> seen;
    bool has_key = false;
    bool has_value = false;
    bool erase = false;
    record.tree.clear();
    record.value.reset();
    const bool whole = shape_.value_field == "*";
    reader.begin_object();
    while (reader.next_member(name)) {
        const bool wanted = name == shape_.key_field ||
                            (!whole && (name == shape_.value_field || name == "tree" || name == "delete"));
        if (!wanted) {
            reader.read_raw();
            continue;
        }
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
            throw json::SyntaxError(0, "\"" + printable(name) + "\" is there twice");
        }
        seen.push_back(name);
        if (name == shape_.key_field) {
            const json::Kind kind = reader.peek();
            bool was_bytes = false;
            record.key = json::read_bytes(reader, &was_bytes);
            if (!was_bytes && kind != json::Kind::number) {
                throw json::SyntaxError(0, "the key is " + std::string(json::name_of(kind)) + ", not a string");
            }
            has_key = true;
        } else if (name == shape_.value_field) {
            record.value = json::read_bytes(reader);
            has_value = true;
        } else if (name == "tree") {
            record.tree = json::read_bytes(reader);
            if (record.tree.empty()) throw json::SyntaxError(0, "the tree has no name");
        } else {
            erase = reader.read_boolean();
        }
    }
    reader.finish();
    if (!has_key) throw json::SyntaxError(0, "\"" + printable(shape_.key_field) + "\" is missing");
    if (whole) {
        record.value = std::string(text);
        return;
    }
    if (erase && has_value) throw json::SyntaxError(0, "\"delete\" and a value exclude each other");
    if (!erase && !has_value) throw json::SyntaxError(0, "\"" + printable(shape_.value_field) + "\" is missing");
}

RecordReader::Result RecordReader::next_json(ImportRecord& record) {
    for (;;) {
        std::string_view line;
        const LineSource::Result result = source_.next(line);
        line_ = source_.line_number();
        if (result == LineSource::Result::end) return Result::end;
        if (result == LineSource::Result::too_long) {
            return bad("the line is longer than " + human_bytes(source_.line_limit()));
        }
        if (line_ == 1 && line.substr(0, 3) == records_impl::k_byte_order_mark) line.remove_prefix(3);
        if (records_impl::blank(line)) continue;
        while (line.back() == '\n' || line.back() == '\r') line.remove_suffix(1);
        try {
            take_object(line, record);
        } catch (const json::SyntaxError& error) {
            const std::string column =
                error.offset() == 0 ? "" : " (column " + std::to_string(error.offset() + 1) + ")";
            return bad(error.what() + column);
        }
        return Result::record;
    }
}

RecordReader::Result RecordReader::next_fields(ImportRecord& record) {
    const csv::Reader::Result result = fields_.next();
    line_ = fields_.line_number();
    if (result == csv::Reader::Result::end) return Result::end;
    if (result == csv::Reader::Result::bad) return bad(fields_.reason());
    const std::vector<std::string>& fields = fields_.fields();
    if (!columns_.empty() && fields.size() != columns_.size()) {
        return bad(counted(fields.size(), "field", "fields") + ", but the header names " +
                   std::to_string(columns_.size()));
    }
    const std::size_t needed = std::max(key_column_, value_column_.value_or(0)) + 1;
    if (fields.size() < needed) {
        return bad(counted(fields.size(), "field", "fields") + ", but column " + std::to_string(needed) +
                   " is needed");
    }
    auto key = decode(fields[key_column_], shape_.encoding);
    if (!key)
        return bad("the key is not " + std::string(shape_.encoding == Encoding::hex ? "hexadecimal" : "base64"));
    record.key = *std::move(key);
    record.tree.clear();
    if (tree_column_) record.tree = fields[*tree_column_];
    if (value_column_) {
        record.value = decode(fields[*value_column_], shape_.encoding);
        if (!record.value)
            return bad("the value is not " +
                       std::string(shape_.encoding == Encoding::hex ? "hexadecimal" : "base64"));
        return Result::record;
    }
    json::Writer writer;
    writer.begin_object();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string name = columns_.empty() ? std::to_string(i + 1) : columns_[i];
        if (!valid_utf8(name)) return bad("the name of column " + std::to_string(i + 1) + " is not UTF-8");
        writer.name(name).bytes(fields[i]);
    }
    record.value = writer.end_object().text();
    return Result::record;
}

}  // namespace northstar_tool
