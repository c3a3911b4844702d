#include "hard/fuzz/base_files.hpp"

#include "hard/fuzz/fixed_vfs.hpp"

#include "base/random.hpp"
#include "txn/core.hpp"

#include <functional>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/base";

/// A database being made, and what it holds after each commit.
class Maker {
public:
    Maker(std::uint64_t seed, Options options) : vfs_(seed), random_(seed), options_(std::move(options)) {
        options_.background = false;
        options_.map_size = std::uint64_t{1} << 26;
        states_.emplace_back();
        open();
    }

    Database& db() { return *db_; }
    detail::Random& random() { return random_; }

    void put(const std::string& tree, const std::string& key, const std::string& value) {
        commit([&](Transaction& tx, FileState& state) {
            tx.tree(tree).put(key, value);
            state[{tree, key}] = value;
        });
    }
    void erase_range(const std::string& tree, const std::string& from, const std::string& to) {
        commit([&](Transaction& tx, FileState& state) {
            tx.tree(tree).erase_range(from, to);
            std::erase_if(state, [&](const auto& entry) {
                return entry.first.first == tree && entry.first.second >= from && entry.first.second < to;
            });
        });
    }
    void drop(const std::string& tree) {
        commit([&](Transaction& tx, FileState& state) {
            tx.drop_tree(tree);
            std::erase_if(state, [&](const auto& entry) { return entry.first.first == tree; });
        });
    }
    /// Several keys at once.
    void fill(const std::string& tree, std::uint64_t keys, std::uint64_t value_size) {
        commit([&](Transaction& tx, FileState& state) {
            for (std::uint64_t i = 0; i < keys; ++i) {
                const std::string key = "key/" + std::to_string(random_.below(keys * 2));
                const std::string value = text(random_.below(value_size + 1));
                tx.tree(tree).put(key, value);
                state[{tree, key}] = value;
            }
        });
    }
    std::string text(std::uint64_t size) {
        std::string value(static_cast<std::size_t>(size), ' ');
        for (char& c : value) c = static_cast<char>('a' + random_.below(26));
        return value;
    }
    /// A redaction: the past shows an empty value, too.
    void redact(const std::string& tree, const std::string& key) {
        db_->redact(tree, key, 0, "fuzz", 0);
        redacted(tree, key);
    }
    /// The same, which goes no further than the log and the segments: somebody reads the value.
    void redact_by_half(const std::string& tree, const std::string& key) {
        reader_.emplace(db_->begin_read());
        try {
            db_->redact(tree, key, 0, "fuzz", 0);
            finding("a redaction did not wait for a reader");
        } catch (const Error& error) {
            if (error.code() != Errc::still_held) throw;
        }
        redacted(tree, key);
    }
    /// Commits of the library's own change nothing that a tree shows.
    void catch_up() { states_.resize(static_cast<std::size_t>(db_->statistics().txn) + 1, states_.back()); }
    void reopen() {
        db_->close();
        open();
    }

    BaseFile finish(const char* what, bool closed) {
        BaseFile file{what, {}, {}, 0};
        catch_up();
        file.oldest_txn = db_->statistics().oldest_txn;
        if (closed) db_->close();
        file.bytes = vfs_.contents(k_path);
        file.states = std::move(states_);
        return file;
    }

private:
    void redacted(const std::string& tree, const std::string& key) {
        catch_up();
        for (FileState& state : states_) {
            const auto found = state.find({tree, key});
            if (found != state.end()) found->second.clear();
        }
        states_.back().erase({tree, key});
    }
    void open() { db_.emplace(detail::make_database(detail::DatabaseCore::open(k_path, options_, &vfs_))); }
    void commit(const std::function<void(Transaction&, FileState&)>& change) {
        catch_up();
        FileState state = states_.back();
        Transaction tx = db_->begin_write();
        change(tx, state);
        tx.annotate("who", "maker");
        const Commit done = tx.commit();
        if (done.txn != 0) states_.push_back(std::move(state));
        if (done.txn != 0 && done.txn + 1 != states_.size()) finding("a base file has a commit nobody made");
    }

