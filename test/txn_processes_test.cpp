// txn_processes_test.cpp -- several processes on one database. The parent has it open only while no child runs that
// was forked meanwhile: each child opens it for itself.
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include <sys/wait.h>

namespace {

using namespace northstar;
using txn_test::Dice;
using txn_test::scaled;
using txn_test::Workplace;

/// A child that runs fn and ends with 0, or with 1 and a line on stderr if it throws or returns false.
class Child {
public:
    explicit Child(const std::function<bool(int)>& fn) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            ::close(ends[0]);
            int code = 1;
            try {
                code = fn(ends[1]) ? 0 : 1;
                if (code != 0) std::fprintf(stderr, "child: something was wrong\n");
            } catch (const Error& error) {
                std::fprintf(stderr, "child: %s: %s\n", to_string(error.code()), error.what());
            } catch (const std::exception& error) {
                std::fprintf(stderr, "child: %s\n", error.what());
            }
            ::_exit(code);
        }
        ::close(ends[1]);
        pipe_ = ends[0];
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pipe_(std::exchange(other.pipe_, -1)) {}
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
        if (pipe_ >= 0) ::close(pipe_);
    }
    void kill() const { ::kill(pid_, SIGKILL); }
    void stop() const { ::kill(pid_, SIGSTOP); }
    void go_on() const { ::kill(pid_, SIGCONT); }
    /// Exit code, or 128 + signal.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    /// The next number the child sent; nullopt: it ended.
    std::optional<std::uint64_t> receive() const {
        std::uint64_t value = 0;
        std::size_t got = 0;
        while (got < sizeof value) {
            const ssize_t n = ::read(pipe_, reinterpret_cast<char*>(&value) + got, sizeof value - got);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return std::nullopt;
            got += static_cast<std::size_t>(n);
        }
        return value;
    }

private:
    pid_t pid_ = -1;
    int pipe_ = -1;
};

void send(int pipe, std::uint64_t value) {
    if (::write(pipe, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) ::_exit(3);
}

Options small_steps() {
    Options options;
    options.checkpoint_log_bytes = 64u << 10;
    options.overlay_limit = 4u << 20;
    options.lazy_flush_ms = 10;
    return options;
}

std::uint64_t number(std::optional<std::string_view> text) { return text ? std::stoull(std::string(*text)) : 0; }

constexpr int k_accounts = 16;
constexpr std::uint64_t k_money = 1000;

void make_accounts(const std::string& path) {
    Database db = Database::open(path, small_steps());
    Transaction tx = db.begin_write();
    for (int i = 0; i < k_accounts; ++i) tx.tree("accounts").put(std::to_string(100 + i), std::to_string(k_money));
    tx.commit();
}

std::uint64_t sum_of(const Snapshot& snapshot) {
    std::uint64_t sum = 0;
    for (auto [key, value] : snapshot.tree("accounts").all()) sum += number(value);
    return sum;
}

void transfer(Transaction& tx, Dice& dice) {
    WritableTree accounts = tx.tree("accounts");
    const std::string from = std::to_string(100 + dice.below(k_accounts));
    const std::string to = std::to_string(100 + dice.below(k_accounts));
    if (from == to) return;
    const std::uint64_t has = number(accounts.get(from));
    const std::uint64_t gets = number(accounts.get(to));
    const std::uint64_t amount = has == 0 ? 0 : dice.below(has);
    accounts.put(from, std::to_string(has - amount));
    accounts.put(to, std::to_string(gets + amount));
}

}  // namespace

