"""Which requests to the server have something fetched ahead."""

from urllib.parse import urljoin

import pytest
from pip._internal.network.session import user_agent

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table, wait_until

PIP = {"User-Agent": user_agent()}
APP = wheel("app", requires=["lib"])
LIB = wheel("lib")
#: A moment in which something that must not happen would have happened, seconds.
_MOMENT = 0.5


def fetches(shim: Served) -> int:
    return int(shim.json("/-/status")["activity"]["ahead"]["fetches"])


@pytest.mark.parametrize("root", ["/simple/", "/index/pypi/simple/"])
def test_a_page_has_what_follows_it_fetched(served: Serve, root: str) -> None:
    with FakeIndex([APP, LIB]) as index:
        shim = served(index_table("pypi", index.url))
        assert shim.get(f"{root}app/", PIP).status == 200
        index.wait_for(f"/files/{LIB.filename}.metadata")
        wait_until(lambda: fetches(shim) == 3, 10, "the fetches are not counted")


def test_a_file_has_the_others_fetched(served: Serve) -> None:
    with FakeIndex([APP, LIB]) as index:
        shim = served(index_table("pypi", index.url))
        for dist in (APP, LIB):
            page = f"/simple/{dist.project}/"
            shim.get(page, PIP)
            file = urljoin(page, f"../../files/pypi/{dist.project}.{dist.sha256}/{dist.filename}")
            assert shim.get(f"{file}.metadata", PIP).status == 200
        assert shim.get(f"/files/pypi/app.{APP.sha256}/{APP.filename}", PIP).status == 200
        index.wait_for(f"/files/{LIB.filename}")


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/simple/app/", "HEAD", PIP),
        ("/direct/simple/app/", "GET", PIP),
        ("/simple/app/", "GET", {"User-Agent": "curl/8"}),
        ("/simple/app/", "GET", {}),
    ],
)
def test_nothing_is_fetched_for_what_no_request_of_pip_follows(
    served: Serve, path: str, method: str, headers: dict[str, str]
) -> None:
    with FakeIndex([APP, LIB]) as index:
        shim = served(index_table("pypi", index.url))
        assert shim.get(path, headers, method=method).status == 200
        with pytest.raises(TimeoutError):
            index.wait_for(f"/files/{APP.filename}.metadata", seconds=_MOMENT)


def test_read_ahead_is_ended_by_the_configuration(served: Serve) -> None:
    with FakeIndex([APP, LIB]) as index:
        shim = served(index_table("pypi", index.url), limits={"read_ahead": False})
        assert shim.get("/simple/app/", PIP).status == 200
        with pytest.raises(TimeoutError):
            index.wait_for(f"/files/{APP.filename}.metadata", seconds=_MOMENT)
