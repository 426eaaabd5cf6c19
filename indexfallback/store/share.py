"""Makes a store share with other shims, if the settings name a bucket."""

from typing import TYPE_CHECKING

from indexfallback.config import Settings
from indexfallback.config.bucket_url import parse_bucket_url
from indexfallback.config.rules import check_client
from indexfallback.errors import ConfigError
from indexfallback.store import Store

if TYPE_CHECKING:
    from indexfallback.store.shared.sharing import Sharing
    from indexfallback.store.shared.terms import Terms


def share(store: Store, settings: Settings) -> None:
    """Share what the store has from now on; do nothing without ``cache.shared``.

    Raises `ConfigError` if the extra ``shared`` is not installed.
    """
    if settings.shared is not None:
        sharing = sharing_of(store, settings)
        store.share(sharing)
        sharing.start()


def sharing_of(store: Store, settings: Settings) -> "Sharing":
    """Return the share of a store in a bucket, not started; raises `ConfigError`."""
    terms = terms_of(settings)
    from indexfallback.store.shared.sharing import Sharing  # noqa: PLC0415 - as in `terms_of`

    return Sharing(terms, store)


def terms_of(settings: Settings) -> "Terms":
    """Return how the bucket is shared; raises `ConfigError`."""
    if settings.shared is None:
        raise ConfigError(
            "cache.shared", "names no bucket", 'set it to an address like "s3://bucket/prefix"'
        )
    check_client("cache.shared")
    # A shim that shares nothing does not wait for the import.
    from indexfallback.store.shared.terms import Terms  # noqa: PLC0415

    return Terms(
        parse_bucket_url(settings.shared),
        endpoint=settings.shared_endpoint,
        is_for_writing=settings.shared_mode == "read-write",
        timeout=settings.shared_timeout,
        is_strict=settings.strict_pins,
        private=tuple(index.key for index in settings.indexes if index.is_private),
    )
