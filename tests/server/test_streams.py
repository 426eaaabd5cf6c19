"""Many files sent at once are sent in small pieces, so that memory stays bounded."""

from collections.abc import Iterator

import pytest

from indexfallback.files.download import FileAddress
from indexfallback.server import files
from indexfallback.server.files import SMALLEST_PIECE, FileSender, Span
from indexfallback.store.blobs import PIECE
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, key_of

DEMO = wheel("demo", size=BIG)


def test_pieces_get_smaller_with_the_number_of_streams(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ALL_PIECES", PIECE)
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        address = FileAddress("pypi", key_of(DEMO), DEMO.filename)
        found = made.downloads.get(*address)
        resource = FileSender(made)

        def stream() -> Iterator[bytes]:
            return resource._stream(address, found, Span(0, len(DEMO.data)))

        streams = [stream() for _ in range(10)]
        sizes = [len(next(stream)) for stream in streams]
        assert sizes[:4] == [PIECE, PIECE // 2, PIECE // 3, PIECE // 4]
        assert sizes[-1] == SMALLEST_PIECE
        rest = [b"".join(stream) for stream in streams]
        assert rest == [DEMO.data[size:] for size in sizes]
        assert len(next(stream())) == PIECE
