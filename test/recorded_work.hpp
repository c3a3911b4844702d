// recorded_work.hpp -- random work of several threads or processes, written down while it happens, judged afterwards.
//
// A worker does whatever the interface offers and records each call with its result. Judge puts the recorded
// transactions in the order of their numbers and repeats every call on a std::map: each result must be the same. So
// transactions are serializable in the order of their numbers, whatever ran beside them [TX-3]; snapshots are states of
// that order [SNAP-1]; and nobody sees less than what was acknowledged before it looked [SNAP-4].
#pragma once

#include "txn_support.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace recorded_work {

using namespace northstar;
using txn_test::Dice;

/// A promise was broken; says where.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// ---- what is written down ----

enum class Call : std::uint8_t {
    get, put, put_if_absent, compare_and_swap, erase, erase_range, append, drop_tree, scan, scan_back, size, names,
    savepoint, rollback_to,
};

/// One call with its arguments and its result.
struct Event {
    Call call = Call::get;
    std::string tree, key, value;
    std::optional<std::string> to;        ///< end of a range; compare_and_swap: what was expected
    bool erases = false;                  ///< compare_and_swap: nothing is desired
    std::uint64_t number = 0;             ///< result of a count or bool; savepoint: which
    std::optional<std::string> found;     ///< result of get
    std::vector<std::pair<std::string, std::string>> entries;  ///< result of a scan or of names
};

/// A transaction that committed, or the reads of a snapshot.
struct Deed {
    Txn txn = 0;             ///< of the commit; a snapshot's own
    bool snapshot = false;
    Txn floor = 0;           ///< acknowledged, by anybody, before this began
    std::vector<Event> events;
};

/// Deeds as bytes, so that processes can hand them over. Each is written whole.
class Journal {
public:
    explicit Journal(int descriptor = -1) : descriptor_(descriptor) {}

    void write(const Deed& deed) {
        if (descriptor_ < 0) {
            deeds.push_back(deed);
            return;
        }
        std::string out;
        number(out, deed.txn);
        number(out, deed.snapshot);
        number(out, deed.floor);
        number(out, deed.events.size());
        for (const Event& event : deed.events) {
            number(out, static_cast<std::uint64_t>(event.call));
            text(out, event.tree);
            text(out, event.key);
            text(out, event.value);
            optional(out, event.to);
            number(out, event.erases);
            number(out, event.number);
            optional(out, event.found);
            number(out, event.entries.size());
            for (const auto& [key, value] : event.entries) {
                text(out, key);
                text(out, value);
            }
        }
        std::string framed;
        number(framed, out.size());
        framed += out;
        if (::write(descriptor_, framed.data(), framed.size()) != static_cast<ssize_t>(framed.size())) ::_exit(9);
    }

    /// What a file of deeds says; a last one that its process did not finish is left out.
    static std::vector<Deed> read(const std::string& bytes) {
        std::vector<Deed> out;
        std::string_view rest = bytes;
        while (rest.size() >= 8) {
            std::string_view head = rest;
            const std::uint64_t size = take(head);
            if (head.size() < size) break;
            std::string_view in = head.substr(0, size);
            rest = head.substr(size);
            Deed& deed = out.emplace_back();
            deed.txn = take(in);
            deed.snapshot = take(in) != 0;
            deed.floor = take(in);
            deed.events.resize(take(in));
            for (Event& event : deed.events) {
                event.call = static_cast<Call>(take(in));
                event.tree = take_text(in);
                event.key = take_text(in);
                event.value = take_text(in);
                event.to = take_optional(in);
                event.erases = take(in) != 0;
                event.number = take(in);
                event.found = take_optional(in);
                event.entries.resize(take(in));
                for (auto& [key, value] : event.entries) {
                    key = take_text(in);
                    value = take_text(in);
                }
            }
        }
        return out;
    }

