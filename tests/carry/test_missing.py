"""What the cache lacks is named, with the file that requires it."""

import pytest
from packaging.requirements import Requirement

from indexfallback.carry.missing import Need, missing, missing_to_build
from indexfallback.dists.interpreters import Interpreter
from indexfallback.store import Store
from tests.carry.support import PYPI, keep_file
from tests.fakes import Dist, sdist, wheel

HERE = Interpreter("3.12.1", "manylinux_2_28_x86_64").markers
WEB = "web-1.0.tar.gz"


def to_build(store: Store, *dists: Dist, projects: tuple[str, ...] = ("web",)) -> list[str]:
    """Return what is said after these distributions were cached."""
    for dist in dists:
        keep_file(store, PYPI, dist)
    return [str(each) for each in missing_to_build(store, projects, HERE)]


def test_a_build_requirement_that_is_not_cached_is_missing(empty: Store) -> None:
    web = sdist(
        "web", build_requires=["Builder[fast]>=2; os_name == 'posix'", "old; os_name == 'nt'"]
    )
    assert to_build(empty, web) == [f"Builder[fast]>=2, which {WEB} requires to be built"]


def test_a_version_that_the_requirement_does_not_allow_does_not_meet_it(empty: Store) -> None:
    web = sdist("web", build_requires=["builder>=2"])
    (said,) = to_build(empty, web, wheel("builder", "1.9"))
    assert said == f"builder>=2, which {WEB} requires to be built"
    assert to_build(empty, wheel("builder", "2.1rc1")) == []


def test_what_a_build_requirement_requires_is_missing_with_the_extras_that_are_asked_for(
    empty: Store,
) -> None:
    web = sdist("web", build_requires=["builder[fast]"])
    builder = wheel(
        "builder",
        requires=["base", "nt; os_name == 'nt'", "speed; extra == 'fast'", "docs; extra == 'doc'"],
    )
    base = wheel("base", requires=["builder[doc]", "web"])
    assert to_build(empty, web, builder, base) == [
        f"speed, which {builder.filename} requires to build {WEB}",
        f"docs, which {builder.filename} requires to build {WEB}",
    ]


def test_the_newest_version_and_the_wheel_of_it_are_those_that_are_followed(empty: Store) -> None:
    web = sdist("web", build_requires=["builder<3"])
    others = [wheel("builder", version, requires=["wrong"]) for version in ("1.0", "3.0")]
    source = sdist("builder", "2.0", requires=["wrong"])
    assert to_build(empty, web, *others, source, wheel("builder", "2.0", requires=["right"])) == [
        f"right, which builder-2.0-py3-none-any.whl requires to build {WEB}"
    ]


def test_an_sdist_that_is_a_build_requirement_is_followed_if_it_states_its_requirements(
    empty: Store,
) -> None:
    web = sdist("web", build_requires=["builder", "tools"])
    stated = b"Metadata-Version: 2.4\nName: %s\nVersion: 1.0\nDynamic: %s\nRequires-Dist: lib\n\n"
    builder = sdist("builder", metadata=stated % (b"builder", b"License-File"))
    tools = sdist("tools", metadata=stated % (b"tools", b"Requires-Dist"))
    assert to_build(empty, web, builder, tools) == [
        f"lib, which builder-1.0.tar.gz requires to build {WEB}"
    ]


def test_what_several_sdists_require_is_said_once(empty: Store) -> None:
    dists = [sdist("web", version, build_requires=["builder"]) for version in ("1.0", "2.0", "3.0")]
    assert to_build(empty, *dists) == [f"builder, which {WEB} and 2 more require to be built"]


def test_of_an_sdist_beside_a_wheel_of_its_version_nothing_is_missing(empty: Store) -> None:
    dists = [wheel("web"), sdist("web", build_requires=["builder"])]
    assert to_build(empty, *dists) == []
    (said,) = to_build(empty, sdist("web", "2.0", build_requires=["builder"]))
    assert said.startswith("builder, which web-2.0.tar.gz requires")


def test_of_other_projects_nothing_is_missing(empty: Store) -> None:
    assert to_build(empty, sdist("web", build_requires=["builder"]), projects=("other",)) == []


def test_an_address_is_not_met_by_the_cache(empty: Store) -> None:
    web = sdist("web", build_requires=["builder @ https://example.com/builder.zip"])
    (said,) = to_build(empty, web, wheel("builder"))
    assert said.endswith(f"https://example.com/builder.zip, which {WEB} requires to be built")


@pytest.mark.parametrize(
    ("text", "is_missing"), [("web>=1", False), ("Web>1", True), ("api", True)]
)
def test_a_stated_requirement_is_missing_if_no_cached_version_fits(
    empty: Store, text: str, is_missing: bool
) -> None:
    keep_file(empty, PYPI, wheel("web"))
    found = missing(empty, [Need(Requirement(text), "needs.txt:2")])
    assert [str(each) for each in found] == [f"{text}, which needs.txt:2 requires"] * is_missing
