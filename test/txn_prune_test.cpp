// Moving the horizon in steps: beside other work, with redactions, and with the hashes kept of the oldest state.
#include "txn_support.hpp"

#include "hooked_vfs.hpp"
#include "txn/core.hpp"
#include "txn/write_txn.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Dice;
using txn_test::Workplace;

/// So small that a move takes a checkpoint for every few keys.
constexpr detail::RewriteBudget k_small{2048, 32768};

std::shared_ptr<detail::DatabaseCore> open_core(const std::string& path, History history, bool background) {
    Options options;
    options.history = history;
    options.durability = Durability::lazy;
    options.background = background;
    std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, options);
    core->set_move_budget(k_small);
    return core;
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.ok());
}

Txn put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    return tx.commit().txn;
}

bool file_holds(const std::string& path, const std::string& text) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return bytes.find(text) != std::string::npos;
}

/// Random work on a few trees, and the hash of each state.
class Work {
public:
    Work(Database& db, std::uint64_t seed) : db_(db), dice_(seed) { states.push_back(db.begin_read().state_hash()); }
    void commit() {
        Transaction tx = db_.begin_write();
        for (std::uint64_t i = 0, count = 1 + dice_.below(8); i < count; ++i) {
            const std::string name(1, static_cast<char>('a' + dice_.below(3)));
            WritableTree tree = tx.tree(name);
            const std::string key = "k" + std::to_string(dice_.below(300));
            const std::uint64_t what = dice_.below(100);
            if (what < 85) {
                tree.put(key, dice_.bytes(dice_.below(what < 5 ? 6000 : 90)));
            } else if (what < 97) {
                tree.erase(key);
            } else {
                tree.erase_range(key, key + "9");
            }
        }
        // One key with very many versions.
        tx.tree("b").put("hot", std::to_string(tx.base_txn()));
        if (dice_.below(150) == 0) tx.drop_tree("c");
        tx.commit();
        states.push_back(db_.begin_read().state_hash());
    }
    std::vector<Hash> states;  // by txn

private:
    Database& db_;
    Dice dice_;
};

}  // namespace

TEST_CASE("While a prune takes many steps, states behind the horizon are read, written, copied and verified as ever",
          "[PAST-5][SNAP-3][CALM-2]") {
    const std::uint64_t seed = txn_test::seed(7);
    INFO("seed " << seed);
    const Workplace place;
    const std::shared_ptr<detail::DatabaseCore> core = open_core(place / "a.db", History::everything(), true);
    Database db = detail::make_database(core);
    Work work(db, seed);
    for (int i = 0; i < 600; ++i) {
        work.commit();
        if (i % 100 == 99) db.checkpoint();
    }
    const Snapshot held = db.begin_read(AsOf::txn(100));
    const std::uint64_t generation = db.statistics().generation;
    std::atomic<bool> done{false};
    std::optional<Txn> oldest;
    std::thread pruner([&] {
        oldest = db.prune(AsOf::txn(300));
        done.store(true);
    });
    Dice dice(seed);
    std::size_t looks = 0;
    std::size_t commits = 0;
    bool copied = false;
    std::vector<Hash> beside;
    do {
        const Txn txn = 300 + dice.below(300);
        if (db.begin_read(AsOf::txn(txn)).state_hash() != work.states[txn]) break;
        put(db, "beside", std::to_string(++commits));
        if (!copied && db.statistics().generation > generation + 4) {
            db.backup(place / "copy.db");
            copied = true;
        }
        ++looks;
    } while (!done.load());
    pruner.join();
    CHECK(oldest == 300);
    CHECK(looks == commits);  // none of them was wrong
    CHECK(held.state_hash() == work.states[100]);
    // Each step is a checkpoint.
    CHECK(db.statistics().generation > generation + 20);
    for (Txn txn = 300; txn <= 600; ++txn) {
        INFO("txn " << txn);
        REQUIRE(db.begin_read(AsOf::txn(txn)).state_hash() == work.states[txn]);
    }
    CHECK(code_of([&] { db.begin_read(AsOf::txn(299)); }) == Errc::before_horizon);
    require_sound(db);
    if (!copied) return;
    // What the copy was made of may have been between two steps: the copy goes on by itself.
    const std::shared_ptr<detail::DatabaseCore> other = open_core(place / "copy.db", History::everything(), false);
    Database copy = detail::make_database(other);
    copy.checkpoint();
    CHECK(copy.statistics().oldest_txn == 300);
    for (Txn txn = 300; txn <= 600; txn += 7) REQUIRE(copy.begin_read(AsOf::txn(txn)).state_hash() == work.states[txn]);
    require_sound(copy);
}

