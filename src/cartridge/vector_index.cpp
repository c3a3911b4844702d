#include "cartridge/vector_index.hpp"

#include "base/error.hpp"
#include "cartridge/vector_build.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace northstar::inline v0::detail {

namespace vector_index_impl {

/// Bytes that a search verifies beside what it needs.
constexpr std::uint64_t k_verified_by_a_search = std::uint64_t{256} << 10;

[[noreturn]] void do_not_fit(const Cartridge& cartridge) {
    fail(Errc::corrupt, "the sections of the cartridge '" + cartridge.info().name +
                            "' do not belong together; build it again");
}

/// Those of an artifact were checked when it was built.
VectorParameters parameters_of(const Cartridge& cartridge) {
    try {
        return read_vector_parameters(cartridge.info().parameters);
    } catch (const Error& error) {
        if (error.code() != Errc::invalid_argument) throw;
        do_not_fit(cartridge);
    }
}

float scale_of(const Cartridge& cartridge, const VectorSections& sections) {
    if (sections.head.size() == 0) do_not_fit(cartridge);
    const float scale = std::bit_cast<float>(sections.head[0]);
    if (!std::isfinite(scale) || scale <= 0) do_not_fit(cartridge);
    return scale;
}

std::vector<float> mean_of(const Cartridge& cartridge, const VectorSections& sections,
                           const VectorParameters& parameters) {
    const std::uint64_t expected = parameters.codes == VectorCodes::bit ? parameters.space.dimensions : 0;
    if (sections.mean.size() != expected) do_not_fit(cartridge);
    std::vector<float> mean;
    for (const std::uint32_t bits : sections.mean.all()) mean.push_back(std::bit_cast<float>(bits));
    return mean;
}

void read_curve(std::span<const std::uint32_t> numbers, std::vector<RecallOfWidth>& curve) {
    for (std::size_t i = 0; i < numbers.size(); i += 3) curve.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
}

VectorShape shape_of(const Cartridge& cartridge, const VectorSections& sections, const VectorParameters& parameters) {
    const std::uint64_t rows = sections.places.size();
    if (rows > k_most_rows) do_not_fit(cartridge);
    VectorShape shape;
    shape.rows = static_cast<std::uint32_t>(rows);
    shape.links = parameters.links;
    std::vector<std::uint32_t> counts;
    std::uint64_t last = rows;
    for (const std::uint32_t count : sections.head.span(1, sections.head.size() - 1)) {
        if (count == 0 || count > last) do_not_fit(cartridge);
        last = count;
        counts.push_back(count);
    }
    shape.set_levels(std::move(counts));
    const std::uint64_t stride = code_stride(parameters.codes, parameters.space.dimensions);
    const std::uint64_t exact_stride = code_stride(parameters.rerank, parameters.space.dimensions);
    const bool fits = sections.codes.size() == rows * stride && sections.exact.size() == rows * exact_stride &&
                      sections.links.size() == rows * shape.links &&
                      sections.upper_links.size() == shape.level_starts.back() &&
                      sections.key_offsets.size() == rows + 1 && sections.rows.size() == rows &&
                      sections.recall.size() % 3 == 0;
    if (!fits) do_not_fit(cartridge);
    return shape;
}

}  // namespace vector_index_impl

VectorSections::VectorSections(const Cartridge& cartridge)
    : head(cartridge.section<std::uint32_t>(k_vector_head)), codes(cartridge.section<std::uint8_t>(k_vector_codes)),
      links(cartridge.section<std::uint32_t>(k_vector_links)),
      upper_links(cartridge.section<std::uint32_t>(k_vector_upper_links)),
      exact(cartridge.section<std::uint8_t>(k_vector_exact)),
      key_offsets(cartridge.section<std::uint32_t>(k_vector_key_offsets)),
      key_bytes(cartridge.section<std::uint8_t>(k_vector_key_bytes)),
      places(cartridge.section<std::uint32_t>(k_vector_places)), rows(cartridge.section<std::uint32_t>(k_vector_rows)),
      recall(cartridge.section<std::uint32_t>(k_vector_recall)), mean(cartridge.section<std::uint32_t>(k_vector_mean)) {
}

