// vector_recall.hpp -- which share of the nearest rows a search finds, for each width it may have.  Layer: cartridge.
// Threads: one calls measure_recall(); the build's work beside it.
//
// Measured on rows of the artifact itself, evenly spaced in the order of keys, each left out of the graph while its
// neighbours are searched for: its own links, and those of others to it, would make it easier to find them than it is
// for a query that nobody has seen.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/vector_walk.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace northstar::inline v0::detail {

/// Shares are in millionths; of the 100 nearest only where the width is as large.
struct RecallOfWidth {
    std::uint32_t width = 0;
    std::uint32_t of_10 = 0;
    std::uint32_t of_100 = 0;
};

/// What a query takes that is far from all rows, between clusters or outside of them.
struct FarQueries {
    /// A search whose nearness_of() is less than this is for a query that is farther than most rows would be.
    double usual_nearness = 0.4;
    std::vector<RecallOfWidth> curve;  ///< of such queries; empty: eight times as wide as others

    /// 0: like the rows; 1: as far as the queries of the curve; between: a part of the way.
    double part_of(double nearness) const;
    /// 0: to compare all rows costs less. `width`: of other queries.
    std::uint32_t width_for(double recall, std::uint32_t k, std::uint32_t width) const;
};

struct MeasuredRecall {
    std::vector<RecallOfWidth> curve;
    FarQueries far;
};

/// By width, ascending, until (nearly) all are found, or every row is compared anyway. `places`: of each row in the
/// order of keys.
MeasuredRecall measure_recall(CartridgeBuild& build, const RawVectors& arrays, const VectorCoder& coder,
                              VectorCodes codes, std::span<const std::uint32_t> places);

/// Rows that are compared whenever no width is asked for: that takes about as long as a walk that is sure to find as
/// much. Queries may lie far from all of few rows, and what the build measured on its own rows says little then. Where
/// there are few numbers a walk finds its way from afar, and rows are many.
bool are_few_rows(std::uint32_t rows, const VectorCoder& coder);

/// The width that finds such a share of the k nearest; 0: none that was measured does.
std::uint32_t width_for_recall(std::span<const RecallOfWidth> curve, double recall, std::uint32_t k);
/// The widest that was measured, or one by which a search compares all rows, where that is why no wider one was.
std::uint32_t widest_of(std::span<const RecallOfWidth> curve, std::uint32_t rows);
/// What a width finds of them.
double recall_of_width(std::span<const RecallOfWidth> curve, std::uint32_t width, std::uint32_t k);

}  // namespace northstar::inline v0::detail
