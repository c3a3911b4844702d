// graph_build.hpp -- from edge keys to adjacency both ways.  Layer: cartridge.  Threads: one calls.
//
// Nodes are numbered in the order of their names, types too, so that edges in the order of their keys are in the order
// of their numbers: the out side is filled as it is read, and nothing depends on anything but the keys.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Numbers of sections of kinds that have a graph.
enum GraphSection : std::uint32_t {
    k_name_offsets = 16,  ///< u32, one more than nodes
    k_name_bytes = 17,    ///< u8
    k_type_offsets = 18,  ///< u32, one more than types
    k_type_bytes = 19,    ///< u8
    k_out_offsets = 20,   ///< u32, one more than nodes
    k_out_nodes = 21,     ///< u32
    k_out_types = 22,     ///< u16, empty where there is one type
    k_in_offsets = 23,
    k_in_nodes = 24,
    k_in_types = 25,
    k_declared = 26,      ///< u8: the node has an entry of its own
};

inline constexpr std::string_view k_parameter_tree = "tree";
inline constexpr std::string_view k_parameter_types = "types";

/// One direction: neighbours of node v are nodes[offsets[v]] .. nodes[offsets[v + 1] - 1], by type and number.
struct AdjacencySide {
    std::vector<std::uint32_t> offsets;
    std::vector<std::uint32_t> nodes;
    std::vector<std::uint16_t> types;
};

struct BuiltGraph {
    std::vector<std::uint32_t> name_offsets;
    std::vector<std::uint8_t> name_bytes;
    std::vector<std::uint32_t> type_offsets;
    std::vector<std::uint8_t> type_bytes;
    AdjacencySide out;
    AdjacencySide in;
    std::vector<std::uint8_t> declared;
    std::uint32_t nodes() const { return static_cast<std::uint32_t>(out.offsets.size() - 1); }
};

/// Throws Error(invalid_argument) for parameters that graphs do not have.
void check_graph_parameters(const CartridgeParameters& parameters);
std::vector<std::string> graph_trees(const CartridgeParameters& parameters);
/// Edges of wanted types, and nodes with an entry of their own: the key is the fact.
void extract_graph(const CartridgeParameters& parameters, std::string_view key, const CartridgeKind::FactSink& sink);
BuiltGraph build_graph(CartridgeBuild& build);
void add_graph(CartridgeBuild& build, BuiltGraph graph);

}  // namespace northstar::inline v0::detail