TEST_CASE("Pages of a step of a prune that a full disk interrupts are free again", "[PAST-5][SPACE-1][DUR-9]") {
    const std::uint64_t seed = txn_test::seed(9);
    INFO("seed " << seed);
    const Workplace place;
    northstar::test::HookedVfs vfs;
    Options options;
    options.history = History::everything();
    options.durability = Durability::lazy;
    options.background = false;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "a.db", options, &vfs);
    core->set_move_budget(k_small);
    Database db = detail::make_database(core);
    Work work(db, seed);
    for (int i = 0; i < 100; ++i) work.commit();
    db.checkpoint();
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({50, db.chain_hash(50), std::nullopt});
        tx.commit();
    }
    for (const int every : {7, 6, 5, 4, 3, 2, 1'000'000}) {
        int writes = 0;
        vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
            if (call != northstar::test::FileCall::write || done || where < 2 * 4096 || ++writes % every != 0) return;
            throw Error(Errc::no_space, "the disk of this test is full");
        });
        static_cast<void>(code_of([&] { db.checkpoint(); }));
        vfs.set_hook({});
        require_sound(db);
    }
    CHECK(db.oldest_state().txn == 50);
}

TEST_CASE("A move of the horizon that was begun ends after its process died", "[PAST-5]") {
    const std::uint64_t seed = txn_test::seed(8);
    INFO("seed " << seed);
    const Workplace place;
    Database db = detail::make_database(open_core(place / "a.db", History::everything(), false));
    Work work(db, seed);
    for (int i = 0; i < 300; ++i) work.commit();
    // Copies of one state after the other, as a death there would leave the file.
    const std::uint64_t generation = db.statistics().generation;
    std::vector<std::string> files;
    std::atomic<bool> done{false};
    std::thread pruner([&] {
        db.prune(AsOf::txn(200));
        done.store(true);
    });
    for (std::uint64_t seen = generation; !done.load();) {
        const std::uint64_t now = db.statistics().generation;
        if (now < seen + 3) continue;
        seen = now;
        files.push_back(place / ("copy" + std::to_string(files.size())));
        db.backup(files.back());
    }
    pruner.join();
    CHECK(db.statistics().generation > generation + 10);
    for (const std::string& file : files) {
        INFO(file);
        Database copy = detail::make_database(open_core(file, History::everything(), false));
        require_sound(copy);
        copy.checkpoint();
        CHECK(copy.oldest_state().txn == 200);
        for (Txn txn = 200; txn <= 300; txn += 9) {
            REQUIRE(copy.begin_read(AsOf::txn(txn)).state_hash() == work.states[txn]);
        }
        require_sound(copy);
    }
}

TEST_CASE("A move of the horizon that was begun goes on by itself when the file is opened again", "[PAST-5]") {
    const std::uint64_t seed = txn_test::seed(9);
    INFO("seed " << seed);
    const Workplace place;
    Options options;
    options.background = false;
    options.durability = Durability::lazy;
    options.history = History::everything();
    test::HookedVfs vfs;
    {
        const auto core = detail::DatabaseCore::open(place / "a.db", options, &vfs);
        core->set_move_budget(k_small);
        Database db = detail::make_database(core);
        Work work(db, seed);
        for (int i = 0; i < 300; ++i) work.commit();
        // What is left where its process dies between two steps.
        const std::uint64_t before = core->newest_meta().generation;
        vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
            if (call != test::FileCall::sync || !done || std::filesystem::exists(place / "b.db")) return;
            if (core->newest_meta().generation < before + 5) return;
            std::filesystem::copy_file(place / "a.db", place / "b.db");
        });
        db.prune(AsOf::txn(200));
        vfs.set_hook({});
    }
    options.background = true;
    const auto core = detail::DatabaseCore::open(place / "b.db", options);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (core->horizon().txn != 200 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    CHECK(core->horizon().txn == 200);
    require_sound(detail::make_database(core));
}

