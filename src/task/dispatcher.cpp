#include "task/dispatcher.hpp"

#include "base/error.hpp"

namespace northstar::inline v0::detail {

namespace dispatcher_impl {

/// Rounds of others that a caller runs before it goes its own way. A durable one waits for a flush, a lazy one takes
/// microseconds.
constexpr int k_most_rounds_lazy = 4;
constexpr int k_most_rounds_full = 1;

}  // namespace dispatcher_impl

void TaskDispatcher::run(TaskJob& job) {
    if (core_->turn().held_by_this_thread()) {
        fail(Errc::misuse, "this thread has a write transaction open, which the task queue would wait for; commit it "
                           "first, or pass it to the queue");
    }
    std::shared_ptr<Round> joined;
    {
        const std::lock_guard lock(mutex_);
        if (!leading_) {
            leading_ = true;
        } else {
            if (next_ == nullptr) next_ = std::make_shared<Round>();
            next_->jobs.push_back(&job);
            joined = next_;
        }
    }
    if (joined != nullptr) {
        wait_for_round(*joined);
    } else {
        lead(&job);
    }
    if (job.failure != nullptr) std::rethrow_exception(job.failure);
}

/// Runs rounds as long as somebody comes, and not for too long. `own`: the leader's job, unless it is in the round that
/// gathers.
void TaskDispatcher::lead(TaskJob* own) {
    using namespace dispatcher_impl;
    const int most = durability_ == Durability::full ? k_most_rounds_full : k_most_rounds_lazy;
    for (int rounds = 0;; ++rounds) {
        Batch batch;
        batch.own = own;
        own = nullptr;
        // Each time a job that failed is left out.
        while (!execute(batch)) continue;
        if (batch.round != nullptr) {
            batch.round->state.store(Round::done);
            batch.round->state.notify_all();
        }
        std::shared_ptr<Round> next;
        {
            const std::lock_guard lock(mutex_);
            if (next_ == nullptr) {
                leading_ = false;
                return;
            }
            if (rounds < most && !core_->processes().write_wanted()) continue;
            next = next_;
            next->state.store(Round::leaderless);
        }
        next->state.notify_one();  // whoever is awake, or this one, leads; the others sleep on until it is done
        return;
    }
}

void TaskDispatcher::wait_for_round(Round& round) {
    for (;;) {
        int state = round.state.load();
        if (state == Round::done) return;
        if (state == Round::leaderless) {
            // The first to see it leads; the round it runs first is this one.
            if (round.state.compare_exchange_strong(state, Round::led)) {
                lead(nullptr);
                return;
            }
            continue;
        }
        round.state.wait(state);
    }
}

/// The round that gathers is taken into a batch; who comes later is in the next one.
void TaskDispatcher::take_round(Batch& batch) {
    if (batch.round != nullptr) return;
    const std::lock_guard lock(mutex_);
    batch.round = std::move(next_);
}

/// False: a job failed, and the transaction with it; the others have to be done again.
bool TaskDispatcher::execute(Batch& batch) noexcept {
    TaskJob* at = nullptr;
    std::vector<Parked*> served;
    try {
        WriteTxn txn(core_, WriteTxn::Mode::exclusive, durability_, {});
        take_round(batch);
        const std::uint64_t now = now_us();
        TaskMachine machine(txn, now);
        // Nobody changed anything since we knew when the next task or lease is due.
        if (txn.base_txn() == known_txn_ && now < known_due_us_) {
            machine.know_next_due(known_due_us_);
        } else {
            machine.look_for_due();
        }
        bool serve = false;
        batch.each([&](TaskJob& job) {
            at = &job;
            job.apply(machine);
            serve = serve || job.serves_parked();
        });
        at = nullptr;
        if ((serve || machine.made_ready()) && parked_count_.load() != 0) serve_parked(machine, served, at);
        Commit commit;
        known_due_us_ = 0;
        if (txn.wrote()) {
            commit = txn.commit();
            known_txn_ = commit.txn;
        } else {
            known_txn_ = txn.base_txn();
            txn.rollback();
        }
        known_due_us_ = machine.next_due_us();
        batch.each([&](TaskJob& job) { job.committed(commit); });
        settle_served(served, &commit);
        return true;
    } catch (...) {
        const std::exception_ptr failure = std::current_exception();
        if (at != nullptr) at->failure = failure;
        settle_served(served, nullptr);
        if (at != nullptr) return false;
        take_round(batch);
        batch.each([&](TaskJob& job) { job.failure = failure; });
        return true;
    }
}

}  // namespace northstar::inline v0::detail