    std::vector<Deed> deeds;  ///< of a journal in memory

private:
    static void number(std::string& out, std::uint64_t value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    static void text(std::string& out, const std::string& value) {
        number(out, value.size());
        out += value;
    }
    static void optional(std::string& out, const std::optional<std::string>& value) {
        number(out, value.has_value());
        if (value) text(out, *value);
    }
    static std::uint64_t take(std::string_view& in) {
        if (in.size() < 8) throw Broken("a journal is damaged");
        std::uint64_t value = 0;
        std::memcpy(&value, in.data(), sizeof value);
        in.remove_prefix(sizeof value);
        return value;
    }
    static std::string take_text(std::string_view& in) {
        const std::uint64_t size = take(in);
        if (in.size() < size) throw Broken("a journal is damaged");
        std::string out(in.substr(0, size));
        in.remove_prefix(size);
        return out;
    }
    static std::optional<std::string> take_optional(std::string_view& in) {
        if (take(in) == 0) return std::nullopt;
        return take_text(in);
    }
    int descriptor_;
};

// ---- doing ----

/// The newest acknowledged txn, shared by all workers (between processes: in shared memory).
using Acknowledged = std::atomic<std::uint64_t>;

inline void raise(Acknowledged& word, std::uint64_t txn) {
    std::uint64_t seen = word.load();
    while (seen < txn && !word.compare_exchange_weak(seen, txn)) {}
}

class Worker {
public:
    Worker(Database& db, Journal& journal, Acknowledged& acknowledged, std::uint64_t seed)
        : db_(db), journal_(journal), acknowledged_(acknowledged), dice_(seed) {}

    void step() {
        const std::uint64_t what = dice_.below(100);
        if (what < 35) {
            transaction(true);
        } else if (what < 60) {
            transaction(false);
        } else if (what < 75) {
            look();
        } else if (what < 82) {
            look_back();
        } else if (what < 88) {
            hold();
        } else if (what < 90) {
            db_.checkpoint();
        } else if (what < 92) {
            db_.sync();
        } else if (what == 92) {
            db_.compact();
        } else if (what == 93) {
            static_cast<void>(db_.statistics());
        } else {
            look();
        }
        if (held_.size() > 4) {
            const std::size_t which = dice_.below(held_.size());
            read_snapshot(held_[which], 0);
            held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
        }
    }

    /// Closes what is held, having read it once more.
    void finish() {
        for (const Snapshot& snapshot : held_) read_snapshot(snapshot, 0);
        held_.clear();
    }

    std::uint64_t conflicts = 0;

private:
    const std::string& some_tree() {
        static const std::string names[] = {"a", "b", "short-lived"};
        return names[dice_.chance(8) ? 2 : dice_.below(2)];
    }
    std::string some_key() {
        if (dice_.chance(2)) return {};
        if (dice_.chance(4)) return std::string(600, 'p') + std::to_string(dice_.below(20));
        return "k" + std::to_string(dice_.below(40));
    }
    std::string some_value() {
        if (dice_.chance(3)) return dice_.bytes(5000 + dice_.below(20000));
        if (dice_.chance(10)) return {};
        return std::to_string(dice_.below(1000));
    }

