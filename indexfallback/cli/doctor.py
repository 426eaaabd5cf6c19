"""``doctor``: prints problems of this machine, with remedies; ``--mend`` mends files."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from indexfallback.cli.check import compare_option
from indexfallback.cli.examine import examine_machine
from indexfallback.cli.logs import silence_chain
from indexfallback.cli.mending import applied, planned
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, print_table, tell
from indexfallback.config import Settings
from indexfallback.doctor import Finding, Verdict, examine
from indexfallback.words import counted

_COLOURS = {"FAIL": "red", "warn": "yellow", "ok": "green"}


@click.command(epilog=examples("indexfallback doctor", "indexfallback doctor --mend --dry-run"))
@click.option("--all", "show_all", is_flag=True, help="Also print the checks without a problem.")
@click.option("--mend", is_flag=True, help="Replace the shim's address in files, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Print the changes of --mend without making them.")
@click.option("--json", "as_json", is_flag=True, help="Print the results of all checks as JSON.")
@compare_option
@takes_options
def doctor(
    options: Options, *, show_all: bool, mend: bool, dry_run: bool, as_json: bool, compare: bool
) -> None:
    """Find problems on this machine, and their remedies.

    Checks the shim, the indexes, the network, the settings of clients, the project in the current
    directory, and the cache. Prints each cause once, the worst first. Exits with 1 if a check
    fails.

    With --mend, replaces addresses of the shim in the project's files and in the receipts of uv's
    tools by those of the indexes, as the cache has them. Exits with 1 if one is left.
    """
    if dry_run and not mend:
        raise click.UsageError("--dry-run is for --mend")
    if mend:
        _mend(options.settings(), dry_run=dry_run, as_json=as_json)
        return
    findings = examine(examine_machine(options, compare=compare))
    if as_json:
        print_json({"findings": [_as_data(finding) for finding in findings]})
    else:
        well = sum(finding.verdict is Verdict.OK for finding in findings)
        _print([f for f in findings if show_all or f.verdict is not Verdict.OK])
        if not show_all:
            tell(f"{counted(well, 'check')} found nothing wrong (--all shows them)")
    _exit(findings)


def _mend(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    silence_chain()
    changes = planned(settings, Path.cwd())
    findings = applied(changes, dry_run=dry_run)
    if as_json:
        print_json({"findings": [_as_data(finding) for finding in findings]})
    else:
        for change in changes:
            if dry_run and change.is_needed:
                click.echo(change.diff)
        _print(findings)
    _exit(findings)


def _exit(findings: Sequence[Finding]) -> None:
    sys.exit(1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0)


def _print(findings: Sequence[Finding]) -> None:
    rows = []
    for finding in findings:
        rows.append((finding.verdict.value, finding.subject, finding.what))
        if finding.effects:
            effects = dict.fromkeys(effect.subject for effect in finding.effects)
            rows.append(("", "", f"This is also the reason for: {', '.join(effects)}"))
        if finding.remedy:  # on its own line, to be copied
            rows.append(("", "", finding.remedy))
    if rows:
        print_table((), rows, colours=_COLOURS)


def _as_data(finding: Finding) -> dict[str, Any]:
    return {
        "verdict": finding.verdict.value,
        "subject": finding.subject,
        "what": finding.what,
        "remedy": finding.remedy,
        "effects": [f"{effect.subject}: {effect.what}" for effect in finding.effects],
    }
