// Transactions many times larger than the memory limit: as atomic as small ones, and within the limit.
#include "peer.hpp"
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>
#include <utility>

namespace {

using namespace northstar;
using namespace txn_test;

constexpr std::uint64_t k_limit = 1u << 20;

using Entries = std::map<std::string, std::string>;

Options small_memory() {
    Options options;
    options.overlay_limit = k_limit;
    return options;
}

std::string key_of(std::uint64_t number) {
    std::string key(16, '\0');
    std::uint64_t mixed = number * 0x9e3779b97f4a7c15u;
    for (std::size_t i = 0; i < 16; ++i) {
        key[i] = static_cast<char>('a' + mixed % 23);
        mixed = mixed / 23 + number * 31 * i;
    }
    return key;
}

/// What the limit may be exceeded by: see [CALM-1].
constexpr std::uint64_t k_excess = k_limit / 8 + 64 * 4096 + (256u << 10);

/// Looks now and then at what memory pages take.
class Watch {
public:
    explicit Watch(const Database& db) : db_(db) {}
    void look() {
        if (++calls_ % 256 == 0) most_ = std::max(most_, db_.statistics().overlay_bytes);
    }
    std::uint64_t most() const { return most_; }

private:
    const Database& db_;
    std::uint64_t calls_ = 0;
    std::uint64_t most_ = 0;
};

void check(const Database& db, const Entries& wanted) {
    const Snapshot now = db.begin_read();
    const Tree tree = now.tree("t");
    REQUIRE(tree.size() == wanted.size());
    auto at = wanted.begin();
    for (const auto [key, value] : tree.all()) {
        if (at == wanted.end() || key != at->first || value != at->second) FAIL("entry " << key << " is wrong");
        ++at;
    }
    REQUIRE(at == wanted.end());
}

void check_whole(Database& db) {
    const VerifyReport report = db.verify();
    for (const auto& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.problems.empty());
}

}  // namespace

TEST_CASE("a transaction forty times larger than the limit commits whole and within it", "[TX-8][CALM-1]") {
    const Workplace place;
    Entries wanted;
    for (const bool ordered : {false, true}) {
        const std::string path = place / (ordered ? "ordered" : "random");
        wanted.clear();
        {
            Database db = Database::open(path, small_memory());
            Watch watch(db);
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("t");
            for (std::uint64_t i = 0; i < 40 * k_limit / 256; ++i) {
                const std::string key = ordered ? std::to_string(1000000 + i) : key_of(i);
                const std::string value = std::to_string(i) + std::string(230, static_cast<char>('a' + i % 26));
                if (ordered) {
                    tree.append(key, value);
                } else {
                    tree.put(key, value);
                }
                wanted[key] = value;
                watch.look();
            }
            REQUIRE(db.begin_read().txn() == 0);
            const std::uint64_t generation = db.statistics().generation;
            const Commit commit = tx.commit();
            REQUIRE(commit.txn == 1);
            REQUIRE(db.statistics().generation > generation);
            UNSCOPED_INFO("most memory pages: " << watch.most());
            REQUIRE(watch.most() > 0);
            REQUIRE(watch.most() <= k_limit + k_excess);
            check(db, wanted);
            check_whole(db);
        }
        Database db = Database::open(path);
        check(db, wanted);
        check_whole(db);
    }
}

TEST_CASE("a large transaction that is rolled back gives its space back", "[TX-8][SPACE-1]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, small_memory());
    db.update([](Transaction& tx) { tx.tree("t").put("a", "b"); });
    db.checkpoint();
    const std::uint64_t used = db.statistics().used_pages;
    for (int round = 0; round < 3; ++round) {
        {
            Transaction tx = db.begin_write();
            for (std::uint64_t i = 0; i < 40000; ++i) tx.tree("t").put(key_of(i), std::string(200, 'x'));
            REQUIRE(db.statistics().used_pages > used + 1000);
        }
        REQUIRE(db.statistics().used_pages <= used + 20);
        check(db, {{"a", "b"}});
    }
    check_whole(db);
    for (int i = 0; i < 4; ++i) {
        db.update([](Transaction& tx) { tx.tree("u").put("a", "b"); });
        db.checkpoint();
    }
    REQUIRE(db.statistics().file_bytes < 2u << 20);
}

