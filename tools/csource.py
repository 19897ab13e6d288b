# SPDX-License-Identifier: Apache-2.0
"""What the checking tools need to know about C text: code without comments and strings, and the functions in it.

This is a scanner, not a parser. It relies on the tree's layout being clang-format's and never runs the preprocessor.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""//[^\n]*(?:\\\n[^\n]*)* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)


def _blank(match):
    """Spaces of the same shape; a string stays two quotes and a character stays two apostrophes."""
    text = match.group(0)
    quote = text[0] if text[0] in "\"'" else " "
    inner = re.sub(r"[^\n]", " ", text[1:-1])
    return quote + inner + quote


def strip_comments(text):
    """The text with comments, strings and characters blanked; every line and column keeps its place."""
    return _TOKEN.sub(_blank, text)


def strip_preprocessor(text):
    """Directives and every branch but the first of each #if blanked, so that braces balance."""
    out = []
    branches = []  # for each open #if: True while in its first branch
    continued = False
    for line in text.split("\n"):
        directive = re.match(r"\s*#\s*(\w+)", line)
        is_directive = continued or directive is not None
        if directive and not continued:
            word = directive.group(1)
            if word in ("if", "ifdef", "ifndef"):
                branches.append(True)
            elif word in ("else", "elif") and branches:
                branches[-1] = False
            elif word == "endif" and branches:
                branches.pop()
        continued = is_directive and line.endswith("\\")
        out.append("" if is_directive or not all(branches) else line)
    return "\n".join(out)


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int
    parameters: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")


def _split_top(text):
    """Parts of text between commas that are in no parenthesis."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return parts + [text[start:]]


def _closing(text, start):
    """The index of the parenthesis that closes the one at start, or -1."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return -1


def _parse_header(header):
    """(name, parameter count) when the text before a brace heads a function, else None."""
    header = _ATTRIBUTE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), header)
    if "=" in header or not header.rstrip().endswith(")"):
        return None
    match = re.search(r"(\w+)\s*\(", header)
    if match is None:
        return None
    start = match.end() - 1
    end = _closing(header, start)
    # A function that returns a pointer to a function: its name is inside the first parentheses.
    if match.group(1) in ("void", "int") or "*" == header[start + 1 : start + 2]:
        inner = re.search(r"(\w+)\s*\(", header[start + 1 :])
        if inner is None:
            return None
        match, start = inner, start + 1 + inner.end() - 1
        end = _closing(header, start)
    if end < 0:
        return None
    inside = header[start + 1 : end].strip()
    if match.group(1) == "TEST":
        return inside, 0
    count = 0 if inside in ("", "void") else len(_split_top(inside))
    return match.group(1), count


def functions(text):
    """Every function defined in a C file, in order."""
    code = strip_preprocessor(strip_comments(text))
    found = []
    depth = 0
    start = 0  # where the declaration at depth 0 began
    current = None
    line = 1
    start_line = 1
    fresh = True  # nothing but blanks since the last ';' or '}' at depth 0
    for i, c in enumerate(code):
        if c == "\n":
            line += 1
        if depth == 0 and fresh and not c.isspace():
            start, start_line, fresh = i, line, False
        if c == "{":
            if depth == 0:
                parsed = _parse_header(code[start:i])
                current = Function(parsed[0], start_line, 0, parsed[1]) if parsed else None
            depth += 1
        elif c == "}":
            depth = max(0, depth - 1)
            if depth == 0:
                if current is not None:  # other blocks end at their semicolon
                    current.last_line = line
                    found.append(current)
                    current = None
                    fresh = True
        elif c == ";" and depth == 0:
            fresh = True
    return found
