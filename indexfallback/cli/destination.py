"""Publishes a static tree for a command, in a directory or a part of a bucket."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from indexfallback.cli.output import say, say_more, tell, tilde, tracked
from indexfallback.config import Index, Settings
from indexfallback.config.bucket_url import SCHEME, BucketUrl, parse_bucket_url
from indexfallback.config.rules import check_client
from indexfallback.config.units import InvalidValueError
from indexfallback.words import counted

if TYPE_CHECKING:
    from indexfallback.tree.destination import Destination, Written
    from indexfallback.tree.sources import Source

#: The most left-out files that are printed; the rest is counted.
_NAMES = 10

#: For each request to a bucket, and between the bytes of a file, seconds: no client waits.
_SECONDS = 30.0


class Published(NamedTuple):
    """The result of a publication."""

    dest: Path | BucketUrl
    written: "Written"
    skipped: list[str]

    def as_data(self) -> dict[str, Any]:
        """Return it for JSON."""
        where = str(self.dest.absolute() if isinstance(self.dest, Path) else self.dest)
        return {"directory": where, **asdict(self.written), "skipped": self.skipped}

    def show(self) -> None:
        """Print it."""
        written = self.written
        changes = [
            f"{counted(written.new_files, 'new file')} ({written.linked:,} linked)",
            f"{counted(written.pages, 'page')} written",
            f"{counted(written.removed, 'file')} removed",
        ]
        have = f"{counted(written.projects, 'project')} and {counted(written.files, 'file')}"
        where = tilde(self.dest) if isinstance(self.dest, Path) else str(self.dest)
        tell(f"{where} has {have}: {', '.join(changes)}")
        for line in self.skipped[:_NAMES]:
            say(f"left out: {line}")
        if len(self.skipped) > _NAMES:
            say_more(f"and {len(self.skipped) - _NAMES:,} more")


class DestinationType(click.ParamType):  # type: ignore[type-arg]  # generic in some versions only
    """A directory, or a part of a bucket."""

    name = "destination"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | BucketUrl:
        """Read ``/srv/index`` or ``s3://bucket/prefix``."""
        if not str(value).startswith(SCHEME):
            return Path(value)
        try:
            return parse_bucket_url(value)
        except InvalidValueError as error:
            self.fail(f'"{value}" {error}', param, ctx)


def _opened(dest: Path | BucketUrl, settings: Settings) -> "Destination":
    """Return what a tree is written to; nothing is read or written yet."""
    if isinstance(dest, Path):
        from indexfallback.tree.directory import DirectoryTree  # noqa: PLC0415 - slow to import

        return DirectoryTree(dest)
    check_client(str(dest))
    from indexfallback.store.shared.bucket import Bucket  # noqa: PLC0415 - needs an extra
    from indexfallback.tree.bucket import BucketTree  # noqa: PLC0415 - as above

    return BucketTree(Bucket(dest, endpoint=settings.shared_endpoint, timeout=_SECONDS))


def publish_index(
    settings: Settings,
    index: Index | None,
    dest: Path | BucketUrl,
    only: Iterable[str] | None = None,
) -> Published:
    """Publish an index, or the whole chain; offline, what is cached of it.

    With ``only``, just these normalised projects.
    """
    from indexfallback.shim import Shim  # noqa: PLC0415 - slow to import
    from indexfallback.tree.publish import publish  # noqa: PLC0415 - as above
    from indexfallback.tree.sources import ChainSource, DirectorySource  # noqa: PLC0415 - as above

    with closing(Shim(settings)) as shim:
        member = shim.members[index.name] if index is not None else None
        if member is not None and member.index.is_directory:
            source: Source = DirectorySource(member, settings.page_size)
        else:
            source = ChainSource(shim, member, only)
        show = partial(tracked, description="Publishing")
        return Published(dest, *publish(source, _opened(dest, settings), show))
