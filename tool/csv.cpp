#include "csv.hpp"

#include "text.hpp"

namespace northstar_tool::csv {

void Parser::reset() noexcept {
    fields_.clear();
    open_ = false;
}

Parser::Status Parser::bad(std::string reason) {
    reason_ = std::move(reason);
    open_ = false;
    return Status::bad;
}

Parser::Status Parser::feed(std::string_view line) {
    if (!open_) fields_.clear();
    return dialect_ == Dialect::csv ? feed_csv(line) : feed_tsv(line);
}

Parser::Status Parser::feed_csv(std::string_view line) {
    std::size_t at = 0;
    // The end of the record within this line, known once no quoted field is open.
    std::size_t stop = line.size();
    if (stop > 0 && line[stop - 1] == '\n') --stop;
    const bool line_feed = stop != line.size();
    std::size_t bare = stop;
    if (line_feed && bare > 0 && line[bare - 1] == '\r') --bare;
    for (;;) {
        if (!open_) {
            fields_.emplace_back();
            if (at < line.size() && line[at] == '"') {
                ++at;
                open_ = true;
            } else {
                const std::size_t comma = line.substr(0, bare).find(',', at);
                const std::size_t end = comma == std::string_view::npos ? bare : comma;
                const std::string_view field = line.substr(at, end - at);
                if (field.find('"') != std::string_view::npos) {
                    return bad("field " + std::to_string(fields_.size()) +
                               " has a quote but does not begin with one");
                }
                if (field.find('\r') != std::string_view::npos) {
                    return bad("field " + std::to_string(fields_.size()) + " has a carriage return outside quotes");
                }
                fields_.back().assign(field);
                if (comma == std::string_view::npos) return Status::complete;
                at = comma + 1;
                continue;
            }
        }
        for (;;) {
            const std::size_t quote = line.find('"', at);
            if (quote == std::string_view::npos) {
                fields_.back().append(line.substr(at));
                return Status::more;
            }
            fields_.back().append(line.substr(at, quote - at));
            at = quote + 1;
            if (at >= line.size() || line[at] != '"') break;
            fields_.back() += '"';
            ++at;
        }
        open_ = false;
        if (at == bare || at == stop) return Status::complete;
        if (line[at] != ',') {
            return bad("field " + std::to_string(fields_.size()) + " has text behind its closing quote");
        }
        ++at;
    }
}

Parser::Status Parser::feed_tsv(std::string_view line) {
    if (!line.empty() && line.back() == '\n') {
        line.remove_suffix(1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    }
    fields_.emplace_back();
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\t') {
            fields_.emplace_back();
            continue;
        }
        if (c != '\\') {
            fields_.back() += c;
            continue;
        }
        const char escaped = ++i < line.size() ? line[i] : ' ';
        if (escaped == 't') fields_.back() += '\t';
        else if (escaped == 'n') fields_.back() += '\n';
        else if (escaped == 'r') fields_.back() += '\r';
        else if (escaped == '0') fields_.back() += '\0';
        else if (escaped == '\\') fields_.back() += '\\';
        else
            return bad("field " + std::to_string(fields_.size()) +
                       " has a backslash that is not \\t, \\n, \\r, \\0 or \\\\");
    }
    return Status::complete;
}

Reader::Result Reader::bad(std::string reason) {
    reason_ = std::move(reason);
    parser_.reset();
    return Result::bad;
}

Reader::Result Reader::next() {
    parser_.reset();
    std::uint64_t bytes = 0;
    bool open = false;
    for (;;) {
        std::string_view line;
        switch (source_.next(line)) {
        case LineSource::Result::end:
            if (open) return bad("a quoted field is never closed");
            return Result::end;
        case LineSource::Result::too_long:
            if (!open) line_ = source_.line_number();
            return bad("the line is longer than " + human_bytes(source_.line_limit()));
        case LineSource::Result::line: break;
        }
        if (!open) line_ = source_.line_number();
        bytes += line.size();
        if (bytes > source_.line_limit() + 1) {
            return bad("the record is longer than " + human_bytes(source_.line_limit()));
        }
        switch (parser_.feed(line)) {
        case Parser::Status::complete: return Result::record;
        case Parser::Status::bad: return bad(parser_.reason());
        case Parser::Status::more: open = true; break;
        }
    }
}

void append_field(std::string& out, Dialect dialect, std::string_view field, bool lonely) {
    if (dialect == Dialect::csv) {
        if (field.find_first_of("\",\r\n") == std::string_view::npos && !(lonely && field.empty())) {
            out.append(field);
            return;
        }
        out += '"';
        for (const char c : field) {
            if (c == '"') out += '"';
            out += c;
        }
        out += '"';
        return;
    }
    for (const char c : field) {
        switch (c) {
        case '\t': out += "\\t"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\0': out += "\\0"; break;
        case '\\': out += "\\\\"; break;
        default: out += c;
        }
    }
}

}  // namespace northstar_tool::csv
