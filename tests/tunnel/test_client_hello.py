"""The fingerprint of a ClientHello is that of a program, not of one connection."""

import contextlib
import ssl
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.tunnel.client_hello import NotClientHelloError, fingerprint


def hello(host: str = "packages.example.com", ciphers: str = "", *, alpn: bool = False) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(["http/1.1"])
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def test_it_is_the_same_for_every_connection_and_host() -> None:
    found = {fingerprint(hello(host)) for host in ("a.example.com", "b.example.com", "10.0.0.1")}
    assert len(found) == 1
    assert None not in found


def test_it_differs_by_cipher_suites_and_extensions() -> None:
    kinds = (hello(), hello(ciphers="ECDHE+AESGCM"), hello(alpn=True))
    assert len({fingerprint(kind) for kind in kinds}) == 3


def made(suites: list[int], extensions: list[tuple[int, bytes]]) -> bytes:
    """Return a ClientHello in one record."""
    listed = b"".join(number.to_bytes(2, "big") for number in suites)
    more = b"".join(
        kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for kind, data in extensions
    )
    body = (
        b"\x03\x03" + bytes(32) + b"\x00" + len(listed).to_bytes(2, "big") + listed + b"\x01\x00"
        + len(more).to_bytes(2, "big") + more
    )  # fmt: skip
    return records(b"\x01" + len(body).to_bytes(3, "big") + body, [])


def records(message: bytes, cuts: list[int]) -> bytes:
    places = sorted({min(cut, len(message)) for cut in cuts} | {0, len(message)})
    parts = [message[start:end] for start, end in pairwise(places)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


_SUITES = st.lists(st.integers(0, 0xFFFF), max_size=20)
_EXTENSIONS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20)), max_size=10)
_GREASE = st.sampled_from([0x0A0A, 0x1A1A, 0x8A8A, 0xFAFA])


@given(_SUITES, _EXTENSIONS, _GREASE, st.randoms())
def test_random_values_and_the_order_of_extensions_do_not_count(
    suites: list[int], extensions: list[tuple[int, bytes]], grease: int, chance: object
) -> None:
    shuffled = [*extensions, (grease, b""), (21, bytes(7)), (0, b"name")]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(made([grease, *suites], shuffled)) == fingerprint(made(suites, extensions))


@given(_SUITES, _EXTENSIONS, st.data())
def test_it_may_come_in_parts(
    suites: list[int], extensions: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    whole = made(suites, extensions)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert fingerprint(whole[:cut]) is None
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=5))
    assert fingerprint(records(whole[5:], cuts) + b"more") == fingerprint(whole)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_or_refused(data: bytes) -> None:
    for each in (data, b"\x16\x03\x01" + data, records(b"\x01\x00\x00\x30" + data, [])):
        with contextlib.suppress(NotClientHelloError):
            fingerprint(each)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
    ],
)
def test_what_is_no_client_hello_is_refused(data: bytes) -> None:
    with pytest.raises(NotClientHelloError):
        fingerprint(data)
