"""What is offered while indexes may not be asked, or cannot be for want of a network."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexfallback.chain.network import Network, mode_file
from indexfallback.config import Index
from indexfallback.errors import FileMissingError, FileUnavailableError, ProjectNotFoundError
from indexfallback.mode import Cause
from indexfallback.names import FileKey
from indexfallback.shim import Shim
from indexfallback.store import Blob
from tests.chain.chain import ask, mirror, private, pypi
from tests.conftest import MakeSettings, MakeShim
from tests.fakes import Dist, FakeIndex, flat_directory, wheel
from tests.serving import wait_until

AWAY = "packages.example.com"
OLD, NEW = wheel("acme-app", "1.0"), wheel("acme-app", "2.0")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([OLD, NEW]) as fake:
        yield fake


@pytest.fixture
def no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the route, and with it the address of whatever is not on this machine."""
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **values: Any) -> Any:
        if host == AWAY:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *args, **values)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for module in ("chain.network", "upstream.failures"):
        monkeypatch.setattr(f"indexfallback.{module}.has_route", lambda: False)


@pytest.fixture
def mode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of the user's mode, in a state directory of this test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mode_file().parent.mkdir(parents=True)
    return mode_file()


def away(**values: Any) -> Index:
    return Index(**{"name": "away", "url": f"http://{AWAY}:9/simple/", **values})


def fetch(shim: Shim, dist: Dist, owner: str = "pypi") -> None:
    key = FileKey(dist.project, dist.sha256)
    shim.downloads.get(owner, key, dist.filename)
    wait_until(lambda: shim.store.blobs.records.held([dist.sha256]), 10, "the file is not kept")


def offered(shim: Shim, project: str = "acme-app") -> list[str]:
    page = shim.offer(shim.fallback.page(project))
    return [file.filename.split("-")[1] for file in page.files]


@pytest.mark.usefixtures("no_route")
def test_an_index_that_still_answers_is_offered_whole_without_a_route(
    shim: MakeShim, index: FakeIndex
) -> None:
    made = shim(away(on_outage="next"), pypi(index), deadline=4.0)
    assert offered(made) == ["1.0", "2.0"]
    assert offered(made) == ["1.0", "2.0"]
    assert made.fallback.page("acme-app").offline is None
    assert made.network.offline_state.cause is None


@pytest.mark.usefixtures("no_route")
def test_without_a_route_a_page_that_was_fresh_is_asked_about(
    shim: MakeShim, index: FakeIndex
) -> None:
    made = shim(pypi(index), away(role="public"), deadline=4.0)
    fetch(made, OLD)
    for _ in range(2):
        made.fallback.forget("acme-app")
        assert made.fallback.page("acme-app").how == "asked"


@pytest.mark.usefixtures("no_route")
def test_the_latest_try_of_every_index_decides_whether_there_is_a_network(
    shim: MakeShim, index: FakeIndex
) -> None:
    made = shim(private(index), away(role="public"), deadline=4.0)
    assert [ask(made), ask(made, "unknown"), ask(made)] == ["private", 404, "private"]
    assert made.network.offline_state.cause is None
    before = made.network.changes
    assert [ask(made, name) for name in ("unknown", "acme-app", "other")] == [404, "private", 404]
    assert made.network.changes == before, "each walk is a change"
    alone = shim(away(role="public"), deadline=4.0)
    assert ask(alone) == 404
    assert alone.network.offline_state.cause is Cause.NETWORK


def test_a_damaged_mode_is_said_once(
    shim: MakeShim, index: FakeIndex, mode: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mode.write_bytes(b"\xff")
    network = shim(index).network
    for _ in range(3):
        network._look()
    said = [record for record in caplog.records if str(mode) in record.getMessage()]
    assert len(said) == 1


@pytest.mark.usefixtures("no_route")
def test_a_chain_on_this_machine_needs_no_route(shim: MakeShim, index: FakeIndex) -> None:
    made = shim(index)
    assert ask(made) == "pypi"
    made.fallback.forget("acme-app")
    assert made.fallback.page("acme-app").how == "fresh"


def test_an_outage_hides_nothing(shim: MakeShim, index: FakeIndex) -> None:
    made = shim(private(index), fresh=0.0)
    fetch(made, OLD, "private")
    index.stop_listening()
    made.fallback.forget("acme-app")
    assert made.fallback.page("acme-app").how == "stale"
    assert offered(made) == ["1.0", "2.0"]
    with pytest.raises(FileUnavailableError):
        fetch(made, NEW, "private")


def test_of_a_group_offline_what_one_member_gave_is_offered_by_the_others_page(
    shim: MakeShim, index: FakeIndex
) -> None:
    with FakeIndex([OLD, NEW]) as near:
        chain = (mirror(near), pypi(index))
        fetch(shim(*chain), OLD)
        assert offered(shim(*chain, offline=True)) == ["1.0"]
        assert offered(shim(pypi(index), mirror(near), offline=True)) == ["1.0"]


def test_offline_a_directory_is_offered_whole(shim: MakeShim, tmp_path: Path) -> None:
    path = flat_directory(tmp_path / "wheels", [OLD, NEW])
    made = shim(Index(name="local", url=f"{path.as_uri()}/"), offline=True)
    assert offered(made) == ["1.0", "2.0"]
    key = FileKey("acme-app", None)
    wait_until(
        lambda: isinstance(made.downloads.get("local", key, NEW.filename), Blob), 10, "not served"
    )


def test_offline_nothing_of_a_known_page_here_is_not_found_and_noted_for_the_last_word(
    shim: MakeShim, index: FakeIndex
) -> None:
    ask(shim(index))
    made = shim(index, offline=True)
    with pytest.raises(ProjectNotFoundError, match="--offline is on, and none of its 2 files"):
        offered(made)
    failures = made.fallback.activity.report()["failures"]
    assert isinstance(failures, list)
    assert ["indexfallback fetch acme-app" in each["remedy"] for each in failures] == [True]


def test_the_mode_off_makes_no_network_an_outage(
    shim: MakeShim, index: FakeIndex, mode: Path, no_route: None
) -> None:
    mode.write_text("off\n")
    made = shim(away(role="public"), deadline=4.0)
    assert made.network.offline_state.cause is None
    assert ask(made) == 503


def test_a_mode_is_seen_while_it_runs(shim: MakeShim, index: FakeIndex, mode: Path) -> None:
    made = shim(index)
    fetch(made, OLD)
    before = made.network.changes
    mode.write_text("on\n")
    wait_until(lambda: made.network.offline_state.cause is Cause.COMMAND, 10, "it is not seen")
    assert made.network.changes == before + 1
    assert offered(made) == ["1.0"]
    with pytest.raises(FileMissingError, match="`indexfallback offline on` holds"):
        fetch(made, NEW)
    assert made.members["pypi"].held(0.0) == "offline"
    mode.unlink()
    wait_until(lambda: made.network.offline_state.cause is None, 10, "it is not seen")
    assert offered(made) == ["1.0", "2.0"]


def test_asking_how_it_stands_is_cheap(
    settings: MakeSettings, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(settings(index))
    looked = [0]
    look = network._look

    def counting() -> None:
        looked[0] += 1
        look()

    network._look = counting  # type: ignore[method-assign]
    now = time.monotonic()
    for elapsed in (0.0, 0.1, 0.19, 0.3):
        monkeypatch.setattr(time, "monotonic", lambda at=now + elapsed: at)
        assert network.changes == 0
    assert looked[0] == 2, "the file is read at each request"
