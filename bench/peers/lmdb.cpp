// LMDB as its manual advises for speed without giving up its safety: a read-only map (stray writes cannot
// damage the file), thread-local reader slots (a slot is claimed once per thread), no MDB_NORDAHEAD since the
// data fits in memory, MDB_APPEND for sorted loads, MDB_NOSYNC only for lazy commits. The second engine adds
// MDB_WRITEMAP, its fastest and least protected mode.
#include <lmdb.h>
#include <sys/stat.h>

#include <stdexcept>
#include <string>

#include "engine.hpp"

namespace bench {
namespace lmdb_engine {

constexpr std::size_t k_map_bytes = std::size_t{16} << 30;

void check(int code, const char* what) {
    if (code != MDB_SUCCESS)
        throw std::runtime_error(std::string("lmdb: ") + what + ": " + mdb_strerror(code));
}

MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

class LmdbReader final : public Reader {
public:
    LmdbReader(MDB_env* env, MDB_dbi dbi) : dbi_(dbi) {
        check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn_), "begin read");
    }
    ~LmdbReader() override {
        if (cursor_ != nullptr) mdb_cursor_close(cursor_);
        mdb_txn_abort(txn_);
    }

    bool get(std::string_view key, std::string_view& value) override {
        MDB_val k = to_val(key);
        MDB_val v;
        const int code = mdb_get(txn_, dbi_, &k, &v);
        if (code == MDB_NOTFOUND) return false;
        check(code, "get");
        value = {static_cast<const char*>(v.mv_data), v.mv_size};
        return true;
    }

    std::uint64_t scan(std::uint64_t& sum) override {
        MDB_cursor* cursor = nullptr;
        check(mdb_cursor_open(txn_, dbi_, &cursor), "open cursor");
        MDB_val k;
        MDB_val v;
        std::uint64_t count = 0;
        int code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
        while (code == MDB_SUCCESS) {
            sum += static_cast<unsigned char>(*static_cast<const char*>(k.mv_data)) +
                   static_cast<unsigned char>(*static_cast<const char*>(v.mv_data));
            ++count;
            code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        if (code != MDB_NOTFOUND) check(code, "scan");
        return count;
    }

    // The cursor is kept for the next scan, as the manual allows for read transactions.
    std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) override {
        if (cursor_ == nullptr) check(mdb_cursor_open(txn_, dbi_, &cursor_), "open cursor");
        MDB_val k = to_val(first);
        MDB_val v;
        std::size_t count = 0;
        int code = mdb_cursor_get(cursor_, &k, &v, MDB_SET_RANGE);
        if (order == Order::backwards) {
            if (code == MDB_NOTFOUND) {
                code = mdb_cursor_get(cursor_, &k, &v, MDB_LAST);
            } else if (code == MDB_SUCCESS && std::string_view(static_cast<char*>(k.mv_data), k.mv_size) != first) {
                code = mdb_cursor_get(cursor_, &k, &v, MDB_PREV);
            }
        }
        const MDB_cursor_op step = order == Order::forwards ? MDB_NEXT : MDB_PREV;
        while (code == MDB_SUCCESS) {
            sum += static_cast<unsigned char>(*static_cast<const char*>(k.mv_data)) +
                   static_cast<unsigned char>(*static_cast<const char*>(v.mv_data));
            if (++count == most) return count;
            code = mdb_cursor_get(cursor_, &k, &v, step);
        }
        if (code != MDB_NOTFOUND) check(code, "scan");
        return count;
    }

    void renew() override {
        mdb_txn_reset(txn_);
        check(mdb_txn_renew(txn_), "renew");
        if (cursor_ != nullptr) check(mdb_cursor_renew(txn_, cursor_), "renew cursor");
    }

private:
    MDB_dbi dbi_;
    MDB_txn* txn_ = nullptr;
    MDB_cursor* cursor_ = nullptr;
};

class LmdbEngine final : public Engine {
public:
    explicit LmdbEngine(bool write_map) : write_map_(write_map) {}
    ~LmdbEngine() override { close(); }

