"""Each real client: set up, a tree installed through the chain, undone to the last byte."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from indexfallback.config.pip import default_url
from tests.clients.conftest import PASSWORD, Chain
from tests.clients.setup.conftest import Programs
from tests.clients.setup.support import Settler
from tests.clients.support import Client, installed, write_config

EXPECTED = {"acme-app": "1.4", "helper": "1.1", "leaf": "3.0"}
PIP_CONF = """\
; mine
[global]
timeout : 60
# PyPI by way of a colleague
[install]
no-compile = yes"""


def _set_up(settler: Settler, client: str, before: dict[str, str]) -> dict[str, bytes]:
    for name, text in before.items():
        file = settler.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    files = settler.files()
    settler.setup(client).expect()
    assert settler.files() != files
    return files


def _undo(settler: Settler, client: str, files: dict[str, bytes]) -> None:
    settler.setup(client, "--undo").expect()
    # Other files there are clients' own doing.
    assert {name: text for name, text in settler.files().items() if name in files} == files
    assert str(settler.port) not in str(settler.files())


@pytest.mark.parametrize("version", ["pip", "old-pip"])
def test_pip(version: str, settler: Settler, outage: Chain, programs: Programs) -> None:
    files = _set_up(settler, "pip", {"config/pip/pip.conf": PIP_CONF})
    target = settler.target()
    with settler.serve("--port", str(settler.port)):
        python = str(programs(version) / "python")
        options = ("--no-cache-dir", "--no-input", "--target", str(target))
        settler.work(python, "-m", "pip", "install", *options, "acme-app").expect()
    assert installed(target) == EXPECTED
    _undo(settler, "pip", files)


def test_uv(settler: Settler, outage: Chain, environments: dict[str, Client]) -> None:
    before = '# mine\nprerelease = "disallow"\n\n[pip]\n# no link\nlink-mode = "copy"'
    files = _set_up(settler, "uv", {"config/uv/uv.toml": before})
    target = settler.target()
    with settler.serve("--port", str(settler.port)):
        settler.work(*environments["uv"].install(target, "acme-app")).expect()
    assert installed(target) == EXPECTED
    _undo(settler, "uv", files)


def test_poetry_with_its_plug_in(settler: Settler, outage: Chain, programs: Programs) -> None:
    before = "[virtualenvs]\nin-project = true # beside the code\n"
    files = _set_up(settler, "poetry", {"config/pypoetry/config.toml": before})
    _project(settler, "[tool.poetry]", "package-mode = false")
    with settler.serve("--port", str(settler.port)):
        settler.work("poetry", "install", "-n", programs=programs("poetry")).expect()
    assert installed(_packages(settler.project / ".venv")).items() >= EXPECTED.items()
    assert "127.0.0.1" not in (settler.project / "poetry.lock").read_text("utf-8")
    _undo(settler, "poetry", files)


def test_pdm(settler: Settler, outage: Chain, programs: Programs) -> None:
    before = "check_update = false\n\n[pypi]\nverify_ssl = true\n"
    files = _set_up(settler, "pdm", {"config/pdm/config.toml": before})
    _project(settler, "[tool.pdm]", "distribution = false")
    with settler.serve("--port", str(settler.port)):
        settler.work("pdm", "install", programs=programs("pdm")).expect()
    assert installed(_packages(settler.project / ".venv")).items() >= EXPECTED.items()
    assert "127.0.0.1" not in (settler.project / "pdm.lock").read_text("utf-8")
    _undo(settler, "pdm", files)


@pytest.mark.skipif(os.name == "nt", reason="there the variable is left to the user")
def test_pipenv_in_a_new_shell(settler: Settler, outage: Chain, programs: Programs) -> None:
    files = _set_up(settler, "pipenv", {".bashrc": "# mine\nalias ll='ls -l'"})
    settler.environment["PIPENV_VENV_IN_PROJECT"] = "1"
    source = f'[[source]]\nname = "pypi"\nurl = "{default_url().rstrip("/")}"\nverify_ssl = true\n'
    (settler.project / "Pipfile").write_text(f'{source}[packages]\nacme-app = "*"\n', "utf-8")
    with settler.serve("--port", str(settler.port)):
        command = f"{programs('pipenv') / 'pipenv'} install"
        settler.work("bash", "-i", "-c", command).expect()
    assert installed(_packages(settler.project / ".venv")).items() >= EXPECTED.items()
    assert "127.0.0.1" not in (settler.project / "Pipfile.lock").read_text("utf-8")
    _undo(settler, "pipenv", files)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_hatch(installer: str, settler: Settler, outage: Chain, programs: Programs) -> None:
    files = _set_up(settler, "hatch", {"config/pip/pip.conf": PIP_CONF})
    _project(
        settler,
        "[tool.hatch.envs.default]",
        f'skip-install = true\ninstaller = "{installer}"\ndependencies = ["acme-app"]',
    )
    settler.environment["HATCH_DATA_DIR"] = str(settler.home / "hatch")
    with settler.serve("--port", str(settler.port)):
        settler.work("hatch", "env", "create", programs=programs("hatch")).expect()
        found = settler.work("hatch", "env", "find", programs=programs("hatch")).expect()
    assert installed(_packages(Path(found.stdout.strip()))).items() >= EXPECTED.items()
    _undo(settler, "hatch", files)


def test_buildout(settler: Settler, outage: Chain, programs: Programs) -> None:
    files = _set_up(settler, "buildout", {".buildout/default.cfg": "[buildout]\nnewest = false\n"})
    (settler.project / "buildout.cfg").write_text(
        "[buildout]\nparts = py\n[py]\nrecipe = zc.recipe.egg\neggs = acme-app\n", "utf-8"
    )
    with settler.serve("--port", str(settler.port)):
        settler.work("buildout", programs=programs("buildout")).expect()
    eggs = {path.name.partition("-py")[0] for path in (settler.project / "eggs").glob("*/*.egg")}
    assert eggs >= {"acme_app-1.4", "helper-1.1", "leaf-3.0"}
    _undo(settler, "buildout", files)


def _project(settler: Settler, *more: str) -> None:
    lines = ["[project]", 'name = "work"', 'version = "1"', 'requires-python = ">=3.10"',
             'dependencies = ["acme-app"]', *more, ""]  # fmt: skip
    (settler.project / "pyproject.toml").write_text("\n".join(lines), "utf-8")


def _packages(environment: Path) -> Path:
    """Return where a virtual environment has its packages."""
    (found,) = [*environment.glob("lib/python*/site-packages"), *environment.glob("Lib/site-pac*")]
    return found


def test_the_chain_of_pip_stays_what_it_was(
    settler: Settler, outage: Chain, environments: dict[str, Client]
) -> None:
    write_config(settler.config, {})
    private = outage.private.url.replace("//", f"//ci:{quote(PASSWORD, safe='')}@")
    text = f"[global]\nextra-index-url = {private}\n[install]\nindex-url = {outage.public.url}\n"
    files = _set_up(settler, "pip", {"config/pip/pip.conf": text})
    target = settler.target()
    with settler.serve("--port", str(settler.port)):
        settler.work(*environments["pip"].install(target, "acme-app")).expect()
    assert installed(target) == EXPECTED
    # pip itself asks both indexes, and so does the chain, to tell copies.
    assert "defer_copies = true" in settler.config.read_text("utf-8")
    _undo(settler, "pip", files)
