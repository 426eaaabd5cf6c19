"""The hosts that the chain alone tells of: those of its indexes, and PyPI's own for files."""

from collections.abc import Iterable, Sequence

from indexfallback.config import Index
from indexfallback.config.pip import default_files_url, default_url, is_default_url
from indexfallback.origin import origin_of


def stated_origins(indexes: Iterable[Index]) -> dict[str, frozenset[str]]:
    """Return each origin (`origin.origin_of`), with the groups of the indexes that are there."""
    found: dict[str, frozenset[str]] = {}
    for index in indexes:
        urls = [index.url, default_files_url()] if is_default_url(index.url) else [index.url]
        for origin in filter(None, map(origin_of, urls)):
            found[origin] = found.get(origin, frozenset()) | {index.group}
    return found


def chain_urls(indexes: Sequence[Index]) -> list[str]:
    """Return the addresses at which clients get every project of the chain.

    They are those of the last public index and its mirrors, and PyPI's if no index is there, since
    clients ask PyPI by default.
    """
    last = last_group(indexes)
    found = [index.url for index in indexes if index.group == last]
    is_default_free = not any(is_default_url(index.url) for index in indexes)
    return [*found, default_url()] if is_default_free else found


def last_group(indexes: Sequence[Index]) -> str | None:
    """Return the group at whose addresses the whole chain answers: the last public one, or None."""
    return next((i.group for i in reversed(indexes) if i.role == "public"), None)
