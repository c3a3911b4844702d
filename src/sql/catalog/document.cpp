#include "sql/catalog/document.hpp"

#include "sql/error.hpp"
#include "sql/syntax/lexer.hpp"

#include <charconv>

namespace northstar::inline v0::sql {

namespace document {

constexpr int k_deepest = 64;
constexpr std::size_t k_usual_members = 8;

/// A reader of JSON without fractions; it reads what the writer below wrote.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Document whole() {
        Document result = value(0);
        blanks();
        if (at_ != text_.size()) damaged();
        return result;
    }

private:
    [[noreturn]] void damaged() const {
        raise(sqlstate::data_corrupted, "the catalog holds a damaged document");
    }
    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
    }
    char peek() {
        blanks();
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    void expect(char c) {
        if (peek() != c) damaged();
        ++at_;
    }
    bool word(std::string_view text) {
        if (text_.substr(at_, text.size()) != text) return false;
        at_ += text.size();
        return true;
    }

    Document value(int depth) {
        if (depth > k_deepest) damaged();
        switch (peek()) {
            case '{': {
                ++at_;
                Document object = Document::object();
                if (peek() != '}') do {
                    if (peek() == ',') ++at_;
                    blanks();
                    const std::string name = string();
                    expect(':');
                    object.set(name, value(depth + 1));
                } while (peek() == ',');
                expect('}');
                return object;
            }
            case '[': {
                ++at_;
                Document array = Document::array();
                if (peek() != ']') do {
                    if (peek() == ',') ++at_;
                    array.push(value(depth + 1));
                } while (peek() == ',');
                expect(']');
                return array;
            }
            case '"': return Document::string(string());
            case 't': if (word("true")) return Document::boolean(true); damaged();
            case 'f': if (word("false")) return Document::boolean(false); damaged();
            case 'n': if (word("null")) return {}; damaged();
            default: {
                std::int64_t number = 0;
                const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
                if (error != std::errc()) damaged();
                at_ = static_cast<std::size_t>(end - text_.data());
                return Document::integer(number);
            }
        }
    }

    std::string string() {
        std::string out;
        expect('"');
        for (;;) {
            const std::size_t from = at_;
            while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
            if (at_ == text_.size()) damaged();
            out.append(text_, from, at_ - from);
            char c = text_[at_++];
            if (c == '"') return out;
            if (c == '\\') {
                if (at_ >= text_.size()) damaged();
                c = text_[at_++];
                switch (c) {
                    case 'n': c = '\n'; break;
                    case 't': c = '\t'; break;
                    case 'r': c = '\r'; break;
                    case 'u': {
                        std::uint32_t code = 0;
                        if (at_ + 4 > text_.size()) damaged();
                        const auto [end, error] =
                            std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
                        if (error != std::errc() || end != text_.data() + at_ + 4 || !append_utf8(out, code)) damaged();
                        at_ += 4;
                        continue;
                    }
                    default: break;
                }
            }
            out.push_back(c);
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

void write_string(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '\r': out += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    constexpr char digits[] = "0123456789abcdef";
                    out += "\\u00";
                    out.push_back(digits[(c >> 4) & 15]);
                    out.push_back(digits[c & 15]);
                } else {
                    out.push_back(c);
                }
        }
    }
    out.push_back('"');
}

}  // namespace document

Document Document::boolean(bool value) {
    Document result;
    result.kind_ = Kind::boolean;
    result.integer_ = value ? 1 : 0;
    return result;
}

Document Document::number(std::string_view digits) {
    Document result;
    result.kind_ = Kind::number;
    result.string_ = digits;
    return result;
}

Document Document::integer(std::int64_t value) {
    Document result;
    result.kind_ = Kind::integer;
    result.integer_ = value;
    return result;
}

Document Document::string(std::string_view value) {
    Document result;
    result.kind_ = Kind::string;
    result.string_ = value;
    return result;
}

Document Document::array() {
    Document result;
    result.kind_ = Kind::array;
    return result;
}

Document Document::object() {
    Document result;
    result.kind_ = Kind::object;
    result.names_.reserve(document::k_usual_members);
    result.items_.reserve(document::k_usual_members);
    return result;
}

Document Document::parse(std::string_view text) { return document::Reader(text).whole(); }

const Document& Document::operator[](std::string_view name) const {
    static const Document nothing;
    for (std::size_t i = 0; i < names_.size(); ++i)
        if (names_[i] == name) return items_[i];
    return nothing;
}

void Document::set(std::string_view name, Document value) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (names_[i] != name) continue;
        items_[i] = std::move(value);
        return;
    }
    names_.emplace_back(name);
    items_.push_back(std::move(value));
}

void Document::set_text(std::string_view name, std::string_view value) {
    if (!value.empty()) set(name, string(value));
}

void Document::set_flag(std::string_view name, bool value) {
    if (value) set(name, boolean(true));
}

std::string Document::text() const {
    std::string out;
    write(out, 0);
    return out;
}

void Document::write(std::string& out, int depth) const {
    const auto line = [&](int level) {
        out.push_back('\n');
        out.append(static_cast<std::size_t>(level) * 2, ' ');
    };
    switch (kind_) {
        case Kind::null: out += "null"; return;
        case Kind::boolean: out += integer_ != 0 ? "true" : "false"; return;
        case Kind::integer: out += std::to_string(integer_); return;
        case Kind::number: out += string_; return;
        case Kind::string: document::write_string(out, string_); return;
        case Kind::array:
        case Kind::object: break;
    }
    const bool object = kind_ == Kind::object;
    out.push_back(object ? '{' : '[');
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (i > 0) out.push_back(',');
        line(depth + 1);
        if (object) {
            document::write_string(out, names_[i]);
            out += ": ";
        }
        items_[i].write(out, depth + 1);
    }
    if (!items_.empty()) line(depth);
    out.push_back(object ? '}' : ']');
}

}  // namespace northstar::inline v0::sql
