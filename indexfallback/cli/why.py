"""``why``: explains the answer for one project, index by index."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click

from indexfallback.chain.explain import hidden_lines, owner_reason
from indexfallback.cli.logs import silence_chain
from indexfallback.cli.notices import explained
from indexfallback.cli.options import Options, examples, json_option, project_name, takes_options
from indexfallback.cli.output import clock, print_json, print_table, wrapped
from indexfallback.cli.running import ask_same
from indexfallback.config import Settings
from indexfallback.formats.provenance import Publisher, words
from indexfallback.names import project_of
from indexfallback.words import counted, left_out, ms, span

#: Seconds added to the deadline of the running shim.
_MARGIN = 2.0
_OK = 200

Report = dict[str, Any]


@click.command(
    epilog=examples(
        "indexfallback why requests",
        "indexfallback why --provenance requests-2.32.4-py3-none-any.whl",
    )
)
@click.argument("project", type=project_name, required=False)
@click.option(
    "--provenance",
    metavar="FILE",
    help="Show who has published a file of the project, and verify that if the extra provenance is "
    "installed. PROJECT may be left out if the name of the file tells it.",
)
@json_option
@takes_options
def why(options: Options, project: str | None, provenance: str | None, as_json: bool) -> None:
    """Explain which index serves PROJECT. Asks every index."""
    project = project or (project_of(provenance) if provenance is not None else None)
    if project is None:
        raise click.UsageError("name the PROJECT" + (" of that file" if provenance else ""))
    settings = options.settings()
    if provenance is not None:
        _print_provenance(options, settings, project, provenance, as_json=as_json)
        return
    report = ask_same(settings, f"/-/why/{project}", settings.deadline + _MARGIN)
    if report is None:
        if options.verbose <= 0:
            silence_chain()
        report = _in_process(settings, project)
    if as_json:
        print_json(report)
    else:
        _print(report)
    sys.exit(0 if report["status"] == _OK else 1)


def _print_provenance(
    options: Options, settings: Settings, project: str, filename: str, *, as_json: bool
) -> None:
    from indexfallback.cli.provenance import show_provenance  # noqa: PLC0415 - as in `_in_process`

    if options.verbose <= 0:
        silence_chain()
    show_provenance(settings, project, filename, as_json=as_json)


def _in_process(settings: Settings, project: str) -> Report:
    from indexfallback.report.why import why as ask  # noqa: PLC0415 - as above
    from indexfallback.shim import Shim  # noqa: PLC0415 - slow, and a running one answers without

    with closing(Shim(settings)) as shim:
        return ask(shim, project)


def _print(report: Report) -> None:
    click.echo(_headline(report))
    print_table((), [_row(report, index) for index in report["indexes"]])
    for line in _shared_lines(report["shared"]):
        click.echo(wrapped(line))
    if report["status"] != _OK:
        click.echo(wrapped(f"Why: {report['cause']}."))
        click.echo(wrapped(f"What you can do: {report['remedy']}"))
        return
    click.echo(_page_line(report))
    click.echo(_files_line(report))
    if report["provenance"]["stated"] or report["provenance"]["kept"]:
        click.echo(wrapped(_provenance_line(report["provenance"])))
    for line in hidden_lines(report):
        click.echo(wrapped(line))
    _print_cooldown(report)
    for line in explained(report["notices"], _young(report)):
        click.echo(wrapped(line))
    for file in report["withheld"]:
        _print_withheld(report["project"], file)
    status = report["project_status"]
    if status not in (None, "active"):
        reason = report["project_status_reason"]
        note = ": its files are not offered" if status == "quarantined" else ""
        said = f" ({reason})" if reason else ""
        click.echo(wrapped(f"project status: {status}{said}{note}"))


def _print_cooldown(report: Report) -> None:
    """Print which releases are too young, until when, and what to do."""
    releases = _young(report)
    for release in releases:
        what = release["version"] or ", ".join(release["files"])
        files = "" if release["is_whole"] else f" ({counted(len(release['files']), 'file')} of it)"
        click.echo(wrapped(f"withheld: {what}{files}: {release['cause']}"))
    if releases:
        click.echo(wrapped(releases[0]["remedy"], "    "))


def _young(report: Report) -> list[Report]:
    """Return the releases that a cooldown withholds."""
    return report["cooldown"]["releases"] if report["cooldown"] is not None else []


def _shared_lines(shared: Report | None) -> Iterator[str]:
    """Yield what came from the shared bucket, and which files contradicted it."""
    if shared is None:
        return
    if shared["page"] is not None or shared["files"]:
        page = f"page of {clock(shared['page'])}, " if shared["page"] is not None else ""
        yield f"from the shared bucket: {page}{counted(shared['files'], 'file')}"
    for conflict in shared["conflicts"]:
        yield (
            f"quarantined {clock(conflict['found'])}: {conflict['filename']} was served here as "
            f"sha256 {conflict['refused']} while the shared bucket could not be asked; another "
            f"shim had pinned {conflict['held']}: install it again where it was installed"
        )


def _print_withheld(project: str, file: Report) -> None:
    name = file["filename"]
    first = f" ({clock(file['seen'])})" if file["seen"] is not None else ""
    click.echo(wrapped(f"withheld: {name} has changed since it was first seen{first}"))
    click.echo(wrapped(f"first seen: {file['first']}", "    "))
    click.echo(wrapped(f"{file['index']} has: {file['offered']}", "    "))
    accept = f"indexfallback cache accept {project} {name}"
    click.echo(wrapped(f"If the change is right: `{accept}`", "    "))


def _headline(report: Report) -> str:
    project = report["project"]
    if report["status"] != _OK:
        what = "is not available now" if report["status"] >= 500 else "was not found"  # noqa: PLR2004
        return f"{project} {what} ({report['status']})"
    seen = clock(time.time() - report["age"])
    if report["offline"]:
        note = f"page of {seen}, offline"
    elif report["how"] == "stale":
        note = f"stale page of {seen}, {span(report['age'])} old"
    else:
        note = f"page of {seen}, fresh for {span(round(report['fresh_for']))}"
    return f"{project} is served by {report['owner']} ({note})"


def _page_line(report: Report) -> str:
    """Return how old the owner's page is, and when the owner is asked for it again."""
    age, before = span(report["age"]), report["age_before"]
    if report["offline"]:
        return f"  page: {age} old; not renewed while offline"
    if report["how"] == "mirrored":
        return f"  page: {age} old; `indexfallback mirror` renews it"
    if report["how"] == "stale":
        return f"  page: {age} old; {report['owner']} is asked again when it may answer"
    was = f" ({span(before)} old before)" if before is not None else ""
    # A few milliseconds have gone since the answer: 15 s are meant, not 14.
    seconds = round(report["fresh_for"])
    when = f"after {span(seconds)}" if seconds else "at each request"
    return f"  page: confirmed now{was}; asked again {when}"


