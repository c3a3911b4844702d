// curve.hpp -- how the cost of an operation grows with a size, and whether it grows too fast.
//
// A curve is one kind of operation at several sizes. Its exponent is that of the power of the size which fits the
// costs best (least squares on the logarithms of both): 0 is constant, 1 linear; a logarithm over the sizes measured
// here lies around 0.1, and more where larger sizes leave the nearest caches. A curve with a bound must not grow
// faster than that power: what should be logarithmic and fits more than n^0.4 has something linear in it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct CurveSpec {
    std::string name;   ///< "scale/entries/get"
    std::string title;  ///< "point get"
    std::string axis;   ///< what grows: "entries"
    double bound = 0;   ///< largest exponent allowed; 0: the curve is shown and not judged
    bool by_cpu = true;
    std::string durability = {};
    std::string note = {};
};

struct Fit {
    double exponent = 0;
    double factor = 0;  ///< cost at size 1
    /// Share of the costs' variation that the fit explains.
    double explained = 0;
};

/// Of points (size, cost), both more than 0; nullopt: fewer than three sizes.
std::optional<Fit> fit_power(const std::vector<std::pair<double, double>>& points);

struct Curve {
    CurveSpec spec;
    std::vector<std::pair<double, double>> points;  ///< size and cost in nanoseconds, ascending
    std::optional<Fit> fit() const { return fit_power(points); }
    /// Over the last tenfold of sizes, or a little more; nullopt: the sizes do not reach that far.
    std::optional<double> last_exponent() const;
    bool failed() const;
    /// "grows like n^0.13", and what was allowed.
    std::string verdict() const;
};

}  // namespace bench
