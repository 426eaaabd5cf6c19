"""What the options of a buildout, once read, ask for."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from indexfallback.errors import WantedUnavailableError
from indexfallback.wanted import Local, Wanted
from indexfallback.wanted.buildout import wanted_of
from indexfallback.wanted.buildout_process import Read, Section
from indexfallback.wanted.developed import Developed

FILE = "/b/buildout.cfg"


def section(**options: str) -> Section:
    return {name.replace("_", "-"): (value, FILE) for name, value in options.items()}


def content(
    buildout: Section | None = None,
    parts: dict[str, Section] | None = None,
    versions: Section | None = None,
) -> Read:
    base = {"directory": ("/b", "COMPUTED_VALUE"), "prefer-final": ("true", "DEFAULT_VALUE")}
    return Read({**base, **(buildout or {})}, parts or {}, "versions", versions or {})


def wanted(read: Read, *directories: Developed) -> Wanted:
    return wanted_of(read, FILE, directories)


def texts(found: Wanted) -> list[str]:
    return [demand.text for demand in found.demands]


def test_a_version_is_a_pin_and_a_constraint_and_no_target_needs_it() -> None:
    found = wanted(content(versions={"Zope.Interface": ("== 7.2", FILE), "free": ("", FILE)}))
    ((project, version, _, _, _, is_needed),) = [tuple(vars(pin).values()) for pin in found.pins]
    assert (project, version, is_needed) == ("zope-interface", "7.2", False)
    assert [each.text for each in found.constraints] == ["zope-interface==7.2"]
    assert not found.demands


def test_a_file_without_pins_and_parts_is_refused() -> None:
    with pytest.raises(WantedUnavailableError, match="it has neither pins nor parts"):
        wanted(content(section(index="https://example.com/simple/")))


def test_of_two_spellings_of_a_project_the_last_one_counts() -> None:
    found = wanted(content(versions={"Foo_Bar": ("1", FILE), "foo.bar": ("2", FILE)}))
    assert [pin.version for pin in found.pins] == ["2"]


def test_buildouts_own_lower_limits_are_no_pins() -> None:
    versions = {"zc.buildout": (">=6.0.1", "DEFAULT_VALUE"), "idna": ("3.10", FILE)}
    found = wanted(content(versions=versions))
    assert [pin.project for pin in found.pins] == ["idna"]
    assert not found.demands


@pytest.mark.parametrize(
    ("project", "version"),
    [("idna", "3.10  # as there"), ("idna", "~=3.1"), ("idna", ">=x"), ("idna", "newest"),
     ("<part-dependencies>", "1.0"), ("idna", "${part:version}")],
)  # fmt: skip
def test_a_pin_that_buildout_would_not_take_is_named(project: str, version: str) -> None:
    (unknown,) = wanted(content(versions={project: (version, FILE)})).unknown
    assert unknown.what == f"{project} = {' '.join(version.split())}"
    assert str(unknown.origin) == f"{FILE} [versions]"


NAMES = st.text(string.ascii_letters + string.digits + "._-<>+", min_size=1, max_size=8)
VERSIONS = st.one_of(
    st.from_regex(r"(==)?\d{1,3}(\.\d{1,3}){0,2}((a|b|rc)\d)?", fullmatch=True),
    st.from_regex(r"(>=|<|>|<=)\d\.\d(,<\d)?", fullmatch=True),
    st.text(max_size=8),
)


@given(versions=st.dictionaries(NAMES, VERSIONS, max_size=5))
def test_each_pin_with_a_value_is_wanted_or_named_unless_a_later_spelling_replaces_it(
    versions: dict[str, str],
) -> None:
    sections = {name: (value, FILE) for name, value in versions.items()}
    try:
        found = wanted(content(versions=sections))
    except WantedUnavailableError:
        found = Wanted()
    known = {pin.project for pin in found.pins} | {d.text.partition("<")[0].partition(">")[0]
                                                   for d in found.demands}  # fmt: skip
    named = {each.what.partition(" = ")[0] for each in found.unknown}
    last = {name.lower().replace("_", "-").replace(".", "-"): name for name in versions}
    while any("--" in key for key in last):
        last = {key.replace("--", "-"): name for key, name in last.items()}
    for name in last.values():
        if versions[name].strip():
            normal = next(key for key, each in last.items() if each == name)
            assert normal in known or name in named
    assert all(Version(pin.version) for pin in found.pins)


def test_a_part_asks_for_its_recipe_and_its_eggs_each_resolved_apart() -> None:
    part = section(recipe="acme.recipe[x]>=1:entry", eggs="Foo\n  bar[y] ; sys_platform != 'x'\n")
    found = wanted(content(parts={"app": part}))
    assert [(demand.text, demand.group) for demand in found.demands] == [
        ("acme.recipe[x]>=1", "the recipe of [app]"),
        ("Foo", "[app]"),
        ("bar[y] ; sys_platform != 'x'", "[app]"),
    ]
    assert str(found.demands[1].origin) == f"{FILE} [app]"


@pytest.mark.parametrize(
    ("recipe", "eggs"),
    [("zc.recipe.egg", ["app"]), ("zc.recipe.egg:scripts", ["app"]),
     ("zc.recipe.egg:custom", ["app"]), ("zc.recipe.egg:develop", []), ("acme.recipe", [])],
)  # fmt: skip
def test_a_part_of_zc_recipe_egg_without_eggs_is_named_as_its_egg(
    recipe: str, eggs: list[str]
) -> None:
    found = wanted(content(parts={"app": section(recipe=recipe)}))
    assert texts(found)[1:] == eggs


def test_what_is_no_requirement_and_what_a_recipe_sets_is_named() -> None:
    part = section(recipe="r", eggs="foo bar\n${other:eggs}\nidna\nx @ https://example.com/x.whl")
    found = wanted(content(parts={"app": part}))
    assert [each.what for each in found.unknown] == ["foo bar", "${other:eggs}"]
    assert [each.what for each in found.direct_references] == ["x @ https://example.com/x.whl"]
    assert texts(found) == ["r", "idna"]


def test_extensions_are_wanted_but_for_our_own_which_is_installed() -> None:
    found = wanted(content(section(extensions="indexfallback mr.developer>=2"), versions={}))
    assert texts(found) == ["mr.developer>=2"]
    ours = content(section(extensions="indexfallback"), versions={"idna": ("3.10", FILE)})
    assert wanted(ours).remarks == ()


def test_of_a_project_in_a_directory_only_what_it_requires_is_wanted(tmp_path: Path) -> None:
    own = Developed(
        tmp_path, "acme-app", "1.0", ("idna", "acme.app[test]"),
        {"test": ("pytest",), "x": ("never",)}, ("hatchling",),
    )  # fmt: skip
    versions = {"acme.app": ("1.0", FILE), "idna": ("3.10", FILE)}
    part = section(recipe="r", eggs="acme.app [test]\nother")
    found = wanted(content(parts={"app": part}, versions=versions), own)
    assert [pin.project for pin in found.pins] == ["idna"]
    assert set(texts(found)) == {"r", "pytest", "other", "hatchling", "idna"}
    assert found.local == (Local("acme-app", "1.0", ("test", "x")),)


def test_a_project_in_a_directory_that_does_not_state_its_requirements_is_named(
    tmp_path: Path,
) -> None:
    found = wanted(content(), Developed(tmp_path, "acme"))
    assert "the requirements of this project in `develop` are known" in found.remarks[0]
    found = wanted(content(), Developed(tmp_path, "", "", ("idna",)))
    assert "the name of this project" in found.remarks[0]
    assert texts(found) == ["idna"]


def test_a_directory_in_develop_that_is_not_there_is_named(tmp_path: Path) -> None:
    buildout = {**section(develop="nowhere ${x:y}"), "directory": (str(tmp_path), "")}
    nowhere, later = wanted(content(buildout, versions={})).unknown
    assert (nowhere.what, nowhere.cause) == ("develop = nowhere", "there is no such directory")
    assert later.what == "develop = ${x:y}"
    assert "sets this when buildout runs" in later.cause


def test_directories_of_find_links_count_and_addresses_and_indexes_are_said_not_to(
    tmp_path: Path,
) -> None:
    links = tmp_path / "links"
    (tmp_path / "downloads" / "dist").mkdir(parents=True)
    links.mkdir()
    buildout = {
        **section(find_links=f"links https://example.com/links file://{links}",
                  download_cache="downloads"),
        "directory": (str(tmp_path), ""),
    }  # fmt: skip
    part = section(recipe="r", index="https://example.com/simple")
    found = wanted(content(buildout, {"app": part}))
    assert found.find_links == (str(links), str(tmp_path / "downloads" / "dist"))
    of_links, of_index = found.remarks
    assert of_links.startswith(f"{FILE} [buildout]: find-links https://example.com/links is not ")
    assert of_index == f"{FILE} [app]: index has no effect: the chain is asked"


def test_pre_releases_are_allowed_where_buildout_does_not_prefer_final_ones() -> None:
    assert wanted(content(section(prefer_final="false"), versions={"a": ("1", FILE)})).pre
    assert not wanted(content(versions={"a": ("1", FILE)})).pre
