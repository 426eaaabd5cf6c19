"""The check of the database of advisories."""

from collections.abc import Iterator

from indexfallback.doctor.finding import Finding, ok, warn
from indexfallback.doctor.machine import Machine


def answers(machine: Machine) -> Iterator[Finding]:
    """Report whether the database of advisories answers, if one is configured."""
    check = machine.advisories
    if check is None:
        return
    if check.verdict == "warn":
        yield warn("advisories", f"{check.host}: {check.what}", check.remedy.rstrip("."))
    else:
        yield ok("advisories", f"{check.host}: {check.what}")


CHECKS = (answers,)
