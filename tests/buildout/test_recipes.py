"""Processes that recipes or buildout start use the shim as well."""

import re
from pathlib import Path

import pytest

from tests.buildout.recipes import recipe
from tests.buildout.support import WITH_SDIST, Project
from tests.fakes import FakeIndex, sdist, wheel

_NESTED = "from zc.buildout.buildout import main; main(['-c', 'nested.cfg'])"
_PRINT = "import os; print('>', os.environ['PIP_INDEX_URL'], os.environ['no_proxy'])"


@pytest.fixture
def chain(project: Project, public: FakeIndex) -> str:
    public.add(recipe())
    return f"public = {public.url}"


def _part(code: str) -> dict[str, str]:
    return {"recipe": "acme.recipe", "command": f'-c "{code}"'}


def test_a_nested_buildout_uses_the_same_shim(
    project: Project, chain: str, public: FakeIndex
) -> None:
    project.write("", name="nested.cfg", buildout={"extensions": ""}, indexfallback=None)
    project.write(chain, py=_part(_NESTED))
    output = project.run().expect().stdout
    assert project.version_of("acme_app") == "1.0"
    shims = set(re.findall(r"Reading (http://127.0.0.1:\d+)/", output))
    assert len(shims) == 1
    assert public.base not in shims


def test_a_nested_buildout_with_the_extension_uses_the_same_shim(
    project: Project, chain: str
) -> None:
    project.write("", name="nested.cfg", indexfallback={"indexes": "gone = http://127.0.0.1:1/"})
    project.write(chain, py=_part(_NESTED))
    output = project.run().expect().stdout
    assert project.version_of("acme_app") == "1.0"
    assert len(set(re.findall(r"Reading (http://127.0.0.1:\d+)/", output))) == 1


def test_a_part_that_is_not_installed_yet_finds_the_shim_also_with_newest_off(
    project: Project, chain: str, public: FakeIndex
) -> None:
    project.write(chain, py=_part("pass"))
    project.run().expect()
    project.write(chain, buildout={"parts": "other"}, other=_part(_PRINT))
    output = project.run("-N", NO_PROXY="example.com").expect().stdout
    found = re.search(r"> (http://127.0.0.1:\d+)/simple/ (.*)", output)
    assert found is not None
    assert found[1] != public.base
    assert found[2] == "example.com,127.0.0.1,localhost"


def test_pip_and_its_build_isolation_reach_nothing_but_the_shim(
    project: Project, public: FakeIndex
) -> None:
    public.add(wheel("acme-builder"))
    public.add(sdist("acme.built", "2.1", build_requires=["acme-builder"]))
    options = {"index": "http://127.0.0.1:1/simple/"}
    project.write(f"public = {public.url}", buildout=options, py={"eggs": "acme.built"})
    output = project.run("-vvv").expect().stdout
    assert project.version_of("acme_built") == "2.1"
    assert public.count("/files/acme_builder-1.0-py3-none-any.whl") == 1
    looked_in = re.findall(r"Looking in indexes: (.*)", output)
    assert looked_in
    hosts = {host for urls in looked_in for host in re.findall(r"//([^/]*)/", urls)}
    assert len(hosts) == 1
    assert not hosts & {"127.0.0.1:1", f"127.0.0.1:{public.port}"}


def test_the_download_cache_gets_files_under_their_real_names(
    project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    cache = tmp_path / "downloads"
    cache.mkdir()
    options = {"download-cache": str(cache)}
    project.write(f"public = {public.url}", buildout=options, py=WITH_SDIST)
    project.run().expect()
    names = {path.name for path in cache.rglob("*") if path.is_file()}
    assert {"acme_app-1.0-py3-none-any.whl", "acme_built-2.0.tar.gz"} <= names


def test_install_from_cache_looks_nothing_up_but_what_pip_builds_with(
    project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    public.add(wheel("acme-builder"))
    public.add(sdist("acme.built", "2.1", build_requires=["acme-builder"]))
    cache = tmp_path / "downloads"
    cache.mkdir()
    options = {"download-cache": str(cache), "eggs-directory": str(tmp_path / "eggs")}
    project.write(f"public = {public.url}", buildout=options, py={"eggs": "acme.built"})
    project.run().expect()
    project.forget_cache()
    public.clear()
    options |= {"install-from-cache": "true", "eggs-directory": str(tmp_path / "other-eggs")}
    project.write(f"public = {public.url}", buildout=options, py={"eggs": "acme.built"})
    project.run().expect()
    assert project.version_of("acme_built") == "2.1"
    pages = {request.path for request in public.requests if request.path.startswith("/simple/")}
    assert pages <= {"/simple/", "/simple/acme-builder/"}
    assert "/simple/acme-builder/" in pages
