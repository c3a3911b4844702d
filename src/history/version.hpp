// version.hpp -- what history says about a key: versions, and where the log keeps them.  Layer: history.
// Threads: values.
//
// Tree 0 is the catalog: its keys are names of trees, its values encode_catalog_value(). create_tree and set_history
// are puts there, drop_tree is an erase. The database's default retention has the empty name and id 0.
#pragma once

#include "api/northstar.hpp"
#include "log/record.hpp"
#include "log/scan.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::detail {

inline constexpr std::uint64_t k_catalog_tree = 0;
/// Values up to this size lie in the index itself.
inline constexpr std::size_t k_max_inline_version = 32;

struct HistoryVersion {
    enum class Kind : std::uint8_t {
        erased = 0,    ///< by a point or range deletion
        logged = 1,    ///< the log has the value
        inlined = 2,   ///< `value` is it
        redacted = 3,  ///< there was a value; it is gone
    };
    Kind kind = Kind::erased;
    Txn txn = 0;
    std::uint64_t position = 0;  ///< logged: of the put operation
    std::uint64_t length = 0;    ///< logged: of the value
    std::uint32_t checksum = 0;  ///< logged: CRC-32C of the value
    std::string_view value;      ///< inlined: lives as long as the segment or tail it came from
    friend bool operator==(const HistoryVersion&, const HistoryVersion&) = default;
};

/// A range deletion: from <= key, key < to unless to_the_end.
struct HistoryRange {
    std::uint64_t tree = 0;
    std::string_view from;
    std::string_view to;
    bool to_the_end = false;
    Txn txn = 0;
    bool covers(std::string_view key) const { return from <= key && (to_the_end || key < to); }
    friend bool operator==(const HistoryRange&, const HistoryRange&) = default;
};

/// Where to begin reading the log for a transaction: it is the next commit from `position` on.
struct LogAnchor {
    Txn txn = 0;
    std::uint64_t time_us = 0;   ///< of that transaction
    std::uint64_t position = 0;  ///< of its first record
    std::uint64_t epoch = 0;
    /// Where a LogScanner may start to read it.
    LogCursor cursor() const { return {position, epoch, txn - 1, 0, 0}; }
    friend bool operator==(const LogAnchor&, const LogAnchor&) = default;
};
/// One anchor for each stretch of so many log bytes in which a commit begins.
inline constexpr std::uint64_t k_anchor_stretch = 32768;

struct CatalogValue {
    std::uint64_t id = 0;
    History history;
};
std::string encode_catalog_value(std::uint64_t id, History history);
/// Error(corrupt) when the bytes make no sense.
CatalogValue decode_catalog_value(std::string_view bytes);

/// The value of a version that is `logged`; nullopt: it was redacted. The operation's kind, tree and key and the
/// value's checksum are compared: Error(corrupt) unless they fit. Lives until the next read of `log`.
std::optional<std::string_view> read_logged_value(LogBytes& log, const ExtentDirectory& extents, std::uint64_t tree,
                                                  std::string_view key, const HistoryVersion& version);
/// The same, where its place is known.
std::optional<std::string_view> read_logged_value(LogBytes& log, const std::optional<ExtentDirectory::Place>& place,
                                                  std::size_t page_size, std::uint64_t tree, std::string_view key,
                                                  const HistoryVersion& version);

}  // namespace northstar::inline v0::detail
