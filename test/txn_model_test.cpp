// txn_model_test.cpp -- random work on a database beside a std::map per txn, compared again and again.
#include "txn_model_support.hpp"

#include <algorithm>
#include <atomic>
#include <sstream>
#include <thread>

namespace {

using namespace northstar;
using hard::KeySpace;
using txn_test::Cell;
using txn_test::compare_tree;
using txn_test::Dice;
using txn_test::Entries;
using txn_test::scaled;
using txn_test::text;
using txn_test::Workplace;

using State = std::map<std::string, Entries>;

const std::vector<std::string>& all_trees() {
    static const std::vector<std::string> names{"a", "bulk", "large", "short-lived"};
    return names;
}

template <class Reader>
void compare(Reader&& reader, const State& wanted, const KeySpace& keys, Dice& dice, bool all) {
    std::vector<std::string> names;
    for (const auto& [name, entries] : wanted) names.push_back(name);
    if (reader.tree_names() != names) FAIL("tree_names: " << reader.tree_names().size() << " of " << names.size());
    static const Entries nothing;
    for (const std::string& name : all_trees()) {
        const auto it = wanted.find(name);
        const auto tree = reader.tree(name);
        if (tree.exists() != (it != wanted.end())) FAIL("exists " << name << ": " << tree.exists());
        compare_tree(tree, it == wanted.end() ? nothing : it->second, keys, dice, all);
    }
}

class Model {
public:
    Model(std::string path, Options options, std::uint64_t seed)
        : keys_(hard::shape_of(seed), 300, k_longest, seed), dice_(seed), path_(std::move(path)), options_(options),
          db_(Database::open(path_, options_)) {
        states_.emplace_back();
        longest_ = db_->max_key_size();
    }

    void step() {
        const std::uint64_t what = dice_.below(100);
        if (what < 62) {
            write();
        } else if (what < 70) {
            optimistic();
        } else if (what < 76) {
            db_->checkpoint();
        } else if (what < 77) {
            db_->sync();
        } else if (what < 78) {
            db_->compact();
        } else if (what < 84) {
            hold();
        } else if (what < 92) {
            as_of();
        } else if (what < 95) {
            differences();
        } else if (what < 97) {
            versions();
        } else if (what < 99) {
            compare_now(true);
        } else {
            reopen();
        }
        if (held_.size() > 6) release(static_cast<std::size_t>(dice_.below(held_.size())));
    }

    void finish() {
        while (!held_.empty()) release(held_.size() - 1);
        compare_now(true);
        verify();
        reopen();
        for (Txn txn = 0; txn < states_.size(); txn += 1 + dice_.below(states_.size() / 20 + 1)) look_back(txn);
        records();
        verify();
    }

    void compare_now(bool all) {
        const Snapshot now = db_->begin_read();
        INFO("present, txn " << now.txn());
        REQUIRE(now.txn() == newest());
        compare(now, states_.back(), keys_, dice_, all);
    }

    Txn newest() const { return states_.size() - 1; }

private:
    struct Held {
        Snapshot snapshot;
        Txn txn;
        std::vector<std::tuple<std::string, std::string, std::string_view>> views;
    };

    /// Of most keys, since the states of all txns are kept.
    static constexpr std::size_t k_longest = 500;

    std::string some_key() {
        const std::size_t longest = longest_;
        switch (dice_.below(40)) {
            case 0: return {};
            case 1: return "k" + std::to_string(dice_.below(300)) + std::string(dice_.below(longest - 10), 'x');
            // To the limit, and alike up to the end.
            case 2: return std::string(longest - 4, 'p') + std::to_string(1000 + dice_.below(40));
            case 3: return std::string(longest, static_cast<char>(dice_.below(256)));
            case 4: return "k1" + std::string(dice_.below(4), '\0') + std::string(dice_.below(3), '\xff');
            case 5: return dice_.bytes(1 + dice_.below(3));
            default: return keys_.some(dice_);
        }
    }
    const std::string& some_tree() { return all_trees()[dice_.below(all_trees().size())]; }
    std::string some_value(const std::string& tree) {
        if (tree == "large" && dice_.chance(25)) {
            return dice_.bytes(dice_.chance(10) ? 3 * dice_.below(1 << 20) : 10240 + dice_.below(90000));
        }
        if (dice_.chance(5)) return dice_.bytes(dice_.below(5000));
        return dice_.bytes(dice_.below(120));
    }

