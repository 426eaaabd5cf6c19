"""A buildout on the real PyPI: a recipe and a project with dependencies, then without asking."""

import pytest

from tests.buildout.support import NEWEST, Project
from tests.clients.conftest import Access
from tests.clients.support import NO_NETWORK, may_have_own_network
from tests.in_process import indexfallback
from tests.serving import clean_environment, config_text, index_table

pytestmark = pytest.mark.network


def test_a_recipe_and_a_project_with_dependencies_are_installed_then_from_the_cache(
    project: Project, access: Access | None
) -> None:
    if access is None:
        pytest.skip("no network")
    project.environ = clean_environment(project.directory.parent, **access.environment())
    # An empty section: the chain is what pip is configured with, and the index of the buildout.
    section = {"indexes": "", "offline": "false"}
    options = {"index": access.url}
    project.write("", buildout=options, indexfallback=section, py={"eggs": "jinja2"})
    project.run().expect()
    version = project.version_of("jinja2")
    assert project.version_of("markupsafe")
    project.forget_eggs()
    section["offline"] = "true"
    project.write("", buildout=options, indexfallback=section, py={"eggs": "jinja2"})
    project.run().expect()
    assert project.version_of("jinja2") == version


def test_without_any_network_the_newest_versions_that_are_here_are_installed(
    project: Project, access: Access | None
) -> None:
    if access is None:
        pytest.skip("no network")
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    project.environ = clean_environment(project.directory.parent, **access.environment())
    options = {"index": access.url}
    section, eggs = {"indexes": ""}, {"eggs": "jinja2"}
    older = {"jinja2": "3.0.3", "markupsafe": "2.0.1"}
    project.write("", buildout=options, indexfallback=section, py=eggs, versions=older)
    project.run().expect()
    project.forget_eggs()
    project.write("", buildout=options, indexfallback=section, py=eggs)
    project.run(before=NO_NETWORK).expect()
    assert {name: project.version_of(name) for name in older} == older


def test_what_was_fetched_is_installed_without_any_network(
    project: Project, access: Access | None
) -> None:
    if access is None:
        pytest.skip("no network")
    if not may_have_own_network():
        pytest.skip("no network namespaces for this user on this system")
    project.environ = clean_environment(project.directory.parent, **access.environment())
    config = project.directory / "indexfallback.toml"
    config.write_text(config_text(index_table("pypi", access.url)), encoding="utf-8")
    fetch = ("--config", str(config), "fetch", "jinja2", f"zc.recipe.egg=={NEWEST.recipe}")
    indexfallback(*fetch, environ=project.environ).check_returncode()
    section = {"config": str(config), "indexes": ""}
    project.write("", indexfallback=section, py={"eggs": "jinja2"})
    project.run(before=NO_NETWORK).expect()
    assert project.version_of("jinja2")
    assert project.version_of("markupsafe")