    Traits traits() const override {
        Traits traits;
        traits.version = std::to_string(MDB_VERSION_MAJOR) + "." + std::to_string(MDB_VERSION_MINOR) + "." +
                         std::to_string(MDB_VERSION_PATCH);
        traits.settings = write_map_ ? "MDB_WRITEMAP, MDB_NOSYNC when lazy, MDB_APPEND for sorted loads"
                                     : "read-only map, MDB_NOSYNC when lazy, MDB_APPEND for sorted loads";
        traits.several_processes = true;
        return traits;
    }

    void open(const OpenOptions& options) override {
        ::mkdir(options.directory.c_str(), 0755);
        check(mdb_env_create(&env_), "create environment");
        check(mdb_env_set_mapsize(env_, k_map_bytes), "set map size");
        check(mdb_env_set_maxreaders(env_, 512), "set reader count");
        check(mdb_env_open(env_, options.directory.c_str(), write_map_ ? MDB_WRITEMAP : 0u, 0644), "open");
        lazy_ = false;
        MDB_txn* txn = nullptr;
        check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
        check(mdb_dbi_open(txn, nullptr, 0, &dbi_), "open tree");
        check(mdb_txn_commit(txn), "commit");
    }

    void close() override {
        if (env_ == nullptr) return;
        mdb_env_sync(env_, 1);
        mdb_env_close(env_);
        env_ = nullptr;
    }

    std::unique_ptr<Reader> reader() override { return std::make_unique<LmdbReader>(env_, dbi_); }
    std::unique_ptr<Writer> writer() override;

    void open_and_close_snapshots(std::uint64_t times) override {
        for (std::uint64_t i = 0; i < times; ++i) {
            MDB_txn* txn = nullptr;
            check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn), "begin read");
            mdb_txn_abort(txn);
        }
    }

    void sync() override { check(mdb_env_sync(env_, 1), "sync"); }
    void checkpoint() override { sync(); }

    void commit(std::span<const Entry> entries, Durability durability, Put put) {
        const unsigned flags = put == Put::at_end ? MDB_APPEND : 0u;
        in_transaction(durability, [&](MDB_txn* txn) {
            for (const Entry& entry : entries) {
                MDB_val key = to_val(entry.key);
                MDB_val value = to_val(entry.value);
                if (const int code = mdb_put(txn, dbi_, &key, &value, flags); code != MDB_SUCCESS) return code;
            }
            return MDB_SUCCESS;
        });
    }

    void erase(std::span<const std::string_view> keys, Durability durability) {
        in_transaction(durability, [&](MDB_txn* txn) {
            for (const std::string_view each : keys) {
                MDB_val key = to_val(each);
                const int code = mdb_del(txn, dbi_, &key, nullptr);
                if (code != MDB_SUCCESS && code != MDB_NOTFOUND) return code;
            }
            return MDB_SUCCESS;
        });
    }

private:
    template <class Work>
    void in_transaction(Durability durability, Work&& work) {
        MDB_txn* txn = nullptr;
        check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
        // The writer's lock is held from here, so the flag belongs to this transaction.
        if (const bool lazy = durability == Durability::lazy; lazy != lazy_) {
            check(mdb_env_set_flags(env_, MDB_NOSYNC, lazy ? 1 : 0), "set flags");
            lazy_ = lazy;
            mdb_txn_abort(txn);  // a transaction takes the flags over when it begins
            check(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
        }
        if (const int code = work(txn); code != MDB_SUCCESS) {
            mdb_txn_abort(txn);
            check(code, "write");
        }
        check(mdb_txn_commit(txn), "commit");
    }

    bool write_map_;
    bool lazy_ = false;
    MDB_env* env_ = nullptr;
    MDB_dbi dbi_ = 0;
};

class LmdbWriter final : public Writer {
public:
    explicit LmdbWriter(LmdbEngine& engine) : engine_(engine) {}
    void commit(std::span<const Entry> entries, Durability durability, Put put) override {
        engine_.commit(entries, durability, put);
    }
    void erase(std::span<const std::string_view> keys, Durability durability) override {
        engine_.erase(keys, durability);
    }

private:
    LmdbEngine& engine_;
};

std::unique_ptr<Writer> LmdbEngine::writer() { return std::make_unique<LmdbWriter>(*this); }

const RegisterEngine plain("lmdb", 10, true, [] { return std::make_unique<LmdbEngine>(false); });
const RegisterEngine mapped("lmdb_writemap", 11, false, [] { return std::make_unique<LmdbEngine>(true); });

}  // namespace lmdb_engine
}  // namespace bench
