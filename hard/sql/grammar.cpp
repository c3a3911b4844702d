#include "hard/sql/grammar.hpp"

#include <algorithm>
#include <stdexcept>

namespace northstar::hard {

namespace {

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The rule that a hole asks for, or nothing.
std::string rule_of(const std::string& hole) {
    if (hole == "@" || hole == "+" || hole == "&" || is_digits(hole.substr(0, hole.find('-')))) return "";
    if (hole[0] == '^' || hole[0] == '!') return hole.substr(1);
    const std::size_t equals = hole.find('=');
    return equals == std::string::npos ? hole : hole.substr(equals + 1);
}

}  // namespace

Grammar::Grammar(std::string_view text) {
    Production* last = nullptr;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty()) continue;
        if (line[0] == ' ') {
            last->text += line.substr(line.find_first_not_of(' ') - 1);
            continue;
        }
        const std::size_t blank = line.find(' ');
        const std::string_view name = line.substr(0, blank), production = line.substr(blank + 1);
        const std::size_t star = name.find('*');
        std::vector<Production>& all = rules_[std::string(name.substr(0, star))];
        all.push_back({production == "-" ? std::string() : std::string(production)});
        last = &all.back();
        if (star != std::string_view::npos) last->weight = static_cast<std::uint64_t>(name[star + 1] - '0');
    }
    measure();
}

void Grammar::measure() {
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& rule : rules_) {
            for (Production& production : rule.second) {
                int depth = 0;
                for (const Piece& piece : pieces(production.text)) {
                    const std::string asked = piece.is_hole ? rule_of(piece.text) : "";
                    if (asked.empty()) continue;
                    const auto found = rules_.find(asked);
                    if (found == rules_.end()) throw std::runtime_error("no rule " + asked);
                    int least = k_endless;
                    for (const Production& other : found->second) least = std::min(least, other.depth);
                    depth = std::max(depth, least + 1);
                }
                if (depth < production.depth) {
                    production.depth = depth;
                    changed = true;
                }
            }
        }
    }
}

std::vector<Grammar::Piece> Grammar::pieces(const std::string& text) {
    std::vector<Piece> all;
    for (std::size_t at = 0; at < text.size();) {
        // Braces of arrays, JSON and regular expressions are no holes: commas and quotes are in them.
        const auto is_hole = [&](std::size_t brace) {
            const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-=@+&^!", brace + 1);
            return end != std::string::npos && end > brace + 1 && text[end] == '}';
        };
        std::size_t brace = text.find('{', at);
        while (brace != std::string::npos && !is_hole(brace)) brace = text.find('{', brace + 1);
        if (brace != at) all.push_back({text.substr(at, brace - at), false});
        if (brace == std::string::npos) break;
        const std::size_t end = text.find('}', brace);
        all.push_back({text.substr(brace + 1, end - brace - 1), true});
        at = end + 1;
    }
    return all;
}

const Grammar::Production& Grammar::choose(const std::string& rule, detail::Random& random, int depth) const {
    const std::vector<Production>& all = rules_.at(rule);
    int least = k_endless;
    for (const Production& production : all) least = std::min(least, production.depth);
    const int most = std::max(least, depth);
    std::uint64_t weights = 0;
    for (const Production& production : all) weights += production.depth <= most ? production.weight : 0;
    std::uint64_t at = random.below(weights);
    for (const Production& production : all) {
        if (production.depth > most) continue;
        if (at < production.weight) return production;
        at -= production.weight;
    }
    return all.front();
}

std::string Grammar::expand(const std::string& rule, detail::Random& random, int depth, bool keeps_names) {
    const std::size_t names_before = names_.size();
    std::vector<Piece> all = pieces(choose(rule, random, depth).text);
    std::map<std::string, std::string> kept;
    std::vector<std::string> later;
    for (Piece& piece : all) {
        if (!piece.is_hole) continue;
        if (piece.text == "+" || piece.text == "&") {
            const std::string name = "r" + std::to_string(next_name_++);
            (piece.text == "+" ? names_ : later).push_back(name);
            piece = {name, false};
        } else if (piece.text[0] == '^') {
            piece = {expand(piece.text.substr(1), random, depth - 1, true), false};
        }
    }
    std::string text;
    for (const Piece& piece : all) {
        if (!piece.is_hole) {
            text += piece.text;
        } else if (piece.text == "@") {
            if (names_.empty()) throw std::runtime_error("no name to use in " + rule);
            text += names_[random.below(names_.size())];
        } else if (piece.text[0] == '!') {
            std::vector<std::string> hidden;
            hidden.swap(names_);
            text += expand(piece.text.substr(1), random, depth - 1, false);
            names_ = std::move(hidden);
        } else if (is_digits(piece.text)) {
            text += kept.at(piece.text);
        } else if (const std::size_t dash = piece.text.find('-'); dash != std::string::npos) {
            text += std::to_string(random.between(std::stoull(piece.text.substr(0, dash)),
                                                  std::stoull(piece.text.substr(dash + 1))));
        } else {
            const std::string made = expand(rule_of(piece.text), random, depth - 1, false);
            const std::size_t equals = piece.text.find('=');
            if (equals != std::string::npos) kept[piece.text.substr(0, equals)] = made;
            text += made;
        }
    }
    if (!keeps_names) names_.resize(names_before);
    if (keeps_names) names_.insert(names_.end(), later.begin(), later.end());
    return text;
}

std::string Grammar::make(const std::string& rule, detail::Random& random, int depth) {
    names_.clear();
    next_name_ = 0;
    return expand(rule, random, depth, false);
}

}  // namespace northstar::hard
