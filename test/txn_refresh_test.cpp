// txn_refresh_test.cpp -- optimistic transactions that move on to the newest state, and ones whose reads are not
// compared.
#include "northstar.hpp"
#include "test/os_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Contents = std::map<std::string, std::string>;

Contents contents(const northstar::Tree& tree) {
    Contents all;
    for (const auto& [key, value] : tree.all()) all.emplace(key, value);
    return all;
}

/// nullopt: it did not fail.
std::optional<northstar::Errc> code_of(const std::function<void()>& run) {
    try {
        run();
    } catch (const northstar::Error& error) {
        return error.code();
    }
    return std::nullopt;
}

struct Fixture {
    northstar::Database db = northstar::Database::open(":memory:");
    Fixture() {
        db.update([](northstar::Transaction& tx) {
            tx.create_tree("t");
            tx.create_tree("other");
        });
    }
    void put(const std::string& key, const std::string& value) {
        db.update([&](northstar::Transaction& tx) { tx.tree("t").put(key, value); });
    }
};

}  // namespace

TEST_CASE("A transaction that refreshes sees what was committed since, under its own changes", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    tx.tree("t").put("b", "mine");
    f.put("a", "2");
    f.put("b", "theirs");
    CHECK(tx.tree("t").txn_of("c") == std::nullopt);
    CHECK(tx.refresh());
    CHECK(contents(tx.tree("t")) == Contents{{"a", "2"}, {"b", "mine"}});
    CHECK(tx.base_txn() == f.db.begin_read().txn());
    CHECK_FALSE(tx.refresh());
    tx.commit();
    CHECK(contents(f.db.begin_read().tree("t")) == Contents{{"a", "2"}, {"b", "mine"}});
}

TEST_CASE("A refresh that finds nothing new holds no state behind the transaction", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    {
        auto tx = f.db.begin_optimistic();
        for (int i = 0; i < 5; ++i) CHECK_FALSE(tx.refresh());
    }
    CHECK(f.db.statistics().snapshots_open == 0);
}

TEST_CASE("A refresh that meets a conflict holds no state behind the transaction", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    {
        auto tx = f.db.begin_optimistic();
        CHECK(tx.tree("t").get("a") == "1");
        f.put("a", "2");
        CHECK(code_of([&] { tx.refresh(); }) == northstar::Errc::conflict);
    }
    CHECK(f.db.statistics().snapshots_open == 0);
}

TEST_CASE("Savepoints taken before a refresh undo what they did before it", "[TX-10][TX-6]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    tx.tree("t").put("b", "1");
    const northstar::Savepoint one = tx.savepoint();
    tx.tree("t").put("b", "2");
    tx.tree("t").put("c", "2");
    const northstar::Savepoint two = tx.savepoint();
    tx.tree("t").put("d", "3");
    f.put("e", "theirs");
    REQUIRE(tx.refresh());
    tx.rollback_to(two);
    CHECK(contents(tx.tree("t")) == Contents{{"a", "1"}, {"b", "2"}, {"c", "2"}, {"e", "theirs"}});
    tx.rollback_to(one);
    tx.commit();
    CHECK(contents(f.db.begin_read().tree("t")) == Contents{{"a", "1"}, {"b", "1"}, {"e", "theirs"}});
}

TEST_CASE("A refresh over a change of what was read is a conflict and leaves the transaction as it was", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    CHECK(tx.tree("t").get("a") == "1");
    tx.tree("t").put("b", "mine");
    f.put("a", "2");
    CHECK(code_of([&] { tx.refresh(); }) == northstar::Errc::conflict);
    CHECK(contents(tx.tree("t")) == Contents{{"a", "1"}, {"b", "mine"}});
    CHECK(code_of([&] { tx.commit(); }) == northstar::Errc::conflict);
}

TEST_CASE("A transaction that has written nothing can forget what it read", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    CHECK(tx.tree("t").get("a") == "1");
    f.put("a", "2");
    tx.forget_reads();
    CHECK(tx.refresh());
    CHECK(tx.tree("t").get("a") == "2");
    tx.tree("t").put("b", "mine");
    tx.forget_reads();  // too late: "b" may stand on "a"
    f.put("a", "3");
    CHECK(code_of([&] { tx.refresh(); }) == northstar::Errc::conflict);
}

TEST_CASE("Which trees there were is forgotten with what was read", "[TX-10]") {
    Fixture f;
    auto tx = f.db.begin_optimistic();
    CHECK(tx.tree_names().size() == 2);
    f.db.update([](northstar::Transaction& other) { other.create_tree("new"); });
    tx.forget_reads();
    tx.tree("t").put("a", "mine");
    CHECK_FALSE(code_of([&] { tx.commit(); }));
}

TEST_CASE("What was scanned is forgotten with what was read", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    CHECK(contents(tx.tree("t")) == Contents{{"a", "1"}});
    f.put("b", "2");
    tx.forget_reads();
    CHECK(tx.refresh());
    tx.tree("other").put("b", "mine");
    CHECK_FALSE(code_of([&] { tx.commit(); }));
}

