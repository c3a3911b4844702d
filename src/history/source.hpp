// source.hpp -- what a part of the history can answer: a sealed segment or the tail in memory.  Layer: history.
// Threads: every const function any number of threads; a cursor belongs to one thread at a time.
//
// [SOURCE-1] A source knows everything that the transactions (after, last] did, of the trees it keeps. A pruned one
//            also holds what was newest at its horizon and forgot what came before.
#pragma once

#include "history/version.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace northstar::inline v0::detail {

/// Keys of one tree, each with its newest version at a point. Keys that had none are left out; keys that were erased
/// by name are there with that version. Range deletions are not looked at: newest_range().
class HistoryCursor {
public:
    virtual ~HistoryCursor() = default;
    /// First key at or behind the argument; false: none.
    virtual bool seek(std::string_view key) = 0;
    /// Last key before the argument (nullopt: of all); false: none.
    virtual bool seek_before(std::optional<std::string_view> key) = 0;
    virtual bool next() = 0;
    virtual bool prev() = 0;
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;   ///< until the cursor moves
    virtual const HistoryVersion& version() const = 0;
};

class HistorySource {
public:
    virtual ~HistorySource() = default;
    virtual Txn after() const = 0;
    virtual Txn last() const = 0;

    /// Asks the processor for what a question about the key will need first.
    virtual void prefetch(std::uint64_t, std::string_view) const {}
    /// Newest version of a key that a put or erase of it made, at or before `txn`.
    virtual std::optional<HistoryVersion> newest_point(std::uint64_t tree, std::string_view key, Txn txn) const = 0;
    /// Largest number at or before `txn` of a transaction whose range deletion covers the key; 0: none.
    virtual Txn newest_range(std::uint64_t tree, std::string_view key, Txn txn) const = 0;
    /// Both: what became of the key, at or before `txn`; nullopt: this source does not know of it.
    std::optional<HistoryVersion> newest(std::uint64_t tree, std::string_view key, Txn txn) const {
        std::optional<HistoryVersion> point = newest_point(tree, key, txn);
        const Txn range = newest_range(tree, key, txn);
        if (range == 0 || (point && point->txn >= range)) return point;
        HistoryVersion erased;
        erased.txn = range;
        return erased;
    }
    /// Versions by point writes, newest first, until f returns false.
    virtual void each_version(std::uint64_t tree, std::string_view key,
                              const std::function<bool(const HistoryVersion&)>& f) const = 0;
    /// Range deletions of a tree that overlap from <= key < to (nullopt: to the end), in no order.
    virtual void each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                            const std::function<void(const HistoryRange&)>& f) const = 0;
    virtual std::unique_ptr<HistoryCursor> cursor(std::uint64_t tree, Txn txn) const = 0;

    /// The last anchor at or before a transaction, or a time.
    virtual std::optional<LogAnchor> anchor_of(Txn txn) const = 0;
    virtual std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const = 0;
};

}  // namespace northstar::inline v0::detail
