"""When the extension is enabled, and how its section may be written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.buildout.recipes import extension
from tests.buildout.support import WITH_ANOTHER, WITHOUT_US, Environment, Project
from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.in_process import ROOT
from tests.serving import index_table

with_another = pytest.mark.parametrize("environment", [WITH_ANOTHER], indirect=True)


def test_where_it_is_not_asked_for_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, types, buildout_ext\n"
        "class Buildout(dict):\n    offline = False\n"
        "buildout = Buildout(buildout={'extensions': 'mr.developer indexfallback.other'})\n"
        "buildout_ext.load(buildout)\nbuildout_ext.unload(buildout)\n"
        "print([name for name in sys.modules if name.partition('.')[0] in "
        "('indexfallback', 'zc', 'requests', 'msgspec')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@with_another
def test_it_does_nothing_in_a_buildout_that_lists_other_extensions_only(
    project: Project, public: FakeIndex
) -> None:
    options = {"extensions": "mr.developer", "index": public.url}
    project.write("", buildout=options, indexfallback=None, py={"eggs": "acme-lib"})
    project.run(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1").expect()
    assert project.version_of("acme_lib") == "3.1"
    assert not project.has_cache


@with_another
def test_its_section_is_enough_where_another_extension_is_listed(
    project: Project, public: FakeIndex
) -> None:
    project.write(f"public = {public.url}", buildout={"extensions": "mr.developer"})
    project.run().expect()
    assert project.has_cache


@with_another
@pytest.mark.parametrize(
    "extensions",
    ["indexfallback\nmr.developer\nacme.extension", "acme.extension\nmr.developer\nindexfallback"],
)
def test_it_works_before_and_behind_other_extensions(
    extensions: str, project: Project, public: FakeIndex, tmp_path: Path
) -> None:
    links = flat_directory(tmp_path / "links", [extension()])
    # That the extensions themselves are looked up in, before any of them is at work.
    options = {"extensions": extensions, "find-links": str(links), "index": "http://127.0.0.1:1/"}
    project.write(f"public = {public.url}", buildout=options)
    output = project.run().expect().stdout
    assert project.version_of("acme_app") == "1.0"
    assert "> loaded" in output
    assert "> unloaded" in output


def test_the_users_own_buildout_defaults_are_enough(project: Project, public: FakeIndex) -> None:
    defaults = Path(project.environ["HOME"]) / ".buildout"
    defaults.mkdir()
    (defaults / "default.cfg").write_text(
        "[buildout]\nextensions = indexfallback\n"
        f"[indexfallback]\nindexes = public = {public.url}\n",
        encoding="utf-8",
    )
    project.write("", buildout={"extensions": ""}, indexfallback=None)
    text = project.config.read_text(encoding="utf-8")
    project.config.write_text(text.replace("extensions = \n", ""), encoding="utf-8")
    project.run().expect()
    assert project.version_of("acme_app") == "1.0"


def test_a_section_may_be_extended_added_to_and_substituted_in(
    project: Project, first: FakeIndex, public: FakeIndex
) -> None:
    first.add(wheel("acme-app", "0.9"))
    project.write(f"private = {first.base}/${{hosts:path}}/", hosts={"path": "simple"})
    project.config.rename(project.directory / "base.cfg")
    project.config.write_text(
        f"[buildout]\nextends = base.cfg\n[indexfallback]\nindexes +=\n    public = {public.url}\n",
        encoding="utf-8",
    )
    project.run().expect()
    assert project.version_of("acme_app") == "0.9"
    assert public.count("/simple/zc-recipe-egg/") > 0


def test_a_wrong_section_is_an_error_as_buildouts_own(project: Project) -> None:
    project.write("pypy")
    output = project.run().expect(1).stdout
    assert 'Error: [indexfallback] indexes: "pypy" is not an index; write "NAME = URL"' in output
    assert "Traceback" not in output


def test_the_shim_of_this_chain_that_runs_already_is_used_and_goes_on(
    project: Project, public: FakeIndex, served: Serve
) -> None:
    directory = project.directory.parent
    shim = served(index_table("public", public.url), directory=directory)
    project.write("", indexfallback={"config": str(directory / "config.toml"), "indexes": ""})
    project.run(INDEXFALLBACK_PORT=str(shim.port)).expect()
    assert shim.json("/-/status")["activity"]["projects"]["acme-app"]["owner"] == "public"


def test_several_buildouts_at_once_share_a_cache(
    environment: Environment, public: FakeIndex, tmp_path: Path
) -> None:
    projects = [Project(tmp_path / f"project-{number}", environment) for number in range(3)]
    public.delay(0.3)
    for project in projects:
        project.write(f"public = {public.url}")
    starts = [project.running() for project in projects]
    running = [start.__enter__() for start in starts]
    try:
        codes = [each.process.wait(300) for each in running]
    finally:
        for start in starts:
            start.__exit__(None, None, None)
    assert codes == [0, 0, 0], [each.output for each in running]
    assert [project.version_of("acme_app") for project in projects] == ["1.0"] * 3
    assert projects[0].processes() == []


@pytest.mark.parametrize("environment", [WITHOUT_US], indirect=True)
def test_an_extension_that_find_links_has_works_with_every_index_down(
    environment: Environment, project: Project, public: FakeIndex
) -> None:
    options = {"index": "http://127.0.0.1:1/simple/", "find-links": str(environment.wheels)}
    project.write(f"public = {public.url}", buildout=options)
    project.run().expect()
    assert project.version_of("acme_app") == "1.0"
    assert project.has_cache
