// Running a compiled regular expression.

#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/regex.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

/// One search: the text and how much work was done.
struct Regex::Run {
    const RegexText& text;
    std::size_t steps = 0;

    void step() {
        if (++steps > k_regex_max_steps) {
            raise(sqlstate::statement_too_complex, "regular expression takes too many steps", "",
                  "Avoid back references and lookahead in repeated parts of the pattern.");
        }
    }
};

namespace regex_match_file {

bool is_word(std::uint32_t c) { return c == '_' || is_letter_or_digit(c); }

}  // namespace regex_match_file

bool Regex::Set::lists(std::uint32_t point) const {
    const bool listed = std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
        return point >= range.first && point <= range.second;
    });
    if (listed || point < 0x80) return listed;
    return (letters && is_letter_or_digit(point)) || (lower && upper_case(point) != point) ||
           (upper && lower_case(point) != point);
}

bool Regex::Set::contains(std::uint32_t point, bool ignore_case) const {
    const bool inside = lists(point) || (ignore_case && (lists(lower_case(point)) || lists(upper_case(point))));
    return inside != negated;
}

bool Regex::step_matches(const Instruction& instruction, std::uint32_t point) const {
    switch (instruction.op) {
        case Op::character:
            return instruction.x == (options_.ignore_case ? lower_case(point) : point);
        case Op::any:
            return !(options_.newline_stops && point == '\n');
        case Op::set:
            return sets_[instruction.x].contains(point, options_.ignore_case);
        default:
            return false;
    }
}

bool Regex::assertion_holds(Run& run, const Instruction& instruction, std::size_t pc, std::size_t at) const {
    using regex_match_file::is_word;
    const std::vector<std::uint32_t>& points = run.text.points;
    const bool before = at > 0 && is_word(points[at - 1]);
    const bool behind = at < points.size() && is_word(points[at]);
    switch (instruction.op) {
        case Op::line_begin:
            return at == 0 || (options_.newline_anchors && points[at - 1] == '\n');
        case Op::line_end:
            return at == points.size() || (options_.newline_anchors && points[at] == '\n');
        case Op::text_begin:
            return at == 0;
        case Op::text_end:
            return at == points.size();
        case Op::word_begin:
            return !before && behind;
        case Op::word_end:
            return before && !behind;
        case Op::word_edge:
            return before != behind;
        case Op::not_word_edge:
            return before == behind;
        case Op::look: {
            std::vector<std::size_t> slots((group_count_ + 1) * 2, RegexGroup::k_unset);
            if (instruction.y != 0) {
                // Behind: whatever begins within reach and ends here. Each try costs as much as the text it looks at.
                const std::size_t reach = std::min<std::size_t>(at, instruction.y - 1);
                for (std::size_t back = 0; back <= reach; ++back) {
                    for (std::size_t i = 0; i <= back; ++i) run.step();
                    if (backtrack(run, pc + 1, at - back, at, true, slots)) return !instruction.negative;
                }
                return instruction.negative;
            }
            return backtrack(run, pc + 1, at, points.size(), false, slots) != instruction.negative;
        }
        default:
            return true;
    }
}

/// Depth first, first alternatives first. A place of the program is tried once at each place of the text,
/// unless back references make it depend on more: then a loop ends behind a pass that took no character. `to_end`: only
/// a match that ends at `end` counts.
bool Regex::backtrack(Run& run, std::size_t start, std::size_t begin, std::size_t end, bool to_end,
                      std::vector<std::size_t>& slots) const {
    struct Branch {
        std::size_t pc;
        std::size_t at;
        std::size_t slot;  ///< a slot to restore instead of a place to try; behind those of groups: of `passed`
    };
    constexpr std::size_t k_none = RegexGroup::k_unset;
    const std::size_t width = end - begin + 1;
    constexpr std::size_t k_most_places = std::size_t{1} << 29;
    if (width > k_most_places / program_.size()) {
        raise(sqlstate::program_limit_exceeded, "text is too long for the groups of this regular expression");
    }
    std::vector<bool> visited(back_references_ ? 0 : program_.size() * width);
    // Where a loop went back last.
    std::vector<std::size_t> passed(back_references_ ? program_.size() : 0, k_none);
    std::vector<Branch> branches{{start, begin, k_none}};
    while (!branches.empty()) {
        const Branch branch = branches.back();
        branches.pop_back();
        if (branch.slot != k_none) {
            if (branch.slot < slots.size()) slots[branch.slot] = branch.at;
            else passed[branch.slot - slots.size()] = branch.at;
            continue;
        }
        std::size_t pc = branch.pc;
        std::size_t at = branch.at;
        for (;;) {
            if (back_references_) {
                run.step();
            } else {
                const std::size_t place = pc * width + (at - begin);
                if (visited[place]) break;
                visited[place] = true;
            }
            const Instruction& instruction = program_[pc];
            if (instruction.op == Op::match) {
                if (!to_end || at == end) return true;
                break;
            }
            const bool goes_back = (instruction.op == Op::jump && instruction.x <= pc) ||
                                   (instruction.op == Op::split && (instruction.x <= pc || instruction.y <= pc));
            if (back_references_ && goes_back) {
                if (passed[pc] == at) {
                    const std::size_t out = instruction.x <= pc ? instruction.y : instruction.x;
                    if (instruction.op == Op::jump) break;
                    pc = out;
                    continue;
                }
                branches.push_back({0, passed[pc], slots.size() + pc});
                passed[pc] = at;
            }
            if (instruction.op == Op::jump) {
                pc = instruction.x;
            } else if (instruction.op == Op::split) {
                branches.push_back({instruction.y, at, k_none});
                pc = instruction.x;
            } else if (instruction.op == Op::save) {
                branches.push_back({0, slots[instruction.x], instruction.x});
                slots[instruction.x] = at;
                ++pc;
            } else if (instruction.op == Op::character || instruction.op == Op::any ||
                       instruction.op == Op::set) {
                if (at >= end || !step_matches(instruction, run.text.points[at])) break;
                ++at;
                ++pc;
            } else if (instruction.op == Op::back_reference) {
                const std::size_t from = slots[instruction.x * 2];
                const std::size_t to = slots[instruction.x * 2 + 1];
                if (from == k_none || to == k_none || to - from > end - at) break;
                const auto& points = run.text.points;
                const auto offset = [&](std::size_t i) {
                    return points.begin() + static_cast<std::ptrdiff_t>(i);
                };
                const auto same = [&](std::uint32_t a, std::uint32_t b) {
                    return a == b || (options_.ignore_case && lower_case(a) == lower_case(b));
                };
                if (!std::equal(offset(from), offset(to), offset(at), same)) break;
                at += to - from;
                ++pc;
            } else {
                if (instruction.op == Op::look) run.step();
                if (!assertion_holds(run, instruction, pc, at)) break;
                pc = instruction.op == Op::look ? instruction.x : pc + 1;
            }
        }
    }
    return false;
}

