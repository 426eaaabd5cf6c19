"""Other machines need a token to read, unless reading is public."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.conftest import Serve
from tests.in_process import ROOT, indexfallback
from tests.serving import clean_environment, config_text, index_table

OUTSIDE = "0.0.0.0"


def command(
    directory: Path, *arguments: str, port: str = "5503"
) -> "subprocess.CompletedProcess[str]":
    environ = clean_environment(directory, INDEXFALLBACK_PORT=port)
    return indexfallback("--config", str(directory / "config.toml"), *arguments, environ=environ)


@pytest.fixture
def table(tmp_path: Path) -> str:
    packages = tmp_path / "packages"
    packages.mkdir()
    return index_table("local", packages.as_uri(), role="private", upload=True)


@pytest.fixture
def directory(tmp_path: Path, table: str) -> Path:
    path = tmp_path / "served"
    path.mkdir()
    text = config_text(table, server={"host": OUTSIDE})
    (path / "config.toml").write_text(text, "utf-8")
    return path


def test_without_any_token_a_host_that_others_reach_is_refused(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "indexfallback", "--config", str(directory / "config.toml"),
         "serve", "--port", "0"],
        env=clean_environment(directory), capture_output=True, text=True, check=False, timeout=60,
        cwd=ROOT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no token to read with" in done.stderr


def test_every_read_needs_a_token_that_is_good_for_it(
    directory: Path, table: str, served: Serve
) -> None:
    all_indexes = command(directory, "token", "create", "--allow", "read").stdout.strip()
    one = command(directory, "token", "create", "--index", "local").stdout.strip()
    shim = served(table, directory=directory, server={"host": OUTSIDE})
    base = f"http://127.0.0.1:{shim.port}"

    def status(path: str, token: str = "") -> int:
        auth = ("__token__", token) if token else None
        return requests.get(base + path, auth=auth, timeout=60).status_code

    for path in ("/simple/", "/index/local/simple/", "/-/status", "/"):
        assert (status(path), status(path, "wrong")) == (401, 401)
        assert status(path, all_indexes) == 200
    assert status("/index/local/simple/", one) == 200
    assert status("/simple/", one) == 403
    assert status("/-/health") == 200


def test_the_status_asks_a_shim_that_wants_tokens_with_one_of_its_own(
    directory: Path, table: str, served: Serve
) -> None:
    command(directory, "token", "create")
    shim = served(table, directory=directory, server={"host": OUTSIDE})
    port = str(shim.port)
    status = json.loads(command(directory, "status", "--json", port=port).stdout)
    assert (status["running"], status["same_configuration"]) == (True, True)
    assert len(json.loads(command(directory, "token", "list", "--json").stdout)["tokens"]) == 1


def test_with_public_read_nobody_needs_a_token_to_read_but_for_uploads(
    table: str, served: Serve
) -> None:
    shim = served(table, server={"host": OUTSIDE, "public_read": True})
    base = f"http://127.0.0.1:{shim.port}"
    assert requests.get(f"{base}/simple/", timeout=60).status_code == 200
    assert requests.post(f"{base}/upload/", timeout=60).status_code == 401
