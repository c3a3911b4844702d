// Random work with retention that changes, pruning, compaction and reopening, beside every version of every key in a
// map.
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <algorithm>
#include <sstream>

namespace {

using namespace northstar;
using txn_test::Dice;
using txn_test::scaled;
using txn_test::Workplace;

using Versions = std::vector<std::pair<Txn, std::optional<std::string>>>;

/// One life of a tree, from its making to its end.
struct Life {
    std::string name;
    Txn created = 0;
    Txn dropped = ~Txn{0};
    std::map<std::string, Versions> keys;
    bool own = false;
    History history;
    Txn floor = 0;  // states before are not to be read
    Txn lost = 0;   // states from here on must be readable, as far as retention went
    bool gone = false;

    const std::string* at(const std::string& key, Txn txn) const {
        const auto found = keys.find(key);
        return found == keys.end() ? nullptr : at(found->second, txn);
    }
    static const std::string* at(const Versions& versions, Txn txn) {
        const auto behind = std::partition_point(versions.begin(), versions.end(),
                                                 [&](const auto& version) { return version.first <= txn; });
        if (behind == versions.begin() || !std::prev(behind)->second) return nullptr;
        return &*std::prev(behind)->second;
    }
};

/// Ahead of the clock, so that commits which take the clock's time get that of the one before.
constexpr std::uint64_t k_epoch_us = 4'000'000'000'000'000;

class Model {
public:
    Model(std::string path, std::uint64_t seed, std::size_t value_size, bool background)
        : dice_(seed), path_(std::move(path)), value_size_(value_size) {
        options_.durability = Durability::lazy;
        options_.background = background;
        options_.history = default_ = some_history();
        options_.checkpoint_log_bytes = 3u << 20;
        // A move of the horizon takes one step in some runs, and many in others.
        if (seed % 2 == 0) budget_ = {std::uint64_t{1} << (14 + seed % 4), 1u << 18};
        open();
    }

    void run(int txns) {
        for (int i = 0; i < txns; ++i) {
            write();
            const std::uint64_t what = dice_.below(1000);
            if (what < 30) {
                db_->checkpoint();
            } else if (what < 34) {
                prune();
            } else if (what < 37) {
                reopen();
            } else if (what < 39) {
                check_whole();
            } else if (what < 42) {
                db_->compact();
            } else if (what < 300) {
                look_back(dice_.chance(50) ? newest_ - dice_.below(std::min<Txn>(newest_, 200) + 1)
                                           : dice_.below(newest_ + 1));
            } else if (what < 320) {
                look_at_versions();
            }
        }
        for (int i = 0; i < 60; ++i) look_back(dice_.below(newest_ + 1));
        check_whole();
        reopen();
        for (int i = 0; i < 60; ++i) look_back(dice_.below(newest_ + 1));
    }

    std::uint64_t operations = 0;
    std::uint64_t readable = 0;
    std::uint64_t refused = 0;

private:
    History some_history() {
        switch (dice_.below(5)) {
            case 0: return History::nothing();
            case 1: return History::last(1 + dice_.below(400));
            case 2: return History::duration(1000 * (1 + dice_.below(400)));
            default: return History::everything();
        }
    }
    static bool on(History history) { return history.kind != History::Kind::nothing; }
    std::string some_key() { return "k" + std::to_string(dice_.below(400)); }
    std::string some_name() { return std::string(1, static_cast<char>('a' + dice_.below(4))); }
    History policy(const Life& life) const {
        return life.own && life.dropped == ~Txn{0} ? life.history : default_;
    }
    /// A retention lets go of states before this txn at most. A txn takes a millisecond, or none.
    Txn bound(History history) const {
        std::uint64_t kept = 0;
        if (history.kind == History::Kind::last_txns) kept = history.amount;
        else if (history.kind == History::Kind::duration) kept = history.amount / 1000 - 1;
        else return 0;
        return newest_ > kept ? newest_ - kept : 0;
    }
    Life* life(const std::string& name) {
        const auto found = live_.find(name);
        return found == live_.end() ? nullptr : &lives_[found->second];
    }
    Life& make(const std::string& name, Txn txn) {
        if (Life* found = life(name)) return *found;
        live_[name] = lives_.size();
        lives_.emplace_back();
        lives_.back().name = name;
        lives_.back().created = txn;
        return lives_.back();
    }
    bool any_kept() const {
        if (on(default_)) return true;
        return std::any_of(live_.begin(), live_.end(), [&](const auto& entry) {
            return lives_[entry.second].own && on(lives_[entry.second].history);
        });
    }
    void note_bounds() {
        for (Life& life : lives_) life.lost = std::max(life.lost, bound(policy(life)));
    }
    void change(Life& life, History before, History after, Txn txn) {
        if (!on(before) && on(after) && life.created != txn) {
            life.floor = txn;
            if (life.dropped != ~Txn{0}) life.gone = true;
        }
    }

