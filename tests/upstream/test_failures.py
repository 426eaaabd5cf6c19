"""Statuses and exceptions as outcomes."""

import email.utils
import errno
import os
import resource
import socket
import sys
import time
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from indexfallback.outcome import Kind
from indexfallback.upstream import failures
from indexfallback.upstream.failures import outcome_of_error, outcome_of_status
from indexfallback.upstream.route import has_route, shortage


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.FOUND),
        (206, Kind.FOUND),
        (304, Kind.NOT_MODIFIED),
        (404, Kind.ABSENT),
        (410, Kind.ABSENT),
        (401, Kind.DENIED),
        (402, Kind.REFUSED),
        (403, Kind.REFUSED),
        (407, Kind.PROXY),
        (429, Kind.LIMITED),
        (400, Kind.REFUSED),
        (408, Kind.FAILED),
        (451, Kind.REFUSED),
        (499, Kind.REFUSED),
        (500, Kind.FAILED),
        (502, Kind.FAILED),
        (503, Kind.FAILED),
        (504, Kind.FAILED),
        (511, Kind.NOT_AN_INDEX),
        (204, Kind.FAILED),
        (302, Kind.FAILED),
        (799, Kind.FAILED),
    ],
)
def test_a_status_means(status: int, kind: Kind) -> None:
    outcome = outcome_of_status(status, None)
    assert outcome.kind is kind
    assert str(status) in str(outcome)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u00b2", None),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -0000", pytest.approx(2.5e11, rel=0.1)),
    ],
)
def test_retry_after_is_read_in_both_its_forms_only(
    header: str | None, seconds: float | None
) -> None:
    assert outcome_of_status(503, header).retry_after == seconds


def test_retry_after_as_a_date_counts_from_now() -> None:
    header = email.utils.formatdate(time.time() + 90, usegmt=True)
    assert outcome_of_status(429, header).retry_after == pytest.approx(90, abs=2)


@given(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"[0-9]{1,400}", fullmatch=True))
def test_no_retry_after_breaks_anything(header: str) -> None:
    seconds = outcome_of_status(503, header).retry_after
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
def test_want_of_file_handles_is_a_fault_of_this_machine_and_not_the_lack_of_a_network(
    number: int,
) -> None:
    error = requests.ConnectionError(OSError(number, "Too many open files"))
    outcome = outcome_of_error(error, "packages.example.com")
    assert outcome.kind is Kind.LOCAL
    assert "Too many open files" in str(outcome)


@pytest.mark.parametrize("is_routed", [True, False])
def test_an_unreachable_index_without_a_network_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch, is_routed: bool
) -> None:
    monkeypatch.setattr(failures, "has_route", lambda: is_routed)
    outcome = outcome_of_error(requests.ConnectTimeout(), "packages.example.com:443")
    assert outcome.kind is (Kind.CONNECT_TIMEOUT if is_routed else Kind.OFFLINE)


def test_a_host_that_cannot_be_resolved_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "has_route", lambda: True)
    with pytest.raises(requests.ConnectionError) as error, requests.Session() as session:
        session.get("http://nobody.invalid/", timeout=10)
    outcome = outcome_of_error(error.value, "nobody.invalid")
    assert (outcome.kind, str(outcome)) == (Kind.NO_HOST, "no such host (nobody.invalid)")


def test_whether_there_is_a_route_is_asked_without_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "send", None)
    assert has_route() in (True, False)
    monkeypatch.setattr(socket.socket, "connect", _unreachable)
    assert not has_route()


def _unreachable(*_: object) -> None:
    raise OSError(errno.ENETUNREACH, "Network is unreachable")


@pytest.fixture
def no_handles() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull, "rb") as lowest:  # noqa: PTH123 - a file of no path
        free = lowest.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.usefixtures("no_handles")
@pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.exceptions.ProxyError()])
def test_what_fails_without_handles_is_neither_the_index_nor_the_network(
    error: requests.ConnectionError,
) -> None:
    outcome = outcome_of_error(error, "packages.example.com")
    assert outcome.kind is Kind.LOCAL
    assert "ulimit -n" in str(outcome)
    assert has_route()
    assert "Too many open files" in (shortage() or "")
