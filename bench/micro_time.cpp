// Micro suites mvcc/, log/ and timetravel/.
#include "micro.hpp"

#include <atomic>
#include <thread>

namespace bench {
namespace micro_time_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

// -- mvcc
// ----------------------------------------------------------------------------------------------------------

void snapshot_open_close(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Snapshot snapshot = db.begin_read();
        benchmark::DoNotOptimize(snapshot);
        ++operations;
    }
    meter.finish(operations);
}

void readers_point_get(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    if (state.thread_index() == 0) context.loaded();
    Random random(static_cast<std::uint64_t>(state.thread_index()) + 7);
    std::uint64_t operations = 0;
    std::uint64_t hits = 0;
    std::optional<Snapshot> snapshot;
    std::optional<Tree> tree;
    // Threads meet at the start of the loop; before it only the first may open the database.
    for ([[maybe_unused]] auto _ : state) {
        if (!tree) {
            snapshot.emplace(context.loaded().begin_read());
            tree.emplace(snapshot->tree(k_micro_tree));
        }
        const auto key =
            context.data().load_order()[static_cast<std::size_t>(random.below(context.entries()))];
        hits += tree->get(key).has_value() ? 1 : 0;
        ++operations;
    }
    state.counters["operations"] = static_cast<double>(operations);
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
                for (int i = 0; i < 100; ++i) {
                    benchmark::DoNotOptimize(tree.get(context.data().load_order()[static_cast<std::size_t>(
                        random.below(context.entries()))]));
                }
            }
        });
    }
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(Durability::lazy));
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
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        const std::string_view key = context.data().updates().next();
        Transaction first = db.begin_optimistic(with(Durability::lazy));
        Transaction second = db.begin_optimistic(with(Durability::lazy));
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

// -- log
// -----------------------------------------------------------------------------------------------------------

void append_commit_record(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(Durability::full));
        tx.tree(k_micro_tree).put(context.data().updates().next(), context.data().value());
        tx.commit();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
}

/// Only commit() of 100 updates is on the clock: encoding, checksum, append and publishing.
void encode(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        WritableTree tree = tx.tree(k_micro_tree);
        for (int i = 0; i < 100; ++i) tree.put(context.data().updates().next(), context.data().value());
        const std::uint64_t start = now_ns();
        meter.skip();
        tx.commit();
        meter.lap();
        state.SetIterationTime(static_cast<double>(now_ns() - start) / 1e9);
        operations += 100;
    }
    meter.finish(operations);
}

/// A database with so many durable commits of 10 puts each.
std::string commits_of_ten(std::uint64_t commits) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    Database db = Database::open(path);
    for (std::uint64_t done = 0; done < commits; ++done) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        WritableTree tree = tx.tree(k_micro_tree);
        tx.annotate("agent", "bench");
        for (int i = 0; i < 10; ++i) tree.put(context.data().updates().next(), context.data().value());
        tx.commit();
    }
    db.close();
    return path;
}

constexpr std::uint64_t k_commits = 5000;

void decode(benchmark::State& state) {
    const std::string path = commits_of_ten(k_commits);
    Database db = Database::open(path);
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        std::uint64_t seen = 0;
        for (const northstar::CommitRecord& record : db.commits())
            seen += record.operations.size() != 0 ? 1 : 0;
        if (seen < k_commits) {
            state.SkipWithError("commits are missing");
            break;
        }
        operations += seen;
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

/// A lazy commit and the wait for its chain hash.
void chain_hash(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        tx.tree(k_micro_tree).put(context.data().updates().next(), context.data().value());
        benchmark::DoNotOptimize(tx.commit().hash());
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
}

void replay(benchmark::State& state) {
    const std::string path = commits_of_ten(k_commits);
    const std::string copy = MicroContext::current().fresh_path();
    northstar::Txn last = 0;
    {
        Database db = Database::open(path);
        last = db.statistics().txn;
        db.close();
    }
    Meter meter(state);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Database::replay(path, copy, AsOf::txn(last));
        operations += last;
        state.PauseTiming();
        remove_database(copy);
        state.ResumeTiming();
    }
    meter.finish(operations);
    remove_database(path);
}