    /// One random operation on transaction and map alike.
    void operate(Transaction& tx, State& state, Txn txn) {
        const std::string& name = some_tree();
        WritableTree tree = tx.tree(name);
        const std::string key = some_key();
        const auto found = state.find(name);
        Cell* cell = nullptr;
        if (found != state.end()) {
            const auto entry = found->second.find(key);
            if (entry != found->second.end()) cell = &entry->second;
        }
        const std::uint64_t what = dice_.below(100);
        INFO("operation " << what << " on " << name << " " << key);
        if (what < 50) {
            const auto value = text(some_value(name));
            tree.put(key, *value);
            state[name][key] = {value, txn};
        } else if (what < 68) {
            REQUIRE(tree.erase(key) == (cell != nullptr));
            if (cell != nullptr) found->second.erase(key);
        } else if (what < 74) {
            const auto value = text(some_value(name));
            REQUIRE(tree.put_if_absent(key, *value) == (cell == nullptr));
            if (cell == nullptr) state[name][key] = {value, txn};
        } else if (what < 82) {
            const bool right = dice_.chance(70);
            std::optional<std::string> expected;
            if (cell != nullptr) expected = *cell->value;
            if (!right) expected = "not this";
            const auto value = text(some_value(name));
            const bool remove = dice_.chance(30);
            const std::optional<std::string_view> desired =
                remove ? std::nullopt : std::optional<std::string_view>(*value);
            REQUIRE(tree.compare_and_swap(key, expected, desired) == right);
            if (right && !remove) state[name][key] = {value, txn};
            if (right && remove && cell != nullptr) found->second.erase(key);
        } else if (what < 88) {
            std::string from = keys_.some(dice_);
            std::optional<std::string> to = keys_.some(dice_);
            if (dice_.chance(10)) to.reset();
            if (to && *to < from) std::swap(from, *to);
            if (dice_.chance(50)) to = from + "5";
            std::uint64_t count = 0;
            if (found != state.end()) {
                auto first = found->second.lower_bound(from);
                auto last = to ? found->second.lower_bound(*to) : found->second.end();
                count = static_cast<std::uint64_t>(std::distance(first, last));
                found->second.erase(first, last);
            }
            REQUIRE(tree.erase_range(from, to) == count);
        } else if (what < 92 && name == "short-lived") {
            REQUIRE(tx.drop_tree(name) == (found != state.end()));
            state.erase(name);
        } else if (what < 94 && name == "bulk") {
            Entries& entries = state[name];
            const std::string from = entries.empty() ? "k" : entries.rbegin()->first;
            for (int i = 0; i < 60 && from.size() < 500; ++i) {
                const std::string next = from + "~" + std::to_string(1000 + i);
                const auto value = text(some_value(name));
                tree.append(next, *value);
                entries[next] = {value, txn};
            }
        } else if (cell != nullptr && what < 97) {
            // A value goes to another key straight from where it lies.
            const std::string other = some_key();
                tree.put(other, *tree.get(key));
            const Cell copied{cell->value, txn};
            state[name][other] = copied;
        } else if (cell != nullptr) {
            // A key goes in as the cursor shows it.
            Cursor cursor = tree.cursor();
            REQUIRE(cursor.find(key));
            REQUIRE(tree.erase(cursor.key()));
            found->second.erase(key);
        }
    }

    void write() {
        Transaction tx = db_->begin_write();
        REQUIRE(tx.base_txn() == newest());
        const Txn txn = newest() + 1;
        State state = states_.back();
        struct Saved {
            Savepoint point;
            State state;
        };
        std::vector<Saved> saved;
        const std::uint64_t operations = dice_.chance(5) ? 200 : 1 + dice_.below(12);
        for (std::uint64_t i = 0; i < operations; ++i) {
            if (dice_.chance(8)) saved.push_back({tx.savepoint(), state});
            if (!saved.empty() && dice_.chance(6)) {
                const std::size_t to = dice_.below(saved.size());
                tx.rollback_to(saved[to].point);
                state = saved[to].state;
                saved.resize(to + 1);
                if (dice_.chance(20)) compare(tx, state, keys_, dice_, true);
            }
            operate(tx, state, txn);
            if (dice_.chance(3)) compare(tx, state, keys_, dice_, dice_.chance(40));
        }
        if (dice_.chance(10)) {
            if (dice_.chance(50)) tx.rollback();
            return;
        }
        if (dice_.chance(30)) tx.annotate("who", "model");
        tx.set_durability(dice_.chance(50) ? Durability::lazy : Durability::full);
        committed(tx.commit(), std::move(state));
    }

