"""``log``: shows who changed hosted indexes, tokens and owners of names, what, and when."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

import click

from indexfallback.cli.options import (
    Options,
    examples,
    json_option,
    project_name,
    takes_options_but_index,
)
from indexfallback.cli.output import note, print_json_lists, print_table
from indexfallback.config.units import InvalidValueError, parse_duration
from indexfallback.store.events import ACTIONS, KEPT, Event
from indexfallback.store.hosting import Hosting

#: Events that are shown unless told otherwise: a screen or two.
_USUAL = 50
_KEYS = (
    "at", "action", "project", "subject", "index", "name", "token", "address", "detail"
)  # fmt: skip


def _since(text: str) -> float:
    """Return the time that an option means, in seconds since the epoch."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass  # not a date
    try:
        return time.time() - parse_duration(text)
    except InvalidValueError as error:
        raise click.BadParameter(
            f'"{text}" is neither a date such as 2026-11-01 nor a duration such as "7 days"'
        ) from error


@click.command(
    epilog=examples(
        "indexfallback log PROJECT",
        "indexfallback log --action removed --since 2026-11-01",
        "indexfallback log --since '7 days' --json",
    )
)
@click.argument("project", type=project_name, required=False)
@click.option("--index", "index", metavar="NAME", help="Only changes of this index.")
@click.option(
    "--action",
    type=click.Choice(ACTIONS),
    metavar="KIND",
    help=f"Only changes of one kind: {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.",
)
@click.option(
    "--since",
    type=_since,
    metavar="DATE|DURATION",
    help='Only changes since a date, or of the last such as "7 days".',
)
@click.option(
    "--limit",
    type=click.IntRange(1, KEPT),
    default=_USUAL,
    show_default=True,
    metavar="NUMBER",
    help="The most changes to show, the newest.",
)
@json_option
@takes_options_but_index
def log(
    options: Options,  # noqa: ARG001 - every command takes them
    *,
    project: str | None,
    index: str | None,
    action: str | None,
    since: float | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show who changed hosted indexes, tokens and owners of names, newest first.

    These are uploads, yanks, removals and promotions, tokens that were created and revoked, and
    the commands `cache accept`, `cache disown`, and `cache import` where it changed an owner. The
    latest 100,000 are kept.
    """
    with closing(Hosting()) as hosting:
        events = hosting.events.read(
            project=project, index=index, action=action, since=since, limit=limit + 1
        )
        shown = islice(events, limit)
        if as_json:
            print_json_lists(events=map(_as_json, shown))
            return
        if not _print(shown):
            note("nothing is recorded" + (f" of {project}" if project else ""))
        elif next(events, None) is not None:
            note(f"there are older ones; --limit {2 * limit} shows more")


def _print(events: Iterator[Event]) -> bool:
    """Print a table; tell whether there was an event."""
    first = next(events, None)
    if first is None:
        return False
    rows = (_row(event) for each in ([first], events) for event in each)
    print_table(("when", "action", "project", "what", "index", "who", "detail"), rows)
    return True


def _row(event: Event) -> tuple[str, ...]:
    name, token, address = event.actor
    who = f"{name} (token {token})" if token else name
    return (
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at)),
        event.action,
        event.project or "-",
        event.subject or "-",
        event.index_name or "-",
        f"{who} at {address}" if address else who,
        event.detail,
    )


def _as_json(event: Event) -> dict[str, Any]:
    told = {**event._asdict(), **event.actor._asdict(), "index": event.index_name}
    return {key: told[key] for key in _KEYS}
