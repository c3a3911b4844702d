// graph_data.hpp -- a graph as its artifact and the changes beside it say.  Layer: cartridge.  Threads: any.
//
// [GRAPH-1] Nodes of the artifact keep its numbers; nodes that came since follow, in the order of their names. A node
//           without edges that has no entry of its own is not there.
// [GRAPH-2] A node whose edges of one side changed has a whole list of that side of its own in the overlay; all others
//           are read from the artifact, behind a look at one bit.
// [GRAPH-3] Numbers that come out of an artifact are compared with its bounds before they are followed.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/graph_build.hpp"

#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

enum class Side : std::uint8_t { out = 0, in = 1 };

struct GraphSections {
    explicit GraphSections(const Cartridge& cartridge);
    struct Adjacency {
        Section<std::uint32_t> offsets;
        Section<std::uint32_t> nodes;
        Section<std::uint16_t> types;
    };
    Section<std::uint32_t> name_offsets;
    Section<std::uint8_t> name_bytes;
    Section<std::uint32_t> type_offsets;
    Section<std::uint8_t> type_bytes;
    Adjacency sides[2];
    Section<std::uint8_t> declared;
    NodeId nodes = 0;  ///< of the artifact

    std::string_view name(NodeId node) const { return text(name_offsets, name_bytes, node); }
    std::string_view type(std::uint32_t number) const { return text(type_offsets, type_bytes, number); }
    std::uint32_t types() const { return static_cast<std::uint32_t>(type_offsets.size() - 1); }
    std::optional<NodeId> find(std::string_view name) const;
    std::span<const NodeId> neighbours(Side side, NodeId node) const {
        const Adjacency& adjacency = sides[static_cast<int>(side)];
        const std::span<const std::uint32_t> bounds = adjacency.offsets.span(node, 2);
        return adjacency.nodes.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
    }
    std::span<const std::uint16_t> neighbour_types(Side side, NodeId node) const {
        const Adjacency& adjacency = sides[static_cast<int>(side)];
        if (adjacency.types.size() == 0) return {};
        const std::span<const std::uint32_t> bounds = adjacency.offsets.span(node, 2);
        return adjacency.types.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
    }

private:
    static std::string_view text(const Section<std::uint32_t>& offsets, const Section<std::uint8_t>& bytes,
                                 std::uint32_t number) {
        const std::span<const std::uint32_t> bounds = offsets.span(number, 2);
        const std::span<const std::uint8_t> found = bytes.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
        return {reinterpret_cast<const char*>(found.data()), found.size()};
    }
};

/// Nodes below a limit, one bit each. Memory that is not touched costs nothing.
class NodeSet {
public:
    explicit NodeSet(std::uint64_t limit);
    bool contains(NodeId node) const { return (bits_.get()[node / 64] >> (node % 64) & 1) != 0; }
    /// false: it was in already.
    bool insert(NodeId node) {
        std::uint64_t& word = bits_.get()[node / 64];
        const std::uint64_t bit = std::uint64_t{1} << (node % 64);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }

private:
    struct Free {
        void operator()(std::uint64_t* bits) const { std::free(bits); }
    };
    std::unique_ptr<std::uint64_t, Free> bits_;
};

/// What changed between the artifact and the snapshot.
class GraphOverlay {
public:
    GraphOverlay(const GraphSections& base, const std::vector<FactChange>& changes);

