"""Of the cache go the projects that match, and what they require."""

from indexfallback.carry.selection import select
from indexfallback.store import Store
from tests.carry.support import PRIVATE, PYPI, file_of, keep_file, keep_page
from tests.fakes import Dist, sdist, wheel


def keep(store: Store, *dists: Dist) -> None:
    for dist in dists:
        keep_page(store, PYPI, dist.project, file_of(dist))
        keep_file(store, PYPI, dist)


def chosen(store: Store, *patterns: str, dependencies: bool = True) -> set[str]:
    return set(select(store, patterns, dependencies=dependencies))


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
