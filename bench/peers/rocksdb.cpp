// RocksDB after its tuning guide for data that fits in memory: whole-key bloom filters of 10 bits, hash index
// in data blocks for point reads, a block cache larger than the data with index and filter blocks outside of
// it (always resident), no compression, dynamic level sizes, background threads for every core. Large values are kept
// in blob files, which a cache is shared with, as the page about them advises.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine.hpp"

namespace bench {
namespace rocksdb_engine {

void check(const rocksdb::Status& status, const char* what) {
    if (!status.ok()) throw std::runtime_error(std::string("rocksdb: ") + what + ": " + status.ToString());
}

rocksdb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

class RocksReader final : public Reader {
public:
    explicit RocksReader(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {
        options_.snapshot = snapshot_;
    }
    ~RocksReader() override {
        value_.Reset();
        if (snapshot_ != nullptr) db_.ReleaseSnapshot(snapshot_);
    }

    bool get(std::string_view key, std::string_view& value) override {
        value_.Reset();
        const rocksdb::Status status = db_.Get(options_, db_.DefaultColumnFamily(), to_slice(key), &value_);
        if (status.IsNotFound()) return false;
        check(status, "get");
        value = {value_.data(), value_.size()};
        return true;
    }

    std::size_t multi_get(std::span<const std::string_view> keys, std::uint64_t& sum) override {
        slices_.clear();
        for (const std::string_view key : keys) slices_.push_back(to_slice(key));
        if (pinned_.size() < keys.size()) {
            pinned_ = std::vector<rocksdb::PinnableSlice>(keys.size());
            statuses_.resize(keys.size());
        }
        for (rocksdb::PinnableSlice& slice : pinned_) slice.Reset();
        db_.MultiGet(options_, db_.DefaultColumnFamily(), keys.size(), slices_.data(), pinned_.data(),
                     statuses_.data());
        std::size_t hits = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (statuses_[i].IsNotFound()) continue;
            check(statuses_[i], "multi_get");
            sum += static_cast<unsigned char>(pinned_[i][0]);
            ++hits;
        }
        return hits;
    }

    std::uint64_t scan(std::uint64_t& sum) override {
        rocksdb::ReadOptions options = options_;
        options.readahead_size = 2 << 20;
        const std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(options));
        std::uint64_t count = 0;
        for (it->SeekToFirst(); it->Valid(); it->Next()) {
            sum += static_cast<unsigned char>(it->key()[0]) + static_cast<unsigned char>(it->value()[0]);
            ++count;
        }
        check(it->status(), "scan");
        return count;
    }

    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) override {
        const std::unique_ptr<rocksdb::Iterator> it(db_.NewIterator(options_));
        const bool forwards = order == Order::forwards;
        if (forwards) it->Seek(to_slice(first));
        else it->SeekForPrev(to_slice(first));
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
        if (snapshot_ == nullptr) return;
        db_.ReleaseSnapshot(snapshot_);
        options_.snapshot = snapshot_ = nullptr;
    }

private:
    rocksdb::DB& db_;
    const rocksdb::Snapshot* snapshot_;
    rocksdb::ReadOptions options_;
    rocksdb::PinnableSlice value_;
    std::vector<rocksdb::Slice> slices_;
    std::vector<rocksdb::PinnableSlice> pinned_;
    std::vector<rocksdb::Status> statuses_;
};

class RocksWriter final : public Writer {
public:
    explicit RocksWriter(rocksdb::DB& db) : db_(db) {}
    void commit(std::span<const Entry> entries, Durability durability, Put) override {
        batch_.Clear();
        for (const Entry& entry : entries) {
            check(batch_.Put(to_slice(entry.key), to_slice(entry.value)), "put");
        }
        write(durability);
    }
    void erase(std::span<const std::string_view> keys, Durability durability) override {
        batch_.Clear();
        for (const std::string_view key : keys) check(batch_.Delete(to_slice(key)), "erase");
        write(durability);
    }

private:
    void write(Durability durability) {
        rocksdb::WriteOptions options;
        options.sync = durability == Durability::full;
        check(db_.Write(options, &batch_), "write");
    }
    rocksdb::DB& db_;
    rocksdb::WriteBatch batch_;
};

class RocksEngine final : public Engine {
public:
    ~RocksEngine() override { close(); }

    Traits traits() const override {
        Traits traits;
        traits.version = std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
                         std::to_string(ROCKSDB_PATCH);
        traits.settings =
            "bloom 10, 1 GiB block cache, hash index in data blocks, no compression, sync only when durable, "
            "blob files for large values";
        traits.native_multi_get = true;
        return traits;
    }

    void open(const OpenOptions& options) override {
        ::mkdir(options.directory.c_str(), 0755);
        rocksdb::BlockBasedTableOptions table;
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
        table.block_cache = rocksdb::NewLRUCache(std::size_t{1} << 30);
        table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
        table.data_block_hash_table_util_ratio = 0.75;
        rocksdb::Options settings;
        settings.create_if_missing = true;
        settings.IncreaseParallelism(static_cast<int>(std::thread::hardware_concurrency()));
        settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        settings.compression = rocksdb::kNoCompression;
        settings.level_compaction_dynamic_level_bytes = true;
        settings.max_open_files = -1;
        settings.bytes_per_sync = 1 << 20;
        if (options.holds == Holds::large_values) {
            settings.enable_blob_files = true;
            settings.min_blob_size = 1024;
            settings.enable_blob_garbage_collection = true;
            settings.blob_cache = table.block_cache;
        }
        rocksdb::DB* db = nullptr;
        check(rocksdb::DB::Open(settings, options.directory, &db), "open");
        db_.reset(db);
    }

    void close() override {
        if (!db_) return;
        // Kind to the next open: nothing is left in the log.
        check(db_->Flush(rocksdb::FlushOptions()), "flush");
        check(db_->Close(), "close");
        db_.reset();
    }

    std::unique_ptr<Reader> reader() override { return std::make_unique<RocksReader>(*db_); }
    std::unique_ptr<Writer> writer() override { return std::make_unique<RocksWriter>(*db_); }

    void open_and_close_snapshots(std::uint64_t times) override {
        for (std::uint64_t i = 0; i < times; ++i) db_->ReleaseSnapshot(db_->GetSnapshot());
    }

    void sync() override { check(db_->FlushWAL(true), "sync"); }
    void checkpoint() override { check(db_->Flush(rocksdb::FlushOptions()), "flush"); }

    void settle() override {
        for (int i = 0; i < 2000; ++i) {
            std::uint64_t busy = 0;
            for (const char* name : {"rocksdb.num-running-compactions", "rocksdb.num-running-flushes",
                                     "rocksdb.compaction-pending", "rocksdb.mem-table-flush-pending"}) {
                std::uint64_t number = 0;
                if (db_->GetIntProperty(name, &number)) busy += number;
            }
            if (busy == 0) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

private:
    std::unique_ptr<rocksdb::DB> db_;
};

const RegisterEngine registration("rocksdb", 20, true, [] { return std::make_unique<RocksEngine>(); });

}  // namespace rocksdb_engine
}  // namespace bench
