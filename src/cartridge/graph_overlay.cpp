// graph_overlay.cpp -- GraphOverlay: whole lists for the nodes whose edges changed.
#include "base/check.hpp"
#include "base/error.hpp"
#include "cartridge/graph_data.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::detail {

namespace graph_overlay_impl {

/// Slots of the table for each node with a list of its own: as a rule the first one looked at is empty.
constexpr std::size_t k_slots_per_node = 8;

}  // namespace graph_overlay_impl

GraphOverlay::GraphOverlay(const GraphSections& base, const std::vector<FactChange>& changes) {
    read_changes(base, changes);
    patch(base);
}

NodeId GraphOverlay::number(const GraphSections& base, std::string_view name) const {
    if (const std::optional<NodeId> known = base.find(name)) return *known;
    const auto found = std::lower_bound(new_names_.begin(), new_names_.end(), name);
    NORTHSTAR_ASSERT(found != new_names_.end() && *found == name);
    return base.nodes + static_cast<NodeId>(found - new_names_.begin());
}

std::uint16_t GraphOverlay::type_number(const GraphSections& base, std::string_view type) const {
    for (std::uint32_t i = 0; i < base.types(); ++i) {
        if (base.type(i) == type) return static_cast<std::uint16_t>(i);
    }
    const auto found = std::lower_bound(new_types_.begin(), new_types_.end(), type);
    NORTHSTAR_ASSERT(found != new_types_.end() && *found == type);
    return static_cast<std::uint16_t>(base.types() + static_cast<std::uint32_t>(found - new_types_.begin()));
}

void GraphOverlay::read_changes(const GraphSections& base, const std::vector<FactChange>& changes) {
    std::set<std::string, std::less<>> names;
    std::set<std::string, std::less<>> known_types;
    std::set<std::string, std::less<>> types;
    for (std::uint32_t i = 0; i < base.types(); ++i) known_types.emplace(base.type(i));
    for (const FactChange& change : changes) {
        const std::optional<EdgeParts> parts = edge_parts(change.key);
        const std::string_view ends[] = {parts ? parts->from : std::string_view(change.key),
                                         parts ? parts->to : std::string_view(change.key)};
        for (const std::string_view name : ends) {
            if (names.find(name) == names.end() && !base.find(name)) names.emplace(name);
        }
        if (parts && known_types.find(parts->type) == known_types.end()) types.emplace(parts->type);
    }
    new_names_.assign(names.begin(), names.end());
    new_types_.assign(types.begin(), types.end());
    if (base.types() + new_types_.size() > 0xffff || base.nodes + new_names_.size() > 0xfffffffe) {
        fail(Errc::unsupported,
             "a graph has too many nodes or types of edges for one cartridge; divide it among trees");
    }
    for (const FactChange& change : changes) {
        const std::optional<EdgeParts> parts = edge_parts(change.key);
        const bool added = change.after.has_value();
        if (parts) {
            edges_.push_back(
                {number(base, parts->from), number(base, parts->to), type_number(base, parts->type), added});
            edges_more_ += added ? 1 : -1;
        } else {
            declarations_.emplace_back(number(base, change.key), added);
        }
    }
}

/// The list of a node as the artifact has it, with what came and without what went.
GraphOverlay::Patch::List GraphOverlay::merged(const GraphSections& base, Side side, NodeId node) {
    using Item = std::pair<std::uint16_t, NodeId>;
    const auto near = [side](const Edge& edge) { return side == Side::out ? edge.from : edge.to; };
    const auto far = [side](const Edge& edge) { return side == Side::out ? edge.to : edge.from; };
    std::vector<Item> added;
    std::vector<Item> removed;
    const auto [first, last] = std::equal_range(
        edges_.begin(), edges_.end(), Edge{node, node, 0, false},
        [&](const Edge& a, const Edge& b) { return near(a) < near(b); });
    for (auto edge = first; edge != last; ++edge) {
        (edge->added ? added : removed).emplace_back(edge->type, far(*edge));
    }
    std::sort(added.begin(), added.end());
    std::sort(removed.begin(), removed.end());
    std::vector<Item> list;
    if (node < base.nodes) {
        const std::span<const NodeId> nodes = base.neighbours(side, node);
        const std::span<const std::uint16_t> types = base.neighbour_types(side, node);
        list.reserve(nodes.size() + added.size());
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const Item item(types.empty() ? std::uint16_t{0} : types[i], nodes[i]);
            if (!std::binary_search(removed.begin(), removed.end(), item)) list.push_back(item);
        }
    }
    const auto middle = static_cast<std::ptrdiff_t>(list.size());
    list.insert(list.end(), added.begin(), added.end());
    std::inplace_merge(list.begin(), list.begin() + middle, list.end());
    const Patch::List place{static_cast<std::uint32_t>(nodes_.size()), static_cast<std::uint32_t>(list.size())};
    for (const auto& [type, other] : list) {
        nodes_.push_back(other);
        types_.push_back(type);
    }
    return place;
}

void GraphOverlay::patch(const GraphSections& base) {
    std::vector<NodeId> touched;
    for (NodeSet& nodes : changed_) nodes = NodeSet(base.nodes + new_names_.size());
    for (const Edge& edge : edges_) {
        touched.push_back(edge.from);
        touched.push_back(edge.to);
        changed_[0].insert(edge.from);
        changed_[1].insert(edge.to);
    }
    for (const auto& [node, declared] : declarations_) touched.push_back(node);
    for (std::size_t i = 0; i < new_names_.size(); ++i) {
        const NodeId node = base.nodes + static_cast<NodeId>(i);
        touched.push_back(node);
        for (NodeSet& nodes : changed_) nodes.insert(node);  // the artifact does not know it
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const NodeId node : touched) patches_.push_back({node, false, {}});

    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.from < b.from; });
    for (Patch& patch : patches_) {
        if (changed_[0].contains(patch.node)) patch.lists[0] = merged(base, Side::out, patch.node);
    }
    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.to < b.to; });
    for (Patch& patch : patches_) {
        if (changed_[1].contains(patch.node)) patch.lists[1] = merged(base, Side::in, patch.node);
    }

    std::sort(declarations_.begin(), declarations_.end());
    std::size_t slots = 2;
    while (slots < patches_.size() * graph_overlay_impl::k_slots_per_node) slots *= 2;
    slots_.assign(slots, k_empty);
    for (Patch& patch : patches_) {
        const auto declared = std::lower_bound(declarations_.begin(), declarations_.end(),
                                               std::pair<NodeId, bool>(patch.node, false));
        const bool decided = declared != declarations_.end() && declared->first == patch.node;
        const bool own_entry = decided ? declared->second
                                       : patch.node < base.nodes && base.declared[patch.node] != 0;
        const auto has_edges = [&](Side side) {
            const int number = static_cast<int>(side);
            return changed_[number].contains(patch.node) ? patch.lists[number].count != 0
                                                         : !base.neighbours(side, patch.node).empty();
        };
        patch.there = own_entry || has_edges(Side::out) || has_edges(Side::in);
        const bool was_there = patch.node < base.nodes;
        nodes_more_ += (patch.there ? 1 : 0) - (was_there ? 1 : 0);
        std::uint32_t slot = mix(patch.node);
        while (slots_[slot & (slots_.size() - 1)] != k_empty) ++slot;
        slots_[slot & (slots_.size() - 1)] = static_cast<std::uint32_t>(&patch - patches_.data());
    }
}

}  // namespace northstar::inline v0::detail