TEST_CASE("Retention keeps the chain hash and the state hash of the oldest state of a small database",
          "[PAST-4][PAST-9][TRUTH-4]") {
    const Workplace place;
    Database db = detail::make_database(open_core(place / "a.db", History::last(500), false));
    std::vector<Hash> states{db.begin_read().state_hash()};
    std::vector<Hash> chains(1);
    std::set<Txn> horizons;
    for (int i = 1; i <= 9000; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put("k" + std::to_string(i % 40), std::to_string(i) + std::string(700, '.'));
        chains.push_back(tx.commit().hash());
        states.push_back(db.begin_read().state_hash());
        if (i % 500 != 0) continue;
        db.checkpoint();
        const OldestState oldest = db.oldest_state();
        if (oldest.txn == 0) continue;
        horizons.insert(oldest.txn);
        REQUIRE(oldest.chain == chains[oldest.txn]);
        REQUIRE(oldest.state.has_value());
        REQUIRE(*oldest.state == states[oldest.txn]);
    }
    CHECK(horizons.size() >= 2);
    require_sound(db);
}

TEST_CASE("The hash of an oldest state that takes several steps is that of the state", "[PAST-4][TRUTH-4]") {
    const Workplace place;
    Options options;
    options.background = false;
    options.durability = Durability::lazy;
    options.history = History::last(4);
    Database db = Database::open(place / "a.db", options);
    for (int i = 1; i <= 90; ++i) {
        put(db, std::to_string(i % 18), std::string(1u << 20, static_cast<char>('a' + i % 26)));
        if (i % 30 == 0) db.checkpoint();
    }
    const OldestState oldest = db.oldest_state();
    REQUIRE(oldest.txn > 18);
    REQUIRE(oldest.state.has_value());
    CHECK(*oldest.state == db.begin_read(AsOf::txn(oldest.txn)).state_hash());
}

TEST_CASE("Retention hashes no more bytes of states than it lets go of in the log", "[PAST-4][TRUTH-4]") {
    const Workplace place;
    Options options;
    options.history = History::last(50);
    options.durability = Durability::lazy;
    options.background = false;
    Database db = Database::open(place / "a.db", options);
    {
        Transaction tx = db.begin_write();
        for (int i = 0; i < 8000; ++i) tx.tree("t").put("base" + std::to_string(i), std::string(1000, 'b'));
        tx.commit();
    }
    // A state of eight megabytes, of which each move of the horizon sees a megabyte or two of the log go.
    std::set<Txn> with;
    std::set<Txn> without;
    for (int i = 1; i <= 30000; ++i) {
        put(db, "k" + std::to_string(i % 10), std::string(900, '.'));
        if (i % 300 != 0) continue;
        db.checkpoint();
        const OldestState oldest = db.oldest_state();
        if (oldest.txn != 0) (oldest.state ? with : without).insert(oldest.txn);
    }
    CHECK(with.size() >= 1);
    CHECK(without.size() >= 3 * with.size());
    require_sound(db);
}

// The hash of the state before the redaction stood there until the horizon had moved.
TEST_CASE("While a value is erased from the oldest state nobody is shown the hash of what that was",
          "[CHAIN-3][PAST-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    northstar::test::HookedVfs vfs;
    Options options;
    options.history = History::everything();
    options.background = false;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, options, &vfs);
    core->set_move_budget(k_small);
    Database db = detail::make_database(core);
    Work work(db, 3);
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn written = put(db, "victim", std::string(400, 's'));
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn horizon = db.begin_read().txn();
    db.prune(AsOf::txn(horizon));
    REQUIRE(db.oldest_state().state.has_value());
    for (int i = 0; i < 20; ++i) work.commit();
    int looked = 0;
    int shown = 0;
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (call != northstar::test::FileCall::write || where >= 2 * 4096 || !done) return;
        Options other_options;
        other_options.read_only = true;
        const Database other = Database::open(path, other_options);
        ++looked;
        if (other.oldest_state().state.has_value()) ++shown;
    });
    db.redact("t", "victim", written, "asked for");
    vfs.set_hook({});
    CHECK(looked > 6);
    CHECK(shown == 0);
    CHECK_FALSE(db.oldest_state().state.has_value());
    require_sound(db);
}

