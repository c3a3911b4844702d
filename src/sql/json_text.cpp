// Reading JSON text.

#include "sql/error.hpp"
#include "sql/jsonb_writer.hpp"
#include "sql/utf8.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace json_text_file {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Recursive descent over RFC 8259's grammar. `strict_unicode`: \u0000 is refused, as jsonb does; json keeps
/// its text.
class Reader {
public:
    Reader(std::string_view text, JsonTextEvents* events, bool decode)
        : text_(text), events_(events), decode_(decode) {}

    void document() {
        value(0);
        skip();
        if (at_ != text_.size()) unexpected("Expected end of input, but found ");
    }
    void value(int depth) {
        if (depth > k_json_max_depth) {
            raise(sqlstate::statement_too_complex, "stack depth limit exceeded", "",
                  "JSON is nested too deeply.");
        }
        skip();
        if (at_ == text_.size()) ended();
        const char c = text_[at_];
        if (c == '{') {
            object(depth);
        } else if (c == '[') {
            array(depth);
        } else if (c == '"') {
            string_token();
            if (events_ != nullptr) events_->string(decoded_);
        } else if (c == '-' || is_digit(c)) {
            const std::string_view token = number_token();
            if (events_ != nullptr) events_->number(token);
        } else {
            literal();
        }
    }
    void skip() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    }
    std::size_t position() const { return at_; }
    void move_to(std::size_t at) { at_ = at; }
    const std::string& decoded() const { return decoded_; }

    /// The string at the present place, into decoded().
    void string_token() {
        const std::size_t begin = at_++;
        decoded_.clear();
        for (;;) {
            if (at_ >= text_.size()) invalid_token(begin);
            const char c = text_[at_];
            if (c == '"') break;
            if (static_cast<unsigned char>(c) < 0x20) {
                char code[8];
                static constexpr char k_hex[] = "0123456789abcdef";
                code[0] = k_hex[static_cast<unsigned char>(c) >> 4];
                code[1] = k_hex[c & 15];
                code[2] = '\0';
                bad(std::string("Character with value 0x") + code + " must be escaped.");
            }
            if (c == '\\') {
                escape();
            } else {
                decoded_ += c;
                ++at_;
            }
        }
        ++at_;
    }

