// Running a compiled regular expression.

#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/regex.hpp"
#include "sql/regex_run.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

void Regex::Run::work(std::size_t done) {
    steps += done;
    if (steps > k_regex_max_steps) {
        raise(sqlstate::statement_too_complex, "regular expression takes too many steps", "",
              "Avoid back references, lookahead and groups in repeated parts of the pattern.");
    }
}

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
            std::vector<bool> visited;
            if (instruction.y != 0) {
                // Behind: whatever begins within reach and ends here. Each try costs as much as the text it looks at.
                const std::size_t reach = std::min<std::size_t>(at, instruction.y - 1);
                for (std::size_t back = 0; back <= reach; ++back) {
                    run.work(back + 1);
                    visited.clear();
                    if (reaches(run, pc + 1, instruction.x, at - back, at, true, visited)) return !instruction.negative;
                }
                return instruction.negative;
            }
            return reaches(run, pc + 1, instruction.x, at, points.size(), false, visited) != instruction.negative;
        }
        default:
            return true;
    }
}

/// Is there a way from a place of the program to another, which lies behind all between, through the text from `at` on?
/// `to_end`: through all of it up to `end`. A place is tried once at each place of the text, also when somebody who was
/// told of no way asks again, for the same end and with the same `visited`, which is empty at first.
bool Regex::reaches(Run& run, std::size_t start, std::size_t stop, std::size_t at, std::size_t end, bool to_end,
                    std::vector<bool>& visited) const {
    struct Branch {
        std::size_t pc;
        std::size_t at;
    };
    constexpr std::size_t k_most_places = std::size_t{1} << 29;
    if (start == stop) return !to_end || at == end;
    const std::size_t size = stop - start;
    if (end - at + 1 > k_most_places / size)
        raise(sqlstate::program_limit_exceeded, "text is too long for the groups of this regular expression");
    if (visited.size() < size * (end - at + 1)) visited.resize(size * (end - at + 1));
    std::vector<Branch> branches{{start, at}};
    while (!branches.empty()) {
        Branch branch = branches.back();
        branches.pop_back();
        for (;;) {
            if (branch.pc == stop) {
                if (!to_end || branch.at == end) return true;
                break;
            }
            // Counted from the end, which stays the same.
            const std::size_t place = (end - branch.at) * size + (branch.pc - start);
            if (visited[place]) break;
            visited[place] = true;
            ++run.tried;
            const Instruction& instruction = program_[branch.pc];
            if (instruction.op == Op::jump) {
                branch.pc = instruction.x;
            } else if (instruction.op == Op::split) {
                branches.push_back({instruction.y, branch.at});
                branch.pc = instruction.x;
            } else if (instruction.op == Op::character || instruction.op == Op::any || instruction.op == Op::set) {
                if (branch.at >= end || !step_matches(instruction, run.text.points[branch.at])) break;
                ++branch.at;
                ++branch.pc;
            } else {
                if (instruction.op == Op::look) run.work(1);
                if (!assertion_holds(run, instruction, branch.pc, branch.at)) break;
                branch.pc = instruction.op == Op::look ? instruction.x : branch.pc + 1;
            }
        }
    }
    return false;
}

/// Where a part that begins at a place of the text may end, none behind `end`; in rising order, and the first `enough`
/// alone.
std::vector<std::size_t> Regex::ends_of(Run& run, const Part& part, std::size_t begin, std::size_t end,
                                        std::size_t enough) const {
    std::vector<std::size_t> ends;
    const std::size_t size = part.end - part.begin + 1;
    // For each place of the program the step that came there last, counted from 1.
    std::vector<std::size_t> reached(size);
    std::vector<std::size_t> active, following, pending;
    const auto add = [&](std::size_t pc, std::size_t at, std::vector<std::size_t>& list) {
        pending.assign(1, pc);
        while (!pending.empty()) {
            const std::size_t place = pending.back();
            pending.pop_back();
            if (reached[place - part.begin] == at - begin + 1) continue;
            reached[place - part.begin] = at - begin + 1;
            if (place == part.end) {
                ends.push_back(at);
                continue;
            }
            const Instruction& instruction = program_[place];
            if (instruction.op == Op::jump) {
                pending.push_back(instruction.x);
            } else if (instruction.op == Op::split) {
                pending.push_back(instruction.x);
                pending.push_back(instruction.y);
            } else if (instruction.op == Op::character || instruction.op == Op::any || instruction.op == Op::set) {
                list.push_back(place);
            } else {
                if (instruction.op == Op::look) run.work(1);
                if (assertion_holds(run, instruction, place, at))
                    pending.push_back(instruction.op == Op::look ? instruction.x : place + 1);
            }
        }
    };
    add(part.begin, begin, active);
    for (std::size_t at = begin; at < end && !active.empty() && ends.size() < enough; ++at) {
        run.tried += active.size();
        following.clear();
        for (const std::size_t place : active)
            if (step_matches(program_[place], run.text.points[at])) add(place + 1, at + 1, following);
        std::swap(active, following);
    }
    return ends;
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
                    if (instruction.op == Op::look) run.work(1);
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
    groups.assign(group_count_ + 1, RegexGroup{});
    Run run{text, groups};
    const Part& whole = parts_[root_];
    if (!back_references_) {
        RegexGroup span;
        if (!find_span(run, from, span)) return false;
        if (with_groups && group_count_ > 0) divide(run, whole, span.begin, span.end);
        groups[0] = span;
        return true;
    }
    for (std::size_t begin = from; begin <= text.points.size(); ++begin) {
        std::vector<std::size_t> ends = ends_of(run, whole, begin, text.points.size(), RegexGroup::k_unset);
        if (!whole.shorter) std::reverse(ends.begin(), ends.end());
        for (const std::size_t end : ends) {
            std::fill(groups.begin(), groups.end(), RegexGroup{});
            run.work(std::exchange(run.tried, 0) + 1);
            if (!divide(run, whole, begin, end)) continue;
            groups[0] = {begin, end};
            return true;
        }
    }
    return false;
}

}  // namespace northstar::inline v0::sql
