"""An index that refuses one name: what installs from it directly installs through the shim."""

import pytest

from tests.clients.support import Client, User, write_config
from tests.fakes import FakeIndex, tree, wheel

#: More names than an index may refuse in a row.
TREE = tree(6)
INSTALLED = {dist.project: dist.version for dist in TREE}


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_other_projects_install_as_directly_after_one_was_refused(
    user: User, environments: dict[str, Client], name: str
) -> None:
    client = environments[name]
    user.environment |= {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
    with FakeIndex([*TREE, wheel("secret")]) as index:
        index.fail(403, path="/simple/secret/")
        write_config(user.config, {"corp": {"url": index.url}})
        with user.serve() as served:
            for url in (index.url, served.url):
                assert user.install(client, url, "secret").has_failed
                assert user.install(client, url, "tree-0").expect() == INSTALLED
            (failure,) = served.get("/-/status")["activity"]["failures"]
            assert "403 Forbidden" in failure["message"]
            assert "ask whoever runs corp for access." in failure["remedy"]


@pytest.mark.parametrize(
    ("name", "key"), [("pip", {"forbidden": "absent"}), ("uv", {"projects": ["acme-*"]})]
)
def test_a_bucket_that_answers_403_for_a_missing_name_hands_it_on(
    user: User, environments: dict[str, Client], name: str, key: dict[str, object]
) -> None:
    client, own = environments[name], {"acme-app": "1.0"}
    with FakeIndex([wheel("acme-app")]) as bucket, FakeIndex(TREE) as public:
        for dist in TREE:
            bucket.fail(403, path=f"/simple/{dist.project}/")
        keys = {"url": bucket.url, "role": "private", **key}
        write_config(user.config, {"bucket": keys, "public": {"url": public.url, "role": "public"}})
        with user.serve() as served:
            assert user.install(client, served.url, "tree-0").expect() == INSTALLED
            assert user.install(client, served.url, "acme-app").expect() == own
        if name == "pip":  # uv asks no other index after a 403
            both = ("--extra-index-url", bucket.url, "tree-0", "acme-app")
            assert user.install(client, public.url, *both).expect() == INSTALLED | own
