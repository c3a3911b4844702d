// document.hpp -- the JSON in which the catalog keeps its objects: read, build, write.  Layer: sql.  Threads: values.
//
// [DOC-1] Members keep the order in which they were set, and writing what was read gives the same bytes, so that a
//         change of an object shows as a small difference.
// Numbers are integers, which is all that the catalog needs; others can be written, for EXPLAIN, not read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class Document {
public:
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

    Document() = default;
    static Document boolean(bool value);
    static Document integer(std::int64_t value);
    static Document number(std::string_view digits);  ///< as JSON writes them
    static Document string(std::string_view value);
    static Document array();
    static Document object();
    /// Raises data_corrupted for what is no JSON of this kind or nested deeper than 64.
    static Document parse(std::string_view text);

    Kind kind() const { return kind_; }
    bool is_null() const { return kind_ == Kind::null; }
    /// What is absent or of another kind reads as the fallback.
    bool as_boolean(bool fallback = false) const { return kind_ == Kind::boolean ? integer_ != 0 : fallback; }
    std::int64_t as_integer(std::int64_t fallback = 0) const { return kind_ == Kind::integer ? integer_ : fallback; }
    const std::string& as_string() const { return string_; }
    const std::vector<Document>& items() const { return items_; }

    /// Member of an object; a null document where there is none.
    const Document& operator[](std::string_view name) const;
    bool has(std::string_view name) const { return !(*this)[name].is_null(); }
    const std::vector<std::string>& names() const { return names_; }

    void set(std::string_view name, Document value);
    /// Leaves out what equals the default.
    void set_text(std::string_view name, std::string_view value);
    void set_flag(std::string_view name, bool value);
    void push(Document value) { items_.push_back(std::move(value)); }

    /// With line breaks and two blanks of indentation.
    std::string text() const;

private:
    void write(std::string& out, int depth) const;

    Kind kind_ = Kind::null;
    std::int64_t integer_ = 0;
    std::string string_;
    std::vector<std::string> names_;
    std::vector<Document> items_;  // of an array, or the values of an object
};

}  // namespace northstar::inline v0::sql
