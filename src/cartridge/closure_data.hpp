// closure_data.hpp -- reachability as the artifact and the changes beside it say.  Layer: cartridge.  Threads: any.
//
// [CLOSURE-1] What a node reaches is what the artifact says unless, there, it reaches the source of an edge that came
//             or went; what reaches a node is, unless the target of such an edge reaches it. Only nodes for which
//             neither can be said are searched for, in the graph of the snapshot.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/closure_build.hpp"
#include "cartridge/graph_data.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace northstar::inline v0::detail {

struct ClosureSections {
    explicit ClosureSections(const Cartridge& cartridge);
    Section<std::uint32_t> components;
    Section<std::uint32_t> member_offsets;
    Section<std::uint32_t> members;
    Section<std::uint32_t> row_places;
    Section<std::uint32_t> rows;
    Section<std::uint32_t> descendant_counts;
    Section<std::uint32_t> ancestor_counts;

    /// Does a node of one component reach those of another?
    bool reaches(std::uint32_t from, std::uint32_t to) const;
    std::span<const NodeId> members_of(std::uint32_t component) const {
        const std::span<const std::uint32_t> bounds = member_offsets.span(component, 2);
        return members.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
    }
    /// Calls fn(first, last) for the intervals of a row, ascending. Error(corrupt) where they are none.
    template <class F>
    void each_interval(std::uint32_t component, F&& fn) const {
        const std::uint64_t place = row_places[component];
        const std::uint32_t head = rows[place];
        const std::uint32_t count = head & ~k_row_of_bits;
        if ((head & k_row_of_bits) == 0) {
            const std::span<const std::uint32_t> bounds = rows.span(place + 1, std::uint64_t{count} * 2);
            for (std::size_t i = 0; i < bounds.size(); i += 2) {
                if (bounds[i] > bounds[i + 1]) CartridgeBlocks::outside();
                fn(bounds[i], bounds[i + 1]);
            }
            return;
        }
        const std::uint64_t first = rows[place + 1];
        const std::span<const std::uint32_t> words = rows.span(place + 2, count);
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::uint64_t base = (first + i) * 32;
            if (base > ~std::uint32_t{0} - 31) CartridgeBlocks::outside();
            for (std::uint32_t word = words[i]; word != 0;) {
                const auto skip = static_cast<std::uint32_t>(std::countr_zero(word));
                const auto run = static_cast<std::uint32_t>(std::countr_one(word >> skip));
                const auto begin = static_cast<std::uint32_t>(base + skip);
                fn(begin, begin + run - 1);
                word = skip + run == 32 ? 0 : word >> (skip + run) << (skip + run);
            }
        }
    }
};

class ClosureData {
public:
    ClosureData(const Cartridge& cartridge, const GraphData& graph);
    /// The one of a cartridge, made once. Lives as long as the cartridge.
    static std::shared_ptr<const ClosureData> of(const Cartridge& cartridge);

    const GraphData& graph() const { return graph_; }
    const ClosureSections& base() const { return base_; }
    bool reaches(NodeId from, NodeId to) const;
    /// Does the artifact know what this node reaches, or what reaches it?
    bool knows_descendants(NodeId node) const {
        return node < graph_.base.nodes && (!graph_.overlay || !changed().reach.contains(node));
    }
    bool knows_ancestors(NodeId node) const {
        return node < graph_.base.nodes && (!graph_.overlay || !changed().reached.contains(node));
    }

private:
    struct Changed {
        explicit Changed(std::uint64_t nodes) : reach(nodes), reached(nodes) {}
        NodeSet reach;    // nodes that reach, in the artifact, the source of a changed edge
        NodeSet reached;  // nodes that the target of one reaches
    };
    const Changed& changed() const;
    bool reaches_in_base(NodeId from, NodeId to) const {
        return base_.reaches(base_.components[from], base_.components[to]);
    }
    bool search(NodeId from, NodeId to) const;

    const GraphData& graph_;
    ClosureSections base_;
    mutable std::once_flag once_;
    mutable std::optional<Changed> changed_;
};

/// What is wrong with the sections of a closure, in a sentence; empty: nothing.
std::string problem_of_closure(const Cartridge& cartridge);

}  // namespace northstar::inline v0::detail
