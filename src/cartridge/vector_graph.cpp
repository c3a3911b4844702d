#include "cartridge/vector_graph.hpp"

#include "base/check.hpp"
#include "base/release.hpp"
#include "cartridge/vector_beam.hpp"

#include <bit>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>

namespace northstar::inline v0::detail {

namespace vector_graph_impl {

/// Rows that are inserted together, at most: enough for the threads of a build, few enough to compare each with all.
constexpr std::size_t k_largest_batch = 1024;
/// Zeros of a hash that are worth a level: one row in 16 is a level higher.
constexpr int k_zeros_of_a_level = 4;
constexpr std::size_t k_most_levels = 15;
constexpr std::size_t k_rows_of_a_task = 16;

/// Links of the rows of one level, with distances beside them.
struct Level {
    std::size_t rows = 0;
    std::size_t most = 0;    // links of a row when the build is done
    std::size_t places = 0;  // while it goes on: a list is pruned when it has no place left
    std::vector<std::uint32_t> ids;
    std::vector<std::uint32_t> distances;
    std::span<const std::uint32_t> links(std::uint32_t row) const { return {ids.data() + row * places, places}; }
};

struct Candidate {
    std::uint32_t distance = 0;
    std::uint32_t row = 0;
    auto operator<=>(const Candidate&) const = default;
};

/// A link back: `source` was linked to `target`.
struct LinkBack {
    std::uint32_t target = 0;
    std::uint32_t distance = 0;
    std::uint32_t source = 0;
    auto operator<=>(const LinkBack&) const = default;
};

struct Room {
    SearchRoom search;
    PreparedQuery query;
    PreparedQuery candidate;
    std::vector<std::uint32_t> near;  // distances to the rows of the same batch
    std::vector<Candidate> candidates;
    std::vector<std::uint32_t> kept;
    std::vector<std::uint32_t> kept_distances;
};

class Builder {
public:
    Builder(CartridgeBuild& build, GraphInput& input, const VectorCoder& coder, std::uint32_t links,
            std::uint32_t width)
        : build_(build), coder_(coder), form_(coder.codes()), compare_(distance_function(form_.kind)), width_(width) {
        sort_rows(input);
        for (std::size_t level = 0; level == 0 || (level < k_most_levels && rows_on(level) > 1); ++level) {
            Level& each = levels_.emplace_back();
            each.rows = rows_on(level);
            each.most = level == 0 ? links : links / 2;
            each.places = each.most + each.most / 4;
            each.ids.assign(each.rows * each.places, k_no_row);
            each.distances.assign(each.rows * each.places, 0);
        }
    }

    BuiltVectorGraph run() {
        const std::size_t rows = order_.size();
        for (std::size_t first = 0; first < rows;) {
            const std::size_t size = std::min({rows - first, std::max<std::size_t>(first, 1), k_largest_batch});
            insert(first, first + size);
            first += size;
            build_.progress("linking", first, rows);
        }
        for (std::size_t level = 0; level < levels_.size(); ++level) shorten(level);
        return number_anew();
    }

private:
    const unsigned char* code(std::uint32_t row) const { return codes_.data() + row * form_.stride; }
    int level_of(std::uint32_t row) const { return std::countl_zero(hashes_[row]) / k_zeros_of_a_level; }
    std::size_t rows_on(std::size_t level) const {
        const auto below = [&](std::uint64_t hash) {
            return static_cast<std::size_t>(std::countl_zero(hash) / k_zeros_of_a_level) >= level;
        };
        return static_cast<std::size_t>(std::partition_point(hashes_.begin(), hashes_.end(), below) - hashes_.begin());
    }

    void sort_rows(GraphInput& input) {
        order_.resize(input.hashes.size());
        std::iota(order_.begin(), order_.end(), 0u);
        std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
            return std::pair(input.hashes[a], a) < std::pair(input.hashes[b], b);
        });
        codes_.resize(order_.size() * form_.stride);
        hashes_.resize(order_.size());
        for (std::size_t i = 0; i < order_.size(); ++i) {
            std::memcpy(codes_.data() + i * form_.stride, input.codes.data() + order_[i] * form_.stride, form_.stride);
            hashes_[i] = input.hashes[order_[i]];
        }
        release_memory(input.codes);
        release_memory(input.hashes);
    }

