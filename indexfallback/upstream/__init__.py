"""Upstreams: requests to the configured indexes, each answered by an outcome.

The modules that need the HTTP library are imported with the first index: that takes 0.2 s, and a
server can answer from its store before.
"""

from indexfallback.config import Index, Settings
from indexfallback.upstream.answers import Upstream
from indexfallback.upstream.facts import FactsCache


def open_index(index: Index, settings: Settings, facts: FactsCache) -> Upstream:
    """Return the upstream for a configured index; this sends and reads nothing."""
    from indexfallback.upstream.http import HttpIndex  # noqa: PLC0415 - slow, see above

    remote = HttpIndex(index, settings)
    if not index.is_directory:
        return remote
    from indexfallback.upstream.directory import DirectoryIndex  # noqa: PLC0415 - slow, see above

    return DirectoryIndex(index, settings, facts, remote)
