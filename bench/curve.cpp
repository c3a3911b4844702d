#include "curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {
namespace curve_impl {

constexpr double k_tenfold = 9.99;  // sizes are rounded numbers
// Leaving a cache makes a step of a factor of three or four; what is linear makes one of ten.
constexpr double k_nearly_linear = 0.75;

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

std::optional<double> Curve::last_exponent() const {
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        const double growth = points.back().first / point->first;
        if (growth >= curve_impl::k_tenfold) return std::log(points.back().second / point->second) / std::log(growth);
    }
    return std::nullopt;
}

bool Curve::failed() const {
    const std::optional<Fit> fitted = fit();
    const std::optional<double> last = last_exponent();
    // Sizes close to each other say nothing about growth.
    if (spec.bound == 0 || !fitted || !last) return false;
    return fitted->exponent > spec.bound || *last > curve_impl::k_nearly_linear;
}

std::string Curve::verdict() const {
    const std::optional<Fit> fitted = fit();
    if (!fitted) return "too few sizes";
    char text[96];
    std::snprintf(text, sizeof text, "grows like n^%.2f", std::max(0.0, fitted->exponent));
    std::string out = fitted->exponent < 0.005 ? "does not grow" : text;
    if (spec.bound == 0) return out;
    const bool at_the_end = failed() && fitted->exponent <= spec.bound;
    if (at_the_end) {
        std::snprintf(text, sizeof text, ", FAILED: n^%.2f over the last tenfold", *last_exponent());
    } else {
        std::snprintf(text, sizeof text, failed() ? ", FAILED: at most n^%.2g" : ", ok: at most n^%.2g", spec.bound);
    }
    return out + text;
}

}  // namespace bench
