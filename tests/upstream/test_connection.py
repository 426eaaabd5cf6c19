"""Connections: credentials, proxies and certificates."""

import http.client
import socket
import sys
import types
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import trustme

from indexfallback.config.load import load_settings
from indexfallback.outcome import Kind
from indexfallback.upstream.answers import PageAnswer
from indexfallback.upstream.http import HttpIndex
from tests.fakes import FakeIndex, Request, wheel
from tests.fakes.listener import Listener
from tests.fakes.wire import Reply
from tests.upstream.conftest import OpenHttp, within


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def page(upstream: HttpIndex, seconds: float = 10.0) -> PageAnswer:
    return upstream.page("acme-app", within(seconds), None, None)


def sent(to: FakeIndex) -> str | None:
    """Return the credentials of the only request."""
    (request,) = to.requests
    return request.headers.get("Authorization")


# The address.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//simple/", "//simple/acme-app/"),
        ("/a//b/", "/a//b/acme-app/"),
        # By way of `requests`, which spells it in ASCII.
        ("//simplé/", "//simpl%C3%A9/acme-app/"),
    ],
)
def test_the_path_of_an_index_is_asked_for_as_it_is_written(
    opened: OpenHttp, remote: FakeIndex, path: str, expected: str
) -> None:
    page(opened(remote.base + path))
    assert [request.target for request in remote.requests] == [expected]


@pytest.mark.parametrize("target", ["//elsewhere/acme-app/", "/elsewhere?", "/?a=//b", "?a"])
def test_a_redirect_is_followed_to_the_address_as_it_is_written(
    opened: OpenHttp, remote: FakeIndex, target: str
) -> None:
    remote.redirect(f"http://ci:secret@127.0.0.1:{remote.port}{target}", times=1)
    page(opened(remote))
    asked = target if target.startswith("/") else f"/{target}"
    assert remote.requests[1].target == asked


# Credentials.


