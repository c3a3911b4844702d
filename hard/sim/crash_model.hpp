// crash_model.hpp -- what a database must contain, and whether it does.  Used by the crash suite.
//
// The model keeps the exact content after every transaction, in the simplest way there is: whole maps whose values are
// shared. It also knows which transactions were promised what:
//   durable    survives power loss: a full commit, a sync, a checkpoint or a close returned
//   visible    survives the death of processes: a commit returned
//   attempted  the last one that somebody began to commit; it may be there or not
//   vouched    known to be durable by a record that is durable itself and lies elsewhere: even rot does not hide it
#pragma once

#include "api/northstar.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "hard/sim/retention_model.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace northstar::hard {

/// A promise was broken.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

using ModelValue = std::shared_ptr<const std::string>;
using ModelTree = std::map<std::string, ModelValue, std::less<>>;
using ModelState = std::map<std::string, ModelTree, std::less<>>;
using StatePointer = std::shared_ptr<const ModelState>;

struct ModelOperation {
    enum class Kind { put, append, erase, erase_range, drop_tree, set_history };
    Kind kind = Kind::put;
    std::string tree;
    std::string key;
    std::optional<std::string> to;
    ModelValue value;
    std::uint64_t kept = 0;  ///< of set_history: so many states
};

inline void apply_to(ModelState& state, const ModelOperation& op) {
    using Kind = ModelOperation::Kind;
    if (op.kind == Kind::put || op.kind == Kind::append) {
        state[op.tree][op.key] = op.value;
        return;
    }
    if (op.kind == Kind::set_history) {
        state[op.tree];
        return;
    }
    const auto tree = state.find(op.tree);
    if (tree == state.end()) return;
    switch (op.kind) {
        case Kind::put:
        case Kind::append:
        case Kind::set_history: break;
        case Kind::erase: tree->second.erase(op.key); break;
        case Kind::erase_range: {
            const auto to = op.to ? tree->second.lower_bound(*op.to) : tree->second.end();
            const auto from = tree->second.lower_bound(op.key);
            if (!op.to || op.key < *op.to) tree->second.erase(from, to);
            break;
        }
        case Kind::drop_tree: state.erase(tree); break;
    }
}

/// True: it changes what is kept.
inline bool apply_to(Retention& retention, const ModelOperation& op) {
    if (op.kind == ModelOperation::Kind::drop_tree) return retention.own.erase(op.tree) != 0;
    if (op.kind != ModelOperation::Kind::set_history) return false;
    retention.own[op.tree] = op.kept;
    return true;
}

inline void apply_to(Transaction& tx, const ModelOperation& op) {
    using Kind = ModelOperation::Kind;
    switch (op.kind) {
        case Kind::put: tx.tree(op.tree).put(op.key, *op.value); break;
        case Kind::append: tx.tree(op.tree).append(op.key, *op.value); break;
        case Kind::erase: tx.tree(op.tree).erase(op.key); break;
        case Kind::erase_range: tx.tree(op.tree).erase_range(op.key, op.to); break;
        case Kind::drop_tree: tx.drop_tree(op.tree); break;
        case Kind::set_history: tx.set_history(op.tree, Retention::history(op.kept)); break;
    }
}

/// Values that a commit erases from the past too.
struct ModelRedaction {
    Txn by = 0;
    std::string tree;
    std::string key;
    std::vector<ModelValue> values;
    bool erased = false;  // from log and history; until then the past may show the values or not
};

/// The states a recovery may end in.
struct Expected {
    std::vector<StatePointer> states;            ///< by txn; the last is the last attempted
    std::vector<std::optional<Hash>> chains;     ///< by txn, where it was asked for
    /// By txn: the trees that it changed, where that is known.
    std::vector<std::optional<std::set<std::string>>> touched;
    std::vector<ModelRedaction> redactions;      ///< ascending by txn
    Txn durable = 0;
    /// Where records ended that a flush made the last ones, ascending; those of interest are the last few.
    std::vector<std::pair<Txn, std::uint64_t>> flushed_ends;
    Txn visible = 0;
    Retentions retention;
    Txn lost = 0;                                ///< states before it may be gone: somebody began to prune there
    Txn pruned = 0;                              ///< states before it are gone: prune returned
    bool dropped = false;                        ///< a tree was dropped once

