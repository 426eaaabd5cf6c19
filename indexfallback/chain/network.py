"""Whether the indexes may be asked now; no other module decides it.

The user's mode is a file in the state directory, because it holds for every cache and every
configuration of the user. A running shim reads it several times a second.

Locks: none; the state is one value, and two threads that read it at once find the same.
"""

import logging
import time
from pathlib import Path

import platformdirs

from indexfallback.config import Settings
from indexfallback.errors import StoreError
from indexfallback.mode import Mode, OfflineState, offline_state
from indexfallback.outcome import Kind, Outcome
from indexfallback.upstream.route import has_route

log = logging.getLogger("indexfallback")

#: File and routing table are read this often, seconds. That takes 0.1 ms: users see a change at
#: once, and a thousand pages a second cost nothing more.
LOOK_SECONDS = 0.2


def mode_file() -> Path:
    """Return where the user's mode is kept; there is no file while it is ``auto``."""
    return platformdirs.user_state_path("indexfallback") / "offline"


def read_mode() -> Mode:
    """Return the user's mode; raises `StoreError` for what cannot be read."""
    file = mode_file()
    try:
        return Mode(file.read_text(encoding="utf-8").strip())
    except (FileNotFoundError, NotADirectoryError):
        return Mode.AUTO
    except (OSError, ValueError) as error:  # no access, or neither a mode nor text
        raise StoreError(
            str(file), f"cannot be used ({error})", "`indexfallback offline auto` mends it"
        ) from error


class Network:
    """Whether the indexes may be asked, for one process."""

    def __init__(self, settings: Settings) -> None:
        self._option = settings.offline
        self._needs_route = not all(index.is_on_this_machine for index in settings.every_index)
        #: Whether the latest try of an index found no network; None before it tells. Its keys
        #: never change, so that it can be looked through at any time.
        self._cut: dict[str, bool | None] = dict.fromkeys(i.name for i in settings.every_index)
        self._due = 0.0
        self._state = OfflineState()
        self._problem = ""
        #: Counts the changes: an answer from before the latest one may be out of date.
        self._changes = 0

    @property
    def offline_state(self) -> OfflineState:
        """Whether indexes may be asked now, and why not."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + LOOK_SECONDS
            self._look()
        return self._state

    @property
    def changes(self) -> int:
        """The number of changes so far."""
        _ = self.offline_state
        return self._changes

    @property
    def is_offline(self) -> bool:
        """Whether the user has said to ask no index."""
        return self.offline_state.requested is not None

    def learn(self, name: str, outcome: Outcome) -> None:
        """Note what an attempt at an index tells of the network."""
        is_cut = outcome.kind is Kind.OFFLINE
        if (is_cut or outcome.is_answer) and self._cut[name] is not is_cut:
            self._cut[name] = is_cut
            self._look()

    def _look(self) -> None:
        before = self._state
        mode = self._mode()
        found = self._cut.values()
        after = offline_state(
            mode,
            option=self._option,
            # The user's choice overrides the routing table.
            has_route=self._option or mode is not Mode.AUTO or not self._needs_route or has_route(),
            # One index that answers proves that there is a network.
            network_failed=True in found and False not in found,
        )
        if after != before:
            self._state = after
            self._changes += 1
            if after.cause is not before.cause:
                _say(after)

    def _mode(self) -> Mode:
        """Return the user's mode; an unreadable file counts as ``auto`` and is logged once."""
        try:
            mode, problem = read_mode(), ""
        except StoreError as error:
            mode, problem = Mode.AUTO, str(error)
        if problem and problem != self._problem:
            log.warning("%s; as if it said auto", problem)
        self._problem = problem
        return mode


def _say(state: OfflineState) -> None:
    if state.cause is not None:
        log.info("offline: %s; the cache is served", state.cause.words)
    else:
        log.info("online again")
