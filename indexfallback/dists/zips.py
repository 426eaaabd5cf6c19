"""Zip archives that can be read in one way only.

A zip says twice what is in it: before each member, and in the directory at its end. Installers
differ in which they believe, and so unpack different files (CVE-2025-54368). Here both must say
the same, with nothing before, between or behind.
"""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from indexfallback.dists.bounds import MAX_MEMBERS, ArchiveError, check_paths, check_size

#: What every installer takes.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: What reading a damaged archive raises.
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
#: A size that stands in an extra field instead.
_ELSEWHERE = 0xFFFFFFFF
#: The sizes behind a member that was written as a stream, in their four possible forms.
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
        raise ArchiveError(f"it is no well-formed zip archive ({error})") from error


def _check_members(file: BinaryIO, members: list[zipfile.ZipInfo]) -> int:
    """Compare what stands before each member with the directory; return where the last ends."""
    ends = 0
    follows: tuple[int, ...] = (0,)
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset - ends not in follows:
            raise ArchiveError(f"there is something hidden before {member.filename!r}")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise ArchiveError(f"{member.filename!r} is encrypted, or packed in a rare way")
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
        raise ArchiveError(f"it says two things of {member.filename!r}")
    return int(member.header_offset + _LOCAL.size + name_size + extra_size + member.compress_size)


def _following(file: BinaryIO, ends: int) -> int:
    """Return the length of the sizes behind the last member, which the directory ends."""
    file.seek(ends)
    behind = file.read(max(_FOLLOWING) + 4)
    for length in _FOLLOWING:
        if behind[length : length + 4] == b"PK\1\2":
            return length
    raise ArchiveError("there is something hidden before its directory")


def _check_end(file: BinaryIO, ends: int, directory: int, size: int) -> None:
    """See that the directory follows the last member, and the end of the file the directory."""
    if directory != ends:
        raise ArchiveError("there is something hidden before its directory")
    file.seek(size - _END_SIZE)
    end = file.read(_END_SIZE)
    if not end.startswith(_END_MARK):
        raise ArchiveError("there is something behind its end")
    length, _ = _END_DIRECTORY.unpack_from(end, 12)
    stop = size - _END_SIZE
    file.seek(stop - 20)
    if file.read(4) == _END64_MARK:
        stop -= _END64_SIZE
    if length != _ELSEWHERE and directory + length != stop:
        raise ArchiveError("there is something hidden behind its directory")
