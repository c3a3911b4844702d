// task_kill_suite.cpp -- workers of a task queue in real processes, killed at random instants: every task is done once.
//
// Each round starts a few processes with one thread that enqueues and three that claim, complete, fail, prolong, and
// forget tasks or come back with them when their lease is over; all of a process in one TaskQueue, so that they share
// commits. Each tells the parent of what returned. All are killed, one after the other. At the end of a few rounds a
// process of its own works until the queue is empty, and the ledger is made up:
//   * a task whose enqueueing returned is completed, and so is every other that is in the log;
//   * the log completes each task once, and of those completions that returned none a second time;
//   * the log never gives a task to a second worker while a first one has it;
//   * the effect that is written in one transaction with a completion is there once.
//
//   task_kill_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include "task/rows.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 40;
constexpr std::uint64_t k_keep_rounds = 5;
constexpr std::uint64_t k_lease_us = 30'000;
constexpr std::uint32_t k_wait_ms = 20;
constexpr const char* k_effects = "effects";

/// What a message's writer stands for here; its number is the task's.
enum What : std::uint64_t { k_enqueued = 1, k_completed = 2 };

/// What the parent heard.
struct Ledger {
    std::set<TaskId> enqueued;
    std::map<TaskId, int> completed;
};

TaskQueueOptions options_of(Random& random) {
    TaskQueueOptions options;
    options.durability = random.chance(1, 4) ? Durability::full : Durability::lazy;
    return options;
}

void enqueue(TaskQueue& queue, const Messages& messages, Random& random) {
    std::vector<std::string> texts;
    std::vector<TaskSpec> specs(random.between(1, 6));
    texts.reserve(specs.size());
    for (TaskSpec& spec : specs) {
        spec.type = random.chance(1, 2) ? "build" : "test";
        spec.payload = texts.emplace_back(random.below(200), 'p');
        spec.priority = static_cast<std::uint8_t>(random.below(3));
        spec.max_attempts = 1'000'000;
        spec.backoff_us = random.below(2000);
    }
    for (const TaskEnqueued& task : queue.enqueue(specs)) {
        messages.tell({Message::Kind::record, k_enqueued, task.id});
    }
}

/// Completes a task, half the time with an effect in the same transaction. True: the claim still had it.
bool complete(Database& db, TaskQueue& queue, const TaskClaim& claim, Random& random) {
    if (random.chance(1, 2)) return queue.complete(claim);
    Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
    if (!queue.complete(tx, claim)) return false;
    const std::string key = std::to_string(claim.id);
    WritableTree effects = tx.tree(k_effects);
    effects.put(key, std::string(effects.get(key).value_or("")) + "!");
    tx.commit();
    return true;
}

void finish(Database& db, TaskQueue& queue, const TaskClaim& claim, const Messages& messages, Random& random) {
    if (complete(db, queue, claim, random)) messages.tell({Message::Kind::record, k_completed, claim.id});
}

void work(Database& db, TaskQueue& queue, const Messages& messages, Random& random) {
    std::vector<TaskClaim> late;  // held until their leases are over, perhaps
    for (;;) {
        TaskClaimRequest request;
        if (random.chance(1, 2)) request.types = {random.chance(1, 2) ? "build" : "test"};
        request.count = static_cast<std::uint32_t>(random.between(1, 3));
        request.lease_us = k_lease_us;
        request.wait_ms = random.chance(1, 2) ? k_wait_ms : 0;
        for (TaskClaim& claim : queue.claim(request)) {
            const std::uint64_t chance = random.below(100);
            if (chance < 60) {
                finish(db, queue, claim, messages, random);
            } else if (chance < 75) {
                queue.fail(claim);
            } else if (chance < 85) {
                if (queue.heartbeat(claim, k_lease_us)) finish(db, queue, claim, messages, random);
            } else if (chance < 97) {
                late.push_back(std::move(claim));
            }
        }
        if (late.size() > 8) {
            for (const TaskClaim& claim : late) finish(db, queue, claim, messages, random);
            late.clear();
        }
        if (random.chance(1, 300)) db.checkpoint();
    }
}

int child(const std::string& path, Messages& messages, std::uint64_t seed) {
    messages.only_tell();
    Random options(seed);
    Database db = Database::open(path, record_options());
    TaskQueue queue(db, options_of(options));
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            try {
                Random random(seed * 8 + i);
                if (i != 0) work(db, queue, messages, random);
                for (;;) enqueue(queue, messages, random);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "a thread failed: %s\n", error.what());
                ::_exit(3);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return 3;
}

/// Works until nothing is left.
void drain_queue(Database& db) {
    TaskQueue queue(db, {.durability = Durability::lazy, .clock = nullptr});
    TaskClaimRequest request;
    request.count = 64;
    request.wait_ms = 100;
    while (TaskView(db.begin_read()).size() != 0) {
        for (const TaskClaim& claim : queue.claim(request)) {
            if (!queue.complete(claim)) throw std::runtime_error("a claim of the only worker was refused");
        }
    }
}

/// What the log says happened to tasks.
struct History {
    std::map<TaskId, int> completions;
    int double_claims = 0;
};

