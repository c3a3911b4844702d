// task_workers_test.cpp -- many workers on one queue, in threads and in processes, and how they are woken.
#include "peer.hpp"
#include "task_support.hpp"
#include "thread_state.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <sys/wait.h>

namespace {

using namespace task_test;
using txn_test::Dice;
using txn_test::Peer;
using txn_test::scaled;
using txn_test::Workplace;

constexpr std::uint32_t k_long_ms = 120'000;  // a test that waits for so long has failed

TaskClaimRequest waiting_for(const std::string& type) {
    TaskClaimRequest request = of_type(type, 3'600'000'000);  // a task that got lost does not come back
    request.wait_ms = k_long_ms;
    return request;
}

void fill(TaskQueue& queue, int tasks) {
    std::vector<TaskSpec> specs(static_cast<std::size_t>(tasks));
    for (TaskSpec& spec : specs) {
        spec.type = "t";
        spec.max_attempts = 1000;
        spec.backoff_us = 0;
    }
    queue.enqueue(specs);
}

/// Works until nothing is ready: completes most tasks, gives some back. Returns those it completed.
std::vector<TaskId> work(TaskQueue& queue, std::uint64_t seed) {
    Dice dice(seed);
    std::vector<TaskId> done;
    TaskClaimRequest request = of_type("t");
    for (;;) {
        request.count = static_cast<std::uint32_t>(1 + dice.below(3));
        const std::vector<TaskClaim> claims = queue.claim(request);
        if (claims.empty()) return done;
        for (const TaskClaim& claim : claims) {
            if (dice.chance(20)) {
                queue.fail(claim);
            } else if (queue.complete(claim)) {
                done.push_back(claim.id);
            }
        }
    }
}

TEST_CASE("whatever many threads do at once, every task is completed exactly once") {
    const Workplace place;
    for (const Durability durability : {Durability::lazy, Durability::full}) {
        Database db = Database::open(place / (durability == Durability::lazy ? "lazy" : "full"));
        TaskQueue queue(db, {.durability = durability, .clock = nullptr});
        const int tasks = scaled(durability == Durability::lazy ? 3000 : 300);
        fill(queue, tasks);
        std::vector<std::vector<TaskId>> done(16);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < done.size(); ++i) {
            threads.emplace_back([&, i] { done[i] = work(queue, i); });
        }
        for (std::thread& thread : threads) thread.join();
        // A thread may leave while another holds a task that it then gives back.
        done.push_back(work(queue, 99));
        std::set<TaskId> all;
        std::size_t count = 0;
        for (const std::vector<TaskId>& part : done) {
            all.insert(part.begin(), part.end());
            count += part.size();
        }
        CHECK(count == static_cast<std::size_t>(tasks));
        CHECK(all.size() == static_cast<std::size_t>(tasks));
        check_rows(db);
        CHECK(TaskView(db.begin_read()).stats().empty());
    }
}

/// A clock at which the first transaction waits until so many callers are on their way.
class WaitingClock final : public TaskClock {
public:
    explicit WaitingClock(int callers) : callers_(callers) {}
    void call() { ++called_; }
    std::uint64_t now_us() const override {
        while (called_.load() < callers_) std::this_thread::yield();
        // The last of them is about to join; nothing but time tells when it has.
        for (int i = 0; i < 1000 && !gone_.load(); ++i) std::this_thread::yield();
        gone_ = true;
        return 1'000'000;
    }

private:
    const int callers_;
    std::atomic<int> called_{0};
    mutable std::atomic<bool> gone_{false};
};

TEST_CASE("callers that come while one commits share the next commit") {
    Database db = Database::open(":memory:");
    TaskQueue filling(db, lazily());
    fill(filling, 16);
    const Txn before = db.begin_read().txn();
    WaitingClock clock(16);
    TaskQueue queue(db, lazily(&clock));
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&] {
            clock.call();
            if (queue.claim(of_type("t")).size() != 1) std::abort();
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(db.begin_read().txn() - before < 16);
    CHECK(totals(db.begin_read()).leased == 16);
}

TEST_CASE("callers that come while another process writes share one commit") {
    const Workplace place;
    Peer other(place / "db");
    Database db = Database::open(place / "db");
    TaskQueue queue(db, lazily());
    fill(queue, 8);
    std::optional<Transaction> held(other.db.begin_write());
    const Txn before = db.begin_read().txn();
    std::vector<std::atomic<long>> ids(8);
    std::vector<std::thread> threads;
    for (std::atomic<long>& id : ids) {
        threads.emplace_back([&] {
            id = txn_test::this_thread();
            if (queue.claim(of_type("t")).size() != 1) std::abort();
        });
    }
    // Each sleeps: one waits for the write lock, the others for it.
    for (const std::atomic<long>& id : ids) {
        while (id == 0 || txn_test::state_of(id) != 'S') std::this_thread::yield();
    }
    held.reset();
    for (std::thread& thread : threads) thread.join();
    CHECK(db.begin_read().txn() == before + 1);
    CHECK(totals(db.begin_read()).leased == 8);
}

TEST_CASE("an error of one caller is not that of those who shared its transaction") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    fill(queue, 400);
    std::atomic<int> claimed{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            for (int n = 0; n < 50; ++n) {
                if (i % 2 == 0) {
                    claimed += static_cast<int>(queue.claim(of_type("t")).size());
                } else {
                    try {
                        queue.enqueue(TaskSpec{});
                    } catch (const Error&) {
                        ++refused;
                    }
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(claimed == 200);
    CHECK(refused == 200);
}

TEST_CASE("a claim that waits is given what another thread enqueues") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    std::vector<TaskClaim> claims;
    std::thread waiting([&] { claims = queue.claim(waiting_for("t")); });
    queue.enqueue({.type = "other"});
    const TaskId id = queue.enqueue({.type = "t"}).id;
    waiting.join();
    CHECK(ids(claims) == std::vector<TaskId>{id});
}

TEST_CASE("many claims that wait are given one task each") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    std::mutex mutex;
    std::set<TaskId> given;
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i) {
        threads.emplace_back([&] {
            const std::vector<TaskClaim> claims = queue.claim(waiting_for("t"));
            const std::lock_guard lock(mutex);
            for (const TaskClaim& claim : claims) given.insert(claim.id);
        });
    }
    for (int i = 0; i < 20; ++i) queue.enqueue({.type = "t"});
    fill(queue, 20);
    for (std::thread& thread : threads) thread.join();
    CHECK(given.size() == 40);
    check_rows(db);
}

