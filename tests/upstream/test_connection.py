"""Connections: addresses, proxies and certificates."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import trustme

from indexfallback.outcome import Kind
from tests.fakes import FakeIndex, Request, wheel
from tests.fakes.listener import Listener
from tests.fakes.wire import Reply
from tests.upstream.conftest import OpenHttp, page

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


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a/./b/../c", "/a/c"),
        ("/../../a?b=/../c", "/a?b=/../c"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/..", "/"),
        ("//a/../b", "//b"),
        ("/a/.b/..c/...", "/a/.b/..c/..."),
    ],
)
def test_segments_of_dots_are_resolved_as_by_every_client(
    opened: OpenHttp, remote: FakeIndex, target: str, expected: str
) -> None:
    remote.redirect(f"{remote.base}{target}", times=1)
    page(opened(remote))
    assert remote.requests[1].target == expected


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


@pytest.mark.parametrize("of_environment", ["", "http_proxy", "all_proxy"])
def test_pips_proxy_is_used_where_the_environment_names_none(
    opened: OpenHttp,
    proxy: tuple[Listener, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    of_environment: str,
) -> None:
    listener, asked = proxy
    pips, address = "http://127.0.0.1:9", f"http://127.0.0.1:{listener.port}"
    if of_environment:
        monkeypatch.setenv(of_environment, address)
    else:
        pips = address
    assert page(opened("http://packages.example.com/simple/", proxy=pips)).page is not None
    assert asked == ["http://packages.example.com/simple/acme-app/"]


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
    assert outcome.kind is Kind.PROXY
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
    assert outcome.kind is Kind.UNTRUSTED
    assert outcome.detail.startswith(f"TLS with 127.0.0.1:{secure.fake.port} failed: ")
    assert secure.fake.requests == []


def test_a_bundle_that_names_the_authority_makes_it_trusted(
    opened: OpenHttp, secure: Secure
) -> None:
    assert page(opened(secure.fake, ca_bundle=secure.bundle)).page is not None


def test_a_bundle_may_be_a_directory(opened: OpenHttp, secure: Secure, tmp_path: Path) -> None:
    empty = tmp_path / "certs"
    empty.mkdir()
    assert page(opened(secure.fake, ca_bundle=empty)).outcome.kind is Kind.UNTRUSTED


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
