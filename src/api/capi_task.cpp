// capi_task.cpp -- the C functions of the queue of tasks.
#include "api/capi_handles.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail::capi {

namespace capi_task_impl {

northstar_task default_task() {
    const TaskSpec from;
    northstar_task task = {};
    task.size = sizeof task;
    task.max_attempts = from.max_attempts;
    task.backoff_us = from.backoff_us;
    task.longest_backoff_us = from.longest_backoff_us;
    return task;
}

TaskSpec task_of(const northstar_task* given) {
    need(given, "the task");
    const northstar_task from = known_struct(default_task(), given);
    if (from.priority > 255) {
        fail(Errc::invalid_argument, "the priority of a task is 0 to 255, not " + std::to_string(from.priority));
    }
    TaskSpec task;
    task.type = bytes(from.type, from.type_size);
    task.payload = bytes(from.payload, from.payload_size);
    task.dedup_key = bytes(from.dedup_key, from.dedup_key_size);
    task.priority = static_cast<std::uint8_t>(from.priority);
    task.max_attempts = from.max_attempts;
    task.run_at_us = from.run_at_us;
    task.backoff_us = from.backoff_us;
    task.longest_backoff_us = from.longest_backoff_us;
    return task;
}

TaskToken token_of(const char* text) {
    need(text, "the token");
    const std::optional<TaskToken> token = TaskToken::parse(text);
    if (!token) fail(Errc::invalid_argument, "the text is no token of a claim; northstar_claims_token gives one");
    return *token;
}

TaskFailure failure_of(std::string_view reason, std::uint64_t retry_after_us, int final) {
    TaskFailure failure;
    failure.reason = reason;
    if (retry_after_us != NORTHSTAR_BACKOFF) failure.retry_after_us = retry_after_us;
    failure.final = final != 0;
    return failure;
}

int give_failed(TaskFailed what, int* became) {
    if (what == TaskFailed::lost) return NORTHSTAR_ABSENT;
    if (became != nullptr) *became = static_cast<int>(what);
    return NORTHSTAR_OK;
}

int give_until(const std::optional<std::uint64_t>& until, std::uint64_t* until_us) {
    if (!until) return NORTHSTAR_ABSENT;
    if (until_us != nullptr) *until_us = *until;
    return NORTHSTAR_OK;
}

/// fn(queue, claim), which belong together.
template <class F>
int with_claim(northstar_queue* queue, northstar_claims* claims, std::size_t index, F&& fn) noexcept {
    return with<QueueHandle>(queue, [&](QueueHandle& q) {
        return with<ClaimsHandle>(claims, [&](ClaimsHandle& c) -> int {
            if (q.errors != c.errors) {
                fail(Errc::invalid_argument, "the claims are of another database than the queue");
            }
            return fn(q.queue, item(c.items, index));
        });
    });
}

}  // namespace capi_task_impl

}  // namespace northstar::inline v0::detail::capi

static_assert(NORTHSTAR_TASK_RETRIED == static_cast<int>(northstar::TaskFailed::retried));
static_assert(NORTHSTAR_TASK_DEAD == static_cast<int>(northstar::TaskFailed::dead));

int northstar_task_init(northstar_task* task, size_t size) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return init_struct(default_task(), task, size);
}

int northstar_queue_open(northstar_db* db, int durability, northstar_queue** queue) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(queue, "the place for the queue");
        northstar::TaskQueueOptions options;
        if (durability != NORTHSTAR_DURABILITY_DEFAULT) options.durability = durability_of(durability);
        return open_handle<QueueHandle>(queue, h.errors, northstar::TaskQueue(h.db, options));
    });
}

int northstar_queue_close(northstar_queue* queue) {
    using namespace northstar::detail::capi;
    return close<QueueHandle>(queue);
}

int northstar_enqueue(northstar_queue* queue, const northstar_task* task, uint64_t* id, int* created) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with<QueueHandle>(queue, [&](QueueHandle& h) {
        need(id, "the place for the number of the task");
        const northstar::TaskEnqueued made = h.queue.enqueue(task_of(task));
        *id = made.id;
        if (created != nullptr) *created = made.created;
        return NORTHSTAR_OK;
    });
}