// Its early pages, and the write lock with them, stayed with the handle until it wrote again.
TEST_CASE("a large transaction whose commit fails behind its record keeps nobody from writing", "[TX-8][TX-1][DUR-4]") {
    const Workplace place;
    Options options = quiet();
    options.overlay_limit = 1u << 20;
    test::HookedVfs vfs;
    const auto core = detail::DatabaseCore::open(place / "a.db", options, &vfs);
    Database db = detail::make_database(core);
    Peer other(place / "a.db");
    Transaction large = db.begin_write();
    WritableTree tree = large.tree("t");
    for (int i = 0; i < 20'000; ++i) tree.put("key " + std::to_string(i * 7919 % 20'011), std::string(200, 'v'));
    bool failed = false;
    vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
        if (call != test::FileCall::lock || where != detail::Processes::flush || done) return;
        if (core->processes().load(detail::Word::built_txn) == 0 || std::exchange(failed, true)) return;
        throw Error(Errc::io, "the lock cannot be had");
    });
    CHECK(code_of([&] { large.commit(); }) == Errc::outcome_unknown);
    vfs.set_hook(nullptr);
    CHECK(failed);
    WriteOptions wait;
    wait.timeout_ms = 5000;
    Transaction next = other.db.begin_write(wait);
    CHECK(next.tree("t").size() == 20'000);
    next.tree("t").put("behind", "");
    CHECK(next.commit().txn == 2);
}

TEST_CASE("large transactions agree with a model whatever they do", "[TX-8][TX-6][slow]") {
    const std::uint64_t start = seed(11);
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(6)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        const Workplace place;
        const std::string path = place / "db";
        Options options = small_memory();
        options.overlay_limit = 256u << 10;
        if (run % 2 == 0) options.history = History::everything();
        Entries committed;
        Database db = Database::open(path, options);
        for (int txn = 0; txn < 8; ++txn) {
            Entries model = committed;
            std::vector<std::pair<Savepoint, Entries>> savepoints;
            const bool optimistic = dice.chance(30);
            Transaction tx = optimistic ? db.begin_optimistic() : db.begin_write();
            WritableTree tree = tx.tree("t");
            const std::uint64_t operations = 2000 + dice.below(12000);
            for (std::uint64_t i = 0; i < operations; ++i) {
                const std::string key = key_of(dice.below(20000));
                switch (dice.below(dice.chance(2) ? 12 : 6)) {
                    case 0:
                    case 1:
                    case 2:
                    case 3: {
                        const std::string value = dice.bytes(dice.below(300));
                        tree.put(key, value);
                        model[key] = value;
                        break;
                    }
                    case 4: REQUIRE(tree.erase(key) == (model.erase(key) != 0)); break;
                    case 5: {
                        const auto found = model.find(key);
                        const auto got = tree.get(key);
                        REQUIRE(got.has_value() == (found != model.end()));
                        if (got && *got != found->second) FAIL("a wrong value");
                        // A value of the transaction itself is copied to another key.
                        if (got) {
                            const std::string other = key_of(dice.below(20000));
                            const std::string copy(*got);
                            tree.put(other, *got);
                            model[other] = copy;
                        }
                        break;
                    }
                    case 6: {
                        const std::string value = dice.bytes(dice.below(60000));
                        tree.put(key, value);
                        model[key] = value;
                        break;
                    }
                    case 7: {
                        const auto from = model.lower_bound(key);
                        auto to = from;
                        for (std::uint64_t n = dice.below(400); n > 0 && to != model.end(); --n) ++to;
                        const std::string end = to == model.end() ? std::string(20, 'z') : to->first;
                        const auto count = static_cast<std::uint64_t>(std::distance(from, to));
                        REQUIRE(tree.erase_range(key, end) == count);
                        model.erase(from, to);
                        break;
                    }
                    case 8:
                    case 9: savepoints.emplace_back(tx.savepoint(), model); break;
                    case 10:
                        if (!savepoints.empty()) {
                            const std::size_t back = dice.below(savepoints.size());
                            tx.rollback_to(savepoints[back].first);
                            model = savepoints[back].second;
                            savepoints.resize(back + 1);
                        }
                        break;
                    default: {
                        const std::string value = dice.bytes(300000);
                        tree.put(key, value);
                        model[key] = value;
                    }
                }
            }
            REQUIRE(tree.size() == model.size());
            if (dice.chance(20)) {
                tx.rollback();
            } else {
                tx.commit();
                committed = model;
            }
            check(db, committed);
            if (dice.chance(30)) check_whole(db);
            if (dice.chance(30)) {
                db.close();
                db = Database::open(path, options);
                check(db, committed);
            }
        }
        check_whole(db);
    }
}

