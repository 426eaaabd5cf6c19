"""The checks of ``doctor``: they find problems in the data of a `Machine`; no I/O."""

from collections.abc import Iterator

from indexfallback.doctor import (
    advisories,
    bypass,
    certificates,
    clock,
    files,
    indexes,
    network,
    readers,
    shared,
    shim,
    storage,
)
from indexfallback.doctor.finding import Finding, Verdict, fail
from indexfallback.doctor.folding import folded
from indexfallback.doctor.machine import Machine

__all__ = ["Finding", "Machine", "Verdict", "examine"]

#: In the order of the report; findings are sorted by verdict first.
_CHECKS = (
    *shim.CHECKS, *indexes.CHECKS, *advisories.CHECKS, *readers.CHECKS, *network.CHECKS,
    *certificates.CHECKS, *clock.CHECKS, *bypass.CHECKS, *files.CHECKS, *storage.CHECKS,
    *shared.CHECKS,
)  # fmt: skip
#: Those that would only repeat that the settings cannot be read.
_OF_SETTINGS = frozenset(
    (*indexes.CHECKS, *advisories.CHECKS, *readers.CHECKS, *certificates.CHECKS)
)


def examine(machine: Machine) -> list[Finding]:
    """Return the findings of all checks, the worst first, one for each cause.

    Without settings, that is the first finding, and the checks that do not need them follow.
    """
    return folded(_found(machine))


def _found(machine: Machine) -> Iterator[Finding]:
    wrong = machine.wrong_setting
    if wrong is not None:
        yield fail("configuration", f"{wrong.where}: {wrong.problem}", wrong.remedy)
    for check in _CHECKS:
        if wrong is None or check not in _OF_SETTINGS:
            yield from check(machine)
