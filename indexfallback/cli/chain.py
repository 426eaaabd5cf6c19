"""Prints the chain: one line per index, in the order of the configuration."""

import click

from indexfallback.cli.output import print_table
from indexfallback.config import Index, Settings
from indexfallback.config.pip import is_default_url

#: Said of indexes with `Index.defer_copies`, in a chain from pip's configuration.
_RESTRICT = '  an index with public projects too: only = ["its-name-*"] (indexfallback init)'


def is_from_pip(settings: Settings) -> bool:
    """Tell whether the chain is from pip's configuration, because there is none of our own."""
    return any(_origin(settings, index).startswith("pip:") for index in settings.indexes)


def print_chain(settings: Settings, *, err: bool = False) -> None:
    """Print the indexes; those of pip's configuration with their options."""
    if not settings.indexes:
        click.echo("  no index is configured: only the cache is served", err=err)
        return
    rows = [_row(settings, number, index) for number, index in enumerate(settings.indexes, 1)]
    print_table((), rows, err=err)
    if is_from_pip(settings) and any(index.defer_copies for index in settings.indexes):
        click.echo(_RESTRICT, err=err)


def _row(settings: Settings, number: int, index: Index) -> tuple[str, ...]:
    origin = _origin(settings, index)
    if origin.startswith("pip:"):
        return f"  {number} {index.name}", shown_url(index), f"({origin})"
    return f"  {number} {index.name}", index.role, shown_url(index)


def shown_url(index: Index) -> str:
    """Return the address of an index, or ``PyPI``."""
    return "PyPI" if is_default_url(index.url) else index.url


def _origin(settings: Settings, index: Index) -> str:
    return settings.origins.get(f"index.{index.name}.url", "")