VectorIndex::VectorIndex(const Cartridge& cartridge)
    : parameters_(vector_index_impl::parameters_of(cartridge)), sections_(cartridge),
      shape_(vector_index_impl::shape_of(cartridge, sections_, parameters_)),
      coder_(parameters_, vector_index_impl::scale_of(cartridge, sections_),
             vector_index_impl::mean_of(cartridge, sections_, parameters_)),
      compare_codes_(distance_function(coder_.codes().kind)), compare_exact_(distance_function(coder_.exact().kind)) {
    using namespace vector_index_impl;
    const std::span<const std::uint32_t> recall = sections_.recall.all();
    read_curve(recall, curve_);
    // Older artifacts of this version of the kind have no such section.
    if (cartridge.has_section(k_vector_far)) {
        const Section<std::uint32_t> section = cartridge.section<std::uint32_t>(k_vector_far);
        const std::span<const std::uint32_t> far = section.all();
        if (far.size() % 3 != 1) do_not_fit(cartridge);
        far_.usual_nearness = far[0] / 1e6;
        read_curve(far.subspan(1), far_.curve);
    }
    if (cartridge.answers() == Cartridge::Answers::overlay) add_changes(cartridge);
    if (cartridge.answers() == Cartridge::Answers::stale) stale_by_ = cartridge.lag();
}

std::shared_ptr<const VectorIndex> VectorIndex::of(const Cartridge& cartridge) {
    // What a cartridge keeps must not keep the cartridge, so both are kept by who holds the pointer.
    struct Kept {
        Cartridge cartridge;
        std::shared_ptr<const VectorIndex> index;
    };
    const auto make = [&]() -> std::shared_ptr<const void> { return std::make_shared<VectorIndex>(cartridge); };
    auto kept = std::make_shared<Kept>(
        Kept{cartridge, std::static_pointer_cast<const VectorIndex>(cartridge.derived("vectors", make))});
    const VectorIndex* const index = kept->index.get();
    return {std::move(kept), index};
}

void VectorIndex::add_changes(const Cartridge& cartridge) {
    VectorOverlay& overlay = overlay_.emplace();
    overlay.gone.resize(shape_.rows / 64 + 1);
    const std::size_t stride = coder_.codes().stride;
    const std::size_t exact_stride = coder_.exact().stride;
    std::vector<float> numbers;
    for (const FactChange& change : cartridge.changes()) {
        if (change.before) {
            const std::optional<VectorId> row = find(change.key);
            // The artifact holds what was there before, unless that says nothing; else it is not the one of that state.
            if (!row && !change.before->empty()) vector_index_impl::do_not_fit(cartridge);
            if (row) {
                overlay.gone[*row / 64] |= std::uint64_t{1} << (*row % 64);
                ++overlay.gone_count;
            }
        }
        if (!change.after) continue;
        const std::string_view elements = parse_vector_value(*change.after).elements;
        overlay.keys.push_back(change.key);
        const std::size_t count = overlay.keys.size();
        overlay.codes.resize(count * stride);
        coder_.write_codes(elements, overlay.codes.data() + (count - 1) * stride, numbers);
        if (!coder_.has_exact()) continue;
        overlay.exact.resize(count * exact_stride);
        coder_.write_exact(numbers, overlay.exact.data() + (count - 1) * exact_stride);
    }
    if (overlay.keys.size() > k_most_rows - shape_.rows) {
        fail(Errc::unsupported, "there are too many vectors for one cartridge; divide them among trees");
    }
    came_ = static_cast<std::uint32_t>(overlay.keys.size());
}

