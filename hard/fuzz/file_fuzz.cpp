// file_fuzz.cpp -- a whole database file, changed: opened read-only and for writing, read, verified, asked for its
// past, written, taken care of and closed, through the public interface.
//
// Whatever it holds, everything ends with an answer or an error that says so [DMG-2] [DMG-6] [ERR-6]. Where only
// single bytes were damaged and no checksum was mended, every answer is right [DMG-1]: a state is that of the commit
// it names, entry by entry, now and AS OF.
#include "hard/fuzz/file_edits.hpp"
#include "hard/fuzz/fixed_vfs.hpp"

#include "txn/core.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr const char* k_path = "/hostile";

/// Damage may be met anywhere; these would be our own fault.
void check(const Error& error) {
    switch (error.code()) {
        case Errc::no_memory:
        case Errc::misuse:
        case Errc::forked:
        case Errc::already_open:
        case Errc::invalid_argument:
        case Errc::too_many_snapshots: finding(std::string("a damaged file is answered with: ") + error.what());
        default: break;
    }
    if (std::string_view(error.what()).empty()) finding("an error says nothing");
}

template <class F>
void step(F&& f) {
    try {
        f();
    } catch (const Error& error) {
        check(error);
    }
}

class Visit {
public:
    explicit Visit(const EditedFile& file) : file_(file) {
        options_.background = false;
        options_.map_size = std::uint64_t{1} << 26;
        options_.overlay_limit = std::uint64_t{8} << 20;
        options_.read_mode = (file.use & k_use_pread) != 0 ? ReadMode::pread : ReadMode::map;
        options_.create = false;
    }

    void run() {
        {
            FixedVfs vfs(1);
            vfs.put(k_path, file_.bytes);
            Options reading = options_;
            reading.read_only = true;
            step([&] {
                Database db = open(vfs, reading);
                look(db);
                step([&] { db.verify(); });
                step([&] { db.close(); });
            });
        }
        if ((file_.use & k_use_writing) == 0) return;
        FixedVfs vfs(2);
        vfs.put(k_path, file_.bytes);
        step([&] {
            Database db = open(vfs, options_);
            look(db);
            write(db);
            if ((file_.use & k_use_care) != 0) care(db);
            step([&] { db.verify(); });
            step([&] { db.close(); });
        });
        step([&] {
            Database db = open(vfs, options_);
            present(db.begin_read(), nullptr);
            step([&] { db.verify(); });
        });
    }

private:
    static Database open(FixedVfs& vfs, const Options& options) {
        return make_database(DatabaseCore::open(k_path, options, &vfs));
    }
    const FileState* state(Txn txn) const {
        if (!file_.plain_damage) return nullptr;
        if (txn >= file_.base->states.size()) finding("a damaged file shows a commit that nobody made");
        return &file_.base->states[static_cast<std::size_t>(txn)];
    }

