// like.hpp -- LIKE and ILIKE. Layer: sql. Threads: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// Whether the whole text matches: % any characters, _ one, \ the next one literally. At worst O(text *
/// pattern): only the last % is ever tried again. Raises 22025 where the pattern ends in its escape.
bool like_match(std::string_view text, std::string_view pattern, bool ignore_case);
/// A pattern with another escape turned to one with \. Raises 22025 where the escape is longer than a
/// character.
std::string like_escape_pattern(std::string_view pattern, std::string_view escape);

/// A pattern made ready for many texts: literal pieces between %, looked for from left to right. O(text) but for pieces
/// that repeat themselves. Only patterns without _ and without escapes are made.
class LikePattern {
public:
    /// nullptr: the pattern has more in it; like_match reads it. The pattern is copied.
    static std::unique_ptr<LikePattern> make(std::string_view pattern);
    /// As like_match(text, pattern, false).
    bool matches(std::string_view text) const;

private:
    std::string begin_;                ///< what a text begins with
    std::vector<std::string> middle_;  ///< what follows somewhere, in this order
    std::string end_;                  ///< what it ends with
    bool open_ = false;                ///< there is a %
};

}  // namespace northstar::inline v0::sql
