// txn_isolation_test.cpp -- what threads and processes do at the same time is what they would do one after the other.
#include "recorded_work.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

namespace {

using namespace northstar;
using recorded_work::Acknowledged;
using recorded_work::Broken;
using recorded_work::Deed;
using recorded_work::Journal;
using recorded_work::Judge;
using recorded_work::Worker;
using txn_test::Dice;
using txn_test::scaled;
using txn_test::Workplace;

Options busy(std::uint32_t page_size) {
    Options options;
    options.page_size = page_size;
    options.overlay_limit = 8u << 20;
    options.checkpoint_log_bytes = 128u << 10;
    options.lazy_flush_ms = 5;
    return options;
}

Options alone() {
    Options options;
    options.background = false;
    return options;
}

void check_verified(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

void check_judgement(const std::vector<std::vector<Deed>>& journals, const Database& db, std::uint64_t seed,
                     std::uint64_t unknown_at_most) {
    Judge judge;
    try {
        const std::uint64_t unknown = judge.repeat(journals, db);
        CHECK(unknown <= unknown_at_most);
        Dice dice(seed);
        judge.compare(db, dice, 12);
    } catch (const Broken& broken) {
        FAIL(broken.what());
    }
}

void run_threads(const std::string& path, const Options& options, std::uint64_t seed, int threads, int steps) {
    INFO("seed " << seed);
    std::optional<Database> db(Database::open(path, options));
    Acknowledged acknowledged{0};
    std::vector<Journal> journals(static_cast<std::size_t>(threads));
    std::atomic<std::uint64_t> conflicts{0};
    std::mutex mutex;
    std::string failure;
    std::vector<std::thread> running;
    for (std::size_t t = 0; t < journals.size(); ++t) {
        running.emplace_back([&, t] {
            try {
                Worker worker(*db, journals[t], acknowledged, seed * 100 + t);
                for (int i = 0; i < steps; ++i) worker.step();
                worker.finish();
                conflicts += worker.conflicts;
            } catch (const std::exception& error) {
                const std::lock_guard lock(mutex);
                failure = error.what();
            }
        });
    }
    for (std::thread& thread : running) thread.join();
    REQUIRE(failure == "");
    std::vector<std::vector<Deed>> deeds;
    for (Journal& journal : journals) deeds.push_back(std::move(journal.deeds));
    INFO(conflicts << " conflicts");
    CHECK(db->begin_read().txn() == acknowledged);
    db->sync();  // the log shows what is durable
    check_judgement(deeds, *db, seed, 0);
    CHECK(db->statistics().snapshots_open == 0);
    check_verified(*db);
    if (path == ":memory:") return;
    db.reset();
    db.emplace(Database::open(path, options));
    check_judgement(deeds, *db, seed + 1, 0);
    check_verified(*db);
}

/// Words that parent and children share.
class SharedWord {
public:
    SharedWord() {
        void* const memory = ::mmap(nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                    -1, 0);
        REQUIRE(memory != MAP_FAILED);
        word_ = new (memory) Acknowledged(0);
    }
    SharedWord(const SharedWord&) = delete;
    SharedWord& operator=(const SharedWord&) = delete;
    ~SharedWord() { ::munmap(word_, sizeof(Acknowledged)); }
    Acknowledged& operator*() { return *word_; }

private:
    Acknowledged* word_;
};

/// Works until it has made so many steps, closing and opening its handle now and then. Never returns.
[[noreturn]] void work_in_child(const std::string& path, const Options& options, const std::string& journal_path,
                                Acknowledged& acknowledged, std::uint64_t seed, int steps) {
    int code = 1;
    try {
        const int descriptor = ::open(journal_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        Journal journal(descriptor);
        Dice dice(seed);
        while (steps > 0) {
            Database db = Database::open(path, options);
            Worker worker(db, journal, acknowledged, dice.below(1u << 30));
            for (std::uint64_t i = 20 + dice.below(60); i > 0 && steps > 0; --i, --steps) worker.step();
            worker.finish();
        }
        code = 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), error.what());
    }
    ::_exit(code);
}

std::vector<Deed> read_journal(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return Journal::read(text.str());
}

/// Children work on one file; `killed` of them are killed, one after the other, and replaced.
void run_processes(const Options& options, std::uint64_t seed, int children, int steps, int killed) {
    INFO("seed " << seed);
    const Workplace place;
    const std::string path = place / "shared.db";
    SharedWord acknowledged;
    Dice dice(seed);
    std::vector<pid_t> running;
    int journals = 0;
    const auto start = [&] {
        const std::string journal = place / ("journal " + std::to_string(journals));
        const std::uint64_t own = seed * 1000 + static_cast<std::uint64_t>(journals);
        ++journals;
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) work_in_child(path, options, journal, *acknowledged, own, steps);
        running.push_back(child);
    };
    for (int i = 0; i < children; ++i) start();
    std::uint64_t dead = 0;
    for (int i = 0; i < killed; ++i) {
        // Wherever it is by then: so many commits later.
        const std::uint64_t until = (*acknowledged).load() + 5 + dice.below(40);
        int status = 0;
        const pid_t victim = running[dice.below(running.size())];
        pid_t ended = 0;
        while ((*acknowledged).load() < until && (ended = ::waitpid(victim, &status, WNOHANG)) == 0) {
            std::this_thread::yield();
        }
        if (ended == 0) {
            ::kill(victim, SIGKILL);
            ended = ::waitpid(victim, &status, 0);
        }
        REQUIRE(ended == victim);
        if (WIFEXITED(status)) {
            CHECK(WEXITSTATUS(status) == 0);
        } else {
            CHECK(WTERMSIG(status) == SIGKILL);
            ++dead;
        }
        running.erase(std::find(running.begin(), running.end(), victim));
        start();
    }
    for (const pid_t child : running) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
    std::vector<std::vector<Deed>> deeds;
    for (int i = 0; i < journals; ++i) deeds.push_back(read_journal(place / ("journal " + std::to_string(i))));
    Database db = Database::open(path, options);
    CHECK(db.begin_read().txn() >= *acknowledged);
    // Each process that was killed may have committed one transaction that its journal does not know.
    check_judgement(deeds, db, seed, dead);
    check_verified(db);
}

