"""A shim proves to programs of its user that it is theirs; nobody else's process can."""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexfallback.config import Index, Settings
from indexfallback.server.asking import Kind, NoAnswer, NotOwnError, ask, found_at
from indexfallback.server.proof import Place, Prover, is_proven
from indexfallback.store.secret import Secret, user_secret
from tests.conftest import Serve
from tests.in_process import indexfallback
from tests.serving import Served, clean_environment, index_table

CHALLENGE = "0f" * 32
SECRET = Secret(b"1" * 32)
HERE = Place("127.0.0.1", 5503)
NOBODY = 65534


def settings(password: str | None = None) -> Settings:
    index = Index(name="private", url="http://127.0.0.1:9/simple/", password=password)
    return Settings(indexes=(index,), cache_dir=Path("cache"))


def prover(secret: Secret = SECRET, place: Place = HERE, password: str | None = None) -> Prover:
    return Prover(secret, place, settings(password))


def test_a_shim_proves_that_it_is_the_users() -> None:
    assert is_proven(SECRET, CHALLENGE, prover().health(CHALLENGE), HERE)


def test_who_does_not_know_the_secret_proves_nothing() -> None:
    other = prover(Secret(b"2" * 32))
    assert not is_proven(SECRET, CHALLENGE, other.health(CHALLENGE), HERE)


def test_a_proof_is_for_one_challenge() -> None:
    assert not is_proven(SECRET, "00" * 32, prover().health(CHALLENGE), HERE)


@pytest.mark.parametrize(
    "place", [Place("127.0.0.1", 5504), Place("127.0.0.2", 5503), Place("::1", 5503)], ids=str
)
def test_a_proof_that_was_passed_on_from_another_place_is_none(place: Place) -> None:
    assert not is_proven(SECRET, CHALLENGE, prover().health(CHALLENGE), place)


def test_the_place_in_a_proof_cannot_be_replaced() -> None:
    passed_on = prover(place=Place("127.0.0.1", 40001)).health(CHALLENGE)
    assert not is_proven(SECRET, CHALLENGE, {**passed_on, "listens_on": list(HERE)}, HERE)


@pytest.mark.parametrize(("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1")])
def test_a_shim_on_all_addresses_is_proven_at_each(host: str, reached: str) -> None:
    health = prover(place=Place(host, 5503)).health(CHALLENGE)
    assert is_proven(SECRET, CHALLENGE, health, Place(reached, 5503))


def test_a_proof_is_of_the_network_that_the_place_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = prover().health(CHALLENGE)
    monkeypatch.setattr("indexfallback.server.proof._network", lambda: "another machine")
    assert not is_proven(SECRET, CHALLENGE, elsewhere, HERE)


@pytest.mark.parametrize("key", ["pid", "configuration", "listens_on", "proof"])
@pytest.mark.parametrize("value", [None, 1, "x", [], [1, 2], ["127.0.0.1", "5503"], {}, "\ud800"])
def test_an_answer_of_another_form_proves_nothing(key: str, value: object) -> None:
    health = prover().health(CHALLENGE)
    assert not is_proven(SECRET, CHALLENGE, {**health, key: value}, HERE)
    del health[key]
    assert not is_proven(SECRET, CHALLENGE, health, HERE)


@pytest.mark.parametrize("challenge", [None, "", "0f", "0F" * 32, "0f" * 33, "é" * 64])
def test_only_a_challenge_is_answered(challenge: str | None) -> None:
    assert prover().health(challenge).keys() == {"pid", "configuration"}


def test_the_configuration_is_recognised_and_says_nothing_without_the_secret() -> None:
    said = {
        secret.key: [prover(secret, password=each).health(None)["configuration"] for each in "abb"]
        for secret in (SECRET, Secret(b"2" * 32))
    }
    for one, two, same in said.values():
        assert one != two == same
        assert re.fullmatch("[0-9a-f]{64}", one)
    assert len({digest for digests in said.values() for digest in digests}) == 4


