"""When files were first seen: what counts as old, and what other processes and restarts know."""

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.store import Store
from indexfallback.store.events import Actor
from indexfallback.store.first_seen import OLD, Seen, is_sound, merged, times
from indexfallback.store.hosting import Hosting
from tests.store.support import set_read_only, written_after_reads

SOURCE = "https://packages.example.com/simple/"


def see(store: Store, *names: str, now: float, ahead: tuple[str, ...] = ()) -> dict[str, float]:
    seen = store.first_seen.see(SOURCE, "acme", names, ahead, now)
    return {name: seen[name] for name in (*names, *ahead)}


def test_what_the_first_page_lists_is_old_and_what_comes_later_is_new(store: Store) -> None:
    assert see(store, "a", "b", now=100.0) == {"a": OLD, "b": OLD}
    assert see(store, "a", "c", now=200.0) == {"a": OLD, "c": 200.0}
    assert see(store, "a", "b", "c", now=300.0) == {"a": OLD, "b": OLD, "c": 200.0}


def test_a_page_whose_files_all_have_times_is_a_first_page(store: Store) -> None:
    see(store, now=100.0)
    assert see(store, "a", now=200.0) == {"a": 200.0}


def test_a_file_of_the_future_is_new_on_the_first_page(store: Store) -> None:
    assert see(store, "a", ahead=("b",), now=100.0) == {"a": OLD, "b": 100.0}


def test_a_record_of_a_clock_that_was_ahead_is_made_again(store: Store) -> None:
    see(store, "a", now=100.0)
    assert see(store, "b", now=9000.0) == {"b": 9000.0}
    assert see(store, "b", now=200.0) == {"b": 200.0}
    store.first_seen.flush()
    assert see(store, "b", now=9500.0) == {"b": 200.0}


def test_a_clock_that_is_behind_the_first_page_makes_no_file_older(store: Store) -> None:
    see(store, "a", now=100.0)
    see(store, "b", now=200.0)
    assert see(store, "b", now=5.0) == {"b": 200.0}
    assert see(store, "b", now=300.0) == {"b": 200.0}


def test_each_index_has_first_pages_of_its_own(store: Store) -> None:
    see(store, "a", now=100.0)
    other = store.first_seen.see("https://other.example.com/", "acme", ["b"], [], 200.0)
    assert other["b"] == OLD


def test_records_hold_while_the_disk_cannot_be_written_and_are_written_then(store: Store) -> None:
    see(store, "a", now=100.0)
    set_read_only(store, True)
    assert see(store, "a", "b", now=200.0)["b"] == 200.0
    assert see(store, "b", now=300.0)["b"] == 200.0
    set_read_only(store, False)
    store.first_seen.flush()
    with closing(Store(store.directory, 10**6)) as again:
        assert see(again, "b", now=400.0)["b"] == 200.0


def test_a_record_that_another_thread_is_writing_counts(store: Store) -> None:
    set_read_only(store, True)
    see(store, "a", now=100.0)
    set_read_only(store, False)
    written_after_reads(store, store.first_seen.flush)
    assert see(store, "b", now=200.0)["b"] == 200.0


def test_a_damaged_database_gives_its_records_to_the_new_one(store: Store) -> None:
    see(store, "a", now=100.0)
    see(store, "b", now=200.0)
    store.database.make_again("a test")
    store.wait_until_rebuilt(10.0)
    assert see(store, "b", "c", now=300.0) == {"b": 200.0, "c": 300.0}


def test_after_a_damaged_record_the_next_page_counts_as_the_first(store: Store) -> None:
    see(store, "a", now=100.0)
    for body in (b"{", 7):
        store.database.execute("UPDATE first_seen SET body = ?", (body,))
        assert see(store, "b", now=200.0) == {"b": OLD}


def test_two_processes_agree_on_what_was_seen_first(store: Store) -> None:
    with closing(Store(store.directory, 10**6)) as other:
        see(store, "a", now=100.0)
        assert see(other, "a", "b", now=200.0) == {"a": OLD, "b": 200.0}
        assert see(store, "b", now=300.0) == {"b": 200.0}


def test_a_first_page_of_a_clock_that_was_ahead_withholds_no_file_for_longer(store: Store) -> None:
    """Another shim has had the first page of all before."""
    see(store, "a", now=9000.0)
    store.first_seen.learn(SOURCE, "acme", {"": 100.0})
    assert see(store, "a", now=200.0) == {"a": 200.0}
    assert see(store, "a", now=9500.0) == {"a": 200.0}


WHEN = st.sampled_from((100.0, 200.0, 300.0))
SEEN = st.builds(
    lambda first, old, new: {
        "": first,
        **dict.fromkeys(old, -first),
        **{name: first + later for name, later in new.items()},
    },
    WHEN,
    st.sets(st.sampled_from("abc")),
    st.dictionaries(st.sampled_from("def"), WHEN),
)


@given(SEEN, SEEN, SEEN)
def test_records_are_joined_in_any_order_and_any_number_of_times(
    one: Seen, other: Seen, third: Seen
) -> None:
    joined = merged(merged(one, other), third)
    assert joined == merged(one, merged(third, other)) == merged(joined, other)
    assert is_sound(joined)
    assert joined.keys() == one.keys() | other.keys() | third.keys()


@given(SEEN, SEEN)
def test_what_the_earlier_first_page_lists_is_old_and_nothing_else(one: Seen, other: Seen) -> None:
    joined = times(merged(one, other))
    first = min(one[""], other[""])
    old = {n for seen in (one, other) for n, when in seen.items() if when == -first}
    assert {name for name, when in joined.items() if when == OLD} == old
    assert all(when >= first for name, when in joined.items() if name not in old)


def test_a_later_first_page_makes_no_file_old() -> None:
    known = {"": 100.0, "a": -100.0, "b": 150.0}
    late = {"": 200.0, "a": -200.0, "b": -200.0, "c": -200.0}
    assert times(merged(late, known)) == {"": 100.0, "a": OLD, "b": 150.0, "c": 200.0}


def test_an_acceptance_names_user_and_time_and_is_undone_once() -> None:
    with closing(Hosting()) as hosting:
        assert hosting.accepted("acme") == frozenset()
        first = hosting.acceptances.accept("acme", "1.0", Actor("ann"))
        assert hosting.acceptances.accept("acme", "1.0", Actor("ben")) == first
        assert first.by == "ann"
        assert hosting.accepted("acme") == {"1"}
        assert hosting.acceptances.undo("acme", "1.0.0", Actor("ann"))
        assert not hosting.acceptances.undo("acme", "1.0", Actor("ann"))
        assert hosting.acceptances.all() == []


def test_reading_acceptances_makes_no_database() -> None:
    with closing(Hosting()) as hosting:
        assert hosting.accepted("acme") == frozenset()
        assert not (hosting._directory / "hosting.sqlite3").exists()
