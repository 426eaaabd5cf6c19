"""Folds the findings that follow from another one into that one: one finding a cause; no I/O."""

from collections.abc import Iterable
from dataclasses import replace

from indexfallback.doctor.finding import Finding


def folded(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, the worst first, each cause once.

    A finding whose cause another one states becomes an effect of that one, which is then as bad as
    the worst of its effects.
    """
    every = list(findings)
    stated = {finding.states for finding in every} - {None}
    roots = [finding for finding in every if finding.follows not in stated]
    found = [_with_effects(root, every) for root in roots]
    return sorted(found, key=lambda finding: finding.verdict.rank)


def _with_effects(root: Finding, every: Iterable[Finding]) -> Finding:
    if root.states is None:
        return root
    effects = tuple(finding for finding in every if finding.follows is root.states)
    verdicts = [root.verdict, *(effect.verdict for effect in effects)]
    return replace(root, verdict=min(verdicts, key=lambda verdict: verdict.rank), effects=effects)
