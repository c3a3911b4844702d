#include "result_printer.hpp"

#include <algorithm>

#include "../csv.hpp"
#include "../json.hpp"
#include "display_width.hpp"

namespace northstar_tool::shell {
namespace result_printer_impl {

// PostgreSQL's numbers of types.
constexpr std::uint32_t k_bool = 16, k_int8 = 20, k_int2 = 21, k_int4 = 23, k_oid = 26, k_xid = 28, k_cid = 29,
                        k_json = 114, k_float4 = 700, k_float8 = 701, k_money = 790, k_numeric = 1700, k_jsonb = 3802;

bool is_number(std::uint32_t type) {
    return type == k_int2 || type == k_int4 || type == k_int8 || type == k_float4 || type == k_float8 ||
           type == k_numeric;
}

bool goes_right(std::uint32_t type) {
    return is_number(type) || type == k_oid || type == k_xid || type == k_cid || type == k_money;
}

struct NamedMode {
    std::string_view name;
    PrintMode mode;
};
constexpr NamedMode k_modes[] = {
    {"table", PrintMode::table}, {"line", PrintMode::line},   {"csv", PrintMode::csv},
    {"json", PrintMode::json},   {"jsonl", PrintMode::jsonl}, {"markdown", PrintMode::markdown},
};

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t begin = 0;;) {
        const std::size_t end = text.find('\n', begin);
        lines.push_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos) return lines;
        begin = end + 1;
    }
}

void pad(std::string& out, std::string_view text, std::size_t width, std::size_t target, char side) {
    const std::size_t blanks = target > width ? target - width : 0;
    const std::size_t before = side == 'r' ? blanks : side == 'c' ? blanks / 2 : 0;
    out.append(before, ' ');
    out += text;
    out.append(blanks - before, ' ');
}

}  // namespace result_printer_impl

bool tells_of_change(std::string_view tag) {
    return tag.starts_with("INSERT ") || tag.starts_with("UPDATE ") || tag.starts_with("DELETE ");
}

std::optional<PrintMode> print_mode_of(std::string_view name) {
    for (const auto& known : result_printer_impl::k_modes)
        if (known.name == name) return known.mode;
    // Names that sqlite3 and psql have for them.
    if (name == "column" || name == "box" || name == "aligned") return PrintMode::table;
    return std::nullopt;
}

std::string_view name_of(PrintMode mode) {
    for (const auto& known : result_printer_impl::k_modes)
        if (known.mode == mode) return known.name;
    return {};
}

ResultPrinter::ResultPrinter(const PrintOptions& options, std::vector<northstar::SqlColumn> columns, Output& output)
    : options_(options), columns_(std::move(columns)), output_(output), mode_(options.mode) {
    if (mode_ == PrintMode::table && options.expanded == Expanded::on) mode_ = PrintMode::line;
    if (mode_ == PrintMode::csv && !options.tuples_only) {
        std::vector<std::string_view> names;
        for (const northstar::SqlColumn& column : columns_) names.push_back(column.name);
        print_csv(names);
    }
    if (mode_ == PrintMode::json) output_.write("[");
    if (mode_ == PrintMode::line && !options.title.empty()) output_.line(options.title);
}

void ResultPrinter::row(Row row) {
    ++count_;
    switch (mode_) {
    case PrintMode::table:
    case PrintMode::markdown: rows_.push_back(std::move(row)); break;
    case PrintMode::line: print_record(row); break;
    case PrintMode::csv: {
        std::vector<std::string_view> fields;
        for (const northstar::SqlValue& value : row)
            fields.push_back(value ? std::string_view(*value) : std::string_view(options_.null));
        print_csv(fields);
        break;
    }
    case PrintMode::json: output_.write((count_ > 1 ? ",\n " : "") + json_object(row)); break;
    case PrintMode::jsonl: output_.line(json_object(row)); break;
    }
}

