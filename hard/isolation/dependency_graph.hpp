// dependency_graph.hpp -- who must come before whom, and the shortest cycle of the worst kind.
#pragma once

#include "hard/isolation/history.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

enum class EdgeKind : std::uint8_t { ww, wr, rw, real_time };
const char* name_of(EdgeKind kind);

struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    EdgeKind kind = EdgeKind::ww;
    Key key = 0;
};

/// Edges in order: each begins where the one before ends, and the first where the last does. The first is
/// what gives the cycle its name: of G-single, the rw.
struct Cycle {
    std::string name;
    std::vector<Edge> edges;
};

class DependencyGraph {
public:
    explicit DependencyGraph(std::size_t nodes) : out_(nodes) {}
    void add(const Edge& edge) { out_[edge.from].push_back(edge); }

    /// Kinds are tried in the order G0, G1c, G-single, G2, then each with real time.
    std::optional<Cycle> worst_cycle() const;

private:
    using Allowed = unsigned;  ///< bits of kinds
    /// Component of each node in the graph of these edges; nodes of one share a cycle.
    std::vector<std::size_t> components(Allowed allowed) const;
    /// Shortest way from a node to another; empty: there is none.
    std::vector<Edge> way(std::size_t from, std::size_t to, Allowed allowed,
                          const std::vector<std::size_t>& component) const;
    /// The shortest cycle that takes an edge of kind `through` and otherwise those of `rest`.
    std::optional<Cycle> shortest(EdgeKind through, Allowed rest) const;

    std::vector<std::vector<Edge>> out_;
};

}  // namespace northstar::hard
