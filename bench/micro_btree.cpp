// Micro suites btree/ and pager/.
#include "micro.hpp"

#include <filesystem>

namespace bench {
namespace micro_btree_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr std::uint64_t k_block = 64;  // reads between two laps

// -- pager
// ---------------------------------------------------------------------------------------------------------

void open_close_empty(benchmark::State& state) {
    const std::string path = MicroContext::current().fresh_path();
    Database::open(path).close();
    Meter meter(state);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Database::open(path).close();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    remove_database(path);
}

/// One value fills a page of its own, so that a get reads one page beside the way to it.
std::string page_sized_values(std::uint64_t count) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    Database db = Database::open(path);
    const std::string value(3000, 'p');
    for (std::uint64_t done = 0; done < count;) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        WritableTree tree = tx.tree(k_micro_tree);
        for (int i = 0; i < 500 && done < count; ++i, ++done) tree.put(context.data().key_of(done), value);
        tx.commit();
    }
    db.close();
    return path;
}

void read_page_random_hot(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::uint64_t count = std::min<std::uint64_t>(context.entries(), 20'000);
    const std::string path = page_sized_values(count);
    Database db = Database::open(path);
    {
        const Snapshot snapshot = db.begin_read();
        const Tree tree = snapshot.tree(k_micro_tree);
        KeyList keys;
        for (std::uint64_t i = 0; i < count; ++i) keys.push_back(context.data().key_of(i));
        keys.shuffle(3);
        Meter meter(state);
        std::uint64_t operations = 0;
        std::uint64_t sum = 0;
        for ([[maybe_unused]] auto _ : state) {
            sum += static_cast<unsigned char>(tree.get(keys.next())->back());
            ++operations;
        }
        benchmark::DoNotOptimize(sum);
        meter.finish(operations);
    }
    db.close();
    remove_database(path);
}

void read_page_random_cold(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::uint64_t count = std::min<std::uint64_t>(context.entries(), 20'000);
    const std::string path = page_sized_values(count);
    Random random(4);
    Meter meter(state);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        drop_from_cache(path);
        Database db = Database::open(path);
        {
            const Snapshot snapshot = db.begin_read();
            const Tree tree = snapshot.tree(k_micro_tree);
            const std::uint64_t start = now_ns();
            for (int i = 0; i < 16; ++i) {
                meter.skip();
                benchmark::DoNotOptimize(tree.get(context.data().key_of(random.below(count)))->back());
                meter.lap();
                ++operations;
            }
            state.SetIterationTime(static_cast<double>(now_ns() - start) / 1e9);
        }
        db.close();
    }
    meter.finish(operations);
    remove_database(path);
}

void commit_meta_fsync(benchmark::State& state) {
    const std::string path = MicroContext::current().fresh_path();
    Database db = Database::open(path);
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(Durability::lazy));
        tx.tree(k_micro_tree).put("key", "value");
        tx.commit();
        db.checkpoint();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

void checksum_verify(benchmark::State& state) {
    Database& db = MicroContext::current().loaded();
    db.checkpoint();
    northstar::VerifyOptions options;
    options.log = false;
    options.history = false;
    Meter meter(state, &db);
    std::uint64_t pages = 0;
    for ([[maybe_unused]] auto _ : state) {
        const northstar::VerifyReport report = db.verify(options);
        if (!report.ok()) return state.SkipWithError("the database is damaged");
        pages += report.pages;
    }
    meter.finish(pages);
}

// -- btree
// ---------------------------------------------------------------------------------------------------------

void build(benchmark::State& state, bool sequential) {
    MicroContext& context = MicroContext::current();
    std::uint64_t operations = 0;
    const std::string path = context.fresh_path();
    Meter meter(state);
    for ([[maybe_unused]] auto _ : state) {
        Database db = Database::open(path);
        put_all(db, sequential ? context.data().ascending() : context.data().load_order(), context.data(),
                1000);
        operations += context.entries();
        state.PauseTiming();
        db.close();
        remove_database(path);
        state.ResumeTiming();
    }
    meter.finish(operations);
}

void point_get(benchmark::State& state, KeyList& keys, bool present) {
    Database& db = MicroContext::current().loaded();
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree(k_micro_tree);
    Random random(5);
    keys.seek(static_cast<std::size_t>(random.below(keys.size())));
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    std::uint64_t hits = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (const auto value = tree.get(keys.next())) hits += value->size() != 0 ? 1 : 0;
        ++operations;
    }
    meter.finish(operations);
    if (hits != (present ? operations : 0)) state.SkipWithError("a get gave the wrong answer");
}

