"""The examples of docs/team.md with Debian's nginx and systemd's check of the unit."""

import configparser
import contextlib
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
import trustme

from tests.fakes import FakeIndex, sdist, wheel
from tests.in_process import indexfallback
from tests.serving import Served, clean_environment, serving, wait_until

DOCS = (Path(__file__).parents[2] / "docs" / "team.md").read_text(encoding="utf-8")
#: Debian's is not on the PATH of users.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
#: Started by root, nginx would serve as a user who may not read what a test writes.
_USER = "user root root;" if sys.platform != "win32" and os.geteuid() == 0 else ""
_AROUND = """\
{user}
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {server}
}}
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a server of a team is a Unix")


def block(marker: str) -> str:
    """Return the example behind ``<!-- marker -->``."""
    found = re.search(rf"<!-- {marker} -->\n```[a-z]+\n(.*?)```", DOCS, re.DOTALL)
    assert found is not None, marker
    return found[1]


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Return an example with what is of its machine replaced by what is of this test."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Team(NamedTuple):
    """The examples, running."""

    shim: Served
    #: Of the base, as people see it.
    url: str
    authority: Path


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([wheel("acme-app", requires=["idna"]), sdist("idna", "3.10")]) as made:
        yield made


@pytest.fixture
def team(tmp_path: Path, index: FakeIndex) -> Iterator[Callable[..., Team]]:
    """Return a factory of teams: changes to the example for nginx."""
    if not Path(NGINX).exists():
        pytest.skip("no nginx")
    with contextlib.ExitStack() as stack:

        def start(*changes: tuple[str, str]) -> Team:
            (tmp_path / "packages").mkdir()
            config = replaced(
                block("config"),
                ("/srv/packages", str(tmp_path / "packages")),
                ('url = "pypi"', f'url = "{index.url}"\nrole = "public"'),
            )
            shim = stack.enter_context(serving(tmp_path / "shim", config))
            return stack.enter_context(_nginx(tmp_path, shim, changes))

        yield start


@contextlib.contextmanager
def _nginx(home: Path, shim: Served, changes: tuple[tuple[str, str], ...]) -> Iterator[Team]:
    authority, port = trustme.CA(), _free_port()
    leaf = authority.issue_cert("127.0.0.1")
    (home / "packages.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    (home / "packages.key").write_bytes(leaf.private_key_pem.bytes())
    (home / "ca.pem").write_bytes(authority.cert_pem.bytes())
    server = replaced(
        block("nginx"),
        *changes,
        # First: the port of nginx may begin with these digits.
        ("127.0.0.1:5503", f"127.0.0.1:{shim.port}"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/", f"{home}/"),
    )
    file = home / "nginx.conf"
    file.write_text(_AROUND.format(user=_USER, home=home, server=server), encoding="utf-8")
    log = home / "error.log"
    process = subprocess.Popen([NGINX, "-p", home, "-c", file, "-e", log])
    try:
        made = Team(shim, f"https://127.0.0.1:{port}/pypi/", home / "ca.pem")
        wait_until(lambda: _listens(port) or process.poll(), 30, "nginx does not start")
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield made
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def _get(team: Team, path: str) -> tuple[int, str]:
    """Return status and body of what a person gets."""
    context = ssl.create_default_context(cafile=team.authority)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(f"{team.url}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


HERE = ("allow 10.0.0.0/8", "allow 127.0.0.0/8")


@pytest.mark.parametrize("taken_off", [False, True], ids=["the base left on", "the base taken off"])
def test_pip_installs_through_nginx(
    team: Callable[..., Team], tmp_path: Path, *, taken_off: bool
) -> None:
    changes = [HERE, (":5503;", ":5503/;")] if taken_off else [HERE]
    made = team(*changes)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--target", str(tmp_path / "got"),
         "--cert", str(made.authority), "--index-url", f"{made.url}simple/", "acme-app"],
        env=clean_environment(tmp_path), check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert {"acme_app.py", "idna.py"} <= {path.name for path in (tmp_path / "got").iterdir()}


@pytest.mark.parametrize("taken_off", [False, True], ids=["the base left on", "the base taken off"])
def test_pages_for_people_name_the_address_that_people_use(
    team: Callable[..., Team], *, taken_off: bool
) -> None:
    made = team(*([HERE, (":5503;", ":5503/;")] if taken_off else [HERE]))
    for path in ("", "projects/acme-app/", "projects/ACME.app"):
        status, page = _get(made, path)
        assert status == 200
        assert f"pip install --index-url {made.url}simple/" in page


def test_an_upload_goes_through_nginx(team: Callable[..., Team], tmp_path: Path) -> None:
    made, lib = team(HERE), wheel("acme-lib", size=3_000_000)
    environ = clean_environment(tmp_path / "shim")
    token = indexfallback("token", "create", environ=environ).stdout.strip()
    fields = {"name": lib.name, "version": lib.version, "filetype": "bdist_wheel"}
    answer = requests.post(
        f"{made.url}upload/",
        data={":action": "file_upload", "protocol_version": "1", **fields},
        files={"content": (lib.filename, lib.data)},
        auth=("__token__", token), verify=str(made.authority), timeout=60,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert lib.filename in _get(made, "simple/acme-lib/")[1]


def test_a_client_that_is_not_allowed_reads_nothing(team: Callable[..., Team]) -> None:
    assert _get(team(), "simple/acme-app/")[0] == 403


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd")
    file = tmp_path / "indexfallback.service"
    text = replaced(block("systemd"), ("/opt/indexfallback/bin/indexfallback", sys.executable))
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if file.name in line]
    assert (done.returncode, told) == (0, [])


def test_the_command_of_the_unit_serves_in_its_environment(tmp_path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its own docs show
    program = Path(sys.executable).with_name("indexfallback")
    port = _free_port()
    (tmp_path / "indexfallback.toml").write_text(
        replaced(block("config"), ("[server]", f"[server]\nport = {port}")), encoding="utf-8"
    )
    text = replaced(
        block("systemd"), ("/opt/indexfallback/bin/indexfallback", str(program)),
        ("/var/", f"{tmp_path}/"), ("/etc/", f"{tmp_path}/"),
    )  # fmt: skip
    unit.read_string(text)
    variables = re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE)
    environment = clean_environment(tmp_path, **dict(variables))
    (tmp_path / "lib" / "indexfallback").mkdir(parents=True)
    with subprocess.Popen(shlex.split(unit["Service"]["ExecStart"]), env=environment) as process:
        try:
            wait_until(lambda: _listens(port) or process.poll(), 30, "it does not serve")
            assert process.poll() is None
            assert (tmp_path / "cache" / "indexfallback" / "index.sqlite3").exists()
        finally:
            process.terminate()
            process.wait(60)
