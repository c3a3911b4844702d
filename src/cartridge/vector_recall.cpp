#include "cartridge/vector_recall.hpp"

#include "base/random.hpp"
#include "cartridge/vector_nearness.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::detail {

namespace vector_recall_impl {

constexpr std::size_t k_samples = 200;
constexpr std::size_t k_nearest = 100;
constexpr std::size_t k_nearest_few = 10;
constexpr std::uint32_t k_millionths = 1'000'000;
constexpr std::uint32_t k_enough = 999'500;
constexpr std::uint32_t k_widest = 4096;
/// Of the searches for rows, this many in 200 come less near than the others, and are called far as well: they find
/// less than others, too.
constexpr std::size_t k_least_near = 3;
/// As far as that is a query that comes so many times less near.
constexpr double k_surely_far = 1.15;
constexpr std::size_t k_far_samples = 48;
constexpr std::size_t k_fewest_far_samples = 8;
constexpr std::size_t k_parts = 64;  // of a far sample, each of another row
constexpr std::uint32_t k_least_far_width = 32;
constexpr std::uint32_t k_wider_if_far = 8;
constexpr std::uint64_t k_far_seed = 0x66617220717565;

/// 10, 12, 15, 19 ...: each a quarter more.
std::uint32_t wider(std::uint32_t width) { return width + std::max(width / 4, 2u); }

bool found_enough(const RecallOfWidth& point) { return point.of_10 >= k_enough && point.of_100 >= k_enough; }

struct Sample {
    std::uint32_t row = k_no_row;  // that is left out
    PreparedQuery query;
    std::vector<FoundRow> nearest;
    double nearness = k_unknown_nearness;
};

class Measurement {
public:
    Measurement(CartridgeBuild& build, const RawVectors& arrays, const VectorCoder& coder, VectorCodes codes,
                std::span<const std::uint32_t> places)
        : build_(build), arrays_(arrays), coder_(coder), codes_(codes), places_(places),
          compare_codes_(distance_function(coder.codes().kind)), compare_exact_(distance_function(coder.exact().kind)) {
    }

    MeasuredRecall run() {
        MeasuredRecall measured;
        const std::uint32_t widest = std::min(k_widest, arrays_.shape->rows / k_compared_for_each_in_view);
        if (widest > k_nearest_few) choose_samples();
        for (std::uint32_t width = k_nearest_few; width < widest && !samples_.empty(); width = wider(width)) {
            build_.progress("measuring recall", width, widest);
            measured.curve.push_back(measure(samples_, width, false));
            if (found_enough(measured.curve.back())) break;
        }
        measured.far.usual_nearness = 0;
        if (!measured.curve.empty() && !are_few_rows(arrays_.shape->rows, coder_)) measure_far(measured.far, widest);
        return measured;
    }

private:
    std::uint32_t place(std::uint32_t row) const { return places_[row]; }

    void choose_samples() {
        const std::uint32_t rows = arrays_.shape->rows;
        if (rows <= k_nearest + 1) return;
        std::vector<std::uint32_t> rows_of_places(rows);
        for (std::uint32_t row = 0; row < rows; ++row) rows_of_places[places_[row]] = row;
        const std::size_t count = std::min<std::size_t>(k_samples, rows);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t row = rows_of_places[(2 * i + 1) * rows / (2 * count)];
            if (row == 0) continue;  // searches begin there: it cannot be left out
            samples_.emplace_back().row = row;
        }
        build_.parallel(samples_.size(), [&](std::size_t i) { find_truth(samples_[i]); });
    }

    void measure_far(FarQueries& far, std::uint32_t widest) {
        std::vector<double> nearness;
        for (const Sample& sample : samples_) {
            if (sample.nearness != k_unknown_nearness) nearness.push_back(sample.nearness);
        }
        if (nearness.size() != samples_.size()) return;
        const std::size_t least = k_least_near * nearness.size() / k_samples;
        std::nth_element(nearness.begin(), nearness.begin() + static_cast<std::ptrdiff_t>(least), nearness.end());
        far.usual_nearness = std::floor(nearness[least] * k_millionths) / k_millionths;
        choose_far_samples(far);
        if (far_samples_.size() < k_fewest_far_samples) return;
        for (std::uint32_t width = k_least_far_width; width < widest; width *= 2) {
            build_.progress("measuring recall of far queries", width, widest);
            far.curve.push_back(measure(far_samples_, width, true));
            if (found_enough(far.curve.back())) break;
        }
    }

