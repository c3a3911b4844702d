#include "task_queue.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "workload.hpp"

namespace bench {
namespace task_queue_impl {

using northstar::Database;
using northstar::Durability;

constexpr const char* k_type = "review";
constexpr std::uint64_t k_lease_us = 600'000'000;
constexpr std::uint64_t k_tasks_per_commit = 1000;

class Worker final : public TaskWorker {
public:
    Worker(northstar::TaskQueue& queue, std::uint64_t lease_us, std::size_t agents) : queue_(queue), held_(agents) {
        request_.types = {k_type};
        request_.lease_us = lease_us;
        request_.worker = "agent";
    }
    bool claim(std::size_t agent) override {
        std::vector<northstar::TaskClaim> claims = queue_.claim(request_);
        if (claims.empty()) return false;
        held_[agent] = std::move(claims.front());
        return true;
    }
    bool complete(std::size_t agent) override { return queue_.complete(held_[agent].value()); }
    bool give_back(std::size_t agent) override {
        northstar::TaskFailure failure;
        failure.retry_after_us = 1000;
        return queue_.fail(held_[agent].value(), failure) != northstar::TaskFailed::lost;
    }

private:
    northstar::TaskQueue& queue_;
    northstar::TaskClaimRequest request_;
    std::vector<std::optional<northstar::TaskClaim>> held_;
};

class Engine final : public TaskEngine {
public:
    Engine(Database& db, Durability durability, std::uint64_t lease_us)
        : db_(db), queue_(db, {durability, nullptr}), lease_us_(lease_us) {}
    void add(std::uint64_t count, std::string_view payload) override {
        northstar::TaskSpec task;
        task.type = k_type;
        task.payload = payload;
        task.max_attempts = 1000;
        while (count != 0) {
            const std::vector<northstar::TaskSpec> tasks(std::min(count, k_tasks_per_commit), task);
            queue_.enqueue(tasks);
            count -= tasks.size();
        }
    }
    std::unique_ptr<TaskWorker> worker(std::size_t agents) override {
        return std::make_unique<Worker>(queue_, lease_us_, agents);
    }
    TaskTotals totals() override {
        const northstar::Snapshot now = db_.begin_read();
        const northstar::TaskView view(now);
        must_hold(view.verify().empty(), "rows of the queue disagree");
        TaskTotals totals;
        for (const northstar::TaskCounts& counts : view.stats()) {
            must_hold(counts.dead == 0, "a task died");
            totals.ready += counts.ready + counts.delayed;
            totals.held += counts.leased;
        }
        return totals;
    }

private:
    Database& db_;
    northstar::TaskQueue queue_;
    std::uint64_t lease_us_;
};

/// The same with its database.
class OwnEngine final : public TaskEngine {
public:
    OwnEngine(const std::string& path, Keeping keeping)
        : db_(Database::open(path)),
          engine_(db_, keeping == Keeping::full ? Durability::full : Durability::lazy, k_lease_us) {}
    void add(std::uint64_t count, std::string_view payload) override { engine_.add(count, payload); }
    std::unique_ptr<TaskWorker> worker(std::size_t agents) override { return engine_.worker(agents); }
    TaskTotals totals() override { return engine_.totals(); }

private:
    Database db_;
    Engine engine_;
};

const RegisterTaskEngine registered({"northstar", [] { return true; },
                                     [](const std::string& path, Keeping keeping) -> std::unique_ptr<TaskEngine> {
                                         return std::make_unique<OwnEngine>(path, keeping);
                                     }});

}  // namespace task_queue_impl

std::vector<TaskEngineKind>& task_engine_kinds() {
    static std::vector<TaskEngineKind> kinds;
    return kinds;
}

std::unique_ptr<TaskEngine> make_task_engine(northstar::Database& db, northstar::Durability durability,
                                             std::uint64_t lease_us) {
    return std::make_unique<task_queue_impl::Engine>(db, durability, lease_us);
}

}  // namespace bench
