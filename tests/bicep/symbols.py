"""Resolve the names in the Bicep files, as a compiler does, without knowledge of Azure's types.

Every name that is used is declared, and every declaration is used. Every module gets the parameters that it declares,
of their type. Every output that is used exists. Properties of resources are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_FUNCTIONS = {
    *("az.environment", "empty", "guid", "items", "json", "loadJsonContent", "loadTextContent", "resourceGroup"),
    *("subscription", "subscriptionResourceId", "toLower", "union", "uniqueString"),
}
"""Source: learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions"""
_DECORATORS = {"allowed", "description", "maxLength", "metadata", "minLength"}
_RESOURCE = {"apiVersion", "id", "identity", "kind", "location", "name", "properties", "sku", "tags", "type"}
"""The first members that a resource's symbol may be used with."""
_KINDS = {"string": "string", "boolean": "bool", "number": "int", "object": "object", "array": "array"}
_DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
}


@dataclass(kw_only=True)
class Template:
    """One file: what it declares, by name."""

    path: Path
    root: Node
    kinds: dict[str, str] = field(default_factory=dict)
    """param, var, resource or module."""
    types: dict[str, str] = field(default_factory=dict)
    """Of parameters; those of arrays as `array`."""
    required: set[str] = field(default_factory=set)
    allowed: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    """With their types."""
    modules: dict[str, Path] = field(default_factory=dict)
    conditional: set[str] = field(default_factory=set)
    """Modules that are not always deployed."""


def read(path: Path) -> Template:
    template = Template(
        path=path, root=Parser(Language(tree_sitter_bicep.language())).parse(path.read_bytes()).root_node
    )
    decorators: list[Node] = []
    for node in template.root.children:
        if node.type == "decorators":
            decorators = list(node.named_children)
            continue
        if node.type in _DECLARATIONS:
            name = _text(node.named_children[0])
            if name in template.kinds:
                template.kinds[name] = "twice"
            template.kinds.setdefault(name, _DECLARATIONS[node.type])
            if node.type == "parameter_declaration":
                template.types[name] = _type(node.named_children[1])
                if len(node.named_children) == 2:
                    template.required.add(name)
                for decorator in decorators:
                    if _text(decorator.named_children[0].named_children[0]) == "allowed":
                        (choices,) = decorator.named_children[0].named_children[1].named_children
                        template.allowed[name] = [_text(choice) for choice in choices.named_children]
            if node.type == "module_declaration":
                template.modules[name] = (path.parent / _text(node.named_children[1]).strip("'")).resolve()
                if node.named_children[2].type == "if_statement":
                    template.conditional.add(name)
        if node.type == "output_declaration":
            template.outputs[_text(node.named_children[0])] = _type(node.named_children[1])
        decorators = []
    return template


def mistakes(path: Path) -> list[str]:
    """Return the errors of a file and of the parameters that it passes to its modules, one line each."""
    template = read(path)
    modules = {name: read(module) for name, module in template.modules.items() if module.exists()}
    found = [f"{name} is declared twice" for name, kind in template.kinds.items() if kind == "twice"]
    found += [f"{module.name} is not there" for module in template.modules.values() if not module.exists()]
    used: set[str] = set()
    for name, node in _uses(template.root, frozenset()):
        used.add(name)
        if name not in template.kinds:
            found.append(f"line {node.start_point[0] + 1}: {name} is not declared")
        found += _wrong_member(template, modules, name, node)
    found += [
        f"{name} is never used"
        for name, kind in template.kinds.items()
        if kind in ("param", "var") and name not in used
    ]
    found += [f"{name}() is not known" for name in _called(template.root) - _FUNCTIONS - _DECORATORS]
    for node in template.root.children:
        if node.type == "parameter_declaration" and len(node.named_children) == 3:
            found += _unfit(template, template, _text(node.named_children[0]), node.named_children[2], modules)
        if node.type == "module_declaration" and (asked := modules.get(_text(node.named_children[0]))) is not None:
            found += _passed(template, asked, node, modules)
    return found


