// Micro suite pager/: opening, reading pages through a tree with one value on each, checkpoints, checksums.
#include <algorithm>

#include "micro.hpp"

namespace bench {
namespace micro_pager_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr int k_cold_reads = 16;

void open_close_empty(benchmark::State& state) {
    const std::string path =
        MicroContext::current().prepared("empty", [](const std::string& file) { Database::open(file).close(); });
    Meter meter(state, {});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Database db = Database::open(path);
        meter.add_copies(db.statistics().pages_copied);
        db.close();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
}

std::uint64_t page_sized_values() { return std::min<std::uint64_t>(MicroContext::current().entries(), 20'000); }

/// One value fills a page of its own, so that a get reads one page beside the way to it.
std::string database_of_pages() {
    return MicroContext::current().prepared("pages", [](const std::string& file) {
        MicroContext& context = MicroContext::current();
        Database db = Database::open(file);
        const std::string value(3000, 'p');
        for (std::uint64_t done = 0; done < page_sized_values();) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_micro_tree);
            for (int i = 0; i < 500 && done < page_sized_values(); ++i, ++done)
                tree.put(context.data().key_of(done), value);
            tx.commit();
        }
        db.close();
    });
}

void read_page_random_hot(benchmark::State& state) {
    Database db = Database::open(database_of_pages());
    {
        const Snapshot snapshot = db.begin_read();
        const Tree tree = snapshot.tree(k_micro_tree);
        KeyList keys;
        for (std::uint64_t i = 0; i < page_sized_values(); ++i)
            keys.push_back(MicroContext::current().data().key_of(i));
        keys.shuffle(3);
        for (std::size_t i = 0; i < keys.size(); ++i) benchmark::DoNotOptimize(tree.get(keys[i]));  // verified now
        Meter meter(state, {&db});
        std::uint64_t sum = 0;
        const std::uint64_t operations =
            meter.sample([&] { sum += static_cast<unsigned char>(tree.get(keys.next())->back()); });
        benchmark::DoNotOptimize(sum);
        meter.finish(operations);
    }
    db.close();
}

void read_page_random_cold(benchmark::State& state) {
    const std::string path = database_of_pages();
    Random random(4);
    Meter meter(state, {});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        drop_from_cache(path);
        Database db = Database::open(path);
        {
            const Snapshot snapshot = db.begin_read();
            const Tree tree = snapshot.tree(k_micro_tree);
            meter.resume();
            const std::uint64_t start = now_ns();
            for (int i = 0; i < k_cold_reads; ++i) {
                const std::string key = MicroContext::current().data().key_of(random.below(page_sized_values()));
                meter.skip();
                benchmark::DoNotOptimize(tree.get(key)->back());
                meter.lap();
                ++operations;
            }
            state.SetIterationTime(static_cast<double>(now_ns() - start) / 1e9);
            meter.pause();
        }
        db.close();
        meter.resume();
    }
    meter.finish(operations);
}

void commit_meta_fsync(benchmark::State& state) {
    const std::string path = MicroContext::current().fresh_path();
    Database db = Database::open(path);
    Meter meter(state, {&db, "full", "commit and checkpoint"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(write_with(Durability::full));
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
    Meter meter(state, {&db, "", "verify of all pages"});
    std::uint64_t pages = 0;
    for ([[maybe_unused]] auto _ : state) {
        const northstar::VerifyReport report = db.verify(options);
        if (!report.ok()) state.SkipWithError("the database is damaged");
        pages += report.pages;
        meter.lap();
    }
    meter.finish(pages);
}

const RegisterMicro registered{
    {"pager/open_close_empty", open_close_empty},
    {"pager/read_page_random_hot", read_page_random_hot},
    {.name = "pager/read_page_random_cold", .run = read_page_random_cold, .iterations = 4, .manual_time = true},
    {"pager/commit_meta_fsync", commit_meta_fsync},
    {"pager/checksum_verify", checksum_verify},
};

}  // namespace micro_pager_impl
}  // namespace bench