    Txn attempted() const { return states.size() - 1; }
    /// There may be no states before it.
    Txn least(Txn newest) const { return std::max(lost, retention.least(newest)); }
    /// Trees may have no states before it.
    Txn whole_from(Txn newest) const { return std::max(lost, retention.whole_from(newest)); }
    void attempt(ModelState next, const std::vector<ModelOperation>& operations = {}) {
        states.push_back(std::make_shared<const ModelState>(std::move(next)));
        chains.emplace_back();
        touched.emplace_back();
        if (!operations.empty()) touched.back().emplace();
        for (const ModelOperation& op : operations) touched.back()->insert(op.tree);
        // Turned off and on again in one commit, the past of a tree begins with that commit.
        for (const ModelOperation& op : operations) {
            Retention kept = retention.now();
            if (apply_to(kept, op)) retention.set(attempted(), std::move(kept));
        }
    }
    /// A flush that covered this txn returned; its record ended there in the log.
    void flushed(Txn txn, std::uint64_t end) {
        if (txn <= durable) return;
        durable = txn;
        flushed_ends.emplace_back(txn, end);
    }
    void committed(Txn txn, bool full, std::uint64_t end) {
        visible = txn;
        if (full) flushed(txn, end);
    }
    /// The newest txn that is vouched for by a record which no damage of `width` bytes hits together with it: what the
    /// last flush covered began at least so far behind its end. [DMG-4]
    Txn vouched(std::uint64_t width) const {
        if (flushed_ends.empty()) return 0;
        const auto before = std::next(flushed_ends.rbegin());
        const auto found = std::find_if(before, flushed_ends.rend(), [&](const std::pair<Txn, std::uint64_t>& end) {
            return before->second - end.second >= width;
        });
        return found == flushed_ends.rend() ? 0 : found->first;
    }
    /// The outcome is known: everything behind `txn` never happened.
    void settle(Txn txn) {
        states.resize(txn + 1);
        chains.resize(txn + 1);
        touched.resize(txn + 1);
        std::erase_if(redactions, [&](const ModelRedaction& redaction) { return redaction.by > txn; });
        retention.settle(txn);
        durable = std::min(durable, txn);
        while (!flushed_ends.empty() && flushed_ends.back().first > txn) flushed_ends.pop_back();
        visible = txn;
    }
    /// Is the value gone from the past of a database whose newest commit is `newest`?
    bool redacted(const std::string& tree, const std::string& key, const ModelValue& value, Txn newest) const {
        return std::any_of(redactions.begin(), redactions.end(), [&](const ModelRedaction& redaction) {
            return redaction.by <= newest && redaction.tree == tree && redaction.key == key &&
                   std::find(redaction.values.begin(), redaction.values.end(), value) != redaction.values.end();
        });
    }
    /// Every value that a key ever had.
    std::vector<ModelValue> values_of(const std::string& tree, const std::string& key) const {
        std::vector<ModelValue> values;
        for (const StatePointer& state : states) {
            const auto there = state->find(tree);
            if (there == state->end()) continue;
            const auto entry = there->second.find(key);
            if (entry == there->second.end()) continue;
            if (values.empty() || values.back() != entry->second) values.push_back(entry->second);
        }
        return values;
    }
    /// A state of the past as it is shown when the newest commit is `newest`: redacted values are empty.
    ModelState past(Txn txn, Txn newest) const {
        ModelState state = *states[txn];
        for (const ModelRedaction& redaction : redactions) {
            const auto tree = state.find(redaction.tree);
            if (tree == state.end()) continue;
            const auto entry = tree->second.find(redaction.key);
            if (entry == tree->second.end() || !redacted(tree->first, entry->first, entry->second, newest)) continue;
            entry->second = std::make_shared<const std::string>();
        }
        return state;
    }
};

