"""Metadata of wheels of which only ranges are read: the same as of the whole wheel, for little."""

import io
import random
import struct
import zipfile
from dataclasses import dataclass, field
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexfallback.dists import remote_wheel
from indexfallback.dists.bounds import MAX_METADATA, ArchiveError
from indexfallback.dists.remote_wheel import MOST, TAIL, read_remote_metadata
from indexfallback.dists.wheel import metadata_in
from tests.fakes import wheel

FILENAME = "acme_app-1.0-py3-none-any.whl"
METADATA = "acme_app-1.0.dist-info/METADATA"


@dataclass
class Remote:
    """The bytes of a file elsewhere, and which of them were fetched."""

    data: bytes
    fetched: list[tuple[int, int]] = field(default_factory=list)

    def fetch(self, start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(self.data), "a range outside of the file"
        assert all(stop <= first or start >= last for first, last in self.fetched), "fetched twice"
        self.fetched.append((start, stop))
        return self.data[start:stop]

    @property
    def size(self) -> int:
        return sum(stop - start for start, stop in self.fetched)

    def metadata(self, filename: str = FILENAME) -> bytes:
        start = max(0, len(self.data) - TAIL)
        return read_remote_metadata(
            filename, len(self.data), self.fetch(start, len(self.data)), self.fetch
        )


class Unseekable:
    """A stream that cannot be gone back in: the sizes of members come behind them."""

    def __init__(self) -> None:
        self.data = io.BytesIO()

    def write(self, data: bytes) -> int:
        return self.data.write(data)

    def flush(self) -> None:
        pass


def archive(
    *members: tuple[str, bytes],
    method: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
    prefix: bytes = b"",
    zip64: bool = False,
    seekable: bool = True,
) -> bytes:
    """Return a zip archive of these members."""
    stream = Unseekable()
    target: IO[bytes] = stream.data if seekable else stream  # type: ignore[assignment]
    stream.data.write(prefix)
    with zipfile.ZipFile(target, "w", method) as made:
        for name, content in members:
            with made.open(name, "w", force_zip64=zip64) as member:
                member.write(content)
        made.comment = comment
    return stream.data.getvalue()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def as_zip64(data: bytes) -> bytes:
    """Return an archive without a comment with an end record of Zip64, as one of 4 GB has."""
    end = len(data) - 22
    count, size, offset = struct.unpack_from("<HLL", data, end + 10)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    return data[:end] + record + locator + last


def test_the_end_of_a_usual_wheel_is_enough() -> None:
    built = wheel("acme-app", size=200_000)
    remote = Remote(built.data)
    assert remote.metadata(built.filename) == built.metadata
    assert remote.fetched == [(len(built.data) - TAIL, len(built.data))]


def test_metadata_far_from_the_end_takes_a_second_request() -> None:
    remote = Remote(archive((METADATA, b"x" * 5000), ("acme_app/a.so", noise(500_000))))
    assert remote.metadata() == b"x" * 5000
    assert len(remote.fetched) == 2
    assert remote.size < TAIL + 5000


@pytest.mark.parametrize("comment", [b"", b"hello", b"c" * 65_535])
@pytest.mark.parametrize("zip64", [False, True])
def test_the_records_at_the_end_are_always_in_the_first_request(
    comment: bytes, zip64: bool
) -> None:
    data = archive((METADATA, b"x"), ("a.so", noise(200_000)))
    if zip64:
        data = as_zip64(data)
    data = data[:-2] + struct.pack("<H", len(comment)) + comment
    remote = Remote(data)
    assert remote.metadata() == b"x"
    # The end; the list of members, if the comment has pushed it out; the member.
    assert len(remote.fetched) <= (3 if len(comment) > 1000 else 2)


def test_a_list_of_twenty_thousand_members_is_read_in_one_request() -> None:
    rest = [
        (f"acme_app/kernels/package_{n // 50:05}/module_{n:05}.cuh", b"") for n in range(20_000)
    ]
    remote = Remote(archive((METADATA, b"x"), ("big.so", noise(300_000)), *rest))
    assert remote.metadata() == b"x"
    assert len(remote.fetched) == 3
    assert remote.size < MOST


@pytest.mark.fault(76)
def test_a_wheel_of_which_too_much_is_needed_is_given_up_before_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_wheel, "MOST", 100_000)
    remote = Remote(archive((METADATA, noise(500_000)), ("a.so", noise(100_000))))
    with pytest.raises(ArchiveError, match="cannot be read within 100000 bytes"):
        remote.metadata()
    assert remote.size <= 100_000


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([("acme_app.py", b"")], "0 members"),
        ([("vendored/" + METADATA, b"")], "0 members"),
        ([(METADATA, b""), ("acme_app-2.0.dist-info/METADATA", b"")], "2 members"),
        ([("other-1.0.dist-info/METADATA", b"")], "of another project"),
        ([(METADATA, bytes(MAX_METADATA + 1))], "and the limit is"),
    ],
)
def test_a_wheel_without_one_metadata_of_its_own_has_none(
    members: list[tuple[str, bytes]], why: str
) -> None:
    with pytest.raises(ArchiveError, match=why):
        Remote(archive(*members)).metadata()


