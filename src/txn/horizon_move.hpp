// horizon_move.hpp -- a move of the horizon under way, as the ledger keeps it from one checkpoint to the next.
// Layer: txn.  Threads: values.
//
// [MOVE-1] A move names all it needs: whoever makes the next checkpoint takes the next step, also after a crash. The
//          history that is read stays as it is until the step that ends the move.
// [MOVE-2] Its sources are the retained base, the young bases, and the segments up to the txn of its own base, none of
//          which changes meanwhile; its outcome does not depend on what is committed meanwhile.
#pragma once

#include "history/follower.hpp"
#include "history/horizon.hpp"
#include "history/rewrite.hpp"
#include "txn/state_hash.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

struct HorizonMove {
    KeptTrees base;           ///< becomes the retained base: the generation that the first step made
    History by_default;       ///< retention there
    // The horizon to be.
    Txn txn = 0;
    LogAnchor first;
    Hash chain;
    std::optional<Hash> state;
    std::uint64_t let_go = 0;             ///< bytes of the log before it
    std::optional<StateHashing> hashing;  ///< first of all the state hash is computed, where it is worth that
    RewritePlace place;                   ///< then the history is rewritten
    std::uint64_t versions = 0;           ///< in the pieces
    std::set<std::uint64_t> reachable;    ///< dropped trees that some readable state shows
    std::vector<StoredSegment> pieces;

    void encode(std::string& out) const;
    /// Throws Error(corrupt).
    static HorizonMove decode(ByteReader& reader);
};

void encode_segment(std::string& out, const StoredSegment& segment);
StoredSegment decode_segment(ByteReader& reader);

}  // namespace northstar::inline v0::detail
