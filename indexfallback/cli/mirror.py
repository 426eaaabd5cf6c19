"""``mirror``: keep selected projects of an index complete, show their state, verify them."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import click

from indexfallback.cli.destination import DestinationType, publish_index
from indexfallback.cli.help import Group
from indexfallback.cli.mirror_report import files_and_size, print_removal, report
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import clock, print_json, print_table, say, shows_bar, tell
from indexfallback.config.units import InvalidValueError, parse_duration
from indexfallback.errors import MirrorError, TreeError
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress

    from indexfallback.cli.destination import Published
    from indexfallback.config.bucket_url import BucketUrl
    from indexfallback.mirror.result import Removal, Result
    from indexfallback.mirror.session import MirrorSession


@final
class _Progress:
    """Shows how far a run is, and asks for consent, on a terminal."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._bar: Progress | None = None

    def __enter__(self) -> "_Progress":
        if shows_bar():
            from rich.console import Console  # noqa: PLC0415 - slow to import
            from rich.progress import Progress  # noqa: PLC0415 - as above

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("Mirroring", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def expect(self, projects: int) -> None:
        """Show the number of projects."""
        if self._bar is not None:
            self._bar.update(self._task, total=projects)

    def advance(self, result: "Result") -> None:
        """Show that one more project is done."""
        if self._bar is not None:
            text = f"Mirroring, {files_and_size(result)}"
            self._bar.update(self._task, advance=1, description=text)

    def agrees(self, removal: "Removal") -> bool:
        """Ask whether so much may be removed."""
        if self._yes or not sys.stdin.isatty():
            return self._yes
        self._stop()
        print_removal(removal)
        return click.confirm("Remove all that?", err=True)


class _Duration(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """A duration, as in the configuration."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read ``1h``."""
        try:
            return parse_duration(value)
        except InvalidValueError as error:
            self.fail(f'"{value}" {error}', param, ctx)


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog=examples(
        "indexfallback mirror --dry-run",
        "indexfallback mirror --every 1h --to s3://bucket/site",
    ),
)
@click.option("--dry-run", "dry", is_flag=True, help="Print what would be done, and do nothing.")
@click.option(
    "--yes",
    is_flag=True,
    help="Also remove whole projects, and more than a fifth of all projects or files.",
)
@click.option("--every", type=_Duration(), help="Repeat the run at this interval, such as 1h.")
@click.option(
    "--to",
    "dest",
    type=DestinationType(),
    metavar="DEST",
    help="Also write what is mirrored as static files into DEST, a directory or "
    "s3://bucket/prefix, as publish-tree does.",
)
@json_option
@takes_options
def mirror(
    options: Options,
    *,
    dry: bool,
    yes: bool,
    every: float | None,
    dest: "Path | BucketUrl | None",
    as_json: bool,
) -> None:
    """Bring what [mirror] selects up to date; exit 1 if something is missing."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    # SIGTERM ends a run as Ctrl-C does: complete files are kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _session(options) as session:
        if every is not None:
            _repeat(session, every, dest, yes=yes, as_json=as_json)
            return
        with _Progress(yes=yes) as progress:
            result = session.run(progress, dry=dry)
        tree = _published(session, dest) if not (dry or result.interrupted) else None
    report(result, tree, dry=dry, as_json=as_json)
    sys.exit(0 if result.is_complete else 1)


def _published(session: "MirrorSession", dest: "Path | BucketUrl | None") -> "Published | None":
    """Publish what is mirrored, without asking the index."""
    if dest is None:
        return None
    settings = replace(session.settings, offline=True)
    names = session.store.mirrors.names(session.source)
    return publish_index(settings, settings.index(session.mirror.index), dest, names)


def _repeat(
    session: "MirrorSession",
    seconds: float,
    dest: "Path | BucketUrl | None",
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Run until Ctrl-C or SIGTERM; an index that fails now may answer the next run."""
    never = threading.Event()
    with suppress(KeyboardInterrupt):
        while True:
            began = time.monotonic()
            try:
                with _Progress(yes=yes) as progress:
                    result = session.run(progress)
                tree = _published(session, dest) if not result.interrupted else None
                report(result, tree, dry=False, as_json=as_json)
                if result.interrupted:
                    return
            except (MirrorError, TreeError) as error:
                say(str(error))
            never.wait(max(0.0, began + seconds - time.monotonic()))


@mirror.command(epilog=examples("indexfallback mirror status --json"))
@json_option
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Show how much is mirrored, and how old it is, without asking the index."""
    with _session(options) as session:
        totals = session.store.mirrors.totals(session.source)
        run = session.store.mirrors.last_run(session.source)
    if as_json:
        print_json({**totals._asdict(), "last_run": run._asdict() if run else None})
        return
    rows = [
        ("index", session.mirror.index),
        ("projects", f"{totals.projects:,}, {totals.incomplete:,} of them incomplete"),
        ("files", f"{totals.files:,}, {totals.removed:,} of them removed by the index"),
        ("size", size(totals.bytes)),
        ("last run", f"{clock(run.ended)}, {run.failed:,} failed" if run else "none yet"),
    ]
    print_table((), rows)


@mirror.command(epilog=examples("indexfallback mirror verify"))
@json_option
@takes_options
def verify(options: Options, as_json: bool) -> None:
    """Hash every mirrored file, and fetch wrong ones again; exit 1 if that fails."""
    with _session(options) as session, _Progress(yes=False) as progress:
        found = session.verify(progress)
    if as_json:
        print_json(found._asdict())
    else:
        mended = found.wrong - len(found.lost)
        files = counted(found.files, "file")
        tell(f"{files}, {found.wrong:,} wrong or missing, {mended:,} mended")
        for name in found.lost:
            say(f"{name} is lost: the index does not have the same file any more")
    sys.exit(1 if found.lost or found.failed else 0)


@contextmanager
def _session(options: Options) -> "Iterator[MirrorSession]":
    from indexfallback.mirror.session import MirrorSession  # noqa: PLC0415 - slow to import

    with closing(MirrorSession(options.settings())) as session:
        yield session