void put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    tx.commit();
}

std::optional<Errc> code_of_commit(Transaction& tx) {
    return txn_test::code_of([&] { tx.commit(); });
}

}  // namespace

TEST_CASE("Threads work as if one after the other", "[TX-3][TX-1][SNAP-1][SNAP-4][KV-2][PAST-1][TRUTH-1][slow]") {
    const Workplace place;
    run_threads(place / "work.db", busy(4096), txn_test::seed(21), 4, scaled(250));
}

TEST_CASE("Threads work as if one after the other, on large pages", "[TX-3][SNAP-1][KV-2][slow]") {
    const Workplace place;
    run_threads(place / "work.db", busy(32768), txn_test::seed(22), 3, scaled(150));
}

TEST_CASE("Threads work as if one after the other, in memory", "[TX-3][SNAP-1][ONE-3][slow]") {
    run_threads(":memory:", busy(4096), txn_test::seed(23), 4, scaled(250));
}

TEST_CASE("Processes work as if one after the other", "[TX-3][TX-1][SNAP-1][SNAP-4][SWARM-1][PAST-1][slow]") {
    run_processes(busy(4096), txn_test::seed(24), 3, scaled(150), 0);
}

TEST_CASE("Processes that are killed while they work lose nothing and hold nobody up",
          "[DUR-2][DUR-3][SWARM-1][SWARM-2][TX-3][slow]") {
    run_processes(busy(4096), txn_test::seed(25), 3, scaled(80), scaled(5));
}

TEST_CASE("A process that closes the file lets the next one in at once", "[SWARM-1][SWARM-2]") {
    // The last one to close took the open lock exclusively to make its checkpoint, and gave the gate back before that
    // lock: who came through the gate in between was told that the file is open exclusively.
    const Workplace place;
    const std::string path = place / "a.db";
    std::vector<pid_t> children;
    for (int c = 0; c < 3; ++c) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            try {
                for (int i = 0; i < 60; ++i) {
                    Options options = busy(4096);
                    options.background = false;
                    Database db = Database::open(path, options);
                    put(db, std::to_string(c) + " " + std::to_string(i), "v");
                }
            } catch (const Error& error) {
                std::fprintf(stderr, "%s: %s\n", to_string(error.code()), error.what());
                ::_exit(1);
            }
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
    const Database db = Database::open(path);
    CHECK(db.begin_read().tree("t").size() == 180);
}

