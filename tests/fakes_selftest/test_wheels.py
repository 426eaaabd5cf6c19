"""The distributions are real: pip and uv install them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import DirectoryTree, Dist, FakeIndex, flat_directory, sdist, tree, wheel


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex(
        [wheel("Acme.App", "1.4", requires=["acme-lib>=1"]), sdist("acme-lib", "1.1")]
    ) as it:
        yield it


def _run(*command: str | Path) -> None:
    kept = ("PATH", "HOME", "SYSTEMROOT", "TEMP")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_pip_installs_a_wheel_and_the_sdist_that_it_requires(
    index: FakeIndex, tmp_path: Path
) -> None:
    pip = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check")
    _run(*pip, "--index-url", index.url, "--target", tmp_path, "acme-app")
    assert (tmp_path / "acme_app.py").read_text() == '__version__ = "1.4"\n'
    assert (tmp_path / "acme_lib-1.1.dist-info" / "METADATA").exists()


def test_uv_installs_a_wheel_and_the_sdist_that_it_requires(
    index: FakeIndex, tmp_path: Path
) -> None:
    uv = (sys.executable, "-m", "uv", "pip", "install", "--no-cache", "--python", sys.executable)
    _run(*uv, "--default-index", index.url, "--target", tmp_path, "acme-app")
    assert (tmp_path / "acme_app.py").read_text() == '__version__ = "1.4"\n'
    assert (tmp_path / "acme_lib-1.1.dist-info" / "METADATA").exists()


def test_the_same_arguments_make_the_same_bytes() -> None:
    assert wheel("a", size=100) == wheel("a", size=100)
    assert sdist("a", size=100) == sdist("a", size=100)


def test_size_is_a_lower_bound_even_after_compression() -> None:
    assert 10**6 < len(sdist("a", size=10**6).data) < 10**6 + 10**4


@pytest.mark.parametrize("fanout", [None, 1, 3])
def test_the_first_of_a_tree_pulls_in_all_others(fanout: int | None) -> None:
    dists = {dist.name: dist for dist in tree(10, fanout=fanout)}
    reached, waiting = set[str](), ["tree-0"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += _requirements(dists[name])
    assert reached == dists.keys()


def _requirements(dist: Dist) -> list[str]:
    lines = dist.metadata.decode().splitlines()
    return [line.split(": ")[1] for line in lines if line.startswith("Requires-Dist")]


def test_a_tree_of_two_hundred_takes_less_than_a_second() -> None:
    assert len(tree(200)) == 200


def test_a_directory_tree_links_to_its_files(tmp_path: Path) -> None:
    dist = wheel("Foo_Bar", "1.0+local")
    DirectoryTree(tmp_path).add(dist)
    page = (tmp_path / "simple" / "foo-bar" / "index.html").read_text()
    assert f"../../files/foo_bar-1.0%2Blocal-py3-none-any.whl#sha256={dist.sha256}" in page
    assert (tmp_path / "files" / dist.filename).read_bytes() == dist.data


def test_a_flat_directory_holds_just_the_files(tmp_path: Path) -> None:
    dists = [wheel("a"), sdist("a")]
    flat = flat_directory(tmp_path / "new", dists)
    assert {path.name for path in flat.iterdir()} == {dist.filename for dist in dists}
