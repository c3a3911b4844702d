// northstar_graph.hpp -- the cartridge kinds "graph" and "closure": neighbours, paths, reachability, pictures.
//
// A graph is a tree of the database. The key FROM \0 TYPE \0 TO is an edge (its value is the application's own), a key
// without a zero byte is a node that has a name and need not have edges; other keys say nothing. Both kinds take
// the parameters "tree" (default "graph") and "types" (edge types to follow, separated by commas; default: all).
//
// NodeId numbers are those of one Graph: another artifact or snapshot may number the same names differently.
#pragma once

#include "api/northstar_cartridge.hpp"

namespace northstar {
inline namespace v0 {

namespace detail {
struct GraphData;
class ClosureData;
}  // namespace detail

/// Key of an edge; invalid_argument where a part holds a zero byte, or an end is empty.
std::string edge_key(std::string_view from, std::string_view type, std::string_view to);
/// Parts of an edge's key; nullopt: it is none.
struct EdgeParts {
    std::string_view from;
    std::string_view type;
    std::string_view to;
};
std::optional<EdgeParts> edge_parts(std::string_view key);

using NodeId = std::uint32_t;

enum class Direction : std::uint8_t { out = 0, in = 1, both = 2 };

/// Directed, typed edges both ways. Every function costs in proportion to what it looks at.
class Graph {
public:
    /// Of a cartridge of kind "graph" or "closure", else Error(invalid_argument); in a closure edges have no types.
    explicit Graph(const Cartridge& cartridge);

    /// Nodes there are, and the number behind the largest one.
    std::uint64_t node_count() const;
    NodeId node_limit() const;
    std::uint64_t edge_count() const;
    bool contains(NodeId node) const;
    std::optional<NodeId> find(std::string_view name) const;
    std::string_view name(NodeId node) const;
    /// Edge types; a type's number is its place here.
    std::vector<std::string_view> types() const;

    /// Neighbours, by type and then by number; one that several types lead to comes once for each. The span lives as
    /// long as the graph.
    std::span<const NodeId> out(NodeId node) const;
    std::span<const NodeId> in(NodeId node) const;
    /// The same of one type, ascending.
    std::span<const NodeId> out(NodeId node, std::string_view type) const;
    std::span<const NodeId> in(NodeId node, std::string_view type) const;
    /// Number of the type of each edge of out(node), in(node); may be empty where all are of type 0.
    std::span<const std::uint16_t> out_types(NodeId node) const;
    std::span<const std::uint16_t> in_types(NodeId node) const;
    /// Neighbours of both, ascending, each once. Direction::both: linked to both, whichever way.
    std::vector<NodeId> common(NodeId a, NodeId b, Direction direction = Direction::out) const;

    struct Reached {
        NodeId node = 0;
        std::uint32_t depth = 0;
        NodeId via = 0;  ///< the node it was reached from first; itself for the start
        friend bool operator==(const Reached&, const Reached&) = default;
    };
    /// Breadth first from a node (which comes first, at depth 0), at most to a depth. nullopt for type: any.
    std::vector<Reached> bfs(NodeId start, Direction direction = Direction::out, std::uint32_t depth = ~0u,
                             std::optional<std::string_view> type = std::nullopt) const;
    /// The nodes of a path with the fewest edges, both ends among them; empty: there is none.
    std::vector<NodeId> shortest_path(NodeId from, NodeId to, Direction direction = Direction::out,
                                    std::optional<std::string_view> type = std::nullopt) const;

    /// Nodes and all edges between them.
    struct Part {
        struct Edge {
            NodeId from = 0;
            NodeId to = 0;
            std::uint16_t type = 0;
            friend bool operator==(const Edge&, const Edge&) = default;
        };
        std::vector<NodeId> nodes;  ///< those asked for first
        std::vector<Edge> edges;
        bool cut = false;  ///< there were more nodes than allowed
    };
    /// What lies around some nodes, nearest first.
    Part around(std::span<const NodeId> nodes, Direction direction, std::uint32_t depth, std::size_t most_nodes) const;
    /// A picture of a part: Graphviz DOT, or an SVG of its own (layers from left to right, nothing else needed).
    std::string dot(const Part& part, std::string_view title) const;
    std::string svg(const Part& part, std::string_view title) const;

private:
    friend class Closure;
    std::shared_ptr<const detail::GraphData> data_;
};

/// What can be reached from where. A path may have no edges: every node reaches itself.
/// Where edges changed behind the artifact, nodes that these concern are searched for. Once searches have cost about
/// what making a closure does (the time of a build, by the thread that asks), the snapshot's own is made in memory, of
/// the artifact's size as a rule, and answers until this cartridge is closed.
class Closure {
public:
    /// Of a cartridge of kind "closure", else Error(invalid_argument).
    explicit Closure(const Cartridge& cartridge);
    const Graph& graph() const { return graph_; }

    bool reaches(NodeId from, NodeId to) const;
    /// Other nodes that a node reaches; that reach it.
    std::uint64_t descendant_count(NodeId node) const;
    std::uint64_t ancestor_count(NodeId node) const;
    /// These nodes, ascending.
    std::vector<NodeId> descendants(NodeId node) const;
    std::vector<NodeId> ancestors(NodeId node) const;
    /// What a change of these nodes may affect: all others that reach one of them (an edge goes from what depends to
    /// what it depends on), ascending.
    std::vector<NodeId> impact(std::span<const NodeId> nodes) const;

private:
    Graph graph_;
    std::shared_ptr<const detail::ClosureData> data_;
};

}  // namespace v0
}  // namespace northstar
