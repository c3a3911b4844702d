// queue.cpp -- TaskQueue, TaskClaim and TaskToken.
#include "api/access.hpp"
#include "task/dispatcher.hpp"

#include <charconv>

namespace northstar::inline v0 {

namespace detail {

namespace queue_impl {

class EnqueueJob final : public TaskJob {
public:
    explicit EnqueueJob(std::span<const TaskSpec> tasks) : tasks_(tasks) {}
    void apply(TaskMachine& machine) override {
        enqueued.clear();
        enqueued.reserve(tasks_.size());
        for (const TaskSpec& task : tasks_) enqueued.push_back(machine.enqueue(task));
    }
    std::vector<TaskEnqueued> enqueued;

private:
    std::span<const TaskSpec> tasks_;
};

/// One step that takes a claim or a number.
template <class F>
class StepJob final : public TaskJob {
public:
    explicit StepJob(F step) : step_(std::move(step)) {}
    void apply(TaskMachine& machine) override { step_(machine); }

private:
    F step_;
};

template <class F>
void run_step(TaskDispatcher& dispatcher, F step) {
    StepJob<F> job(std::move(step));
    dispatcher.run(job);
}

/// What a claim is known by here. Its number alone is enough where the commit was made through this handle; through
/// another one, which may have been of the same file before a restore, the hash has to agree.
HeldTask held_by(DatabaseCore& core, const TaskClaim& claim) {
    if (!CoreAccess::made_by(claim.commit, core)) {
        fail(Errc::misuse, "task " + std::to_string(claim.id) +
                               " was claimed through another handle of the database; pass the claim's token");
    }
    return {claim.id, claim.commit.txn, claim.lease_until_us};
}

/// nullopt: the commit that the token names is not in this database's history.
std::optional<HeldTask> held_by(DatabaseCore& core, const TaskToken& token) {
    if (token.txn == 0 || token.txn > core.processes().load(Word::visible_txn)) return std::nullopt;
    try {
        if (core.chain_hash(token.txn) != token.hash) return std::nullopt;
    } catch (const Error& error) {
        // What is not retained cannot be proved any more.
        if (error.code() != Errc::before_horizon) throw;
        return std::nullopt;
    }
    return HeldTask{token.task, token.txn, token.lease_until_us};
}

/// Runs a step of the machine inside an application's transaction, which is rolled back where it fails half-way.
template <class F>
auto within(Transaction& transaction, std::uint64_t now_us, F&& step) {
    WriteTxn& txn = CoreAccess::txn(transaction);
    try {
        TaskMachine machine(txn, now_us);
        return step(machine);
    } catch (...) {
        write_failed(&txn);
    }
}

TaskDispatcher& dispatcher_of(const std::unique_ptr<TaskDispatcher>& dispatcher) {
    if (dispatcher == nullptr) fail(Errc::misuse, "this task queue was moved from; use the one it was moved to");
    return *dispatcher;
}

std::optional<std::uint64_t> heartbeat(TaskDispatcher& dispatcher, const HeldTask& held, std::uint64_t lease_us) {
    check_lease(lease_us);
    std::optional<std::uint64_t> until_us;
    run_step(dispatcher, [&](TaskMachine& machine) { until_us = machine.heartbeat(held, lease_us); });
    return until_us;
}

bool complete(TaskDispatcher& dispatcher, const HeldTask& held) {
    bool done = false;
    run_step(dispatcher, [&](TaskMachine& machine) { done = machine.complete(held); });
    return done;
}

TaskFailed give_up(TaskDispatcher& dispatcher, const HeldTask& held, const TaskFailure& failure) {
    TaskFailed what = TaskFailed::lost;
    run_step(dispatcher, [&](TaskMachine& machine) { what = machine.fail(held, failure); });
    return what;
}

constexpr std::size_t k_hash_digits = 64;

/// Takes a number up to a dash, or the end, off the front of a text.
bool take_number(std::string_view& text, std::uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size() || *end != '-') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

}  // namespace queue_impl

}  // namespace detail

using detail::queue_impl::dispatcher_of;
using detail::queue_impl::held_by;
using detail::queue_impl::run_step;
using detail::queue_impl::within;

// ---- claims and tokens ----

TaskToken TaskClaim::token() const { return {id, commit.txn, lease_until_us, commit.hash()}; }

std::string TaskToken::text() const try {
    return std::to_string(task) + "-" + std::to_string(txn) + "-" + std::to_string(lease_until_us) + "-" + hash.hex();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<TaskToken> TaskToken::parse(std::string_view text) {
    using namespace detail::queue_impl;
    TaskToken token;
    if (!take_number(text, token.task) || !take_number(text, token.txn) || !take_number(text, token.lease_until_us) ||
        text.size() != k_hash_digits) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < k_hash_digits; i += 2) {
        unsigned value = 0;
        for (const char digit : text.substr(i, 2)) {
            const bool letter = digit >= 'a' && digit <= 'f';
            if (!letter && (digit < '0' || digit > '9')) return std::nullopt;
            value = value * 16 + static_cast<unsigned>(letter ? digit - 'a' + 10 : digit - '0');
        }
        token.hash.bytes[i / 2] = static_cast<unsigned char>(value);
    }
    return token;
}

// ---- the queue ----

TaskQueue::TaskQueue(Database& database, const TaskQueueOptions& options) try {
    std::shared_ptr<detail::DatabaseCore> core = detail::CoreAccess::core(database);
    const Durability durability = options.durability.value_or(core->options().durability);
    dispatcher_ = std::make_unique<detail::TaskDispatcher>(std::move(core), durability, options.clock);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TaskQueue::TaskQueue(TaskQueue&&) noexcept = default;
TaskQueue& TaskQueue::operator=(TaskQueue&&) noexcept = default;
TaskQueue::~TaskQueue() = default;

TaskEnqueued TaskQueue::enqueue(const TaskSpec& task) { return enqueue(std::span(&task, 1)).front(); }

std::vector<TaskEnqueued> TaskQueue::enqueue(std::span<const TaskSpec> tasks) try {
    // Before it meets others: a mistake of one caller is not to undo what they share.
    for (const TaskSpec& task : tasks) detail::check_task_spec(task);
    detail::queue_impl::EnqueueJob job(tasks);
    dispatcher_of(dispatcher_).run(job);
    return std::move(job.enqueued);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<TaskClaim> TaskQueue::claim(const TaskClaimRequest& request) try {
    detail::check_claim_request(request);
    detail::ClaimJob job(request);
    if (request.wait_ms == 0) {
        dispatcher_of(dispatcher_).run(job);
    } else {
        dispatcher_of(dispatcher_).run_waiting(job);
    }
    return std::move(job.claims);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool TaskQueue::wait(const std::vector<std::string>& types, std::uint32_t timeout_ms) const try {
    for (const std::string& type : types) detail::check_task_type(type);
    return dispatcher_of(dispatcher_).wait_for_ready(types, timeout_ms);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<std::uint64_t> TaskQueue::heartbeat(const TaskClaim& claim, std::uint64_t lease_us) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    return detail::queue_impl::heartbeat(dispatcher, held_by(dispatcher.core(), claim), lease_us);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<std::uint64_t> TaskQueue::heartbeat(const TaskToken& token, std::uint64_t lease_us) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    const std::optional<detail::HeldTask> held = held_by(dispatcher.core(), token);
    if (!held) return std::nullopt;
    return detail::queue_impl::heartbeat(dispatcher, *held, lease_us);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool TaskQueue::complete(const TaskClaim& claim) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    return detail::queue_impl::complete(dispatcher, held_by(dispatcher.core(), claim));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool TaskQueue::complete(const TaskToken& token) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    const std::optional<detail::HeldTask> held = held_by(dispatcher.core(), token);
    return held && detail::queue_impl::complete(dispatcher, *held);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TaskFailed TaskQueue::fail(const TaskClaim& claim, const TaskFailure& failure) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    return detail::queue_impl::give_up(dispatcher, held_by(dispatcher.core(), claim), failure);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TaskFailed TaskQueue::fail(const TaskToken& token, const TaskFailure& failure) try {
    detail::TaskDispatcher& dispatcher = dispatcher_of(dispatcher_);
    const std::optional<detail::HeldTask> held = held_by(dispatcher.core(), token);
    return held ? detail::queue_impl::give_up(dispatcher, *held, failure) : TaskFailed::lost;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool TaskQueue::requeue(TaskId id) try {
    bool done = false;
    run_step(dispatcher_of(dispatcher_), [&](detail::TaskMachine& machine) { done = machine.requeue(id); });
    return done;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool TaskQueue::drop(TaskId id) try {
    bool done = false;
    run_step(dispatcher_of(dispatcher_), [&](detail::TaskMachine& machine) { done = machine.drop(id); });
    return done;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

// ---- as a part of a transaction of the application's ----

TaskEnqueued TaskQueue::enqueue(Transaction& transaction, const TaskSpec& task) {
    return within(transaction, dispatcher_of(dispatcher_).now_us(),
                  [&](detail::TaskMachine& machine) { return machine.enqueue(task); });
}

bool TaskQueue::complete(Transaction& transaction, const TaskClaim& claim) {
    const detail::HeldTask held = held_by(dispatcher_of(dispatcher_).core(), claim);
    return within(transaction, dispatcher_->now_us(),
                  [&](detail::TaskMachine& machine) { return machine.complete(held); });
}

bool TaskQueue::complete(Transaction& transaction, const TaskToken& token) {
    const std::optional<detail::HeldTask> held = held_by(dispatcher_of(dispatcher_).core(), token);
    return held && within(transaction, dispatcher_->now_us(),
                          [&](detail::TaskMachine& machine) { return machine.complete(*held); });
}

TaskFailed TaskQueue::fail(Transaction& transaction, const TaskClaim& claim, const TaskFailure& failure) {
    const detail::HeldTask held = held_by(dispatcher_of(dispatcher_).core(), claim);
    return within(transaction, dispatcher_->now_us(),
                  [&](detail::TaskMachine& machine) { return machine.fail(held, failure); });
}

TaskFailed TaskQueue::fail(Transaction& transaction, const TaskToken& token, const TaskFailure& failure) {
    const std::optional<detail::HeldTask> held = held_by(dispatcher_of(dispatcher_).core(), token);
    if (!held) return TaskFailed::lost;
    return within(transaction, dispatcher_->now_us(),
                  [&](detail::TaskMachine& machine) { return machine.fail(*held, failure); });
}

}  // namespace northstar::inline v0
