"""Checks the content of a wheel: what installers need is there, and agrees with its RECORD.

Source: the binary distribution format (PEP 427). Each member is read once, in pieces.
"""

import hashlib
import io
import re
import zipfile
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import NamedTuple

from packaging.tags import parse_tag
from packaging.utils import parse_wheel_filename

from indexfallback.dists.bounds import MAX_METADATA, ArchiveError
from indexfallback.dists.wheel import DAMAGED, metadata_member
from indexfallback.dists.zips import check_zip
from indexfallback.hosted.entry_points import check_entry_points
from indexfallback.hosted.record import compare_content, compare_members, read_record

_DIST_INFO = ".dist-info"
_PIECE = 1 << 20
#: The largest WHEEL and entry_points.txt, bytes; those of large projects have some kilobytes.
_MAX_SMALL = 1 << 20
#: `read_record` keeps about twice the size of RECORD in memory; 100,000 long paths are 25 MB.
_MAX_RECORD = 32 * 1024**2
#: The major version of the format that installers know.
_MAJOR = 1
_WHEEL_VERSION = re.compile(r"(\d+)\.\d+", re.ASCII)


class Wheel(NamedTuple):
    """The content of a wheel that was checked."""

    metadata: bytes
    #: The paths of its members.
    names: frozenset[str]
    #: Its ``.dist-info`` directory.
    folder: str
    #: What is wrong with it, but does not hinder its installation.
    warnings: tuple[str, ...]


def read_wheel(path: Path, filename: str) -> Wheel:
    """Return the content of a wheel if it can be installed; raises `ArchiveError` and OSError."""
    check_zip(path)
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, filename)
        except DAMAGED as error:
            raise ArchiveError(f"it is not a well-formed wheel ({error})") from error


def _read(archive: zipfile.ZipFile, filename: str) -> Wheel:
    metadata = metadata_member(archive, filename)
    folder = metadata.filename.partition("/")[0]
    names = frozenset(info.filename for info in archive.infolist() if not info.is_dir())
    others = {top for name in names if (top := name.partition("/")[0]).endswith(_DIST_INFO)}
    if len(others) > 1:
        raise ArchiveError(f"it has {len(others)} directories *{_DIST_INFO}, not one")
    for needed in ("WHEEL", "RECORD"):
        if f"{folder}/{needed}" not in names:
            raise ArchiveError(f"it has no {folder}/{needed}, which installers need")
    wheel = BytesHeaderParser().parsebytes(_small(archive, f"{folder}/WHEEL"))
    _check_format(wheel)
    if f"{folder}/entry_points.txt" in names:
        check_entry_points(_small(archive, f"{folder}/entry_points.txt"))
    _check_record(archive, names, folder)
    content = _small(archive, metadata.filename, MAX_METADATA)
    return Wheel(content, names, folder, tuple(_tag_warnings(wheel, filename)))


def _small(archive: zipfile.ZipFile, name: str, most: int = _MAX_SMALL) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > most:
        raise ArchiveError(f"its {name} has {info.file_size} bytes, and the limit is {most}")
    return archive.read(info)


def _check_format(wheel: Message) -> None:
    """Refuse a version of the format that installers refuse; raises `ArchiveError`."""
    stated = wheel.get("Wheel-Version")
    if stated is None:
        raise ArchiveError("its WHEEL states no Wheel-Version")
    match = _WHEEL_VERSION.fullmatch(str(stated).strip())
    if match is None:
        raise ArchiveError(f'its WHEEL states the Wheel-Version "{stated}", which is not a version')
    if int(match[1]) > _MAJOR:
        raise ArchiveError(f"it has Wheel-Version {match[0]}, and installers know {_MAJOR}.x only")


def _tag_warnings(wheel: Message, filename: str) -> list[str]:
    """Return a warning if the tags in WHEEL are not those of the file name."""
    stated = {tag for line in wheel.get_all("Tag", []) for tag in _tags(str(line).strip())}
    named = {str(tag) for tag in parse_wheel_filename(filename)[3]}
    if stated == named:
        return []
    words = ", ".join(sorted(stated)) or "no tag"
    warning = (
        f"its WHEEL states {words}, but its name says {', '.join(sorted(named))}: installers go by "
        "the name, and `pip check` by WHEEL. Rename wheels with `wheel tags` only"
    )
    return [warning]


def _tags(text: str) -> set[str]:
    """Return the tags that a compressed tag stands for."""
    try:
        return {str(tag) for tag in parse_tag(text)}
    except ValueError:  # not of three parts
        return {text}


def _check_record(archive: zipfile.ZipFile, names: frozenset[str], folder: str) -> None:
    """Compare the members with RECORD; raises `ArchiveError`."""
    info = archive.getinfo(f"{folder}/RECORD")
    if info.file_size > _MAX_RECORD:
        raise ArchiveError(f"its RECORD has {info.file_size} bytes, and the limit is {_MAX_RECORD}")
    with io.TextIOWrapper(archive.open(info), "utf-8", newline="") as lines:
        records = read_record(lines, folder)
    compare_members(records, names, folder)
    for name, recorded in records.items():
        digest, size = hashlib.new(recorded.algorithm), 0
        with archive.open(name) as member:
            while piece := member.read(_PIECE):
                digest.update(piece)
                size += len(piece)
        compare_content(name, recorded, digest.digest(), size)
