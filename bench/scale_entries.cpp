// Scale against the number of entries, in memory and under a limit of memory, and against the number of trees.
//
// Keys are 16 hexadecimal digits spread evenly, values 100 bytes, loaded in random order, with full history as by
// default.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "command.hpp"
#include "dataset.hpp"
#include "scale.hpp"

namespace bench {
namespace scale_entries_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr const char* k_tree = "data";
constexpr std::uint64_t k_per_transaction = 1000;
constexpr std::uint64_t k_block = 64;  // operations between two looks at the clock
constexpr std::uint64_t k_per_tree = 100;

/// Keys of numbers, made when they are asked for: fifty million of them would not fit beside the data.
class Keys {
public:
    explicit Keys(std::uint64_t seed) : seed_(seed << 40), value_(k_value_size, '\0') {
        Random random(seed);
        for (char& byte : value_) byte = static_cast<char>(random.next());
    }
    std::string_view key(std::uint64_t number) {
        std::uint64_t bits = mix(number ^ seed_);
        for (std::size_t i = key_.size(); i > 0; --i, bits >>= 4) key_[i - 1] = "0123456789abcdef"[bits & 15];
        return {key_.data(), key_.size()};
    }
    std::string_view value() const { return value_; }

private:
    std::uint64_t seed_;
    std::array<char, k_key_size> key_{};
    std::string value_;
};

const CurveSpec k_load{"scale/entries/load", "load in random order", "entries", 0.4, true, "lazy"};
const CurveSpec k_get{"scale/entries/get", "point get, hit", "entries", 0.4};
const CurveSpec k_miss{"scale/entries/miss", "point get, miss", "entries", 0.4};
const CurveSpec k_update_1{"scale/entries/update_1", "1 update per lazy txn", "entries", 0.4, true, "lazy"};
const CurveSpec k_update_100{
    "scale/entries/update_100", "100 updates per lazy txn, each", "entries", 0.4, true, "lazy"};
const CurveSpec k_scan{"scale/entries/scan_100", "seek and scan of 100", "entries", 0.4};
const CurveSpec k_estimate{"scale/entries/estimate", "estimate of a range", "entries", 0.4};
const CurveSpec k_snapshot{"scale/entries/snapshot", "snapshot open and close", "entries", 0.2};
const CurveSpec k_open{"scale/entries/open", "open after a clean close, first get", "entries", 0.4};

/// Loads the entries that the database does not have yet; returns processor time of this thread.
void load(Database& db, Keys& keys, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t done = from; done < to;) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        WritableTree tree = tx.tree(k_tree);
        for (std::uint64_t i = 0; i < k_per_transaction && done < to; ++i, ++done)
            tree.put(keys.key(done), keys.value());
        tx.commit();
    }
}

void update(Database& db, Keys& keys, Random& random, std::uint64_t entries, std::uint64_t count) {
    Transaction tx = db.begin_write(write_with(Durability::lazy));
    WritableTree tree = tx.tree(k_tree);
    for (std::uint64_t i = 0; i < count; ++i) tree.put(keys.key(random.below(entries)), keys.value());
    tx.commit();
}

void get_block(const Tree& tree, Keys& keys, Random& random, std::uint64_t entries, bool present) {
    std::uint64_t hits = 0;
    for (std::uint64_t i = 0; i < k_block; ++i)
        hits += tree.get(keys.key(random.below(entries) + (present ? 0 : entries))).has_value() ? 1 : 0;
    if (hits != (present ? k_block : 0)) throw std::runtime_error("a get gave the wrong answer");
}

/// Verifies every page, which its first reader would do otherwise: a small database would have done with that sooner.
void touch_all(const Tree& tree, std::uint64_t entries) {
    std::uint64_t seen = 0;
    northstar::Cursor cursor = tree.cursor();
    for (bool more = cursor.first(); more; more = cursor.next()) seen += cursor.value().empty() ? 0 : 1;
    if (seen != entries) throw std::runtime_error("entries are missing");
}

void reads(Scale& scale, Database& db, Keys& keys, std::uint64_t entries) {
    Random random(scale.options().seed + 61);
    const Snapshot snapshot = db.begin_read();
    const Tree tree = snapshot.tree(k_tree);
    touch_all(tree, entries);
    scale.measure(k_get, entries, db, k_block, [&] { get_block(tree, keys, random, entries, true); });
    scale.measure(k_miss, entries, db, k_block, [&] { get_block(tree, keys, random, entries, false); });
    scale.measure(k_scan, entries, db, 1, [&] {
        northstar::Cursor cursor = tree.cursor();
        std::uint64_t bytes = 0;
        int rows = 0;
        for (bool more = cursor.lower_bound(keys.key(random.below(entries))); more && rows < 100; ++rows) {
            bytes += cursor.value().size();
            more = cursor.next();
        }
        if (bytes == 0) throw std::runtime_error("a scan found nothing");
    });
    scale.measure(k_estimate, entries, db, k_block, [&] {
        for (std::uint64_t i = 0; i < k_block; ++i) {
            const std::string from(keys.key(random.below(entries)));
            if (tree.estimate(from, "g").high == 0) throw std::runtime_error("an estimate is wrong");
        }
    });
    scale.measure(k_snapshot, entries, db, k_block, [&] {
        for (std::uint64_t i = 0; i < k_block; ++i) db.begin_read().close();
    });
}

