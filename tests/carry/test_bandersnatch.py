"""A tree that the real bandersnatch has written is imported, and served with no index behind."""

import json
import subprocess
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.clients.setup.conftest import Programs
from tests.clients.support import CLIENT_SECONDS, Client, User, installed, write_config
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.fakes.pages import UPLOAD_TIME
from tests.serving import clean_environment, index_table

pytestmark = pytest.mark.network

DISTS = [wheel("idna", "3.9"), wheel("idna", "3.10"), sdist("idna", "3.10"), wheel("acme.Lib")]
#: Of each project: what is below that of the list of names is stale to bandersnatch.
_SERIAL = 2 * 10**9
_CONFIG = """\
[mirror]
directory = {directory}
master = {master}
allow-non-https = true
api-method = simple
json = false
timeout = 30
workers = 2
hash-index = {hashed}
simple-format = {form}
stop-on-error = true
"""


def path_of(dist: Dist) -> str:
    """Return where PyPI has a file: bandersnatch has it there, too."""
    sha256 = dist.sha256
    return f"/packages/{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}/{dist.filename}"


@pytest.fixture
def upstream() -> Iterator[FakeIndex]:
    """Return an index with what bandersnatch asks PyPI for: releases, and files at their places."""
    with FakeIndex() as index:
        index.serials = True
        for dist in DISTS:
            index.add(dist, url=index.base + path_of(dist))
            index.answer(body=dist.data, path=path_of(dist))
        for project in {dist.project for dist in DISTS}:
            headers = {"Content-Type": "application/json", "X-PyPI-Last-Serial": str(_SERIAL)}
            index.answer(200, headers, _releases(index, project), path=f"/pypi/{project}/json")
        yield index


def _releases(index: FakeIndex, project: str) -> bytes:
    dists = [dist for dist in DISTS if dist.project == project]
    releases: dict[str, list[dict[str, object]]] = {dist.version: [] for dist in dists}
    for dist in dists:
        md5_digest = md5(dist.data, usedforsecurity=False).hexdigest()
        releases[dist.version].append({
            "filename": dist.filename, "url": index.base + path_of(dist), "size": len(dist.data),
            "digests": {"sha256": dist.sha256, "md5": md5_digest}, "md5_digest": md5_digest,
            "packagetype": "bdist_wheel" if dist.is_wheel else "sdist", "yanked": False,
            "yanked_reason": None, "has_sig": False, "requires_python": None,
            "upload_time_iso_8601": UPLOAD_TIME,
        })  # fmt: skip
    info = {"name": dists[0].name, "version": dists[-1].version}
    return json.dumps({"info": info, "last_serial": _SERIAL, "releases": releases}).encode()


@pytest.fixture(params=[("false", "ALL"), ("true", "HTML")], ids=["plain", "hash-index"])
def tree(
    request: pytest.FixtureRequest, tmp_path: Path, upstream: FakeIndex, programs: Programs
) -> Path:
    """Return what a run of bandersnatch has written."""
    config, directory = tmp_path / "bandersnatch.conf", tmp_path / "mirror"
    hashed, form = request.param
    text = _CONFIG.format(directory=directory, master=upstream.base, hashed=hashed, form=form)
    config.write_text(text, encoding="utf-8")
    subprocess.run(
        [programs("bandersnatch") / "bandersnatch", "-c", config, "mirror"],
        env=clean_environment(tmp_path), check=True, timeout=CLIENT_SECONDS,
    )  # fmt: skip
    return directory


def test_all_of_it_is_taken_for_what_an_index_has(
    cli: CommandLine, upstream: FakeIndex, tree: Path
) -> None:
    cli.configure(index_table("pypi", upstream.url))
    upstream.stop_listening()
    arguments = ("--offline", "cache", "import", str(tree), "--as", "pypi", "--json")
    report = cli(*arguments).expect().json
    assert report["kind"] == "bandersnatch tree"
    assert report["pages"] == 2
    assert sorted(file["filename"] for file in report["taken"]) == sorted(
        dist.filename for dist in DISTS
    )
    assert report["left"] == []
    cli("cache", "verify").expect()


def test_pip_installs_from_it(
    user: User, environments: dict[str, Client], upstream: FakeIndex, tree: Path
) -> None:
    write_config(user.config, {"pypi": {"url": upstream.url, "role": "public"}})
    upstream.stop_listening()
    user.ours("--offline", "cache", "import", str(tree), "--as", "pypi").expect()
    target = user.target()
    command = environments["pip"].install(target, "idna", "acme-lib")
    user.run(*command, options=("--offline",)).expect()
    assert installed(target) == {"idna": "3.10", "acme-lib": "1.0"}
