// csv.hpp -- a small strict reader for comma-separated (RFC 4180) and tab-separated records, and the way back.
//
// CSV: fields may be quoted; inside quotes a quote is doubled and commas, line feeds and any other bytes stand for
// themselves. A quote inside an unquoted field, or text behind a closing quote, is an error. Lines end with LF or
// CR LF.
// TSV: no quotes; tab, line feed, carriage return, NUL and backslash inside a field are written \t \n \r \0 \\, and any
// other escape is an error.
// A record may hold any bytes; both kinds are read record by record with memory bounded by the line limit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"

namespace northstar_tool::csv {

enum class Dialect { csv, tsv };

/// Takes one record apart, line by line.
class Parser {
public:
    enum class Status { complete, more, bad };

    explicit Parser(Dialect dialect) noexcept : dialect_(dialect) {}
    /// Feeds a line with its line feed. more: a quoted field goes on in the next line. bad: see reason().
    Status feed(std::string_view line);
    /// Fields of a complete record.
    const std::vector<std::string>& fields() const noexcept { return fields_; }
    const std::string& reason() const noexcept { return reason_; }
    void reset() noexcept;

private:
    Status feed_csv(std::string_view line);
    Status feed_tsv(std::string_view line);
    Status bad(std::string reason);

    Dialect dialect_;
    std::vector<std::string> fields_;
    std::string reason_;
    bool open_ = false;  ///< inside quotes
};

/// Records of a LineSource.
class Reader {
public:
    enum class Result { record, end, bad };

    Reader(LineSource& source, Dialect dialect) noexcept : source_(source), parser_(dialect) {}
    /// bad: line_number() and reason() say where and why; the next call goes on behind the bad line.
    Result next();
    const std::vector<std::string>& fields() const noexcept { return parser_.fields(); }
    /// Line on which the record began.
    std::uint64_t line_number() const noexcept { return line_; }
    const std::string& reason() const noexcept { return reason_; }

private:
    Result bad(std::string reason);

    LineSource& source_;
    Parser parser_;
    std::uint64_t line_ = 0;
    std::string reason_;
};

/// Appends one field as the dialect writes it. lonely: it is the only field of its record.
void append_field(std::string& out, Dialect dialect, std::string_view field, bool lonely = false);

}  // namespace northstar_tool::csv