inline std::string shown(std::string_view bytes) {
    std::string out;
    for (const char c : bytes.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
    return "'" + out + "' (" + std::to_string(bytes.size()) + " bytes)";
}

inline void compare_tree(const Tree& tree, const ModelTree& model, bool backward, const std::string& where) {
    auto next = model.begin();
    auto last = model.rbegin();
    std::size_t count = 0;
    Range all = backward ? tree.all().reversed() : tree.all();
    for (const auto [key, value] : all) {
        if (count == model.size()) throw Broken(where + ": there is an entry too many, " + shown(key));
        const auto& [wanted_key, wanted_value] = backward ? *last : *next;
        if (key != wanted_key) {
            throw Broken(where + ": the key is " + shown(key) + ", not " + shown(wanted_key));
        }
        if (value != *wanted_value) {
            throw Broken(where + ": the value of " + shown(key) + " is " + shown(value) + ", not " +
                         shown(*wanted_value));
        }
        ++count;
        if (backward) {
            ++last;
        } else {
            ++next;
        }
    }
    if (count != model.size()) {
        throw Broken(where + ": " + std::to_string(model.size() - count) + " entries of " +
                     std::to_string(model.size()) + " are missing");
    }
    if (tree.size() != model.size()) throw Broken(where + ": the tree's count is " + std::to_string(tree.size()));
}

/// Compares everything a snapshot or a transaction shows, entry by entry.
template <class Reader>
void compare_trees(Reader& reader, const ModelState& model, detail::Random& random, const std::string& where) {
    const std::vector<std::string> names = reader.tree_names();
    auto wanted = model.begin();
    for (const std::string& name : names) {
        if (wanted == model.end() || wanted->first != name) throw Broken(where + ": tree " + shown(name));
        ++wanted;
    }
    if (wanted != model.end()) throw Broken(where + ": tree " + shown(wanted->first) + " is missing");
    for (const auto& [name, entries] : model) {
        const Tree tree = reader.tree(name);
        compare_tree(tree, entries, random.chance(1, 4), where + ", tree " + name);
        if (entries.empty()) continue;
        auto some = entries.begin();
        std::advance(some, static_cast<std::ptrdiff_t>(random.below(entries.size())));
        const std::optional<std::string_view> got = tree.get(some->first);
        if (!got || *got != *some->second) throw Broken(where + ": get(" + shown(some->first) + ") is wrong");
        if (tree.get(some->first + '\x01' + "no")) throw Broken(where + ": a key is there that never was");
    }
}

/// As spec/semantics.md has it. [TRUTH-4]
inline Hash hash_of(const ModelState& state) {
    detail::Sha256 digest;
    for (const auto& [name, entries] : state) {
        digest.update("T");
        digest.update_u64(name.size());
        digest.update(name);
        for (const auto& [key, value] : entries) {
            digest.update("E");
            digest.update_u64(key.size());
            digest.update_u64(value->size());
            digest.update(key);
            digest.update(*value);
        }
    }
    return digest.finish();
}

inline void compare(const Snapshot& snapshot, const ModelState& model, detail::Random& random,
                    const std::string& where) {
    const std::string place = where + ", txn " + std::to_string(snapshot.txn());
    compare_trees(snapshot, model, random, place);
    // Not by chance: what a seed does stays as it is.
    if (snapshot.txn() % 4 == 1 && snapshot.state_hash() != hash_of(model)) throw Broken(place + ": the state's hash");
}

/// Every version of a key against the sequence of states.
inline void compare_versions(const Database& db, const Expected& expected, Txn newest, const std::string& tree,
                             const std::string& key) {
    std::vector<std::pair<Txn, ModelValue>> wanted;
    ModelValue before;
    for (Txn txn = 1; txn <= newest; ++txn) {
        const ModelState& state = *expected.states[txn];
        const auto there = state.find(tree);
        ModelValue now;
        if (there != state.end()) {
            if (const auto entry = there->second.find(key); entry != there->second.end()) now = entry->second;
        }
        if (now != before) wanted.emplace_back(txn, now);
        before = now;
    }
    const Txn from = expected.whole_from(newest);
    std::vector<Version> found = db.history(tree, key);
    // Newest first; an erasure of what is absent says nothing.
    std::vector<Version> told;
    for (auto version = found.rbegin(); version != found.rend(); ++version) {
        if (!version->value && (told.empty() || !told.back().value)) continue;
        told.push_back(std::move(*version));
    }
    const std::string where = "history of " + shown(key) + " in " + tree + " up to txn " + std::to_string(newest);
    // What lies before the horizon is told as far as it is known, if at all.
    std::erase_if(told, [&](const Version& version) { return version.txn <= from; });
    std::erase_if(wanted, [&](const auto& version) { return version.first <= from; });
    if (told.size() != wanted.size()) {
        throw Broken(where + ": " + std::to_string(told.size()) + " versions, not " + std::to_string(wanted.size()));
    }
    for (std::size_t i = 0; i < told.size(); ++i) {
        const auto& [txn, value] = wanted[i];
        const bool redacted = value != nullptr && expected.redacted(tree, key, value, newest);
        if (told[i].txn != txn || told[i].value.has_value() != (value != nullptr) || told[i].redacted != redacted ||
            (value != nullptr && *told[i].value != (redacted ? std::string() : *value))) {
            throw Broken(where + ": version of txn " + std::to_string(told[i].txn) + " is not that of txn " +
                         std::to_string(txn));
        }
    }
}

/// A point in time shows the last commit that was made at it.
inline void compare_time(const Database& db, Txn first, const std::vector<std::uint64_t>& times, std::size_t chosen) {
    std::size_t last = chosen;
    while (last + 1 < times.size() && times[last + 1] == times[chosen]) ++last;
    const Txn txn = db.begin_read(AsOf::time(times[chosen])).txn();
    if (txn != first + last) {
        throw Broken("the time of txn " + std::to_string(first + chosen) + " shows txn " + std::to_string(txn));
    }
}

/// What the record of a commit says, done to the state before it, gives the state behind it. [TRUTH-1]
inline void compare_record(const CommitRecord& record, const Expected& expected) {
    ModelState state = *expected.states[record.txn - 1];
    const ModelState& wanted = *expected.states[record.txn];
    for (const Operation& said : record.operations) {
        ModelOperation op;
        op.tree = said.tree;
        op.key = said.key;
        switch (said.kind) {
            case Operation::Kind::put: op.value = std::make_shared<const std::string>(said.value); break;
            case Operation::Kind::erase: op.kind = ModelOperation::Kind::erase; break;
            case Operation::Kind::erase_range:
                op.kind = ModelOperation::Kind::erase_range;
                if (said.to) op.to = *said.to;
                break;
            case Operation::Kind::drop_tree: op.kind = ModelOperation::Kind::drop_tree; break;
            // Of a state, both make the tree.
            case Operation::Kind::create_tree: op.kind = ModelOperation::Kind::set_history; break;
            case Operation::Kind::set_history:
            case Operation::Kind::redact: continue;
        }
        apply_to(state, op);
        if (!said.redacted) continue;
        // What it was, the model alone knows.
        const auto tree = wanted.find(op.tree);
        if (tree == wanted.end()) continue;
        if (const auto entry = tree->second.find(op.key); entry != tree->second.end()) {
            state[op.tree][op.key] = entry->second;
        }
    }
    const auto same_tree = [](const ModelTree& a, const ModelTree& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
            return x.first == y.first && (x.second == y.second || *x.second == *y.second);
        });
    };
    const bool same = std::equal(state.begin(), state.end(), wanted.begin(), wanted.end(), [&](auto& a, auto& b) {
        return a.first == b.first && same_tree(a.second, b.second);
    });
    if (!same) throw Broken("the record of txn " + std::to_string(record.txn) + " does not say what it did");
}

