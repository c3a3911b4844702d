// Scale against the number of versions of a key, and against the number of snapshots that are held open.
#include <algorithm>
#include <stdexcept>

#include "dataset.hpp"
#include "scale.hpp"

namespace bench {
namespace scale_history_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr const char* k_tree = "data";
constexpr std::uint64_t k_keys = 20;
constexpr std::uint64_t k_block = 64;
constexpr std::uint64_t k_points = 64;
constexpr std::uint64_t k_held_entries = 100'000;

const CurveSpec k_present{"scale/versions/get", "get of the newest version", "versions of a key", 0.4};
const CurveSpec k_past{"scale/versions/as_of_get", "get AS OF a random version", "versions of a key", 0.4};
const CurveSpec k_as_of_open{"scale/versions/as_of_open", "AS OF snapshot open and close", "versions of a key", 0.4};
const CurveSpec k_put{"scale/versions/update", "1 update per lazy txn", "versions of a key", 0.4, true, "lazy"};

std::string value_of(std::uint64_t version) {
    std::string value(k_value_size, 'v');
    const std::string digits = std::to_string(version);
    value.replace(0, digits.size(), digits);
    return value;
}

void versions_at(Scale& scale, std::uint64_t versions) {
    const std::string path = scale.fresh_path();
    std::vector<std::string> keys;
    const Dataset data(1, scale.options().seed);
    for (std::uint64_t i = 0; i < k_keys; ++i) keys.push_back(data.key_of(i));
    {
        Database db = Database::open(path);
        scale.progress("writing versions", versions);
        for (std::uint64_t version = 1; version <= versions; ++version) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_tree);
            for (const std::string& key : keys) tree.put(key, value_of(version));
            tx.commit();
        }
        db.checkpoint();
        Random random(scale.options().seed + 71);
        {
            const Snapshot snapshot = db.begin_read();
            const Tree tree = snapshot.tree(k_tree);
            scale.measure(k_present, versions, db, k_block, [&] {
                for (std::uint64_t i = 0; i < k_block; ++i) {
                    if (!tree.get(keys[static_cast<std::size_t>(random.below(k_keys))]))
                        throw std::runtime_error("a get gave the wrong answer");
                }
            });
        }
        {
            std::vector<Snapshot> snapshots;
            std::vector<Tree> trees;
            std::vector<std::string> expected;
            for (std::uint64_t i = 0; i < k_points; ++i) {
                const std::uint64_t version = 1 + random.below(versions);
                snapshots.push_back(db.begin_read(AsOf::txn(version)));
                expected.push_back(value_of(version));
            }
            for (const Snapshot& snapshot : snapshots) trees.push_back(snapshot.tree(k_tree));
            scale.measure(k_past, versions, db, k_points, [&] {
                for (std::size_t i = 0; i < k_points; ++i) {
                    if (trees[i].get(keys[static_cast<std::size_t>(random.below(k_keys))]) != expected[i])
                        throw std::runtime_error("the past shows another version");
                }
            });
        }
        scale.measure(k_as_of_open, versions, db, k_block, [&] {
            for (std::uint64_t i = 0; i < k_block; ++i) db.begin_read(AsOf::txn(1 + random.below(versions))).close();
        });
        scale.measure(k_put, versions, db, 1, [&] {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            tx.tree(k_tree).put(keys[static_cast<std::size_t>(random.below(k_keys))], value_of(0));
            tx.commit();
        });
        db.close();
    }
    remove_database(path);
}

// -- held snapshots
// ---------------------------------------------------------------------------------------------------

const CurveSpec k_held_commit{
    "scale/snapshots/update",           "1 update per lazy txn", "snapshots held", 0.4, true, "lazy",
    "each snapshot shows another state"};
const CurveSpec k_held_open{"scale/snapshots/open", "another snapshot, open and close", "snapshots held", 0.4};
const CurveSpec k_held_get{"scale/snapshots/get", "get in a held snapshot", "snapshots held", 0.4};

void snapshots_at(Scale& scale, std::uint64_t count) {
    const std::string path = scale.fresh_path();
    Dataset data(k_held_entries, scale.options().seed);
    {
        Database db = Database::open(path);
        for (std::uint64_t done = 0; done < k_held_entries;) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            WritableTree tree = tx.tree(k_tree);
            for (int i = 0; i < 1000; ++i, ++done) tree.put(data.load_order().next(), data.value());
            tx.commit();
        }
        db.checkpoint();
        const auto commit = [&] {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            tx.tree(k_tree).put(data.updates().next(), data.value());
            tx.commit();
        };
        scale.progress("opening snapshots", count);
        std::vector<Snapshot> held;
        for (std::uint64_t i = 0; i < count; ++i) {
            commit();
            held.push_back(db.begin_read());
        }
        Random random(scale.options().seed + 72);
        scale.measure(k_held_get, count, db, k_block, [&] {
            for (std::uint64_t i = 0; i < k_block; ++i) {
                const Snapshot& snapshot = held[static_cast<std::size_t>(random.below(count))];
                if (!snapshot.tree(k_tree).get(data.probes().next()))
                    throw std::runtime_error("a get gave the wrong answer");
            }
        });
        scale.measure(k_held_open, count, db, k_block, [&] {
            for (std::uint64_t i = 0; i < k_block; ++i) db.begin_read().close();
        });
        scale.measure(k_held_commit, count, db, 1, commit);
        held.clear();
        db.close();
    }
    remove_database(path);
}

const RegisterScale versions(40, {k_present.name, k_past.name, k_as_of_open.name, k_put.name}, [](Scale& scale) {
    for (const std::uint64_t size : scale.options().versions) versions_at(scale, size);
});
const RegisterScale snapshots(50, {k_held_get.name, k_held_open.name, k_held_commit.name}, [](Scale& scale) {
    for (const std::uint64_t size : scale.options().snapshots) snapshots_at(scale, size);
});

}  // namespace scale_history_impl
}  // namespace bench
