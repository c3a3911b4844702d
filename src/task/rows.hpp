// rows.hpp -- the rows that the queue of tasks consists of.  Layer: task.  Threads: values.
//
// Tree "northstar.task_bodies": what of a task does not change, by number.
//   id(8)                              enqueued(8) back-off(8) longest back-off(8) max attempts(4) priority(1)
//                                      size of type(1) size of dedup key(2) type, dedup key, payload
// Tree "northstar.tasks": where every task stands.
//   'd' run at(8) id(8)                attempts(4) priority(1) type                            delayed
//   'k' type \0 dedup key              id(8)                                                   a key that is taken
//   'l' until(8) id(8)                 claim(8) deadline(8) attempts(4) priority(1) size of type(1) type, worker
//   'n'                                id(8): the number of the next task
//   'r' type \0 255-priority(1) id(8)  attempts(4)                                             ready
//   'x' id(8)                          since(8) attempts(4) priority(1) size of type(1) type, reason      dead
// Numbers are big-endian in keys, so that their order is that of the keys, and little-endian in values.
//
// [TASK-1] A task has exactly one row of 'd', 'l', 'r' and 'x', and a body, whose type and priority the row has, unless
//          that was redacted.
// [TASK-2] A 'k' row names an unfinished task with that type and key, and each such task has one.
// [TASK-3] 'n' is larger than the number of any task there ever was.
// [TASK-4] `claim` in an 'l' row is the txn that claimed, and `until` the deadline as it was then: together with the
//          number they are what a claim is known by. Heartbeats change `deadline` only, so a copy of the claim finds
//          the row as long as the task is its own, and never afterwards.
//
// The rows are the index: 'r' rows lie in the order in which tasks are claimed, so that the next one is a descent to
// pages that the claim has to change anyway; delayed and dead tasks are not among them. Leases are ordered by the time
// at which they may end. Nothing is kept in memory that could disagree with it, be it after a crash, in another
// process or AS OF. 'l' and 'r' rows are neighbours, so that a claim copies few pages.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

inline constexpr std::string_view k_tasks_tree = "northstar.tasks";
inline constexpr std::string_view k_task_bodies_tree = "northstar.task_bodies";

inline constexpr std::size_t k_longest_task_type = 64;
inline constexpr std::size_t k_longest_dedup_key = 512;
inline constexpr std::size_t k_longest_worker = 255;
inline constexpr std::size_t k_longest_reason = 4000;

/// A key of bounded size that needs no allocation.
class TaskKey {
public:
    explicit TaskKey(char section) { byte(section); }
    TaskKey() = default;
    TaskKey& byte(char value) {
        bytes_[size_++] = value;
        return *this;
    }
    TaskKey& text(std::string_view value) {
        std::memcpy(bytes_ + size_, value.data(), value.size());
        size_ += value.size();
        return *this;
    }
    TaskKey& number(std::uint64_t value) {
        for (unsigned shift = 64; shift != 0; shift -= 8) byte(static_cast<char>(value >> (shift - 8)));
        return *this;
    }
    operator std::string_view() const { return {bytes_, size_}; }

private:
    char bytes_[k_longest_task_type + 1 + k_longest_task_type];
    std::size_t size_ = 0;
};

inline TaskKey body_key(TaskId id) { return TaskKey().number(id); }
inline TaskKey delayed_key(std::uint64_t run_at_us, TaskId id) { return TaskKey('d').number(run_at_us).number(id); }
inline TaskKey lease_key(std::uint64_t until_us, TaskId id) { return TaskKey('l').number(until_us).number(id); }
inline TaskKey dead_key(TaskId id) { return TaskKey('x').number(id); }
inline TaskKey next_id_key() { return TaskKey('n'); }
inline TaskKey ready_prefix(std::string_view type) { return TaskKey('r').text(type).byte('\0'); }
/// Behind all ready rows of a type.
inline TaskKey ready_end(std::string_view type) { return TaskKey('r').text(type).byte('\1'); }
inline TaskKey ready_key(std::string_view type, std::uint8_t priority, TaskId id) {
    return ready_prefix(type).byte(static_cast<char>(255 - priority)).number(id);
}
std::string dedup_row_key(std::string_view type, std::string_view key);

// What keys say. Throw Error(corrupt) for one of another shape.
struct ReadyKey {
    std::string_view type;  ///< in the key
    std::uint8_t priority = 0;
    TaskId id = 0;
};
ReadyKey parse_ready_key(std::string_view key);
struct TimedKey {
    std::uint64_t time_us = 0;
    TaskId id = 0;
};
/// Of a 'd' or 'l' row.
TimedKey parse_timed_key(std::string_view key);
/// Of a body, or behind the first byte of an 'x' row.
TaskId parse_task_id(std::string_view bytes);

// Values. Their texts are views of the bytes they were read from; reading throws Error(corrupt).
struct TaskBody {
    std::uint64_t enqueued_us = 0;
    std::uint64_t backoff_us = 0;
    std::uint64_t longest_backoff_us = 0;
    std::uint32_t max_attempts = 0;
    std::uint8_t priority = 0;
    std::string_view type;
    std::string_view dedup_key;
    std::string_view payload;
    void encode(std::string& out) const;
    static TaskBody decode(std::string_view bytes);
    /// Pause after the attempt of this number failed: the back-off doubled by each attempt before.
    std::uint64_t pause_after(std::uint32_t attempts) const;
};
struct DelayedRow {
    std::uint32_t attempts = 0;
    std::uint8_t priority = 0;
    std::string_view type;
    void encode(std::string& out) const;
    static DelayedRow decode(std::string_view bytes);
};
struct LeaseRow {
    Txn claim = 0;
    std::uint64_t deadline_us = 0;
    std::uint32_t attempts = 0;
    std::uint8_t priority = 0;
    std::string_view type;
    std::string_view worker;
    void encode(std::string& out) const;
    static LeaseRow decode(std::string_view bytes);
};
struct DeadRow {
    std::uint64_t since_us = 0;
    std::uint32_t attempts = 0;
    std::uint8_t priority = 0;
    std::string_view type;
    std::string_view reason;
    void encode(std::string& out) const;
    static DeadRow decode(std::string_view bytes);
};
/// Of an 'r' row: attempts; of 'k' and 'n' rows: a number.
std::uint32_t decode_attempts(std::string_view bytes);
std::uint64_t decode_number(std::string_view bytes);

// Throw Error(invalid_argument).
void check_task_type(std::string_view type);
void check_task_spec(const TaskSpec& task);
void check_claim_request(const TaskClaimRequest& request);
void check_lease(std::uint64_t lease_us);

/// The end of time rather than a number that wrapped.
inline std::uint64_t later(std::uint64_t now_us, std::uint64_t by_us) {
    return by_us > ~std::uint64_t{0} - now_us ? ~std::uint64_t{0} : now_us + by_us;
}

}  // namespace northstar::inline v0::detail