// Between the commit of a prune and the checkpoint that moves the horizon the hash stands in the catalog.
TEST_CASE("A redaction behind a prune that was not carried out yet takes the hash of the oldest state with it",
          "[CHAIN-3][PAST-5][TRUTH-4]") {
    const bool oldest_wrote_it = GENERATE(true, false);
    CAPTURE(oldest_wrote_it);
    const Workplace place;
    const std::string path = place / "a.db";
    northstar::test::HookedVfs vfs;
    Options options;
    options.history = History::everything();
    options.background = false;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, options, &vfs);
    Database db = detail::make_database(core);
    const Txn written = put(db, "victim", std::string(400, 's'));
    const Txn horizon = oldest_wrote_it ? written : put(db, "key", "value");
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({horizon, db.chain_hash(horizon), core->state_hash_at(horizon)});
        tx.commit();
    }
    REQUIRE(db.oldest_state().txn == horizon);
    REQUIRE(db.oldest_state().state == db.begin_read(AsOf::txn(horizon)).state_hash());
    int looked = 0;
    int shown = 0;
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (call != northstar::test::FileCall::write || where >= 2 * 4096 || !done) return;
        Options reading;
        reading.read_only = true;
        ++looked;
        if (Database::open(path, reading).oldest_state().state.has_value()) ++shown;
    });
    db.redact("t", "victim", written, "asked for");
    vfs.set_hook({});
    CHECK(looked > 4);
    CHECK(shown == 0);
    CHECK(db.oldest_state().txn == horizon);
    CHECK_FALSE(db.oldest_state().state.has_value());
    CHECK(db.begin_read(AsOf::txn(horizon)).tree("t").get("victim") == std::optional<std::string_view>(""));
    require_sound(db);
}

// The state was hashed from segments that still had the value.
TEST_CASE("A value that the oldest state itself was made by takes the hash of that state with it",
          "[CHAIN-3][PAST-5][TRUTH-4]") {
    const Workplace place;
    Database db = detail::make_database(open_core(place / "a.db", History::everything(), false));
    put(db, "before", "kept");
    const Txn horizon = put(db, "secret", "a value that is to go");
    const Hash then = db.begin_read().state_hash();
    put(db, "behind", "kept");
    db.prune(AsOf::txn(horizon));
    REQUIRE(db.oldest_state().state == then);
    db.redact("t", "secret", horizon, "asked for");
    CHECK(db.begin_read(AsOf::txn(horizon)).state_hash() != then);
    CHECK(db.oldest_state().txn == horizon);
    CHECK(db.oldest_state().state != then);
    require_sound(db);
}

TEST_CASE("A move of the horizon that begins with a redaction keeps no hash of what the oldest state was",
          "[CHAIN-3][PAST-5][TRUTH-4]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    options.background = false;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "a.db", options);
    Database db = detail::make_database(core);
    put(db, "victim", "a small value");
    // Enough of the log goes to be worth a hash of the state.
    for (int i = 0; i < 2000; ++i) put(db, "key" + std::to_string(i % 10), std::string(900, '.'));
    db.checkpoint();
    const Txn horizon = db.begin_read().txn();
    put(db, "key", "value");
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({horizon, db.chain_hash(horizon), std::nullopt});
        tx.commit();
    }
    db.redact("t", "victim", 0, "asked for");
    const OldestState oldest = db.oldest_state();
    CHECK(oldest.txn == horizon);
    CHECK_FALSE(oldest.state.has_value());
    require_sound(db);
}

// A part of an extent that was announced behind its generation went with what the prune let go of.
TEST_CASE("A snapshot of the past that is held shows the same when what lies before it is pruned",
          "[PAST-5][SNAP-1][SNAP-3]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    options.background = false;
    Database db = Database::open(place / "a.db", options);
    const auto write = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            put(db, "key" + std::to_string(i % 10), std::string(4000, '.') + std::to_string(i));
        }
    };
    // So large that what is announced from now on is as well.
    write(0, 1000);
    db.checkpoint();
    write(1000, 1600);
    std::vector<Snapshot> held;
    std::vector<Hash> hashes;
    for (Txn txn = 1010; txn < 1600; txn += 50) {
        held.push_back(db.begin_read(AsOf::txn(txn)));
        hashes.push_back(held.back().state_hash());
    }
    write(1600, 1700);
    db.prune(AsOf::txn(1590));
    for (int i = 0; i < 4; ++i) db.checkpoint();
    for (std::size_t i = 0; i < held.size(); ++i) CHECK(held[i].state_hash() == hashes[i]);
    require_sound(db);
}

