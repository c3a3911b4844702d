#include "hard/isolation/dependency_graph.hpp"

#include <algorithm>
#include <array>
#include <deque>

namespace northstar::hard {

namespace {

constexpr unsigned bit(EdgeKind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr unsigned k_real_time = bit(EdgeKind::real_time);
/// Ways that are tried before the shortest so far is taken: a history that is wrong all over has many.
constexpr std::size_t k_most_ways = 2000;

}  // namespace

const char* name_of(EdgeKind kind) {
    switch (kind) {
        case EdgeKind::ww: return "ww";
        case EdgeKind::wr: return "wr";
        case EdgeKind::rw: return "rw";
        case EdgeKind::real_time: return "rt";
    }
    return "";
}

std::vector<std::size_t> DependencyGraph::components(Allowed allowed) const {
    // Tarjan's algorithm without recursion: histories are long.
    constexpr std::size_t k_none = ~std::size_t{0};
    std::vector<std::size_t> index(out_.size(), k_none), low(out_.size(), 0), component(out_.size(), k_none);
    std::vector<std::size_t> stack;
    std::size_t next_index = 0, next_component = 0;
    struct Frame {
        std::size_t node;
        std::size_t edge;
    };
    std::vector<Frame> frames;
    const auto enter = [&](std::size_t node) {
        index[node] = low[node] = next_index++;
        stack.push_back(node);
        frames.push_back({node, 0});
    };
    for (std::size_t root = 0; root < out_.size(); ++root) {
        if (index[root] != k_none) continue;
        enter(root);
        while (!frames.empty()) {
            const std::size_t node = frames.back().node;
            if (frames.back().edge < out_[node].size()) {
                const Edge& edge = out_[node][frames.back().edge++];
                if ((allowed & bit(edge.kind)) == 0) continue;
                if (index[edge.to] == k_none) {
                    enter(edge.to);
                } else if (component[edge.to] == k_none) {
                    low[node] = std::min(low[node], index[edge.to]);
                }
                continue;
            }
            frames.pop_back();
            if (!frames.empty()) low[frames.back().node] = std::min(low[frames.back().node], low[node]);
            if (low[node] != index[node]) continue;
            for (std::size_t member = k_none; member != node;) {
                member = stack.back();
                stack.pop_back();
                component[member] = next_component;
            }
            ++next_component;
        }
    }
    return component;
}

std::vector<Edge> DependencyGraph::way(std::size_t from, std::size_t to, Allowed allowed,
                                       const std::vector<std::size_t>& component) const {
    std::vector<const Edge*> reached(out_.size(), nullptr);
    std::deque<std::size_t> open = {from};
    while (!open.empty() && reached[to] == nullptr) {
        const std::size_t node = open.front();
        open.pop_front();
        for (const Edge& edge : out_[node]) {
            const bool inside = component[edge.to] == component[from];
            if ((allowed & bit(edge.kind)) == 0 || !inside || edge.to == from || reached[edge.to] != nullptr) continue;
            reached[edge.to] = &edge;
            open.push_back(edge.to);
        }
    }
    std::vector<Edge> edges;
    if (reached[to] == nullptr) return edges;
    for (std::size_t node = to; node != from; node = edges.back().from) edges.push_back(*reached[node]);
    std::reverse(edges.begin(), edges.end());
    return edges;
}

std::optional<Cycle> DependencyGraph::shortest(EdgeKind through, Allowed rest) const {
    const std::vector<std::size_t> component = components(rest | bit(through));
    std::optional<Cycle> best;
    std::size_t ways = 0;
    for (const std::vector<Edge>& edges : out_) {
        for (const Edge& edge : edges) {
            if (edge.kind != through || component[edge.from] != component[edge.to]) continue;
            if (++ways > k_most_ways && best) return best;
            std::vector<Edge> cycle = way(edge.to, edge.from, rest, component);
            if (cycle.empty() || (best && cycle.size() + 1 >= best->edges.size())) continue;
            cycle.insert(cycle.begin(), edge);
            best = Cycle{{}, std::move(cycle)};
        }
    }
    return best;
}

std::optional<Cycle> DependencyGraph::worst_cycle() const {
    struct Kind {
        const char* name;
        EdgeKind through;
        Allowed rest;
    };
    constexpr unsigned ww = bit(EdgeKind::ww), wr = bit(EdgeKind::wr), rw = bit(EdgeKind::rw);
    static constexpr std::array<Kind, 4> kinds = {{{"G0", EdgeKind::ww, ww},
                                                   {"G1c", EdgeKind::wr, ww | wr},
                                                   {"G-single", EdgeKind::rw, ww | wr},
                                                   {"G2", EdgeKind::rw, ww | wr | rw}}};
    for (const unsigned time : {0u, k_real_time}) {
        for (const Kind& kind : kinds) {
            std::optional<Cycle> cycle = shortest(kind.through, kind.rest | time);
            if (!cycle) continue;
            cycle->name = kind.name;
            if (time != 0) cycle->name += "-realtime";
            return cycle;
        }
    }
    return std::nullopt;
}

}  // namespace northstar::hard
