// northstar-bench quick: a first impression of a database on the disk it lies on, or of a new one.
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
#include "results.hpp"
#include "workload.hpp"

namespace bench {
namespace quick_impl {

constexpr const char* k_tree = "northstar-bench";
constexpr std::uint64_t k_between_looks = 4096;  // operations between two looks at whether to stop

template <class Operation>
void run_part(Results& results, const northstar::Database& db, const About& about, std::uint64_t operations,
              Operation&& operation) {
    if (operations == 0) return;
    Repeat repeat;
    const std::uint64_t copies = db.statistics().pages_copied;
    const Counters counters = Counters::now();
    const std::uint64_t start = now_ns();
    std::uint64_t before = start;
    for (; repeat.operations < operations; ++repeat.operations) {
        if (repeat.operations % k_between_looks == 0) {
            if (stop_requested()) break;
            show_progress(about.name + ": " + std::to_string(repeat.operations) + " of " + std::to_string(operations));
        }
        operation();
        const std::uint64_t after = now_ns();
        repeat.latencies.add(after - before);
        before = after;
    }
    repeat.elapsed_ns = before - start;
    repeat.counters = Counters::now() - counters;
    repeat.page_copies = db.statistics().pages_copied - copies;
    show_progress("");
    if (repeat.operations != 0) results.add(about, repeat);
}

void load(northstar::Database& db, Dataset& data) {
    for (std::uint64_t done = 0; done < data.entries() && !stop_requested();) {
        northstar::Transaction tx = db.begin_write(write_with(northstar::Durability::lazy));
        northstar::WritableTree tree = tx.tree(k_tree);
        for (int i = 0; i < 1000 && done < data.entries(); ++i, ++done) {
            tree.put(data.load_order()[static_cast<std::size_t>(done)], data.value());
        }
        tx.commit();
    }
}

struct Settings {
    std::uint64_t writes;
    std::uint64_t reads;
    double miss_ratio;
};

Results measure(northstar::Database& db, Dataset& data, const Settings& settings) {
    Results results;
    Random random(data.seed() + 5);
    const auto commit_one = [&](northstar::Durability durability) {
        northstar::Transaction tx = db.begin_write(write_with(durability));
        tx.tree(k_tree).put(data.load_order()[static_cast<std::size_t>(random.below(data.entries()))], data.value());
        tx.commit();
    };
    run_part(results, db, {"quick/durable_write", "full", "transaction"}, settings.writes,
             [&] { commit_one(northstar::Durability::full); });
    run_part(results, db, {"quick/lazy_write", "lazy", "transaction"}, settings.writes,
             [&] { commit_one(northstar::Durability::lazy); });
    const northstar::Snapshot snapshot = db.begin_read();
    const northstar::Tree tree = snapshot.tree(k_tree);
    const auto misses = static_cast<std::uint64_t>(settings.miss_ratio * 1e6);
    std::uint64_t wrong = 0;
    run_part(results, db, {"quick/read", "", "get"}, settings.reads, [&] {
        const bool miss = random.below(1'000'000) < misses;
        KeyList& keys = miss ? data.misses() : data.probes();
        const bool found = tree.get(keys[static_cast<std::size_t>(random.below(keys.size()))]).has_value();
        if (found == miss) ++wrong;
    });
    if (wrong != 0 && !stop_requested()) throw std::runtime_error("gets found or missed what they should not");
    return results;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"write-ops", "read-ops", "keyspace", "read-miss-ratio", "seed", "dir", "json"});
    if (arguments.words().size() > 1) throw UsageError("one database at most can be measured");
    const Settings settings{arguments.number("write-ops", 10'000), arguments.number("read-ops", 100'000),
                            arguments.real("read-miss-ratio", 0.1)};
    const std::uint64_t keyspace = arguments.number("keyspace", 100'000);
    if (keyspace == 0) throw UsageError("--keyspace must be at least 1");
    if (settings.miss_ratio < 0 || settings.miss_ratio > 1) throw UsageError("--read-miss-ratio lies between 0 and 1");

    std::optional<Scratch> scratch;
    northstar::Options options;
    options.create = arguments.words().empty();
    if (options.create) scratch.emplace(arguments.text("dir", "build/bench-data"));
    const std::string path = options.create ? *scratch / "quick.db" : arguments.words()[0];
    Dataset data(keyspace, arguments.number("seed", 1));
    northstar::Database db = northstar::Database::open(path, options);
    if (db.begin_read().tree(k_tree).exists()) {
        throw std::runtime_error(path + " has a tree " + k_tree + " already, which this command would drop");
    }
    load(db, data);
    const Results results = measure(db, data, settings);
    const std::uint64_t page_size = db.statistics().page_size;
    {
        northstar::Transaction tx = db.begin_write();
        tx.drop_tree(k_tree);
        tx.commit();
    }
    db.close();
    std::printf("%" PRIu64 " keys of %zu bytes, values of %zu bytes, %g %% of the reads miss, pages of %" PRIu64
                " bytes; Northstar %s on one thread\n",
                keyspace, k_key_size, k_value_size, settings.miss_ratio * 100, page_size, northstar::version());
    results.print(stdout);
    if (const std::string file = arguments.text("json", ""); !file.empty()) {
        const std::size_t slash = path.find_last_of('/');
        Json settings_json = Json::object();
        settings_json.set("suite", "quick").set("entries", keyspace).set("key_bytes", std::uint64_t{k_key_size});
        settings_json.set("value_bytes", std::uint64_t{k_value_size}).set("page_size", page_size);
        settings_json.set("seed", data.seed()).set("read_miss_ratio", settings.miss_ratio);
        result_file(describe_machine(slash == std::string::npos ? "." : path.substr(0, slash + 1)), settings_json,
                    results)
            .write_file(file);
    }
    return stop_requested() ? 130 : 0;
}

const RegisterCommand command(
    "quick",
    "[--write-ops N] [--read-ops N] [--keyspace N] [--read-miss-ratio R] [--seed N] [--json FILE] [DB]\n"
    "       durable and lazy writes and reads on a database, in a tree that is dropped afterwards; without DB\n"
    "       on a new one. The name of the command may be left out",
    run);

}  // namespace quick_impl
}  // namespace bench
