"""XML-RPC is refused so that its clients can say why."""

from xmlrpc.client import Fault, loads

import pytest
import requests

from tests.server.browse.conftest import Town

CALL = b"<?xml version='1.0'?><methodCall><methodName>search</methodName></methodCall>"


def post(town: Town, path: str, kind: str) -> requests.Response:
    url = f"http://127.0.0.1:{town.shim.port}{path}"
    return requests.post(url, CALL, headers={"Content-Type": kind}, timeout=20)


@pytest.mark.parametrize(
    "path",
    ["/", "/RPC2", "/pypi", "/pypi/", "/simple", "/simple/", "/index/pypi/simple/", "/projects"],
)
def test_a_call_is_answered_with_a_fault_that_names_the_page_to_search_on(
    town: Town,
    path: str,
) -> None:
    answer = post(town, path, "text/xml; charset=utf-8")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml")
    with pytest.raises(Fault) as error:
        loads(answer.content)
    assert f"http://127.0.0.1:{town.shim.port}/projects/" in error.value.faultString


def test_any_other_body_is_refused_as_before(town: Town) -> None:
    answer = post(town, "/simple/", "application/json")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
