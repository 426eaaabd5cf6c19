"""Flipped bits in the database, in a closed file and in one that is in use."""

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexfallback.store import Store
from tests.store.damaged import (
    FILE,
    Filled,
    assert_right,
    copied,
    flip,
    read_until_whole,
)


@pytest.mark.fault(56)
@given(number=st.sampled_from((1, 3, 20)), seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_flipped_bits_in_a_closed_database_lose_no_owner_no_pin_and_no_file(
    filled: Filled, number: int, seed: int
) -> None:
    with copied(filled, "closed") as directory:
        flip(directory / FILE, number, seed)
        with closing(Store(directory, 10**6)) as store:
            assert_right(store, filled)


@pytest.mark.fault(56)
@given(number=st.sampled_from((1, 3, 20)), seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_flipped_bits_in_a_database_in_use_lose_no_owner_no_pin_and_no_file(
    filled: Filled, number: int, seed: int
) -> None:
    with copied(filled, "used") as directory, closing(Store(directory, 10**6)) as store:
        flip(directory / FILE, number, seed)
        assert_right(store, filled)


@pytest.mark.fault(56)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=4)
def test_a_database_that_is_full_of_flipped_bits_ends_no_request(filled: Filled, seed: int) -> None:
    with copied(filled, "ruined") as directory, closing(Store(directory, 10**6)) as store:
        flip(directory / FILE, 200, seed)
        read_until_whole(store, filled)
