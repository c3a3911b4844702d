// model_actions.hpp -- what a transaction asks and does, one action after the other, and what it is told.
//
// The same actions are done to a transaction and to the model; the answers must be equal. Done again to a newer state
// of the model they say whether the transaction may stand there: where each answer that counts is the same, and only
// there. [TX-3]
#pragma once

#include "hard/sim/crash_model.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace northstar::hard {

struct ModelAction {
    enum class Kind {
        get,
        multi_get,
        scan,              ///< `count` entries at most, from key to `to`
        walk,              ///< of a cursor from the lower bound of the key, a bit of `count` for each step
        size,
        names,
        get_at,            ///< at savepoint `count`
        put,
        put_if_absent,
        compare_and_swap,  ///< from `was` to `value`
        erase,
        erase_range,
        drop_tree,
        savepoint,
        roll_back,         ///< to savepoint `count`
    };
    Kind kind = Kind::get;
    std::string tree;
    std::string key;
    std::optional<std::string> to;
    std::vector<std::string> keys;
    ModelValue value;
    ModelValue was;
    bool backward = false;
    std::uint64_t count = 0;
    std::string answer;
    bool counts = true;  ///< the answer must be the same where the transaction is to stand

    bool writes() const { return kind >= Kind::put && kind <= Kind::drop_tree; }
};

constexpr unsigned k_steps_of_a_walk = 8;

inline std::string answer_of(std::optional<std::string_view> value) {
    return value ? "=" + std::string(*value) : std::string("none");
}

inline std::string answer_of(bool yes) { return yes ? "yes" : "no"; }

inline std::string answer_of(std::string_view key, std::string_view value) {
    return std::to_string(key.size()) + ":" + std::string(key) + std::to_string(value.size()) + ":" +
           std::string(value);
}

/// Does actions to states of the model.
class ModelWork {
public:
    explicit ModelWork(StatePointer base) : state_(*base) {}
    const ModelState& state() const { return state_; }
    /// What was written and not undone.
    const std::vector<ModelOperation>& operations() const { return operations_; }
    std::size_t savepoints() const { return savepoints_.size(); }

    std::string act(const ModelAction& action) {
        using Kind = ModelAction::Kind;
        switch (action.kind) {
            case Kind::get: return answer_of(value_in(state_, action));
            case Kind::get_at: return answer_of(value_in(savepoints_.at(action.count).first, action));
            case Kind::multi_get: {
                std::string answer;
                for (const std::string& key : action.keys) {
                    answer += answer_of(value_in(state_, action.tree, key)) + ",";
                }
                return answer;
            }
            case Kind::scan: return scan(action);
            case Kind::walk: return walk(action);
            case Kind::size: return std::to_string(tree(action).size());
            case Kind::names: {
                std::string answer;
                for (const auto& [name, entries] : state_) answer += name + ",";
                return answer;
            }
            case Kind::put: write(action, ModelOperation::Kind::put); return {};
            case Kind::put_if_absent: {
                const bool absent = !value_in(state_, action);
                if (absent) write(action, ModelOperation::Kind::put);
                return answer_of(absent);
            }
            case Kind::compare_and_swap: {
                const std::optional<std::string_view> now = value_in(state_, action);
                const bool same = action.was ? now == *action.was : !now;
                if (same) write(action, action.value ? ModelOperation::Kind::put : ModelOperation::Kind::erase);
                return answer_of(same);
            }
            case Kind::erase: {
                const bool there = value_in(state_, action).has_value();
                write(action, ModelOperation::Kind::erase);
                return answer_of(there);
            }
            case Kind::erase_range: {
                const std::size_t before = tree(action).size();
                write(action, ModelOperation::Kind::erase_range);
                return std::to_string(before - tree(action).size());
            }
            case Kind::drop_tree: {
                const bool there = state_.count(action.tree) != 0;
                write(action, ModelOperation::Kind::drop_tree);
                return answer_of(there);
            }
            case Kind::savepoint: savepoints_.emplace_back(state_, operations_.size()); return {};
            case Kind::roll_back:
                savepoints_.resize(action.count + 1);
                state_ = savepoints_.back().first;
                operations_.resize(savepoints_.back().second);
                return {};
        }
        return {};
    }

private:
    const ModelTree& tree(const ModelAction& action) const {
        static const ModelTree k_none;
        const auto found = state_.find(action.tree);
        return found == state_.end() ? k_none : found->second;
    }
    static std::optional<std::string_view> value_in(const ModelState& state, const std::string& name,
                                                    const std::string& key) {
        const auto tree = state.find(name);
        if (tree == state.end()) return std::nullopt;
        const auto entry = tree->second.find(key);
        if (entry == tree->second.end()) return std::nullopt;
        return *entry->second;
    }
    static std::optional<std::string_view> value_in(const ModelState& state, const ModelAction& action) {
        return value_in(state, action.tree, action.key);
    }
    std::string scan(const ModelAction& action) const {
        const ModelTree& entries = tree(action);
        std::vector<std::string> all;
        const auto end = action.to ? entries.lower_bound(*action.to) : entries.end();
        if (action.to && *action.to <= action.key) return {};
        for (auto at = entries.lower_bound(action.key); at != end; ++at) {
            all.push_back(answer_of(at->first, *at->second));
        }
        if (action.backward) std::reverse(all.begin(), all.end());
        all.resize(std::min<std::size_t>(all.size(), action.count));
        std::string answer;
        for (const std::string& entry : all) answer += entry;
        return answer;
    }
    std::string walk(const ModelAction& action) const {
        const ModelTree& entries = tree(action);
        auto at = entries.lower_bound(action.key);
        std::string answer;
        for (unsigned step = 0; step < k_steps_of_a_walk && at != entries.end(); ++step) {
            answer += answer_of(at->first, *at->second);
            if ((action.count >> step & 1) != 0) {
                ++at;
            } else {
                if (at == entries.begin()) break;
                --at;
            }
        }
        return answer;
    }
    void write(const ModelAction& action, ModelOperation::Kind kind) {
        ModelOperation op;
        op.kind = kind;
        op.tree = action.tree;
        op.key = action.key;
        op.to = action.to;
        op.value = action.value;
        apply_to(state_, op);
        operations_.push_back(std::move(op));
    }

