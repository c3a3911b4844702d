#include "cartridge/graph_data.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <new>

namespace northstar::inline v0::detail {

namespace graph_data_impl {

std::string problem_of_offsets(const Section<std::uint32_t>& offsets, std::uint64_t end, const char* what) {
    if (offsets.size() == 0) return std::string("its ") + what + " have no bounds";
    std::uint32_t last = 0;
    for (const std::uint32_t offset : offsets.all()) {
        if (offset < last) return std::string("its ") + what + " are not in order";
        last = offset;
    }
    if (offsets[0] != 0 || last != end) return std::string("its ") + what + " do not fill their place";
    return {};
}

/// Lists ascend by type and number, and stay within bounds.
std::string problem_of_side(const GraphSections& graph, Side side) {
    const GraphSections::Adjacency& adjacency = graph.sides[static_cast<int>(side)];
    std::string problem = problem_of_offsets(adjacency.offsets, adjacency.nodes.size(), "edges");
    if (!problem.empty()) return problem;
    if (adjacency.offsets.size() != graph.name_offsets.size()) return "it has edges for another number of nodes";
    if (adjacency.types.size() != 0 && adjacency.types.size() != adjacency.nodes.size()) {
        return "it has another number of types than of edges";
    }
    for (NodeId node = 0; node < graph.nodes; ++node) {
        const std::span<const NodeId> nodes = graph.neighbours(side, node);
        const std::span<const std::uint16_t> types = graph.neighbour_types(side, node);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (nodes[i] >= graph.nodes) return "an edge names a node that is not there";
            if (!types.empty() && types[i] >= graph.types()) return "an edge names a type that is not there";
            if (i == 0) continue;
            const bool later_type = !types.empty() && types[i - 1] < types[i];
            const bool same_type = types.empty() || types[i - 1] == types[i];
            if (!later_type && !(same_type && nodes[i - 1] < nodes[i])) return "the edges of a node are not in order";
        }
    }
    return {};
}

bool has_edge(const GraphSections& graph, Side side, NodeId node, NodeId other, std::uint16_t type) {
    const std::span<const NodeId> nodes = graph.neighbours(side, node);
    const std::span<const std::uint16_t> types = graph.neighbour_types(side, node);
    std::size_t low = 0;
    std::size_t high = nodes.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const auto here = std::pair(types.empty() ? std::uint16_t{0} : types[middle], nodes[middle]);
        if (here < std::pair(type, other)) low = middle + 1;
        else high = middle;
    }
    return low < nodes.size() && nodes[low] == other && (types.empty() || types[low] == type);
}

}  // namespace graph_data_impl

GraphSections::GraphSections(const Cartridge& cartridge)
    : name_offsets(cartridge.section<std::uint32_t>(k_name_offsets)),
      name_bytes(cartridge.section<std::uint8_t>(k_name_bytes)),
      type_offsets(cartridge.section<std::uint32_t>(k_type_offsets)),
      type_bytes(cartridge.section<std::uint8_t>(k_type_bytes)),
      sides{{cartridge.section<std::uint32_t>(k_out_offsets), cartridge.section<std::uint32_t>(k_out_nodes),
             cartridge.section<std::uint16_t>(k_out_types)},
            {cartridge.section<std::uint32_t>(k_in_offsets), cartridge.section<std::uint32_t>(k_in_nodes),
             cartridge.section<std::uint16_t>(k_in_types)}},
      declared(cartridge.section<std::uint8_t>(k_declared)) {
    const std::uint64_t bounds = name_offsets.size();
    if (bounds == 0 || bounds > 0xffffffff || type_offsets.size() == 0 || type_offsets.size() > 0x10000 ||
        sides[0].offsets.size() != bounds || sides[1].offsets.size() != bounds || declared.size() != bounds - 1) {
        fail(Errc::corrupt, "the sections of the cartridge '" + cartridge.info().name +
                                "' do not belong together; build it again");
    }
    nodes = static_cast<NodeId>(bounds - 1);
}

