"""``refresh``: asks the indexes again for projects, and lists the versions that are new."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

import click

from indexfallback.cli.logs import silence_chain
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import print_json, say, tell, tracked, wrapped
from indexfallback.cli.running import ask_running, runs_same
from indexfallback.config import Settings
from indexfallback.server.asking import NoAnswer
from indexfallback.words import counted, shortened

#: Projects that are asked for at the same time: a thousand pages of 0.1 s each take 13 s, and an
#: index, which gets 50 requests at once from uv, is not flooded.
_CONCURRENT = 8
#: Seconds added to the deadline of the running shim.
_MARGIN = 2.0
_UNAVAILABLE = 503
#: The most versions that are printed of a project.
_VERSIONS = 10

Report = dict[str, Any]


@click.command(epilog=examples("indexfallback refresh PROJECT", "indexfallback refresh"))
@click.argument("projects", type=project_name, nargs=-1, metavar="[PROJECT]...")
@json_option
@takes_options
def refresh(options: Options, projects: tuple[str, ...], as_json: bool) -> None:
    """Ask the indexes again for PROJECTs, and list what is new.

    Without PROJECT, for all projects whose page is in the cache.
    """
    settings = options.settings()
    wanted = tuple(dict.fromkeys(projects)) or _stored(settings)
    if options.verbose <= 0:
        silence_chain()
    with _refresher(settings) as ask:
        reports = list(_all(ask, wanted))
    if as_json:
        print_json({"projects": reports})
    else:
        _print(reports, is_all=not projects)
    sys.exit(0 if all(map(_is_current, reports)) else 1)


def _stored(settings: Settings) -> tuple[str, ...]:
    with open_store(settings) as store:
        return tuple(store.pages.names(index.key for index in settings.indexes))


@contextmanager
def _refresher(settings: Settings) -> Iterator[Callable[[str], Report]]:
    """Yield a function that asks for one project: by the running shim, or one in this process."""
    if runs_same(settings):
        yield lambda project: _by_shim(settings, project)
        return
    from indexfallback.report.refresh import refresh as ask  # noqa: PLC0415 - slow, as the next one
    from indexfallback.shim import Shim  # noqa: PLC0415 - slow, and a running one does without

    with closing(Shim(settings)) as shim:
        yield lambda project: ask(shim, project)


def _by_shim(settings: Settings, project: str) -> Report:
    seconds = settings.deadline + _MARGIN
    try:
        report: Report = ask_running(settings, f"/-/refresh/{quote(project)}", seconds)
    except NoAnswer as error:
        return {
            "project": project,
            "status": _UNAVAILABLE,
            "refreshed": False,
            "cause": f"the running shim did not answer ({error})",
            "remedy": "Run again.",
        }
    return report


def _all(ask: Callable[[str], Report], projects: Sequence[str]) -> Iterator[Report]:
    pool = ThreadPoolExecutor(_CONCURRENT)
    try:
        yield from tracked(pool.map(ask, projects), "Refreshing", len(projects))
    finally:  # also after Ctrl-C
        pool.shutdown(cancel_futures=True)


def _is_current(report: Report) -> bool:
    """Tell whether the page is that of the index now; only the mirror renews a mirrored page."""
    return bool(report["refreshed"]) or report.get("how") == "mirrored"


def _print(reports: Sequence[Report], *, is_all: bool) -> None:
    for report in reports:
        if not _is_current(report):
            say(f"{report['project']}: {_problem(report)}")
        elif line := _changes(report):
            click.echo(wrapped(f"{report['project']}: {line}", ""))
        elif not is_all:
            tell(f"{report['project']}: {_unchanged(report)}")
    changed = sum(bool(_changes(report)) for report in reports)
    failed = sum(not _is_current(report) for report in reports)
    if is_all:
        total = counted(len(reports), "project")
        tell(f"{total}, {changed:,} changed, {failed:,} not refreshed")


def _changes(report: Report) -> str:
    words = {"new": "new", "gone": "no longer listed"}
    parts = [
        f"{word} {shortened(report[key], _VERSIONS)}"
        for key, word in words.items()
        if report.get(key)
    ]
    return f"{'; '.join(parts)} ({report['owner']}){_withheld(report)}" if parts else ""


def _unchanged(report: Report) -> str:
    newest = f"newest {report['newest']}" if report["newest"] is not None else "no version"
    if report["how"] == "mirrored":
        return f"{newest} ({report['owner']}); it is mirrored, and `indexfallback mirror` renews it"
    state = "nothing new" if report["was_known"] else "not known here before"
    return f"{state}, {newest} ({report['owner']}){_withheld(report)}"


def _withheld(report: Report) -> str:
    versions = report["withheld"]
    return f"; a cooldown withholds {shortened(versions, _VERSIONS)}" if versions else ""


def _problem(report: Report) -> str:
    if "cause" in report:
        return f"{report['cause']}. {report['remedy']}"
    if report["offline"]:
        return "not refreshed, because there is no network"
    failed = f"{report['owner']} could not be asked ({report['answered']})"
    return f"not refreshed: {failed}, and its older page is served"
