// copy_format.hpp -- the text and CSV forms of COPY: options, splitting input into fields, writing rows.  Layer: sql.
//
// Nothing here knows tables or values: fields are texts or NULL. PostgreSQL's manual, page COPY, defines the forms.
//
// [COPYFORMAT-1] What CopyWriter writes, CopyReader reads back as the same fields with the same options.
// [COPYFORMAT-2] Input may arrive in pieces that end anywhere, and lines end with LF, CR or CR LF, all in the same way
//                (22P04). Input without an end of line does not stop the reader: a field is at most 1 GiB (54000).
// Threads: one.
#pragma once

#include "sql/syntax/statement.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

enum class CopyForm : std::uint8_t { text, csv, binary };
enum class CopyHeader : std::uint8_t { none, present, match };

/// Options of COPY, checked against each other. Columns are named; which ones exist is the caller's business.
struct CopyOptions {
    CopyForm form = CopyForm::text;
    CopyHeader header = CopyHeader::none;
    char delimiter = '\t';
    std::string null = "\\N";
    char quote = '"';
    char escape = '"';
    bool freeze = false;
    bool history = false;  ///< every version of the rows, led by when it stood; COPY t TO only
    bool force_quote_all = false;
    std::vector<std::string> force_quote, force_not_null, force_null;
};

/// Reads them as written in the statement. Raises 42601, 22023 and 0A000 with PostgreSQL's words.
CopyOptions read_copy_options(const syntax::List<syntax::Option>& list, bool from);

/// A field of a line; nullopt: NULL.
using CopyField = std::optional<std::string>;

/// Splits input into lines and fields.
class CopyReader {
public:
    /// `source` puts the next bytes into its argument; false: there are none.
    struct Source {
        virtual ~Source() = default;
        virtual bool read(std::string& bytes) = 0;
    };
    /// `columns`: what FORCE NULL and FORCE NOT NULL mean for each, by place.
    CopyReader(const CopyOptions& options, Source& source, std::vector<bool> force_not_null,
               std::vector<bool> force_null);

    /// The fields of the next line; false at the end (of input, or of data: `\.`). Raises 22P04.
    bool next(std::vector<CopyField>& fields);
    /// Number of the line that next() read last, from 1.
    std::uint64_t line() const { return line_; }
    /// What next() read last, for messages.
    std::string_view raw() const { return raw_; }

private:
    enum class LineEnd : std::uint8_t { unknown, newline, carriage_return, both };
    int get();
    int peek();
    bool read_line();
    void end_of_line(LineEnd end);
    void split_text(std::vector<CopyField>& fields) const;
    void split_csv(std::vector<CopyField>& fields) const;

    const CopyOptions& options_;
    Source& source_;
    std::vector<bool> force_not_null_, force_null_;
    std::string buffer_;
    std::size_t at_ = 0;
    bool ended_ = false;
    LineEnd line_end_ = LineEnd::unknown;
    std::string raw_;
    std::uint64_t line_ = 0;
    std::uint64_t extra_lines_ = 0;  ///< line ends inside quotes of the line read last
};

/// Appends rows as lines. `force_quote`: by place.
class CopyWriter {
public:
    CopyWriter(const CopyOptions& options, std::vector<bool> force_quote);
    void write(const std::vector<CopyField>& fields, std::string& out) const;
    void write_header(const std::vector<std::string>& names, std::string& out) const;

private:
    void write_text(std::string_view field, std::string& out) const;
    void write_csv(std::string_view field, bool quote, bool single, std::string& out) const;

    const CopyOptions& options_;
    std::vector<bool> force_quote_;
};

}  // namespace northstar::inline v0::sql
