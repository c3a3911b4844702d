// closure.cpp -- Closure: reachability, descendants, ancestors, impact.
#include "cartridge/closure_data.hpp"
#include "cartridge/graph_search.hpp"
#include "cartridge/kind.hpp"

#include <new>

namespace northstar::inline v0 {

Closure::Closure(const Cartridge& cartridge) try
    : graph_(detail::of_kind(cartridge, {"closure"})), data_(detail::ClosureData::of(cartridge)) {
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool Closure::reaches(NodeId from, NodeId to) const try {
    detail::check_node(data_->graph(), from);
    detail::check_node(data_->graph(), to);
    return data_->reaches(from, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Closure::descendant_count(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    return data_->descendant_count(node);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Closure::ancestor_count(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    return data_->ancestor_count(node);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::descendants(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    return data_->descendants(node);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::ancestors(NodeId node) const try {
    detail::check_node(data_->graph(), node);
    return data_->ancestors({&node, 1});
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<NodeId> Closure::impact(std::span<const NodeId> nodes) const try {
    for (const NodeId node : nodes) detail::check_node(data_->graph(), node);
    return data_->ancestors(nodes);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
