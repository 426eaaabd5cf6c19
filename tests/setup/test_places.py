"""The path of each client's file on each system."""

from collections.abc import Callable
from pathlib import PurePath

import pytest

from indexfallback.clients import places
from indexfallback.clients.machine import Machine
from tests.setup.machines import machine

#: What Windows always sets.
WINDOWS = {
    "APPDATA": "C:\\Users\\me\\AppData\\Roaming",
    "LOCALAPPDATA": "C:\\Users\\me\\AppData\\Local",
}
GOLDEN = [
    (places.pip_file, "linux", "/home/me/.config/pip/pip.conf"),
    (places.pip_file, "darwin", "/Users/me/.config/pip/pip.conf"),
    (places.pip_file, "win32", "C:/Users/me/AppData/Roaming/pip/pip.ini"),
    (places.uv_file, "linux", "/home/me/.config/uv/uv.toml"),
    (places.uv_file, "darwin", "/Users/me/.config/uv/uv.toml"),
    (places.uv_file, "win32", "C:/Users/me/AppData/Roaming/uv/uv.toml"),
    (places.poetry_file, "linux", "/home/me/.config/pypoetry/config.toml"),
    (places.poetry_file, "darwin", "/Users/me/Library/Application Support/pypoetry/config.toml"),
    (places.poetry_file, "win32", "C:/Users/me/AppData/Roaming/pypoetry/config.toml"),
    (places.pdm_file, "linux", "/home/me/.config/pdm/config.toml"),
    (places.pdm_file, "darwin", "/Users/me/Library/Application Support/pdm/config.toml"),
    (places.pdm_file, "win32", "C:/Users/me/AppData/Local/pdm/pdm/config.toml"),
    (places.buildout_file, "linux", "/home/me/.buildout/default.cfg"),
    (places.buildout_file, "darwin", "/Users/me/.buildout/default.cfg"),
    (places.buildout_file, "win32", "C:/Users/me/.buildout/default.cfg"),
    (places.shell_file, "linux", "/home/me/.profile"),
]


@pytest.mark.parametrize(("place", "platform", "expected"), GOLDEN)
def test_each_client_has_its_file_on_each_system(
    place: Callable[[Machine], PurePath], platform: str, expected: str
) -> None:
    environ = WINDOWS if platform == "win32" else {}
    assert place(machine(platform, environ)).as_posix() == expected


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_file_of_pip_is_where_pip_itself_has_it(platform: str) -> None:
    folder = {"linux": "/home/me/.pip/pip.conf", "darwin": "/Users/me/.pip/pip.conf",
              "win32": "C:/Users/me/pip/pip.ini"}[platform]  # fmt: skip
    found = places.pip_file(machine(platform, files={folder: "[global]\n"}))
    assert found.as_posix() == folder


def test_the_newer_place_of_pip_is_taken_where_both_are() -> None:
    files = {"/home/me/.pip/pip.conf": "", "/home/me/.config/pip/pip.conf": ""}
    found = places.pip_file(machine(files=files))
    assert found.as_posix() == "/home/me/.config/pip/pip.conf"


def test_pip_on_macos_uses_application_support_if_it_is_there() -> None:
    folder = "/Users/me/Library/Application Support/pip"
    assert places.pip_file(machine("darwin", folders=(folder,))).as_posix() == f"{folder}/pip.conf"


@pytest.mark.parametrize("place", [places.poetry_file, places.pdm_file])
def test_a_directory_by_xdg_on_macos_is_taken_if_it_is_there(
    place: Callable[[Machine], PurePath],
) -> None:
    environ = {"XDG_CONFIG_HOME": "/x"}
    folders = ("/x/pypoetry", "/x/pdm")
    assert "/Library/" in place(machine("darwin", environ)).as_posix()
    assert place(machine("darwin", environ, folders=folders)).as_posix().startswith("/x/")


@pytest.mark.parametrize(
    ("place", "variable", "expected"),
    [
        (places.pip_file, "XDG_CONFIG_HOME", "/x/pip/pip.conf"),
        (places.uv_file, "XDG_CONFIG_HOME", "/x/uv/uv.toml"),
        (places.poetry_file, "POETRY_CONFIG_DIR", "/x/config.toml"),
        (places.pdm_file, "PDM_CONFIG_FILE", "/x"),
        (places.buildout_file, "BUILDOUT_HOME", "/x/default.cfg"),
    ],
)
def test_a_variable_moves_the_file(
    place: Callable[[Machine], PurePath], variable: str, expected: str
) -> None:
    assert place(machine(environ={variable: "/x"})).as_posix() == expected


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("/bin/bash", "/home/me/.bashrc"),
        ("/usr/bin/zsh", "/home/me/.zshenv"),
        ("/usr/bin/fish", "/home/me/.config/fish/conf.d/indexfallback.fish"),
        ("/bin/dash", "/home/me/.profile"),
    ],
)
def test_the_variable_of_pipenv_is_in_the_file_of_the_users_shell(
    shell: str, expected: str
) -> None:
    assert places.shell_file(machine(environ={"SHELL": shell})).as_posix() == expected


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/home/me/.pip/pip.conf"]),
        ("darwin", ["/Library/Application Support/pip/pip.conf", "/Users/me/.pip/pip.conf"]),
        ("win32", ["C:/ProgramData/pip/pip.ini", "C:/Users/me/pip/pip.ini"]),
    ],
)
def test_the_weaker_files_of_pip_are_those_of_all_users_and_the_older_one(
    platform: str, expected: list[str]
) -> None:
    found = [file.as_posix() for file in places.pip_weaker_files(machine(platform))]
    assert found == expected


def test_the_older_file_of_pip_is_not_weaker_than_itself() -> None:
    files = {"/home/me/.pip/pip.conf": ""}
    assert len(places.pip_weaker_files(machine(files=files))) == len(("/etc/xdg", "/etc"))
