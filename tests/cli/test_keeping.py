"""The ways to keep a shim running, and which of them is for this user."""

import os
import sys
from pathlib import Path

import pytest

from indexfallback.cli import background
from indexfallback.cli.keeping import Background, Installation, Service, best_way, way_of
from indexfallback.service.manager import manager
from tests.conftest import MakeSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-in is systemd's")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a systemctl that works, the only program there."""
    file = tmp_path / "bin" / "systemctl"
    file.parent.mkdir()
    file.write_text("#!/bin/sh\n", "utf-8")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(file.parent))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return file


def install() -> None:
    unit = Path(manager().place)
    unit.parent.mkdir(parents=True)
    unit.touch()


def test_a_service_is_installed_where_its_manager_works(systemctl: Path) -> None:
    assert isinstance(best_way(), Installation)
    install()
    assert type(best_way()) is Service
    systemctl.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    assert isinstance(best_way(), Background)
    systemctl.unlink()
    assert isinstance(best_way(), Background)


@pytest.mark.usefixtures("systemctl")
def test_a_running_shim_is_that_of_the_background_of_the_service_or_of_a_terminal(
    settings: MakeSettings,
) -> None:
    at_port, pid = settings(port=5999), os.getpid()
    assert way_of(pid, at_port) is None
    file = background.pid_file(5999)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{pid}\n", "ascii")
    assert isinstance(way_of(pid, at_port), Background)
    assert way_of(pid + 1, at_port) is None
    install()
    assert type(way_of(pid + 1, at_port)) is Service
