"""One index first in its group: its own page is served, and who owns a project stays as it was."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given

from indexfallback.chain.latency import HEDGE_MOST
from indexfallback.chain.policy import Refuse, Serve, next_step
from indexfallback.chain.question import Candidate, led_by, passed_digest
from indexfallback.config import Index
from indexfallback.flight import start
from indexfallback.outcome import Kind
from indexfallback.upstream.answers import ClientLogin
from tests.chain.test_policy_properties import chains
from tests.chain.walking import MIRROR, PRIVATE, PYPI, index, question, walk
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel
from tests.fakes.pages import HTML_ONLY

PROJECT = "acme-app"


@pytest.mark.parametrize(
    ("chain", "first", "order"),
    [
        ([PRIVATE, MIRROR, PYPI], "pypi", "private pypi mirror"),
        ([PRIVATE, MIRROR, PYPI], "mirror", "private mirror pypi"),
        ([PRIVATE, MIRROR, PYPI], "private", "private mirror pypi"),
        ([MIRROR, PRIVATE, PYPI], "pypi", "mirror private pypi"),
        ([MIRROR, PYPI], "elsewhere", "mirror pypi"),
    ],
)
def test_an_index_passes_the_others_of_its_group_alone(
    chain: list[Index], first: str, order: str
) -> None:
    assert " ".join(i.name for i in led_by(chain, first)) == order


@given(chains())
def test_the_order_of_groups_is_kept(chain: tuple[Index, ...]) -> None:
    for first in chain:
        assert [i.group for i in led_by(chain, first.name)] == [i.group for i in chain]
        assert set(led_by(chain, first.name)) == set(chain)


def fresh(of: Index, *passed: Index) -> Candidate:
    """Return an index with a fresh page, to which a walk led past other indexes."""
    return Candidate(of, page_age=1.0, resolution_age=1.0, passed=passed_digest(passed))


def test_a_page_that_stood_in_for_the_first_one_does_so_only_while_that_is_in_trouble() -> None:
    stood_in = question(Candidate(PYPI), fresh(MIRROR, PYPI))
    assert next_step(stood_in) == Serve(1)
    wanted = replace(stood_in, first=0)
    assert walk(wanted, {"pypi": Kind.FOUND}) == (["pypi"], Serve(0, resolved=True))
    assert walk(wanted, {"pypi": Kind.UNREACHABLE}) == (["pypi"], Serve(1, resolved=True))


def test_a_fresh_page_of_the_first_one_is_served_without_asking() -> None:
    known = replace(question(fresh(PYPI), Candidate(MIRROR)), first=0)
    assert walk(known, {}) == ([], Serve(0))


def test_what_the_first_one_does_not_have_its_mirror_does() -> None:
    asked = replace(question(Candidate(PYPI), Candidate(MIRROR)), first=0)
    answers = {"pypi": Kind.ABSENT, "mirror": Kind.ABSENT}
    names, end = walk(asked, answers)
    assert (names, type(end)) == (["pypi", "mirror"], Refuse)


def test_the_page_is_its_own_and_not_the_one_of_the_mirror_in_front(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as mirror, FakeIndex([wheel(PROJECT)]) as pypi:
        made = shim(
            index("mirror", "mirror", url=mirror.url, mirror_of="pypi"),
            index("pypi", "public", url=pypi.url),
        )
        assert made.fallback.page(PROJECT).owner.name == "mirror"
        own = made.fallback.page(PROJECT, first="pypi")
        assert own.owner.name == "pypi"
        assert own.page.files[0].url.startswith(pypi.base)
        assert made.fallback.page(PROJECT).owner.name == "mirror", "each has its own answer"
        assert made.fallback.page(PROJECT, first="mirror").owner.name == "mirror"


def test_the_mirror_stands_in_when_it_cannot_be_asked(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as mirror, FakeIndex([wheel(PROJECT)]) as pypi:
        made = shim(
            index("mirror", "mirror", url=mirror.url, mirror_of="pypi"),
            index("pypi", "public", url=pypi.url),
        )
        pypi.stop_listening()
        assert made.fallback.page(PROJECT, first="pypi").owner.name == "mirror"


def test_a_mirror_that_stands_in_describes_files_as_the_first_one_did(shim: MakeShim) -> None:
    old, new = wheel(PROJECT, "1.0"), wheel(PROJECT, "2.0")
    with FakeIndex([old], formats=HTML_ONLY) as mirror, FakeIndex([old]) as pypi:
        made = shim(
            index("mirror", "mirror", url=mirror.url, mirror_of="pypi"),
            index("pypi", "public", url=pypi.url),
            fresh=0.0,
        )
        made.fallback.repeat_seconds = 0.0
        described = made.fallback.page(PROJECT, first="pypi").corrected.files
        mirror.add(new)
        pypi.stop_listening()
        answer = made.fallback.page(PROJECT, first="pypi")
        assert answer.owner.name == "mirror"
        assert answer.corrected.files[:1] == described
        assert answer.corrected.files[1].url == mirror.file_url(new.filename)
        assert not answer.is_settled
        assert made.fallback.page(PROJECT).corrected.files[0].url == mirror.file_url(old.filename)


def test_a_slow_first_one_is_not_hedged_by_its_mirror(shim: MakeShim) -> None:
    names = [f"acme-{number}" for number in range(3)]
    dists = [wheel(name) for name in names]
    with FakeIndex(dists) as pypi, FakeIndex(dists) as mirror:
        made = shim(
            index("pypi", "public", url=pypi.url),
            index("mirror", "mirror", url=mirror.url, mirror_of="pypi"),
        )
        for name in names[:2]:
            made.fallback.page(name)  # how quick it is, is known by these
        # Longer than a hedged request waits for, shorter than another index is asked for.
        with pypi.delay(HEDGE_MOST + 0.3):
            assert made.fallback.page("acme-2", first="pypi").owner.name == "pypi"
        assert mirror.count() == 0


def test_an_index_alone_in_its_group_has_the_answers_of_the_chain(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as pypi:
        made = shim(pypi, fresh=0.0)
        made.fallback.repeat_seconds = 60.0
        made.fallback.page(PROJECT)
        pypi.clear()
        made.fallback.page(PROJECT, first="pypi")
        assert [request.path for request in pypi.requests] == []


def test_a_name_of_a_private_index_is_its_own_whoever_is_first(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as private, FakeIndex([wheel(PROJECT)]) as pypi:
        made = shim(
            index("private", url=private.url),
            index("mirror", "mirror", url=pypi.url, mirror_of="pypi"),
            index("pypi", "public", url=pypi.url + "x/"),
        )
        assert made.fallback.page(PROJECT, first="mirror").owner.name == "private"
        private.stop_listening()
        assert made.fallback.page(PROJECT, first="pypi").owner.name == "private"


def test_a_clients_login_outlives_its_request_nowhere(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as private, FakeIndex([]) as pypi:
        made = shim(index("private", url=private.url), index("pypi", "public", url=pypi.url))
        login = ClientLogin("private", private.base, "Basic c2VjcmV0")
        made.fallback.repeat_seconds = 60.0
        made.fallback.page(PROJECT, first="private", login=login)
        asked = [r.headers.get("Authorization") for r in private.requests if PROJECT in r.path]
        assert asked == ["Basic c2VjcmV0"]
        kept = [key for key, _ in made.fallback._answers.items()]
        kept += made.fallback._flights._flights
        assert not any(key.request.login for key in kept)
        assert "c2VjcmV0" not in repr(login)


def test_a_request_with_another_login_is_not_joined(shim: MakeShim) -> None:
    with FakeIndex([wheel(PROJECT)]) as private, FakeIndex([]) as pypi:
        made = shim(index("private", url=private.url), index("pypi", "public", url=pypi.url))
        headers = ["Basic b25l", "Basic dHdv", ""]
        with private.delay(1.0, path=f"/simple/{PROJECT}/"):
            walks = [
                start(partial(made.fallback.page, PROJECT, login=login), "walk")
                for header in headers
                for login in [ClientLogin("private", private.base, header) if header else None]
            ]
            assert all(walk.result(30).owner.name == "private" for walk in walks)
        asked = [r.headers.get("Authorization", "") for r in private.requests if PROJECT in r.path]
        assert sorted(asked) == sorted(headers)
