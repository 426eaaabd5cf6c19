"""The help of groups: their commands by purpose, each with its whole summary."""

from collections.abc import Mapping, Sequence

import click

from indexfallback.cli.output import columns

#: More columns than any text has, for a help that is not wrapped.
_UNWRAPPED = 10_000
#: A summary has no limit.
_WHOLE = 1_000_000


def help_width() -> int:
    """Return the columns of a help text: those of other output."""
    return columns() or _UNWRAPPED


def summary(command: click.Command) -> str:
    """Return the first sentence of a command's help."""
    return command.get_short_help_str(_WHOLE)


class Group(click.Group):
    """A group of commands; click itself cuts summaries and sorts the commands by name."""

    def sections(self, ctx: click.Context) -> Mapping[str, Sequence[str]]:
        """Return the names of the commands, by the title of their section."""
        return {"Commands": self.list_commands(ctx)}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each purpose; the summaries of all stand in one column."""
        widest = max(map(len, self.list_commands(ctx)), default=0)
        for title, names in self.sections(ctx).items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(widest), summary(each)) for name, each in commands if each]
                )
