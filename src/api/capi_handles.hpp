// capi_handles.hpp -- what the C functions stand on: codes, errors, handles, arguments.  Layer: api.
//
// [CAPI-1] Nothing is thrown out of a C function.
// [CAPI-2] A handle is an odd number: a slot of the table and how often it was closed. It is never followed,
// so that a
//          late or made-up handle is an error whatever became of its memory.
// [CAPI-3] Recording an error allocates nothing: there may be no memory to report that there is no memory.
// Threads: looking up a handle, any, without a lock; a handle is closed by one thread, of two that try one
// succeeds.
#pragma once

#include "base/error.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail::capi {

#define NORTHSTAR_SAME_CODE(c_name, name) static_assert(NORTHSTAR_##c_name == static_cast<int>(Errc::name))
NORTHSTAR_SAME_CODE(INVALID_ARGUMENT, invalid_argument);
NORTHSTAR_SAME_CODE(MISUSE, misuse);
NORTHSTAR_SAME_CODE(NOT_FOUND, not_found);
NORTHSTAR_SAME_CODE(TIMEOUT, timeout);
NORTHSTAR_SAME_CODE(CONFLICT, conflict);
NORTHSTAR_SAME_CODE(READ_ONLY, read_only);
NORTHSTAR_SAME_CODE(KEY_TOO_LARGE, key_too_large);
NORTHSTAR_SAME_CODE(VALUE_TOO_LARGE, value_too_large);
NORTHSTAR_SAME_CODE(NO_SPACE, no_space);
NORTHSTAR_SAME_CODE(NO_MEMORY, no_memory);
NORTHSTAR_SAME_CODE(IO, io);
NORTHSTAR_SAME_CODE(CORRUPT, corrupt);
NORTHSTAR_SAME_CODE(NOT_A_DATABASE, not_a_database);
NORTHSTAR_SAME_CODE(NEWER_FORMAT, newer_format);
NORTHSTAR_SAME_CODE(PAGE_SIZE_MISMATCH, page_size_mismatch);
NORTHSTAR_SAME_CODE(TRUNCATED, truncated);
NORTHSTAR_SAME_CODE(LOCKED, locked);
NORTHSTAR_SAME_CODE(ALREADY_OPEN, already_open);
NORTHSTAR_SAME_CODE(PERMISSION, permission);
NORTHSTAR_SAME_CODE(IS_DIRECTORY, is_directory);
NORTHSTAR_SAME_CODE(NETWORK_FILE_SYSTEM, network_file_system);
NORTHSTAR_SAME_CODE(SNAPSHOT_CLOSED, snapshot_closed);
NORTHSTAR_SAME_CODE(FORKED, forked);
NORTHSTAR_SAME_CODE(POISONED, poisoned);
NORTHSTAR_SAME_CODE(OUTCOME_UNKNOWN, outcome_unknown);
NORTHSTAR_SAME_CODE(BEFORE_HORIZON, before_horizon);
NORTHSTAR_SAME_CODE(IN_THE_FUTURE, in_the_future);
NORTHSTAR_SAME_CODE(UNSUPPORTED, unsupported);
NORTHSTAR_SAME_CODE(TOO_MANY_SNAPSHOTS, too_many_snapshots);
NORTHSTAR_SAME_CODE(ALREADY_EXISTS, already_exists);
NORTHSTAR_SAME_CODE(STILL_HELD, still_held);
NORTHSTAR_SAME_CODE(CANCELLED, cancelled);
NORTHSTAR_SAME_CODE(STALE, stale);

// ---- errors ----

constexpr std::size_t k_message_size = 1024;

/// A sentence in a place of its own, cut if it is too long, between characters.
struct Message {
    void set(const char* text) noexcept {
        std::size_t size = std::strlen(text);
        if (size >= k_message_size) {
            size = k_message_size - 1;
            while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0u) == 0x80u) --size;
        }
        std::memcpy(text_, text, size);
        text_[size] = '\0';
    }
    const char* get() const noexcept { return text_; }

private:
    char text_[k_message_size] = {};
};

