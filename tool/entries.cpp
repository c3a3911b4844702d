#include "entries.hpp"

#include "csv.hpp"

namespace northstar_tool {

Format parse_format(std::string_view name) {
    if (name == "csv") return Format::csv;
    return name == "tsv" ? Format::tsv : Format::jsonl;
}

std::optional<Format> format_of_path(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view ending = path.substr(dot + 1);
    if (ending == "jsonl" || ending == "ndjson" || ending == "json") return Format::jsonl;
    if (ending == "csv") return Format::csv;
    if (ending == "tsv" || ending == "tab") return Format::tsv;
    return std::nullopt;
}

Format choose_format(const Arguments& arguments, std::string_view path, Format otherwise) {
    if (const auto name = arguments.value("format")) return parse_format(*name);
    return format_of_path(path).value_or(otherwise);
}

void EntryWriter::add_field(std::string_view field) {
    const csv::Dialect dialect = format_ == Format::csv ? csv::Dialect::csv : csv::Dialect::tsv;
    if (fields_++ > 0) line_ += format_ == Format::csv ? ',' : '\t';
    if (columns_.for_people) {
        line_ += printable(field);
        return;
    }
    const int columns = int{columns_.tree} + int{columns_.key} + int{columns_.value} + int{columns_.txn};
    csv::append_field(line_, dialect, field, columns == 1);
}

void EntryWriter::header() {
    if (format_ == Format::jsonl) return;
    line_.clear();
    fields_ = 0;
    if (columns_.tree) add_field("tree");
    if (columns_.key) add_field("key");
    if (columns_.value) add_field("value");
    if (columns_.txn) add_field("txn");
    output_.line(line_);
}

void EntryWriter::add_json(std::string_view name, std::string_view bytes) {
    line_ += line_.size() == 1 ? "\"" : ",\"";
    line_ += name;
    line_ += "\":";
    switch (encoding_) {
    case Encoding::text: json::append_bytes(line_, bytes); break;
    case Encoding::hex: line_ += "{\"$hex\":\"" + hex_encode(bytes) + "\"}"; break;
    case Encoding::base64: line_ += "{\"$base64\":\"" + base64_encode(bytes) + "\"}"; break;
    }
}

void EntryWriter::write(std::string_view tree, std::string_view key, std::string_view value, northstar::Txn txn) {
    line_.clear();
    if (format_ == Format::jsonl) {
        line_ += '{';
        if (columns_.tree) add_json("tree", tree);
        if (columns_.key) add_json("key", key);
        if (columns_.value) add_json("value", value);
        if (columns_.txn) line_ += (line_.size() == 1 ? "\"txn\":" : ",\"txn\":") + std::to_string(txn);
        line_ += '}';
        output_.line(line_);
        return;
    }
    fields_ = 0;
    if (columns_.tree) add_field(tree);
    if (columns_.key) add_field(encoding_ == Encoding::text ? key : std::string_view(encode(key, encoding_)));
    if (columns_.value) add_field(encoding_ == Encoding::text ? value : std::string_view(encode(value, encoding_)));
    if (columns_.txn) add_field(std::to_string(txn));
    output_.line(line_);
}

void add_bytes(json::Writer& writer, std::string_view bytes, Encoding encoding) {
    switch (encoding) {
    case Encoding::text: writer.bytes(bytes); break;
    case Encoding::hex: writer.begin_object().name("$hex").string(hex_encode(bytes)).end_object(); break;
    case Encoding::base64: writer.begin_object().name("$base64").string(base64_encode(bytes)).end_object(); break;
    }
}

}  // namespace northstar_tool
