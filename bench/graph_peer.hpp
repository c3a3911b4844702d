// graph_peer.hpp -- what the benchmark of graphs asks of a library that keeps edges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// From and to, nodes numbered from 0; ascending, each once.
using GraphEdges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

class GraphPeer {
public:
    virtual ~GraphPeer() = default;
    /// `path`: a file that does not exist yet.
    virtual void build(const std::string& path, const GraphEdges& edges) = 0;
    /// The sum of the numbers of all nodes that edges of this one lead to.
    virtual std::uint64_t sum_of_neighbours(std::uint32_t node) = 0;
};

struct GraphPeerEntry {
    std::string name;
    std::function<std::unique_ptr<GraphPeer>()> make;
};
std::vector<GraphPeerEntry>& graph_peers();

struct RegisterGraphPeer {
    RegisterGraphPeer(std::string name, std::function<std::unique_ptr<GraphPeer>()> make) {
        graph_peers().push_back({std::move(name), std::move(make)});
    }
};

}  // namespace bench
