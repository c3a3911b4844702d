// task_queue.hpp -- a queue of tasks on plain trees, as a program would build it on the public interface.
//
// Trees
//   tasks    id -> state, fence, attempts, payload
//   ready    shard, due, id -> nothing      tasks that wait, those that are due first
//   leases   deadline, id -> fence          tasks that somebody works on
//   done     id -> fence                    written once for each task
//
// [QUEUE-1] A task that is not done has one entry in ready or leases, and not in both.
// [QUEUE-2] The fence counts the claims of a task. Who finishes or gives back a task with another fence than the
// task's
//           is told so, and changes nothing.
// [QUEUE-3] A task whose lease has expired goes back to ready; who held it then has an old fence.
//
// Time is counted in transactions, so that nothing depends on the clock. A claim is one transaction that finds a task,
// compares and swaps its record, and moves its entry: an exclusive one takes the first task of one shard; an
// optimistic one begins at a shard of its own, so that few meet.
//
// Threads: TaskQueue may be used from any number of threads, and a database by any number of processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "northstar.hpp"

namespace bench {

enum class Claiming : std::uint8_t { exclusive, optimistic };

struct Claim {
    std::uint64_t id = 0;
    std::uint32_t fence = 0;
    northstar::Txn deadline = 0;
};

class TaskQueue {
public:
    struct Settings {
        Claiming claiming = Claiming::exclusive;
        northstar::Durability durability = northstar::Durability::full;
        std::uint64_t lease_txns = 10'000;
        std::uint64_t backoff_txns = 100;
    };
    TaskQueue(northstar::Database& db, const Settings& settings) : db_(db), settings_(settings) {}

    /// Adds tasks with these ids.
    void add(std::uint64_t first, std::uint64_t count, std::string_view payload);
    /// Claims the next task; nullopt: none is ready. `start`, a random number, chooses where an optimistic claim
    /// begins and whether this one looks for an expired lease first.
    std::optional<Claim> claim(std::uint64_t start);
    /// false: the lease was lost, nothing changed.
    bool finish(const Claim& claim);
    /// Back to the queue, due some transactions later. false: the lease was lost, nothing changed.
    bool give_back(const Claim& claim);

    struct Totals {
        std::uint64_t tasks = 0, done = 0, ready = 0, leased = 0, claims = 0;
    };
    /// Counts everything; throws std::runtime_error where an invariant does not hold.
    Totals check() const;

private:
    template <class Body>
    void transact(Body&& body);
    std::uint64_t shards() const { return settings_.claiming == Claiming::exclusive ? 1 : 64; }
    void reap(northstar::Transaction& tx) const;
    bool end(const Claim& claim, bool done);
    northstar::Database& db_;
    Settings settings_;
};

}  // namespace bench
