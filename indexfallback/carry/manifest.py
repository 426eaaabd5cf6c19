"""What an archive says of itself: all that is in it, and who owns which name. Pure.

It stands first in an archive, so that whoever takes the archive knows each member's name, size and
sha256 before it comes, and refuses everything else.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from indexfallback.names import is_normalized, is_safe_filename, is_sha256

#: What an archive of this kind says that it is; raised when the meaning of a field changes.
FORMAT: Literal["indexfallback archive 1"] = "indexfallback archive 1"
#: The largest manifest that is read, bytes: one of a million files takes as much.
MAX_MANIFEST = 256 << 20
#: The largest page, bytes: four times what a page as an index sends it may have by default.
MAX_PAGE = 256 << 20


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is checked when it is read: a ValueError becomes an error that names the place."""


def _check(*, right: bool, problem: str) -> None:
    if not right:
        raise ValueError(problem)


class CarriedName(_Part, frozen=True, array_like=True):
    """A name of a private index. Times are seconds since the epoch, None if never."""

    project: str
    listed: float | None
    served: float | None

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is none")


class CarriedIndex(_Part, frozen=True):
    """An index of the chain that the archive was made with."""

    name: str
    #: Without credentials, as pages refer to it.
    url: str
    role: Literal["private", "mirror", "public"]
    #: Of a private index: when its list of names was fetched, None if never; and all its names,
    #: whatever else was chosen for the archive, since a part of them protects nothing.
    fetched: float | None = None
    names: tuple[CarriedName, ...] = ()


class CarriedPin(_Part, frozen=True, array_like=True):
    """What a file was when it was first seen."""

    project: str
    filename: str
    sha256: str
    seen: float
    #: Address of the index that it came from.
    source: str

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is none")
        _check(right=is_safe_filename(self.filename), problem="a file's name is none")
        _check(right=is_sha256(self.sha256), problem="a sha256 is none")


class CarriedFile(_Part, frozen=True):
    """The bytes of a file."""

    sha256: str
    size: int
    #: Whether they are in this archive, or were in an earlier one.
    here: bool

    def __post_init__(self) -> None:
        _check(right=is_sha256(self.sha256), problem="a sha256 is none")
        _check(right=self.size >= 0, problem="a size is negative")

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"files/{self.sha256}"


class CarriedPage(_Part, frozen=True, kw_only=True):
    """A page, as `store.PageFacts` has it."""

    #: Address of the index.
    source: str
    project: str
    #: Of its content in the form in which it is kept (MessagePack).
    sha256: str
    size: int
    checked: float
    resolved: float
    passed: str
    etag: str | None = None
    modified: str | None = None
    #: Whether it is in this archive, or was the same in an earlier one.
    here: bool

    def __post_init__(self) -> None:
        _check(right=is_normalized(self.project), problem="a project's name is none")
        _check(right=is_sha256(self.sha256), problem="a sha256 is none")
        _check(right=0 <= self.size <= MAX_PAGE, problem="a page is too large")

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"pages/{self.sha256}"


class Manifest(_Part, frozen=True, kw_only=True):
    """All of an archive. The same store gives the same manifest, so it has no date of its own."""

    format: Literal["indexfallback archive 1"] = FORMAT
    #: In the order of the chain.
    indexes: tuple[CarriedIndex, ...]
    pins: tuple[CarriedPin, ...]
    #: In the order of the archive's members: files, then pages.
    files: tuple[CarriedFile, ...]
    pages: tuple[CarriedPage, ...]

    def __post_init__(self) -> None:
        sources = {index.url for index in self.indexes}
        _check(right=len(sources) == len(self.indexes), problem="two indexes have one address")
        _check(
            right={page.source for page in self.pages} <= sources,
            problem="a page is of no index",
        )
        for parts in (
            [file.sha256 for file in self.files],
            [(page.source, page.project) for page in self.pages],
            [(pin.project, pin.filename) for pin in self.pins],
        ):
            _check(right=len(set(parts)) == len(parts), problem="something is there twice")

    @property
    def size(self) -> int:
        """Bytes of all files, of this archive and of earlier ones."""
        return sum(file.size for file in self.files)

    @property
    def projects(self) -> set[str]:
        """The projects that have a page or a pin."""
        return {page.project for page in self.pages} | {pin.project for pin in self.pins}


class Known(NamedTuple):
    """What an earlier archive, and those before it, have brought."""

    files: frozenset[str] = frozenset()
    #: Source, project and sha256.
    pages: frozenset[tuple[str, str, str]] = frozenset()


class _Format(msgspec.Struct):
    format: str = ""


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest that ``data`` is; raises ValueError, which says what is wrong."""
    try:
        found = msgspec.json.decode(data, type=_Format).format
        if found != FORMAT:
            raise ValueError(f"its format is {found[:80]!r}, only {FORMAT!r} is known")
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"its manifest is damaged ({error})") from error


def write_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as text that people can read."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def known(manifest: Manifest | None) -> Known:
    """Return what need not be carried again after an archive."""
    if manifest is None:
        return Known()
    return Known(
        frozenset(file.sha256 for file in manifest.files),
        frozenset((page.source, page.project, page.sha256) for page in manifest.pages),
    )


def pages_here(pages: Iterable[CarriedPage]) -> list[CarriedPage]:
    """Return the pages that an archive has members for: pages that say the same share one."""
    return list({page.sha256: page for page in pages if page.here}.values())