TEST_CASE("A snapshot of the past that stands on an older base shows the same when others have taken its place",
          "[PAST-5][SNAP-1][SPACE-2]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    options.background = false;
    Database db = Database::open(place / "a.db", options);
    const auto write = [&](int from, int to) {
        for (int i = from; i < to; ++i) {
            put(db, "key" + std::to_string(i % 200), std::string(600, '.') + std::to_string(i));
        }
    };
    write(0, 400);
    db.prune(AsOf::txn(390));
    // What half of the keys were is in the base alone from now on.
    write(400, 500);
    db.checkpoint();
    const Snapshot held = db.begin_read(AsOf::txn(395));
    const Hash hash = held.state_hash();
    write(500, 900);
    db.prune(AsOf::txn(880));
    for (int i = 900; i < 1300; i += 50) {
        write(i, i + 50);
        db.checkpoint();
    }
    CHECK(held.state_hash() == hash);
}

TEST_CASE("The version at a horizon is told once, also where no checkpoint has carried the prune out",
          "[PAST-5][PAST-6]") {
    const Workplace place;
    const std::shared_ptr<detail::DatabaseCore> core = open_core(place / "a.db", History::everything(), false);
    Database db = detail::make_database(core);
    for (int i = 1; i <= 5; ++i) put(db, "key", std::to_string(i));
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({3, db.chain_hash(3), std::nullopt});
        tx.commit();
    }
    std::vector<Txn> told;
    for (const Version& version : db.history("t", "key")) told.push_back(version.txn);
    CHECK(told == std::vector<Txn>{5, 4, 3});
}

// A tree that was in the bases of both times showed what it held the first time.
TEST_CASE("A tree whose history is turned on twice while the horizon moves begins with the second time",
          "[PAST-3][PAST-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options;
    options.history = History::everything();
    options.background = false;
    northstar::test::HookedVfs vfs;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, options, &vfs);
    core->set_move_budget(k_small);
    Database db = detail::make_database(core);
    northstar::test::HookedVfs other_vfs;
    Database other = detail::make_database(detail::DatabaseCore::open(path, options, &other_vfs));
    const auto set_history = [&](History history) {
        Transaction tx = other.begin_write();
        tx.set_history("cache", history);
        return tx.commit().txn;
    };
    set_history(History::nothing());
    other.update([](Transaction& tx) { tx.tree("cache").put("erased", "value"); });
    Work work(db, 3);
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn horizon = db.begin_read().txn();
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({horizon, db.chain_hash(horizon), std::nullopt});
        tx.commit();
    }
    // Between the steps of the move.
    Txn first = 0;
    Txn second = 0;
    std::uint64_t generation = core->newest_meta().generation;
    std::size_t young = 0;
    int step = 0;
    const auto check = [&](const Database& from) {
        CHECK(code_of([&] { from.begin_read(AsOf::txn(first)).tree("cache"); }) == Errc::before_horizon);
        const Snapshot then = from.begin_read(AsOf::txn(second));
        CHECK(then.tree("cache").contains("kept"));
        CHECK_FALSE(then.tree("cache").contains("erased"));
        CHECK_FALSE(then.tree("cache").contains("later"));
        CHECK(then.tree("cache").size() == 1);
    };
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
        if (call != northstar::test::FileCall::unlock || where != detail::Processes::checkpoint) return;
        if (std::exchange(generation, core->newest_meta().generation) == core->newest_meta().generation) return;
        ++step;
        young = std::max(young, core->horizon().young.size());
        if (step == 2) first = set_history(History::everything());
        if (step == 4) set_history(History::nothing());
        if (step == 6) {
            other.update([](Transaction& tx) {
                tx.tree("cache").erase("erased");
                tx.tree("cache").put("kept", "value");
                // So much that the next step seals it, and nothing of what was off.
                tx.tree("t").put("large", std::string(2u << 20, 'v'));
            });
        }
        if (step == 8) second = set_history(History::everything());
        if (step == 10) other.update([](Transaction& tx) { tx.tree("cache").put("later", "value"); });
        if (step == 12) check(other);
    });
    db.checkpoint();
    vfs.set_hook(nullptr);
    REQUIRE(step >= 12);
    REQUIRE(young == 2);
    for (const bool reopened : {false, true}) {
        CAPTURE(reopened);
        if (reopened) {
            other.close();
            db.close();
            db = Database::open(path, options);
        }
        check(db);
        require_sound(db);
    }
}

