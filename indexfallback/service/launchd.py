"""The launchd agent, for macOS."""

import plistlib
from typing import Any

from indexfallback.service.job import NAME, Job

AGENT = f"{NAME}.plist"


def agent(job: Job, log: str) -> str:
    """Return the text of the agent's property list; ``log`` is the file of its output."""
    value: dict[str, Any] = {
        "Label": NAME,
        "ProgramArguments": list(job.command),
        "EnvironmentVariables": dict(job.environment),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        # Seconds between restarts, if the port is taken or the configuration is not valid.
        "ThrottleInterval": 30,
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "Umask": 0o077,
    }
    return plistlib.dumps(value).decode()