/// All ways at once: for each place of the program the earliest start that leads there.
bool Regex::find_span(Run& run, std::size_t from, RegexGroup& span) const {
    const std::vector<std::uint32_t>& points = run.text.points;
    constexpr std::size_t k_none = RegexGroup::k_unset;
    std::vector<std::size_t> now(program_.size(), k_none);
    std::vector<std::size_t> next(program_.size(), k_none);
    std::vector<std::uint32_t> active;
    std::vector<std::uint32_t> following;
    std::vector<std::uint32_t> pending;
    span = RegexGroup{};
    // Adds a place and what is reached from it without a character.
    const auto add = [&](std::size_t pc, std::size_t begin, std::size_t at, std::vector<std::size_t>& starts,
                         std::vector<std::uint32_t>& list) {
        pending.assign(1, static_cast<std::uint32_t>(pc));
        while (!pending.empty()) {
            const std::uint32_t place = pending.back();
            pending.pop_back();
            if (starts[place] != k_none && starts[place] <= begin) continue;
            if (starts[place] == k_none) list.push_back(place);
            starts[place] = begin;
            const Instruction& instruction = program_[place];
            switch (instruction.op) {
                case Op::jump:
                    pending.push_back(instruction.x);
                    break;
                case Op::split:
                    pending.push_back(instruction.x);
                    pending.push_back(instruction.y);
                    break;
                case Op::save:
                    pending.push_back(place + 1);
                    break;
                case Op::character:
                case Op::any:
                case Op::set:
                    break;
                case Op::match:
                    if (!span.is_set() || begin < span.begin ||
                        (begin == span.begin && !shortest_ && at > span.end))
                        span = {begin, at};
                    break;
                default:
                    if (instruction.op == Op::look) run.step();
                    if (assertion_holds(run, instruction, place, at)) {
                        pending.push_back(instruction.op == Op::look ? instruction.x : place + 1);
                    }
            }
        }
    };
    for (std::size_t at = from;; ++at) {
        if (!span.is_set()) add(0, at, at, now, active);
        if (at == points.size()) break;
        for (const std::uint32_t place : active) {
            // What began behind the match found, or would only make a shortest one longer, is given up.
            const std::size_t begin = now[place];
            const bool wanted = !span.is_set() || begin < span.begin || (begin == span.begin && !shortest_);
            if (wanted && step_matches(program_[place], points[at]))
                add(place + 1, begin, at + 1, next, following);
        }
        for (const std::uint32_t place : active) now[place] = k_none;
        active.clear();
        std::swap(now, next);
        std::swap(active, following);
        if (active.empty() && span.is_set()) break;
    }
    return span.is_set();
}

bool Regex::search(const RegexText& text, std::size_t from, bool with_groups,
                   std::vector<RegexGroup>& groups) const {
    Run run{text};
    groups.assign(group_count_ + 1, RegexGroup{});
    std::vector<std::size_t> slots((group_count_ + 1) * 2, RegexGroup::k_unset);
    if (back_references_) {
        for (std::size_t begin = from; begin <= text.points.size(); ++begin) {
            std::fill(slots.begin(), slots.end(), RegexGroup::k_unset);
            if (!backtrack(run, 0, begin, text.points.size(), false, slots)) continue;
            for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = {slots[i * 2], slots[i * 2 + 1]};
            return true;
        }
        return false;
    }
    if (!find_span(run, from, groups[0])) return false;
    if (!with_groups || group_count_ == 0) return true;
    const RegexGroup whole = groups[0];
    if (backtrack(run, 0, whole.begin, whole.end, true, slots)) {
        for (std::size_t i = 1; i < groups.size(); ++i) {
            if (slots[i * 2 + 1] != RegexGroup::k_unset) groups[i] = {slots[i * 2], slots[i * 2 + 1]};
        }
    }
    return true;
}

}  // namespace northstar::inline v0::sql
