// task: enqueue, claim, finish and look at tasks
#include <array>

#include "actions.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"
#include "points.hpp"
#include "session.hpp"

namespace northstar_tool {
namespace task_impl {

using northstar::TaskClaim;
using northstar::TaskFailed;
using northstar::TaskId;
using northstar::TaskInfo;
using northstar::TaskQueue;
using northstar::TaskState;
using northstar::TaskToken;
using northstar::TaskView;

constexpr std::size_t k_default_listed = 100;

std::optional<std::uint64_t> duration(const Arguments& arguments, std::string_view option) {
    const std::optional<std::string> text = arguments.value(option);
    if (!text) return std::nullopt;
    if (const auto micros = parse_duration(*text)) return micros;
    throw UsageError("--" + std::string(option) + " is a number with one of us ms s m h d w, not '" +
                     printable(*text) + "'");
}

std::uint32_t milliseconds(std::uint64_t micros) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(micros / 1000, ~std::uint32_t{0}));
}

/// A number below a limit; nullopt: the option was not given.
std::optional<std::uint64_t> number_below(const Arguments& arguments, std::string_view option, std::uint64_t limit) {
    const std::optional<std::uint64_t> value = arguments.number(option);
    if (value && *value >= limit) {
        throw UsageError("--" + std::string(option) + " is less than " + std::to_string(limit));
    }
    return value;
}

/// Operands from one on.
std::vector<std::string> rest(const Arguments& arguments, std::size_t first) {
    const std::vector<std::string>& all = arguments.operands();
    return {all.begin() + static_cast<std::ptrdiff_t>(std::min(first, all.size())), all.end()};
}

/// A queue to change.
class Work {
public:
    Work(const Arguments& arguments, bool create)
        : database(open_writing(arguments.operand(1), arguments, create)),
          queue(database, {write_options(arguments).durability, nullptr}) {}
    northstar::Database database;
    TaskQueue queue;
};

TaskToken token(const std::string& text) {
    if (const std::optional<TaskToken> parsed = TaskToken::parse(text)) return *parsed;
    throw UsageError("'" + printable(text) + "' is no token; northstar task claim prints them");
}

TaskId task_id(const std::string& text) {
    if (const auto id = parse_unsigned(text)) return *id;
    throw UsageError("'" + printable(text) + "' is no number of a task");
}

std::string lost(const std::string& token) {
    return "the lease of token '" + printable(token) + "' was lost: the task is done, or somebody else's";
}

int run_enqueue(const Arguments& arguments, Output& output) {
    northstar::TaskSpec spec;
    spec.type = arguments.operand(2);
    const std::string payload =
        arguments.operands().size() > 3 ? arguments.bytes(arguments.operand(3), "payload") : std::string();
    spec.payload = payload;
    const std::string key = arguments.bytes_of("key").value_or("");
    spec.dedup_key = key;
    spec.priority = static_cast<std::uint8_t>(number_below(arguments, "priority", 256).value_or(0));
    if (const auto most = number_below(arguments, "attempts", std::uint64_t{1} << 32)) {
        spec.max_attempts = static_cast<std::uint32_t>(*most);
    }
    spec.backoff_us = duration(arguments, "backoff").value_or(spec.backoff_us);
    spec.longest_backoff_us = duration(arguments, "longest-backoff").value_or(spec.longest_backoff_us);
    if (const std::optional<std::string> at = arguments.value("run-at")) {
        const auto micros = parse_time(*at);
        if (!micros) throw UsageError("--run-at is a time (northstar help points), not '" + printable(*at) + "'");
        spec.run_at_us = *micros;
    }
    if (const auto delay = duration(arguments, "delay")) {
        if (spec.run_at_us != 0) throw UsageError("--run-at and --delay say the same thing; give one of them");
        spec.run_at_us = parse_time("now").value_or(0) + *delay;
    }
    Work work(arguments, true);
    const northstar::TaskEnqueued enqueued = work.queue.enqueue(spec);
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("task").number(enqueued.id).name("created").boolean(enqueued.created).end_object();
        output.line(writer.text());
    } else if (!arguments.has("quiet")) {
        output.line(std::to_string(enqueued.id) + (enqueued.created ? "" : "\tthere already"));
    }
    return k_exit_ok;
}

