// entries.hpp -- writes entries of a tree as JSON Lines, CSV or TSV; the formats that import reads back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "json.hpp"
#include "output.hpp"

namespace northstar_tool {

enum class Format { jsonl, csv, tsv };

/// "jsonl", "csv" or "tsv".
Format parse_format(std::string_view name);
/// By the ending of a file's name: .jsonl .ndjson .json .csv .tsv .tab; nullopt: it tells nothing.
std::optional<Format> format_of_path(std::string_view path);
/// --format, else by the file's name, else otherwise.
Format choose_format(const Arguments& arguments, std::string_view path, Format otherwise);

/// What of an entry is written.
struct EntryColumns {
    bool tree = false;
    bool key = true;
    bool value = true;
    bool txn = false;
    bool for_people = false;  ///< a terminal gets no byte that it might obey
};

class EntryWriter {
public:
    EntryWriter(Output& output, Format format, Encoding encoding, EntryColumns columns)
        : output_(output), format_(format), encoding_(encoding), columns_(columns) {}
    /// First line of CSV and TSV: the names of the columns. Nothing for JSON Lines.
    void header();
    void write(std::string_view tree, std::string_view key, std::string_view value, northstar::Txn txn);

private:
    void add_json(std::string_view name, std::string_view bytes);
    void add_field(std::string_view field);

    Output& output_;
    Format format_;
    Encoding encoding_;
    EntryColumns columns_;
    std::string line_;
    int fields_ = 0;  ///< in line_ so far
};

/// Adds a key or value to a JSON object in the given encoding.
void add_bytes(json::Writer& writer, std::string_view bytes, Encoding encoding);

}  // namespace northstar_tool
