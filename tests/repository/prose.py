"""The prose of a file: everything in it that a person reads as sentences.

Markdown: all text except code. Python: docstrings, comments, and string literals of more than one word, which covers
help texts, titles, messages and labels. Every other text file is taken whole.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A run of prose, in which code is replaced by underscores of the same length."""

    text: str
    first_line: int
    """The line of the file on which it begins, from 1."""
    last_line: int

    def line_at(self, offset: int) -> int:
        """Return the line of the file at an offset into the text."""
        return min(self.first_line + self.text.count("\n", 0, offset), self.last_line)


def passages(path: Path) -> Iterator[Passage]:
    """Yield the prose of a file in order of its lines."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield _whole(_without_code(_without_fences(source)))
    elif path.suffix == ".py":
        yield from sorted(_of_python(source), key=lambda passage: passage.first_line)
    else:
        yield _whole(source)


def _whole(text: str) -> Passage:
    return Passage(text=text, first_line=1, last_line=text.count("\n") + 1)


_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\([^)]*\)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def _without_fences(text: str) -> str:
    """Blank code blocks, except for the comments of shell blocks, which are prose.

    A block without a language is output or a picture, which people read as well.
    """

    def kept(block: re.Match[str]) -> str:
        if not block[2]:
            return block[0].replace("`", "_")
        if block[2] != "sh":
            return _blank(block[0])
        lines = block[0].split("\n")
        return "\n".join(line if re.match(r"\s*# ", line) else _blank(line) for line in lines)

    return _FENCE.sub(kept, text)


def _without_code(text: str) -> str:
    for pattern in (_COMMENT, _CODE, _LINK):
        text = pattern.sub(lambda found: _blank(found[0]), text)
    return text


def _blank(code: str) -> str:
    return re.sub(r"[^\n]", "_", code)


def _of_python(source: str) -> Iterator[Passage]:
    yield from _comments(source)
    tree = ast.parse(source)
    # The pieces of an f-string, f-strings inside it included, are read with the whole.
    pieces = {
        id(piece)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for piece in ast.walk(node)
        if piece is not node
    }
    for node in ast.walk(tree):
        if id(node) in pieces:
            continue
        if isinstance(node, ast.JoinedStr):
            yield from _literal(node, _joined(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _literal(node, node.value)


def _joined(node: ast.JoinedStr) -> str:
    """Return the text of an f-string, with `_` for each value."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "_" for part in node.values)


_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|WITH|PRAGMA|BEGIN|VACUUM)\s[^a-z]*\w")


def _literal(node: ast.Constant | ast.JoinedStr, text: str) -> Iterator[Passage]:
    if len(text.split()) < 2 or _SQL.match(text):
        return
    text = _without_code(_without_examples(text))
    yield Passage(text=text, first_line=node.lineno, last_line=node.end_lineno or node.lineno)


def _without_examples(text: str) -> str:
    """Blank the doctests of a docstring: each prompt, and what it prints until the next empty line."""
    lines, inside = [], False
    for line in text.split("\n"):
        inside = bool(line.strip()) and (inside or line.lstrip().startswith(">>>"))
        lines.append(_blank(line) if inside else line)
    return "\n".join(lines)


def _comments(source: str) -> Iterator[Passage]:
    """Yield comments; those on consecutive lines are one passage."""
    block: list[str] = []
    first = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("#").strip()
        if block and line != first + len(block):
            yield _block(block, first)
            block = []
        if not block:
            first = line
        block.append(text)
    if block:
        yield _block(block, first)


def _block(lines: list[str], first: int) -> Passage:
    return Passage(text=_without_code("\n".join(lines)), first_line=first, last_line=first + len(lines) - 1)
