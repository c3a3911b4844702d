// macro/agent_orchestration: sessions, traces, claims, notes and reads together, by agents on many threads.
//
// Trees: sessions (agent -> number of steps), traces (agent, step -> text as long as the tokens of a request), claims
// (resource -> agent) and notes (topic, agent, step -> text). A step appends to the trace and counts the session up,
// in one lazy transaction; some steps also leave a note or take a resource, which is optimistic and durable. Between
// steps an agent reads the end of its trace, the notes of a topic, and now and then what it knew a hundred
// transactions ago. What all of it costs beside time is told with the steps.
#include <algorithm>
#include <atomic>

#include "dataset.hpp"
#include "macro.hpp"

namespace bench {
namespace macro_agents_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr const char* k_name = "macro/agent_orchestration";
constexpr unsigned k_threads = 8;
constexpr std::uint64_t k_agents = 200;
constexpr std::uint64_t k_resources = 500;
constexpr std::uint64_t k_topics = 50;
constexpr std::size_t k_bytes_per_token = 4;
constexpr std::size_t k_longest = 8192;

std::string step_key(std::uint64_t agent, std::uint64_t step) { return big_endian(agent) + big_endian(step); }

/// What one thread keeps for its agents.
struct Crew {
    Database& db;
    const Trace& trace;
    const std::string& text;
    Random random;
    std::uint64_t first;
    std::uint64_t agents;
    std::vector<std::uint64_t> steps;
    std::uint64_t claims = 0;
};

void step(Crew& crew, std::uint64_t i) {
    const std::uint64_t agent = crew.first + i;
    const std::uint64_t number = crew.steps[static_cast<std::size_t>(i)]++;
    const Trace::Request& request =
        crew.trace.requests[static_cast<std::size_t>((agent * 977 + number) % crew.trace.requests.size())];
    const std::size_t bytes = std::min(k_longest, k_bytes_per_token * request.answered + 16);
    Transaction tx = crew.db.begin_write(write_with(Durability::lazy));
    tx.annotate("agent", std::to_string(agent));
    tx.tree("traces").put(step_key(agent, number), std::string_view(crew.text).substr(0, bytes));
    tx.tree("sessions").put(big_endian(agent), big_endian(number + 1));
    if (number % 5 == 0) {
        tx.tree("notes").put(big_endian(crew.random.below(k_topics)) + step_key(agent, number),
                             std::string_view(crew.text).substr(0, 200));
    }
    tx.commit();
}

/// Takes a resource from whoever has it, or leaves it.
void claim(Crew& crew, std::uint64_t i) {
    const std::string resource = big_endian(crew.random.below(k_resources));
    const std::string agent = big_endian(crew.first + i);
    crew.db.update(
        [&](Transaction& tx) {
            WritableTree claims = tx.tree("claims");
            const auto holder = claims.get(resource);
            const std::optional<std::string> was = holder ? std::optional<std::string>(*holder) : std::nullopt;
            must_hold(claims.compare_and_swap(resource, was, agent), "a claim changed inside a transaction");
        },
        write_with(Durability::full));
    ++crew.claims;
}

void read(Crew& crew, std::uint64_t i) {
    const std::uint64_t agent = crew.first + i;
    const std::uint64_t steps = crew.steps[static_cast<std::size_t>(i)];
    const Snapshot snapshot = crew.db.begin_read();
    must_hold(from_big_endian(snapshot.tree("sessions").get(big_endian(agent)).value_or("")) == steps,
              "an agent does not see its own steps");
    std::uint64_t seen = 0;
    for (const auto [key, value] : snapshot.tree("traces").prefix(big_endian(agent)).reversed()) {
        if (++seen == 20 || value.empty()) break;
    }
    must_hold(seen == std::min<std::uint64_t>(20, steps), "the end of a trace is missing");
    std::uint64_t notes = 0;
    for (const auto [key, value] : snapshot.tree("notes").prefix(big_endian(crew.random.below(k_topics)))) {
        must_hold(value.size() == 200, "a note is cut");
        if (++notes == 50) break;
    }
}

void read_past(Crew& crew, std::uint64_t i) {
    const northstar::Txn now = crew.db.begin_read().txn();
    const northstar::Txn then = now - std::min<northstar::Txn>(now - 1, 100);
    const Snapshot snapshot = crew.db.begin_read(AsOf::txn(then));
    const auto steps = snapshot.tree("sessions").get(big_endian(crew.first + i));
    must_hold(!steps || from_big_endian(*steps) <= crew.steps[static_cast<std::size_t>(i)],
              "the past shows the future");
}

void mix(Crew& crew, std::uint64_t turns, Worker& writes, LatencyHistogram& reads, std::uint64_t& read_count) {
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
        for (std::uint64_t i = 0; i < crew.agents; ++i) {
            std::uint64_t start = now_ns();
            step(crew, i);
            if (crew.random.below(10) == 0) claim(crew, i);
            std::uint64_t end = now_ns();
            writes.latencies.add(end - start);
            ++writes.operations;
            start = end;
            crew.random.below(20) == 0 ? read_past(crew, i) : read(crew, i);
            end = now_ns();
            reads.add(end - start);
            ++read_count;
        }
    }
}

void run(Macro& macro) {
    const Trace trace = macro.inputs().trace(10'000);
    const std::string text(k_longest, 't');
    const std::string path = macro.fresh_path();
    const std::uint64_t agents = macro.scaled(k_agents, k_threads);
    const std::uint64_t turns = macro.scaled(50);
    Database db = Database::open(path);
    std::vector<LatencyHistogram> reads(k_threads);
    std::vector<std::uint64_t> read_counts(k_threads, 0);
    std::atomic<std::uint64_t> claims{0};
    Repeat writing = run_threads(k_threads, db, [&](unsigned thread, Worker& worker) {
        const std::uint64_t first = agents * thread / k_threads;
        const std::uint64_t count = agents * (thread + 1) / k_threads - first;
        Crew crew{db, trace, text, Random(macro.options().seed * 100 + thread), first, count, {}};
        crew.steps.resize(static_cast<std::size_t>(count), 0);
        mix(crew, turns, worker, reads[thread], read_counts[thread]);
        claims += crew.claims;
    });
    Repeat reading;
    reading.counted = false;
    reading.elapsed_ns = writing.elapsed_ns;
    for (unsigned thread = 0; thread < k_threads; ++thread) {
        reading.latencies.merge(reads[thread]);
        reading.operations += read_counts[thread];
    }
    {
        const Snapshot snapshot = db.begin_read();
        must_hold(snapshot.tree("traces").size() == agents * turns, "traces got lost");
        must_hold(snapshot.tree("sessions").size() == agents, "sessions got lost");
        must_hold(snapshot.tree("claims").size() <= std::min(claims.load(), k_resources), "claims out of nothing");
    }
    const std::string input = trace.input;
    macro.add({std::string(k_name) + "/steps", "lazy", "step", input}, writing);
    macro.add({std::string(k_name) + "/reads", "", "read", input}, reading);
    db.close();
    remove_database(path);
}

const RegisterMacro registered({k_name, {"steps", "reads"}, run});

}  // namespace macro_agents_impl
}  // namespace bench
