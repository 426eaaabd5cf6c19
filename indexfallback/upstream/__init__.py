"""Upstreams: the configured indexes, asked for pages, names and files; every answer an outcome.

The modules that need the HTTP library are imported when the first index is opened: that takes
0.2 s, and a server answers from its store before.
"""

from indexfallback.config import Index, Settings
from indexfallback.upstream.answers import Upstream
from indexfallback.upstream.facts import FactsCache


def open_index(index: Index, settings: Settings, facts: FactsCache) -> Upstream:
    """Return the upstream for a configured index; nothing is asked or read yet."""
    from indexfallback.upstream.directory import DirectoryIndex  # noqa: PLC0415 - slow, see above
    from indexfallback.upstream.http import HttpIndex  # noqa: PLC0415 - slow, see above

    remote = HttpIndex(index, settings)
    return DirectoryIndex(index, settings, facts, remote) if index.is_directory else remote
