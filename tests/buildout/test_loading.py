"""When the extension is at work, and what its section may be made of."""

from pathlib import Path

import pytest

from tests.buildout.support import WITH_OTHERS, WITHOUT_US, Environment, Project
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table

with_others = pytest.mark.parametrize("environment", [WITH_OTHERS], indirect=True)


@with_others
def test_it_does_nothing_in_a_buildout_that_lists_other_extensions_only(
    project: Project, public: FakeIndex
) -> None:
    options = {"extensions": "mr.developer", "index": public.url}
    project.write("", buildout=options, indexfallback=None, py={"eggs": "acme-lib"})
    project.run(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1").expect()
    assert project.version_of("acme_lib") == "3.1"
    assert not project.has_cache


@with_others
def test_it_works_beside_other_extensions_and_a_section_of_its_own_is_enough(
    project: Project, public: FakeIndex
) -> None:
    options = {"extensions": "buildout.wheel\nmr.developer"}
    project.write(f"public = {public.url}", buildout=options)
    project.run().expect()
    assert project.version_of("acme_built") == "2.0"
    assert project.has_cache


@with_others
def test_it_may_stand_before_and_behind_other_extensions(
    project: Project, public: FakeIndex
) -> None:
    for extensions in ("indexfallback\nmr.developer", "mr.developer\nindexfallback"):
        project.write(f"public = {public.url}", buildout={"extensions": extensions})
        project.run().expect()
    assert project.version_of("acme_app") == "1.0"


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
    assert 'Error: [indexfallback] indexes: "pypy" is no index; write "NAME = URL"' in output
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
    assert [project.version_of("acme_built") for project in projects] == ["2.0"] * 3
    assert projects[0].processes() == []


@pytest.mark.parametrize("environment", [WITHOUT_US], indirect=True)
def test_an_extension_that_find_links_has_works_with_every_index_down(
    environment: Environment, project: Project, public: FakeIndex
) -> None:
    options = {"index": "http://127.0.0.1:1/simple/", "find-links": str(environment.wheels)}
    project.write(f"public = {public.url}", buildout=options)
    project.run().expect()
    assert project.version_of("acme_built") == "2.0"
    assert project.has_cache
