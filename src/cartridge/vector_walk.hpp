// vector_walk.hpp -- the arrays of an artifact as a graph to walk in.  Layer: cartridge.  Threads: any.
//
// [VECTOR-7] Whatever the arrays hold, no row is read that is not there: a link is compared with the number of rows
//            before it is followed.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/vector_beam.hpp"
#include "cartridge/vector_codes.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// A search of so many times its width or fewer rows compares them all rather than walk: a walk compares 10 to 20 for
/// each row in view, in places that are far from each other.
inline constexpr std::uint32_t k_compared_for_each_in_view = 32;

/// Sizes that follow from the parameters and the rows on each level.
struct VectorShape {
    std::uint32_t rows = 0;
    std::uint32_t links = 0;                   // of a row on level 0; half of it above
    std::vector<std::uint32_t> level_counts;   // rows on level 1, 2, ...
    std::vector<std::uint64_t> level_starts;   // where the links of each of these begin; one more: where they end
    void set_levels(std::vector<std::uint32_t> counts) {
        level_counts = std::move(counts);
        level_starts.assign(1, 0);
        for (const std::uint32_t count : level_counts) {
            level_starts.push_back(level_starts.back() + std::uint64_t{count} * (links / 2));
        }
    }
};

/// The arrays where they lie, all of them verified.
struct RawVectors {
    const VectorShape* shape = nullptr;
    const unsigned char* codes = nullptr;
    const unsigned char* exact = nullptr;
    const std::uint32_t* links_of_rows = nullptr;
    const std::uint32_t* upper_links = nullptr;

    std::span<const std::uint32_t> row_links(std::size_t level, std::uint32_t row) const {
        if (level == 0) return {links_of_rows + std::uint64_t{row} * shape->links, shape->links};
        if (row >= shape->level_counts[level - 1]) [[unlikely]] CartridgeBlocks::outside();
        return {upper_links + shape->level_starts[level - 1] + std::uint64_t{row} * (shape->links / 2),
                shape->links / 2};
    }
    const unsigned char* codes_of(const std::uint32_t*, std::size_t, std::size_t) const { return codes; }
    const unsigned char* exact_of(const std::uint32_t*, std::size_t, std::size_t) const { return exact; }
    const unsigned char* codes_if_verified() const { return codes; }
};

/// The same through sections, which verify what they show.
struct CheckedVectors {
    const VectorShape* shape = nullptr;
    const Section<std::uint8_t>* codes = nullptr;
    const Section<std::uint8_t>* exact = nullptr;
    const Section<std::uint32_t>* links_of_rows = nullptr;
    const Section<std::uint32_t>* upper_links = nullptr;

    std::span<const std::uint32_t> row_links(std::size_t level, std::uint32_t row) const {
        if (level == 0) return links_of_rows->span(std::uint64_t{row} * shape->links, shape->links);
        if (row >= shape->level_counts[level - 1]) [[unlikely]] CartridgeBlocks::outside();
        return upper_links->span(shape->level_starts[level - 1] + std::uint64_t{row} * (shape->links / 2),
                                 shape->links / 2);
    }
    /// Where rows begin, those that are named being verified.
    const unsigned char* codes_of(const std::uint32_t* ids, std::size_t count, std::size_t stride) const {
        return verified(*codes, ids, count, stride);
    }
    const unsigned char* exact_of(const std::uint32_t* ids, std::size_t count, std::size_t stride) const {
        return verified(*exact, ids, count, stride);
    }
    const unsigned char* codes_if_verified() const { return nullptr; }

private:
    static const unsigned char* verified(const Section<std::uint8_t>& rows, const std::uint32_t* ids,
                                         std::size_t count, std::size_t stride) {
        const unsigned char* first = nullptr;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t at = std::uint64_t{ids[i]} * stride;
            first = rows.span(at, stride).data() - at;
        }
        return first;
    }
};

/// Arrays and a query: what descend() and expand() need.
template <class Arrays>
struct VectorWalk {
    const Arrays& arrays;
    const RowForm& form;
    const void* query;
    DistanceFunction function;

    std::uint32_t rows() const { return arrays.shape->rows; }
    std::span<const std::uint32_t> links(std::size_t level, std::uint32_t row) const {
        return arrays.row_links(level, row);
    }
    void fetch(std::uint32_t row) const {
        const unsigned char* const first = arrays.codes_if_verified();
        if (first == nullptr) return;
        const unsigned char* const code = first + std::uint64_t{row} * form.stride;
        for (std::size_t at = 0; at < form.stride; at += 64) __builtin_prefetch(code + at);
    }
    void fetch_links(std::size_t level, std::uint32_t row) const {
        if (level != 0 || arrays.codes_if_verified() == nullptr) return;
        const std::span<const std::uint32_t> soon = arrays.row_links(0, row);
        for (std::size_t i = 0; i < soon.size(); i += 16) __builtin_prefetch(soon.data() + i);
    }
    void compare(const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) const {
        if (count == 0) return;
        function(query, arrays.codes_of(ids, count, form.stride), form.stride, form.length, ids, count, distances);
    }
};

