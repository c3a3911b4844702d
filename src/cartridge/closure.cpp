// closure.cpp -- Closure: reachability, descendants, ancestors, impact.
#include "cartridge/closure_data.hpp"
#include "cartridge/graph_search.hpp"
#include "cartridge/kind.hpp"

#include <algorithm>

namespace northstar::inline v0 {

namespace detail {

namespace closure_impl {

/// Where more than one node in so many was found, reading all bits in order is quicker than sorting.
constexpr std::size_t k_sorted_share = 64;

std::vector<NodeId> ascending(std::vector<NodeId> nodes, NodeId limit) {
    if (nodes.size() < limit / k_sorted_share) {
        std::sort(nodes.begin(), nodes.end());
        return nodes;
    }
    NodeSet set(limit);
    for (const NodeId node : nodes) set.insert(node);
    nodes.clear();
    for (NodeId node = 0; node < limit; ++node) {
        if (set.contains(node)) nodes.push_back(node);
    }
    return nodes;
}

/// All that some nodes reach in the snapshot's graph, without themselves.
std::vector<NodeId> others(const GraphData& graph, std::span<const NodeId> starts, Direction direction) {
    std::vector<NodeId> found;
    for (const Graph::Reached& each : search_nodes(graph, starts, direction, ~0u, std::nullopt, true,
                                                   [](const auto&) { return true; })) {
        if (each.depth != 0) found.push_back(each.node);
    }
    return found;
}

}  // namespace closure_impl

}  // namespace detail

Closure::Closure(const Cartridge& cartridge) try
    : graph_(detail::of_kind(cartridge, {"closure"})), data_(detail::ClosureData::of(cartridge)) {
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool Closure::reaches(NodeId from, NodeId to) const try {
    detail::check_node(data_->graph(), from);
    detail::check_node(data_->graph(), to);
    return data_->reaches(from, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Closure::descendant_count(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    if (data_->knows_descendants(node)) return data_->base().descendant_counts[data_->base().components[node]];
    return detail::closure_impl::others(data_->graph(), {&node, 1}, Direction::out).size();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Closure::ancestor_count(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    if (data_->knows_ancestors(node)) return data_->base().ancestor_counts[data_->base().components[node]];
    return detail::closure_impl::others(data_->graph(), {&node, 1}, Direction::in).size();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::descendants(NodeId node) const try {
    const detail::GraphData& graph = data_->graph();
    detail::check_node(graph, node);
    if (!data_->knows_descendants(node)) {
        return detail::closure_impl::ascending(detail::closure_impl::others(graph, {&node, 1}, Direction::out),
                                               graph.limit);
    }
    const detail::ClosureSections& base = data_->base();
    const std::uint32_t component = base.components[node];
    std::vector<NodeId> found;
    for (const NodeId member : base.members_of(component)) {
        if (member != node) found.push_back(graph.checked(member));
    }
    base.each_interval(component, [&](std::uint32_t first, std::uint32_t last) {
        // Members of neighbouring components lie side by side.
        const std::uint64_t begin = base.member_offsets[first];
        const std::uint64_t end = base.member_offsets[last + std::uint64_t{1}];
        for (const NodeId member : base.members.span(begin, end - begin)) found.push_back(graph.checked(member));
    });
    return detail::closure_impl::ascending(std::move(found), graph.limit);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::ancestors(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    return detail::closure_impl::ascending(detail::closure_impl::others(data_->graph(), {&node, 1}, Direction::in),
                                           data_->graph().limit);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::impact(std::span<const NodeId> nodes) const try {
    for (const NodeId node : nodes) detail::check_node(data_->graph(), node);
    return detail::closure_impl::ascending(detail::closure_impl::others(data_->graph(), nodes, Direction::in),
                                           data_->graph().limit);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
