"""The keys of JSON output in the documentation are those that commands print."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from indexfallback.cli import cli
from indexfallback.cli.output import SCHEMA
from tests.cli.support import CommandLine
from tests.cli.test_background import free_port
from tests.conftest import Serve
from tests.fakes import FakeIndex, sdist, wheel
from tests.fakes.provenance import provenance_of
from tests.in_process import ROOT
from tests.serving import index_table

_TITLE = re.compile(r"^## `(.+)`\n", re.MULTILINE)
_CELL = re.compile(r"^\| (`.+?`) \|", re.MULTILINE)
_NAME = re.compile("`([^`]+)`")


def _documented() -> dict[str, list[str]]:
    """Return the keys of each command: ``files[].sha256``; ``*`` stands for a name."""
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    _, *parts = _TITLE.split(text)
    return {
        title: [key for cell in _CELL.findall(body) for key in _NAME.findall(cell)]
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


DOCUMENTED = _documented()


def keys(value: Any, before: str = "") -> Iterator[str]:
    """Yield the keys of all values that are no objects, nor lists of them."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from keys(each, f"{before}.{key}" if before else key)
    elif isinstance(value, list) and value:
        for each in value:
            yield from keys(each, f"{before}[]")
    else:
        yield before


def is_documented(key: str, command: str) -> bool:
    """Tell whether a key is in the table; an empty value has none of the keys below it."""
    key = key.removesuffix("[]")
    return any(
        re.match(re.escape(known.removesuffix("[]")).replace(r"\*", ".*") + "$", key)
        or re.match(rf"{re.escape(key)}(\[\]|\.)", known)
        for known in DOCUMENTED[command]
    )


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    """Return what commands print: by the title of their table, one or more objects."""
    directory = tmp_path_factory.mktemp("json")
    (directory / "user").mkdir()
    (directory / "own").mkdir()
    (directory / "prod").mkdir()
    (directory / "own" / "broken-1-py3-none-any.whl").write_bytes(b"no archive")
    dist = wheel("acme-lib")
    file = directory / dist.filename
    file.write_bytes(dist.data)
    line = CommandLine(directory / "user")
    line.environ["INDEXFALLBACK_PORT"] = str(free_port())
    with (
        FakeIndex([wheel("acme-app", "1.4")]) as private,
        FakeIndex([wheel("idna", "3.9"), sdist("idna", "3.8")]) as public,
    ):
        attested = wheel("idna", "3.10")
        public.attest(attested, provenance_of(attested))
        line.configure(
            index_table("local", (directory / "own").as_uri(), role="private", upload=True),
            index_table("prod", (directory / "prod").as_uri(), role="private", upload=True),
            index_table("private", private.url, role="private"),
            index_table("pypi", public.url, cooldown="7 days"),
            mirror={"index": "pypi", "projects": ["idna"]},
        )
        public.add(wheel("idna", "4.0"), upload_time="2999-01-01T00:00:00Z")
        yield {
            title: [line(*command.split(), "--json").json for command in commands]
            for title, commands in _commands(directory, file, dist.version).items()
        }


def _commands(directory: Path, file: Path, version: str) -> dict[str, list[str]]:
    tree, archive, house = directory / "tree", directory / "a.tar", directory / "house"
    return {
        "why": ["why idna", "why acme-app", "why nope", "why idna --offline"],
        "why --provenance": [
            "why --provenance idna-3.10-py3-none-any.whl",
            "why --provenance idna-3.8.tar.gz",
        ],
        "search": ["search idna", "search nope"],
        "refresh": ["refresh idna nope"],
        "publish": [f"publish --index local {file}"],
        "promote": [f"promote acme-lib {version} --from local --to prod"],
        "log": ["log"],
        "publish-tree": [f"publish-tree {tree} --index local"],
        "mirror": ["mirror"],
        "mirror status": ["mirror status"],
        "mirror verify": ["mirror verify"],
        "status": ["status"],
        "doctor": ["doctor"],
        "config check": ["config check"],
        "config show": ["config show"],
        "offline": ["offline"],
        "serve --stop": ["serve --stop"],
        "setup": ["setup pip --dry-run"],
        "token create": ["token create"],
        "token list": ["token list"],
        "cache info": ["cache info"],
        "cache list": ["cache list"],
        "cache verify": ["cache verify"],
        "cache gc": ["cache gc"],
        "cache export": [
            f"cache export {archive}",
            f"cache export {house} --format wheelhouse --projects nope",
        ],
        "cache import": [f"cache import {archive} --dry-run", f"cache import {house}"],
        "cache accept": [
            "cache accept idna idna-3.10-py3-none-any.whl --yes",
            "cache accept idna 4.0",
            "cache accept --list",
            "cache accept idna 4.0 --undo",
        ],
        "cache disown": ["cache disown acme-app --yes", "cache disown --all private --yes"],
        "cache remove": ["cache remove idna --yes"],
    }


#: No command of a test here prints these: they need a resolver, a process, a service manager, or a
#: bucket (`tests.store.shared.test_commands`).
_ELSEWHERE = {"fetch", "serve", "service status", "cache share", "cache verify --shared"}


@pytest.mark.parametrize("command", sorted({*DOCUMENTED} - _ELSEWHERE))
def test_every_key_of_a_command_is_documented(printed: dict[str, list[Any]], command: str) -> None:
    for told in printed[command]:
        assert told.pop("schema") == SCHEMA
        unknown = {key for key in keys(told) if not is_documented(key, command)}
        assert not unknown


@pytest.mark.parametrize("command", sorted({*DOCUMENTED} - _ELSEWHERE - {"status"}))
def test_every_documented_key_is_one_of_a_command(
    printed: dict[str, list[Any]], command: str
) -> None:
    there = {re.split(r"[.\[]", key)[0] for told in printed[command] for key in told}
    assert {re.split(r"[.\[]", key)[0] for key in DOCUMENTED[command]} <= there


def test_every_command_with_json_has_a_table() -> None:
    with_json = {
        " ".join(command)
        for command, parameters in commands_and_options()
        if "--json" in parameters
    }
    assert {title.partition(" --")[0] for title in DOCUMENTED} == with_json


def commands_and_options(
    group: click.Group = cli, *parents: str
) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Yield each command below a group, with the names of its options."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*parents, name), {option for each in command.params for option in each.opts}
        if isinstance(command, click.Group):
            yield from commands_and_options(command, *parents, name)


@pytest.mark.parametrize("address", ["/simple/acme-app/", "/simple/nope/"])
def test_every_key_of_a_running_index_is_documented(
    tmp_path: Path, served: Serve, address: str
) -> None:
    line = CommandLine(tmp_path)
    with FakeIndex([wheel("acme-app")]) as index:
        shim = served(line.configure(index_table("pypi", index.url)), directory=tmp_path)
        line.use(shim)
        shim.get(address)
        told = line("status", "--json").expect().json
    assert told.pop("schema") == SCHEMA
    assert not {key for key in keys(told) if not is_documented(key, "status")}
    there = {re.split(r"[.\[]", key)[0] for key in told}
    assert {re.split(r"[.\[]", key)[0] for key in DOCUMENTED["status"]} == there
