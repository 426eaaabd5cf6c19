"""Lock files in the current directory: whose addresses they carry."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, ok, warn
from indexfallback.doctor.machine import Machine, TextFile, urls_in
from indexfallback.errors import redact


def addresses(machine: Machine) -> Iterator[Finding]:
    """Find the shim's own address, which is good here alone, and others that go past it."""
    found = False
    for file in machine.locks:
        for finding in _of(machine, file):
            found = True
            yield finding
    if not found:
        yield ok("locks", "none in this directory carries an address that matters")


def _of(machine: Machine, file: TextFile) -> Iterator[Finding]:
    if any(map(machine.is_shim, urls_in(file.text))):
        yield warn(
            "locks",
            f"{file.path} carries the shim's address, which is good on this machine alone",
            "Lock again without it, as docs/lock-files.md says",
        )
    elif file.path.endswith("uv.lock") and (others := _registries(file.text)):
        what = f"{file.path} was locked at {', '.join(others)}: uv fetches from there"
        if any("uv" in place.lower() for place in machine.pointed):
            yield warn(
                "locks",
                f"{what}, and refuses --locked while it is pointed at the shim",
                "uv sync --frozen",
            )


def _registries(text: str) -> list[str]:
    """Return the indexes that a uv.lock names."""
    lines = [line for line in text.splitlines() if "registry = " in line]
    return list(dict.fromkeys(redact(url) for line in lines for url in urls_in(line)))


CHECKS = (addresses,)
