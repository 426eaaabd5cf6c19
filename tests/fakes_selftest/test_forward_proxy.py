"""The proxy with a password leads names to real servers, and nobody in without the password."""

import ssl
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError, URLError

import pytest
import trustme

from tests.fakes import FakeIndex, ForwardProxy, wheel

ACME = wheel("acme-app")


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def proxy(authority: trustme.CA) -> Iterator[ForwardProxy]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("packages.example.com").configure_cert(context)
    with FakeIndex([ACME], tls=context) as secure, FakeIndex([ACME]) as plain:
        names = {"packages.example.com:443": secure.port, "plain.example.com:8080": plain.port}
        with ForwardProxy(names) as started:
            yield started


def fetch(proxy_url: str, url: str, authority: trustme.CA) -> bytes:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy_url, "https": proxy_url}),
        urllib.request.HTTPSHandler(context=context),
    )
    with opener.open(url, timeout=60) as answer:
        body: bytes = answer.read()
    return body


@pytest.mark.parametrize("root", ["https://packages.example.com", "http://plain.example.com:8080"])
def test_a_name_leads_to_its_server(proxy: ForwardProxy, authority: trustme.CA, root: str) -> None:
    url = f"{root}/files/{ACME.filename}"
    assert fetch(proxy.url, url, authority) == ACME.data
    method = "CONNECT" if root.startswith("https") else "GET"
    host = "packages.example.com:443" if method == "CONNECT" else "plain.example.com:8080"
    assert proxy.forwarded == [(method, host)]


def test_a_name_that_leads_nowhere_is_a_bad_gateway(
    proxy: ForwardProxy, authority: trustme.CA
) -> None:
    with pytest.raises(URLError, match="502"):
        fetch(proxy.url, "https://elsewhere.example.com/", authority)


@pytest.mark.parametrize("login", ["", "me:wrong@"])
def test_without_the_password_nobody_gets_through(
    proxy: ForwardProxy, authority: trustme.CA, login: str
) -> None:
    url = f"http://{login}127.0.0.1:{proxy.port}"
    with pytest.raises(HTTPError, match="407") as refused:
        fetch(url, "http://plain.example.com:8080/simple/", authority)
    refused.value.close()
    assert (proxy.forwarded, proxy.refused) == ([], 1)