    void transaction(bool optimistic) {
        Deed deed;
        deed.floor = acknowledged_.load();
        WriteOptions options;
        options.durability = dice_.chance(30) ? Durability::full : Durability::lazy;
        Transaction tx = optimistic ? db_.begin_optimistic(options) : db_.begin_write(options);
        const Txn base = tx.base_txn();
        if (base < deed.floor) throw Broken("a transaction begins behind what was acknowledged");
        std::vector<Savepoint> savepoints;
        const std::uint64_t calls = 1 + dice_.below(dice_.chance(10) ? 30 : 6);
        const bool read_only = dice_.chance(12);
        try {
            for (std::uint64_t i = 0; i < calls; ++i) {
                Event event;
                event.tree = some_tree();
                event.key = some_key();
                const std::uint64_t what = read_only ? dice_.below(40) : dice_.below(100);
                if (!savepoints.empty() && what >= 95) {
                    event.call = Call::rollback_to;
                    event.number = dice_.below(savepoints.size());
                    tx.rollback_to(savepoints[event.number]);
                    savepoints.resize(event.number + 1);
                } else if (what >= 90) {
                    event.call = Call::savepoint;
                    savepoints.push_back(tx.savepoint());
                } else if (what >= 40) {
                    change(tx, event);
                } else if (what < 4) {
                    event.call = Call::names;
                    for (std::string& name : tx.tree_names()) event.entries.emplace_back(std::move(name), "");
                } else {
                    read(tx.tree(event.tree), event);
                }
                deed.events.push_back(std::move(event));
                if (optimistic && dice_.chance(20)) std::this_thread::yield();
            }
            if (dice_.chance(8)) {
                tx.rollback();
                return;
            }
            deed.txn = tx.commit().txn;
        } catch (const Error& error) {
            if (error.code() != Errc::conflict || !optimistic) throw;
            ++conflicts;
            return;
        }
        if (deed.txn == 0) {
            // Nothing was written: what it read is the state it began on.
            deed.txn = base;
            deed.snapshot = true;
        } else {
            raise(acknowledged_, deed.txn);
            if (db_.begin_read().txn() < deed.txn) throw Broken("a snapshot does not show its own process's commit");
        }
        journal_.write(deed);
    }

    void change(Transaction& tx, Event& event) {
        WritableTree tree = tx.tree(event.tree);
        const std::uint64_t what = dice_.below(100);
        if (what < 45) {
            event.call = Call::put;
            event.value = some_value();
            tree.put(event.key, event.value);
        } else if (what < 60) {
            event.call = Call::erase;
            event.number = tree.erase(event.key);
        } else if (what < 70) {
            event.call = Call::put_if_absent;
            event.value = some_value();
            event.number = tree.put_if_absent(event.key, event.value);
        } else if (what < 82) {
            event.call = Call::compare_and_swap;
            event.value = some_value();
            event.erases = dice_.chance(25);
            if (dice_.chance(70)) {
                // Expects what is there; the reading is part of the deed.
                const std::optional<std::string_view> now = tree.get(event.key);
                if (now) event.to = std::string(*now);
            } else {
                event.to = "something else";
            }
            event.number = tree.compare_and_swap(
                event.key, event.to ? std::optional<std::string_view>(*event.to) : std::nullopt,
                event.erases ? std::nullopt : std::optional<std::string_view>(event.value));
        } else if (what < 90) {
            event.call = Call::erase_range;
            if (!dice_.chance(15)) event.to = event.key + std::to_string(dice_.below(10));
            event.number = tree.erase_range(
                event.key, event.to ? std::optional<std::string_view>(*event.to) : std::nullopt);
        } else if (what < 96) {
            event.call = Call::append;
            Cursor cursor = tree.cursor();
            event.key = cursor.last() ? std::string(cursor.key()) + "+" : "k";
            if (event.key.size() > 900) {
                event.call = Call::erase;
                event.number = tree.erase(event.key);
                return;
            }
            event.value = some_value();
            tree.append(event.key, event.value);
        } else {
            event.call = Call::drop_tree;
            event.tree = "short-lived";
            event.number = tx.drop_tree(event.tree);
        }
    }

    void read(const Tree& tree, Event& event) {
        const std::uint64_t what = dice_.below(100);
        if (what < 60) {
            event.call = Call::get;
            if (const auto value = tree.get(event.key)) event.found = std::string(*value);
        } else if (what < 90) {
            event.call = what < 75 ? Call::scan : Call::scan_back;
            event.to = event.key + "9";
            if (dice_.chance(20)) {
                event.key.clear();
                event.to = "~";
            }
            Range range = tree.range(event.key, *event.to);
            if (event.call == Call::scan_back) range = std::move(range).reversed();
            for (auto [key, value] : range) event.entries.emplace_back(key, value);
        } else {
            event.call = Call::size;
            event.number = tree.size();
        }
    }

