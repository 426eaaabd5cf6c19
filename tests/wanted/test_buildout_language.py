"""A buildout is read as zc.buildout reads it, by zc.buildout, in a process of its own."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.errors import WantedUnavailableError
from indexfallback.fetch.target import Target
from indexfallback.wanted import Wanted
from indexfallback.wanted.reading import is_buildout, read_file, read_whole

#: Each feature of the language once; the comments name what a wrong reading would miss.
LANGUAGE = {
    "base.cfg": """\
[buildout]
parts = app
[base-versions]
Zope.Interface = 7.0
kept = 1.0
[versions]
<= base-versions
removed = 1.0
[pins]
x = 3.1
""",
    "buildout.cfg": """\
[buildout]
extends = base.cfg
optional-extends = nowhere.cfg
parts += test
    unused
parts -= unused
eggs = Foo
[macro]
recipe = zc.recipe.egg
eggs = ${buildout:eggs}
    bar[x]>=1
[app]
<= macro
eggs += baz
=> dep
[dep]
recipe = acme.recipe:entry
where = ${zeo:location}
[zeo]
recipe = acme.zeo
eggs = ${dep:found}
[test]
recipe = zc.recipe.testrunner
eggs = ${app:eggs}
[unused]
recipe = acme.unused
[versions]
zope.interface = 7.2
bar = ${pins:x}
removed =
some = >=1,<2
[versions:python_version < "3.10"]
some = 0.9
[versions:python39 and sys.version_info[:2] == (3, 9) and windows]
old = 0.9
""",
}


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory / "buildout.cfg"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no defaults of the user."""
    monkeypatch.setenv("BUILDOUT_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("language")


@pytest.fixture(scope="module")
def language(directory: Path) -> Iterator[Wanted]:
    """Return what `LANGUAGE` asks for, read once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BUILDOUT_HOME", str(directory / "home"))
        yield read_file(write(directory, LANGUAGE))


def demands(wanted: Wanted) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for demand in wanted.demands:
        found.setdefault(demand.group, set()).add(demand.text)
    return found


def pins(wanted: Wanted) -> dict[str, str]:
    return {pin.project: pin.version for pin in wanted.pins}


def test_versions_are_inherited_overridden_substituted_and_removed(language: Wanted) -> None:
    assert pins(language) == {"zope-interface": "7.2", "kept": "1.0", "bar": "3.1"}
    assert {demand.text for demand in language.constraints} == {
        "zope-interface==7.2", "kept==1.0", "bar==3.1", "some<2,>=1",
    }  # fmt: skip


def test_parts_are_those_that_buildout_would_install_with_what_they_refer_to(
    language: Wanted,
) -> None:
    found = demands(language)
    assert found["[app]"] == {"Foo", "bar[x]>=1", "baz"}  # of a macro, by += and ${...}
    assert found["[test]"] == found["[app]"]
    recipes = {text for group, texts in found.items() for text in texts if "recipe of" in group}
    assert recipes == {"zc.recipe.egg", "zc.recipe.testrunner", "acme.recipe", "acme.zeo"}


def test_what_only_a_recipe_sets_is_named_with_its_place(language: Wanted, directory: Path) -> None:
    (unknown,) = language.unknown
    assert unknown.what == "${dep:found}"
    assert str(unknown.origin) == f"{directory / 'buildout.cfg'} [zeo]"
    assert "sets this when buildout runs" in unknown.cause


def test_the_origin_of_a_pin_is_the_file_that_states_it(language: Wanted, directory: Path) -> None:
    origins = {pin.project: str(pin.origin) for pin in language.pins}
    assert origins["bar"] == f"{directory / 'buildout.cfg'} [versions]"
    assert origins["kept"] == f"{directory / 'base.cfg'} [versions]"


def test_nothing_is_written_beside_the_buildout_and_no_recipe_is_needed(
    language: Wanted, directory: Path
) -> None:
    assert sorted(path.name for path in directory.iterdir()) == sorted(LANGUAGE)


def test_conditions_are_those_of_the_target(tmp_path: Path) -> None:
    target = Target("3.9", "win_amd64")
    wanted = read_file(write(tmp_path, LANGUAGE), markers=target.markers)
    assert pins(wanted)["some"] == "0.9"
    assert pins(wanted)["old"] == "0.9"


def test_defaults_of_the_user_count_and_an_extended_address_is_read(tmp_path: Path) -> None:
    """A relative name in a file at an address is an address, too."""
    (tmp_path / "home").mkdir()
    defaults = "[buildout]\nextensions = acme.extension\nversions = ours\n"
    (tmp_path / "home" / "default.cfg").write_text(defaults, encoding="utf-8")
    web = {
        "https://me:secret@example.com/a/one.cfg": b"[buildout]\nextends = two.cfg\n",
        "https://me:secret@example.com/a/two.cfg": b"[ours]\nidna = 3.10\n",
    }
    text = "[buildout]\nextends = https://me:secret@example.com/a/one.cfg\nparts =\n"
    wanted = read_file(write(tmp_path, {"buildout.cfg": text}), fetch=web.__getitem__)
    assert pins(wanted) == {"idna": "3.10"}
    assert str(wanted.pins[0].origin) == "https://example.com/a/two.cfg [ours]"
    assert demands(wanted) == {"the extensions": {"acme.extension"}}
    assert "extensions are not run" in wanted.remarks[0]


def refuse(url: str) -> bytes:
    if url.endswith("/portal"):
        return b"<!DOCTYPE html>"
    raise WantedUnavailableError(url, "no route to host", "run again later")


def test_what_extends_cache_has_serves_without_a_network(tmp_path: Path) -> None:
    url = "https://example.com/versions.cfg"
    cache = tmp_path / "cache"
    cache.mkdir()
    kept = cache / hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()
    kept.write_text("[versions]\nidna = 3.9\n", encoding="utf-8")
    text = f"[buildout]\nextends-cache = cache\nextends = {url}\n"
    file = write(tmp_path, {"buildout.cfg": text})
    assert pins(read_file(file, fetch=refuse)) == {"idna": "3.9"}
    newer = read_file(file, fetch=lambda _: b"[versions]\nidna = 3.10\n")
    assert pins(newer) == {"idna": "3.10"}
    assert kept.read_text(encoding="utf-8") == "[versions]\nidna = 3.9\n"  # buildout's to write


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[buildout]\nextends = https://me:secret@example.com/versions.cfg\n",
            "versions.cfg, which cannot be fetched: no route to host; run again later",
        ),
        ("[buildout]\nextends = nowhere.cfg\n", "which cannot be read (No such file or directory)"),
        ("[buildout]\nextends = buildout.cfg\n", "Recursive file include"),
        ("[buildout]\nparts\n", r"File contains parsing errors: "),
        ("[buildout]\nversions = nowhere\n", "cannot read it: there is no 'nowhere'"),
        (
            "[buildout]\nextends = https://me:secret@example.com/portal\n",
            "File contains no section headers. file: https://example.com/portal, line: 1",
        ),
        ("[buildout:1 / 0]\n", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_read_ends_the_reading_with_cause_and_file(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = write(tmp_path, {"buildout.cfg": text})
    with pytest.raises(WantedUnavailableError) as error:
        read_file(file, fetch=refuse)
    assert str(error.value).startswith(f"{file}: ")
    assert problem in str(error.value)
    assert "secret" not in str(error.value)
    assert error.value.exit_code == 1


def test_a_part_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    text = "[buildout]\nparts = gone broken app\n[broken]\nrecipe = r\nx = ${app:nowhere}\n"
    text += "y = ${none:x}\n[app]\nrecipe = zc.recipe.egg\n"
    wanted = read_file(write(tmp_path, {"buildout.cfg": text}))
    assert [(each.what, each.cause) for each in wanted.unknown] == [
        ("part gone", "The referenced section, 'gone', was not defined."),
        ("part broken", "The referenced section, 'none', was not defined."),
    ]
    assert demands(wanted)["[app]"] == {"app"}


def test_a_buildout_whose_conditions_do_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexfallback.wanted.buildout_process._SECONDS", 0.01)
    monkeypatch.setattr("indexfallback.process.child._STOP_SECONDS", 0.01)
    text = "[buildout:__import__('time').sleep(60)]\n"
    with pytest.raises(WantedUnavailableError, match="did not read it within"):
        read_file(write(tmp_path, {"buildout.cfg": text}))


def test_without_zc_buildout_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zc").mkdir()
    (tmp_path / "zc" / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(WantedUnavailableError, match=r"its extra \[buildout\]"):
        read_file(write(tmp_path, {"buildout.cfg": "[versions]\n"}))


def test_where_all_must_be_known_a_requirement_that_is_not_ends_the_reading(tmp_path: Path) -> None:
    text = "[buildout]\nparts = app\n[app]\nrecipe = acme.recipe\neggs = ${app:found}\n"
    with pytest.raises(WantedUnavailableError, match=r"\[app\]: \$\{app:found\}: a recipe or"):
        read_whole(write(tmp_path, {"buildout.cfg": text}))


def test_a_buildout_is_told_by_its_name() -> None:
    assert is_buildout(Path("some/versions.cfg"))
    assert not is_buildout(Path("requirements.txt"))
    assert not is_buildout(Path("setup.cfg"))
