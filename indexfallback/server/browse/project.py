"""The page of one project, and the pages for errors."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from indexfallback.chain.decisions import Decision
from indexfallback.server.browse.about import About, about_section
from indexfallback.server.browse.description import description_section
from indexfallback.server.browse.failing import failing_section, refused_section
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.install import commands
from indexfallback.server.browse.markup import NOTHING, Html, as_of, html, joined, optional
from indexfallback.server.browse.ownership import ownership_section
from indexfallback.server.browse.releases import Release, releases_section
from indexfallback.words import left_out

_TO_ROOT = "../../"

_BODY = """\
<h1>{name} <small>{version}</small></h1>
{summary}
<p class="note">From <b>{owner}</b> · <a href="#indexes">why</a> · {as_of}</p>
{failing}{notices}
{commands}
<nav class="parts" aria-label="Parts">{parts}</nav>
<div class="columns">
<div>{description}{files}{ownership}</div>
<aside>{about}</aside>
</div>
"""

_REFUSED = """\
<h1>{title}</h1>
<p class="note">State {as_of}</p>
{failing}{ownership}
"""


class ProjectView(NamedTuple):
    """The data of a project's page."""

    name: str
    #: The address of the simple API.
    address: str
    #: From `why.found`.
    report: Mapping[str, Any]
    releases: list[Release]
    #: The version that a client would install; None if there are no files.
    current: Release | None
    about: About
    #: The owner in the files' addresses.
    owner: str
    #: The sha256 of the stored files.
    held: Collection[str]
    #: Number of the page of files, from 1.
    page: int
    #: The failures of its files that no answer has followed.
    failures: Sequence[Decision]
    #: Other projects that clients asked for last in vain.
    failing: Collection[str]
    #: When it was made, seconds since the epoch.
    now: float


def project_page(view: ProjectView) -> Html:
    """Return the page."""
    described = view.page == 1 and bool(view.about.description.strip())
    parts = [("description", "Description")] if described else []
    parts += [("files", "Files"), ("indexes", "Where it comes from")]
    version = view.current.version if view.current is not None else ""
    body = html(
        _BODY,
        name=view.name,
        version=version,
        summary=optional('<p class="lead">{text}</p>', text=view.about.summary),
        owner=view.report["owner"],
        as_of=as_of(view.now),
        failing=failing_section(
            view.report, view.failures, view.now, has_files=bool(view.releases)
        ),
        notices=_notices(view.report),
        commands=commands(view.address, view.name),
        parts=joined(
            html('<a href="#{part}">{text}</a>', part=part, text=text) for part, text in parts
        ),
        description=description_section(view.about.description, view.about.content_type)
        if described
        else NOTHING,
        files=releases_section(view.releases, view.name, view.owner, view.held, view.page),
        ownership=ownership_section(view.report),
        about=about_section(view.about, view.failing),
    )
    return framed(f"{view.name} · indexfallback", body, _TO_ROOT)


def _notices(report: Mapping[str, Any]) -> Html:
    notices = []
    status, reason = report["project_status"], report["project_status_reason"]
    if status not in (None, "active"):
        notices.append(f"{status}: {reason}" if reason else status)
    notices += [
        f"{changed['filename']} is withheld: its content has changed since it was first seen."
        for changed in report["withheld"]
    ]
    if report["dropped"]:
        notices.append(f"Of the files that the page lists, {left_out(report['dropped'])}.")
    return joined(html('<p class="notice">{text}</p>', text=text) for text in notices)


def refused_page(title: str, report: Mapping[str, Any], now: float) -> Html:
    """Return the page for a project that cannot be shown, from a report of `why.refused`.

    ``now`` is seconds since the epoch.
    """
    body = html(
        _REFUSED,
        title=f"{title}: {report['project']}",
        as_of=as_of(now),
        failing=refused_section(report),
        ownership=ownership_section(report),
    )
    return framed(f"{report['project']} · indexfallback", body, _TO_ROOT)


def problem_page(title: str, detail: str, to_root: str) -> Html:
    """Return the page for any other error; ``to_root`` is the relative link from it to ``/``."""
    body = html('<h1>{title}</h1><p class="lead">{detail}</p>', title=title, detail=detail)
    return framed(f"{title} · indexfallback", body, to_root)
