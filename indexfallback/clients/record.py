"""What set-up has changed, kept in the user's state directory so that it can be undone."""

import json
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from indexfallback.clients import files
from indexfallback.clients.machine import ClientFileError
from indexfallback.clients.undo import Step


@dataclass(frozen=True, kw_only=True)
class Record:
    """One client's file before and after each step."""

    file: Path
    #: The shim's address in it.
    url: str
    #: Whether the file was there before.
    existed: bool
    #: Directories made for it, the innermost first.
    made: tuple[Path, ...]
    steps: tuple[Step, ...]


def backup_path(client: str) -> Path:
    """Return where the file as it was before is kept."""
    return _folder() / f"{client}.before"


def load(client: str) -> Record | None:
    """Return what is recorded of a client, or None.

    Raises:
        ClientFileError: the record is damaged.

    """
    try:
        data = json.loads(_path(client).read_text(encoding="utf-8"))
        return Record(
            file=Path(data["file"]),
            url=data["url"],
            existed=data["existed"],
            made=tuple(map(Path, data["made"])),
            steps=tuple(Step(*step) for step in data["steps"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ClientFileError(
            _path(client),
            "what was set up is not readable any more",
            f"put the file back from {backup_path(client)}, then remove this one",
        ) from error


def save(client: str, record: Record) -> None:
    """Record a change, and keep the file as it was before; both may hold passwords."""
    if record.existed:
        files.write(backup_path(client), record.steps[0].text, mode=0o600)
    data = {
        "file": str(record.file),
        "url": record.url,
        "existed": record.existed,
        "made": [str(folder) for folder in record.made],
        "steps": record.steps,
    }
    files.write(_path(client), json.dumps(data, indent=1), mode=0o600)


def forget(client: str) -> None:
    """Remove the record and the copy."""
    _path(client).unlink(missing_ok=True)
    backup_path(client).unlink(missing_ok=True)


def _folder() -> Path:
    return platformdirs.user_state_path("indexfallback") / "setup"


def _path(client: str) -> Path:
    return _folder() / f"{client}.json"
