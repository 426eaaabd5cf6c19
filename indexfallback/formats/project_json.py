"""The JSON of a project or of one version as PyPI has it: checked, read, and cut.

It is kept and served as it came, since clients use more of it than is known here.
Source: PyPI's documentation, "Index API", "JSON API".
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from indexfallback.config import without_credentials
from indexfallback.errors import PageError, redact
from indexfallback.formats.fields import upload_time
from indexfallback.names import normalize
from indexfallback.page import File

#: A file as the document has it.
_Entry = dict[str, Any]


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


def checked(body: bytes, url: str, project: str, version: str) -> bytes:
    """Return the JSON of a project, or of its version if not empty, without logins in addresses.

    ``url`` is where it came from, ``project`` is normalised. Raises `PageError` for anything else.
    """
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PageError(redact(url), f"not the JSON of a project ({error})") from error
    info = document.info
    if normalize(info.name) != project or (version and not is_same(info.version, version)):
        raise PageError(redact(url), f"the JSON of {info.name} {info.version}")
    if any(without_credentials(file.url) != file.url for file in _files(document)):
        return _changed(body, lambda files: [_without_login(file) for file in files])
    return body


def is_same(version: str, other: str) -> bool:
    """Tell whether two texts are the same version (PEP 440); invalid ones are compared as text."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - for this alone

    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other


def files_in(body: bytes) -> tuple[File, ...]:
    """Return the files that a checked document lists."""
    return tuple(
        File(
            filename=file.filename,
            url=file.url,
            hashes=file.digests,
            upload_time=upload_time(file.upload_time_iso_8601),
        )
        for file in _files(_decoder.decode(body))
    )


def files_of(body: bytes) -> list[str]:
    """Return the names of the files of the version that a checked document describes."""
    return [file.filename for file in _decoder.decode(body).urls]


def described_by(body: bytes, other: bytes) -> bytes:
    """Return the document of a project that describes the version of the document ``other``."""
    document, version = msgspec.json.decode(body), msgspec.json.decode(other)
    # Of the version are all parts that a version's document has; "releases" is only the project's.
    return msgspec.json.encode({**document, **version, "releases": document.get("releases", {})})


def without(body: bytes, filenames: Collection[str]) -> bytes:
    """Return a checked document without the files of these names, and versions of them alone."""
    document = msgspec.json.decode(body)
    known = document.get("releases") or {}
    lost = {
        version
        for version, files in known.items()
        if files and all(file["filename"] in filenames for file in files)
    }
    if lost:
        kept = {version: files for version, files in known.items() if version not in lost}
        body = msgspec.json.encode({**document, "releases": kept})
    return _changed(
        body, lambda files: [file for file in files if file["filename"] not in filenames]
    )


def _files(document: _Document) -> Iterator[_File]:
    yield from document.urls
    for files in (document.releases or {}).values():
        yield from files


def _changed(body: bytes, change: Callable[[list[_Entry]], list[_Entry]]) -> bytes:
    """Return a checked document with each of its lists of files changed, and nothing else."""
    document = msgspec.json.decode(body)
    document["urls"] = change(document["urls"])
    if document.get("releases"):
        document["releases"] = {v: change(files) for v, files in document["releases"].items()}
    return msgspec.json.encode(document)


def _without_login(file: _Entry) -> _Entry:
    return {**file, "url": without_credentials(file["url"])} if "url" in file else file
