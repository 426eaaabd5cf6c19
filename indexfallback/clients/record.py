"""Records of set-up changes in the user's state directory, which make an undo possible."""

import json
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from indexfallback.clients import files
from indexfallback.clients.machine import ClientFileError
from indexfallback.clients.undo import Step

#: The record of our own configuration file, which is no client's.
CONFIGURATION = "configuration"
_SUFFIX = ".json"


@dataclass(frozen=True, kw_only=True)
class Record:
    """The change to one file."""

    file: Path
    #: The shim's address that was written.
    url: str
    #: Whether the file existed before.
    existed: bool
    #: Its permissions before they were taken from other users; None if that was not needed.
    mode: int | None = None
    #: Directories that were created for it, the innermost first.
    made: tuple[Path, ...]
    #: The text before the change, and after each step of it.
    steps: tuple[Step, ...]


def backup_path(client: str) -> Path:
    """Return the path of the backup of the original file."""
    return _folder() / f"{client}.before"


def load(client: str) -> Record | None:
    """Return the record of a client, or None.

    Raises:
        ClientFileError: the record is damaged.

    """
    try:
        data = json.loads(_path(client).read_text(encoding="utf-8"))
        return Record(
            file=Path(data["file"]),
            url=data["url"],
            existed=data["existed"],
            mode=data["mode"],
            made=tuple(map(Path, data["made"])),
            steps=tuple(Step(*step) for step in data["steps"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ClientFileError(
            str(_path(client)),
            "the record of the set-up is damaged",
            f"restore the client's file from {backup_path(client)}, then remove the record",
        ) from error


def save(client: str, record: Record) -> None:
    """Record a change, and back up the original file; both may contain passwords."""
    if record.existed:
        files.write(backup_path(client), record.steps[0].text, mode=0o600)
    data = {
        "file": str(record.file),
        "url": record.url,
        "existed": record.existed,
        "mode": record.mode,
        "made": [str(folder) for folder in record.made],
        "steps": record.steps,
    }
    files.write(_path(client), json.dumps(data, indent=1), mode=0o600)


def forget(client: str) -> None:
    """Remove the record and the backup."""
    _path(client).unlink(missing_ok=True)
    backup_path(client).unlink(missing_ok=True)


def is_any() -> bool:
    """Tell whether there is a record of any client."""
    return any(file.stem != CONFIGURATION for file in _folder().glob(f"*{_SUFFIX}"))


def _folder() -> Path:
    return platformdirs.user_state_path("indexfallback") / "setup"


def _path(client: str) -> Path:
    return _folder() / f"{client}{_SUFFIX}"
