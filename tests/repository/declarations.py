"""Find modules that only declare: they have no behavior, so a test of them could only repeat them."""

from __future__ import annotations

import ast


def declares_only(source: str) -> bool:
    """Say whether a module holds only imports, constants, protocols, and classes without methods.

    A constant may call a constructor, such as `re.compile`; a lambda or a comprehension is behavior.

    >>> declares_only("MAX = 3"), declares_only("def f(): return 3")
    (True, False)
    """
    return all(_is_declaration(node) for node in ast.parse(source).body)


def _is_declaration(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return all(_is_declaration(one) for one in node.body)
        case ast.Assign() | ast.AnnAssign():
            return not any(isinstance(part, _BEHAVIOR) for part in ast.walk(node))
        case ast.ClassDef() if _is_protocol(node):
            return all(_is_declaration(one) or _is_empty(one) for one in node.body)
        case ast.ClassDef():
            return all(_is_declaration(one) for one in node.body)
    return False


_BEHAVIOR = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def _is_empty(node: ast.stmt) -> bool:
    """Say whether this is a method that has a docstring and `...` at most."""
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and all(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in node.body
    )
