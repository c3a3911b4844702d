// vector_search.cpp -- VectorIndex::search: which way the nearest rows are looked for, and what an answer is made of.
#include "base/error.hpp"
#include "cartridge/vector_index.hpp"
#include "cartridge/vector_nearness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

namespace northstar::inline v0::detail {

namespace vector_search_impl {

/// Of rows that pass a filter so many are always compared, or this part of all.
constexpr std::uint64_t k_always_compared = 8'000;
constexpr double k_small_part = 0.05;
/// Where fewer than this part pass, a walk goes over them alone.
constexpr double k_large_part = 0.3;
constexpr std::uint32_t k_asked_beforehand = 128;  // rows that a filter's function is tried on
constexpr std::uint32_t k_looked_at_for_a_start = 64;
constexpr std::uint32_t k_coded_at_once = 1u << 16;   // rows compared by codes before the best are compared exactly
/// A query is far from all rows where what a walk ended with differs by less than this part of its distance. Then one
/// place is as likely to hold the walk as another, and it goes on from the nearest of a sample of the rows. The nearest
/// of vectors of chance differ more, up to some thousand numbers: there the sample would cost more than it gives.
constexpr double k_alike = 1.0 / 64;

/// Which rows may be in an answer.
class RowFilter {
public:
    RowFilter(const VectorIndex& index, const VectorFilter* filter, QueryRoom& room)
        : index_(index), overlay_(index.overlay() ? &*index.overlay() : nullptr), filter_(filter), room_(room) {
        if (filter_ == nullptr || !filter_->accepts) return;
        room_.asked.reset(index.limit());
        room_.accepted.reset(index.limit());
        room_.asked.make_room(1);
        room_.accepted.make_room(1);
    }
    bool by_user() const { return filter_ != nullptr && (filter_->accepts || filter_->rows); }
    bool all_pass() const { return !by_user() && (overlay_ == nullptr || overlay_->gone_count == 0); }

    /// Of a row of the artifact or, behind them, of the overlay.
    bool passes(std::uint32_t row) const {
        if (overlay_ != nullptr && row < index_.shape().rows && overlay_->is_gone(row)) return false;
        if (filter_ == nullptr) return true;
        if (filter_->rows) {
            const std::span<const std::uint64_t> bits = *filter_->rows;
            if (row / 64 >= bits.size() || (bits[row / 64] >> (row % 64) & 1) == 0) return false;
        }
        if (!filter_->accepts) return true;
        if (room_.asked.insert(row)) {
            room_.asked.make_room(1);
            if (filter_->accepts(index_.key(row))) room_.accepted.insert(row);
            room_.accepted.make_room(1);
        }
        return room_.accepted.contains(row);
    }

    /// How many rows of the artifact pass: exactly, or by a sample where a function has to be asked.
    std::uint64_t count() const {
        const std::uint32_t rows = index_.shape().rows;
        if (!by_user()) return rows - (overlay_ != nullptr ? overlay_->gone_count : 0);
        if (filter_->accepts) {
            const std::uint32_t asked = std::min(rows, k_asked_beforehand);
            std::uint64_t passed = 0;
            for (std::uint32_t i = 0; i < asked; ++i) {
                passed += passes(static_cast<std::uint32_t>(std::uint64_t{i} * rows / asked)) ? 1 : 0;
            }
            return asked == 0 ? 0 : passed * rows / asked;
        }
        std::uint64_t count = 0;
        const std::span<const std::uint64_t> bits = *filter_->rows;
        for (std::size_t i = 0; i <= rows / 64 && i < bits.size(); ++i) {
            std::uint64_t word = bits[i];
            if (overlay_ != nullptr) word &= ~overlay_->gone[i];
            if (i == rows / 64) word &= (std::uint64_t{1} << (rows % 64)) - 1;
            count += static_cast<std::uint64_t>(std::popcount(word));
        }
        return count;
    }
    bool counts_exactly() const { return filter_ == nullptr || !filter_->accepts; }

private:
    const VectorIndex& index_;
    const VectorOverlay* const overlay_;
    const VectorFilter* const filter_;
    QueryRoom& room_;
};

void check_query(const VectorParameters& parameters, const Embedding& query, std::uint32_t k,
                 const VectorSearch& options) {
    if (query.space() != parameters.space) {
        fail(Errc::invalid_argument, "the query is of the space " + to_string(query.space()) +
                                         ", and the vectors are of " + to_string(parameters.space) +
                                         "; vectors of different spaces cannot be compared");
    }
    if (k == 0) fail(Errc::invalid_argument, "a search is for 1 row or more");
    if (options.width && *options.width == 0) fail(Errc::invalid_argument, "a search keeps 1 row in view, or more");
    if (!(options.recall > 0) || options.recall > 1) {
        fail(Errc::invalid_argument, "the recall of a search is a share above 0, up to 1");
    }
}

}  // namespace vector_search_impl

/// One search in one set of arrays.
template <class Arrays>
class VectorSearcher {
public:
    VectorSearcher(const VectorIndex& index, const Arrays& arrays, QueryRoom& room,
                   const vector_search_impl::RowFilter& filter)
        : index_(index), arrays_(arrays), room_(room), filter_(filter),
          walk_{arrays_, index.coder_.codes(), room.query.codes, index.compare_codes_} {}

