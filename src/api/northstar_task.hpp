// northstar_task.hpp -- a queue of tasks inside the database, for many workers in many threads and processes.
//
// What it promises
//   * Nothing is lost. A task is ready, delayed, leased or dead until it is completed; each change is a commit, so
//     history, AS OF, redaction and backup know it, and any process may die at any point.
//   * One holder. A claim gives a task to one worker for the time of its lease. The claim's token is number and hash
//     of the commit that made it: once the task was given to somebody else, the former holder is refused for ever,
//     after a restore or a lost lazy commit too.
//   * Order. Of the types asked for, the highest priority comes first; among equals the task that was enqueued first,
//     a task that is tried again included.
//   * Nobody polls. A claim may wait; a task that becomes ready wakes one worker for it, in whichever process.
//
// A task that runs out of attempts, by failing or by losing leases, becomes a dead letter and stays until somebody
// requeues or drops it. A completed task leaves the queue; the past still shows it. A worker that dies between its work
// and complete() leaves a task that is tried again: to do the work exactly once, write its effect and complete the task
// in one Transaction.
//
// Times are microseconds since 1970, by the clock of the machine or the one given. If that clock jumps, leases end
// early or late; no task is held twice for it.
//
// Lifetimes and threads: TaskQueue and TaskView may be used from any number of threads; whoever destroys a TaskQueue
// or closes its Database sees to it that nobody is inside. One TaskQueue for each Database of a process is best:
// callers that meet in it share a commit. Errors are thrown as everywhere (northstar.hpp); a lost lease is no error but
// an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar {
inline namespace v0 {

namespace detail {
class TaskDispatcher;
}  // namespace detail

/// Number of a task: 1, 2, 3 ... in the order of enqueueing; never used again.
using TaskId = std::uint64_t;

/// What time it is, for programs (and tests) that bring a clock of their own. Used by several threads at once.
class TaskClock {
public:
    virtual ~TaskClock() = default;
    /// Microseconds since 1970.
    virtual std::uint64_t now_us() const = 0;
};

/// A task to be enqueued. Views need to live until the call returns.
struct TaskSpec {
    std::string_view type;             ///< what kind of work: 1 to 64 bytes, none of them zero
    std::string_view payload = {};     ///< the application's own
    std::uint8_t priority = 0;         ///< larger comes first
    std::uint64_t run_at_us = 0;       ///< not before; 0: at once
    std::string_view dedup_key = {};   ///< at most 512 bytes; one unfinished task for each (type, key); empty: none
    std::uint32_t max_attempts = 5;    ///< claims until it is dead; at least 1
    std::uint64_t backoff_us = 1000 * 1000;  ///< pause after the first failure, doubled by each further one
    std::uint64_t longest_backoff_us = std::uint64_t{3600} * 1000 * 1000;  ///< no pause is longer
};

struct TaskEnqueued {
    TaskId id = 0;
    bool created = false;  ///< false: an unfinished task has this dedup key already, and id is that task's
};

/// Proof of a claim that may leave the process: give it to a worker elsewhere, keep it in a file, print it.
struct TaskToken {
    TaskId task = 0;
    Txn txn = 0;                     ///< of the commit that claimed
    std::uint64_t lease_until_us = 0;  ///< as claimed: where the lease is found; heartbeats do not change it
    Hash hash;                       ///< chain hash after that commit
    /// "task-txn-until-hash", digits and lower case letters.
    std::string text() const;
    /// nullopt: the text is no token.
    static std::optional<TaskToken> parse(std::string_view text);
};

/// A task in somebody's hands. Copies are the same claim.
struct TaskClaim {
    TaskId id = 0;
    std::string type;
    std::string payload;
    std::uint8_t priority = 0;
    std::uint32_t attempt = 1;         ///< this one: 1 for the first
    std::uint32_t max_attempts = 1;
    std::uint64_t lease_until_us = 0;  ///< as claimed; heartbeat() says the new one
    Commit commit;                     ///< that claimed; shared by those who were given tasks at the same time
    /// Waits until the hash is computed. Errc::misuse where the database that it was claimed through was closed.
    TaskToken token() const;
};

struct TaskClaimRequest {
    std::vector<std::string> types = {};      ///< empty: any
    std::uint32_t count = 1;                  ///< at most so many tasks
    std::uint64_t lease_us = 60 * 1000 * 1000;  ///< how long they are the worker's without a heartbeat
    std::string_view worker = {};             ///< who, at most 255 bytes; kept with the lease
    std::uint32_t wait_ms = 0;                ///< how long to wait for the first task where none is ready
};

struct TaskFailure {
    std::string_view reason = {};                         ///< at most 4000 bytes are kept, with dead letters
    std::optional<std::uint64_t> retry_after_us = {};     ///< instead of the task's own back-off
    bool final = false;                                   ///< no further attempt makes sense: dead at once
};

/// What became of a task that somebody could not do.
enum class TaskFailed : std::uint8_t {
    lost = 0,     ///< the claim had lost the task before; nothing was changed
    retried = 1,  ///< ready again, at once or after its back-off
    dead = 2,     ///< a dead letter
};

struct TaskQueueOptions {
    std::optional<Durability> durability = {};  ///< of every change; nullopt: the database's own
    const TaskClock* clock = nullptr;           ///< nullptr: the machine's; outlives the queue
};

/// Changes the queue of a database. Each call is one commit, shared with calls of other threads that came meanwhile;
/// a call that has no effect commits nothing. O(log n) for each task, however many are ready, delayed, leased or dead.
class TaskQueue {
public:
    explicit TaskQueue(Database& database, const TaskQueueOptions& options = {});
    TaskQueue(TaskQueue&&) noexcept;
    TaskQueue& operator=(TaskQueue&&) noexcept;
    ~TaskQueue();

    TaskEnqueued enqueue(const TaskSpec& task);
    /// All of them or, after an error, none.
    std::vector<TaskEnqueued> enqueue(std::span<const TaskSpec> tasks);

    /// Up to request.count tasks; empty: none was ready, nor became so within request.wait_ms.
    std::vector<TaskClaim> claim(const TaskClaimRequest& request);
    /// Waits until a task of these types (empty: any) could be claimed; false: none within that time. Claims nothing,
    /// so another worker may be faster.
    bool wait(const std::vector<std::string>& types, std::uint32_t timeout_ms) const;

    /// Lets the lease last until lease_us from now, if it would end before. Returns its end, which is never before the
    /// one claimed; nullopt: the lease was lost.
    std::optional<std::uint64_t> heartbeat(const TaskClaim& claim, std::uint64_t lease_us);
    std::optional<std::uint64_t> heartbeat(const TaskToken& token, std::uint64_t lease_us);
    /// The task is done and leaves the queue. False: the lease was lost, nothing was changed.
    bool complete(const TaskClaim& claim);
    bool complete(const TaskToken& token);
    /// The task was not done.
    TaskFailed fail(const TaskClaim& claim, const TaskFailure& failure = {});
    TaskFailed fail(const TaskToken& token, const TaskFailure& failure = {});

    /// A dead letter becomes ready, with all its attempts before it. False: there is no such dead letter. Throws
    /// Error(invalid_argument) where its body was redacted.
    bool requeue(TaskId id);
    /// Forgets a dead letter. False: there is no such one.
    bool drop(TaskId id);

    // The same as a part of a transaction of the application's: they take effect when it commits.
    TaskEnqueued enqueue(Transaction& transaction, const TaskSpec& task);
    bool complete(Transaction& transaction, const TaskClaim& claim);
    bool complete(Transaction& transaction, const TaskToken& token);
    TaskFailed fail(Transaction& transaction, const TaskClaim& claim, const TaskFailure& failure = {});
    TaskFailed fail(Transaction& transaction, const TaskToken& token, const TaskFailure& failure = {});

private:
    std::unique_ptr<detail::TaskDispatcher> dispatcher_;
};

enum class TaskState : std::uint8_t { ready = 0, delayed = 1, leased = 2, dead = 3 };

/// Name of a state, e.g. "ready".
const char* to_string(TaskState state) noexcept;

/// A task as a snapshot shows it.
/// Of a task whose body was redacted, what only that said is empty or 0: payload, dedup key, attempts allowed, time.
struct TaskInfo {
    TaskId id = 0;
    TaskState state = TaskState::ready;
    std::string type;
    std::string payload;
    std::string dedup_key;
    std::uint8_t priority = 0;
    std::uint32_t attempts = 0;  ///< claims so far
    std::uint32_t max_attempts = 0;
    std::uint64_t enqueued_us = 0;
    std::uint64_t time_us = 0;  ///< delayed: when it becomes ready; leased: when the lease ends; dead: since when
    std::string worker;         ///< leased: whose
    Txn claimed_by = 0;         ///< leased: the commit that claimed it
    std::string reason;         ///< dead: why
};

struct TaskCounts {
    std::string type;
    std::uint64_t ready = 0, delayed = 0, leased = 0, dead = 0;
};

/// The queue as a snapshot, of the present or the past, shows it. The snapshot outlives it. A task whose time has come
/// is delayed, and one whose lease ran out leased, until the next claim moves it.
class TaskView {
public:
    explicit TaskView(const Snapshot& snapshot) : snapshot_(&snapshot) {}
    /// Number of tasks, whatever their state. O(1) for the present.
    std::uint64_t size() const;
    /// Number of tasks of each type and state, by type. O(tasks).
    std::vector<TaskCounts> stats() const;
    /// The next tasks that claims of these types (empty: any) would be given, in that order. O(limit log n) a type.
    std::vector<TaskInfo> peek(const std::vector<std::string>& types, std::size_t limit) const;
    /// Tasks in one state: ready ones by type, priority and number, delayed ones by time, leased ones by the end of the
    /// lease as claimed, dead ones by number. Empty type: of all types. O(tasks in that state).
    std::vector<TaskInfo> list(TaskState state, std::size_t limit, std::string_view type = {}) const;
    /// nullopt: it is not, or no longer, in the queue. O(log n) where it is ready or dead, else O(delayed + leased).
    std::optional<TaskInfo> find(TaskId id) const;
    /// Whether the rows of the queue agree with each other (spec/tasks.md). O(tasks); 8 bytes of memory for each.
    std::vector<Problem> verify() const;

private:
    const Snapshot* snapshot_;
};

}  // namespace v0
}  // namespace northstar
