"""What can be searched of a project: read from core metadata, or from PyPI's JSON."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from packaging.version import Version

from indexfallback.names import version_order

#: The empty line behind the header; what follows is the description.
_HEADER_END = re.compile(rb"\r?\n\r?\n")
#: Most characters of a text, and most classifiers: more than any honest project has.
_MOST_TEXT, _MOST_CLASSIFIERS = 1000, 200


class Said(NamedTuple):
    """What metadata says of a project; untrusted text."""

    name: str
    version: str
    summary: str = ""
    keywords: str = ""
    classifiers: tuple[str, ...] = ()


class _Info(msgspec.Struct):
    name: str
    version: str
    summary: str | None = None
    keywords: str | None = None
    classifiers: list[str] | None = None


class _Document(msgspec.Struct):
    info: _Info


_decoder = msgspec.json.Decoder(_Document)


def said_by_metadata(metadata: bytes) -> Said | None:
    """Return what core metadata says, or None if it is not readable."""
    from packaging.metadata import parse_email  # noqa: PLC0415 - 20 ms that clients need not wait for

    raw, _ = parse_email(_HEADER_END.split(metadata, maxsplit=1)[0])
    name, version = raw.get("name"), raw.get("version")
    if not name or not version:
        return None
    keywords = " ".join(raw.get("keywords", []))
    return _said(name, version, raw.get("summary"), keywords, raw.get("classifiers", []))


def said_by_document(body: bytes) -> Said | None:
    """Return what PyPI's JSON of a project or a version says, or None if it is not readable."""
    try:
        info = _decoder.decode(body).info
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _said(info.name, info.version, info.summary, info.keywords, info.classifiers or ())


def _said(
    name: str, version: str, summary: str | None, keywords: str | None, classifiers: Iterable[str]
) -> Said:
    kept = [each.strip()[:_MOST_TEXT] for each in classifiers]
    return Said(
        name[:_MOST_TEXT],
        version[:_MOST_TEXT],
        " ".join((summary or "").split())[:_MOST_TEXT],
        " ".join((keywords or "").split())[:_MOST_TEXT],
        tuple(kept[:_MOST_CLASSIFIERS]),
    )


def age(version: str) -> tuple[bool, bool, Version]:
    """Return what sorts versions: any final one is newer than a pre-release."""
    is_version, parsed = version_order(version)
    return is_version, not parsed.is_prerelease, parsed
