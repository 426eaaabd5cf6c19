"""The table in memory: bounded by bytes, least recently used first."""

import threading
from collections import OrderedDict
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.memory.table import OVERHEAD, Table, weight
from indexfallback.outcome import Kind, Outcome

MOST = 1000
#: A step: put a key with a cost, get it, or remove it.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("put", "get", "remove")),
        st.integers(0, 8),
        st.integers(0, MOST),
    )
)


def _table() -> Table[int, int]:
    return Table("", lambda _, value: value, most=MOST)


@given(STEPS)
def test_it_is_the_longest_run_of_latest_entries_that_fits(
    steps: list[tuple[str, int, int]],
) -> None:
    table, model = _table(), OrderedDict[int, int]()
    for what, key, cost in steps:
        if what == "put":
            assert table.put(key, cost) is (key not in model)
            model.pop(key, None)
            if cost + OVERHEAD <= MOST:
                model[key] = cost
            while sum(model.values()) + OVERHEAD * len(model) > MOST:
                model.popitem(last=False)
        elif what == "get":
            assert table.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        else:
            table.remove(key)
            model.pop(key, None)
        assert table.items() == list(model.items())
        assert table.size == sum(model.values()) + OVERHEAD * len(model) <= MOST


def test_chosen_keys_are_removed_and_then_all() -> None:
    table = _table()
    for key in range(4):
        table.put(key, 1)
    table.remove_all(lambda key: key % 2 == 0)
    assert [key for key, _ in table.items()] == [1, 3]
    table.clear()
    assert (len(table), table.size) == (0, 0)


def test_an_entry_larger_than_the_table_replaces_the_one_of_its_key_and_no_other() -> None:
    table = _table()
    table.put(1, 10)
    table.put(2, 10)
    table.put(1, MOST)
    assert table.items() == [(2, 10)]


def test_threads_that_put_the_same_key_at_once_count_it_once() -> None:
    table, start = _table(), threading.Barrier(8)

    def put() -> None:
        start.wait(60)
        table.put(1, 100)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.size == 100 + OVERHEAD


class _Pair(NamedTuple):
    name: str
    data: bytes


@given(st.text(), st.binary())
def test_a_value_weighs_at_least_what_it_holds(name: str, data: bytes) -> None:
    assert weight(_Pair(name, data)) > len(name) + len(data)
    assert weight({name: [data]}, (name,)) > 2 * len(name) + len(data)
    outcome = Outcome(Kind.FAILED, "x" * 100)
    assert weight(outcome) > 100


def test_a_key_weighs_too() -> None:
    table: Table[str, None] = Table("", most=100_000)
    for number in range(10):
        table.put(f"{number}" + " " * 40_000, None)
    assert len(table) == 2
