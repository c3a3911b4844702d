// regex.hpp -- regular expressions in PostgreSQL's advanced syntax (ARE). Layer: sql. Threads: a compiled one is read
// by any.
//
// Compiled to a program for a nondeterministic automaton (K. Thompson, Regular Expression Search Algorithm, 1968;
// R. Cox, Regular Expression Matching: the Virtual Machine Approach, 2009).
//
// [REGEX-1] Without back references a search takes time in proportion to text * program, whatever the pattern; its
//           groups take that again for each level of parentheses, and repeated groups as much as they have matches.
// [REGEX-2] With back references, lookahead, lookbehind or repeated groups steps are counted; more than
//           k_regex_max_steps raise 54001.
// [REGEX-3] The leftmost match is found; of those the longest, or the shortest where the first quantifier is not
//           greedy. Groups divide it from left to right in the same way: each part takes as much, or as little, as
//           leaves a match to those behind it; of alternatives the first that fits counts. These are the rules of
//           H. Spencer's regular expressions, which PostgreSQL and Tcl have.
// [REGEX-4] A bad pattern raises 2201B with PostgreSQL's wording.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr std::size_t k_regex_max_program = 60000;
inline constexpr std::size_t k_regex_max_steps = 20'000'000;

/// What the pattern is written in: advanced, or POSIX's extended or basic syntax.
enum class RegexDialect : std::uint8_t { advanced, extended, basic };

struct RegexOptions {
    RegexDialect dialect = RegexDialect::advanced;
    bool ignore_case = false;
    bool newline_stops = false;    ///< . and [^x] do not match a newline
    bool newline_anchors = false;  ///< ^ and $ match at newlines too
    bool expanded = false;         ///< blanks and comments in the pattern do not count
    bool literal = false;
};

/// Text as code points, with where each begins in the bytes.
struct RegexText {
    explicit RegexText(std::string_view text);
    std::string_view bytes;
    std::vector<std::uint32_t> points;
    std::vector<std::size_t> offsets;  ///< one more than points
    std::string_view slice(std::size_t begin, std::size_t end) const {
        return bytes.substr(offsets[begin], offsets[end] - offsets[begin]);
    }
};

struct RegexGroup {
    static constexpr std::size_t k_unset = ~std::size_t{0};
    std::size_t begin = k_unset;  ///< in code points
    std::size_t end = k_unset;
    bool is_set() const { return begin != k_unset; }
};

class Regex {
public:
    Regex(std::string_view pattern, RegexOptions options);

    /// Looks for a match from code point `from` on. groups[0] is the whole match; the others are filled where
    /// `with_groups` is set.
    bool search(const RegexText& text, std::size_t from, bool with_groups,
                std::vector<RegexGroup>& groups) const;
    std::size_t group_count() const { return group_count_; }

    enum class Op : std::uint8_t {
        character,
        any,
        set,
        split,
        jump,
        line_begin,
        line_end,
        text_begin,
        text_end,
        word_begin,
        word_end,
        word_edge,
        not_word_edge,
        look,
        match
    };
    struct Instruction {
        Op op = Op::match;
        bool negative = false;  ///< of a lookahead or lookbehind
        std::uint32_t x = 0;    ///< character, set, first target, end of a lookahead
        std::uint32_t y = 0;    ///< second target of a split; of a lookbehind how far it reaches, plus one
    };
    /// A piece of the pattern with groups or back references in it, or beside those: what of the text it takes matters.
    struct Part {
        enum class Kind : std::uint8_t { plain, sequence, choice, repeat, reference, group };
        Kind kind = Kind::plain;
        bool shorter = false;  ///< takes as little as it can
        std::uint32_t begin = 0, end = 0;          ///< where it lies in the program
        std::size_t group = 0;                     ///< that it is; 0: none
        std::size_t first_group = 0, last_group = 0;  ///< the groups inside, itself included: from first to before last
        int least = 1, most = 1;                   ///< of a repeat or reference; -1: no limit
        std::size_t reference = 0;                 ///< the group that it repeats
        std::vector<std::uint32_t> parts;          ///< two of a sequence, one of a repeat or group
    };
    struct Set {
        bool negated = false;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
        // Classes of characters beyond ASCII.
        bool letters = false;
        bool lower = false;
        bool upper = false;
        bool lists(std::uint32_t point) const;
        bool contains(std::uint32_t point, bool ignore_case) const;
    };

private:
    friend class RegexWriter;
    struct Run;
    bool find_span(Run& run, std::size_t from, RegexGroup& span) const;
    bool reaches(Run& run, std::size_t pc, std::size_t stop, std::size_t at, std::size_t end, bool to_end,
                 std::vector<bool>& visited) const;
    std::vector<std::size_t> ends_of(Run& run, const Part& part, std::size_t begin, std::size_t end,
                                     std::size_t enough) const;
    bool assertion_holds(Run& run, const Instruction& instruction, std::size_t pc, std::size_t at) const;
    bool step_matches(const Instruction& instruction, std::uint32_t point) const;
    // regex_groups.cpp
    bool divide(Run& run, const Part& part, std::size_t begin, std::size_t end) const;
    bool divide_sequence(Run& run, const Part& part, std::size_t begin, std::size_t end) const;
    bool divide_repeat(Run& run, const Part& part, std::size_t begin, std::size_t end) const;
    bool repeats_group(Run& run, const Part& part, std::size_t begin, std::size_t end) const;

    std::vector<Instruction> program_;
    std::vector<Set> sets_;
    std::vector<Part> parts_;
    std::size_t root_ = 0;  ///< of parts_
    std::size_t group_count_ = 0;
    bool shortest_ = false;
    bool back_references_ = false;
    RegexOptions options_;
};

}  // namespace northstar::inline v0::sql
