"""The page of one project, and the pages that say why there is none."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from indexfallback.server.browse.about import About, about_section
from indexfallback.server.browse.description import description_section
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.install import commands
from indexfallback.server.browse.markup import NOTHING, Html, html, joined
from indexfallback.server.browse.releases import Release, releases_section
from indexfallback.server.browse.trail import trail_section

_TO_ROOT = "../../"

_BODY = """\
<h1>{name} <small>{version}</small></h1>
{summary}
<p class="note">From <b>{owner}</b> · <a href="#indexes">why</a></p>
{notices}
{commands}
<nav class="parts" aria-label="Parts">{parts}</nav>
<div class="columns">
<div>{description}{files}{trail}</div>
<aside>{about}</aside>
</div>
"""

_REFUSED = """\
<h1>{title}</h1>
<p class="lead">{cause}.</p>
<p>{remedy}</p>
{trail}
"""


class Shown(NamedTuple):
    """All that the page of a project shows."""

    name: str
    #: Of the simple API.
    address: str
    #: From `why.found`.
    report: Mapping[str, Any]
    releases: list[Release]
    #: The version that a client would take; None if there are no files.
    current: Release | None
    about: About
    #: The owner as files' addresses have it.
    owner: str
    #: The sha256 of the files that are in the store.
    held: Collection[str]
    #: Of the files, from 1.
    page: int


def project_page(shown: Shown) -> Html:
    """Return the page."""
    described = shown.page == 1 and bool(shown.about.description.strip())
    parts = [("description", "Description")] if described else []
    parts += [("files", "Files"), ("indexes", "Where it comes from")]
    version = shown.current.version if shown.current is not None else ""
    body = html(
        _BODY,
        name=shown.name,
        version=version,
        summary=html('<p class="lead">{text}</p>', text=shown.about.summary)
        if shown.about.summary
        else NOTHING,
        owner=shown.report["owner"],
        notices=_notices(shown.report),
        commands=commands(shown.address, shown.name),
        parts=joined(
            html('<a href="#{part}">{text}</a>', part=part, text=text) for part, text in parts
        ),
        description=description_section(shown.about.description, shown.about.content_type)
        if described
        else NOTHING,
        files=releases_section(shown.releases, shown.name, shown.owner, shown.held, shown.page),
        trail=trail_section(shown.report),
        about=about_section(shown.about),
    )
    return framed(f"{shown.name} · indexfallback", body, _TO_ROOT)


def _notices(report: Mapping[str, Any]) -> Html:
    notices = []
    status, reason = report["project_status"], report["project_status_reason"]
    if status not in (None, "active"):
        notices.append(f"{status}: {reason}" if reason else status)
    notices += [
        f"{changed['filename']} is withheld: it is not what it was when it was first seen."
        for changed in report["withheld"]
    ]
    return joined(html('<p class="notice">{text}</p>', text=text) for text in notices)


def refused_page(title: str, report: Mapping[str, Any]) -> Html:
    """Return the page for a project that cannot be shown, from a report of `why.refused`."""
    body = html(
        _REFUSED,
        title=f"{title}: {report['project']}",
        cause=report["cause"][:1].upper() + report["cause"][1:],
        remedy=report["remedy"],
        trail=trail_section(report),
    )
    return framed(f"{report['project']} · indexfallback", body, _TO_ROOT)


def problem_page(title: str, detail: str, to_root: str) -> Html:
    """Return the page for any other error; ``to_root`` leads from its address to ``/``."""
    body = html('<h1>{title}</h1><p class="lead">{detail}</p>', title=title, detail=detail)
    return framed(f"{title} · indexfallback", body, to_root)
