// Micro suites feed/ and care/: what follows the commits, and what keeps a file in shape.
#include <algorithm>

#include "micro.hpp"

namespace bench {
namespace micro_care_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Transaction;
using northstar::WritableTree;

constexpr std::uint64_t k_most_commits = 1000;
constexpr int k_updates = 10;

void commit_updates(Database& db) {
    Dataset& data = MicroContext::current().data();
    Transaction tx = db.begin_write(write_with(Durability::lazy));
    WritableTree tree = tx.tree(k_micro_tree);
    for (int i = 0; i < k_updates; ++i) tree.put(data.updates().next(), data.value());
    tx.commit();
}

/// A database of commits of ten updates.
std::string small_database() {
    return MicroContext::current().prepared("care", [](const std::string& file) {
        Database db = Database::open(file);
        const std::uint64_t commits = std::min(k_most_commits, MicroContext::current().entries());
        for (std::uint64_t i = 0; i < commits; ++i) commit_updates(db);
        db.close();
    });
}

/// A consumer reads every commit from the first on; the cost is per commit.
void feed_next(benchmark::State& state) {
    Database db = Database::open(small_database());
    Meter meter(state, {&db, "", "commit delivered"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        northstar::Feed feed = db.feed(1);
        while (feed.next(0)) {
            meter.lap();
            ++operations;
        }
    }
    meter.finish(operations);
    db.close();
}

void backup(benchmark::State& state) {
    Database db = Database::open(small_database());
    const std::string copy = MicroContext::current().fresh_path();
    Meter meter(state, {&db, "", "backup"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        db.backup(copy);
        meter.lap();
        ++operations;
        meter.pause();
        remove_database(copy);
        meter.resume();
    }
    meter.finish(operations);
    db.close();
}

/// Half of the entries are gone, and the file gives their pages back.
void compact(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.fresh_path();
    northstar::Options options;
    options.history = northstar::History::nothing();
    Meter meter(state, {nullptr, "", "compaction"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        Database db = Database::open(path, options);
        {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_micro_tree);
            const std::uint64_t entries = std::min<std::uint64_t>(context.entries(), 50'000);
            for (std::uint64_t i = 0; i < entries; ++i) tree.put(context.data().key_of(i), context.data().value());
            tx.commit();
        }
        db.checkpoint();
        {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            tx.tree(k_micro_tree).erase_range("0", "8");
            tx.commit();
        }
        db.checkpoint();
        meter.resume();
        db.compact();
        meter.lap();
        ++operations;
        meter.pause();
        meter.add_copies(db.statistics().pages_copied);
        db.close();
        remove_database(path);
        meter.resume();
    }
    meter.finish(operations);
}

/// A hundred commits more, and what lies before the last hundred is forgotten.
void prune(benchmark::State& state) {
    const std::string path = MicroContext::current().fresh_path();
    Database db = Database::open(path);
    for (std::uint64_t i = 0; i < 100; ++i) commit_updates(db);
    Meter meter(state, {&db, "full", "prune"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        const northstar::Txn horizon = db.begin_read().txn();
        for (std::uint64_t i = 0; i < 100; ++i) commit_updates(db);
        meter.resume();
        db.prune(AsOf::txn(horizon));
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

/// One value is erased from log, pages and free space.
void redact(benchmark::State& state) {
    const std::string path = MicroContext::current().fresh_path();
    Database db = Database::open(path);
    Meter meter(state, {&db, "full", "redaction"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        meter.pause();
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        tx.tree(k_micro_tree).put("person", MicroContext::current().data().value());
        tx.commit();
        meter.resume();
        db.redact(k_micro_tree, "person", 0, "erasure request");
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
    db.close();
    remove_database(path);
}

const RegisterMicro registered{
    {"feed/next", feed_next},
    {"care/backup", backup},
    {.name = "care/compact", .run = compact, .iterations = 2},
    {.name = "care/prune", .run = prune, .iterations = 4},
    {.name = "care/redact", .run = redact, .iterations = 4},
};

}  // namespace micro_care_impl
}  // namespace bench
