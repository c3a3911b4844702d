// macro/task_queue_claims: agents claim, finish, fail and give up tasks, from many threads and from many processes.
//
// An agent claims a task and ends it at its next turn: it finishes nine of ten, gives one of twelve back, and forgets
// one of a hundred, whose lease expires. Agents are dealt to workers, each a thread; a worker lets its agents take
// turns. One operation is a claim with what follows it; its latency is that of the claim.
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
};

TaskQueue::Settings settings_for(Claiming claiming, Durability durability, std::uint64_t agents) {
    TaskQueue::Settings settings;
    settings.claiming = claiming;
    settings.durability = durability;
    // Several rounds of all agents, each of whose steps is a transaction: nobody loses a lease by being slow.
    settings.lease_txns = agents * 10;
    return settings;
}

Tally work(TaskQueue& queue, const Crew& crew, std::uint64_t worker, std::uint64_t workers, Worker& out) {
    Tally tally;
    Random random(crew.seed * 1000 + worker);
    const std::uint64_t agents = crew.agents / workers + (worker < crew.agents % workers ? 1 : 0);
    std::vector<std::optional<Claim>> held(static_cast<std::size_t>(agents));
    for (std::uint64_t turn = 0; turn < crew.claims * 2; ++turn) {
        for (std::optional<Claim>& claim : held) {
            if (!claim) {
                const std::uint64_t start = now_ns();
                claim = queue.claim(random.next());
                out.latencies.add(now_ns() - start);
                must_hold(claim.has_value(), "the queue ran empty");
                ++out.operations;
                ++tally.claims;
                continue;
            }
            const std::uint64_t chance = random.below(1000);
            if (chance < 83) {
                queue.give_back(*claim);
            } else if (chance >= 93) {
                tally.finished += queue.finish(*claim) ? 1 : 0;
            }
            claim.reset();
        }
    }
    return tally;
}

/// As many tasks as are claimed, so that the queue never runs empty.
void fill(TaskQueue& queue, const Crew& crew) {
    const std::uint64_t tasks = crew.agents * crew.claims;
    for (std::uint64_t first = 0; first < tasks; first += 1000)
        queue.add(first, std::min<std::uint64_t>(1000, tasks - first), k_payload);
}

void check(const TaskQueue& queue, const Crew& crew, const Tally& tally) {
    const TaskQueue::Totals totals = queue.check();
    must_hold(totals.tasks == crew.agents * crew.claims, "tasks got lost");
    must_hold(totals.done == tally.finished, "finished tasks and those that agents finished differ");
    must_hold(totals.claims == tally.claims, "claims and those that agents made differ");
}

void by_threads(Macro& macro, const std::string& kind, Claiming claiming, Durability durability, std::uint64_t agents,
                std::uint64_t claims) {
    const About about{std::string(k_name) + "/" + kind + "/" + std::to_string(agents),
                      durability == Durability::full ? "full" : "lazy", "claim"};
    if (!macro.wanted(about.name)) return;
    const std::string path = macro.fresh_path();
    const Crew crew{agents, claims, macro.options().seed};
    {
        Database db = Database::open(path);
        TaskQueue queue(db, settings_for(claiming, durability, agents));
        fill(queue, crew);
        const auto threads = static_cast<unsigned>(std::min<std::uint64_t>(agents, k_threads));
        std::vector<Tally> tallies(threads);
        const Repeat repeat = run_threads(threads, db, [&](unsigned thread, Worker& worker) {
            tallies[thread] = work(queue, crew, thread, threads, worker);
        });
        Tally total;
        for (const Tally& tally : tallies) {
            total.claims += tally.claims;
            total.finished += tally.finished;
        }
        check(queue, crew, total);
        macro.add(about, repeat);
        db.close();
    }
    remove_database(path);
}

/// What a child process tells its parent, in one line.
std::string report(const Repeat& repeat, const Tally& tally) {
    std::ostringstream line;
    const Counters& c = repeat.counters;
    line << tally.claims << ' ' << tally.finished << ' ' << repeat.operations << ' ' << repeat.page_copies << ' '
         << c.allocations << ' ' << c.flushes << ' ' << c.read_bytes << ' ' << c.written_bytes << ' '
         << c.fetched_bytes << ' ' << c.dirtied_bytes << ' ' << c.cpu_ns << ' ' << repeat.latencies.text();
    return line.str();
}

