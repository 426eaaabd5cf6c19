"""Real clients install what lies in a directory that pip2pi wrote, legacy file names included."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.support import Client, User, write_config
from tests.fakes import flat_directory, sdist, wheel

#: As distutils named it.
LEGACY = replace(
    sdist("foo-bar", "1.0.post2", requires=["acme-lib"]), filename="foo-bar-1.0-2.tar.gz"
)
LIB = wheel("acme-lib", "2.0")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    root = flat_directory(tmp_path / "packages", [LEGACY, LIB])
    links = ""
    for dist in (LEGACY, LIB):
        below = root / "simple" / dist.project
        below.mkdir(parents=True)
        (below / dist.filename).symlink_to(f"../../{dist.filename}")
        (below / "index.html").write_text(f"<a href='{dist.filename}'>{dist.filename}</a><br />\n")
        links += f"<a href='{dist.project}/'>{dist.project}</a><br />\n"
    (root / "simple" / "index.html").write_text(f"<html><body>\n{links}</body></html>\n")
    return root


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
@pytest.mark.parametrize("name", ["pip", "uv"])
@pytest.mark.parametrize("url", [".", "simple"])
def test_a_client_installs_from_the_output_of_pip2pi(
    name: str, url: str, directory: Path, user: User, environments: dict[str, Client]
) -> None:
    write_config(user.config, {"own": {"url": str(directory / url)}})
    with user.serve() as served:
        done = user.install(environments[name], served.url, "foo-bar==1.0.post2")
    assert done.expect() == {"foo-bar": "1.0.post2", "acme-lib": "2.0"}
