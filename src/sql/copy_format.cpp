#include "sql/copy_format.hpp"

#include "sql/error.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace copy_format {

constexpr std::size_t k_longest_line = std::size_t{1} << 30;

[[noreturn]] void refuse(SqlState state, std::string message, std::uint32_t position = 0) {
    SqlError error(state, std::move(message));
    error.place(position);
    throw error;
}

bool is_true(const syntax::Option& option, std::string_view name) {
    if (option.value == nullptr) return true;
    const std::string_view word = option.value->names.empty() ? option.value->text : option.value->names.back();
    if (option.value->kind == syntax::ExprKind::boolean) return option.value->flag;
    if (word == "true" || word == "on" || word == "1") return true;
    if (word == "false" || word == "off" || word == "0") return false;
    refuse(sqlstate::syntax_error, std::string(name) + " requires a Boolean value", option.position);
}

std::string word_of(const syntax::Option& option) {
    if (option.value == nullptr)
        refuse(sqlstate::syntax_error, std::string(option.name) + " requires a parameter", option.position);
    return std::string(option.value->names.empty() ? option.value->text : option.value->names.back());
}

char one_byte(const syntax::Option& option, const char* name) {
    const std::string text = word_of(option);
    if (text.size() != 1)
        refuse(sqlstate::feature_not_supported,
               std::string("COPY ") + name + " must be a single one-byte character", option.position);
    return text[0];
}

std::vector<std::string> names_of(const syntax::Option& option) {
    if (option.names.empty())
        refuse(sqlstate::invalid_parameter_value,
               "argument to option \"" + std::string(option.name) + "\" must be a list of column names",
               option.position);
    std::vector<std::string> names;
    for (const syntax::Name name : option.names) names.emplace_back(name);
    return names;
}

int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// A field of the text form without its backslashes.
std::string unescaped(std::string_view raw) {
    std::string out;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\\' || i + 1 == raw.size()) {
            out += raw[i];
            continue;
        }
        const char c = raw[++i];
        switch (c) {
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'v': out += '\v'; break;
            case 'x': {
                if (i + 1 >= raw.size() || hexadecimal(raw[i + 1]) < 0) {
                    out += c;
                    break;
                }
                int value = hexadecimal(raw[++i]);
                if (i + 1 < raw.size() && hexadecimal(raw[i + 1]) >= 0) value = value * 16 + hexadecimal(raw[++i]);
                out += static_cast<char>(value);
                break;
            }
            default:
                if (c >= '0' && c <= '7') {
                    int value = c - '0';
                    for (int digits = 1; digits < 3 && i + 1 < raw.size() && raw[i + 1] >= '0' && raw[i + 1] <= '7';
                         ++digits)
                        value = value * 8 + (raw[++i] - '0');
                    out += static_cast<char>(value & 0xff);
                } else {
                    out += c;
                }
        }
    }
    return out;
}

[[noreturn]] void refuse_history_as_input(std::uint32_t position) {
    SqlError error(sqlstate::feature_not_supported, "COPY FROM cannot write history");
    error.edit().detail = "When a row was written is what commits say; statements cannot choose it.";
    error.edit().hint = "Copy into a table that has columns for _commit_from, _commit_to, _system_from and _system_to.";
    error.place(position);
    throw error;
}

}  // namespace copy_format