    void committed(const Commit& commit, State state) {
        if (commit.txn == 0) {
            compare_now(true);
            return;
        }
        REQUIRE(commit.txn == newest() + 1);
        states_.push_back(std::move(state));
        times_.push_back(commit.time_us);
        if (dice_.chance(15)) compare_now(dice_.chance(20));
    }

    void optimistic() {
        Transaction tx = db_->begin_optimistic();
        const Txn base = newest();
        std::map<std::pair<std::string, std::string>, std::optional<Cell>> read;
        for (std::uint64_t i = dice_.below(6); i > 0; --i) {
            const std::string& tree = some_tree();
            const std::string key = some_key();
            read[{tree, key}] = lookup(states_.back(), tree, key);
            const auto got = tx.tree(tree).get(key);
            const auto& wanted = read[{tree, key}];
            REQUIRE(got.has_value() == wanted.has_value());
            if (got && *got != *wanted->value) FAIL("optimistic get " << key);
        }
        struct Scanned {
            std::string tree, from, to;
            std::vector<std::pair<std::string, Cell>> entries;
        };
        std::vector<Scanned> scanned;
        for (std::uint64_t i = dice_.below(3); i > 0; --i) {
            Scanned scan{some_tree(), some_key(), {}, {}};
            scan.to = scan.from + "~";
            scan.entries = within(states_.back(), scan.tree, scan.from, scan.to);
            auto wanted = scan.entries.begin();
            Range range = tx.tree(scan.tree).range(scan.from, scan.to);
            for (auto [key, value] : range) {
                if (wanted == scan.entries.end() || key != wanted->first || value != *wanted->second.value) {
                    FAIL("optimistic range at " << key);
                }
                ++wanted;
            }
            REQUIRE(wanted == scan.entries.end());
            scanned.push_back(std::move(scan));
        }
        std::map<std::string, std::shared_ptr<const std::string>> writes;
        for (std::uint64_t i = 1 + dice_.below(4); i > 0; --i) {
            const std::string key = some_key();
            writes[key] = text(some_value("a"));
            tx.tree("a").put(key, *writes[key]);
        }
        for (std::uint64_t i = dice_.below(3); i > 0; --i) write();
        if (dice_.chance(20)) db_->checkpoint();
        bool touched = states_[base].contains("a") != states_.back().contains("a");
        for (const auto& [where, before] : read) {
            const auto now = lookup(states_.back(), where.first, where.second);
            if (now.has_value() != before.has_value() || (now && now->txn != before->txn)) touched = true;
            if (states_[base].contains(where.first) != states_.back().contains(where.first)) touched = true;
            // Dropped and made again it is another tree.
            if (where.first == "short-lived") touched = true;
        }
        bool changed = false;
        for (const Scanned& scan : scanned) {
            const auto now = within(states_.back(), scan.tree, scan.from, scan.to);
            const auto same = [](const auto& a, const auto& b) {
                return a.first == b.first && *a.second.value == *b.second.value;
            };
            if (!std::equal(now.begin(), now.end(), scan.entries.begin(), scan.entries.end(), same)) changed = true;
            // A range reads the key behind its end, too, to know that it ended: more may conflict than lies in it.
            touched = true;
        }
        for (const auto& [where, before] : read) {
            const auto now = lookup(states_.back(), where.first, where.second);
            if (now.has_value() != before.has_value() || (now && *now->value != *before->value)) changed = true;
        }
        try {
            const Commit commit = tx.commit();
            if (changed) FAIL("committed over what it had read");
            State state = states_.back();
            for (const auto& [key, value] : writes) state["a"][key] = {value, newest() + 1};
            committed(commit, std::move(state));
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::conflict);
            // A new tree elsewhere conflicts with a tree made here.
            if (!touched && states_[base].contains("a")) FAIL("a conflict where nothing read was touched");
        }
    }

    static std::optional<Cell> lookup(const State& state, const std::string& tree, const std::string& key) {
        const auto entries = state.find(tree);
        if (entries == state.end()) return std::nullopt;
        const auto cell = entries->second.find(key);
        if (cell == entries->second.end()) return std::nullopt;
        return cell->second;
    }

