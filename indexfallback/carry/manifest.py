"""The manifest of an archive: its content, and the owners of names. Pure.

It is the first member, so that an import knows the name, size and sha256 of every further member
and refuses all others.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from indexfallback.names import METADATA_ENDING, is_normalized, is_safe_filename, is_sha256

#: The format that a manifest states; its number grows when the meaning of a field changes.
FORMAT: Literal["indexfallback archive 1"] = "indexfallback archive 1"
#: The largest manifest, bytes: enough for a million files.
MAX_MANIFEST = 256 << 20
#: The largest provenance object, bytes, as of `files.provenance_body`.
MAX_PROVENANCE = 1 << 20
#: The largest page, bytes: four times the default of ``limits.page_size``.
MAX_PAGE = 256 << 20


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part whose fields are checked when it is read; a ValueError names the place."""


def _check(*, right: bool, problem: str) -> None:
    if not right:
        raise ValueError(problem)


class CarriedName(_Part, frozen=True, array_like=True):
    """A name of a private index, with its `store.ledger.Ownership`."""

    project: str
    listed: float | None
    served: float | None
    copied: float | None = None

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is invalid")


class CarriedIndex(_Part, frozen=True):
    """An index of the chain that the archive was made with."""

    name: str
    #: Without credentials, as pages refer to it.
    url: str
    role: Literal["private", "mirror", "public"]
    #: Of a private index: the time of its list of names, None if it was never fetched; and all of
    #: its names, also those of projects that are not in the archive, because all need protection.
    fetched: float | None = None
    names: tuple[CarriedName, ...] = ()


class CarriedPin(_Part, frozen=True, array_like=True):
    """The content of a file when it was first seen, as `store.pins.Pin`."""

    project: str
    filename: str
    key: str
    sha256: str
    seen: float
    #: Address of the index that it came from.
    source: str

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is invalid")
        _check(right=is_safe_filename(self.filename), problem="a file's name is invalid")
        _check(right=is_sha256(self.sha256), problem="a sha256 is invalid")
        is_metadata = self.filename.endswith(METADATA_ENDING)
        right = is_sha256(self.key) if is_metadata else self.key == self.sha256
        _check(right=not self.key or right, problem="the sha256 in an address is invalid")


class CarriedFile(_Part, frozen=True):
    """A file of the archive."""

    sha256: str
    size: int
    #: Whether this archive has it, or an earlier one had it.
    here: bool

    def __post_init__(self) -> None:
        _check(right=is_sha256(self.sha256), problem="a sha256 is invalid")
        _check(right=self.size >= 0, problem="a size is negative")

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"files/{self.sha256}"


class CarriedPage(_Part, frozen=True, kw_only=True):
    """A page, with its `store.PageFacts`."""

    #: Address of the index.
    source: str
    project: str
    #: Of its content as it is stored (MessagePack).
    sha256: str
    size: int
    checked: float
    resolved: float
    passed: str
    etag: str | None = None
    modified: str | None = None
    #: Whether this archive has it, or an earlier one had the same content.
    here: bool

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is invalid")
        _check(right=is_sha256(self.sha256), problem="a sha256 is invalid")
        _check(right=0 <= self.size <= MAX_PAGE, problem="a page is too large")

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"pages/{self.sha256}"


class CarriedProvenance(_Part, frozen=True, kw_only=True):
    """The provenance object of a file, as `store.provenance` has it."""

    #: Address of the index.
    source: str
    project: str
    filename: str
    #: Of the file.
    sha256: str
    #: The sha256 and the bytes of the object.
    digest: str
    size: int
    checked: float

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is invalid")
        _check(right=is_safe_filename(self.filename), problem="a file's name is invalid")
        _check(right=is_sha256(self.sha256), problem="a sha256 is invalid")
        _check(right=is_sha256(self.digest), problem="a sha256 is invalid")
        _check(right=0 <= self.size <= MAX_PROVENANCE, problem="a provenance is too large")

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"provenance/{self.digest}"


class Manifest(_Part, frozen=True, kw_only=True):
    """The content of an archive; without a date, so that the same store gives the same bytes."""

    format: Literal["indexfallback archive 1"] = FORMAT
    #: In the order of the chain.
    indexes: tuple[CarriedIndex, ...]
    pins: tuple[CarriedPin, ...]
    #: In the order of the archive's members: files, pages, and provenance objects.
    files: tuple[CarriedFile, ...]
    pages: tuple[CarriedPage, ...]
    provenance: tuple[CarriedProvenance, ...] = ()

    def __post_init__(self) -> None:
        sources = {index.url for index in self.indexes}
        _check(right=len(sources) == len(self.indexes), problem="two indexes have one address")
        _check(
            right={page.source for page in self.pages} <= sources
            and {each.source for each in self.provenance} <= sources,
            problem="a page or provenance belongs to no index",
        )
        for parts in (
            [file.sha256 for file in self.files],
            [(page.source, page.project) for page in self.pages],
            [(pin.project, pin.filename, pin.key) for pin in self.pins],
            [(each.source, each.project, each.filename, each.sha256) for each in self.provenance],
        ):
            _check(right=len(set(parts)) == len(parts), problem="an entry is there twice")

    @property
    def size(self) -> int:
        """Bytes of all files, also those of earlier archives."""
        return sum(file.size for file in self.files)

    @property
    def projects(self) -> set[str]:
        """The projects that have a page or a pin."""
        return {page.project for page in self.pages} | {pin.project for pin in self.pins}


class Known(NamedTuple):
    """The content of an earlier archive, and of those before it."""

    files: frozenset[str] = frozenset()
    #: Source, project and sha256.
    pages: frozenset[tuple[str, str, str]] = frozenset()


class _Format(msgspec.Struct):
    format: str = ""


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest in ``data``; raises ValueError with the problem."""
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found != FORMAT:
            raise ValueError(f"its format is {found[:80]!r}, only {FORMAT!r} is known")
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"its manifest is damaged ({error})") from error


def write_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def known(manifest: Manifest | None) -> Known:
    """Return the content of an archive that a later one can leave out."""
    if manifest is None:
        return Known()
    return Known(
        frozenset(file.sha256 for file in manifest.files),
        frozenset((page.source, page.project, page.sha256) for page in manifest.pages),
    )


def pages_here(pages: Iterable[CarriedPage]) -> list[CarriedPage]:
    """Return one page for each member; pages with the same content share a member."""
    return list({page.sha256: page for page in pages if page.here}.values())


def objects_here(objects: Iterable[CarriedProvenance]) -> list[CarriedProvenance]:
    """Return one object for each member; equal objects share a member."""
    return list({each.digest: each for each in objects}.values())
