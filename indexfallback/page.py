"""The model of a project page and its files, independent of the wire format.

Specifications:

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

from indexfallback.names import METADATA_ENDING


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One distribution as a page lists it."""

    #: The file's name, safe as one path segment (`names.is_safe_filename`).
    filename: str
    #: Absolute address, without fragment and credentials.
    url: str
    #: Algorithm (as in hashlib) to lower-case hexadecimal digest; may be empty.
    hashes: dict[str, str] = {}
    #: PEP 440 specifier, unescaped.
    requires_python: str | None = None
    #: Whether `metadata_url` exists (PEP 658), or its hashes where they are stated.
    core_metadata: bool | dict[str, str] = False
    #: Whether ``url + ".asc"`` exists; None if not stated.
    gpg_sig: bool | None = None
    #: Whether the file is yanked (PEP 592), or the reason, which is not empty.
    yanked: bool | str = False
    #: Bytes (PEP 700).
    size: int | None = None
    #: ``yyyy-mm-ddThh:mm:ss.ffffffZ`` (PEP 700).
    upload_time: str | None = None
    #: Absolute address of the attestations (PEP 740).
    provenance: str | None = None
    #: Unknown keys of the JSON form, passed on unchanged.
    extra: dict[str, Any] = {}

    @property
    def sha256(self) -> str | None:
        """The sha256 of the file, if stated."""
        return self.hashes.get("sha256")

    @property
    def metadata_url(self) -> str:
        """The address of the metadata file: the ending belongs to the path, before a query."""
        path, question, query = self.url.partition("?")
        return f"{path}{METADATA_ENDING}{question}{query}"


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of one project at one index."""

    #: Normalised.
    name: str
    files: tuple[File, ...] = ()
    #: All versions, including those without files (PEP 700); None if not stated.
    versions: tuple[str, ...] | None = None
    #: PEP 708, addresses.
    tracks: tuple[str, ...] = ()
    alternate_locations: tuple[str, ...] = ()
    #: PEP 792: ``active``, ``archived``, ``quarantined``, ``deprecated``; None if not stated.
    status: str | None = None
    status_reason: str | None = None
    #: The serial of the project's last change (warehouse).
    serial: int | None = None
    #: Entries of the index's page that were left out: reason to number. Not passed on.
    dropped: dict[str, int] = {}
    #: Unknown keys at the top level and in ``meta`` of the JSON form, passed on.
    extra: dict[str, Any] = {}
    meta_extra: dict[str, Any] = {}

    def file(self, filename: str, sha256: str | None = None) -> File | None:
        """Return the file of that name and sha256, or None if the page does not list it.

        A file whose sha256 is not stated may have this one. Without ``sha256``, the first file of
        the name is returned.
        """
        for file in self.files:
            if file.filename == filename and (sha256 is None or file.sha256 in (None, sha256)):
                return file
        return None

    def sha256s(self, filename: str) -> frozenset[str]:
        """Return all sha256 that the page states for a file name."""
        return frozenset(
            file.sha256
            for file in self.files
            if file.filename == filename and file.sha256 is not None
        )