CopyOptions read_copy_options(const syntax::List<syntax::Option>& list, bool from) {
    using namespace copy_format;
    CopyOptions options;
    bool delimiter = false, null = false, quote = false, escape = false;
    std::vector<std::string_view> seen;
    for (const syntax::Option& option : list) {
        for (const std::string_view name : seen)
            if (name == option.name)
                refuse(sqlstate::syntax_error, "conflicting or redundant options", option.position);
        seen.push_back(option.name);
        if (option.name == "format") {
            const std::string form = word_of(option);
            if (form == "text") options.form = CopyForm::text;
            else if (form == "csv") options.form = CopyForm::csv;
            else if (form == "binary") options.form = CopyForm::binary;
            else refuse(sqlstate::invalid_parameter_value, "COPY format \"" + form + "\" not recognized",
                        option.position);
        } else if (option.name == "freeze") {
            options.freeze = is_true(option, "freeze");
        } else if (option.name == "history") {
            options.history = is_true(option, "history");
            if (options.history && from) refuse_history_as_input(option.position);
        } else if (option.name == "delimiter") {
            options.delimiter = one_byte(option, "delimiter");
            delimiter = true;
        } else if (option.name == "null") {
            options.null = word_of(option);
            null = true;
        } else if (option.name == "header") {
            if (option.value != nullptr && option.value->text == "match") options.header = CopyHeader::match;
            else if (option.value != nullptr && !option.value->names.empty() && option.value->names.back() == "match")
                options.header = CopyHeader::match;
            else options.header = is_true(option, "header") ? CopyHeader::present : CopyHeader::none;
            if (options.header == CopyHeader::match && !from)
                refuse(sqlstate::invalid_parameter_value, "cannot use \"match\" with HEADER in COPY TO",
                       option.position);
        } else if (option.name == "quote") {
            options.quote = one_byte(option, "quote");
            quote = true;
        } else if (option.name == "escape") {
            options.escape = one_byte(option, "escape");
            escape = true;
        } else if (option.name == "force_quote") {
            // FORCE_QUOTE * names none.
            options.force_quote_all = option.names.empty() && option.value == nullptr;
            if (!options.force_quote_all) options.force_quote = names_of(option);
        } else if (option.name == "force_not_null") {
            options.force_not_null = names_of(option);
        } else if (option.name == "force_null") {
            options.force_null = names_of(option);
        } else if (option.name == "encoding") {
            const std::string name = word_of(option);
            std::string folded;
            for (const char c : name)
                if (c != '-' && c != '_') folded += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
            if (folded != "utf8" && folded != "unicode" && folded != "sqlascii")
                refuse(sqlstate::invalid_parameter_value,
                       "argument to option \"encoding\" must be a valid encoding name", option.position);
        } else {
            refuse(sqlstate::syntax_error, "option \"" + std::string(option.name) + "\" not recognized",
                   option.position);
        }
    }
    const bool csv = options.form == CopyForm::csv;
    if (options.form == CopyForm::binary) {
        if (delimiter) refuse(sqlstate::syntax_error, "cannot specify DELIMITER in BINARY mode");
        if (null) refuse(sqlstate::syntax_error, "cannot specify NULL in BINARY mode");
        if (options.header != CopyHeader::none)
            refuse(sqlstate::feature_not_supported, "cannot specify HEADER in BINARY mode");
    }
    if (csv && !delimiter) options.delimiter = ',';
    if (csv && !null) options.null.clear();
    if (csv && !escape) options.escape = options.quote;
    const char d = options.delimiter;
    if (d == '\n' || d == '\r')
        refuse(sqlstate::invalid_parameter_value, "COPY delimiter cannot be newline or carriage return");
    if (options.null.find_first_of("\r\n") != std::string::npos)
        refuse(sqlstate::invalid_parameter_value, "COPY null representation cannot use newline or carriage return");
    if (!csv && std::string_view("\\.abcdefghijklmnopqrstuvwxyz0123456789").find(d) != std::string_view::npos)
        refuse(sqlstate::invalid_parameter_value, std::string("COPY delimiter cannot be \"") + d + "\"");
    if (!csv && quote) refuse(sqlstate::feature_not_supported, "COPY quote available only in CSV mode");
    if (csv && d == options.quote)
        refuse(sqlstate::invalid_parameter_value, "COPY delimiter and quote must be different");
    if (!csv && escape) refuse(sqlstate::feature_not_supported, "COPY escape available only in CSV mode");
    if (!csv && (options.force_quote_all || !options.force_quote.empty()))
        refuse(sqlstate::feature_not_supported, "COPY force quote available only in CSV mode");
    if (from && (options.force_quote_all || !options.force_quote.empty()))
        refuse(sqlstate::feature_not_supported, "COPY force quote only available using COPY TO");
    if (!csv && !options.force_not_null.empty())
        refuse(sqlstate::feature_not_supported, "COPY force not null available only in CSV mode");
    if (!from && !options.force_not_null.empty())
        refuse(sqlstate::feature_not_supported, "COPY force not null only available using COPY FROM");
    if (!csv && !options.force_null.empty())
        refuse(sqlstate::feature_not_supported, "COPY force null available only in CSV mode");
    if (!from && !options.force_null.empty())
        refuse(sqlstate::feature_not_supported, "COPY force null only available using COPY FROM");
    if (options.form != CopyForm::binary && options.null.find(d) != std::string::npos)
        refuse(sqlstate::feature_not_supported, "COPY delimiter must not appear in the NULL specification");
    if (csv && options.null.find(options.quote) != std::string::npos)
        refuse(sqlstate::feature_not_supported, "CSV quote character must not appear in the NULL specification");
    return options;
}

