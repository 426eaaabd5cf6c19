"""Where a static tree is published: a directory, or a part of a bucket."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexfallback.config import Settings
from indexfallback.config.bucket_url import SCHEME, BucketUrl, parse_bucket_url
from indexfallback.config.rules import check_client
from indexfallback.config.units import InvalidValueError

if TYPE_CHECKING:
    from indexfallback.tree.destination import Destination

#: For each request to a bucket, and between the bytes of a file, seconds: no client waits.
_SECONDS = 30.0


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


def opened(dest: Path | BucketUrl, settings: Settings) -> "Destination":
    """Return what a tree is written to; nothing is read or written yet."""
    if isinstance(dest, Path):
        from indexfallback.tree.directory import DirectoryTree  # noqa: PLC0415 - slow to import

        return DirectoryTree(dest)
    check_client(str(dest))
    from indexfallback.store.shared.bucket import Bucket  # noqa: PLC0415 - needs an extra
    from indexfallback.tree.bucket import BucketTree  # noqa: PLC0415 - as above

    return BucketTree(Bucket(dest, endpoint=settings.shared_endpoint, timeout=_SECONDS))
