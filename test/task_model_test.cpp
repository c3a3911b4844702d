// task_model_test.cpp -- random operations against a queue that is a plain list, under a clock that stands still.
#include "task_support.hpp"

#include <algorithm>
#include <map>

namespace {

using namespace task_test;
using txn_test::Dice;

/// What the queue should be: every task in one map, every question a walk over it.
class PlainQueue {
public:
    struct Task {
        TaskState state = TaskState::ready;
        std::string type, key, payload;
        std::uint8_t priority = 0;
        std::uint32_t attempts = 0, max_attempts = 1;
        std::uint64_t backoff = 0, longest = 0;
        std::uint64_t time = 0;   // due, or the end of the lease
        std::uint64_t until = 0;  // the end of the lease as claimed
        Txn claim = 0;
    };
    std::map<TaskId, Task> tasks;
    TaskId next = 1;

    /// What happens by itself as soon as anybody does anything.
    void pass_time(std::uint64_t now) {
        for (auto& [id, task] : tasks) {
            if (task.state == TaskState::delayed && task.time <= now) task.state = TaskState::ready;
            if (task.state == TaskState::leased && task.time <= now) end_attempt(task, 0, false, now);
        }
    }
    TaskEnqueued enqueue(const TaskSpec& spec, std::uint64_t now) {
        for (const auto& [id, task] : tasks) {
            if (!spec.dedup_key.empty() && task.type == spec.type && task.key == spec.dedup_key) return {id, false};
        }
        Task task;
        task.type = spec.type;
        task.key = spec.dedup_key;
        task.payload = spec.payload;
        task.priority = spec.priority;
        task.max_attempts = spec.max_attempts;
        task.backoff = spec.backoff_us;
        task.longest = spec.longest_backoff_us;
        task.state = spec.run_at_us > now ? TaskState::delayed : TaskState::ready;
        task.time = spec.run_at_us;
        tasks[next] = task;
        return {next++, true};
    }
    std::vector<TaskId> claim(const TaskClaimRequest& request, std::uint64_t now) {
        std::vector<TaskId> best;
        for (const auto& [id, task] : tasks) {
            const bool wanted = request.types.empty() ||
                                std::find(request.types.begin(), request.types.end(), task.type) != request.types.end();
            if (task.state == TaskState::ready && wanted) best.push_back(id);
        }
        std::stable_sort(best.begin(), best.end(),
                         [&](TaskId a, TaskId b) { return tasks[a].priority > tasks[b].priority; });
        if (best.size() > request.count) best.resize(request.count);
        for (const TaskId id : best) {
            Task& task = tasks[id];
            task.state = TaskState::leased;
            task.time = task.until = now + request.lease_us;
            ++task.attempts;
        }
        return best;
    }
    /// The task that a claim still holds; nullptr: it lost it.
    Task* held(const TaskClaim& claim) {
        const auto found = tasks.find(claim.id);
        if (found == tasks.end() || found->second.state != TaskState::leased) return nullptr;
        return found->second.claim == claim.commit.txn ? &found->second : nullptr;
    }
    static TaskFailed end_attempt(Task& task, std::uint64_t pause, bool final, std::uint64_t now) {
        if (final || task.attempts >= task.max_attempts) {
            task.state = TaskState::dead;
            return TaskFailed::dead;
        }
        task.state = pause == 0 ? TaskState::ready : TaskState::delayed;
        task.time = now + pause;
        return TaskFailed::retried;
    }
};

class Run {
public:
    explicit Run(std::uint64_t seed) : dice_(seed), db_(Database::open(":memory:")), queue_(db_, lazily(&clock_)) {}

    void step() {
        clock_.advance(dice_.below(dice_.chance(10) ? 5000 : 50));
        now_ = clock_.now_us();
        const std::uint64_t what = dice_.below(100);
        if (what < 35) {
            enqueue();
        } else if (what < 65) {
            claim();
        } else if (what < 80) {
            complete();
        } else if (what < 90) {
            fail();
        } else if (what < 96) {
            heartbeat();
        } else {
            revive();
        }
    }
    /// Every task, as a snapshot of now shows it.
    void compare() {
        const Snapshot snapshot = db_.begin_read();
        const TaskView view(snapshot);
        std::map<TaskId, TaskInfo> shown;
        for (const TaskState state : {TaskState::ready, TaskState::delayed, TaskState::leased, TaskState::dead}) {
            for (TaskInfo& task : view.list(state, 1'000'000)) {
                const TaskId id = task.id;
                CHECK(shown.emplace(id, std::move(task)).second);
            }
        }
        REQUIRE(shown.size() == model_.tasks.size());
        for (const auto& [id, task] : model_.tasks) {
            INFO("task " << id);
            const TaskInfo& info = shown.at(id);
            CHECK(info.state == task.state);
            CHECK(info.type == task.type);
            CHECK(info.payload == task.payload);
            CHECK(info.dedup_key == task.key);
            CHECK(info.attempts == task.attempts);
            if (task.state == TaskState::delayed || task.state == TaskState::leased) CHECK(info.time_us == task.time);
            if (task.state == TaskState::leased) CHECK(info.claimed_by == task.claim);
        }
        check_rows(db_);
    }

private:
    std::string type() { return "type" + std::to_string(dice_.below(4)); }