void entries_at(Scale& scale, std::uint64_t entries) {
    Keys keys(scale.options().seed);
    const std::string path = scale.fresh_path();
    {
        Database db = Database::open(path);
        scale.progress(k_load.title, entries);
        Repeat repeat;
        const Counters counters = Counters::now();
        const std::uint64_t cpu = thread_cpu_ns();
        const std::uint64_t start = now_ns();
        load(db, keys, 0, entries);
        const std::uint64_t spent = thread_cpu_ns() - cpu;
        repeat.operations = entries;
        repeat.elapsed_ns = now_ns() - start;
        repeat.counters = Counters::now() - counters;
        repeat.page_copies = db.statistics().pages_copied;
        scale.add(k_load, entries, repeat, spent);
        db.checkpoint();
        reads(scale, db, keys, entries);
        Random random(scale.options().seed + 62);
        scale.measure(k_update_1, entries, db, 1, [&] { update(db, keys, random, entries, 1); });
        scale.measure(k_update_100, entries, db, 100, [&] { update(db, keys, random, entries, 100); });
        db.close();
    }
    {
        // Held open by nobody, so that each opening is a first one; measured on a handle of its own.
        Database other = Database::open(":memory:");
        Random random(scale.options().seed + 63);
        scale.measure(k_open, entries, other, 1, [&] {
            Database db = Database::open(path);
            if (!db.begin_read().tree(k_tree).get(keys.key(random.below(entries))))
                throw std::runtime_error("a get gave the wrong answer");
            db.close();
        });
    }
    remove_database(path);
}

// -- under a limit of memory
// ------------------------------------------------------------------------------------------

const CurveSpec k_limited_load{"scale/entries_limited/load", "load under the limit", "entries", 0.4, true, "lazy"};
const CurveSpec k_limited_get{
    "scale/entries_limited/get_cold",          "get, nothing cached", "entries", 0, false, "",
    "the file is dropped from the cache first"};
const CurveSpec k_limited_update{
    "scale/entries_limited/update_100", "100 updates per lazy txn, each", "entries", 0.4, true, "lazy"};

void drop(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::runtime_error("cannot open " + path);
    const int code = ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
    if (code != 0) throw std::runtime_error("the system does not drop " + path + " from its cache");
}

/// One slice of a curve as a child process prints it: which curve, and its numbers.
void print_slice(const char* which, const Repeat& repeat, std::uint64_t cpu) {
    std::printf("%s %llu %llu %llu %llu\n", which, static_cast<unsigned long long>(repeat.operations),
                static_cast<unsigned long long>(repeat.elapsed_ns), static_cast<unsigned long long>(cpu),
                static_cast<unsigned long long>(repeat.counters.fetched_bytes));
    std::fflush(stdout);
}

template <class Work>
void timed(const char* which, std::uint64_t operations, Work&& work) {
    Repeat repeat;
    const Counters counters = Counters::now();
    const std::uint64_t cpu = thread_cpu_ns();
    const std::uint64_t start = now_ns();
    work();
    repeat.elapsed_ns = now_ns() - start;
    const std::uint64_t spent = thread_cpu_ns() - cpu;
    repeat.operations = operations;
    repeat.counters = Counters::now() - counters;
    print_slice(which, repeat, spent);
}

/// In a process whose private memory is limited: loads, updates, and reads with nothing cached.
int child_limited(const std::vector<std::string>& words) {
    const Arguments arguments(words, {});
    if (arguments.words().size() != 5) throw UsageError("DB ENTRIES MIB SEED ROUNDS");
    const std::string& path = arguments.words()[0];
    const std::uint64_t entries = std::stoull(arguments.words()[1]);
    const std::uint64_t limit = std::stoull(arguments.words()[2]) << 20;
    const std::uint64_t seed = std::stoull(arguments.words()[3]);
    const std::uint64_t rounds = std::stoull(arguments.words()[4]);
    rlimit memory{limit, limit};
    if (::setrlimit(RLIMIT_DATA, &memory) != 0)
        throw std::runtime_error(std::string("cannot limit the memory: ") + std::strerror(errno));
    northstar::Options options;
    options.overlay_limit = limit / 8;  // what the default takes of a machine's memory
    Keys keys(seed);
    Random random(seed + 64);
    Database db = Database::open(path, options);
    timed("load", entries, [&] { load(db, keys, 0, entries); });
    const std::uint64_t updates = std::min<std::uint64_t>(entries, 20'000) / 100;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        timed("update", updates * 100, [&] {
            for (std::uint64_t i = 0; i < updates; ++i) update(db, keys, random, entries, 100);
        });
    }
    db.close();
    for (std::uint64_t round = 0; round < rounds; ++round) {
        drop(path);
        Database reopened = Database::open(path, options);
        {
            const Snapshot snapshot = reopened.begin_read();
            const Tree tree = snapshot.tree(k_tree);
            timed("get", k_block * 10, [&] {
                for (int i = 0; i < 10; ++i) get_block(tree, keys, random, entries, true);
            });
        }
        reopened.close();
    }
    std::puts("done");
    std::fflush(stdout);
    wait_for_parent();
    return 0;
}