// ---- reading ----

CopyReader::CopyReader(const CopyOptions& options, Source& source, std::vector<bool> force_not_null,
                       std::vector<bool> force_null)
    : options_(options), source_(source), force_not_null_(std::move(force_not_null)),
      force_null_(std::move(force_null)) {}

int CopyReader::peek() {
    while (at_ >= buffer_.size()) {
        if (ended_) return -1;
        buffer_.clear();
        at_ = 0;
        if (!source_.read(buffer_)) ended_ = true;
    }
    return static_cast<unsigned char>(buffer_[at_]);
}

int CopyReader::get() {
    const int c = peek();
    if (c >= 0) ++at_;
    return c;
}

void CopyReader::end_of_line(LineEnd end) {
    if (line_end_ == LineEnd::unknown) line_end_ = end;
    if (line_end_ == end) return;
    const bool csv = options_.form == CopyForm::csv;
    const char* const found = end == LineEnd::newline ? "newline" : "carriage return";
    SqlError error(sqlstate::bad_copy_file_format,
                   std::string(csv ? "unquoted " : "literal ") + found + " found in data");
    error.edit().hint = csv ? std::string("Use quoted CSV field to represent ") + found + "."
                            : std::string("Use \"") + (end == LineEnd::newline ? "\\n" : "\\r") +
                                  "\" to represent " + found + ".";
    throw error;
}

/// One line into raw_, without its end; in CSV line ends inside quotes belong to it.
bool CopyReader::read_line() {
    raw_.clear();
    line_ += 1 + extra_lines_;
    extra_lines_ = 0;
    if (peek() < 0) return false;
    const bool csv = options_.form == CopyForm::csv;
    bool quoted = false;
    char before = '\0';
    for (;;) {
        const int next = get();
        if (next < 0) break;
        const char c = static_cast<char>(next);
        if (raw_.size() >= copy_format::k_longest_line)
            raise(sqlstate::program_limit_exceeded, "a line of COPY is longer than 1 GiB");
        if (csv) {
            if (quoted && c == options_.escape && options_.escape != options_.quote) {
                before = before == c ? '\0' : c;
            } else {
                if (c == options_.quote && (!quoted || before != options_.escape || options_.escape == options_.quote))
                    quoted = !quoted;
                before = c;
            }
            if (quoted && c == '\n') ++extra_lines_;
        }
        if (!quoted && (c == '\n' || c == '\r')) {
            if (!csv && before == '\\') {  // a backslash keeps the line going
                raw_ += c;
                before = '\0';
                continue;
            }
            if (c == '\n') {
                end_of_line(LineEnd::newline);
            } else if (peek() == '\n') {
                get();
                end_of_line(LineEnd::both);
            } else {
                end_of_line(LineEnd::carriage_return);
            }
            return true;
        }
        raw_ += c;
        if (!csv) before = c == '\\' && before == '\\' ? '\0' : c;
    }
    if (quoted) raise(sqlstate::bad_copy_file_format, "unterminated CSV quoted field");
    return true;
}

