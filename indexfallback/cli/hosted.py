"""The hosted index that a command is about."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from indexfallback.chain.members import Members
from indexfallback.chain.network import Network
from indexfallback.cli.forget import open_store
from indexfallback.config import Index, Settings
from indexfallback.errors import ConfigError
from indexfallback.hosted.shelf import Shelf

#: For commands that work on one hosted index.
index_option = click.option(
    "--index", "index", metavar="NAME", help="The index; default: the only one with upload = true."
)


@contextmanager
def open_shelf(settings: Settings, name: str | None) -> Iterator[Shelf]:
    """Give a hosted index, without any server; raises `ConfigError` or `StoreError`."""
    index = shelf_index(settings, name)
    with open_store(settings) as store:
        members = Members(settings, store, Network(settings))
        try:
            yield Shelf(index, settings, store, members[index.name])
        finally:
            members.close()


def shelf_index(settings: Settings, name: str | None) -> Index:
    """Return the hosted index of that name, or the only one; raises `ConfigError`."""
    hosted = settings.hosted
    names = ", ".join(index.name for index in hosted)
    if not hosted:
        raise ConfigError(
            "no index takes uploads",
            "publishing needs a directory of your own",
            'add an [[index]] with url = "/srv/packages" and upload = true',
        )
    if name is None:
        if len(hosted) > 1:
            raise ConfigError("--index", f"several indexes take uploads: {names}", "name one")
        return hosted[0]
    for index in hosted:
        if index.name == name:
            return index
    raise ConfigError("--index", f'"{name}" takes no uploads', f"name one that does: {names}")
