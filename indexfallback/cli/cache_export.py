"""``cache export``: writes the cache into an archive or a wheelhouse for another machine."""

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexfallback.cli.export_request import Request, Selected, read_request
from indexfallback.cli.opening import open_store
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import note, print_json, say, tell, tilde, tracked
from indexfallback.config import Settings
from indexfallback.words import counted, size

if TYPE_CHECKING:
    from indexfallback.carry.manifest import Manifest

#: Appended to an archive's name for its manifest.
_MANIFEST = ".manifest.json"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "indexfallback cache export packages.tar",
        "indexfallback cache export more.tar --since packages.tar",
        "indexfallback cache export some.tar --projects 'acme-*' -r requirements.txt",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--projects", "patterns", multiple=True, metavar="PATTERN",
    help="Export these projects and what they require: a name, or a pattern with * and ? "
    "(repeatable).",
)  # fmt: skip
@click.option(
    "-r", "--requirement", "files", type=_FILE, multiple=True, metavar="FILE",
    help="Export the projects of this file, which can be any that `fetch -r` reads, and what they "
    "require (repeatable).",
)  # fmt: skip
@click.option("--extra", "extras", multiple=True, help="Include this extra of the files.")
@click.option("--group", "groups", multiple=True, help="Include this group of the files.")
@click.option(
    "--no-deps", is_flag=True,
    help="Leave out what the selected projects require, to run or to be built.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(("archive", "wheelhouse")), default="archive",
    show_default=True, help="A wheelhouse is a directory for machines that have only pip.",
)  # fmt: skip
@click.option(
    "--since", type=_FILE, metavar="MANIFEST",
    help="Leave out what an earlier export has: its manifest, or the archive itself.",
)  # fmt: skip
@click.option(
    "--manifest", type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where to write the manifest for a later --since; default: FILE{_MANIFEST}.",
)  # fmt: skip
@json_option
@takes_options
def export(
    options: Options,
    file: Path,
    *,
    patterns: tuple[str, ...],
    files: tuple[Path, ...],
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    no_deps: bool,
    form: str,
    since: Path | None,
    manifest: Path | None,
    as_json: bool,
) -> None:
    """Write what is cached into one archive, FILE, for `cache import` on another machine.

    Pages, files, and the owners of names, from the indexes of the chain. With --format wheelhouse,
    FILE is a directory for `pip install --no-index --find-links`.
    """
    settings = options.settings()
    request = read_request(settings, patterns, files, extras, groups, dependencies=not no_deps)
    if form == "wheelhouse":
        if since is not None or manifest is not None:
            raise click.UsageError("a wheelhouse has no manifest: leave out --since and --manifest")
        selected, projects = _export_wheelhouse(settings, request, file, as_json=as_json)
    else:
        if file.is_dir():
            raise click.UsageError(
                f"{file} is a directory: name a file, or use --format wheelhouse"
            )
        if not file.absolute().parent.is_dir():
            raise click.UsageError(f"{file.parent} is not a directory")
        beside = manifest or file.with_name(file.name + _MANIFEST)
        selected, projects = _export_archive(
            settings, request, file, since, beside, as_json=as_json
        )
    if not projects:
        say(f"nothing is cached of {', '.join(request.names or '*')}: the export is empty")
    selected.say_missing()
    sys.exit(1 if selected.missing or (files and not projects) else 0)


def _export_archive(
    settings: Settings,
    request: Request,
    file: Path,
    since: Path | None,
    beside: Path,
    *,
    as_json: bool,
) -> tuple[Selected, Collection[str]]:
    """Write the archive, and its manifest ``beside`` it; report it.

    Return what was selected, and the projects that are in the archive.
    """
    from indexfallback.carry.archive import manifest_of  # noqa: PLC0415 - few need it
    from indexfallback.carry.atomic import remove_abandoned, replacing  # noqa: PLC0415 - as above
    from indexfallback.carry.export import export as write  # noqa: PLC0415 - as above
    from indexfallback.carry.manifest import known, write_manifest  # noqa: PLC0415 - as above

    before = known(manifest_of(since) if since is not None else None)
    with open_store(settings) as store:
        selected = request.select(store)
        written = write(
            store, settings.indexes, selected.projects, file, known=before, progress=tracked
        )
    remove_abandoned(beside.absolute().parent, [beside.name])
    with replacing(beside) as copy:
        copy.write(write_manifest(written))
    data = _as_data(written, file, beside)
    if as_json:
        print_json({**data, **selected.as_data()})
    else:
        _print_archive(data, file, since)
    return selected, written.projects


def _as_data(written: "Manifest", file: Path, beside: Path) -> dict[str, Any]:
    here = [each for each in written.files if each.here]
    return {
        "archive": str(file.absolute()),
        "manifest": str(beside.absolute()),
        "projects": sorted(written.projects),
        "files": len(here),
        "bytes": sum(each.size for each in here),
        "earlier": len(written.files) - len(here),
        "pages": sum(page.here for page in written.pages),
    }


def _print_archive(data: dict[str, Any], file: Path, since: Path | None) -> None:
    projects = counted(len(data["projects"]), "project")
    files, pages = counted(data["files"], "file"), counted(data["pages"], "page")
    text = f"{tilde(file)} has {projects}: {files} ({size(data['bytes'])}), {pages}"
    tell(text)
    if since is not None:
        note(f"left out {counted(data['earlier'], 'file')} that the earlier export has")


def _export_wheelhouse(
    settings: Settings, request: Request, directory: Path, *, as_json: bool
) -> tuple[Selected, Collection[str]]:
    """Write a wheelhouse, and report it.

    Return what was selected, and the projects that are in the wheelhouse.
    """
    from indexfallback.carry import wheelhouse  # noqa: PLC0415 - few need it

    deferring = [index.key for index in settings.indexes if index.defer_copies]
    with open_store(settings) as store:
        selected = request.select(store)
        files = wheelhouse.chosen(store, selected.projects, deferring)
        written = wheelhouse.write(store, files, directory, tracked, build_only=selected.build_only)
    projects = sorted({file.project for file in files})
    if as_json:
        listed = [file._asdict() for file in files]
        report = {"directory": str(directory.absolute()), "projects": projects}
        print_json({**report, "files": listed, "written": written, **selected.as_data()})
    else:
        have = f"{counted(len(projects), 'project')} and {counted(len(files), 'file')}"
        tell(f"{tilde(directory)} has {have}, {size(written)} of them new")
        note(f"install from it with: pip install --no-index --find-links {directory} PROJECT")
    return selected, projects