    /// Fills room.found with the k nearest rows of the artifact that pass, nearest first. Returns the width of the walk
    /// that found them; 0: each was compared.
    /// `recall`: what the width is for; 0: it is the caller's.
    std::uint32_t run(std::uint32_t k, std::uint32_t width, bool exhaustive, double recall,
                      std::optional<VectorPlan> wanted) {
        using namespace vector_search_impl;
        const std::uint64_t rows = index_.shape_.rows;
        const std::uint64_t passing = filter_.count();
        VectorPlan plan = wanted ? *wanted : plan_for(passing, width, exhaustive);
        for (std::uint64_t wide = std::min<std::uint64_t>(width, rows); plan != VectorPlan::scan; wide *= 2) {
            const auto now = static_cast<std::uint32_t>(wide);
            if (plan == VectorPlan::two_hop) {
                walk_over_passing(now);
            } else if (!walk_over_all(k, now, passing, recall)) {
                break;
            }
            best_of_beam(arrays_, index_.coder_, room_.query, index_.compare_exact_, index_.parameters_.codes, k,
                         room_.search, [&](std::uint32_t row) { return filter_.passes(row); },
                         [&](std::uint32_t row) { return place(row); }, room_.found);
            const std::uint64_t expected =
                filter_.counts_exactly() ? std::min<std::uint64_t>(k, passing) : k;
            if (room_.found.size() >= expected) return now;
            if (2 * wide * k_compared_for_each_in_view >= rows) break;
        }
        scan(k);
        return 0;
    }

private:
    std::uint32_t place(std::uint32_t row) const {
        const std::uint32_t found = index_.sections_.places[row];
        if (found >= index_.shape_.rows) [[unlikely]] CartridgeBlocks::outside();
        return found;
    }

    VectorPlan plan_for(std::uint64_t passing, std::uint32_t width, bool exhaustive) const {
        using namespace vector_search_impl;
        const std::uint64_t rows = index_.shape_.rows;
        const double part = rows == 0 ? 0 : static_cast<double>(passing) / static_cast<double>(rows);
        if (exhaustive || rows <= std::uint64_t{k_compared_for_each_in_view} * width) return VectorPlan::scan;
        if (filter_.by_user() && (passing <= k_always_compared || part <= k_small_part)) return VectorPlan::scan;
        return part < k_large_part ? VectorPlan::two_hop : VectorPlan::walk;
    }

