"""How a bucket is shared, by the settings."""

from typing import NamedTuple

from indexfallback.config.bucket_url import BucketUrl
from indexfallback.store.shared import keys
from indexfallback.store.shared.bucket import Bucket
from indexfallback.store.shared.figures import Figures


class Terms(NamedTuple):
    """How a bucket is shared, by the settings."""

    url: BucketUrl
    endpoint: str = ""
    #: Whether this shim writes.
    is_for_writing: bool = True
    #: Seconds for a small request, and between the bytes of a long one.
    timeout: float = 1.0
    is_strict: bool = False
    #: Addresses of the private indexes.
    private: tuple[str, ...] = ()

    def bucket(self, figures: Figures | None = None) -> Bucket:
        """Return the bucket, which is not asked yet."""
        prefix = f"{self.url.prefix}/{keys.VERSION}".lstrip("/")
        observe = {} if figures is None else {"observe": figures.observe}
        return Bucket(
            self.url._replace(prefix=prefix),
            endpoint=self.endpoint,
            timeout=self.timeout,
            **observe,
        )
