"""Known vulnerabilities of a release, as the JSON of an index and of OSV state them.

Both are read with tolerance: an entry of an unexpected shape is left out, and so is one that was
withdrawn. Sources: PyPI's documentation, "JSON API", "Known vulnerabilities"; the OSV schema 1.7;
OSV's documentation of ``POST /v1/querybatch`` and ``GET /v1/vulns/{id}``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from indexfallback.names import normalize

#: Advisories of one release that are kept: the worst releases have about a hundred.
MOST = 300
#: Characters that are kept of an identifier or a version, and of any other text.
_SHORT, _LONG = 100, 500
#: The name of PyPI's projects in OSV.
_ECOSYSTEM = "PyPI"
_LINKS = ("https://", "http://")


class Release(NamedTuple):
    """One version of a project: its name is normalised."""

    project: str
    version: str


class Advisory(msgspec.Struct, frozen=True):
    """A known vulnerability of a release."""

    id: str
    #: Other identifiers of the same vulnerability.
    aliases: tuple[str, ...] = ()
    #: One line.
    summary: str = ""
    #: Versions with a correction.
    fixed_in: tuple[str, ...] = ()
    #: The address of a page about it; empty if none is stated.
    link: str = ""
    #: Who has stated it: ``osv``, or what the index says.
    source: str = ""
    #: When OSV's record was changed last, as OSV writes it; empty if unknown.
    modified: str = ""

    @property
    def name(self) -> str:
        """The identifier that people know best: the CVE if it has one."""
        return next((each for each in self.names if each.startswith("CVE-")), self.id)

    @property
    def names(self) -> tuple[str, ...]:
        """All identifiers."""
        return (self.id, *self.aliases)


class Match(NamedTuple):
    """What OSV's answer to a batch says of one vulnerability."""

    id: str
    modified: str


class _Vulnerabilities(msgspec.Struct):
    #: Any JSON: only this part is decoded.
    vulnerabilities: Any = None
    info: Any = None


_index_json = msgspec.json.Decoder(_Vulnerabilities)


def of_index(body: bytes) -> tuple[str, tuple[Advisory, ...]]:
    """Return the version that an index's JSON describes, and the vulnerabilities it states.

    The version is empty if the JSON cannot be read.
    """
    try:
        document = _index_json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ()
    version = _text(_fields(document.info).get("version"), _SHORT)
    return version, merged(map(_of_index, _objects(document.vulnerabilities)))


def _of_index(entry: dict[str, Any]) -> Advisory | None:
    summary = _text(entry.get("summary"), _LONG) or _text(entry.get("details"), _LONG)
    return _advisory(
        entry,
        summary,
        fixed_in=_texts(entry.get("fixed_in")),
        link=_link(entry.get("link")),
        source=_text(entry.get("source"), _SHORT),
    )


def osv_batch(releases: Sequence[Release]) -> bytes:
    """Return the body of a request to OSV for some releases."""
    queries = [
        {"package": {"name": project, "ecosystem": _ECOSYSTEM}, "version": version}
        for project, version in releases
    ]
    return msgspec.json.encode({"queries": queries})


def osv_matches(body: bytes, count: int) -> list[tuple[Match, ...]] | None:
    """Return what OSV's answer to a batch of ``count`` releases has for each of them, in order.

    None if it is no such answer.
    """
    results = _fields(_decoded(body)).get("results")
    if not isinstance(results, list) or len(results) != count:
        return None
    return [tuple(_matches(result)) for result in results]


def _matches(result: object) -> Iterator[Match]:
    for entry in _objects(_fields(result).get("vulns")):
        if found := _identifier(entry.get("id")):
            yield Match(found, _text(entry.get("modified"), _SHORT))


def of_osv(body: bytes, project: str) -> Advisory | None:
    """Return what one of OSV's records says of a project; None if it is withdrawn or no record."""
    entry = _fields(_decoded(body))
    links = [_fields(each) for each in _objects(entry.get("references"))]
    preferred = sorted(links, key=lambda each: each.get("type") != "ADVISORY")
    return _advisory(
        entry,
        _text(entry.get("summary"), _LONG) or _text(entry.get("details"), _LONG),
        fixed_in=tuple(dict.fromkeys(_fixed(entry, project))),
        link=next(filter(None, (_link(each.get("url")) for each in preferred)), ""),
        source="osv",
    )


def _fixed(entry: dict[str, Any], project: str) -> Iterator[str]:
    """Yield the versions of a project that a record of OSV states as corrected."""
    for affected in _objects(entry.get("affected")):
        package = _fields(affected.get("package"))
        name = package.get("name")
        if package.get("ecosystem") != _ECOSYSTEM or not isinstance(name, str):
            continue
        ranges = _objects(affected.get("ranges")) if normalize(name) == project else ()
        for events in (each.get("events") for each in ranges if each.get("type") == "ECOSYSTEM"):
            yield from filter(None, (_text(e.get("fixed"), _SHORT) for e in _objects(events)))


def merged(advisories: Iterable[Advisory | None]) -> tuple[Advisory, ...]:
    """Return advisories of one release, each vulnerability once.

    Two entries that share an identifier are about the same vulnerability: the first one's texts
    are kept, the identifiers and the corrected versions of both.
    """
    kept: list[Advisory] = []
    for advisory in advisories:
        if advisory is None:
            continue
        same = [each for each in kept if not set(each.names).isdisjoint(advisory.names)]
        kept = [each for each in kept if each not in same]
        kept.append(_joined([*same, advisory]))
    return tuple(kept[:MOST])


def _joined(same: Sequence[Advisory]) -> Advisory:
    first = same[0]
    names = dict.fromkeys(name for each in same for name in each.names if name != first.id)
    return msgspec.structs.replace(
        first,
        aliases=tuple(names),
        summary=next(filter(None, (each.summary for each in same)), ""),
        fixed_in=tuple(dict.fromkeys(version for each in same for version in each.fixed_in)),
        link=next(filter(None, (each.link for each in same)), ""),
    )


def _advisory(
    entry: dict[str, Any], summary: str, *, fixed_in: tuple[str, ...], link: str, source: str
) -> Advisory | None:
    found = _identifier(entry.get("id"))
    if not found or entry.get("withdrawn"):
        return None
    aliases = filter(None, map(_identifier, _list(entry.get("aliases"))))
    return Advisory(
        found,
        tuple(dict.fromkeys(alias for alias in aliases if alias != found)),
        summary,
        fixed_in,
        link,
        source,
        _text(entry.get("modified"), _SHORT),
    )


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _fields(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:MOST] if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(filter(None, (_text(each, _SHORT) for each in _list(value))))


def _text(value: object, most: int) -> str:
    """Return the first line of a text that can be printed; empty for anything else."""
    if not isinstance(value, str):
        return ""
    line = next((line for line in value.splitlines() if line.strip()), "").strip()
    shown = "".join(c for c in line if c.isprintable())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _identifier(value: object) -> str:
    """Return an identifier, which is also a part of an address; empty for anything else."""
    text = _text(value, _SHORT)
    is_one = text == value and text.replace("-", "").replace("_", "").replace(":", "").isalnum()
    return text if is_one and text.isascii() else ""


def _link(value: object) -> str:
    text = _text(value, _LONG)
    return text if text == value and text.startswith(_LINKS) else ""
