// view_check.cpp -- TaskView::verify: do the rows of the queue agree with each other?
#include "base/error.hpp"
#include "cartridge/access.hpp"
#include "task/rows.hpp"

#include <algorithm>

namespace northstar::inline v0 {

namespace detail::view_check_impl {

/// Walks over the rows once, then over the bodies, which lie in the order of their numbers.
class Checker {
public:
    explicit Checker(const Snapshot& snapshot)
        : snapshot_(snapshot), tasks_(snapshot.tree(k_tasks_tree)), bodies_(snapshot.tree(k_task_bodies_tree)) {}

    std::vector<Problem> run() {
        for (const auto [key, value] : tasks_.all()) look_at_row(key, value);
        std::sort(standing_.begin(), standing_.end());
        for (const auto [key, value] : bodies_.all()) look_at_body(key, value);
        for (; at_ < standing_.size(); ++at_) without_body(standing_[at_]);
        for (const TaskId id : keyed_) {
            if (!std::binary_search(standing_.begin(), standing_.end(), id)) {
                problem(id, "is not there, and its dedup key is taken");
            }
        }
        const std::optional<std::string_view> next = tasks_.get(next_id_key());
        if (last_ != 0 && (!next || decode_number(*next) <= last_)) {
            problem(last_, "has a number that will be given to another task");
        }
        return std::move(problems_);
    }

private:
    void problem(TaskId id, std::string what) {
        problems_.push_back({Errc::corrupt, "task " + std::to_string(id), std::move(what), "the task queue"});
    }
    void damaged(const Error& error, std::string_view tree) {
        problems_.push_back({error.code(), "tree " + std::string(tree), error.what(), "the task queue"});
    }

    /// A redaction erases the body; where its history is not kept, nothing says whether there was one.
    void without_body(TaskId id) {
        const std::vector<Version> versions =
            CartridgeAccess::view(snapshot_).core->versions(k_task_bodies_tree, body_key(id));
        const bool redacted =
            std::any_of(versions.begin(), versions.end(), [](const Version& version) { return version.redacted; });
        if (!redacted && !versions.empty()) problem(id, "stands in the queue and has no body");
    }

    void look_at_row(std::string_view key, std::string_view value) try {
        switch (key.empty() ? '\0' : key.front()) {
        case 'r': {
            const ReadyKey ready = parse_ready_key(key);
            decode_attempts(value);
            look_at_task(ready.id, ready.type, ready.priority);
            break;
        }
        case 'd': {
            const DelayedRow row = DelayedRow::decode(value);
            look_at_task(parse_timed_key(key).id, row.type, row.priority);
            break;
        }
        case 'l': {
            const LeaseRow row = LeaseRow::decode(value);
            const TimedKey timed = parse_timed_key(key);
            look_at_task(timed.id, row.type, row.priority);
            if (row.claim > snapshot_.txn()) problem(timed.id, "was claimed by a commit that is not there");
            if (row.deadline_us < timed.time_us) problem(timed.id, "has a lease that ends before the time claimed");
            break;
        }
        case 'x': {
            const DeadRow row = DeadRow::decode(value);
            look_at_task(parse_task_id(key.substr(1)), row.type, row.priority);
            break;
        }
        case 'k': look_at_dedup_key(key, decode_number(value)); break;
        case 'n': decode_number(value); break;
        default: fail(Errc::corrupt, "a row belongs to no section of the task queue");
        }
    } catch (const Error& error) {
        damaged(error, k_tasks_tree);
    }

    void look_at_task(TaskId id, std::string_view type, std::uint8_t priority) {
        standing_.push_back(id);
        const std::optional<std::string_view> bytes = bodies_.get(body_key(id));
        if (!bytes) return;  // said where the bodies are walked over
        const TaskBody body = TaskBody::decode(*bytes);
        if (body.type != type || body.priority != priority) problem(id, "stands under another type or priority");
    }

    void look_at_dedup_key(std::string_view key, TaskId id) {
        const std::optional<std::string_view> bytes = bodies_.get(body_key(id));
        if (!bytes) {
            keyed_.push_back(id);
            return;
        }
        const TaskBody body = TaskBody::decode(*bytes);
        if (body.dedup_key.empty() || key != dedup_row_key(body.type, body.dedup_key)) {
            problem(id, "has another dedup key than the one taken for it");
        }
    }

    void look_at_body(std::string_view key, std::string_view value) try {
        const TaskId id = parse_task_id(key);
        last_ = id;
        for (; at_ < standing_.size() && standing_[at_] < id; ++at_) {
            without_body(standing_[at_]);
        }
        std::size_t rows = 0;
        for (; at_ < standing_.size() && standing_[at_] == id; ++at_) ++rows;
        if (rows != 1) problem(id, rows == 0 ? "has a body and stands nowhere" : "stands in several places at once");
        const TaskBody body = TaskBody::decode(value);
        if (body.dedup_key.empty()) return;
        const std::optional<std::string_view> taken = tasks_.get(dedup_row_key(body.type, body.dedup_key));
        if (!taken || decode_number(*taken) != id) problem(id, "has a dedup key that is not taken for it");
    } catch (const Error& error) {
        damaged(error, k_task_bodies_tree);
    }

    const Snapshot& snapshot_;
    const Tree tasks_;
    const Tree bodies_;
    std::vector<TaskId> standing_;  // by a row of some state; one each
    std::vector<TaskId> keyed_;     // without a body, and with a dedup key
    std::size_t at_ = 0;
    TaskId last_ = 0;
    std::vector<Problem> problems_;
};

}  // namespace detail::view_check_impl

std::vector<Problem> TaskView::verify() const try {
    return detail::view_check_impl::Checker(*snapshot_).run();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