    ModelState state_;
    std::vector<ModelOperation> operations_;
    std::vector<std::pair<ModelState, std::size_t>> savepoints_;  // with how many operations there were
};

/// Does an action to a transaction. `savepoints`: its own.
inline std::string act_in(Transaction& tx, std::vector<Savepoint>& savepoints, const ModelAction& action) {
    using Kind = ModelAction::Kind;
    const auto bytes = [](const ModelValue& value) -> std::optional<std::string_view> {
        if (!value) return std::nullopt;
        return *value;
    };
    switch (action.kind) {
        case Kind::get: return answer_of(tx.tree(action.tree).get(action.key));
        case Kind::get_at: return answer_of(tx.tree_at(action.tree, savepoints.at(action.count)).get(action.key));
        case Kind::multi_get: {
            const std::vector<std::string_view> keys(action.keys.begin(), action.keys.end());
            std::vector<std::optional<std::string_view>> values(keys.size());
            tx.tree(action.tree).multi_get(keys, values);
            std::string answer;
            for (const std::optional<std::string_view>& value : values) answer += answer_of(value) + ",";
            return answer;
        }
        case Kind::scan: {
            const WritableTree tree = tx.tree(action.tree);
            Range range = action.to ? tree.range(action.key, *action.to) : tree.from(action.key);
            if (action.backward) range = std::move(range).reversed();
            std::string answer;
            std::uint64_t left = action.count;
            for (const auto [key, value] : range) {
                answer += answer_of(key, value);
                if (--left == 0) break;
            }
            return answer;
        }
        case Kind::walk: {
            Cursor cursor = tx.tree(action.tree).cursor();
            std::string answer;
            bool there = cursor.lower_bound(action.key);
            for (unsigned step = 0; step < k_steps_of_a_walk && there; ++step) {
                answer += answer_of(cursor.key(), cursor.value());
                there = (action.count >> step & 1) != 0 ? cursor.next() : cursor.prev();
            }
            return answer;
        }
        case Kind::size: return std::to_string(tx.tree(action.tree).size());
        case Kind::names: {
            std::string answer;
            for (const std::string& name : tx.tree_names()) answer += name + ",";
            return answer;
        }
        case Kind::put: tx.tree(action.tree).put(action.key, *action.value); return {};
        case Kind::put_if_absent: return answer_of(tx.tree(action.tree).put_if_absent(action.key, *action.value));
        case Kind::compare_and_swap:
            return answer_of(tx.tree(action.tree).compare_and_swap(action.key, bytes(action.was), bytes(action.value)));
        case Kind::erase: return answer_of(tx.tree(action.tree).erase(action.key));
        case Kind::erase_range: return std::to_string(tx.tree(action.tree).erase_range(action.key, action.to));
        case Kind::drop_tree: return answer_of(tx.drop_tree(action.tree));
        case Kind::savepoint: savepoints.push_back(tx.savepoint()); return {};
        case Kind::roll_back:
            tx.rollback_to(savepoints.at(action.count));
            savepoints.resize(action.count + 1);
            return {};
    }
    return {};
}

/// The same actions upon another state; nullopt: some answer that counts is another one there.
inline std::optional<ModelWork> done_again(const std::vector<ModelAction>& actions, StatePointer base) {
    ModelWork work(std::move(base));
    for (const ModelAction& action : actions) {
        if (work.act(action) != action.answer && action.counts) return std::nullopt;
    }
    return work;
}

}  // namespace northstar::hard
