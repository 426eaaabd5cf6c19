"""The last day of a certificate is read from a second handshake, for a message."""

import ssl
from datetime import date, datetime, timezone

import pytest
import trustme

from indexfallback.upstream.certificates import expiry, expiry_of
from tests.fakes import FakeIndex


def issued(year: int) -> trustme.LeafCert:
    return trustme.CA().issue_cert(
        "127.0.0.1", not_after=datetime(year, 3, 4, 23, 59, tzinfo=timezone.utc)
    )


@pytest.mark.parametrize("year", [2024, 2049, 2050, 2261])
def test_the_day_is_read_in_both_forms_of_time(year: int) -> None:
    pem = issued(year).cert_chain_pems[0].bytes().decode()
    assert expiry_of(ssl.PEM_cert_to_DER_cert(pem)) == date(year, 3, 4)


@pytest.mark.parametrize("year", [2024, 2049])
def test_a_host_tells_the_day_be_it_past_or_to_come(year: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued(year).configure_cert(context)
    with FakeIndex(tls=context) as index:
        assert expiry("127.0.0.1", index.port, 10.0) == date(year, 3, 4)
        assert index.requests == []


def test_a_host_without_tls_tells_nothing() -> None:
    with FakeIndex() as index:
        assert expiry("127.0.0.1", index.port, 10.0) is None


def test_what_is_no_certificate_has_no_day() -> None:
    with pytest.raises(ValueError, match="without a validity"):
        expiry_of(b"\x30\x00")
