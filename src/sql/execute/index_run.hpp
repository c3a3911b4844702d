// index_run.hpp -- entries of an index, gathered and sorted.  Layer: sql.  Threads: one at a time.
//
// [INDEX-RUN-1] Entries come out in the order of their bytes, key and row key taken together.
#pragma once

#include "sql/arena.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class IndexRun {
public:
    struct Entry {
        const char* bytes = nullptr;   ///< the key, the row's key behind it
        std::uint64_t head = 0;        ///< the first bytes behind what all keys begin with, most significant first
        std::uint32_t key_bytes = 0;
        std::uint32_t row_bytes = 0;
        std::uint8_t tag = 0;          ///< the caller's
        std::string_view key() const { return {bytes, key_bytes}; }
        std::string_view row() const { return {bytes + key_bytes, row_bytes}; }
        std::string_view both() const { return {bytes, std::size_t{key_bytes} + row_bytes}; }
    };

    /// Copies both keys. 54000: they are larger than 1 GiB.
    void add(std::string_view key, std::string_view row_key, std::uint8_t tag);
    /// O(n log n); most comparisons are of one word.
    void sort();
    /// Valid until the next add() or clear().
    std::span<const Entry> entries() const { return entries_; }
    /// Memory that the entries take, in bytes.
    std::size_t bytes() const { return used_ + entries_.size() * sizeof(Entry); }
    void clear();

private:
    Arena arena_;
    std::vector<Entry> entries_;
    std::size_t used_ = 0;
    std::size_t common_ = 0;   // so many bytes at the front are the same in all entries
};

}  // namespace northstar::inline v0::sql
