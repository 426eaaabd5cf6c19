"""What a private index is known to own comes from there or from nowhere, whatever it says later."""

from collections.abc import Callable

import pytest

from indexfallback.config import Index
from tests.chain.chain import (
    APP,
    LIB,
    ROOT,
    ask,
    how,
    learn_names,
    only_root,
    private,
    pypi,
    refusal,
    until,
)
from tests.conftest import MakeShim
from tests.fakes import FakeIndex, wheel

EMPTY = b"<!DOCTYPE html><html><body><h1>Links for acme-app</h1></body></html>"
JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
HTML = {"Content-Type": "text/html"}


def forward(own: FakeIndex, far: FakeIndex, path: str) -> None:
    """Have the private index send to the public one, as GitLab does for what it does not have."""
    own.redirect(f"{far.url}{path.removeprefix(ROOT)}", path=path)


def empty(own: FakeIndex, far: FakeIndex, path: str) -> None:
    own.answer(200, HTML, EMPTY, path=path)


def status(code: int) -> Callable[[FakeIndex, FakeIndex, str], None]:
    def change(own: FakeIndex, far: FakeIndex, path: str) -> None:
        own.fail(code, path=path)

    change.__name__ = str(code)
    return change


#: What an index may say that does not have a project; the last says that it is not told.
WITHOUT = [status(404), status(410), empty, forward]


@pytest.mark.parametrize("without", WITHOUT, ids=lambda change: change.__name__)
def test_a_project_that_was_served_is_not_found_once_its_index_has_it_no_more(
    shim: MakeShim,
    own: FakeIndex,
    far: FakeIndex,
    without: Callable[[FakeIndex, FakeIndex, str], None],
) -> None:
    chain = private(own), pypi(far)
    made = shim(*chain, fresh=0.0)
    assert ask(made) == "private"
    without(own, far, APP)
    for again in (made, shim(*chain, fresh=0.0)):
        error = refusal(again)
        assert error.status == 404
        assert "it belongs to private (known there since 20" in error.cause
        assert "`indexfallback cache disown acme-app`" in error.remedy
    assert far.count(APP) == 0


def test_the_refusal_says_what_the_index_says_now(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(own), pypi(far), fresh=0.0)
    assert ask(made) == "private"
    own.fail(410, path=APP)
    assert "says 410" in refusal(made).cause


@pytest.mark.parametrize("without", WITHOUT, ids=lambda change: change.__name__)
def test_a_listed_project_that_was_never_asked_for_is_not_found_either(
    shim: MakeShim,
    own: FakeIndex,
    far: FakeIndex,
    without: Callable[[FakeIndex, FakeIndex, str], None],
) -> None:
    made = shim(index := private(own), pypi(far))
    learn_names(made, index)
    without(own, far, LIB)
    assert refusal(made, "acme-lib").status == 404
    assert far.count(LIB) == 0


@pytest.mark.parametrize("text", ["<h1>Maintenance</h1>", "log in", "<p>We are back soon."])
def test_a_page_of_words_is_an_outage_and_no_absence(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, text: str
) -> None:
    own.answer(200, HTML, f"<html><body>{text}</body></html>".encode())
    assert ask(shim(private(own), pypi(far), fresh=0.0)) == 503
    assert far.requests == []


def test_a_shorter_list_and_then_an_outage_make_nothing_public(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(index := private(own), pypi(far))
    learn_names(made, index)
    made.store.ledger.record_list(index.key, ["acme-app"])  # as an anonymous login sees it
    own.stop_listening()
    assert ask(made, "acme-lib") == 503
    assert far.count(LIB) == 0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (JSON, b'{"meta": {"api-version": "1.0"}, "projects": []}'),
        (HTML, b"<!DOCTYPE html><html><body></body></html>"),
        (HTML, b"<html><body><h1>Welcome to nginx!</h1><a href='/'>nginx</a></body></html>"),
        (HTML, b"<html><body><h1>It works!</h1></body></html>"),
    ],
)
def test_an_empty_list_of_names_is_no_knowledge(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, headers: dict[str, str], body: bytes
) -> None:
    only_root(own.answer(200, headers, body))
    made = shim(private(own), pypi(far), fresh=0.0)
    assert ask(made, "idna") == "pypi"
    own.wait_for(ROOT)
    own.stop_listening()
    assert ask(made, "new-name") == 503


