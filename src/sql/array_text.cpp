// Arrays as text.

#include "sql/array.hpp"
#include "sql/error.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"

namespace northstar::inline v0::sql {

namespace array_text_file {

bool needs_quotes(std::string_view text) {
    if (text.empty()) return true;
    if (text.size() == 4 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'u' && (text[2] | 0x20) == 'l' &&
        (text[3] | 0x20) == 'l') {
        return true;
    }
    for (const char c : text) {
        if (c == '{' || c == '}' || c == ',' || c == '"' || c == '\\' || is_sql_blank(c)) return true;
    }
    return false;
}

class ArrayReader {
public:
    ArrayReader(Oid element_type, std::int32_t typmod, std::string_view text, Arena& arena, Session& session)
        : element_type_(element_type), typmod_(typmod), text_(text), arena_(arena), session_(session) {}

    Value read(Oid array_type) {
        skip();
        std::vector<ArrayDimension> declared;
        while (at_ < text_.size() && text_[at_] == '[') declared.push_back(bounds());
        if (!declared.empty()) {
            skip();
            if (at_ >= text_.size() || text_[at_] != '=') malformed("Missing \"=\" after array dimensions.");
            ++at_;
            skip();
        }
        if (at_ >= text_.size() || text_[at_] != '{') {
            if (!declared.empty()) malformed("Array contents must start with \"{\".");
            malformed("Array value must start with \"{\" or dimension information.");
        }
        level(0);
        skip();
        if (at_ != text_.size()) malformed("Junk after closing right brace.");
        if (elements_.empty()) {
            if (!declared.empty() && array_size(declared) != 0)
                malformed("Specified array dimensions do not match array contents.");
            return make_array(array_type, element_type_, {}, arena_);
        }
        if (!declared.empty()) {
            if (declared.size() != lengths_.size())
                malformed("Specified array dimensions do not match array contents.");
            for (std::size_t i = 0; i < declared.size(); ++i) {
                if (declared[i].length != lengths_[i])
                    malformed("Specified array dimensions do not match array contents.");
            }
            return make_array(array_type, element_type_, declared, elements_, arena_);
        }
        std::vector<ArrayDimension> dimensions;
        for (const std::int32_t length : lengths_) dimensions.push_back({length, 1});
        return make_array(array_type, element_type_, dimensions, elements_, arena_);
    }

private:
    [[noreturn]] void malformed(const char* why) {
        raise(sqlstate::invalid_text_representation, "malformed array literal: \"" + std::string(text_) + '"',
              why);
    }
    void skip() {
        while (at_ < text_.size() && is_sql_blank(text_[at_])) ++at_;
    }
    std::int32_t bound() {
        std::size_t end = at_;
        if (end < text_.size() && (text_[end] == '-' || text_[end] == '+')) ++end;
        while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') ++end;
        if (end == at_) malformed("\"[\" must introduce explicitly-specified array dimensions.");
        const std::int64_t value = integer_from_text(text_.substr(at_, end - at_), 32);
        at_ = end;
        return static_cast<std::int32_t>(value);
    }
    ArrayDimension bounds() {
        ++at_;
        skip();
        std::int32_t lower = 1;
        std::int32_t upper = bound();
        if (at_ < text_.size() && text_[at_] == ':') {
            ++at_;
            lower = upper;
            upper = bound();
        }
        skip();
        if (at_ >= text_.size() || text_[at_] != ']') malformed("Missing \"]\" after array dimensions.");
        ++at_;
        if (upper < lower)
            raise(sqlstate::array_subscript_error, "upper bound cannot be less than lower bound");
        if (std::int64_t{upper} - lower + 1 > INT32_MAX)
            raise(sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)");
        return {static_cast<std::int32_t>(std::int64_t{upper} - lower + 1), lower};
    }
    /// The braces at the present place and what is in them.
    void level(std::size_t depth) {
        if (depth >= k_max_array_dimensions) {
            raise(sqlstate::program_limit_exceeded, "number of array dimensions (" +
                                                        std::to_string(depth + 1) +
                                                        ") exceeds the maximum allowed (6)");
        }
        ++at_;
        std::int32_t count = 0;
        skip();
        if (at_ < text_.size() && text_[at_] == '}') {
            ++at_;
            if (depth > 0) malformed("Unexpected \"}\" character.");
            finish(depth, 0);
            return;
        }
        for (;;) {
            skip();
            if (at_ >= text_.size()) malformed("Unexpected end of input.");
            if (text_[at_] == '{') {
                if (leaf_ != 0 && depth + 1 >= leaf_) malformed("Unexpected \"{\" character.");
                level(depth + 1);
            } else {
                if (leaf_ != 0 && depth + 1 != leaf_)
                    malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
                leaf_ = depth + 1;
                element();
            }
            ++count;
            skip();
            if (at_ >= text_.size()) malformed("Unexpected end of input.");
            if (text_[at_] == '}') break;
            if (text_[at_] != ',') malformed("Unexpected array element.");
            ++at_;
        }
        ++at_;
        finish(depth, count);
    }
    void finish(std::size_t depth, std::int32_t count) {
        if (lengths_.size() <= depth) lengths_.resize(depth + 1, -1);
        if (lengths_[depth] == -1) {
            lengths_[depth] = count;
        } else if (lengths_[depth] != count) {
            malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
        }
    }
    void element() {
        std::string content;
        bool quoted = false;
        std::size_t kept = 0;  // blanks behind this are trimmed
        if (text_[at_] == ',' || text_[at_] == '}')
            malformed(text_[at_] == ',' ? "Unexpected \",\" character." : "Unexpected \"}\" character.");
        if (text_[at_] == '"') {
            quoted = true;
            for (++at_;; ++at_) {
                if (at_ >= text_.size()) malformed("Unexpected end of input.");
                if (text_[at_] == '"') break;
                if (text_[at_] == '\\' && ++at_ >= text_.size()) malformed("Unexpected end of input.");
                content += text_[at_];
            }
            ++at_;
            skip();
            if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}')
                malformed("Unexpected array element.");
        } else {
            bool escaped = false;
            for (; at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}'; ++at_) {
                const char c = text_[at_];
                if (c == '"') malformed("Unexpected array element.");
                if (c == '{') malformed("Unexpected \"{\" character.");
                if (c == '\\') {
                    if (++at_ >= text_.size()) malformed("Unexpected end of input.");
                    escaped = true;
                    content += text_[at_];
                    kept = content.size();
                } else {
                    content += c;
                    if (!is_sql_blank(c)) kept = content.size();
                }
            }
            content.resize(kept);
            const auto is_null = [&]() {
                return content.size() == 4 && (content[0] | 0x20) == 'n' && (content[1] | 0x20) == 'u' &&
                       (content[2] | 0x20) == 'l' && (content[3] | 0x20) == 'l';
            };
            if (!escaped && is_null()) {
                elements_.push_back(Value::null(element_type_));
                return;
            }
        }
        if (!quoted && content.empty()) malformed("Unexpected \"}\" character.");
        elements_.push_back(value_from_text(element_type_, typmod_, content, arena_, session_));
    }

