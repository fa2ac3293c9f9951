"""What of a lab the tests of the suites use, as far as their source tells.

Followed are functions and classes by their names, from each test through the suites and through
meshproof, and the fixtures of a suite's own conftest.py. Not followed are calls of methods, whose
objects a source does not tell: a method of a lab, a cluster or its addresses is known by its own
name (``TELLING``). So this finds what is used by way of functions, and nothing that is used by way
of a method of something else, nor what the fixtures of ``fixtures/`` do to make a lab or a mesh.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from meshproof.model import Capability
from meshproof.resources import resource

SUITES = Path(resource("suites"))
TOP = SUITES.parent
TELLING: Mapping[str, Capability] = {
    **dict.fromkeys(
        ("counters", "rewire", "router", "dropped_by_host", "without_router"), Capability.ROUTER
    ),
    "on_node": Capability.NODES,
    "check_changeable": Capability.CLUSTERS,
    "requests_by_cluster": Capability.ISTIO_FILTERS,
    **dict.fromkeys(("give", "take_back", "reserve"), Capability.ASSIGNED_ADDRESSES),
}
"""Attributes by which a use is known. None tells of BAKED_IMAGES: what a test deploys is of the
images that the mesh's own workloads are of, and where these come from is the lab's matter."""
Place = tuple[str, str]
"""A function or class: its module, and its name there."""


def uses(place: Place) -> frozenset[Capability]:
    """What a function or class uses, itself and by whatever it names."""
    found: set[Capability] = set()
    seen: set[Place] = set()
    todo = [place]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        names, attributes = _mentioned(here)
        found |= {TELLING[name] for name in (*names, *attributes) if name in TELLING}
        todo += [there for name in names if (there := _resolved(here[0], name)) is not None]
    return frozenset(found)


def suite_tests() -> Iterator[tuple[Place, ast.FunctionDef, ast.Module]]:
    """Each test function of the suites, with its module."""
    for path in sorted(SUITES.glob("*/test_*.py")):
        module = ".".join(path.relative_to(TOP).with_suffix("").parts)
        tree = _tree(module)
        assert tree is not None
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield (module, node.name), node, tree


@cache
def _tree(module: str) -> ast.Module | None:
    base = TOP / Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return ast.parse(path.read_text(encoding="utf-8"))
    return None


@cache
def _named(module: str) -> Mapping[str, ast.stmt]:
    """What is at the top of a module, by its name."""
    found: dict[str, ast.stmt] = {}
    tree = _tree(module)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {one.id: node for one in node.targets if isinstance(one, ast.Name)}
    return found


def _resolved(module: str, name: str) -> Place | None:
    """Where a name of a module is made; None for what is not of ours, and for plain data."""
    node = _named(module).get(name)
    if isinstance(node, ast.ImportFrom):
        if not (node.module or "").startswith(("meshproof", "suites")):
            return None
        original = next(one.name for one in node.names if (one.asname or one.name) == name)
        return _resolved(str(node.module), original)
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign):
        return module, name
    beside = f"{module.rpartition('.')[0]}.conftest"
    is_fixture = module.startswith("suites.") and not module.endswith(".conftest")
    return _resolved(beside, name) if is_fixture and name in _named(beside) else None


@cache
def _mentioned(place: Place) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function or class mentions, but in annotations, and the attributes."""
    names: set[str] = set()
    attributes: set[str] = set()
    todo: list[ast.AST] = [_named(place[0])[place[1]]]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            names |= {one.arg for one in node.args.args} if node.name.startswith("test_") else set()
            todo += [*node.body, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.AnnAssign):
            todo += [node.value] if node.value is not None else []
        else:
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            todo += ast.iter_child_nodes(node)
    return frozenset(names), frozenset(attributes)