TEST_CASE("Two transactions that each read what the other writes do not both commit", "[TX-3]") {
    // Write skew: either alone keeps one of the two on duty.
    Database db = Database::open(":memory:");
    put(db, "anna", "on duty");
    put(db, "bert", "on duty");
    Transaction one = db.begin_optimistic();
    Transaction two = db.begin_optimistic();
    CHECK(one.tree("t").get("bert") == "on duty");
    CHECK(two.tree("t").get("anna") == "on duty");
    one.tree("t").erase("anna");
    two.tree("t").erase("bert");
    one.commit();
    CHECK(txn_test::code_of([&] { two.commit(); }) == Errc::conflict);
    CHECK(db.begin_read().tree("t").size() == 1);
}

TEST_CASE("Whatever a transaction can learn is something it read", "[TX-3]") {
    // Each way of asking about a key that another transaction then changes.
    const std::pair<const char*, std::function<void(WritableTree&)>> ways[] = {
        {"get", [](WritableTree& t) { static_cast<void>(t.get("k5")); }},
        {"contains", [](WritableTree& t) { static_cast<void>(t.contains("k5")); }},
        {"txn_of", [](WritableTree& t) { static_cast<void>(t.txn_of("k5")); }},
        {"multi_get",
         [](WritableTree& t) {
             const std::string_view keys[] = {"k1", "k5"};
             std::optional<std::string_view> out[2];
             t.multi_get(keys, out);
         }},
        {"size", [](WritableTree& t) { static_cast<void>(t.size()); }},
        {"estimate", [](WritableTree& t) { static_cast<void>(t.estimate("k4", "k6")); }},
        {"put_if_absent", [](WritableTree& t) { static_cast<void>(t.put_if_absent("k5", "mine")); }},
        {"compare_and_swap", [](WritableTree& t) { static_cast<void>(t.compare_and_swap("k5", "no", "mine")); }},
        {"erase", [](WritableTree& t) { static_cast<void>(t.erase("k5")); }},
        {"erase_range", [](WritableTree& t) { static_cast<void>(t.erase_range("k4", "k6")); }},
        {"append", [](WritableTree& t) { t.append("k4z", "mine"); }},
        {"first", [](WritableTree& t) { static_cast<void>(t.from("k45").begin()); }},
        {"last", [](WritableTree& t) { static_cast<void>(t.cursor().last()); }},
        {"find", [](WritableTree& t) { static_cast<void>(t.cursor().find("k5")); }},
        {"lower_bound", [](WritableTree& t) { static_cast<void>(t.cursor().lower_bound("k45")); }},
        {"upper_bound", [](WritableTree& t) { static_cast<void>(t.cursor().upper_bound("k4")); }},
        {"next",
         [](WritableTree& t) {
             Cursor cursor = t.cursor();
             cursor.find("k4");
             cursor.next();
         }},
        {"prev",
         [](WritableTree& t) {
             Cursor cursor = t.cursor();
             cursor.lower_bound("k9");
             static_cast<void>(cursor.last());
             cursor.prev();
         }},
        {"range", [](WritableTree& t) { for (auto entry : t.range("k3", "k6")) static_cast<void>(entry); }},
        {"reversed range",
         [](WritableTree& t) { for (auto entry : t.range("k45", "k6").reversed()) static_cast<void>(entry); }},
        {"prefix", [](WritableTree& t) { for (auto entry : t.prefix("k5")) static_cast<void>(entry); }},
    };
    for (const bool there : {false, true}) {
        for (const auto& [name, read] : ways) {
            INFO(name << (there ? ", of a key that is erased" : ", of a key that is made"));
            Database db = Database::open(":memory:", alone());
            for (const char* key : {"k1", "k3", "k4"}) put(db, key, "old");
            if (there) put(db, "k5", "old");
            if (std::string(name) == "append" && there) continue;
            Transaction tx = db.begin_optimistic();
            WritableTree tree = tx.tree("t");
            read(tree);
            tx.tree("t").put("z", "written");
            {
                Transaction other = db.begin_write();
                if (there) {
                    other.tree("t").erase("k5");
                } else {
                    other.tree("t").put("k5", "theirs");
                }
                other.commit();
            }
            CHECK(txn_test::code_of([&] { tx.commit(); }) == Errc::conflict);
            CHECK_FALSE(db.begin_read().tree("t").contains("z"));
        }
    }
}