    void write() {
        note_bounds();
        Transaction tx = db_->begin_write();
        const Txn txn = newest_ + 1;
        REQUIRE(tx.base_txn() == newest_);
        tx.set_time_us(k_epoch_us + txn * 1000);
        const std::uint64_t count = 1 + dice_.below(12);
        for (std::uint64_t i = 0; i < count; ++i) {
            ++operations;
            const std::string name = some_name();
            const std::uint64_t what = life(name) == nullptr ? 1 : dice_.below(1000);
            if (what == 0 && life(name) != nullptr && life(name)->created != txn) {
                tx.drop_tree(name);
                Life& ended = *life(name);
                ended.gone = ended.gone || !on(policy(ended)) || !on(default_);
                ended.dropped = txn;
                live_.erase(name);
                break;
            }
            Life& life = make(name, txn);
            WritableTree tree = tx.tree(name);
            if (what < 820) {
                const std::string key = some_key();
                const std::string value = dice_.bytes(dice_.chance(20) ? dice_.below(30) : dice_.below(value_size_));
                tree.put(key, value);
                set(life, key, txn, value);
            } else if (what < 980) {
                const std::string key = some_key();
                const bool there = life.at(key, txn) != nullptr;
                REQUIRE(tree.erase(key) == there);
                if (there) set(life, key, txn, std::nullopt);
            } else {
                const std::string from = some_key();
                const std::string to = dice_.chance(70) ? from + "9" : some_key();
                tree.erase_range(from, to);
                for (auto it = life.keys.lower_bound(from); it != life.keys.end() && it->first < to; ++it) {
                    if (Life::at(it->second, txn) != nullptr) set(life, it->first, txn, std::nullopt);
                }
            }
        }
        // Retention is set alone: what a transaction does before and after it is another test's business.
        const std::uint64_t what = dice_.below(600);
        if (what == 0) {
            const std::string name = some_name();
            const History history = some_history();
            Life& chosen = make(name, txn);
            if (!any_kept() && on(history)) db_floor_ = txn;
            change(chosen, policy(chosen), history, txn);
            chosen.own = true;
            chosen.history = history;
            tx.set_history(name, history);
        }
        const Commit commit = tx.commit();
        if (commit.txn == 0) return;  // there was nothing to erase
        REQUIRE(commit.txn == txn);
        newest_ = txn;
        if (what == 1) set_default();
    }
    static void set(Life& life, const std::string& key, Txn txn, std::optional<std::string> value) {
        Versions& versions = life.keys[key];
        if (!versions.empty() && versions.back().first == txn) {
            versions.back().second = std::move(value);
        } else {
            versions.emplace_back(txn, std::move(value));
        }
    }
    void set_default() {
        note_bounds();
        const History history = some_history();
        ++newest_;
        if (!any_kept() && on(history)) db_floor_ = newest_;
        for (Life& life : lives_) {
            if (life.own && life.dropped == ~Txn{0}) continue;
            change(life, default_, history, newest_);
        }
        default_ = history;
        db_->set_history(history);
    }
    void prune() {
        note_bounds();
        if (newest_ < 10) return;
        const Txn to = newest_ - dice_.below(std::min<Txn>(newest_, 500));
        const Txn oldest = db_->prune(AsOf::txn(to));
        if (db_->begin_read().txn() != newest_) {
            ++newest_;
            db_floor_ = to;
            REQUIRE(oldest == to);
        }
    }
    void reopen() {
        note_bounds();
        db_->close();
        db_.reset();
        open();
    }
    void open() {
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path_, options_);
        core->set_move_budget(budget_);
        core->set_seal_budget({budget_.bytes_written, budget_, 8192});
        db_.emplace(detail::make_database(core));
    }
    void check_whole() {
        const VerifyReport report = db_->verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ' ' << problem.what);
        REQUIRE(report.ok());
    }

    const Life* named(const std::string& name, Txn txn) const {
        for (const Life& life : lives_) {
            if (life.name == name && life.created <= txn && txn < life.dropped) return &life;
        }
        return nullptr;
    }
    /// From where on a tree's past must be readable.
    Txn must_from(const Life& life) const {
        return std::max({life.floor, life.lost, db_floor_, bound(policy(life))});
    }

    void look_back(Txn txn) {
        note_bounds();
        INFO("txn " << txn << " of " << newest_);
        const auto refused_because = [&](auto&& fn) {
            const std::optional<Errc> code = txn_test::code_of(fn);
            if (code && *code != Errc::before_horizon) FAIL("another error: " << to_string(*code));
            return code.has_value();
        };
        std::optional<Snapshot> then;
        if (refused_because([&] { then.emplace(db_->begin_read(AsOf::txn(txn))); })) {
            ++refused;
            for (const auto& [name, index] : live_) {
                const Life& life = lives_[index];
                if (on(policy(life)) && txn >= std::max(must_from(life), life.created)) {
                    FAIL("tree " << name << " must be readable from " << must_from(life));
                }
            }
            return;
        }
        if (txn < newest_ && (txn < db_floor_ || !any_kept())) FAIL("must not be readable");
        for (const char* text : {"a", "b", "c", "d"}) {
            const std::string name = text;
            INFO("tree " << name);
            const Life* life = named(name, txn);
            std::optional<Tree> tree;
            if (refused_because([&] { tree = then->tree(name); })) {
                ++refused;
                if (life == nullptr) FAIL("refused, and was not there");
                if (!life->gone && on(policy(*life)) && txn >= must_from(*life)) FAIL("refused");
                if (txn == newest_) FAIL("the present was refused");
                continue;
            }
            ++readable;
            if (tree->exists() != (life != nullptr)) FAIL("exists " << tree->exists());
            if (life == nullptr) continue;
            if (txn < newest_) {
                if (txn < life->floor) FAIL("read before history was turned on at " << life->floor);
                if (life->gone || !on(policy(*life))) FAIL("read without a history");
            }
            for (int i = 0; i < 6; ++i) {
                const std::string key = some_key();
                const auto got = tree->get(key);
                const std::string* wanted = life->at(key, txn);
                if (got.has_value() != (wanted != nullptr) || (got && *got != *wanted)) {
                    FAIL("get " << key << ": " << got.has_value());
                }
            }
            if (dice_.chance(20)) compare_all(*tree, *life, txn);
        }
    }
    void compare_all(const Tree& tree, const Life& life, Txn txn) {
        std::vector<std::pair<std::string, const std::string*>> wanted;
        for (const auto& [key, versions] : life.keys) {
            if (const std::string* value = Life::at(versions, txn)) wanted.emplace_back(key, value);
        }
        auto it = wanted.begin();
        for (auto [key, value] : tree.all()) {
            if (it == wanted.end() || it->first != key || *it->second != value) FAIL("forward at " << key);
            ++it;
        }
        if (it != wanted.end()) FAIL("forward ends before " << it->first);
        auto back = wanted.rbegin();
        for (auto [key, value] : tree.all().reversed()) {
            if (back == wanted.rend() || back->first != key || *back->second != value) FAIL("backward at " << key);
            ++back;
        }
        if (back != wanted.rend()) FAIL("backward ends before " << back->first);
        const std::string from = some_key();
        const std::string to = from + "~";
        auto first = std::lower_bound(wanted.begin(), wanted.end(), from,
                                      [](const auto& entry, const std::string& key) { return entry.first < key; });
        for (auto [key, value] : tree.range(from, to)) {
            if (first == wanted.end() || first->first != key || *first->second != value) FAIL("range at " << key);
            ++first;
        }
        if (first != wanted.end() && first->first < to) FAIL("range ends before " << first->first);
    }

    /// Versions are those of the model, newest first, as far as they go; the last may be older than the horizon.
    void look_at_versions() {
        const std::string name = some_name();
        const Life* now = life(name);
        if (now == nullptr || !on(policy(*now))) return;
        const std::string key = some_key();
        const auto found = now->keys.find(key);
        const std::vector<Version> versions = db_->history(name, key);
        if (found == now->keys.end()) return;
        // A range deletion of what the same txn put there first left nothing to tell.
        Versions told;
        for (const auto& version : found->second) {
            if (version.second || (!told.empty() && told.back().second)) told.push_back(version);
        }
        const Txn from = must_from(*now);
        auto wanted = told.rbegin();
        for (const Version& version : versions) {
            if (version.txn < now->created) break;  // of an earlier life of the name
            if (wanted == told.rend()) FAIL("history of " << name << ' ' << key << ": txn " << version.txn);
            if (version.txn != wanted->first || version.value != wanted->second) {
                FAIL("history of " << name << ' ' << key << ": txn " << version.txn << ", wanted " << wanted->first
                                   << (wanted->second ? ", a value" : ", an erasure") << ", kept from " << from);
            }
            ++wanted;
        }
        if (wanted != told.rend() && wanted->first > from) {
            FAIL("history of " << name << ' ' << key << " ends before txn " << wanted->first);
        }
    }

    Dice dice_;
    std::string path_;
    std::size_t value_size_;
    Options options_;
    detail::RewriteBudget budget_;
    std::optional<Database> db_;
    History default_;
    std::vector<Life> lives_;
    std::map<std::string, std::size_t> live_;
    Txn newest_ = 0;
    Txn db_floor_ = 0;
};

void run(std::uint64_t seed, int txns, std::size_t value_size, bool background) {
    const Workplace place;
    INFO("seed " << seed);
    Model model(place / "model.db", seed, value_size, background);
    model.run(txns);
    INFO(model.operations << " operations, " << model.readable << " readable, " << model.refused << " refused");
    CHECK(model.readable > 0);
    WARN("seed " << seed << ": " << model.operations << " operations, " << model.readable << " trees read, "
                 << model.refused << " refused");
}

}  // namespace

TEST_CASE("Every state that retention keeps equals the model, and no other can be read",
          "[PAST-1][PAST-3][PAST-4][PAST-5][PAST-6][slow]") {
    const std::uint64_t first = txn_test::seed(1);
    for (std::uint64_t seed = first; seed < first + 6; ++seed) run(seed, scaled(2500), 1500, seed % 3 == 0);
}

TEST_CASE("Many small changes under retention equal the model", "[PAST-1][PAST-4][PAST-5][slow]") {
    run(txn_test::seed(101), scaled(20000), 120, true);
}