    struct Patch {
        NodeId node = 0;
        bool there = false;
        /// Of a side of which nothing changed: empty.
        struct List {
            std::uint32_t first = 0;
            std::uint32_t count = 0;
        } lists[2];
    };
    /// nullptr: the artifact is right about this node's edges of that side.
    const Patch* find(Side side, NodeId node) const {
        return changed_[static_cast<int>(side)].contains(node) ? find(node) : nullptr;
    }
    /// nullptr: the artifact is right about this node.
    const Patch* find(NodeId node) const {
        for (std::uint32_t slot = mix(node);; ++slot) {
            const std::uint32_t place = slots_[slot & (slots_.size() - 1)];
            if (place == k_empty) return nullptr;
            if (patches_[place].node == node) return &patches_[place];
        }
    }
    std::span<const NodeId> nodes(const Patch::List& list) const { return {nodes_.data() + list.first, list.count}; }
    std::span<const std::uint16_t> types(const Patch::List& list) const {
        return {types_.data() + list.first, list.count};
    }
    const std::vector<Patch>& patches() const { return patches_; }
    const std::vector<std::string>& new_names() const { return new_names_; }
    const std::vector<std::string>& new_types() const { return new_types_; }
    std::int64_t nodes_more() const { return nodes_more_; }
    std::int64_t edges_more() const { return edges_more_; }
    /// Edges that came and went, by the numbers of their ends.
    struct Edge {
        NodeId from = 0;
        NodeId to = 0;
        std::uint16_t type = 0;
        bool added = false;
    };
    const std::vector<Edge>& edges() const { return edges_; }

private:
    static std::uint32_t mix(NodeId node) {
        return static_cast<std::uint32_t>(node * std::uint64_t{0x9e3779b97f4a7c15} >> 32);
    }
    static constexpr std::uint32_t k_empty = ~0u;
    void read_changes(const GraphSections& base, const std::vector<FactChange>& changes);
    NodeId number(const GraphSections& base, std::string_view name) const;
    std::uint16_t type_number(const GraphSections& base, std::string_view type) const;
    void patch(const GraphSections& base);
    Patch::List merged(const GraphSections& base, Side side, NodeId node);

    std::vector<std::string> new_names_;
    std::vector<std::string> new_types_;
    std::vector<Edge> edges_;
    std::vector<std::pair<NodeId, bool>> declarations_;  // by node: it has an entry of its own now, or none any more
    std::vector<Patch> patches_;                       // by node
    NodeSet changed_[2] = {NodeSet(0), NodeSet(0)};    // by side: nodes that have a list of their own
    std::vector<std::uint32_t> slots_;                 // places in patches_, by hash; a power of two, mostly empty
    std::vector<NodeId> nodes_;
    std::vector<std::uint16_t> types_;
    std::int64_t nodes_more_ = 0;
    std::int64_t edges_more_ = 0;
};

struct GraphData {
    explicit GraphData(const Cartridge& cartridge);
    /// The one of a cartridge, made once; keeps the cartridge.
    static std::shared_ptr<const GraphData> of(const Cartridge& cartridge);

    GraphSections base;
    std::optional<GraphOverlay> overlay;
    NodeId limit = 0;  ///< behind the largest number

    /// Of a node below the limit.
    std::span<const NodeId> neighbours(Side side, NodeId node) const {
        if (overlay) {
            if (const GraphOverlay::Patch* const patch = overlay->find(side, node)) {
                return overlay->nodes(patch->lists[static_cast<int>(side)]);
            }
        }
        return base.neighbours(side, node);
    }
    std::span<const std::uint16_t> neighbour_types(Side side, NodeId node) const;
    bool contains(NodeId node) const;
    std::optional<NodeId> find(std::string_view name) const;
    std::string_view name(NodeId node) const;
    std::uint32_t type_count() const;
    std::string_view type(std::uint32_t number) const;
    std::optional<std::uint16_t> type_number(std::string_view name) const;
    /// Neighbours over edges of a type; nullopt: of any.
    std::span<const NodeId> neighbours(Side side, NodeId node, std::optional<std::uint16_t> type) const;
    /// Error(snapshot_closed) behind the end of the database: what is in memory would still answer.
    void check_open() const { static_cast<void>(base.sides[0].offsets.span(0, 1)); }
    /// A node that came out of an artifact; Error(corrupt) where it cannot be.
    NodeId checked(NodeId node) const {
        if (node >= limit) [[unlikely]] CartridgeBlocks::outside();
        return node;
    }
};

/// What is wrong with the sections of a graph, in a sentence; empty: nothing.
std::string problem_of_graph(const Cartridge& cartridge);

}  // namespace northstar::inline v0::detail
