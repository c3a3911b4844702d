// Micro suite mvcc/: snapshots, readers and a writer beside each other, conflicts.
#include <atomic>
#include <optional>
#include <thread>

#include "micro.hpp"

namespace bench {
namespace micro_mvcc_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

std::string_view any_key(Random& random) {
    MicroContext& context = MicroContext::current();
    return context.data().load_order()[static_cast<std::size_t>(random.below(context.entries()))];
}

void snapshot_open_close(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    Meter meter(state, {&db});
    const std::uint64_t operations = meter.sample([&] {
        Snapshot snapshot = db.begin_read();
        benchmark::DoNotOptimize(snapshot);
    });
    meter.finish(operations);
}

void readers_point_get(benchmark::State& state) {
    // Threads meet at the start of the loop; before it only the first may open the database.
    if (state.thread_index() == 0) MicroContext::current().loaded();
    Random random(static_cast<std::uint64_t>(state.thread_index()) + 7);
    std::uint64_t hits = 0;
    std::optional<Snapshot> snapshot;
    std::optional<Tree> tree;
    Meter meter(state, {});
    const std::uint64_t operations = meter.sample([&] {
        if (!tree) {
            snapshot.emplace(MicroContext::current().loaded().begin_read());
            tree.emplace(snapshot->tree(k_micro_tree));
        }
        hits += tree->get(any_key(random)).has_value() ? 1 : 0;
    });
    meter.finish(operations);
    if (hits != operations) state.SkipWithError("a get gave the wrong answer");
}

/// Lazy one-update commits while two other threads read without pause.
void writer_commits_with_readers(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (std::uint64_t t = 0; t < 2; ++t) {
        readers.emplace_back([&, t] {
            Random random(t + 8);
            while (!stop.load(std::memory_order_relaxed)) {
                const Snapshot snapshot = db.begin_read();
                const Tree tree = snapshot.tree(k_micro_tree);
                for (int i = 0; i < 100; ++i) benchmark::DoNotOptimize(tree.get(any_key(random)));
            }
        });
    }
    Meter meter(state, {&db, "lazy", "transaction"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        tx.tree(k_micro_tree).put(context.data().updates().next(), context.data().value());
        tx.commit();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    stop.store(true);
    for (std::thread& reader : readers) reader.join();
}

/// Two optimistic transactions read and write the same key: the first commits, the second finds out.
void conflict_detection(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Meter meter(state, {&db, "lazy", "pair of transactions"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        const std::string_view key = context.data().updates().next();
        Transaction first = db.begin_optimistic(write_with(Durability::lazy));
        Transaction second = db.begin_optimistic(write_with(Durability::lazy));
        bool conflict = false;
        for (Transaction* tx : {&first, &second}) {
            WritableTree tree = tx->tree(k_micro_tree);
            benchmark::DoNotOptimize(tree.get(key));
            tree.put(key, context.data().value());
        }
        first.commit();
        try {
            second.commit();
        } catch (const northstar::Error& error) {
            conflict = error.code() == northstar::Errc::conflict;
        }
        if (!conflict) {
            state.SkipWithError("a conflict was not seen");
            break;
        }
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
}

const RegisterMicro registered{
    {"mvcc/snapshot_open_close", snapshot_open_close},
    {.name = "mvcc/readers_N_point_get_hot", .run = readers_point_get, .threads = {1, 2, 4}},
    {"mvcc/writer_commits_with_readers", writer_commits_with_readers},
    {"mvcc/conflict_detection", conflict_detection},
};

}  // namespace micro_mvcc_impl
}  // namespace bench
