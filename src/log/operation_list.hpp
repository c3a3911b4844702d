// operation_list.hpp -- the operations of a transaction: collected in call order, written in canonical order.
// Layer: log.  Threads: belongs to one thread at a time.
//
// Use: put/erase/... and annotate while the transaction runs; mark/rewind for savepoints; finish() once; then ask
// record_size() for room, write with encode(); clear() for the next transaction (memory is kept for reuse).
//
// [OPLIST-1] finish() leaves one operation per key: the last write wins. A write before a later covering range deletion
//            is gone, overlapping range deletions of a tree become one. What was done to a tree that the transaction
//            drops is gone; a tree both made and dropped leaves no trace.
// [OPLIST-2] encode() never fails and writes exactly record_size() bytes.
// [OPLIST-3] A transaction of one operation allocates nothing once the list has been used before.
#pragma once

#include "api/northstar.hpp"
#include "log/record.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class OperationList {
public:
    OperationList() = default;
    OperationList(const OperationList&) = delete;
    OperationList& operator=(const OperationList&) = delete;

    void put(std::uint64_t tree, std::string_view key, std::string_view value) {
        append(OperationKind::put, 0, tree, key, value, true);
    }
    void erase(std::uint64_t tree, std::string_view key) { append(OperationKind::erase, 0, tree, key, {}, false); }
    /// from <= key < to; nullopt: to the end. An empty range is ignored.
    void erase_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to);
    void create_tree(std::uint64_t id, std::string_view name, History history);
    void drop_tree(std::uint64_t id, std::string_view name);
    /// id 0 with an empty name: the database's default.
    void set_history(std::uint64_t id, std::string_view name, History history);
    /// `key` is the key whose value is redacted.
    void redact(std::uint64_t tree, std::string_view key, const Redaction& redaction);
    void prune(const Pruning& pruning);
    /// Adds an operation of another list or record.
    void repeat(const LogOperation& operation);
    /// A later value for the same key replaces the earlier one.
    void annotate(std::string_view key, std::string_view value);

    /// No operations. Annotations alone make no transaction.
    bool empty() const { return entries_.empty(); }
    std::size_t size() const { return entries_.size(); }
    /// Bytes of memory that operations take; a caller that must bound it writes a part.
    std::uint64_t bytes() const { return used_ + entries_.size() * sizeof(Entry); }

    struct Mark {
        std::uint64_t used = 0;
        std::size_t entries = 0;
        std::size_t annotations = 0;
    };
    Mark mark() const { return {used_, entries_.size(), annotations_.size()}; }
    /// Forgets what was added since the mark.
    void rewind(Mark mark);
    void clear();
    /// Forgets the operations but keeps the annotations: after a part was written.
    void clear_operations();

    /// Brings the operations into canonical order [OPLIST-1]. Nothing may be added before clear(). O(n) where they
    /// came in order, O(n log n) else.
    void finish();
    /// The same without the annotations, for a part: clear_operations() and further calls may follow.
    void finish_operations();
    /// Right after clear_operations(): the mark in front of everything to come that keeps so many annotations.
    Mark mark_behind_annotations(std::size_t annotations) const;
    /// After finish(): operations that are left.
    std::uint32_t count() const { return count_; }

    /// After finish(): operation i in canonical order, views into the list; and the how-manieth call made it (a range
    /// deletion that was merged from several has a number behind all calls).
    LogOperation operation(std::uint32_t i) const { return view(ordered(i)); }
    std::uint32_t call_of(std::uint32_t i) const { return identity_ ? i : order_[i]; }
    /// What call i added; before finish() i < size().
    LogOperation call(std::uint32_t i) const { return view(entries_[i]); }

    /// After finish(): of a commit or part record with all operations; a commit carries all annotations.
    std::uint64_t record_size(RecordKind kind, bool chain, bool parts, std::uint32_t log_align) const;
    /// Writes a commit or part of exactly record_size() bytes, without its checksum: seal_record() follows (and
    /// place_record() before it, where position, number or time were not known yet).
    void encode(std::span<std::byte> out, RecordKind kind, const RecordFields& fields) const;

private:
    struct Entry {
        std::uint64_t offset;        // of the encoded operation in the arena
        std::uint64_t tree;
        std::uint32_t key_length;
        std::uint32_t value_length;
        std::uint8_t key_at;         // of the key, from offset
        OperationKind kind;
        bool to_the_end;
    };
    struct Annotation {
        std::uint64_t offset;
        std::uint32_t key_length;
        std::uint32_t value_length;
    };

    void append(OperationKind kind, std::uint8_t bits, std::uint64_t tree, std::string_view key,
                std::string_view value, bool valued);
    std::byte* reserve(std::uint64_t bytes) {
        if (capacity_ - used_ < bytes) [[unlikely]] grow(bytes);
        return arena_.get() + used_;
    }
    void grow(std::uint64_t bytes);
    std::string_view key_of(const Entry& entry) const {
        return {reinterpret_cast<const char*>(arena_.get() + entry.offset + entry.key_at), entry.key_length};
    }
    std::string_view value_of(const Entry& entry) const {
        return {reinterpret_cast<const char*>(arena_.get() + entry.offset + entry.key_at + entry.key_length),
                entry.value_length};
    }
    std::uint64_t size_of(const Entry& entry) const {
        return std::uint64_t{entry.key_at} + entry.key_length + entry.value_length;
    }
    LogOperation view(const Entry& entry) const;
    const Entry& ordered(std::uint32_t i) const { return entries_[identity_ ? i : order_[i]]; }
    bool ascends(const Entry& a, const Entry& b) const;
    bool already_in_order() const;
    void sort_and_merge();
    void merge_ranges(std::vector<std::uint32_t>& ranges, std::vector<std::uint32_t>& points);
    void finish_annotations();

    std::unique_ptr<std::byte[]> arena_;
    std::uint64_t used_ = 0;
    std::uint64_t capacity_ = 0;
    std::vector<Entry> entries_;
    std::vector<Annotation> annotations_;

    bool finished_ = false;
    bool identity_ = true;               // canonical order is call order
    std::vector<std::uint32_t> order_;
    std::uint32_t count_ = 0;
    std::uint64_t total_ = 0;            // bytes of the operations that are left
    std::uint64_t annotation_bytes_ = 0;
};

}  // namespace northstar::inline v0::detail
