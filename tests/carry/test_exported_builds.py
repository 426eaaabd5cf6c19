"""What builds an sdist is in its export: real clients build it where no index can be reached."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.buildout.support import NEWEST, Project
from tests.clients.support import Client, User, installed, write_config
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.in_process import indexfallback

PACKED = sdist("packed", "3.0", requires=["lib"], build_requires=["builder[fast]>=2"])
DISTS = (
    PACKED,
    wheel("lib", "1.1"),
    wheel("builder", "2.1", requires=["base", "speed; extra == 'fast'"]),
    wheel("base"),
    wheel("speed"),
)
UNRELATED = wheel("unrelated")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([*DISTS, UNRELATED]) as index:
        yield index


@pytest.fixture
def new_user(tmp_path: Path, index: FakeIndex) -> Callable[[str], User]:
    """Return a factory of users, each with a home and a cache of their own."""

    def make(name: str) -> User:
        home = tmp_path / name
        home.mkdir()
        user = User(home)
        write_config(user.config, {"public": {"url": index.url, "role": "public"}})
        return user

    return make


def test_pip_and_uv_build_what_was_exported_with_a_requirement_file(
    new_user: Callable[[str], User],
    index: FakeIndex,
    environments: dict[str, Client],
    tmp_path: Path,
) -> None:
    here, there = new_user("here"), new_user("there")
    # Pins, because resolvers would build the sdist, which takes a while.
    locked, more = tmp_path / "locked.txt", tmp_path / "more.txt"
    locked.write_text("".join(map(_pin, DISTS[:2])), encoding="utf-8")
    more.write_text(_pin(UNRELATED), encoding="utf-8")
    archive, house = tmp_path / "packed.tar", tmp_path / "house"
    here.ours("fetch", "-r", str(locked), "-r", str(more)).expect()
    done = here.ours("cache", "export", str(archive), "-r", str(locked)).expect()
    assert "not cached" not in done.stderr
    there.ours("cache", "import", str(archive)).expect()
    wheelhouse = ("--format", "wheelhouse", str(house), "--projects", "packed")
    here.ours("cache", "export", *wheelhouse).expect()
    index.stop_listening()
    for name in ("pip", "uv"):
        target = there.target()
        command = environments[name].install(target, "packed")
        there.run(*command, options=("--offline",)).expect()
        assert installed(target) == {"packed": "3.0", "lib": "1.1"}
    files = {path.name for path in house.iterdir()}
    assert files == {"requirements.txt", *(dist.filename for dist in DISTS)}


def _pin(dist: Dist) -> str:
    return f"{dist.project}=={dist.version} --hash=sha256:{dist.sha256}\n"


def test_buildout_builds_what_was_exported_with_its_pins(
    new_user: Callable[[str], User], project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    for dist in DISTS:
        public.add(dist)
    here = new_user("here")
    write_config(here.config, {"public": {"url": public.url, "role": "public"}})
    pins = {"packed": "3.0", "lib": "1.1", "zc.recipe.egg": NEWEST.recipe}
    section = {"config": str(here.config), "indexes": ""}
    project.write("", indexfallback=section, versions=pins, py={"eggs": "packed"})
    # The pins alone: of the recipe, zc.buildout itself would be fetched, too.
    versions, archive = tmp_path / "versions.cfg", str(tmp_path / "packed.tar")
    lines = (f"{name} = {version}" for name, version in pins.items())
    versions.write_text("\n".join(["[versions]", *lines, ""]), encoding="utf-8")
    here.ours("fetch", "-r", str(versions)).expect()
    here.ours("cache", "export", archive, "-r", str(versions)).expect()
    public.stop_listening()
    there = {**project.environ, "INDEXFALLBACK_CONFIG": str(here.config)}
    indexfallback("cache", "import", archive, environ=there).check_returncode()
    project.run(INDEXFALLBACK_OFFLINE="1").expect()
    assert project.version_of("packed") == "3.0"
