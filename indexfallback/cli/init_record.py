"""The record of what ``init`` has done, in the user's state directory, for its undo.

The change of the configuration and those of clients have records of their own
(`clients.record`).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from indexfallback.clients import files
from indexfallback.errors import LocatedError


class InitRecordError(LocatedError):
    """The record, ``where``, is damaged."""


@dataclass(frozen=True, kw_only=True)
class InitRecord:
    """What ``init`` has done; each part is recorded before it is done."""

    #: The port of the shim that was started or stopped.
    port: int = 0
    #: How the shim was started: the name of a `keeping.Way`, or empty.
    started: str = ""
    #: How the shim ran that was stopped before, with another configuration.
    stopped: str = ""
    #: The clients that were pointed at the shim.
    clients: tuple[str, ...] = ()


def load() -> InitRecord:
    """Return the record, an empty one if there is none; raises `InitRecordError`."""
    file = _file()
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return InitRecord(**{**data, "clients": tuple(data["clients"])})
    except FileNotFoundError:
        return InitRecord()
    except (ValueError, KeyError, TypeError) as error:
        raise InitRecordError(
            str(file),
            "the record of init is damaged",
            "remove it; `indexfallback setup --all --undo` restores the clients' files",
        ) from error


def save(record: InitRecord) -> None:
    """Save the record; remove an empty one."""
    if record == InitRecord():
        _file().unlink(missing_ok=True)
    else:
        files.write(_file(), json.dumps(asdict(record), indent=1), mode=files.PRIVATE)


def _file() -> Path:
    return platformdirs.user_state_path("indexfallback") / "init.json"
