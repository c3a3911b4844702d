#include "json.hpp"

#include "text.hpp"

namespace northstar_tool::json {
namespace json_impl {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0u | (code >> 6));
        put(0x80u | (code & 63u));
    } else if (code < 0x10000) {
        put(0xe0u | (code >> 12));
        put(0x80u | ((code >> 6) & 63u));
        put(0x80u | (code & 63u));
    } else {
        put(0xf0u | (code >> 18));
        put(0x80u | ((code >> 12) & 63u));
        put(0x80u | ((code >> 6) & 63u));
        put(0x80u | (code & 63u));
    }
}

}  // namespace json_impl

std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
    case Kind::object: return "an object";
    case Kind::array: return "an array";
    case Kind::string: return "a string";
    case Kind::number: return "a number";
    case Kind::boolean: return "true or false";
    case Kind::null: return "null";
    }
    return "a value";
}

void Reader::fail(const std::string& reason) const { throw SyntaxError(at_, reason); }

void Reader::skip_space() noexcept {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
        ++at_;
    }
}

bool Reader::accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
}

void Reader::expect(char c, const char* what) {
    if (!accept(c))
        fail(at_ >= text_.size() ? std::string("the text ends where ") + what + " must follow"
                                 : std::string(what) + " is missing");
}

Kind Reader::peek() {
    skip_space();
    if (at_ >= text_.size()) fail("the text ends where a value must follow");
    const char c = text_[at_];
    switch (c) {
    case '{': return Kind::object;
    case '[': return Kind::array;
    case '"': return Kind::string;
    case 't':
    case 'f': return Kind::boolean;
    case 'n': return Kind::null;
    default: break;
    }
    if (c == '-' || json_impl::is_digit(c)) return Kind::number;
    fail("this is not the beginning of a JSON value");
}

void Reader::literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) fail("this is not the beginning of a JSON value");
    at_ += word.size();
    if (at_ < text_.size()) {
        const char c = text_[at_];
        if (json_impl::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            fail("unexpected text after a value");
    }
}

void Reader::number() {
    const auto digit = [this] { return at_ < text_.size() && json_impl::is_digit(text_[at_]); };
    if (text_[at_] == '-') ++at_;
    if (!digit()) fail("a number needs a digit here");
    if (text_[at_] == '0') {
        ++at_;
        if (digit()) fail("a number has a leading zero");
    } else {
        while (digit()) ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '.') {
        ++at_;
        if (!digit()) fail("a number needs a digit after its point");
        while (digit()) ++at_;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
        ++at_;
        if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
        if (!digit()) fail("a number needs a digit in its exponent");
        while (digit()) ++at_;
    }
}

unsigned Reader::escaped_unit() {
    unsigned unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        unit <<= 4;
        if (json_impl::is_digit(c)) unit |= static_cast<unsigned>(c - '0');
        else if (c >= 'a' && c <= 'f') unit |= static_cast<unsigned>(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F') unit |= static_cast<unsigned>(c - 'A' + 10);
        else fail("\\u needs four hexadecimal digits");
    }
    return unit;
}

void Reader::string(std::string* out) {
    const std::size_t opened = at_;
    ++at_;
    for (;;) {
        const std::size_t plain = at_;
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
               static_cast<unsigned char>(text_[at_]) >= 0x20) {
            ++at_;
        }
        const std::string_view run = text_.substr(plain, at_ - plain);
        if (!valid_utf8(run)) {
            at_ = plain;
            fail("a string is not well-formed UTF-8");
        }
        if (out != nullptr) out->append(run);
        if (at_ >= text_.size()) {
            at_ = opened;
            fail("a string is not closed");
        }
        if (text_[at_] == '"') {
            ++at_;
            return;
        }
        if (text_[at_] != '\\') fail("a control character inside a string must be escaped");
        ++at_;
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        char plain_escape = 0;
        switch (c) {
        case '"':
        case '\\':
        case '/': plain_escape = c; break;
        case 'b': plain_escape = '\b'; break;
        case 'f': plain_escape = '\f'; break;
        case 'n': plain_escape = '\n'; break;
        case 'r': plain_escape = '\r'; break;
        case 't': plain_escape = '\t'; break;
        case 'u': break;
        default: fail("an unknown escape in a string");
        }
        ++at_;
        if (plain_escape != 0) {
            if (out != nullptr) *out += plain_escape;
            continue;
        }
        unsigned code = escaped_unit();
        if (code >= 0xdc00 && code <= 0xdfff) fail("a lone low surrogate in a string");
        if (code >= 0xd800 && code <= 0xdbff) {
            if (text_.substr(at_, 2) != "\\u") fail("a lone high surrogate in a string");
            at_ += 2;
            const unsigned low = escaped_unit();
            if (low < 0xdc00 || low > 0xdfff) fail("a lone high surrogate in a string");
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        if (out != nullptr) json_impl::append_utf8(*out, code);
    }
}

std::string Reader::read_string() {
    const Kind kind = peek();
    if (kind != Kind::string) fail(std::string(name_of(kind)) + " stands where a string must");
    std::string out;
    string(&out);
    return out;
}

bool Reader::read_boolean() {
    const Kind kind = peek();
    if (kind != Kind::boolean) fail(std::string(name_of(kind)) + " stands where true or false must");
    const bool value = text_[at_] == 't';
    literal(value ? "true" : "false");
    return value;
}