TEST_CASE("a task that an application's own transaction enqueues wakes who waits for it") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    std::vector<TaskClaim> claims;
    std::thread waiting([&] { claims = queue.claim(waiting_for("t")); });
    db.update([&](Transaction& tx) { queue.enqueue(tx, {.type = "t"}); });
    waiting.join();
    CHECK(claims.size() == 1);
}

TEST_CASE("a claim that waits is given a task as soon as its time comes or its holder's lease ends") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    struct Now final : TaskClock {
        std::uint64_t now_us() const override {
            return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                                  std::chrono::system_clock::now().time_since_epoch())
                                                  .count());
        }
    } now;
    queue.enqueue({.type = "t", .run_at_us = now.now_us() + 20'000});
    TaskClaimRequest request = waiting_for("t");
    request.lease_us = 20'000;
    const TaskClaim first = claim_one(queue, request);
    const TaskClaim second = claim_one(queue, request);
    CHECK(second.id == first.id);
    CHECK(second.attempt == 2);
}

TEST_CASE("a claim that waits in vain ends when its time is over") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    TaskClaimRequest request = of_type("t");
    request.wait_ms = 5;
    CHECK(queue.claim(request).empty());
    CHECK_FALSE(queue.wait({"t"}, 5));
    queue.enqueue({.type = "other"});
    CHECK_FALSE(queue.wait({"t"}, 5));
    queue.enqueue({.type = "t"});
    CHECK(queue.wait({"t"}, k_long_ms));
    CHECK(queue.wait({}, k_long_ms));
}

