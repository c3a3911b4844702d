// Northstar through its public header, with its defaults. The second engine differs in one option: it keeps
// no history. In ascending order it loads with append, as LMDB does with MDB_APPEND.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine.hpp"
#include "northstar.hpp"

namespace bench {
namespace northstar_engine {

constexpr const char* k_tree = "data";

class NorthstarReader final : public Reader {
public:
    explicit NorthstarReader(const northstar::Database& db)
        : db_(db), snapshot_(db.begin_read()), tree_(snapshot_.tree(k_tree)) {}

    bool get(std::string_view key, std::string_view& value) override {
        const std::optional<std::string_view> found = tree_.get(key);
        if (!found) return false;
        value = *found;
        return true;
    }

    std::size_t multi_get(std::span<const std::string_view> keys, std::uint64_t& sum) override {
        if (found_.size() < keys.size()) found_.resize(keys.size());
        tree_.multi_get(keys, std::span(found_).first(keys.size()));
        std::size_t hits = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (!found_[i]) continue;
            sum += static_cast<unsigned char>(found_[i]->front());
            ++hits;
        }
        return hits;
    }

    std::uint64_t scan(std::uint64_t& sum) override {
        northstar::Cursor cursor = tree_.cursor();
        std::uint64_t count = 0;
        for (bool more = cursor.first(); more; more = cursor.next()) {
            sum += static_cast<unsigned char>(cursor.key().front()) +
                   std::uint64_t{static_cast<unsigned char>(cursor.value().front())};
            ++count;
        }
        return count;
    }

    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) override {
        northstar::Cursor cursor = tree_.cursor();
        const bool forwards = order == Order::forwards;
        std::size_t count = 0;
        bool more = forwards                    ? cursor.lower_bound(first)
                    : cursor.upper_bound(first) ? cursor.prev()
                                                : cursor.last();
        while (more && count < most) {
            sum += static_cast<unsigned char>(cursor.key().front()) +
                   std::uint64_t{static_cast<unsigned char>(cursor.value().front())};
            if (++count < most) more = forwards ? cursor.next() : cursor.prev();
        }
        return count;
    }

    void renew() override {
        snapshot_ = db_.begin_read();
        tree_ = snapshot_.tree(k_tree);
    }

private:
    const northstar::Database& db_;
    northstar::Snapshot snapshot_;
    northstar::Tree tree_;
    std::vector<std::optional<std::string_view>> found_;
};

class NorthstarWriter final : public Writer {
public:
    explicit NorthstarWriter(northstar::Database& db) : db_(db) {}
    void commit(std::span<const Entry> entries, Durability durability, Put put) override {
        northstar::Transaction tx = db_.begin_write(options_of(durability));
        northstar::WritableTree tree = tx.tree(k_tree);
        if (put == Put::at_end) {
            for (const Entry& entry : entries) tree.append(entry.key, entry.value);
        } else {
            for (const Entry& entry : entries) tree.put(entry.key, entry.value);
        }
        tx.commit();
    }
    void erase(std::span<const std::string_view> keys, Durability durability) override {
        northstar::Transaction tx = db_.begin_write(options_of(durability));
        northstar::WritableTree tree = tx.tree(k_tree);
        for (const std::string_view key : keys) tree.erase(key);
        tx.commit();
    }

private:
    static northstar::WriteOptions options_of(Durability durability) {
        northstar::WriteOptions options;
        options.durability =
            durability == Durability::full ? northstar::Durability::full : northstar::Durability::lazy;
        return options;
    }
    northstar::Database& db_;
};

class NorthstarEngine final : public Engine {
public:
    explicit NorthstarEngine(bool history) : history_(history) {}

    Traits traits() const override {
        Traits traits;
        traits.version = northstar::version();
        traits.settings = history_ ? "defaults: 4 KiB pages, full history" : "defaults, but no history";
        traits.native_multi_get = true;
        traits.several_processes = true;
        return traits;
    }

    void open(const OpenOptions& options) override {
        ::mkdir(options.directory.c_str(), 0755);
        northstar::Options settings;
        if (!history_) settings.history = northstar::History::nothing();
        if (options.checkpoint_bytes != 0) settings.checkpoint_log_bytes = options.checkpoint_bytes;
        checkpoint_bytes_ = settings.checkpoint_log_bytes;
        db_.emplace(northstar::Database::open(options.directory + "/data.db", settings));
    }

    void close() override {
        if (!db_) return;
        db_->close();
        db_.reset();
    }

    std::unique_ptr<Reader> reader() override { return std::make_unique<NorthstarReader>(*db_); }
    std::unique_ptr<Writer> writer() override { return std::make_unique<NorthstarWriter>(*db_); }

    void open_and_close_snapshots(std::uint64_t times) override {
        for (std::uint64_t i = 0; i < times; ++i) {
            northstar::Snapshot snapshot = db_->begin_read();
            snapshot.close();
        }
    }

    void sync() override { db_->sync(); }
    void checkpoint() override { db_->checkpoint(); }

    // A checkpoint is due or running as long as the log behind the last one is longer than the limit.
    void settle() override {
        for (int i = 0; i < 1000; ++i) {
            if (db_->statistics().log_bytes_since_checkpoint < checkpoint_bytes_) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        throw std::runtime_error("northstar: no checkpoint came within 5 seconds of being due");
    }

    std::uint64_t log_bytes_behind_checkpoint() override {
        return db_->statistics().log_bytes_since_checkpoint;
    }
    std::uint64_t page_copies() override { return db_ ? db_->statistics().pages_copied : 0; }

private:
    bool history_;
    std::uint64_t checkpoint_bytes_ = 0;
    std::optional<northstar::Database> db_;
};

const RegisterEngine with_history("northstar", 0, true,
                                  [] { return std::make_unique<NorthstarEngine>(true); });
const RegisterEngine without_history("northstar_no_history", 1, true,
                                     [] { return std::make_unique<NorthstarEngine>(false); });

}  // namespace northstar_engine
}  // namespace bench
