"""``python -m indexfallback``: the same as the ``indexfallback`` command."""

from indexfallback.cli import main

if __name__ == "__main__":
    main()
