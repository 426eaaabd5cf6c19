"""The scheduled task, for Windows.

A task has no environment variables: settings of the shim must be in its configuration file, or be
set for the user (``setx``).
"""

import subprocess
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from indexfallback.service.job import DESCRIPTION, NAME, Job

TASK = NAME
_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"

_Tree = Mapping[str, "str | _Tree"]


def task(job: Job, user: str) -> str:
    """Return the definition of the task as XML; ``user`` has a domain if Windows has one."""
    program, *arguments = job.command
    if program.lower().endswith("python.exe"):  # it would open a window
        program = f"{program[: -len('python.exe')]}pythonw.exe"
    root = ET.Element("Task", {"version": "1.2", "xmlns": _NAMESPACE})
    tree: _Tree = {
        "RegistrationInfo": {"Description": DESCRIPTION},
        "Triggers": {"LogonTrigger": {"Enabled": "true", "UserId": user}},
        "Principals": {
            "Principal": {
                "UserId": user,
                "LogonType": "InteractiveToken",
                "RunLevel": "LeastPrivilege",
            }
        },
        "Settings": {
            "MultipleInstancesPolicy": "IgnoreNew",
            "DisallowStartIfOnBatteries": "false",
            "StopIfGoingOnBatteries": "false",
            # No limit; the default is three days.
            "ExecutionTimeLimit": "PT0S",
            "RestartOnFailure": {"Interval": "PT1M", "Count": "5"},
        },
        "Actions": {"Exec": {"Command": program, "Arguments": subprocess.list2cmdline(arguments)}},
    }
    _fill(root, tree)
    ET.indent(root)
    # The only encoding that every schtasks accepts; the caller encodes the text.
    return (
        '<?xml version="1.0" encoding="UTF-16"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    )


def _fill(parent: ET.Element, tree: _Tree) -> None:
    for name, value in tree.items():
        child = ET.SubElement(parent, name)
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)
