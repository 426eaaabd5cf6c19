"""``cache share``, ``cache verify --shared``, and the test of the shared bucket for ``doctor``."""

import sys
from collections import Counter
from contextlib import closing

import click

from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import print_json, say, tell, tracked
from indexfallback.config import Settings
from indexfallback.doctor.machine import SharedBucket
from indexfallback.errors import BucketUnavailableError, ConfigError
from indexfallback.store.share import sharing_of, terms_of
from indexfallback.words import counted

#: What is written, in the order of the report.
_KINDS = ("file", "pin", "page", "time", "owner", "list")


@click.command(epilog=examples("indexfallback cache share"))
@json_option
@takes_options
def share(options: Options, as_json: bool) -> None:
    """Write what the cache has into the shared bucket.

    Writes files, pins, pages and owners of names that cache.shared does not have yet. Exits with 1
    if something could not be written, or if a pin contradicts one of the bucket.
    """
    settings = options.settings()
    terms = terms_of(settings)
    from indexfallback.store.shared.upload import write_all  # noqa: PLC0415 - needs the extra

    with (
        open_store(settings, only_read=True) as store,
        closing(sharing_of(store, settings)) as sharing,
    ):
        sharing.link.require_writing()
        abilities = sharing.link.examine()
        if not abilities.writes:
            raise BucketUnavailableError(
                f"shared bucket {sharing.link.bucket}",
                abilities.cause,
                "see `indexfallback doctor`",
            )
        conflicts, results = [], Counter[tuple[str, str]]()
        for written in tracked(write_all(store, sharing, terms.private), "Writing"):
            results[written.kind, written.result] += 1
            conflicts += [written.name] if written.result == "conflict" else []
    report = {
        kind: {result: results[kind, result] for result in ("sent", "there", "failed")}
        for kind in _KINDS
    }
    if as_json:
        print_json({"written": report, "conflicts": conflicts, "cause": abilities.cause})
    else:
        if abilities.cause:
            say(f"pins and lists of names are not shared: {abilities.cause}")
        for kind, counts in report.items():
            tell(_line(kind, counts))
        for name in conflicts:
            say(f"{name}: the bucket has another pin; the file here is refused once it is shared")
    failed = any(counts["failed"] for counts in report.values())
    sys.exit(1 if failed or conflicts else 0)


def _line(kind: str, counts: dict[str, int]) -> str:
    failed = f", {counts['failed']:,} failed" if counts["failed"] else ""
    sent = counted(counts["sent"], kind)
    return f"{sent} written, {counts['there']:,} were there{failed}"


def verify_shared(settings: Settings, sample: int | None, *, as_json: bool) -> None:
    """Hash files of the bucket; exit with 1 if some are wrong, which are removed.

    They are not with ``shared_mode = "read"``.
    """
    terms = terms_of(settings)
    bucket = terms.bucket()
    from indexfallback.store.shared import keys  # noqa: PLC0415 - needs the extra
    from indexfallback.store.shared.answers import BucketError  # noqa: PLC0415 - as above
    from indexfallback.store.shared.upload import verify  # noqa: PLC0415 - as above

    found: dict[str, list[str]] = {"wrong": [], "failed": []}
    right = 0
    try:
        for sha256, verdict in tracked(verify(bucket, sample), "Hashing", sample):
            if verdict == "right":
                right += 1
            else:
                found[verdict].append(sha256)
    except BucketError as error:
        raise BucketUnavailableError(
            f"shared bucket {bucket}", error.answer.cause, "see `indexfallback doctor`"
        ) from error
    gone = found["wrong"] if terms.is_for_writing else []
    removed = [sha for sha in gone if bucket.delete(keys.blob(sha)).is_found]
    if as_json:
        wrong, failed = found["wrong"], found["failed"]
        print_json({"right": right, "wrong": wrong, "removed": removed, "failed": failed})
    else:
        checked = right + len(found["wrong"]) + len(found["failed"])
        tell(f"{counted(checked, 'file')} of the shared bucket checked, {right:,} valid")
        for sha256 in found["wrong"]:
            done = "removed" if sha256 in removed else "it was not removed"
            click.echo(f"wrong: {sha256} ({done})")
        for sha256 in found["failed"]:
            click.echo(f"cannot be read: {sha256}")
    sys.exit(1 if found["wrong"] or found["failed"] else 0)


def examined(settings: Settings) -> SharedBucket | None:
    """Return what the self-test of the bucket finds; None without ``cache.shared``."""
    if settings.shared is None:
        return None
    endpoint = settings.shared_endpoint
    try:
        terms = terms_of(settings)
    except ConfigError as error:
        return SharedBucket(
            settings.shared,
            endpoint,
            problem=f"{error.where}: {error.problem}",
            remedy=f"{error.remedy[0].upper()}{error.remedy[1:]}",
        )
    from indexfallback.store.shared.selftest import examine  # noqa: PLC0415 - needs the extra

    abilities = examine(terms.bucket(), writes=terms.is_for_writing)
    return SharedBucket(
        settings.shared,
        endpoint,
        is_for_writing=terms.is_for_writing,
        is_strict=terms.is_strict,
        reads=abilities.reads,
        writes=abilities.writes,
        conditions=abilities.conditions,
        cause=abilities.cause,
        may_pass=abilities.may_pass,
    )