TEST_CASE("an optimistic transaction that outgrows memory meets its conflict", "[TX-8][TX-3]") {
    const Workplace place;
    Database db = Database::open(place / "db", small_memory());
    db.update([](Transaction& tx) { tx.tree("t").put("counter", "0"); });
    const auto fill = [](Transaction& tx) {
        for (std::uint64_t i = 0; i < 20000; ++i) tx.tree("t").put(key_of(i), std::string(200, 'x'));
    };
    SECTION("read before and changed by another one") {
        Transaction tx = db.begin_optimistic();
        REQUIRE(tx.tree("t").get("counter") == "0");
        Database* const other = &db;
        other->update([](Transaction& u) { u.tree("t").put("counter", "1"); });
        try {
            fill(tx);
            tx.commit();
            FAIL("no conflict");
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::conflict);
        }
        tx.rollback();
        check(db, {{"counter", "1"}});
    }
    SECTION("update tries again") {
        int calls = 0;
        db.update([&](Transaction& tx) {
            const std::string counter(*tx.tree("t").get("counter"));
            if (calls++ == 0) {
                Transaction other = db.begin_optimistic();
                other.tree("t").put("counter", "5");
                other.commit();
            }
            fill(tx);
            tx.tree("t").put("counter", counter + "!");
        });
        REQUIRE(calls == 2);
        REQUIRE(db.begin_read().tree("t").get("counter") == "5!");
        REQUIRE(db.begin_read().tree("t").size() == 20001);
    }
    SECTION("nothing read changed") {
        Transaction tx = db.begin_optimistic();
        tx.tree("t").put("first", "1");
        const Savepoint saved = tx.savepoint();
        tx.tree("t").put("second", "1");
        db.update([](Transaction& u) { u.tree("t").put("counter", "1"); });
        fill(tx);
        tx.rollback_to(saved);
        fill(tx);
        tx.commit();
        const Snapshot now = db.begin_read();
        REQUIRE(now.tree("t").size() == 20002);
        REQUIRE(now.tree("t").get("counter") == "1");
        REQUIRE_FALSE(now.tree("t").get("second"));
    }
    check_whole(db);
}

/// Private memory of this process, looked at without a pause beside what it does; 0: the system does not tell.
class MemoryObserver {
public:
    MemoryObserver() : before_(now()), most_(before_), thread_([this] {
        while (!over_) most_ = std::max(most_.load(), now());
    }) {}
    ~MemoryObserver() {
        over_ = true;
        thread_.join();
    }
    static std::uint64_t now() {
        std::ifstream status("/proc/self/status");
        std::string word;
        std::uint64_t kilobytes = 0;
        while (status >> word) {
            if (word == "RssAnon:" && status >> kilobytes) break;
        }
        return kilobytes * 1024;
    }
    /// More than there was at the beginning.
    std::uint64_t most() const { return most_ - before_; }

private:
    const std::uint64_t before_;
    std::atomic<std::uint64_t> most_;
    std::atomic<bool> over_{false};
    std::thread thread_;
};

TEST_CASE("a large transaction takes no more memory of the process than it says", "[TX-8][CALM-1][slow]") {
    if (MemoryObserver::now() == 0) NORTHSTAR_SKIP("the system does not tell what memory a process uses");
    constexpr std::uint64_t limit = 4u << 20;
    // Of long values, and of short ones, whose history is as large as they are.
    const std::size_t size = GENERATE(std::size_t{980}, std::size_t{60});
    const Workplace place;
    const std::string path = place / "db";
    Options options;
    options.overlay_limit = limit;
    const std::uint64_t count = 40 * limit / (size + 20);
    const MemoryObserver memory;
    {
        Database db = Database::open(path, options);
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("t");
        std::string value(size, 'x');
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string key = std::to_string(i * 0x9e3779b97f4a7c15u);
            value.replace(0, key.size(), key);
            tree.put(key, value);
        }
        tx.commit();
    }
    // Blocks of pages come in powers of two, and the allocator keeps some of what the operations took.
    CHECK(memory.most() <= 2 * limit + (16u << 20));
    Database db = Database::open(path, options);
    REQUIRE(db.begin_read().tree("t").size() == count);
    CHECK(memory.most() <= 2 * limit + (16u << 20));
}

