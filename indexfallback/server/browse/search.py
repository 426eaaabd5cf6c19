"""The search among the known projects, a page at a time."""

from indexfallback.chain.question import asking_order
from indexfallback.names import normalize
from indexfallback.server.browse.listing import PER_PAGE, Listing
from indexfallback.shim import Shim
from indexfallback.store.known_names import KnownNames, NameSource
from indexfallback.upstream.answers import Limits


def find(known: KnownNames, indexes: list[str], query: str, page: int) -> Listing:
    """Return a page of the names that contain the query: those that begin with it come first.

    ``indexes`` are the names of the sources. A page number out of range gives the nearest page.
    """
    part = normalize(query.strip())
    found = known.count(part)
    pages = max(1, -(-found // PER_PAGE))
    page = min(max(1, page), pages)
    shown = known.find(part, (page - 1) * PER_PAGE, PER_PAGE)
    names = [(name, indexes[place]) for name, place in shown]
    return Listing(query.strip(), names, found, page, pages)


def find_known(shim: Shim, query: str, page: int) -> Listing:
    """Return a page of the names known to a shim, each with the first index that has it."""
    limits = Limits(0.0, shim.settings.page_size)
    indexes = asking_order(shim.settings.indexes)
    sources = (
        NameSource(
            index.key,
            index.is_private,
            shim.members[index.name].upstream.names(limits).names if index.is_directory else (),
        )
        for index in indexes
    )
    known = KnownNames(shim.store.database, sources)
    return find(known, [index.name for index in indexes], query, page)
