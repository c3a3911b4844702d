// vector_nearest.hpp -- the nearest of many rows, however many are wanted.  Layer: cartridge.  Threads: one at a time.
//
// Rows are ordered by (distance, number), as in a Beam, which is sorted all the time: that is fine for a walk, and too
// slow for thousands of rows. Here twice as many as are wanted are gathered before the farther half is thrown away.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

class NearestRows {
public:
    void reset(std::size_t most) {
        most_ = most;
        limit_ = ~std::uint64_t{0};
        items_.clear();
    }
    /// A row that was not inserted before.
    void insert(std::uint32_t distance, std::uint32_t row) {
        const std::uint64_t item = std::uint64_t{distance} << 32 | row;
        if (item >= limit_) return;
        items_.push_back(item);
        if (items_.size() >= 2 * most_ + k_more) settle();
    }
    /// Throws away what is too far. farthest() is exact afterwards.
    void settle() {
        if (items_.size() < most_ || most_ == 0) return;
        const auto last = items_.begin() + static_cast<std::ptrdiff_t>(most_ - 1);
        std::nth_element(items_.begin(), last, items_.end());
        items_.resize(most_);
        limit_ = items_.back() + 1;
    }
    /// As many as are wanted were found by the last settle().
    bool full() const { return limit_ != ~std::uint64_t{0}; }
    /// No wanted row is farther, if it is full().
    std::uint32_t farthest() const { return static_cast<std::uint32_t>((limit_ - 1) >> 32); }
    /// Nearest first: distance in the upper half, row in the lower one.
    std::span<const std::uint64_t> sorted() {
        settle();
        std::sort(items_.begin(), items_.end());
        return items_;
    }

private:
    static constexpr std::size_t k_more = 64;
    std::vector<std::uint64_t> items_;
    std::size_t most_ = 0;
    std::uint64_t limit_ = 0;  // items from here on are too far
};

}  // namespace northstar::inline v0::detail
