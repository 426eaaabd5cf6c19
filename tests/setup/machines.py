"""Machines for tests: a system, environment variables and files."""

from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from indexfallback.clients.machine import Machine


def machine(
    platform: str = "linux",
    environ: Mapping[str, str] | None = None,
    *,
    files: Mapping[str, str] | None = None,
    folders: tuple[str, ...] = (),
) -> Machine:
    """Return a machine with these files, by their absolute paths, and directories."""
    kind = PureWindowsPath if platform == "win32" else PurePosixPath
    homes = {"win32": "C:/Users/me", "darwin": "/Users/me", "linux": "/home/me"}
    there = {kind(path): text for path, text in (files or {}).items()}

    def read(path: PurePath) -> str:
        return there.get(kind(path), "")

    return Machine(
        platform=platform,
        environ=environ or {},
        home=kind(homes[platform]),
        prefix=kind("/prefix"),
        cwd=kind(homes[platform]) / "project",
        read=read,
        exists=lambda path: kind(path) in {*there, *map(kind, folders)},
    )
