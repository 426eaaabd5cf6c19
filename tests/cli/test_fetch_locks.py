"""The command ``fetch`` with lock files of pdm and pipenv: groups, markers and hashes."""

import json
from collections.abc import Callable

import pytest

from tests.cli.support import CommandLine
from tests.fakes import Dist, FakeIndex, wheel
from tests.serving import index_table

APP, TEST, WINDOWS = wheel("app"), wheel("test"), wheel("only-windows")


def pdm_lock(hashes: dict[str, str]) -> str:
    text = '[metadata]\ngroups = ["default", "dev"]\nstrategy = ["inherit_metadata"]\n'
    for dist, group, marker in (
        (APP, "default", ""), (TEST, "dev", ""), (WINDOWS, "default", "sys_platform == 'win32'"),
    ):  # fmt: skip
        text += f'[[package]]\nname = "{dist.name}"\nversion = "1.0"\ngroups = ["{group}"]\n'
        text += f'files = [{{file = "{dist.filename}", hash = "{hashes[dist.name]}"}}]\n'
        text += f'marker = "{marker}"\n' if marker else ""
    return text


def pipfile_lock(hashes: dict[str, str]) -> str:
    def entry(dist: Dist, **more: str) -> dict[str, object]:
        return {"hashes": [hashes[dist.name]], "version": "==1.0", "index": "pypi", **more}

    only = entry(WINDOWS, markers="sys_platform == 'win32'")
    default = {"app": entry(APP), "only-windows": only}
    return json.dumps({"_meta": {}, "default": default, "develop": {"test": entry(TEST)}})


LOCKS: dict[str, Callable[[dict[str, str]], str]] = {
    "pdm.lock": pdm_lock,
    "Pipfile.lock": pipfile_lock,
}


@pytest.mark.parametrize("name", LOCKS)
def test_groups_markers_and_hashes_of_a_lock_select_the_files(
    cli: CommandLine, public: FakeIndex, name: str
) -> None:
    cli.configure(index_table("pypi", public.url))
    for dist in (APP, TEST, WINDOWS):
        public.add(dist)
    lock = cli.directory / name
    lock.write_text(
        LOCKS[name]({dist.name: f"sha256:{dist.sha256}" for dist in (APP, TEST, WINDOWS)}),
        encoding="utf-8",
    )

    options = ("--group", "dev", "--python", "3.12", "--platform", "manylinux_2_28_x86_64")
    done = cli("fetch", "-r", str(lock), "--json", *options).expect()
    assert {each["project"] for each in done.json["files"]} == {"app", "test"}
    wrong = {dist.name: f"sha256:{TEST.sha256}" for dist in (APP, TEST, WINDOWS)}
    lock.write_text(LOCKS[name](wrong), encoding="utf-8")
    refused = cli("fetch", "-r", str(lock), *options).expect(1)
    assert f"hash that {lock} requires" in refused.words