    // Rooms go from task to task.
    std::unique_ptr<Room> take_room() {
        const std::lock_guard lock(rooms_mutex_);
        if (rooms_.empty()) {
            auto room = std::make_unique<Room>();
            room->near.resize(k_largest_batch);
            return room;
        }
        std::unique_ptr<Room> room = std::move(rooms_.back());
        rooms_.pop_back();
        return room;
    }
    void give_room(std::unique_ptr<Room> room) {
        const std::lock_guard lock(rooms_mutex_);
        rooms_.push_back(std::move(room));
    }
    /// fn(room, i) for every i, on the threads of the build.
    template <class F>
    void each_in_parallel(std::size_t count, F&& fn) {
        build_.parallel((count + k_rows_of_a_task - 1) / k_rows_of_a_task, [&](std::size_t task) {
            std::unique_ptr<Room> room = take_room();
            const std::size_t end = std::min(count, (task + 1) * k_rows_of_a_task);
            for (std::size_t i = task * k_rows_of_a_task; i < end; ++i) fn(*room, i);
            give_room(std::move(room));
        });
    }

    /// What searches during the build walk in.
    struct Walk {
        const Builder& builder;
        const void* query;
        std::uint32_t rows() const { return static_cast<std::uint32_t>(builder.order_.size()); }
        std::span<const std::uint32_t> links(std::size_t level, std::uint32_t row) const {
            return builder.levels_[level].links(row);
        }
        void fetch(std::uint32_t row) const {
            const unsigned char* const code = builder.code(row);
            for (std::size_t at = 0; at < builder.form_.stride; at += 64) __builtin_prefetch(code + at);
        }
        void fetch_links(std::size_t level, std::uint32_t row) const {
            const Level& each = builder.levels_[level];
            __builtin_prefetch(each.ids.data() + row * each.places);
            __builtin_prefetch(each.ids.data() + row * each.places + 16);
        }
        void compare(const std::uint32_t* ids, std::size_t count, std::uint32_t* distances) const {
            builder.compare_(query, builder.codes_.data(), builder.form_.stride, builder.form_.length, ids, count,
                             distances);
        }
    };

    void insert(std::size_t first, std::size_t last) {
        std::vector<std::uint32_t> batch(last - first);
        std::iota(batch.begin(), batch.end(), static_cast<std::uint32_t>(first));
        each_in_parallel(batch.size(), [&](Room& room, std::size_t i) { link(room, batch[i], batch); });
        for (std::size_t level = 0; level < levels_.size(); ++level) link_back(level, batch);
    }

    /// Chooses the links of a new row on each of its levels, from the rows before its batch and those in it.
    void link(Room& room, std::uint32_t row, const std::vector<std::uint32_t>& batch) {
        const std::uint32_t first = batch.front();
        const Walk walk{*this, coder_.query_of_codes(code(row), room.query)};
        const auto top = static_cast<std::size_t>(level_of(0));
        const std::size_t own = std::min<std::size_t>(static_cast<std::size_t>(level_of(row)), levels_.size() - 1);
        walk.compare(batch.data(), batch.size(), room.near.data());
        std::pair<std::uint32_t, std::uint32_t> nearest;
        if (first != 0) nearest = descend(walk, room.search, std::min(top, levels_.size() - 1), own);
        for (std::size_t level = own + 1; level-- != 0;) {
            Beam& beam = room.search.beam;
            beam.reset(width_);
            if (first != 0) {
                room.search.seen.reset(order_.size());
                room.search.seen.make_room(1);
                room.search.seen.insert(nearest.second);
                beam.insert(nearest.first, nearest.second);
                expand(walk, room.search, level);
                nearest = {beam.distance(0), beam.row(0)};
            }
            const std::size_t there = std::min<std::size_t>(levels_[level].rows, first + batch.size()) - first;
            for (std::size_t i = 0; i < there; ++i) {
                if (batch[i] != row) beam.insert(room.near[i], batch[i]);
            }
            room.candidates.clear();
            for (std::size_t i = 0; i < beam.size(); ++i) room.candidates.push_back({beam.distance(i), beam.row(i)});
            keep_best(room, levels_[level], row, links_of_new(levels_[level]));
        }
    }
    /// Half of the places are left for rows that come later.
    std::size_t links_of_new(const Level& level) const {
        return level.most == levels_[0].most ? std::max<std::size_t>(level.most / 2, 1) : level.most;
    }

