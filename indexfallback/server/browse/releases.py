"""A project's files by version, newest first."""

from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from indexfallback.names import FileKey, version_in
from indexfallback.page import File, ProjectPage
from indexfallback.server.browse.listing import pagination
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, optional
from indexfallback.words import counted, size

#: Versions on a page: at most some hundred files, even of a project with thousands.
PER_PAGE = 20

_FILE = """\
<li{yanked}><a href="{address}">{filename}</a>{marks}
<div class="note">{facts}</div>
{hash}</li>
"""


class Release(NamedTuple):
    """The files of one version."""

    #: Empty if the files' names have none.
    version: str
    files: tuple[File, ...]

    @property
    def is_yanked(self) -> bool:
        """Whether all of its files are yanked (PEP 592)."""
        return all(file.yanked is not False for file in self.files)

    @property
    def is_prerelease(self) -> bool:
        """Whether clients install it only on request (PEP 440)."""
        return bool(self.version) and Version(self.version).is_prerelease


def releases(page: ProjectPage) -> list[Release]:
    """Return the versions of a page, newest first; files without a version come last."""
    files: dict[str, list[File]] = {}
    for file in page.files:
        files.setdefault(version_in(file.filename, page.name) or "", []).append(file)
    return [
        Release(version, tuple(sorted(files[version], key=_wheels_first)))
        for version in sorted(files, key=_age, reverse=True)
    ]


def _age(version: str) -> tuple[bool, Version]:
    return bool(version), Version(version or "0")


def _wheels_first(file: File) -> tuple[bool, str]:
    return not file.filename.endswith(".whl"), file.filename


def current(known: Iterable[Release]) -> Release | None:
    """Return the version that a client would install: the newest final one that is not yanked."""
    found = list(known)
    final = (r for r in found if r.version and not r.is_yanked and not r.is_prerelease)
    return next(final, found[0] if found else None)


def release_of(known: Iterable[Release], version: str) -> Release | None:
    """Return the release of a version, which may be spelt otherwise (PEP 440), or None."""
    return next((r for r in known if r.version and _is_same(r.version, version)), None)


def _is_same(version: str, other: str) -> bool:
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return False


def nearest(known: Iterable[Release], version: str) -> Release | None:
    """Return the release before a version that is not there, else the one after it, or None.

    ``known`` are newest first. None is returned for what is no version, too.
    """
    try:
        wanted = Version(version)
    except InvalidVersion:
        return None
    after = None
    for release in known:
        if release.version and Version(release.version) < wanted:
            return release
        after = release if release.version else after
    return after


def releases_section(
    known: list[Release], project: str, owner: str, held: Collection[str], page: int
) -> Html:
    """Return the section that lists the files; ``held`` has the sha256 of the stored ones.

    It is part of the page of the project.
    """
    pages = max(1, -(-len(known) // PER_PAGE))
    page = min(max(1, page), pages)
    shown = known[(page - 1) * PER_PAGE : page * PER_PAGE]
    newest = current(known)
    return html(
        '<section id="files"><h2>Files</h2>{releases}{pagination}</section>',
        releases=joined(
            _release(release, project, owner, held, is_open=release is newest) for release in shown
        )
        or html("<p>No files that can be installed.</p>"),
        pagination=pagination(page, pages, {}),
    )


def _release(
    release: Release, project: str, owner: str, held: Collection[str], *, is_open: bool
) -> Html:
    uploaded = max((file.upload_time or "" for file in release.files), default="")[:10]
    facts = [uploaded] if uploaded else []
    return html(
        "<details{open}><summary><b>{version}</b>{marks} <small>{facts}</small></summary>"
        "{more}{files}</details>",
        open=Html(" open" if is_open else ""),
        version=release.version or "Unknown version",
        marks=release_marks(release),
        facts=" · ".join([*facts, counted(len(release.files), "file")]),
        more=_link(release),
        files=file_list(release.files, f"../../files/{owner}/", project, held),
    )


def _link(release: Release) -> Html:
    """Return the link to the page of a release."""
    return optional(
        '<p class="note"><a href="{address}/">All about release {version}</a></p>',
        address=quote(release.version, safe=""),
        version=release.version,
    )


def release_marks(release: Release) -> Html:
    """Return the marks of a release that clients do not choose by themselves."""
    if release.is_yanked:
        return html(' <span class="mark bad">yanked</span>')
    if release.is_prerelease:
        return html(' <span class="mark">pre-release</span>')
    return NOTHING


def file_list(files: Iterable[File], root: str, project: str, held: Collection[str]) -> Html:
    """Return the list of files of a project; ``root`` is the relative link to its owner's files."""
    items = joined(_file(file, root, project, held) for file in files)
    return html('<ul class="files">{items}</ul>', items=items)


def _file(file: File, root: str, project: str, held: Collection[str]) -> Html:
    facts = [size(file.size)] if file.size is not None else []
    facts += [file.upload_time[:16].replace("T", " ")] if file.upload_time else []
    facts += [f"Python {file.requires_python}"] if file.requires_python else []
    marks = []
    if file.yanked is not False:
        reason = file.yanked if isinstance(file.yanked, str) else "no reason given"
        marks.append(html(' <span class="mark bad">yanked: {reason}</span>', reason=reason))
    if file.sha256 in held:
        marks.append(html(' <span class="mark good">in the cache</span>'))
    algorithm, digest = next(iter(file.hashes.items()), ("", ""))
    if file.sha256 is not None:
        algorithm, digest = "sha256", file.sha256
    return html(
        _FILE,
        yanked=Html(' class="yanked"' if file.yanked is not False else ""),
        address=f"{root}{FileKey(project, file.sha256)}/{quote(file.filename)}",
        filename=file.filename,
        marks=joined(marks),
        facts=" · ".join(facts),
        hash=optional(
            '<div class="hash"><span>{algorithm}</span> <code>{digest}</code></div>',
            algorithm=algorithm,
            digest=digest,
        ),
    )
