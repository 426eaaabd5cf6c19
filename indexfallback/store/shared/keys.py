"""The keys of objects in a shared bucket, below ``prefix/v1/``; pure.

::

    blobs/sha256/ab/<hex>                immutable; may vanish at any time
    pins/<project>/<filename>            created once, never replaced but by an authority's
    pins/<project>/<filename>.metadata/<sha256 of the distribution>
    pages/<index>/<project>              the last writer wins: a hint
    seen/<index>/<project>               when its files were first seen, replaced by If-Match
    accepted/<project>/<version>         a release that no cooldown withholds, created once
    ledger/<index>/served/<project>      a marker, created once
    disowned/<index>/<project>           until when its ownership does not count; - for all names
    ledger/<index>/names                 the whole list, replaced by If-Match
    probe/<uuid>                         of the self-test

``<index>`` is a digest of the index's address, without credentials: an address has slashes.
"""

import hashlib

from indexfallback.names import METADATA_ENDING, canonical_version

#: Objects of another form would be below another number.
VERSION = "v1"
#: Hexadecimal digits of the digest of an address: indexes are few, and a collision of 64 bits is
#: not to be feared.
_DIGITS = 16
BLOBS = "blobs/sha256"
PINS = "pins"
ACCEPTED = "accepted"
DISOWNED = "disowned"
#: Stands for all projects of an index: no project has this name.
ALL = "-"


def blob(sha256: str) -> str:
    """Return the key of a file."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def pin(project: str, filename: str, key: str) -> str:
    """Return the key of a pin; ``key`` is that of `store.pins.Pin`.

    A distribution has one pin, whatever the address; its metadata file one for each distribution.
    """
    if filename.endswith(METADATA_ENDING):
        return f"{PINS}/{project}/{filename}/{key or '-'}"
    return f"{PINS}/{project}/{filename}"


def page(source: str, project: str) -> str:
    """Return the key of a project's page."""
    return f"pages/{_index(source)}/{project}"


def seen(source: str, project: str) -> str:
    """Return the key of when the files of a project were first seen."""
    return f"seen/{_index(source)}/{project}"


def acceptance(project: str, version: str) -> str:
    """Return the key of an accepted release: 1.0 and 1.0.0 are one."""
    return f"{ACCEPTED}/{project}/{canonical_version(version)}"


def marker(source: str, project: str) -> str:
    """Return the key of the mark that an index has served a project."""
    return f"ledger/{_index(source)}/served/{project}"


def disowned(source: str, project: str | None) -> str:
    """Return the key of the mark that an index does not own a project, or any, until a time."""
    return f"{DISOWNED}/{_index(source)}/{ALL if project is None else project}"


def names(source: str) -> str:
    """Return the key of the list of names of an index."""
    return f"ledger/{_index(source)}/names"


def folders(source: str) -> tuple[str, str]:
    """Return what all keys of an index begin with."""
    return f"ledger/{_index(source)}/", f"pages/{_index(source)}/"


def _index(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]