struct LastError {
    int code = NORTHSTAR_OK;
    std::uint64_t page = Error::no_page;
    Message message;
    Message file;
};

inline LastError& last_error() noexcept {
    thread_local LastError error;
    return error;
}

/// The newest error of a database and of what was opened from it.
struct DatabaseErrors {
    std::mutex mutex;
    Message message;
};

inline int record(DatabaseErrors* errors, Errc code, const char* text, std::uint64_t page,
                  const char* file = "") noexcept {
    LastError& last = last_error();
    last.code = static_cast<int>(code);
    last.page = page;
    last.message.set(text);
    last.file.set(file);
    if (errors != nullptr) {
        const std::lock_guard lock(errors->mutex);
        errors->message.set(text);
    }
    return last.code;
}

/// Runs fn, which returns a code; whatever it throws becomes one.
template <class F>
int guard(DatabaseErrors* errors, F&& fn) noexcept {
    try {
        return fn();
    } catch (const Error& error) {
        return record(errors, error.code(), error.what(), error.page(), error.file().c_str());
    } catch (const std::bad_alloc&) {
        return record(errors, Errc::no_memory, "an allocation failed; free memory and try again",
                      Error::no_page);
    } catch (const std::length_error& error) {
        return record(errors, Errc::invalid_argument, error.what(), Error::no_page);
    } catch (const std::exception& error) {
        return record(errors, Errc::io, error.what(), Error::no_page);
    } catch (...) {
        return record(errors, Errc::io, "the system reported an error without a description", Error::no_page);
    }
}

// ---- handles ----

enum class Kind : std::uint8_t {
    db, snapshot, txn, cursor, commits, versions, changes, names, report, cartridge, hits, queue, claims,
    sql, sql_statement
};

struct Handle {
    Handle(Kind k, std::shared_ptr<DatabaseErrors> e) noexcept : kind(k), errors(std::move(e)) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    virtual ~Handle() = default;
    const Kind kind;
    const std::shared_ptr<DatabaseErrors> errors;
};

/// Every open handle of the process. Looking one up takes no lock; slots are reused and never freed.
class HandleTable {
public:
    constexpr HandleTable() noexcept = default;

    /// Takes ownership. Throws Error(no_memory).
    std::uintptr_t add(std::unique_ptr<Handle> handle) {
        const std::lock_guard lock(mutex_);
        if (free_ == k_none) add_chunk();
        const std::uint32_t index = free_;
        Slot& slot = at(index);
        free_ = slot.next_free;
        slot.handle.store(handle.release(), std::memory_order_release);
        const std::uintptr_t generation = slot.generation.load(std::memory_order_relaxed);
        return generation << (k_index_bits + 1) | std::uintptr_t{index} << 1 | 1;
    }

    Handle* find(std::uintptr_t word, Kind kind) noexcept {
        Slot* slot = slot_of(word);
        if (slot == nullptr) return nullptr;
        Handle* handle = slot->handle.load(std::memory_order_acquire);
        return handle != nullptr && handle->kind == kind ? handle : nullptr;
    }

    /// Takes a handle out; of two threads that try one gets it.
    std::unique_ptr<Handle> take(std::uintptr_t word, Kind kind) noexcept {
        const std::lock_guard lock(mutex_);
        Slot* slot = slot_of(word);
        if (slot == nullptr || find(word, kind) == nullptr) return nullptr;
        slot->generation.store((generation_of(word) + 1) & k_generation_mask, std::memory_order_release);
        std::unique_ptr<Handle> handle(slot->handle.exchange(nullptr, std::memory_order_acq_rel));
        slot->next_free = free_;
        free_ = static_cast<std::uint32_t>(word >> 1 & k_index_mask);
        return handle;
    }

private:
    static constexpr unsigned k_index_bits = 20;
    static constexpr std::uintptr_t k_index_mask = (std::uintptr_t{1} << k_index_bits) - 1;
    static constexpr std::uintptr_t k_generation_mask = ~std::uintptr_t{0} >> (k_index_bits + 1);
    static constexpr std::uint32_t k_chunk = 1024;
    static constexpr std::uint32_t k_chunks = (1u << k_index_bits) / k_chunk;
    static constexpr std::uint32_t k_none = ~std::uint32_t{0};

