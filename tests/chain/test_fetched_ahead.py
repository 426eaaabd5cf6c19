"""The count of what was fetched ahead and what was used of it."""

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.chain import fetched_ahead
from indexfallback.chain.fetched_ahead import FetchedAhead


def fetched(*events: tuple[str, str, int]) -> tuple[int, int, int]:
    """Return fetches, bytes and used bytes after some events: what happens to what, and a size."""
    ahead = FetchedAhead()
    for event, what, size in events:
        if event == "begin":
            ahead.begin(what)
        elif event == "end":
            ahead.end(what, size)
        else:
            ahead.claim(what)
    report = ahead.report()
    return report["fetches"], report["bytes"], report["used"]


def test_bytes_are_used_when_a_client_asks_for_them_and_once() -> None:
    assert fetched(("begin", "a", 0), ("end", "a", 5)) == (1, 5, 0)
    assert fetched(("begin", "a", 0), ("end", "a", 5), ("claim", "a", 0)) == (1, 5, 5)
    claims = [("claim", "a", 0)] * 3
    assert fetched(("begin", "a", 0), ("end", "a", 5), *claims) == (1, 5, 5)


def test_a_client_may_ask_while_they_come() -> None:
    assert fetched(("begin", "a", 0), ("claim", "a", 0), ("end", "a", 5)) == (1, 5, 5)


def test_what_was_held_is_no_fetch() -> None:
    assert fetched(("begin", "a", 0), ("end", "a", 0), ("claim", "a", 0)) == (0, 0, 0)
    again = (("begin", "a", 0), ("end", "a", 5), ("begin", "a", 0), ("end", "a", 0))
    assert fetched(*again, ("claim", "a", 0)) == (1, 5, 5)


def test_what_was_not_fetched_is_no_use() -> None:
    assert fetched(("claim", "a", 0)) == (0, 0, 0)


def test_the_first_client_alone_is_told() -> None:
    ahead = FetchedAhead()
    ahead.begin("a")
    assert ahead.claim("a")
    assert not ahead.claim("a")
    ahead.end("a", 5)
    assert not ahead.claim("a")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("begin", "end", "claim")), st.sampled_from("abc"), st.integers(0, 9)
        )
    )
)
def test_no_more_is_used_than_was_fetched(events: list[tuple[str, str, int]]) -> None:
    running = {"a": 0, "b": 0, "c": 0}
    taken = []
    for event, what, size in events:
        running[what] += {"begin": 1, "end": -1, "claim": 0}[event]
        if running[what] >= 0:
            taken.append((event, what, size))
        else:
            running[what] = 0
    _, total, used = fetched(*taken)
    assert total == sum(size for event, _, size in taken if event == "end")
    assert used <= total


def test_the_oldest_are_forgotten_and_count_as_unused() -> None:
    ahead = FetchedAhead()
    names = [str(n) for n in range(fetched_ahead._REMEMBERED + 1)]
    for name in names:
        ahead.begin(name)
        ahead.end(name, 1)
    assert not ahead.claim(names[0])
    assert ahead.claim(names[-1])
    assert ahead.report() == {"fetches": len(names), "bytes": len(names), "used": 1}
