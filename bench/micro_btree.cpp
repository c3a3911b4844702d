// Micro suite btree/: builds, gets, updates, scans and deletions, and values of three sizes.
#include <algorithm>

#include "micro.hpp"

namespace bench {
namespace micro_btree_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr std::uint64_t k_cold_reads = 64;

void build(benchmark::State& state, bool sequential) {
    MicroContext& context = MicroContext::current();
    std::uint64_t operations = 0;
    const std::string path = context.fresh_path();
    Meter meter(state, {nullptr, "lazy", "transaction of 1000"});
    for ([[maybe_unused]] auto _ : state) {
        Database db = Database::open(path);
        meter.skip();
        put_all(db, sequential ? context.data().ascending() : context.data().load_order(), context.data(), 1000,
                [&] { meter.lap(); });
        operations += context.entries();
        meter.pause();
        meter.add_copies(db.statistics().pages_copied);
        db.close();
        remove_database(path);
        meter.resume();
    }
    meter.finish(operations);
}

void point_get(benchmark::State& state, KeyList& keys, bool present) {
    Database& db = MicroContext::current().loaded();
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree(k_micro_tree);
    Random random(5);
    keys.seek(static_cast<std::size_t>(random.below(keys.size())));
    Meter meter(state, {&db});
    std::uint64_t hits = 0;
    const std::uint64_t operations = meter.sample([&] {
        if (const auto value = tree.get(keys.next())) hits += value->size() != 0 ? 1 : 0;
    });
    meter.finish(operations);
    if (hits != (present ? operations : 0)) state.SkipWithError("a get gave the wrong answer");
}

void point_get_cold(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Meter meter(state, {});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        drop_from_cache(context.close_loaded());
        Database& db = context.loaded();
        const Snapshot snapshot = db.begin_read();
        const Tree tree = snapshot.tree(k_micro_tree);
        meter.resume();
        const std::uint64_t start = now_ns();
        for (std::uint64_t i = 0; i < k_cold_reads; ++i) {
            benchmark::DoNotOptimize(tree.get(context.data().probes().next()));
            meter.lap();
            ++operations;
        }
        state.SetIterationTime(static_cast<double>(now_ns() - start) / 1e9);
    }
    meter.finish(operations);
}

/// Updates that all fall on a tenth of the keys.
void put_update_hot(benchmark::State& state, Durability durability) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Random random(6);
    const std::uint64_t hot = std::max<std::uint64_t>(1, context.entries() / 10);
    Meter meter(state, {&db, durability == Durability::full ? "full" : "lazy", "transaction"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(write_with(durability));
        WritableTree tree = tx.tree(k_micro_tree);
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            tree.put(context.data().load_order()[static_cast<std::size_t>(random.below(hot))], context.data().value());
        }
        tx.commit();
        meter.lap();
        operations += static_cast<std::uint64_t>(state.range(0));
    }
    meter.finish(operations);
}

void range_scan(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree(k_micro_tree);
    Meter meter(state, {&db, "", "scan of 1000 rows"});
    std::uint64_t operations = 0;
    std::uint64_t sum = 0;
    for ([[maybe_unused]] auto _ : state) {
        northstar::Cursor cursor = tree.cursor();
        int rows = 0;
        for (bool more = cursor.lower_bound(context.data().probes().next()); more && rows < 1000; ++rows) {
            sum += static_cast<unsigned char>(cursor.key().front()) + cursor.value().size();
            more = cursor.next();
        }
        meter.lap();
        ++operations;
    }
    benchmark::DoNotOptimize(sum);
    meter.finish(operations);
}

/// Deletes every tenth key, or a tenth of the key range at once, and rolls back outside the clock.
void delete_tenth(benchmark::State& state, bool as_range) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    KeyList& keys = context.data().ascending();
    Meter meter(state, {&db, "", as_range ? "range" : "deletion"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree(k_micro_tree);
        meter.resume();
        if (as_range) {
            operations += tree.erase_range(keys[keys.size() / 2], keys[keys.size() / 2 + keys.size() / 10]);
            meter.lap();
        } else {
            for (std::size_t i = 0; i < keys.size(); i += 10) {
                operations += tree.erase(keys[i]) ? 1 : 0;
                meter.lap();
            }
        }
        meter.pause();
        tx.rollback();
        meter.resume();
    }
    meter.finish(operations);
}

/// A commit of one value, and a get of it.
void value_size(benchmark::State& state, std::size_t size) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    Database db = Database::open(path);
    const std::string value(size, 'v');
    Meter meter(state, {&db, "lazy", "commit and get"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        const std::string_view key = context.data().load_order()[static_cast<std::size_t>(operations % 100)];
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        tx.tree(k_micro_tree).put(key, value);
        tx.commit();
        const Snapshot snapshot = db.begin_read();
        if (snapshot.tree(k_micro_tree).get(key)->size() != size) state.SkipWithError("a value is wrong");
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

using State = benchmark::State;

const RegisterMicro registered{
    {.name = "btree/build_sequential_insert_1m", .run = [](State& s) { build(s, true); }, .iterations = 1},
    {.name = "btree/build_random_insert_1m", .run = [](State& s) { build(s, false); }, .iterations = 1},
    {"btree/point_get_hot_1m", [](State& s) { point_get(s, MicroContext::current().data().probes(), true); }},
    {"btree/point_get_miss_1m", [](State& s) { point_get(s, MicroContext::current().data().misses(), false); }},
    {.name = "btree/point_get_cold_1m", .run = point_get_cold, .iterations = 4, .manual_time = true},
    {.name = "btree/point_put_update_10pct_hot",
     .run = [](State& s) { put_update_hot(s, Durability::full); },
     .arguments = {1, 10, 100}},
    {.name = "btree/point_put_update_10pct_hot_lazy",
     .run = [](State& s) { put_update_hot(s, Durability::lazy); },
     .arguments = {1, 10, 100}},
    {"btree/range_scan_1k_rows_hot", range_scan},
    {.name = "btree/delete_10pct", .run = [](State& s) { delete_tenth(s, false); }, .iterations = 1},
    {.name = "btree/delete_range", .run = [](State& s) { delete_tenth(s, true); }, .iterations = 4},
    {"btree/value_0", [](State& s) { value_size(s, 0); }},
    {"btree/value_4k", [](State& s) { value_size(s, 4096); }},
    {.name = "btree/value_1m", .run = [](State& s) { value_size(s, std::size_t{1} << 20); }, .iterations = 16},
};

}  // namespace micro_btree_impl
}  // namespace bench