    FixedVfs vfs_;
    detail::Random random_;
    Options options_;
    std::vector<FileState> states_;
    std::optional<Database> db_;
    std::optional<Snapshot> reader_;
};

BaseFile small_one() {
    Maker maker(1, {});
    for (int i = 0; i < 8; ++i) maker.put("t", "k" + std::to_string(i), "value " + std::to_string(i));
    return maker.finish("a few entries, closed", true);
}

BaseFile trees_and_past() {
    Maker maker(2, {});
    maker.fill("big", 120, 60);
    maker.put("runs", "long", maker.text(9000));
    maker.db().checkpoint();
    for (std::uint64_t i = 0; i < 12; ++i) maker.fill("big", 6, 40);
    maker.erase_range("big", "key/1", "key/15");
    maker.put("gone", "a", "1");
    maker.db().checkpoint();
    maker.drop("gone");
    maker.put("runs", "long", maker.text(5000));
    maker.put("runs", "short", "s");
    maker.reopen();
    for (std::uint64_t i = 0; i < 4; ++i) maker.fill("small", 3, 10);
    return maker.finish("trees, large values, segments of history, closed", true);
}

BaseFile log_behind() {
    Maker maker(3, {});
    maker.fill("big", 60, 100);
    maker.db().checkpoint();
    maker.db().checkpoint();
    for (std::uint64_t i = 0; i < 10; ++i) maker.fill("big", 4, 50);
    maker.erase_range("big", "key/2", "key/3");
    maker.put("runs", "long", maker.text(6000));
    return maker.finish("log behind the newest meta page, its process died", false);
}

BaseFile forgotten() {
    Options options;
    options.history = History::last(8);
    Maker maker(4, options);
    for (std::uint64_t i = 0; i < 12; ++i) maker.fill("big", 8, 60);
    maker.put("secret", "name", "somebody");
    maker.put("secret", "other", "nobody");
    maker.catch_up();
    maker.redact("secret", "name");
    maker.db().prune(AsOf::txn(6));
    maker.put("big", "last", "1");
    maker.reopen();
    maker.put("big", "last", "2");
    return maker.finish("pruned and redacted", false);
}

BaseFile redacted_by_half() {
    Maker maker(7, {});
    for (int i = 0; i < 4; ++i) {
        maker.put("secret", "name", "somebody " + maker.text(60));
        maker.fill("big", 10, 60);
    }
    maker.db().checkpoint();
    maker.put("secret", "name", "nobody");
    maker.redact_by_half("secret", "name");
    return maker.finish("a redaction that is not finished, its process died", false);
}

BaseFile other_page_size() {
    Options options;
    options.page_size = 8192;
    options.log_align = 4096;
    Maker maker(5, options);
    maker.fill("big", 40, 300);
    maker.db().checkpoint();
    maker.fill("big", 5, 300);
    return maker.finish("pages of 8 KiB, records aligned to 4 KiB", false);
}

BaseFile untouched() { return Maker(6, {}).finish("nothing in it", true); }

}  // namespace

const std::vector<BaseFile>& base_files() {
    static const std::vector<BaseFile> files = {small_one(), trees_and_past(),  log_behind(),
                                                forgotten(), other_page_size(), untouched(), redacted_by_half()};
    return files;
}

std::optional<detail::Meta> newest_meta(std::span<const std::byte> file) {
    std::optional<detail::Meta> newest;
    // The second one lies where the first one says that pages begin; both positions of either size are tried.
    for (const std::size_t at : {std::size_t{0}, std::size_t{4096}, std::size_t{8192}}) {
        if (file.size() < at + detail::k_meta_size) continue;
        detail::Meta meta;
        if (detail::decode_meta(file.subspan(at, detail::k_meta_size), meta) != detail::MetaState::valid) continue;
        if (!newest || meta.generation > newest->generation) newest = meta;
    }
    return newest;
}

}  // namespace northstar::hard