    void read_snapshot(const Snapshot& snapshot, Txn floor) {
        Deed deed;
        deed.snapshot = true;
        deed.txn = snapshot.txn();
        deed.floor = floor;
        for (std::uint64_t i = 1 + dice_.below(5); i > 0; --i) {
            Event event;
            event.tree = some_tree();
            event.key = some_key();
            if (dice_.chance(10)) {
                event.call = Call::names;
                for (std::string& name : snapshot.tree_names()) event.entries.emplace_back(std::move(name), "");
            } else {
                read(snapshot.tree(event.tree), event);
            }
            deed.events.push_back(std::move(event));
        }
        journal_.write(deed);
    }

    void look() {
        const Txn floor = std::max<Txn>(acknowledged_.load(), seen_);
        const Snapshot now = db_.begin_read();
        read_snapshot(now, floor);
        seen_ = now.txn();
    }

    void look_back() {
        const Txn newest = acknowledged_.load();
        const Txn txn = dice_.below(newest + 1);
        const Snapshot then = db_.begin_read(AsOf::txn(txn));
        if (then.txn() != txn) throw Broken("AS OF another txn than asked for");
        read_snapshot(then, 0);
    }

    void hold() {
        const Txn newest = acknowledged_.load();
        held_.push_back(dice_.chance(30) ? db_.begin_read(AsOf::txn(dice_.below(newest + 1))) : db_.begin_read());
    }

    Database& db_;
    Journal& journal_;
    Acknowledged& acknowledged_;
    Dice dice_;
    Txn seen_ = 0;
    std::vector<Snapshot> held_;
};

// ---- judging ----

class Judge {
public:
    using Value = std::shared_ptr<const std::string>;
    using Entries = std::map<std::string, Value>;
    using State = std::map<std::string, Entries>;

    /// Repeats everything in order. Transactions that no journal knows (their process was killed) are taken from the
    /// log. Returns how many those were.
    std::uint64_t repeat(const std::vector<std::vector<Deed>>& journals, const Database& db) {
        std::map<Txn, const Deed*> transactions;
        for (const std::vector<Deed>& journal : journals) {
            for (const Deed& deed : journal) {
                if (deed.snapshot) continue;
                if (!transactions.emplace(deed.txn, &deed).second) {
                    throw Broken("two commits have the number " + std::to_string(deed.txn));
                }
            }
        }
        const Txn newest = db.begin_read().txn();
        if (!transactions.empty() && transactions.rbegin()->first > newest) {
            throw Broken("txn " + std::to_string(transactions.rbegin()->first) + " was acknowledged and is lost");
        }
        std::uint64_t unknown = 0;
        states_.assign(1, {});
        CommitRange records = db.commits();
        auto record = records.begin();
        for (Txn txn = 1; txn <= newest; ++txn) {
            if (record == records.end() || (*record).txn != txn) {
                throw Broken("the log lacks txn " + std::to_string(txn));
            }
            State logged = states_.back();
            apply(logged, *record);
            ++record;
            const auto known = transactions.find(txn);
            if (known == transactions.end()) {
                ++unknown;
            } else {
                if (known->second->floor >= txn) throw Broken("a later commit has an earlier number");
                State state = states_.back();
                perform(state, *known->second, "txn " + std::to_string(txn));
                if (!same(state, logged)) {
                    throw Broken("the record of txn " + std::to_string(txn) + " says something else");
                }
            }
            states_.push_back(std::move(logged));
        }
        for (const std::vector<Deed>& journal : journals) {
            for (const Deed& deed : journal) {
                if (!deed.snapshot) continue;
                const std::string where = "a snapshot of txn " + std::to_string(deed.txn);
                if (deed.txn > newest) throw Broken(where + " shows what is lost");
                if (deed.txn < deed.floor) {
                    throw Broken(where + " was opened when txn " + std::to_string(deed.floor) + " was acknowledged");
                }
                State state = states_[deed.txn];
                perform(state, deed, where);
            }
        }
        return unknown;
    }