void ResultPrinter::finish() {
    switch (mode_) {
    case PrintMode::table: print_table(); break;
    case PrintMode::markdown: print_markdown(); break;
    case PrintMode::json: output_.line("]"); break;
    case PrintMode::line:
        if (count_ == 0) footer();
        if (!options_.tuples_only) output_.line("");
        break;
    case PrintMode::csv:
    case PrintMode::jsonl: break;
    }
}

std::string ResultPrinter::shown(const northstar::SqlValue& value, bool keep_line_feeds) const {
    return value ? visible(*value, keep_line_feeds) : options_.null;
}

void ResultPrinter::footer() {
    if (!options_.tuples_only) output_.line("(" + std::to_string(count_) + (count_ == 1 ? " row)" : " rows)"));
}

void ResultPrinter::print_table() {
    using namespace result_printer_impl;
    const std::size_t n = columns_.size();
    std::vector<std::size_t> widths;
    std::vector<std::string> names;
    for (const northstar::SqlColumn& column : columns_) {
        names.push_back(visible(column.name));
        widths.push_back(options_.tuples_only ? 0 : display_width(names.back()));
    }
    std::vector<std::vector<std::string>> cells;
    for (const Row& row : rows_) {
        std::vector<std::string>& out = cells.emplace_back();
        for (std::size_t c = 0; c < n; ++c) {
            out.push_back(shown(row[c], true));
            for (const std::string_view line : lines_of(out.back()))
                widths[c] = std::max(widths[c], display_width(line));
        }
    }
    std::size_t whole = n * 3;
    for (const std::size_t width : widths) whole += width;
    if (options_.expanded == Expanded::automatic && options_.columns > 0 && whole > options_.columns + 1) {
        mode_ = PrintMode::line;
        count_ = 0;
        for (const Row& row : rows_) {
            ++count_;
            print_record(row);
        }
        if (!options_.tuples_only) output_.line("");
        return;
    }
    const int border = options_.border;
    const auto rule = [&] {
        std::string line = border == 2 ? "+" : "";
        for (std::size_t c = 0; c < n; ++c) {
            if (c > 0) line += border == 0 ? " " : "+";
            line.append(widths[c] + (border == 0 ? 0 : 2), '-');
        }
        output_.line(line + (border == 2 ? "+" : ""));
    };
    // A row of the screen. A blank, or the mark + of a value that goes on, stands behind each value.
    const auto row_of = [&](auto&& text, auto&& side, auto&& goes_on) {
        std::string line = border == 2 ? "| " : border == 1 ? " " : "";
        for (std::size_t c = 0; c < n; ++c) {
            const std::string_view cell = text(c);
            pad(line, cell, display_width(cell), widths[c], side(c));
            const bool more = goes_on(c);
            const bool last = c + 1 == n;
            if (more) line += '+';
            else if (border == 2 || (!last && border == 1)) line += ' ';
            else if (!last) line += ' ';
            if (!last && border > 0) line += "| ";
            if (last && border == 2) line += '|';
        }
        if (border < 2)
            while (!line.empty() && line.back() == ' ') line.pop_back();
        output_.line(line);
    };
    const std::size_t total = whole > 1 ? whole - 1 : whole;
    if (!options_.title.empty()) {
        std::string line;
        pad(line, options_.title, display_width(options_.title), total, 'c');
        while (line.ends_with(' ')) line.pop_back();
        output_.line(line);
    }
    if (border == 2) rule();
    if (!options_.tuples_only) {
        row_of([&](std::size_t c) { return std::string_view(names[c]); }, [](std::size_t) { return 'c'; },
               [](std::size_t) { return false; });
        rule();
    }
    for (const std::vector<std::string>& row : cells) {
        std::vector<std::vector<std::string_view>> lines;
        std::size_t height = 1;
        for (const std::string& cell : row) {
            lines.push_back(lines_of(cell));
            height = std::max(height, lines.back().size());
        }
        for (std::size_t i = 0; i < height; ++i) {
            row_of([&](std::size_t c) { return i < lines[c].size() ? lines[c][i] : std::string_view(); },
                   [&](std::size_t c) { return goes_right(columns_[c].type_oid) ? 'r' : 'l'; },
                   [&](std::size_t c) { return i + 1 < lines[c].size(); });
        }
    }
    if (border == 2) rule();
    footer();
    if (!options_.tuples_only) output_.line("");
}

