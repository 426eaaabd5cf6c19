"""An index whose first byte comes after the deadline: pip and uv install from it all the same."""

import pytest

from tests.clients.support import Client, User, installed, write_config
from tests.fakes import FakeIndex, tree

TREE = tree(2)
#: Longer than the deadline, and than the wait for a first byte while others could answer.
DELAY = 2.0
DEADLINE = "1 s"


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_what_comes_late_is_installed_as_directly_and_asked_for_once(
    user: User, environments: dict[str, Client], name: str
) -> None:
    client = environments[name]
    with FakeIndex(TREE) as index:
        index.delay(DELAY, path="/simple/tree-")
        direct = user.install(client, index.url, "tree-0").expect()
        index.clear()
        write_config(user.config, {"corp": {"url": index.url}}, limits_deadline=DEADLINE)
        target = user.target()
        user.run(*client.install(target, "tree-0")).expect()
        assert installed(target) == direct != {}
        assert [index.count(f"/simple/{dist.project}/") for dist in TREE] == [1] * len(TREE)


def test_within_a_deadline_that_is_larger_the_client_waits(
    user: User, environments: dict[str, Client]
) -> None:
    user.environment |= {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "60"}
    with FakeIndex(TREE) as index:
        index.delay(6.0, path="/simple/tree-0/")  # no cap but the deadline
        write_config(user.config, {"corp": {"url": index.url}}, limits_deadline="30 s")
        target = user.target()
        user.run(*environments["uv"].install(target, "tree-0")).expect()
        assert len(installed(target)) == len(TREE)
