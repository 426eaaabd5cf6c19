"""A shim that is stopped in the middle of a request: no index is to blame for the time."""

import json
import sys
import threading
import time

import psutil
import pytest

from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import Served, index_table, wait_until


def figures(served: Served) -> dict[str, object]:
    """Return the figures of the first index."""
    found: dict[str, object] = json.loads(served.get("/-/status").body)["indexes"][0]
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("fault", ["silence", "reset"])
def test_what_fails_while_the_shim_was_stopped_is_charged_to_no_index(
    served: Serve, fault: str
) -> None:
    with FakeIndex([wheel("idna")]) as near, FakeIndex([wheel("idna"), wheel("demo")]) as far:
        made = served(
            index_table("corp", near.url, role="private", on_outage="next"),
            index_table("pypi", far.url),
            limits={"deadline": "4 s"},
        )
        assert made.get("/simple/demo/").status == 200  # from now on the prober beats
        hanging = near.hang(path="/simple/idna/", times=1)
        if fault == "reset":
            near.drop(reset=True, path="/simple/idna/")
        asking = threading.Thread(target=made.get, args=("/simple/idna/",))
        asking.start()
        near.wait_for("/simple/idna/")
        made.system.suspend()
        wait_until(lambda: made.system.status() == psutil.STATUS_STOPPED, 10, "it still runs")
        if fault == "reset":
            hanging.lift()
        time.sleep(5.0)  # the fault itself
        made.system.resume()
        asking.join()
        wait_until(lambda: figures(made)["errors"] == 1, 10, "the failure was not noticed")
        error = str(figures(made)["last_error"])
        assert "this machine did not run for" in error
        assert ("connection broke" if fault == "reset" else "no answer in time") in error
        assert figures(made)["state"] == "up"
        hanging.lift()
