"""Clients that are set up for a shim that asks for the user's own token."""

import os
from pathlib import Path

import pytest

from tests.clients.conftest import Chain
from tests.clients.setup.support import Settler
from tests.clients.support import Client, installed, uv_executable

EXPECTED = {"acme-app": "1.4", "helper": "1.1", "leaf": "3.0"}
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")


@pytest.fixture
def private(outage: Chain) -> Chain:
    outage.configure(server_private=True)
    return outage


def file_of(settler: Settler, name: str, text: str) -> Path:
    """Write a client's file that others can read."""
    file = settler.home / "config" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    return file


@posix
@pytest.mark.parametrize(
    ("name", "text"),
    [("pip/pip.conf", "[global]\ntimeout = 60\n"), ("uv/uv.toml", "# mine\n")],
)
@pytest.mark.usefixtures("private")
def test_it_installs_with_the_token_which_an_undo_removes(
    name: str, text: str, settler: Settler, environments: dict[str, Client]
) -> None:
    client = name.partition("/")[0]
    file = file_of(settler, name, text)
    done = settler.setup(client).expect()
    token = settler.ours("token", "show").expect().stdout.strip()
    assert f"//__token__:{token}@127.0.0.1:{settler.port}/simple/" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in done.stdout + done.stderr
    target = settler.target()
    with settler.serve("--port", str(settler.port)):
        settler.work(*environments[client].install(target, "acme-app")).expect()
        settler.setup(client).expect()  # again, with nothing to do
    assert installed(target) == EXPECTED
    settler.setup(client, "--undo").expect()
    assert (file.read_text("utf-8"), file.stat().st_mode & 0o777) == (text, 0o644)


@posix
def test_a_client_that_was_set_up_before_is_refused_until_it_is_set_up_again(
    settler: Settler, outage: Chain, environments: dict[str, Client]
) -> None:
    file = file_of(settler, "uv/uv.toml", "# mine\n")
    settler.setup("uv").expect()
    assert file.stat().st_mode & 0o777 == 0o644
    outage.configure(server_private=True)
    with settler.serve("--port", str(settler.port)):
        install = environments["uv"].install
        assert settler.work(*install(settler.target(), "leaf")).code != 0
        settler.setup("uv").expect()
        settler.work(*install(settler.target(), "leaf")).expect()
    settler.setup("uv", "--undo").expect()
    assert (file.read_text("utf-8"), file.stat().st_mode & 0o777) == ("# mine\n", 0o644)


@posix
def test_a_lock_file_of_uv_has_no_token(settler: Settler, private: Chain) -> None:
    settler.setup("uv").expect()
    token = settler.ours("token", "show").expect().stdout.strip()
    (settler.project / "pyproject.toml").write_text(
        '[project]\nname = "work"\nversion = "1"\nrequires-python = ">=3.10"\n'
        'dependencies = ["acme-app"]\n',
        "utf-8",
    )
    with settler.serve("--port", str(settler.port)):
        settler.work(uv_executable(), "lock").expect()
    lock = (settler.project / "uv.lock").read_text("utf-8")
    assert "acme-app" in lock
    assert token not in lock


@pytest.mark.parametrize("client", ["pipenv", "buildout"])
def test_a_client_that_copies_the_address_into_projects_is_refused(
    client: str, settler: Settler, private: Chain
) -> None:
    before = settler.files()
    done = settler.setup(client).expect(1)
    assert f"{client} would copy your token" in " ".join(done.stderr.split())
    assert f"`indexfallback run -- {client}`" in " ".join(done.stderr.split())
    assert settler.files() == before
