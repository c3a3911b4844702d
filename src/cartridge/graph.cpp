// graph.cpp -- Graph: neighbours, breadth-first search, paths, parts.
#include "base/error.hpp"
#include "cartridge/graph_search.hpp"
#include "cartridge/kind.hpp"

#include <algorithm>

namespace northstar::inline v0 {

namespace detail {

namespace graph_impl {

/// The number of a wanted type; false: no edge can have it.
bool resolve(const GraphData& data, std::optional<std::string_view> name, std::optional<std::uint16_t>& type) {
    if (!name) return true;
    type = data.type_number(*name);
    return type.has_value();
}

/// Ascending, each once. A view of the artifact where its list is that already.
std::span<const NodeId> sorted_neighbours(const GraphData& data, NodeId node, Direction direction,
                                          std::vector<NodeId>& room) {
    if (direction != Direction::both && data.type_count() <= 1) {
        return data.neighbours(direction == Direction::out ? Side::out : Side::in, node);
    }
    each_neighbour(data, node, direction, std::nullopt, [&](NodeId other) {
        room.push_back(other);
        return true;
    });
    std::sort(room.begin(), room.end());
    room.erase(std::unique(room.begin(), room.end()), room.end());
    return room;
}

/// The numbers that both lists have; looks at the longer one in steps that double.
std::vector<NodeId> intersection(std::span<const NodeId> a, std::span<const NodeId> b) {
    if (a.size() > b.size()) std::swap(a, b);
    std::vector<NodeId> both;
    std::size_t at = 0;
    for (const NodeId wanted : a) {
        std::size_t step = 1;
        std::size_t end = at;
        while (end < b.size() && b[end] < wanted) {
            at = end + 1;
            end += step;
            step *= 2;
        }
        const auto first = b.begin() + static_cast<std::ptrdiff_t>(at);
        const auto last = b.begin() + static_cast<std::ptrdiff_t>(std::min(end, b.size()));
        at = static_cast<std::size_t>(std::lower_bound(first, last, wanted) - b.begin());
        if (at == b.size()) break;
        if (b[at] == wanted) both.push_back(wanted);
    }
    return both;
}

}  // namespace graph_impl

}  // namespace detail

Graph::Graph(const Cartridge& cartridge) try
    : data_(detail::GraphData::of(detail::of_kind(cartridge, {"graph", "closure"}))) {
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Graph::node_count() const {
    const std::int64_t more = data_->overlay ? data_->overlay->nodes_more() : 0;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(data_->base.nodes) + more);
}

NodeId Graph::node_limit() const { return data_->limit; }

std::uint64_t Graph::edge_count() const {
    const std::int64_t more = data_->overlay ? data_->overlay->edges_more() : 0;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(data_->base.sides[0].nodes.size()) + more);
}

bool Graph::contains(NodeId node) const { return data_->contains(node); }

std::optional<NodeId> Graph::find(std::string_view name) const try {
    return data_->find(name);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::string_view Graph::name(NodeId node) const {
    detail::check_node(*data_, node);
    return data_->name(node);
}

std::vector<std::string_view> Graph::types() const try {
    std::vector<std::string_view> all;
    for (std::uint32_t i = 0; i < data_->type_count(); ++i) all.push_back(data_->type(i));
    return all;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::span<const NodeId> Graph::out(NodeId node) const {
    detail::check_node(*data_, node);
    return data_->neighbours(detail::Side::out, node);
}

std::span<const NodeId> Graph::in(NodeId node) const {
    detail::check_node(*data_, node);
    return data_->neighbours(detail::Side::in, node);
}

std::span<const NodeId> Graph::out(NodeId node, std::string_view type) const {
    detail::check_node(*data_, node);
    const std::optional<std::uint16_t> number = data_->type_number(type);
    return number ? data_->neighbours(detail::Side::out, node, number) : std::span<const NodeId>();
}

std::span<const NodeId> Graph::in(NodeId node, std::string_view type) const {
    detail::check_node(*data_, node);
    const std::optional<std::uint16_t> number = data_->type_number(type);
    return number ? data_->neighbours(detail::Side::in, node, number) : std::span<const NodeId>();
}

std::span<const std::uint16_t> Graph::out_types(NodeId node) const {
    detail::check_node(*data_, node);
    return data_->neighbour_types(detail::Side::out, node);
}

std::span<const std::uint16_t> Graph::in_types(NodeId node) const {
    detail::check_node(*data_, node);
    return data_->neighbour_types(detail::Side::in, node);
}

std::vector<NodeId> Graph::common(NodeId a, NodeId b, Direction direction) const try {
    detail::check_node(*data_, a);
    detail::check_node(*data_, b);
    std::vector<NodeId> room_a;
    std::vector<NodeId> room_b;
    const std::span<const NodeId> of_a = detail::graph_impl::sorted_neighbours(*data_, a, direction, room_a);
    const std::span<const NodeId> of_b = detail::graph_impl::sorted_neighbours(*data_, b, direction, room_b);
    return detail::graph_impl::intersection(of_a, of_b);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<Graph::Reached> Graph::bfs(NodeId start, Direction direction, std::uint32_t depth,
                                       std::optional<std::string_view> type) const try {
    detail::check_node(*data_, start);
    std::optional<std::uint16_t> number;
    const bool edges = detail::graph_impl::resolve(*data_, type, number);
    return detail::search_nodes(*data_, {&start, 1}, direction, depth, number, edges,
                                      [](const auto&) { return true; });
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Graph::shortest_path(NodeId from, NodeId to, Direction direction,
                                       std::optional<std::string_view> type) const try {
    detail::check_node(*data_, from);
    detail::check_node(*data_, to);
    std::optional<std::uint16_t> number;
    const bool edges = detail::graph_impl::resolve(*data_, type, number);
    const std::vector<Reached> reached =
        detail::search_nodes(*data_, {&from, 1}, direction, ~0u, number, edges,
                                   [&](const std::vector<Reached>& queue) { return queue.back().node != to; });
    if (reached.back().node != to) return {};
    // Nodes come in the order in which they were reached: each one's predecessor stands before it.
    std::vector<NodeId> path{to};
    NodeId wanted = reached.back().via;
    for (std::size_t at = reached.size(); at-- != 0 && path.back() != from;) {
        if (reached[at].node != wanted) continue;
        path.push_back(wanted);
        wanted = reached[at].via;
    }
    std::reverse(path.begin(), path.end());
    return path;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Graph::Part Graph::around(std::span<const NodeId> nodes, Direction direction, std::uint32_t depth,
                          std::size_t most_nodes) const try {
    for (const NodeId node : nodes) detail::check_node(*data_, node);
    Part part;
    std::vector<Reached> reached =
        detail::search_nodes(*data_, nodes, direction, depth, std::nullopt, true,
                                   [&](const std::vector<Reached>& queue) { return queue.size() <= most_nodes; });
    part.cut = reached.size() > most_nodes;
    if (part.cut) reached.resize(most_nodes);
    for (const Reached& each : reached) part.nodes.push_back(each.node);
    std::vector<NodeId> sorted = part.nodes;
    std::sort(sorted.begin(), sorted.end());
    for (const NodeId node : part.nodes) {
        const std::span<const NodeId> out = data_->neighbours(detail::Side::out, node);
        const std::span<const std::uint16_t> types = data_->neighbour_types(detail::Side::out, node);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (!std::binary_search(sorted.begin(), sorted.end(), out[i])) continue;
            part.edges.push_back({node, out[i], types.empty() ? std::uint16_t{0} : types[i]});
        }
    }
    return part;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