def test_user_name_and_password_of_the_settings_are_sent_at_once(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    assert page(opened(remote, username="ci", password="p@ss:w\u20ac")).page is not None
    assert sent(remote) == basic("ci", "p@ss:w\u20ac")


@pytest.mark.parametrize("by", ["url", "variable"])
def test_credentials_of_the_configuration_reach_the_index(
    remote: FakeIndex, tmp_path: Path, by: str
) -> None:
    config = tmp_path / "config.toml"
    with FakeIndex([wheel("acme-app")], username="ci", password="a/b@c") as strict:
        if by == "url":
            config.write_text(f'[[index]]\nname = "private"\nurl = "{strict.login_url}"\n')
        else:
            config.write_text(
                f'[[index]]\nname = "private"\nurl = "{strict.url}"\n'
                'username = "ci"\npassword_env = "ACME_TOKEN"\n'
            )
        settings = load_settings(config=config, environ={"ACME_TOKEN": "a/b@c"})
        upstream = HttpIndex(settings.indexes[0], settings)
        assert page(upstream).outcome.kind is Kind.FOUND
        upstream.close()


def test_netrc_is_used_without_other_credentials(
    opened: OpenHttp, remote: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login from-netrc password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    page(opened(remote))
    assert sent(remote) == basic("from-netrc", "secret")
    remote.clear()
    page(opened(remote, username="ci", password="own"))
    assert sent(remote) == basic("ci", "own")


class Credential(NamedTuple):
    username: str
    password: str


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, Credential]:
    """Return what a keyring in place of the real one holds, by address."""
    held: dict[str, Credential] = {}
    module = types.ModuleType("keyring")

    def get_credential(service: str, username: str | None) -> Credential | None:
        found = held.get(service)
        return found if found is None or username in (None, found.username) else None

    module.get_credential = get_credential  # type: ignore[attr-defined]  # a module of our own
    monkeypatch.setitem(sys.modules, "keyring", module)
    return held


def test_the_keyring_is_asked_where_the_settings_say_so(
    opened: OpenHttp, remote: FakeIndex, keyring: dict[str, Credential]
) -> None:
    keyring[remote.url] = Credential("from-keyring", "secret")
    page(opened(remote, keyring=True))
    assert sent(remote) == basic("from-keyring", "secret")
    remote.clear()
    page(opened(remote, keyring=True, username="from-keyring"))
    assert sent(remote) == basic("from-keyring", "secret")
    remote.clear()
    page(opened(remote))
    assert sent(remote) is None


def test_a_keyring_that_knows_nothing_leaves_it_to_netrc_or_the_user_name(
    opened: OpenHttp, remote: FakeIndex, keyring: dict[str, Credential]
) -> None:
    page(opened(remote, keyring=True))
    assert sent(remote) is None
    remote.clear()
    page(opened(remote, keyring=True, username="ci"))
    assert sent(remote) == basic("ci", "")


def test_a_failing_keyring_is_logged_and_the_index_is_asked_without_credentials(
    opened: OpenHttp,
    remote: FakeIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # as if it were not installed
    assert page(opened(remote, keyring=True)).outcome.kind is Kind.FOUND
    assert "index remote: the keyring gave no password" in caplog.text
    assert "its extra [keyring]" in caplog.text


@pytest.mark.fault(43)
@pytest.mark.fault("incident: requests CVE-2018-18074")
def test_credentials_follow_redirects_only_within_their_origin(
    opened: OpenHttp, remote: FakeIndex
) -> None:
    with FakeIndex([wheel("acme-app")]) as elsewhere:
        upstream = opened(remote, username="ci", password="secret")
        remote.redirect("/simple/acme-app/", path="/simple/", times=1)
        assert page(upstream).page is not None
        headers = [request.headers.get("Authorization") for request in remote.requests]
        assert headers == [basic("ci", "secret")] * 2
        remote.redirect(elsewhere.base + "{path}")
        assert page(upstream).page is not None
        assert sent(elsewhere) is None


# Proxies.


@pytest.fixture
def proxy() -> Iterator[tuple[Listener, list[str]]]:
    """A proxy that takes any host for the one in its list's first place; and what it was asked."""
    asked: list[str] = []

    def forward(request: Request) -> Reply:
        url = urlsplit(request.target)
        asked.append(request.target)
        connection = http.client.HTTPConnection(target[0], timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        connection.request(request.method, url.path, headers=headers)
        answer = connection.getresponse()
        kept = {"Content-Type", "ETag", "Location"}
        reply = Reply(answer.status, {k: v for k, v in answer.getheaders() if k in kept})
        reply.body = answer.read()
        connection.close()
        return reply

    target: list[str] = []
    with FakeIndex([wheel("acme-app")]) as behind:
        target.append(f"127.0.0.1:{behind.port}")
        listener = Listener(forward)
        listener.open()
        yield listener, asked
        listener.close()
        listener.join()


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(
    opened: OpenHttp,
    proxy: tuple[Listener, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    listener, asked = proxy
    monkeypatch.setenv(variable, f"http://127.0.0.1:{listener.port}")
    upstream = opened("http://packages.example.com/simple/", username="ci", password="x")
    answer = page(upstream)
    assert answer.page is not None
    assert asked == ["http://packages.example.com/simple/acme-app/"]
    assert answer.page.files[0].url.startswith("http://packages.example.com/files/")


@pytest.mark.parametrize("exempt", ["packages.example.com", ".example.com", "*"])
def test_a_host_in_no_proxy_is_asked_directly(
    opened: OpenHttp,
    remote: FakeIndex,
    proxy: tuple[Listener, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    exempt: str,
) -> None:
    listener, asked = proxy
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{listener.port}")
    monkeypatch.setenv("NO_PROXY", exempt)
    here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", remote.port))]
    with monkeypatch.context() as named:
        named.setattr(socket, "getaddrinfo", lambda *_, **__: here)
        assert page(opened("http://packages.example.com/simple/")).page is not None
    assert asked == []
    assert len(remote.requests) == 1


def test_the_outcome_names_a_proxy_that_is_down(
    opened: OpenHttp, remote: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.stop_listening()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{remote.port}")
    outcome = page(opened("http://packages.example.com/simple/")).outcome
    assert outcome.kind is Kind.UNREACHABLE
    assert "packages.example.com" in outcome.detail


# Certificates.


class Secure(NamedTuple):
    fake: FakeIndex
    bundle: Path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    authority = trustme.CA()
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with FakeIndex([wheel("acme-app")], tls=context) as index:
        yield Secure(index, bundle)


def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    opened: OpenHttp, secure: Secure
) -> None:
    outcome = page(opened(secure.fake)).outcome
    assert outcome.kind is Kind.INSECURE
    assert outcome.detail.startswith(f"TLS with 127.0.0.1:{secure.fake.port} failed: ")
    assert secure.fake.requests == []


def test_a_bundle_that_names_the_authority_makes_it_trusted(
    opened: OpenHttp, secure: Secure
) -> None:
    assert page(opened(secure.fake, ca_bundle=secure.bundle)).page is not None


def test_a_bundle_may_be_a_directory(opened: OpenHttp, secure: Secure, tmp_path: Path) -> None:
    empty = tmp_path / "certs"
    empty.mkdir()
    assert page(opened(secure.fake, ca_bundle=empty)).outcome.kind is Kind.INSECURE


def test_a_certificate_for_another_host_is_not_trusted(opened: OpenHttp, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("packages.example.com").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with FakeIndex(tls=context) as index:
        assert page(opened(index, ca_bundle=bundle)).outcome.kind is Kind.INSECURE


@pytest.mark.fault(44)
def test_a_redirect_from_https_to_http_is_refused(
    opened: OpenHttp, secure: Secure, remote: FakeIndex
) -> None:
    secure.fake.redirect(remote.base + "{path}")
    outcome = page(opened(secure.fake, ca_bundle=secure.bundle)).outcome
    assert outcome.kind is Kind.NOT_AN_INDEX
    assert "unsafe redirect" in outcome.detail
    assert remote.requests == []


def test_headers_that_drip_are_bounded_behind_tls_too(opened: OpenHttp, secure: Secure) -> None:
    secure.fake.drip_headers(50)
    assert page(opened(secure.fake, ca_bundle=secure.bundle), 0.3).outcome.kind is Kind.UNREACHABLE
