// Patterns in POSIX's basic and extended syntax as ones in advanced syntax, and the names of characters in brackets.

#include "sql/regex_syntax.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

namespace regex_dialect_file {

class Translation {
public:
    Translation(const std::vector<std::uint32_t>& points, RegexDialect dialect, bool expanded)
        : points_(points), basic_(dialect == RegexDialect::basic), expanded_(expanded) {}

    std::vector<std::uint32_t> run() {
        while (at_ < points_.size()) {
            const std::uint32_t c = points_[at_];
            if (c == '[') bracket();
            else if (c == '\\') backslash();
            else if (basic_) basic(c);
            else extended(c);
        }
        return std::move(out_);
    }

private:
    void put(std::string_view text) {
        for (const char c : text) out_.push_back(static_cast<unsigned char>(c));
    }
    /// A character that stands for itself.
    void literal(std::uint32_t c) {
        const bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80;
        if (!plain) put("\\");
        out_.push_back(c);
        begins_ = false;
    }
    void take(std::uint32_t c) {
        out_.push_back(c);
        ++at_;
        begins_ = false;
    }
    bool is_digit_at(std::size_t at) const { return at < points_.size() && points_[at] >= '0' && points_[at] <= '9'; }

    void basic(std::uint32_t c) {
        const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (expanded_ && blank) {
            out_.push_back(c);
            ++at_;
        } else if (c == '.') {
            take(c);
        } else if (c == '*' && !begins_ && !behind_caret_) {
            take(c);
        } else if (c == '^' && begins_) {
            take(c);
            behind_caret_ = true;
            return;
        } else if (c == '$' && ends_at(at_ + 1)) {
            take(c);
        } else {
            ++at_;
            literal(c);
        }
        behind_caret_ = false;
    }
    bool ends_at(std::size_t at) const {
        return at == points_.size() || (at + 1 < points_.size() && points_[at] == '\\' && points_[at + 1] == ')');
    }

    void extended(std::uint32_t c) {
        if (c == ')' && depth_ == 0) {
            ++at_;
            quantified_ = false;
            return literal(c);
        }
        if (c == '(') ++depth_;
        if (c == ')') --depth_;
        const bool quantifies = c == '*' || c == '+' || c == '?' || (c == '{' && is_digit_at(at_ + 1));
        if (quantifies && (quantified_ || begins_)) refuse_regex("quantifier operand invalid");
        if (c == '{' && quantifies) {
            while (at_ < points_.size() && points_[at_] != '}') take(points_[at_]);
            if (at_ < points_.size()) take('}');
        } else {
            take(c);
        }
        quantified_ = quantifies;
        begins_ = c == '(' || c == '|';
    }

    void backslash() {
        if (++at_ == points_.size()) refuse_regex("invalid escape \\ sequence");
        const std::uint32_t c = points_[at_++];
        quantified_ = behind_caret_ = false;
        if (!basic_) return literal(c);
        if (c == '(') {
            put("(");
            begins_ = true;
        } else if (c == ')') {
            put(")");
            begins_ = false;
        } else if (c == '<' || c == '>') {
            put(c == '<' ? "[[:<:]]" : "[[:>:]]");
            begins_ = false;
        } else if (c == '{') {
            put("{");
            while (at_ < points_.size() && points_[at_] != '\\') take(points_[at_]);
            if (at_ + 1 >= points_.size() || points_[at_ + 1] != '}') refuse_regex("invalid repetition count(s)");
            at_ += 2;
            put("}");
        } else if (c >= '1' && c <= '9') {
            put("\\");
            out_.push_back(c);
            begins_ = false;
            // No digit of its number.
            if (is_digit_at(at_)) {
                put("[");
                take(points_[at_]);
                put("]");
            }
        } else {
            literal(c);
        }
    }