def test_what_an_index_never_had_and_sends_elsewhere_for_is_the_public_indexs(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    forward(own, far, "/simple/idna/")
    made = shim(index := private(own), pypi(far))
    assert ask(made, "idna") == "pypi"
    assert made.store.ledger.ownership(index.key, "idna") is None
    assert far.count("/simple/idna/") == 1


def test_an_empty_page_for_every_name_owns_nothing(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    empty(own, far, "/simple/idna/")
    made = shim(index := private(own), pypi(far))
    assert ask(made, "idna") == "pypi"
    assert made.store.ledger.ownership(index.key, "idna") is None


def test_a_redirect_within_the_index_is_followed(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.redirect(f"{own.url}acme-app/", path=APP, times=1)
    made = shim(private(own), pypi(far))
    assert ask(made) == "private"


def test_the_public_index_alone_does_not_answer_for_a_private_name(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(private(own), pypi(far))
    assert ask(made, index="pypi") == "pypi"  # nobody is known to own it yet
    assert ask(made) == "private"
    far.clear()
    assert ask(made, index="pypi") == 404
    assert ask(made, index="private") == "private"
    assert far.requests == []


def test_what_belongs_to_it_by_only_is_asked_for_at_no_other_index(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.add(wheel("idna", "1.0"))
    made = shim(private(own, only=("acme-*",)), pypi(far))
    assert ask(made) == "private"
    assert ask(made, "idna") == "pypi"
    assert own.count("/simple/idna/") == 0
    own.stop_listening()
    assert ask(made, "acme-lib") == 503
    assert ask(made, "six") == 404  # `only` is the list of its names


def test_an_index_with_only_owns_nothing_else_whatever_it_was_seen_to_have(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.add(wheel("idna", "1.0"))
    assert ask(shim(private(own), pypi(far)), "idna") == "private"
    assert ask(shim(private(own, only=("acme-*",)), pypi(far)), "idna") == "pypi"


def test_a_page_that_is_gone_is_kept_for_times_without_network(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    chain = private(own), pypi(far)
    made = shim(*chain)
    assert ask(made) == "private"
    own.fail(404, path=APP)
    assert made.fallback.page("idna").owner.name == "pypi"
    with pytest.raises(Exception, match="belongs to private"):
        made.fallback.page("acme-app", again=True)
    made.close()
    offline = shim(*chain, offline=True)
    assert ask(offline) == "private"


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("acme-app-1.0.zip#sha256=beef", "a malformed sha256"),
        ("caf%C3%A9-1.0.zip", "a name with characters that no distribution's has"),
    ],
)
def test_a_page_whose_files_are_all_left_out_is_its_indexs_project(
    shim: MakeShim, own: FakeIndex, far: FakeIndex, link: str, reason: str
) -> None:
    own.answer(200, HTML, f'<a href="{link}">x</a>'.encode(), path=APP)
    answer = shim(private(own), pypi(far)).fallback.page("acme-app")
    assert answer.owner.name == "private"
    assert (answer.page.files, answer.page.dropped) == ((), {reason: 1})
    assert answer.tried[0].detail == f"0 files, 1 left out (1: {reason})"
    assert far.count(APP) == 0


def test_what_a_page_left_out_is_kept_with_it(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.answer(200, HTML, b'<a href="acme-app-1.0.zip#md5=beef">x</a>', path=APP)
    chain = private(own), pypi(far)
    ask(shim(*chain))
    own.stop_listening()
    answer = shim(*chain, fresh=0.0).fallback.page("acme-app")
    assert (answer.how, answer.page.dropped) == ("stale", {"a malformed md5": 1})


# Copies of public projects at an extra index.


def test_copies_beside_a_file_that_is_left_out_are_a_project_of_its_own(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    copy = wheel("acme-app", "3.0")
    far.add(copy)
    links = (
        f'<a href="{copy.filename}#sha256={copy.sha256}">x</a><a href="acme-app-9.zip#md5=0">y</a>'
    )
    own.answer(200, HTML, links.encode(), path=APP)
    assert ask(shim(private(own, defer_copies=True), pypi(far))) == "private"


def test_an_old_copy_of_a_public_project_is_the_public_indexs(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.add(wheel("idna", "3.0"))
    far.add(wheel("idna", "4.0"))
    made = shim(index := private(own, defer_copies=True), pypi(far))
    learn_names(made, index)
    assert ask(made, "idna") == "pypi"
    assert ask(made) == "private"  # a namesake with files of its own
    own.stop_listening()
    again = shim(index, pypi(far), fresh=0.0)
    assert ask(again, "idna") == "pypi"
    assert (ask(again), how(again)) == ("private", "stale")


def test_a_listed_name_that_was_never_compared_is_an_outage(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    made = shim(index := private(own, defer_copies=True), pypi(far))
    learn_names(made, index)
    own.stop_listening()
    assert ask(made, "acme-lib") == 503
    assert ask(made, "acme-lib", index="pypi") == 404
    assert far.count(LIB) == 0


def test_a_copy_that_becomes_a_project_of_its_own_is_private_from_then_on(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    own.add(wheel("idna", "3.0"))
    made = shim(private(own, defer_copies=True), pypi(far), fresh=0.0)
    assert ask(made, "idna") == "pypi"
    own.add(wheel("idna", "3.0.post1"))
    until(lambda: ask(made, "idna") == "private")
    own.remove("idna-3.0.post1-py3-none-any.whl")
    assert ask(made, "idna") == "private"


def test_a_page_that_could_not_be_compared_does_not_go_public_in_an_outage(
    shim: MakeShim, own: FakeIndex, far: FakeIndex
) -> None:
    far.stop_listening()
    made = shim(private(own, defer_copies=True), pypi(far), fresh=0.0)
    assert ask(made) == "private"
    far.start_again()
    own.fail(404, path=APP)
    assert ask(made) == 404
    assert far.count(APP) == 0


# Mirrors and their public index.


def test_the_public_index_corrects_what_a_mirror_has(
    shim: MakeShim, near: FakeIndex, far: FakeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = wheel("idna", "4.0", extra_files={"wrong.py": b""})
    near.add(wrong)
    far.add(wheel("idna", "4.0"))
    mirror = Index(name="mirror", url=near.url, role="mirror", mirror_of="pypi")
    made = shim(mirror, pypi(far), fresh=0.0)
    pin = made.store.pins.record("idna", wrong.filename, wrong.sha256, mirror.key)
    assert pin == wrong.sha256
    assert ask(made, "idna") == "mirror"
    assert ask(made, "idna", index="pypi") == "pypi"
    right = next(iter(made.store.pins.of_name("idna", wrong.filename)), None)
    assert right is not None
    assert (right.sha256, right.source) == (wheel("idna", "4.0").sha256, far.url)
    assert "is not the file that pypi lists" in caplog.text
    offered = made.offer(made.fallback.page("idna"))
    assert {file.sha256 for file in offered.files} == {
        dist.sha256 for dist in (wheel("idna", "3.0"), wheel("idna", "4.0"))
    }
