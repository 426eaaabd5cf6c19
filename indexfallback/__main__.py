"""The process of the ``indexfallback`` command, and of ``python -m indexfallback``."""

import gc

from indexfallback.cli import main

#: So many new objects, rather than Python's 700, start the garbage collector. Imports make many,
#: and all of them stay: to look at them took a fifth of the time of a short command.
_COLLECT_AFTER = 10_000


def start() -> None:
    """Run the command line, as the only thing that this process does."""
    gc.set_threshold(_COLLECT_AFTER)
    try:
        main()
    finally:
        gc.freeze()  # the interpreter would look through all objects once more as it ends


if __name__ == "__main__":
    start()