    /// As much wider as rows are fewer that pass, and where the query is far. False: to compare all costs less.
    bool walk_over_all(std::uint32_t k, std::uint32_t width, std::uint64_t passing, double recall) {
        const std::uint64_t rows = index_.shape_.rows;
        const auto among = [&](std::uint64_t wide) {
            return passing == 0 ? rows : (wide * rows + passing - 1) / passing;
        };
        walk_to(walk_, room_.search, static_cast<std::uint32_t>(std::min(among(width), rows)));
        double far = 0;
        if (recall > 0) {
            far = index_.far_.part_of(nearness_of(walk_, index_.coder_, room_.query, room_.search.beam, room_.row));
        }
        if (far > 0) {
            const std::uint32_t most = index_.far_.width_for(recall, k, width);
            if (most == 0) return false;
            const double ratio = static_cast<double>(most) / static_cast<double>(width);
            const auto widest = static_cast<std::uint64_t>(width * std::pow(ratio, far));
            if (among(widest) * k_compared_for_each_in_view >= rows) return false;
            if (widest > width) walk_to(walk_, room_.search, static_cast<std::uint32_t>(among(widest)));
        }
        if (far > 0 || all_are_alike()) walk_on_from_sample(walk_, room_.search, room_.best);
        return true;
    }
    bool all_are_alike() const {
        const Beam& beam = room_.search.beam;
        if (!beam.full() || beam.size() < 2) return false;
        // Numbers of bits are alike as a rule.
        if (index_.coder_.codes().kind == DistanceKind::bits) return false;
        const double near = index_.coder_.distance_of_codes(beam.distance(0));
        const double far = index_.coder_.distance_of_codes(beam.distance(beam.size() - 1));
        return far - near < std::abs(near) * vector_search_impl::k_alike;
    }
    void walk_over_passing(std::uint32_t width) {
        SearchRoom& search = room_.search;
        search.beam.reset(width);
        search.seen.reset(index_.shape_.rows);
        if (index_.shape_.rows == 0) return;
        const std::uint32_t nearest = descend(walk_, search, index_.shape_.level_counts.size(), 0).second;
        room_.filtered.clear();
        search.seen.make_room(k_starts + 1);
        add_starts();
        if (search.seen.insert(nearest) && filter_.passes(nearest)) room_.filtered.push_back(nearest);
        gather_passing(nearest);
        compare_filtered();
        for (std::uint32_t row = 0; search.beam.next(row);) {
            room_.filtered.clear();
            gather_passing(row);
            compare_filtered();
        }
    }
    /// Rows that pass, from all over, so that a walk cannot be shut in.
    void add_starts() {
        using namespace vector_search_impl;
        const std::uint32_t rows = index_.shape_.rows;
        for (std::uint32_t i = 0; i < k_starts; ++i) {
            const auto first = static_cast<std::uint32_t>(std::uint64_t{i} * rows / k_starts);
            for (std::uint32_t row = first; row < rows && row < first + k_looked_at_for_a_start; ++row) {
                if (!filter_.passes(row)) continue;
                if (room_.search.seen.insert(row)) room_.filtered.push_back(row);
                break;
            }
        }
    }
    /// Rows linked to one that pass, and those that are linked to the others of its links.
    void gather_passing(std::uint32_t row) {
        const std::size_t links = index_.shape_.links;
        room_.search.seen.make_room(links * (links + 1) + 1);
        for (const std::uint32_t other : walk_.links(0, row)) {
            if (!known(other)) break;
            if (!room_.search.seen.insert(other)) continue;
            if (filter_.passes(other)) {
                room_.filtered.push_back(other);
                continue;
            }
            for (const std::uint32_t second : walk_.links(0, other)) {
                if (!known(second)) break;
                if (filter_.passes(second) && room_.search.seen.insert(second)) room_.filtered.push_back(second);
            }
        }
    }
    /// False: the list ends.
    bool known(std::uint32_t row) const {
        if (row < index_.shape_.rows) return true;
        if (row != k_no_row) CartridgeBlocks::outside();
        return false;
    }
    void compare_filtered() {
        SearchRoom& search = room_.search;
        search.reserve(room_.filtered.size());
        for (const std::uint32_t row : room_.filtered) walk_.fetch(row);
        walk_.compare(room_.filtered.data(), room_.filtered.size(), search.distances.data());
        for (std::size_t i = 0; i < room_.filtered.size(); ++i) {
            search.beam.insert(search.distances[i], room_.filtered[i]);
        }
    }

    /// Compares every row that passes.
    void scan(std::uint32_t k) {
        const std::uint32_t rows = index_.shape_.rows;
        room_.nearest.reset(std::min(k, rows));
        room_.search.reserve(k_compared_at_once);
        if (const CodeErrors* const errors = index_.errors(filter_.count())) scan_by_codes(k, *errors);
        else scan_exactly();
        room_.found.clear();
        for (const std::uint64_t item : room_.nearest.sorted()) {
            const std::uint32_t row = index_.sections_.rows[static_cast<std::uint32_t>(item)];
            if (row >= rows) CartridgeBlocks::outside();
            room_.found.push_back({static_cast<std::uint32_t>(item >> 32), row});
        }
    }
    /// Puts rows from `row` on that pass into room.ids, as many as are compared at once, of those before `end`.
    std::size_t gather_next(std::uint32_t& row, std::uint32_t end) {
        const bool all = filter_.all_pass();
        std::size_t count = 0;
        for (; row < end && count < k_compared_at_once; ++row) {
            if (all || filter_.passes(row)) room_.search.ids[count++] = row;
        }
        return count;
    }
    /// Those in room.ids.
    void insert_exactly(std::size_t count) {
        SearchRoom& search = room_.search;
        compare_exactly(arrays_, index_.coder_.exact(), room_.query.exact, index_.compare_exact_, search, count);
        for (std::size_t i = 0; i < count; ++i) {
            // Of equal ones, those whose keys come first.
            room_.nearest.insert(search.distances[i], place(search.ids[i]));
        }
    }
    void scan_exactly() {
        const std::uint32_t rows = index_.shape_.rows;
        for (std::uint32_t row = 0; row < rows;) insert_exactly(gather_next(row, rows));
    }

