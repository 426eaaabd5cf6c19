"""Checks that a zip archive can be read in one way only.

A zip describes its members twice: before each member, and in the directory at its end. Installers
differ in which they use, and so can unpack different files (CVE-2025-54368). Both must agree here,
without bytes before, between or behind them.
"""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from indexfallback.dists.bounds import MAX_MEMBERS, ArchiveError, check_paths, check_size

#: The methods that all installers support.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: The exceptions for a damaged archive.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK = b"PK\3\4"
_END_MARK = b"PK\5\6"
#: The record at the end, without its comment; those of a zip of more than 4 GB before it.
_END_SIZE, _END64_SIZE = 22, 56 + 20
_END64_MARK = b"PK\6\7"
#: Offset of the directory's size and start in the record at the end.
_END_DIRECTORY = struct.Struct("<2L")
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8
#: Marks a size that is in an extra field instead.
_ELSEWHERE = 0xFFFFFFFF
#: The possible lengths of the sizes behind a member that was written as a stream.
_FOLLOWING = (12, 16, 20, 24)


def check_zip(path: Path) -> list[str]:
    """Return the members' names; raises `ArchiveError`, and OSError if it cannot be read."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ArchiveError(f"it has more than {MAX_MEMBERS} members")
            names = [member.orig_filename for member in members]
            check_paths(names)
            size = file.seek(0, 2)
            check_size(sum(member.file_size for member in members), size)
            ends = _check_members(file, members)
            _check_end(file, ends, archive.start_dir, size)
            return names
    except _DAMAGED as error:
        raise ArchiveError(f"it is not a well-formed zip archive ({error})") from error


def _check_members(file: BinaryIO, members: list[zipfile.ZipInfo]) -> int:
    """Compare the header of each member with the directory; return the end of the last one."""
    ends = 0
    follows: tuple[int, ...] = (0,)
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset - ends not in follows:
            raise ArchiveError(f"it has hidden bytes before {member.filename!r}")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise ArchiveError(f"{member.filename!r} is encrypted, or packed by a rare method")
        ends = _check_member(file, member)
        follows = _FOLLOWING if member.flag_bits & _SIZES_FOLLOW else (0,)
    return ends + (_following(file, ends) if follows != (0,) else 0)


def _check_member(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    file.seek(member.header_offset)
    mark, _, flags, method, _, _, _, packed, unpacked, name_size, extra_size = _LOCAL.unpack(
        file.read(_LOCAL.size)
    )
    name = file.read(name_size).decode("utf-8" if flags & 0x800 else "cp437")
    stated = (mark, name, method, flags & _SIZES_FOLLOW)
    expected = (
        _LOCAL_MARK, member.orig_filename, member.compress_type, member.flag_bits & _SIZES_FOLLOW
    )  # fmt: skip
    sizes_agree = flags & _SIZES_FOLLOW or (
        packed in (member.compress_size, _ELSEWHERE) and unpacked in (member.file_size, _ELSEWHERE)
    )
    if stated != expected or not sizes_agree:
        raise ArchiveError(f"its header and directory differ on {member.filename!r}")
    return int(member.header_offset + _LOCAL.size + name_size + extra_size + member.compress_size)


def _following(file: BinaryIO, ends: int) -> int:
    """Return the length of the sizes between the last member and the directory."""
    file.seek(ends)
    behind = file.read(max(_FOLLOWING) + 4)
    for length in _FOLLOWING:
        if behind[length : length + 4] == b"PK\1\2":
            return length
    raise ArchiveError("it has hidden bytes before its directory")


def _check_end(file: BinaryIO, ends: int, directory: int, size: int) -> None:
    """Check that the directory follows the last member, and that the file ends after it."""
    if directory != ends:
        raise ArchiveError("it has hidden bytes before its directory")
    file.seek(size - _END_SIZE)
    end = file.read(_END_SIZE)
    if not end.startswith(_END_MARK):
        raise ArchiveError("it has bytes behind its end")
    length, _ = _END_DIRECTORY.unpack_from(end, 12)
    stop = size - _END_SIZE
    file.seek(stop - 20)
    if file.read(4) == _END64_MARK:
        stop -= _END64_SIZE
    if length != _ELSEWHERE and directory + length != stop:
        raise ArchiveError("it has hidden bytes behind its directory")