    static std::vector<std::pair<std::string, Cell>> within(const State& state, const std::string& tree,
                                                            const std::string& from, const std::string& to) {
        const auto entries = state.find(tree);
        if (entries == state.end()) return {};
        return {entries->second.lower_bound(from), entries->second.lower_bound(to)};
    }

    void hold() {
        const bool past = dice_.chance(40);
        const Txn txn = past ? dice_.below(newest() + 1) : newest();
        Held held{past ? db_->begin_read(AsOf::txn(txn)) : db_->begin_read(), txn, {}};
        REQUIRE(held.snapshot.txn() == txn);
        for (int i = 0; i < 20; ++i) {
            const std::string& tree = some_tree();
            const std::string key = some_key();
            if (const auto value = held.snapshot.tree(tree).get(key)) held.views.emplace_back(tree, key, *value);
        }
        held_.push_back(std::move(held));
    }

    void release(std::size_t index) {
        {
            const Held& held = held_[index];
            INFO("a snapshot held, txn " << held.txn);
            compare(held.snapshot, states_[held.txn], keys_, dice_, true);
            for (const auto& [tree, key, value] : held.views) {
                if (value != *states_[held.txn].at(tree).at(key).value)
                    FAIL("a view changed under its snapshot: " << key);
            }
        }
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    void look_back(Txn txn) {
        INFO("AS OF " << txn);
        const Snapshot then = db_->begin_read(AsOf::txn(txn));
        REQUIRE(then.txn() == txn);
        if (txn > 0) REQUIRE(then.time_us() == times_[txn - 1]);
        compare(then, states_[txn], keys_, dice_, dice_.chance(50));
    }

    void as_of() {
        const Txn txn = dice_.below(newest() + 1);
        look_back(txn);
        if (txn == 0) return;
        const Snapshot then = db_->begin_read(AsOf::time(times_[txn - 1]));
        REQUIRE(then.time_us() == times_[txn - 1]);
        REQUIRE(then.txn() >= txn);
    }

    void differences() {
        const Txn from = dice_.below(newest() + 1);
        const Txn to = dice_.below(newest() + 1);
        INFO("diff " << from << " " << to);
        std::map<std::pair<std::string, std::string>, std::pair<const std::string*, const std::string*>> wanted;
        for (const auto& [tree, entries] : states_[from]) {
            for (const auto& [key, cell] : entries) wanted[{tree, key}].first = cell.value.get();
        }
        for (const auto& [tree, entries] : states_[to]) {
            for (const auto& [key, cell] : entries) wanted[{tree, key}].second = cell.value.get();
        }
        std::erase_if(wanted, [](const auto& entry) {
            const auto [a, b] = entry.second;
            return a == b || (a != nullptr && b != nullptr && *a == *b);
        });
        const std::vector<Change> got = db_->diff(AsOf::txn(from), AsOf::txn(to));
        REQUIRE(got.size() == wanted.size());
        std::size_t i = 0;
        for (const auto& [where, values] : wanted) {
            const Change& change = got[i++];
            const auto same = [](const std::optional<std::string>& a, const std::string* b) {
                return a.has_value() == (b != nullptr) && (!a || *a == *b);
            };
            if (change.tree != where.first || change.key != where.second || !same(change.before, values.first) ||
                !same(change.after, values.second)) {
                FAIL("diff at " << where.first << " " << where.second);
            }
        }
    }

    void versions() {
        const std::string& tree = some_tree();
        if (tree == "short-lived") return;
        const std::string key = some_key();
        INFO("history of " << tree << " " << key);
        std::vector<std::pair<Txn, const std::string*>> wanted;
        for (Txn txn = 1; txn <= newest(); ++txn) {
            const auto before = lookup(states_[txn - 1], tree, key);
            const auto after = lookup(states_[txn], tree, key);
            if (after && after->txn == txn) wanted.emplace_back(txn, after->value.get());
            if (before && !after) wanted.emplace_back(txn, nullptr);
        }
        std::vector<Version> got = db_->history(tree, key);
        // An erasure inside a txn that also wrote the key, or of a key that was not there, may be told too.
        std::erase_if(got, [&](const Version& version) {
            return !version.value && !lookup(states_[version.txn - 1], tree, key);
        });
        REQUIRE(got.size() == wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            const auto& [txn, value] = wanted[wanted.size() - 1 - i];
            REQUIRE(got[i].txn == txn);
            REQUIRE(got[i].time_us == times_[txn - 1]);
            REQUIRE(got[i].value.has_value() == (value != nullptr));
            if (value != nullptr && *got[i].value != *value) FAIL("another value at txn " << txn);
        }
    }

    /// The log says what was done, and the feed delivers the same commits.
    void records() {
        Txn next = 1;
        State state;
        std::map<std::string, std::uint64_t> numbers;
        Feed feed = db_->feed(1);
        for (const CommitRecord& record : db_->commits()) {
            REQUIRE(record.txn == next);
            REQUIRE(record.time_us == times_[next - 1]);
            const std::optional<CommitRecord> fed = feed.next(0);
            REQUIRE(fed.has_value());
            REQUIRE(fed->digest == record.digest);
            for (const Operation& operation : record.operations) {
                const std::string tree(operation.tree);
                const std::string key(operation.key);
                switch (operation.kind) {
                    case Operation::Kind::create_tree:
                        numbers[tree] = operation.tree_id;
                        state[tree].clear();
                        break;
                    case Operation::Kind::drop_tree:
                        if (numbers[tree] == operation.tree_id) state.erase(tree);
                        break;
                    case Operation::Kind::put: state[tree][key] = {text(std::string(operation.value)), next}; break;
                    case Operation::Kind::erase: state[tree].erase(key); break;
                    case Operation::Kind::erase_range: {
                        Entries& entries = state[tree];
                        const auto to = operation.to ? entries.lower_bound(std::string(*operation.to)) : entries.end();
                        entries.erase(entries.lower_bound(key), to);
                        break;
                    }
                    default: break;
                }
            }
            const State& wanted = states_[next];
            REQUIRE(state.size() == wanted.size());
            for (const auto& [tree, entries] : wanted) {
                const Entries& got = state[tree];
                const auto same = [](const auto& a, const auto& b) {
                    return a.first == b.first && a.second.txn == b.second.txn && *a.second.value == *b.second.value;
                };
                if (!std::equal(got.begin(), got.end(), entries.begin(), entries.end(), same)) {
                    FAIL("the records up to txn " << next << " make another tree " << tree);
                }
            }
            ++next;
        }
        REQUIRE(next == newest() + 1);
        REQUIRE_FALSE(feed.next(0).has_value());
        REQUIRE(feed.position().txn == newest());
    }

    void verify() {
        const VerifyReport report = db_->verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        REQUIRE(report.ok());
    }

    void reopen() {
        while (!held_.empty()) release(held_.size() - 1);
        const Hash before = db_->begin_read().state_hash();
        if (dice_.chance(50)) db_->close();
        db_.reset();
        db_.emplace(Database::open(path_, options_));
        const Snapshot now = db_->begin_read();
        REQUIRE(now.txn() == newest());
        REQUIRE(now.state_hash() == before);
        compare(now, states_.back(), keys_, dice_, true);
    }

    KeySpace keys_;
    Dice dice_;
    std::size_t longest_ = 0;
    std::string path_;
    Options options_;
    std::optional<Database> db_;
    std::vector<State> states_;  // by txn
    std::vector<std::uint64_t> times_;
    std::vector<Held> held_;
};

/// So many steps with each of so many seeds; more seeds where there is more time.
void run_model(Options options, std::uint64_t ordinary, int steps, int seeds) {
    for (int i = 0; i < std::max(1, scaled(seeds) - 1); ++i) {
        const std::uint64_t seed = txn_test::seed(ordinary + 100 * static_cast<std::uint64_t>(i));
        INFO("seed " << seed);
        const Workplace place;
        Model model(place / "model.db", options, seed);
        for (int step = 0; step < steps; ++step) {
            INFO("step " << step);
            model.step();
        }
        model.finish();
    }
}

Options small(std::uint32_t page_size, bool background) {
    Options options;
    options.page_size = page_size;
    options.background = background;
    options.overlay_limit = 4u << 20;
    options.checkpoint_log_bytes = 256u << 10;
    options.lazy_flush_ms = 20;
    return options;
}

}  // namespace