    /// Queries among the rows but unlike them: parts of as many rows, and middles between two rows. Of these,
    /// what is surely far.
    void choose_far_samples(const FarQueries& far) {
        std::vector<Sample> samples(k_far_samples);
        build_.parallel(samples.size(), [&](std::size_t i) {
            Random random(k_far_seed + i);
            const auto draw = [&](std::vector<float>& numbers) {
                const auto row = random.next() % arrays_.shape->rows;
                coder_.numbers_of_row(arrays_.codes + row * coder_.codes().stride,
                                      arrays_.exact + row * coder_.exact().stride, numbers);
            };
            std::vector<float> numbers;
            std::vector<float>& mixed = samples[i].query.numbers;
            draw(mixed);
            const std::size_t part = i % 2 == 0 ? mixed.size() : (mixed.size() + k_parts - 1) / k_parts;
            for (std::size_t first = 0; first < mixed.size(); first += part) {
                draw(numbers);
                for (std::size_t j = first; j < std::min(mixed.size(), first + part); ++j) {
                    mixed[j] = i % 2 == 0 ? (mixed[j] + numbers[j]) / 2 : numbers[j];
                }
            }
            if (coder_.metric() == VectorMetric::cosine) normalise_vector(mixed);
            coder_.prepare_numbers(samples[i].query);
            SearchRoom room;
            walk(samples[i], k_nearest_few, false, room);
        });
        for (Sample& sample : samples) {
            if (far.part_of(sample.nearness) >= 1) far_samples_.push_back(std::move(sample));
        }
        build_.parallel(far_samples_.size(), [&](std::size_t i) { find_nearest(far_samples_[i]); });
    }

    void find_truth(Sample& sample) const {
        coder_.query_of_row(arrays_.codes + std::uint64_t{sample.row} * coder_.codes().stride,
                            coder_.has_exact() ? arrays_.exact + std::uint64_t{sample.row} * coder_.exact().stride
                                               : nullptr,
                            sample.query);
        find_nearest(sample);
    }
    void find_nearest(Sample& sample) const {
        const std::uint32_t rows = arrays_.shape->rows;
        std::vector<std::uint32_t> ids(256);
        std::vector<std::uint32_t> distances(256);
        Beam best;
        best.reset(k_nearest);
        for (std::uint32_t first = 0; first < rows; first += 256) {
            const std::uint32_t count = std::min(256u, rows - first);
            for (std::uint32_t i = 0; i < count; ++i) ids[i] = first + i;
            compare_exact_(sample.query.exact, arrays_.exact, coder_.exact().stride, coder_.exact().length, ids.data(),
                           count, distances.data());
            for (std::uint32_t i = 0; i < count; ++i) {
                if (ids[i] != sample.row) best.insert(distances[i], ids[i]);
            }
        }
        for (std::size_t i = 0; i < best.size(); ++i) sample.nearest.push_back({best.distance(i), best.row(i)});
    }

    RecallOfWidth measure(std::vector<Sample>& samples, std::uint32_t width, bool far) const {
        std::vector<std::uint32_t> hits_few(samples.size());
        std::vector<std::uint32_t> hits(samples.size());
        constexpr std::size_t per_task = 8;
        build_.parallel((samples.size() + per_task - 1) / per_task, [&](std::size_t task) {
            SearchRoom room;
            std::vector<FoundRow> found;
            const std::size_t end = std::min(samples.size(), (task + 1) * per_task);
            for (std::size_t i = task * per_task; i < end; ++i) {
                walk(samples[i], width, far, room);
                hits_few[i] = hits_of(samples[i], k_nearest_few, room, found);
                if (width >= k_nearest) hits[i] = hits_of(samples[i], k_nearest, room, found);
            }
        });
        const auto share = [&](const std::vector<std::uint32_t>& counts, std::size_t of) {
            std::uint64_t sum = 0;
            for (const std::uint32_t count : counts) sum += count;
            return static_cast<std::uint32_t>(sum * k_millionths / (of * counts.size()));
        };
        return {width, share(hits_few, k_nearest_few), share(hits, k_nearest)};
    }

    void walk(Sample& sample, std::uint32_t width, bool far, SearchRoom& room) const {
        const VectorWalk<RawVectors> walk{arrays_, coder_.codes(), sample.query.codes, compare_codes_};
        walk_to(walk, room, width, sample.row);
        if (width == k_nearest_few) {
            PreparedQuery row;
            sample.nearness = nearness_of(walk, coder_, sample.query, room.beam, row);
        }
        if (!far) return;
        Beam best;
        walk_on_from_sample(walk, room, best);
    }

