"""The hosts that the chain alone tells of: those of its indexes, and PyPI's own for files."""

from collections.abc import Iterable

from indexfallback.config import Index
from indexfallback.config.pip import default_files_url, is_default_url
from indexfallback.origin import origin_of


def stated_origins(indexes: Iterable[Index]) -> dict[str, frozenset[str]]:
    """Return each origin (`origin.origin_of`), with the groups of the indexes that are there."""
    found: dict[str, frozenset[str]] = {}
    for index in indexes:
        urls = [index.url, default_files_url()] if is_default_url(index.url) else [index.url]
        for origin in filter(None, map(origin_of, urls)):
            found[origin] = found.get(origin, frozenset()) | {index.group}
    return found
