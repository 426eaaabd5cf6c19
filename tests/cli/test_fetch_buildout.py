"""The command ``fetch -r buildout.cfg``: what it brings, and what makes it fail."""

from pathlib import Path

import pytest

from indexfallback.cli.fetch import Arguments
from indexfallback.config import Settings
from indexfallback.fetch.target import Target
from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.fakes.wheels import Dist

BUILDOUT = """\
[buildout]
extends = {address}
find-links = links
develop = .
parts = app
[app]
recipe = zc.recipe.egg
eggs =
    acme-app
    local
    own [test]
[versions]
local = 1.0
unfit = 1.0
"""


def filenames(files: list[dict[str, str]]) -> set[str]:
    return {each["filename"] for each in files}


@pytest.fixture
def buildout(cli: CommandLine, chain: str, private: FakeIndex, public: FakeIndex) -> Path:
    """Return a buildout that extends an address of the private index."""
    versions = b"[versions]\nidna = 3.9\nzc.recipe.egg = 3.0\n"
    private.add(Dist("versions", "1", "versions.cfg", versions, b""))
    private.add(wheel("acme-app", "1.5", requires=["idna", "own[test]>=1"]))
    for dist in (wheel("zc.recipe.egg", "3.0"), wheel("zc.recipe.egg", "4.0"), wheel("pytest"),
                 wheel("unfit", tag="cp27-cp27m-win32")):  # fmt: skip
        public.add(dist)
    links = cli.directory / "links"
    links.mkdir()
    (links / wheel("local").filename).write_bytes(wheel("local").data)
    script = "from setuptools import setup\nsetup(name='own', extras_require={'test': ['pytest']})"
    (cli.directory / "setup.py").write_text(script, encoding="utf-8")
    file = cli.directory / "buildout.cfg"
    text = BUILDOUT.format(address=private.file_url("versions.cfg"))
    file.write_text(text, encoding="utf-8")
    return file


def test_a_buildout_gets_what_its_parts_and_pins_ask_for(cli: CommandLine, buildout: Path) -> None:
    done = cli("fetch", "-r", str(buildout), "--json").expect()
    assert filenames(done.json["files"]) == {
        "acme_app-1.5-py3-none-any.whl", "idna-3.9-py3-none-any.whl",
        "zc_recipe_egg-3.0-py3-none-any.whl", "pytest-1.0-py3-none-any.whl",
    }  # fmt: skip
    local, unfit = sorted(done.json["left_out"])
    assert unfit.startswith("unfit 1.0 (no file for Python")
    assert local == f"local 1.0 (it is in {buildout.parent / 'links'})"


def test_what_one_part_lacks_is_named_and_the_others_get_theirs(
    cli: CommandLine, buildout: Path
) -> None:
    text = buildout.read_text(encoding="utf-8").replace("parts = app", "parts = app gone")
    text += "bad = 1.0  # comment\n[gone]\nrecipe = zc.recipe.egg\neggs = nowhere\n    idna>9\n"
    buildout.write_text(text, encoding="utf-8")
    done = cli("fetch", "-r", str(buildout), "--json").expect(1)
    assert "acme_app-1.5-py3-none-any.whl" in filenames(done.json["files"])
    unread, absent, unfit = done.json["missing"]
    assert unread["what"] == f"bad = 1.0 # comment ({buildout} [versions])"
    assert absent["what"] == f"nowhere ({buildout} [gone])"
    assert absent["cause"].startswith("no index has it")
    assert unfit["what"] == f"idna>9 ({buildout} [gone])"


def test_without_the_extended_address_it_fails_and_names_both(
    cli: CommandLine, buildout: Path, private: FakeIndex
) -> None:
    text = buildout.read_text(encoding="utf-8").replace("versions.cfg", "other.cfg")
    buildout.write_text(text, encoding="utf-8")
    done = cli("fetch", "-r", str(buildout)).expect(1)
    assert f"{buildout}: it extends {private.file_url('other.cfg')}" in done.words
    assert "which cannot be fetched: 404 Not Found; correct the address" in done.words


def test_each_buildout_is_resolved_with_its_own_pins_and_all_with_the_limits(
    tmp_path: Path,
) -> None:
    files = []
    for version in ("3.9", "3.10"):
        files.append(tmp_path / f"{version}.cfg")
        files[-1].write_text(f"[versions]\nidna = {version}\n", encoding="utf-8")
    limits = tmp_path / "limits.txt"
    limits.write_text("idna<4\n", encoding="utf-8")
    arguments = Arguments(("acme",), tuple(files), (limits,), (), ())
    settings = Settings(indexes=(), cache_dir=tmp_path)
    found = [wanted for _, wanted in arguments.wanted([Target()], settings)]
    constraints = [[each.text for each in wanted.constraints] for wanted in found]
    assert constraints == [["idna<4"], ["idna<4", "idna==3.9"], ["idna<4", "idna==3.10"]]
    assert [each.text for each in found[0].demands] == ["acme"]