/// The rows near a query, into room.beam. `left_out`: a row that is passed over; k_no_row: none.
template <class Arrays>
void walk_to(const VectorWalk<Arrays>& walk, SearchRoom& room, std::uint32_t width, std::uint32_t left_out = k_no_row) {
    const VectorShape& shape = *walk.arrays.shape;
    room.beam.reset(width);
    room.seen.reset(shape.rows);
    if (shape.rows == 0) return;
    room.seen.make_room(2);
    if (left_out != k_no_row) room.seen.insert(left_out);
    const auto [distance, row] = descend(walk, room, shape.level_counts.size(), 0, left_out);
    room.seen.make_room(1);
    room.seen.insert(row);
    room.beam.insert(distance, row);
    expand(walk, room, 0);
}

inline constexpr std::uint32_t k_starts = 16;
inline constexpr std::uint32_t k_compared_at_once = 32;
inline constexpr std::uint32_t k_rows_for_each_of_sample = 16;
inline constexpr std::uint32_t k_largest_sample = 4096;

/// Goes on from the nearest of a sample of the rows: where a query is far, one place is as likely to hold a walk as
/// another. `best` is room.
template <class Arrays>
void walk_on_from_sample(const VectorWalk<Arrays>& walk, SearchRoom& room, Beam& best) {
    const std::uint32_t rows = walk.rows();
    const std::uint32_t sample = std::min(rows / k_rows_for_each_of_sample, k_largest_sample);
    room.reserve(k_compared_at_once);
    best.reset(k_starts);
    for (std::uint32_t first = 0; first < sample; first += k_compared_at_once) {
        const std::uint32_t count = std::min(k_compared_at_once, sample - first);
        for (std::uint32_t i = 0; i < count; ++i) {
            room.ids[i] = static_cast<std::uint32_t>(std::uint64_t{first + i} * rows / sample);
            walk.fetch(room.ids[i]);
        }
        walk.compare(room.ids.data(), count, room.distances.data());
        for (std::uint32_t i = 0; i < count; ++i) best.insert(room.distances[i], room.ids[i]);
    }
    room.seen.make_room(best.size());
    for (std::size_t i = 0; i < best.size(); ++i) {
        if (room.seen.insert(best.row(i))) room.beam.insert(best.distance(i), best.row(i));
    }
    expand(walk, room, 0);
}

/// Distances of the rows in room.ids by their exact form, into room.distances.
template <class Arrays>
void compare_exactly(const Arrays& arrays, const RowForm& form, const void* query, DistanceFunction function,
                     SearchRoom& room, std::size_t count) {
    if (count == 0) return;
    const unsigned char* const rows = arrays.exact_of(room.ids.data(), count, form.stride);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned char* const row = rows + std::uint64_t{room.ids[i]} * form.stride;
        for (std::size_t at = 0; at < form.stride; at += 64) __builtin_prefetch(row + at);
    }
    function(query, rows, form.stride, form.length, room.ids.data(), count, room.distances.data());
}

/// A row of an answer: by what it is sorted, and which it is.
struct FoundRow {
    std::uint32_t distance = 0;
    std::uint32_t row = 0;
};

/// How many rows of a beam are compared again for the k nearest of them.
inline std::size_t rows_to_compare_again(VectorCodes codes, std::size_t k, std::size_t width) {
    return codes == VectorCodes::bit ? width : std::min(width, 2 * k + 8);
}

/// The k nearest of the rows in a beam that pass, nearest first: by their exact form, where codes are another. `place`
/// decides between equal ones.
template <class Arrays, class Passes, class Place>
void best_of_beam(const Arrays& arrays, const VectorCoder& coder, const PreparedQuery& query,
                  DistanceFunction exact_function, VectorCodes codes, std::size_t k, SearchRoom& room, Passes&& passes,
                  Place&& place, std::vector<FoundRow>& found) {
    found.clear();
    const bool again = coder.has_exact();
    const std::size_t most = again ? rows_to_compare_again(codes, k, room.beam.size()) : k;
    room.reserve(most);
    std::size_t count = 0;
    for (std::size_t i = 0; i < room.beam.size() && count < most; ++i) {
        const std::uint32_t row = room.beam.row(i);
        if (!passes(row)) continue;
        room.ids[count] = row;
        room.distances[count++] = room.beam.distance(i);
    }
    room.farthest = count != 0 && count == most ? room.distances[count - 1] : ~std::uint32_t{0};
    if (again) compare_exactly(arrays, coder.exact(), query.exact, exact_function, room, count);
    for (std::size_t i = 0; i < count; ++i) found.push_back({room.distances[i], room.ids[i]});
    std::sort(found.begin(), found.end(), [&](const FoundRow& a, const FoundRow& b) {
        return a.distance != b.distance ? a.distance < b.distance : place(a.row) < place(b.row);
    });
    if (found.size() > k) found.resize(k);
}

}  // namespace northstar::inline v0::detail
