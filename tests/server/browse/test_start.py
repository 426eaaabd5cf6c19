"""The start page, from a report and decisions of its own."""

import re
from typing import Any

import pytest

from indexfallback.chain.decisions import Decision
from indexfallback.condition import Condition
from indexfallback.server.browse.decisions import LATEST
from indexfallback.server.browse.start import start_page

NOW = 1_800_000_000.0
INDEX: dict[str, Any] = {
    "name": "pypi", "role": "public", "mirror_of": None, "url": "https://example.com/simple/",
    "state": "up", "since": 60.0, "next_try": 0.0, "p50": 0.1, "requests": 3, "errors": 0,
    "last_error": "", "remedy": "", "failed": 0.0, "answered": NOW - 5, "behind": 0,
    "behind_seconds": 0.0,
}  # fmt: skip
CACHE = {"bytes": 1, "limit": 10, "files": 2, "pages": 3, "temporary": False}


def page(*decisions: Decision, clients: dict[str, float] | None = None, **index: object) -> str:
    report = {
        "offline": False,
        "indexes": [INDEX | index],
        "cache": CACHE,
        "activity": {"clients": clients or {}},
    }
    return start_page("http://x/simple/", report, decisions, NOW)


def decision(number: int, **values: object) -> Decision:
    served = Decision(number, NOW, "pip/26.3", f"demo-{number}", "", "pypi", "asked", 0.038)
    return served._replace(**values)  # type: ignore[arg-type]


def refused(number: int, **values: object) -> Decision:
    failed = {"how": "refused", "status": 503, "cause": "no <route>", "remedy": "Run `a b` again."}
    return decision(number, **(failed | values))


def rows(shown: str) -> list[str]:
    return re.findall(r'<tr role="row" id=.*?</tr>', shown)


@pytest.mark.parametrize("state", Condition)
def test_each_state_is_said_in_its_words(state: Condition) -> None:
    assert f">{state.value}" in page(state=state.value)


def test_an_index_that_is_down_says_why_when_it_is_tried_and_what_to_do() -> None:
    shown = page(state="down", last_error="503", next_try=12.0, remedy="Run `x --y` again.")
    assert '<div class="trouble">503; next try in 12 s. Run <code class="command">x --y' in shown


def test_an_index_that_works_again_shows_its_latest_failure() -> None:
    shown = page(failed=NOW - 30, last_error="reset", remedy="Run again.")
    assert "last failure <time" in shown
    assert "reset. Run again." in shown
    assert 'class="trouble"' not in shown


def test_an_index_that_was_not_asked_has_no_time_of_its_state() -> None:
    assert "since" not in page(state="not asked yet", answered=0.0).partition("<main")[2]


def test_the_latest_fifty_decisions_are_shown_in_their_order() -> None:
    shown = rows(page(*(decision(n) for n in range(80, 0, -1))))
    assert [re.findall(r'id="d(\d+)"', row) for row in shown] == [
        [str(n)] for n in range(80, 80 - LATEST, -1)
    ]


def test_older_failures_are_shown_after_them() -> None:
    decisions = [decision(n) for n in range(80, 0, -1)]
    decisions[60] = refused(20)
    shown = rows(page(*decisions))
    assert len(shown) == LATEST + 1
    assert 'id="d20" class="failed"' in shown[-1]


@pytest.mark.parametrize(
    ("how", "words"),
    [("fresh", "cached"), ("ahead", "fetched ahead"), ("stale", "stale"), ("asked", "asked"),
     ("mirrored", "mirrored"), ("fetched", "fetched"), ("cached", "cached")],
)  # fmt: skip
def test_how_an_answer_was_found_is_said_in_words(how: str, words: str) -> None:
    assert f">{words}</span>" in page(decision(1, how=how))


def test_a_file_is_a_link_to_its_project() -> None:
    shown = page(decision(1, filename="demo-1.0.tar.gz"))
    assert '<a href="projects/demo-1/">demo-1.0.tar.gz</a>' in shown


def test_a_failure_has_cause_and_remedy_and_they_are_text() -> None:
    (row,) = rows(page(refused(1)))
    assert "no &lt;route&gt;. Run <code" in row
    assert ">unavailable (503)<" in row


def test_a_file_of_no_known_project_is_no_link() -> None:
    (row,) = rows(page(refused(1, project="", filename="x.whl")))
    assert "<a " not in row
    assert "x.whl" in row


def test_clients_are_shown_the_latest_first() -> None:
    shown = page(clients={"pip/26.3": NOW - 99, "uv/0.13": NOW - 1, "": NOW - 999})
    order = re.findall(r"<li>([^<]+) <small>last <time", shown)
    assert order == ["uv/0.13", "pip/26.3", "without a name"]


def test_without_decisions_and_clients_the_page_says_so() -> None:
    assert page().count("None yet.") == 2


def test_the_page_says_as_of_when_it_is_and_has_a_link_that_renews_it() -> None:
    assert re.search(r'as of <time datetime="2027-01-15T08:00:00\+00:00">[^<]+</time> · '
                     r'<a href="">renew</a>', page())  # fmt: skip
