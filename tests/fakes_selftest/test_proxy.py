"""The fault proxy does what it is told, in front of a real server."""

import http.client
import ssl
import time
import urllib.request
from collections.abc import Iterator

import pytest
import trustme

from tests.fakes import Dist, FakeIndex, FaultProxy, wheel

BIG = wheel("big", size=100_000)


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex([BIG]) as started:
        yield started


def fetch(proxy: FaultProxy, dist: Dist = BIG, context: ssl.SSLContext | None = None) -> bytes:
    url = f"{proxy.base}/files/{dist.filename}"
    with urllib.request.urlopen(url, timeout=60, context=context) as answer:
        body: bytes = answer.read()
    return body


def test_it_passes_on_what_comes(index: FakeIndex) -> None:
    with FaultProxy(index.port) as proxy:
        assert fetch(proxy) == BIG.data
        assert proxy.accepted == 1


def test_latency_delays_the_first_byte(index: FakeIndex) -> None:
    with FaultProxy(index.port, latency=0.3) as proxy:
        began = time.monotonic()
        assert fetch(proxy) == BIG.data
        assert time.monotonic() - began >= 0.3


def test_bandwidth_limits_the_bytes_a_second(index: FakeIndex) -> None:
    with FaultProxy(index.port, bandwidth=200_000) as proxy:
        began = time.monotonic()
        assert fetch(proxy) == BIG.data
        assert time.monotonic() - began >= 0.3


def test_slices_arrive_whole(index: FakeIndex) -> None:
    with FaultProxy(index.port, slice=100) as proxy:
        assert fetch(proxy) == BIG.data


def test_one_byte_is_flipped(index: FakeIndex) -> None:
    with FaultProxy(index.port, flip=60_000) as proxy:
        body = fetch(proxy)
    assert [a ^ b for a, b in zip(body, BIG.data, strict=True) if a != b] == [1]


@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_connection_ends_early(index: FakeIndex, reset: bool) -> None:
    with FaultProxy(index.port, cut=5000, reset=reset) as proxy:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            fetch(proxy)
        proxy.faults.cut, proxy.faults.reset = None, False
        assert fetch(proxy) == BIG.data


def test_a_black_hole_answers_nothing_until_it_is_lifted(index: FakeIndex) -> None:
    with FaultProxy(index.port, blackhole=True) as proxy:
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(f"{proxy.base}/simple/", timeout=0.3)
        proxy.faults.blackhole = False
        assert fetch(proxy) == BIG.data


def test_a_flapping_one_is_up_and_down_in_turn(index: FakeIndex) -> None:
    with FaultProxy(index.port, flap=1.0) as proxy:
        seen: set[bool] = set()
        ends = time.monotonic() + 60
        while len(seen) < 2 and time.monotonic() < ends:
            try:
                seen.add(fetch(proxy) == BIG.data)
            except (http.client.HTTPException, OSError):
                seen.add(False)
        assert seen == {True, False}


def test_it_speaks_tls_with_any_certificate(index: FakeIndex) -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    with FaultProxy(index.port, tls=server) as proxy:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(proxy, context=client)
        authority.configure_trust(client)
        assert fetch(proxy, context=client) == BIG.data


def test_stopping_it_is_prompt_whatever_hangs(index: FakeIndex) -> None:
    with FaultProxy(index.port, blackhole=True) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
        connection.request("GET", "/simple/")
        began = time.monotonic()
    connection.close()
    assert time.monotonic() - began < 30
