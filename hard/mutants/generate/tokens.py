"""tokens.py -- the tokens of a C++ file of this project, and which brackets belong together.

No parser: it relies on how the sources are laid out (tool/tidy, clang-format). A binary operator has blanks on both
sides, the brackets of template arguments have none, and every function body lies in a namespace.
"""

import re

PATTERN = re.compile(
    r"""
      (?P<blank>\s+)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<directive>(?<![^\n])[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
    | (?P<string>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+')
    | (?P<number>\.?[0-9](?:[eEpP][+-]|'[0-9A-Za-z]|[0-9A-Za-z_.])*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign><=>|<<=|>>=|\.\.\.|->\*?|::|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]\#])
    """,
    re.VERBOSE | re.DOTALL,
)

OPENING = {"(": ")", "[": "]", "{": "}"}


class Token:
    """One token: `kind` is string, number, name or sign; `partner` is the index of the bracket that belongs to it."""

    __slots__ = ("text", "kind", "start", "end", "partner", "role")

    def __init__(self, text, kind, start):
        self.text = text
        self.kind = kind
        self.start = start
        self.end = start + len(text)
        self.partner = None
        self.role = None


def tokens_of(source):
    """All tokens but blanks, comments and directives, with their brackets joined."""
    tokens = []
    at = 0
    while at < len(source):
        match = PATTERN.match(source, at)
        if match is None:
            raise ValueError(f"no token at {source[at:at + 40]!r}")
        at = match.end()
        kind = match.lastgroup
        if kind in ("blank", "comment", "directive"):
            continue
        text = match.group()
        start = match.start()
        if text == ">>" and not source[start - 1].isspace():
            tokens.append(Token(">", kind, start))
            start += 1
            text = ">"
        tokens.append(Token(text, kind, start))
    join_brackets(tokens)
    join_template_brackets(source, tokens)
    for index, token in enumerate(tokens):
        if token.text == "{":
            token.role = role_of_brace(tokens, index)
    return tokens


def join_brackets(tokens):
    opened = []
    for index, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in OPENING:
            opened.append(index)
        elif token.text in OPENING.values():
            first = opened.pop()
            if OPENING[tokens[first].text] != token.text:
                raise ValueError(f"{tokens[first].text!r} is closed by {token.text!r}")
            token.partner = first
            tokens[first].partner = index


def join_template_brackets(source, tokens):
    opened = []
    for index, token in enumerate(tokens):
        if token.text == "<" and index > 0:
            before = tokens[index - 1]
            if before.end == token.start and (before.kind == "name") and not source[token.end].isspace():
                opened.append(index)
            elif before.text == "template":
                opened.append(index)
        elif token.text == ">" and opened and not source[token.start - 1].isspace():
            first = opened.pop()
            token.partner = first
            tokens[first].partner = index
        elif token.text in ";{}":
            opened.clear()


def head_of(tokens, index):
    """The first token of the statement or declaration that the token belongs to."""
    while index > 0:
        before = tokens[index - 1]
        if before.text in ")]" or (before.text == "}" and tokens[before.partner].role == "value"):
            index = before.partner
            continue
        if before.text in (";", "{", "}"):
            break
        index -= 1
    return index


def role_of_brace(tokens, index):
    """What `{` begins: "block" (statements), "scope" (namespace, class, enumeration) or "value" (an initialiser)."""
    head = head_of(tokens, index)
    words = {token.text for token in tokens[head:index]}
    if words & {"namespace", "struct", "class", "enum", "union"} and "(" not in words:
        return "scope"
    before = tokens[index - 1]
    if before.text == ":":
        return "block" if words & {"case", "default"} else "value"
    if before.text in (")", "]", "else", "do", "try", "const", "noexcept", "mutable", "override", ";", "{"):
        if before.text == "{" and before.role == "value":
            return "value"
        return "block"
    if before.text == "}":
        # Behind the last member of a constructor's list, or between statements.
        return "value" if tokens[before.partner].role == "value" and ":" not in words else "block"
    back = index - 1
    while back > head and (tokens[back].kind == "name" or tokens[back].text in ("::", "*", "&", "<", ">", ",")):
        back -= 1
    return "block" if tokens[back].text == "->" and tokens[back - 1].text in (")", "mutable") else "value"