TEST_CASE("What a cursor walked over was read, what lies behind it was not", "[TX-3]") {
    for (const char* const changed : {"k3", "k35", "k5", "k7", "k75", "k9", "k0"}) {
        for (const bool backwards : {false, true}) {
            INFO(changed << (backwards ? ", backwards" : ""));
            Database db = Database::open(":memory:", alone());
            for (const char* key : {"k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"}) put(db, key, "old");
            Transaction tx = db.begin_optimistic();
            Cursor cursor = tx.tree("t").cursor();
            if (backwards) {
                CHECK(cursor.find("k7"));
                for (int i = 0; i < 4; ++i) CHECK(cursor.prev());
                CHECK(cursor.key() == "k3");
            } else {
                CHECK(cursor.find("k3"));
                for (int i = 0; i < 4; ++i) CHECK(cursor.next());
                CHECK(cursor.key() == "k7");
            }
            tx.tree("u").put("z", "written");
            put(db, changed, "new");
            const std::string key = changed;
            const bool read = key >= "k3" && key <= "k7";
            CHECK(code_of_commit(tx) == (read ? std::optional<Errc>(Errc::conflict) : std::nullopt));
        }
    }
}

TEST_CASE("Of two ranges that were read every key was read, and none between them", "[TX-3]") {
    using Range = std::pair<const char*, const char*>;
    const std::pair<Range, Range> pairs[] = {
        {{"k4", "k6"}, {"k2", "k8"}},  // the second around the first
        {{"k4", "k6"}, {"k2", "k4"}},  // in front of it, and touching
        {{"k4", "k6"}, {"k1", "k3"}},  // in front of it
        {{"k4", "k6"}, {"k5", "k8"}},  // across its end
        {{"k1", "k3"}, {"k6", "k8"}},  // behind it
    };
    for (const auto& [first, second] : pairs) {
        for (const char* const changed : {"k1", "k2", "k3", "k5", "k7", "k8"}) {
            CAPTURE(first.first, first.second, second.first, second.second, changed);
            Database db = Database::open(":memory:", alone());
            put(db, "k0", "old");
            Transaction tx = db.begin_optimistic();
            bool read = false;
            for (const auto& [from, to] : {first, second}) {
                static_cast<void>(tx.tree("t").estimate(from, to));
                read = read || (std::string(changed) >= from && std::string(changed) < to);
            }
            tx.tree("u").put("z", "written");
            put(db, changed, "new");
            CHECK(code_of_commit(tx) == (read ? std::optional<Errc>(Errc::conflict) : std::nullopt));
        }
    }
}

TEST_CASE("Ranges of two trees are read, each of its own", "[TX-3]") {
    for (const char* const changed : {"t", "u"}) {
        CAPTURE(changed);
        Database db = Database::open(":memory:", alone());
        for (const char* const tree : {"t", "u"}) {
            db.update([&](Transaction& tx) { tx.tree(tree).put("k", "old"); });
        }
        Transaction tx = db.begin_optimistic();
        // Their ranges are the same, and whole.
        CHECK(tx.tree("t").erase_range("", std::nullopt) == 1);
        CHECK(tx.tree("u").erase_range("", std::nullopt) == 1);
        db.update([&](Transaction& other) { other.tree(changed).put("new", "value"); });
        CHECK(code_of_commit(tx) == Errc::conflict);
    }
}

TEST_CASE("Trees that two transactions make at the same time stay two trees", "[TX-3][KV-1]") {
    Database db = Database::open(":memory:", alone());
    Transaction tx = db.begin_optimistic();
    tx.tree("mine").put("a", "1");
    {
        Transaction other = db.begin_write();
        other.tree("theirs").put("a", "2");
        other.commit();
    }
    // Either it is put behind the other one, or it is a conflict and tried again.
    if (code_of_commit(tx)) db.update([](Transaction& again) { again.tree("mine").put("a", "1"); });
    const Snapshot now = db.begin_read();
    CHECK(now.tree_names() == std::vector<std::string>{"mine", "theirs"});
    CHECK(now.tree("mine").get("a") == "1");
    CHECK(now.tree("theirs").get("a") == "2");
    std::set<std::uint64_t> numbers;
    for (const CommitRecord& record : db.commits()) {
        for (const Operation& operation : record.operations) {
            if (operation.kind == Operation::Kind::create_tree) CHECK(numbers.insert(operation.tree_id).second);
        }
    }
    CHECK(numbers.size() == 2);
    CHECK(db.verify().ok());
}