    /// Codes are shorter, so that they are compared first, and exact forms of those rows alone that may be near enough.
    void scan_by_codes(std::uint32_t k, const CodeErrors& errors) {
        using namespace vector_search_impl;
        const CodeLimits limits(index_.coder_, errors, room_.query);
        const std::uint32_t rows = index_.shape_.rows;
        room_.limits.resize(errors.groups());
        std::vector<std::uint64_t>& coded = room_.coded;
        for (std::uint32_t first = 0; first < rows;) {
            const std::uint32_t end = rows - first > k_coded_at_once ? first + k_coded_at_once : rows;
            coded.clear();
            for (std::uint32_t row = first; row < end;) {
                const std::size_t count = gather_next(row, end);
                walk_.compare(room_.search.ids.data(), count, room_.search.distances.data());
                for (std::size_t i = 0; i < count; ++i) {
                    coded.push_back(std::uint64_t{room_.search.distances[i]} << 32 | room_.search.ids[i]);
                }
            }
            auto rest = coded.begin();
            if (!room_.nearest.full()) {
                rest += static_cast<std::ptrdiff_t>(std::min(coded.size(), std::size_t{k} + k_compared_at_once));
                std::nth_element(coded.begin(), rest, coded.end());
                insert_near(coded.begin(), rest, [](std::uint64_t) { return true; });
            }
            room_.nearest.settle();
            const bool full = room_.nearest.full();
            if (full) find_limits(limits, first, end);
            insert_near(rest, coded.end(), [&](std::uint64_t item) {
                const std::uint32_t group = static_cast<std::uint32_t>(item) >> CodeErrors::k_group_shift;
                return !full || item >> 32 <= room_.limits[group];
            });
            room_.nearest.settle();
            first = end;
        }
    }
    void find_limits(const CodeLimits& limits, std::uint32_t first, std::uint32_t end) {
        const double farthest = index_.coder_.distance_of_exact(room_.nearest.farthest());
        for (std::uint32_t group = first >> CodeErrors::k_group_shift;
             group <= (end - 1) >> CodeErrors::k_group_shift; ++group) {
            room_.limits[group] = limits.of_group(group, farthest);
        }
    }
    template <class Iterator, class Wanted>
    void insert_near(Iterator from, Iterator to, Wanted&& wanted) {
        std::size_t count = 0;
        for (; from != to; ++from) {
            if (!wanted(*from)) continue;
            room_.search.ids[count++] = static_cast<std::uint32_t>(*from);
            if (count < k_compared_at_once) continue;
            insert_exactly(count);
            count = 0;
        }
        insert_exactly(count);
    }

