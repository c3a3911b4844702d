#include "cartridge/json_strings.hpp"

#include "cartridge/text_fold.hpp"

#include <cstddef>

namespace northstar::inline v0::detail {

namespace json_strings_impl {

constexpr unsigned k_most_levels = 256;

/// Every function says whether what it was to read was there; the first false ends the reading.
class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    using Place = std::function<std::string*(std::string_view, bool number)>;

    bool object(const Place* place, unsigned level) {
        if (level > k_most_levels || !take('{')) return false;
        blanks();
        if (take('}')) return true;
        std::string name;
        for (;;) {
            blanks();
            if (!string(&name)) return false;
            blanks();
            if (!take(':')) return false;
            blanks();
            const std::size_t first = at_;
            const bool is_string = peek() == '"';
            const bool is_number = peek() == '-' || (peek() >= '0' && peek() <= '9');
            std::string* const wanted =
                place != nullptr && (is_string || is_number) ? (*place)(name, is_number) : nullptr;
            if (wanted != nullptr && is_string ? !string(wanted) : !value(level)) return false;
            if (wanted != nullptr && is_number) wanted->assign(text_, first, at_ - first);
            blanks();
            if (take('}')) return true;
            if (!take(',')) return false;
        }
    }
    void blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' ||
                                      text_[at_] == '\r')) {
            ++at_;
        }
    }
    bool at_end() const { return at_ == text_.size(); }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool take(char c) {
        if (peek() != c || at_end()) return false;
        ++at_;
        return true;
    }
    bool word(std::string_view expected) {
        if (!text_.substr(at_).starts_with(expected)) return false;
        at_ += expected.size();
        return true;
    }
    bool value(unsigned level) {
        switch (peek()) {
        case '{': return object(nullptr, level + 1);
        case '[': return array(level + 1);
        case '"': return string(nullptr);
        case 't': return word("true");
        case 'f': return word("false");
        case 'n': return word("null");
        default: return number();
        }
    }
    bool array(unsigned level) {
        if (level > k_most_levels || !take('[')) return false;
        blanks();
        if (take(']')) return true;
        for (;;) {
            blanks();
            if (!value(level)) return false;
            blanks();
            if (take(']')) return true;
            if (!take(',')) return false;
        }
    }
    bool digits() {
        const std::size_t first = at_;
        while (peek() >= '0' && peek() <= '9') ++at_;
        return at_ != first;
    }
    bool number() {
        take('-');
        if (!take('0') && !digits()) return false;
        if (take('.') && !digits()) return false;
        if (!take('e') && !take('E')) return true;
        if (!take('+')) take('-');
        return digits();
    }
    /// nullptr: it is checked and passed over.
    bool string(std::string* out) {
        if (!take('"')) return false;
        if (out != nullptr) out->clear();
        while (!at_end()) {
            const std::size_t first = at_;
            while (!at_end() && plain(text_[at_])) ++at_;
            if (out != nullptr) out->append(text_, first, at_ - first);
            if (at_end()) return false;
            const char c = text_[at_];
            if (take('"')) return true;
            if (c == '\\') {
                ++at_;
                if (!escape(out)) return false;
                continue;
            }
            char32_t code = 0;
            const std::size_t size = read_utf8(text_.substr(at_), code);
            if (size == 0 || code < 0x20) return false;
            if (out != nullptr) out->append(text_, at_, size);
            at_ += size;
        }
        return false;
    }
    static bool plain(char c) { return c >= 0x20 && c != '"' && c != '\\' && static_cast<unsigned char>(c) < 0x80; }
    bool unit(char32_t& code) {
        code = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = peek();
            if (c >= '0' && c <= '9') code = code * 16 + static_cast<char32_t>(c - '0');
            else if (c >= 'a' && c <= 'f') code = code * 16 + static_cast<char32_t>(c - 'a' + 10);
            else if (c >= 'A' && c <= 'F') code = code * 16 + static_cast<char32_t>(c - 'A' + 10);
            else return false;
            ++at_;
        }
        return true;
    }
    bool escape(std::string* out) {
        if (at_end()) return false;
        const char c = text_[at_++];
        constexpr std::string_view k_from = "\"\\/bfnrt";
        constexpr std::string_view k_to = "\"\\/\b\f\n\r\t";
        const std::size_t simple = k_from.find(c);
        if (simple != std::string_view::npos) {
            if (out != nullptr) out->push_back(k_to[simple]);
            return true;
        }
        char32_t code = 0;
        if (c != 'u' || !unit(code)) return false;
        if (code >= 0xdc00 && code < 0xe000) return false;
        if (code >= 0xd800 && code < 0xdc00) {
            char32_t low = 0;
            if (!word("\\u") || !unit(low) || low < 0xdc00 || low > 0xdfff) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        char bytes[4];
        const std::size_t size = write_utf8(code, bytes);
        if (out != nullptr) out->append(bytes, size);
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace json_strings_impl

bool read_json_scalars(std::string_view bytes,
                       const std::function<std::string*(std::string_view, bool number)>& place) {
    json_strings_impl::JsonReader reader(bytes);
    reader.blanks();
    if (!reader.object(&place, 1)) return false;
    reader.blanks();
    return reader.at_end();
}

bool read_json_strings(std::string_view bytes, const std::function<std::string*(std::string_view)>& place) {
    return read_json_scalars(
        bytes, [&](std::string_view name, bool number) { return number ? nullptr : place(name); });
}

}  // namespace northstar::inline v0::detail
