// Micro suite timetravel/: states of the past, opened, read, scanned and compared.
#include <algorithm>

#include "micro.hpp"

namespace bench {
namespace micro_timetravel_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr std::uint64_t k_keys = 10;
constexpr std::uint64_t k_points = 64;  // in the past, opened at the same time

void open_snapshot_by_txn(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    const northstar::Txn last = db.begin_read().txn();
    Random random(9);
    Meter meter(state, {&db});
    const std::uint64_t operations = meter.sample([&] {
        Snapshot snapshot = db.begin_read(AsOf::txn(1 + random.below(last)));
        benchmark::DoNotOptimize(snapshot);
    });
    meter.finish(operations);
}

/// Commits that give each of ten keys a new version.
void write_versions(Database& db, std::uint64_t versions) {
    Dataset& data = MicroContext::current().data();
    for (std::uint64_t version = 0; version < versions; ++version) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        WritableTree tree = tx.tree(k_micro_tree);
        for (std::uint64_t i = 0; i < k_keys; ++i) tree.put(data.key_of(i), data.value());
        tx.commit();
    }
}

/// How many versions of each key: on less than a million entries the many are fewer in the same proportion.
std::uint64_t versions_wanted(const benchmark::State& state) {
    return std::min(static_cast<std::uint64_t>(state.range(0)),
                    std::max<std::uint64_t>(10, MicroContext::current().entries() / 10));
}

/// A database of ten keys with so many versions each.
std::string with_versions(std::uint64_t versions) {
    return MicroContext::current().prepared("versions-" + std::to_string(versions), [&](const std::string& file) {
        Database db = Database::open(file);
        write_versions(db, versions);
        db.close();
    });
}

/// Random points in the past.
void get_with_versions(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::uint64_t versions = versions_wanted(state);
    Database db = Database::open(with_versions(versions));
    {
        const northstar::Txn last = db.begin_read().txn();
        Random random(10);
        std::vector<Snapshot> snapshots;
        std::vector<Tree> trees;
        for (std::uint64_t i = 0; i < k_points; ++i)
            snapshots.push_back(db.begin_read(AsOf::txn(last - random.below(versions))));
        for (const Snapshot& snapshot : snapshots) trees.push_back(snapshot.tree(k_micro_tree));
        std::vector<std::string> keys;
        for (std::uint64_t i = 0; i < k_keys; ++i) keys.push_back(context.data().key_of(i));
        std::uint64_t hits = 0;
        Meter meter(state, {&db});
        const std::uint64_t operations = meter.sample([&] {
            const Tree& tree = trees[static_cast<std::size_t>(random.below(k_points))];
            hits += tree.get(keys[static_cast<std::size_t>(random.below(k_keys))]).has_value() ? 1 : 0;
        });
        meter.finish(operations);
        if (hits != operations) state.SkipWithError("a version is missing");
    }
    db.close();
}

/// Per version of a key, with its value and the time of its commit.
void history_of_key(benchmark::State& state) {
    const std::uint64_t versions = versions_wanted(state);
    Database db = Database::open(with_versions(versions));
    const std::string key = MicroContext::current().data().key_of(0);
    Meter meter(state, {&db, "", "history of a key"});
    std::uint64_t operations = 0;
    std::uint64_t rounds = 0;
    for ([[maybe_unused]] auto _ : state) {
        operations += db.history(k_micro_tree, key).size();
        ++rounds;
        meter.lap();
    }
    meter.finish(operations);
    if (operations != rounds * versions) state.SkipWithError("a version is missing");
    db.close();
}

/// Per row of a scan in the middle of the load, where half of the entries were there.
void scan_as_of(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    const northstar::Txn middle = std::max<northstar::Txn>(1, MicroContext::current().entries() / 2000);
    const Snapshot snapshot = db.begin_read(AsOf::txn(middle));
    const Tree tree = snapshot.tree(k_micro_tree);
    Meter meter(state, {&db, "", "scan"});
    std::uint64_t operations = 0;
    std::uint64_t sum = 0;
    for ([[maybe_unused]] auto _ : state) {
        northstar::Cursor cursor = tree.cursor();
        for (bool more = cursor.first(); more; more = cursor.next()) {
            sum += cursor.value().size();
            ++operations;
        }
        meter.lap();
    }
    meter.finish(operations);
    if (sum != operations * k_value_size) state.SkipWithError("a value is wrong");
}

/// Keys that a hundred of a thousand commits changed; the cost is per changed key.
void diff(benchmark::State& state) {
    constexpr std::uint64_t k_commits = 1000;
    MicroContext& context = MicroContext::current();
    const std::string path = context.prepared("changes", [&](const std::string& file) {
        Database db = Database::open(file);
        for (std::uint64_t done = 0; done < k_commits; ++done) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_micro_tree);
            for (int i = 0; i < 10; ++i) tree.put(context.data().updates().next(), context.data().value());
            tx.commit();
        }
        db.close();
    });
    Database db = Database::open(path);
    const northstar::Txn last = db.begin_read().txn();
    Meter meter(state, {&db, "", "diff of 100 commits"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        operations += db.diff(AsOf::txn(last - 200), AsOf::txn(last - 100)).size();
        meter.lap();
    }
    meter.finish(operations);
    db.close();
}

const RegisterMicro registered{
    {"timetravel/open_snapshot_by_txn", open_snapshot_by_txn},
    {.name = "timetravel/get_with_10_1k_100k_versions", .run = get_with_versions, .arguments = {10, 1000, 100'000}},
    {.name = "timetravel/history_of_key", .run = history_of_key, .arguments = {100'000}},
    {.name = "timetravel/scan_as_of", .run = scan_as_of, .iterations = 1},
    {"timetravel/diff", diff},
};

}  // namespace micro_timetravel_impl
}  // namespace bench