void add_report(const std::string& line, Repeat& repeat, Tally& tally) {
    std::istringstream words(line);
    Tally one;
    Repeat part;
    Counters& c = part.counters;
    if (!(words >> one.claims >> one.finished >> part.operations >> part.page_copies >> c.allocations >> c.flushes >>
          c.read_bytes >> c.written_bytes >> c.fetched_bytes >> c.dirtied_bytes >> c.cpu_ns))
        throw std::runtime_error("a child process failed: " + line);
    std::string rest;
    std::getline(words, rest);
    tally.claims += one.claims;
    tally.finished += one.finished;
    repeat.operations += part.operations;
    repeat.page_copies += part.page_copies;
    repeat.counters += part.counters;
    repeat.latencies.merge(LatencyHistogram::parse(rest));
}

void by_processes(Macro& macro, std::uint64_t agents, std::uint64_t claims) {
    const About about{std::string(k_name) + "/processes/" + std::to_string(agents), "full", "claim"};
    if (!macro.wanted(about.name)) return;
    const std::string path = macro.fresh_path();
    const Crew crew{agents, claims, macro.options().seed};
    {
        Database db = Database::open(path);
        TaskQueue queue(db, settings_for(Claiming::exclusive, Durability::full, agents));
        fill(queue, crew);
        std::vector<std::unique_ptr<Child>> children;
        for (unsigned process = 0; process < k_processes; ++process) {
            children.push_back(std::make_unique<Child>(
                std::vector<std::string>{"child-queue", path, std::to_string(agents), std::to_string(claims),
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
        check(queue, crew, tally);
        macro.add(about, repeat);
        db.close();
    }
    remove_database(path);
}

int child_queue(const std::vector<std::string>& words) {
    const Arguments arguments(words, {});
    if (arguments.words().size() != 5) throw UsageError("DB AGENTS CLAIMS SEED PROCESS");
    const auto number = [&](std::size_t i) { return std::stoull(arguments.words()[i]); };
    const Crew crew{number(1), number(2), number(3)};
    const std::uint64_t process = number(4);
    Database db = Database::open(arguments.words()[0]);
    TaskQueue queue(db, settings_for(Claiming::exclusive, Durability::full, crew.agents));
    std::puts("ready");
    std::fflush(stdout);
    wait_for_parent();
    std::array<Tally, k_threads_per_process> tallies;
    const Repeat repeat = run_threads(k_threads_per_process, db, [&](unsigned thread, Worker& worker) {
        tallies[thread] =
            work(queue, crew, process * k_threads_per_process + thread, k_processes * k_threads_per_process, worker);
    });
    Tally total;
    for (const Tally& tally : tallies) {
        total.claims += tally.claims;
        total.finished += tally.finished;
    }
    std::puts(report(repeat, total).c_str());
    std::fflush(stdout);
    wait_for_parent();
    db.close();
    return 0;
}

void run(Macro& macro) {
    // An agent has a whole number of claims, so that a small scale has fewer of them rather than none.
    for (const std::uint64_t agents : {std::uint64_t{100}, std::uint64_t{1000}}) {
        const std::uint64_t claims = macro.scaled(agents == 100 ? 40 : 8);
        by_threads(macro, "threads", Claiming::exclusive, Durability::full, agents, claims);
        by_threads(macro, "threads_lazy", Claiming::exclusive, Durability::lazy, agents, claims);
        by_threads(macro, "threads_optimistic", Claiming::optimistic, Durability::full, agents, claims);
        by_processes(macro, agents, claims);
    }
}

const RegisterCommand child_command("child-queue", "", child_queue);
const RegisterMacro registered({k_name,
                                {"threads/100", "threads/1000", "threads_lazy/100", "threads_lazy/1000",
                                 "threads_optimistic/100", "threads_optimistic/1000", "processes/100",
                                 "processes/1000"},
                                run});

}  // namespace macro_task_queue_impl
}  // namespace bench