// -- timetravel
// ----------------------------------------------------------------------------------------------------

void open_snapshot_by_txn(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    const northstar::Txn last = db.begin_read().txn();
    Random random(9);
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Snapshot snapshot = db.begin_read(AsOf::txn(1 + random.below(last)));
        benchmark::DoNotOptimize(snapshot);
        ++operations;
    }
    meter.finish(operations);
}

/// Random points in the past of ten keys with so many versions each.
void get_with_versions(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    Database db = Database::open(path);
    constexpr std::uint64_t k_keys = 10;
    for (std::int64_t version = 0; version < state.range(0); ++version) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        WritableTree tree = tx.tree(k_micro_tree);
        for (std::uint64_t i = 0; i < k_keys; ++i) tree.put(context.data().key_of(i), context.data().value());
        tx.commit();
    }
    db.checkpoint();
    const northstar::Txn last = db.begin_read().txn();
    const auto versions = static_cast<std::uint64_t>(state.range(0));
    Random random(10);
    {
        std::vector<Snapshot> snapshots;
        std::vector<Tree> trees;
        for (int i = 0; i < 64; ++i)
            snapshots.push_back(db.begin_read(AsOf::txn(last - random.below(versions))));
        for (const Snapshot& snapshot : snapshots) trees.push_back(snapshot.tree(k_micro_tree));
        std::vector<std::string> keys;
        for (std::uint64_t i = 0; i < k_keys; ++i) keys.push_back(context.data().key_of(i));
        Meter meter(state, &db);
        std::uint64_t operations = 0;
        for ([[maybe_unused]] auto _ : state) {
            const Tree& tree = trees[static_cast<std::size_t>(operations % trees.size())];
            benchmark::DoNotOptimize(tree.get(keys[static_cast<std::size_t>(random.below(k_keys))]));
            ++operations;
        }
        meter.finish(operations);
    }
    db.close();
    remove_database(path);
}

/// Rows per second of a scan in the middle of the load: half of the entries were there.
void scan_as_of(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    const northstar::Txn middle = std::max<northstar::Txn>(1, MicroContext::current().entries() / 2000);
    const Snapshot snapshot = db.begin_read(AsOf::txn(middle));
    const Tree tree = snapshot.tree(k_micro_tree);
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    std::uint64_t sum = 0;
    for ([[maybe_unused]] auto _ : state) {
        northstar::Cursor cursor = tree.cursor();
        for (bool more = cursor.first(); more; more = cursor.next()) {
            sum += cursor.value().size();
            ++operations;
        }
    }
    benchmark::DoNotOptimize(sum);
    meter.finish(operations);
}

/// Keys that 100 commits of 10 updates changed; the cost is per changed key.
void diff(benchmark::State& state) {
    const std::string path = commits_of_ten(k_commits);
    Database db = Database::open(path);
    const northstar::Txn last = db.begin_read().txn();
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        operations += db.diff(AsOf::txn(last - 200), AsOf::txn(last - 100)).size();
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

const bool registered = [] {
    // Real time: a flush takes next to no CPU time.
    const auto add = [](const char* name, auto&&... rest) {
        return benchmark::RegisterBenchmark(name, rest...)->UseRealTime();
    };
    add("mvcc/snapshot_open_close", snapshot_open_close);
    add("mvcc/readers_N_point_get_hot", readers_point_get)->Threads(1)->Threads(2)->Threads(4);
    add("mvcc/writer_commits_with_readers", writer_commits_with_readers);
    add("mvcc/conflict_detection", conflict_detection);
    add("log/append_commit_record", append_commit_record);
    benchmark::RegisterBenchmark("log/encode", encode)->UseManualTime();
    add("log/decode", decode);
    add("log/chain_hash", chain_hash);
    add("log/replay", replay)->Iterations(2);
    add("timetravel/open_snapshot_by_txn", open_snapshot_by_txn);
    add("timetravel/get_with_versions", get_with_versions)->Arg(10)->Arg(1000)->Arg(100'000);
    add("timetravel/scan_as_of", scan_as_of)->Iterations(1);
    add("timetravel/diff", diff);
    return true;
}();

}  // namespace micro_time_impl
}  // namespace bench
