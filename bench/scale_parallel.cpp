// Scale against the number of threads of a process, and of processes that have the database open and all write.
//
// The cost is that of the whole: time on the clock over the operations of all. Where work is shared among processors
// it falls, where it must be done one after the other it stays; it must not grow with those who wait.
#include <cstdio>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "command.hpp"
#include "dataset.hpp"
#include "macro.hpp"
#include "scale.hpp"

namespace bench {
namespace scale_parallel_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr const char* k_tree = "data";
constexpr std::uint64_t k_entries = 100'000;
constexpr std::uint64_t k_gets_per_snapshot = 100;

const CurveSpec k_reads{"scale/threads/get", "gets", "threads", 0.3, false};
const CurveSpec k_durable{
    "scale/threads/durable_commit", "durable commits of 1 update", "threads", 0.3, false, "full"};
const CurveSpec k_lazy{"scale/threads/lazy_commit", "lazy commits of 1 update", "threads", 0.3, false, "lazy"};
const CurveSpec k_process_durable{
    "scale/processes/durable_commit", "durable commits of 1 update", "processes", 0.5, false, "full"};
const CurveSpec k_process_lazy{
    "scale/processes/lazy_commit", "lazy commits of 1 update", "processes", 0, false, "lazy"};

void load(Database& db, Dataset& data) {
    for (std::uint64_t done = 0; done < k_entries;) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        WritableTree tree = tx.tree(k_tree);
        for (int i = 0; i < 1000; ++i, ++done) tree.put(data.load_order().next(), data.value());
        tx.commit();
    }
    db.checkpoint();
}

std::string_view any_key(Dataset& data, Random& random) {
    return data.load_order()[static_cast<std::size_t>(random.below(k_entries))];
}

void commits(Database& db, Dataset& data, Random& random, Durability durability, std::uint64_t deadline,
             Worker& worker) {
    const std::string value(k_value_size, 'v');
    do {
        const std::uint64_t start = now_ns();
        Transaction tx = db.begin_write(write_with(durability));
        tx.tree(k_tree).put(any_key(data, random), value);
        tx.commit();
        worker.latencies.add(now_ns() - start);
        ++worker.operations;
    } while (now_ns() < deadline);
}

void gets(Database& db, Dataset& data, Random& random, std::uint64_t deadline, Worker& worker) {
    do {
        const std::uint64_t start = now_ns();
        const Snapshot snapshot = db.begin_read();
        const Tree tree = snapshot.tree(k_tree);
        for (std::uint64_t i = 0; i < k_gets_per_snapshot; ++i) {
            if (!tree.get(any_key(data, random))) throw std::runtime_error("a get gave the wrong answer");
        }
        worker.latencies.add((now_ns() - start) / k_gets_per_snapshot);
        worker.operations += k_gets_per_snapshot;
    } while (now_ns() < deadline);
}

void threads_at(Scale& scale, Database& db, Dataset& data, std::uint64_t threads) {
    const auto slice = [&](const CurveSpec& curve, auto&& work) {
        for (unsigned round = 0; scale.wanted(curve.name) && round < scale.options().rounds; ++round) {
            scale.progress(curve.title, threads);
            const std::uint64_t deadline = now_ns() + static_cast<std::uint64_t>(scale.options().seconds * 1e9);
            scale.add(curve, threads,
                      run_threads(static_cast<unsigned>(threads), db,
                                  [&](unsigned thread, Worker& worker) {
                                      Random random(scale.options().seed * 100 + thread);
                                      work(random, deadline, worker);
                                  }),
                      0);
        }
    };
    slice(k_reads, [&](Random& r, std::uint64_t deadline, Worker& worker) { gets(db, data, r, deadline, worker); });
    slice(k_durable, [&](Random& r, std::uint64_t deadline, Worker& worker) {
        commits(db, data, r, Durability::full, deadline, worker);
    });
    slice(k_lazy, [&](Random& r, std::uint64_t deadline, Worker& worker) {
        commits(db, data, r, Durability::lazy, deadline, worker);
    });
}

void by_threads(Scale& scale) {
    Dataset data(k_entries, scale.options().seed);
    const std::string path = scale.fresh_path();
    {
        Database db = Database::open(path);
        load(db, data);
        for (const std::uint64_t size : scale.options().threads) threads_at(scale, db, data, size);
        db.close();
    }
    remove_database(path);
}

/// A process that commits for so long each time it is told to, lazily and durably in turn, and says how often.
int child_commit(const std::vector<std::string>& words) {
    const Arguments arguments(words, {});
    if (arguments.words().size() != 5) throw UsageError("DB SEED SECONDS SLICES PROCESS");
    Dataset data(k_entries, std::stoull(arguments.words()[1]));
    const double seconds = std::stod(arguments.words()[2]);
    const std::uint64_t slices = std::stoull(arguments.words()[3]);
    Random random(std::stoull(arguments.words()[4]));
    Database db = Database::open(arguments.words()[0]);
    std::puts("ready");
    std::fflush(stdout);
    for (std::uint64_t slice = 0; slice < slices; ++slice) {
        wait_for_parent();
        Worker worker;
        commits(db, data, random, slice % 2 == 0 ? Durability::lazy : Durability::full,
                now_ns() + static_cast<std::uint64_t>(seconds * 1e9), worker);
        std::printf("%llu %s\n", static_cast<unsigned long long>(worker.operations), worker.latencies.text().c_str());
        std::fflush(stdout);
    }
    wait_for_parent();
    db.close();
    return 0;
}

void processes_at(Scale& scale, const std::string& path, std::uint64_t processes) {
    const std::uint64_t slices = 2 * std::uint64_t{scale.options().rounds};
    std::vector<std::unique_ptr<Child>> children;
    for (std::uint64_t i = 0; i < processes; ++i) {
        children.push_back(std::make_unique<Child>(std::vector<std::string>{
            "child-scale-commit", path, std::to_string(scale.options().seed), std::to_string(scale.options().seconds),
            std::to_string(slices), std::to_string(i)}));
    }
    for (const auto& child : children) {
        if (child->read_line() != "ready") throw std::runtime_error("a child process is not ready");
    }
    for (std::uint64_t slice = 0; slice < slices; ++slice) {
        const CurveSpec& curve = slice % 2 == 0 ? k_process_lazy : k_process_durable;
        scale.progress(curve.title, processes);
        Repeat repeat;
        repeat.counted = false;
        const std::uint64_t start = now_ns();
        for (const auto& child : children) child->go();
        for (const auto& child : children) {
            std::istringstream words(child->read_line());
            std::uint64_t operations = 0;
            std::string latencies;
            words >> operations;
            std::getline(words, latencies);
            repeat.operations += operations;
            repeat.latencies.merge(LatencyHistogram::parse(latencies));
        }
        repeat.elapsed_ns = now_ns() - start;
        scale.add(curve, processes, repeat, 0);
    }
    for (const auto& child : children) child->finish();
}

void by_processes(Scale& scale) {
    Dataset data(k_entries, scale.options().seed);
    const std::string path = scale.fresh_path();
    {
        Database db = Database::open(path);
        load(db, data);
        db.close();
    }
    for (const std::uint64_t size : scale.options().processes) processes_at(scale, path, size);
    remove_database(path);
}

const RegisterCommand commit_command("child-scale-commit", "", child_commit);
const RegisterScale threads(60, {k_reads.name, k_durable.name, k_lazy.name}, by_threads);
const RegisterScale processes(70, {k_process_lazy.name, k_process_durable.name}, by_processes);

}  // namespace scale_parallel_impl
}  // namespace bench
