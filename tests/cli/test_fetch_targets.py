"""The command ``fetch`` for other Pythons and platforms, resolved by a real uv."""

import pytest

from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table

LINUX, MAC = "manylinux_2_28_x86_64", "macosx_14_0_arm64"
TAGS = ("cp39-cp39-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-cp312-macosx_11_0_arm64", "cp312-cp312-win_amd64")  # fmt: skip


@pytest.fixture
def index(cli: CommandLine, public: FakeIndex) -> FakeIndex:
    needs = ["compiled", "older; python_version < '3.10'", "winning; sys_platform == 'win32'"]
    public.add(wheel("app", requires=needs))
    for tag in TAGS:
        public.add(wheel("compiled", tag=tag))
    for name in ("older", "winning"):
        public.add(wheel(name))
    cli.configure(index_table("pypi", public.url))
    return public


def fetched(cli: CommandLine, *arguments: str) -> set[str]:
    done = cli("fetch", "--json", *arguments).expect()
    return {each["filename"].removesuffix(".whl") for each in done.json["files"]}


def test_each_target_gets_its_own_files_and_what_its_markers_ask_for(
    cli: CommandLine, index: FakeIndex
) -> None:
    linux = fetched(cli, "app", "--python", "3.9", "--python", "3.12", "--platform", LINUX)
    assert linux == {
        "app-1.0-py3-none-any", "older-1.0-py3-none-any",
        f"compiled-1.0-{TAGS[0]}", f"compiled-1.0-{TAGS[1]}",
    }  # fmt: skip
    both = fetched(cli, "app", "--python", "3.12", "--platform", MAC, "--platform", "win_amd64")
    assert both == {
        "app-1.0-py3-none-any", "winning-1.0-py3-none-any",
        f"compiled-1.0-{TAGS[2]}", f"compiled-1.0-{TAGS[3]}",
    }  # fmt: skip


def test_of_a_uv_lock_each_target_gets_what_fits_and_the_rest_is_said(
    cli: CommandLine, index: FakeIndex
) -> None:
    index.add(wheel("pywin", tag="cp312-cp312-win_amd64"))
    text = "version = 1\n"
    for name in ("app", "compiled", "pywin"):
        text += f'[[package]]\nname = "{name}"\nversion = "1.0"\n'
        text += f'source = {{ registry = "{index.url}" }}\n'
    lock = cli.directory / "uv.lock"
    lock.write_text(text, encoding="utf-8")
    target = ("--python", "3.12", "--platform", LINUX)
    assert fetched(cli, "-r", str(lock), *target) == {
        "app-1.0-py3-none-any", f"compiled-1.0-{TAGS[1]}",
    }  # fmt: skip
    done = cli("fetch", "-r", str(lock), *target).expect()
    assert f"left out: pywin 1.0 (no file for Python 3.12 on {LINUX})" in done.words


def test_a_platform_that_nobody_knows_is_refused_before_anything_is_asked(
    cli: CommandLine, index: FakeIndex
) -> None:
    done = cli("fetch", "app", "--platform", "amiga").expect(2)
    assert "amiga is not a known platform" in done.words
    assert "win_amd64" in done.words
    assert index.count() == 0


def test_a_version_that_no_target_file_has_is_missing(cli: CommandLine, index: FakeIndex) -> None:
    done = cli("fetch", "compiled", "--python", "3.13", "--platform", LINUX).expect(1)
    assert "missing: compiled (the command line): 1.0 has no wheel for Python 3.13" in done.words
