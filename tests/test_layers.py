"""Imports point up the list of modules in the design, and the pure ones do no I/O."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: From the bottom up: each imports from itself and from earlier ones only.
ORDER = (
    "errors", "words", "names", "origin", "page", "outcome", "health", "condition", "mode",
    "flight", "memory", "process",
    "config", "formats", "dists", "wanted",
    "upstream", "store", "hosted",
    "chain", "files", "search",
    "shim", "report", "delivery",
    "server", "tunnel",
    "mirror", "tree", "carry",
    "clients", "service", "doctor", "fetch",
    "cli",
)  # fmt: skip
#: The same inside the folders whose modules stand on one another.
INSIDE = {
    "chain": (
        "budget", "latency", "lag", "figures", "cooldown", "offer", "fetched_ahead", "decisions",
        "activity", "copies", "authority", "question", "policy", "remedies", "explain",
        "health_log", "network", "cooling", "heartbeat", "members", "refusals", "keeper",
        "attempts", "asking", "probe", "name_lists", "questions", "answer", "walk", "documents",
        "fallback",
    ),
    "files": (
        "file_url", "pace", "coding", "provenance_body", "extent", "profile", "workers", "failures",
        "parts", "sources", "shared_copy", "pinned", "integrity", "hashing", "checking", "opening",
        "plan", "arrival", "assembly", "transfer", "unheld", "metadata", "lookup", "provenance",
        "by_url", "download", "planner", "schedule", "ahead",
        "known_advisories", "notices",
    ),
}  # fmt: skip
LEVEL = {module: level for level, module in enumerate(ORDER)} | {
    f"{folder}.{module}": level
    for folder, modules in INSIDE.items()
    for level, module in enumerate(modules)
}
#: Decisions and values: no network, no disk, no clock, no threads.
PURE = (
    "errors", "process.machine", "words", "names", "origin", "mode", "doctor", "page", "formats",
    "outcome", "health", "condition",
    "chain.question", "chain.policy", "chain.offer", "chain.cooldown", "chain.lag", "chain.copies",
    "chain.explain", "chain.remedies", "files.file_url", "files.pace", "files.coding",
    "files.extent", "files.failures", "files.profile", "files.planner", "files.schedule",
    "server.intercepted",
    "tunnel.client_hello", "tunnel.environment", "tunnel.exceptions", "tunnel.heads",
    "tunnel.origins", "tunnel.requests", "tunnel.route",
    "dists.fitting", "dists.interpreters", "dists.platforms", "carry.changes",
    "mirror.releases", "mirror.plan", "search.described", "search.query", "server.made_json",
)  # fmt: skip
IMPURE = frozenset(
    ("requests", "urllib3", "sqlite3", "socket", "ssl", "http", "threading", "time", "os", "io",
     "pathlib", "shutil", "subprocess", "tempfile", "random", "logging", "falcon", "granian")
)  # fmt: skip
#: `formats` may say what it passes over, and takes the numeric forms of an address apart; `http`
#: has the names of statuses.
EXCEPT = {("formats.fields", "logging"), ("formats.links", "socket"), ("tunnel.heads", "http")}
IO_CALLS = frozenset(("open", "print", "input", "exec", "eval", "__import__"))


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield each module's name below the package, and its code."""
    for path in sorted((ROOT / "indexfallback").rglob("*.py")):
        parts = path.relative_to(ROOT / "indexfallback").with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text("utf-8"))


MODULES = dict(modules())


