#include "task_queue.hpp"

#include <stdexcept>

#include "workload.hpp"

namespace bench {
namespace task_queue_impl {

constexpr std::uint64_t k_reaping = 16;  // of so many claims one looks for an expired lease

enum State : char { k_waiting = 'w', k_claimed = 'c', k_done = 'd' };

struct Task {
    State state = k_waiting;
    std::uint32_t fence = 0;
    std::uint32_t attempts = 0;
    std::string payload;
};

std::string encode(const Task& task) {
    return std::string(1, static_cast<char>(task.state)) + big_endian(task.fence) + big_endian(task.attempts) +
           task.payload;
}

Task decode(std::string_view bytes) {
    must_hold(bytes.size() >= 17, "the record of a task is too short");
    return {static_cast<State>(bytes[0]), static_cast<std::uint32_t>(from_big_endian(bytes.substr(1))),
            static_cast<std::uint32_t>(from_big_endian(bytes.substr(9))), std::string(bytes.substr(17))};
}

std::string ready_key(std::uint64_t shard, std::uint64_t due, std::uint64_t id) {
    return std::string(1, static_cast<char>(shard)) + big_endian(due) + big_endian(id);
}

std::string lease_key(std::uint64_t deadline, std::uint64_t id) { return big_endian(deadline) + big_endian(id); }

/// Replaces a task that the transaction has read; nobody can have changed it since.
void swap(northstar::Transaction& tx, std::uint64_t id, std::string_view was, const Task& task) {
    must_hold(tx.tree("tasks").compare_and_swap(big_endian(id), was, encode(task)),
              "a task changed inside a transaction");
}

}  // namespace task_queue_impl

using namespace task_queue_impl;

template <class Body>
void TaskQueue::transact(Body&& body) {
    const northstar::WriteOptions options = write_with(settings_.durability);
    if (settings_.claiming == Claiming::optimistic) {
        db_.update(body, options);
        return;
    }
    northstar::Transaction tx = db_.begin_write(options);
    body(tx);
    tx.commit();
}

void TaskQueue::add(std::uint64_t first, std::uint64_t count, std::string_view payload) {
    northstar::Transaction tx = db_.begin_write(write_with(settings_.durability));
    northstar::WritableTree tasks = tx.tree("tasks");
    northstar::WritableTree ready = tx.tree("ready");
    for (std::uint64_t id = first; id < first + count; ++id) {
        tasks.put(big_endian(id), encode({k_waiting, 0, 0, std::string(payload)}));
        ready.put(ready_key(id % shards(), 0, id), "");
    }
    tx.commit();
}

// One expired lease at most, so that no claim waits for many.
void TaskQueue::reap(northstar::Transaction& tx) const {
    northstar::WritableTree leases = tx.tree("leases");
    std::uint64_t id = 0;
    std::string key;
    {
        northstar::Cursor first = leases.cursor();
        if (!first.first() || from_big_endian(first.key()) >= tx.base_txn()) return;
        key = first.key();
        id = from_big_endian(first.key().substr(8));
    }
    const auto bytes = tx.tree("tasks").get(big_endian(id));
    must_hold(bytes.has_value(), "a lease names a task that is not there");
    const std::string was(*bytes);
    Task task = decode(was);
    task.state = k_waiting;
    ++task.attempts;
    swap(tx, id, was, task);
    leases.erase(key);
    tx.tree("ready").put(ready_key(id % shards(), tx.base_txn(), id), "");
}

std::optional<Claim> TaskQueue::claim(std::uint64_t start) {
    std::optional<Claim> claim;
    transact([&](northstar::Transaction& tx) {
        claim.reset();
        if (start % k_reaping == 0) reap(tx);
        northstar::WritableTree ready = tx.tree("ready");
        std::string key;
        {
            northstar::Cursor cursor = ready.cursor();
            if (!cursor.lower_bound(ready_key(start % shards(), 0, 0)) && !cursor.first()) return;
            key = cursor.key();
        }
        const std::uint64_t id = from_big_endian(std::string_view(key).substr(9));
        const auto bytes = tx.tree("tasks").get(big_endian(id));
        must_hold(bytes.has_value(), "the queue names a task that is not there");
        const std::string was(*bytes);
        Task task = decode(was);
        must_hold(task.state == k_waiting, "a task was claimed twice");
        task.state = k_claimed;
        ++task.fence;
        const northstar::Txn deadline = tx.base_txn() + settings_.lease_txns;
        swap(tx, id, was, task);
        ready.erase(key);
        tx.tree("leases").put(lease_key(deadline, id), big_endian(task.fence));
        claim = Claim{id, task.fence, deadline};
    });
    return claim;
}

bool TaskQueue::end(const Claim& claim, bool done) {
    bool held = false;
    transact([&](northstar::Transaction& tx) {
        held = false;
        const auto bytes = tx.tree("tasks").get(big_endian(claim.id));
        must_hold(bytes.has_value(), "a task that was claimed is not there");
        const std::string was(*bytes);
        Task task = decode(was);
        if (task.state != k_claimed || task.fence != claim.fence) return;
        held = true;
        task.state = done ? k_done : k_waiting;
        task.attempts += done ? 0 : 1;
        swap(tx, claim.id, was, task);
        must_hold(tx.tree("leases").erase(lease_key(claim.deadline, claim.id)), "a claimed task has no lease");
        if (done) {
            must_hold(tx.tree("done").put_if_absent(big_endian(claim.id), big_endian(claim.fence)),
                      "a task was finished twice");
        } else {
            tx.tree("ready").put(ready_key(claim.id % shards(), tx.base_txn() + settings_.backoff_txns, claim.id), "");
        }
    });
    return held;
}

bool TaskQueue::finish(const Claim& claim) { return end(claim, true); }
bool TaskQueue::give_back(const Claim& claim) { return end(claim, false); }

TaskQueue::Totals TaskQueue::check() const {
    const northstar::Snapshot snapshot = db_.begin_read();
    Totals totals;
    std::uint64_t by_state[128] = {};
    for (const auto [key, value] : snapshot.tree("tasks").all()) {
        const Task task = decode(value);
        ++totals.tasks;
        totals.claims += task.fence;
        ++by_state[static_cast<std::size_t>(task.state) & 127];
    }
    totals.done = snapshot.tree("done").size();
    totals.ready = snapshot.tree("ready").size();
    totals.leased = snapshot.tree("leases").size();
    must_hold(totals.done == by_state[k_done], "tasks that are done and their entries differ");
    must_hold(totals.ready == by_state[k_waiting], "tasks that wait and the queue differ");
    must_hold(totals.leased == by_state[k_claimed], "tasks that are claimed and leases differ");
    return totals;
}

}  // namespace bench
