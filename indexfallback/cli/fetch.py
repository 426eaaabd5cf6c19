"""``fetch``: fetches everything that requirements need into the cache, to install it offline."""

import os
import sys
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from indexfallback.cli.fetch_progress import fetch_progress
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import is_quiet, note, print_json, print_table, say, say_more
from indexfallback.config import Settings
from indexfallback.wanted import Origin, Wanted
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from indexfallback.fetch.download import FetchedFile
    from indexfallback.fetch.job import Job, Result
    from indexfallback.fetch.target import Target

#: The exit code of shells for a command that Ctrl-C has ended.
_INTERRUPTED = 130
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "indexfallback fetch flask 'django<6'",
        "indexfallback fetch -r pyproject.toml --group dev",
        "indexfallback fetch -r uv.lock --python 3.12 --platform win_amd64",
    )
)
@click.argument("requirements", nargs=-1, metavar="[PROJECT]...")
@click.option(
    "-r", "--requirement", "files", type=_FILE, multiple=True, metavar="FILE",
    help="What to fetch: requirements.txt, pyproject.toml, pylock.toml, uv.lock, poetry.lock, "
    "pdm.lock, Pipfile.lock, or the .cfg of a buildout (repeatable).",
)  # fmt: skip
@click.option(
    "-c", "--constraint", "limits", type=_FILE, multiple=True, metavar="FILE",
    help="Limit versions by this file (repeatable).",
)  # fmt: skip
@click.option("--extra", "extras", multiple=True, help="Include this extra.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    help="Include this dependency group, or category of a Pipfile.lock.",
)
@click.option(
    "--python", "pythons", multiple=True, metavar="VERSION",
    help="For this Python (3.12), instead of the one in use (repeatable).",
)  # fmt: skip
@click.option(
    "--platform", "platforms", multiple=True, metavar="TAG",
    help="For this platform, as in manylinux_2_28_x86_64, instead of this machine (repeatable).",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print what would be fetched, and fetch nothing.")
@json_option
@takes_options
def fetch(
    options: Options,
    *,
    requirements: tuple[str, ...],
    files: tuple[Path, ...],
    limits: tuple[Path, ...],
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    pythons: tuple[str, ...],
    platforms: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Fetch all that PROJECTs and files need into the cache, to install it offline.

    pip resolves the versions, or uv for other Pythons and platforms. A lock file
    needs no resolving. The build requirements of sdists are fetched, too.
    """
    from indexfallback.fetch.target import targets  # noqa: PLC0415 - slow to import

    if not requirements and not files:
        raise click.UsageError("say what to fetch: projects, or files with -r")
    settings = options.settings()
    arguments = Arguments(requirements, files, limits, extras, groups)
    wanted = arguments.wanted(targets(pythons, platforms), settings)
    for remark in dict.fromkeys(remark for _, each in wanted for remark in each.remarks):
        note(remark)
    result = _run(settings, options.verbose, wanted,
                  {"extras": extras, "groups": groups, "dry_run": dry_run})  # fmt: skip
    if as_json:
        print_json(_as_data(result))
    else:
        _print(result, [index.name for index in settings.indexes], dry_run=dry_run)
    sys.exit(1 if result.missing else 0)


class Arguments(NamedTuple):
    """What the command line asks for."""

    texts: tuple[str, ...]
    files: tuple[Path, ...]
    limits: tuple[Path, ...]
    extras: tuple[str, ...]
    groups: tuple[str, ...]

    def wanted(self, targets: "list[Target]", settings: Settings) -> "list[tuple[Target, Wanted]]":
        """Return the requirements to resolve together, for each target; raises `WantedError`.

        All files share one resolution, as in pip; each buildout has its own, with its own pins.
        """
        from indexfallback.upstream.extended import ExtendedFiles  # noqa: PLC0415 - slow to import
        from indexfallback.wanted.reading import is_buildout, read_file  # noqa: PLC0415 - as above
        from indexfallback.wanted.requirements import requirements, specifier  # noqa: PLC0415

        limits = sum((requirements(path, constraint=True) for path in self.limits), Wanted())
        shared = sum((specifier(text, Origin("the command line")) for text in self.texts), limits)
        for path in self.files:
            if not is_buildout(path):
                shared += read_file(path, self.extras, self.groups)
        buildouts = list(filter(is_buildout, self.files))
        fetch = ExtendedFiles(settings).get
        found = []
        for target in targets:
            if self.texts or len(buildouts) < len(self.files):
                found.append((target, shared))
            markers = None if target.is_here else target.markers
            found += [(target, limits + read_file(path, markers=markers, fetch=fetch))
                      for path in buildouts]  # fmt: skip
        return found


def _run(
    settings: Settings,
    verbose: int,
    wanted: "list[tuple[Target, Wanted]]",
    more: dict[str, Any],
) -> "Result":
    from indexfallback.clients.shim_process import shim_for  # noqa: PLC0415 - slow to import
    from indexfallback.fetch.job import Job  # noqa: PLC0415 - as above
    from indexfallback.fetch.resolver import Resolver  # noqa: PLC0415 - as above
    from indexfallback.shim import Shim  # noqa: PLC0415 - as above

    # The resolvers ask the shim of another process; both shims use the same store.
    with closing(Shim(settings)) as shim, shim_for(settings, verbose=verbose) as url:
        with fetch_progress(verbose) as progress:
            job = Job(shim, Resolver(url, os.environ), progress, **more)
            try:
                return job.run(wanted)
            except KeyboardInterrupt:
                pass
        _say_interrupted(job)
        sys.exit(_INTERRUPTED)


def _say_interrupted(job: "Job") -> None:
    say(f"interrupted: {counted(len(job.result.files), 'file')} of this run fetched")
    say_more("Run the same command again: it fetches only the missing files.")


def _as_data(result: "Result") -> dict[str, Any]:
    files = [{**asdict(each), "path": each.path and str(each.path)}
             for each in _sorted(result)]  # fmt: skip
    return {
        "files": files,
        "missing": [each._asdict() for each in result.missing],
        "left_out": result.left_out,
    }


def _sorted(result: "Result") -> "list[FetchedFile]":
    """Return the files by name."""
    return sorted(result.files.values(), key=lambda each: each.filename)


def _print(result: "Result", chain: list[str], *, dry_run: bool) -> None:
    files = _sorted(result)
    if dry_run or not is_quiet():
        _print_files(files, chain, dry_run=dry_run)
    for text in result.left_out:
        say(f"left out: {text}")
    for remedy, those in groupby(result.missing, lambda missing: missing.remedy):
        for missing in those:
            say(f"missing: {missing.what}: {missing.cause}".rstrip("."))
        if remedy:
            say_more(remedy)


def _print_files(files: "list[FetchedFile]", chain: list[str], *, dry_run: bool) -> None:
    """Print how many files are from each index, and for a dry run their names."""
    rows = []
    for index in chain:
        of_index = [each for each in files if each.index == index]
        if not of_index:
            continue
        new = [each for each in of_index if each.is_new]
        total = sum(each.size for each in of_index)
        rows.append((index, f"{len(new):,}", f"{len(of_index) - len(new):,}", size(total)))
    if rows:
        header = ("index", "to fetch" if dry_run else "fetched", "here before", "size")
        print_table(header, rows, right=(1, 2))
    if dry_run:
        for each in files:
            click.echo(f"  {each.filename}" + ("" if each.is_new else " (here)"))
