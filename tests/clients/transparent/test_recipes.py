"""The recipes of the documentation that install something, with real clients."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.clients.setup.conftest import Programs
from tests.clients.setup.support import Settler
from tests.clients.support import installed, write_config
from tests.clients.transparent.support import Developer, Internet
from tests.docs.pages import marked
from tests.fakes import FakeIndex, wheel

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(os.name == "nt", reason="the recipes are for Unix"),
]

PAGE = "docs/recipes.md"
_READ_YAML = "import json, sys, yaml; json.dump(yaml.safe_load(sys.argv[1]), sys.stdout)"
_TEST = """\
import unittest
from importlib.metadata import version

class Test(unittest.TestCase):
    def test(self):
        self.assertEqual(version("acme-app"), "1.4")
"""


def _github(pipeline: Any, job: str) -> tuple[Mapping[str, str], list[str]]:
    steps = pipeline["jobs"][job]["steps"]
    return pipeline["env"], [step["run"] for step in steps if "run" in step]


def _gitlab(pipeline: Any, job: str) -> tuple[Mapping[str, str], list[str]]:
    return pipeline["variables"], pipeline[job]["script"]


#: What stands for the directory of the checkout, and how a job's variables and commands are found.
PIPELINES = {"github": ("${{ github.workspace }}", _github), "gitlab": ("$CI_PROJECT_DIR", _gitlab)}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_second_job_installs_from_the_cache_of_the_first(
    name: str, developer: Developer, internet: Internet, programs: Programs
) -> None:
    checkout, read = PIPELINES[name]
    developer.configure("private", "pypi")
    reader = str(programs("runners") / "python")
    pipeline = json.loads(
        developer.direct(reader, "-c", _READ_YAML, marked(PAGE, name)).expect().stdout
    )

    def work(job: str) -> None:
        """Do a job, which installs what is required."""
        developer.write({"requirements.txt": "acme-app\nfoo\n"})
        target = developer.project / "installed"
        variables, commands = read(pipeline, job)
        developer.environment |= {
            **{key: text.replace(checkout, str(developer.project))
               for key, text in variables.items()},
            "PIP_NO_COMPILE": "1",
            "PIP_TARGET": str(target), "XDG_STATE_HOME": str(developer.project / "state"),
        }  # fmt: skip
        developer.direct("sh", "-ec", "\n".join(commands)).expect()
        assert installed(target).items() >= {"acme-app": "1.4", "foo": "1.0"}.items()

    _give_program(developer.project / ".ci" / "tool" / "bin")
    work("online")
    kept = developer.project / ".ci"
    developer.start_project({})
    shutil.copytree(kept, developer.project / ".ci")
    internet.stop()
    work("offline")


def _give_program(directory: Path) -> None:
    """Put the program where a recipe would install its wheel."""
    directory.mkdir(parents=True)
    program = directory / "indexfallback"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m indexfallback "$@"\n', "utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("program", "file", "recipe"), [("tox", "tox.ini", "tox"), ("nox", "noxfile.py", "nox")]
)
def test_environments_of_test_runners_are_installed_through_the_chain(
    program: str, file: str, recipe: str, developer: Developer, programs: Programs
) -> None:
    developer.configure("private", "pypi")
    developer.write({file: marked(PAGE, recipe), "test_it.py": _TEST})
    done = developer.through(program, programs=programs("runners")).expect()
    assert "went past" not in done.said
    assert "3 projects" in done.said


def test_a_development_container_installs_through_its_shim(tmp_path: Path) -> None:
    recipe = json.loads(marked(PAGE, "devcontainer"))
    user = Settler(tmp_path)
    assert set(recipe["containerEnv"]) <= set(user.environment)
    (user.project / "requirements.txt").write_text("acme-app\n", encoding="utf-8")
    target = user.target()
    user.environment["PIP_TARGET"] = str(target)
    with FakeIndex([wheel("acme-app", "1.4")]) as index:
        write_config(user.config, {"pypi": {"url": index.url}})
        first = Path(sys.executable).parent
        try:
            for step in ("postCreateCommand", "postStartCommand"):
                user.work("sh", "-ec", recipe[step], programs=first).expect()
        finally:
            user.ours("serve", "--stop").expect()
        assert index.count()
    assert installed(target) == {"acme-app": "1.4"}
