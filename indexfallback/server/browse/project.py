"""The page of one project, as a list of sections, and the pages for errors."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from indexfallback.chain.decisions import Decision
from indexfallback.server.browse.about import About, about_section
from indexfallback.server.browse.cooldown import cooldown_notices
from indexfallback.server.browse.description import description_section
from indexfallback.server.browse.failing import failing_section, refused_section
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.history import history_section
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
from indexfallback.server.browse.ownership import ownership_section
from indexfallback.server.browse.provenance import provenance_section
from indexfallback.server.browse.releases import Release, releases_section
from indexfallback.server.browse.sections import Layout, Section, laid_out
from indexfallback.store.events import Event
from indexfallback.words import left_out

_TO_ROOT = "../../"

_HEAD = """\
<h1>{name} <small>{version}</small></h1>
{summary}
<p class="note">From <b>{owner}</b> · <a href="#indexes">why</a> · {as_of}</p>
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
    #: The latest changes of it in hosted indexes, newest first.
    events: Sequence[Event]
    #: When it was made, seconds since the epoch.
    now: float


def project_page(view: ProjectView) -> Html:
    """Return the page."""
    head = html(
        _HEAD,
        name=view.name,
        version=view.current.version if view.current is not None else "",
        summary=optional('<p class="lead">{text}</p>', text=view.about.summary),
        owner=view.report["owner"],
        as_of=as_of(view.now),
    )
    body = laid_out(_LAYOUT, view, head, commands(view.address, view.name))
    return framed(f"{view.name} · indexfallback", body, _TO_ROOT)


def _failing(view: ProjectView) -> Html:
    has_files = bool(view.releases)
    return failing_section(view.report, view.failures, view.now, has_files=has_files)


def _notices(view: ProjectView) -> Html:
    report, notices = view.report, []
    status, reason = report["project_status"], report["project_status_reason"]
    if status not in (None, "active"):
        notices.append(f"{status}: {reason}" if reason else status)
    notices += [
        f"{changed['filename']} is withheld: its content has changed since it was first seen."
        for changed in report["withheld"]
    ]
    if report["dropped"]:
        notices.append(f"Of the files that the page lists, {left_out(report['dropped'])}.")
    notices += cooldown_notices(report)
    return joined(html('<p class="notice">{text}</p>', text=sentence(text)) for text in notices)


def _description(view: ProjectView) -> Html:
    if view.page != 1:
        return NOTHING
    return description_section(view.about.description, view.about.content_type)


def _files(view: ProjectView) -> Html:
    return releases_section(view.releases, view.name, view.owner, view.held, view.page)


def _vulnerabilities(view: ProjectView) -> Html:
    return notices_section(view.report["notices"])


def _ownership(view: ProjectView) -> Html:
    return ownership_section(view.report)


def _provenance(view: ProjectView) -> Html:
    return provenance_section(view.report["provenance"])


def _history(view: ProjectView) -> Html:
    return history_section(view.events, view.now)


def _about(view: ProjectView) -> Html:
    return about_section(view.about, view.failing)


_LAYOUT = Layout(
    above=(Section(_failing), Section(_notices)),
    main=(
        Section(_vulnerabilities, "Known vulnerabilities", "notices"),
        Section(_description, "Description", "description"),
        Section(_files, "Files", "files"),
        Section(_ownership, "Where it comes from", "indexes"),
        Section(_history, "Changes", "changes"),
    ),
    beside=(Section(_about), Section(_provenance)),
)


def refused_page(title: str, report: Mapping[str, Any], now: float, to_root: str) -> Html:
    """Return the page for a project that cannot be shown, from a report of `why.refused`.

    ``now`` is seconds since the epoch; ``to_root`` is the relative link from the page to ``/``.
    """
    body = html(
        _REFUSED,
        title=f"{title}: {report['project']}",
        as_of=as_of(now),
        failing=refused_section(report),
        ownership=ownership_section(report),
    )
    return framed(f"{report['project']} · indexfallback", body, to_root)


def problem_page(title: str, detail: str, to_root: str) -> Html:
    """Return the page for any other error; ``to_root`` is the relative link from it to ``/``."""
    body = html('<h1>{title}</h1><p class="lead">{detail}</p>', title=title, detail=detail)
    return framed(f"{title} · indexfallback", body, to_root)
