"""What a tree is made of."""

from pathlib import Path

from indexfallback.config import Index
from indexfallback.tree.sources import DirectorySource
from tests.conftest import MakeShim
from tests.fakes import wheel

WHEEL = wheel("acme-app", "1.4")


def test_what_was_just_copied_is_waited_for(shim: MakeShim, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    made = shim(Index(name="wheels", url=f"{wheels.as_uri()}/"))
    source = DirectorySource(made.members["wheels"], 10**6)
    (wheels / WHEEL.filename).write_bytes(WHEEL.data)
    assert list(source.names()) == ["acme-app"]
    found = source.page("acme-app")
    assert found is not None
    assert [each.path.name for each in found[1]] == [WHEEL.filename]
