"""The state of a shim as a whole: its indexes, its activity and its store; as JSON."""

import time
from typing import Any

from indexfallback.errors import IndexFallbackError
from indexfallback.mode import OfflineState
from indexfallback.shim import Shim
from indexfallback.store import Store


def status(shim: Shim, since: float = 0.0) -> dict[str, Any]:
    """Return the state of indexes and store, and the activity since a time, as JSON."""
    return {
        **offline_status(shim.network.offline_state),
        "indexes": [member.status() for member in shim.members],
        "activity": shim.fallback.activity.report(since),
        "refused": shim.fallback.refusals.report(),
        "shared": shim.store.shared.status() if shim.store.shared is not None else None,
        "now": time.time(),
        "cache": cache_status(shim.store, shim.settings.cache_size),
    }


def offline_status(state: OfflineState) -> dict[str, Any]:
    """Return the offline state as JSON."""
    cause = state.cause
    return {
        "offline": cause is not None,
        # ``option``, ``command``, ``network``.
        "offline_by": cause.value if cause is not None else None,
        "offline_mode": state.mode.value,
    }


def cache_status(store: Store, limit: int) -> dict[str, Any]:
    """Return the content of the store in numbers, as JSON."""
    try:
        return {
            "directory": str(store.directory),
            "temporary": store.is_temporary,
            "bytes": store.blobs.records.total(),
            "limit": limit,
            "files": store.blobs.records.count(),
            "pages": store.pages.count(),
        }
    except IndexFallbackError as error:
        return {"error": str(error)}
