"""Lock files in the current directory: whose addresses they carry."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, ok, warn
from indexfallback.doctor.machine import Machine, TextFile, urls_in
from indexfallback.errors import redact

#: The tools that look for each file where it was locked, and by what they name an index.
_RECORDED = {"uv": "registry = ", "poetry": "url = "}


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
        return
    tool = next((tool for tool in _RECORDED if file.path == f"{tool}.lock"), None)
    others = _indexes(file.text, _RECORDED[tool]) if tool else []
    if others:
        what = f"{file.path} names {', '.join(others)}: {tool} fetches from there, past the shim"
        if tool == "uv" and any("uv" in place.lower() for place in machine.pointed):
            what += ", and refuses --locked while it is pointed at the shim"
        yield warn("locks", what, "docs/lock-files.md says how to install through the shim")


def _indexes(text: str, key: str) -> list[str]:
    """Return the indexes that a lock file names."""
    lines = [line for line in text.splitlines() if key in line]
    return list(dict.fromkeys(redact(url) for line in lines for url in urls_in(line)))


CHECKS = (addresses,)
