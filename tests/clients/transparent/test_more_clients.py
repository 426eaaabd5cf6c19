"""Hatch, and zc.buildout without the extension, find their projects through the tunnel."""

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.transparent.support import WEB, Developer, Internet, packages

pytestmark = pytest.mark.network

HATCH = """\
[project]
name = "mine"
version = "1"

[tool.hatch.envs.default]
skip-install = true
installer = "uv"
dependencies = ["acme-app"]
"""
BASE = b"[versions]\nfoo = 0.9\n"
BUILDOUT = f"""\
[buildout]
extends = https://{WEB}/base.cfg
extends-cache = {{extends}}
parts = py

[py]
recipe = zc.recipe.egg
eggs = foo
"""


def test_hatch_installs_private_projects(developer: Developer, programs: Programs) -> None:
    developer.configure("private", "pypi")
    developer.environment["HATCH_DATA_DIR"] = str(developer.home / "hatch")
    developer.start_project({"pyproject.toml": HATCH})
    developer.through("hatch", "env", "create", programs=programs("hatch")).expect()
    (environment,) = (developer.home / "hatch").glob("env/virtual/*/*/*")
    expected = {"acme-app": "1.4", "acme-lib": "1.0", "bar": "1.1"}
    assert packages(environment).items() >= expected.items()


def test_buildout_extends_a_file_of_another_host_and_needs_no_host_the_second_time(
    developer: Developer, internet: Internet, programs: Programs
) -> None:
    internet.web.answer(200, {"Content-Type": "text/plain"}, BASE, path="/base.cfg")
    extends = developer.home / "extends"
    extends.mkdir()
    text = BUILDOUT.format(extends=extends)

    def build() -> None:
        developer.start_project({"buildout.cfg": text})
        developer.through("buildout", "-N", programs=programs("buildout")).expect()
        (egg,) = developer.project.glob("eggs/*/*.egg")
        assert egg.name.startswith("foo-0.9-")
        assert "127.0.0.1" not in (developer.project / ".installed.cfg").read_text("utf-8")

    build()
    internet.stop()
    build()
