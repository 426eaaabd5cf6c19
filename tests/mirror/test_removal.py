"""The removals that need the user's consent."""

from hypothesis import given
from hypothesis import strategies as st

from indexfallback.mirror.result import Removal


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_more_than_a_fifth_needs_consent(projects: int, gone: int, files: int, lost: int) -> None:
    removal = Removal(("a",) * gone, ("b",) * lost, projects, files)
    assert removal.needs_consent is (5 * gone > projects or 5 * lost > files)
