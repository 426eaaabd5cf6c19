"""An index beside the chain answers at its own address, and takes no name of the chain."""

from typing import Any

import falcon.testing
import pytest

from indexfallback.config import Index
from indexfallback.errors import ProjectNotFoundError
from indexfallback.server.app import make_app
from indexfallback.server.proof import Place
from indexfallback.store.secret import user_secret
from tests.chain.chain import ask, private, pypi
from tests.conftest import MakeSettings, MakeShim
from tests.fakes import FakeIndex, wheel


def part(fake: FakeIndex) -> Index:
    return Index(name="py.index", url=fake.url, role="public")


def test_it_answers_at_its_own_address_and_not_at_that_of_the_chain(
    shim: MakeShim, far: FakeIndex, near: FakeIndex
) -> None:
    near.add(wheel("part-only", "1.0"))
    made = shim(pypi(far), beside=(part(near),))
    assert ask(made, "part-only", "py.index") == "py.index"
    assert ask(made, "part-only") == 404
    assert far.count("/simple/part-only/") == 1


def test_it_is_not_asked_for_what_a_private_index_of_the_chain_owns(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, near: FakeIndex
) -> None:
    near.add(wheel("acme-app", "9.0"))
    made = shim(private(own), pypi(far), beside=(part(near),))
    assert ask(made, "acme-app") == "private"
    assert ask(made, "acme-app", "py.index") == 404
    assert near.count("/simple/acme-app/") == 0


def test_what_it_has_served_is_still_the_chains_to_answer(
    shim: MakeShim, far: FakeIndex, near: FakeIndex
) -> None:
    near.add(wheel("acme-app", "1.0"))
    made = shim(pypi(far), beside=(part(near),))
    assert ask(made, "acme-app", "py.index") == "py.index"
    assert ask(made, "acme-app") == "pypi"


def test_its_files_come_from_it_alone_though_the_chain_has_one_of_that_name(
    shim: MakeShim, far: FakeIndex, near: FakeIndex
) -> None:
    near.add(wheel("acme-app", "9.0", requires=["idna"]))  # other bytes
    made = shim(pypi(far), beside=(part(near),))
    pages = [made.fallback.page("acme-app", index).page for index in (None, "py.index")]
    assert [[file.sha256 for file in page.files] for page in pages] == [
        [wheel("acme-app", "9.0").sha256],
        [wheel("acme-app", "9.0", requires=["idna"]).sha256],
    ]


def test_what_it_does_not_have_is_said_of_it_alone(
    shim: MakeShim, far: FakeIndex, near: FakeIndex
) -> None:
    made = shim(pypi(far), beside=(part(near),))
    with pytest.raises(ProjectNotFoundError, match=r"py\.index does not have it"):
        made.fallback.page("acme-app", "py.index")


def test_its_names_are_listed_at_its_own_address_alone(
    shim: MakeShim, far: FakeIndex, near: FakeIndex
) -> None:
    near.add(wheel("part-only", "1.0"))
    made = shim(pypi(far), beside=(part(near),))
    app: Any = make_app(made, user_secret(), Place("127.0.0.1", 5503))
    client = falcon.testing.TestClient(app, headers={"Host": "127.0.0.1"})
    assert client.simulate_get("/index/py.index/simple/part-only/").status_code == 200
    assert "part-only" in client.simulate_get("/index/py.index/simple/").text
    assert "part-only" not in client.simulate_get("/simple/").text


def test_a_shim_without_it_is_another_shim(settings: MakeSettings, far: FakeIndex) -> None:
    plain = settings(pypi(far))
    index = Index(name="py.index", url="https://packages.example.com/simple/", role="public")
    identities = {
        plain.identity,
        settings(pypi(far), beside=(index,)).identity,
        settings(pypi(far), beside=(Index(**{**vars(index), "password": "a"}),)).identity,
        settings(pypi(far), beside=(Index(**{**vars(index), "password": "b"}),)).identity,
    }
    assert len(identities) == 4
