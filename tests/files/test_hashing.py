"""Hashing beside a transfer: the pieces in their order, all of them by the end of the block."""

import contextlib
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.files.hashing import LARGE_PIECE, Hashing
from indexfallback.files.integrity import Digest

SIZES = st.sampled_from([1, 1000, LARGE_PIECE - 1, LARGE_PIECE, 3 * LARGE_PIECE])


@given(st.lists(SIZES, max_size=6))
def test_small_and_large_pieces_are_hashed_in_their_order(sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    digest = Digest()
    with Hashing(digest) as hashing:
        for piece in pieces:
            hashing.update(piece)
    assert digest.sha256() == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_piece_is_hashed_also_if_the_transfer_breaks_off_behind_it() -> None:
    piece, digest = bytes(8 * LARGE_PIECE), Digest()
    with contextlib.suppress(ConnectionError), Hashing(digest) as hashing:
        hashing.update(piece)
        raise ConnectionError
    assert digest.sha256() == hashlib.sha256(piece).hexdigest()