std::uint64_t Reader::read_unsigned() {
    const Kind kind = peek();
    if (kind != Kind::number) fail(std::string(name_of(kind)) + " stands where a number must");
    const std::size_t start = at_;
    number();
    const auto value = parse_unsigned(text_.substr(start, at_ - start));
    if (!value) {
        at_ = start;
        fail("a whole number from 0 to 2^64-1 must stand here");
    }
    return *value;
}

void Reader::skip_value() {
    switch (peek()) {
    case Kind::string: string(nullptr); return;
    case Kind::number: number(); return;
    case Kind::boolean: literal(text_[at_] == 't' ? "true" : "false"); return;
    case Kind::null: literal("null"); return;
    case Kind::array:
        if (++depth_ > k_max_depth) fail("arrays and objects are nested too deeply");
        ++at_;
        if (!accept(']')) {
            do skip_value();
            while (accept(','));
            expect(']', "a comma or ']'");
        }
        --depth_;
        return;
    case Kind::object:
        if (++depth_ > k_max_depth) fail("arrays and objects are nested too deeply");
        ++at_;
        if (!accept('}')) {
            do {
                const Kind kind = peek();
                if (kind != Kind::string) fail("the name of a member must be a string");
                string(nullptr);
                expect(':', "':'");
                skip_value();
            } while (accept(','));
            expect('}', "a comma or '}'");
        }
        --depth_;
        return;
    }
}

std::string_view Reader::read_raw() {
    skip_space();
    const std::size_t start = at_;
    skip_value();
    return text_.substr(start, at_ - start);
}

void Reader::begin_object() {
    const Kind kind = peek();
    if (kind != Kind::object) fail(std::string(name_of(kind)) + " stands where an object must");
    ++at_;
    fresh_ = true;
}

bool Reader::next_member(std::string& name) {
    if (accept('}')) {
        fresh_ = false;
        return false;
    }
    if (!fresh_) expect(',', "a comma or '}'");
    fresh_ = false;
    skip_space();
    if (at_ >= text_.size() || text_[at_] != '"') fail("the name of a member must be a string");
    name.clear();
    string(&name);
    expect(':', "':'");
    return true;
}

void Reader::begin_array() {
    const Kind kind = peek();
    if (kind != Kind::array) fail(std::string(name_of(kind)) + " stands where an array must");
    ++at_;
    fresh_ = true;
}

bool Reader::next_element() {
    if (accept(']')) {
        fresh_ = false;
        return false;
    }
    if (!fresh_) expect(',', "a comma or ']'");
    fresh_ = false;
    return true;
}

void Reader::finish() {
    skip_space();
    if (at_ != text_.size()) fail("unexpected text after the value");
}

void append_string(std::string& out, std::string_view utf8) {
    static constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    std::size_t plain = 0;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto byte = static_cast<unsigned char>(utf8[i]);
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) continue;
        out.append(utf8.substr(plain, i - plain));
        plain = i + 1;
        switch (utf8[i]) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            out += "\\u00";
            out += hex[byte >> 4];
            out += hex[byte & 15u];
        }
    }
    out.append(utf8.substr(plain));
    out += '"';
}

void append_bytes(std::string& out, std::string_view bytes) {
    if (valid_utf8(bytes)) {
        append_string(out, bytes);
    } else {
        out += "{\"$base64\":\"";
        out += base64_encode(bytes);
        out += "\"}";
    }
}

std::string read_bytes(Reader& reader, bool* was_bytes) {
    const Kind kind = reader.peek();
    if (was_bytes != nullptr) *was_bytes = true;
    if (kind == Kind::string) return reader.read_string();
    const std::string_view raw = reader.read_raw();
    if (kind == Kind::object) {
        Reader inner(raw);
        std::string name;
        std::string another;
        inner.begin_object();
        if (inner.next_member(name) && (name == "$base64" || name == "$hex") && inner.peek() == Kind::string) {
            const std::string text = inner.read_string();
            if (!inner.next_member(another)) {
                const bool hex = name == "$hex";
                auto bytes = hex ? hex_decode(text) : base64_decode(text);
                if (!bytes)
                    throw SyntaxError(0, "the text of \"" + name + "\" is not " + (hex ? "hexadecimal" : "base64"));
                return *std::move(bytes);
            }
        }
    }
    if (was_bytes != nullptr) *was_bytes = false;
    return std::string(raw);
}

void Writer::separate() {
    if (comma_) text_ += ',';
    comma_ = true;
}

Writer& Writer::open(char bracket) {
    separate();
    text_ += bracket;
    comma_ = false;
    return *this;
}

Writer& Writer::close(char bracket) {
    text_ += bracket;
    comma_ = true;
    return *this;
}

Writer& Writer::name(std::string_view name) {
    separate();
    append_string(text_, name);
    text_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view utf8) {
    separate();
    append_string(text_, utf8);
    return *this;
}

Writer& Writer::bytes(std::string_view bytes) {
    separate();
    append_bytes(text_, bytes);
    return *this;
}

Writer& Writer::number(std::uint64_t number) {
    separate();
    text_ += std::to_string(number);
    return *this;
}

Writer& Writer::boolean(bool value) {
    separate();
    text_ += value ? "true" : "false";
    return *this;
}

Writer& Writer::null() {
    separate();
    text_ += "null";
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    separate();
    text_ += json;
    return *this;
}

}  // namespace northstar_tool::json