    struct Slot {
        std::atomic<std::uintptr_t> generation{0};
        std::atomic<Handle*> handle{nullptr};
        std::uint32_t next_free = k_none;
    };

    static std::uintptr_t generation_of(std::uintptr_t word) noexcept { return word >> (k_index_bits + 1); }

    Slot& at(std::uint32_t index) noexcept {
        return chunks_[index / k_chunk].load(std::memory_order_acquire)[index % k_chunk];
    }

    Slot* slot_of(std::uintptr_t word) noexcept {
        if ((word & 1) == 0) return nullptr;
        const auto index = static_cast<std::uint32_t>(word >> 1 & k_index_mask);
        Slot* chunk = chunks_[index / k_chunk].load(std::memory_order_acquire);
        if (chunk == nullptr) return nullptr;
        Slot& slot = chunk[index % k_chunk];
        return slot.generation.load(std::memory_order_acquire) == generation_of(word) ? &slot : nullptr;
    }

    void add_chunk() {
        if (chunk_count_ == k_chunks) {
            fail(Errc::no_memory,
                 "more than a million handles are open in this process; close those not needed");
        }
        Slot* chunk = new Slot[k_chunk];
        const std::uint32_t first = chunk_count_ * k_chunk;
        for (std::uint32_t i = 0; i + 1 < k_chunk; ++i) chunk[i].next_free = first + i + 1;
        chunks_[chunk_count_].store(chunk, std::memory_order_release);
        ++chunk_count_;
        free_ = first;
    }

    std::mutex mutex_;
    std::uint32_t free_ = k_none;
    std::uint32_t chunk_count_ = 0;
    std::atomic<Slot*> chunks_[k_chunks] = {};
};

inline constinit HandleTable handle_table;

struct DbHandle : Handle {
    using Name = northstar_db;
    static constexpr Kind k_kind = Kind::db;
    DbHandle(std::shared_ptr<DatabaseErrors> e, Database&& d)
        : Handle(k_kind, std::move(e)), shared(std::make_shared<Database>(std::move(d))), db(*shared),
          cartridges(db) {}
    /// Connections of SQL refer to the database, closed or not.
    const std::shared_ptr<Database> shared;
    Database& db;
    Cartridges cartridges;
};

struct SnapshotHandle : Handle {
    using Name = northstar_snapshot;
    static constexpr Kind k_kind = Kind::snapshot;
    SnapshotHandle(std::shared_ptr<DatabaseErrors> e, Snapshot&& s) noexcept
        : Handle(k_kind, std::move(e)), snapshot(std::move(s)) {}
    ~SnapshotHandle() override {
        for (Found* found = found_.load(std::memory_order_acquire); found != nullptr;) {
            delete std::exchange(found, found->next);
        }
    }

    /// fn(tree). Trees asked for are kept, since they cannot change; readers on several threads add to one
    /// list.
    template <class F>
    auto with_tree(std::string_view name, F&& fn) {
        Found* newest = found_.load(std::memory_order_acquire);
        for (const Found* found = newest; found != nullptr; found = found->next) {
            if (found->tree.name() == name) return fn(found->tree);
        }
        const Tree tree = snapshot.tree(name);
        if (newest == nullptr || newest->number < k_max_found) {
            auto found = std::make_unique<Found>(tree, newest, newest == nullptr ? 1u : newest->number + 1);
            if (found_.compare_exchange_strong(newest, found.get(), std::memory_order_acq_rel))
                found.release();
        }
        return fn(tree);
    }

    Snapshot snapshot;

private:
    static constexpr unsigned k_max_found = 16;
    struct Found {
        Found(const Tree& t, Found* n, unsigned i) : tree(t), next(n), number(i) {}
        const Tree tree;
        Found* const next;
        const unsigned number;
    };
    std::atomic<Found*> found_{nullptr};
};

