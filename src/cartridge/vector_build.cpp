#include "cartridge/vector_build.hpp"

#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "cartridge/vector_graph.hpp"
#include "cartridge/vector_recall.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace northstar::inline v0::detail {

namespace vector_build_impl {

constexpr std::uint64_t k_level_seed = 0x766563746f727321;

/// What is known of the vectors before the first is written.
struct Survey {
    std::vector<std::uint64_t> hashes;
    std::vector<std::uint32_t> key_offsets{0};
    std::vector<std::uint8_t> key_bytes;
    float scale = 1;
    std::vector<float> mean;
};

Survey survey(CartridgeBuild& build, const VectorParameters& parameters) {
    Survey found;
    ScaleFinder scale;
    const bool bits = parameters.codes == VectorCodes::bit;
    std::vector<double> sums(bits ? parameters.space.dimensions : 0);
    VectorParameters plain = parameters;
    plain.codes = VectorCodes::i8;
    const VectorCoder coder(plain, 1, {});
    std::vector<float> numbers;
    build.each_fact([&](const Fact& fact) {
        if (found.hashes.size() == k_most_rows || found.key_bytes.size() + fact.key.size() > 0xffffffff) {
            fail(Errc::unsupported, "there are too many vectors for one cartridge; divide them among trees");
        }
        found.hashes.push_back(xxh64(fact.key.data(), fact.key.size(), k_level_seed));
        found.key_bytes.insert(found.key_bytes.end(), fact.key.begin(), fact.key.end());
        found.key_offsets.push_back(static_cast<std::uint32_t>(found.key_bytes.size()));
        if (parameters.native()) return;
        coder.numbers_of(parse_vector_value(fact.value).elements, numbers);
        scale.add(numbers);
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(numbers[i]);
    });
    if (!parameters.native()) found.scale = scale.scale(parameters.metric);
    const double rows = std::max(1.0, static_cast<double>(found.hashes.size()));
    for (const double sum : sums) found.mean.push_back(static_cast<float>(sum / rows));
    return found;
}

std::vector<std::uint32_t> inverse(const std::vector<std::uint32_t>& order) {
    std::vector<std::uint32_t> out(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i;
    return out;
}

}  // namespace vector_build_impl

void build_vectors(CartridgeBuild& build, const VectorParameters& parameters) {
    using namespace vector_build_impl;
    Survey survey = vector_build_impl::survey(build, parameters);
    const std::size_t rows = survey.hashes.size();
    const VectorCoder coder(parameters, survey.scale, survey.mean);
    // The graph is built on whole numbers, whatever a search compares; but few of them tell too few rows apart.
    VectorParameters linked = parameters;
    const bool as_floats = parameters.codes == VectorCodes::f32 && parameters.space.dimensions <= k_few_dimensions;
    if (linked.codes != VectorCodes::u8 && !as_floats) linked.codes = VectorCodes::i8;
    if (as_floats) linked.rerank = VectorCodes::none;
    const VectorCoder graph_coder(linked, survey.scale, {});

    // Facts are read once more for what searches compare: so it need not be in memory beside the graph.
    GraphInput input;
    input.codes.resize(rows * graph_coder.codes().stride);
    std::vector<float> numbers;
    std::size_t place = 0;
    build.each_fact([&](const Fact& fact) {
        const std::string_view elements = parse_vector_value(fact.value).elements;
        graph_coder.write_codes(elements, input.codes.data() + place++ * graph_coder.codes().stride, numbers);
    });
    input.hashes = std::move(survey.hashes);
    BuiltVectorGraph graph = build_vector_graph(build, input, graph_coder, parameters.links, parameters.build_width);

    std::vector<std::uint32_t> row_of_place = inverse(graph.order);
    std::vector<std::uint8_t> codes(rows * coder.codes().stride);
    std::vector<std::uint8_t> exact(coder.has_exact() ? rows * coder.exact().stride : 0);
    place = 0;
    build.each_fact([&](const Fact& fact) {
        const std::string_view elements = parse_vector_value(fact.value).elements;
        const std::size_t row = row_of_place[place++];
        coder.write_codes(elements, codes.data() + row * coder.codes().stride, numbers);
        if (coder.has_exact()) coder.write_exact(numbers, exact.data() + row * coder.exact().stride);
    });
    VectorShape shape;
    shape.rows = static_cast<std::uint32_t>(rows);
    shape.links = parameters.links;
    shape.set_levels(graph.level_counts);
    const RawVectors arrays{&shape, codes.data(), coder.has_exact() ? exact.data() : codes.data(), graph.links.data(),
                            graph.upper_links.data()};
    std::vector<std::uint32_t> recall;
    const MeasuredRecall measured = measure_recall(build, arrays, coder, parameters.codes, graph.order);
    const auto write = [](const std::vector<RecallOfWidth>& curve, std::vector<std::uint32_t>& out) {
        for (const RecallOfWidth& point : curve) out.insert(out.end(), {point.width, point.of_10, point.of_100});
    };
    write(measured.curve, recall);
    std::vector<std::uint32_t> far{static_cast<std::uint32_t>(std::lrint(measured.far.usual_nearness * 1'000'000))};
    write(measured.far.curve, far);

    std::vector<std::uint32_t> head{std::bit_cast<std::uint32_t>(survey.scale)};
    head.insert(head.end(), graph.level_counts.begin(), graph.level_counts.end());
    std::vector<std::uint32_t> mean;
    for (const float number : survey.mean) mean.push_back(std::bit_cast<std::uint32_t>(number));
    build.add(k_vector_head, std::move(head));
    build.add(k_vector_codes, std::move(codes));
    build.add(k_vector_links, std::move(graph.links));
    build.add(k_vector_upper_links, std::move(graph.upper_links));
    build.add(k_vector_exact, std::move(exact));
    build.add(k_vector_key_offsets, std::move(survey.key_offsets));
    build.add(k_vector_key_bytes, std::move(survey.key_bytes));
    build.add(k_vector_rows, std::move(row_of_place));
    build.add(k_vector_places, std::move(graph.order));
    build.add(k_vector_recall, std::move(recall));
    build.add(k_vector_mean, std::move(mean));
    build.add(k_vector_far, std::move(far));
}

}  // namespace northstar::inline v0::detail
