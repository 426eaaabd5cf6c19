"""Writes indexfallback.1, the manual page of the commands, from their help.

Run as ``python docs/make_manual.py``; with ``--check`` it only tells whether that must be done.
"""  # noqa: INP001 - a script

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from indexfallback.cli import PROGRAM, cli  # noqa: E402 - found by the path above

PAGE = ROOT / "docs" / f"{PROGRAM}.1"

#: click's own option has other names if a context without settings has asked for it first.
_HELP = (".TP", r".B \-h, \-\-help", "Show the help of a command.")
_END = r"""
.SH EXIT STATUS
0: done. 1: something failed, or a check found a problem. 2: wrong usage or configuration.
run ends with the exit code of its command.
.SH ENVIRONMENT
.TP
.B INDEXFALLBACK_CONFIG
Configuration file.
.TP
.B INDEXFALLBACK_OFFLINE
1: ask no index.
.TP
.B INDEXFALLBACK_CACHE_DIR, INDEXFALLBACK_PORT
In the place of these settings.
.TP
.B COLUMNS
Width of lines on a terminal. In a pipe or a file, lines are not wrapped.
.TP
.B NO_COLOR, FORCE_COLOR
No colours, or colours also where the output is no terminal.
.SH FILES
.B indexfallback config path
prints the path of the configuration file,
.B indexfallback cache info
that of the cache.
"""


def page() -> str:
    """Return the manual page in the language of man(7)."""
    # With its settings, as each command keeps the option --help that it first had.
    root = click.Context(cli, info_name=PROGRAM, **cli.context_settings)
    name, *rest = _paragraphs(cli)
    lines = [
        '.\\" Written by docs/make_manual.py: do not edit it.',
        f'.TH {PROGRAM.upper()} 1 "" {PROGRAM} "User Commands"',
        ".SH NAME", f"{PROGRAM} \\- {_text(name).rstrip('.')}",
        ".SH SYNOPSIS", _usage(root), *rest,
        ".SH OPTIONS", "Every command takes them, before its name or after it.",
        *_options(root), *_HELP,
    ]  # fmt: skip
    for title, names in cli.sections(root).items():  # type: ignore[attr-defined]
        lines.append(f".SH {title.upper()}")
        for each in names:
            lines += _command(root, each)
    return "\n".join(lines) + _END


def _command(parent: click.Context, name: str) -> Iterator[str]:
    """Yield the lines of a command and of those below it."""
    group = parent.command
    command = group.get_command(parent, name) if isinstance(group, click.Group) else None
    if command is None or command.hidden:
        return
    context = click.Context(command, info_name=name, parent=parent)
    yield f".SS {_text(context.command_path.removeprefix(PROGRAM).strip())}"
    yield _usage(context)
    for paragraph in _paragraphs(command):
        yield from (".PP", _text(paragraph))
    yield from _options(context)
    if command.epilog:
        examples = [line.strip() for line in command.epilog.splitlines()[2:]]
        yield from (".PP", "Examples:", ".PP", ".nf", ".RS", *map(_text, examples), ".RE", ".fi")
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _command(context, each)


def _usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f".B {_text(context.command_path)}\n{_text(pieces)}"


def _paragraphs(command: click.Command) -> list[str]:
    text = inspect.cleandoc(command.help or "")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _options(context: click.Context) -> Iterator[str]:
    """Yield the options of a command, without those that every command has."""
    parent = context.parent
    common = {name for each in cli.get_params(parent) for name in each.opts} if parent else set()
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record and not _is_common(parameter, common):
            option, text = record
            yield from (".TP", f".B {_text(option)}", _text(text) or r"\&")


def _is_common(option: click.Option, common: set[str]) -> bool:
    """Tell whether an option is that of the program; some commands have an --index of their own."""
    return "--help" in option.opts or (bool(common & {*option.opts}) and option.name != "index")


def _text(text: str) -> str:
    """Return a line of text with the characters escaped that are special to man."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = re.sub("`([^`]+)`", r"\\fB\1\\fR", text)
    return rf"\&{text}" if text.startswith((".", "'")) else text


def main(*arguments: str) -> str | None:
    """Write the page, or with ``--check`` compare it; return what is wrong."""
    text = page()
    if arguments != ("--check",):
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        return "docs/indexfallback.1 is out of date: run python docs/make_manual.py"
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