@contextmanager
def program(answer: Callable[[str], bytes]) -> Iterator[tuple[str, list[str]]]:
    """Give the address of another user's program, and the logins that it was sent."""
    logins = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "Authorization" in self.headers:
                logins.append(self.headers["Authorization"])
            body = answer(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", logins
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("user")


@pytest.fixture
def shim(served: Serve, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A running shim of this user."""
    table = index_table("pypi", "http://127.0.0.1:9/simple/")
    shim = served(table, directory=directory / "served")
    monkeypatch.setenv("XDG_STATE_HOME", shim.state_home)
    return shim


def test_a_running_shim_is_this_users_for_this_user_alone(
    shim: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = found_at(shim.url)
    assert found is not None
    assert (found.kind, found.health["pid"]) == (Kind.OWN, shim.process.pid)
    assert ask(shim.url, "/-/status")["indexes"][0]["name"] == "pypi"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = found_at(shim.url)
    assert found is not None
    assert found.kind is Kind.FOREIGN
    with pytest.raises(NotOwnError, match="a shim of another user answers"):
        ask(shim.url, "/-/status")


def test_a_program_that_passes_everything_on_to_the_shim_gets_no_token(shim: Served) -> None:
    def relayed(path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{shim.port}{path}") as answer:
            body: bytes = answer.read()
        return body

    with program(relayed) as (url, logins):
        found = found_at(url)
        assert found is not None
        assert found.kind is Kind.FOREIGN
        with pytest.raises(NotOwnError):
            ask(url, "/-/status")
    assert logins == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", Kind.OTHER),
        (b"[" * 60_000, Kind.OTHER),
        (b'{"name": "other"}', Kind.OTHER),
        (b'{"name": "indexfallback"}', Kind.FOREIGN),
        (b'{"name": "indexfallback", "listens_on": 1, "proof": "\\ud800"}', Kind.FOREIGN),
    ],
    ids=["html", "deep", "other", "silent", "wrong"],
)
def test_what_answers_without_a_proof_gets_no_token(body: bytes, kind: Kind) -> None:
    with program(lambda _: body) as (url, logins):
        found = found_at(url)
        assert found is not None
        assert found.kind is kind
        with pytest.raises(NoAnswer):
            ask(url, "/-/status")
    assert logins == []


def test_nothing_answers_at_a_port_where_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert found_at(f"http://127.0.0.1:{bound.getsockname()[1]}") is None


def test_a_program_that_never_ends_its_answer_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        has_ended = threading.Event()

        def drip() -> None:
            client, _ = server.accept()
            with client:
                while not has_ended.wait(0.05):
                    try:
                        client.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        found = found_at(f"http://127.0.0.1:{server.getsockname()[1]}", 0.5)
        seconds = time.monotonic() - began
        has_ended.set()
        thread.join()
    assert found is not None
    assert found.kind is Kind.OTHER
    assert seconds < 10


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root becomes another user",
)
def test_a_shim_that_another_user_started_first_is_not_used(tmp_path: Path) -> None:
    """Another user copies what a shim says, and listens on the port."""
    copied = json.dumps({"name": "indexfallback", "pid": 1, **prover().health(CHALLENGE)})
    code = (
        "import http.server\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        print('login', self.headers['Authorization'], flush=True)\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        f"        self.wfile.write({copied!r}.encode())\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    command = [*as_nobody, "/usr/bin/python3", "-I", "-c", code]
    (tmp_path / "config.toml").write_text(index_table("pypi", "http://127.0.0.1:9/simple/"))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd="/", stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            environ = clean_environment(tmp_path, INDEXFALLBACK_PORT=port)
            config = str(tmp_path / "config.toml")

            def ours(*arguments: str) -> "subprocess.CompletedProcess[str]":
                return indexfallback("--config", config, *arguments, environ=environ)

            foreign = f"127.0.0.1:{port}"
            done = ours("serve")
            assert done.returncode == 1
            assert f"{foreign} is taken by a shim of another user" in done.stderr
            words = " ".join(ours("status").stderr.split())
            assert f"on {foreign}: a shim of another user uses the port" in words
            assert f"a shim of another user uses {foreign}" in ours("doctor").stdout
            show = "import os; print(os.environ['PIP_INDEX_URL'])"
            done = ours("run", "--", sys.executable, "-c", show)
            assert f":{port}/" not in done.stdout
        finally:
            process.kill()
        assert "login Basic" not in process.stdout.read()
    assert user_secret().is_kept
