"""The list of known projects, with search and pagination."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from indexfallback.names import is_project_name, normalize
from indexfallback.search.finding import Findings, Found
from indexfallback.search.query import Query
from indexfallback.server.browse.frame import framed
from indexfallback.server.browse.markup import NOTHING, Html, html, joined, optional
from indexfallback.words import counted

#: Names on a page: a few screens, which every browser shows quickly.
PER_PAGE = 150
_TO_ROOT = "../"


class Listing(NamedTuple):
    """One page of the result of a search."""

    query: Query
    found: Findings
    #: Counted from 1.
    page: int
    pages: int

    @property
    def wanted(self) -> str:
        """The query as a normalised project name; empty if it is not a valid name."""
        text = self.query.text
        return normalize(text) if is_project_name(text) else ""


def listing_of(find: Callable[[int, int], Findings], query: Query, page: int) -> Listing:
    """Return a page of what is found; a page number out of range gives the nearest page.

    ``find`` takes how many results are left out, and how many are wanted.
    """
    found = find((max(1, page) - 1) * PER_PAGE, PER_PAGE)
    pages = max(1, -(-found.total // PER_PAGE))
    if page > pages:
        page, found = pages, find((pages - 1) * PER_PAGE, PER_PAGE)
    return Listing(query, found, max(1, page), pages)


def listing_page(listing: Listing) -> Html:
    """Return the page."""
    text, classifier = listing.query
    title = f"“{text or classifier}”" if text or classifier else "Projects"
    query = {"q": text, "classifier": classifier}
    body = html(
        '<h1>{title}</h1><p class="lead">{count}</p>{ask}{names}{pagination}',
        title=title,
        count=_count(listing),
        ask=_ask(listing),
        names=_names(listing.found.projects),
        pagination=pagination(
            listing.page, listing.pages, {key: value for key, value in query.items() if value}
        ),
    )
    return framed(f"{title} · indexfallback", body, _TO_ROOT, query=text, listing=True)


def _count(listing: Listing) -> str:
    text, classifier = listing.query
    found = counted(listing.found.total, "known project")
    if not text and not classifier:
        if not listing.found.total:
            return "None yet. Projects appear here once they are installed through this index."
        return f"{found} in all indexes."
    by_name = "the name, summary, keywords or classifiers"
    what = [f"“{text}” in {by_name}"] if text else []
    what += [f"the classifier “{classifier}”"] if classifier else []
    later = "" if listing.found.is_complete else " Not all metadata is read yet: renew in a while."
    return f"{found} with {' and '.join(what)}.{later}"


def _ask(listing: Listing) -> Html:
    """Return the link that asks the indexes for a project that is not known yet."""
    wanted = listing.wanted
    if not wanted or any(found.project == wanted for found in listing.found.projects):
        return NOTHING
    return html(
        '<p class="ask"><a href="{name}/">Ask the indexes for <b>{name}</b></a></p>',
        name=wanted,
    )


def _names(found: Sequence[Found]) -> Html:
    if not found:
        return NOTHING
    items = joined(
        html(
            '<li><a href="{project}/">{project}</a> <small>{facts}</small>{summary}</li>',
            project=each.project,
            facts=" · ".join(filter(None, (each.version, each.owner))),
            summary=optional('<div class="note">{text}</div>', text=each.summary),
        )
        for each in found
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
