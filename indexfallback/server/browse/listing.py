"""The list of known projects, with search and pagination."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from indexfallback.names import is_project_name, normalize
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.markup import NOTHING, Html, html, joined
from indexfallback.words import counted

#: Names on a page: a few screens, which every browser shows quickly.
PER_PAGE = 150
_TO_ROOT = "../"


class Listing(NamedTuple):
    """One page of the result of a search."""

    query: str
    #: Name and index, in the order shown.
    names: list[tuple[str, str]]
    found: int
    #: Counted from 1.
    page: int
    pages: int

    @property
    def wanted(self) -> str:
        """The query as a normalised project name; empty if it is not a valid name."""
        return normalize(self.query) if is_project_name(self.query) else ""


def listing_page(listing: Listing) -> Html:
    """Return the page."""
    title = f"“{listing.query}”" if listing.query else "Projects"
    query = {"q": listing.query} if listing.query else {}
    body = html(
        '<h1>{title}</h1><p class="lead">{count}</p>{ask}{names}{pagination}',
        title=title,
        count=_count(listing),
        ask=_ask(listing),
        names=_names(listing),
        pagination=pagination(listing.page, listing.pages, query),
    )
    return framed(f"{title} · indexfallback", body, _TO_ROOT, query=listing.query, listing=True)


def _count(listing: Listing) -> str:
    if listing.query:
        return f"{counted(listing.found, 'known project')} with “{listing.query}” in the name."
    if not listing.found:
        return "None yet. Projects appear here once they are installed through this index."
    return f"{counted(listing.found, 'known project')} in all indexes."


def _ask(listing: Listing) -> Html:
    """Return the link that asks the indexes for a project that is not known yet."""
    if not listing.wanted or any(name == listing.wanted for name, _ in listing.names):
        return NOTHING
    return html(
        '<p class="ask"><a href="{name}/">Ask the indexes for <b>{name}</b></a></p>',
        name=listing.wanted,
    )


def _names(listing: Listing) -> Html:
    if not listing.names:
        return NOTHING
    items = joined(
        html('<li><a href="{name}/">{name}</a> <small>{index}</small></li>', name=name, index=index)
        for name, index in listing.names
    )
    return html('<ul class="names">{items}</ul>', items=items)


def pagination(page: int, pages: int, query: Mapping[str, str]) -> Html:
    """Return the links to the previous and the next page, if there are several pages."""
    if pages == 1:
        return NOTHING

    def link(to: int, text: str, rel: str) -> Html:
        if not 1 <= to <= pages:
            return html("<span></span>")
        address = "?" + urlencode({**query, "page": to})
        return html(
            '<a rel="{rel}" href="{address}">{text}</a>', rel=rel, address=address, text=text
        )

    return html(
        '<nav class="pagination" aria-label="Pages">'
        "{before}<span>Page {page} of {pages}</span>{after}</nav>",
        before=link(page - 1, "← Previous", "prev"),
        page=page,
        pages=pages,
        after=link(page + 1, "Next →", "next"),
    )
