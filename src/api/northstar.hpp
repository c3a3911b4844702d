// northstar.hpp -- the public interface of Northstar, an embedded database in one file on disk.
//
// What it promises
//   * One file. Many threads and many processes read and write it at the same time.
//   * A commit that was acknowledged is never lost; one that was not is never half there.
//   * Reading takes no lock and never waits; a snapshot stays as it was opened until it is closed.
//   * Every commit is kept in a log inside the file, with who and why; any retained past state can be read.
//   * Bytes are verified before they are believed; damage is an Error with a page number, never a wrong answer.
//
// Lifetimes, in one place
//   * A value returned by a Snapshot lives as long as that Snapshot.
//   * A value returned by a Transaction lives until the next write in that transaction, or its end.
//   * A key returned by a Cursor or a Range lives until that cursor moves.
//   * Tree, Cursor and Range are views of a Snapshot or Transaction. Using one after its owner ended is
//     Errc::snapshot_closed, never undefined behaviour.
//
// Threads
//   Database may be used from any number of threads. Snapshot may be read by several threads at once; each
//   Cursor belongs to one thread at a time. A Transaction belongs to one thread at a time.
//   One thing is not detected: closing (or destroying) a Database or Snapshot while another thread is inside a call
//   on it, or on what was opened from it, SQL included. Reading takes no lock, so that memory may go under its feet:
//   who closes sees to it that the others have come back. What they do afterwards is an Error.
//
// Failure
//   Absence is std::optional (or false). Everything else that goes wrong throws northstar::Error, which has a
//   stable code, a sentence that says what to do, and the file and page concerned. Destructors never throw.
//   Read by a C99 compiler this file is the C interface: same abilities, integer codes, nothing throws.
#ifndef NORTHSTAR_HPP
#define NORTHSTAR_HPP

#include "api/northstar_c.hpp"
#include "api/northstar_c_cartridge.hpp"
#include "api/northstar_sql_c.hpp"