TEST_CASE("when one waiting claim gives up the others are still woken") {
    Database db = Database::open(":memory:");
    TaskQueue queue(db, lazily());
    // The first to come is the one that listens for all.
    TaskClaimRequest brief = of_type("t");
    brief.wait_ms = 1;
    std::vector<TaskClaim> claims;
    std::thread listener([&] { queue.claim(brief); });
    std::thread waiting([&] { claims = queue.claim(waiting_for("t")); });
    listener.join();
    db.update([&](Transaction& tx) { queue.enqueue(tx, {.type = "t"}); });
    waiting.join();
    CHECK(claims.size() == 1);
}

TEST_CASE("a claim that waits is woken by another process") {
    const Workplace place;
    Peer a(place / "db");
    Peer b(place / "db");
    TaskQueue here(a.db, lazily());
    TaskQueue there(b.db, lazily());
    std::vector<TaskClaim> claims;
    std::thread waiting([&] { claims = here.claim(waiting_for("t")); });
    const TaskId id = there.enqueue({.type = "t"}).id;
    waiting.join();
    CHECK(ids(claims) == std::vector<TaskId>{id});
    CHECK_FALSE(there.complete(TaskToken{id, 1, 0, {}}));
    CHECK(there.complete(claims.front().token()));
}

TEST_CASE("what one process knows to be due is not what another one made due since") {
    const Workplace place;
    StoppedClock clock;
    Peer a(place / "db");
    Peer b(place / "db");
    TaskQueue here(a.db, lazily(&clock));
    TaskQueue there(b.db, lazily(&clock));
    here.enqueue({.type = "late", .run_at_us = clock.now_us() + 1'000'000});
    CHECK(here.claim({}).empty());
    there.enqueue({.type = "soon", .run_at_us = clock.now_us() + 10});
    clock.advance(10);
    CHECK(here.claim({}).size() == 1);
}

TEST_CASE("many processes with many threads complete every task exactly once [slow]") {
    const Workplace place;
    const std::string path = place / "db";
    const int tasks = scaled(1500);
    {
        Database db = Database::open(path);
        TaskQueue queue(db, lazily());
        fill(queue, tasks);
    }
    std::vector<std::pair<::pid_t, int>> children;
    for (std::uint64_t process = 0; process < 4; ++process) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        const ::pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            int code = 1;
            try {
                Database db = Database::open(path);
                TaskQueue queue(db, lazily());
                std::vector<std::vector<TaskId>> done(4);
                std::vector<std::thread> threads;
                for (std::size_t i = 0; i < done.size(); ++i) {
                    threads.emplace_back([&, i] { done[i] = work(queue, process * 100 + i); });
                }
                for (std::thread& thread : threads) thread.join();
                code = 0;
                for (const std::vector<TaskId>& part : done) {
                    const auto size = static_cast<::ssize_t>(part.size() * sizeof(TaskId));
                    if (!part.empty() && ::write(ends[1], part.data(), part.size() * sizeof(TaskId)) != size) code = 2;
                }
            } catch (const std::exception& error) {
                std::fprintf(stderr, "child: %s\n", error.what());
            }
            ::_exit(code);
        }
        ::close(ends[1]);
        children.emplace_back(child, ends[0]);
    }
    std::multiset<TaskId> done;
    for (const auto& [child, from] : children) {
        TaskId id = 0;
        while (::read(from, &id, sizeof id) == sizeof id) done.insert(id);
        ::close(from);
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
    Database db = Database::open(path);
    TaskQueue queue(db, lazily());
    for (const TaskId id : work(queue, 7)) done.insert(id);
    CHECK(done.size() == static_cast<std::size_t>(tasks));
    CHECK(std::set<TaskId>(done.begin(), done.end()).size() == static_cast<std::size_t>(tasks));
    check_rows(db);
}

}  // namespace