std::string_view VectorIndex::key_at(std::uint32_t place) const {
    const std::span<const std::uint32_t> bounds = sections_.key_offsets.span(place, 2);
    const std::span<const std::uint8_t> key =
        sections_.key_bytes.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::string_view VectorIndex::key(VectorId id) const {
    return id < shape_.rows ? key_at(sections_.places[id]) : overlay_->keys[id - shape_.rows];
}

std::optional<VectorId> VectorIndex::find(std::string_view wanted) const {
    if (overlay_) {
        const auto came = std::lower_bound(overlay_->keys.begin(), overlay_->keys.end(), wanted);
        if (came != overlay_->keys.end() && *came == wanted) {
            return shape_.rows + static_cast<VectorId>(came - overlay_->keys.begin());
        }
    }
    std::uint32_t low = 0;
    std::uint32_t high = shape_.rows;
    while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        const int order = key_at(middle).compare(wanted);
        if (order == 0) {
            const std::uint32_t row = sections_.rows[middle];
            if (row >= shape_.rows) CartridgeBlocks::outside();
            if (!contains(row)) return std::nullopt;
            return row;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return std::nullopt;
}

std::uint32_t VectorIndex::width_for(double recall, std::uint32_t k) const {
    const std::uint32_t found = width_for_recall(curve_, recall, k);
    if (found != 0) return found;
    // Nothing that was measured is enough: as wide as the widest, and wide enough for few rows; or, where wider walks
    // would cost more than to compare all rows, as wide as makes a search do that.
    const std::uint32_t widest = widest_of(curve_, shape_.rows);
    return std::max(widest, k <= ~0u / 2 ? 2 * k : k);
}

CheckedVectors VectorIndex::checked() const {
    return {&shape_, &sections_.codes, coder_.has_exact() ? &sections_.exact : &sections_.codes, &sections_.links,
            &sections_.upper_links};
}

/// Those of the codes, once more rows were compared exactly than finding them costs; else nullptr.
const CodeErrors* VectorIndex::errors(std::uint64_t compared) const {
    if (const CodeErrors* const made = errors_.load(std::memory_order_acquire)) return made;
    if (!coder_.has_exact() || parameters_.codes == VectorCodes::bit) return nullptr;
    if (compared_.fetch_add(compared) < 2 * std::uint64_t{shape_.rows}) return nullptr;
    const std::unique_lock lock(errors_mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return nullptr;  // another search makes them
    if (errors_.load() == nullptr) {
        kept_errors_ = std::make_unique<CodeErrors>(coder_, shape_.rows, sections_.codes.all().data(),
                                                    sections_.exact.all().data());
        errors_.store(kept_errors_.get(), std::memory_order_release);
    }
    return kept_errors_.get();
}

void VectorIndex::verify_more() const {
    const auto bytes = [](const auto& section, std::size_t width) { return section.size() * width; };
    const std::uint64_t sizes[] = {bytes(sections_.codes, 1), bytes(sections_.links, 4),
                                   bytes(sections_.upper_links, 4), bytes(sections_.exact, 1),
                                   bytes(sections_.places, 4)};
    std::uint64_t all = 0;
    for (const std::uint64_t size : sizes) all += size;
    std::uint64_t from = verified_.fetch_add(vector_index_impl::k_verified_by_a_search);
    std::uint64_t left = vector_index_impl::k_verified_by_a_search;
    if (from < all) {
        for (std::size_t i = 0; i < 5 && left != 0; ++i) {
            if (from >= sizes[i]) {
                from -= sizes[i];
                continue;
            }
            const std::uint64_t now = std::min(left, sizes[i] - from);
            const auto look = [&](const auto& section, std::uint64_t width) {
                section.span(from / width, (from + now + width - 1) / width - from / width);
            };
            if (i == 0) look(sections_.codes, 1);
            if (i == 1) look(sections_.links, 4);
            if (i == 2) look(sections_.upper_links, 4);
            if (i == 3) look(sections_.exact, 1);
            if (i == 4) look(sections_.places, 4);
            left -= now;
            from = 0;
        }
        if (left == 0) return;
    }
    // All were looked at by somebody; the last may not be done, so that each is looked at again.
    const std::lock_guard lock(raw_mutex_);
    if (raw_.load() != nullptr) return;
    sections_.places.all();
    raw_arrays_.shape = &shape_;
    raw_arrays_.codes = sections_.codes.all().data();
    raw_arrays_.exact = coder_.has_exact() ? sections_.exact.all().data() : raw_arrays_.codes;
    raw_arrays_.links_of_rows = sections_.links.all().data();
    raw_arrays_.upper_links = sections_.upper_links.all().data();
    raw_.store(&raw_arrays_, std::memory_order_release);
}

namespace vector_index_impl {

std::string problem_of_keys(const VectorIndex& index) {
    const VectorSections& sections = index.sections();
    std::uint32_t last = 0;
    for (const std::uint32_t offset : sections.key_offsets.all()) {
        if (offset < last) return "its keys have bounds that are not in order";
        last = offset;
    }
    if (sections.key_offsets[0] != 0 || last != sections.key_bytes.size()) return "its keys do not fill their place";
    const std::uint32_t rows = index.shape().rows;
    for (std::uint32_t place = 0; place < rows; ++place) {
        if (place != 0 && index.key_at(place - 1) >= index.key_at(place)) return "its keys are not in order";
        const std::uint32_t row = sections.rows[place];
        if (row >= rows || sections.places[row] != place) return "its rows are not numbered as their keys are";
    }
    return {};
}

/// A list names other rows below `rows`, each once, and ends once.
std::string problem_of_links(std::span<const std::uint32_t> links, std::uint32_t row, std::uint32_t rows) {
    bool ended = false;
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (links[i] == k_no_row) {
            ended = true;
            continue;
        }
        if (ended || links[i] >= rows || links[i] == row) return "a row has a link that it cannot have";
        if (std::find(links.begin(), links.begin() + static_cast<std::ptrdiff_t>(i), links[i]) !=
            links.begin() + static_cast<std::ptrdiff_t>(i)) {
            return "a row has a link twice";
        }
    }
    return {};
}

std::string problem_of_graph(const VectorIndex& index) {
    const VectorShape& shape = index.shape();
    std::string problem;
    for (std::uint32_t row = 0; row < shape.rows && problem.empty(); ++row) {
        problem = problem_of_links(index.sections().links.span(std::uint64_t{row} * shape.links, shape.links), row,
                                   shape.rows);
    }
    const std::uint32_t upper = shape.links / 2;
    for (std::size_t level = 0; level < shape.level_counts.size(); ++level) {
        for (std::uint32_t row = 0; row < shape.level_counts[level] && problem.empty(); ++row) {
            const std::uint64_t at = shape.level_starts[level] + std::uint64_t{row} * upper;
            problem = problem_of_links(index.sections().upper_links.span(at, upper), row, shape.level_counts[level]);
        }
    }
    return problem;
}

std::string problem_of_curve(std::span<const RecallOfWidth> curve) {
    std::uint32_t last = 0;
    for (const RecallOfWidth& point : curve) {
        if (point.width <= last || point.of_10 > 1'000'000 || point.of_100 > 1'000'000) {
            return "what was measured of its recall cannot be";
        }
        last = point.width;
    }
    return {};
}

}  // namespace vector_index_impl

std::string problem_of_vectors(const Cartridge& cartridge) {
    using namespace vector_index_impl;
    const VectorIndex index(cartridge);
    std::string problem = problem_of_keys(index);
    if (problem.empty()) problem = vector_index_impl::problem_of_graph(index);
    if (problem.empty()) problem = problem_of_curve(index.curve());
    if (problem.empty()) problem = problem_of_curve(index.far().curve);
    return problem;
}

}  // namespace northstar::inline v0::detail
