#include "task/machine.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "btree/cursor.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace machine_impl {

/// Tasks of each kind that one look moves.
constexpr std::size_t k_most_moves = 256;

constexpr std::string_view k_redacted = "its body was redacted, so that nobody knows what was to be done";

}  // namespace machine_impl

// ---- rows ----

std::optional<std::string_view> TaskMachine::get(std::string_view tree, std::string_view key) {
    const int index = txn_.find_tree(tree);
    if (index < 0) return std::nullopt;
    const Workspace::OpenTree& open = txn_.work().tree(index);
    txn_.note_read(open.id, key);
    if (open.root.root.empty()) return std::nullopt;
    const std::optional<TreeValue> found = tree_get(txn_.source(), open.root.root, key);
    if (!found) return std::nullopt;
    return found->value;
}

void TaskMachine::put(std::string_view tree, std::string_view key, std::string_view value) {
    txn_.check_sizes(key, value);
    txn_.put(txn_.make_tree(tree), key, value);
}

void TaskMachine::erase(std::string_view tree, std::string_view key) {
    const int index = txn_.find_tree(tree);
    if (index >= 0) txn_.erase(index, key);
}

template <class F>
void TaskMachine::scan(std::string_view from, std::string_view to, F&& fn) {
    const int index = txn_.find_tree(k_tasks_tree);
    if (index < 0) return;
    const Workspace::OpenTree& open = txn_.work().tree(index);
    txn_.note_range(open.id, from, to);
    if (open.root.root.empty()) return;
    TreeCursor cursor(txn_.source(), open.root.root);
    for (bool there = cursor.lower_bound(from); there && cursor.key() < to; there = cursor.next()) {
        if (!fn(cursor.key(), cursor.value())) return;
    }
}

/// `bytes` holds what the body's texts point into: pages change under them. nullopt: it was redacted.
std::optional<TaskBody> TaskMachine::body_of(TaskId id, std::string& bytes) {
    const std::optional<std::string_view> found = get(k_task_bodies_tree, body_key(id));
    if (!found) return std::nullopt;
    bytes = *found;
    return TaskBody::decode(bytes);
}

/// The lease that a claim still is; nullopt: it lost its task.
std::optional<LeaseRow> TaskMachine::lease_of(const HeldTask& held, std::string& bytes) {
    const std::optional<std::string_view> found = get(k_tasks_tree, lease_key(held.until_us, held.id));
    if (!found) return std::nullopt;
    bytes = *found;
    const LeaseRow lease = LeaseRow::decode(bytes);
    if (lease.claim != held.claim) return std::nullopt;
    return lease;
}

void TaskMachine::put_ready(std::string_view type, std::uint8_t priority, TaskId id, std::uint32_t attempts) {
    char value[4];
    store_u32(value, attempts);
    put(k_tasks_tree, ready_key(type, priority, id), {value, sizeof value});
    made_ready_ = true;
    nothing_ready_ = false;
    empty_types_.clear();
    txn_.wakes_workers = true;
}

void TaskMachine::put_delayed(std::uint64_t run_at_us, TaskId id, const DelayedRow& row) {
    row.encode(value_);
    put(k_tasks_tree, delayed_key(run_at_us, id), value_);
    next_due_us_ = std::min(next_due_us_, run_at_us);
    txn_.wakes_workers = true;  // who waits may have to wake earlier than it meant to
}

void TaskMachine::put_dead(TaskId id, const DeadRow& row) {
    row.encode(value_);
    put(k_tasks_tree, dead_key(id), value_);
}

/// Nothing is left of a task but its past.
void TaskMachine::forget(TaskId id, std::string_view type, const std::optional<TaskBody>& body) {
    if (!body) {
        free_dedup_key(id, type);
        return;
    }
    if (!body->dedup_key.empty()) erase(k_tasks_tree, dedup_row_key(body->type, body->dedup_key));
    erase(k_task_bodies_tree, body_key(id));
}

/// The body that would say which key it is was redacted. O(keys of the type).
void TaskMachine::free_dedup_key(TaskId id, std::string_view type) {
    const std::string from = dedup_row_key(type, {});
    std::string to = from;
    to.back() = '\1';
    std::string taken;
    scan(from, to, [&](std::string_view key, std::string_view value) {
        if (decode_number(value) != id) return true;
        taken = key;
        return false;
    });
    if (!taken.empty()) erase(k_tasks_tree, taken);
}

// ---- steps ----

