// regex.hpp -- regular expressions in PostgreSQL's advanced syntax (ARE). Layer: sql. Threads: a compiled one is read
// by any.
//
// Compiled to a program for a nondeterministic automaton (K. Thompson, Regular Expression Search Algorithm, 1968;
// R. Cox, Regular Expression Matching: the Virtual Machine Approach, 2009).
//
// [REGEX-1] Without back references a search takes time in proportion to text * program, whatever the pattern.
// [REGEX-2] With back references, lookahead or lookbehind steps are counted; more than k_regex_max_steps raise 54001.
// [REGEX-3] The leftmost match is found; of those the longest, or the shortest where the first quantifier is not
//           greedy.
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

struct RegexOptions {
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
        save,
        line_begin,
        line_end,
        text_begin,
        text_end,
        word_begin,
        word_end,
        word_edge,
        not_word_edge,
        look,
        back_reference,
        match
    };
    struct Instruction {
        Op op = Op::match;
        bool negative = false;  ///< of a lookahead or lookbehind
        std::uint32_t x = 0;    ///< character, set, first target, slot, end of a lookahead, group
        std::uint32_t y = 0;    ///< second target of a split; of a lookbehind how far it reaches, plus one
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
    friend class RegexCompiler;
    struct Run;
    bool find_span(Run& run, std::size_t from, RegexGroup& span) const;
    bool backtrack(Run& run, std::size_t pc, std::size_t begin, std::size_t end, bool to_end,
                   std::vector<std::size_t>& slots) const;
    bool assertion_holds(Run& run, const Instruction& instruction, std::size_t pc, std::size_t at) const;
    bool step_matches(const Instruction& instruction, std::uint32_t point) const;

    std::vector<Instruction> program_;
    std::vector<Set> sets_;
    std::size_t group_count_ = 0;
    bool shortest_ = false;
    bool back_references_ = false;
    RegexOptions options_;
};

}  // namespace northstar::inline v0::sql
