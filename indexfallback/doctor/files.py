"""Checks of the files of the project in the current directory, and of uv's tools."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, ok, warn
from indexfallback.doctor.machine import Machine, urls_in
from indexfallback.doctor.mending import found_in
from indexfallback.doctor.project_file import Kind, ProjectFile
from indexfallback.errors import redact
from indexfallback.words import counted


def addresses(machine: Machine) -> Iterator[Finding]:
    """Find addresses of the shim, which work only on this machine."""
    counts = {file.path: _count(file, machine) for file in machine.project}
    found = [path for path, count in counts.items() if count]
    if found:
        what = f"{' and '.join(found)} {'has' if len(found) == 1 else 'have'} "
        what += f"{counted(sum(counts.values()), 'address', 'addresses')} of the shim"
        what += ", valid only on this machine"
        yield warn("addresses", what, "indexfallback doctor --mend")
    else:
        yield ok("addresses", "no file of this project has one of the shim")


def _count(file: ProjectFile, machine: Machine) -> int:
    return sum(1 for _ in found_in(file, machine.addresses))


def locked(machine: Machine) -> Iterator[Finding]:
    """Find lock files that uv calls out of date while it is configured to use the shim."""
    places = [p for p in machine.pointed if p.startswith("UV_") or p.endswith("uv.toml")]
    found = [
        f"{file.path} names {', '.join(others)}"
        for file in machine.project
        if places and (others := _registries(machine, file))
    ]
    if found:
        yield warn(
            "uv",
            f"{'; '.join(found)}, but {' and '.join(places)} "
            f"{'points' if len(places) == 1 else 'point'} uv at the shim: uv sync --locked "
            "fails, and uv lock rewrites the file",
            "indexfallback setup uv --undo, and indexfallback run -- uv sync",
        )
    else:
        yield ok("uv", "its settings and the lock files of this project agree")


def _registries(machine: Machine, file: ProjectFile) -> list[str]:
    """Return the indexes other than the shim in a lock file of uv."""
    if file.kind is not Kind.LOCK:
        return []
    lines = [line for line in file.text.splitlines() if "registry = " in line]
    urls = (url for line in lines for url in urls_in(line) if not machine.is_shim(url))
    return list(dict.fromkeys(map(redact, urls)))


CHECKS = (addresses, locked)
