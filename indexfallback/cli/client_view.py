"""Asks a client that was set up which index it uses."""

import shutil
import subprocess

from indexfallback.clients.catalogue import Client

#: pip takes half a second, seconds.
_SECONDS = 20.0
#: pip's exit code if it has no such setting.
_NO_SETTING = 1


def other_index(client: Client, url: str) -> str:
    """Return what a client prints instead of the address ``url``, for a message.

    Empty if it prints the address, or cannot be asked.
    """
    program = next(filter(None, map(shutil.which, client.executables)), None)
    if not client.prints_index or program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the client, fixed arguments
            [program, *client.prints_index], check=False, capture_output=True, text=True,
            errors="replace", stdin=subprocess.DEVNULL, timeout=_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    printed = done.stdout.strip()
    if printed == url or done.returncode not in (0, _NO_SETTING):
        return ""
    command = " ".join((client.name, *client.prints_index))
    return f"`{command}` prints {'another address' if printed else 'nothing'}"
