"""Copies indexes from the configuration of clients into our configuration file; no I/O."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import tomlkit

from indexfallback.clients import toml
from indexfallback.clients.ini import with_paragraph
from indexfallback.config import Index
from indexfallback.config.address import PYPI, parse_address
from indexfallback.config.line_numbers import LineNumbers
from indexfallback.config.naming import unique_name
from indexfallback.config.pip import is_default_url

_HEADING = """\
# Configuration of indexfallback, created from the indexes that were in use here.
# Indexes are asked in this order; the first that has a project owns it.
# `indexfallback config show` prints all settings.
"""


def missing(found: Iterable[Index], chain: Sequence[Index]) -> list[Index]:
    """Return the private indexes that are not in the chain.

    `with_indexes` adds them at the beginning, where a public index would take over the projects
    of private ones.
    """
    known = {index.url for index in chain}
    return [index for index in found if index.is_private and index.url not in known]


def renamed(found: Iterable[Index], chain: Sequence[Index]) -> list[tuple[str, Index]]:
    """Return each index with a name that is unique in the chain."""
    taken = {index.name for index in chain}
    named = []
    for index in found:
        name = unique_name(index.name, taken)
        taken.add(name)
        named.append((name, index))
    return named


def with_indexes(text: str, named: Iterable[tuple[str, Index]]) -> str:
    """Return the configuration with these indexes before its own."""
    tables = "\n".join(_table(name, index) for name, index in named)
    if not tables:
        return text
    if not text.strip():
        return f"{_HEADING}\n{tables}"
    if "index" not in toml.parse(text):
        return with_paragraph(text, tables)
    lines = text.splitlines(keepends=True)
    place = LineNumbers(text)["index", 0] - 1
    return "".join([*lines[:place], tables, "\n", *lines[place:]])


def with_credentials(text: str, found: Iterable[Index], chain: Iterable[Index]) -> str:
    """Return the configuration with credentials added to those of its indexes that have none."""
    bare = {index.url for index in chain if index.username is None and not index.keyring}
    logins = {index.url: index for index in found if index.username and index.url in bare}
    if not logins:
        return text
    for number, table in enumerate(toml.tables(toml.parse(text), "index")):
        url = str(table["url"])
        url = parse_address(url, Path()).url if "://" in url else url
        if url in logins:
            text = toml.with_value(text, ("index", number, "url"), address(logins[url]))
    return text


def with_port(text: str, port: int) -> str:
    """Return the configuration with another port of the shim."""
    return toml.with_value(toml.with_table(text, ("server",)), ("server", "port"), port)


def address(index: Index) -> str:
    """Return the address of an index for a configuration file, with credentials."""
    if is_default_url(index.url):
        return PYPI
    if index.username is None:
        return index.url
    parts = urlsplit(index.url)
    password = "" if index.password is None else f":{quote(index.password, safe='')}"
    login = f"{quote(index.username, safe='')}{password}@"
    return urlunsplit(parts._replace(netloc=f"{login}{parts.netloc}"))


def reason(index: Index) -> str:
    """Return why ``init`` proposes the role of an index."""
    if index.role == "public":
        return "it is PyPI" if is_default_url(index.url) else "pip's main index"
    if index.mirror_of is not None:
        return "the client takes it for a mirror of PyPI"
    if index.defer_copies:
        return "pip asks it beside the public index"
    return "it may have projects of its own"


def _table(name: str, index: Index) -> str:
    keys: dict[str, object] = {"name": name, "url": address(index), "role": index.role}
    if index.mirror_of:
        del keys["role"]
        keys["mirror_of"] = index.mirror_of
    if index.only:
        keys["only"] = list(index.only)
    elif index.defer_copies:
        keys["defer_copies"] = True
    return tomlkit.dumps({"index": [keys]}).lstrip("\n")
