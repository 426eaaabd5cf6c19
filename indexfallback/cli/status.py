"""``status``: shows the state of the running shim, or else of the cache."""

import sys
import time
from contextlib import closing
from http import HTTPStatus
from typing import Any

import click

from indexfallback.chain.network import Network
from indexfallback.cli.chain import print_chain
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json, print_table, say, tell, wrapped
from indexfallback.cli.running import ask_running, found, no_shim
from indexfallback.condition import Condition
from indexfallback.config import Settings
from indexfallback.mode import Cause, Mode
from indexfallback.server.asking import Found, Kind, NoAnswer
from indexfallback.words import counted, ms, size, span

#: Timeout in seconds; a busy shim answers within it.
_SECONDS = 5.0
#: Number of names in a list; the rest is counted.
_NAMES = 5

Report = dict[str, Any]


@click.command(epilog=examples("indexfallback status", "indexfallback status --json"))
@json_option
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Show the state of the running shim.

    Shows its indexes, cache and clients. Exits with 1 if no shim runs.
    """
    settings = options.settings()
    there = found(settings)
    report = _of_running(settings, there)
    if report is not None:
        print_json(report) if as_json else _print(report)
        return
    report = _of_store(settings)
    if as_json:
        print_json(report)
    else:
        say(no_shim(settings, there))
        print_chain(settings)
        click.echo(_cache_line(report))
        for line in _offline_lines(report):
            click.echo(line)
        if there is None:
            tell("Start it: `indexfallback serve`; for one command: `indexfallback run`.")
        else:
            tell("Choose another port: server.port; for one command: `indexfallback run`.")
    sys.exit(1)


def _of_running(settings: Settings, there: Found | None) -> Report | None:
    """Return the status of the running shim, or None if none of this user's runs."""
    if there is None or there.kind is not Kind.OWN:
        return None
    try:
        report = ask_running(settings, "/-/status", _SECONDS)
    except NoAnswer:  # it has just ended
        return None
    same = there.has(settings.identity)
    return {"running": True, "same_configuration": same, "pid": there.health["pid"], **report}


def _of_store(settings: Settings) -> Report:
    from indexfallback.report.status import cache_status, offline_status  # noqa: PLC0415 - as above
    from indexfallback.store import Store  # noqa: PLC0415 - a running shim answers without it

    chain = [{"name": i.name, "role": i.role, "url": i.url} for i in settings.indexes]
    with closing(Store(settings.cache_dir, settings.cache_size)) as store:
        cache = cache_status(store, settings.cache_size)
    offline = offline_status(Network(settings).offline_state)
    return {"running": False, "indexes": chain, "cache": cache, **offline}


def _print(report: Report) -> None:
    header = ("index", "role", "state", "since", "p50", "p95", "requests", "errors", "note")
    rows = [_row(index) for index in report["indexes"]]
    print_table(header, rows, right=(6, 7))
    click.echo(_cache_line(report))
    for line in (
        *_shared_lines(report["shared"]),
        *_ahead_lines(report["activity"]["ahead"]),
        *_owned_lines(report["activity"]["failures"]),
        *_refused_lines(report["refused"]),
        *_skipped_lines(report["indexes"]),
        *_activity_lines(report),
    ):
        click.echo(line)
    for line in _offline_lines(report):
        click.echo(line)
    if not report["same_configuration"]:
        say(f"the shim (process {report['pid']}) runs with another configuration")


def _offline_lines(report: Report) -> list[str]:
    """Return why the shim is offline, or that the mode is off."""
    if report["offline"]:
        words = Cause(report["offline_by"]).words
        return [wrapped(f"offline    {words}: only cached files are served", "")]
    if report["offline_mode"] == Mode.OFF.value:
        return ["offline    off: indexes are asked, even without a network"]
    return []


def _row(index: Report) -> tuple[str, ...]:
    return (
        index["name"],
        index["role"],
        index["state"],
        span(index["since"]),
        ms(index["p50"]),
        ms(index["p95"]),
        f"{index['requests']:,}",
        f"{index['errors']:,}",
        _note(index),
    )


def _note(index: Report) -> str:
    """Return the problem and the time of the next try, or the last error, and the lag."""
    notes = []
    error = index["last_error"]
    if index["state"] == Condition.DOWN.value:
        wait = f"next try in {span(index['next_try'])}" if index["next_try"] else "next try now"
        notes.append(f"{error}; {wait}" if error else str(index["held"]))
    elif index["held"]:
        notes.append(str(index["held"]))
    elif error:
        notes.append(f"last error {span(time.time() - index['failed'])} ago: {error}")
    if index["behind"]:
        by = f" by {span(index['behind_seconds'])}" if index["behind_seconds"] else ""
        notes.append(f"{counted(index['behind'], 'project')} behind {index['mirror_of']}{by}")
    return "; ".join(notes)


