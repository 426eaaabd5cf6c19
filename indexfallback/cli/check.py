"""``config check``: reports the problems of every index, of the bucket and of the advisories."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from indexfallback.cli.check_advisories import check_advisories
from indexfallback.cli.index_checks import check_all
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import note, print_json, print_table
from indexfallback.cli.shared import examined
from indexfallback.condition import after
from indexfallback.config import Index, Settings
from indexfallback.doctor.copies import SAMPLE
from indexfallback.doctor.machine import IndexCheck
from indexfallback.doctor.shared import judged
from indexfallback.words import ms

#: With it, the user agrees that names of private indexes are sent to the public one.
compare_option = click.option(
    "--compare",
    is_flag=True,
    help=f"Compare private indexes with the public one, which is asked for {SAMPLE} names of each.",
)


@click.command(
    epilog=examples(
        "indexfallback config check",
        "indexfallback config check --index wheels=./wheels",
    )
)
@compare_option
@json_option
@takes_options
def check(options: Options, compare: bool, as_json: bool) -> None:
    """Ask each index once. Prints problems, and exits with 1 if an index fails."""
    settings = options.settings()
    checks = [*check_all(settings, compare=compare), *_bucket(settings)]
    if (advisories := check_advisories(settings)) is not None:
        checks.append(advisories)
    if as_json:
        print_json({"checks": [_as_data(check) for check in checks]})
    elif not checks:
        note("no index is configured: `indexfallback config init` writes a configuration")
    else:
        rows = [(c.verdict, c.index, ms(c.seconds), _text(c)) for c in checks]
        print_table((), rows, right=(2,))
        for index in settings.indexes:
            _warn_about_names(index)
    sys.exit(1 if any(check.verdict == "FAIL" for check in checks) else 0)


def _bucket(settings: Settings) -> Iterator[IndexCheck]:
    """Yield the check of the bucket that several shims share, if there is one."""
    began = time.monotonic()
    shared = examined(settings)
    if shared is not None:
        finding = judged(shared, os.environ)
        seconds = time.monotonic() - began
        yield IndexCheck(
            "cache.shared", finding.verdict.value, finding.what, seconds, finding.remedy
        )


def _warn_about_names(index: Index) -> None:
    """Explain what happens if the cache, which has the names of a private index, is removed."""
    if not index.is_private or index.is_directory or index.projects:
        return
    meaning = {
        "ledger": "every name is refused",
        "stop": "every name is refused, as during every outage",
        "next": "another index may serve any of its names",
    }[index.on_outage]
    note(
        f"only the cache records which names belong to {index.name}",
        f"If the cache is removed while {index.name} is unavailable, {meaning} until it answers: "
        "set projects to keep its names in any case.",
    )


def _as_data(check: IndexCheck) -> dict[str, Any]:
    state = after(check.kind).value if check.kind is not None else None
    return asdict(check) | {"kind": check.kind and check.kind.value, "state": state}


def _text(check: IndexCheck) -> str:
    return f"{check.what}. {check.remedy}" if check.remedy else check.what
