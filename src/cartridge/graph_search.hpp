// graph_search.hpp -- walking a graph breadth first.  Layer: cartridge.  Threads: any.
#pragma once

#include "api/handles.hpp"
#include "base/error.hpp"
#include "cartridge/graph_data.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// A number that somebody asks about.
inline void check_node(const GraphData& data, NodeId node) {
    if (node >= data.limit) [[unlikely]] {
        fail(Errc::invalid_argument, "node " + std::to_string(node) + " is not of this graph; it has " +
                                         std::to_string(data.limit) + " numbers");
    }
}

/// Calls fn(neighbour) until it returns false.
template <class F>
bool each_neighbour(const GraphData& data, NodeId node, Direction direction, std::optional<std::uint16_t> type,
                    F&& fn) {
    if (direction != Direction::in) {
        for (const NodeId other : data.neighbours(Side::out, node, type)) {
            if (!fn(data.checked(other))) return false;
        }
    }
    if (direction != Direction::out) {
        for (const NodeId other : data.neighbours(Side::in, node, type)) {
            if (!fn(data.checked(other))) return false;
        }
    }
    return true;
}

/// Every node that some nodes reach once, these first and then the nearest, until `visit` (of what was found so far,
/// the newest last) returns false. `edges`: false: no edge is followed.
template <class Visit>
std::vector<Graph::Reached> search_nodes(const GraphData& data, std::span<const NodeId> starts, Direction direction,
                                         std::uint32_t depth, std::optional<std::uint16_t> type, bool edges,
                                         Visit&& visit) {
    NodeSet seen(data.limit);
    std::vector<Graph::Reached> queue;
    for (const NodeId start : starts) {
        if (!seen.insert(start)) continue;
        queue.push_back({start, 0, start});
        if (!visit(queue)) return queue;
    }
    for (std::size_t at = 0; edges && at < queue.size(); ++at) {
        const Graph::Reached here = queue[at];
        if (here.depth == depth) break;
        const bool more = each_neighbour(data, here.node, direction, type, [&](NodeId other) {
            if (!seen.insert(other)) return true;
            queue.push_back({other, here.depth + 1, here.node});
            return static_cast<bool>(visit(queue));
        });
        if (!more) break;
    }
    return queue;
}

}  // namespace northstar::inline v0::detail
