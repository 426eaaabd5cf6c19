"""The page of one release of a project, and the page for a version that does not exist."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from indexfallback.server.browse.about import About, about_section, classifiers_section
from indexfallback.server.browse.description import description_section
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.install import commands
from indexfallback.server.browse.markup import (
    NOTHING,
    Html,
    as_of,
    html,
    joined,
    optional,
    sentence,
)
from indexfallback.server.browse.notices import notices_section
from indexfallback.server.browse.provenance import provenance_section
from indexfallback.server.browse.releases import Release, file_list, release_marks
from indexfallback.server.browse.sections import Layout, Section, laid_out
from indexfallback.words import counted

_TO_ROOT, _TO_PROJECTS = "../../../", "../../"

_HEAD = """\
<h1><a href="../">{name}</a> <small>{version}</small>{marks}</h1>
{summary}
<p class="note">From <b>{owner}</b>{uploaded} · <a href="../">all of {name}</a> · {as_of}</p>
"""

_MISSING = """\
<h1>{title} <a href="../">{name}</a></h1>
<p class="lead">{reason}</p>
<ul>{others}</ul>
"""


class ReleaseView(NamedTuple):
    """The data of a release's page."""

    name: str
    #: The address of the simple API.
    address: str
    #: The index that serves the project.
    served_by: str
    release: Release
    #: The version that a client would install.
    current: Release
    about: About
    #: The owner in the files' addresses.
    owner: str
    #: The sha256 of the stored files.
    held: Collection[str]
    #: The part of it that a cooldown withholds, as `cooldown.as_json`; None if there is none.
    young: Mapping[str, Any] | None
    #: From `Notices.of_project`, of this release alone.
    notices: Mapping[str, Any]
    #: From `publishers.publishers`.
    provenance: Mapping[str, Any]
    #: Other projects that clients asked for last in vain.
    failing: Collection[str]
    #: When it was made, seconds since the epoch.
    now: float


def release_page(view: ReleaseView) -> Html:
    """Return the page."""
    version = view.release.version
    uploaded = min((file.upload_time or "" for file in view.release.files), default="")[:10]
    head = html(
        _HEAD,
        name=view.name,
        version=version,
        marks=release_marks(view.release),
        summary=optional('<p class="lead">{text}</p>', text=view.about.summary),
        owner=view.served_by,
        uploaded=f" · {uploaded}" if uploaded else "",
        as_of=as_of(view.now),
    )
    body = laid_out(_LAYOUT, view, head, commands(view.address, f"{view.name}=={version}"))
    return framed(f"{view.name} {version} · indexfallback", body, _TO_ROOT)


def _another(view: ReleaseView) -> Html:
    if view.release == view.current:
        return NOTHING
    return html(
        '<p class="notice">Clients install {newest} unless they are told otherwise.</p>',
        newest=_link(view.current),
    )


def _young(view: ReleaseView) -> Html:
    if view.young is None:
        return NOTHING
    return html(
        '<p class="notice">{files} not offered: {cause}. {remedy}</p>',
        files=counted(len(view.young["files"]), "more file"),
        cause=view.young["cause"],
        remedy=sentence(view.young["remedy"]),
    )


def _vulnerabilities(view: ReleaseView) -> Html:
    return notices_section(view.notices)


def _link(release: Release) -> Html:
    return html(
        '<a href="../{address}/">{version}</a>',
        address=quote(release.version, safe=""),
        version=release.version,
    )


def _description(view: ReleaseView) -> Html:
    return description_section(view.about.description, view.about.content_type)


def _files(view: ReleaseView) -> Html:
    root = f"{_TO_ROOT}files/{view.owner}/"
    files = file_list(view.release.files, root, view.name, view.held)
    return html('<section id="files"><h2>Files</h2>{files}</section>', files=files)


def _about(view: ReleaseView) -> Html:
    if view.about == About():
        return html('<p class="note">None of its files has metadata that can be shown.</p>')
    return about_section(view.about, view.failing, _TO_PROJECTS)


def _provenance(view: ReleaseView) -> Html:
    return provenance_section(view.provenance)


def _classifiers(view: ReleaseView) -> Html:
    return classifiers_section(view.about, _TO_PROJECTS)


_LAYOUT = Layout(
    above=(Section(_another), Section(_young)),
    main=(
        Section(_vulnerabilities, "Known vulnerabilities", "notices"),
        Section(_description, "Description", "description"),
        Section(_files, "Files", "files"),
    ),
    beside=(Section(_about), Section(_provenance), Section(_classifiers)),
)


class MissingRelease(NamedTuple):
    """A version of a project that is not offered."""

    name: str
    version: str
    #: The index that serves the project.
    served_by: str
    #: The version that a client would install, and the one next to the missing one.
    current: Release | None
    nearest: Release | None
    #: Why it is not offered, as a clause, and what to do; empty if the index does not list it.
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        others = ", ".join(f"{label} is {r.version}" for label, r in self.others())
        return f"{self.what}; {others}" if others else self.what

    @property
    def what(self) -> str:
        """The clause of what is missing."""
        if not self.cause:
            return f"the page of {self.served_by} lists no version {self.version} of {self.name}"
        return f"version {self.version} of {self.name} is not offered: {self.cause}"

    def others(self) -> list[tuple[str, Release]]:
        """Return the releases to look at instead, each with what it is."""
        newest = "the newest that is offered" if self.cause else "the newest"
        found = [(newest, self.current), ("the nearest", self.nearest)]
        others = [(label, release) for label, release in found if release and release.version]
        return others[:1] if self.current == self.nearest else others


def missing_release_page(missing: MissingRelease) -> Html:
    """Return the page."""
    what = f"{missing.what[:1].upper()}{missing.what[1:]}. {missing.remedy}"
    body = html(
        _MISSING,
        title=f"{'Withheld' if missing.cause else 'No'} release {missing.version} of",
        name=missing.name,
        reason=sentence(what.strip()),
        others=joined(
            html("<li>{label} is {link}</li>", label=label.capitalize(), link=_link(release))
            for label, release in missing.others()
        ),
    )
    return framed(f"{missing.name} {missing.version} · indexfallback", body, _TO_ROOT)
