// northstar-bench quick: a first impression of a database on the disk it lies on.
//
// Everything happens in a tree of its own, "northstar-bench", which is dropped at the end; the rest of the
// database is not touched. Its log and history keep what was written, as for any other write.
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string>

#include "command.hpp"
#include "dataset.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"

namespace bench {
namespace quick_impl {

constexpr const char* k_tree = "northstar-bench";

struct Part {
    const char* name;
    std::uint64_t operations = 0;
    std::uint64_t elapsed_ns = 0;
    LatencyHistogram latencies;
    Counters counters;
};

template <class Operation>
Part run_part(const char* name, std::uint64_t operations, Operation&& operation) {
    Part part;
    part.name = name;
    const Counters counters = Counters::now();
    const std::uint64_t start = now_ns();
    std::uint64_t before = start;
    for (; part.operations < operations; ++part.operations) {
        if (part.operations % 4096 == 0) {
            if (stop_requested()) break;
            show_progress(std::string(name) + ": " + std::to_string(part.operations) + " of " +
                          std::to_string(operations));
        }
        operation();
        const std::uint64_t after = now_ns();
        part.latencies.add(after - before);
        before = after;
    }
    part.elapsed_ns = before - start;
    part.counters = Counters::now() - counters;
    show_progress("");
    return part;
}

void print(const Part& part) {
    if (part.operations == 0) return;
    const auto us = [&](double share) { return part.latencies.percentile(share) / 1e3; };
    const auto operations = static_cast<double>(part.operations);
    std::printf(
        "%-14s %10.0f ops/s   p50 %.2f  p95 %.2f  p99 %.2f  p99.9 %.2f  max %.2f us   %.2f flushes/op  %.2f "
        "allocations/op\n",
        part.name, operations * 1e9 / static_cast<double>(part.elapsed_ns), us(0.5), us(0.95), us(0.99),
        us(0.999), static_cast<double>(part.latencies.max()) / 1e3,
        static_cast<double>(part.counters.flushes) / operations,
        static_cast<double>(part.counters.allocations) / operations);
}

Json to_json(const Part& part) {
    Json entry = Json::object();
    const auto operations = static_cast<double>(part.operations);
    entry.set("name", std::string("quick/") + part.name).set("unit", "ns");
    entry.set("cost", static_cast<double>(part.elapsed_ns) / operations);
    entry.set("operations", part.operations);
    entry.set("operations_per_second", operations * 1e9 / static_cast<double>(part.elapsed_ns));
    entry.set("p50_ns", part.latencies.percentile(0.5)).set("p95_ns", part.latencies.percentile(0.95));
    entry.set("p99_ns", part.latencies.percentile(0.99)).set("p999_ns", part.latencies.percentile(0.999));
    entry.set("max_ns", part.latencies.max());
    entry.set("flushes_per_op", static_cast<double>(part.counters.flushes) / operations);
    entry.set("allocations_per_op", static_cast<double>(part.counters.allocations) / operations);
    entry.set("bytes_written_per_op", static_cast<double>(part.counters.written_bytes) / operations);
    return entry;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words,
                              {"write-ops", "read-ops", "keyspace", "read-miss-ratio", "seed", "json"});
    if (arguments.words().size() != 1) throw UsageError("the path of one database is needed");
    const std::string& path = arguments.words()[0];
    const std::uint64_t writes = arguments.number("write-ops", 10'000);
    const std::uint64_t reads = arguments.number("read-ops", 100'000);
    const std::uint64_t keyspace = arguments.number("keyspace", 100'000);
    const double miss_ratio = arguments.real("read-miss-ratio", 0.1);
    const std::uint64_t seed = arguments.number("seed", 1);
    if (keyspace == 0) throw UsageError("--keyspace must be at least 1");
    if (miss_ratio < 0 || miss_ratio > 1) throw UsageError("--read-miss-ratio lies between 0 and 1");

    Dataset data(keyspace, seed);
    Random random(seed + 5);
    northstar::Database db = northstar::Database::open(path);
    const auto commit_one = [&](northstar::Durability durability) {
        northstar::WriteOptions options;
        options.durability = durability;
        northstar::Transaction tx = db.begin_write(options);
        tx.tree(k_tree).put(data.load_order()[static_cast<std::size_t>(random.below(keyspace))],
                            data.value());
        tx.commit();
    };
    {
        northstar::WriteOptions options;
        options.durability = northstar::Durability::lazy;
        for (std::uint64_t done = 0; done < keyspace && !stop_requested();) {
            northstar::Transaction tx = db.begin_write(options);
            northstar::WritableTree tree = tx.tree(k_tree);
            for (int i = 0; i < 1000 && done < keyspace; ++i, ++done) {
                tree.put(data.load_order()[static_cast<std::size_t>(done)], data.value());
            }
            tx.commit();
        }
    }
    std::vector<Part> parts;
    parts.push_back(run_part("durable writes", writes, [&] { commit_one(northstar::Durability::full); }));
    parts.push_back(run_part("lazy writes", writes, [&] { commit_one(northstar::Durability::lazy); }));
    std::uint64_t hits = 0;
    {
        const northstar::Snapshot snapshot = db.begin_read();
        const northstar::Tree tree = snapshot.tree(k_tree);
        const auto misses = static_cast<std::uint64_t>(miss_ratio * 1e6);
        parts.push_back(run_part("reads", reads, [&] {
            const bool miss = random.below(1'000'000) < misses;
            KeyList& keys = miss ? data.misses() : data.probes();
            if (tree.get(keys[static_cast<std::size_t>(random.below(keys.size()))])) ++hits;
        }));
    }
    {
        northstar::Transaction tx = db.begin_write();
        tx.drop_tree(k_tree);
        tx.commit();
    }
    db.close();
    std::printf("%" PRIu64 " keys of %zu bytes, values of %zu bytes, %s on one thread\n", keyspace,
                k_key_size, k_value_size, northstar::version());
    Json benchmarks = Json::array();
    for (const Part& part : parts) {
        print(part);
        if (part.operations != 0) benchmarks.push_back(to_json(part));
    }
    std::printf("%" PRIu64 " of the reads found their key\n", hits);
    if (const std::string file = arguments.text("json", ""); !file.empty()) {
        Json result = Json::object();
        const std::size_t slash = path.find_last_of('/');
        result.set("machine", describe_machine(slash == std::string::npos ? "." : path.substr(0, slash + 1)));
        Json options = Json::object();
        options.set("entries", keyspace).set("value_bytes", std::uint64_t{k_value_size}).set("seed", seed);
        options.set("read_miss_ratio", miss_ratio);
        result.set("options", std::move(options));
        result.set("benchmarks", std::move(benchmarks));
        result.write_file(file);
    }
    return stop_requested() ? 130 : 0;
}

const RegisterCommand command(
    "quick",
    "[--write-ops N] [--read-ops N] [--keyspace N] [--read-miss-ratio R] [--json FILE] DB\n"
    "       durable and lazy writes and reads on a database, in a tree that is dropped afterwards",
    run);

}  // namespace quick_impl
}  // namespace bench