    void enqueue() {
        std::vector<std::string> texts;
        std::vector<TaskSpec> specs(1 + (dice_.chance(20) ? dice_.below(5) : 0));
        texts.reserve(specs.size() * 3);
        for (TaskSpec& spec : specs) {
            spec.type = texts.emplace_back(type());
            spec.payload = texts.emplace_back(dice_.bytes(dice_.below(60)));
            spec.dedup_key = texts.emplace_back(dice_.chance(30) ? "key" + std::to_string(dice_.below(10)) : "");
            spec.priority = static_cast<std::uint8_t>(dice_.chance(50) ? 0 : dice_.below(256));
            spec.run_at_us = dice_.chance(25) ? now_ + dice_.below(3000) : 0;
            spec.max_attempts = static_cast<std::uint32_t>(1 + dice_.below(4));
            spec.backoff_us = dice_.below(300);
            spec.longest_backoff_us = dice_.chance(50) ? 500 : 100'000;
        }
        const std::vector<TaskEnqueued> given = queue_.enqueue(specs);
        model_.pass_time(now_);
        REQUIRE(given.size() == specs.size());
        for (std::size_t i = 0; i < specs.size(); ++i) {
            const TaskEnqueued expected = model_.enqueue(specs[i], now_);
            CHECK(given[i].id == expected.id);
            CHECK(given[i].created == expected.created);
        }
    }
    void claim() {
        TaskClaimRequest request;
        for (std::uint64_t i = dice_.below(4); i != 0; --i) request.types.push_back(type());
        request.count = static_cast<std::uint32_t>(1 + (dice_.chance(30) ? dice_.below(6) : 0));
        request.lease_us = 1 + dice_.below(4000);
        std::vector<TaskClaim> given = queue_.claim(request);
        model_.pass_time(now_);
        const std::vector<TaskId> expected = model_.claim(request, now_);
        REQUIRE(ids(given) == expected);
        for (TaskClaim& claim : given) {
            PlainQueue::Task& task = model_.tasks[claim.id];
            task.claim = claim.commit.txn;
            CHECK(claim.payload == task.payload);
            CHECK(claim.priority == task.priority);
            CHECK(claim.attempt == task.attempts);
            CHECK(claim.lease_until_us == task.until);
            claims_.push_back(std::move(claim));
        }
    }
    /// One of the claims there ever were, rather a new one.
    const TaskClaim* some_claim() {
        if (claims_.empty()) return nullptr;
        const std::size_t back = dice_.chance(80) ? std::min<std::size_t>(claims_.size(), 12) : claims_.size();
        return &claims_[claims_.size() - 1 - dice_.below(back)];
    }
    void complete() {
        const TaskClaim* const claim = some_claim();
        if (claim == nullptr) return;
        // In a transaction of the application's time does not pass: a lease that ended is still there.
        if (dice_.chance(20)) {
            Transaction tx = db_.begin_write({Durability::lazy, std::nullopt});
            const bool done = queue_.complete(tx, *claim);
            tx.tree("effects").put(claim->payload + "e", "done");
            tx.commit();
            CHECK(done == (model_.held(*claim) != nullptr));
            if (done) model_.tasks.erase(claim->id);
            return;
        }
        const bool done = dice_.chance(20) ? queue_.complete(claim->token()) : queue_.complete(*claim);
        model_.pass_time(now_);
        CHECK(done == (model_.held(*claim) != nullptr));
        if (done) model_.tasks.erase(claim->id);
    }
    void fail() {
        const TaskClaim* const claim = some_claim();
        if (claim == nullptr) return;
        TaskFailure failure;
        failure.reason = "it rained";
        failure.final = dice_.chance(5);
        if (dice_.chance(30)) failure.retry_after_us = dice_.below(400);
        const TaskFailed what = queue_.fail(*claim, failure);
        model_.pass_time(now_);
        PlainQueue::Task* const task = model_.held(*claim);
        if (task == nullptr) {
            CHECK(what == TaskFailed::lost);
            return;
        }
        std::uint64_t pause = task->backoff;
        for (std::uint32_t i = 1; i < task->attempts; ++i) pause *= 2;
        pause = failure.retry_after_us.value_or(std::min(pause, task->longest));
        CHECK(what == PlainQueue::end_attempt(*task, pause, failure.final, now_));
    }
    void heartbeat() {
        const TaskClaim* const claim = some_claim();
        if (claim == nullptr) return;
        const std::uint64_t lease = 1 + dice_.below(4000);
        const std::optional<std::uint64_t> until = queue_.heartbeat(*claim, lease);
        model_.pass_time(now_);
        PlainQueue::Task* const task = model_.held(*claim);
        REQUIRE(until.has_value() == (task != nullptr));
        if (task == nullptr) return;
        task->time = std::max(task->until, now_ + lease);
        CHECK(*until == task->time);
    }
    void revive() {
        const TaskId id = 1 + dice_.below(model_.next);
        const bool drop = dice_.chance(40);
        const bool done = drop ? queue_.drop(id) : queue_.requeue(id);
        model_.pass_time(now_);
        const auto found = model_.tasks.find(id);
        REQUIRE(done == (found != model_.tasks.end() && found->second.state == TaskState::dead));
        if (!done) return;
        if (drop) {
            model_.tasks.erase(found);
        } else {
            found->second.state = TaskState::ready;
            found->second.attempts = 0;
        }
    }

    Dice dice_;
    StoppedClock clock_;
    Database db_;
    TaskQueue queue_;
    PlainQueue model_;
    std::vector<TaskClaim> claims_;
    std::uint64_t now_ = 0;
};

TEST_CASE("the queue does what a plain list of tasks would do [TASK-1] [TASK-2] [TASK-3] [TASK-4] [TASK-5] [TASK-6]") {
    const std::uint64_t first = txn_test::seed(1);
    const int runs = txn_test::scaled(8);
    for (int run = 0; run < runs; ++run) {
        INFO("NORTHSTAR_TEST_SEED=" << first + static_cast<std::uint64_t>(run));
        Run one(first + static_cast<std::uint64_t>(run));
        for (int step = 0; step < 1500; ++step) {
            one.step();
            if (step % 100 == 0) one.compare();
        }
        one.compare();
    }
}

}  // namespace
