// window_order.hpp -- windows whose first rows are known before the last ones are read.  Layer: sql.
//
// Of rows that come as a window sorts them, the ones of a partition are known when the next one begins; and where the
// calls look no further than some rows ahead, so are rows with that many behind them, whatever else the partition has.
#pragma once

#include "sql/plan/plan.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

/// By what a window sorts its input: the partition first.
std::vector<SortKey> keys_of_window(const WindowDefinition& window);
/// The keys by which rows must come so that no window of the plan has to sort them; nothing: windows want other orders.
std::optional<std::vector<SortKey>> keys_of_windows(const Plan& plan);
/// What is behind a row and decides what a call says of it.
struct Ahead {
    std::uint64_t rows = 0;  ///< so many rows
    bool peers = false;      ///< and all of its peers; the rows are counted from the last of them
};
/// Nothing: all of its partition.
std::optional<Ahead> rows_ahead(const WindowDefinition& window, const BoundExpr& call);
/// Do the first rows of the plan need no more than the first of its input, if that comes in order?
bool is_known_early(const Plan& plan);
/// Is the first list the beginning of the second?
bool begins(const std::vector<SortKey>& first, const std::vector<SortKey>& second);

}  // namespace northstar::inline v0::sql