private:
    void object(int depth) {
        if (events_ != nullptr) events_->begin_object();
        ++at_;
        skip();
        if (at_ < text_.size() && text_[at_] == '}') {
            ++at_;
        } else {
            for (bool first = true;; first = false) {
                skip();
                if (at_ == text_.size()) ended();
                if (text_[at_] != '"')
                    unexpected(first ? "Expected string or \"}\", but found "
                                     : "Expected string, but found ");
                string_token();
                if (events_ != nullptr) events_->key(decoded_);
                skip();
                if (at_ == text_.size()) ended();
                if (text_[at_] != ':') unexpected("Expected \":\", but found ");
                ++at_;
                value(depth + 1);
                skip();
                if (at_ == text_.size()) ended();
                if (text_[at_] == '}') break;
                if (text_[at_] != ',') unexpected("Expected \",\" or \"}\", but found ");
                ++at_;
            }
            ++at_;
        }
        if (events_ != nullptr) events_->end_object();
    }
    void array(int depth) {
        if (events_ != nullptr) events_->begin_array();
        ++at_;
        skip();
        if (at_ < text_.size() && text_[at_] == ']') {
            ++at_;
        } else {
            for (;;) {
                value(depth + 1);
                skip();
                if (at_ == text_.size()) ended();
                if (text_[at_] == ']') break;
                if (text_[at_] != ',') unexpected("Expected \",\" or \"]\", but found ");
                ++at_;
            }
            ++at_;
        }
        if (events_ != nullptr) events_->end_array();
    }
    void literal() {
        const std::size_t begin = at_;
        std::size_t end = at_;
        while (end < text_.size() && is_word(text_[end])) ++end;
        const std::string_view word = text_.substr(begin, end - begin);
        const JsonKind kind = word == "true"    ? JsonKind::yes
                              : word == "false" ? JsonKind::no
                                                : JsonKind::null;
        if (kind == JsonKind::null && word != "null") {
            if (!word.empty()) invalid_token(begin);
            const char c = text_[begin];
            if (c == '}' || c == ']' || c == ',' || c == ':') unexpected("Expected JSON value, but found ");
            invalid_token(begin);
        }
        at_ = end;
        if (events_ != nullptr) events_->literal(kind);
    }
    std::string_view number_token() {
        const std::size_t begin = at_;
        std::size_t at = at_;
        bool good = true;
        const auto digits = [&]() {
            const std::size_t first = at;
            while (at < text_.size() && is_digit(text_[at])) ++at;
            return at > first;
        };
        if (text_[at] == '-') ++at;
        if (at < text_.size() && text_[at] == '0') {
            ++at;
        } else {
            good = digits();
        }
        if (at < text_.size() && text_[at] == '.') {
            ++at;
            good = digits() && good;
        }
        if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
            ++at;
            if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
            good = digits() && good;
        }
        if (!good || (at < text_.size() && is_word(text_[at]))) invalid_token(begin);
        at_ = at;
        return text_.substr(begin, at - begin);
    }
    std::uint32_t four_hex() {
        std::uint32_t point = 0;
        for (int i = 0; i < 4; ++i) {
            if (at_ >= text_.size()) invalid_token_here();
            const char c = text_[at_++];
            std::uint32_t digit = 0;
            if (is_digit(c)) {
                digit = static_cast<std::uint32_t>(c - '0');
            } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
                digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
            } else {
                bad("\"\\u\" must be followed by four hexadecimal digits.");
            }
            point = point * 16 + digit;
        }
        return point;
    }
    void escape() {
        ++at_;
        if (at_ >= text_.size()) invalid_token_here();
        const char c = text_[at_++];
        switch (c) {
            case '"':
            case '\\':
            case '/':
                decoded_ += c;
                return;
            case 'b':
                decoded_ += '\b';
                return;
            case 'f':
                decoded_ += '\f';
                return;
            case 'n':
                decoded_ += '\n';
                return;
            case 'r':
                decoded_ += '\r';
                return;
            case 't':
                decoded_ += '\t';
                return;
            case 'u':
                break;
            default:
                bad(std::string("Escape sequence \"\\") + c + "\" is invalid.");
        }
        std::uint32_t point = four_hex();
        if (!decode_) return;
        if (point == 0) {
            raise(sqlstate::untranslatable_character, "unsupported Unicode escape sequence",
                  "\\u0000 cannot be converted to text.");
        }
        if (point >= 0xdc00 && point < 0xe000) bad("Unicode low surrogate must follow a high surrogate.");
        if (point >= 0xd800 && point < 0xdc00) {
            if (text_.substr(at_, 2) != "\\u") {
                if (text_.substr(at_, 1) == "\\") bad("Unicode low surrogate must follow a high surrogate.");
                bad("Unicode low surrogate must follow a high surrogate.");
            }
            at_ += 2;
            const std::uint32_t low = four_hex();
            if (low >= 0xd800 && low < 0xdc00)
                bad("Unicode high surrogate must not follow a high surrogate.");
            if (low < 0xdc00 || low >= 0xe000) bad("Unicode low surrogate must follow a high surrogate.");
            point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        }
        utf8_append(point, decoded_);
    }
    [[noreturn]] void bad(std::string detail) {
        raise(sqlstate::invalid_text_representation, "invalid input syntax for type json", std::move(detail));
    }
    [[noreturn]] void ended() { bad("The input string ended unexpectedly."); }
    std::string token_at(std::size_t begin) {
        std::size_t end = begin;
        if (end < text_.size() && text_[end] == '"') {
            for (++end; end < text_.size() && text_[end] != '"'; ++end) {
                if (text_[end] == '\\') ++end;
            }
            end = std::min(end + 1, text_.size());
        } else if (end < text_.size() && (is_word(text_[end]) || text_[end] == '-')) {
            while (end < text_.size() &&
                   (is_word(text_[end]) || text_[end] == '.' || text_[end] == '-' || text_[end] == '+'))
                ++end;
        } else if (end < text_.size()) {
            ++end;
        }
        return std::string(text_.substr(begin, end - begin));
    }
    [[noreturn]] void unexpected(const char* expected) {
        skip();
        if (at_ == text_.size()) ended();
        bad(std::string(expected) + '"' + token_at(at_) + "\".");
    }
    [[noreturn]] void invalid_token(std::size_t begin) {
        bad("Token \"" + token_at(begin) + "\" is invalid.");
    }
    [[noreturn]] void invalid_token_here() { bad("The input string ended unexpectedly."); }

    std::string_view text_;
    JsonTextEvents* events_;
    bool decode_;
    std::size_t at_ = 0;
    std::string decoded_;
};

