"""The options that commands share; the common ones may stand before or after a command's name."""

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexfallback.cli.logs import set_up_logging
from indexfallback.cli.output import QUIET
from indexfallback.clients.environment import without_activation
from indexfallback.config import Settings
from indexfallback.config.load import load_settings
from indexfallback.config.units import InvalidValueError, parse_duration
from indexfallback.names import is_project_name, normalize

if TYPE_CHECKING:
    from packaging.version import Version


@dataclass(frozen=True, kw_only=True)
class Options:
    """The values of the common options; click's context object."""

    config: Path | None = None
    #: ``NAME=URL``, in the order of the chain.
    indexes: tuple[str, ...] = ()
    offline: bool = False
    #: Number of ``-v`` options; -1 for ``-q``.
    verbose: int = 0

    def settings(self) -> Settings:
        """Load the settings.

        Raises:
            ConfigError: a setting is not valid.

        """
        return load_settings(
            config=self.config,
            indexes=self.indexes,
            offline=self.offline,
            environ=without_activation(os.environ),
        )

    @property
    def quiet(self) -> bool:
        """Whether only errors are printed, and the data asked for."""
        return self.verbose < 0

    @property
    def choose_chain(self) -> bool:
        """Whether an option was given that decides which chain is used, or whether it is asked."""
        return bool(self.config or self.indexes or self.offline)

    def as_arguments(self) -> list[str]:
        """Return the options as arguments for another process, in any directory.

        That process has a log of its own, which ``-q`` of this one leaves as it is.
        """
        arguments = ["--config", str(self.config.absolute())] if self.config else []
        for index in self.indexes:
            arguments += ["--index", index]
        arguments += ["--offline"] if self.offline else []
        return arguments + ["-v"] * self.verbose


def project_name(text: str) -> str:
    """Return the normalised name of a project; raises `click.BadParameter`."""
    if not is_project_name(text):
        raise click.BadParameter(f'"{text}" is not a project name')
    return normalize(text)


def version_number(text: str) -> "Version":
    """Return a version (PEP 440); raises `click.BadParameter`."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - few commands read one

    try:
        return Version(text)
    except InvalidVersion as error:
        raise click.BadParameter(f'"{text}" is not a version') from error


def duration(text: str) -> float:
    """Return the seconds of a duration; raises `click.BadParameter`."""
    try:
        return parse_duration(text)
    except InvalidValueError as error:
        raise click.BadParameter(f'"{text}" {error}') from error


def examples(*lines: str) -> str:
    """Return the end of a command's help: example commands, which click does not wrap."""
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
    click.option("--offline", is_flag=True, help="Ask no index; use only the cache."),
    click.option(
        "-v", "--verbose", count=True, help="Log state changes; -vv: all, with tracebacks."
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print only errors, and the data asked for."),
)
#: For commands that print data.
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON; durations in seconds, sizes in bytes."
)


def takes_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options to a command, which gets them and the group's as `Options`."""
    return _takes(command, _OPTIONS)


def takes_options_but_index(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the common options without ``--index``, for a command with an ``--index`` of its own."""
    return _takes(command, _OPTIONS[:1] + _OPTIONS[2:])


def _check_texts(ctx: click.Context) -> None:
    """Raise `click.BadParameter` for a text that is not UTF-8: no record or address can hold it.

    Paths and the words of a command to run may have any bytes.
    """
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        if not isinstance(parameter.type, click.types.StringParamType) or value is None:
            continue
        for text in (value,) if isinstance(value, str) else value:
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise click.BadParameter(f'"{text}" is not UTF-8', ctx, parameter) from error


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
        quiet: bool,
        **rest: Any,
    ) -> Any:
        before: Options = ctx.find_object(Options) or Options()
        _check_texts(ctx)
        quiet, verbose = quiet or before.quiet, max(verbose, before.verbose)
        if quiet and verbose > 0:
            raise click.UsageError("--quiet and --verbose exclude one another")
        options = replace(
            before,
            config=config or before.config,
            indexes=indexes or before.indexes,
            offline=offline or before.offline,
            verbose=-1 if quiet else verbose,
        )
        ctx.obj, ctx.meta[QUIET] = options, quiet
        set_up_logging(options.verbose)
        return command(options, **rest)

    return functools.reduce(lambda decorated, option: option(decorated), given[::-1], merged)
