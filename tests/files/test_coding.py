"""Content codings undone, and what cannot be."""

import gzip
import zlib
from collections.abc import Callable

import pytest

from indexfallback.files.coding import CodingError, decoded

DATA = bytes(range(256)) * 10_000
ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}


def pieces(data: bytes, size: int = 1000) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("coding", ENCODED)
def test_a_known_coding_is_undone(coding: str) -> None:
    assert b"".join(decoded(pieces(ENCODED[coding](DATA)), coding, len(DATA))) == DATA


def test_gzip_may_have_several_members() -> None:
    both = gzip.compress(DATA) + gzip.compress(b"more")
    assert b"".join(decoded(pieces(both), "gzip", 10**7)) == DATA + b"more"


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (gzip.compress(DATA)[:-1], "gzip"),
        (gzip.compress(DATA) + b"more", "gzip"),
        (DATA, "gzip"),
        (b"", "gzip"),
        (gzip.compress(DATA), "br"),
    ],
)
def test_what_is_not_of_its_coding_is_an_error(data: bytes, coding: str) -> None:
    with pytest.raises(CodingError):
        list(decoded(pieces(data), coding, 10**7))


def test_a_bomb_is_not_decoded_beyond_its_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    pieces_of_it = decoded([bomb], "gzip", 1_000_000)
    with pytest.raises(CodingError, match="more than 1000000 bytes"):
        assert sum(map(len, pieces_of_it)) > 0