@pytest.mark.parametrize(
    "folder", ["acme_app-1.0", "Acme.App-1.0", "ACME__APP-1", "acme-app-1.0", "acme_app-1.0+cpu"]
)
def test_the_folder_may_be_spelt_in_other_ways(folder: str) -> None:
    members = [
        (f"{folder}.dist-info/METADATA", b"right"),
        (f"{folder}.dist-info/licenses/METADATA", b"wrong"),
        ("vendored/other-1.0.dist-info/METADATA", b"wrong"),
        ("other-1.0.dist-info/RECORD", b"wrong"),
    ]
    assert Remote(archive(*members)).metadata() == b"right"


def test_another_compression_than_installers_know_is_refused() -> None:
    data = archive((METADATA, b"x"), method=zipfile.ZIP_LZMA)
    with pytest.raises(ArchiveError, match="compressed by method 14"):
        Remote(data).metadata()


def test_what_goes_wrong_on_the_way_is_passed_on() -> None:
    class BrokenError(Exception):
        pass

    def broken(_: int, __: int) -> bytes:
        raise BrokenError

    data = archive((METADATA, b"x"), ("a.so", noise(200_000)))
    with pytest.raises(BrokenError):
        read_remote_metadata(FILENAME, len(data), data[-TAIL:], broken)


def test_bytes_of_another_file_are_noticed() -> None:
    data = archive((METADATA, b"x" * 100), ("a.so", noise(200_000)), method=zipfile.ZIP_STORED)
    other = data.replace(b"x" * 100, b"y" * 100)
    with pytest.raises(ArchiveError, match="CRC"):
        read_remote_metadata(FILENAME, len(data), data[-TAIL:], Remote(other).fetch)


NAMES = st.sampled_from(
    [
        *[f"{folder}.dist-info/{name}" for name in ("METADATA", "RECORD", "licenses/METADATA")
          for folder in ("acme_app-1.0", "Acme.App-1.0", "other-2.0")],
        "METADATA", "acme_app/x.py", "acme_app/METADATA", "lib/acme_app-1.0.dist-info/METADATA",
    ]
)  # fmt: skip
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.integers(0, 200_000).map(noise),
    st.integers(0, 200_000).map(bytes),
)


@st.composite
def wheels(draw: st.DrawFn) -> bytes:
    """Return wheels, most of them readable, of all the forms that a zip archive may have."""
    names = draw(st.lists(NAMES, max_size=6, unique=True))
    if draw(st.integers(0, 3)):
        names = [*(n for n in names if n.count("/") != 1), METADATA]
    many = [(f"acme_app/{n}.py", b"") for n in range(draw(st.sampled_from([0, 0, 10, 3000])))]
    members = draw(st.permutations([(name, draw(CONTENTS)) for name in names]))
    zip64 = draw(st.booleans())
    comment = b"" if zip64 else draw(st.sampled_from([b"", b"PK\x05\x06", b"c" * 65_535]))
    data = archive(
        *members, *many,
        method=draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])),
        comment=comment,
        prefix=draw(st.sampled_from([b"", b"#!/bin/sh\n", noise(100_000)])),
        zip64=zip64,
        seekable=draw(st.booleans()),
    )  # fmt: skip
    return as_zip64(data) if zip64 and draw(st.booleans()) else data


@settings(max_examples=200)
@given(wheels())
def test_ranges_tell_what_the_whole_wheel_tells(data: bytes) -> None:
    remote = Remote(data)
    try:
        found = remote.metadata()
    except ArchiveError:
        found = None
    assert found == metadata_in(io.BytesIO(data), FILENAME)
    assert len(remote.fetched) <= 4
    assert remote.size <= TAIL + MOST


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=6),
    st.integers(0, 2**20),
    st.booleans(),
)
def test_a_damaged_wheel_is_never_read_beyond_the_bounds(
    changes: list[tuple[int, int]], length: int, cut: bool
) -> None:
    data = bytearray(archive((METADATA, b"x" * 3000), ("a.so", noise(100_000)), ("b.py", b"y")))
    for position, value in changes:
        # Half of the changes hit the records at the end.
        data[-1 - position % 400 if position % 2 else position % len(data)] = value
    remote = Remote(bytes(data[: length % len(data)] if cut else data))
    if not remote.data:
        return
    try:
        found = remote.metadata()
    except ArchiveError:
        found = None
    assert found is None or len(found) <= MAX_METADATA
    assert remote.size <= TAIL + MOST
