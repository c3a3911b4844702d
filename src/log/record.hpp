// record.hpp -- the records of the log: their bytes, and reading them.  Layer: log.  Threads: values.
// Byte by byte: spec/log_format.md.
//
// A position is an offset in one endless stream of log bytes; it is never reused, wherever in the file the bytes lie.
// Six kinds of record: `commit` (a transaction), `part` (a piece of one that is too large for a record; it counts when
// its commit is intact), `epoch` (a new epoch begins), `mark` (says what is durable), `extents` (announces space),
// `next` (the log goes on at another position, and announces space).
//
// [RECORD-1] A record is intact when its checksum, seeded by the database's uuid, fits its bytes and its own position.
//            Foreign, stale and torn bytes are not intact.
// [RECORD-2] Nothing that RecordView returns reaches outside the record, whatever its bytes are. Bytes that are intact
//            and still make no sense are Error(corrupt).
// [RECORD-3] Operations are in canonical order (compare_operations), no two equal: dropped trees, new trees, then by
//            tree its range deletions by start and its keys, then retention, redactions, pruning. Range deletions of a
//            tree do not overlap and come before its keys: a key that is named is not touched by them.
// [RECORD-4] A value's bytes are contiguous.
#pragma once

#include "api/northstar.hpp"
#include "base/bytes.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace northstar::inline v0::detail {

enum class RecordKind : std::uint8_t { commit = 1, part = 2, epoch = 3, mark = 4, extents = 5, next = 6 };

/// Bits of RecordHeader::flags.
enum RecordFlag : std::uint8_t {
    k_flag_lazy = 1,      ///< commit: its writer did not wait for the flush
    k_flag_chain = 2,     ///< carries the chain hash of an earlier transaction
    k_flag_parts = 4,     ///< commit: the last piece of a transaction whose parts lie before it
    k_flag_redacted = 8,  ///< commit, part: values were overwritten; the nonce is zero
};

/// What every record begins with.
struct RecordHeader {
    std::uint64_t length = 0;    ///< of the whole record, a multiple of 8
    std::uint64_t position = 0;  ///< its own
    std::uint64_t epoch = 0;
    Txn txn = 0;                 ///< commit: its own; others: the last transaction before
    std::uint64_t time_us = 0;   ///< when it was made; never before an earlier record's
    std::uint64_t durable = 0;   ///< log bytes before this position were durable as its writer knew; <= position
    RecordKind kind = RecordKind::commit;
    std::uint8_t flags = 0;
    std::uint16_t annotations = 0;
    std::uint32_t count = 0;     ///< operations or extents
};

inline constexpr std::size_t k_record_header_size = 56;
inline constexpr std::size_t k_record_nonce_size = 16;
inline constexpr std::size_t k_record_parts_size = 16;
inline constexpr std::size_t k_record_chain_size = 40;
inline constexpr std::size_t k_record_align = 8;
/// A record of more operations ends with a table of their offsets.
inline constexpr std::uint32_t k_record_table_threshold = 8;
/// Room that every extent keeps at its end for a `next` record (rounded up to log_align).
inline constexpr std::uint64_t k_extent_reserve = 256;
/// So far behind its `next` record an extent has the same once more: no damaged page of the disk hits both.
inline constexpr std::uint64_t k_announced_apart = 4096;
/// Most extents that one `next` record of that size announces.
inline constexpr std::uint32_t k_max_extents_in_next = 4;

using Nonce = std::array<std::byte, k_record_nonce_size>;

/// The chain hash up to and including a transaction.
struct ChainPoint {
    Txn txn = 0;
    Hash hash;
    friend bool operator==(const ChainPoint&, const ChainPoint&) = default;
};

/// Which parts belong to a commit: `count` part records, the first at this position, none of another between.
struct PartsOf {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
};

/// A contiguous run of file pages that holds log bytes from `logical` on.
struct Extent {
    std::uint64_t logical = 0;
    std::uint64_t page = 0;
    std::uint64_t pages = 0;
    friend bool operator==(const Extent&, const Extent&) = default;
};

enum class OperationKind : std::uint8_t {
    put = 1,
    erase = 2,
    erase_range = 3,
    create_tree = 4,
    drop_tree = 5,
    set_history = 6,
    redact = 7,
    prune = 8,
};

