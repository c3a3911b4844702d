// closure_data.hpp -- reachability as the artifact and the changes beside it say.  Layer: cartridge.  Threads: any.
//
// [CLOSURE-1] What the artifact says to be reached still is unless, there, an edge that went may lie between: its
//             source is reached from the one node, and the other from its target. What it says not to be reached
//             still is not unless an edge that came may lie between in the same sense. Only where neither can be said,
//             nodes are searched for, in the graph of the snapshot, and of those on the way the same is asked.
// [CLOSURE-2] When such searches have cost about what making a closure costs, the snapshot's own is made in memory, by
//             the thread that asks, once, and answers from then on: few questions never pay for it, and many cost at
//             most about twice what they had to. Others search meanwhile. Where it would be larger than the limit of
//             the artifact, or far larger than the artifact, or there is no memory, searches go on.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/closure_columns.hpp"
#include "cartridge/graph_data.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

class ClosureData {
public:
    ClosureData(const Cartridge& cartridge, const GraphData& graph);
    /// The one of a cartridge, made once. Lives as long as the cartridge.
    static std::shared_ptr<const ClosureData> of(const Cartridge& cartridge);

    const GraphData& graph() const { return graph_; }
    bool reaches(NodeId from, NodeId to) const;
    std::uint64_t descendant_count(NodeId node) const;
    std::uint64_t ancestor_count(NodeId node) const;
    /// Other nodes, ascending.
    std::vector<NodeId> descendants(NodeId node) const;
    /// All that reach some nodes, without themselves, ascending.
    std::vector<NodeId> ancestors(std::span<const NodeId> nodes) const;

private:
    /// Where some edges may lie on a path of the artifact's graph.
    struct Between {
        explicit Between(NodeId nodes) : before(nodes), behind(nodes) {}
        NodeSet before;  // nodes that reach the source of one
        NodeSet behind;  // nodes that the target of one reaches
    };
    struct Changed {
        explicit Changed(NodeId nodes) : came(nodes), went(nodes) {}
        Between came;
        Between went;
    };
    const Changed& changed() const;
    /// Does a node reach another one in the snapshot? nullopt: that is to be searched for.
    std::optional<bool> known(const Changed& changed, NodeId from, NodeId to) const;
    /// Does the artifact know all that this node reaches, or that reaches it?
    bool knows_descendants(NodeId node) const;
    bool knows_ancestors(NodeId node) const;
    /// The snapshot's own closure, if it was made; nullptr: the artifact and searches answer.
    const MadeClosure* made() const {
        const MadeClosure* const closure = made_in_use_.load(std::memory_order_acquire);
        if (closure != nullptr) graph_.check_open();
        return closure;
    }
    bool search(NodeId from, NodeId to) const;
    std::vector<NodeId> others(std::span<const NodeId> starts, Direction direction) const;
    /// Of what the snapshot's closure would answer: so many nodes were come to.
    void count_searched(std::size_t nodes) const;
    void make() const;

    const GraphData& graph_;
    const ClosureSections base_;
    const std::uint64_t most_bytes_;  // of the rows of a closure made in memory
    mutable std::once_flag once_;
    mutable std::optional<Changed> changed_;
    mutable std::atomic<std::uint64_t> searched_{0};  // nodes that searches came to
    mutable std::atomic<bool> being_made_{false};     // or was, whether that succeeded or not
    mutable std::optional<MadeClosure> made_;         // written by who set that
    mutable std::atomic<const MadeClosure*> made_in_use_{nullptr};
};

/// What is wrong with the sections of a closure, in a sentence; empty: nothing.
std::string problem_of_closure(const Cartridge& cartridge);

}  // namespace northstar::inline v0::detail