def _passed(template: Template, asked: Template, node: Node, modules: dict[str, Template]) -> Iterator[str]:
    name = _text(node.named_children[0])
    body = node.named_children[2]
    body = body.named_children[-1] if body.type == "if_statement" else body
    parts = {_text(one.named_children[0]): one.named_children[1] for one in body.named_children if one.is_named}
    params = {_text(one.named_children[0]): one.named_children[1] for one in parts["params"].named_children}
    for one in params.keys() - asked.types.keys():
        yield f"{name} is given {one}, which it does not declare"
    for one in asked.required - params.keys():
        yield f"{name} is not given {one}"
    for one in params.keys() & asked.types.keys():
        yield from (f"{name}: {wrong}" for wrong in _unfit(template, asked, one, params[one], modules))


def _unfit(template: Template, asked: Template, name: str, given: Node, modules: dict[str, Template]) -> Iterator[str]:
    """Yield why a value does not fit a parameter, if the value's type is known here."""
    kind = _kind_of(template, given, modules)
    if kind is not None and kind != asked.types[name]:
        yield f"{name} is a {asked.types[name]} and is given a {kind}"
    choices = asked.allowed.get(name)
    if choices and given.type == "string" and _text(given) not in choices:
        yield f"{name} may be {', '.join(choices)} and is given {_text(given)}"


def _kind_of(template: Template, node: Node, modules: dict[str, Template]) -> str | None:
    if node.type in _KINDS:
        return _KINDS[node.type]
    if node.type == "identifier":
        return template.types.get(_text(node))
    if node.type == "ternary_expression":
        kinds = {_kind_of(template, child, modules) for child in node.named_children[1:]}
        return kinds.pop() if len(kinds) == 1 else None
    parts = _text(node).replace("!", "").split(".")
    if node.type == "member_expression" and len(parts) == 3 and parts[1] == "outputs" and parts[0] in modules:
        return modules[parts[0]].outputs.get(parts[2])
    return None


def _wrong_member(template: Template, modules: dict[str, Template], name: str, node: Node) -> Iterator[str]:
    """Yield a member that the symbol does not have."""
    asked = node.parent
    sure = asked is not None and _text(asked).startswith(f"{name}!")
    while asked is not None and asked.type != "member_expression":
        if _text(asked).rstrip("!") != name:
            return
        asked = asked.parent
    if asked is None or not _text(asked).replace("!", "").startswith(f"{name}."):
        return
    member = _text(asked.named_children[-1])
    kind = template.kinds.get(name)
    if kind == "resource" and member not in _RESOURCE:
        yield f"{name}.{member}: a resource has no {member}"
    if kind == "module":
        if member not in ("outputs", "name"):
            yield f"{name}.{member}: a module has outputs and a name"
        further = asked.parent
        if member == "outputs" and further is not None and name in modules:
            output = _text(further.named_children[-1])
            if output not in modules[name].outputs:
                yield f"{name}.outputs.{output}: there is no such output"
        if name in template.conditional and not sure and "!" not in _text(asked):
            yield f"{name} may not be deployed, so its outputs need a !"


def _uses(node: Node, bound: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """Yield each name in an expression that refers to a declaration."""
    children = node.named_children
    if node.type == "identifier":
        following = node.next_sibling
        # In an array the grammar takes `f().x` apart: a name, and then what is in parentheses.
        is_called = following is not None and _text(following).startswith("(")
        if (name := _text(node)) not in bound and not is_called:
            yield name, node
        return
    if node.type in ("type", "decorators", "comment", "target_scope_assignment"):
        return
    if node.type == "for_statement":
        bound |= {_text(children[0])}
        children = children[1:]
    elif node.type in _DECLARATIONS or node.type in ("output_declaration", "object_property"):
        # The first is the name that is declared, or the key.
        first, children = children[0], children[1:]
        if first.type not in ("identifier", "property_identifier"):
            yield from _uses(first, bound)
    elif node.type == "call_expression":
        children = children[1:]  # a function
    for child in children:
        yield from _uses(child, bound)


def _called(node: Node) -> set[str]:
    found = {_text(node.named_children[0])} if node.type == "call_expression" else set()
    for child in node.named_children:
        found |= _called(child)
    return found


def _type(node: Node) -> str:
    text = _text(node)
    return "array" if text.endswith("[]") else text


def _text(node: Node) -> str:
    return (node.text or b"").decode()
