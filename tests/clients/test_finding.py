"""What pip's commands that look for packages print."""

from tests.clients.conftest import Chain
from tests.clients.support import Client, User
from tests.fakes import wheel


def test_pip_lists_versions_and_is_told_where_to_search(
    user: User, chain: Chain, environments: dict[str, Client]
) -> None:
    for version in ("1.0", "1.2", "2.0rc1"):
        chain.public.add(wheel("idna", version))
    pip = environments["pip"]
    with user.serve() as served:
        listed = user.call(*pip.command("index", "versions", "--index-url", served.url, "idna"))
        searched = user.call(*pip.command("search", "--index", served.base, "idna"))
    assert searched.code == 1
    assert f"Search at {served.base}/projects/ or with" in searched.stderr
    assert "Available versions: 1.2, 1.0" in listed.expect().stdout
