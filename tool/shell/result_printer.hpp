// result_printer.hpp -- rows as tables, lines, CSV, JSON or Markdown.
//
// Tables look like psql's: headings centred, numbers to the right, values of several lines with a + at each line's end.
// Table and markdown keep the rows until all are there, since columns are as wide as their widest value; the other
// modes print each row as it comes.
//
// [PRINT-1] No control character of a value reaches a table: they are shown as \xHH. The other modes write values as
//           their format demands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../output.hpp"
#include "northstar.hpp"

namespace northstar_tool::shell {

enum class PrintMode : std::uint8_t { table, line, csv, json, jsonl, markdown };
enum class Expanded : std::uint8_t { off, on, automatic };

/// "table" and its kin; nullopt: no such mode.
std::optional<PrintMode> print_mode_of(std::string_view name);
std::string_view name_of(PrintMode mode);
inline constexpr std::string_view k_print_modes = "table line csv json jsonl markdown";

struct PrintOptions {
    PrintMode mode = PrintMode::table;
    Expanded expanded = Expanded::off;  ///< a table becomes lines: always, or where it is wider than the terminal
    int border = 1;                     ///< of tables: 0 none, 1 between columns, 2 around
    std::string null;                   ///< what stands for NULL in tables, lines, CSV and Markdown
    bool tuples_only = false;           ///< no headings and no "(n rows)"
    std::string title;                  ///< above the next table
    std::size_t columns = 0;            ///< of the terminal; 0: none
};

/// Does the tag say how many rows a statement changed? Then it is shown even where rows were.
bool tells_of_change(std::string_view tag);

/// One result.
class ResultPrinter {
public:
    using Row = std::vector<northstar::SqlValue>;

    ResultPrinter(const PrintOptions& options, std::vector<northstar::SqlColumn> columns, Output& output);
    void row(Row row);
    /// Behind the last row.
    void finish();

private:
    void print_table();
    void print_markdown();
    void print_record(const Row& row);
    void print_csv(const std::vector<std::string_view>& fields);
    std::string json_object(const Row& row) const;
    void footer();
    std::string shown(const northstar::SqlValue& value, bool keep_line_feeds) const;

    const PrintOptions& options_;
    const std::vector<northstar::SqlColumn> columns_;
    Output& output_;
    PrintMode mode_;
    std::vector<Row> rows_;
    std::size_t count_ = 0;
};

}  // namespace northstar_tool::shell
