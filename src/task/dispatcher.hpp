// dispatcher.hpp -- one process's way into the queue: callers share transactions, and wait for tasks.  Layer: task.
// Threads: any.
//
// Sharing (dispatcher.cpp). A caller that meets nobody leads: it begins a transaction and runs its job in it. Whoever
// comes meanwhile joins the round that gathers; the leader takes a whole round into one transaction, one record, one
// flush, and takes it only when it has the turn, so that those are in it who came while other processes had theirs. It
// hands the lead over after some rounds so as not to serve others for ever, and at once where the next round would have
// to wait for other processes. This is flat combining (Hendler, Incze, Shavit, Tzafrir: Flat combining and the
// synchronization-parallelism tradeoff, SPAA 2010, section 2) with the writer's turn in place of the lock: with
// hundreds of workers a claim costs a few tree edits rather than a turn and a commit.
//
// Waiting (waiting.cpp). A claim that finds nothing is parked. What becomes ready in a transaction of this process is
// given to parked claims in that same transaction, in the order in which they came, and each is woken only when it has
// its tasks. For other processes one of the parked threads listens to a word in shared memory.
//
// [DISPATCH-1] A job's effects are in exactly one commit, or in none and it fails.
// [DISPATCH-2] As long as claims are parked, one of their threads listens.
// Order of locks: the writer's turn, then mutexes of this class; none of those is held while the turn is asked for.
#pragma once

#include "api/northstar.hpp"
#include "task/machine.hpp"
#include "txn/core.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// What a shared transaction does for one caller. May be applied again, if a transaction had to be given up.
class TaskJob {
public:
    virtual void apply(TaskMachine& machine) = 0;
    virtual void committed(const Commit&) {}
    /// Is it there to give tasks to parked claims?
    virtual bool serves_parked() const { return false; }
    std::exception_ptr failure;

protected:
    ~TaskJob() = default;
};

class ClaimJob final : public TaskJob {
public:
    explicit ClaimJob(const TaskClaimRequest& asked) : request(asked) {}
    void apply(TaskMachine& machine) override {
        claims.clear();
        machine.claim(request, claims);
    }
    void committed(const Commit& commit) override {
        for (TaskClaim& claim : claims) claim.commit = commit;
    }
    const TaskClaimRequest& request;
    std::vector<TaskClaim> claims;
};

class TaskDispatcher {
public:
    TaskDispatcher(std::shared_ptr<DatabaseCore> core, Durability durability, const TaskClock* clock)
        : core_(std::move(core)), durability_(durability), clock_(clock) {}

    DatabaseCore& core() const { return *core_; }
    std::uint64_t now_us() const { return clock_ != nullptr ? clock_->now_us() : core_->vfs().now_us(); }

    /// Returns when the job is committed, or had nothing to commit. Throws what it, or its commit, failed with.
    void run(TaskJob& job);
    /// Runs a claim, and waits up to request.wait_ms where it is given nothing.
    void run_waiting(ClaimJob& job);
    /// Waits until a task of these types is ready or due; false: the time was over.
    bool wait_for_ready(const std::vector<std::string>& types, std::uint32_t timeout_ms) const;

private:
    /// Jobs that will share a transaction.
    struct Round {
        enum State : int { gathering = 0, done = 1, leaderless = 2, led = 3 };
        std::vector<TaskJob*> jobs;
        std::atomic<int> state{gathering};
    };
    /// A claim that waits.
    struct Parked {
        ClaimJob* job;
        std::condition_variable wake;
        bool being_served = false;  // by a transaction under way
        bool served = false;
    };

    /// What one transaction does: the leader's own job, where it is not done yet, and a round.
    struct Batch {
        TaskJob* own = nullptr;
        std::shared_ptr<Round> round;
        /// Calls fn(job) for each that has not failed.
        template <class F>
        void each(F&& fn) const {
            if (own != nullptr && own->failure == nullptr) fn(*own);
            if (round == nullptr) return;
            for (TaskJob* const job : round->jobs) {
                if (job->failure == nullptr) fn(*job);
            }
        }
    };

    // dispatcher.cpp
    void lead(TaskJob* own);
    void wait_for_round(Round& round);
    void take_round(Batch& batch);
    bool execute(Batch& batch) noexcept;

    // waiting.cpp
    bool park(ClaimJob& job, std::uint64_t seen, std::uint64_t until_us);
    void leave(Parked& parked);
    void listen(std::unique_lock<std::mutex>& lock, std::uint64_t until_us);
    void sleep(std::uint64_t seen, std::uint64_t until_us) const;
    bool worth_serving();
    void serve_parked(TaskMachine& machine, std::vector<Parked*>& served, TaskJob*& at);
    void settle_served(const std::vector<Parked*>& served, const Commit* commit) noexcept;

    std::shared_ptr<DatabaseCore> core_;
    const Durability durability_;
    const TaskClock* const clock_;

    std::mutex mutex_;             // leading_, next_
    bool leading_ = false;
    std::shared_ptr<Round> next_;

    // Of whoever leads: what the queue looked like after its last transaction.
    Txn known_txn_ = 0;
    std::uint64_t known_due_us_ = 0;

    std::mutex park_mutex_;        // parked_, listening_
    std::vector<Parked*> parked_;  // in the order in which they came
    std::atomic<std::size_t> parked_count_{0};
    bool listening_ = false;
};

}  // namespace northstar::inline v0::detail
