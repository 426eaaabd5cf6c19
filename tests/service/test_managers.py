"""The commands for each service manager, recorded by fake programs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexfallback.service.job import Job
from indexfallback.service.manager import ServiceError, manager

JOB = Job(command=("/opt/venv/bin/python", "-m", "indexfallback", "serve"))
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts")

Program = Callable[..., Callable[[], list[str]]]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return a factory of programs, the only ones there are; it returns how they were called."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    def make(name: str, script: str = "") -> Callable[[], list[str]]:
        calls = directory / f"{name}.calls"
        file = directory / name
        file.write_text(f'#!/bin/sh\necho "$*" >> {calls}\n{script}\n', encoding="utf-8")
        file.chmod(0o700)
        return lambda: calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []

    return make


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", "{home}/.config/systemd/user/indexfallback.service"),
        ("darwin", "{home}/Library/LaunchAgents/indexfallback.plist"),
        ("win32", "indexfallback"),
    ],
)
def test_each_system_has_a_place_for_it(tmp_path: Path, platform: str, place: str,
                                        program: Program) -> None:  # fmt: skip
    assert manager(platform, tmp_path).place == place.format(home=tmp_path)


def test_a_system_without_a_manager_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"services are not supported on plan9"):
        manager("plan9", tmp_path)


def test_systemd_is_told_to_start_it_now_and_at_login(tmp_path: Path, program: Program) -> None:
    calls = program("systemctl", 'test "$2" = is-active && echo active')
    system = manager("linux", tmp_path)
    assert system.state() is None
    program("systemctl")
    system.install(JOB)
    assert Path(system.place).read_text(encoding="utf-8") == system.text(JOB)
    assert Path(system.place).stat().st_mode & 0o777 == 0o600
    assert calls() == [
        "--user show-environment", "--user daemon-reload",
        "--user enable indexfallback.service", "--user restart indexfallback.service",
    ]  # fmt: skip


def test_systemd_removes_it(tmp_path: Path, program: Program) -> None:
    calls = program("systemctl")
    system = manager("linux", tmp_path)
    assert not system.uninstall()
    assert calls() == []
    system.install(JOB)
    assert system.uninstall()
    assert not Path(system.place).exists()
    assert calls()[-2:] == ["--user disable --now indexfallback.service", "--user daemon-reload"]


def test_without_a_systemd_of_the_user_nothing_is_written(tmp_path: Path, program: Program) -> None:
    program("systemctl", "echo 'Failed to connect to bus' >&2; exit 1")
    system = manager("linux", tmp_path)
    with pytest.raises(ServiceError, match=r"systemctl --user .*: Failed to connect to bus; "):
        system.install(JOB)
    assert not Path(system.place).exists()


def test_a_missing_program_is_an_error(tmp_path: Path, program: Program) -> None:
    with pytest.raises(ServiceError, match="systemctl cannot be run"):
        manager("linux", tmp_path).install(JOB)


def test_launchd_is_told_to_start_it_and_to_forget_it(tmp_path: Path, program: Program) -> None:
    calls = program("launchctl")
    system = manager("darwin", tmp_path)
    system.install(JOB)
    assert Path(system.place).read_text(encoding="utf-8") == system.text(JOB)
    assert system.state() == "loaded"
    system.install(JOB)
    assert system.uninstall()
    assert [call.split()[0] for call in calls()] == [
        "bootstrap", "print", "bootout", "bootstrap", "bootout",
    ]  # fmt: skip
    assert calls()[0].endswith(f" {system.place}")
    assert system.state() is None


def test_the_task_scheduler_is_given_a_file_that_it_can_read(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERDOMAIN", "OFFICE")
    monkeypatch.setenv("USERNAME", "me")
    kept = tmp_path / "kept.xml"
    calls = program("schtasks", f'if test "$1" = /Create; then /bin/cp "$5" {kept}; fi')
    system = manager("win32", tmp_path)
    system.install(JOB)
    assert [call.split()[:3] for call in calls()] == [
        ["/Create", "/TN", "indexfallback"],
        ["/End", "/TN", "indexfallback"],
        ["/Run", "/TN", "indexfallback"],
    ]
    assert kept.read_text(encoding="utf-16") == system.text(JOB)
    assert system.uninstall()
    assert calls()[-1] == "/Delete /TN indexfallback /F"


def test_a_missing_task_is_not_removed(tmp_path: Path, program: Program) -> None:
    program("schtasks", "exit 1")
    system = manager("win32", tmp_path)
    assert system.state() is None
    assert not system.uninstall()


@pytest.mark.parametrize(
    ("platform", "name", "expected"),
    [
        ("linux", "systemctl", ["--user stop indexfallback.service",
                                "--user start indexfallback.service"]),
        ("darwin", "launchctl", ["bootout", "bootstrap"]),
        ("win32", "schtasks", ["/End /TN indexfallback", "/Run /TN indexfallback"]),
    ],
)  # fmt: skip
def test_a_job_is_stopped_and_started_again(
    tmp_path: Path, program: Program, platform: str, name: str, expected: list[str]
) -> None:
    calls = program(name)
    system = manager(platform, tmp_path)
    assert system.works()
    before = len(calls())
    system.stop()
    system.start()
    made = [call if platform != "darwin" else call.split()[0] for call in calls()[before:]]
    assert made == expected


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_manager_that_is_missing_or_refuses_does_not_work(
    tmp_path: Path, program: Program, platform: str
) -> None:
    assert not manager(platform, tmp_path).works()
    for name in ("systemctl", "launchctl", "schtasks"):
        program(name, "exit 1")
    assert not manager(platform, tmp_path).works()