int northstar_claim_tasks(northstar_queue* queue, const void* type, size_t type_size, uint32_t count,
                          uint64_t lease_us, const void* worker, size_t worker_size, uint32_t wait_ms,
                          northstar_claims** claims) {
    using namespace northstar::detail::capi;
    return with<QueueHandle>(queue, [&](QueueHandle& h) -> int {
        need(claims, "the place for the claims");
        northstar::TaskClaimRequest request;
        if (type_size != 0) request.types.emplace_back(bytes(type, type_size));
        request.count = count;
        request.lease_us = lease_us;
        request.worker = bytes(worker, worker_size);
        request.wait_ms = wait_ms;
        std::vector<northstar::TaskClaim> found = h.queue.claim(request);
        if (found.empty()) return NORTHSTAR_ABSENT;
        return open_handle<ClaimsHandle>(claims, h.errors, std::move(found));
    });
}

int northstar_claims_count(northstar_claims* claims, size_t* count) {
    using namespace northstar::detail::capi;
    return with<ClaimsHandle>(claims, [&](ClaimsHandle& h) { return give_number(h.items.size(), count); });
}

int northstar_claims_get(northstar_claims* claims, size_t index, northstar_claim* claim) {
    using namespace northstar::detail::capi;
    return with<ClaimsHandle>(claims, [&](ClaimsHandle& h) {
        const northstar::TaskClaim& from = item(h.items, index);
        northstar_claim to = {};
        to.id = from.id;
        give(from.type, &to.type, &to.type_size);
        give(from.payload, &to.payload, &to.payload_size);
        to.priority = from.priority;
        to.attempt = from.attempt;
        to.max_attempts = from.max_attempts;
        to.lease_until_us = from.lease_until_us;
        to.txn = from.commit.txn;
        return give_struct(std::move(to), claim);
    });
}

int northstar_claims_token(northstar_claims* claims, size_t index, char** token) {
    using namespace northstar::detail::capi;
    return with<ClaimsHandle>(claims, [&](ClaimsHandle& h) {
        need(token, "the place for the token");
        *token = new_copy(item(h.items, index).token().text());
        return NORTHSTAR_OK;
    });
}

int northstar_claims_close(northstar_claims* claims) {
    using namespace northstar::detail::capi;
    return close<ClaimsHandle>(claims);
}

int northstar_heartbeat(northstar_queue* queue, northstar_claims* claims, size_t index, uint64_t lease_us,
                        uint64_t* until_us) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with_claim(queue, claims, index, [&](northstar::TaskQueue& q, const northstar::TaskClaim& claim) {
        return give_until(q.heartbeat(claim, lease_us), until_us);
    });
}

int northstar_complete(northstar_queue* queue, northstar_claims* claims, size_t index) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with_claim(queue, claims, index, [&](northstar::TaskQueue& q, const northstar::TaskClaim& claim) {
        return there(q.complete(claim));
    });
}

int northstar_fail(northstar_queue* queue, northstar_claims* claims, size_t index, const void* reason,
                   size_t reason_size, uint64_t retry_after_us, int final, int* became) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with_claim(queue, claims, index, [&](northstar::TaskQueue& q, const northstar::TaskClaim& claim) {
        return give_failed(q.fail(claim, failure_of(bytes(reason, reason_size), retry_after_us, final)), became);
    });
}

int northstar_heartbeat_token(northstar_queue* queue, const char* token, uint64_t lease_us, uint64_t* until_us) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with<QueueHandle>(
        queue, [&](QueueHandle& h) { return give_until(h.queue.heartbeat(token_of(token), lease_us), until_us); });
}

int northstar_complete_token(northstar_queue* queue, const char* token) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with<QueueHandle>(queue, [&](QueueHandle& h) { return there(h.queue.complete(token_of(token))); });
}

int northstar_fail_token(northstar_queue* queue, const char* token, const void* reason, size_t reason_size,
                         uint64_t retry_after_us, int final, int* became) {
    using namespace northstar::detail::capi;
    using namespace northstar::detail::capi::capi_task_impl;
    return with<QueueHandle>(queue, [&](QueueHandle& h) {
        const northstar::TaskFailure failure = failure_of(bytes(reason, reason_size), retry_after_us, final);
        return give_failed(h.queue.fail(token_of(token), failure), became);
    });
}

int northstar_requeue(northstar_queue* queue, uint64_t id) {
    using namespace northstar::detail::capi;
    return with<QueueHandle>(queue, [&](QueueHandle& h) { return there(h.queue.requeue(id)); });
}

int northstar_drop_task(northstar_queue* queue, uint64_t id) {
    using namespace northstar::detail::capi;
    return with<QueueHandle>(queue, [&](QueueHandle& h) { return there(h.queue.drop(id)); });
}