TaskEnqueued TaskMachine::enqueue(const TaskSpec& task) {
    check_task_spec(task);
    std::string dedup;
    if (!task.dedup_key.empty()) {
        dedup = dedup_row_key(task.type, task.dedup_key);
        if (const auto taken = get(k_tasks_tree, dedup)) return {decode_number(*taken), false};
    }
    const std::optional<std::string_view> next = get(k_tasks_tree, next_id_key());
    const TaskId id = next ? decode_number(*next) : 1;
    char number[8];
    store_u64(number, id + 1);
    put(k_tasks_tree, next_id_key(), {number, sizeof number});
    if (!dedup.empty()) {
        store_u64(number, id);
        put(k_tasks_tree, dedup, {number, sizeof number});
    }
    TaskBody body;
    body.enqueued_us = now_us_;
    body.backoff_us = task.backoff_us;
    body.longest_backoff_us = task.longest_backoff_us;
    body.max_attempts = task.max_attempts;
    body.priority = task.priority;
    body.type = task.type;
    body.dedup_key = task.dedup_key;
    body.payload = task.payload;
    body.encode(value_);
    put(k_task_bodies_tree, body_key(id), value_);
    if (task.run_at_us > now_us_) {
        put_delayed(task.run_at_us, id, {0, task.priority, task.type});
    } else {
        put_ready(task.type, task.priority, id, 0);
    }
    return {id, true};
}

bool TaskMachine::known_empty(std::string_view type) const {
    return nothing_ready_ || std::find(empty_types_.begin(), empty_types_.end(), type) != empty_types_.end();
}

/// Types that have ready tasks: a descent for each.
std::vector<std::string> TaskMachine::ready_types() {
    std::vector<std::string> types;
    TaskKey from('r');
    for (bool more = true; more;) {
        more = false;
        scan(from, "s", [&](std::string_view key, std::string_view) {
            types.emplace_back(parse_ready_key(key).type);
            return !(more = true);
        });
        if (more) from = ready_end(types.back());
    }
    return types;
}

void TaskMachine::find_candidates(const std::string& type, std::uint32_t count, std::vector<Candidate>& out) {
    if (known_empty(type)) return;
    const std::size_t before = out.size();
    scan(ready_prefix(type), ready_end(type), [&](std::string_view key, std::string_view value) {
        const ReadyKey ready = parse_ready_key(key);
        out.push_back({ready.priority, ready.id, decode_attempts(value), &type});
        return out.size() - before < count;
    });
    if (out.size() == before) empty_types_.push_back(type);
}

std::vector<TaskMachine::Candidate> TaskMachine::candidates_of(const TaskClaimRequest& request, std::uint32_t count) {
    std::vector<Candidate> candidates;
    if (nothing_ready_) return candidates;
    if (request.types.empty()) ready_types_ = ready_types();
    const std::vector<std::string>& types = request.types.empty() ? ready_types_ : request.types;
    if (request.types.empty() && types.empty()) nothing_ready_ = true;
    for (const std::string& type : types) find_candidates(type, count, candidates);
    if (types.size() > 1) {
        std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
            return a.priority != b.priority ? a.priority > b.priority : a.id < b.id;
        });
        // A type may have been named twice.
        const auto same = [](const Candidate& a, const Candidate& b) { return a.id == b.id; };
        candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
        if (candidates.size() > count) candidates.resize(count);
    }
    return candidates;
}

void TaskMachine::claim(const TaskClaimRequest& request, std::vector<TaskClaim>& out) {
    const std::size_t wanted = out.size() + request.count;
    for (bool again = true; again && out.size() < wanted;) {
        again = false;
        for (const Candidate& candidate : candidates_of(request, static_cast<std::uint32_t>(wanted - out.size()))) {
            if (std::optional<TaskClaim> claim = take(candidate, request)) {
                out.push_back(*std::move(claim));
            } else {
                again = true;  // it is out of the way now
            }
        }
    }
}

/// nullopt: it was redacted, and is a dead letter now. [TASK-7]
std::optional<TaskClaim> TaskMachine::take(const Candidate& candidate, const TaskClaimRequest& request) {
    TaskClaim claim;
    claim.id = candidate.id;
    claim.type = *candidate.type;
    if (const std::optional<std::string_view> found = get(k_task_bodies_tree, body_key(candidate.id))) {
        const TaskBody body = TaskBody::decode(*found);
        claim.payload = body.payload;
        claim.max_attempts = body.max_attempts;
    } else {
        erase(k_tasks_tree, ready_key(claim.type, candidate.priority, claim.id));
        put_dead(claim.id, {now_us_, candidate.attempts, candidate.priority, claim.type, machine_impl::k_redacted});
        return std::nullopt;
    }
    claim.priority = candidate.priority;
    claim.attempt = candidate.attempts + 1;
    claim.lease_until_us = later(now_us_, request.lease_us);
    erase(k_tasks_tree, ready_key(claim.type, claim.priority, claim.id));
    LeaseRow lease;
    lease.claim = txn_.work().txn();
    lease.deadline_us = claim.lease_until_us;
    lease.attempts = claim.attempt;
    lease.priority = claim.priority;
    lease.type = claim.type;
    lease.worker = request.worker;
    lease.encode(value_);
    put(k_tasks_tree, lease_key(claim.lease_until_us, claim.id), value_);
    next_due_us_ = std::min(next_due_us_, claim.lease_until_us);
    return claim;
}

std::optional<std::uint64_t> TaskMachine::heartbeat(const HeldTask& held, std::uint64_t lease_us) {
    check_lease(lease_us);
    std::string bytes;
    std::optional<LeaseRow> lease = lease_of(held, bytes);
    if (!lease) return std::nullopt;
    // Its place among the leases says that nobody looks at it before.
    lease->deadline_us = std::max(held.until_us, later(now_us_, lease_us));
    lease->encode(value_);
    put(k_tasks_tree, lease_key(held.until_us, held.id), value_);
    next_due_us_ = std::min(next_due_us_, lease->deadline_us);
    return lease->deadline_us;
}

