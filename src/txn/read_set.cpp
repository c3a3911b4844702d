#include "txn/read_set.hpp"

#include "base/xxh64.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

namespace read_set_impl {

constexpr std::size_t k_block_size = 32u << 10;
constexpr std::size_t k_kept_blocks = 32;
constexpr std::size_t k_growth = 4;

}  // namespace read_set_impl

void ReadSet::add(std::uint64_t tree, std::string_view key) {
    if (is_last(tree, key)) return;
    const std::size_t needed = k_front_size + key.size();
    if (bytes_ + needed > limit_) [[unlikely]] drop_repeated();
    if (current_ >= blocks_.size() || blocks_[current_].size - blocks_[current_].used < needed) next_block(needed);
    Block& block = blocks_[current_];
    char* const at = block.bytes.get() + block.used;
    const auto length = static_cast<std::uint32_t>(key.size());
    std::memcpy(at, &tree, sizeof tree);
    std::memcpy(at + sizeof tree, &length, sizeof length);
    if (!key.empty()) std::memcpy(at + k_front_size, key.data(), key.size());
    last_ = block.used;
    block.used += needed;
    bytes_ += needed;
}

/// Who changes an entry that it has looked up notes it twice, one behind the other.
bool ReadSet::is_last(std::uint64_t tree, std::string_view key) const {
    if (current_ >= blocks_.size() || blocks_[current_].used == 0) return false;
    const Entry last = read(blocks_[current_].bytes.get() + last_);
    return last.tree == tree && last.key == key;
}

/// Makes the block at current_ one with enough room.
void ReadSet::next_block(std::size_t needed) {
    const std::size_t next = current_ < blocks_.size() && blocks_[current_].used != 0 ? current_ + 1 : current_;
    if (next >= blocks_.size() || blocks_[next].size < needed) {
        Block made;
        made.size = std::max(needed, read_set_impl::k_block_size);
        made.bytes = std::make_unique_for_overwrite<char[]>(made.size);
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(next), std::move(made));
    }
    current_ = next;
}

/// Keeps the first of equal keys. The table has open addressing with linear probing (Knuth, The Art of Computer
/// Programming, volume 3, 6.4, algorithm L).
void ReadSet::drop_repeated() {
    std::size_t count = 0;
    all_of([&](std::uint64_t, std::string_view) { return ++count != 0; });
    std::size_t size = 64;
    while (size < 2 * count) size *= 2;
    std::vector<const char*> slots(size);
    ReadSet kept;
    kept.limit_ = ~std::size_t{0};
    all_of([&](std::uint64_t tree, std::string_view key) {
        std::size_t slot = xxh64(key.data(), key.size(), tree) & (size - 1);
        for (; slots[slot] != nullptr; slot = (slot + 1) & (size - 1)) {
            const Entry entry = read(slots[slot]);
            if (entry.tree == tree && entry.key == key) return true;
        }
        slots[slot] = key.data() - k_front_size;
        kept.add(tree, key);
        return true;
    });
    kept.limit_ = std::max(k_least_limit, read_set_impl::k_growth * kept.bytes_);
    *this = std::move(kept);
}

void ReadSet::clear() noexcept {
    if (bytes_ == 0) return;
    if (blocks_.size() > read_set_impl::k_kept_blocks) blocks_.resize(read_set_impl::k_kept_blocks);
    for (Block& block : blocks_) block.used = 0;
    current_ = 0;
    bytes_ = 0;
    limit_ = k_least_limit;
}

}  // namespace northstar::inline v0::detail
