// LevelDB with what its documentation names as the knobs for speed: bloom filters of 10 bits, a block cache
// larger than the data, a 64 MiB write buffer, larger tables, no compression.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>
#include <sys/stat.h>

#include <stdexcept>
#include <string>

#include "engine.hpp"

namespace bench {
namespace leveldb_engine {

void check(const leveldb::Status& status, const char* what) {
    if (!status.ok()) throw std::runtime_error(std::string("leveldb: ") + what + ": " + status.ToString());
}

leveldb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

class LevelReader final : public Reader {
public:
    explicit LevelReader(leveldb::DB& db) : db_(db) { options_.snapshot = db.GetSnapshot(); }
    ~LevelReader() override {
        if (options_.snapshot != nullptr) db_.ReleaseSnapshot(options_.snapshot);
    }

    bool get(std::string_view key, std::string_view& value) override {
        const leveldb::Status status = db_.Get(options_, to_slice(key), &value_);
        if (status.IsNotFound()) return false;
        check(status, "get");
        value = value_;
        return true;
    }

    std::uint64_t scan(std::uint64_t& sum) override {
        const std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options_));
        std::uint64_t count = 0;
        for (it->SeekToFirst(); it->Valid(); it->Next()) {
            sum += static_cast<unsigned char>(it->key()[0]) + static_cast<unsigned char>(it->value()[0]);
            ++count;
        }
        check(it->status(), "scan");
        return count;
    }

    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) override {
        const std::unique_ptr<leveldb::Iterator> it(db_.NewIterator(options_));
        const bool forwards = order == Order::forwards;
        it->Seek(to_slice(first));
        if (!forwards) {
            if (!it->Valid()) it->SeekToLast();
            else if (it->key() != to_slice(first)) it->Prev();
        }
        std::size_t count = 0;
        while (it->Valid() && count < most) {
            sum += static_cast<unsigned char>(it->key()[0]) + static_cast<unsigned char>(it->value()[0]);
            if (++count == most) break;
            if (forwards) it->Next();
            else it->Prev();
        }
        check(it->status(), "scan");
        return count;
    }

    // Without a snapshot every call reads the newest state.
    void renew() override {
        if (options_.snapshot == nullptr) return;
        db_.ReleaseSnapshot(options_.snapshot);
        options_.snapshot = nullptr;
    }

private:
    leveldb::DB& db_;
    leveldb::ReadOptions options_;
    std::string value_;
};

class LevelWriter final : public Writer {
public:
    explicit LevelWriter(leveldb::DB& db) : db_(db) {}
    void commit(std::span<const Entry> entries, Durability durability, Put) override {
        batch_.Clear();
        for (const Entry& entry : entries) batch_.Put(to_slice(entry.key), to_slice(entry.value));
        write(durability);
    }
    void erase(std::span<const std::string_view> keys, Durability durability) override {
        batch_.Clear();
        for (const std::string_view key : keys) batch_.Delete(to_slice(key));
        write(durability);
    }

private:
    void write(Durability durability) {
        leveldb::WriteOptions options;
        options.sync = durability == Durability::full;
        check(db_.Write(options, &batch_), "write");
    }
    leveldb::DB& db_;
    leveldb::WriteBatch batch_;
};

class LevelEngine final : public Engine {
public:
    ~LevelEngine() override { close(); }

    Traits traits() const override {
        Traits traits;
        traits.version =
            std::to_string(leveldb::kMajorVersion) + "." + std::to_string(leveldb::kMinorVersion);
        traits.settings =
            "bloom 10, 1 GiB block cache, 64 MiB write buffer, no compression, sync only when durable";
        return traits;
    }

    void open(const OpenOptions& options) override {
        ::mkdir(options.directory.c_str(), 0755);
        filter_.reset(leveldb::NewBloomFilterPolicy(10));
        cache_.reset(leveldb::NewLRUCache(std::size_t{1} << 30));
        leveldb::Options settings;
        settings.create_if_missing = true;
        settings.filter_policy = filter_.get();
        settings.block_cache = cache_.get();
        settings.write_buffer_size = std::size_t{64} << 20;
        settings.max_file_size = std::size_t{16} << 20;
        settings.compression = leveldb::kNoCompression;
        leveldb::DB* db = nullptr;
        check(leveldb::DB::Open(settings, options.directory, &db), "open");
        db_.reset(db);
    }

    void close() override {
        db_.reset();
        cache_.reset();
        filter_.reset();
    }

    std::unique_ptr<Reader> reader() override { return std::make_unique<LevelReader>(*db_); }
    std::unique_ptr<Writer> writer() override { return std::make_unique<LevelWriter>(*db_); }

    void open_and_close_snapshots(std::uint64_t times) override {
        for (std::uint64_t i = 0; i < times; ++i) db_->ReleaseSnapshot(db_->GetSnapshot());
    }

    void sync() override {
        leveldb::WriteBatch nothing;
        leveldb::WriteOptions options;
        options.sync = true;
        check(db_->Write(options, &nothing), "sync");
    }

    // There is no flush call: compacting an empty range beyond the data writes the memory table out.
    void checkpoint() override {
        const leveldb::Slice end("\xff\xff\xff\xff", 4);
        db_->CompactRange(&end, nullptr);
    }

private:
    std::unique_ptr<const leveldb::FilterPolicy> filter_;
    std::unique_ptr<leveldb::Cache> cache_;
    std::unique_ptr<leveldb::DB> db_;
};

const RegisterEngine registration("leveldb", 40, true, [] { return std::make_unique<LevelEngine>(); });

}  // namespace leveldb_engine
}  // namespace bench
