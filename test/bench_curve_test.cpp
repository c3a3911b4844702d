// How fast a cost grows, and when northstar-bench scale calls that too fast.
#include "bench/curve.cpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

namespace bench {
namespace curve_test {

/// Costs at 10 k to 10 M entries.
Curve curve(const std::function<double(double)>& cost, double bound = 0.4) {
    Curve made;
    made.spec.bound = bound;
    for (double size = 1e4; size <= 1.01e7; size *= 10) made.points.emplace_back(size, cost(size));
    return made;
}

}  // namespace curve_test

using namespace curve_test;

TEST_CASE("a power is fitted with its exponent and factor", "[bench][fast]") {
    const auto fit = curve([](double n) { return 3 * std::pow(n, 0.7); }).fit();
    REQUIRE(fit);
    CHECK(fit->exponent == Approx(0.7));
    CHECK(fit->factor == Approx(3));
    CHECK(fit->explained == Approx(1));
}

TEST_CASE("a logarithm stays below the bound of what should be logarithmic", "[bench][fast]") {
    const Curve logarithm = curve([](double n) { return 100 * std::log(n); });
    CHECK_FALSE(logarithm.failed());
    CHECK(logarithm.verdict() == "grows like n^0.08, ok: at most n^0.4");
}

TEST_CASE("a constant cost does not grow", "[bench][fast]") {
    CHECK(curve([](double) { return 20.0; }).verdict() == "does not grow, ok: at most n^0.4");
}

TEST_CASE("linear growth fails", "[bench][fast]") {
    const Curve linear = curve([](double n) { return 2 * n; });
    CHECK(linear.failed());
    CHECK(linear.verdict() == "grows like n^1.00, FAILED: at most n^0.4");
}

TEST_CASE("linear growth that only begins to show fails", "[bench][fast]") {
    const Curve late = curve([](double n) { return 18'000'000 + 20 * n; });
    REQUIRE(late.fit()->exponent < late.spec.bound);
    CHECK(late.failed());
    CHECK(late.verdict() == "grows like n^0.35, FAILED: n^0.76 over the last tenfold");
}

TEST_CASE("a step by a factor of four does not fail", "[bench][fast]") {
    CHECK_FALSE(curve([](double n) { return n < 5e6 ? 100.0 : 400.0; }).failed());
}

TEST_CASE("a curve without a bound is not judged", "[bench][fast]") {
    const Curve shown = curve([](double n) { return n; }, 0);
    CHECK_FALSE(shown.failed());
    CHECK(shown.verdict() == "grows like n^1.00");
}

TEST_CASE("two sizes are too few for a verdict", "[bench][fast]") {
    Curve short_one = curve([](double n) { return n; });
    short_one.points.resize(2);
    CHECK_FALSE(short_one.failed());
    CHECK(short_one.verdict() == "too few sizes");
}

TEST_CASE("sizes close to each other are not judged", "[bench][fast]") {
    Curve near;
    near.spec.bound = 0.4;
    near.points = {{100, 100}, {200, 200}, {300, 300}};
    CHECK_FALSE(near.failed());
}

}  // namespace bench
