"""The known vulnerabilities of a project's releases."""

from collections.abc import Mapping
from typing import Any

from indexfallback.server.browse.markup import NOTHING, Html, html, joined, optional

#: Releases that are shown: the newest ones that have any.
_MOST = 20


def notices_section(notices: Mapping[str, Any]) -> Html:
    """Return the section, from a report of `files.notices.Notices.of_project`; nothing without."""
    releases = notices["releases"]
    if not releases:
        return NOTHING
    return html(
        '<section id="notices"><h2>Known vulnerabilities</h2>{releases}{more}</section>',
        releases=joined(_release(release) for release in releases[:_MOST]),
        more=optional(
            '<p class="note">Also: {versions}</p>',
            versions=", ".join(release["version"] for release in releases[_MOST:]),
        ),
    )


def _release(release: Mapping[str, Any]) -> Html:
    return html(
        '<details><summary><b>{version}</b> <span class="mark bad">{count}</span></summary>'
        "<ul>{advisories}</ul></details>",
        version=release["version"],
        count=len(release["advisories"]),
        advisories=joined(map(_advisory, release["advisories"])),
    )


def _advisory(advisory: Mapping[str, Any]) -> Html:
    name, link = advisory["id"], advisory["link"]
    facts = [", ".join(advisory["aliases"])] if advisory["aliases"] else []
    if advisory["fixed_in"]:
        facts.append(f"corrected in {', '.join(advisory['fixed_in'])}")
    return html(
        '<li>{name}{summary}<div class="note">{facts}</div></li>',
        name=html('<a href="{link}" rel="noreferrer">{name}</a>', link=link, name=name)
        if link
        else html("{name}", name=name),
        summary=optional(": {text}", text=advisory["summary"]),
        facts=" · ".join(facts),
    )
