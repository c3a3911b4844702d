#include "copy_streams.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "../failure.hpp"
#include "scan.hpp"

namespace northstar_tool::shell {

bool reads_standard_input(std::string_view statement) {
    const std::string_view text = trim_statement(statement);
    if (first_word(text) != "copy") return false;
    std::string before;
    std::size_t depth = 0;  // a query in parentheses has a FROM of its own
    for (std::size_t at = 0; at < text.size();) {
        const Span span = next_span(text, at);
        if (span.kind == SpanKind::end) break;
        const std::string_view piece = text.substr(span.begin, span.end - span.begin);
        at = span.end;
        if (piece == "(") ++depth;
        if (piece == ")" && depth > 0) --depth;
        if (span.kind != SpanKind::word || depth > 0) continue;
        const std::string word = lower_case(piece);
        if (before == "from") return word == "stdin";
        before = word;
    }
    return false;
}

std::optional<std::string> CopyLines::take(std::string_view text) {
    lines_ += text;
    for (;;) {
        const std::size_t end = lines_.find('\n', line_);
        if (end == std::string::npos) return std::nullopt;
        std::string_view line = std::string_view(lines_).substr(line_, end - line_);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line == "\\.") {
            std::string behind = lines_.substr(end + 1);
            lines_.resize(line_);
            return behind;
        }
        line_ = end + 1;
    }
}

bool CopySource::read(std::string& bytes) {
    if (lines_) {
        bytes = std::exchange(*lines_, {});
        return !bytes.empty();
    }
    bytes.resize(64 * 1024);
    ssize_t got;
    do got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    while (got < 0 && errno == EINTR);
    if (got < 0) throw Failure(k_exit_system, "cannot read standard input");
    bytes.resize(static_cast<std::size_t>(got));
    return got > 0;
}

}  // namespace northstar_tool::shell