    /// The database of now and its past against the states.
    void compare(const Database& db, Dice& dice, std::uint64_t samples) const {
        const Txn newest = states_.size() - 1;
        compare(db.begin_read(), newest);
        for (std::uint64_t i = 0; i < samples; ++i) {
            const Txn txn = dice.below(newest + 1);
            compare(db.begin_read(AsOf::txn(txn)), txn);
            const Txn other = dice.below(newest + 1);
            differences(db, txn, other);
        }
    }

    Txn newest() const { return states_.size() - 1; }

private:
    static bool same(const State& a, const State& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
            return x.first == y.first &&
                   std::equal(x.second.begin(), x.second.end(), y.second.begin(), y.second.end(),
                              [](const auto& p, const auto& q) {
                                  return p.first == q.first && *p.second == *q.second;
                              });
        });
    }

    static Value text(std::string_view value) { return std::make_shared<const std::string>(value); }

    /// What a record of the log says was done. A name that was dropped and used again is told apart by number.
    void apply(State& state, const CommitRecord& record) {
        for (const Operation& operation : record.operations) {
            const std::string tree(operation.tree);
            switch (operation.kind) {
                case Operation::Kind::create_tree:
                    numbers_[tree] = operation.tree_id;
                    state[tree].clear();
                    break;
                case Operation::Kind::drop_tree:
                    if (numbers_[tree] == operation.tree_id) state.erase(tree);
                    break;
                case Operation::Kind::put: state[tree][std::string(operation.key)] = text(operation.value); break;
                case Operation::Kind::erase: state[tree].erase(std::string(operation.key)); break;
                case Operation::Kind::erase_range: {
                    Entries& entries = state[tree];
                    erase(entries, std::string(operation.key),
                          operation.to ? std::optional<std::string>(*operation.to) : std::nullopt);
                    break;
                }
                case Operation::Kind::set_history:
                case Operation::Kind::redact: break;
            }
        }
    }

    static std::uint64_t erase(Entries& entries, const std::string& from, const std::optional<std::string>& to) {
        if (to && *to <= from) return 0;
        const auto first = entries.lower_bound(from);
        const auto last = to ? entries.lower_bound(*to) : entries.end();
        const auto count = static_cast<std::uint64_t>(std::distance(first, last));
        entries.erase(first, last);
        return count;
    }

    /// Repeats the calls of a deed on a state.
    static void perform(State& state, const Deed& deed, const std::string& where) {
        static const Entries nothing;
        std::vector<State> saved;
        for (std::size_t i = 0; i < deed.events.size(); ++i) {
            const Event& event = deed.events[i];
            const auto wrong = [&](const std::string& what) {
                throw Broken(where + ", call " + std::to_string(i) + " (" +
                             std::to_string(static_cast<int>(event.call)) + ") on " + event.tree + " " +
                             event.key.substr(0, 30) + ": " + what);
            };
            const auto number = [&](std::uint64_t wanted) {
                if (event.number != wanted) {
                    wrong("got " + std::to_string(event.number) + ", wanted " + std::to_string(wanted));
                }
            };
            const auto found = state.find(event.tree);
            const Entries& entries = found == state.end() ? nothing : found->second;
            const auto entry = entries.find(event.key);
            const bool there = entry != entries.end();
            switch (event.call) {
                case Call::get:
                    if (event.found.has_value() != there) wrong(there ? "was not found" : "should not be there");
                    if (there && *event.found != *entry->second) wrong("another value");
                    break;
                case Call::put: state[event.tree][event.key] = text(event.value); break;
                case Call::put_if_absent:
                    number(!there);
                    if (!there) state[event.tree][event.key] = text(event.value);
                    break;
                case Call::compare_and_swap: {
                    const bool right = event.to.has_value() == there && (!there || *event.to == *entry->second);
                    number(right);
                    if (right && !event.erases) state[event.tree][event.key] = text(event.value);
                    if (right && event.erases && there) state[event.tree].erase(event.key);
                    break;
                }
                case Call::erase:
                    number(there);
                    if (there) state[event.tree].erase(event.key);
                    break;
                case Call::erase_range:
                    number(found == state.end() ? 0 : erase(found->second, event.key, event.to));
                    break;
                case Call::append:
                    if (!entries.empty() && entries.rbegin()->first >= event.key) wrong("is not the largest key");
                    state[event.tree][event.key] = text(event.value);
                    break;
                case Call::drop_tree:
                    number(found != state.end());
                    state.erase(event.tree);
                    break;
                case Call::scan:
                case Call::scan_back: {
                    std::vector<std::pair<std::string, std::string>> wanted;
                    for (auto at = entries.lower_bound(event.key); at != entries.end() && at->first < *event.to; ++at) {
                        wanted.emplace_back(at->first, *at->second);
                    }
                    if (event.call == Call::scan_back) std::reverse(wanted.begin(), wanted.end());
                    if (event.entries != wanted) {
                        wrong("a scan of " + std::to_string(event.entries.size()) + " entries, wanted " +
                              std::to_string(wanted.size()));
                    }
                    break;
                }
                case Call::size: number(entries.size()); break;
                case Call::names: {
                    if (!std::equal(event.entries.begin(), event.entries.end(), state.begin(), state.end(),
                                    [](const auto& a, const auto& b) { return a.first == b.first; })) {
                        wrong("other names of trees");
                    }
                    break;
                }
                case Call::savepoint: saved.push_back(state); break;
                case Call::rollback_to:
                    state = saved.at(event.number);
                    saved.resize(event.number + 1);
                    break;
            }
        }
    }

    void compare(const Snapshot& snapshot, Txn txn) const {
        const std::string where = "the state of txn " + std::to_string(txn);
        if (snapshot.txn() != txn) throw Broken(where + " is shown as txn " + std::to_string(snapshot.txn()));
        const State& wanted = states_[txn];
        std::vector<std::string> names;
        for (const auto& [name, entries] : wanted) names.push_back(name);
        if (snapshot.tree_names() != names) throw Broken(where + " has other trees");
        for (const auto& [name, entries] : wanted) {
            auto at = entries.begin();
            for (auto [key, value] : snapshot.tree(name).all()) {
                if (at == entries.end() || key != at->first || value != *at->second) {
                    throw Broken(where + " differs in " + name + " at " + std::string(key.substr(0, 30)));
                }
                ++at;
            }
            if (at != entries.end()) throw Broken(where + " lacks " + at->first.substr(0, 30));
        }
    }

    void differences(const Database& db, Txn from, Txn to) const {
        std::map<std::pair<std::string, std::string>, std::pair<Value, Value>> wanted;
        for (const auto& [tree, entries] : states_[from]) {
            for (const auto& [key, value] : entries) wanted[{tree, key}].first = value;
        }
        for (const auto& [tree, entries] : states_[to]) {
            for (const auto& [key, value] : entries) wanted[{tree, key}].second = value;
        }
        std::erase_if(wanted, [](const auto& entry) {
            const auto& [a, b] = entry.second;
            return a != nullptr && b != nullptr && *a == *b;
        });
        const std::vector<Change> got = db.diff(AsOf::txn(from), AsOf::txn(to));
        const bool equal = std::equal(got.begin(), got.end(), wanted.begin(), wanted.end(), [](const Change& c,
                                                                                              const auto& w) {
            const auto is = [](const std::optional<std::string>& a, const Value& b) {
                return a.has_value() == (b != nullptr) && (!a || *a == *b);
            };
            return c.tree == w.first.first && c.key == w.first.second && is(c.before, w.second.first) &&
                   is(c.after, w.second.second);
        });
        if (!equal) {
            throw Broken("diff of " + std::to_string(from) + " and " + std::to_string(to) + " lists " +
                         std::to_string(got.size()) + " keys, wanted " + std::to_string(wanted.size()));
        }
    }

    std::vector<State> states_;  // by txn
    std::map<std::string, std::uint64_t> numbers_;  // of trees, as the log gives them
};

}  // namespace recorded_work
