// txn_model_support.hpp -- a tree beside a std::map, compared in every way there is to read it.
#pragma once

#include "hard/sim/key_space.hpp"
#include "txn_support.hpp"

#include <algorithm>
#include <sstream>

namespace txn_test {

using namespace northstar;

struct Cell {
    std::shared_ptr<const std::string> value;
    Txn txn = 0;
};
using Entries = std::map<std::string, Cell>;

inline std::shared_ptr<const std::string> text(std::string value) {
    return std::make_shared<const std::string>(std::move(value));
}

/// What is wrong, in one line; empty: nothing. Not CHECKs: there are millions.
inline void compare_entry(std::string_view key, std::string_view value, Txn txn, const std::string& wanted_key,
                          const Cell& wanted, const char* way) {
    if (key == wanted_key && value == *wanted.value && txn == wanted.txn) return;
    std::ostringstream out;
    out << way << ": got key \"" << key << "\", " << value.size() << " bytes, txn " << txn << "; wanted \""
        << wanted_key << "\", " << wanted.value->size() << " bytes, txn " << wanted.txn;
    FAIL(out.str());
}

/// `space`: of the keys that are there, and of others to ask for.
inline void compare_tree(const Tree& tree, const Entries& wanted, const hard::KeySpace& space, Dice& dice, bool all) {
    INFO("tree " << tree.name());
    if (tree.size() != wanted.size()) FAIL("size " << tree.size() << ", wanted " << wanted.size());
    Cursor cursor = tree.cursor();
    if (all) {
        bool there = cursor.first();
        for (const auto& [key, cell] : wanted) {
            if (!there) FAIL("the scan ended before " << key);
            compare_entry(cursor.key(), cursor.value(), cursor.txn(), key, cell, "forward");
            there = cursor.next();
        }
        if (there) FAIL("the scan goes on with " << cursor.key());
        there = cursor.last();
        for (auto it = wanted.rbegin(); it != wanted.rend(); ++it) {
            if (!there) FAIL("the scan backwards ended before " << it->first);
            compare_entry(cursor.key(), cursor.value(), cursor.txn(), it->first, it->second, "backward");
            there = cursor.prev();
        }
        if (there) FAIL("the scan backwards goes on with " << cursor.key());
    }
    for (int i = 0; i < 8; ++i) {
        std::string key = space.some(dice);
        if (!wanted.empty() && dice.chance(60)) {
            key = std::next(wanted.begin(), static_cast<std::ptrdiff_t>(dice.below(wanted.size())))->first;
        }
        const auto exact = wanted.find(key);
        const auto got = tree.get(key);
        if (got.has_value() != (exact != wanted.end())) FAIL("get " << key << ": " << got.has_value());
        if (got && *got != *exact->second.value) FAIL("get " << key << ": another value");
        const auto by = tree.txn_of(key);
        if (by.has_value() != got.has_value() || (by && *by != exact->second.txn)) FAIL("txn_of " << key);
        if (cursor.find(key) != got.has_value()) FAIL("find " << key);
        if (got) compare_entry(cursor.key(), cursor.value(), cursor.txn(), key, exact->second, "find");
        auto at = wanted.lower_bound(key);
        if (cursor.lower_bound(key) != (at != wanted.end())) FAIL("lower_bound " << key);
        if (at != wanted.end()) {
            compare_entry(cursor.key(), cursor.value(), cursor.txn(), at->first, at->second, "lower_bound");
            // Turn round where it stands.
            const bool before = at != wanted.begin();
            if (cursor.prev() != before) FAIL("prev of lower_bound " << key);
            if (before) {
                const auto left = std::prev(at);
                compare_entry(cursor.key(), cursor.value(), cursor.txn(), left->first, left->second, "prev");
                if (!cursor.next()) FAIL("next of prev " << key);
                compare_entry(cursor.key(), cursor.value(), cursor.txn(), at->first, at->second, "next of prev");
            }
        }
        at = wanted.upper_bound(key);
        if (cursor.upper_bound(key) != (at != wanted.end())) FAIL("upper_bound " << key);
        if (at != wanted.end()) {
            compare_entry(cursor.key(), cursor.value(), cursor.txn(), at->first, at->second, "upper_bound");
        }
    }
    if (dice.chance(30)) {
        const std::string whole = space.some(dice);
        const std::string prefix = whole.substr(0, dice.below(whole.size() + 1));
        auto at = wanted.lower_bound(prefix);
        for (auto [key, value] : tree.prefix(prefix)) {
            if (at == wanted.end() || key != at->first || value != *at->second.value) FAIL("prefix " << prefix);
            ++at;
        }
        if (at != wanted.end() && at->first.starts_with(prefix)) FAIL("prefix " << prefix << " ends early");
        std::string from = space.some(dice);
        std::string to = space.some(dice);
        if (to < from) std::swap(from, to);
        auto back = wanted.lower_bound(to);
        for (auto [key, value] : tree.range(from, to).reversed()) {
            if (back == wanted.begin()) FAIL("reversed range goes on");
            --back;
            if (key != back->first || value != *back->second.value) FAIL("reversed range at " << key);
        }
        if (back != wanted.lower_bound(from)) FAIL("reversed range ends early");
        const Estimate estimate = tree.estimate(from, to);
        const auto exact = static_cast<std::uint64_t>(std::distance(wanted.lower_bound(from), wanted.lower_bound(to)));
        if (estimate.low > exact || estimate.high < exact) {
            FAIL("estimate [" << estimate.low << ", " << estimate.high << "] of " << exact);
        }
        std::vector<std::string> keys;
        for (int i = 0; i < 40; ++i) keys.push_back(space.some(dice));
        const std::vector<std::string_view> views(keys.begin(), keys.end());
        std::vector<std::optional<std::string_view>> out(views.size());
        tree.multi_get(views, out);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto it = wanted.find(keys[i]);
            if (out[i].has_value() != (it != wanted.end()) || (out[i] && *out[i] != *it->second.value)) {
                FAIL("multi_get " << keys[i]);
            }
        }
    }
}

}  // namespace txn_test