TEST_CASE("what many small transactions did is sealed within a multiple of the limit", "[CALM-1][PAST-1][slow]") {
    if (MemoryObserver::now() == 0) NORTHSTAR_SKIP("the system does not tell what memory a process uses");
    const Workplace place;
    Options options;
    options.overlay_limit = 16u << 20;
    options.background = false;
    options.checkpoint_log_bytes = 1u << 30;
    Database db = Database::open(place / "db", options);
    // The same few keys, so that pages take little of it: a million versions.
    for (int txn = 0; txn < 1000; ++txn) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        WritableTree tree = tx.tree("t");
        for (std::uint64_t i = 0; i < 1000; ++i) tree.put(key_of(i), std::to_string(txn));
        tx.commit();
    }
    const MemoryObserver memory;
    db.checkpoint();
    CHECK(memory.most() <= 2 * options.overlay_limit);
    CHECK(db.begin_read(AsOf::txn(500)).tree("t").get(key_of(7)) == std::to_string(499));
    check_whole(db);
}

TEST_CASE("a long value goes into the file and into the log without a copy in memory", "[TX-8][KV-4]") {
    const Workplace place;
    const std::string path = place / "db";
    std::string value(24u << 20, 'v');
    for (std::size_t i = 0; i < value.size(); i += 4096) value[i] = static_cast<char>('a' + i / 4096 % 26);
    {
        Database db = Database::open(path, small_memory());
        Watch watch(db);
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "first");
        tx.tree("t").put("long", value);
        const Savepoint saved = tx.savepoint();
        tx.tree("t").put("long", std::string_view(value).substr(1));
        tx.tree("t").append("z", std::string_view(value).substr(0, 3u << 20));
        tx.rollback_to(saved);
        REQUIRE(*tx.tree("t").get("long") == value);
        REQUIRE(db.statistics().overlay_bytes <= k_limit);
        tx.tree("t").put("b", "last");
        tx.commit();
        check(db, {{"a", "first"}, {"b", "last"}, {"long", value}});
        check_whole(db);
    }
    Database db = Database::open(path);
    check(db, {{"a", "first"}, {"b", "last"}, {"long", value}});
}

TEST_CASE("the past of a large transaction is sealed in pieces and answers as one", "[TX-8][PAST-1][PAST-6]") {
    const std::uint64_t start = seed(5);
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(3)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        const Workplace place;
        Options options = small_memory();
        options.overlay_limit = 256u << 10;
        options.history = History::everything();
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "db", options);
        core->set_seal_budget({64u << 10, {64u << 10, ~std::uint64_t{0}}});
        Database db = detail::make_database(core);
        std::vector<std::pair<Txn, Entries>> states;
        Entries model;
        for (int txn = 0; txn < 4; ++txn) {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("t");
            for (std::uint64_t n = txn % 2 == 0 ? 10 : 12000; n > 0; --n) {
                const std::string key = key_of(dice.below(9000));
                if (dice.chance(1) && dice.chance(20)) {
                    const std::string end = key_of(dice.below(9000));
                    if (key < end) {
                        tree.erase_range(key, end);
                        model.erase(model.lower_bound(key), model.lower_bound(end));
                    }
                } else if (dice.chance(10)) {
                    tree.erase(key);
                    model.erase(key);
                } else {
                    model[key] = dice.bytes(dice.below(80));
                    tree.put(key, model[key]);
                }
            }
            states.emplace_back(tx.commit().txn, model);
        }
        db.checkpoint();
        REQUIRE(db.statistics().history_segments > 4);
        for (const auto& [txn, wanted] : states) {
            const Snapshot past = db.begin_read(AsOf::txn(txn));
            Entries got;
            for (const auto [key, value] : past.tree("t").all()) got.emplace(key, value);
            REQUIRE(got == wanted);
        }
        check_whole(db);
    }
}

// The log holds what the tree holds, wherever between two operations the savepoint lies.
TEST_CASE("What a large transaction rolls back to a savepoint is not in its log", "[TX-6][TX-8][TRUTH-2]") {
    const Workplace place;
    Database db = Database::open(place / "a.db", small_memory());
    const std::string value(100, 'v');
    std::uint64_t number = 0;
    {
        Transaction tx = db.begin_write();
        const auto put = [&](int count) {
            for (int i = 0; i < count; ++i) tx.tree("t").put(key_of(++number), value);
        };
        for (int round = 0; round < 6; ++round) {
            put(50);
            // Two at the same place, of which one is never gone back to.
            const Savepoint saved = tx.savepoint();
            const Savepoint same = tx.savepoint();
            put(round);
            const Savepoint later = tx.savepoint();
            put(3000);
            if (round == 3) tx.rollback_to(later);
            if (round == 4) tx.rollback_to(same);
            tx.rollback_to(saved);
        }
        put(50);
        tx.commit();
    }
    CHECK(db.begin_read().tree("t").size() == 350);
    const Hash hash = db.begin_read().state_hash();
    db.close();
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(1));
    CHECK(Database::open(place / "b.db").begin_read().state_hash() == hash);
}
