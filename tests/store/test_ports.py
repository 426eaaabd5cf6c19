"""The ports that shims have served."""

import os
import sys
import threading
from pathlib import Path

import pytest

from indexfallback.store.ports import ports_file, remember_port, served_ports
from tests.conftest import Serve
from tests.fakes import FakeIndex
from tests.serving import index_table, wait_until


def test_no_port_is_known_at_first() -> None:
    assert served_ports() == frozenset()


def test_each_port_is_written_once() -> None:
    for number in (5503, 40123, 5503):
        remember_port(number)
    assert served_ports() == {5503, 40123}
    assert ports_file().read_text("utf-8").split() == ["5503", "40123"]


def test_several_shims_may_start_at_once() -> None:
    numbers = range(40000, 40050)
    threads = [threading.Thread(target=remember_port, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served_ports() == set(numbers)


def test_lines_that_are_no_port_are_skipped() -> None:
    remember_port(5503)
    with ports_file().open("ab") as file:
        file.write(b"\xff\n-1\nport\n40123\n")
    assert served_ports() == {5503, 40123}


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the place of a directory differs")
def test_a_state_directory_that_cannot_be_made_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", os.devnull)
    remember_port(5503)
    assert served_ports() == frozenset()


def test_a_server_remembers_its_port(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "served" / "run"))
    with FakeIndex() as public:
        server = served(index_table("pypi", public.url, role="public"))
        wait_until(lambda: server.port in served_ports(), 10, "the port is not remembered")
