// regex_syntax.hpp -- the tree of a regular expression, and who reads it.  Layer: sql.  Threads: one.
//
// A tree knows of each of its nodes what it prefers: a longer match, a shorter one, or both in different parts of it. A
// sequence prefers what the first of its parts does that prefers anything; alternatives prefer the longer.
#pragma once

#include "sql/regex.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

namespace regex_flag {
inline constexpr unsigned longer = 1, shorter = 2;
inline constexpr unsigned mixed = 4;       ///< parts of it prefer different things
inline constexpr unsigned groups = 8;      ///< there are groups inside
inline constexpr unsigned references = 16; ///< there are back references inside

constexpr unsigned preference(unsigned flags) { return flags & (longer | shorter); }
/// What holds of a whole that has a part with these flags, or two parts with both.
constexpr unsigned inherited(unsigned flags) {
    return (flags & (mixed | groups | references)) | (preference(flags) == (longer | shorter) ? mixed : 0);
}
/// Of one part behind the other; the first one's preference counts before the second one's.
constexpr unsigned joined(unsigned first, unsigned second) {
    return inherited(first | second) | (preference(first) != 0 ? preference(first) : preference(second));
}
/// What it takes of the text must be known: no automaton alone tells that.
constexpr bool needs_parts(unsigned flags) { return (flags & (mixed | groups | references)) != 0; }
}  // namespace regex_flag

struct RegexNode {
    enum class Kind : std::uint8_t { instruction, sequence, choice, repeat, group, reference, look };
    Kind kind = Kind::sequence;
    Regex::Instruction instruction;
    std::vector<std::unique_ptr<RegexNode>> parts;
    int least = 1;
    int most = 1;  ///< -1: no limit
    unsigned prefers = 0;  ///< of a repeat: longer, shorter, or what its part does
    bool negative = false;
    bool behind = false;      ///< of a look
    bool constraint = false;  ///< takes no text
    std::size_t group = 0;    ///< that it is, or refers to
    unsigned flags = 0;       ///< regex_flag; of a repeat only as a part of its sequence (RegexPiece)
};

/// A node of a sequence as a part and how often it comes.
struct RegexPiece {
    const RegexNode& atom;
    int least = 1, most = 1;
    unsigned prefers = 0;
    explicit RegexPiece(const RegexNode& node);
    bool is_left_out() const { return most == 0; }
    /// Behind what has these flags, it joins what was before as one automaton.
    bool joins(unsigned before) const;
    /// Nothing is repeated, and nothing preferred that the part does not prefer itself.
    bool is_plain() const;
    unsigned flags() const;
};

struct RegexTree {
    std::unique_ptr<RegexNode> top;
    std::vector<const RegexNode*> groups;  ///< by number less one
    bool has_references = false;
};

/// Reads a pattern; options that it begins with change `options`, sets are added to `sets`. Raises 2201B.
RegexTree read_regex(std::string_view pattern, RegexOptions& options, std::vector<Regex::Set>& sets);
/// The rest of a pattern of another dialect in advanced syntax. Raises 2201B.
std::vector<std::uint32_t> advanced_pattern(const std::vector<std::uint32_t>& points, RegexDialect dialect,
                                            bool expanded);
/// The character that a name means in [[.name.]]; nothing: there is none.
std::optional<std::uint32_t> collating_element(std::string_view name);
[[noreturn]] void refuse_regex(const char* why);

}  // namespace northstar::inline v0::sql