    /// How many of the k nearest a walk found. A row as near as the last of the true ones counts as one of them.
    std::uint32_t hits_of(const Sample& sample, std::size_t k, SearchRoom& room, std::vector<FoundRow>& found) const {
        best_of_beam(arrays_, coder_, sample.query, compare_exact_, codes_, k, room,
                     [](std::uint32_t) { return true; }, [&](std::uint32_t row) { return place(row); }, found);
        const std::uint32_t farthest = sample.nearest[k - 1].distance;
        return static_cast<std::uint32_t>(std::count_if(
            found.begin(), found.end(), [&](const FoundRow& each) { return each.distance <= farthest; }));
    }

    CartridgeBuild& build_;
    const RawVectors& arrays_;
    const VectorCoder& coder_;
    const VectorCodes codes_;
    const std::span<const std::uint32_t> places_;
    const DistanceFunction compare_codes_;
    const DistanceFunction compare_exact_;
    std::vector<Sample> samples_;
    std::vector<Sample> far_samples_;
};

/// A share of the k nearest: between those of the 10 and of the 100 nearest.
double share_of(const RecallOfWidth& point, std::uint32_t k) {
    const double few = point.of_10;
    const double many = point.of_100;
    const double part = k <= k_nearest_few ? 0 : std::min(1.0, (k - 10.0) / 90.0);
    return (few + (many - few) * part) / k_millionths;
}

/// Beyond 100 rows the width grows with them.
double growth(std::uint32_t k) { return std::max(1.0, static_cast<double>(k) / k_nearest); }

}  // namespace vector_recall_impl

MeasuredRecall measure_recall(CartridgeBuild& build, const RawVectors& arrays, const VectorCoder& coder,
                              VectorCodes codes, std::span<const std::uint32_t> places) {
    return vector_recall_impl::Measurement(build, arrays, coder, codes, places).run();
}

bool are_few_rows(std::uint32_t rows, const VectorCoder& coder) {
    constexpr std::uint64_t k_few_bytes = std::uint64_t{1} << 20;  // of exact forms
    return coder.dimensions() > k_few_dimensions && std::uint64_t{rows} * coder.exact().stride <= k_few_bytes;
}

double FarQueries::part_of(double nearness) const {
    using namespace vector_recall_impl;
    if (nearness >= usual_nearness) return 0;
    const double surely = usual_nearness / k_surely_far;
    return nearness <= surely ? 1 : (usual_nearness - nearness) / (usual_nearness - surely);
}

std::uint32_t FarQueries::width_for(double recall, std::uint32_t k, std::uint32_t width) const {
    const std::uint32_t otherwise = vector_recall_impl::k_wider_if_far * width;
    return curve.empty() ? otherwise : width_for_recall(curve, recall, k);
}

std::uint32_t width_for_recall(std::span<const RecallOfWidth> curve, double recall, std::uint32_t k) {
    using namespace vector_recall_impl;
    const double few = std::min(k, 100u);
    double last_width = 0;
    double last_share = 0;
    for (const RecallOfWidth& point : curve) {
        const double share = share_of(point, k);
        if (share >= recall && point.width >= few) {
            // Between the last point and this one, on a straight line.
            const bool between = share > last_share && recall > last_share && last_width >= few;
            const double part = between ? (recall - last_share) / (share - last_share) : 1;
            const double width = last_width + (point.width - last_width) * part;
            return static_cast<std::uint32_t>(std::ceil(std::max(width, few) * growth(k)));
        }
        last_width = point.width;
        last_share = share;
    }
    return 0;
}

std::uint32_t widest_of(std::span<const RecallOfWidth> curve, std::uint32_t rows) {
    using namespace vector_recall_impl;
    const std::uint32_t all = rows / k_compared_for_each_in_view + 1;
    if (curve.empty()) return all;
    const RecallOfWidth& last = curve.back();
    return found_enough(last) || wider(last.width) < all ? last.width : all;
}

double recall_of_width(std::span<const RecallOfWidth> curve, std::uint32_t width, std::uint32_t k) {
    using namespace vector_recall_impl;
    const double comparable = width / growth(k);
    double last_width = 0;
    double last_share = 0;
    for (const RecallOfWidth& point : curve) {
        const double share = share_of(point, k);
        if (point.width >= comparable) {
            const double part = (comparable - last_width) / (point.width - last_width);
            return last_share + (share - last_share) * part;
        }
        last_width = point.width;
        last_share = share;
    }
    return last_share;
}

}  // namespace northstar::inline v0::detail
