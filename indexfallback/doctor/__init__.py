"""Doctor: what is wrong on this machine, decided from what was found there; no I/O in here."""

from collections.abc import Iterable

from indexfallback.doctor import bypass, indexes, locks, network, shim, storage
from indexfallback.doctor.finding import Finding, Verdict
from indexfallback.doctor.machine import Machine

__all__ = ["Finding", "Machine", "Verdict", "examine"]

#: In the order in which they are told, among equals.
_CHECKS = (
    *shim.CHECKS, *indexes.CHECKS, *network.CHECKS, *bypass.CHECKS, *locks.CHECKS, *storage.CHECKS,
)  # fmt: skip


def examine(machine: Machine) -> list[Finding]:
    """Return all findings, the worst first; each check has at least one."""
    found: Iterable[Finding] = (finding for check in _CHECKS for finding in check(machine))
    return sorted(found, key=lambda finding: finding.verdict.rank)
