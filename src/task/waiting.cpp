// waiting.cpp -- claims that found nothing, and what wakes them.
#include "task/dispatcher.hpp"

#include "api/access.hpp"

#include <algorithm>
#include <chrono>

namespace northstar::inline v0::detail {

namespace waiting_impl {

/// Who dies between its commit and telling of it leaves others asleep for so long at most.
constexpr std::uint64_t k_longest_sleep_us = 100'000;

/// A transaction that does nothing but give parked claims what is ready.
class ServeJob final : public TaskJob {
public:
    void apply(TaskMachine&) override {}
    bool serves_parked() const override { return true; }
};

/// Is there a row with from <= key < to?
bool any_row(const DatabaseCore& core, const TreeRoot& tree, std::string_view from, std::string_view to) {
    if (tree.root.empty()) return false;
    TreeCursor cursor(core.source(), tree.root);
    return cursor.lower_bound(from) && cursor.key() < to;
}

bool any_ready(const DatabaseCore& core, const TreeRoot& tree, const std::vector<std::string>& types) {
    if (types.empty()) return any_row(core, tree, "r", "s");
    return std::any_of(types.begin(), types.end(), [&](const std::string& type) {
        return any_row(core, tree, ready_prefix(type), ready_end(type));
    });
}

/// When the next delayed task becomes ready, or the next lease ends.
std::uint64_t next_due_us(const DatabaseCore& core, const TreeRoot& tree, std::uint64_t now_us) {
    std::uint64_t due = TaskMachine::k_never;
    if (tree.root.empty()) return due;
    TreeCursor cursor(core.source(), tree.root);
    if (cursor.lower_bound("d") && cursor.key() < "e") due = parse_timed_key(cursor.key()).time_us;
    for (bool there = cursor.lower_bound("l"); there && cursor.key() < "m" && due > now_us; there = cursor.next()) {
        const std::uint64_t until_us = parse_timed_key(cursor.key()).time_us;
        due = std::min(due, std::max(until_us, LeaseRow::decode(cursor.value()).deadline_us));
        if (until_us > now_us) break;
    }
    return due;
}

/// May a task of these types be claimed although it is not ready yet, because its time has come?
bool any_due(const DatabaseCore& core, const TreeRoot& tree, const std::vector<std::string>& types,
             std::uint64_t now_us) {
    if (tree.root.empty()) return false;
    const auto wanted = [&](std::string_view type) {
        return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
    };
    TreeCursor cursor(core.source(), tree.root);
    const auto due = [&] { return parse_timed_key(cursor.key()).time_us <= now_us; };
    for (bool there = cursor.lower_bound("d"); there && cursor.key() < "e" && due(); there = cursor.next()) {
        if (wanted(DelayedRow::decode(cursor.value()).type)) return true;
    }
    for (bool there = cursor.lower_bound("l"); there && cursor.key() < "m" && due(); there = cursor.next()) {
        const LeaseRow lease = LeaseRow::decode(cursor.value());
        if (lease.deadline_us <= now_us && wanted(lease.type)) return true;
    }
    return false;
}

TreeRoot tasks_of(const ReadView& view) {
    CatalogEntry entry;
    if (!find_tree(view.core->source(), view.root->catalog.root, k_tasks_tree, entry)) return {};
    return entry.root;
}

}  // namespace waiting_impl

void TaskDispatcher::run_waiting(ClaimJob& job) {
    Processes& processes = core_->processes();
    const std::uint64_t until_us = later(core_->vfs().monotonic_us(), std::uint64_t{job.request.wait_ms} * 1000);
    for (;;) {
        const std::uint64_t seen = processes.load(Word::tasks_moved);
        run(job);
        if (!job.claims.empty() || core_->vfs().monotonic_us() >= until_us) return;
        if (!park(job, seen, until_us)) continue;
        if (job.failure != nullptr) std::rethrow_exception(job.failure);
        return;
    }
}

/// Waits until somebody gave the claim tasks (true), or it has to look for itself. `seen`: the word before it looked.
bool TaskDispatcher::park(ClaimJob& job, std::uint64_t seen, std::uint64_t until_us) {
    std::unique_lock lock(park_mutex_);
    if (core_->processes().load(Word::tasks_moved) != seen) return false;
    Parked parked{&job, {}};
    parked_.push_back(&parked);
    parked_count_.store(parked_.size());
    try {
        while (!parked.served) {
            const std::uint64_t now = core_->vfs().monotonic_us();
            if (parked.being_served) {
                parked.wake.wait(lock);
            } else if (now >= until_us) {
                break;
            } else if (!listening_) {
                listen(lock, until_us);
            } else {
                parked.wake.wait_for(lock, std::chrono::microseconds(until_us - now));
            }
        }
    } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        while (parked.being_served) parked.wake.wait(lock);
        leave(parked);
        throw;
    }
    leave(parked);
    return parked.served;
}