void ResultPrinter::print_markdown() {
    using namespace result_printer_impl;
    const auto cell = [](std::string text) {
        std::string out;
        for (const char c : text) {
            if (c == '|') out += "\\|";
            else if (c == '\n') out += "<br>";
            else out += c;
        }
        return out;
    };
    std::vector<std::size_t> widths;
    std::vector<std::vector<std::string>> table(1);
    for (const northstar::SqlColumn& column : columns_) {
        table[0].push_back(cell(visible(column.name)));
        widths.push_back(std::max<std::size_t>(3, display_width(table[0].back())));
    }
    for (const Row& row : rows_) {
        std::vector<std::string>& out = table.emplace_back();
        for (std::size_t c = 0; c < row.size(); ++c) {
            out.push_back(cell(shown(row[c], true)));
            widths[c] = std::max(widths[c], display_width(out.back()));
        }
    }
    for (std::size_t r = 0; r < table.size(); ++r) {
        std::string line = "|";
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            line += ' ';
            pad(line, table[r][c], display_width(table[r][c]), widths[c], goes_right(columns_[c].type_oid) ? 'r' : 'l');
            line += " |";
        }
        output_.line(line);
        if (r > 0) continue;
        line = "|";
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            line += ' ' + std::string(widths[c] - 1, '-') + (goes_right(columns_[c].type_oid) ? ":" : "-") + " |";
        }
        output_.line(line);
    }
}

/// A row as lines of name and value, led by "-[ RECORD n ]----".
void ResultPrinter::print_record(const Row& row) {
    using namespace result_printer_impl;
    std::size_t name_width = 0, value_width = 0;
    std::vector<std::string> values;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        name_width = std::max(name_width, display_width(visible(columns_[c].name)));
        values.push_back(shown(row[c], true));
        for (const std::string_view line : lines_of(values.back()))
            value_width = std::max(value_width, display_width(line));
    }
    if (!options_.tuples_only) {
        std::string head = "-[ RECORD " + std::to_string(count_) + " ]";
        if (head.size() < name_width + 1) head.append(name_width + 1 - head.size(), '-');
        if (head.size() == name_width + 1) head += '+';
        const std::size_t whole = name_width + 3 + value_width;
        if (head.size() < whole) head.append(whole - head.size(), '-');
        output_.line(head);
    }
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::string name = visible(columns_[c].name);
        const std::vector<std::string_view> lines = lines_of(values[c]);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            std::string out;
            pad(out, name, display_width(name), name_width, 'l');
            out += i + 1 < lines.size() ? "+| " : " | ";
            out += lines[i];
            while (out.ends_with(' ')) out.pop_back();
            output_.line(out);
            name.clear();
        }
    }
}

void ResultPrinter::print_csv(const std::vector<std::string_view>& fields) {
    std::string line;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) line += ',';
        csv::append_field(line, csv::Dialect::csv, fields[i]);
    }
    output_.line(line);
}

/// Numbers, booleans and JSON as JSON; the rest as strings.
std::string ResultPrinter::json_object(const Row& row) const {
    using namespace result_printer_impl;
    std::string text = "{";
    for (std::size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += ',';
        json::append_bytes(text, columns_[c].name);
        text += ':';
        if (!row[c]) {
            text += "null";
            continue;
        }
        const std::uint32_t type = columns_[c].type_oid;
        const std::string& value = *row[c];
        const bool finite = value.find_first_of("NIni") == std::string::npos;  // NaN, Infinity
        if (type == k_bool) text += value == "t" ? "true" : "false";
        else if ((is_number(type) && finite) || type == k_json || type == k_jsonb) text += value;
        else json::append_bytes(text, value);
    }
    return text + "}";
}

}  // namespace northstar_tool::shell