    const VectorIndex& index_;
    const Arrays& arrays_;
    QueryRoom& room_;
    const vector_search_impl::RowFilter& filter_;
    const VectorWalk<Arrays> walk_;
};

namespace vector_search_impl {

/// The nearest of the vectors that came since the artifact, into room.found_since, nearest first. `exactly`: by their
/// exact form; else by their codes first, and those that are farther than what was compared again in the artifact are
/// not compared again either.
void search_overlay(const VectorIndex& index, const RowFilter& filter, std::uint32_t k, bool exactly, QueryRoom& room) {
    room.found_since.clear();
    if (!index.overlay()) return;
    const VectorOverlay& overlay = *index.overlay();
    const VectorCoder& coder = index.coder();
    const auto came = static_cast<std::uint32_t>(overlay.keys.size());
    const bool again = coder.has_exact() && !exactly;
    const RowForm& form = again ? coder.codes() : coder.exact();
    const void* const query = again ? room.query.codes : room.query.exact;
    const unsigned char* const exact = coder.has_exact() ? overlay.exact.data() : overlay.codes.data();
    const DistanceFunction compare = distance_function(form.kind);
    SearchRoom& search = room.search;
    const std::uint32_t farthest = again ? search.farthest : ~std::uint32_t{0};
    search.reserve(k_compared_at_once);
    room.best.reset(std::min(k, came));
    Beam& nearest = again ? search.beam : room.best;
    if (again) search.beam.reset(rows_to_compare_again(index.parameters().codes, k, came));
    for (std::uint32_t row = 0; row < came;) {
        std::size_t count = 0;
        for (; row < came && count < k_compared_at_once; ++row) {
            if (filter.passes(index.shape().rows + row)) search.ids[count++] = row;
        }
        compare(query, again ? overlay.codes.data() : exact, form.stride, form.length, search.ids.data(), count,
                search.distances.data());
        for (std::size_t i = 0; i < count; ++i) {
            if (search.distances[i] <= farthest) nearest.insert(search.distances[i], search.ids[i]);
        }
    }
    if (again) {
        search.reserve(nearest.size());
        for (std::size_t i = 0; i < nearest.size(); ++i) search.ids[i] = nearest.row(i);
        distance_function(coder.exact().kind)(room.query.exact, exact, coder.exact().stride, coder.exact().length,
                                              search.ids.data(), nearest.size(), search.distances.data());
        for (std::size_t i = 0; i < nearest.size(); ++i) room.best.insert(search.distances[i], search.ids[i]);
    }
    for (std::size_t i = 0; i < room.best.size(); ++i) {
        room.found_since.push_back({room.best.distance(i), index.shape().rows + room.best.row(i)});
    }
}

/// Joins what was found in artifact and overlay: by distance, then by key.
void join(const VectorIndex& index, std::uint32_t k, const QueryRoom& room, VectorAnswer& answer) {
    auto old = room.found.begin();
    auto since = room.found_since.begin();
    const auto add = [&](const FoundRow& found) {
        answer.rows.push_back({found.row, index.key(found.row), index.coder().distance_of_exact(found.distance)});
    };
    answer.rows.reserve(std::min<std::size_t>(k, room.found.size() + room.found_since.size()));
    while (answer.rows.size() < k && (old != room.found.end() || since != room.found_since.end())) {
        const bool both = old != room.found.end() && since != room.found_since.end();
        bool take_old = old != room.found.end();
        if (both && old->distance != since->distance) take_old = old->distance < since->distance;
        else if (both) take_old = index.key(old->row) < index.key(since->row);
        add(take_old ? *old++ : *since++);
    }
}

}  // namespace vector_search_impl

VectorAnswer VectorIndex::search(const Embedding& query, std::uint32_t k, const VectorSearch& options,
                                 std::optional<VectorPlan> plan) const {
    using namespace vector_search_impl;
    check_query(parameters_, query, k, options);
    k = std::min(k, k_most_rows);  // there are no more
    sections_.head.span(0, 1);  // is the database still open?
    std::unique_ptr<QueryRoom> room;
    {
        const std::lock_guard lock(rooms_mutex_);
        if (!rooms_.empty()) {
            room = std::move(rooms_.back());
            rooms_.pop_back();
        }
    }
    if (room == nullptr) room = std::make_unique<QueryRoom>();
    coder_.prepare(query.elements(), room->query);
    const RowFilter filter(*this, options.filter, *room);
    const std::uint32_t width = std::max(options.width ? *options.width : width_for(options.recall, k), k);
    const bool small = are_few_rows(shape_.rows, coder_);
    const double recall = options.width || plan ? 0 : options.recall;
    const bool exhaustive = options.exhaustive || (!options.width && (options.recall >= 1 || small));

    const auto run = [&](const auto& arrays) {
        VectorSearcher<std::decay_t<decltype(arrays)>> searcher(*this, arrays, *room, filter);
        return searcher.run(k, width, exhaustive, recall, plan);
    };
    VectorAnswer answer;
    const RawVectors* const raw = raw_.load(std::memory_order_acquire);
    if (raw != nullptr) {
        answer.width = run(*raw);
    } else {
        answer.width = run(checked());
        verify_more();
    }
    search_overlay(*this, filter, k, answer.width == 0, *room);
    join(*this, k, *room, answer);
    answer.exact = answer.width == 0 && parameters_.exact();
    answer.expected_recall = answer.width == 0 ? 1 : recall_of_width(curve_, answer.width, k);
    answer.stale_by = stale_by_;
    const std::lock_guard lock(rooms_mutex_);
    rooms_.push_back(std::move(room));
    return answer;
}

}  // namespace northstar::inline v0::detail
