"""Opens an index of any kind: behind HTTP, a directory, or a bucket; and the shelf of a hosted one.

The modules for buckets need the client of the object store, and are imported with the first one.
"""

from indexfallback.config import Index, Settings
from indexfallback.hosted.directory_shelf import DirectoryShelf
from indexfallback.hosted.shelf import Shelf
from indexfallback.store import Store
from indexfallback.upstream import open_index
from indexfallback.upstream.answers import Upstream
from indexfallback.upstream.facts import FactsCache


def open_any(index: Index, settings: Settings, facts: FactsCache) -> Upstream:
    """Return the upstream for a configured index; this sends and reads nothing."""
    if not index.is_bucket:
        return open_index(index, settings, facts)
    from indexfallback.hosted.bucket_index import BucketIndex  # noqa: PLC0415 - see above

    return BucketIndex(index, facts)


def upload_problem(index: Index) -> str:
    """Return why an index with ``upload = true`` takes no uploads; empty if nothing tells so.

    A bucket is tested: an object is written there, and removed.
    """
    if not (index.upload and index.is_bucket):
        return ""
    from indexfallback.hosted.bucket_shelf import examine_uploads  # noqa: PLC0415 - see above

    return examine_uploads(index).cause


def open_shelf(index: Index, store: Store) -> Shelf:
    """Return the shelf of an index with ``upload = true``; this sends and reads nothing."""
    if not index.is_bucket:
        return DirectoryShelf(index, store)
    from indexfallback.hosted.bucket_shelf import BucketShelf  # noqa: PLC0415 - see above

    return BucketShelf(index, store)
