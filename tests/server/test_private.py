"""With ``private = true`` other users of this machine read nothing; the user's own clients do."""

import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexfallback.config.load import load_settings
from indexfallback.errors import ConfigError
from indexfallback.store.tokens import USER
from tests.cli.support import CommandLine
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, config_text, index_table, serving

PATHS = (
    "/", "/simple/", "/simple/acme-app/", "/index/private/simple/acme-app/", "/-/status",
    "/-/why/acme-app", "/-/refresh/acme-app", "/-/metrics", "/-/origins", "/projects/acme-app/",
    "/pypi/acme-app/json", "/direct/simple/acme-app/",
)  # fmt: skip
PRIVATE = {"private": True}


@pytest.fixture(scope="module")
def index() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app", "1.4")], username="ci", password="s3cret") as index:
        yield index


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory, index: FakeIndex) -> CommandLine:
    """The command line of somebody whose shim is private."""
    directory = tmp_path_factory.mktemp("private")
    cli = CommandLine(directory)
    table = index_table("private", index.url, role="private", username="ci", password_env="PASS")
    packages = directory / "packages"
    packages.mkdir()
    local = index_table("local", packages.as_uri(), role="private", upload=True)
    cli.config.write_text(config_text(table, local, server=PRIVATE), encoding="utf-8")
    cli.environ["PASS"] = "s3cret"
    return cli


@pytest.fixture(scope="module")
def shim(cli: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("shim")
    text = cli.config.read_text("utf-8")
    with serving(directory, text, PASS="s3cret", INDEXFALLBACK_CACHE_DIR=str(cli.cache)) as shim:
        cli.use(shim)
        yield shim


def login(token: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{USER}:{token}'.encode()).decode()}"}


@pytest.fixture
def token(cli: CommandLine, shim: Served) -> str:
    return cli("token", "show").expect().out.strip()


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_read_without_the_token(path: str, shim: Served, token: str) -> None:
    for headers in ({}, login("wrong"), login(f"{token}x"), login("é")):
        answer = shim.get(path, headers)
        assert answer.status in ((401, 429) if headers else (401,))
        assert b"acme" not in answer.body.replace(path.encode(), b"")
    assert shim.get(path, login(token)).status == 200


def test_a_refusal_says_how_a_client_gets_the_token(shim: Served) -> None:
    detail = shim.get("/simple/acme-app/").problem["detail"]
    assert detail.startswith("a token is needed: run `indexfallback setup` for this client")
    assert "set private = false in [server]" in detail


def test_a_page_in_memory_is_not_read_without_the_token(shim: Served, token: str) -> None:
    assert shim.get("/simple/acme-app/", login(token)).status == 200
    assert shim.get("/simple/acme-app/").status == 401


def test_an_intercepted_address_is_not_read_without_the_token(
    shim: Served, token: str, index: FakeIndex
) -> None:
    path = f"/via/http/127.0.0.1:{index.port}/simple/acme-app/"
    assert shim.get(path).status == 401
    assert shim.get(path, {"Indexfallback-Authorization": "Basic Y2k6czNjcmV0"}).status == 401
    assert shim.get(path, login(token)).status == 200


def test_health_needs_no_token_and_a_foreign_host_has_no_use_of_one(
    shim: Served, token: str
) -> None:
    assert shim.get("/-/health").status == 200
    assert shim.get("/simple/", {**login(token), "Host": "evil.example.com"}).status == 421


def test_the_own_token_uploads_nothing(shim: Served, token: str) -> None:
    answer = shim.get("/upload/", login(token), method="POST")
    assert (answer.status, "for reading only" in answer.problem["detail"]) == (403, True)


def test_a_created_token_is_as_good(cli: CommandLine, shim: Served) -> None:
    created = cli("token", "create", "--allow", "read").expect().out.strip()
    assert shim.get("/simple/", login(created)).status == 200


def test_the_commands_have_the_token(cli: CommandLine, shim: Served) -> None:
    assert cli("status", "--json").expect().json["same_configuration"] is True
    assert cli("refresh", "acme-app", "--json").expect().json["projects"][0]["refreshed"] is True


def test_env_has_the_token_in_the_address(cli: CommandLine, shim: Served, token: str) -> None:
    address = f"http://{USER}:{token}@127.0.0.1:{shim.port}/simple/"
    assert address in cli("env", "--shell", "bash").expect().out


def test_what_run_starts_has_the_token(cli: CommandLine, shim: Served, token: str) -> None:
    show = "import os; print(os.environ['PIP_INDEX_URL'])"
    done = cli("run", "--address", "--", sys.executable, "-c", show).expect()
    assert done.out.strip() == f"http://{USER}:{token}@127.0.0.1:{shim.port}/simple/"


@pytest.mark.parametrize("options", [(), ("--address",)], ids=["tunnel", "address"])
@pytest.mark.parametrize("state", ["kept", "read-only"])
def test_pip_installs_by_a_shim_of_its_own(
    options: tuple[str, ...], state: str, cli: CommandLine, tmp_path: Path
) -> None:
    """With a read-only home directory as well: ``run`` gives its secret to its processes."""
    environ = {"INDEXFALLBACK_PORT": "1"}
    if state == "read-only":
        environ["XDG_STATE_HOME"] = os.devnull
    pip = (sys.executable, "-m", "pip", "--no-cache-dir", "--disable-pip-version-check")
    install = (*pip, "install", "--target", str(tmp_path / "target"), "--no-deps", "acme-app")
    at_index = () if options else ("--index-url", f"{_url(cli)}")
    done = cli("run", *options, "--", *install, *at_index, **environ).expect()
    assert (tmp_path / "target" / "acme_app-1.4.dist-info").exists()
    assert "acme-app" not in done.err or "1 project: 1 from private" in done.words
    assert "ifb_" not in done.out + done.err


def _url(cli: CommandLine) -> str:
    text = cli.config.read_text("utf-8")
    return text.partition('url = "')[2].partition('"')[0]


def test_serve_is_refused_where_no_token_can_be_kept(cli: CommandLine) -> None:
    done = cli("serve", "--port", "0", XDG_STATE_HOME=os.devnull).expect(2)
    assert "private = true needs your token" in done.words


def test_private_and_public_are_a_contradiction(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[server]\nprivate = true\npublic_read = true\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="private = true contradicts public_read = true"):
        load_settings(config=file, environ={})


def test_config_show_says_where_it_was_set(cli: CommandLine) -> None:
    rows = json.loads(cli("config", "show", "--json").expect().out)
    assert "server.private" in json.dumps(rows)
