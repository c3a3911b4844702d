// What the groups of a regular expression take of a match that is known. [REGEX-3] A part is divided where its first
// half ends first, or last, such that the rest can match; the automaton answers that, and only back references can make
// it wrong.

#include "sql/letter_case.hpp"
#include "sql/regex.hpp"
#include "sql/regex_run.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace northstar::inline v0::sql {

namespace regex_groups_file {

void forget(std::vector<RegexGroup>& groups, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) groups[i] = RegexGroup{};
}

}  // namespace regex_groups_file

/// The part matches from `begin` to `end` as far as the automaton can tell: notes what its groups take of that; false:
/// a back reference does not fit.
bool Regex::divide(Run& run, const Part& part, std::size_t begin, std::size_t end) const {
    bool fits = true;
    if (back_references_) run.work(std::exchange(run.tried, 0) + 1);
    switch (part.kind) {
        case Part::Kind::plain: break;
        case Part::Kind::sequence: fits = divide_sequence(run, part, begin, end); break;
        case Part::Kind::repeat: fits = divide_repeat(run, part, begin, end); break;
        case Part::Kind::reference: fits = repeats_group(run, part, begin, end); break;
        case Part::Kind::group: fits = divide(run, parts_[part.parts[0]], begin, end); break;
        case Part::Kind::choice:
            fits = std::any_of(part.parts.begin(), part.parts.end(), [&](std::uint32_t each) {
                const Part& branch = parts_[each];
                std::vector<bool> visited;
                return reaches(run, branch.begin, branch.end, begin, end, true, visited) &&
                       divide(run, branch, begin, end);
            });
            break;
    }
    if (!fits) regex_groups_file::forget(run.groups, part.first_group, part.last_group);
    else if (part.group != 0) run.groups[part.group] = {begin, end};
    return fits;
}

bool Regex::divide_sequence(Run& run, const Part& part, std::size_t begin, std::size_t end) const {
    const Part& left = parts_[part.parts[0]];
    const Part& right = parts_[part.parts[1]];
    std::vector<std::size_t> middles = ends_of(run, left, begin, end, RegexGroup::k_unset);
    if (!left.shorter) std::reverse(middles.begin(), middles.end());
    std::vector<bool> visited;
    for (const std::size_t middle : middles) {
        if (!reaches(run, right.begin, right.end, middle, end, true, visited)) continue;
        visited = {};
        if (divide(run, left, begin, middle) && divide(run, right, middle, end)) return true;
        regex_groups_file::forget(run.groups, left.first_group, left.last_group);
    }
    return false;
}

/// One match behind the other, each as long, or as short, as the rest allows. A match of nothing counts only where
/// there would be too few otherwise, or where nothing is left.
bool Regex::divide_repeat(Run& run, const Part& part, std::size_t begin, std::size_t end) const {
    const Part& body = parts_[part.parts[0]];
    const bool may_be_none = part.least == 0 && begin == end;
    if (may_be_none && body.shorter) return true;
    const auto least = static_cast<std::size_t>(std::max(part.least, 1));
    const std::size_t most =
        part.most == -1 ? RegexGroup::k_unset : std::max(least, static_cast<std::size_t>(part.most));
    struct Match {
        std::size_t begin;
        std::vector<std::size_t> ends;  ///< the one to try next last
        std::size_t tried;              ///< of all ends, those that are gone
        std::size_t enough;             ///< so many were looked for
    };
    std::vector<Match> matches;
    // Where it was seen that the rest cannot be divided, and with how many matches before it.
    std::set<std::pair<std::size_t, std::size_t>> hopeless;
    const auto counted = [&](std::size_t count) { return part.most == -1 ? std::min(count, least) : count; };
    const auto look = [&](Match& match) {
        match.ends = ends_of(run, body, match.begin, end, match.enough);
        run.work(std::exchange(run.tried, 0) + 1);
        const bool all = match.ends.size() < match.enough;
        match.ends.erase(match.ends.begin(), match.ends.begin() + static_cast<std::ptrdiff_t>(match.tried));
        if (body.shorter) std::reverse(match.ends.begin(), match.ends.end());
        if (all) match.enough = RegexGroup::k_unset;
    };
    // Who wants the nearest end does not look far.
    const auto open = [&](std::size_t at) {
        matches.push_back({at, {}, 0, body.shorter ? 1 : RegexGroup::k_unset});
        look(matches.back());
    };
    open(begin);
    while (!matches.empty()) {
        Match& match = matches.back();
        const std::size_t count = matches.size();
        if (match.ends.empty() && match.enough != RegexGroup::k_unset) {
            match.enough *= 2;
            look(match);
            continue;
        }
        if (match.ends.empty()) {
            hopeless.emplace(counted(count - 1), match.begin);
            matches.pop_back();
            continue;
        }
        const std::size_t to = match.ends.back();
        match.ends.pop_back();
        ++match.tried;
        const bool nothing = to == match.begin;
        const bool possible = to == end ? count >= least
                                        : count < most && (!nothing || (count < least && least - count >= end - to)) &&
                                              !hopeless.contains({counted(count), to});
        if (!possible) continue;
        // What groups take counts of the last match alone, if nothing can go wrong with the others.
        if (back_references_ || to == end) {
            regex_groups_file::forget(run.groups, body.first_group, body.last_group);
            if (!divide(run, body, match.begin, to)) continue;
        }
        if (to == end) return true;
        open(to);
    }
    return may_be_none;
}

bool Regex::repeats_group(Run& run, const Part& part, std::size_t begin, std::size_t end) const {
    const RegexGroup& group = run.groups[part.reference];
    if (!group.is_set()) return false;
    const std::size_t size = group.end - group.begin;
    if (size == 0) return begin == end;
    if (begin == end) return part.least == 0;
    const std::size_t times = (end - begin) / size;
    if ((end - begin) % size != 0 || times < static_cast<std::size_t>(part.least) ||
        (part.most != -1 && times > static_cast<std::size_t>(part.most)))
        return false;
    run.work(end - begin);
    const std::vector<std::uint32_t>& points = run.text.points;
    for (std::size_t i = begin; i < end; ++i) {
        const std::uint32_t there = points[i], here = points[group.begin + (i - begin) % size];
        if (there != here && !(options_.ignore_case && lower_case(there) == lower_case(here))) return false;
    }
    return true;
}

}  // namespace northstar::inline v0::sql
