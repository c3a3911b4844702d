// horizon.hpp -- where the readable past begins.  Layer: history.  Threads: values.
//
// The retained base is the tree as one generation left it (its txn is r). Its pages are kept by counting that
// generation as in use; pages that did not change since are shared with the present, so it costs what was changed.
// [HORIZON-1] For every kept tree with horizon h, the index holds every version behind h; and of a key that changed
//             between h and r the state at h. A key that did not change between h and r stands in the base with the txn
//             that wrote it. So the state at T >= h is the newest version at or before T in the index; without one, the
//             base's entry if it was written at or before T; else nothing.
//             A tree whose history was turned on since has a young base of its own: the tree as the generation left it
//             that did not keep its past yet. What the index says of it up to then counts for nothing.
// [HORIZON-2] No version names a log position before the horizon's: values that the log lets go lie in the segment.
#pragma once

#include "base/bytes.hpp"
#include "history/version.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// A generation whose pages are kept for the sake of generations [since, until): theirs is the retained base.
struct RetainedGeneration {
    std::uint64_t generation = 0;
    std::uint64_t since = 0;
    std::uint64_t until = 0;  ///< 0: the newest generation still has it
};

/// The trees of a generation, kept as a base of the past.
struct KeptTrees {
    std::uint64_t generation = 0;
    Txn txn = 0;
    std::uint64_t time_us = 0;
    std::uint64_t root = 0;     ///< ref of its catalog
    std::uint64_t entries = 0;  ///< of the catalog

    void encode(std::string& out) const;
    static KeptTrees decode(ByteReader& reader);
};

/// A base of the trees whose history was turned on behind it.
struct YoungBase {
    KeptTrees kept;
    std::set<std::uint64_t> trees;
};

/// What a generation knows about the past it can read. Kept in the ledger; all zeros: nothing was forgotten.
struct Horizon {
    Txn txn = 0;                 ///< oldest readable state of the database
    LogAnchor first;             ///< that commit, the first that the log has; position 0: the log has everything
    Hash chain;                  ///< of txn
    std::optional<Hash> state;   ///< state hash of txn, where somebody computed it
    std::map<std::uint64_t, Txn> trees;  ///< trees whose past begins later
    std::uint64_t versions = 0;  ///< in the segments when they were last rewritten
    std::uint64_t unhashed = 0;  ///< bytes of the log that were let go since a state hash was computed
    std::vector<RetainedGeneration> retained;
    std::vector<YoungBase> young;  ///< oldest first; a tree is in one at most

    const YoungBase* young_base(std::uint64_t tree) const {
        const auto found = std::find_if(young.begin(), young.end(),
                                        [&](const YoungBase& base) { return base.trees.contains(tree); });
        return found == young.end() ? nullptr : &*found;
    }
    Txn of(std::uint64_t tree) const {
        const auto found = trees.find(tree);
        return found == trees.end() ? txn : std::max(txn, found->second);
    }
    void encode(std::string& out) const;
    /// Throws Error(corrupt).
    static Horizon decode(ByteReader& reader);
};

/// A hash as the ledger has it: its bytes.
void write_hash(ByteWriter<std::string>& writer, const Hash& hash);
Hash read_hash(ByteReader& reader);

}  // namespace northstar::inline v0::detail
