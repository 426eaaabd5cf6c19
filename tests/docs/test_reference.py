"""The reference is complete: every command, key and address, and every part of the plan."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields

import click
import pytest

from indexfallback.cli import cli
from indexfallback.config import Index
from indexfallback.config.keys import FIELDS, INDEX_KEYS
from indexfallback.config.mirror import Mirror
from indexfallback.server.app import routes
from indexfallback.server.credentials import Credentials
from indexfallback.server.proof import Place, Prover
from indexfallback.shim import Shim
from indexfallback.store.secret import user_secret
from tests.conftest import MakeShim
from tests.docs.pages import PAGES, ROOT, blocks
from tests.test_layers import INSIDE, ORDER

KEYS = (
    *FIELDS,
    *(f"index.{key}" for key in INDEX_KEYS),
    *(f"mirror.{field.name}" for field in fields(Mirror)),
)


def all_commands(group: click.Group, *names: str) -> Iterator[str]:
    """Yield the full name of each command below a group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, *names, name)
        else:
            yield " ".join((*names, name))


@pytest.mark.parametrize("command", list(all_commands(cli)))
def test_every_command_is_in_the_reference(command: str) -> None:
    assert re.search(rf"^\| [^|]*`{command}\b[^|]*\|", PAGES["docs/commands.md"], re.MULTILINE)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_in_the_reference(key: str) -> None:
    table, _, name = key.partition(".")
    header = f"## `[[{table}]]`" if table == "index" else f"## `[{table}]`"
    behind = PAGES["docs/configuration.md"].partition(header)[2]
    section = re.split(r"^## ", behind, flags=re.MULTILINE)[0]
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", section, re.MULTILINE)


def _routes(made: Shim) -> Iterable[str]:
    secret = user_secret()
    prover = Prover(secret, Place("127.0.0.1", 5503), made.settings)
    return routes(made, Credentials(made.store.hosting, secret), prover)


def test_every_address_is_in_the_reference(shim: MakeShim) -> None:
    made = shim(Index(name="pypi", url="http://127.0.0.1:9/simple/", role="public"))
    paths = {
        re.sub(r"\{(\w+)(?::path)?\}", lambda name: name[1].upper(), path).rstrip("/")
        for path in _routes(made)
    }
    text = PAGES["docs/addresses.md"]
    assert [path for path in paths if f"`{path}`" not in text and f"`{path}/`" not in text] == []


def test_the_picture_of_the_architecture_shows_every_part() -> None:
    (picture,) = blocks(PAGES["docs/architecture.md"], "")
    modules = {module for folder in INSIDE.values() for module in folder}
    assert {*ORDER, *modules} - set(re.findall(r"\w+", picture)) == set()


@pytest.mark.parametrize("folder", INSIDE)
def test_the_picture_shows_the_modules_of_a_folder_in_their_order(folder: str) -> None:
    (picture,) = blocks(PAGES["docs/architecture.md"], "")
    behind = re.findall(r"\w+", picture.partition(f" {folder}/")[2])
    assert behind[: len(INSIDE[folder])] == list(reversed(INSIDE[folder]))


def test_the_architecture_fits_on_two_screens() -> None:
    assert len(PAGES["docs/architecture.md"].splitlines()) <= 100


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 130


def test_both_first_commands_begin_with_an_environment_of_their_own() -> None:
    for marker in ("main job", "tests"):
        block = PAGES["README.md"].partition(f"<!-- {marker} -->\n```sh\n")[2].partition("```")[0]
        assert block.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert block.count("\n") == 1


@pytest.mark.parametrize("page", [page for page in PAGES if "/" not in page])
def test_links_from_outside_the_site_lead_somewhere(page: str) -> None:
    # MkDocs checks those on the site.
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGES[page]):
        assert (ROOT / link).exists(), link


def test_nothing_is_installed_from_pypi_by_our_name_before_it_is_there() -> None:
    sources = [path for folder in ("indexfallback", "buildout_ext")
               for path in (ROOT / folder).rglob("*.py")]  # fmt: skip
    texts = [*PAGES.values(), *(path.read_text(encoding="utf-8") for path in sources)]
    said = re.compile(r"""(?:install|add|upgrade) ['"]?indexfallback\b(?!-)""")
    assert [found[0] for text in texts for found in said.finditer(text)] == []