/// One operation as a record holds it; views into the record (or into the list that makes one).
struct LogOperation {
    OperationKind kind = OperationKind::put;
    bool redacted = false;     ///< put: the value was overwritten with zeros
    bool to_the_end = false;   ///< erase_range: no upper end
    std::uint64_t tree = 0;    ///< set_history: 0 is the database's default; prune: 0
    std::string_view key;      ///< erase_range: from; create_tree, drop_tree, set_history: the tree's name
    std::string_view value;    ///< put: value; erase_range: to, exclusive; others: payload, see the decode functions
    std::uint64_t position = 0;        ///< logical position of the operation
    std::uint64_t value_position = 0;  ///< logical position of the value's first byte
};

/// What a redact operation says: which value, and what the record that held it was and is.
struct Redaction {
    Txn txn = 0;
    std::uint64_t position = 0;  ///< of the record
    std::uint32_t part = 0;      ///< 0: the commit record; n: the transaction's n-th part
    std::uint32_t index = 0;     ///< of the put in its record
    Hash original;               ///< digest of the record before any redaction; the chain keeps on naming it
    Hash remaining;              ///< digest of the record after this one
};

/// What a prune operation says: states before `horizon` are forgotten, and what the one there was.
struct Pruning {
    Txn horizon = 0;
    Hash chain;                 ///< chain hash of `horizon`
    std::optional<Hash> state;  ///< its state hash; nullopt: some tree's past began later
};

/// Bytes of the value of create_tree and set_history, of redact and of prune.
std::string encode_history(History history);
std::string encode_redaction(const Redaction& redaction);
std::string encode_pruning(const Pruning& pruning);
/// Throw Error(corrupt) when the operation is of another kind or its payload makes no sense.
History decode_history(const LogOperation& operation);
Redaction decode_redaction(const LogOperation& operation);
Pruning decode_pruning(const LogOperation& operation);

/// Canonical order of operations.
std::strong_ordering compare_operations(const LogOperation& a, const LogOperation& b);
/// True: `key` lies in the range that an erase_range deletes.
bool covers(const LogOperation& erase_range, std::string_view key);

/// Seed of every record checksum of a database.
std::uint32_t record_seed(std::span<const std::byte, 16> uuid);

/// Header fields as they stand, without judging the checksum. nullopt: they cannot be a record's (kind, flags, length,
/// durable position). At least k_record_header_size bytes.
std::optional<RecordHeader> peek_record(std::span<const std::byte> bytes);
/// True: the bytes at the front are an intact record of exactly header.length bytes [RECORD-1]. The caller compares
/// header.position with where it read.
bool record_intact(std::span<const std::byte> bytes, const RecordHeader& header, std::uint32_t seed);

/// Reads an intact record. Cheap to copy; the bytes must outlive it.
class RecordView {
public:
    RecordView() = default;
    /// Throws Error(corrupt) when the fixed part makes no sense. `bytes` begins with the record and holds all of it.
    explicit RecordView(std::span<const std::byte> bytes);

    const RecordHeader& header() const { return header_; }
    RecordKind kind() const { return header_.kind; }
    std::uint64_t position() const { return header_.position; }
    std::uint64_t end() const { return header_.position + header_.length; }
    Txn txn() const { return header_.txn; }
    std::span<const std::byte> bytes() const { return bytes_; }
    bool has(RecordFlag flag) const { return (header_.flags & flag) != 0; }

    /// Commit and part: zeros when redacted.
    Nonce nonce() const;
    std::optional<ChainPoint> chain() const;
    /// Commit: which parts belong to it; count 0: none.
    PartsOf parts() const;

    using Annotation = std::pair<std::string_view, std::string_view>;
    /// Calls f(key, value) for each annotation, in key order.
    template <class F>
    void each_annotation(F&& f) const {
        const std::byte* at = bytes_.data() + annotations_at_;
        for (std::uint32_t i = 0; i < header_.annotations; ++i) {
            const Annotation pair = read_annotation(at);
            f(pair.first, pair.second);
        }
    }

    /// Operations of a commit or part.
    std::uint32_t size() const { return operations_; }
    /// Operation i. O(1) when there are more than 8, a walk otherwise.
    LogOperation operation(std::uint32_t i) const;
    /// Walks the operations in order: `while (walk.next(op))`.
    class Walk {
    public:
        explicit Walk(const RecordView& record)
            : record_(&record), at_(record.bytes_.data() + record.operations_at_), left_(record.operations_) {}
        bool next(LogOperation& operation) {
            if (left_ == 0) return false;
            --left_;
            at_ = record_->read_operation(at_, operation);
            return true;
        }

