#include "cartridge/closure_data.hpp"

#include "base/error.hpp"
#include "cartridge/graph_search.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace northstar::inline v0::detail {

namespace closure_data_impl {

/// To make a closure takes about as long as so many searches that come to every node (bench: northstar-bench graphs).
constexpr std::uint64_t k_searches_of_all = 16;
/// Bytes of the rows of a closure in memory: as many times those of the artifact, or so many.
constexpr std::uint64_t k_times_the_artifact = 4;
constexpr std::uint64_t k_bytes_beside_small_artifacts = std::uint64_t{64} << 20;
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

template <class Columns>
std::vector<NodeId> descendants_of(const Columns& closure, const GraphData& graph, NodeId node) {
    std::vector<NodeId> found;
    closure.each_descendant(node, [&](NodeId other) { found.push_back(graph.checked(other)); });
    return ascending(std::move(found), graph.limit);
}

/// Marks what some nodes of the artifact reach over its own edges, themselves among it.
void spread(const GraphSections& graph, Side side, std::vector<NodeId> found, NodeSet& set) {
    std::erase_if(found, [&](NodeId node) { return !set.insert(node); });
    for (std::size_t at = 0; at < found.size(); ++at) {
        for (const NodeId other : graph.neighbours(side, found[at])) {
            if (other >= graph.nodes) CartridgeBlocks::outside();
            if (set.insert(other)) found.push_back(other);
        }
    }
}

}  // namespace closure_data_impl

ClosureData::ClosureData(const Cartridge& cartridge, const GraphData& graph)
    : graph_(graph), base_(cartridge),
      most_bytes_(std::min(closure_limit(cartridge.info().parameters),
                           std::max(base_.rows.size() * sizeof(std::uint32_t) *
                                        closure_data_impl::k_times_the_artifact,
                                    closure_data_impl::k_bytes_beside_small_artifacts))) {
    const std::uint64_t components = base_.row_places.size();
    if (base_.components.size() != graph.base.nodes || base_.members.size() != graph.base.nodes ||
        base_.member_offsets.size() != components + 1 || base_.descendant_counts.size() != components ||
        base_.ancestor_counts.size() != components) {
        fail(Errc::corrupt, "the sections of the cartridge '" + cartridge.info().name +
                                "' do not belong together; build it again");
    }
}

std::shared_ptr<const ClosureData> ClosureData::of(const Cartridge& cartridge) {
    const std::shared_ptr<const GraphData> graph = GraphData::of(cartridge);
    return std::static_pointer_cast<const ClosureData>(
        cartridge.derived("closure", [&]() -> std::shared_ptr<const void> {
            return std::make_shared<ClosureData>(cartridge, *graph);
        }));
}

const ClosureData::Changed& ClosureData::changed() const {
    std::call_once(once_, [&] {
        const GraphSections& base = graph_.base;
        changed_.emplace(base.nodes);
        for (const bool added : {false, true}) {
            std::vector<NodeId> sources;
            std::vector<NodeId> targets;
            for (const GraphOverlay::Edge& edge : graph_.overlay->edges()) {
                if (edge.added != added) continue;
                if (edge.from < base.nodes) sources.push_back(edge.from);
                if (edge.to < base.nodes) targets.push_back(edge.to);
            }
            Between& between = added ? changed_->came : changed_->went;
            closure_data_impl::spread(base, Side::in, std::move(sources), between.before);
            closure_data_impl::spread(base, Side::out, std::move(targets), between.behind);
        }
    });
    return *changed_;
}

bool ClosureData::knows_descendants(NodeId node) const {
    if (node >= graph_.base.nodes) return false;
    return !graph_.overlay ||
           (!changed().came.before.contains(node) && !changed().went.before.contains(node));
}

bool ClosureData::knows_ancestors(NodeId node) const {
    if (node >= graph_.base.nodes) return false;
    return !graph_.overlay ||
           (!changed().came.behind.contains(node) && !changed().went.behind.contains(node));
}

std::optional<bool> ClosureData::known(const Changed& changed, NodeId from, NodeId to) const {
    const NodeId nodes = graph_.base.nodes;
    if (from < nodes && to < nodes && base_.reaches(from, to)) {
        if (!changed.went.before.contains(from) || !changed.went.behind.contains(to)) return true;
        return std::nullopt;
    }
    // A path with edges that came reaches the source of the first of them, and goes on from the target of the last,
    // over edges that were there before.
    if (from < nodes && !changed.came.before.contains(from)) return false;
    if (to < nodes && !changed.came.behind.contains(to)) return false;
    return std::nullopt;
}

bool ClosureData::reaches(NodeId from, NodeId to) const {
    if (from == to) return true;
    if (!graph_.overlay) return base_.reaches(from, to);
    if (const MadeClosure* const closure = made()) return closure->reaches(from, to);
    if (const std::optional<bool> answer = known(changed(), from, to)) return *answer;
    return search(from, to);
}

std::uint64_t ClosureData::descendant_count(NodeId node) const {
    if (const MadeClosure* const closure = made()) return closure->descendant_count(node);
    if (knows_descendants(node)) return base_.descendant_count(node);
    const std::size_t found = others({&node, 1}, Direction::out).size();
    count_searched(found);
    return found;
}