struct TxnHandle : Handle {
    using Name = northstar_txn;
    static constexpr Kind k_kind = Kind::txn;
    TxnHandle(std::shared_ptr<DatabaseErrors> e, Transaction&& t) noexcept
        : Handle(k_kind, std::move(e)), transaction(std::move(t)) {}
    Transaction transaction;
};

struct CursorHandle : Handle {
    using Name = northstar_cursor;
    static constexpr Kind k_kind = Kind::cursor;
    CursorHandle(std::shared_ptr<DatabaseErrors> e, Cursor&& c) noexcept
        : Handle(k_kind, std::move(e)), cursor(std::move(c)) {}
    Cursor cursor;
};

struct CommitsHandle : Handle {
    using Name = northstar_commits;
    static constexpr Kind k_kind = Kind::commits;
    CommitsHandle(std::shared_ptr<DatabaseErrors> e, CommitRange&& r)
        : Handle(k_kind, std::move(e)), range(std::move(r)) {}
    CommitsHandle(std::shared_ptr<DatabaseErrors> e, Feed&& f)
        : Handle(k_kind, std::move(e)), feed(std::move(f)) {}

    int move(std::uint32_t timeout_ms) {
        record.reset();
        if (feed) {
            record = feed->next(timeout_ms);
        } else if (!ended) {
            if (begun) {
                ++place;
            } else {
                begun = true;
                place = range->begin();
            }
            ended = place == std::default_sentinel;
            if (!ended) record = *place;
        }
        return record ? NORTHSTAR_OK : NORTHSTAR_ABSENT;
    }
    const CommitRecord& current() const {
        if (!record)
            fail(Errc::invalid_argument, "there is no current commit; call northstar_commits_next first");
        return *record;
    }
    const Feed& as_feed() const {
        if (!feed) fail(Errc::invalid_argument, "this needs a handle of northstar_feed_open");
        return *feed;
    }

    std::optional<CommitRange> range;
    CommitRange::iterator place;
    bool begun = false;
    bool ended = false;
    std::optional<Feed> feed;
    std::optional<CommitRecord> record;
};

template <class T, class CName, Kind k>
struct ListHandle : Handle {
    using Name = CName;
    static constexpr Kind k_kind = k;
    ListHandle(std::shared_ptr<DatabaseErrors> e, std::vector<T>&& i) noexcept
        : Handle(k_kind, std::move(e)), items(std::move(i)) {}
    const std::vector<T> items;
};
using VersionsHandle = ListHandle<Version, northstar_versions, Kind::versions>;
using ChangesHandle = ListHandle<Change, northstar_changes, Kind::changes>;
using NamesHandle = ListHandle<std::string, northstar_names, Kind::names>;

struct ReportHandle : Handle {
    using Name = northstar_report;
    static constexpr Kind k_kind = Kind::report;
    ReportHandle(std::shared_ptr<DatabaseErrors> e, VerifyReport&& r) noexcept
        : Handle(k_kind, std::move(e)), report(std::move(r)) {}
    const VerifyReport report;
};

/// A cartridge and the view of it that its kind has.
struct CartridgeHandle : Handle {
    using Name = northstar_cartridge;
    static constexpr Kind k_kind = Kind::cartridge;
    CartridgeHandle(std::shared_ptr<DatabaseErrors> e, Cartridge&& c)
        : Handle(k_kind, std::move(e)), cartridge(std::move(c)) {
        const std::string& kind_name = cartridge.info().kind;
        if (kind_name == "graph") graph_.emplace(cartridge);
        else if (kind_name == "closure") closure_.emplace(cartridge);
        else if (kind_name == "text") text_.emplace(cartridge);
        else if (kind_name == "vectors") vectors_.emplace(cartridge);
    }

    const Graph& graph() const { return closure_ ? closure_->graph() : of_kind(graph_, "graph or closure"); }
    const Closure& closure() const { return of_kind(closure_, "closure"); }
    const Text& text() const { return of_kind(text_, "text"); }
    const Vectors& vectors() const { return of_kind(vectors_, "vectors"); }

