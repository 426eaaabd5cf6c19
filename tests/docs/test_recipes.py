"""The recipes that need no package client work; those with clients are tested with the clients."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import CommandLine
from tests.cli.test_background import free_port
from tests.docs.pages import lines, marked
from tests.fakes import FakeIndex, wheel
from tests.serving import wait_until

PAGE = "docs/recipes.md"


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.environ["INDEXFALLBACK_PORT"] = str(free_port())
    made.environ["PATH"] = f"{Path(sys.executable).parent}:{made.environment()['PATH']}"
    return made


def test_pytorchs_index_is_asked_for_its_projects_only(cli: CommandLine) -> None:
    with (
        FakeIndex([wheel("torch", "2.0+cpu"), wheel("jinja2", "3.0")]) as pytorch,
        FakeIndex([wheel("torch", "2.0"), wheel("jinja2", "3.1")]) as public,
    ):
        text = marked(PAGE, "config").replace("https://torch.example.com/whl/cpu/", pytorch.url)
        text = text.replace('url = "pypi"', f'url = "{public.url}"')
        cli.config.write_text(text, encoding="utf-8")
        owners = {name: cli("why", name, "--json").expect().json for name in ("torch", "jinja2")}
        asked = [request.path for request in pytorch.requests]
    assert {name: told["owner"] for name, told in owners.items()} == {
        "torch": "pytorch",
        "jinja2": "pypi",
    }
    assert not [path for path in asked if "jinja2" in path]


def _instructions() -> list[tuple[str, str]]:
    """Return each instruction of the Containerfile with its arguments, in their order."""
    split = (line.split(maxsplit=1) for line in lines(marked(PAGE, "containerfile")))
    return [(name, arguments) for name, arguments in split]


def test_the_image_runs_the_shim_as_a_user_that_it_makes() -> None:
    steps = _instructions()
    (user,) = (arguments for name, arguments in steps if name == "USER")
    assert user not in ("root", "0")
    assert ("RUN", f"useradd --create-home {user}") in steps[: steps.index(("USER", user))]
    assert ("VOLUME", f"/home/{user}") in steps


@pytest.mark.skipif(sys.platform == "win32", reason="a container of Linux")
def test_the_image_is_healthy_while_the_shim_answers(cli: CommandLine) -> None:
    steps = dict(_instructions())
    port = cli.environ["INDEXFALLBACK_PORT"]
    check = json.loads(steps["HEALTHCHECK"].removeprefix("CMD ").replace("5503", port))
    with FakeIndex() as index:
        cli.configure(f'[[index]]\nname = "pypi"\nurl = "{index.url}"\n')
        copied = steps["COPY"].split()[-1]
        command = json.loads(steps["CMD"].replace(copied, str(cli.config)))
        assert str(cli.config) in command
        environ = cli.environment()

        def is_healthy() -> bool:
            done = subprocess.run(
                check, check=False, env=environ, cwd=cli.directory, capture_output=True, timeout=20
            )
            return done.returncode == 0

        assert not is_healthy()
        shim = subprocess.Popen(command, env=environ, cwd=cli.directory, stderr=subprocess.DEVNULL)
        try:
            wait_until(is_healthy, 20, "the check of health fails")
        finally:
            shim.terminate()
            shim.wait(20)


@pytest.mark.skipif(not shutil.which("bash"), reason="direnv runs bash")
def test_direnvs_file_points_clients_at_the_shim(cli: CommandLine) -> None:
    told = 'printf "%s %s" "$PIP_INDEX_URL" "$UV_DEFAULT_INDEX"'
    done = subprocess.run(
        ["bash", "-euc", f"{marked(PAGE, 'direnv')}\n{told}"], check=True, cwd=cli.directory,
        # The user's own shell is another one.
        env=cli.environment(SHELL="/usr/bin/fish"), capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    url = f"http://127.0.0.1:{cli.environ['INDEXFALLBACK_PORT']}/simple/"
    assert done.stdout == f"{url} {url}"