std::uint64_t ClosureData::ancestor_count(NodeId node) const {
    if (const MadeClosure* const closure = made()) return closure->ancestor_count(node);
    if (knows_ancestors(node)) return base_.ancestor_count(node);
    const std::size_t found = others({&node, 1}, Direction::in).size();
    count_searched(found);
    return found;
}

std::vector<NodeId> ClosureData::descendants(NodeId node) const {
    using namespace closure_data_impl;
    if (const MadeClosure* const closure = made()) return descendants_of(*closure, graph_, node);
    if (knows_descendants(node)) return descendants_of(base_, graph_, node);
    std::vector<NodeId> found = others({&node, 1}, Direction::out);
    count_searched(found.size());
    return ascending(std::move(found), graph_.limit);
}

std::vector<NodeId> ClosureData::ancestors(std::span<const NodeId> nodes) const {
    return closure_data_impl::ascending(others(nodes, Direction::in), graph_.limit);
}

/// All that some nodes reach in the snapshot's graph, without themselves.
std::vector<NodeId> ClosureData::others(std::span<const NodeId> starts, Direction direction) const {
    std::vector<NodeId> found;
    for (const Graph::Reached& each : search_nodes(graph_, starts, direction, ~0u, std::nullopt, true,
                                                   [](const auto&) { return true; })) {
        if (each.depth != 0) found.push_back(each.node);
    }
    return found;
}

/// Breadth first in the snapshot's graph, except where an answer is known.
bool ClosureData::search(NodeId from, NodeId to) const {
    const Changed& changes = changed();
    NodeSet seen(graph_.limit);
    std::vector<NodeId> queue{from};
    seen.insert(from);
    const auto found = [&] {
        for (std::size_t at = 0; at < queue.size(); ++at) {
            for (const NodeId next : graph_.neighbours(Side::out, queue[at])) {
                if (!seen.insert(graph_.checked(next))) continue;
                if (next == to) return true;
                const std::optional<bool> answer = known(changes, next, to);
                if (!answer) queue.push_back(next);
                else if (*answer) return true;
            }
        }
        return false;
    }();
    count_searched(queue.size());
    return found;
}

void ClosureData::count_searched(std::size_t nodes) const {
    const std::uint64_t before = searched_.fetch_add(nodes, std::memory_order_relaxed);
    if (before + nodes < closure_data_impl::k_searches_of_all * graph_.limit) return;
    if (!being_made_.exchange(true, std::memory_order_relaxed)) make();
}

void ClosureData::make() const {
    try {
        BuiltGraph whole;
        whole.out.offsets.reserve(graph_.limit + std::size_t{1});
        whole.out.offsets.push_back(0);
        for (NodeId node = 0; node < graph_.limit; ++node) {
            for (const NodeId next : graph_.neighbours(Side::out, node)) {
                whole.out.nodes.push_back(graph_.checked(next));
            }
            whole.out.offsets.push_back(static_cast<std::uint32_t>(whole.out.nodes.size()));
        }
        made_.emplace(build_closure(whole, most_bytes_, [](std::string_view, std::uint64_t, std::uint64_t) {}));
        made_in_use_.store(&*made_, std::memory_order_release);
    } catch (const std::bad_alloc&) {
        // Searches need little, and go on.
    } catch (const Error& error) {
        if (error.code() != Errc::unsupported) throw;  // larger than is allowed
    }
}

std::string problem_of_closure(const Cartridge& cartridge) {
    std::string problem = problem_of_graph(cartridge);
    if (!problem.empty()) return problem;
    const GraphSections graph(cartridge);
    const ClosureSections closure(cartridge);
    BuiltGraph out_side;
    const std::span<const std::uint32_t> offsets = graph.sides[0].offsets.all();
    const std::span<const std::uint32_t> nodes = graph.sides[0].nodes.all();
    out_side.out.offsets.assign(offsets.begin(), offsets.end());
    out_side.out.nodes.assign(nodes.begin(), nodes.end());
    // As its rows may be as large as those, this takes no more memory than what it compares with.
    const std::uint64_t most = closure.rows.size() * sizeof(std::uint32_t);
    const BuiltClosure again = build_closure(out_side, most, [](std::string_view, std::uint64_t, std::uint64_t) {});
    const std::pair<const Section<std::uint32_t>*, const std::vector<std::uint32_t>*> sections[] = {
        {&closure.components, &again.components},   {&closure.member_offsets, &again.member_offsets},
        {&closure.members, &again.members},         {&closure.row_places, &again.row_places},
        {&closure.rows, &again.rows},               {&closure.descendant_counts, &again.descendant_counts},
        {&closure.ancestor_counts, &again.ancestor_counts}};
    for (const auto& [section, expected] : sections) {
        const std::span<const std::uint32_t> found = section->all();
        if (!std::equal(found.begin(), found.end(), expected->begin(), expected->end())) {
            return "what it says is reached is not what its edges reach";
        }
    }
    return {};
}

}  // namespace northstar::inline v0::detail
