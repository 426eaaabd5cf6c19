"""Puts the indexes' own addresses back into the files of a project (``doctor --mend``)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from indexfallback.cli.own_addresses import own_addresses
from indexfallback.cli.project_files import OpenFile, project_files
from indexfallback.clients.change import diff_of
from indexfallback.config import Settings
from indexfallback.config.loopback import is_loopback
from indexfallback.doctor.addresses import ShimAddresses
from indexfallback.doctor.finding import Finding, fail, ok, warn
from indexfallback.doctor.mending import Mended, found_in, mended
from indexfallback.doctor.pipenv import rehashed
from indexfallback.doctor.project_file import ProjectFile
from indexfallback.store.ports import served_ports
from indexfallback.words import counted

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SUBJECT = "addresses"


class Change(NamedTuple):
    """The change of a file with addresses of the shim."""

    file: OpenFile
    mended: Mended

    @property
    def path(self) -> str:
        """The path, for messages."""
        return self.file.content.path

    @property
    def is_needed(self) -> bool:
        """Whether the text changes."""
        return self.mended.text != self.file.content.text

    @property
    def diff(self) -> str:
        """The change as a unified diff, without passwords."""
        return diff_of(Path(self.path), self.file.content.text, self.mended.text)


def shim_addresses(settings: Settings, files: Iterable[ProjectFile]) -> ShimAddresses:
    """Return the known addresses of the shim, including those in the files of a project."""
    addresses = ShimAddresses(
        host=settings.host,
        ports=served_ports() | {settings.port},
        base_path=settings.base_path,
        owners=frozenset(index.group for index in settings.indexes),
        others=frozenset(_local_ports(settings)),
    )
    for file in files:
        addresses = addresses.with_ports_in(file.text)
    return addresses


def _local_ports(settings: Settings) -> Iterator[int]:
    """Yield the ports of the chain's indexes on this machine."""
    for index in settings.indexes:
        parts = urlsplit(index.url)
        host = parts.hostname or ""
        if parts.scheme in _DEFAULT_PORTS and (is_loopback(host) or host == settings.host.lower()):
            yield parts.port or _DEFAULT_PORTS[parts.scheme]


def planned(settings: Settings, here: Path) -> list[Change]:
    """Return the changes to the files of the project in a directory; asks no index."""
    files = project_files(here)
    addresses = shim_addresses(settings, [file.content for file in files])
    written = [file for file in files if any(found_in(file.content, addresses))]
    if not written:
        return []
    with own_addresses(settings) as own:
        changes = [Change(file, mended(file.content, addresses, own)) for file in written]
    return [_with_hash(change, changes) for change in changes]


def _with_hash(change: Change, changes: Sequence[Change]) -> Change:
    """Return the change of a Pipfile.lock with the hash of the changed Pipfile beside it."""
    if change.file.path.name != "Pipfile.lock":
        return change
    text = change.mended.text
    for other in changes:
        if other.file.path == change.file.path.with_name("Pipfile"):
            text = rehashed(text, other.file.content.text, other.mended.text)
    return change._replace(mended=change.mended._replace(text=text))


def applied(changes: Sequence[Change], *, dry_run: bool) -> list[Finding]:
    """Write the changed files, unless ``dry_run``; return what was done and what was not."""
    findings = [found for change in changes for found in _applied(change, dry_run=dry_run)]
    return findings or [ok(_SUBJECT, "no file of this project has one of the shim")]


def _applied(change: Change, *, dry_run: bool) -> Iterator[Finding]:
    count = counted(change.mended.replaced, "address", "addresses")
    if change.is_needed and change.file.is_read_only:
        what = f"{change.path} is read-only: {count} of the shim left"
        yield fail(_SUBJECT, what, f"chmod u+w {change.path} && indexfallback doctor --mend")
    elif change.is_needed and dry_run:
        what = f"{change.path}: {count} of the shim to be replaced"
        yield warn(_SUBJECT, what, "indexfallback doctor --mend")
    elif change.is_needed:
        yield _written(change, count)
    left = Counter((left.problem, left.remedy) for left in change.mended.left)
    for (problem, remedy), number in left.items():
        first = next(each.address for each in change.mended.left if each.problem == problem)
        more = f" and {number - 1:,} more" * (number > 1)
        yield fail(_SUBJECT, f"{change.path}: {first}{more} left: {problem}", remedy)


def _written(change: Change, count: str) -> Finding:
    try:
        change.file.write(change.mended.text)
    except OSError as error:
        what = f"{change.path} cannot be written ({error.strerror}): {count} of the shim left"
        return fail(_SUBJECT, what, "Make its directory one that you can write to")
    return ok(_SUBJECT, f"{change.path}: {count} of the shim replaced")
