"""Many files sent at once are sent in small pieces, so that memory stays bounded."""

from collections.abc import Iterator

import pytest

from indexfallback.files.download import FileAddress
from indexfallback.server import files
from indexfallback.server.files import SMALL_PIECE, FileSender, Span
from indexfallback.store.blobs import PIECE
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.files.support import BIG, key_of

DEMO = wheel("demo", size=BIG)


def test_pieces_are_small_while_there_are_many_streams(
    shim: MakeShim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FEW_STREAMS", 1)
    with FakeIndex([DEMO]) as index:
        made = shim(index)
        address = FileAddress("pypi", key_of(DEMO), DEMO.filename)
        found = made.downloads.get(*address)
        resource = FileSender(made)

        def stream() -> Iterator[bytes]:
            return resource._stream(address, found, Span(0, len(DEMO.data)))

        first, second = stream(), stream()
        assert [len(next(first)), len(next(second))] == [PIECE, SMALL_PIECE]
        assert b"".join(first) == DEMO.data[PIECE:]
        assert b"".join(second) == DEMO.data[SMALL_PIECE:]
        assert len(next(stream())) == PIECE
