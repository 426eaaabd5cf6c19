"""Check of the lock files in the current directory: the addresses that they contain."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, ok, warn
from indexfallback.doctor.machine import Machine, TextFile, urls_in
from indexfallback.errors import redact

#: Tools that download from the index in the lock file, and the text before its address.
_RECORDED = {"uv": "registry = ", "poetry": "url = "}


def addresses(machine: Machine) -> Iterator[Finding]:
    """Find the shim's address, which works only on this machine, and those that bypass it."""
    found = False
    for file in machine.locks:
        for finding in _of(machine, file):
            found = True
            yield finding
    if not found:
        yield ok("locks", "none in this directory has an address that bypasses the shim")


def _of(machine: Machine, file: TextFile) -> Iterator[Finding]:
    if any(map(machine.is_shim, urls_in(file.text))):
        yield warn(
            "locks",
            f"{file.path} has the shim's address, which works only on this machine",
            "Lock again without it, as docs/lock-files.md says",
        )
        return
    tool = next((tool for tool in _RECORDED if file.path == f"{tool}.lock"), None)
    others = _indexes(file.text, _RECORDED[tool]) if tool else []
    if others:
        what = f"{file.path} names {', '.join(others)}: {tool} downloads there, without the shim"
        if tool == "uv" and any("uv" in place.lower() for place in machine.pointed):
            what += ", and --locked fails while uv is configured to use the shim"
        yield warn("locks", what, "docs/lock-files.md says how to install through the shim")


def _indexes(text: str, key: str) -> list[str]:
    """Return the indexes in a lock file."""
    lines = [line for line in text.splitlines() if key in line]
    return list(dict.fromkeys(redact(url) for line in lines for url in urls_in(line)))


CHECKS = (addresses,)
