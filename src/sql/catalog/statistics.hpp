// statistics.hpp -- what ANALYZE found of a table: how often values occur, for the planner and pg_stats.
// Layer: sql.  Threads: values, shared const.
//
// Shares are those of all rows. Values are kept as text, which the documents of the catalog show, and as keys
// (key_encoding.hpp), which the planner compares; the keys are made when the catalog is read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct ColumnStatistics {
    struct Common {
        std::string text;
        double share = 0;
        std::string key;
    };
    struct Bound {
        std::string text;
        std::string key;
    };

    double null_share = 0;
    /// Different values; negative: as a share of the rows, since it grows with them. 0: not known.
    double distinct = 0;
    std::int32_t width = 0;             ///< bytes of a value on average
    std::vector<Common> common;         ///< the most frequent first
    std::vector<Bound> bounds;          ///< of the other values, ascending: as many rows between any two
    std::optional<double> correlation;  ///< between the order of the values and that of the rows, -1 to 1

    double distinct_of(double rows) const { return distinct < 0 ? -distinct * rows : distinct; }
    /// Share of the rows whose value has this key.
    double share_of(std::string_view key, double rows) const;
    /// The same of a value that is not known yet: of a usual one.
    double usual_share(double rows) const;
    /// Share of the rows whose value lies before the key. O(number of bounds).
    double share_before(std::string_view key) const;
};

struct TableStatistics {
    double rows = 0;
    std::map<int, ColumnStatistics> columns;  ///< by physical place
};

}  // namespace northstar::inline v0::sql
