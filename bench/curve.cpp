#include "curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {
namespace curve_impl {

constexpr double k_least_growth = 10;  // of the size, for a verdict

}  // namespace curve_impl

std::optional<Fit> fit_power(const std::vector<std::pair<double, double>>& points) {
    if (points.size() < 3) return std::nullopt;
    double x_sum = 0, y_sum = 0;
    for (const auto& [size, cost] : points) {
        x_sum += std::log(size);
        y_sum += std::log(cost);
    }
    const auto count = static_cast<double>(points.size());
    const double x_mean = x_sum / count;
    const double y_mean = y_sum / count;
    double xx = 0, xy = 0, yy = 0;
    for (const auto& [size, cost] : points) {
        const double x = std::log(size) - x_mean;
        const double y = std::log(cost) - y_mean;
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    if (xx == 0) return std::nullopt;
    const double exponent = xy / xx;
    return Fit{exponent, std::exp(y_mean - exponent * x_mean), yy == 0 ? 1 : xy * xy / (xx * yy)};
}

bool Curve::failed() const {
    const std::optional<Fit> fitted = fit();
    if (spec.bound == 0 || !fitted) return false;
    // Sizes close to each other say nothing about growth.
    if (points.back().first < points.front().first * curve_impl::k_least_growth) return false;
    return fitted->exponent > spec.bound;
}

std::string Curve::verdict() const {
    const std::optional<Fit> fitted = fit();
    if (!fitted) return "too few sizes";
    char text[96];
    std::snprintf(text, sizeof text, "grows like n^%.2f", std::max(0.0, fitted->exponent));
    std::string out = fitted->exponent < 0.005 ? "does not grow" : text;
    if (spec.bound == 0) return out;
    std::snprintf(text, sizeof text, failed() ? ", FAILED: at most n^%.2g" : ", ok: at most n^%.2g", spec.bound);
    return out + text;
}

}  // namespace bench