/// Makes jsonb of what a reader reports.
class TreeBuilder : public JsonTextEvents {
public:
    void begin_object() override { writer_.begin_object(); }
    void begin_array() override { writer_.begin_array(); }
    void key(std::string_view text) override { writer_.key(text); }
    void end_object() override { writer_.end_object(); }
    void end_array() override { writer_.end_array(); }
    void string(std::string_view text) override { writer_.string(text); }
    void number(std::string_view text) override {
        arena_.reset();
        writer_.number(numeric_from_text(text, arena_));
    }
    void literal(JsonKind kind) override {
        if (kind == JsonKind::null) writer_.null();
        else writer_.boolean(kind == JsonKind::yes);
    }
    std::string_view result() const { return writer_.result(); }

private:
    JsonbWriter writer_;
    Arena arena_;
};

}  // namespace json_text_file

std::string jsonb_from_text(std::string_view text) {
    json_text_file::TreeBuilder builder;
    json_text_file::Reader(text, &builder, true).document();
    return std::string(builder.result());
}

void check_json(std::string_view text) { json_text_file::Reader(text, nullptr, false).document(); }

void read_json(std::string_view text, JsonTextEvents& events) {
    json_text_file::Reader(text, &events, true).document();
}

JsonKind json_text_kind(std::string_view text) {
    const std::size_t at = text.find_first_not_of(" \t\n\r");
    if (at == std::string_view::npos) return JsonKind::null;
    switch (text[at]) {
        case '{':
            return JsonKind::object;
        case '[':
            return JsonKind::array;
        case '"':
            return JsonKind::string;
        case 't':
            return JsonKind::yes;
        case 'f':
            return JsonKind::no;
        case 'n':
            return JsonKind::null;
        default:
            return JsonKind::number;
    }
}

JsonTextParts split_json(std::string_view text) {
    json_text_file::Reader reader(text, nullptr, true);
    JsonTextParts result;
    result.kind = json_text_kind(text);
    if (result.kind != JsonKind::object && result.kind != JsonKind::array) {
        reader.document();
        return result;
    }
    const char close = result.kind == JsonKind::object ? '}' : ']';
    reader.skip();
    reader.move_to(reader.position() + 1);
    reader.skip();
    if (text[reader.position()] == close) return result;
    for (;;) {
        JsonTextPart part;
        reader.skip();
        if (result.kind == JsonKind::object) {
            reader.string_token();
            part.key = reader.decoded();
            reader.skip();
            reader.move_to(reader.position() + 1);
            reader.skip();
        }
        const std::size_t begin = reader.position();
        json_text_file::Reader plain(text, nullptr, false);
        plain.move_to(begin);
        plain.value(0);
        part.value = text.substr(begin, plain.position() - begin);
        result.parts.push_back(std::move(part));
        reader.move_to(plain.position());
        reader.skip();
        if (text[reader.position()] == close) return result;
        reader.move_to(reader.position() + 1);
    }
}

std::string json_unescape(std::string_view token) {
    json_text_file::Reader reader(token, nullptr, true);
    reader.skip();
    reader.string_token();
    return reader.decoded();
}

}  // namespace northstar::inline v0::sql
