"""points.py -- where a file can be changed, and how: the mutants of one file.

    negated     the condition of an if, a while or ?: becomes its opposite
    comparison  < and <=, > and >=, == and != take each other's place
    constant    a number, or a named integer constant, is one larger
    call        a statement that is a call is left out
    return      a return, throw, continue or break that is not the last statement of its function is left out

Assertions are left alone, and so are constants in the texts of errors and those that the compiler needs.
"""

import re

from tokens import tokens_of

SWAPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
LOWER = {"&&", "||", "?", ":", ",", ";", "return", "throw", "case"} | ASSIGNMENTS
BITS = {"&", "|", "^"}
CONTROL = {"if", "for", "while", "switch", "catch"}
NOT_CALLED = {"NORTHSTAR_ASSERT", "static_assert", "__builtin_prefetch", "static_cast", "return", "if", "for", "while",
              "switch", "delete", "throw", "catch", "sizeof", "assert"}


class Point:
    """A mutant: bytes [start, end) of the file, and the text `change` of what becomes of them."""

    def __init__(self, operator, start, end, middle=None):
        self.operator = operator
        self.start = start
        self.end = end
        self.middle = middle  # of a comparison: where its operator begins and ends
        self.number = None


class Finder:
    def __init__(self, source, integer_constants):
        self.source = source
        self.tokens = tokens_of(source)
        self.integer_constants = integer_constants
        self.points = []
        self.around = self.brackets_around()

    def brackets_around(self):
        """For each token the index of the innermost bracket that it lies in."""
        around = []
        opened = [None]
        for index, token in enumerate(self.tokens):
            closes = token.partner is not None and token.partner < index
            if closes:
                opened.pop()
            around.append(opened[-1])
            if token.partner is not None and not closes:
                opened.append(index)
        return around

    def text(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def enclosing(self, index):
        """The brackets around a token, innermost first."""
        index = self.around[index]
        while index is not None:
            yield index
            index = self.around[index]

    def in_block(self, index):
        for bracket in self.enclosing(index):
            if self.text(bracket) == "{" and self.tokens[bracket].role != "value":
                return self.tokens[bracket].role == "block"
        return False

    def called(self, bracket):
        """The name in front of `(`."""
        return self.text(bracket - 1) if self.text(bracket) == "(" else ""

    def passed_to(self, index, names):
        return any(self.called(bracket) in names for bracket in self.enclosing(index))

    def control_of(self, brace):
        """The word that a block belongs to: if, for, ..., else, do, try; "" for a function's."""
        before = brace - 1
        while self.text(before) == "]" and self.text(before - 1) == "]":  # [[unlikely]]
            before = self.tokens[before].partner - 1
        if self.text(before) in ("else", "do", "try"):
            return self.text(before)
        if self.text(before) in ("{", "}", ";", ":"):
            return "block"
        if self.text(before) == ")":
            word = self.text(self.tokens[before].partner - 1)
            return word if word in CONTROL else "if" if word == "constexpr" else ""
        return ""

    def find(self):
        for index in range(len(self.tokens)):
            if not self.in_block(index) or self.passed_to(index, {"NORTHSTAR_ASSERT", "static_assert"}):
                continue
            self.negation(index)
            self.comparison(index)
            self.constant(index)
            if self.begins_statement(index):
                self.call(index)
                self.jump(index)
        # A condition that is one == or != has one opposite, not two.
        negated = {(point.start, point.end) for point in self.points if point.operator == "negated"}
        self.points = [point for point in self.points if not self.is_equality(point) or
                       (point.start, point.end) not in negated]
        # Outer ones first; where a condition is one comparison, that lies inside of its negation.
        self.points.sort(key=lambda point: (point.start, -point.end, point.operator != "negated"))
        return self.without_crossing()

    def is_equality(self, point):
        return point.operator == "comparison" and self.source[point.middle[0]] in "=!"

    def without_crossing(self):
        kept = []
        opened = []
        for point in self.points:
            while opened and opened[-1].end <= point.start:
                opened.pop()
            if opened and point.end > opened[-1].end:
                continue
            opened.append(point)
            kept.append(point)
        return kept

    def add(self, operator, first, last, middle=None):
        """From the token `first` up to and with the token `last`."""
        self.points.append(Point(operator, self.tokens[first].start, self.tokens[last].end, middle))

    # ---- negated ----

    def negation(self, index):
        token = self.tokens[index]
        if token.text in ("if", "while") and self.text(index + 1) == "(":
            close = self.tokens[index + 1].partner
            first = index + 2
            inside = [i for i in range(first, close) if self.around[i] == index + 1]
            for i in inside:
                if self.text(i) == ";":
                    first = i + 1
            # A declaration is not negated: what it declares would have no name any more.
            if not any(self.text(i) == "=" for i in inside if i >= first):
                self.add("negated", first, close - 1)
        elif token.text == "?":
            first = self.left_end(index, LOWER - {"&&", "||", "?", ":"} | {"?", ":"})
            if first is not None and first < index:
                self.add("negated", first, index - 1)

    # ---- comparison ----

    def comparison(self, index):
        token = self.tokens[index]
        if token.text not in SWAPPED or token.partner is not None or self.text(index - 1) == "operator":
            return
        if not self.source[token.start - 1].isspace() or not self.source[token.end].isspace():
            return
        first = self.left_end(index, LOWER | BITS)
        last = self.right_end(index, LOWER | BITS | {"==", "!="})
        if first is None or last is None or first >= index or last <= index:
            return
        self.add("comparison", first, last, (token.start, token.end))

    def left_end(self, index, stop):
        """The first token of the operand that ends in front of the token, or None."""
        at = index - 1
        while at >= 0:
            token = self.tokens[at]
            if token.partner is not None:
                if token.partner > at:
                    break  # an opening bracket
                if token.text == "}" and self.tokens[token.partner].role != "value":
                    break
                at = token.partner - 1
                continue
            if token.text in BITS and token.text in stop and self.is_unary(at):
                at -= 1
                continue
            if token.text in stop:
                break
            at -= 1
        return at + 1

    def right_end(self, index, stop):
        at = index + 1
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.partner is not None:
                if token.partner < at:
                    break
                if token.text == "{" and token.role != "value":
                    break
                at = token.partner + 1
                continue
            if token.text in BITS and token.text in stop and self.is_unary(at):
                at += 1
                continue
            if token.text in stop:
                break
            at += 1
        return at - 1

    def is_unary(self, index):
        before = self.tokens[index - 1]
        return before.kind == "sign" and before.text not in (")", "]", "}") or before.text == "return"

    # ---- constant ----

    def constant(self, index):
        token = self.tokens[index]
        if token.kind == "number":
            if not re.fullmatch(r"(0x[0-9a-fA-F']+|[0-9']+)[uUlL]*", token.text):
                return
        elif token.text not in self.integer_constants or self.text(index + 1) in ("(", "{", ".", "::"):
            return
        around = self.around[index]
        if self.text(around) == "{" and self.tokens[around].role == "value":
            return  # where a value must fit its type
        if self.text(around) == "<" or self.text(around) == "[" and not self.is_index(around):
            return
        if self.passed_to(index, {"fail"}) or self.text(index - 1) == "case":
            return
        if any(self.called(bracket).startswith("_mm") for bracket in self.enclosing(index)):
            return  # an instruction of the processor has it in itself
        if self.passed_to(index, {"__builtin_prefetch"}):
            return  # how it is asked for is part of the instruction, and what for changes no answer
        if token.text == "0" and self.text(index - 1) in SWAPPED:
            return  # an ordering compares with a written 0 only
        head = index
        while self.text(head - 1) not in (";", "{", "}") or self.ends_value(head - 1):
            head = self.tokens[head - 1].partner if self.ends_value(head - 1) else head - 1
        if self.text(head) in ("constexpr", "static"):
            return
        first = index
        while self.text(first - 1) == "::":
            first -= 2
        self.add("constant", first, index)

    def is_index(self, bracket):
        """Does the bracket hold a place in an array, and not what a lambda captures or how long an array is?"""
        of = self.tokens[bracket - 1]
        before = self.tokens[bracket - 2]
        behind_type = before.kind == "name" or before.text == ">" and before.partner is not None
        declared = behind_type and before.text not in ("return", "case", "else", "do")
        return of.kind == "name" and not declared

    def ends_value(self, index):
        return self.text(index) == "}" and self.tokens[self.tokens[index].partner].role == "value"

    # ---- call and return ----

    def begins_statement(self, index):
        before = self.text(index - 1)
        around = self.around[index]
        if self.text(around) != "{" or self.tokens[around].role != "block":
            return False
        if before in (";", "else", "do"):
            return True
        if before == "{":
            return around == index - 1
        if before == "}":
            return self.tokens[self.tokens[index - 1].partner].role != "value"
        if before == ")":
            return self.text(self.tokens[index - 1].partner - 1) in CONTROL
        if before == "]":  # [[unlikely]]
            opening = self.tokens[index - 1].partner
            return self.text(opening - 1) == ")" and self.text(self.tokens[opening - 1].partner - 1) in CONTROL
        if before == ":":
            back = index - 2
            while self.tokens[back].kind == "name" or self.text(back) == "::":
                if self.text(back) in ("case", "default"):
                    return True
                back -= 1
        return False

    def ends_function(self, index):
        """Is the statement that ends with this token the last of a function?"""
        brace = self.around[index]
        return self.text(index + 1) == "}" and self.control_of(brace) == ""

    def call(self, index):
        if self.tokens[index].kind != "name" or self.text(index) in NOT_CALLED:
            return
        at = index
        while True:  # name (:: name | . name | -> name | [..] | (..))*
            if self.tokens[at].kind != "name":
                return
            at += 1
            if self.text(at) == "<" and self.tokens[at].partner is not None:
                at = self.tokens[at].partner + 1
            calls = False
            while self.text(at) in ("(", "["):
                calls = self.text(at) == "("
                at = self.tokens[at].partner + 1
            if self.text(at) not in ("::", ".", "->"):
                break
            at += 1
        if not calls or self.text(at) != ";":
            return
        if self.text(index) == "fail" and self.ends_function(at):
            return
        self.add("call", index, at)

    def jump(self, index):
        word = self.text(index)
        if word not in ("return", "throw", "continue", "break"):
            return
        at = index
        while self.text(at) != ";":
            token = self.tokens[at]
            at = token.partner + 1 if token.partner is not None and token.partner > at else at + 1
        brace = self.around[index]
        directly = self.text(index - 1) in (")", "]", "else")
        control = self.control_of(brace)
        if not directly and control in ("", "switch", "block", "do", "try"):
            return
        if word == "break" and not self.breaks_loop(index):
            return
        if self.ends_function(at):
            return
        self.add("return", index, at)

    def breaks_loop(self, index):
        for bracket in self.enclosing(index):
            if self.text(bracket) != "{":
                continue
            word = self.control_of(bracket)
            if word in ("for", "while", "do"):
                return True
            if word in ("switch", ""):
                return False
        return False


def points_of(source, integer_constants):
    return Finder(source, integer_constants).find()


def integer_constants_of(sources):
    """Names of the constants that are integers, from all their definitions: where one is a text, nothing is added."""
    types = (r"(?:std::)?(?:u?int(?:8|16|32|64)?_t|size_t|ptrdiff_t)|unsigned(?: \w+)?|int|long|short|Txn")
    of_integers = re.compile(r"\bconstexpr (?:" + types + r") (k_\w+)\s*(?:=|\{)")
    of_texts = re.compile(r"\bconstexpr (?:std::string_view|const char ?\*|char) (k_\w+)")
    texts = {name for source in sources for name in of_texts.findall(source)}
    return {name for source in sources for name in of_integers.findall(source)} - texts
