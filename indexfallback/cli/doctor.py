"""``doctor``: prints the problems of this machine, with their remedies."""

import sys
from collections.abc import Sequence

import click

from indexfallback.cli.check import compare_option
from indexfallback.cli.examine import examine_machine
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, print_table
from indexfallback.doctor import Finding, Verdict, examine
from indexfallback.doctor.finding import fail
from indexfallback.errors import ConfigError
from indexfallback.words import counted

_COLOURS = {"FAIL": "red", "warn": "yellow", "ok": "green"}


@click.command(epilog=examples("indexfallback doctor", "indexfallback doctor --all --json"))
@click.option("--all", "show_all", is_flag=True, help="Also print the checks without a problem.")
@click.option("--json", "as_json", is_flag=True, help="Print the results of all checks as JSON.")
@compare_option
@takes_options
def doctor(options: Options, show_all: bool, as_json: bool, compare: bool) -> None:
    """Find problems on this machine, and their remedies.

    Checks the shim, the indexes, the network, the settings of clients, the requirements and lock
    files in the current directory, and the cache. Exits with 1 if a check fails.
    """
    try:
        findings = examine(examine_machine(options.settings(), options.config, compare=compare))
    except ConfigError as error:  # all other checks need the settings
        findings = [fail("configuration", f"{error.where}: {error.problem}", error.remedy)]
    if as_json:
        print_json([_as_data(finding) for finding in findings])
    else:
        _print(findings, show_all=show_all)
    sys.exit(1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0)


def _print(findings: Sequence[Finding], *, show_all: bool) -> None:
    shown = [f for f in findings if show_all or f.verdict is not Verdict.OK]
    rows = []
    for finding in shown:
        rows.append((finding.verdict.value, finding.subject, finding.what))
        if finding.remedy:  # on its own line, to be copied
            rows.append(("", "", finding.remedy))
    if rows:
        print_table((), rows, colours=_COLOURS)
    well = sum(finding.verdict is Verdict.OK for finding in findings)
    if not show_all:
        click.echo(f"{counted(well, 'check')} found nothing wrong (--all shows them)")


def _as_data(finding: Finding) -> dict[str, str]:
    return {
        "verdict": finding.verdict.value,
        "subject": finding.subject,
        "what": finding.what,
        "remedy": finding.remedy,
    }