/// The log names every txn that it must still have, one after the other and in the order of time [TRUTH-3], and ends
/// with the newest. What was built from another log need not have the commit that made its oldest state.
inline void compare_log(const Database& db, const Expected& expected, Txn newest, detail::Random& random,
                        bool built = false) {
    if (newest == 0) return;
    // Without history a checkpoint may have released all that lies before it.
    Txn txn = newest - 1;
    const bool keeps = expected.retention.keeps();
    if (keeps) {
        const Txn oldest = db.statistics().oldest_txn;
        if (oldest > expected.least(newest)) throw Broken("the oldest state is txn " + std::to_string(oldest));
        txn = built ? oldest : std::max<Txn>(oldest, 1) - 1;
    }
    const Txn first = txn + 1;
    if (first > newest) return;
    std::vector<std::uint64_t> times;
    try {
        for (const CommitRecord& record : db.commits(first)) {
            if (record.txn != ++txn) {
                throw Broken("the log names txn " + std::to_string(record.txn) + " where " + std::to_string(txn) +
                             " should be");
            }
            if (!times.empty() && record.time_us < times.back()) {
                throw Broken("txn " + std::to_string(txn) + " is older than the one before it");
            }
            times.push_back(record.time_us);
            if (random.chance(1, 16)) compare_record(record, expected);
        }
    } catch (const Error& error) {
        if (keeps || error.code() != Errc::before_horizon) throw;
        return;
    }
    if (txn != newest) {
        throw Broken("the log ends with txn " + std::to_string(txn) + ", not " + std::to_string(newest));
    }
    if (keeps && !times.empty()) compare_time(db, first, times, random.below(times.size()));
}