TEST_CASE("The base of a tree whose history is turned on while the horizon moves outlives the move",
          "[PAST-4][SPACE-1]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    options.background = false;
    northstar::test::HookedVfs vfs;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "a.db", options, &vfs);
    core->set_move_budget(k_small);
    Database db = detail::make_database(core);
    northstar::test::HookedVfs other_vfs;
    Database other = detail::make_database(detail::DatabaseCore::open(place / "a.db", options, &other_vfs));
    other.update([](Transaction& tx) { tx.set_history("cache", History::nothing()); });
    Work work(db, 3);
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn horizon = db.begin_read().txn();
    {
        detail::WriteTxn tx(core, detail::WriteTxn::Mode::exclusive, Durability::full, {});
        tx.prune({horizon, db.chain_hash(horizon), std::nullopt});
        tx.commit();
    }
    std::uint64_t generation = core->newest_meta().generation;
    int step = 0;
    int verified = 0;
    Txn on = 0;
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
        if (call != northstar::test::FileCall::unlock || where != detail::Processes::checkpoint) return;
        if (std::exchange(generation, core->newest_meta().generation) == core->newest_meta().generation) return;
        ++step;
        if (step == 2) {
            other.update([](Transaction& tx) {
                for (int i = 0; i < 100; ++i) tx.tree("cache").put("k" + std::to_string(i), std::string(500, 'v'));
            });
        }
        if (step == 3) {
            Transaction tx = other.begin_write();
            tx.set_history("cache", History::everything());
            on = tx.commit().txn;
        }
        // What it held is in its base alone from now on; and so much more that the next move takes many steps.
        if (step == 4) other.update([](Transaction& tx) { tx.tree("cache").erase_range("", std::nullopt); });
        const auto write = [&](int keys) {
            other.update([&](Transaction& tx) {
                for (int i = 0; i < keys; ++i) tx.tree("t").put(std::to_string(i), std::to_string(step));
            });
        };
        if (step == 4) write(2000);
        if (core->horizon().young.empty() || core->horizon().txn != horizon) return;
        // The move has ended, and the next one, which makes a base of everything, has not. Pages are used again.
        write(200);
        if (++verified % 8 != 0) return;
        require_sound(other);
        CHECK(other.begin_read(AsOf::txn(on)).tree("cache").size() == 100);
    });
    db.checkpoint();
    vfs.set_hook(nullptr);
    CHECK(verified >= 8);
}

TEST_CASE("A value of the oldest state is redacted from its base and from the pieces of the history",
          "[CHAIN-3][PAST-5]") {
    const bool erased_since = GENERATE(false, true);  // in the base alone, or in the present too
    const bool in_steps = GENERATE(false, true);
    CAPTURE(erased_since, in_steps);
    const Workplace place;
    const std::string path = place / "a.db";
    Options options;
    options.history = History::everything();
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, options);
    if (in_steps) core->set_move_budget(k_small);
    Database db = detail::make_database(core);
    const std::string secret = "<the-secret-" + std::string(400, 's') + ">";
    Work work(db, 3);
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn written = put(db, "victim", secret);
    for (int i = 0; i < 60; ++i) work.commit();
    const Txn horizon = db.begin_read().txn();
    db.prune(AsOf::txn(horizon));
    CHECK(db.oldest_state().state.has_value());
    if (erased_since) put(db, "victim", "another value");
    for (int i = 0; i < 20; ++i) work.commit();
    const Hash chain = db.chain_hash(horizon);
    db.redact("t", "victim", written, "asked for");
    CHECK_FALSE(file_holds(path, "the-secret-"));
    CHECK(db.chain_hash(horizon) == chain);
    // The state there is another one now, and the hash of what it was is no use.
    CHECK_FALSE(db.oldest_state().state.has_value());
    CHECK(db.begin_read(AsOf::txn(horizon)).tree("t").get("victim") == std::optional<std::string_view>(""));
    CHECK(db.begin_read().tree("t").get("victim").has_value() == erased_since);
    require_sound(db);
    // Pruning once more, past the redaction.
    const Hash now = db.begin_read().state_hash();
    db.prune(AsOf::txn(db.begin_read().txn()));
    CHECK(db.oldest_state().state == now);
    CHECK_FALSE(file_holds(path, "the-secret-"));
    require_sound(db);
    db.close();
    CHECK_FALSE(file_holds(path, "the-secret-"));
}

