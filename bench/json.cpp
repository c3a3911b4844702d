#include "json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace bench {
namespace json_impl {

constexpr int k_max_depth = 64;

void write_string(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    out += '"';
}

void write_number(std::string& out, double value) {
    char text[32];
    if (!std::isfinite(value)) {
        out += "null";
    } else if (value == std::floor(value) && std::fabs(value) < 1e15) {
        std::snprintf(text, sizeof text, "%.0f", value);
        out += text;
    } else {
        std::snprintf(text, sizeof text, "%.6g", value);
        out += text;
    }
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Json document() {
        Json value = this->value(0);
        skip_space();
        if (at_ != text_.size()) fail("something follows the value");
        return value;
    }

private:
    [[noreturn]] void fail(const char* reason) const {
        const auto line =
            1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
        throw std::runtime_error("JSON, line " + std::to_string(line) + ": " + reason);
    }

    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    bool take(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool take_word(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    std::string string() {
        std::string out;
        while (at_ < text_.size() && text_[at_] != '"') {
            char c = text_[at_++];
            if (c == '\\') {
                if (at_ == text_.size()) break;
                c = text_[at_++];
                if (c == 'n')
                    c = '\n';
                else if (c == 't')
                    c = '\t';
                else if (c == 'u') {
                    unsigned code = 0;
                    if (at_ + 4 > text_.size()) break;
                    std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
                    if (code > 0x7f) fail("only ASCII escapes are understood");
                    at_ += 4;
                    c = static_cast<char>(code);
                }
            }
            out += c;
        }
        if (at_ == text_.size()) fail("a string does not end");
        ++at_;
        return out;
    }

    Json value(int depth) {
        if (depth > k_max_depth) fail("nested too deeply");
        skip_space();
        if (at_ == text_.size()) fail("a value is missing");
        if (take('{')) {
            Json object = Json::object();
            if (take('}')) return object;
            do {
                if (!take('"')) fail("a member name is missing");
                std::string name = string();
                if (!take(':')) fail("':' is missing");
                object.set(std::move(name), value(depth + 1));
            } while (take(','));
            if (!take('}')) fail("'}' is missing");
            return object;
        }
        if (take('[')) {
            Json array = Json::array();
            if (take(']')) return array;
            do array.push_back(value(depth + 1));
            while (take(','));
            if (!take(']')) fail("']' is missing");
            return array;
        }
        if (take('"')) return Json(string());
        if (take_word("true")) return Json(true);
        if (take_word("false")) return Json(false);
        if (take_word("null")) return Json();
        double number = 0;
        const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
        if (result.ec != std::errc()) fail("not a value");
        at_ = static_cast<std::size_t>(result.ptr - text_.data());
        return Json(number);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace json_impl

Json& Json::set(std::string name, Json value) {
    const auto found =
        std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.first == name; });
    if (found != members_.end()) {
        found->second = std::move(value);
    } else {
        members_.emplace_back(std::move(name), std::move(value));
    }
    return *this;
}

const Json& Json::operator[](std::string_view name) const noexcept {
    static const Json nothing;
    for (const Member& member : members_) {
        if (member.first == name) return member.second;
    }
    return nothing;
}

void Json::write(std::string& out, int indent) const {
    // Containers of plain values stay on one line, which keeps results readable and their diffs small.
    const auto plain = [](const Json& value) { return value.items_.empty() && value.members_.empty(); };
    const bool flat =
        std::all_of(items_.begin(), items_.end(), plain) &&
        std::all_of(members_.begin(), members_.end(), [&](const Member& m) { return plain(m.second); });
    const auto new_line = [&](int level) {
        if (flat) return;
        out += '\n';
        out.append(static_cast<std::size_t>(level) * 2, ' ');
    };
    switch (kind_) {
        case Kind::null: out += "null"; break;
        case Kind::boolean: out += boolean_ ? "true" : "false"; break;
        case Kind::number: json_impl::write_number(out, number_); break;
        case Kind::string: json_impl::write_string(out, string_); break;
        case Kind::array:
            out += '[';
            for (std::size_t i = 0; i < items_.size(); ++i) {
                if (i != 0) out += flat ? ", " : ",";
                new_line(indent + 1);
                items_[i].write(out, indent + 1);
            }
            if (!items_.empty()) new_line(indent);
            out += ']';
            break;
        case Kind::object:
            out += '{';
            for (std::size_t i = 0; i < members_.size(); ++i) {
                if (i != 0) out += flat ? ", " : ",";
                new_line(indent + 1);
                json_impl::write_string(out, members_[i].first);
                out += ": ";
                members_[i].second.write(out, indent + 1);
            }
            if (!members_.empty()) new_line(indent);
            out += '}';
            break;
    }
}

std::string Json::text() const {
    std::string out;
    write(out, 0);
    out += '\n';
    return out;
}

Json Json::parse(std::string_view text) { return json_impl::Parser(text).document(); }

Json Json::read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    try {
        return parse(text);
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(path + ": " + error.what());
    }
}

void write_text_file(const std::string& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
}

void Json::write_file(const std::string& path) const { write_text_file(path, text()); }

}  // namespace bench