/// Takes a claim from among the parked ones; another of them listens from now on. Call with the mutex.
void TaskDispatcher::leave(Parked& parked) {
    std::erase(parked_, &parked);
    parked_count_.store(parked_.size());
    if (!listening_ && !parked_.empty()) parked_.front()->wake.notify_one();
}

/// Sleeps until tasks moved in some process, or the next one is due; then sees to it that parked claims get what is
/// ready. Call with the mutex, which is not held meanwhile.
void TaskDispatcher::listen(std::unique_lock<std::mutex>& lock, std::uint64_t until_us) {
    listening_ = true;
    const std::uint64_t seen = core_->processes().load(Word::tasks_moved);
    lock.unlock();
    try {
        core_->check_usable();
        if (worth_serving()) {
            waiting_impl::ServeJob job;
            run(job);
        } else {
            sleep(seen, until_us);
        }
    } catch (...) {
        lock.lock();
        listening_ = false;
        throw;
    }
    lock.lock();
    listening_ = false;
}

/// Looked at in a snapshot, so that those who wait take nobody's turn for nothing.
bool TaskDispatcher::worth_serving() {
    using namespace waiting_impl;
    const OpenView view(core_->open_view());
    const TreeRoot tree = tasks_of(*view.view);
    const std::uint64_t now = now_us();
    if (next_due_us(*core_, tree, now) <= now) return true;
    const std::lock_guard lock(park_mutex_);
    return std::any_of(parked_.begin(), parked_.end(),
                       [&](const Parked* parked) { return any_ready(*core_, tree, parked->job->request.types); });
}

/// Sleeps until tasks moved since `seen`, the next one is due, or a time by the monotonic clock.
void TaskDispatcher::sleep(std::uint64_t seen, std::uint64_t until_us) const {
    using namespace waiting_impl;
    std::uint64_t due = TaskMachine::k_never;
    const std::uint64_t clock = now_us();
    {
        const OpenView view(core_->open_view());
        due = next_due_us(*core_, tasks_of(*view.view), clock);
    }
    const std::uint64_t now = core_->vfs().monotonic_us();
    std::uint64_t left = std::min(until_us > now ? until_us - now : 0, k_longest_sleep_us);
    if (due > clock) left = std::min(left, due - clock);
    core_->processes().wait_to_be_told(Word::tasks_moved, Word::task_waiters, seen, left);
}

/// Gives parked claims what is ready, in a transaction under way. `at`: the job being applied.
void TaskDispatcher::serve_parked(TaskMachine& machine, std::vector<Parked*>& served, TaskJob*& at) {
    const std::lock_guard lock(park_mutex_);
    served.reserve(parked_.size());
    for (Parked* const parked : parked_) {
        if (machine.nothing_is_ready()) break;
        if (parked->served) continue;  // and not gone yet
        at = parked->job;
        parked->being_served = true;
        served.push_back(parked);
        parked->job->apply(machine);
        at = nullptr;
        if (!parked->job->claims.empty()) continue;
        parked->being_served = false;
        served.pop_back();
    }
}

/// The transaction that served parked claims ended; nullptr: it failed, and they wait on unless it was their fault.
void TaskDispatcher::settle_served(const std::vector<Parked*>& served, const Commit* commit) noexcept {
    if (served.empty()) return;
    const std::lock_guard lock(park_mutex_);
    for (Parked* const parked : served) {
        if (commit != nullptr) {
            parked->job->committed(*commit);
        } else {
            parked->job->claims.clear();
        }
        parked->being_served = false;
        parked->served = commit != nullptr || parked->job->failure != nullptr;
        parked->wake.notify_one();
    }
}

bool TaskDispatcher::wait_for_ready(const std::vector<std::string>& types, std::uint32_t timeout_ms) const {
    using namespace waiting_impl;
    const std::uint64_t until_us = later(core_->vfs().monotonic_us(), std::uint64_t{timeout_ms} * 1000);
    for (;;) {
        core_->check_usable();
        const std::uint64_t seen = core_->processes().load(Word::tasks_moved);
        {
            const OpenView view(core_->open_view());
            const TreeRoot tree = tasks_of(*view.view);
            if (any_ready(*core_, tree, types) || any_due(*core_, tree, types, now_us())) return true;
        }
        if (core_->vfs().monotonic_us() >= until_us) return false;
        sleep(seen, until_us);
    }
}

}  // namespace northstar::inline v0::detail