int run_claim(const Arguments& arguments, Output& output) {
    northstar::TaskClaimRequest request;
    request.types = rest(arguments, 2);
    request.count = static_cast<std::uint32_t>(number_below(arguments, "limit", std::uint64_t{1} << 32).value_or(1));
    request.lease_us = duration(arguments, "lease").value_or(request.lease_us);
    const std::string worker = arguments.value_or("worker", "");
    request.worker = worker;
    request.wait_ms = milliseconds(duration(arguments, "timeout").value_or(0));
    Work work(arguments, false);
    const std::vector<TaskClaim> claims = work.queue.claim(request);
    for (const TaskClaim& claim : claims) {
        const std::string text = claim.token().text();
        if (!arguments.has("json")) {
            output.line(text + "\t" + printable(claim.type) + "\t" + display(claim.payload, arguments.encoding()));
            continue;
        }
        json::Writer writer;
        writer.begin_object().name("task").number(claim.id).name("type").bytes(claim.type);
        writer.name("token").string(text).name("payload").bytes(claim.payload);
        writer.name("priority").number(claim.priority).name("attempt").number(claim.attempt);
        writer.name("max_attempts").number(claim.max_attempts);
        writer.name("lease_until").string(format_time(claim.lease_until_us)).end_object();
        output.line(writer.text());
    }
    return claims.empty() ? k_exit_negative : k_exit_ok;
}

int run_heartbeat(const Arguments& arguments, Output& output) {
    const TaskToken held = token(arguments.operand(2));
    Work work(arguments, false);
    const auto until = work.queue.heartbeat(
        held, duration(arguments, "lease").value_or(northstar::TaskClaimRequest().lease_us));
    if (!until) throw Failure(k_exit_negative, lost(arguments.operand(2)));
    if (!arguments.has("quiet")) output.line(format_time(*until));
    return k_exit_ok;
}

int run_complete(const Arguments& arguments, Output&) {
    std::vector<TaskToken> tokens;
    for (const std::string& text : rest(arguments, 2)) tokens.push_back(token(text));
    Work work(arguments, false);
    std::string refused;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!work.queue.complete(tokens[i])) refused = arguments.operand(2 + i);
    }
    if (!refused.empty()) throw Failure(k_exit_negative, lost(refused));
    return k_exit_ok;
}

int run_fail(const Arguments& arguments, Output& output) {
    const TaskToken held = token(arguments.operand(2));
    northstar::TaskFailure failure;
    const std::string reason = arguments.value_or("reason", "");
    failure.reason = reason;
    failure.retry_after_us = duration(arguments, "retry-after");
    failure.final = arguments.has("final");
    Work work(arguments, false);
    const TaskFailed what = work.queue.fail(held, failure);
    if (what == TaskFailed::lost) throw Failure(k_exit_negative, lost(arguments.operand(2)));
    if (!arguments.has("quiet")) output.line(what == TaskFailed::dead ? "dead" : "retried");
    return k_exit_ok;
}

int run_wait(const Arguments& arguments, Output&) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    constexpr std::uint64_t k_for_ever = ~std::uint64_t{0};
    const std::uint64_t timeout = duration(arguments, "timeout").value_or(k_for_ever);
    const TaskQueue queue(database);
    return queue.wait(rest(arguments, 2), milliseconds(timeout)) ? k_exit_ok : k_exit_negative;
}

