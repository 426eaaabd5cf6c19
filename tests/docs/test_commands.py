"""The commands in the documentation work.

A block marked ``sh`` is run in a fresh home without a network. All other commands of ours need a
network, a service or a terminal: their names and options are checked against the real command tree.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from indexfallback.cli import cli
from indexfallback.config.load import load_settings
from tests.docs.pages import PAGES, blocks, lines, marked, without_blocks
from tests.fakes import wheel

_OURS = re.compile(r"(?:[\w./]*/)?indexfallback")
_INLINE = re.compile(r"`([^`\n]+)`")
#: What stands around a command of ours in a line of a shell.
_IN_SHELL = re.compile(r'"\$\((indexfallback .*?)\)"')
_ENDS = frozenset(("|", "&&"))
#: Commands that may stand before ours in its line.
_BEFORE = ("eval", "sudo", ".venv/bin", "python3")
#: The README's test and CI run these in a clone; nothing else can.
_IN_A_CLONE = ("python3 -m venv", "python3 -m pip", ".venv/bin/pip")
#: These install something with what was made.
_CLIENTS = ("pip ", "uv ")


def shown(text: str) -> Iterator[list[str]]:
    """Yield the words behind our name of each command that a page shows."""
    code = [line for kind in ("sh", "") for block in blocks(text, kind) for line in lines(block)]
    for line in (*code, *_INLINE.findall(without_blocks(text))):
        yield from commands(line)


def commands(line: str) -> Iterator[list[str]]:
    """Yield the words behind our name of each command in a line of a shell."""
    line = _IN_SHELL.sub(r"\1", line.removeprefix("$ ").replace("\\|", "|"))
    if not _OURS.match(line) and not line.startswith(_BEFORE):
        return
    part: list[str] = []
    for word in [*shlex.split(line, comments=True), "&&"]:
        if word not in _ENDS:
            part.append(word)
            continue
        ours = [place for place, word in enumerate(part) if _OURS.fullmatch(word)]
        if ours and part[ours[-1] + 1 :]:
            yield part[ours[-1] + 1 :]
        part = []


def read(words: list[str]) -> None:
    """Read words as the command line does, but for their values; raises `click.UsageError`."""
    command: click.Command = cli
    context = click.Context(command, **command.context_settings)
    while isinstance(command, click.Group):
        context.allow_interspersed_args = False
        _, rest, _ = command.make_parser(context).parse_args(words)
        if not rest:  # a group that does something by itself
            return
        _, found, words = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, click.Context(found, parent=context)
    _, rest, _ = command.make_parser(context).parse_args(words)
    if rest:
        raise click.UsageError(f"{command.name} takes no {rest}")


SHOWN = sorted({(name, shlex.join(words)) for name, text in PAGES.items() for words in shown(text)})
RUN = [
    (name, block)
    for name, text in PAGES.items()
    for block in blocks(text, "sh")
    if not block.startswith(_IN_A_CLONE)
]


@pytest.mark.parametrize(("page", "command"), SHOWN, ids=[f"{p}: {c}" for p, c in SHOWN])
def test_a_command_that_is_shown_exists_with_its_options(page: str, command: str) -> None:
    read(shlex.split(command))


def test_the_commands_of_every_page_are_found() -> None:
    pages = {page for page, _ in SHOWN}
    assert set(PAGES) - pages <= {
        "CONTRIBUTING.md",
        "docs/addresses.md",
        "docs/architecture.md",
        "docs/json.md",
    }
    assert ("docs/index.md", "env --undo") in SHOWN
    assert any(page == "docs/team.md" and "token create" in command for page, command in SHOWN)


@pytest.mark.parametrize(
    "command", ["fly", "serve --prot 80", "cache burn", "status extra", "token create --index"]
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    with pytest.raises(click.UsageError):
        read(shlex.split(command))


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user with distributions, and with the command installed."""
    made = wheel("acme-lib", "1.0")
    for directory in ("srv/packages", "srv/www", "dist", "wheels"):
        (tmp_path / directory).mkdir(parents=True)
    for directory in ("dist", "wheels"):
        (tmp_path / directory / made.filename).write_bytes(made.data)
    return {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "INDEXFALLBACK_OFFLINE": "1",
    }


def here(text: str, home: Path) -> str:
    """Return an example with the home's ``srv`` in place of its machine's."""
    return text.replace("/srv/", f"{home}/srv/")


@pytest.mark.parametrize(("page", "block"), RUN, ids=[page for page, _ in RUN])
def test_the_commands_of_a_block_succeed_in_their_order(
    page: str, block: str, home: dict[str, str]
) -> None:
    directory = Path(home["HOME"])
    if configuration := marked(page, "config"):
        file = directory / "config.toml"
        file.write_text(here(configuration, directory), encoding="utf-8")
        home["INDEXFALLBACK_CONFIG"] = str(file)
    for command in lines(here(block, directory)):
        if command.startswith(_CLIENTS):
            continue
        done = subprocess.run(
            command, shell=True, check=False, env=home, cwd=directory, capture_output=True,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (command, done)


def test_blocks_of_several_pages_are_run() -> None:
    assert len({page for page, _ in RUN}) > 4


def test_the_commands_that_set_up_clients_leave_nothing_behind(home: dict[str, str]) -> None:
    for command in marked("docs/clients.md", "set up").splitlines():
        subprocess.run(command, shell=True, check=True, env=home, cwd=home["HOME"], timeout=60)
    assert not [path for path in Path(home["HOME"]).rglob("*") if path.name == "pip.conf"]


@pytest.mark.parametrize("page", [page for page in PAGES if marked(page, "config")])
def test_a_configuration_that_is_shown_is_valid(page: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(here(marked(page, "config"), tmp_path), encoding="utf-8")
    assert load_settings(config=file, environ={"PRIVATE_INDEX_PASSWORD": "secret"}).indexes