TEST_CASE("That a tree is or is not there is something that was read", "[TX-3]") {
    for (const bool there : {false, true}) {
        INFO("there " << there);
        Database db = Database::open(":memory:", alone());
        put(db, "a", "1");
        if (there) {
            Transaction tx = db.begin_write();
            tx.tree("u").put("x", "1");
            tx.commit();
        }
        Transaction tx = db.begin_optimistic();
        CHECK(tx.tree("u").exists() == there);
        tx.tree("t").put("b", "1");
        {
            Transaction other = db.begin_write();
            if (there) {
                other.drop_tree("u");
            } else {
                other.tree("u").put("x", "1");
            }
            other.commit();
        }
        CHECK(txn_test::code_of([&] { tx.commit(); }) == Errc::conflict);
    }
}

TEST_CASE("Who asked which trees there are did not read what they hold", "[TX-3]") {
    enum class Other { writes, exchanges_trees };
    const Other what = GENERATE(Other::writes, Other::exchanges_trees);
    Database db = Database::open(":memory:", alone());
    put(db, "a", "1");
    db.update([](Transaction& tx) { tx.tree("u").put("x", "1"); });
    Transaction tx = db.begin_optimistic();
    CHECK(tx.tree_names() == std::vector<std::string>{"t", "u"});
    tx.tree("t").put("b", "1");
    db.update([&](Transaction& other) {
        if (what == Other::exchanges_trees) other.drop_tree("u");
        other.tree(what == Other::writes ? "u" : "v").put("x", "2");
    });
    const std::optional<Errc> code = txn_test::code_of([&] { tx.commit(); });
    CHECK(code == (what == Other::writes ? std::nullopt : std::optional(Errc::conflict)));
}

TEST_CASE("What was read in a tree as it was at a savepoint was read", "[TX-3][TX-6]") {
    const bool dropped = GENERATE(false, true);
    Database db = Database::open(":memory:", alone());
    put(db, "a", "1");
    db.update([](Transaction& tx) { tx.tree("u").put("x", "1"); });
    Transaction tx = db.begin_optimistic();
    const Savepoint savepoint = tx.savepoint();
    CHECK(tx.tree_at("u", savepoint).exists());
    tx.tree("t").put("b", "1");
    db.update([&](Transaction& other) {
        if (dropped) other.drop_tree("u");
        other.tree("w").put("y", "1");
    });
    const std::optional<Errc> code = txn_test::code_of([&] { tx.commit(); });
    CHECK(code == (dropped ? std::optional(Errc::conflict) : std::nullopt));
}

// It finds them open in the order in which the one before it asked for them.
TEST_CASE("Each tree that a transaction asked for was read, in whatever order the one before it asked", "[TX-3]") {
    Database db = Database::open(":memory:", alone());
    db.update([](Transaction& tx) {
        for (const char* const name : {"t", "u"}) tx.tree(name).put("x", "1");
    });
    Transaction tx = db.begin_optimistic();
    for (const char* const name : {"u", "t"}) CHECK(tx.tree(name).exists());
    tx.tree("other").put("b", "1");
    db.update([](Transaction& other) { other.drop_tree("t"); });
    CHECK(txn_test::code_of([&] { tx.commit(); }) == Errc::conflict);
}

TEST_CASE("Dropping a tree is reading whether it is there", "[TX-3]") {
    for (const bool there : {false, true}) {
        INFO("there " << there);
        Database db = Database::open(":memory:", alone());
        put(db, "a", "1");
        const auto make = [](Transaction& tx) { tx.tree("u").put("x", "1"); };
        if (there) db.update(make);
        Transaction tx = db.begin_optimistic();
        CHECK(tx.drop_tree("u") == there);
        tx.tree("t").put("b", "1");
        db.update([&](Transaction& other) {
            if (there) {
                other.drop_tree("u");
            } else {
                make(other);
            }
        });
        CHECK(txn_test::code_of([&] { tx.commit(); }) == Errc::conflict);
    }
}

TEST_CASE("A snapshot of the past and one of the present agree with a transaction's own view", "[TX-3][SNAP-1][TX-5]") {
    Database db = Database::open(":memory:", alone());
    put(db, "a", "1");
    const Snapshot before = db.begin_read();
    Transaction tx = db.begin_write();
    tx.tree("t").put("a", "2");
    CHECK(tx.tree("t").get("a") == "2");
    CHECK(tx.tree("t").txn_of("a") == 2);
    CHECK(before.tree("t").get("a") == "1");
    CHECK(db.begin_read().tree("t").get("a") == "1");
    tx.commit();
    CHECK(before.tree("t").get("a") == "1");
    CHECK(db.begin_read(AsOf::txn(1)).tree("t").get("a") == "1");
    CHECK(db.begin_read().tree("t").get("a") == "2");
}