    private:
        const RecordView* record_;
        const std::byte* at_;
        std::uint32_t left_;
    };
    Walk walk() const { return Walk(*this); }

    /// What this record does to a key: its put or erase, else the erase_range that covers it, else nothing.
    /// O(log operations).
    std::optional<LogOperation> find(std::uint64_t tree, std::string_view key) const;

    /// extents, next: the extents announced.
    std::uint32_t extents() const { return extents_; }
    Extent extent(std::uint32_t i) const;
    /// next: where the log goes on.
    std::uint64_t continues_at() const;

    /// Throws Error(corrupt) unless every byte is as the writer would have written it: canonical order, table, zeros
    /// in between. O(bytes); the other functions stay within bounds without it.
    void validate() const;

private:
    Annotation read_annotation(const std::byte*& at) const;
    const std::byte* read_operation(const std::byte* at, LogOperation& operation) const;
    /// First operation that is not before the argument, as a number.
    std::uint32_t lower_bound(const LogOperation& wanted) const;
    bool has_table() const { return operations_ > k_record_table_threshold; }
    std::uint64_t table_offset(std::uint32_t i) const;
    [[noreturn]] void damaged(const char* problem) const;

    std::span<const std::byte> bytes_;
    RecordHeader header_;
    std::uint32_t operations_ = 0;
    std::uint32_t extents_ = 0;
    std::uint32_t chain_at_ = 0;
    std::uint32_t parts_at_ = 0;
    std::uint64_t annotations_at_ = 0;
    std::uint64_t operations_at_ = 0;  // also: the fixed body of the other kinds
    std::uint64_t table_at_ = 0;       // end of operations and padding
};

/// True: operations of the record redact values.
bool redacts(const RecordView& record);

/// What a writer says about a record besides its operations.
struct RecordFields {
    std::uint64_t position = 0;
    std::uint64_t epoch = 0;
    Txn txn = 0;
    std::uint64_t time_us = 0;
    std::uint64_t durable = 0;
    bool lazy = false;
    std::optional<ChainPoint> chain;
    PartsOf parts;  ///< count 0: none
    Nonce nonce{};  ///< commit and part
};

/// Rounds up to log_align (0 or 8: records are multiples of 8).
constexpr std::uint64_t align_record(std::uint64_t size, std::uint32_t log_align) {
    const std::uint64_t align = log_align < k_record_align ? k_record_align : log_align;
    return (size + align - 1) / align * align;
}

/// What every extent keeps free at its end: the `next` record twice, and a few epoch records of recoveries that were
/// cut short while one was being written.
constexpr std::uint64_t extent_reserve(std::uint32_t log_align) {
    return 4 * align_record(k_extent_reserve, log_align) + k_announced_apart;
}

/// Size of an epoch, mark, extents or next record.
std::uint64_t control_record_size(RecordKind kind, std::size_t extents, bool chain, std::uint32_t log_align);
/// Writes one into out (exactly that many bytes), checksum included. `continues_at` is for `next` only.
void encode_control_record(std::span<std::byte> out, RecordKind kind, const RecordFields& fields,
                           std::span<const Extent> extents, std::uint64_t continues_at, std::uint32_t seed);

/// Sets position, epoch, txn, time and durable of an encoded record; seal_record() must follow. Lets a commit be
/// encoded before its place is known.
void place_record(std::span<std::byte> record, const RecordFields& fields);
/// Computes and stores the checksum.
void seal_record(std::span<std::byte> record, std::uint32_t seed);

namespace record_impl {

/// True: the operation's bytes have a value field.
bool has_value(OperationKind kind, bool to_the_end);
/// Reads one operation that lies wholly before `end`; nullptr: malformed. Positions are left to the caller.
const std::byte* parse_operation(const std::byte* at, const std::byte* end, LogOperation& operation);
void store_header(std::byte* to, const RecordHeader& header);
/// Header and what follows it up to annotations; returns the byte behind.
std::byte* store_front(std::byte* to, RecordHeader header, const RecordFields& fields);
std::uint64_t front_size(RecordKind kind, bool chain, bool parts);

inline constexpr std::uint8_t k_operation_kind_mask = 0x0f;
inline constexpr std::uint8_t k_operation_to_the_end = 0x40;
inline constexpr std::uint8_t k_operation_redacted = 0x80;

}  // namespace record_impl

}  // namespace northstar::inline v0::detail