#ifdef __cplusplus

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar {
inline namespace v0 {

class Database;

namespace detail {
class DatabaseCore;
struct ReadView;
class WriteTxn;
struct CursorState;
struct CommitReader;
struct FeedState;
struct CartridgeAccess;
struct CoreAccess;
struct TreeAccess;
/// For programs that bring a disk of their own (the hardening suites): the public handle of an open core.
Database make_database(std::shared_ptr<DatabaseCore> core);
}  // namespace detail

/// Number of a committed transaction: 1, 2, 3 ...; 0 is the empty database.
using Txn = std::uint64_t;

/// Stable codes; a number is never reused. The C interface returns the same numbers.
enum class Errc : int {
    invalid_argument = 1,     ///< an argument makes no sense; nothing was changed
    misuse = 2,               ///< a spent handle, or a second write transaction on the same thread
    not_found = 3,            ///< the file (with create = false) or a named thing does not exist
    timeout = 4,              ///< the deadline passed before the lock or the event came
    conflict = 5,             ///< an optimistic transaction read what another one changed; nothing was changed
    read_only = 6,            ///< a write through a read-only handle
    key_too_large = 7,        ///< longer than Database::max_key_size()
    value_too_large = 8,      ///< longer than 4 GiB - 1
    no_space = 9,             ///< the disk (or quota) is full; the transaction was not committed
    no_memory = 10,           ///< an allocation failed; the transaction was rolled back
    io = 11,                  ///< the operating system reported an error
    corrupt = 12,             ///< bytes do not match their checksum or break an invariant
    not_a_database = 13,      ///< the file is something else
    newer_format = 14,        ///< written by a newer version that this one cannot read
    page_size_mismatch = 15,  ///< the file has another page size than the one asked for
    truncated = 16,           ///< the file is shorter than its meta page says
    locked = 17,              ///< another process has it open exclusively, or it is being recovered
    already_open = 18,        ///< this process has the same file open already, under this or another path
    permission = 19,          ///< the operating system denies access (read-only file or directory)
    is_directory = 20,        ///< the path names a directory or a device, not a regular file
    network_file_system = 21, ///< locks are not reliable there; open with exclusive = true
    snapshot_closed = 22,     ///< a view was used after its snapshot or transaction ended
    forked = 23,              ///< a handle was used in a child process after fork()
    poisoned = 24,            ///< a flush failed earlier; the handle is read-only until everyone reopened
    outcome_unknown = 25,     ///< the commit may or may not be there; reopen and look
    before_horizon = 26,      ///< the asked-for past is not retained
    in_the_future = 27,       ///< the asked-for txn does not exist yet
    unsupported = 28,         ///< not available on this file, file system or build
    too_many_snapshots = 29,  ///< the process-wide table of open snapshots is full
    already_exists = 30,      ///< the destination exists already
    still_held = 31,          ///< a redaction is committed and not finished: snapshots still show the values
    cancelled = 32,           ///< a build, or waiting for the writer's turn, was cancelled; nothing was changed
    stale = 33,               ///< the cartridge is older than the snapshot, and only an exact one was asked for
};

/// Name of a code, e.g. "key_too_large".
const char* to_string(Errc code) noexcept;

class Error : public std::exception {
public:
    static constexpr std::uint64_t no_page = ~std::uint64_t{0};
    Error(Errc code, std::string message, std::string file = {}, std::uint64_t page = no_page);
    Errc code() const noexcept { return code_; }
    /// One sentence: what happened, where, and what to do.
    const char* what() const noexcept override;
    const std::string& file() const noexcept { return file_; }
    /// Page number concerned, or no_page.
    std::uint64_t page() const noexcept { return page_; }

private:
    Errc code_;
    std::string message_;
    std::string file_;
    std::uint64_t page_;
};

/// How much of the past stays readable. Kept per tree, with a default for the database.
struct History {
    enum class Kind : std::uint8_t { nothing = 0, everything = 1, last_txns = 2, duration = 3 };
    Kind kind = Kind::everything;
    std::uint64_t amount = 0;  ///< transactions, or microseconds
    static History everything() { return {Kind::everything, 0}; }
    static History nothing() { return {Kind::nothing, 0}; }
    static History last(std::uint64_t txns) { return {Kind::last_txns, txns}; }
    static History duration(std::uint64_t microseconds) { return {Kind::duration, microseconds}; }
    friend bool operator==(const History&, const History&) = default;
};

enum class Durability : std::uint8_t {
    full = 0,  ///< commit returns when the record is on stable storage
    lazy = 1,  ///< commit survives the death of the process at once, power loss after the next flush
};

enum class ReadMode : std::uint8_t {
    map = 0,    ///< through a read-only mapping of the file (default); SIGBUS where another program truncates it
    pread = 1,  ///< through explicit reads; for files that are not trusted or may be truncated by others
};

/// Options of Database::open. Those marked (creation) are fixed when the file is made.
struct Options {
    bool create = true;                   ///< make the file if it does not exist
    bool read_only = false;               ///< never write; works on a read-only file
    bool exclusive = false;               ///< no other process may have the file open
    std::uint32_t page_size = 0;          ///< (creation) power of two, 4096..65536; 0: 4096, or the file's own
    std::uint32_t log_align = 0;          ///< (creation) pad records to this many bytes; 0 or 4096
    History history = {};                 ///< (creation) default retention; change it with set_history
    Durability durability = Durability::full;    ///< of commits that do not say
    std::uint32_t lazy_flush_ms = 100;           ///< a lazy commit is durable after this time at most
    std::uint64_t overlay_limit = 0;             ///< bytes of memory pages; 0: 1/8 of memory, 64 MiB .. 1 GiB
    std::uint64_t checkpoint_log_bytes = 64u << 20;  ///< log behind the checkpoint that starts a new one
    std::uint64_t map_size = 0;           ///< bytes of address space; 0: 1 TiB or four times the file, less if refused
    ReadMode read_mode = ReadMode::map;
    bool background = true;               ///< false: no threads; the caller runs checkpoint() and sync()
};

/// A point in the past.
struct AsOf {
    enum class Kind : std::uint8_t { txn = 0, time = 1 };
    Kind kind = Kind::txn;
    std::uint64_t value = 0;
    static AsOf txn(Txn number) { return {Kind::txn, number}; }
    /// The newest commit at or before this time, in microseconds since 1970-01-01 00:00 UTC.
    static AsOf time(std::uint64_t microseconds) { return {Kind::time, microseconds}; }
};

/// SHA-256 digest.
struct Hash {
    unsigned char bytes[32] = {};
    std::string hex() const;
    friend bool operator==(const Hash&, const Hash&) = default;
};

struct KeyValue {
    std::string_view key;
    std::string_view value;
};

/// Estimated number of entries; the true number lies within [low, high].
struct Estimate {
    std::uint64_t count = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

/// What a tree takes in the file, or will once it is there. Most of its pages belong to older states too.
struct TreeSpace {
    std::uint32_t depth = 0;  ///< pages from the root to an entry, both included; 0: no entry
    std::uint64_t inner_pages = 0, leaf_pages = 0;
    std::uint64_t value_pages = 0;  ///< of values too large for a leaf; an estimate from 64 leaves where there are more
    std::uint64_t bytes = 0;        ///< of all these pages
};

/// Moves over the entries of a tree in key order (bytes compared as unsigned).
/// O(log n) to position, O(1) amortised to step. Belongs to one thread at a time.
/// After an error a cursor keeps raising it until it is positioned again.
class Cursor {
public:
    Cursor(Cursor&&) noexcept;
    Cursor& operator=(Cursor&&) noexcept;
    ~Cursor();
    bool first();                             ///< first entry; false: the tree is empty
    bool last();
    bool lower_bound(std::string_view key);   ///< first entry with key >= the argument
    bool upper_bound(std::string_view key);   ///< first entry with key > the argument
    bool find(std::string_view key);          ///< exactly this key, else false and not valid
    bool next();                              ///< false: behind the last entry
    bool prev();                              ///< false: before the first entry
    /// What lies outside of from <= key < to does not matter to the caller: in an optimistic transaction it is no
    /// conflict when others change it, though the cursor comes by. Moves go on as before.
    void watch(std::string_view from, std::optional<std::string_view> to);
    /// Values of the present entry and those behind it whose keys are below `to`, as many as there are and fit; then
    /// stands behind them. Returns how many; 0: not valid, or not below `to`. The same as value() and next() for each,
    /// at a fraction of the time.
    std::size_t read_values(std::span<std::string_view> values, std::optional<std::string_view> to = std::nullopt);
    /// The same with the keys, whose bytes go into `keys`: views of them live until it changes.
    std::size_t read_entries(std::span<KeyValue> entries, std::string& keys,
                             std::optional<std::string_view> to = std::nullopt);
    bool valid() const noexcept;
    std::string_view key() const;             ///< lives until the cursor moves
    std::string_view value() const;           ///< lives as long as the snapshot
    Txn txn() const;                          ///< transaction that wrote the entry

private:
    friend class Tree;
    friend class Range;
    Cursor() noexcept;
    std::unique_ptr<detail::CursorState> state_;
};

/// Entries of a key range as a C++20 input range: for (auto [key, value] : tree.prefix("t/")) ...
class Range {
public:
    class iterator {
    public:
        using value_type = KeyValue;
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        KeyValue operator*() const { return {cursor_->key(), cursor_->value()}; }
        iterator& operator++() { range_->advance(); return *this; }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return range_->done_; }

    private:
        friend class Range;
        iterator(Range* range, Cursor* cursor) : range_(range), cursor_(cursor) {}
        Range* range_ = nullptr;
        Cursor* cursor_ = nullptr;
    };
    Range(Range&&) noexcept = default;
    Range& operator=(Range&&) noexcept = default;
    iterator begin();
    std::default_sentinel_t end() const noexcept { return {}; }
    /// The same entries from the last to the first.
    Range reversed() &&;

private:
    friend class Tree;
    Range(Cursor cursor, std::string from, std::optional<std::string> to);
    void advance();
    void check();
    Cursor cursor_;
    std::string from_;
    std::optional<std::string> to_;  // exclusive
    bool backward_ = false;
    bool done_ = false;
};

/// A named tree as a Snapshot or Transaction sees it. Cheap to copy. A tree that does not exist reads as empty.
class Tree {
public:
    const std::string& name() const noexcept { return name_; }
    bool exists() const;
    /// Value of a key. O(log n), no lock, no allocation (present snapshots).
    std::optional<std::string_view> get(std::string_view key) const;
    bool contains(std::string_view key) const { return get(key).has_value(); }
    /// Transaction that wrote the entry, if the key is there.
    std::optional<Txn> txn_of(std::string_view key) const;
    /// out[i] = get(keys[i]); several descents in step with prefetching. Sizes must be equal.
    void multi_get(std::span<const std::string_view> keys, std::span<std::optional<std::string_view>> out) const;
    Cursor cursor() const;
    Range all() const;
    Range prefix(std::string_view prefix) const;
    /// from <= key < to.
    Range range(std::string_view from, std::string_view to) const;
    /// from <= key, to the end.
    Range from(std::string_view from) const;
    /// Exact number of entries. O(1) for the present, O(n) for AS OF.
    std::uint64_t size() const;
    /// Estimated number of entries with from <= key < to. O(log n).
    Estimate estimate(std::string_view from, std::string_view to) const;
    /// Reads the inner pages and at most 64 leaves: O(n), but some hundred thousand entries for each page that is read.
    /// Not for AS OF (invalid_argument), whose entries lie in pages of other states and in the history.
    TreeSpace space() const;

protected:
    friend class Snapshot;
    friend class Transaction;
    friend struct detail::CartridgeAccess;
    friend struct detail::TreeAccess;
    Tree() = default;
    detail::ReadView* view_ = nullptr;
    std::uint64_t ticket_ = 0;
    std::uint64_t id_ = 0;  // in a transaction: the savepoint that is read; 0: the newest state
    std::uint64_t root_ = 0;
    std::uint64_t count_ = 0;
    std::string name_;
};

/// A tree inside a write transaction. Made by its first write if it does not exist.
class WritableTree : public Tree {
public:
    void put(std::string_view key, std::string_view value);
    /// true: the key was absent and is now there.
    bool put_if_absent(std::string_view key, std::string_view value);
    /// Sets the key to desired (nullopt: erases) if its value is expected (nullopt: absent). true: done.
    bool compare_and_swap(std::string_view key, std::optional<std::string_view> expected,
                          std::optional<std::string_view> desired);
    /// true: the key was there.
    bool erase(std::string_view key);
    /// Erases from <= key < to; returns how many entries that was. nullopt: to the end.
    std::uint64_t erase_range(std::string_view from, std::optional<std::string_view> to);
    /// Appends an entry with a key larger than any in the tree; pages are filled completely.
    /// Several times faster than put; invalid_argument when out of order.
    void append(std::string_view key, std::string_view value);

private:
    friend class Transaction;
};

/// A consistent state of the whole database. Opening and closing it costs nanoseconds. Movable, not copyable.
class Snapshot {
public:
    Snapshot(Snapshot&& other) noexcept;
    Snapshot& operator=(Snapshot&& other) noexcept;
    ~Snapshot();
    void close() noexcept;
    Txn txn() const;
    std::uint64_t time_us() const;  ///< commit time of txn()
    Tree tree(std::string_view name) const;
    std::vector<std::string> tree_names() const;
    /// SHA-256 over ordered, length-prefixed (tree, key, value); independent of layout. O(n).
    Hash state_hash() const;

private:
    friend class Database;
    friend struct detail::CartridgeAccess;
    Snapshot(detail::ReadView* view, std::uint64_t ticket) noexcept : view_(view), ticket_(ticket) {}
    detail::ReadView* view_ = nullptr;
    std::uint64_t ticket_ = 0;
};

/// What a commit returned.
class Commit {
public:
    Txn txn = 0;                ///< 0: the transaction wrote nothing
    std::uint64_t time_us = 0;
    /// Hash of the chain up to this commit; waits until it is computed.
    Hash hash() const;

private:
    friend class detail::DatabaseCore;
    friend struct detail::CoreAccess;
    std::weak_ptr<detail::DatabaseCore> core_;
};

struct Savepoint {
    std::uint64_t id = 0;
};

/// A write transaction. Destroying it without commit() rolls it back. commit() spends it.
class Transaction {
public:
    Transaction(Transaction&&) noexcept;
    Transaction& operator=(Transaction&&) noexcept;
    ~Transaction();
    WritableTree tree(std::string_view name);
    /// The tree as it was at a savepoint, to be read beside later changes. Lives until an earlier savepoint is rolled
    /// back to. What is read counts as read. Throws invalid_argument for a savepoint that has ended.
    Tree tree_at(std::string_view name, Savepoint savepoint) const;
    std::vector<std::string> tree_names() const;
    /// true: the tree was not there. The first write makes it as well; but transactions that make a tree at the same
    /// time conflict, so make it before many write to it.
    bool create_tree(std::string_view name);
    /// true: the tree was there. Its name may be used again; its history stays readable.
    bool drop_tree(std::string_view name);
    /// Retention of one tree; it is made if it does not exist.
    void set_history(std::string_view tree, History history);
    /// Who and why: kept in the commit's record. A later value for the same key replaces the earlier one.
    void annotate(std::string_view key, std::string_view value);
    /// Commit time to record instead of the clock; raised to the previous commit's time if smaller. At most 2^63 - 1,
    /// else Errc::invalid_argument: no later commit can have an earlier time.
    void set_time_us(std::uint64_t microseconds);
    Savepoint savepoint();
    /// Undoes everything since the savepoint, which stays valid; later ones end.
    void rollback_to(Savepoint savepoint);
    void set_durability(Durability durability);
    /// Optimistic only: whether what is read from now on is compared at commit. On at first: serializable. Off gives
    /// snapshot isolation: of two transactions that each read what the other one writes, both may commit.
    void validate_reads(bool on);
    /// What was read so far is not compared at commit. A transaction that has written keeps it: its changes stand on
    /// it.
    void forget_reads();
    /// Optimistic only: goes on upon the newest state, with its own changes above it and its savepoints intact. true:
    /// the state is another one, and trees, cursors and views taken before are gone. What it read must read the same
    /// there: Errc::conflict otherwise, with nothing changed and the transaction as it was. Costs as much as its
    /// changes again; with more of them than `most_changes` it stays where it is, and so does one that outgrew
    /// memory, since it has become the exclusive writer.
    bool refresh(std::size_t most_changes = static_cast<std::size_t>(-1));
    /// Optimistic: goes on as the exclusive writer, upon the newest state, until it ends. Waits for its turn. What it
    /// read must read the same there, else it is rolled back: Errc::conflict. From here on it sees what it will stand
    /// on, so it can change what many transactions change, like a counter, without a conflict. Cursors and views
    /// taken before are gone. No effect on the exclusive writer.
    void take_turn();
    /// Throws conflict (optimistic only; nothing changed), outcome_unknown (an I/O error came after the first log
    /// byte), or anything else with nothing changed.
    Commit commit();
    void rollback() noexcept;
    /// Txn of the state this transaction began on.
    Txn base_txn() const;

private:
    friend class Database;
    friend struct detail::CoreAccess;
    explicit Transaction(std::unique_ptr<detail::WriteTxn> txn) noexcept;
    std::unique_ptr<detail::WriteTxn> txn_;
};

/// One operation of a commit.
struct Operation {
    enum class Kind : std::uint8_t {
        put = 1, erase = 2, erase_range = 3, create_tree = 4, drop_tree = 5, set_history = 6, redact = 7
    };
    Kind kind = Kind::put;
    std::uint64_t tree_id = 0;
    std::string_view tree;              ///< name
    std::string_view key;               ///< erase_range: from
    std::optional<std::string_view> to; ///< erase_range: exclusive end, nullopt: to the end
    std::string_view value;             ///< put only; empty when redacted
    bool redacted = false;              ///< the value was lawfully erased
    Txn txn = 0;                        ///< redact: the transaction whose value of the key was erased
};

/// A commit as the log keeps it. Copies share the bytes; views live as long as any copy.
class CommitRecord {
public:
    Txn txn = 0;
    std::uint64_t time_us = 0;
    std::vector<std::pair<std::string_view, std::string_view>> annotations;
    std::vector<Operation> operations;
    Hash digest;   ///< SHA-256 of the record
    std::shared_ptr<const void> owner;
};

/// Commits in order, as an input range; ends at the newest durable commit at the time it gets there.
class CommitRange {
public:
    class iterator {
    public:
        using value_type = CommitRecord;
        using difference_type = std::ptrdiff_t;
        const CommitRecord& operator*() const { return range_->record_; }
        iterator& operator++() { range_->advance(); return *this; }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return range_->done_; }

    private:
        friend class CommitRange;
        CommitRange* range_ = nullptr;
    };
    CommitRange(CommitRange&&) noexcept = default;
    iterator begin();
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    friend class Database;
    explicit CommitRange(std::shared_ptr<detail::CommitReader> reader) : reader_(std::move(reader)) {}
    void advance();
    std::shared_ptr<detail::CommitReader> reader_;
    CommitRecord record_;
    bool done_ = false;
};

/// A position in the log that outlives the process: the number alone could name another commit after a restore.
struct FeedPosition {
    Txn txn = 0;
    Hash chain;
};

/// Commits as they become durable, from any retained one on, across processes. Those that only keep positions of named
/// consumers (Database::acknowledge) are passed over: they are no commits of data. commits() shows them.
class Feed {
public:
    /// The next commit, waiting up to timeout_ms for it; nullopt: none came.
    std::optional<CommitRecord> next(std::uint32_t timeout_ms);
    /// Position behind the last commit returned.
    FeedPosition position() const;

private:
    friend class Database;
    explicit Feed(std::shared_ptr<detail::FeedState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::FeedState> state_;
};

/// What is kept of the oldest readable state, to compare others with.
struct OldestState {
    Txn txn = 0;
    std::uint64_t time_us = 0;  ///< 0: its commit is not kept
    Hash chain;                 ///< chain hash after it
    /// Its state hash, where one was computed: prune() does if every tree can be read there; retention does where the
    /// state is not larger than the log it let go of since the last time. A redaction of what the state shows drops it.
    std::optional<Hash> state;
};

/// One key that differs between two states.
struct Change {
    std::string tree;
    std::string key;
    std::optional<std::string> before;
    std::optional<std::string> after;
};

/// One version of a key.
struct Version {
    Txn txn = 0;
    std::uint64_t time_us = 0;
    std::optional<std::string> value;  ///< nullopt: erased; empty when redacted
    bool redacted = false;
};

struct Problem {
    Errc code = Errc::corrupt;
    std::string where;    ///< "page 17", "txn 42", "history segment 3", ...
    std::string what;     ///< one sentence
    std::string affects;  ///< tree and key range, txns, or the whole database
};

struct VerifyReport {
    std::vector<Problem> problems;
    std::uint64_t pages = 0, entries = 0, records = 0, versions = 0;
    Txn first_txn = 0, last_txn = 0;
    bool ok() const noexcept { return problems.empty(); }
};

struct VerifyOptions {
    bool structure = true;   ///< pages, checksums, key order, space accounting
    bool log = true;         ///< records and chain
    bool history = true;     ///< history index rebuilt from the log and compared, the present with what it ends with
};

/// Counters and gauges; counters since this handle was opened unless said otherwise. The age of a snapshot is told half
/// a second too long at most (with background = false: as if it had been opened at the last call of statistics()).
struct Statistics {
    // database
    Txn txn = 0, durable_txn = 0, oldest_txn = 0;
    std::uint64_t generation = 0, page_size = 0, trees = 0, entries = 0;
    std::uint64_t file_bytes = 0, used_pages = 0, free_pages = 0, held_pages = 0;
    std::uint64_t log_bytes = 0, log_bytes_since_checkpoint = 0, history_bytes = 0, history_segments = 0;
    // this process
    std::uint64_t overlay_bytes = 0, overlay_limit = 0, overlay_held_by_snapshots = 0;
    std::uint64_t snapshots_open = 0, oldest_snapshot_txn = 0, oldest_snapshot_age_us = 0;
    std::uint64_t commits = 0, conflicts = 0, flushes = 0, checkpoints = 0, replayed_txns = 0;
    std::uint64_t bytes_written = 0, log_bytes_written = 0, page_bytes_written = 0;
    std::uint64_t pages_copied = 0, pages_verified = 0;
    std::uint64_t last_checkpoint_us = 0, slowdown_us = 0;
    bool poisoned = false;
    Txn redaction_pending = 0;  ///< first commit whose redactions are not finished; 0: none
};

struct WriteOptions {
    std::optional<Durability> durability;
    /// How long to wait for the writer's turn; nullopt: for ever.
    std::optional<std::uint32_t> timeout_ms;
    /// Asked about every 50 ms by a thread that waits for the turn; true: it waits no longer (Errc::cancelled).
    /// Must not throw, nor use the database.
    std::function<bool()> gives_up = {};
};

/// An open database: what everything else is begun from.
class Database {
public:
    /// Opens or creates a database. path ":memory:" makes one that lives in memory only.
    static Database open(const std::string& path, const Options& options = {});
    Database(Database&&) noexcept;
    Database& operator=(Database&&) noexcept;
    /// Closes; see close(). Never throws.
    ~Database();
    /// Waits for nothing but this handle's own work; makes a checkpoint; releases everything. The last one to close
    /// also compacts a file of which a quarter is free, as far as 512 MiB of writing do, unless it gave up a part of
    /// its history. Snapshots and transactions that are still open become orphans: their use is an error.
    void close();

    Snapshot begin_read() const;
    /// A state of the past. O(log n); same operations as the present.
    Snapshot begin_read(AsOf point) const;
    /// The exclusive writer: waits its turn in order.
    Transaction begin_write(const WriteOptions& options = {});
    /// Works beside other writers, validates at commit: serializable or Errc::conflict.
    Transaction begin_optimistic(const WriteOptions& options = {});
#ifdef __cpp_exceptions
    /// Runs fn(Transaction&), commits, retries conflicts, takes the exclusive queue after a few. Rolls back on throw.
    template <class F>
    Commit update(F&& fn, const WriteOptions& options = {}) {
        for (int attempt = 0;; ++attempt) {
            Transaction tx = attempt < k_optimistic_attempts ? begin_optimistic(options) : begin_write(options);
            try {
                fn(tx);  // may meet the conflict itself, where the transaction outgrows memory
                return tx.commit();
            } catch (const Error& error) {
                if (error.code() != Errc::conflict || attempt >= k_optimistic_attempts) throw;
            }
        }
    }
#endif

    /// Makes every lazy commit durable.
    void sync();
    void checkpoint();
    CommitRange commits(Txn from = 1) const;
    std::optional<CommitRecord> commit(Txn txn) const;
    Feed feed(Txn from);
    /// Refuses a position whose chain hash is not this database's.
    Feed feed(const FeedPosition& after);
    /// Keeps the position of a named consumer of the feed in the database, by a commit that no feed delivers; read it
    /// back with consumer(). A position that is kept already costs no commit.
    void acknowledge(std::string_view consumer, const FeedPosition& position);
    std::optional<FeedPosition> consumer(std::string_view name) const;
    /// Keys that differ between two states, in (tree, key) order. Costs in proportion to what was written between.
    std::vector<Change> diff(AsOf from, AsOf to) const;
    /// Versions of a key, newest first.
    std::vector<Version> history(std::string_view tree, std::string_view key) const;
    /// Chain hash after a retained txn.
    Hash chain_hash(Txn txn) const;
    VerifyReport verify(const VerifyOptions& options = {}) const;
    Statistics statistics() const;
    /// Erases the values that txn (0: every txn so far) wrote to key, by a commit that carries the reason. On return
    /// they are nowhere in the file: not in log, pages, history or free space; the key is absent if its present value
    /// was among them. The past shows an empty value in their place, marked as redacted; chain hashes stay.
    /// Errc::not_found: there is no such value, nothing was changed. Errc::still_held: after timeout_ms snapshots that
    /// were opened before, in any process, still show the values; the commit is made, and the rest is done when they
    /// are closed (Statistics::redaction_pending becomes 0). What goes on after a crash too.
    Commit redact(std::string_view tree, std::string_view key, Txn txn, std::string_view reason,
                  std::uint32_t timeout_ms = 10000);
    void set_history(History history);
    History history() const;
    /// Forgets what lies before the point: a commit, then bounded steps beside other work, at the end of which the
    /// space is free. Returns the new oldest readable txn. Reads the whole state there first, for its hash.
    Txn prune(AsOf horizon);
    OldestState oldest_state() const;
    /// Moves pages from the end of the file down and cuts it; returns bytes released. Other work goes on meanwhile.
    std::uint64_t compact();
    /// A copy with log and history, consistent, while others write; openable at once. The destination must not exist.
    void backup(const std::string& destination) const;
    /// A dense copy of the present state with a new uuid that names its parent. It goes on behind the same txn.
    void vacuum_into(const std::string& destination) const;
    /// Writes to destination the state that source had at a point, with its log and history up to there.
    static void restore(const std::string& source, const std::string& destination, AsOf point);
    /// Rebuilds a database from another's log up to a point.
    static void replay(const std::string& source, const std::string& destination, AsOf point);

    /// As it was given to open().
    const std::string& path() const;
    std::string uuid() const;
    /// Parent's uuid, txn and chain hash if this file was made by vacuum_into; empty uuid otherwise.
    struct Parent { std::string uuid; Txn txn = 0; Hash chain; };
    Parent parent() const;
    std::size_t max_key_size() const;
    static constexpr std::uint64_t max_value_size() { return 0xffffffffu; }

private:
    friend Database detail::make_database(std::shared_ptr<detail::DatabaseCore> core);
    friend struct detail::CartridgeAccess;
    friend struct detail::CoreAccess;
    static constexpr int k_optimistic_attempts = 4;
    explicit Database(std::shared_ptr<detail::DatabaseCore> core) noexcept;
    std::shared_ptr<detail::DatabaseCore> core_;
};

/// Version string, e.g. "0.1.0".
const char* version() noexcept;
/// Version plus hash of all sources this build was made from.
const char* source_id() noexcept;

}  // namespace v0
}  // namespace northstar

#include "api/northstar_cartridge.hpp"
#include "api/northstar_graph.hpp"
#include "api/northstar_vector.hpp"
#include "api/northstar_embedding.hpp"
#include "api/northstar_text.hpp"
#include "api/northstar_hybrid.hpp"
#include "api/northstar_task.hpp"
#include "api/northstar_sql.hpp"
#include "api/northstar_sql_portal.hpp"

#endif  // __cplusplus
#endif  // NORTHSTAR_HPP