    /// A candidate is kept unless one that was kept before is nearer to it than the row is.
    void choose(Room& room, std::size_t most) {
        room.kept.clear();
        room.kept_distances.clear();
        std::uint32_t between[4];
        for (const Candidate& candidate : room.candidates) {
            if (room.kept.size() == most) break;
            bool wanted = true;
            const void* const query =
                room.kept.empty() ? nullptr : coder_.query_of_codes(code(candidate.row), room.candidate);
            for (std::size_t i = 0; wanted && i < room.kept.size(); i += 4) {
                const std::size_t count = std::min<std::size_t>(4, room.kept.size() - i);
                compare_(query, codes_.data(), form_.stride, form_.length, room.kept.data() + i, count, between);
                for (std::size_t j = 0; j < count; ++j) wanted = wanted && between[j] >= candidate.distance;
            }
            if (!wanted) continue;
            room.kept.push_back(candidate.row);
            room.kept_distances.push_back(candidate.distance);
        }
    }
    void keep_best(Room& room, Level& level, std::uint32_t row, std::size_t most) {
        choose(room, most);
        write(level, row, room.kept, room.kept_distances);
    }
    static void write(Level& level, std::uint32_t row, const std::vector<std::uint32_t>& ids,
                      const std::vector<std::uint32_t>& distances) {
        const std::size_t at = row * level.places;
        std::copy(ids.begin(), ids.end(), level.ids.begin() + static_cast<std::ptrdiff_t>(at));
        std::copy(distances.begin(), distances.end(), level.distances.begin() + static_cast<std::ptrdiff_t>(at));
        for (std::size_t i = ids.size(); i < level.places; ++i) level.ids[at + i] = k_no_row;
    }

    void link_back(std::size_t number, const std::vector<std::uint32_t>& batch) {
        Level& level = levels_[number];
        std::vector<LinkBack> back;
        for (const std::uint32_t row : batch) {
            if (row >= level.rows) break;
            const std::size_t at = row * level.places;
            for (std::size_t i = at; i < at + level.places && level.ids[i] != k_no_row; ++i) {
                back.push_back({level.ids[i], level.distances[i], row});
            }
        }
        std::sort(back.begin(), back.end());
        std::vector<std::size_t> groups;
        for (std::size_t i = 0; i < back.size(); ++i) {
            if (i == 0 || back[i].target != back[i - 1].target) groups.push_back(i);
        }
        groups.push_back(back.size());
        each_in_parallel(groups.size() - 1, [&](Room& room, std::size_t i) {
            merge(room, level, std::span(back).subspan(groups[i], groups[i + 1] - groups[i]));
        });
    }

    /// Adds links to the list of a row; where they have no place there, the best of all are kept.
    void merge(Room& room, Level& level, std::span<const LinkBack> back) {
        const std::uint32_t row = back.front().target;
        gather(room, level, row);
        for (const LinkBack& each : back) room.candidates.push_back({each.distance, each.source});
        std::sort(room.candidates.begin(), room.candidates.end());
        // Two rows of a batch may have chosen each other.
        room.candidates.erase(std::unique(room.candidates.begin(), room.candidates.end()), room.candidates.end());
        if (room.candidates.size() > level.places) {
            keep_best(room, level, row, level.most);
            return;
        }
        const std::size_t at = row * level.places;
        for (std::size_t i = 0; i < room.candidates.size(); ++i) {
            level.ids[at + i] = room.candidates[i].row;
            level.distances[at + i] = room.candidates[i].distance;
        }
    }
    void gather(Room& room, const Level& level, std::uint32_t row) const {
        room.candidates.clear();
        const std::size_t at = row * level.places;
        for (std::size_t i = at; i < at + level.places && level.ids[i] != k_no_row; ++i) {
            room.candidates.push_back({level.distances[i], level.ids[i]});
        }
    }