void print(const TaskInfo& task, const Arguments& arguments, Output& output) {
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("task").number(task.id).name("state").string(to_string(task.state));
        writer.name("type").bytes(task.type).name("payload").bytes(task.payload);
        writer.name("priority").number(task.priority).name("attempts").number(task.attempts);
        writer.name("max_attempts").number(task.max_attempts);
        writer.name("enqueued").string(format_time(task.enqueued_us));
        if (!task.dedup_key.empty()) writer.name("key").bytes(task.dedup_key);
        switch (task.state) {
        case TaskState::ready: break;
        case TaskState::delayed: writer.name("run_at").string(format_time(task.time_us)); break;
        case TaskState::leased:
            writer.name("lease_until").string(format_time(task.time_us)).name("worker").bytes(task.worker);
            writer.name("claimed_by").number(task.claimed_by);
            break;
        case TaskState::dead:
            writer.name("since").string(format_time(task.time_us)).name("reason").bytes(task.reason);
            break;
        }
        output.line(writer.end_object().text());
        return;
    }
    std::string line = std::to_string(task.id) + "\t" + to_string(task.state) + "\t" + printable(task.type) + "\t" +
                       display(task.payload, arguments.encoding());
    if (task.state != TaskState::ready) line += "\t" + format_time(task.time_us);
    if (!task.worker.empty()) line += "\t" + printable(task.worker);
    if (!task.reason.empty()) line += "\t" + printable(task.reason);
    output.line(line);
}

/// A state of the queue to look at.
class Look {
public:
    explicit Look(const Arguments& arguments)
        : database(open_reading(arguments.operand(1), arguments)), snapshot(snapshot_for(database, arguments)),
          view(snapshot) {}
    northstar::Database database;
    northstar::Snapshot snapshot;
    TaskView view;
};

std::size_t most_of(const Arguments& arguments) {
    return static_cast<std::size_t>(arguments.number("limit").value_or(k_default_listed));
}

int list(TaskState state, const Arguments& arguments, Output& output) {
    const Look look(arguments);
    for (const TaskInfo& task : look.view.list(state, most_of(arguments), arguments.value_or("type", ""))) {
        print(task, arguments, output);
    }
    return k_exit_ok;
}

int run_list(const Arguments& arguments, Output& output) {
    const std::string state = arguments.value_or("state", "ready");
    for (const TaskState one : {TaskState::delayed, TaskState::leased, TaskState::dead}) {
        if (state == to_string(one)) return list(one, arguments, output);
    }
    return list(TaskState::ready, arguments, output);
}

int run_dead(const Arguments& arguments, Output& output) { return list(TaskState::dead, arguments, output); }

int run_peek(const Arguments& arguments, Output& output) {
    const Look look(arguments);
    for (const TaskInfo& task : look.view.peek(rest(arguments, 2), most_of(arguments))) {
        print(task, arguments, output);
    }
    return k_exit_ok;
}

int run_show(const Arguments& arguments, Output& output) {
    const TaskId id = task_id(arguments.operand(2));
    const Look look(arguments);
    const std::optional<TaskInfo> task = look.view.find(id);
    if (!task) throw Failure(k_exit_negative, "task " + std::to_string(id) + " is not in the queue");
    print(*task, arguments, output);
    return k_exit_ok;
}

int run_stats(const Arguments& arguments, Output& output) {
    const Look look(arguments);
    if (!arguments.has("json")) output.line("type\tready\tdelayed\tleased\tdead");
    for (const northstar::TaskCounts& counts : look.view.stats()) {
        if (!arguments.has("json")) {
            output.line(printable(counts.type) + "\t" + std::to_string(counts.ready) + "\t" +
                        std::to_string(counts.delayed) + "\t" + std::to_string(counts.leased) + "\t" +
                        std::to_string(counts.dead));
            continue;
        }
        json::Writer writer;
        writer.begin_object().name("type").bytes(counts.type).name("ready").number(counts.ready);
        writer.name("delayed").number(counts.delayed).name("leased").number(counts.leased);
        writer.name("dead").number(counts.dead).end_object();
        output.line(writer.text());
    }
    return k_exit_ok;
}

int revive(const Arguments& arguments, bool (TaskQueue::*what)(TaskId)) {
    std::vector<TaskId> ids;
    for (const std::string& text : rest(arguments, 2)) ids.push_back(task_id(text));
    Work work(arguments, false);
    std::optional<TaskId> missing;
    for (const TaskId id : ids) {
        if (!(work.queue.*what)(id)) missing = id;
    }
    if (missing) throw Failure(k_exit_negative, "there is no dead letter " + std::to_string(*missing));
    return k_exit_ok;
}

int run_requeue(const Arguments& arguments, Output&) { return revive(arguments, &TaskQueue::requeue); }
int run_drop(const Arguments& arguments, Output&) { return revive(arguments, &TaskQueue::drop); }

