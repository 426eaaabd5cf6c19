"""Work in the background of a store."""

import pytest

from indexfallback.store.background import Background
from tests.serving import wait_until


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_has_failed_can_be_started_again() -> None:
    tried = list[int]()

    def fail() -> None:
        tried.append(1)
        raise ValueError("a mistake of ours")

    background = Background("work", "do the work", fail)
    for times in (1, 2):
        background.start()
        wait_until(lambda: not background.is_running, 5.0, "it is still running")
        assert len(tried) == times
    background.close()
