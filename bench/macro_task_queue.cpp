// macro/task_queue_claims: agents claim, finish, give back and forget tasks, from many threads and from many processes.
//
// An agent claims a task and ends it at its next turn: it finishes nine of ten, gives one of twelve back, and forgets
// one of a hundred. Agents are dealt to workers, each a thread; a worker lets its agents take turns. One operation is a
// claim with what follows it; its latency is that of the claim. `one_worker` has one agent and a long queue.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "command.hpp"
#include "dataset.hpp"
#include "macro.hpp"
#include "task_queue.hpp"

namespace bench {
namespace macro_task_queue_impl {

using northstar::Database;
using northstar::Durability;

constexpr const char* k_name = "macro/task_queue_claims";
constexpr unsigned k_threads = 16;
constexpr unsigned k_processes = 8;
constexpr unsigned k_threads_per_process = 2;
constexpr const char* k_payload =
    "{\"kind\":\"review\",\"path\":\"src/parser/index.cpp\",\"priority\":3,\"trace\":\"0000000000\"}";

struct Crew {
    std::uint64_t agents;
    std::uint64_t claims;  ///< of each agent
    std::uint64_t seed;
};

/// What the agents of a worker reached; compared with what the database says.
struct Tally {
    std::uint64_t claims = 0;
    std::uint64_t finished = 0;
    std::uint64_t forgotten = 0;
    Tally& operator+=(const Tally& other) {
        claims += other.claims;
        finished += other.finished;
        forgotten += other.forgotten;
        return *this;
    }
};

constexpr std::uint64_t k_lease_us = 600'000'000;  // nobody loses a lease by being slow

Tally work(TaskEngine& queue, const Crew& crew, std::uint64_t worker, std::uint64_t workers, Worker& out) {
    Tally tally;
    Random random(crew.seed * 1000 + worker);
    const std::uint64_t agents = crew.agents / workers + (worker < crew.agents % workers ? 1 : 0);
    const std::unique_ptr<TaskWorker> hands = queue.worker(static_cast<std::size_t>(agents));
    std::vector<bool> busy(static_cast<std::size_t>(agents));
    for (std::uint64_t turn = 0; turn < crew.claims * 2; ++turn) {
        for (std::size_t agent = 0; agent < busy.size(); ++agent) {
            if (!busy[agent]) {
                const std::uint64_t start = now_ns();
                const bool claimed = hands->claim(agent);
                out.latencies.add(now_ns() - start);
                must_hold(claimed, "the queue ran empty");
                ++out.operations;
                ++tally.claims;
                busy[agent] = true;
                continue;
            }
            busy[agent] = false;
            const std::uint64_t chance = random.below(1000);
            if (chance < 83) {
                must_hold(hands->give_back(agent), "a lease was lost");
            } else if (chance >= 93) {
                must_hold(hands->complete(agent), "a lease was lost");
                ++tally.finished;
            } else {
                ++tally.forgotten;
            }
        }
    }
    return tally;
}

void check(TaskEngine& queue, std::uint64_t tasks, const Tally& tally) {
    const TaskTotals totals = queue.totals();
    must_hold(totals.held == tally.forgotten, "tasks that agents hold and those that they forgot differ");
    must_hold(totals.ready + totals.held + tally.finished == tasks, "tasks got lost");
}

/// As many tasks as are claimed and some more, so that the queue never runs empty while some wait to be tried again.
std::uint64_t tasks_for(const Crew& crew, std::uint64_t at_least) {
    return std::max(crew.agents * (crew.claims + 1), at_least);
}

struct Kind {
    std::string name;
    Durability durability;
    unsigned most_threads;
    std::uint64_t least_tasks = 0;
};

void by_threads(Macro& macro, const Kind& kind, const Crew& crew) {
    const About about{std::string(k_name) + "/" + kind.name, kind.durability == Durability::full ? "full" : "lazy",
                      "claim"};
    if (!macro.wanted(about.name)) return;
    const std::string path = macro.fresh_path();
    {
        Database db = Database::open(path);
        const std::unique_ptr<TaskEngine> queue = make_task_engine(db, kind.durability, k_lease_us);
        const std::uint64_t tasks = tasks_for(crew, kind.least_tasks);
        queue->add(tasks, k_payload);
        const auto threads = static_cast<unsigned>(std::min<std::uint64_t>(crew.agents, kind.most_threads));
        std::vector<Tally> tallies(threads);
        const Repeat repeat = run_threads(threads, db, [&](unsigned thread, Worker& worker) {
            tallies[thread] = work(*queue, crew, thread, threads, worker);
        });
        Tally total;
        for (const Tally& tally : tallies) total += tally;
        check(*queue, tasks, total);
        macro.add(about, repeat);
    }
    remove_database(path);
}

/// What a child process tells its parent, in one line.
std::string report(const Repeat& repeat, const Tally& tally) {
    std::ostringstream line;
    const Counters& c = repeat.counters;
    line << tally.claims << ' ' << tally.finished << ' ' << tally.forgotten << ' ' << repeat.operations << ' '
         << repeat.page_copies << ' ' << c.allocations << ' ' << c.flushes << ' ' << c.read_bytes << ' '
         << c.written_bytes << ' '
         << c.fetched_bytes << ' ' << c.dirtied_bytes << ' ' << c.cpu_ns << ' ' << repeat.latencies.text();
    return line.str();
}

void add_report(const std::string& line, Repeat& repeat, Tally& tally) {
    std::istringstream words(line);
    Tally one;
    Repeat part;
    Counters& c = part.counters;
    if (!(words >> one.claims >> one.finished >> one.forgotten >> part.operations >> part.page_copies >>
          c.allocations >> c.flushes >> c.read_bytes >> c.written_bytes >> c.fetched_bytes >> c.dirtied_bytes >>
          c.cpu_ns))
        throw std::runtime_error("a child process failed: " + line);
    std::string rest;
    std::getline(words, rest);
    tally += one;
    repeat.operations += part.operations;
    repeat.page_copies += part.page_copies;
    repeat.counters += part.counters;
    repeat.latencies.merge(LatencyHistogram::parse(rest));
}

void by_processes(Macro& macro, const std::string& kind, Durability durability, const Crew& crew) {
    const bool full = durability == Durability::full;
    const About about{std::string(k_name) + "/" + kind + "/" + std::to_string(crew.agents), full ? "full" : "lazy",
                      "claim"};
    if (!macro.wanted(about.name)) return;
    const std::string path = macro.fresh_path();
    {
        Database db = Database::open(path);
        const std::unique_ptr<TaskEngine> queue = make_task_engine(db, durability, k_lease_us);
        const std::uint64_t tasks = tasks_for(crew, 0);
        queue->add(tasks, k_payload);
        std::vector<std::unique_ptr<Child>> children;
        for (unsigned process = 0; process < k_processes; ++process) {
            children.push_back(std::make_unique<Child>(std::vector<std::string>{
                "child-queue", path, full ? "full" : "lazy", std::to_string(crew.agents), std::to_string(crew.claims),
                std::to_string(crew.seed), std::to_string(process)}));
        }
        for (const auto& child : children) must_hold(child->read_line() == "ready", "a child process is not ready");
        Repeat repeat;
        Tally tally;
        const std::uint64_t start = now_ns();
        for (const auto& child : children) child->go();
        std::vector<std::string> lines;
        for (const auto& child : children) lines.push_back(child->read_line());
        repeat.elapsed_ns = now_ns() - start;
        for (const std::string& line : lines) add_report(line, repeat, tally);
        for (const auto& child : children) child->finish();
        check(*queue, tasks, tally);
        macro.add(about, repeat);
    }
    remove_database(path);
}

int child_queue(const std::vector<std::string>& words) {
    const Arguments arguments(words, {});
    if (arguments.words().size() != 6) throw UsageError("DB full|lazy AGENTS CLAIMS SEED PROCESS");
    const auto number = [&](std::size_t i) { return std::stoull(arguments.words()[i]); };
    const Durability durability = arguments.words()[1] == "full" ? Durability::full : Durability::lazy;
    const Crew crew{number(2), number(3), number(4)};
    const std::uint64_t process = number(5);
    Database db = Database::open(arguments.words()[0]);
    const std::unique_ptr<TaskEngine> queue = make_task_engine(db, durability, k_lease_us);
    std::puts("ready");
    std::fflush(stdout);
    wait_for_parent();
    std::array<Tally, k_threads_per_process> tallies;
    const Repeat repeat = run_threads(k_threads_per_process, db, [&](unsigned thread, Worker& worker) {
        tallies[thread] =
            work(*queue, crew, process * k_threads_per_process + thread, k_processes * k_threads_per_process, worker);
    });
    Tally total;
    for (const Tally& tally : tallies) total += tally;
    std::puts(report(repeat, total).c_str());
    std::fflush(stdout);
    wait_for_parent();
    return 0;
}

void run(Macro& macro) {
    const std::uint64_t seed = macro.options().seed;
    by_threads(macro, {"one_worker", Durability::lazy, 1, macro.scaled(100'000)}, {1, macro.scaled(20'000), seed});
    // An agent has a whole number of claims, so that a small scale has fewer of them rather than none.
    for (const std::uint64_t agents : {std::uint64_t{100}, std::uint64_t{1000}}) {
        const Crew crew{agents, macro.scaled(agents == 100 ? 40 : 8), seed};
        const std::string size = "/" + std::to_string(agents);
        by_threads(macro, {"threads" + size, Durability::full, k_threads}, crew);
        by_threads(macro, {"threads_lazy" + size, Durability::lazy, k_threads}, crew);
        by_processes(macro, "processes", Durability::full, crew);
        by_processes(macro, "processes_lazy", Durability::lazy, crew);
    }
}

const RegisterCommand child_command("child-queue", "", child_queue);
const RegisterMacro registered({k_name,
                                {"one_worker", "threads/100", "threads/1000", "threads_lazy/100", "threads_lazy/1000",
                                 "processes/100", "processes/1000", "processes_lazy/100", "processes_lazy/1000"},
                                run});

}  // namespace macro_task_queue_impl
}  // namespace bench