    /// As it is, but that backslashes are characters.
    void bracket() {
        quantified_ = begins_ = behind_caret_ = false;
        const std::size_t begin = at_;
        const auto next = [&](std::uint32_t c) { return at_ < points_.size() && points_[at_] == c; };
        take('[');
        if (next('^')) take('^');
        if (next(']')) take(']');
        while (at_ < points_.size() && points_[at_] != ']') {
            const std::uint32_t c = points_[at_];
            const std::uint32_t mark = at_ + 1 < points_.size() ? points_[at_ + 1] : 0;
            if (c == '[' && (mark == ':' || mark == '.' || mark == '=')) {
                take(c);
                take(mark);
                while (at_ < points_.size() && !(points_[at_] == mark && at_ + 1 < points_.size() &&
                                                 points_[at_ + 1] == ']'))
                    take(points_[at_]);
                if (at_ < points_.size()) take(mark);
                if (at_ < points_.size()) take(']');
                continue;
            }
            if (c == '\\') put("\\");
            take(c);
        }
        if (at_ < points_.size()) take(']');
        else if (begin < at_) refuse_regex("brackets [] not balanced");
    }

    const std::vector<std::uint32_t>& points_;
    bool basic_;
    bool expanded_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    bool behind_caret_ = false;  ///< of the basic syntax, where * stands for itself there
    bool begins_ = true;       ///< nothing was there yet that could be repeated
    bool quantified_ = false;  ///< a quantifier was last
    std::vector<std::uint32_t> out_;
};

struct NamedCharacter {
    std::string_view name;
    std::uint32_t point;
};
/// POSIX's names of the portable character set.
constexpr NamedCharacter k_names[] = {
    {"NUL", 0}, {"SOH", 1}, {"STX", 2}, {"ETX", 3}, {"EOT", 4}, {"ENQ", 5}, {"ACK", 6}, {"BEL", 7}, {"alert", 7},
    {"BS", 8}, {"backspace", 8}, {"HT", 9}, {"tab", 9}, {"LF", 10}, {"newline", 10}, {"VT", 11},
    {"vertical-tab", 11}, {"FF", 12}, {"form-feed", 12}, {"CR", 13}, {"carriage-return", 13}, {"SO", 14}, {"SI", 15},
    {"DLE", 16}, {"DC1", 17}, {"DC2", 18}, {"DC3", 19}, {"DC4", 20}, {"NAK", 21}, {"SYN", 22}, {"ETB", 23},
    {"CAN", 24}, {"EM", 25}, {"SUB", 26}, {"ESC", 27}, {"IS4", 28}, {"FS", 28}, {"IS3", 29}, {"GS", 29}, {"IS2", 30},
    {"RS", 30}, {"IS1", 31}, {"US", 31}, {"space", 32}, {"exclamation-mark", 33}, {"quotation-mark", 34},
    {"number-sign", 35}, {"dollar-sign", 36}, {"percent-sign", 37}, {"ampersand", 38}, {"apostrophe", 39},
    {"left-parenthesis", 40}, {"right-parenthesis", 41}, {"asterisk", 42}, {"plus-sign", 43}, {"comma", 44},
    {"hyphen", 45}, {"hyphen-minus", 45}, {"period", 46}, {"full-stop", 46}, {"slash", 47}, {"solidus", 47},
    {"zero", 48}, {"one", 49}, {"two", 50}, {"three", 51}, {"four", 52}, {"five", 53}, {"six", 54}, {"seven", 55},
    {"eight", 56}, {"nine", 57}, {"colon", 58}, {"semicolon", 59}, {"less-than-sign", 60}, {"equals-sign", 61},
    {"greater-than-sign", 62}, {"question-mark", 63}, {"commercial-at", 64}, {"left-square-bracket", 91},
    {"backslash", 92}, {"reverse-solidus", 92}, {"right-square-bracket", 93}, {"circumflex", 94},
    {"circumflex-accent", 94}, {"underscore", 95}, {"low-line", 95}, {"grave-accent", 96}, {"left-brace", 123},
    {"left-curly-bracket", 123}, {"vertical-line", 124}, {"right-brace", 125}, {"right-curly-bracket", 125},
    {"tilde", 126}, {"DEL", 127},
};

}  // namespace regex_dialect_file

std::vector<std::uint32_t> advanced_pattern(const std::vector<std::uint32_t>& points, RegexDialect dialect,
                                            bool expanded) {
    return regex_dialect_file::Translation(points, dialect, expanded).run();
}

std::optional<std::uint32_t> collating_element(std::string_view name) {
    using namespace regex_dialect_file;
    const auto* const found = std::find_if(std::begin(k_names), std::end(k_names),
                                           [&](const NamedCharacter& each) { return each.name == name; });
    return found == std::end(k_names) ? std::nullopt : std::optional<std::uint32_t>(found->point);
}

}  // namespace northstar::inline v0::sql