TEST_CASE("Random work equals a map per txn: 4 KiB pages, checkpoints in the background",
          "[KV-2][SNAP-1][PAST-1][PAST-6][PAST-7][TX-6][TRUTH-1][TRUTH-2][slow]") {
    run_model(small(4096, true), 11, 400, 2);
}

TEST_CASE("Random work equals a map per txn: 4 KiB pages, no threads",
          "[KV-2][SNAP-1][PAST-1][PAST-10][SPACE-1][slow]") {
    run_model(small(4096, false), 12, 400, 2);
}

TEST_CASE("Random work equals a map per txn: 8 KiB pages, little memory", "[KV-2][ONE-4][CALM-1][slow]") {
    Options options = small(8192, true);
    options.overlay_limit = 1u << 20;
    options.checkpoint_log_bytes = 64u << 10;
    run_model(options, 17, 200, 1);
}

TEST_CASE("Random work equals a map per txn: 16 KiB pages", "[KV-2][ONE-4][slow]") {
    run_model(small(16384, true), 13, 200, 1);
}

TEST_CASE("Random work equals a map per txn: 32 KiB pages", "[KV-2][ONE-4][slow]") {
    run_model(small(32768, false), 16, 120, 1);
}

TEST_CASE("Random work equals a map per txn: 64 KiB pages, read without a mapping", "[KV-2][ONE-4][slow]") {
    Options options = small(65536, false);
    options.read_mode = ReadMode::pread;
    run_model(options, 14, 120, 1);
}