    const Cartridge cartridge;

private:
    template <class T>
    const T& of_kind(const std::optional<T>& view, const char* wanted) const {
        if (!view) {
            fail(Errc::invalid_argument, "the cartridge '" + cartridge.info().name + "' is of kind " +
                                             cartridge.info().kind + ", not " + wanted);
        }
        return *view;
    }
    std::optional<Graph> graph_;
    std::optional<Closure> closure_;
    std::optional<Text> text_;
    std::optional<Vectors> vectors_;
};

using HitsHandle = ListHandle<HybridHit, northstar_hits, Kind::hits>;
using ClaimsHandle = ListHandle<TaskClaim, northstar_claims, Kind::claims>;

struct QueueHandle : Handle {
    using Name = northstar_queue;
    static constexpr Kind k_kind = Kind::queue;
    QueueHandle(std::shared_ptr<DatabaseErrors> e, TaskQueue&& q) noexcept
        : Handle(k_kind, std::move(e)), queue(std::move(q)) {}
    TaskQueue queue;
};

inline int not_open() noexcept {
    return record(
        nullptr, Errc::misuse,
        "this handle is closed already, NULL, or of another kind than the function takes; open a new one",
        Error::no_page);
}

/// fn(T&) on what the handle stands for.
template <class T, class F>
int with(typename T::Name* name, F&& fn) noexcept {
    Handle* handle = handle_table.find(reinterpret_cast<std::uintptr_t>(name), T::k_kind);
    if (handle == nullptr) [[unlikely]]
        return not_open();
    return guard(handle->errors.get(), [&]() -> int { return fn(static_cast<T&>(*handle)); });
}

template <class T>
int close(typename T::Name* name) noexcept {
    if (name == nullptr) return NORTHSTAR_OK;
    if (handle_table.take(reinterpret_cast<std::uintptr_t>(name), T::k_kind) == nullptr) return not_open();
    return NORTHSTAR_OK;
}

// ---- arguments ----

inline void need(const void* pointer, const char* what) {
    if (pointer == nullptr) fail(Errc::invalid_argument, std::string(what) + " is NULL; give it a place");
}

template <class T, class... Args>
int open_handle(typename T::Name** out, Args&&... args) {
    *out = reinterpret_cast<typename T::Name*>(
        handle_table.add(std::make_unique<T>(std::forward<Args>(args)...)));
    return NORTHSTAR_OK;
}

inline std::string_view bytes(const void* data, std::size_t size) {
    if (size == 0) return {"", 0};
    if (data == nullptr || size > static_cast<std::size_t>(PTRDIFF_MAX)) {
        fail(Errc::invalid_argument,
             "a pointer is NULL though its length is not 0, or the length is impossible");
    }
    return {static_cast<const char*>(data), size};
}

inline std::optional<std::string_view> bytes_if(int there, const void* data, std::size_t size) {
    if (there == 0) return std::nullopt;
    return bytes(data, size);
}

inline void give(std::string_view from, const void** data, std::size_t* size) {
    need(data, "the place for a pointer");
    need(size, "the place for a length");
    *data = from.data() == nullptr ? "" : from.data();
    *size = from.size();
}

inline int give_value(const std::optional<std::string_view>& value, const void** data, std::size_t* size) {
    need(data, "the place for a pointer");
    need(size, "the place for a length");
    if (!value) return NORTHSTAR_ABSENT;
    give(*value, data, size);
    return NORTHSTAR_OK;
}

template <class T>
int give_number(T number, T* out) {
    need(out, "the place for a number");
    *out = number;
    return NORTHSTAR_OK;
}

template <class T>
int give_if(const std::optional<T>& from, T* out) {
    need(out, "the place for a number");
    if (!from) return NORTHSTAR_ABSENT;
    *out = *from;
    return NORTHSTAR_OK;
}

/// 36 characters and a zero byte.
inline int give_uuid(const std::string& uuid, char* out) {
    need(out, "the place for the uuid");
    std::memcpy(out, uuid.c_str(), uuid.size() + 1);
    return NORTHSTAR_OK;
}