def _cache_line(report: Report) -> str:
    cache = report["cache"]
    if "error" in cache:
        return f"cache      {cache['error']}"
    parts = [
        f"{size(cache['bytes'])} of {size(cache['limit'])}",
        counted(cache["files"], "file"),
        counted(cache["pages"], "page") + _stale(report),
    ]
    if "activity" in report:
        sent = report["activity"]["bytes"]
        total = sent["cached"] + sent["fetched"]
        if total:
            parts.append(f"{sent['cached'] / total:.1%} of bytes served from it".replace("%", " %"))
    if cache["temporary"]:
        parts.append("in a temporary directory, which is removed at the end")
    return f"cache      {', '.join(parts)}"


def _stale(report: Report) -> str:
    served = report.get("activity", {}).get("projects", {}).values()
    stale = sum(project["how"] == "stale" for project in served)
    return f" ({stale:,} stale in use)" if stale else ""


def _shared_lines(shared: Report | None) -> list[str]:
    """Return the state of the shared bucket, what came from it, and what waits for it."""
    if shared is None:
        return []
    state = shared["state"] + (f" ({shared['cause']})" if shared["cause"] else "")
    parts = [
        f"{shared['url']}: {state}",
        f"{counted(shared['files'], 'file')} and {counted(shared['pages'], 'page')} came from it",
    ]
    if shared["queue"]:
        is_written = shared["state"] in ("ok", "pins not shared")
        parts.append(
            f"{counted(shared['queue'], 'write')} {'under way' if is_written else 'waiting'}"
        )
    if shared["waiting"]:
        parts.append(f"{counted(shared['waiting'], 'record')} to be written when it answers")
    lines = [wrapped(f"shared     {', '.join(parts)}", "")]
    if shared["conflicts"]:
        told = [f"{each['filename']} of {each['project']}" for each in shared["in_conflict"]]
        lines.append(
            wrapped(
                f"shared     {counted(shared['conflicts'], 'file')} served here contradicted "
                f"another shim: {_latest(told)} (see `indexfallback why PROJECT`)",
                "",
            )
        )
    return lines


def _ahead_lines(ahead: Report) -> list[str]:
    """Return how much was fetched before a client asked for it, and how much of that was used."""
    if not ahead["bytes"]:
        return []
    share = f"{ahead['used'] / ahead['bytes']:.0%}".replace("%", " %")
    return [f"ahead      {size(ahead['bytes'])} fetched before a client asked, {share} of it used"]


def _owned_lines(failures: list[Report]) -> list[str]:
    """Return the projects of private indexes that no longer have them, the latest by name."""
    owned = [failure for failure in failures if failure["owner"]]
    if not owned:
        return []
    told = [f"{each['what']} of {each['owner']}" for each in owned]
    line = f"names      {len(owned):,} refused: {_latest(told)} (see `indexfallback why PROJECT`)"
    return [wrapped(line, "")]


def _refused_lines(refused: list[Report]) -> list[str]:
    """Return the number of changed files, and the latest ones."""
    if not refused:
        return []
    told = [
        f"{file['filename']} changed at {file['index']} (see `indexfallback why {file['project']}`)"
        for file in refused
    ]
    return [wrapped(f"pins       {len(refused):,} refused: {_latest(told, '; ')}", "")]


def _skipped_lines(indexes: list[Report]) -> list[str]:
    """Return the files in each directory that are not offered, and why."""
    lines = []
    for index in indexes:
        told = [f"{file['path']} ({file['reason']})" for file in index["skipped_files"][:_NAMES]]
        if told:
            more = index["skipped"] - len(told)
            rest = f" and {more:,} more" if more else ""
            count = f"{index['skipped']:,} of {index['name']}"
            lines.append(wrapped(f"skipped    {count}: {', '.join(told)}{rest}", ""))
    return lines


def _latest(told: list[str], separator: str = ", ") -> str:
    more = f" and {len(told) - _NAMES:,} more" if len(told) > _NAMES else ""
    return separator.join(told[-_NAMES:]) + more


def _activity_lines(report: Report) -> list[str]:
    """Return the stale projects, the failures and the clients."""
    activity = report["activity"]
    lines = []
    stale = [name for name, served in activity["projects"].items() if served["how"] == "stale"]
    if stale:
        told = [f"{name} ({activity['projects'][name]['owner']})" for name in stale]
        lines.append(wrapped(f"stale      {_latest(told)}", ""))
    changed = {file["filename"] for file in report["refused"]}
    failed = [
        failure["what"]
        for failure in activity["failures"]
        if failure["status"] != HTTPStatus.NOT_FOUND and failure["what"] not in changed
    ]
    if failed:
        lines.append(wrapped(f"failed     {_latest(failed)}", ""))
    now = time.time()
    latest = sorted(activity["clients"].items(), key=lambda client: -client[1])
    clients = [f"{_spoken(agent)} ({span(now - when)} ago)" for agent, when in latest if agent]
    if clients:
        lines.append(wrapped(f"clients    {', '.join(clients)}", ""))
    return lines


def _spoken(agent: str) -> str:
    """Return ``pip/26.3`` as ``pip 26.3``."""
    return agent.replace("/", " ", 1)
