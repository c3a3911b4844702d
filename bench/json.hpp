// json.hpp -- as much JSON as benchmark results need: build, write, read.
//
// Objects keep the order in which members were added. Numbers are doubles. Reading throws std::runtime_error
// with the line of the mistake; nesting deeper than 64 is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

class Json {
public:
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
    using Member = std::pair<std::string, Json>;

    Json() = default;
    Json(bool value) : kind_(Kind::boolean), boolean_(value) {}
    Json(double value) : kind_(Kind::number), number_(value) {}
    Json(int value) : Json(static_cast<double>(value)) {}
    Json(std::uint64_t value) : Json(static_cast<double>(value)) {}
    Json(std::string value) : kind_(Kind::string), string_(std::move(value)) {}
    Json(std::string_view value) : Json(std::string(value)) {}
    Json(const char* value) : Json(std::string(value)) {}
    static Json array() { return Json(Kind::array); }
    static Json object() { return Json(Kind::object); }

    Kind kind() const noexcept { return kind_; }
    bool is_null() const noexcept { return kind_ == Kind::null; }
    bool boolean(bool otherwise = false) const noexcept {
        return kind_ == Kind::boolean ? boolean_ : otherwise;
    }
    double number(double otherwise = 0) const noexcept { return kind_ == Kind::number ? number_ : otherwise; }
    const std::string& string() const noexcept { return string_; }
    const std::vector<Json>& items() const noexcept { return items_; }
    const std::vector<Member>& members() const noexcept { return members_; }

    void push_back(Json value) { items_.push_back(std::move(value)); }
    /// Adds or replaces a member.
    Json& set(std::string name, Json value);
    /// The member, or null.
    const Json& operator[](std::string_view name) const noexcept;

    std::string text() const;
    static Json parse(std::string_view text);
    static Json read_file(const std::string& path);
    void write_file(const std::string& path) const;

private:
    explicit Json(Kind kind) : kind_(kind) {}
    void write(std::string& out, int indent) const;

    Kind kind_ = Kind::null;
    bool boolean_ = false;
    double number_ = 0;
    std::string string_;
    std::vector<Json> items_;
    std::vector<Member> members_;
};

void write_text_file(const std::string& path, std::string_view text);

}  // namespace bench
