"""An index that refuses one name: what installs from it directly installs through the shim."""

import pytest

from tests.clients.support import Client, User, installed, write_config
from tests.fakes import FakeIndex, tree, wheel

TREE = tree(3)


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
            found = []
            for url in (index.url, served.url):
                refused = user.call(*client.install(user.target(), "--index-url", url, "secret"))
                target = user.target()
                user.call(*client.install(target, "--index-url", url, "tree-0")).expect()
                found.append((refused.code != 0, installed(target)))
            assert found[0] == found[1] == (True, {dist.project: dist.version for dist in TREE})
            (failure,) = served.get("/-/status")["activity"]["failures"]
            assert "403 Forbidden" in failure["message"]
            assert "Ask whoever runs corp for access." in failure["remedy"]


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_bucket_that_answers_403_for_a_missing_name_hands_it_on(
    user: User, environments: dict[str, Client], name: str
) -> None:
    client = environments[name]
    with FakeIndex([wheel("acme-app")]) as bucket, FakeIndex(TREE) as public:
        for dist in TREE:
            bucket.fail(403, path=f"/simple/{dist.project}/")
        keys = {"url": bucket.url, "role": "private", "forbidden": "absent"}
        write_config(user.config, {"bucket": keys, "public": {"url": public.url, "role": "public"}})
        target = user.target()
        user.run(*client.install(target, "acme-app", "tree-0")).expect()
        assert len(installed(target)) == 1 + len(TREE)
