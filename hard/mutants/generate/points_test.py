#!/usr/bin/env python3
"""points_test.py -- are the mutants of a piece of code those that it should have? Ends with "N passed, N failed"."""

import sys
import unittest

from plant import change_of, planted
from points import integer_constants_of, points_of


def changes(body, constants=frozenset()):
    """The mutants of a function with this body."""
    source = "namespace a {\nint f(int x) {\n" + body + "\n}\n}\n"
    return [f"{point.operator}: {change_of(source, point)}" for point in points_of(source, constants)]


class PointsOfAFunction(unittest.TestCase):
    def test_a_condition_is_negated_as_a_whole(self):
        self.assertEqual(changes("if (g(x) && h(x)) x = g(x);"), ["negated: g(x) && h(x) -> !(g(x) && h(x))"])

    def test_a_condition_that_is_one_equality_has_one_mutant(self):
        self.assertEqual(changes("while (x == y) x = g(x);"), ["negated: x == y -> !(x == y)"])

    def test_a_declaration_in_a_condition_is_left_alone(self):
        self.assertEqual(changes("if (const auto y = g(x)) x = y;"), [])

    def test_the_condition_of_a_conditional_expression_is_negated(self):
        self.assertEqual(changes("x = g(x) ? y : z;"), ["negated: g(x) -> !(g(x))"])

    def test_comparisons_take_the_operands_that_belong_to_them(self):
        self.assertEqual(changes("return g(a, b + c) < d * e && h(x);"),
                         ["comparison: g(a, b + c) < d * e -> g(a, b + c) <= d * e"])

    def test_brackets_of_templates_are_no_comparisons(self):
        self.assertEqual(changes("std::map<int, std::vector<int>> y; return y >= x;"), ["comparison: y >= x -> y > x"])

    def test_numbers_and_named_integers_are_one_larger(self):
        self.assertEqual(changes("return g(7, k_size, k_name);", {"k_size"}),
                         ["constant: 7 -> 7 + 1", "constant: k_size -> k_size + 1"])

    def test_constants_that_the_compiler_needs_are_left_alone(self):
        self.assertEqual(changes("constexpr int y = 7; switch (x) { case 3: x = y; }"), [])
        self.assertEqual(changes("constexpr auto y = std::uint64_t{16} << 20;"), [])
        self.assertEqual(changes("const auto y = _mm256_extractf128_ps(z, 1);"), [])

    def test_how_long_an_array_is_stays_and_a_place_in_it_does_not(self):
        self.assertEqual(changes("std::byte y[16]; Part<int> z[k_most] = {}; f(y[3]);", {"k_most"}),
                         ["constant: 3 -> 3 + 1", "call: f(y[3]); -> (nothing)"][::-1])
        self.assertEqual(changes("return y[3] + (x > z[4]);"),
                         ["constant: 3 -> 3 + 1", "comparison: x > z[4] -> x >= z[4]", "constant: 4 -> 4 + 1"])

    def test_calls_are_left_out_and_declarations_are_not(self):
        self.assertEqual(changes("Lock lock(mutex_); file_->write(x); y = g(x);"),
                         ["call: file_->write(x); -> (nothing)"])

    def test_assertions_are_left_alone(self):
        self.assertEqual(changes("NORTHSTAR_ASSERT(x > 3);"), [])

    def test_early_returns_are_dropped_and_the_last_one_is_not(self):
        self.assertEqual(changes("if (g(x)) return y; return x;"),
                         ["negated: g(x) -> !(g(x))", "return: return y; -> (nothing)"])

    def test_a_break_is_dropped_in_a_loop_and_not_in_a_switch(self):
        self.assertEqual(changes("for (;;) { if (g(x)) break; } switch (x) { default: if (h(x)) break; }"),
                         ["negated: g(x) -> !(g(x))", "return: break; -> (nothing)", "negated: h(x) -> !(h(x))"])


class PlantedText(unittest.TestCase):
    def test_mutants_inside_of_mutants_keep_their_numbers(self):
        source = "namespace a {\nint f(int x) {\n    if (x < 3) g();\n    return x;\n}\n}\n"
        points = points_of(source, set())
        for number, point in enumerate(points):
            point.number = number + 1
        on = "::northstar_mutants::on"
        self.assertIn(f"if (({on}(1) != static_cast<bool>(({on}(2) ? (x <= ({on}(3) ? 3 + 1 : 3)) : "
                      f"(x < ({on}(3) ? 3 + 1 : 3)))))) {{ if (!{on}(4)) g(); }}", planted(source, points))

    def test_a_comparison_lies_inside_of_the_negation_of_its_condition(self):
        source = "namespace a {\nint f(int x) {\n    x = y < z ? y : z;\n}\n}\n"
        points = points_of(source, set())
        for number, point in enumerate(points):
            point.number = number + 1
        on = "::northstar_mutants::on"
        self.assertIn(f"x = ({on}(1) != static_cast<bool>(({on}(2) ? (y <= z) : (y < z)))) ? y : z;",
                      planted(source, points))

    def test_constants_are_integers_by_their_definition(self):
        self.assertEqual(integer_constants_of(["constexpr std::uint64_t k_a = 3;\nconstexpr const char* k_b = \"\";"]),
                         {"k_a"})
        self.assertEqual(integer_constants_of(["constexpr int k_a = 3;\nconstexpr int k_b = 3;",
                                               "constexpr std::string_view k_b = \"\";"]), {"k_a"})


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=0).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed != 0)
