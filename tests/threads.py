"""What the threads of this process are doing."""

import sys
import traceback


def waiting_in(function: str) -> int:
    """Return the number of threads that are inside a function of this name."""
    return sum(
        any(frame.f_code.co_name == function for frame, _ in traceback.walk_stack(top))
        for top in sys._current_frames().values()
    )
