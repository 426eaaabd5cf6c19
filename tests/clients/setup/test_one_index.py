"""One index of the chain alone, as uv and poetry bind single dependencies to it."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.setup.conftest import Programs
from tests.clients.setup.support import Settler
from tests.clients.support import installed, uv_executable
from tests.fakes import wheel

#: ``acme-app`` is private, with a higher version on the public index; ``shared`` is public.
EXPECTED = {"acme-app": "1.4", "helper": "1.1", "leaf": "3.0", "shared": "2.0"}


@pytest.fixture(autouse=True)
def _shared(outage: Chain) -> None:
    outage.public.add(wheel("shared", "2.0"))


def _address(settler: Settler, index: str) -> str:
    return f"http://127.0.0.1:{settler.port}/index/{index}/simple/"


def _project(settler: Settler, *lines: str) -> None:
    (settler.project / "pyproject.toml").write_text("\n".join([*lines, ""]), "utf-8")


def _installed(settler: Settler) -> dict[str, str]:
    (packages,) = (settler.project / ".venv").glob("[lL]ib/**/site-packages")
    return {name: version for name, version in installed(packages).items() if name in EXPECTED}


def _uv_project(settler: Settler, **sources: str) -> None:
    """Write a project that binds each dependency to one index."""
    indexes = [f'[[tool.uv.index]]\nname = "{name}"\nurl = "{_address(settler, name)}"\n'
               "explicit = true" for name in ("private", "public")]  # fmt: skip
    bound = {name.replace("_", "-"): index for name, index in sources.items()}
    _project(
        settler,
        '[project]\nname = "work"\nversion = "1"\nrequires-python = ">=3.10"',
        f"dependencies = {list(bound)}",
        "[tool.uv]\npackage = false",
        "[tool.uv.sources]",
        *(f'{name} = {{ index = "{index}" }}' for name, index in bound.items()),
        *indexes,
    )
    settler.setup("uv").expect()


def test_a_private_name_that_uv_is_to_take_from_the_public_index_is_refused(
    settler: Settler, outage: Chain
) -> None:
    _uv_project(settler, acme_app="public", shared="public")
    with settler.serve("--port", str(settler.port)) as served:
        assert served.get("/-/why/acme-app")["owner"] == "private"
        done = settler.work(uv_executable(), "sync", "--no-cache")
    assert done.code != 0
    assert not (settler.project / "uv.lock").exists()


def test_explicit_indexes_of_uv(settler: Settler, outage: Chain) -> None:
    _uv_project(settler, acme_app="private", shared="public")
    with settler.serve("--port", str(settler.port)):
        settler.work(uv_executable(), "sync", "--no-cache").expect()
        settler.work(uv_executable(), "sync", "--no-cache", "--locked").expect()
    assert _installed(settler) == EXPECTED


def test_sources_of_poetry(settler: Settler, outage: Chain, programs: Programs) -> None:
    settler.environment["POETRY_VIRTUALENVS_IN_PROJECT"] = "1"
    settler.setup("poetry").expect()
    sources = [f'[[tool.poetry.source]]\nname = "{name}"\nurl = "{_address(settler, name)}"\n'
               'priority = "explicit"' for name in ("private", "public")]  # fmt: skip
    _project(
        settler,
        "[tool.poetry]\npackage-mode = false",
        '[tool.poetry.dependencies]\npython = ">=3.10"',
        'acme-app = { version = "*", source = "private" }',
        'shared = { version = "*", source = "public" }',
        *sources,
    )
    with settler.serve("--port", str(settler.port)):
        settler.work("poetry", "install", "-n", programs=programs("poetry")).expect()
    assert _installed(settler) == EXPECTED


def test_a_source_of_poetry_that_is_down_stops_it_and_nobody_else_is_asked(
    settler: Settler, outage: Chain, programs: Programs
) -> None:
    outage.private.stop_listening()
    _project(
        settler,
        "[tool.poetry]\npackage-mode = false",
        '[tool.poetry.dependencies]\npython = ">=3.10"',
        'acme-app = { version = "*", source = "private" }',
        f'[[tool.poetry.source]]\nname = "private"\nurl = "{_address(settler, "private")}"',
        'priority = "explicit"',
    )
    settler.setup("poetry").expect()
    with settler.serve("--port", str(settler.port)):
        done = settler.work("poetry", "lock", "-n", programs=programs("poetry"))
    assert done.code != 0
    assert outage.public.count("/simple/acme-app/") == 0