bool CopyReader::next(std::vector<CopyField>& fields) {
    fields.clear();
    if (!read_line()) return false;
    if (raw_ == "\\.") {
        at_ = buffer_.size();
        ended_ = true;
        return false;
    }
    if (options_.form == CopyForm::csv) split_csv(fields);
    else split_text(fields);
    return true;
}

void CopyReader::split_text(std::vector<CopyField>& fields) const {
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= raw_.size(); ++i) {
        if (i < raw_.size() && raw_[i] == '\\') {
            ++i;
            continue;
        }
        if (i < raw_.size() && raw_[i] != options_.delimiter) continue;
        const std::size_t end = std::min(i, raw_.size());
        const std::string_view field = std::string_view(raw_).substr(begin, end - begin);
        if (field == options_.null) fields.emplace_back();
        else fields.emplace_back(copy_format::unescaped(field));
        begin = i + 1;
    }
    if (begin <= raw_.size() && !raw_.empty() && raw_.back() == '\\' && fields.empty())
        fields.emplace_back(copy_format::unescaped(raw_));
}

void CopyReader::split_csv(std::vector<CopyField>& fields) const {
    std::size_t i = 0;
    for (;;) {
        std::string field;
        bool quoted = false, inside = false;
        for (; i < raw_.size(); ++i) {
            const char c = raw_[i];
            if (!inside) {
                if (c == options_.delimiter) break;
                if (c == options_.quote) {
                    inside = quoted = true;
                    continue;
                }
                field += c;
                continue;
            }
            if (c == options_.escape && i + 1 < raw_.size() &&
                (raw_[i + 1] == options_.quote || raw_[i + 1] == options_.escape)) {
                field += raw_[++i];
                continue;
            }
            if (c == options_.quote) inside = false;
            else field += c;
        }
        const std::size_t place = fields.size();
        const bool keep_null = place < force_null_.size() && force_null_[place];
        const bool never_null = place < force_not_null_.size() && force_not_null_[place];
        if (field == options_.null && ((!quoted && !never_null) || (quoted && keep_null))) fields.emplace_back();
        else fields.emplace_back(std::move(field));
        if (i >= raw_.size()) return;
        ++i;
    }
}

// ---- writing ----

CopyWriter::CopyWriter(const CopyOptions& options, std::vector<bool> force_quote)
    : options_(options), force_quote_(std::move(force_quote)) {}

void CopyWriter::write_text(std::string_view field, std::string& out) const {
    for (const char c : field) {
        switch (c) {
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\v': out += "\\v"; break;
            case '\\': out += "\\\\"; break;
            default:
                if (c == options_.delimiter) out += '\\';
                out += c;
        }
    }
}

void CopyWriter::write_csv(std::string_view field, bool quote, bool single, std::string& out) const {
    quote = quote || field == options_.null || (single && field == "\\.");
    for (const char c : field)
        quote = quote || c == options_.delimiter || c == options_.quote || c == '\n' || c == '\r';
    if (!quote) {
        out += field;
        return;
    }
    out += options_.quote;
    for (const char c : field) {
        if (c == options_.quote || c == options_.escape) out += options_.escape;
        out += c;
    }
    out += options_.quote;
}

void CopyWriter::write(const std::vector<CopyField>& fields, std::string& out) const {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) out += options_.delimiter;
        if (!fields[i]) out += options_.null;
        else if (options_.form == CopyForm::csv)
            write_csv(*fields[i], options_.force_quote_all || (i < force_quote_.size() && force_quote_[i]),
                      fields.size() == 1, out);
        else write_text(*fields[i], out);
    }
    out += '\n';
}

void CopyWriter::write_header(const std::vector<std::string>& names, std::string& out) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += options_.delimiter;
        if (options_.form == CopyForm::csv) write_csv(names[i], false, names.size() == 1, out);
        else write_text(names[i], out);
    }
    out += '\n';
}

}  // namespace northstar::inline v0::sql
