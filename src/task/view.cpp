// view.cpp -- TaskView: what a snapshot shows of the queue.
#include "api/handles.hpp"
#include "base/error.hpp"
#include "task/rows.hpp"

#include <algorithm>
#include <map>

namespace northstar::inline v0 {

namespace detail::view_impl {

/// Rows of one section of the tree of tasks.
Range section(const Snapshot& snapshot, char first) {
    return snapshot.tree(k_tasks_tree).prefix(std::string_view(&first, 1));
}

/// Reads a row of any state; nullopt: the key is of a section that holds no tasks.
std::optional<TaskInfo> task_of_row(std::string_view key, std::string_view value) {
    TaskInfo task;
    switch (key.empty() ? '\0' : key.front()) {
    case 'r': {
        const ReadyKey ready = parse_ready_key(key);
        task.state = TaskState::ready;
        task.id = ready.id;
        task.type = ready.type;
        task.priority = ready.priority;
        task.attempts = decode_attempts(value);
        return task;
    }
    case 'd': {
        const TimedKey timed = parse_timed_key(key);
        const DelayedRow row = DelayedRow::decode(value);
        task.state = TaskState::delayed;
        task.id = timed.id;
        task.time_us = timed.time_us;
        task.type = row.type;
        task.priority = row.priority;
        task.attempts = row.attempts;
        return task;
    }
    case 'l': {
        const LeaseRow row = LeaseRow::decode(value);
        task.state = TaskState::leased;
        task.id = parse_timed_key(key).id;
        task.time_us = row.deadline_us;
        task.type = row.type;
        task.priority = row.priority;
        task.attempts = row.attempts;
        task.worker = row.worker;
        task.claimed_by = row.claim;
        return task;
    }
    case 'x': {
        const DeadRow row = DeadRow::decode(value);
        task.state = TaskState::dead;
        task.id = parse_task_id(key.substr(1));
        task.time_us = row.since_us;
        task.type = row.type;
        task.priority = row.priority;
        task.attempts = row.attempts;
        task.reason = row.reason;
        return task;
    }
    default: return std::nullopt;
    }
}

constexpr char section_of(TaskState state) {
    constexpr char sections[] = {'r', 'd', 'l', 'x'};
    return sections[static_cast<std::size_t>(state)];
}

/// Adds what only the body says, if it was not redacted.
void add_body(const Tree& bodies, TaskInfo& task) {
    const std::optional<std::string_view> bytes = bodies.get(body_key(task.id));
    if (!bytes) return;
    const TaskBody body = TaskBody::decode(*bytes);
    task.payload = body.payload;
    task.dedup_key = body.dedup_key;
    task.max_attempts = body.max_attempts;
    task.enqueued_us = body.enqueued_us;
}

/// Types that have ready tasks, a descent for each.
std::vector<std::string> ready_types(const Tree& tasks) {
    std::vector<std::string> types;
    Cursor cursor = tasks.cursor();
    for (bool there = cursor.lower_bound("r"); there && cursor.key() < "s";
         there = cursor.lower_bound(ready_end(types.back()))) {
        types.emplace_back(parse_ready_key(cursor.key()).type);
    }
    return types;
}

}  // namespace detail::view_impl

const char* to_string(TaskState state) noexcept {
    switch (state) {
    case TaskState::ready: return "ready";
    case TaskState::delayed: return "delayed";
    case TaskState::leased: return "leased";
    case TaskState::dead: return "dead";
    }
    return "unknown";
}

std::uint64_t TaskView::size() const { return snapshot_->tree(detail::k_task_bodies_tree).size(); }

std::vector<TaskCounts> TaskView::stats() const try {
    using namespace detail::view_impl;
    std::map<std::string, TaskCounts> by_type;
    for (const auto [key, value] : snapshot_->tree(detail::k_tasks_tree).all()) {
        const std::optional<TaskInfo> task = task_of_row(key, value);
        if (!task) continue;
        TaskCounts& counts = by_type[task->type];
        switch (task->state) {
        case TaskState::ready: ++counts.ready; break;
        case TaskState::delayed: ++counts.delayed; break;
        case TaskState::leased: ++counts.leased; break;
        case TaskState::dead: ++counts.dead; break;
        }
    }
    std::vector<TaskCounts> all;
    for (auto& [type, counts] : by_type) {
        counts.type = type;
        all.push_back(std::move(counts));
    }
    return all;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<TaskInfo> TaskView::peek(const std::vector<std::string>& types, std::size_t limit) const try {
    using namespace detail::view_impl;
    for (const std::string& type : types) detail::check_task_type(type);
    const Tree tasks = snapshot_->tree(detail::k_tasks_tree);
    const Tree bodies = snapshot_->tree(detail::k_task_bodies_tree);
    std::vector<std::string> wanted = types.empty() ? ready_types(tasks) : types;
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    std::vector<TaskInfo> found;
    for (const std::string& type : wanted) {
        std::size_t count = 0;
        for (const auto [key, value] : tasks.prefix(detail::ready_prefix(type))) {
            if (count++ == limit) break;
            if (std::optional<TaskInfo> task = task_of_row(key, value)) found.push_back(*std::move(task));
        }
    }
    std::sort(found.begin(), found.end(), [](const TaskInfo& a, const TaskInfo& b) {
        return a.priority != b.priority ? a.priority > b.priority : a.id < b.id;
    });
    if (found.size() > limit) found.resize(limit);
    for (TaskInfo& task : found) add_body(bodies, task);
    return found;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<TaskInfo> TaskView::list(TaskState state, std::size_t limit, std::string_view type) const try {
    using namespace detail::view_impl;
    const Tree bodies = snapshot_->tree(detail::k_task_bodies_tree);
    std::vector<TaskInfo> found;
    if (limit == 0) return found;
    for (const auto [key, value] : section(*snapshot_, section_of(state))) {
        std::optional<TaskInfo> task = task_of_row(key, value);
        if (!task || (!type.empty() && task->type != type)) continue;
        add_body(bodies, *task);
        found.push_back(*std::move(task));
        if (found.size() == limit) break;
    }
    return found;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<TaskInfo> TaskView::find(TaskId id) const try {
    using namespace detail::view_impl;
    const Tree tasks = snapshot_->tree(detail::k_tasks_tree);
    const Tree bodies = snapshot_->tree(detail::k_task_bodies_tree);
    const std::optional<std::string_view> bytes = bodies.get(detail::body_key(id));
    std::optional<TaskInfo> task;
    if (!bytes) {
        // Redacted, perhaps; which type it was only its dead letter says.
        if (const auto value = tasks.get(detail::dead_key(id))) task = task_of_row(detail::dead_key(id), *value);
        return task;
    }
    const detail::TaskBody body = detail::TaskBody::decode(*bytes);
    for (const detail::TaskKey& key : {detail::ready_key(body.type, body.priority, id), detail::dead_key(id)}) {
        if (const auto value = tasks.get(key)) task = task_of_row(key, *value);
    }
    for (const char first : {'l', 'd'}) {
        if (task) break;
        for (const auto [key, value] : section(*snapshot_, first)) {
            if (detail::parse_timed_key(key).id != id) continue;
            task = task_of_row(key, value);
            break;
        }
    }
    if (task) add_body(bodies, *task);
    return task;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
