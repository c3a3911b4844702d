// horizon.hpp -- where the readable past begins, and rewriting the segments when it moves.  Layer: history.
// Threads: values; a rewrite one at a time.
//
// The retained base is the tree as one generation left it (its txn is r). Its pages are kept by counting that
// generation as in use; pages that did not change since are shared with the present, so it costs what was changed.
// [HORIZON-1] For every kept tree with horizon h, the index holds every version behind h; and of a key that changed
//             between h and r the state at h. A key that did not change between h and r stands in the base with the txn
//             that wrote it. So the state at T >= h is the newest version at or before T in the index; without one, the
//             base's entry if it was written at or before T; else nothing.
// [HORIZON-2] No version names a log position before the horizon's: values that the log lets go lie in the segment.
#pragma once

#include "base/bytes.hpp"
#include "history/segment.hpp"
#include "history/segment_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// A generation whose pages are kept for the sake of generations [since, until): theirs is the retained base.
struct RetainedGeneration {
    std::uint64_t generation = 0;
    std::uint64_t since = 0;
    std::uint64_t until = 0;  ///< 0: the newest generation still has it
};

/// What a generation knows about the past it can read. Kept in the ledger; all zeros: nothing was forgotten.
struct Horizon {
    Txn txn = 0;                 ///< oldest readable state of the database
    LogAnchor first;             ///< that commit, the first that the log has; position 0: the log has everything
    Hash chain;                  ///< of txn
    std::optional<Hash> state;   ///< state hash of txn, where somebody computed it
    std::map<std::uint64_t, Txn> trees;  ///< trees whose past begins later
    std::uint64_t versions = 0;  ///< in the segments when they were last rewritten
    std::vector<RetainedGeneration> retained;

    Txn of(std::uint64_t tree) const {
        const auto found = trees.find(tree);
        return found == trees.end() ? txn : std::max(txn, found->second);
    }
    void encode(std::string& out) const;
    /// Throws Error(corrupt).
    static Horizon decode(ByteReader& reader);
};

/// Something that an older base knows and the index does not.
struct CarriedVersion {
    std::uint64_t tree = 0;
    std::string key;
    Txn txn = 0;
    std::string_view value;  ///< lives as long as the base's pages
};

/// How a rewrite treats a tree.
struct TreeRule {
    bool kept = false;       ///< false: nothing of it is kept
    Txn horizon = 0;
    Txn stale = 0;           ///< versions up to here are from a time before history was off: worthless
};

struct RewriteOptions {
    std::function<TreeRule(std::uint64_t tree)> rule;
    /// True: the new base has the key with the entry that this txn wrote.
    std::function<bool(std::uint64_t tree, std::string_view key, Txn txn)> in_base;
    /// What only the old base knows, in order of (tree, key): used where the index knows nothing at the horizon.
    std::vector<CarriedVersion> carried;
    /// The commit of the horizon: values that the log has before its position are carried over. position 0:
    /// the log stays as it is.
    LogAnchor first;
    std::function<std::optional<std::string_view>(std::uint64_t tree, std::string_view key,
                                                  const HistoryVersion& version)> value;
    /// Sees each version of the catalog that is kept.
    std::function<void(std::string_view name, const HistoryVersion& version)> catalog;
};

/// One segment of all segments (oldest first), as [HORIZON-1] wants it.
std::vector<std::byte> rewrite_segments(const std::vector<const SegmentView*>& segments, const RewriteOptions& options);

/// Compares what two sources of the same transactions say of a tree behind its horizon. Empty: the same; else what
/// differs, in a few words.
std::string compare_histories(const SegmentView& stored, const SegmentView& rebuilt,
                              const std::function<std::optional<Txn>(std::uint64_t tree)>& horizon);

}  // namespace northstar::inline v0::detail
