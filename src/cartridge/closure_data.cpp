#include "cartridge/closure_data.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace northstar::inline v0::detail {

namespace closure_data_impl {

/// Of a row, so much is asked of memory at once, before it is known how long it is.
constexpr std::uint64_t k_fetched_numbers = 144;
constexpr std::uint64_t k_numbers_of_line = 16;

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

ClosureSections::ClosureSections(const Cartridge& cartridge)
    : components(cartridge.section<std::uint32_t>(k_components)),
      member_offsets(cartridge.section<std::uint32_t>(k_member_offsets)),
      members(cartridge.section<std::uint32_t>(k_members)), row_places(cartridge.section<std::uint32_t>(k_row_places)),
      rows(cartridge.section<std::uint32_t>(k_rows)),
      descendant_counts(cartridge.section<std::uint32_t>(k_descendant_counts)),
      ancestor_counts(cartridge.section<std::uint32_t>(k_ancestor_counts)) {}

bool ClosureSections::reaches(std::uint32_t from, std::uint32_t to) const {
    if (from == to) return true;
    if (from < to) return false;  // smaller numbers only
    const std::uint64_t place = row_places[from];
    const std::uint32_t* const row = rows.span(place, 1).data();
    // Halving would wait for one line after the other.
    const std::uint64_t near = std::min(rows.size() - place, closure_data_impl::k_fetched_numbers);
    for (std::uint64_t i = closure_data_impl::k_numbers_of_line; i < near; i += closure_data_impl::k_numbers_of_line) {
        __builtin_prefetch(row + i);
    }
    const std::uint32_t head = row[0];
    const std::uint32_t count = head & ~k_row_of_bits;
    if ((head & k_row_of_bits) != 0) {
        const std::uint32_t word = to / 32 - rows[place + 1];  // wraps round where it lies before
        return word < count && (rows[place + 2 + word] >> (to % 32) & 1) != 0;
    }
    const std::span<const std::uint32_t> bounds = rows.span(place + 1, std::uint64_t{count} * 2);
    std::size_t low = 0;  // intervals before it begin at or before `to`
    for (std::size_t left = count; left != 0;) {
        const std::size_t half = left / 2;
        if (bounds[2 * (low + half)] <= to) {
            low += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    return low != 0 && bounds[2 * low - 1] >= to;
}

ClosureData::ClosureData(const Cartridge& cartridge, const GraphData& graph) : graph_(graph), base_(cartridge) {
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
        std::vector<NodeId> sources;
        std::vector<NodeId> targets;
        for (const GraphOverlay::Edge& edge : graph_.overlay->edges()) {
            if (edge.from < base.nodes) sources.push_back(edge.from);
            if (edge.to < base.nodes) targets.push_back(edge.to);
        }
        changed_.emplace(base.nodes);
        closure_data_impl::spread(base, Side::in, std::move(sources), changed_->reach);
        closure_data_impl::spread(base, Side::out, std::move(targets), changed_->reached);
    });
    return *changed_;
}

bool ClosureData::reaches(NodeId from, NodeId to) const {
    if (from == to) return true;
    const NodeId nodes = graph_.base.nodes;
    if (!graph_.overlay) return reaches_in_base(from, to);
    // An unchanged path has unchanged edges only, so neither end of it is new.
    if (knows_descendants(from) || knows_ancestors(to)) return from < nodes && to < nodes && reaches_in_base(from, to);
    return search(from, to);
}

/// Breadth first in the snapshot's graph, except where the artifact knows.
bool ClosureData::search(NodeId from, NodeId to) const {
    NodeSet seen(graph_.limit);
    std::vector<NodeId> queue{from};
    seen.insert(from);
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const NodeId next : graph_.neighbours(Side::out, queue[at])) {
            if (!seen.insert(graph_.checked(next))) continue;
            if (next == to) return true;
            if (!knows_descendants(next)) {
                queue.push_back(next);
            } else if (to < graph_.base.nodes && reaches_in_base(next, to)) {
                return true;
            }
        }
    }
    return false;
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
