// graph_layout.hpp -- where the boxes of a graph go on paper.  Layer: cartridge.  Threads: any.
//
// Layers from left to right, as edges point: cycles are broken at the edge that closes one, layers follow the longest
// path, an edge across several layers bends once in each, and the order within layers is improved in sweeps that bring
// each box to the middle of its neighbours. Where bends would be too many, edges that lead back in the order of the
// boxes are turned round instead, which makes few layers of many boxes; where there still are, the longest edges have
// none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

struct GraphLayout {
    struct Box {
        double x = 0;  ///< left
        double y = 0;  ///< middle
        double width = 0;
        std::size_t layer = 0;
    };
    struct Point {
        double x;
        double y;
    };
    std::vector<Box> boxes;                   ///< of the nodes
    std::vector<std::vector<Point>> routes;   ///< of the edges, from source to target; empty: a loop
    double width = 0;
    double height = 0;
};

inline constexpr double k_box_height = 26;

/// `edges` are pairs of places in `widths`, the widths of the boxes.
GraphLayout lay_out(const std::vector<double>& widths,
                    const std::vector<std::pair<std::size_t, std::size_t>>& edges);

}  // namespace northstar::inline v0::detail
