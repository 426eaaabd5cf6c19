"""Each collection that lives as long as the process is in the list of bounds."""

import ast
from collections.abc import Iterator
from pathlib import Path

from indexfallback.memory import bounds

ROOT = Path(__file__).parents[2] / "indexfallback"
#: What serves, and thereby runs for weeks.
SERVING = ("cli/logs", "flight", "chain", "config/loopback", "files", "formats", "health",
           "hosted", "memory", "mode", "names", "origin", "report", "search", "server", "shim",
           "store", "tunnel", "upstream")  # fmt: skip
COLLECTIONS = frozenset(
    ("dict", "set", "list", "deque", "OrderedDict", "defaultdict", "Counter", "Queue", "Table")
)
CACHES = frozenset(("lru_cache", "cache"))


def _name(node: ast.expr | None) -> str:
    """Return the last part of the name that an expression begins with: ``deque[int]`` is deque."""
    while isinstance(node, (ast.Subscript, ast.Call)):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_filled_later(node: ast.AnnAssign) -> bool:
    """Tell whether a collection of a module is no constant, as its name in lower case says."""
    return _name(node.annotation) in COLLECTIONS and not _name(node.target).isupper()


def _held(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield the collections that a module's objects hold, and its caches of functions."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and _is_filled_later(node):
            yield f"{module}.{_name(node.target)}"
        if isinstance(node, (ast.FunctionDef, ast.Assign)):
            used = node.decorator_list if isinstance(node, ast.FunctionDef) else [node.value]
            name = node.name if isinstance(node, ast.FunctionDef) else _name(node.targets[0])
            if CACHES & set(map(_name, used)):
                yield f"{module}.{name}"
        if not isinstance(node, ast.ClassDef):
            continue
        for made in ast.walk(node):
            target = made.target if isinstance(made, ast.AnnAssign) else None
            if (
                isinstance(made, ast.AnnAssign)
                and isinstance(target, ast.Attribute)
                and _name(made.annotation) in COLLECTIONS
            ):
                yield f"{module}.{node.name}.{target.attr}"


def _all() -> set[str]:
    paths = (path for path in ROOT.rglob("*.py")
             if path.relative_to(ROOT).as_posix().startswith(SERVING))  # fmt: skip
    found: set[str] = set()
    for path in paths:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found |= set(_held(module, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def test_the_list_of_bounds_has_every_collection_and_nothing_else() -> None:
    assert _all() == {*bounds.TABLES, *bounds.OTHERS}


def test_each_table_is_made_with_the_name_of_its_place() -> None:
    for name in bounds.TABLES:
        module, _, _ = name.rsplit(".", 2)
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        assert f'"{name}"' in text


def test_all_tables_together_take_less_than_a_hundred_megabytes() -> None:
    shared = sum(most for name, most in bounds.TABLES.items() if name.startswith("store.shared."))
    assert shared < 8 * 1024**2  # only of a shim that shares with others
    assert sum(bounds.TABLES.values()) - shared < 105 * 1024**2
