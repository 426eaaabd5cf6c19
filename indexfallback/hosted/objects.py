"""The objects of a hosted index in a bucket: ``PROJECT/FILENAME``, and what lies beside a file.

A file is created once and never replaced. Its attributes, written in the same request, say what
the upload's checks found. Whether it is yanked is an object of its own, so that no document is
changed by two shims at once:

- ``FILENAME.metadata``: the metadata file of the distribution (PEP 658)
- ``FILENAME.provenance``: its attestations (PEP 740)
- ``FILENAME.yanked``: there while the file is yanked (PEP 592)
"""

from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

import msgspec

from indexfallback.names import (
    METADATA_ENDING,
    PROVENANCE_ENDING,
    is_distribution,
    is_safe_filename,
    is_sha256,
    version_in,
)
from indexfallback.upstream.facts import Facts

YANKED_ENDING = ".yanked"
#: What lies beside a file, in the order in which it is removed after the file.
BESIDE = (METADATA_ENDING, PROVENANCE_ENDING, YANKED_ENDING)

_SHA256, _METADATA_SHA256, _REQUIRES_PYTHON = "sha256", "metadata-sha256", "requires-python"


class Yank(msgspec.Struct, frozen=True):
    """The content of the object that says that a file is yanked."""

    #: Of the file: the yank does not apply to a later one of the same name.
    sha256: str = ""
    reason: str = ""


def key_of(project: str, filename: str) -> str:
    """Return the key of a file."""
    return f"{project}/{filename}"


def url_of(root: str, key: str) -> str:
    """Return the address of an object of the index at ``root``, which ends with a slash."""
    return root + quote(key)


def key_at(root: str, url: str) -> str | None:
    """Return the key of an object by its address; None if it is not in the index."""
    return unquote(url.removeprefix(root)) if url.startswith(root) else None


def files_among(names: Iterable[str], project: str) -> list[str]:
    """Return the names that are those of distributions of a normalised project, sorted."""
    return sorted(
        name
        for name in names
        if is_distribution(name) and is_safe_filename(name) and version_in(name, project)
    )


def attributes_of(sha256: str, requires_python: str | None, metadata: str | None) -> dict[str, str]:
    """Return the attributes of an uploaded file; ``metadata`` is the sha256 of its metadata."""
    found = {_SHA256: sha256, _REQUIRES_PYTHON: requires_python, _METADATA_SHA256: metadata}
    # Attributes are headers; what is not valid there is no specifier that clients understand.
    return {
        name: text for name, text in found.items() if text and text.isascii() and text.isprintable()
    }


def facts_of(attributes: Mapping[str, str]) -> Facts:
    """Return what the attributes of a file say; nothing if another tool has written it."""
    sha256, metadata = (attributes.get(name, "") for name in (_SHA256, _METADATA_SHA256))
    if not is_sha256(sha256):
        return Facts()
    requires_python = attributes.get(_REQUIRES_PYTHON)
    return Facts(sha256, requires_python, metadata if is_sha256(metadata) else None)


def read_yank(data: bytes) -> Yank:
    """Return a yank; any object of the name is one, such as an empty one made by hand."""
    try:
        return msgspec.json.decode(data, type=Yank)
    except msgspec.DecodeError:
        return Yank()