/// The differences of two states, both ways.
inline void compare_difference(const Database& db, const Expected& expected, Txn newest, detail::Random& random) {
    const Txn first = std::min(newest, expected.whole_from(newest));
    const Txn from = first + random.below(newest - first + 1);
    const Txn to = first + random.below(newest - first + 1);
    using Side = std::map<std::pair<std::string, std::string>, ModelValue>;
    const auto flat = [](const ModelState& state) {
        Side side;
        for (const auto& [tree, entries] : state) {
            for (const auto& [key, value] : entries) side.emplace(std::pair(tree, key), value);
        }
        return side;
    };
    Side before = flat(expected.past(from, newest));
    Side after = flat(expected.past(to, newest));
    const std::string where = "the differences of txn " + std::to_string(from) + " and " + std::to_string(to) + ": ";
    std::optional<std::pair<std::string, std::string>> last;
    for (const Change& change : db.diff(AsOf::txn(from), AsOf::txn(to))) {
        const std::pair<std::string, std::string> place(change.tree, change.key);
        if (last && *last >= place) throw Broken(where + "not in order at " + shown(change.key));
        last = place;
        const auto look = [&](Side& side, const std::optional<std::string>& told) {
            const auto entry = side.find(place);
            const bool there = entry != side.end();
            if (there != told.has_value() || (there && *entry->second != *told)) {
                throw Broken(where + shown(change.key) + " of " + change.tree + " is not what it was");
            }
            if (there) side.erase(entry);
        };
        if (change.before == change.after) throw Broken(where + shown(change.key) + " does not differ");
        look(before, change.before);
        look(after, change.after);
    }
    const bool same = std::equal(before.begin(), before.end(), after.begin(), after.end(), [](auto& a, auto& b) {
        return a.first == b.first && *a.second == *b.second;
    });
    if (!same) throw Broken(where + "some are missing");
}

/// Some points of the past, the history of a key, and the log.
inline void compare_past(const Database& db, const Expected& expected, Txn newest, detail::Random& random) {
    if (!expected.retention.keeps() || newest == 0) return;
    const bool erased = std::all_of(expected.redactions.begin(), expected.redactions.end(),
                                    [](const ModelRedaction& redaction) { return redaction.erased; });
    if (!erased && db.statistics().redaction_pending != 0) return;
    for (int i = 0; i < 2; ++i) {
        const Txn txn = random.below(newest + 1);
        std::optional<Snapshot> past;
        try {
            past.emplace(db.begin_read(AsOf::txn(txn)));
        } catch (const Error& error) {
            if (error.code() != Errc::before_horizon || txn >= expected.least(newest)) throw;
            continue;
        }
        if (txn < expected.pruned && txn < newest) {
            throw Broken("txn " + std::to_string(txn) + " was pruned and can be read");
        }
        const Snapshot& then = *past;
        if (then.txn() != txn)
            throw Broken("AS OF txn " + std::to_string(txn) + " shows " + std::to_string(then.txn()));
        try {
            compare(then, expected.past(txn, newest), random, "AS OF");
        } catch (const Error& error) {
            // A tree that keeps less than the others.
            if (error.code() != Errc::before_horizon || txn >= expected.whole_from(newest)) throw;
        }
    }
    compare_difference(db, expected, newest, random);
    if (!expected.dropped) {
        const ModelState& state = *expected.states[random.between(1, newest)];
        for (const auto& [tree, entries] : state) {
            if (entries.empty()) continue;
            auto some = entries.begin();
            std::advance(some, static_cast<std::ptrdiff_t>(random.below(entries.size())));
            compare_versions(db, expected, newest, tree, some->first);
            break;
        }
    }
    for (Txn i = newest; i > 0 && i >= expected.least(newest); --i) {
        if (!expected.chains[i]) continue;
        if (db.chain_hash(i) != *expected.chains[i]) {
            throw Broken("the chain hash of txn " + std::to_string(i) + " changed");
        }
        break;
    }
}

/// Verify finds nothing but what a fault that was planned may cause.
template <class Allowed>
void must_verify(const Database& db, const std::string& where, Allowed&& allowed) {
    const VerifyReport report = db.verify();
    std::string text;
    for (const Problem& problem : report.problems) {
        if (!allowed(problem.code)) text += "; " + problem.where + ": " + problem.what;
    }
    if (!text.empty()) throw Broken(where + ": verify finds something" + text);
}

}  // namespace northstar::hard
