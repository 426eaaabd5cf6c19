"""The JSON of a project or of one version as PyPI has it: checked, read, and cut.

It is kept and served as it came, since clients use more of it than is known here.
Source: PyPI's documentation, "Index API", "JSON API".
"""

from collections.abc import Collection
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from indexfallback.errors import PageError, redact
from indexfallback.names import normalize
from indexfallback.page import File


class _Info(msgspec.Struct):
    name: str
    version: str


class _File(msgspec.Struct):
    filename: str
    digests: dict[str, str] = {}
    url: str = ""
    upload_time_iso_8601: str | None = None


class _Document(msgspec.Struct):
    info: _Info
    urls: list[_File]
    #: Of a project's document; version to files.
    releases: dict[str, list[_File]] | None = None


_decoder = msgspec.json.Decoder(_Document)


def check(body: bytes, url: str, project: str, version: str) -> None:
    """Raise `PageError` if a body is not the JSON of a project, or of its version if not empty.

    ``url`` is where it came from, ``project`` is normalised.
    """
    try:
        info = _decoder.decode(body).info
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PageError(redact(url), f"not the JSON of a project ({error})") from error
    if normalize(info.name) != project or (version and not is_same(info.version, version)):
        raise PageError(redact(url), f"the JSON of {info.name} {info.version}")


def is_same(version: str, other: str) -> bool:
    """Tell whether two texts are the same version (PEP 440); invalid ones are compared as text."""
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other


def files_in(body: bytes) -> tuple[File, ...]:
    """Return the files that a checked document lists."""
    document = _decoder.decode(body)
    listed = [*document.urls, *(file for of in (document.releases or {}).values() for file in of)]
    return tuple(
        File(
            filename=file.filename,
            url=file.url,
            hashes=file.digests,
            upload_time=file.upload_time_iso_8601,
        )
        for file in listed
    )


def without(body: bytes, filenames: Collection[str]) -> bytes:
    """Return a checked document without the files of these names."""
    document = msgspec.json.decode(body)
    document["urls"] = _left(document["urls"], filenames)
    releases = document.get("releases")
    if releases:
        document["releases"] = {v: _left(files, filenames) for v, files in releases.items()}
    return msgspec.json.encode(document)


def _left(files: list[dict[str, Any]], filenames: Collection[str]) -> list[dict[str, Any]]:
    return [file for file in files if file["filename"] not in filenames]
