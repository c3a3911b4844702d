#include "sql/catalog/statistics.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

double ColumnStatistics::share_of(std::string_view key, double rows) const {
    double others = 1 - null_share;
    for (const Common& value : common) {
        if (value.key == key) return value.share;
        others -= value.share;
    }
    const double different = distinct_of(rows) - static_cast<double>(common.size());
    return std::max(0.0, others) / std::max(1.0, different);
}

double ColumnStatistics::usual_share(double rows) const { return (1 - null_share) / std::max(1.0, distinct_of(rows)); }

double ColumnStatistics::share_before(std::string_view key) const {
    double before = 0, others = 1 - null_share;
    for (const Common& value : common) {
        if (value.key < key) before += value.share;
        others -= value.share;
    }
    if (bounds.size() < 2) return before;
    const auto comes_before = [](const Bound& bound, std::string_view other) { return bound.key < other; };
    const auto behind = std::lower_bound(bounds.begin(), bounds.end(), key, comes_before);
    // Somewhere between two bounds: in the middle.
    const auto place = static_cast<double>(behind - bounds.begin());
    const double parts = static_cast<double>(bounds.size() - 1);
    const double within = behind == bounds.begin() ? 0 : behind == bounds.end() ? parts : place - 0.5;
    return before + std::max(0.0, others) * within / parts;
}

}  // namespace northstar::inline v0::sql
