// The rows of the race that only Northstar can run: reading the past.
//
// One database holds as many versions as the race has entries, three times: many keys with 10 versions, some
// with 1000, a few with 100000. Every transaction writes the next version of all keys of one tree, and a
// version begins with its number, so each read of the past is checked. A read of the past picks one of as many
// values as a read of the present does in the loaded database ("present", the row of point gets), and that is
// what it is judged against. "present_same_keys" reads the newest version of the same keys: a few hundred bytes
// to a few megabytes, hot in every cache.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "command.hpp"
#include "northstar.hpp"
#include "race.hpp"

namespace bench {
namespace race_as_of_impl {

constexpr std::size_t k_snapshots = 64;  // AS OF snapshots that a slice reads from in turn
constexpr std::uint64_t k_block = 256;

volatile std::uint64_t sink;

struct Versions {
    std::string tree;
    std::uint64_t count;
    std::vector<std::string> keys;
    std::vector<northstar::Txn> txns;  ///< txns[v] wrote version v
};

std::uint64_t version_of(std::string_view value) {
    std::uint64_t version = 0;
    std::memcpy(&version, value.data(), sizeof version);
    return version;
}

void write_versions(northstar::Database& db, Race& race, Versions& versions) {
    const std::uint64_t keys = std::max<std::uint64_t>(1, race.data().entries() / versions.count);
    for (std::uint64_t i = 0; i < keys; ++i) versions.keys.push_back(race.data().key_of(i));
    std::string value(k_value_size, 'v');
    northstar::WriteOptions options;
    options.durability = northstar::Durability::lazy;
    for (std::uint64_t version = 0; version < versions.count; ++version) {
        if (version % 1024 == 0) race.step("write versions", 0, 1, versions.tree);
        northstar::Transaction tx = db.begin_write(options);
        northstar::WritableTree tree = tx.tree(versions.tree);
        std::memcpy(value.data(), &version, sizeof version);
        for (const std::string& key : versions.keys) tree.put(key, value);
        versions.txns.push_back(tx.commit().txn);
    }
}

/// Gets of random keys from the given trees in turn; each tree must show its version.
std::uint64_t read(const std::vector<northstar::Tree>& trees, const std::vector<std::uint64_t>& expected,
                   const Versions& versions, Random& random, std::uint64_t deadline,
                   LatencyHistogram& latencies) {
    std::uint64_t gets = 0;
    std::uint64_t sum = 0;
    std::vector<std::uint32_t> order(std::size_t{1} << 16);
    for (std::uint32_t& number : order)
        number = static_cast<std::uint32_t>(random.below(versions.keys.size()));
    for (std::uint64_t before = now_ns(); before < deadline;) {
        for (std::uint64_t i = 0; i < k_block; ++i) {
            // A new point in time for every get: no snapshot's versions stay in the cache by themselves.
            const std::size_t which = static_cast<std::size_t>(gets + i) % trees.size();
            const std::string& key = versions.keys[order[(gets + i) % order.size()]];
            const std::optional<std::string_view> value = trees[which].get(key);
            if (!value || version_of(*value) != expected[which]) {
                throw std::runtime_error(
                    "northstar: AS OF gave the wrong version; its numbers would mean nothing");
            }
            sum += value->size();
        }
        gets += k_block;
        const std::uint64_t after = now_ns();
        latencies.add((after - before) / k_block);
        before = after;
    }
    sink = sum;
    return gets;
}

/// Gets of random keys of the loaded database.
std::uint64_t read_present(Race& race, const Race::Subject& loaded, std::uint64_t deadline,
                           LatencyHistogram& latencies) {
    const std::unique_ptr<Reader> reader = loaded.engine->reader();
    std::uint64_t gets = 0;
    std::uint64_t sum = 0;
    std::string_view value;
    for (std::uint64_t before = now_ns(); before < deadline;) {
        for (std::uint64_t i = 0; i < k_block; ++i) {
            if (!reader->get(race.data().probes().next(), value)) {
                throw std::runtime_error("northstar: a get missed; its numbers would mean nothing");
            }
            sum += value.size();
        }
        gets += k_block;
        const std::uint64_t after = now_ns();
        latencies.add((after - before) / k_block);
        before = after;
    }
    sink = sum;
    return gets;
}

void as_of(Race& race) {
    if (!race.any_wanted({"as_of_10", "as_of_1000", "as_of_100000", "as_of_open"})) return;
    const auto& engines = race.options().engines;
    if (std::find(engines.begin(), engines.end(), "northstar") == engines.end()) return;
    northstar::Database db = northstar::Database::open(race.scratch() / "as-of.db");
    std::vector<Versions> all;
    for (const std::uint64_t count : {std::uint64_t{10}, std::uint64_t{1000}, std::uint64_t{100'000}}) {
        const std::string row = "as_of_" + std::to_string(count);
        if (!race.wanted(row)) continue;
        all.push_back({row, count, {}, {}});
        write_versions(db, race, all.back());
    }
    if (all.empty()) {
        all.push_back({"as_of_10", 10, {}, {}});
        write_versions(db, race, all.back());
    }
    db.checkpoint();
    Random random(race.data().seed() + 23);
    const Race::Subject past{"northstar", nullptr, "", 0};
    const Race::Subject present{"present", nullptr, "", 0};
    const Race::Subject same_keys{"present_same_keys", nullptr, "", 0};
    const std::vector<const Race::Subject*> subjects{&past, &present, &same_keys};
    Race::Subject* const loaded = race.find_loaded("northstar");
    for (const Versions& versions : all) {
        if (!race.wanted(versions.tree)) continue;
        race.rounds(versions.tree, race.options().rounds, subjects, [&](const Race::Subject& subject) {
            Outcome& outcome = race.row(versions.tree).outcome(subject.name);
            outcome.latency_of = "mean of 256 gets";
            if (&subject == &present) {
                measure(outcome, subject, race.options().seconds, [&](std::uint64_t deadline) {
                    return read_present(race, *loaded, deadline, outcome.latencies);
                });
                return;
            }
            std::vector<northstar::Snapshot> snapshots;
            std::vector<northstar::Tree> trees;
            std::vector<std::uint64_t> expected;
            for (std::size_t i = 0; i < k_snapshots; ++i) {
                if (&subject == &same_keys) {
                    snapshots.push_back(db.begin_read());
                    expected.push_back(versions.count - 1);
                } else {
                    expected.push_back(random.below(versions.count));
                    snapshots.push_back(db.begin_read(
                        northstar::AsOf::txn(versions.txns[static_cast<std::size_t>(expected.back())])));
                }
            }
            for (const northstar::Snapshot& snapshot : snapshots)
                trees.push_back(snapshot.tree(versions.tree));
            measure(outcome, subject, race.options().seconds, [&](std::uint64_t deadline) {
                return read(trees, expected, versions, random, deadline, outcome.latencies);
            });
        });
    }
    if (race.wanted("as_of_open")) {
        const std::vector<const Race::Subject*> only_past{&past};
        race.rounds("as_of_open", race.options().rounds, only_past, [&](const Race::Subject& subject) {
            measure(race.row("as_of_open").outcome(subject.name), subject, race.options().seconds,
                    [&](std::uint64_t deadline) {
                        std::uint64_t opened = 0;
                        for (; now_ns() < deadline; ++opened) {
                            const Versions& versions = all[static_cast<std::size_t>(opened) % all.size()];
                            const auto which = static_cast<std::size_t>(random.below(versions.count));
                            northstar::Snapshot snapshot =
                                db.begin_read(northstar::AsOf::txn(versions.txns[which]));
                            snapshot.close();
                        }
                        return opened;
                    });
        });
    }
    db.close();
}

const RegisterWorkload workload(80, as_of);

}  // namespace race_as_of_impl
}  // namespace bench
