"""Read the Bicep files: the syntax tree, and the facts that tests query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

ROOT = Path(__file__).parents[2]
BICEP = ROOT / "bicep"
MAIN = BICEP / "main.bicep"
FILES = sorted(BICEP.rglob("*.bicep"))

_STRING = r"'((?:[^'\\]|\\.)*)'"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    name: str
    description: str | None
    has_default: bool


@cache
def tree(path: Path) -> Node:
    return Parser(Language(tree_sitter_bicep.language())).parse(path.read_bytes()).root_node


def faults(node: Node) -> Iterator[str]:
    if node.type == "ERROR" or node.is_missing:
        yield f"line {node.start_point[0] + 1}: {(node.text or b'').decode()[:60]}"
    for child in node.children:
        yield from faults(child)


def text(path: Path) -> str:
    """Return a file without its comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(re.sub(r"(^|\s)//.*$", "", line) for line in lines)


def resources(path: Path) -> list[str]:
    """Return each `type@version` that the file declares."""
    return re.findall(r"^resource \w+ '([^']+)'", text(path), re.MULTILINE)


def modules(path: Path) -> dict[str, Path]:
    found = re.findall(r"^module (\w+) '([^']+)'", text(path), re.MULTILINE)
    return {name: (path.parent / relative).resolve() for name, relative in found}


def parameters(path: Path) -> list[Parameter]:
    found = []
    for node in tree(path).children:
        if node.type == "parameter_declaration":
            whole = (node.text or b"").decode()
            name = re.search(r"\bparam (\w+)", whole)
            assert name is not None
            # The grammar puts a decorator inside the declaration or before it.
            before = (
                path.read_text(encoding="utf-8").encode()[: node.start_byte].decode().rstrip().rsplit("\n\n", 1)[-1]
            )
            description = re.search(rf"@description\({_STRING}\)", before + "\n" + whole)
            declaration = whole[name.start() :]
            found.append(
                Parameter(
                    name=name[1],
                    description=description[1] if description else None,
                    has_default="=" in declaration,
                )
            )
    return found


def outputs(path: Path) -> set[str]:
    return set(re.findall(r"^output (\w+) ", text(path), re.MULTILINE))


def block(path: Path, start: str) -> str:
    """Return the text from `start` to the brace or bracket that closes what it opens."""
    whole = text(path)
    at = whole.index(start)
    depth = 0
    for offset, character in enumerate(whole[at:]):
        depth += character in "{["
        depth -= character in "}]"
        if depth == 0 and character in "}]":
            return whole[at : at + offset + 1]
    raise AssertionError(f"{start!r} is not closed in {path}")