void limited_at(Scale& scale, std::uint64_t entries) {
    const ScaleOptions& options = scale.options();
    const std::string path = scale.fresh_path();
    scale.progress("under " + std::to_string(options.memory_limit_mib) + " MiB", entries);
    Child child({"child-scale-limited", path, std::to_string(entries), std::to_string(options.memory_limit_mib),
                 std::to_string(options.seed), std::to_string(options.rounds)});
    for (std::string line = child.read_line(); line != "done"; line = child.read_line()) {
        std::istringstream words(line);
        std::string which;
        Repeat repeat;
        std::uint64_t cpu = 0;
        words >> which >> repeat.operations >> repeat.elapsed_ns >> cpu >> repeat.counters.fetched_bytes;
        if (!words) throw std::runtime_error("a child process failed: " + line);
        scale.add(which == "load"     ? k_limited_load
                  : which == "update" ? k_limited_update
                                      : k_limited_get,
                  entries, repeat, cpu);
    }
    child.finish();
    remove_database(path);
}

// -- trees
// ------------------------------------------------------------------------------------------------------------

const CurveSpec k_tree_get{"scale/trees/get", "get in a random tree", "trees", 0.4};
const CurveSpec k_tree_commit{"scale/trees/commit", "1 update in a random tree", "trees", 0.4, true, "lazy"};
const CurveSpec k_tree_all{"scale/trees/put_in_all", "put in a random tree, all in one transaction", "trees", 0.4};
const CurveSpec k_tree_open{"scale/trees/open", "open after a clean close", "trees", 0.4};

std::string name_of(std::uint64_t tree) { return "tree-" + std::to_string(tree); }

void trees_at(Scale& scale, std::uint64_t trees) {
    Keys keys(scale.options().seed);
    const std::string path = scale.fresh_path();
    {
        Database db = Database::open(path);
        scale.progress("making trees", trees);
        for (std::uint64_t first = 0; first < trees; first += 100) {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            for (std::uint64_t t = first; t < std::min(trees, first + 100); ++t) {
                WritableTree tree = tx.tree(name_of(t));
                for (std::uint64_t i = 0; i < k_per_tree; ++i) tree.put(keys.key(i), keys.value());
            }
            tx.commit();
        }
        db.checkpoint();
        {
            const Snapshot snapshot = db.begin_read();
            for (std::uint64_t t = 0; t < trees; ++t) touch_all(snapshot.tree(name_of(t)), k_per_tree);
        }
        Random random(scale.options().seed + 65);
        scale.measure(k_tree_get, trees, db, k_block, [&] {
            const Snapshot snapshot = db.begin_read();
            for (std::uint64_t i = 0; i < k_block; ++i) {
                if (!snapshot.tree(name_of(random.below(trees))).get(keys.key(random.below(k_per_tree))))
                    throw std::runtime_error("a get gave the wrong answer");
            }
        });
        scale.measure(k_tree_commit, trees, db, 1, [&] {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            tx.tree(name_of(random.below(trees))).put(keys.key(random.below(k_per_tree)), keys.value());
            tx.commit();
        });
        {
            Transaction tx = db.begin_write(write_with(Durability::lazy));
            for (std::uint64_t t = 0; t < trees; ++t) tx.tree(name_of(t)).put(keys.key(0), keys.value());
            scale.measure(k_tree_all, trees, db, k_block, [&] {
                for (std::uint64_t i = 0; i < k_block; ++i)
                    tx.tree(name_of(random.below(trees))).put(keys.key(random.below(k_per_tree)), keys.value());
            });
        }
        db.close();
    }
    Database other = Database::open(":memory:");
    scale.measure(k_tree_open, trees, other, 1, [&] {
        Database db = Database::open(path);
        if (!db.begin_read().tree(name_of(trees - 1)).exists()) throw std::runtime_error("a tree is missing");
        db.close();
    });
    remove_database(path);
}

const RegisterCommand limited_command("child-scale-limited", "", child_limited);

const RegisterScale entries(10,
                            {k_load.name, k_get.name, k_miss.name, k_scan.name, k_estimate.name, k_snapshot.name,
                             k_update_1.name, k_update_100.name, k_open.name},
                            [](Scale& scale) {
                                for (const std::uint64_t size : scale.options().entries) entries_at(scale, size);
                            });
const RegisterScale limited(20, {k_limited_load.name, k_limited_update.name, k_limited_get.name}, [](Scale& scale) {
    for (const std::uint64_t size : scale.options().limited) limited_at(scale, size);
});
const RegisterScale trees(30, {k_tree_get.name, k_tree_commit.name, k_tree_all.name, k_tree_open.name},
                          [](Scale& scale) {
                              for (const std::uint64_t size : scale.options().trees) trees_at(scale, size);
                          });

}  // namespace scale_entries_impl
}  // namespace bench
