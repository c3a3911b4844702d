"""plant.py -- writes a file with all its mutants in it, each behind a switch (mutant.hpp)."""

from points import SWAPPED

SWITCH = "::northstar_mutants::on"


class Planter:
    def __init__(self, source, points):
        self.source = source
        self.points = points  # by their start, outer ones first
        self.next = 0

    def render(self, start, end):
        """The bytes [start, end) with the mutants that begin in them."""
        out = []
        at = start
        while self.next < len(self.points) and self.points[self.next].start < end:
            point = self.points[self.next]
            if point.end > end:
                raise ValueError(f"{self.source[point.start:point.end]!r} crosses another mutant")
            out.append(self.source[at:point.start])
            self.next += 1
            out.append(self.planted(point))
            at = point.end
        out.append(self.source[at:end])
        return "".join(out)

    def planted(self, point):
        on = f"{SWITCH}({point.number})"
        if point.operator == "comparison":
            left = self.render(point.start, point.middle[0])
            right = self.render(point.middle[1], point.end)
            sign = self.source[point.middle[0]:point.middle[1]]
            return f"({on} ? ({left}{SWAPPED[sign]}{right}) : ({left}{sign}{right}))"
        inner = self.render(point.start, point.end)
        if point.operator == "negated":
            return f"({on} != static_cast<bool>({inner}))"
        if point.operator == "constant":
            return f"({on} ? {inner} + 1 : {inner})"
        return f"{{ if (!{on}) {inner} }}"


def planted(source, points):
    return Planter(source, points).render(0, len(source))


def change_of(source, point):
    """What a mutant does, in one line."""
    text = " ".join(source[point.start:point.end].split())
    if point.operator == "comparison":
        left = " ".join(source[point.start:point.middle[0]].split())
        right = " ".join(source[point.middle[1]:point.end].split())
        return f"{text} -> {left} {SWAPPED[source[point.middle[0]:point.middle[1]]]} {right}"
    if point.operator == "negated":
        return f"{text} -> !({text})"
    if point.operator == "constant":
        return f"{text} -> {text} + 1"
    return f"{text} -> (nothing)"
