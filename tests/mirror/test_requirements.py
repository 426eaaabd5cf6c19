"""Files of requirements, and what mirrored distributions require."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.config.mirror import Wanted
from indexfallback.mirror.requirements import required
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.mirror.support import Mirrored

#: The projects whose wheels are mirrored for ``dep`` with its extra ``fast``.
FAST = ["accelerator", "cables", "dep", "kernel"]


@pytest.fixture
def extras(mirror: Mirrored) -> Mirrored:
    """Return a mirror of an index whose projects require extras, of others and of themselves."""
    required = ["cables", 'accelerator[gpu]; extra == "fast"', 'idna; extra == "other"']
    for dist in (
        wheel("app", requires=["dep[all]"]),
        wheel("dep", requires=[*required, 'dep[fast]; extra == "all"']),
        wheel("dep", "0.9"),
        wheel("accelerator", requires=['kernel; extra == "gpu" and sys_platform == "win32"']),
        *map(wheel, ("cables", "kernel", "idna")),
    ):
        mirror.upstream.add(dist)
    return mirror


def test_what_a_file_of_requirements_names_is_mirrored(mirror: Mirrored, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("acme.app<1.2  # old\nother\n", encoding="utf-8")
    mirror.configure(requirements=[str(file)])
    result = mirror.run()
    assert (result["projects"], result["files"]) == (2, 3)


def test_a_release_that_a_file_of_requirements_pins_is_kept_beside_the_newest(
    mirror: Mirrored, tmp_path: Path
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("acme-app==1.0\n", encoding="utf-8")
    old = wheel("acme-app", "1.0")
    mirror.upstream.add(old, yanked=True)
    mirror.configure(projects=["acme-app"], latest=1, requirements=[str(file)])
    mirror.run()
    assert mirror.listed("acme-app") == [old.filename, wheel("acme-app", "1.5").filename]


def test_a_file_of_requirements_that_is_not_there_is_said(mirror: Mirrored) -> None:
    mirror.configure(requirements=["missing.txt"])
    done = mirror().expect(2)
    assert "missing.txt: Could not open requirements file" in done.words
    assert "correct that" in done.words


def test_what_wheels_require_is_mirrored_to_the_end(mirror: Mirrored) -> None:
    mirror.upstream.add(wheel("top", "1.0", requires=["middle>=2", 'acme-app; extra == "x"']))
    mirror.upstream.add(wheel("middle", "1.0"))
    mirror.upstream.add(wheel("middle", "2.0", requires=["Other; sys_platform == 'win32'"]))
    mirror.configure(projects=["top"], dependencies=True)
    mirror.run()
    assert sorted(mirror.state()["pages"]) == ["middle", "other", "top"]
    assert len(mirror.listed("middle") or []) == 1
    mirror.upstream.clear()
    assert mirror.run()["files"] == 0
    assert len(mirror.state()["pages"]) == 3


def test_what_nothing_requires_any_more_goes(mirror: Mirrored) -> None:
    mirror.upstream.add(wheel("top", "1.0", requires=["other"]))
    mirror.configure(projects=["top", "acme-*"], dependencies=True)
    mirror.run()
    mirror.upstream.add(wheel("top", "1.1"))
    mirror.configure(projects=["top>1", "acme-*"], dependencies=True)
    mirror.run("--yes")
    mirror.run("--yes")
    assert "other" not in mirror.state()["pages"]


@pytest.mark.parametrize("projects", [["app"], ["app", "dep"]])
def test_the_extras_that_are_asked_for_are_followed(extras: Mirrored, projects: list[str]) -> None:
    extras.configure(projects=projects, dependencies=True)
    extras.run()
    assert sorted(extras.state()["pages"]) == ["accelerator", "app", *FAST[1:]]
    extras.upstream.clear()
    assert extras.run()["files"] == 0


@pytest.mark.parametrize("project", ["dep[fast]", "dep [Fast, unknown] >=1", "d*p[fast]"])
def test_a_project_can_be_named_with_extras(extras: Mirrored, project: str) -> None:
    extras.configure(projects=[project], dependencies=True)
    extras.run()
    assert sorted(extras.state()["pages"]) == FAST


def test_without_an_extra_its_requirements_are_not_followed(extras: Mirrored) -> None:
    extras.configure(projects=["dep"], dependencies=True)
    extras.run()
    assert sorted(extras.state()["pages"]) == ["cables", "dep"]


def test_the_extras_in_a_file_of_requirements_are_followed(
    extras: Mirrored, tmp_path: Path
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("dep[fast]>=1\n", encoding="utf-8")
    extras.configure(requirements=[str(file)], dependencies=True)
    extras.run()
    assert sorted(extras.state()["pages"]) == FAST
    assert len(extras.listed("dep") or []) == 1


def test_an_extra_that_is_asked_for_later_is_followed_later(extras: Mirrored) -> None:
    extras.configure(projects=["dep"], dependencies=True)
    extras.run()
    extras.configure(projects=["dep[fast]"], dependencies=True)
    assert extras.run()["files"] == 2
    assert sorted(extras.state()["pages"]) == FAST


def test_a_requirement_on_the_own_project_adds_extras_and_no_versions() -> None:
    stated = ("demo[fast]; extra == 'all'", "demo[all]; extra == 'whole'", "lib>1; extra == 'fast'")
    assert required("demo", stated) == set()
    assert required("demo", stated, frozenset(["whole"])) == {Wanted("lib", ">1")}


def test_a_marker_with_a_quote_in_a_value_is_read(mirror: Mirrored) -> None:
    marker = """platform_version == 'a"b' and platform_release != '\\\\'"""
    mirror.upstream.add(wheel("top", requires=[f"other; {marker}"]))
    mirror.configure(projects=["top"], dependencies=True)
    mirror.run()
    assert sorted(mirror.state()["pages"]) == ["other", "top"]


OLD = b"Metadata-Version: 2.1\nName: old\nVersion: 1.0\n\n"
DYNAMIC = b"Metadata-Version: 2.2\nName: dynamic\nVersion: 1.0\nDynamic: requires-dist\n\n"
OTHER = b"Metadata-Version: 2.2\nName: top\nVersion: 1.0\nDynamic: Version\nRequires-Dist: lib\n\n"


def test_what_sdists_require_is_mirrored_where_they_state_it(mirror: Mirrored) -> None:
    for dist in (sdist("top", metadata=OTHER), sdist("lib", requires=["other"]), sdist("other")):
        mirror.upstream.add(dist)
    mirror.configure(projects=["top"], files=["sdist"], dependencies=True)
    result = mirror.run()
    assert sorted(mirror.state()["pages"]) == ["lib", "other", "top"]
    assert result["unknown_requirements"] == []


def test_sdists_that_do_not_state_their_requirements_are_named(mirror: Mirrored) -> None:
    for dist in (sdist("old", metadata=OLD), sdist("dynamic", metadata=DYNAMIC)):
        mirror.upstream.add(dist)
    names = ["dynamic-1.0.tar.gz", "old-1.0.tar.gz"]
    mirror.configure(projects=["old", "dynamic"], files=["sdist"], dependencies=True)
    for _ in range(2):
        assert mirror.run()["unknown_requirements"] == names
    words = mirror().expect().words
    assert "2 files do not state their requirements, which are therefore not mirrored" in words
    assert ", ".join(names) in words


def test_a_wheel_that_cannot_be_read_is_named_if_no_other_of_its_release_can(
    mirror: Mirrored,
) -> None:
    for name, tag in (("one", "py3-none-any"), ("two", "py3-none-any"), ("two", "py2-none-any")):
        dist = wheel(name, tag=tag)
        broken = replace(dist, data=b"PK\5\6" + bytes(18)) if "py3" in tag else dist
        mirror.upstream.add(broken)
    mirror.configure(projects=["one", "two"], dependencies=True)
    assert mirror.run()["unknown_requirements"] == ["one-1.0-py3-none-any.whl"]


def test_the_wheel_of_a_release_states_the_requirements_of_its_sdist(mirror: Mirrored) -> None:
    mirror.upstream.add(sdist("old", metadata=OLD))
    mirror.upstream.add(wheel("old", requires=["other"]))
    mirror.configure(projects=["old"], dependencies=True)
    assert mirror.run()["unknown_requirements"] == []
    assert sorted(mirror.state()["pages"]) == ["old", "other"]


def test_what_a_buildout_pins_at_an_address_that_it_extends_is_mirrored(
    mirror: Mirrored, tmp_path: Path
) -> None:
    versions = Dist("versions", "1", "versions.cfg", b"[versions]\nacme.app = 1.1\n", b"")
    with FakeIndex([versions]) as index:
        file = tmp_path / "buildout.cfg"
        address = index.file_url("versions.cfg")
        file.write_text(f"[buildout]\nextends = {address}\n", encoding="utf-8")
        mirror.configure(requirements=[str(file)])
        assert mirror.run()["projects"] == 1
