// read_set.hpp -- the keys that a transaction has read.  Layer: txn.
//
// An optimistic transaction notes each key that it looks up, and a bulk load looks up every key that it writes, none of
// them twice. So noting one only puts it behind the last one; keys that are there repeatedly are dropped when all
// together have become much larger than what was left the last time.
//
// [READS-1] all_of() shows every key that was added. Together they take at most a mebibyte, or a little more than four
//           times what the different ones take.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

class ReadSet {
public:
    /// O(key), amortized.
    void add(std::uint64_t tree, std::string_view key);
    /// holds(tree, key) for every key, until one is false: then false. Views into the set.
    template <class F>
    bool all_of(F&& holds) const {
        for (const Block& block : blocks_) {
            for (std::size_t at = 0; at < block.used;) {
                const Entry entry = read(block.bytes.get() + at);
                if (!holds(entry.tree, entry.key)) return false;
                at += k_front_size + entry.key.size();
            }
        }
        return true;
    }
    /// What the keys take, with a few bytes for each.
    std::size_t bytes() const { return bytes_; }
    /// Forgets all keys; keeps some memory for the next transaction.
    void clear() noexcept;

private:
    struct Entry {
        std::uint64_t tree;
        std::string_view key;
    };
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
        std::size_t used = 0;
    };
    static constexpr std::size_t k_front_size = 12;  // tree and length, in front of each key
    static constexpr std::size_t k_least_limit = std::size_t{1} << 20;

    static Entry read(const char* at) {
        Entry entry{};
        std::uint32_t length = 0;
        std::memcpy(&entry.tree, at, sizeof entry.tree);
        std::memcpy(&length, at + sizeof entry.tree, sizeof length);
        entry.key = {at + k_front_size, length};
        return entry;
    }
    bool is_last(std::uint64_t tree, std::string_view key) const;
    void next_block(std::size_t needed);
    void drop_repeated();

    std::vector<Block> blocks_;         // those behind current_ are empty
    std::size_t current_ = 0;
    std::size_t last_ = 0;              // where the newest key lies in that block
    std::size_t bytes_ = 0;
    std::size_t limit_ = k_least_limit;  // repeated keys are dropped when bytes_ reaches it
};

}  // namespace northstar::inline v0::detail