    Oid element_type_;
    std::int32_t typmod_;
    std::string_view text_;
    Arena& arena_;
    Session& session_;
    std::size_t at_ = 0;
    std::size_t leaf_ = 0;  ///< depth of the elements; 0: not known yet
    std::vector<std::int32_t> lengths_;
    std::vector<Value> elements_;
};

}  // namespace array_text_file

Value array_from_text(Oid array_type, Oid element_type, std::int32_t typmod, std::string_view text,
                      Arena& arena, Session& session) {
    return array_text_file::ArrayReader(element_type, typmod, text, arena, session).read(array_type);
}

void array_to_text(const Value& array, std::string& out, Session& session) {
    const ArrayView view(array);
    const std::span<const ArrayDimension> dimensions = view.dimensions();
    if (dimensions.empty()) {
        out += "{}";
        return;
    }
    bool explicit_bounds = false;
    for (const ArrayDimension& dimension : dimensions)
        explicit_bounds = explicit_bounds || dimension.lower != 1;
    if (explicit_bounds) {
        for (const ArrayDimension& dimension : dimensions) {
            out += '[' + std::to_string(dimension.lower) + ':' +
                   std::to_string(std::int64_t{dimension.lower} + dimension.length - 1) + ']';
        }
        out += '=';
    }
    Arena arena;
    std::string text;
    for (std::size_t i = 0; i < view.size(); ++i) {
        check_piece(out.size());
        if (i > 0) out += ',';
        // An opening brace for each dimension that begins here.
        std::size_t stride = 1;
        std::size_t opening = 0;
        for (std::size_t d = dimensions.size(); d-- > 0;) {
            stride *= static_cast<std::size_t>(dimensions[d].length);
            if (i % stride == 0) ++opening;
        }
        out.append(opening, '{');
        if (view.is_null(i)) {
            out += "NULL";
        } else {
            text.clear();
            value_to_text(view.element(i, arena), text, session);
            if (array_text_file::needs_quotes(text)) {
                out += '"';
                for (const char c : text) {
                    if (c == '"' || c == '\\') out += '\\';
                    out += c;
                }
                out += '"';
            } else {
                out += text;
            }
        }
        stride = 1;
        for (std::size_t d = dimensions.size(); d-- > 0;) {
            stride *= static_cast<std::size_t>(dimensions[d].length);
            if ((i + 1) % stride == 0) out += '}';
        }
    }
}

}  // namespace northstar::inline v0::sql
