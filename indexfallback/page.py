"""The model of an index's answer: a project page and its files, independent of any wire format.

Reading list:

- PEP 503: the page, its links, hashes, ``data-requires-python``, ``data-gpg-sig``
- PEP 592: yanked files
- PEP 629: the repository version
- PEP 658 and 714: the metadata file beside a distribution
- PEP 691: the JSON form
- PEP 700: versions, sizes, upload times (1.1)
- PEP 708: tracks and alternate locations (1.2)
- PEP 740: attestations (1.3)
- PEP 792: the project's status (1.4)
"""

from typing import Any

import msgspec


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One distribution as a page lists it."""

    #: The file's name, safe as one path segment (`names.is_safe_filename`).
    filename: str
    #: Absolute address at the index, without fragment and without credentials.
    url: str
    #: Algorithm (as hashlib spells it) to lower-case hexadecimal digest; may be empty.
    hashes: dict[str, str] = {}
    #: PEP 440 specifier, unescaped.
    requires_python: str | None = None
    #: Whether ``url + ".metadata"`` exists (PEP 658), or its hashes where they are stated.
    core_metadata: bool | dict[str, str] = False
    #: Whether ``url + ".asc"`` exists; None where the page does not say.
    gpg_sig: bool | None = None
    #: Whether the file is yanked (PEP 592), or the reason, never an empty one.
    yanked: bool | str = False
    #: Bytes (PEP 700).
    size: int | None = None
    #: ``yyyy-mm-ddThh:mm:ss.ffffffZ`` (PEP 700).
    upload_time: str | None = None
    #: Absolute address of the attestations (PEP 740).
    provenance: str | None = None
    #: Keys of the JSON form that this version does not know, passed on as they came.
    extra: dict[str, Any] = {}

    @property
    def sha256(self) -> str | None:
        """The file's sha256, where the page states it."""
        return self.hashes.get("sha256")


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one index says of one project."""

    #: Normalised.
    name: str
    files: tuple[File, ...] = ()
    #: All versions, also those without files (PEP 700); None where the page does not say.
    versions: tuple[str, ...] | None = None
    #: PEP 708, addresses.
    tracks: tuple[str, ...] = ()
    alternate_locations: tuple[str, ...] = ()
    #: PEP 792: ``active``, ``archived``, ``quarantined``, ``deprecated``; None if not stated.
    status: str | None = None
    status_reason: str | None = None
    #: The index's counter of changes (warehouse).
    serial: int | None = None
    #: What the index lists and this version leaves out: the reason in words to how many. Never
    #: passed on.
    dropped: dict[str, int] = {}
    #: Unknown keys at the top level and in ``meta`` of the JSON form, passed on.
    extra: dict[str, Any] = {}
    meta_extra: dict[str, Any] = {}

    def file(self, filename: str) -> File | None:
        """Return the file of that name, or None if the page does not list it."""
        return next((file for file in self.files if file.filename == filename), None)