TaskId id_behind(std::string_view key, std::size_t at) { return detail::parse_task_id(key.substr(at)); }

History read_history(const Database& db) {
    History history;
    std::set<TaskId> leased;
    for (const CommitRecord& record : db.commits()) {
        // Within a commit rows of one task may go and come in any order of their keys.
        for (const Operation& operation : record.operations) {
            const bool lease = operation.tree == detail::k_tasks_tree && operation.key.substr(0, 1) == "l";
            if (lease && operation.kind == Operation::Kind::erase) leased.erase(id_behind(operation.key, 9));
            if (operation.tree == detail::k_task_bodies_tree && operation.kind == Operation::Kind::erase) {
                ++history.completions[id_behind(operation.key, 0)];
            }
        }
        for (const Operation& operation : record.operations) {
            const bool lease = operation.tree == detail::k_tasks_tree && operation.key.substr(0, 1) == "l";
            if (!lease || operation.kind != Operation::Kind::put) continue;
            const bool claim = detail::LeaseRow::decode(operation.value).claim == record.txn;
            const bool added = leased.insert(id_behind(operation.key, 9)).second;
            if (claim && !added) ++history.double_claims;
        }
    }
    return history;
}

int check(const std::string& path, const Ledger& ledger) {
    int problems = 0;
    const auto problem = [&](const std::string& what) {
        if (++problems <= 5) std::fprintf(stderr, "%s\n", what.c_str());
    };
    Database db = Database::open(path, record_options());
    for (const Problem& p : TaskView(db.begin_read()).verify()) problem("the queue: " + p.where + " " + p.what);
    drain_queue(db);
    db.sync();
    const History history = read_history(db);
    if (history.double_claims != 0) problem(std::to_string(history.double_claims) + " tasks were claimed while leased");
    for (const TaskId id : ledger.enqueued) {
        if (!history.completions.contains(id)) problem("task " + std::to_string(id) + " was enqueued and got lost");
    }
    for (const auto& [id, count] : history.completions) {
        if (count != 1) problem("task " + std::to_string(id) + " is completed twice in the log");
    }
    for (const auto& [id, count] : ledger.completed) {
        if (count != 1) problem("task " + std::to_string(id) + " was completed for two workers");
        if (!history.completions.contains(id)) problem("task " + std::to_string(id) + " is completed, not in the log");
    }
    {
        const Snapshot now = db.begin_read();
        for (const auto [key, value] : now.tree(k_effects).all()) {
            if (value != "!") problem("the effect of task " + std::string(key) + " is there twice");
        }
    }
    for (const Problem& p : db.verify().problems) problem("verify: " + p.where + ": " + p.what);
    db.close();
    return problems;
}

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; round += k_keep_rounds) {
            Folder folder("task-kill");
            Ledger ledger;
            bool fine = true;
            for (std::uint64_t i = round; i < std::min(round + k_keep_rounds, rounds); ++i) {
                fine = one_round(folder / "db", ledger) && fine;
            }
            fine = succeeds([&] { return check(folder / "db", ledger); }) && fine;
            tasks += ledger.enqueued.size();
            completions += ledger.completed.size();
            if (fine) continue;
            folder.keep();
            std::fprintf(stderr, "rounds from %llu on failed; the file is kept in %s\n",
                         static_cast<unsigned long long>(round), folder.path().c_str());
            return false;
        }
        return true;
    }

    std::uint64_t kills = 0;
    std::uint64_t tasks = 0;
    std::uint64_t completions = 0;

private:
    bool one_round(const std::string& path, Ledger& ledger) {
        Messages messages;
        std::vector<::pid_t> children;
        for (std::uint64_t i = random_.between(2, 4); i != 0; --i) {
            const std::uint64_t seed = random_.next();
            children.push_back(start_process([&] { return child(path, messages, seed); }));
        }
        messages.only_listen();
        bool fine = true;
        for (const ::pid_t process : children) {
            hear(messages, random_.between(5, 60), ledger);
            if (!WIFSIGNALED(end_of(process, true))) fine = false;  // it ended by itself: something failed
            ++kills;
        }
        hear(messages, 0, ledger);
        return fine;
    }

    static void hear(Messages& messages, std::uint64_t milliseconds, Ledger& ledger) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point until = Clock::now() + std::chrono::milliseconds(milliseconds);
        Message message;
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
            if (left <= 0 && milliseconds != 0) return;
            if (!messages.listen(message, left > 0 ? static_cast<std::uint64_t>(left) : 0)) return;
            if (message.writer == k_enqueued) ledger.enqueued.insert(message.number);
            if (message.writer == k_completed) ++ledger.completed[message.number];
        }
    }

    Random random_;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    Rounds suite(plan.seed);
    const bool fine = suite.run(plan.rounds);
    std::printf("%llu processes killed in %llu rounds of seed %llu, %llu tasks enqueued, %llu completions told: %s\n",
                static_cast<unsigned long long>(suite.kills), static_cast<unsigned long long>(plan.rounds),
                static_cast<unsigned long long>(plan.seed), static_cast<unsigned long long>(suite.tasks),
                static_cast<unsigned long long>(suite.completions), fine ? "each done once" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
