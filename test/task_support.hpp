// task_support.hpp -- what the tests of the task queue share: a clock that stands still, and short ways to ask.
#pragma once

#include "txn_support.hpp"

#include <atomic>

namespace task_test {

using namespace northstar;

/// A clock that moves when it is told to.
class StoppedClock final : public TaskClock {
public:
    explicit StoppedClock(std::uint64_t now_us = 1'000'000'000) : now_us_(now_us) {}
    std::uint64_t now_us() const override { return now_us_.load(); }
    void advance(std::uint64_t us) { now_us_ += us; }

private:
    std::atomic<std::uint64_t> now_us_;
};

inline TaskQueueOptions lazily(const TaskClock* clock = nullptr) {
    TaskQueueOptions options;
    options.durability = Durability::lazy;
    options.clock = clock;
    return options;
}

/// A claim of one task of a type.
inline TaskClaimRequest of_type(const std::string& type, std::uint64_t lease_us = 60'000'000) {
    TaskClaimRequest request;
    request.types = {type};
    request.lease_us = lease_us;
    return request;
}

/// The only task of a claim that must be given one.
inline TaskClaim claim_one(TaskQueue& queue, const TaskClaimRequest& request) {
    std::vector<TaskClaim> claims = queue.claim(request);
    REQUIRE(claims.size() == 1);
    return std::move(claims.front());
}

inline std::vector<TaskId> ids(const std::vector<TaskClaim>& claims) {
    std::vector<TaskId> all;
    for (const TaskClaim& claim : claims) all.push_back(claim.id);
    return all;
}

inline void check_rows(const Database& db) {
    const Snapshot now = db.begin_read();
    for (const Problem& problem : TaskView(now).verify()) {
        INFO(problem.where << ": " << problem.what);
        CHECK(false);
    }
}

/// Numbers in one state over all types.
inline TaskCounts totals(const Snapshot& snapshot) {
    TaskCounts sum;
    for (const TaskCounts& counts : TaskView(snapshot).stats()) {
        sum.ready += counts.ready;
        sum.delayed += counts.delayed;
        sum.leased += counts.leased;
        sum.dead += counts.dead;
    }
    return sum;
}

}  // namespace task_test