void point_get_cold(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Meter meter(state);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        drop_from_cache(context.close_loaded());
        Database& db = context.loaded();
        const Snapshot snapshot = db.begin_read();
        const Tree tree = snapshot.tree(k_micro_tree);
        const std::uint64_t start = now_ns();
        for (std::uint64_t i = 0; i < k_block; ++i) {
            meter.skip();
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
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(with(durability));
        WritableTree tree = tx.tree(k_micro_tree);
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            tree.put(context.data().load_order()[static_cast<std::size_t>(random.below(hot))],
                     context.data().value());
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
    Meter meter(state, &db);
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
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree(k_micro_tree);
        if (as_range) {
            operations += tree.erase_range(keys[keys.size() / 2], keys[keys.size() / 2 + keys.size() / 10]);
        } else {
            for (std::size_t i = 0; i < keys.size(); i += 10) operations += tree.erase(keys[i]) ? 1 : 0;
        }
        state.PauseTiming();
        tx.rollback();
        state.ResumeTiming();
    }
    meter.finish(operations);
}

void value_size(benchmark::State& state, std::size_t size) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    Database db = Database::open(path);
    const std::string value(size, 'v');
    Meter meter(state, &db);
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        const std::string_view key = context.data().load_order()[static_cast<std::size_t>(operations % 100)];
        Transaction tx = db.begin_write(with(Durability::lazy));
        tx.tree(k_micro_tree).put(key, value);
        tx.commit();
        const Snapshot snapshot = db.begin_read();
        if (snapshot.tree(k_micro_tree).get(key)->size() != size)
            return state.SkipWithError("a value is wrong");
        meter.lap();
        ++operations;
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
    add("pager/open_close_empty", open_close_empty);
    add("pager/read_page_random_hot", read_page_random_hot);
    benchmark::RegisterBenchmark("pager/read_page_random_cold", read_page_random_cold)
        ->UseManualTime()
        ->Iterations(4);
    add("pager/commit_meta_fsync", commit_meta_fsync);
    add("pager/checksum_verify", checksum_verify);
    add("btree/build_sequential_insert_1m", build, true)->Iterations(1);
    add("btree/build_random_insert_1m", build, false)->Iterations(1);
    add("btree/point_get_hot_1m",
        [](benchmark::State& s) { point_get(s, MicroContext::current().data().probes(), true); });
    add("btree/point_get_miss_1m",
        [](benchmark::State& s) { point_get(s, MicroContext::current().data().misses(), false); });
    benchmark::RegisterBenchmark("btree/point_get_cold_1m", point_get_cold)->UseManualTime()->Iterations(4);
    add("btree/point_put_update_10pct_hot", put_update_hot, Durability::full)->Arg(1)->Arg(10)->Arg(100);
    add("btree/point_put_update_10pct_hot_lazy", put_update_hot, Durability::lazy)->Arg(1)->Arg(10)->Arg(100);
    add("btree/range_scan_1k_rows_hot", range_scan);
    add("btree/delete_10pct", delete_tenth, false)->Iterations(1);
    add("btree/delete_range", delete_tenth, true)->Iterations(4);
    add("btree/value_0", value_size, std::size_t{0});
    add("btree/value_4k", value_size, std::size_t{4096});
    add("btree/value_1m", value_size, std::size_t{1} << 20)->Iterations(16);
    return true;
}();

}  // namespace micro_btree_impl
}  // namespace bench
