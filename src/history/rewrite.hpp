// rewrite.hpp -- writing the history anew, a piece of bounded size at a time: merged, under later horizons, or without
// values that were redacted.  Layer: history.  Threads: one at a time.
//
// [REWRITE-1] Pieces made one after the other, each from the place where the one before ended, hold what [HORIZON-1]
//             and [HORIZON-2] want of all of them, whoever makes them, as long as the sources are the same.
// [REWRITE-2] A piece takes memory in proportion to RewriteBudget, and for its longest inlined value.
#pragma once

#include "base/bytes.hpp"
#include "history/segment_set.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Something that an older base knows and the index does not.
struct CarriedVersion {
    std::uint64_t tree = 0;
    std::string key;
    Txn txn = 0;
    std::string_view value;  ///< lives as long as the base's pages
};

/// Some of it, in order of (tree, key).
struct CarriedBatch {
    std::vector<CarriedVersion> versions;
    bool last = false;       ///< there is nothing behind them
    std::uint64_t tree = 0;  ///< otherwise: nothing is left out before (tree, key)
    std::string key;
    std::uint64_t cost = 0;  ///< bytes that were looked at for it, about
};

/// How a rewrite treats a tree.
struct TreeRule {
    bool kept = false;       ///< false: nothing of it is kept
    Txn horizon = 0;
    Txn stale = 0;           ///< versions up to here are from a time before history was off: worthless
};

struct RewriteOptions {
    /// Not asked for a tree before everything of the catalog (tree 0) was seen.
    std::function<TreeRule(std::uint64_t tree)> rule;
    /// True: the new base has the key with the entry that this txn wrote.
    std::function<bool(std::uint64_t tree, std::string_view key, Txn txn)> in_base;
    /// What only the old base knows from (tree, key) on: used where the index knows nothing at the horizon.
    std::function<CarriedBatch(std::uint64_t tree, std::string_view key)> carried;
    /// The commit of the horizon: values that the log has before its position are carried over. position 0:
    /// the log stays as it is.
    LogAnchor first;
    std::function<std::optional<std::string_view>(std::uint64_t tree, std::string_view key,
                                                  const HistoryVersion& version)> value;
    /// Sees each version of the catalog that is kept.
    std::function<void(std::string_view name, const HistoryVersion& version)> catalog;
    /// True: the version's value is being erased; nothing of it may be kept. Empty: none is.
    std::function<bool(std::uint64_t tree, std::string_view key, Txn txn)> redacted;
};

/// Everything is kept as it is: what sets hold is merged.
RewriteOptions unchanged_history();

/// How far a rewrite got.
struct RewritePlace {
    enum class Stage : std::uint8_t { versions = 0, ranges = 1, anchors = 2, done = 3 };
    Stage stage = Stage::versions;
    std::uint64_t tree = 0;      ///< versions, range deletions: (tree, text) ...
    std::string text;
    Txn below = ~Txn{0};         ///< ... older than this; or behind (tree, text)
    std::uint64_t position = 0;  ///< anchors: of the last one

    void encode(std::string& out) const;
    /// Throws Error(corrupt).
    static RewritePlace decode(ByteReader& reader);
};

/// A piece ends when it has so many bytes, or so many were read for it.
struct RewriteBudget {
    std::uint64_t bytes_written = 4u << 20;
    std::uint64_t bytes_read = 32u << 20;
};
/// The first piece holds everything.
inline constexpr RewriteBudget k_in_one_piece{~std::uint64_t{0}, ~std::uint64_t{0}};

struct RewrittenPiece {
    std::vector<std::byte> segment;  ///< empty: nothing was kept on the way to `next`
    std::uint64_t versions = 0;
    RewritePlace next;
};

/// The next piece of all sets (oldest first). `whole`: an empty piece counts too where the rewrite is done.
RewrittenPiece rewrite_piece(const std::vector<std::shared_ptr<const SegmentSet>>& sets, const RewriteOptions& options,
                             const RewritePlace& from, const RewriteBudget& budget, bool whole);

}  // namespace northstar::inline v0::detail
