"""Opens the cache, or a hosted index, for a command."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.config import Index, Settings
from indexfallback.errors import ConfigError, StoreError
from indexfallback.hosted.index import HostedIndex
from indexfallback.store import Store
from indexfallback.store.share import sharing_of

#: For commands that use one hosted index.
index_option = click.option(
    "--index", "index", metavar="NAME", help="The index; default: the only one with upload = true."
)


@contextmanager
def open_store(
    settings: Settings, *, only_read: bool = False, shares: bool = False
) -> Iterator[Store]:
    """Yield the store; raises `StoreError` if the cache directory cannot be written.

    With ``only_read`` it is enough that it can be read. With ``shares``, removals also apply to the
    shared bucket, which would otherwise restore what was removed.
    """
    store = Store(settings.cache_dir, settings.cache_size)
    try:
        if store.is_temporary and not (only_read and store.read_only):
            raise StoreError(
                str(settings.cache_dir),
                "the cache cannot be written",
                "change its owner, or set INDEXFALLBACK_CACHE_DIR to another directory",
            )
        if shares and settings.shared is not None:
            sharing = sharing_of(store, settings)
            sharing.link.examine()
            store.share(sharing)
        yield store
    finally:
        store.close()


@contextmanager
def open_hosted(settings: Settings, name: str | None) -> Iterator[HostedIndex]:
    """Yield a hosted index; raises `ConfigError` or `StoreError`."""
    with open_all_hosted(settings, name) as (hosted,):
        yield hosted


@contextmanager
def open_all_hosted(settings: Settings, *names: str | None) -> Iterator[list[HostedIndex]]:
    """Yield hosted indexes by their names, in this order; raises as `open_hosted`."""
    indexes = [hosted_index(settings, name) for name in names]
    with open_store(settings) as store:
        members = Members(settings, store, Network(settings))
        try:
            yield [HostedIndex(index, settings, store, members[index.name]) for index in indexes]
        finally:
            members.close()


def hosted_index(settings: Settings, name: str | None) -> Index:
    """Return the settings of the hosted index ``name``, or of the only one.

    Raises:
        ConfigError: there is none, or several and no name.

    """
    hosted = settings.hosted
    names = ", ".join(index.name for index in hosted)
    if not hosted:
        raise ConfigError(
            "no index accepts uploads",
            "publishing needs a directory",
            'add an [[index]] with url = "/srv/packages" and upload = true',
        )
    if name is None:
        if len(hosted) > 1:
            raise ConfigError("--index", f"several indexes accept uploads: {names}", "name one")
        return hosted[0]
    for index in hosted:
        if index.name == name:
            return index
    raise ConfigError("--index", f'"{name}" accepts no uploads', f"name one that does: {names}")