TEST_CASE("Random work equals a map per txn: records padded to blocks", "[KV-2][slow]") {
    Options options = small(4096, false);
    options.log_align = 4096;
    run_model(options, 15, 150, 1);
}

TEST_CASE("A million operations equal a map, with states of the past looked at on the way",
          "[KV-2][KV-5][PAST-1][SNAP-1][SPACE-1][slow]") {
    for (int run = 0; run < std::max(1, scaled(1) - 1); ++run) {
        const std::uint64_t seed = txn_test::seed(19 + static_cast<std::uint64_t>(run));
        INFO("seed " << seed);
        Dice dice(seed);
        const Workplace place;
        Options options;
        options.durability = Durability::lazy;
        options.overlay_limit = 16u << 20;
        options.checkpoint_log_bytes = 4u << 20;
        Database db = Database::open(place / "a.db", options);
        using Plain = std::map<std::string, std::string>;
        Plain now;
        std::vector<std::pair<Txn, Plain>> kept;
        std::vector<std::pair<Snapshot, Plain>> held;
        const auto equal = [](const Tree& tree, const Plain& wanted) {
            if (tree.size() != wanted.size()) FAIL("size " << tree.size() << ", wanted " << wanted.size());
            auto at = wanted.begin();
            for (auto [key, value] : tree.all()) {
                if (at == wanted.end() || key != at->first || value != at->second) FAIL("differs at " << key);
                ++at;
            }
            if (at != wanted.end()) FAIL("lacks " << at->first);
        };
        std::uint64_t operations = 0;
        while (operations < 1'000'000) {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("t");
            for (std::uint64_t i = 1 + dice.below(2000); i > 0; --i, ++operations) {
                const std::string key = "key " + std::to_string(dice.below(40'000));
                const std::uint64_t what = dice.below(100);
                if (what < 55) {
                    const std::string value = std::to_string(operations) + std::string(dice.below(80), 'v');
                    tree.put(key, value);
                    now[key] = value;
                } else if (what < 80) {
                    if (tree.erase(key) != (now.erase(key) == 1)) FAIL("erase " << key);
                } else if (what < 99) {
                    const auto wanted = now.find(key);
                    const auto got = tree.get(key);
                    if (got.has_value() != (wanted != now.end())) FAIL("get " << key);
                    if (got && *got != wanted->second) FAIL("another value of " << key);
                } else {
                    const std::string to = key + "5";
                    const auto first = now.lower_bound(key);
                    const auto last = now.lower_bound(to);
                    const auto count = static_cast<std::uint64_t>(std::distance(first, last));
                    now.erase(first, last);
                    if (tree.erase_range(key, to) != count) FAIL("erase_range " << key);
                }
            }
            const Txn txn = tx.commit().txn;
            if (dice.chance(1)) kept.emplace_back(txn, now);
            if (dice.chance(1)) held.emplace_back(db.begin_read(), now);
            if (dice.chance(1)) equal(db.begin_read().tree("t"), now);
        }
        equal(db.begin_read().tree("t"), now);
        for (const auto& [snapshot, wanted] : held) equal(snapshot.tree("t"), wanted);
        held.clear();
        for (const auto& [txn, wanted] : kept) {
            INFO("AS OF " << txn);
            const Snapshot then = db.begin_read(AsOf::txn(txn));
            equal(then.tree("t"), wanted);
        }
        const VerifyReport report = db.verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        CHECK(report.ok());
    }
}
