"""A buildout on the real PyPI: a recipe and a project with dependencies, then without asking."""

import pytest

from tests.buildout.support import Project
from tests.clients.conftest import Access
from tests.serving import clean_environment

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
