// state_hash.hpp -- the hash of everything that a view shows, at once or in steps.  Layer: txn.
// Threads: any; one step at a time.
//
// Ordered and length-prefixed, so that no two states share their bytes: for each tree, by name, 'T', the name's length
// and the name; for each entry 'E', the lengths of key and value, and both.
#pragma once

#include "base/bytes.hpp"
#include "base/sha256.hpp"
#include "txn/views.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace northstar::inline v0::detail {

/// How far it got: whoever goes on, on whatever generation, comes to the same hash.
struct StateHashing {
    Sha256::State digest = Sha256().state();
    std::string tree;   ///< the last one that was looked at
    bool begun = false; ///< its name was taken in ...
    bool any = false;   ///< ... and its entries up to `key`
    std::string key;

    void encode(std::string& out) const;
    /// Throws Error(corrupt).
    static StateHashing decode(ByteReader& reader);
};

/// Goes on until so many bytes were taken in, and by one entry at least; the hash where the state ends before.
std::optional<Hash> hash_state(const ReadView& view, StateHashing& so_far, std::uint64_t most_bytes);
/// SHA-256 over everything that a view shows. O(size of the state).
Hash state_hash(const ReadView& view);

}  // namespace northstar::inline v0::detail
