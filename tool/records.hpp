// records.hpp -- turns lines of JSON Lines, CSV or TSV into changes to make; says what is wrong with bad ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "csv.hpp"
#include "entries.hpp"
#include "input.hpp"

namespace northstar_tool {

/// One line of input as a change of a tree.
struct ImportRecord {
    std::string tree;  ///< empty: the command's tree
    std::string key;
    std::optional<std::string> value;  ///< nullopt: delete the key
};

struct RecordShape {
    Format format = Format::jsonl;
    Encoding encoding = Encoding::text;  ///< of keys and values in CSV and TSV
    bool header = true;                  ///< CSV, TSV: the first record names the columns
    std::string key_field = "key";
    std::string value_field = "value";  ///< "*": the whole line (JSON Lines) or record (as a JSON object)
};

/// Reads records one after the other.
class RecordReader {
public:
    enum class Result { record, end, bad };

    /// Reads the header line if the shape has one; a Failure if it lacks a column.
    RecordReader(LineSource& source, RecordShape shape);
    /// bad: line_number() and reason() say where and why; the next call goes on behind it.
    Result next(ImportRecord& record);
    std::uint64_t line_number() const noexcept { return line_; }
    const std::string& reason() const noexcept { return reason_; }

private:
    Result bad(std::string reason);
    Result next_json(ImportRecord& record);
    Result next_fields(ImportRecord& record);
    /// Fills record from the text of one JSON object.
    void take_object(std::string_view text, ImportRecord& record) const;
    void read_header();

    LineSource& source_;
    RecordShape shape_;
    csv::Reader fields_;
    std::vector<std::string> columns_;
    std::size_t key_column_ = 0;
    std::optional<std::size_t> value_column_;  ///< nullopt: the whole record
    std::optional<std::size_t> tree_column_;
    std::uint64_t line_ = 0;
    std::string reason_;
};

}  // namespace northstar_tool