    /// Lists that are longer than they may be in the end.
    void shorten(std::size_t number) {
        Level& level = levels_[number];
        if (level.places == level.most) return;
        build_.progress("shortening lists", 0, level.rows);
        each_in_parallel(level.rows, [&](Room& room, std::size_t row) {
            if (level.ids[row * level.places + level.most] == k_no_row) return;
            gather(room, level, static_cast<std::uint32_t>(row));
            std::sort(room.candidates.begin(), room.candidates.end());
            keep_best(room, level, static_cast<std::uint32_t>(row), level.most);
        });
    }

    /// Rows near each other get near numbers: breadth first from the first row, rows of higher levels before the
    /// others.
    BuiltVectorGraph number_anew() {
        const std::size_t rows = order_.size();
        release_memory(codes_);
        std::vector<std::uint32_t> sequence;
        sequence.reserve(rows);
        {
            std::vector<bool> seen(rows, false);
            for (std::uint32_t start = 0; start < rows; ++start) {
                if (seen[start]) continue;
                seen[start] = true;
                for (std::size_t at = sequence.size(), end = (sequence.push_back(start), at + 1); at < end; ++at) {
                    for (const std::uint32_t other : levels_[0].links(sequence[at])) {
                        if (other == k_no_row) break;
                        if (seen[other]) continue;
                        seen[other] = true;
                        sequence.push_back(other);
                        ++end;
                    }
                }
            }
        }
        std::stable_sort(sequence.begin(), sequence.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return level_of(a) > level_of(b); });
        std::vector<std::uint32_t> number(rows);
        for (std::uint32_t i = 0; i < rows; ++i) number[sequence[i]] = i;

        BuiltVectorGraph graph;
        graph.order.reserve(rows);
        for (const std::uint32_t row : sequence) graph.order.push_back(order_[row]);
        for (std::size_t level = 0; level < levels_.size(); ++level) {
            std::vector<std::uint32_t>& out = level == 0 ? graph.links : graph.upper_links;
            if (level != 0) graph.level_counts.push_back(static_cast<std::uint32_t>(levels_[level].rows));
            out.reserve(out.size() + levels_[level].rows * levels_[level].most);
            for (std::size_t i = 0; i < levels_[level].rows; ++i) {
                const std::span<const std::uint32_t> links = levels_[level].links(sequence[i]);
                for (std::size_t j = 0; j < levels_[level].most; ++j) {
                    out.push_back(links[j] == k_no_row ? k_no_row : number[links[j]]);
                }
            }
            levels_[level] = Level();
        }
        return graph;
    }

    CartridgeBuild& build_;
    const VectorCoder& coder_;
    const RowForm form_;
    const DistanceFunction compare_;
    const std::uint32_t width_;
    std::vector<std::uint32_t> order_;    // which row of the input each row is
    std::vector<std::uint8_t> codes_;
    std::vector<std::uint64_t> hashes_;   // ascending
    std::vector<Level> levels_;
    std::mutex rooms_mutex_;
    std::vector<std::unique_ptr<Room>> rooms_;
};

}  // namespace vector_graph_impl

BuiltVectorGraph build_vector_graph(CartridgeBuild& build, GraphInput& input, const VectorCoder& coder,
                                    std::uint32_t links, std::uint32_t width) {
    return vector_graph_impl::Builder(build, input, coder, links, width).run();
}

}  // namespace northstar::inline v0::detail
