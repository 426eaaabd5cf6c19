"""What is changed in each client's file so that the shim at an address is its index, purely."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import tomlkit

from indexfallback.clients import ini, shell, toml
from indexfallback.clients.undo import Step

#: Options of pip that name indexes, in whichever section.
PIP_OPTIONS = ("index-url", "extra-index-url")


class Named(NamedTuple):
    """An index that a client's file names."""

    url: str
    #: Where in the file: ``[global] index-url``.
    label: str
    #: Whether it stays beside the shim, and is asked for what it likes.
    stays: bool = False


_Change = tuple[str, Callable[[str], str]]


def _steps(text: str, changes: Iterable[_Change]) -> list[Step]:
    steps = [Step("", text)]
    for label, change in changes:
        changed = change(steps[-1].text)
        if changed != steps[-1].text:
            steps.append(Step(label, changed))
    return steps


def ini_steps(text: str, keys: Iterable[tuple[str, str]], url: str) -> list[Step]:
    """Return the steps that set options of an INI file, each in its section, to the address."""
    changes: list[_Change] = []
    for section, key in dict.fromkeys(keys):
        changes += [
            (f"[{section}]", partial(ini.with_section, section=section)),
            (f"[{section}] {key}", partial(ini.with_option, section=section, key=key, value=url)),
        ]
    return _steps(text, changes)


def pip_steps(text: str, url: str, weaker: Sequence[str] = ()) -> list[Step]:
    """Return the steps for pip; ``weaker`` are files whose options the user's file overrides.

    An ``extra-index-url`` becomes the shim, too, rather than being removed: so it also stands above
    one of a weaker file, and pip asks the same address once.
    """
    named = [
        (option.section, option.key)
        for other in (text, *weaker)
        for option in ini.options(other)
        if option.key in PIP_OPTIONS
    ]
    return ini_steps(text, [("global", "index-url"), *named], url)


def pip_indexes(text: str) -> list[Named]:
    """Return the indexes that a file of pip names."""
    return [
        Named(url, f"[{option.section}] {option.key}")
        for option in ini.options(text)
        if option.key in PIP_OPTIONS
        for url in option.value.split()
    ]


def buildout_steps(text: str, url: str) -> list[Step]:
    """Return the steps for zc.buildout."""
    return ini_steps(text, [("buildout", "index")], url)


def buildout_indexes(text: str) -> list[Named]:
    """Return the index that a file of zc.buildout names."""
    value = ini.value_of(text, "buildout", "index")
    return [Named(value, "[buildout] index")] if value else []


def toml_steps(text: str, path: tuple[str, ...], url: str) -> list[Step]:
    """Return the steps that set one key of a TOML file."""
    label = f"[{'.'.join(path[:-1])}]"
    return _steps(
        text,
        [
            (label, partial(toml.with_table, path=path[:-1])),
            (f"{label} {path[-1]}", partial(toml.with_value, path=path, value=url)),
        ],
    )


POETRY_PATH = ("plugins", "pypi_mirror", "url")
PDM_PATH = ("pypi", "url")


def poetry_indexes(text: str) -> list[Named]:
    """Return the mirror that a file of poetry names for its plug-in."""
    return _toml_named(toml.parse(text), POETRY_PATH)


def pdm_indexes(text: str) -> list[Named]:
    """Return the indexes that a file of pdm names: its default, and those beside it."""
    return pdm_table_indexes(toml.parse(text))


def pdm_table_indexes(document: dict[str, Any]) -> list[Named]:
    """Return the same for a document."""
    named = _toml_named(document, PDM_PATH)
    beside = toml.value_of(document, PDM_PATH[:1]) or {}
    for name, table in beside.items():
        named += [
            index._replace(stays=True)
            for index in _toml_named(document, ("pypi", name, "url"))
            if isinstance(table, dict)
        ]
    return named


def uv_steps(text: str, url: str) -> list[Step]:
    """Return the steps for uv, which has two ways of naming its default index."""
    document = toml.parse(text)
    changes: list[_Change] = []
    defaults = [table for table in toml.tables(document, "index") if table.get("default")]
    if defaults:
        changes.append(("[[index]] url", partial(_with_default, url=url)))
    if "index-url" in document:
        changes.append(("index-url", partial(toml.with_value, path=("index-url",), value=url)))
    elif not defaults:
        changes.append(("[[index]]", partial(_with_index, url=url)))
    if toml.value_of(document, ("pip", "index-url")) is not None:
        path = ("pip", "index-url")
        changes.append(("[pip] index-url", partial(toml.with_value, path=path, value=url)))
    return _steps(text, changes)


def uv_indexes(text: str) -> list[Named]:
    """Return the indexes that a file of uv names, but for those that are asked on demand only."""
    return uv_table_indexes(toml.parse(text))


def uv_table_indexes(document: dict[str, Any], label: str = "") -> list[Named]:
    """Return the same for a document, or for the table ``[tool.uv]`` of a project."""
    named = [
        Named(str(table["url"]), f"{label}[[index]]", stays=not table.get("default"))
        for table in toml.tables(document, "index")
        if "url" in table and not table.get("explicit")
    ]
    for path in (("index-url",), ("pip", "index-url")):
        named += _toml_named(document, path, label)
    for path in (("extra-index-url",), ("pip", "extra-index-url")):
        urls = toml.value_of(document, path)
        where = f"{label}{'.'.join(path)}"
        if isinstance(urls, list):
            named += [Named(str(url), where, stays=True) for url in urls]
    return named


def pipenv_steps(text: str, url: str, *, fish: bool) -> list[Step]:
    """Return the step for pipenv: a variable in the file of the user's shell."""
    change = partial(shell.with_variable, name="PIPENV_PYPI_MIRROR", value=url, fish=fish)
    return _steps(text, [("PIPENV_PYPI_MIRROR", change)])


def pipenv_indexes(text: str) -> list[Named]:
    """Return the index that a shell's file names for pipenv."""
    value = shell.value_of(text, "PIPENV_PYPI_MIRROR")
    return [Named(value, "PIPENV_PYPI_MIRROR")] if value else []


def _toml_named(document: Any, path: tuple[str, ...], label: str = "") -> list[Named]:
    value = toml.value_of(document, path)
    return [Named(value, f"{label}{'.'.join(path)}")] if isinstance(value, str) else []


def _with_default(text: str, url: str) -> str:
    for number, table in enumerate(toml.tables(toml.parse(text), "index")):
        if table.get("default"):
            text = toml.with_value(text, ("index", number, "url"), url)
    return text


def _with_index(text: str, url: str) -> str:
    """Return the text with a default index at its end, the one place that is valid in any file."""
    document = toml.parse(text)
    if "index" in document and not isinstance(document["index"], tomlkit.items.AoT):
        table = tomlkit.inline_table()
        table.update({"url": url, "default": True})
        toml.value_of(document, ("index",)).append(table)
        return tomlkit.dumps(document)
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    table_text = tomlkit.dumps({"index": [{"url": url, "default": True}]})
    return f"{ended}\n{table_text}" if ended else table_text
