"""The metadata of a distribution, for people."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from indexfallback.names import normalize
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, optional

#: Most dependencies, and most links, that are shown.
_MOST = 40
#: The name that a requirement begins with (PEP 508).
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


class About(NamedTuple):
    """The metadata of one version; untrusted text."""

    summary: str = ""
    description: str = ""
    #: ``text/markdown``, ``text/x-rst`` or ``text/plain``, with its parameters.
    content_type: str = ""
    #: Label to value, in the order to show them.
    facts: tuple[tuple[str, str], ...] = ()
    #: Label to address, http and https only.
    links: tuple[tuple[str, str], ...] = ()
    requires: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()


def about(metadata: bytes) -> About:
    """Return the parsed core metadata; unreadable fields are left out."""
    from packaging.metadata import parse_email  # noqa: PLC0415 - 20 ms that clients need not wait for

    raw, _ = parse_email(metadata)
    facts = (
        ("Python", raw.get("requires_python")),
        ("Licence", raw.get("license_expression") or _first_line(raw.get("license"))),
        ("Author", raw.get("author") or raw.get("author_email")),
        ("Maintainer", raw.get("maintainer") or raw.get("maintainer_email")),
        ("Keywords", ", ".join(raw.get("keywords", []))),
    )
    return About(
        summary=_first_line(raw.get("summary")),
        description=raw.get("description", ""),
        content_type=raw.get("description_content_type", ""),
        facts=tuple((label, value) for label, value in facts if value),
        links=tuple(_links(raw.get("home_page"), raw.get("project_urls", {}))),
        requires=tuple(raw.get("requires_dist", [])),
        classifiers=tuple(raw.get("classifiers", [])),
    )


def _first_line(text: str | None) -> str:
    """Return the first line: some projects put the whole licence text there."""
    return (text or "").strip().partition("\n")[0]


def _links(home_page: str | None, urls: dict[str, str]) -> Iterator[tuple[str, str]]:
    for label, address in {**({"Home page": home_page} if home_page else {}), **urls}.items():
        try:
            parts = urlsplit(address)
        except ValueError:  # an unmatched bracket
            continue
        if parts.scheme in ("http", "https") and parts.netloc:
            yield label, address


def about_section(known: About, failing: Collection[str] = (), to_projects: str = "../") -> Html:
    """Return the column beside the description.

    ``failing`` has projects that fail now; ``to_projects`` is the relative link to all projects.
    """
    facts = joined(
        html("<dt>{label}</dt><dd>{value}</dd>", label=label, value=value)
        for label, value in known.facts
    )
    links = joined(
        html(
            '<li><a rel="nofollow noreferrer noopener" href="{address}">{label}</a></li>',
            address=address,
            label=label,
        )
        for label, address in known.links[:_MOST]
    )
    return html(
        "{facts}{links}{requires}",
        facts=optional('<dl class="facts">{facts}</dl>', facts=facts),
        links=optional("<h2>Links</h2><ul>{links}</ul>", links=links),
        requires=_requires(known.requires, failing, to_projects),
    )


def classifiers_section(known: About, to_projects: str) -> Html:
    """Return the classifiers, each a link to the known projects that have it."""
    items = joined(
        html(
            '<li><a href="{to}?{query}">{text}</a></li>',
            to=to_projects,
            query=urlencode({"classifier": classifier}),
            text=classifier,
        )
        for classifier in known.classifiers[:_MOST]
    )
    return optional("<h2>Classifiers</h2><ul>{items}</ul>", items=items)


def _requires(requires: tuple[str, ...], failing: Collection[str], to_projects: str) -> Html:
    if not requires:
        return NOTHING
    items = joined(
        html("<li>{text}</li>", text=_required(requirement, failing, to_projects))
        for requirement in requires[:_MOST]
    )
    left = len(requires) - _MOST
    more = html("<li>and {left} more</li>", left=left) if left > 0 else NOTHING
    return html("<h2>Requires</h2><ul>{items}{more}</ul>", items=items, more=more)


def _required(requirement: str, failing: Collection[str], to_projects: str) -> Html:
    """Return a requirement (PEP 508) whose name is a link to its project."""
    begins = _NAME.match(requirement)
    if begins is None:
        return html("<code>{text}</code>", text=requirement)
    name = normalize(begins[0])
    return html(
        '<code><a href="{to}{project}/">{name}</a>{rest}</code>{mark}',
        to=to_projects,
        project=name,
        name=begins[0],
        rest=requirement[begins.end() :],
        mark=html(' <span class="mark bad">fails now</span>') if name in failing else NOTHING,
    )