constexpr std::array<Action, 13> k_actions = {{
    {"enqueue", 3, 4, "enqueue DATABASE TYPE [PAYLOAD]", run_enqueue},
    {"claim", 2, k_any_number, "claim DATABASE [TYPE...]", run_claim},
    {"heartbeat", 3, 3, "heartbeat DATABASE TOKEN", run_heartbeat},
    {"complete", 3, k_any_number, "complete DATABASE TOKEN...", run_complete},
    {"fail", 3, 3, "fail DATABASE TOKEN", run_fail},
    {"wait", 2, k_any_number, "wait DATABASE [TYPE...]", run_wait},
    {"list", 2, 2, "list DATABASE", run_list},
    {"peek", 2, k_any_number, "peek DATABASE [TYPE...]", run_peek},
    {"show", 3, 3, "show DATABASE TASK", run_show},
    {"stats", 2, 2, "stats DATABASE", run_stats},
    {"dead", 2, 2, "dead DATABASE", run_dead},
    {"requeue", 3, k_any_number, "requeue DATABASE TASK...", run_requeue},
    {"drop", 3, k_any_number, "drop DATABASE TASK...", run_drop},
}};

int run(const Arguments& arguments, Output& output) { return run_action("task", k_actions, arguments, output); }

}  // namespace task_impl

std::vector<Command> task_commands() {
    return {
        {.name = "task",
         .group = k_group_cartridges,
         .operands = "ACTION DATABASE [TYPE|TOKEN|TASK...]",
         .least = 2,
         .most = k_any_number,
         .summary = "enqueue, claim, finish and look at tasks of many workers",
         .description = "enqueue DATABASE TYPE [PAYLOAD] adds a task and prints its number. claim DATABASE [TYPE...] "
                        "takes the next one of these types, or any, for the time of a lease, and prints token, type "
                        "and payload; --timeout waits for one. The token is what heartbeat, complete and fail ask for; "
                        "whoever lost the lease is refused with exit code 1. A task without attempts left becomes a "
                        "dead letter: dead lists them, requeue and drop take their numbers. wait returns when a task "
                        "could be claimed. peek, list, show and stats read the state of now or of --as-of.",
         .options = {{"priority", 0, "N", "enqueue: 0 (default) to 255, larger comes first"},
                     {"run-at", 0, "TIME", "enqueue: not before"},
                     {"delay", 0, "TIME", "enqueue: not before so long from now, e.g. 10m"},
                     {"key", 'k', "KEY", "enqueue: nothing where an unfinished task of the type has this key"},
                     {"attempts", 0, "N", "enqueue: claims until it is dead (default: 5)"},
                     {"backoff", 0, "TIME", "enqueue: pause after the first failure, doubled by each (default: 1s)"},
                     {"longest-backoff", 0, "TIME", "enqueue: no pause is longer (default: 1h)"},
                     {"lease", 0, "TIME", "claim, heartbeat: how long the task is the worker's (default: 1m)"},
                     {"worker", 0, "NAME", "claim: kept with the lease"},
                     {"timeout", 0, "TIME", "claim: wait for a task; wait: give up after (default: never)"},
                     {"reason", 0, "TEXT", "fail: kept with a dead letter"},
                     {"retry-after", 0, "TIME", "fail: instead of the task's own pause"},
                     {"final", 0, "", "fail: make it a dead letter at once"},
                     {"state", 0, "STATE", "list: tasks in this state", false, "ready delayed leased dead"},
                     {"type", 0, "TYPE", "list, dead: tasks of this type"},
                     {"limit", 'n', "N", "claim: at most N (default: 1); peek, list, dead: (default: 100)"},
                     k_option_as_of,
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_durability,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar task enqueue app.db review src/main.cpp --priority 9 --key src/main.cpp",
                      "northstar task claim app.db review --lease 5m --timeout 1h --json",
                      "northstar task complete app.db \"$token\"",
                      "northstar task fail app.db \"$token\" --reason 'no network' --retry-after 30s",
                      "northstar task stats app.db --as-of 2h-ago", "northstar task dead app.db"},
         .run = task_impl::run},
    };
}

}  // namespace northstar_tool
