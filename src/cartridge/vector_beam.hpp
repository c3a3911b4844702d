// vector_beam.hpp -- walking from row to row towards a query.  Layer: cartridge.  Threads: each object one at a time.
//
// Source of the search: Malkov, Yashunin: Efficient and robust approximate nearest neighbor search using hierarchical
// navigable small world graphs (2016), algorithms 2 and 5. In place of its two heaps there is one sorted array.
//
// [VECTOR-3] Rows are ordered by (distance, number), which no two share: what a search finds does not depend on the
//            order in which it looked.
#pragma once

#include "api/northstar.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

/// Where a list of links ends before its place does.
inline constexpr std::uint32_t k_no_row = ~std::uint32_t{0};
/// A beam keeps a bit beside the number of a row.
inline constexpr std::uint32_t k_most_rows = 0x7fffffff;

/// The nearest rows found so far, nearest first, at most so many; knows which of them were expanded.
class Beam {
public:
    void reset(std::size_t most) {
        if (items_.size() < most) items_.resize(most);
        most_ = most;
        size_ = 0;
        next_ = 0;
    }
    std::size_t size() const { return size_; }
    bool full() const { return size_ == most_; }
    std::uint32_t row(std::size_t place) const { return static_cast<std::uint32_t>(items_[place]) >> 1; }
    std::uint32_t distance(std::size_t place) const { return static_cast<std::uint32_t>(items_[place] >> 32); }
    /// A row that is not in yet.
    void insert(std::uint32_t distance, std::uint32_t row) {
        const std::uint64_t item = std::uint64_t{distance} << 32 | std::uint64_t{row} << 1;
        if (size_ == most_) {
            if (item > items_[size_ - 1]) return;
            --size_;
        }
        std::uint64_t* const first = items_.data();
        std::uint64_t* const place = std::lower_bound(first, first + size_, item);
        std::memmove(place + 1, place, static_cast<std::size_t>(first + size_ - place) * sizeof item);
        *place = item;
        ++size_;
        next_ = std::min(next_, static_cast<std::size_t>(place - first));
    }
    /// The nearest row that was not expanded; false: all were.
    bool next(std::uint32_t& row) {
        while (next_ < size_ && (items_[next_] & 1) != 0) ++next_;
        if (next_ == size_) return false;
        items_[next_] |= 1;
        row = this->row(next_++);
        return true;
    }
    /// Which row next() would give, as far as that is known; k_no_row: none.
    std::uint32_t likely_next() const { return next_ < size_ ? row(next_) : k_no_row; }

private:
    std::vector<std::uint64_t> items_;  // distance, number of the row, one bit: expanded
    std::size_t most_ = 0;
    std::size_t size_ = 0;
    std::size_t next_ = 0;              // all before it were expanded
};

/// Rows, one bit each. Emptying it costs as much as was put in.
class RowSet {
public:
    void reset(std::uint64_t rows) {
        const auto words = static_cast<std::size_t>(rows / 64 + 1);
        if (words > bits_.size()) {
            bits_.assign(words, 0);
        } else if (count_ > words / 8) {
            std::fill(bits_.begin(), bits_.end(), 0);
        } else {
            for (std::size_t i = 0; i < count_; ++i) bits_[touched_[i] / 64] = 0;
        }
        count_ = 0;
    }
    /// So many rows may be inserted next.
    void make_room(std::size_t rows) {
        if (touched_.size() < count_ + rows) touched_.resize(2 * (count_ + rows));
    }
    /// false: it was in already. No branch: whether a row was seen before is as good as random.
    bool insert(std::uint32_t row) {
        std::uint64_t& word = bits_[row / 64];
        const std::uint64_t is_new = ~(word >> (row % 64)) & 1;
        word |= std::uint64_t{1} << (row % 64);
        touched_[count_] = row;
        count_ += is_new;
        return is_new != 0;
    }
    bool contains(std::uint32_t row) const { return (bits_[row / 64] >> (row % 64) & 1) != 0; }

private:
    std::vector<std::uint64_t> bits_;
    std::vector<std::uint32_t> touched_;  // the first count_
    std::size_t count_ = 0;
};

/// What a search works with, kept from one to the next.
struct SearchRoom {
    Beam beam;
    RowSet seen;
    std::vector<std::uint32_t> ids;        // rows to be compared
    std::vector<std::uint32_t> distances;  // theirs
    std::uint32_t farthest = ~std::uint32_t{0};  // by codes, of as many rows as are compared again; of fewer: any
    void reserve(std::size_t rows) {
        if (ids.size() < rows) {
            ids.resize(rows);
            distances.resize(rows);
        }
    }
};

/// A graph to walk in, and distances of its rows from the query:
///   std::uint32_t rows()                                numbers of rows are below it
///   std::span<const std::uint32_t> links(level, row)   rows, then k_no_row up to the end
///   void fetch(row), fetch_links(level, row)            will be needed soon
///   void compare(ids, count, distances)
/// A link to a row that is not there is damage: outside().

/// Puts the links of a row into room.ids, but for those that `wanted` says no to; returns how many.
template <class Graph, class Wanted>
std::size_t gather_links(const Graph& graph, SearchRoom& room, std::size_t level, std::uint32_t row, Wanted&& wanted) {
    const std::span<const std::uint32_t> links = graph.links(level, row);
    const std::uint32_t rows = graph.rows();
    room.reserve(links.size() + 1);
    room.seen.make_room(links.size() + 1);
    std::uint32_t* const ids = room.ids.data();
    std::size_t count = 0;
    for (const std::uint32_t other : links) {
        if (other >= rows) [[unlikely]] {
            if (other == k_no_row) break;
            CartridgeBlocks::outside();
        }
        ids[count] = other;
        count += wanted(other) ? 1 : 0;
    }
    for (std::size_t i = 0; i < count; ++i) graph.fetch(ids[i]);
    return count;
}

/// From row 0 down to level `to`, on each level above it as long as a linked row is nearer. Returns (distance, row).
/// `left_out` is passed over.
template <class Graph>
std::pair<std::uint32_t, std::uint32_t> descend(const Graph& graph, SearchRoom& room, std::size_t from, std::size_t to,
                                                std::uint32_t left_out = k_no_row) {
    std::uint32_t nearest = 0;
    std::uint32_t distance = 0;
    graph.compare(&nearest, 1, &distance);
    for (std::size_t level = from; level > to; --level) {
        for (bool nearer = true; nearer;) {
            nearer = false;
            const std::size_t count = gather_links(graph, room, level, nearest,
                                                   [&](std::uint32_t other) { return other != left_out; });
            graph.compare(room.ids.data(), count, room.distances.data());
            for (std::size_t i = 0; i < count; ++i) {
                if (std::pair(room.distances[i], room.ids[i]) < std::pair(distance, nearest)) {
                    distance = room.distances[i];
                    nearest = room.ids[i];
                    nearer = true;
                }
            }
        }
    }
    return {distance, nearest};
}

/// Expands the nearest row in the beam until all that are in it were.
template <class Graph>
void expand(const Graph& graph, SearchRoom& room, std::size_t level) {
    std::uint32_t row = 0;
    while (room.beam.next(row)) {
        const std::size_t count = gather_links(graph, room, level, row,
                                               [&](std::uint32_t other) { return room.seen.insert(other); });
        if (const std::uint32_t soon = room.beam.likely_next(); soon != k_no_row) graph.fetch_links(level, soon);
        graph.compare(room.ids.data(), count, room.distances.data());
        for (std::size_t i = 0; i < count; ++i) room.beam.insert(room.distances[i], room.ids[i]);
    }
}

}  // namespace northstar::inline v0::detail
