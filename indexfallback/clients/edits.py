"""The edits of each client's file that make the shim its index, and the indexes in it; no I/O."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import tomlkit

from indexfallback.clients import ini, shell, toml
from indexfallback.clients.undo import Step

#: pip's options with indexes, in any section.
PIP_OPTIONS = ("index-url", "extra-index-url")


class NamedIndex(NamedTuple):
    """An index in a client's file."""

    url: str
    #: The setting: ``[global] index-url``.
    label: str
    #: Whether the client uses it in addition to its default index, which becomes the shim.
    is_additional: bool = False


_Change = tuple[str, Callable[[str], str]]


def _steps(text: str, changes: Iterable[_Change]) -> list[Step]:
    steps = [Step("", text)]
    for label, change in changes:
        changed = change(steps[-1].text)
        if changed != steps[-1].text:
            steps.append(Step(label, changed))
    return steps


def ini_steps(text: str, keys: Iterable[tuple[str, str]], url: str) -> list[Step]:
    """Return the steps that set options (section and key) of an INI file to the address."""
    changes: list[_Change] = []
    for section, key in dict.fromkeys(keys):
        changes += [
            (f"[{section}]", partial(ini.with_section, section=section)),
            (f"[{section}] {key}", partial(ini.with_option, section=section, key=key, value=url)),
        ]
    return _steps(text, changes)


def pip_steps(text: str, url: str, weaker: Sequence[str] = ()) -> list[Step]:
    """Return the steps for pip; the user's file overrides the texts of the files in ``weaker``.

    An ``extra-index-url`` is set to the shim instead of removed, which overrides the option in a
    weaker file; pip asks one address only once.
    """
    named = [
        (option.section, option.key)
        for other in (text, *weaker)
        for option in ini.options(other)
        if option.key in PIP_OPTIONS
    ]
    return ini_steps(text, [("global", "index-url"), *named], url)


def pip_indexes(text: str) -> list[NamedIndex]:
    """Return the indexes in a file of pip."""
    return [
        NamedIndex(url, f"[{option.section}] {option.key}")
        for option in ini.options(text)
        if option.key in PIP_OPTIONS
        for url in option.value.split()
    ]


def buildout_steps(text: str, url: str) -> list[Step]:
    """Return the steps for zc.buildout."""
    return ini_steps(text, [("buildout", "index")], url)


def buildout_indexes(text: str) -> list[NamedIndex]:
    """Return the index in a file of zc.buildout."""
    value = ini.value_of(text, "buildout", "index")
    return [NamedIndex(value, "[buildout] index")] if value else []


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


def poetry_indexes(text: str) -> list[NamedIndex]:
    """Return the mirror in a file of poetry, which its plug-in reads."""
    return _toml_named(toml.parse(text), POETRY_PATH)


def pdm_indexes(text: str) -> list[NamedIndex]:
    """Return the indexes in a file of pdm: its default, and the additional ones."""
    return pdm_table_indexes(toml.parse(text))


def pdm_table_indexes(document: dict[str, Any]) -> list[NamedIndex]:
    """Return the indexes in a parsed file of pdm."""
    named = _toml_named(document, PDM_PATH)
    additional = toml.value_of(document, PDM_PATH[:1]) or {}
    for name, table in additional.items():
        named += [
            index._replace(is_additional=True)
            for index in _toml_named(document, ("pypi", name, "url"))
            if isinstance(table, dict)
        ]
    return named


def uv_steps(text: str, url: str) -> list[Step]:
    """Return the steps for uv, which has two settings for its default index."""
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


def uv_indexes(text: str) -> list[NamedIndex]:
    """Return the indexes in a file of uv, without explicit ones."""
    return uv_table_indexes(toml.parse(text))


def uv_table_indexes(document: dict[str, Any], label: str = "") -> list[NamedIndex]:
    """Return the indexes in a parsed file of uv, or in the table ``[tool.uv]`` of a project."""
    named = [
        NamedIndex(str(table["url"]), f"{label}[[index]]", is_additional=not table.get("default"))
        for table in toml.tables(document, "index")
        if "url" in table and not table.get("explicit")
    ]
    for path in (("index-url",), ("pip", "index-url")):
        named += _toml_named(document, path, label)
    for path in (("extra-index-url",), ("pip", "extra-index-url")):
        urls = toml.value_of(document, path)
        where = f"{label}{'.'.join(path)}"
        if isinstance(urls, list):
            named += [NamedIndex(str(url), where, is_additional=True) for url in urls]
    return named


def pipenv_steps(text: str, url: str, *, fish: bool) -> list[Step]:
    """Return the step for pipenv: an environment variable in the start-up file of the shell."""
    change = partial(shell.with_variable, name="PIPENV_PYPI_MIRROR", value=url, fish=fish)
    return _steps(text, [("PIPENV_PYPI_MIRROR", change)])


def pipenv_indexes(text: str) -> list[NamedIndex]:
    """Return the index for pipenv in the start-up file of a shell."""
    value = shell.value_of(text, "PIPENV_PYPI_MIRROR")
    return [NamedIndex(value, "PIPENV_PYPI_MIRROR")] if value else []


def _toml_named(document: Any, path: tuple[str, ...], label: str = "") -> list[NamedIndex]:
    value = toml.value_of(document, path)
    return [NamedIndex(value, f"{label}{'.'.join(path)}")] if isinstance(value, str) else []


def _with_default(text: str, url: str) -> str:
    for number, table in enumerate(toml.tables(toml.parse(text), "index")):
        if table.get("default"):
            text = toml.with_value(text, ("index", number, "url"), url)
    return text


def _with_index(text: str, url: str) -> str:
    """Return the text with a default index at its end, which is valid in every file."""
    document = toml.parse(text)
    if "index" in document and not isinstance(document["index"], tomlkit.items.AoT):
        table = tomlkit.inline_table()
        table.update({"url": url, "default": True})
        toml.value_of(document, ("index",)).append(table)
        return tomlkit.dumps(document)
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    table_text = tomlkit.dumps({"index": [{"url": url, "default": True}]})
    return f"{ended}\n{table_text}" if ended else table_text
