// Micro suite log/: records of ten puts and an annotation, written, read, chained and replayed.
#include <stdexcept>
#include <vector>

#include "log/chain.hpp"
#include "log/operation_list.hpp"
#include "log/record.hpp"
#include "micro.hpp"

namespace bench {
namespace micro_log_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Transaction;
using northstar::WritableTree;
using namespace northstar::detail;

constexpr int k_operations = 10;
constexpr std::uint64_t k_commits = 5000;
constexpr std::uint32_t k_seed = 7;
constexpr std::uint64_t k_position = 4096;

/// One durable commit of one update: the record is appended, and flushed.
void append_commit_record(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    Database& db = context.loaded();
    Meter meter(state, {&db, "full", "transaction"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Transaction tx = db.begin_write(write_with(Durability::full));
        tx.tree(k_micro_tree).put(context.data().updates().next(), context.data().value());
        tx.commit();
        meter.lap();
        ++operations;
    }
    meter.finish(operations);
}

void collect(OperationList& list) {
    Dataset& data = MicroContext::current().data();
    list.clear();
    for (int i = 0; i < k_operations; ++i) list.put(1, data.updates().next(), data.value());
    list.annotate("agent", "bench");
    list.finish();
}

void write_record(OperationList& list, std::vector<std::byte>& bytes) {
    RecordFields fields;
    fields.position = k_position;
    fields.epoch = 3;
    fields.txn = 17;
    fields.durable = k_position;
    bytes.resize(list.record_size(RecordKind::commit, false, false, 0));
    list.encode(bytes, RecordKind::commit, fields);
    seal_record(bytes, k_seed);
}

/// From the calls of a transaction to the bytes of its record, checksum included.
void encode(benchmark::State& state) {
    OperationList list;
    std::vector<std::byte> bytes;
    Meter meter(state, {});
    const std::uint64_t operations = meter.sample([&] {
        collect(list);
        write_record(list, bytes);
        benchmark::DoNotOptimize(bytes.data());
    });
    meter.finish(operations);
}

/// From the bytes of a record to its operations: checksum, bounds, canonical form, and a walk.
void decode(benchmark::State& state) {
    OperationList list;
    std::vector<std::byte> bytes;
    collect(list);
    write_record(list, bytes);
    Meter meter(state, {});
    std::uint64_t seen = 0;
    const std::uint64_t operations = meter.sample([&] {
        const std::optional<RecordHeader> header = peek_record(bytes);
        if (!header || !record_intact(bytes, *header, k_seed)) throw std::runtime_error("a record is not intact");
        const RecordView record(bytes);
        record.validate();
        RecordView::Walk walk = record.walk();
        for (LogOperation operation; walk.next(operation);) seen += operation.value.size();
    });
    meter.finish(operations);
    if (seen != operations * k_operations * k_value_size) state.SkipWithError("a record lost operations");
}

/// What a commit adds to the chain: the digest of its record and the hash behind it.
void chain_hash(benchmark::State& state) {
    OperationList list;
    std::vector<std::byte> bytes;
    collect(list);
    write_record(list, bytes);
    const RecordView record(bytes);
    northstar::Hash chain;
    Meter meter(state, {});
    const std::uint64_t operations = meter.sample([&] { chain = chain_next(chain, record_digest(record)); });
    benchmark::DoNotOptimize(chain);
    meter.finish(operations);
}

/// Another database is built from the log of one with so many commits; the cost is per commit.
void replay(benchmark::State& state) {
    MicroContext& context = MicroContext::current();
    const std::string path = context.prepared("commits", [&](const std::string& file) {
        Database db = Database::open(file);
        for (std::uint64_t done = 0; done < std::min(k_commits, context.entries()); ++done) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_micro_tree);
            tx.annotate("agent", "bench");
            for (int i = 0; i < k_operations; ++i) tree.put(context.data().updates().next(), context.data().value());
            tx.commit();
        }
        db.close();
    });
    const std::string copy = context.fresh_path();
    const northstar::Txn last = Database::open(path).begin_read().txn();
    Meter meter(state, {nullptr, "", "replay of the log"});
    std::uint64_t operations = 0;
    for ([[maybe_unused]] auto _ : state) {
        Database::replay(path, copy, AsOf::txn(last));
        meter.lap();
        operations += last;
        meter.pause();
        remove_database(copy);
        meter.resume();
    }
    meter.finish(operations);
}

const RegisterMicro registered{
    {"log/append_commit_record", append_commit_record},
    {"log/encode", encode},
    {"log/decode", decode},
    {"log/chain_hash", chain_hash},
    {.name = "log/replay", .run = replay, .iterations = 2},
};

}  // namespace micro_log_impl
}  // namespace bench
