// ledger.hpp -- what a generation knows about the file beside its trees: free space, log extents, history segments.
// Layer: txn.  Threads: values.
//
// Written by every checkpoint as a run of kind `space`; the meta page names page, length and checksum:
//   varint version (1)
//   space map                                  (SpaceMap::encode)
//   varint length, log extents                 (ExtentDirectory::serialise)
//   per extent: varint generation it was born in
//   varint count, per history segment: varint page, bytes, born, first txn, last txn, tier; u64 checksum
//   varint count, per anchor of the chain: varint txn, position, both behind the one before; 32 bytes: chain hash
//   horizon                                    (Horizon::encode)
//   u8 0, or u8 1 and the move of the horizon that is under way (HorizonMove::encode)
#pragma once

#include "log/extents.hpp"
#include "pager/space.hpp"
#include "txn/horizon_move.hpp"
#include "txn/proof.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

struct Ledger {
    explicit Ledger(std::uint32_t page_size) : extents(page_size) {}
    SpaceMap space;
    ExtentDirectory extents;
    std::map<std::uint64_t, std::uint64_t> births;
    std::vector<StoredSegment> segments;
    std::vector<ChainAnchor> chain;
    Horizon horizon;
    std::optional<HorizonMove> move;

    std::string encode() const;
    /// The map of a file in disorder is long, and who only opens the file does not need it.
    enum class Parts : std::uint8_t { all, without_space };
    /// Throws Error(corrupt).
    static Ledger decode(std::span<const std::byte> bytes, std::uint32_t page_size, Parts parts = Parts::all);
};

}  // namespace northstar::inline v0::detail