TEST_CASE("A transaction with more changes than the refresh may repeat stays where it is", "[TX-10]") {
    Fixture f;
    auto tx = f.db.begin_optimistic();
    for (int i = 0; i < 10; ++i) tx.tree("t").put("k" + std::to_string(i), "v");
    const northstar::Txn base = tx.base_txn();
    f.db.update([](northstar::Transaction& other) { other.tree("other").put("x", "y"); });
    CHECK_FALSE(tx.refresh(9));
    CHECK(tx.base_txn() == base);
}

TEST_CASE("The exclusive writer does not refresh", "[TX-10]") {
    Fixture f;
    auto tx = f.db.begin_write();
    CHECK(code_of([&] { tx.refresh(); }) == northstar::Errc::misuse);
}

TEST_CASE("Trees taken before a refresh are refused after it", "[TX-10]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    const northstar::WritableTree before = tx.tree("t");
    f.put("b", "1");
    REQUIRE(tx.refresh());
    CHECK(code_of([&] { (void)before.get("a"); }).has_value());
}

TEST_CASE("Of two that each read what the other writes both commit where reads are not validated", "[TX-11]") {
    Fixture f;
    for (const bool validated : {true, false}) {
        f.put("a", "0");
        f.put("b", "0");
        auto one = f.db.begin_optimistic();
        auto two = f.db.begin_optimistic();
        one.validate_reads(validated);
        two.validate_reads(validated);
        (void)one.tree("t").get("b");
        one.tree("t").put("a", "1");
        (void)contents(two.tree("t"));
        two.tree("t").put("b", "1");
        one.commit();
        CHECK(code_of([&] { two.commit(); }).has_value() == validated);
    }
}

TEST_CASE("What a write stands on is validated whether or not reads are", "[TX-11]") {
    Fixture f;
    using Write = std::function<void(northstar::WritableTree)>;
    const Write writes[] = {
        [](northstar::WritableTree t) { t.put_if_absent("new", "1"); },
        [](northstar::WritableTree t) { t.compare_and_swap("a", "1", "2"); },
        [](northstar::WritableTree t) { t.erase("a"); },
        [](northstar::WritableTree t) { t.erase_range("a", "b"); },
        [](northstar::WritableTree t) { t.append("z", "1"); },
    };
    for (const Write& write : writes) {
        f.db.update([](northstar::Transaction& tx) { tx.tree("t").erase_range("", std::nullopt); });
        f.put("a", "1");
        auto tx = f.db.begin_optimistic();
        tx.validate_reads(false);
        write(tx.tree("t"));
        f.db.update([](northstar::Transaction& other) {
            for (const char* key : {"a", "new", "zz"}) other.tree("t").put(key, "theirs");
        });
        CHECK(code_of([&] { tx.commit(); }) == northstar::Errc::conflict);
    }
}

TEST_CASE("A tree that another one dropped is not written to, though nothing was read", "[TX-11]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    tx.validate_reads(false);
    tx.tree("t").put("b", "1");
    f.db.update([](northstar::Transaction& other) { other.drop_tree("t"); });
    CHECK(code_of([&] { tx.commit(); }) == northstar::Errc::conflict);
}

TEST_CASE("Transactions that refresh at random leave what their changes make of the newest state", "[TX-10]") {
    const unsigned seed = 20261126;
    CAPTURE(seed);
    std::mt19937 random(seed);
    const northstar::test::TemporaryDirectory directory;
    northstar::Database db = northstar::Database::open(directory / "refresh.db");
    db.update([](northstar::Transaction& tx) { tx.create_tree("t"); });
    Contents model;
    for (int round = 0; round < 300; ++round) {
        auto tx = db.begin_optimistic();
        std::vector<std::pair<std::string, std::optional<std::string>>> mine;
        std::vector<std::pair<northstar::Savepoint, std::size_t>> saved;
        const auto seen = [&] {
            Contents all = model;
            for (const auto& [key, value] : mine)
                if (value) all[key] = *value;
                else all.erase(key);
            return all;
        };
        bool stands_on_newest = true;
        for (int step = 0; step < 20; ++step) {
            const std::string key = "k" + std::to_string(random() % 50);
            const std::string value = std::to_string(round) + "." + std::to_string(step);
            switch (random() % 5) {
                case 0:
                case 1:
                    tx.tree("t").put(key, value);
                    mine.emplace_back(key, value);
                    break;
                case 2: {
                    // Keys of its own: what others commit never meets what this one stands on.
                    const std::string theirs = "o" + std::to_string(random() % 50);
                    db.update([&](northstar::Transaction& other) { other.tree("t").put(theirs, value); });
                    model[theirs] = value;
                    stands_on_newest = false;
                    break;
                }
                case 3:
                    if (saved.empty() || random() % 2 == 0) {
                        saved.emplace_back(tx.savepoint(), mine.size());
                    } else {
                        tx.rollback_to(saved.back().first);
                        mine.resize(saved.back().second);
                    }
                    break;
                case 4:
                    CHECK(tx.refresh() == !stands_on_newest);
                    stands_on_newest = true;
                    tx.validate_reads(false);
                    REQUIRE(contents(tx.tree("t")) == seen());
                    tx.validate_reads(true);
                    break;
            }
        }
        if (random() % 4 == 0) continue;
        const Contents after = seen();
        tx.commit();
        model = after;
        REQUIRE(contents(db.begin_read().tree("t")) == model);
    }
    CHECK(db.verify().ok());
}