def _row(report: Report, index: Report) -> tuple[str, ...]:
    told = [_outcome(index), *_known(report, index)]
    number = f"  {index['position']}"
    return number, index["name"], index["what"], "; ".join(filter(None, told))


def _outcome(index: Report) -> str:
    """Return the answer of an index, and how long it took."""
    seconds = index["seconds"]
    if index["what"] == "found" and index["files"] is not None:
        files = counted(index["files"], "file")
        return files if seconds is None else f"{files} in {ms(seconds)}"
    if seconds is None:
        return str(index["detail"])
    return f"{index['detail']} {'in' if index['what'] == 'absent' else 'after'} {ms(seconds)}"


def _known(report: Report, index: Report) -> Iterator[str]:
    """Yield what was known about the project at an index before the request."""
    owner = report["belongs_to"] or {}
    if owner.get("index") == index["name"]:
        yield f"owner: {owner_reason(owner)}"
    if index["role"] == "private" and index["names"] is not None:
        its = "in" if index["listed"] else "not in"
        names = counted(index["names"], "name")
        old = "" if index["names_usable"] else ", too old to exclude other names"
        yield f"{its} its list of {names} (refreshed {clock(index['names_fetched'])}{old})"
    elif index["role"] == "private":
        yield "its list of names is not known yet"
    if index["dropped"]:
        yield left_out(index["dropped"])
    if index["newest_known"] is not None:
        yield f"newest{'' if index['what'] == 'found' else ' known'} {index['newest_known']}"


def _provenance_line(provenance: Report) -> str:
    """Return the number of files with a provenance, and the publisher of the newest version."""
    text = f"provenance: stated for {provenance['stated']:,}, {provenance['kept']:,} cached"
    if not provenance["publishers"]:
        return text
    named = " and ".join(words(Publisher(**each)) for each in provenance["publishers"])
    return f"{text}; that of {provenance['version']} names {named}"


def _files_line(report: Report) -> str:
    changed, young = len(report["withheld"]), sum(len(each["files"]) for each in _young(report))
    files = f"{report['files']:,} ({report['cached']:,} cached, {changed + young:,} withheld)"
    pins = f"{report['pins']:,}"
    if changed:
        pins += f", {changed:,} not as first seen"
    elif report["pins"]:
        pins += ", all as first seen"
    return f"  files: {files}  yanked: {report['yanked']:,}  pins: {pins}"