std::optional<NodeId> GraphSections::find(std::string_view wanted) const {
    NodeId low = 0;
    NodeId high = nodes;
    while (low < high) {
        const NodeId middle = low + (high - low) / 2;
        const int order = name(middle).compare(wanted);
        if (order == 0) return middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return std::nullopt;
}

GraphData::GraphData(const Cartridge& opened) : base(opened), limit(base.nodes) {
    if (opened.answers() != Cartridge::Answers::overlay) return;
    overlay.emplace(base, opened.changes());
    limit += static_cast<NodeId>(overlay->new_names().size());
}

std::shared_ptr<const GraphData> GraphData::of(const Cartridge& cartridge) {
    // What a cartridge keeps must not keep the cartridge, so both are kept by who holds the pointer.
    struct Kept {
        Cartridge cartridge;
        std::shared_ptr<const GraphData> data;
    };
    const auto make = [&]() -> std::shared_ptr<const void> { return std::make_shared<GraphData>(cartridge); };
    auto kept = std::make_shared<Kept>(
        Kept{cartridge, std::static_pointer_cast<const GraphData>(cartridge.derived("graph", make))});
    const GraphData* const data = kept->data.get();
    return {std::move(kept), data};
}

std::span<const std::uint16_t> GraphData::neighbour_types(Side side, NodeId node) const {
    if (overlay) {
        if (const GraphOverlay::Patch* const patch = overlay->find(side, node)) {
            return overlay->types(patch->lists[static_cast<int>(side)]);
        }
    }
    return base.neighbour_types(side, node);
}

bool GraphData::contains(NodeId node) const {
    if (node >= limit) return false;
    const GraphOverlay::Patch* const patch = overlay ? overlay->find(node) : nullptr;
    return patch == nullptr || patch->there;
}

std::optional<NodeId> GraphData::find(std::string_view wanted) const {
    std::optional<NodeId> found = base.find(wanted);
    if (!found && overlay) {
        const std::vector<std::string>& names = overlay->new_names();
        const auto place = std::lower_bound(names.begin(), names.end(), wanted);
        if (place != names.end() && *place == wanted) found = base.nodes + static_cast<NodeId>(place - names.begin());
    }
    if (found && !contains(*found)) found.reset();
    return found;
}

std::string_view GraphData::name(NodeId node) const {
    return node < base.nodes ? base.name(node) : std::string_view(overlay->new_names()[node - base.nodes]);
}

std::uint32_t GraphData::type_count() const {
    return base.types() + (overlay ? static_cast<std::uint32_t>(overlay->new_types().size()) : 0);
}

std::string_view GraphData::type(std::uint32_t number) const {
    if (number >= type_count()) CartridgeBlocks::outside();
    return number < base.types() ? base.type(number) : std::string_view(overlay->new_types()[number - base.types()]);
}

std::optional<std::uint16_t> GraphData::type_number(std::string_view wanted) const {
    for (std::uint32_t i = 0; i < type_count(); ++i) {
        if (type(i) == wanted) return static_cast<std::uint16_t>(i);
    }
    return std::nullopt;
}

std::span<const NodeId> GraphData::neighbours(Side side, NodeId node, std::optional<std::uint16_t> type) const {
    const std::span<const NodeId> all = neighbours(side, node);
    if (!type) return all;
    const std::span<const std::uint16_t> types = neighbour_types(side, node);
    if (types.empty()) return *type == 0 ? all : std::span<const NodeId>();
    const auto [first, last] = std::equal_range(types.begin(), types.end(), *type);
    return all.subspan(static_cast<std::size_t>(first - types.begin()), static_cast<std::size_t>(last - first));
}

NodeSet::NodeSet(std::uint64_t limit)
    : bits_(static_cast<std::uint64_t*>(std::calloc(static_cast<std::size_t>(limit / 64 + 1), sizeof(std::uint64_t)))) {
    if (bits_ == nullptr) throw std::bad_alloc();
}

std::string problem_of_graph(const Cartridge& cartridge) {
    using namespace graph_data_impl;
    const GraphSections graph(cartridge);
    std::string problem = problem_of_offsets(graph.name_offsets, graph.name_bytes.size(), "names");
    if (problem.empty()) problem = problem_of_offsets(graph.type_offsets, graph.type_bytes.size(), "types of edges");
    for (const Side side : {Side::out, Side::in}) {
        if (problem.empty()) problem = problem_of_side(graph, side);
    }
    if (!problem.empty()) return problem;
    for (NodeId node = 1; node < graph.nodes; ++node) {
        if (graph.name(node - 1) >= graph.name(node)) return "its names are not in order";
    }
    if (graph.sides[0].nodes.size() != graph.sides[1].nodes.size()) return "its two directions do not agree";
    for (NodeId node = 0; node < graph.nodes; ++node) {
        const std::span<const NodeId> nodes = graph.neighbours(Side::out, node);
        const std::span<const std::uint16_t> types = graph.neighbour_types(Side::out, node);
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::uint16_t type = types.empty() ? std::uint16_t{0} : types[i];
            if (!has_edge(graph, Side::in, nodes[i], node, type)) return "its two directions do not agree";
        }
    }
    return {};
}

}  // namespace northstar::inline v0::detail