TEST_CASE("Who may not write may not prune, not even where nothing is left to prune", "[SWARM-8][PAST-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = detail::make_database(open_core(path, History::everything(), false));
        put(db, "key", "value");
    }
    Options options;
    options.read_only = true;
    Database db = Database::open(path, options);
    for (const Txn txn : {0u, 1u}) CHECK(code_of([&] { db.prune(AsOf::txn(txn)); }) == Errc::read_only);
    db.close();
    CHECK(code_of([&] { db.prune(AsOf::txn(0)); }) == Errc::misuse);
}

TEST_CASE("A prune and a redaction at the same time both end complete", "[CHAIN-3][PAST-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const std::shared_ptr<detail::DatabaseCore> core = open_core(path, History::everything(), true);
    Database db = detail::make_database(core);
    const std::string secret = "<the-secret-" + std::string(400, 's') + ">";
    Work work(db, 5);
    for (int i = 0; i < 80; ++i) work.commit();
    put(db, "victim", secret);
    for (int i = 0; i < 80; ++i) work.commit();
    const Txn horizon = db.begin_read().txn();
    for (int i = 0; i < 80; ++i) work.commit();
    const Hash later = db.begin_read().state_hash();
    const Txn newest = db.begin_read().txn();
    std::thread pruner([&] { db.prune(AsOf::txn(horizon)); });
    db.redact("t", "victim", 0, "asked for", 60000);
    pruner.join();
    CHECK_FALSE(file_holds(path, "the-secret-"));
    CHECK(db.statistics().redaction_pending == 0);
    db.close();
    db = detail::make_database(open_core(path, History::everything(), false));
    db.checkpoint();
    CHECK(db.statistics().oldest_txn == horizon);
    CHECK(db.begin_read(AsOf::txn(horizon)).tree("t").get("victim") == std::optional<std::string_view>(""));
    CHECK(db.begin_read(AsOf::txn(newest)).state_hash() != later);  // there the value is empty
    CHECK_FALSE(file_holds(path, "the-secret-"));
    require_sound(db);
}

TEST_CASE("Compacting takes all steps of the move of the horizon that it begins", "[SPACE-4][PAST-5]") {
    const std::uint64_t seed = txn_test::seed(9);
    INFO("seed " << seed);
    const Workplace place;
    const std::shared_ptr<detail::DatabaseCore> core = open_core(place / "a.db", History::everything(), false);
    Database db = detail::make_database(core);
    Work work(db, seed);
    for (int i = 0; i < 300; ++i) work.commit();
    db.prune(AsOf::txn(100));
    // Free space in front of what is to be moved.
    for (int i = 0; i < 20; ++i) put(db, "large" + std::to_string(i), std::string(50'000, 'v'));
    db.checkpoint();
    for (int i = 0; i < 20; ++i) put(db, "large" + std::to_string(i), "small");
    const Txn newest = db.begin_read().txn();
    db.prune(AsOf::txn(newest));
    const auto retained = [&] {
        const detail::OpenView open(core->open_view());
        CHECK_FALSE(open.view->root->base->move);
        return open.view->root->base->meta.retained;
    };
    const auto before = retained();
    for (int i = 0; i < 300; ++i) work.commit();
    const std::uint64_t generation = db.statistics().generation;
    db.compact();
    CHECK(retained().root != before.root);
    CHECK(db.statistics().generation > generation + 20);
    require_sound(db);
}
