"""Options that every command has, before or behind its name: which settings it works with."""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from indexfallback.cli.output import set_up_logging
from indexfallback.clients.environment import without_activation
from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.names import is_project_name, normalize


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line was given; the object of click's context."""

    config: Path | None = None
    #: ``NAME=URL``, in the order of the chain.
    indexes: tuple[str, ...] = ()
    offline: bool = False
    #: How often ``-v`` was given.
    verbose: int = 0

    def settings(self) -> Settings:
        """Load the settings.

        Raises:
            ConfigError: something is wrong with them.

        """
        return load_settings(
            config=self.config,
            indexes=self.indexes,
            offline=self.offline,
            environ=without_activation(os.environ),
        )

    def as_arguments(self) -> list[str]:
        """Return them as another process of ours takes them, wherever it is run."""
        arguments = ["--config", str(self.config.absolute())] if self.config else []
        for index in self.indexes:
            arguments += ["--index", index]
        arguments += ["--offline"] if self.offline else []
        return arguments + ["-v"] * self.verbose


def project_name(text: str) -> str:
    """Read an argument that names a project, spelt in any way; return the normalised name."""
    if not is_project_name(text):
        raise click.BadParameter(f'"{text}" cannot be a project\'s name')
    return normalize(text)


def examples(*lines: str) -> str:
    """Return what ends a command's help: lines to copy, which click must not wrap."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


_OPTIONS = (
    click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Configuration file; default: INDEXFALLBACK_CONFIG, else config.toml in the user's "
        "configuration directory.",
    ),
    click.option(
        "--index",
        "indexes",
        multiple=True,
        metavar="NAME=URL",
        help="Use these indexes, in this order, instead of the configured ones (repeatable).",
    ),
    click.option("--offline", is_flag=True, help="Ask no index; serve what was seen before."),
    click.option("-v", "--verbose", count=True, help="Say more; twice: with tracebacks."),
)


def takes_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; it gets them, merged with the group's, as `Options`."""
    return _takes(command, _OPTIONS)


def takes_options_but_index(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options but ``--index``, which means something else to it."""
    return _takes(command, _OPTIONS[:1] + _OPTIONS[2:])


def _takes(command: Callable[..., Any], given: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    @click.pass_context
    @functools.wraps(command)
    def merged(
        ctx: click.Context,
        /,
        *,
        config: Path | None,
        indexes: tuple[str, ...] = (),
        offline: bool,
        verbose: int,
        **rest: Any,
    ) -> Any:
        before: Options = ctx.find_object(Options) or Options()
        options = replace(
            before,
            config=config or before.config,
            indexes=indexes or before.indexes,
            offline=offline or before.offline,
            verbose=max(verbose, before.verbose),
        )
        ctx.obj = options
        set_up_logging(options.verbose)
        return command(options, **rest)

    return functools.reduce(lambda decorated, option: option(decorated), given[::-1], merged)