    /// Everything that reading can ask.
    void look(Database& db) {
        Txn newest = 0;
        std::vector<std::string> names;
        step([&] {
            const Snapshot now = db.begin_read();
            newest = now.txn();
            present(now, state(newest));
            step([&] { names = now.tree_names(); });
            for (const std::string& name : names) {
                step([&] {
                    if (now.tree(name).space().leaf_pages > most()) finding("a tree has more pages than the file");
                });
            }
            step([&] { now.state_hash(); });
        });
        step([&] { db.statistics(); });
        step([&] { db.oldest_state(); });
        // What a file calls its newest commit may be any number.
        for (const Txn back : {Txn{0}, Txn{1}, Txn{3}, Txn{8}, newest / 2}) {
            if (back > newest) continue;
            step([&] {
                const Snapshot then = db.begin_read(AsOf::txn(newest - back));
                if (then.txn() != newest - back) finding("a state of the past is that of another commit");
                present(then, state(newest - back));
            });
        }
        step([&] { present(db.begin_read(AsOf::time(1'700'000'000'500'000)), nullptr); });
        step([&] {
            std::uint64_t seen = 0;
            for (const CommitRecord& record : db.commits(1)) {
                if (++seen > most()) finding("there are more commits than bytes");
                if (record.txn == 0) finding("a commit has no number");
            }
        });
        step([&] { db.commit(newest); });
        step([&] { db.diff(AsOf::txn(newest / 2), AsOf::txn(newest)); });
        step([&] { db.chain_hash(newest); });
        step([&] {
            Feed feed = db.feed(newest);
            feed.next(0);
        });
        for (const std::string& name : names) {
            if (name.size() > most()) finding("a name is longer than the file");
            step([&] { db.history(name, "key/7"); });
            step([&] { db.history(name, "long"); });
        }
    }

    std::uint64_t most() const { return file_.bytes.size() + 1000; }

    /// All trees of a state, both ways; `expected`: what it must be where it can be read.
    void present(const Snapshot& snapshot, const FileState* expected) {
        std::vector<std::string> names;
        step([&] { names = snapshot.tree_names(); });
        for (const std::string& name : names) {
            step([&] { entries(snapshot.tree(name), expected); });
        }
        if (expected == nullptr) return;
        for (const auto& entry : *expected) {
            const auto& [tree, key] = entry.first;
            step([&, &tree = tree, &key = key] {
                if (snapshot.tree(tree).get(key) != entry.second) {
                    finding("damage made an entry absent or another one: " + tree + ' ' + key);
                }
            });
        }
    }
    void entries(const Tree& tree, const FileState* expected) {
        Cursor cursor = tree.cursor();
        std::uint64_t seen = 0;
        std::string before;
        std::uint64_t bytes = 0;
        for (bool more = cursor.first(); more; more = cursor.next()) {
            if (++seen > most()) finding("a tree has more entries than the file has bytes");
            const std::string key(cursor.key());
            if (seen > 1 && key <= before) finding("the keys of a tree do not ascend");
            bytes += cursor.value().size() + cursor.txn() % 2;
            if (expected != nullptr) compare(*expected, tree.name(), key, cursor.value());
            before = key;
        }
        if (bytes > most() * most()) finding("the values of a tree are larger than its file allows");
        std::uint64_t back = 0;
        for (bool more = cursor.last(); more; more = cursor.prev()) {
            if (++back > seen) finding("a tree has more entries backwards than forwards");
        }
        if (back != seen) finding("a tree has fewer entries backwards than forwards");
        tree.size();
        tree.estimate("a", "z");
        cursor.lower_bound("key/5");
        cursor.upper_bound(before);
        tree.get(before);
    }
    static void compare(const FileState& expected, const std::string& tree, const std::string& key,
                        std::string_view value) {
        const auto found = expected.find({tree, key});
        if (found == expected.end() || found->second != value) {
            finding("damage made an entry that nobody wrote: " + tree + ' ' + key);
        }
    }

    /// Changes in every tree and a new one, over two checkpoints.
    void write(Database& db) {
        std::vector<std::string> names = {"big", "runs", "new"};
        step([&] { names = db.begin_read().tree_names(); });
        names.resize(std::min<std::size_t>(names.size(), 6));
        names.push_back("new");
        for (const std::string& name : names) {
            step([&] {
                db.update([&](Transaction& tx) {
                    for (int i = 0; i < 40; i += 3) tx.tree(name).put("key/" + std::to_string(i), std::string(40, 'n'));
                    tx.tree(name).put("long", std::string(7000, 'l'));
                    tx.tree(name).erase("key/7");
                    tx.tree(name).put_if_absent("k1", "v");
                });
            });
        }
        step([&] { db.checkpoint(); });
        for (const std::string& name : names) {
            step([&] {
                Transaction tx = db.begin_write();
                const Savepoint savepoint = tx.savepoint();
                tx.tree(name).erase_range("key/2", "key/4");
                tx.rollback_to(savepoint);
                tx.tree(name).erase_range("key/3", std::nullopt);
                tx.commit();
            });
        }
        if (!names.empty()) {
            step([&] {
                Transaction tx = db.begin_optimistic();
                tx.drop_tree(names.front());
                tx.commit();
            });
        }
        step([&] { db.checkpoint(); });
        step([&] { db.sync(); });
    }
    void care(Database& db) {
        step([&] { db.compact(); });
        step([&] { db.redact("big", "key/1", 0, "fuzz", 0); });
        step([&] { db.prune(AsOf::txn(db.statistics().txn / 2)); });
        step([&] { db.set_history(History::last(2)); });
        step([&] { db.backup("/copy"); });
        step([&] { db.vacuum_into("/dense"); });
        step([&] { db.checkpoint(); });
        step([&] { db.compact(); });
    }

    const EditedFile& file_;
    Options options_;
};

void run(std::span<const std::byte> input) {
    const EditedFile file = edit_file(input);
    Visit(file).run();
}

}  // namespace

const Target k_file_target = {"file", run, nullptr, edit_seeds};

}  // namespace northstar::hard
