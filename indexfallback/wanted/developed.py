"""Reads what a project in a directory is called and requires, without running its code.

Reading list: PEP 621 (``[project]``), setuptools' declarative ``setup.cfg``, and the literals in
``setup.py``.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexfallback.names import normalize

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


#: In place of requirements: they are in another file, or made by a build.
_ELSEWHERE = "elsewhere"
#: What is read, and the keyword of ``setup()`` for it.
_KEYWORDS = {"name": "name", "version": "version", "requires": "install_requires",
             "extras": "extras_require"}  # fmt: skip


@dataclass(frozen=True)
class Developed:
    """A project in a directory, as far as its files state it."""

    directory: Path
    #: Normalised; empty if it is not stated.
    name: str = ""
    #: Empty if it is not stated.
    version: str = ""
    #: None if only a build would tell.
    requires: tuple[str, ...] | None = None
    #: By normalised name.
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: ``[build-system] requires``; empty if it is not stated.
    build: tuple[str, ...] = ()


def developed(directory: Path) -> Developed:
    """Return what the files of a directory state; what cannot be read counts as not stated."""
    document = _toml(directory / "pyproject.toml")
    build = document.get("build-system", {}).get("requires", ())
    project, config, script = _of_project(document), _of_config(directory), _of_script(directory)
    if _is_elsewhere(project) or _is_elsewhere(config):
        script = {**script, "requires": script.get("requires") or None}
    stated = [project, config, script]
    requires = next((r for r in (each.get("requires") for each in stated) if _is_known(r)), None)
    extras: Mapping[str, Any] = next((each["extras"] for each in stated if each.get("extras")), {})
    return Developed(
        directory,
        normalize(_text(stated, "name")),
        _text(stated, "version"),
        None if requires is None else tuple(_lines(requires)),
        {normalize(name): tuple(_lines(texts)) for name, texts in extras.items()},
        tuple(_lines(build)),
    )


def _is_known(value: Any) -> bool:
    return value is not None and value != _ELSEWHERE


def _is_elsewhere(stated: Mapping[str, Any]) -> bool:
    return stated.get("requires") == _ELSEWHERE


def _text(stated: Sequence[Mapping[str, Any]], key: str) -> str:
    found = (each.get(key) for each in stated)
    return next((text for text in found if isinstance(text, str) and ":" not in text), "")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or not TOML: a build would fail and say so
        return {}


def _of_project(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``[project]`` states (PEP 621)."""
    project = document.get("project")
    if not isinstance(project, dict):
        return {}
    dynamic = project.get("dynamic", ())
    return {
        "name": project.get("name"),
        "version": project.get("version"),
        "requires": _ELSEWHERE if "dependencies" in dynamic else project.get("dependencies", []),
        "extras": project.get("optional-dependencies", {}),
    }


def _of_config(directory: Path) -> dict[str, Any]:
    """Return what ``setup.cfg`` states."""
    config = ConfigParser(interpolation=None)
    try:
        config.read_string((directory / "setup.cfg").read_text(encoding="utf-8"))
    except (OSError, ValueError, ConfigError):  # none, or for another tool
        return {}
    section = "options.extras_require"
    extras = {name: config[section][name] for name in config[section]} if section in config else {}
    requires = config.get("options", "install_requires", fallback=None)
    if requires is not None and requires.startswith("file:"):
        requires = _ELSEWHERE
    return {
        "name": config.get("metadata", "name", fallback=None),
        "version": config.get("metadata", "version", fallback=None),
        "requires": requires,
        "extras": {name: text for name, text in extras.items() if not text.startswith("file:")},
    }  # fmt: skip


def _of_script(directory: Path) -> dict[str, Any]:
    """Return the literals that ``setup.py`` calls ``setup()`` with."""
    try:
        script = ast.parse((directory / "setup.py").read_bytes())
    except (OSError, ValueError, SyntaxError):
        return {}
    names: dict[str, Any] = {}
    changed = _changed(script)
    for node in script.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in changed:
                with suppress(LookupError, TypeError):  # not a literal
                    names[name] = _value(node.value, names)
    call = next((node for node in ast.walk(script) if _is_setup(node)), None)
    if not isinstance(call, ast.Call):
        return {}
    given: dict[str | None, Any] = {keyword.arg: keyword.value for keyword in call.keywords}
    found: dict[str, Any] = {} if None in given else {"requires": []}  # `**more` may state some
    for key, name in _KEYWORDS.items():
        if name in given:
            try:
                found[key] = _value(given[name], names)
            except (LookupError, TypeError):
                found[key] = None
    return found


def _changed(script: ast.Module) -> set[str]:
    """Return the names that are set more than once, or whose value may be changed in its place."""
    nodes = list(ast.walk(script))
    is_set = Counter(
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    used = {node.value.id for node in nodes
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.value, ast.Name)
            }  # fmt: skip
    return used | {name for name, times in is_set.items() if times > 1}


def _is_setup(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return "setup" in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return the value of a literal; raises LookupError or TypeError if it is not one."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple() | ast.Set():
            return [_value(each, names) for each in node.elts]
        case ast.Dict():
            keys = [_value(key, names) if key else None for key in node.keys]
            return dict(zip(keys, [_value(each, names) for each in node.values], strict=True))
        case ast.Name():
            return names[node.id]
        case ast.BinOp(op=ast.Add()):
            return _value(node.left, names) + _value(node.right, names)
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            return {each.arg: _value(each.value, names) for each in node.keywords if each.arg}
    raise LookupError(type(node).__name__)


def _lines(texts: Any) -> Iterator[str]:
    """Yield requirements, which are a list, or a text with one on each line."""
    lines = texts.splitlines() if isinstance(texts, str) else texts
    for line in lines if isinstance(lines, (list, tuple)) else ():
        if isinstance(line, str) and line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()