bool TaskMachine::complete(const HeldTask& held) {
    std::string lease_bytes;
    const std::optional<LeaseRow> lease = lease_of(held, lease_bytes);
    if (!lease) return false;
    std::string body_bytes;
    const std::optional<TaskBody> body = body_of(held.id, body_bytes);
    erase(k_tasks_tree, lease_key(held.until_us, held.id));
    forget(held.id, lease->type, body);
    return true;
}

TaskFailed TaskMachine::fail(const HeldTask& held, const TaskFailure& failure) {
    std::string lease_bytes;
    const std::optional<LeaseRow> lease = lease_of(held, lease_bytes);
    if (!lease) return TaskFailed::lost;
    std::string body_bytes;
    const std::optional<TaskBody> body = body_of(held.id, body_bytes);
    erase(k_tasks_tree, lease_key(held.until_us, held.id));
    return end_attempt(held.id, *lease, body, failure);
}

/// What follows on an attempt that came to nothing; its lease is gone already.
TaskFailed TaskMachine::end_attempt(TaskId id, const LeaseRow& lease, const std::optional<TaskBody>& body,
                                    const TaskFailure& failure) {
    if (!body || failure.final || lease.attempts >= body->max_attempts) {
        const std::string_view reason = body ? std::string_view(failure.reason) : machine_impl::k_redacted;
        put_dead(id, {now_us_, lease.attempts, lease.priority, lease.type, reason.substr(0, k_longest_reason)});
        return TaskFailed::dead;
    }
    const std::uint64_t pause = failure.retry_after_us.value_or(body->pause_after(lease.attempts));
    if (pause == 0) {
        put_ready(body->type, body->priority, id, lease.attempts);
    } else {
        put_delayed(later(now_us_, pause), id, {lease.attempts, body->priority, body->type});
    }
    return TaskFailed::retried;
}

bool TaskMachine::requeue(TaskId id) {
    if (!get(k_tasks_tree, dead_key(id))) return false;
    std::string bytes;
    const std::optional<TaskBody> body = body_of(id, bytes);
    if (!body) {
        detail::fail(Errc::invalid_argument, "the body of task " + std::to_string(id) + " was redacted, so that nobody "
                                             "knows what was to be done; drop the task");
    }
    erase(k_tasks_tree, dead_key(id));
    put_ready(body->type, body->priority, id, 0);
    return true;
}

bool TaskMachine::drop(TaskId id) {
    const std::optional<std::string_view> found = get(k_tasks_tree, dead_key(id));
    if (!found) return false;
    const std::string type(DeadRow::decode(*found).type);
    std::string bytes;
    const std::optional<TaskBody> body = body_of(id, bytes);
    erase(k_tasks_tree, dead_key(id));
    forget(id, type, body);
    return true;
}

// ---- what time does ----

void TaskMachine::look_for_due() {
    next_due_us_ = k_never;
    promote_due();
    take_back_expired();
}

void TaskMachine::promote_due() {
    std::vector<std::string> due;
    scan("d", "e", [&](std::string_view key, std::string_view) {
        const std::uint64_t run_at_us = parse_timed_key(key).time_us;
        if (run_at_us > now_us_ || due.size() == machine_impl::k_most_moves) {
            next_due_us_ = std::min(next_due_us_, run_at_us);
            return false;
        }
        due.emplace_back(key);
        return true;
    });
    for (const std::string& key : due) {
        const std::optional<std::string_view> value = get(k_tasks_tree, key);
        const DelayedRow row = DelayedRow::decode(*value);
        const std::string type(row.type);
        const TaskId id = parse_timed_key(key).id;
        erase(k_tasks_tree, key);
        put_ready(type, row.priority, id, row.attempts);
    }
}

void TaskMachine::take_back_expired() {
    std::vector<std::pair<TimedKey, std::string>> expired;
    scan("l", "m", [&](std::string_view key, std::string_view value) {
        const TimedKey timed = parse_timed_key(key);
        if (timed.time_us > now_us_ || expired.size() == machine_impl::k_most_moves) {
            next_due_us_ = std::min(next_due_us_, timed.time_us);
            return false;
        }
        const std::uint64_t deadline_us = LeaseRow::decode(value).deadline_us;
        if (deadline_us > now_us_) {
            next_due_us_ = std::min(next_due_us_, deadline_us);
        } else {
            expired.emplace_back(timed, value);
        }
        return true;
    });
    for (const auto& [timed, value] : expired) {
        std::string bytes;
        const std::optional<TaskBody> body = body_of(timed.id, bytes);
        erase(k_tasks_tree, lease_key(timed.time_us, timed.id));
        end_attempt(timed.id, LeaseRow::decode(value), body,
                    {.reason = "the lease ended and nobody had completed the task", .retry_after_us = 0});
    }
}

}  // namespace northstar::inline v0::detail
