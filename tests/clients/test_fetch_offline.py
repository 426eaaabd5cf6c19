"""What was fetched is installed by real clients while no index can be reached."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import Client, User, installed
from tests.fakes import sdist, tree, wheel

TREE = tree(6, fanout=2)
APP = wheel("acme-app", "1.4", requires=["Acme.Lib>=1", "tree-0", "packed"])
LIB = wheel("Acme.Lib", "1.1")
PACKED = sdist("packed", "3.0", requires=["tree-1"], build_requires=["builder>=2"])
BUILDER = sdist("builder", "2.1", build_requires=["base"])
ALL = {dist.project: dist.version for dist in [*TREE, APP, LIB, PACKED]}
CLIENTS = ("pip", "uv")


@pytest.fixture
def full_chain(chain: Chain) -> Chain:
    for dist in (APP, LIB):
        chain.private.add(dist)
    for dist in [*TREE[:3], PACKED]:
        chain.mirror.add(dist)
    for dist in [*TREE, BUILDER, wheel("base")]:
        chain.public.add(dist)
    return chain


def fetch(user: User, *arguments: str) -> None:
    user.ours("fetch", *arguments).expect()


def install_offline(user: User, client: Client, *arguments: str) -> dict[str, str]:
    target = user.target()
    user.run(*client.install(target, *arguments), options=("--offline",)).expect()
    return installed(target)


def test_what_was_fetched_with_an_sdist_is_asked_for_once_and_built_and_installed_by_each_client(
    full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    fetch(user, "acme-app")
    full_chain.forget_requests()
    fetch(user, "acme-app")
    asked = [request.path for index in full_chain.all for request in index.requests]
    assert not [path for path in asked if path.startswith("/files/")]
    full_chain.stop()
    for name in CLIENTS:
        assert install_offline(user, environments[name], "acme-app") == ALL, name


def test_a_locked_set_is_installed_with_its_hashes(
    full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    dists = [*TREE, APP, LIB, PACKED]
    lines = [f"{dist.name}=={dist.version} --hash=sha256:{dist.sha256}" for dist in dists]
    locked = user.home / "locked.txt"
    locked.write_text("\n".join([*lines, ""]), encoding="utf-8")
    fetch(user, "-r", str(locked))
    full_chain.stop()
    for name in CLIENTS:
        found = install_offline(user, environments[name], "--require-hashes", "-r", str(locked))
        assert found == ALL, name


def test_a_pin_of_an_older_version_is_what_offline_clients_choose(
    full_chain: Chain, user: User, environments: dict[str, Client]
) -> None:
    full_chain.public.add(wheel("idna", "3.9"))
    full_chain.public.add(wheel("idna", "3.10"))
    versions = user.home / "versions.cfg"
    versions.write_text("[versions]\nidna = 3.9\n", encoding="utf-8")
    fetch(user, "-r", str(versions))
    full_chain.stop()
    for name in CLIENTS:
        assert install_offline(user, environments[name], "idna") == {"idna": "3.9"}, name