TEST_CASE("No increment of several processes is lost, by turns or optimistic", "[SWARM-1][TX-3][TX-4]") {
    const Workplace place;
    const std::string path = place / "count.db";
    const int each = scaled(60);
    constexpr int k_children = 3;
    std::vector<Child> children;
    for (int c = 0; c < k_children; ++c) {
        children.emplace_back([&, c](int) {
            Database db = Database::open(path, small_steps());
            for (int i = 0; i < each; ++i) {
                const auto increment = [](Transaction& tx) {
                    const std::uint64_t now = number(tx.tree("t").get("count"));
                    tx.tree("t").put("count", std::to_string(now + 1));
                };
                WriteOptions options;
                options.durability = i % 8 == 0 ? Durability::full : Durability::lazy;
                if ((i + c) % 2 == 0) {
                    Transaction tx = db.begin_write(options);
                    increment(tx);
                    tx.commit();
                } else {
                    db.update(increment, options);
                }
                if (i % 16 == 5 * c) db.checkpoint();
            }
            return true;
        });
    }
    for (Child& child : children) CHECK(child.wait() == 0);
    Database db = Database::open(path);
    const Snapshot now = db.begin_read();
    CHECK(number(now.tree("t").get("count")) == static_cast<std::uint64_t>(each * k_children));
    CHECK(now.txn() == static_cast<Txn>(each * k_children));
    CHECK(db.history("t", "count").size() == static_cast<std::size_t>(each * k_children));
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

TEST_CASE("Readers in other processes see whole transactions, in order", "[SNAP-1][SNAP-4][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "bank.db";
    make_accounts(path);
    const int transfers = scaled(150);
    std::vector<Child> writers;
    for (std::uint64_t w = 0; w < 2; ++w) {
        writers.emplace_back([&, w](int) {
            Database db = Database::open(path, small_steps());
            Dice dice(w + 1);
            for (int i = 0; i < transfers; ++i) {
                db.update([&](Transaction& tx) { transfer(tx, dice); }, {Durability::lazy, std::nullopt});
            }
            return true;
        });
    }
    std::vector<Child> readers;
    for (int r = 0; r < 2; ++r) {
        readers.emplace_back([&, r](int) {
            Options options = small_steps();
            options.read_only = r == 1;
            Database db = Database::open(path, options);
            Txn last = 0;
            std::vector<Snapshot> held;
            for (int i = 0; i < scaled(300); ++i) {
                Snapshot now = db.begin_read();
                if (now.txn() < last) {
                    std::fprintf(stderr, "txn %llu after %llu\n", static_cast<unsigned long long>(now.txn()),
                                 static_cast<unsigned long long>(last));
                    return false;
                }
                last = now.txn();
                if (sum_of(now) != k_accounts * k_money) return false;
                if (i % 50 == 0) held.push_back(std::move(now));
                std::this_thread::yield();
            }
            for (const Snapshot& snapshot : held) {
                if (sum_of(snapshot) != k_accounts * k_money) return false;
            }
            return true;
        });
    }
    for (Child& child : readers) CHECK(child.wait() == 0);
    for (Child& child : writers) CHECK(child.wait() == 0);
    Database db = Database::open(path);
    CHECK(sum_of(db.begin_read()) == k_accounts * k_money);
    for (Txn txn = 1; txn <= db.begin_read().txn(); txn += 7) {
        CHECK(sum_of(db.begin_read(AsOf::txn(txn))) == k_accounts * k_money);
    }
}

TEST_CASE("A writer killed in the middle holds nobody up and loses nothing acknowledged",
          "[SWARM-2][DUR-2][DUR-3]") {
    const Workplace place;
    const std::string path = place / "killed.db";
    make_accounts(path);
    Dice dice(txn_test::seed(7));
    for (int round = 0; round < scaled(6); ++round) {
        INFO("round " << round);
        Child victim([&](int pipe) {
            Database db = Database::open(path, small_steps());
            Dice own(static_cast<std::uint64_t>(round) + 50);
            for (std::uint64_t i = 0;; ++i) {
                Transaction tx = db.begin_write({i % 3 == 0 ? Durability::full : Durability::lazy, std::nullopt});
                transfer(tx, own);
                tx.tree("journal").put("victim " + std::to_string(round) + " " + std::to_string(i), own.bytes(300));
                tx.commit();
                send(pipe, i);
            }
            return true;
        });
        Child other([&](int) {
            Database db = Database::open(path, small_steps());
            Dice own(static_cast<std::uint64_t>(round) + 90);
            for (int i = 0; i < 40; ++i) {
                Transaction tx = db.begin_write({Durability::lazy, 20000});
                transfer(tx, own);
                tx.tree("journal").put("other " + std::to_string(round) + " " + std::to_string(i), "x");
                tx.commit();
            }
            return true;
        });
        std::optional<std::uint64_t> acknowledged;
        for (std::uint64_t i = 5 + dice.below(40); i > 0; --i) acknowledged = victim.receive();
        victim.kill();
        while (const std::optional<std::uint64_t> more = victim.receive()) acknowledged = more;
        victim.wait();
        CHECK(other.wait() == 0);
        REQUIRE(acknowledged.has_value());
        Database db = Database::open(path, small_steps());
        const Snapshot now = db.begin_read();
        CHECK(sum_of(now) == k_accounts * k_money);
        for (std::uint64_t i = 0; i <= *acknowledged; ++i) {
            if (!now.tree("journal").contains("victim " + std::to_string(round) + " " + std::to_string(i))) {
                FAIL("lost " << i << " of " << *acknowledged);
            }
        }
        for (int i = 0; i < 40; ++i) {
            if (!now.tree("journal").contains("other " + std::to_string(round) + " " + std::to_string(i))) {
                FAIL("lost other " << i);
            }
        }
    }
    Database db = Database::open(path);
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
}

TEST_CASE("After all processes were killed every acknowledged commit is there", "[DUR-2][DUR-3][SWARM-2][slow]") {
    const Workplace place;
    const std::string path = place / "all.db";
    Dice dice(txn_test::seed(9));
    for (int round = 0; round < scaled(5); ++round) {
        INFO("round " << round);
        std::vector<Child> children;
        for (int c = 0; c < 3; ++c) {
            children.emplace_back([&, c](int pipe) {
                Database db = Database::open(path, small_steps());
                Dice own(static_cast<std::uint64_t>(round * 3 + c) + 1);
                for (std::uint64_t i = 0;; ++i) {
                    const std::string key = std::to_string(round) + " " + std::to_string(c) + " " + std::to_string(i);
                    db.update([&](Transaction& tx) { tx.tree("t").put(key, own.bytes(own.below(2000))); },
                              {i % 4 == 0 ? Durability::full : Durability::lazy, std::nullopt});
                    send(pipe, i);
                    if (i % 20 == 7) db.checkpoint();
                }
                return true;
            });
        }
        std::vector<std::uint64_t> acknowledged(3);
        for (std::uint64_t i = 3 + dice.below(15); i > 0; --i) {
            for (std::size_t c = 0; c < 3; ++c) acknowledged[c] = children[c].receive().value();
        }
        for (const Child& child : children) child.kill();
        for (std::size_t c = 0; c < 3; ++c) {
            while (const std::optional<std::uint64_t> more = children[c].receive()) acknowledged[c] = *more;
            children[c].wait();
        }
        Database db = Database::open(path, small_steps());
        const Snapshot now = db.begin_read();
        for (std::size_t c = 0; c < 3; ++c) {
            for (std::uint64_t i = 0; i <= acknowledged[c]; ++i) {
                const std::string key = std::to_string(round) + " " + std::to_string(c) + " " + std::to_string(i);
                if (!now.tree("t").contains(key)) FAIL("lost " << key << " of " << acknowledged[c]);
            }
        }
        const VerifyReport report = db.verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        CHECK(report.ok());
    }
}

TEST_CASE("A feed follows the commits of another process, none left out", "[PAST-8][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "feed.db";
    const int count = scaled(80);
    Child follower([&](int pipe) {
        Database db = Database::open(path, small_steps());
        send(pipe, 0);
        Feed feed = db.feed(1);
        for (int i = 1; i <= count; ++i) {
            const std::optional<CommitRecord> record = feed.next(20000);
            if (!record || record->txn != static_cast<Txn>(i)) return false;
            if (record->operations.empty() || record->operations.back().key != "k" + std::to_string(i)) return false;
            if (record->operations.back().tree != "t") return false;
        }
        return feed.position().txn == static_cast<Txn>(count) && !feed.next(0);
    });
    REQUIRE(follower.receive().has_value());
    Child writer([&](int) {
        Database db = Database::open(path, small_steps());
        for (int i = 1; i <= count; ++i) {
            Transaction tx = db.begin_write({i % 2 == 0 ? Durability::full : Durability::lazy, std::nullopt});
            tx.tree("t").put("k" + std::to_string(i), std::string(500, 'v'));
            tx.commit();
            if (i % 20 == 0) db.checkpoint();
        }
        db.sync();
        return true;
    });
    CHECK(writer.wait() == 0);
    CHECK(follower.wait() == 0);
}

TEST_CASE("A snapshot in one process stays while another makes checkpoint after checkpoint", "[SNAP-1][SPACE-2]") {
    const Workplace place;
    const std::string path = place / "held.db";
    Child reader([&](int pipe) {
        Database db = Database::open(path, small_steps());
        {
            Transaction tx = db.begin_write();
            for (int i = 0; i < 500; ++i) tx.tree("t").put("k" + std::to_string(i), std::string(200, 'a'));
            tx.tree("t").put("large", std::string(100'000, 'a'));
            tx.commit();
        }
        db.checkpoint();
        const Snapshot held = db.begin_read();
        const std::string_view view = held.tree("t").get("large").value();
        const Hash before = held.state_hash();
        send(pipe, 1);
        Feed feed = db.feed(2);
        for (int i = 0; i < 12; ++i) {
            if (!feed.next(20000)) return false;
            if (held.state_hash() != before) return false;
        }
        return held.txn() == 1 && view == std::string(100'000, 'a') && db.begin_read().txn() >= 13;
    });
    REQUIRE(reader.receive().has_value());
    Child writer([&](int) {
        Database db = Database::open(path, small_steps());
        for (int round = 0; round < 12; ++round) {
            Transaction tx = db.begin_write();
            for (int i = 0; i < 500; ++i) {
                tx.tree("t").put("k" + std::to_string(i), std::string(200, static_cast<char>('b' + round)));
            }
            tx.tree("t").put("large", std::string(100'000, static_cast<char>('b' + round)));
            tx.commit();
            db.checkpoint();
        }
        return true;
    });
    CHECK(writer.wait() == 0);
    CHECK(reader.wait() == 0);
}

TEST_CASE("Handles inherited through fork refuse, and the parent goes on", "[SWARM-7]") {
    const Workplace place;
    const std::string path = place / "fork.db";
    Database db = Database::open(path, small_steps());
    {
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "1");
        tx.commit();
    }
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree("t");
    Transaction open = db.begin_write();
    open.tree("t").put("a", "2");
    Child child([&](int) {
        const auto code = [](const std::function<void()>& fn) -> std::optional<Errc> {
            try {
                fn();
            } catch (const Error& error) {
                return error.code();
            }
            return std::nullopt;
        };
        const auto expect = [&](const char* what, Errc wanted, const std::function<void()>& fn) {
            const std::optional<Errc> got = code(fn);
            if (got == wanted) return true;
            std::fprintf(stderr, "%s: %s\n", what, got ? to_string(*got) : "no error");
            return false;
        };
        bool ok = true;
        ok &= expect("begin_read", Errc::forked, [&] { static_cast<void>(db.begin_read()); });
        ok &= expect("begin_write", Errc::forked, [&] { static_cast<void>(db.begin_write()); });
        ok &= expect("begin_optimistic", Errc::forked, [&] { static_cast<void>(db.begin_optimistic()); });
        ok &= expect("sync", Errc::forked, [&] { db.sync(); });
        ok &= expect("checkpoint", Errc::forked, [&] { db.checkpoint(); });
        ok &= expect("statistics", Errc::forked, [&] { static_cast<void>(db.statistics()); });
        ok &= expect("commit", Errc::forked, [&] { open.commit(); });
        const std::optional<Errc> read = code([&] { static_cast<void>(tree.get("a")); });
        ok &= read == Errc::forked || read == Errc::snapshot_closed;
        // The child opens it for itself.
        Options options = small_steps();
#ifdef __SANITIZE_THREAD__
        options.background = false;  // ThreadSanitizer allows no new thread where the parent had threads
#endif
        Database own = Database::open(path, options);
        ok &= own.begin_read().tree("t").get("a") == "1";
        return ok;
    });
    CHECK(child.wait() == 0);
    CHECK(tree.get("a") == "1");
    CHECK(open.commit().txn == 2);
    CHECK(db.begin_read().tree("t").get("a") == "2");
}

TEST_CASE("An exclusive handle and one of another process exclude each other", "[ERR-1]") {
    const Workplace place;
    const std::string path = place / "alone.db";
    make_accounts(path);
    Options exclusive = small_steps();
    exclusive.exclusive = true;
    {
        Child holder([&](int pipe) {
            Database db = Database::open(path, exclusive);
            send(pipe, 1);
            ::pause();
            return true;
        });
        REQUIRE(holder.receive().has_value());
        CHECK(txn_test::code_of([&] { Database::open(path); }) == Errc::locked);
    }
    {
        Child holder([&](int pipe) {
            Database db = Database::open(path);
            send(pipe, 1);
            ::pause();
            return true;
        });
        REQUIRE(holder.receive().has_value());
        std::string refusal;
        try {
            Database::open(path, exclusive);
        } catch (const Error& error) {
            CHECK(error.code() == Errc::locked);
            refusal = error.what();
        }
        CHECK(refusal.find("is open in another process") != std::string::npos);
    }
    Database db = Database::open(path, exclusive);
    CHECK(sum_of(db.begin_read()) == k_accounts * k_money);
}

TEST_CASE("A write lock that another process keeps is a timeout", "[TX-1]") {
    const Workplace place;
    const std::string path = place / "wait.db";
    make_accounts(path);
    Child holder([&](int pipe) {
        Database db = Database::open(path);
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "b");
        send(pipe, 1);
        ::pause();
        return true;
    });
    REQUIRE(holder.receive().has_value());
    Database db = Database::open(path);
    CHECK(txn_test::code_of([&] { static_cast<void>(db.begin_write({std::nullopt, 50})); }) == Errc::timeout);
    CHECK(sum_of(db.begin_read()) == k_accounts * k_money);
    holder.kill();
    holder.wait();
    Transaction tx = db.begin_write({std::nullopt, 20000});
    CHECK_FALSE(tx.tree("t").get("a").has_value());
    tx.tree("t").put("a", "c");
    CHECK(tx.commit().txn == 2);
}

TEST_CASE("a redaction that a reader held up is finished by the reader's process when its maker was killed",
          "[CHAIN-3][SWARM-2]") {
    const Workplace place;
    const std::string path = place / "db";
    const std::string mark = "secret-value";
    const auto file_holds_it = [&] {
        std::ifstream in(path, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        return bytes.find(mark) != std::string::npos;
    };
    {
        Database db = Database::open(path);
        Transaction tx = db.begin_write();
        tx.tree("t").put("victim", mark + std::string(300, '.'));
        tx.commit();
    }
    Child reader([&](int pipe) {
        const Database db = Database::open(path);
        std::optional<Snapshot> held = db.begin_read();
        send(pipe, 1);
        while (!db.begin_read().tree("flags").get("go")) std::this_thread::yield();
        const std::optional<std::string_view> value = held->tree("t").get("victim");
        if (!value || value->substr(0, mark.size()) != mark) return false;
        held.reset();
        // Nobody calls anything that would finish it: the background does.
        while (db.statistics().redaction_pending != 0) std::this_thread::yield();
        send(pipe, 2);
        return !db.begin_read().tree("t").get("victim");
    });
    REQUIRE(reader.receive() == 1);
    Child redactor([&](int pipe) {
        Database db = Database::open(path);
        try {
            db.redact("t", "victim", 0, "asked for", 0);
        } catch (const Error& error) {
            if (error.code() != Errc::still_held) throw;
            send(pipe, 1);
        }
        ::pause();
        return false;
    });
    REQUIRE(redactor.receive() == 1);
    redactor.kill();
    REQUIRE(redactor.wait() == 128 + SIGKILL);
    CHECK(file_holds_it());
    Child writer([&](int) {
        Database db = Database::open(path);
        Transaction tx = db.begin_write();
        tx.tree("flags").put("go", "1");
        tx.commit();
        return true;
    });
    REQUIRE(writer.wait() == 0);
    REQUIRE(reader.receive() == 2);
    CHECK(!file_holds_it());
    REQUIRE(reader.wait() == 0);
}

TEST_CASE("While one process prunes, others read, look back, follow the feed, hold snapshots, or are stopped",
          "[PAST-5][PAST-8][SNAP-3][SWARM-1][SWARM-4]") {
    const Workplace place;
    const std::string path = place / "db";
    constexpr int k_before = 1200;
    constexpr std::uint64_t k_horizon = 1000;
    const auto value_at = [](std::uint64_t txn) { return std::to_string(txn) + std::string(40, '.'); };
    {
        Database db = Database::open(path, small_steps());
        for (int i = 0; i < k_before; ++i) {
            Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
            const std::string text = value_at(tx.base_txn() + 1);
            for (int k = 0; k < 20; ++k) tx.tree("t").put("k" + std::to_string((i * 7 + k * 13) % 500), text);
            tx.tree("t").put("hot", text);
            tx.commit();
        }
    }
    const auto look_back = [&](const Database& db, Dice& dice) {
        const Txn txn = k_horizon + dice.below(k_before - k_horizon);
        return db.begin_read(AsOf::txn(txn)).tree("t").get("hot") == std::optional<std::string_view>(value_at(txn));
    };
    Child holder([&](int pipe) {
        const Database db = Database::open(path, small_steps());
        const Snapshot now = db.begin_read();
        const Snapshot then = db.begin_read(AsOf::txn(500));
        const Hash hash = now.state_hash();
        const Hash past = then.state_hash();
        send(pipe, 1);
        while (!db.begin_read().tree("flags").get("pruned")) std::this_thread::yield();
        return now.state_hash() == hash && then.state_hash() == past;
    });
    Child reader([&](int pipe) {
        const Database db = Database::open(path, small_steps());
        Dice dice(11);
        send(pipe, 1);
        do {
            if (!look_back(db, dice)) return false;
        } while (!db.begin_read().tree("flags").get("pruned"));
        // From the commit on nobody gets behind the horizon, whichever process asks.
        return txn_test::code_of([&] { db.begin_read(AsOf::txn(k_horizon - 1)); }) == Errc::before_horizon;
    });
    Child follower([&](int pipe) {
        Database db = Database::open(path, small_steps());
        Feed feed = db.feed(k_horizon);
        send(pipe, 1);
        for (Txn wanted = k_horizon;; ++wanted) {
            const std::optional<CommitRecord> record = feed.next(20000);
            if (!record || record->txn != wanted) return false;
            for (const Operation& op : record->operations) {
                if (op.tree == "flags" && op.key == "pruned") return true;
            }
        }
    });
    Child stopped([&](int pipe) {
        const Database db = Database::open(path, small_steps());
        Dice dice(12);
        const Snapshot held = db.begin_read();
        const Hash hash = held.state_hash();
        send(pipe, 1);
        while (!db.begin_read().tree("flags").get("pruned")) {
            if (!look_back(db, dice)) return false;
        }
        return held.state_hash() == hash && look_back(db, dice);
    });
    for (const Child* child : {&holder, &reader, &follower, &stopped}) REQUIRE(child->receive() == 1);
    stopped.stop();
    Child pruner([&](int pipe) {
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, small_steps());
        core->set_move_budget({4096, 65536});
        Database db = detail::make_database(core);
        const std::uint64_t generation = db.statistics().generation;
        if (db.prune(AsOf::txn(k_horizon)) != k_horizon) return false;
        if (db.statistics().generation < generation + 10) return false;
        Transaction tx = db.begin_write();
        tx.tree("flags").put("pruned", "1");
        tx.commit();
        send(pipe, 1);
        return true;
    });
    REQUIRE(pruner.receive() == 1);
    stopped.go_on();
    CHECK(pruner.wait() == 0);
    CHECK(holder.wait() == 0);
    CHECK(reader.wait() == 0);
    CHECK(follower.wait() == 0);
    CHECK(stopped.wait() == 0);
    const Database db = Database::open(path, small_steps());
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
    CHECK(db.statistics().oldest_txn == k_horizon);
}

TEST_CASE("A prune whose process was killed is carried to its end by the next one", "[PAST-5][SWARM-2]") {
    const std::uint64_t first = txn_test::seed(1);
    const int rounds = scaled(6);
    for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(rounds); ++seed) {
        INFO("seed " << seed);
        const Workplace place;
        const std::string path = place / "db";
        {
            Database db = Database::open(path, small_steps());
            for (int i = 0; i < 400; ++i) {
                Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
                for (int k = 0; k < 10; ++k) {
                    tx.tree("t").put("k" + std::to_string((i * 7 + k * 13) % 300), std::to_string(i));
                }
                tx.tree("t").put("hot", std::to_string(i + 1));
                tx.commit();
            }
        }
        Child pruner([&](int pipe) {
            const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, small_steps());
            core->set_move_budget({2048, 32768});
            Database db = detail::make_database(core);
            const std::uint64_t generation = db.statistics().generation;
            std::thread watch([&] {
                // Dies after so many of its steps.
                while (db.statistics().generation < generation + 2 + seed * 3) std::this_thread::yield();
                send(pipe, 1);
                ::pause();
            });
            db.prune(AsOf::txn(300));
            watch.join();
            return false;
        });
        REQUIRE(pruner.receive() == 1);
        pruner.kill();
        REQUIRE(pruner.wait() == 128 + SIGKILL);
        Options options = small_steps();
        options.background = false;
        Database db = Database::open(path, options);
        CHECK(db.begin_read(AsOf::txn(300)).tree("t").get("hot") == std::optional<std::string_view>("300"));
        CHECK(txn_test::code_of([&] { db.begin_read(AsOf::txn(299)); }) == Errc::before_horizon);
        db.checkpoint();
        CHECK(db.oldest_state().txn == 300);
        const VerifyReport report = db.verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        CHECK(report.ok());
    }
}
