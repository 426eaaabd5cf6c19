"""The checks of ``doctor``: they find problems in the data of a `Machine`; no I/O."""

from collections.abc import Iterable

from indexfallback.doctor import bypass, files, indexes, network, readers, shim, storage
from indexfallback.doctor.finding import Finding, Verdict
from indexfallback.doctor.machine import Machine

__all__ = ["Finding", "Machine", "Verdict", "examine"]

#: In the order of the report; findings are sorted by verdict first.
_CHECKS = (
    *shim.CHECKS, *readers.CHECKS, *indexes.CHECKS, *network.CHECKS, *bypass.CHECKS,
    *files.CHECKS, *storage.CHECKS,
)  # fmt: skip


def examine(machine: Machine) -> list[Finding]:
    """Return the findings of all checks, the worst first; each check has at least one."""
    found: Iterable[Finding] = (finding for check in _CHECKS for finding in check(machine))
    return sorted(found, key=lambda finding: finding.verdict.rank)