TEST_CASE("A counter that every transaction moves in its turn makes no conflicts", "[TX-12]") {
    Fixture f;
    constexpr int k_threads = 4;
    constexpr int k_rounds = 100;
    std::atomic<int> conflicts{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < k_threads; ++thread)
        threads.emplace_back([&, thread] {
            for (int round = 0; round < k_rounds; ++round) {
                try {
                    auto tx = f.db.begin_optimistic();
                    tx.tree("t").put(std::to_string(thread) + "." + std::to_string(round), "x");
                    tx.take_turn();
                    const std::string count(tx.tree("t").get("count").value_or("0"));
                    tx.tree("t").put("count", std::to_string(std::stoi(count) + 1));
                    tx.commit();
                } catch (const northstar::Error&) {
                    ++conflicts;
                }
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(conflicts == 0);
    CHECK(f.db.begin_read().tree("t").get("count") == std::to_string(k_threads * k_rounds));
    CHECK(f.db.begin_read().tree("t").size() == k_threads * k_rounds + 1);
}

TEST_CASE("Whoever takes the turn behind a change of what it read is rolled back with a conflict", "[TX-12]") {
    Fixture f;
    f.put("a", "1");
    auto tx = f.db.begin_optimistic();
    (void)tx.tree("t").get("a");
    f.put("a", "2");
    CHECK(code_of([&] { tx.take_turn(); }) == northstar::Errc::conflict);
    CHECK(code_of([&] { tx.commit(); }) == northstar::Errc::misuse);
    f.put("a", "3");  // the turn was given back
}

TEST_CASE("Savepoints taken before the turn undo what they did before it", "[TX-12][TX-6]") {
    Fixture f;
    auto tx = f.db.begin_optimistic();
    tx.tree("t").put("a", "1");
    const northstar::Savepoint saved = tx.savepoint();
    tx.tree("t").put("b", "1");
    f.db.update([](northstar::Transaction& other) { other.tree("other").put("x", "y"); });
    CHECK(code_of([&] { tx.take_turn(); }) == std::nullopt);
    tx.rollback_to(saved);
    tx.commit();
    CHECK(contents(f.db.begin_read().tree("t")) == Contents{{"a", "1"}});
}

TEST_CASE("Transactions that write the first entries of a tree at the same time conflict unless it was made before") {
    for (const bool made : {false, true}) {
        auto db = northstar::Database::open(":memory:");
        if (made)
            db.update([](northstar::Transaction& tx) {
                CHECK(tx.create_tree("t"));
                CHECK_FALSE(tx.create_tree("t"));
            });
        auto one = db.begin_optimistic();
        auto two = db.begin_optimistic();
        one.tree("t").put("a", "1");
        two.tree("t").put("b", "1");
        one.commit();
        CHECK(code_of([&] { two.commit(); }).has_value() != made);
    }
}

TEST_CASE("A transaction that makes a tree stands on the retention that new trees have", "[TX-3]") {
    using northstar::History;
    const bool makes_one = GENERATE(true, false);
    const int way = GENERATE(0, 1, 2);
    CAPTURE(makes_one, way);
    Fixture f;
    f.db.set_history(History::nothing());
    auto tx = f.db.begin_optimistic();
    if (makes_one) tx.create_tree("made");
    tx.tree("t").put("key", "value");
    f.db.set_history(History::everything());
    const std::optional<northstar::Errc> found = code_of([&] {
        if (way == 0) tx.refresh();
        if (way == 1) tx.take_turn();
        tx.commit();
    });
    CHECK(found == (makes_one ? std::optional(northstar::Errc::conflict) : std::nullopt));
}

TEST_CASE("A tree that is made while the default retention changes has no retention of its own", "[TX-4]") {
    using northstar::History;
    Fixture f;
    f.db.set_history(History::nothing());
    bool changed = false;
    f.db.update([&](northstar::Transaction& tx) {
        tx.tree("made").put("key", "1");
        if (!std::exchange(changed, true)) f.db.set_history(History::everything());
    });
    const northstar::Txn before = f.db.begin_read().txn();
    f.db.update([](northstar::Transaction& tx) { tx.tree("made").put("key", "2"); });
    CHECK(f.db.begin_read(northstar::AsOf::txn(before)).tree("made").get("key") == "1");
}
