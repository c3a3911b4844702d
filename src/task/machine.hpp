// machine.hpp -- the states of tasks and the steps between them, inside one transaction.  Layer: task.
// Threads: that of the transaction.
//
//              enqueue                claim                    complete
//        +-----> ready <------------------------> leased ------------------> (gone)
//        |         ^      fail, no pause; expired   |  |
//  enqueue, later  | due                            |  | fail, expired: no attempt left
//        |         |          fail, with a pause    |  v
//        +-----> delayed <--------------------------+ dead ---> requeue: ready; drop: (gone)
//
// [TASK-5] A step is taken whole or refused with nothing changed.
// [TASK-6] Whoever holds a task is known by its claim (TASK-4): complete, fail and heartbeat of another are refused.
// [TASK-7] A task whose body was redacted is given to nobody: what would happen to it next makes it a dead letter that
//          says so; it can be completed by who has it, and dropped.
// A machine that threw has left its transaction half-way: it must be rolled back.
#pragma once

#include "api/northstar.hpp"
#include "task/rows.hpp"
#include "txn/write_txn.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// What a claim is known by: enough to find its row, and to see that it is still the same.
struct HeldTask {
    TaskId id = 0;
    Txn claim = 0;
    std::uint64_t until_us = 0;
};

class TaskMachine {
public:
    static constexpr std::uint64_t k_never = ~std::uint64_t{0};

    TaskMachine(WriteTxn& txn, std::uint64_t now_us) : txn_(txn), now_us_(now_us) {}

    /// Makes delayed tasks ready whose time has come, and takes back tasks whose lease has ended; of each kind some
    /// hundred at most, so that nobody's claim waits for all of them. Passes over leases that heartbeats made longer.
    void look_for_due();
    /// No delayed task and no lease is due before this time, as far as this transaction and the last look know. A claim
    /// that shares a transaction with a known time need not look.
    std::uint64_t next_due_us() const { return next_due_us_; }
    void know_next_due(std::uint64_t us) { next_due_us_ = us; }

    TaskEnqueued enqueue(const TaskSpec& task);
    /// Appends up to request.count tasks. Only for exclusive transactions: the claim is the number of the commit to be.
    void claim(const TaskClaimRequest& request, std::vector<TaskClaim>& out);
    std::optional<std::uint64_t> heartbeat(const HeldTask& held, std::uint64_t lease_us);
    bool complete(const HeldTask& held);
    TaskFailed fail(const HeldTask& held, const TaskFailure& failure);
    bool requeue(TaskId id);
    bool drop(TaskId id);

    /// Tasks became ready, so somebody who waits may go on.
    bool made_ready() const { return made_ready_; }
    /// No claim, of whatever types, would be given anything: known without looking.
    bool nothing_is_ready() const { return nothing_ready_; }

private:
    struct Candidate {
        std::uint8_t priority;
        TaskId id;
        std::uint32_t attempts;
        const std::string* type;
    };
    // Rows, with the notes that let an optimistic transaction find out what changed under it.
    std::optional<std::string_view> get(std::string_view tree, std::string_view key);
    void put(std::string_view tree, std::string_view key, std::string_view value);
    void erase(std::string_view tree, std::string_view key);
    /// Calls fn(key, value) for rows with from <= key < to until it returns false; fn writes nothing.
    template <class F>
    void scan(std::string_view from, std::string_view to, F&& fn);

    std::optional<TaskBody> body_of(TaskId id, std::string& bytes);
    std::optional<LeaseRow> lease_of(const HeldTask& held, std::string& bytes);
    void put_ready(std::string_view type, std::uint8_t priority, TaskId id, std::uint32_t attempts);
    void put_delayed(std::uint64_t run_at_us, TaskId id, const DelayedRow& row);
    void put_dead(TaskId id, const DeadRow& row);
    void forget(TaskId id, std::string_view type, const std::optional<TaskBody>& body);
    void free_dedup_key(TaskId id, std::string_view type);
    TaskFailed end_attempt(TaskId id, const LeaseRow& lease, const std::optional<TaskBody>& body,
                           const TaskFailure& failure);
    void promote_due();
    void take_back_expired();
    std::vector<std::string> ready_types();
    void find_candidates(const std::string& type, std::uint32_t count, std::vector<Candidate>& out);
    std::vector<Candidate> candidates_of(const TaskClaimRequest& request, std::uint32_t count);
    std::optional<TaskClaim> take(const Candidate& candidate, const TaskClaimRequest& request);
    bool known_empty(std::string_view type) const;

    WriteTxn& txn_;
    const std::uint64_t now_us_;
    std::uint64_t next_due_us_ = k_never;
    bool made_ready_ = false;
    bool nothing_ready_ = false;
    std::vector<std::string> ready_types_;  // of the claim under way, which its candidates refer to
    std::vector<std::string> empty_types_;  // looked for, and found without ready tasks
    std::string value_;                     // of the row being written
};

}  // namespace northstar::inline v0::detail
