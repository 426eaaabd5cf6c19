"""Finds the hosted index that an address names."""

import falcon

from indexfallback.hosted.index import HostedIndex
from indexfallback.shim import Shim


def hosted_index(shim: Shim, name: str) -> HostedIndex:
    """Return the hosted index of a name; the request has shown a token for it.

    Raises falcon.HTTPNotFound, with the names of those that are there.
    """
    hosted = shim.hosted.get(name)
    if hosted is None:
        known = ", ".join(shim.hosted)
        those = f"those with it are {known}" if known else "none has it"
        raise falcon.HTTPNotFound(
            description=f'"{name}" is not an index with upload = true; {those}'
        )
    return hosted
