"""The projects that match are exported, and what they require to run and to be built."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexfallback.carry import selection
from indexfallback.carry.selection import select
from indexfallback.dists.wheel import read_wheel_metadata
from indexfallback.store import Store
from tests.carry.support import PRIVATE, PYPI, file_of, keep_file, keep_page
from tests.fakes import Dist, sdist, wheel


def keep(store: Store, *dists: Dist) -> None:
    for dist in dists:
        keep_page(store, PYPI, dist.project, file_of(dist))
        keep_file(store, PYPI, dist)


def chosen(store: Store, *patterns: str, dependencies: bool = True) -> set[str]:
    return set(select(store, patterns, dependencies=dependencies).projects)


def test_all_that_is_known_matches_a_star(full: Store) -> None:
    keep_page(full, PRIVATE, "page-alone")
    full.pins.record("pin-alone", "pin_alone-1.0.tar.gz", "0" * 64, PYPI.key)
    assert chosen(full, "*") == {"acme-app", "idna", "page-alone", "pin-alone"}


def test_requirements_of_requirements_go_whatever_their_marker_or_extra(empty: Store) -> None:
    keep(
        empty,
        wheel("web", requires=["Routes.Fast>=1; sys_platform == 'win32'", "not-here"]),
        wheel("routes-fast", requires=["tests ; extra == 'test'", "web"]),
        wheel("tests"),
        wheel("other"),
    )
    assert chosen(empty, "web") == {"web", "routes-fast", "tests"}
    assert chosen(empty, "web", dependencies=False) == {"web"}


def test_metadata_that_was_fetched_says_it_without_the_wheel(empty: Store) -> None:
    web = wheel("web", requires=["routes"])
    keep(empty, wheel("routes"))
    keep_page(empty, PYPI, "web", file_of(web))
    blob = empty.blobs.add(web.metadata)
    empty.pins.record("web", f"{web.filename}.metadata", blob.sha256, PYPI.key)
    assert chosen(empty, "web") == {"web", "routes"}


def test_what_is_no_requirement_chooses_nothing(empty: Store) -> None:
    keep(empty, wheel("old", requires=["routes (=1"]), wheel("routes"))
    assert chosen(empty, "old") == {"old"}


def test_an_sdist_whose_metadata_is_final_says_it_as_well(empty: Store) -> None:
    keep(empty, sdist("web", requires=["routes"]), wheel("routes"))
    assert chosen(empty, "web") == {"web", "routes"}


def test_what_an_sdist_requires_to_be_built_is_exported_and_what_builds_that(empty: Store) -> None:
    keep(
        empty,
        sdist("web", build_requires=["Builder>=2; sys_platform == 'win32'", "(no requirement"]),
        sdist("builder", "2.1", requires=["helper"], build_requires=["base[fast]"]),
        wheel("helper", requires=["helped"]),
        wheel("helped"),
        wheel("base", requires=["speed; extra == 'fast'"]),
        wheel("speed"),
        wheel("other"),
    )
    builders = {"builder", "helper", "helped", "base", "speed"}
    assert chosen(empty, "web") == {"web", *builders}
    assert select(empty, ["web"], dependencies=True).build_only == builders
    assert select(empty, ["web", "builder"], dependencies=True).build_only == {"base", "speed"}
    assert chosen(empty, "web", dependencies=False) == {"web"}


def test_an_sdist_that_states_nothing_requires_setuptools_and_wheel(empty: Store) -> None:
    keep(empty, wheel("setuptools", "80.0"), wheel("wheel"))
    bare = sdist("web")
    data = bare.data[:100]  # cannot be read
    keep(empty, replace(bare, data=data))
    assert chosen(empty, "web") == {"web", "setuptools", "wheel"}


def test_an_sdist_beside_a_wheel_of_its_version_is_followed_too(empty: Store) -> None:
    keep(empty, wheel("web"), sdist("web", build_requires=["builder"]), wheel("builder"))
    assert chosen(empty, "web") == {"web", "builder"}


def test_an_egg_is_built_already(empty: Store) -> None:
    egg = replace(wheel("web"), filename="web-1.0-py3.12.egg")
    keep(empty, egg, wheel("setuptools", "80.0"))
    assert chosen(empty, "web") == {"web"}


def test_an_extra_that_is_asked_for_is_exported_with_what_it_requires(empty: Store) -> None:
    keep(
        empty,
        wheel("app", requires=["dep[fast]"]),
        wheel("dep", requires=["dep[all]; extra == 'fast'", "speed; extra == 'all'"]),
        wheel("speed", requires=["core"]),
        wheel("core"),
    )
    assert chosen(empty, "app") == {"app", "dep", "speed", "core"}


def test_a_file_that_is_evicted_before_it_is_read_requires_nothing(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, filename: str) -> bytes | None:
        path.unlink()
        return read_wheel_metadata(path, filename)

    monkeypatch.setattr(selection, "read_wheel_metadata", read)
    keep(empty, wheel("web", requires=["routes"]), wheel("routes"))
    assert chosen(empty, "web") == {"web"}