inline int give_hash(const Hash& hash, unsigned char* out) {
    need(out, "the place for a hash");
    std::memcpy(out, hash.bytes, sizeof hash.bytes);
    return NORTHSTAR_OK;
}

/// Memory that northstar_free takes, with a zero byte behind the bytes.
inline char* new_copy(std::string_view from) {
    char* copy = static_cast<char*>(std::malloc(from.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    if (!from.empty()) std::memcpy(copy, from.data(), from.size());
    copy[from.size()] = '\0';
    return copy;
}

/// Fills the part of a struct that its caller knows, and with zeros what only its caller knows.
template <class T>
int give_struct(T&& from, std::remove_reference_t<T>* out) {
    need(out, "the struct to fill");
    const std::size_t size = out->size;
    if (size < sizeof size)
        fail(Errc::invalid_argument, "the struct's size is not set; set it to sizeof the struct");
    from.size = size;
    std::memcpy(static_cast<void*>(out), &from, std::min(size, sizeof from));
    if (size > sizeof from) std::memset(reinterpret_cast<char*>(out) + sizeof from, 0, size - sizeof from);
    return NORTHSTAR_OK;
}

inline AsOf point(int at, std::uint64_t value) {
    if (at == NORTHSTAR_AT_TXN) return AsOf::txn(value);
    if (at == NORTHSTAR_AT_TIME) return AsOf::time(value);
    fail(Errc::invalid_argument,
         "a point is named by NORTHSTAR_AT_TXN or NORTHSTAR_AT_TIME, not " + std::to_string(at));
}

inline Durability durability_of(int number) {
    if (number == NORTHSTAR_DURABILITY_FULL) return Durability::full;
    if (number == NORTHSTAR_DURABILITY_LAZY) return Durability::lazy;
    fail(Errc::invalid_argument,
         "there is no durability " + std::to_string(number) + "; use NORTHSTAR_DURABILITY_...");
}

inline History history_of(int kind, std::uint64_t amount) {
    if (kind < NORTHSTAR_HISTORY_NOTHING || kind > NORTHSTAR_HISTORY_DURATION) {
        fail(Errc::invalid_argument,
             "there is no history kind " + std::to_string(kind) + "; use NORTHSTAR_HISTORY_...");
    }
    return {static_cast<History::Kind>(kind), amount};
}

inline WriteOptions write_options(std::uint32_t timeout_ms, int durability) {
    WriteOptions options;
    if (timeout_ms != NORTHSTAR_FOREVER) options.timeout_ms = timeout_ms;
    if (durability != NORTHSTAR_DURABILITY_DEFAULT) options.durability = durability_of(durability);
    return options;
}

inline northstar_options default_options() {
    const Options from;
    northstar_options options = {};
    options.size = sizeof options;
    options.create = from.create;
    options.read_only = from.read_only;
    options.exclusive = from.exclusive;
    options.background = from.background;
    options.page_size = from.page_size;
    options.log_align = from.log_align;
    options.history_kind = static_cast<std::int32_t>(from.history.kind);
    options.history_amount = from.history.amount;
    options.durability = static_cast<std::int32_t>(from.durability);
    options.overlay_limit = from.overlay_limit;
    options.checkpoint_log_bytes = from.checkpoint_log_bytes;
    options.map_size = from.map_size;
    options.lazy_flush_ms = from.lazy_flush_ms;
    options.read_mode = static_cast<std::int32_t>(from.read_mode);
    return options;
}

/// The defaults, with what the caller knows of the struct in their place. NULL: the defaults.
template <class T>
T known_struct(T defaults, const T* given) {
    if (given == nullptr) return defaults;
    if (given->size < sizeof given->size) {
        fail(Errc::invalid_argument, "the options' size is not set; begin with the function that fills them");
    }
    std::memcpy(static_cast<void*>(&defaults), given, std::min(given->size, sizeof defaults));
    const auto* byte = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof defaults; i < given->size; ++i) {
        if (byte[i] != 0) {
            fail(Errc::unsupported,
                 "an option is set that this version of the library does not know; use a newer one");
        }
    }
    return defaults;
}

/// What the functions that fill options do.
template <class T>
int init_struct(T&& defaults, std::remove_reference_t<T>* options, std::size_t size) noexcept {
    return guard(nullptr, [&] {
        need(options, "the options");
        if (size < sizeof size) fail(Errc::invalid_argument, "the size of the options is impossible");
        options->size = size;
        return give_struct(std::forward<T>(defaults), options);
    });
}

inline Options options_of(const northstar_options* given) {
    const northstar_options from = known_struct(default_options(), given);
    if (from.read_mode < NORTHSTAR_READ_MAP || from.read_mode > NORTHSTAR_READ_PREAD) {
        fail(Errc::invalid_argument, "there is no read mode " + std::to_string(from.read_mode));
    }
    Options options;
    options.create = from.create != 0;
    options.read_only = from.read_only != 0;
    options.exclusive = from.exclusive != 0;
    options.background = from.background != 0;
    options.page_size = from.page_size;
    options.log_align = from.log_align;
    options.history = history_of(from.history_kind, from.history_amount);
    options.durability = durability_of(from.durability);
    options.overlay_limit = from.overlay_limit;
    options.checkpoint_log_bytes = from.checkpoint_log_bytes;
    options.map_size = from.map_size;
    options.lazy_flush_ms = from.lazy_flush_ms;
    options.read_mode = static_cast<ReadMode>(from.read_mode);
    return options;
}

template <class T>
const auto& item(const std::vector<T>& items, std::size_t index) {
    if (index >= items.size()) {
        fail(Errc::invalid_argument,
             "there is no item " + std::to_string(index) + "; there are " + std::to_string(items.size()));
    }
    return items[index];
}

inline void set_bytes(const std::optional<std::string_view>& from, const void*& data, std::size_t& size) {
    if (from) give(*from, &data, &size);
}

inline int there(bool found) { return found ? NORTHSTAR_OK : NORTHSTAR_ABSENT; }

inline northstar_statistics statistics_of(const Statistics& from) {
    northstar_statistics to = {};
    to.txn = from.txn;
    to.durable_txn = from.durable_txn;
    to.oldest_txn = from.oldest_txn;
    to.generation = from.generation;
    to.page_size = from.page_size;
    to.trees = from.trees;
    to.entries = from.entries;
    to.file_bytes = from.file_bytes;
    to.used_pages = from.used_pages;
    to.free_pages = from.free_pages;
    to.held_pages = from.held_pages;
    to.log_bytes = from.log_bytes;
    to.log_bytes_since_checkpoint = from.log_bytes_since_checkpoint;
    to.history_bytes = from.history_bytes;
    to.history_segments = from.history_segments;
    to.overlay_bytes = from.overlay_bytes;
    to.overlay_limit = from.overlay_limit;
    to.overlay_held_by_snapshots = from.overlay_held_by_snapshots;
    to.snapshots_open = from.snapshots_open;
    to.oldest_snapshot_txn = from.oldest_snapshot_txn;
    to.oldest_snapshot_age_us = from.oldest_snapshot_age_us;
    to.commits = from.commits;
    to.conflicts = from.conflicts;
    to.flushes = from.flushes;
    to.checkpoints = from.checkpoints;
    to.replayed_txns = from.replayed_txns;
    to.bytes_written = from.bytes_written;
    to.log_bytes_written = from.log_bytes_written;
    to.page_bytes_written = from.page_bytes_written;
    to.pages_copied = from.pages_copied;
    to.pages_verified = from.pages_verified;
    to.last_checkpoint_us = from.last_checkpoint_us;
    to.slowdown_us = from.slowdown_us;
    to.poisoned = from.poisoned;
    to.redaction_pending = from.redaction_pending;
    return to;
}

inline int begin_read_at(northstar_db* db, AsOf at, northstar_snapshot** snapshot) noexcept {
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(snapshot, "the place for the snapshot");
        return open_handle<SnapshotHandle>(snapshot, h.errors, h.db.begin_read(at));
    });
}

}  // namespace northstar::inline v0::detail::capi