def imports(code: ast.Module) -> Iterator[str]:
    """Yield the dotted names of all modules that are imported, wherever the import stands."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield node.module or ""
            if node.module == "indexfallback":
                yield from (f"indexfallback.{alias.name}" for alias in node.names)


def wrong_imports(module: str) -> Iterator[str]:
    """Yield the modules that one imports although they are not below it."""
    parts = module.split(".")
    for name in imports(MODULES[module]):
        package, *other = name.split(".")
        if package != "indexfallback" or not other or other[0] == "__version__":
            continue
        if other[0] != parts[0]:
            own, level = LEVEL[parts[0]], LEVEL[other[0]]
        elif parts[0] in INSIDE and len(parts) > 1 and len(other) > 1 and other[1] != parts[1]:
            own, level = LEVEL[module], LEVEL[".".join(other[:2])]
        else:
            continue
        if level > own:
            yield name


PACKAGES = sorted(name for name in MODULES if name not in ("", "__main__"))


def test_every_module_has_its_place_in_the_order() -> None:
    assert {name.partition(".")[0] for name in PACKAGES} == set(ORDER)


@pytest.mark.parametrize("folder", INSIDE)
def test_every_module_of_a_folder_has_its_place(folder: str) -> None:
    inside = {name.removeprefix(f"{folder}.") for name in PACKAGES if name.startswith(f"{folder}.")}
    assert inside == set(INSIDE[folder])


@pytest.mark.parametrize("module", PACKAGES)
def test_imports_point_one_way(module: str) -> None:
    wrong = list(wrong_imports(module))
    assert not wrong, f"indexfallback.{module} is below {wrong}"


def test_no_modules_import_each_other() -> None:
    graph = {
        name: {
            used.removeprefix("indexfallback.")
            for used in imports(code)
            if used.removeprefix("indexfallback.") in MODULES
        }
        - {name}
        for name, code in MODULES.items()
    }
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "module", [m for m in PACKAGES if m in PURE or m.partition(".")[0] in PURE]
)
def test_a_pure_module_has_nothing_to_do_io_with(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(MODULES[module])} & IMPURE
    assert not {name for name in used if (module, name) not in EXCEPT}
    calls = [n.func.id for n in ast.walk(MODULES[module])
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]  # fmt: skip
    assert not IO_CALLS.intersection(calls)


def test_the_settings_are_values_without_io() -> None:
    assert not IMPURE.difference(("pathlib",)).intersection(
        name.partition(".")[0] for name in imports(MODULES["config"])
    )


def test_what_writes_pages_for_people_neither_reads_nor_asks() -> None:
    pages = ("about", "install", "listing", "markup", "ownership", "project", "releases", "start")
    for name in pages:
        code = MODULES[f"server.browse.{name}"]
        assert not IMPURE.intersection(used.partition(".")[0] for used in imports(code)), name


def test_the_exceptions_of_the_pure_modules_are_still_needed() -> None:
    for module, name in EXCEPT:
        assert name in set(imports(MODULES[module]))


def test_links_look_up_no_name() -> None:
    used = {
        node.attr
        for node in ast.walk(MODULES["formats.links"])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "socket"
    }
    assert used == {"inet_aton"}


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("requests", {"upstream"}),
        ("urllib3", {"upstream"}),
        ("truststore", {"upstream"}),
        ("sqlite3", {"store", "cli"}),  # the command line catches its errors
        ("selectolax", {"formats"}),
        ("falcon", {"server"}),
        ("granian", {"server"}),
        ("rich", {"cli"}),
        ("tomlkit", {"clients"}),
        ("readme_renderer", {"server"}),
        ("obstore", {"store"}),
        ("pypi_attestations", {"dists"}),
        ("cryptography", {"tunnel"}),
    ],
)
def test_a_library_stays_at_home(library: str, homes: set[str]) -> None:
    users = {
        name.partition(".")[0]
        for name, code in MODULES.items()
        if library in {used.partition(".")[0] for used in imports(code)}
    }
    assert users <= homes


def test_buildout_is_imported_only_by_its_extension_and_in_the_child_that_reads_buildouts() -> None:
    for module, code in MODULES.items():
        if module == "wanted.buildout_reader":
            continue
        assert not [name for name in imports(code) if name.partition(".")[0] == "zc"], module


def test_the_extension_uses_the_package_and_not_the_other_way_round() -> None:
    for module, code in MODULES.items():
        assert "buildout_ext" not in {name.partition(".")[0] for name in imports(code)}, module
