"""The systemd user unit, for Linux."""

from indexfallback.service.job import DESCRIPTION, NAME, Job

UNIT = f"{NAME}.service"

_TEMPLATE = """\
# Written by `indexfallback service install`, and removed by `indexfallback service uninstall`.
[Unit]
Description={description}
# A port that stays taken is not tried for ever.
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
# Python looks for modules there first: nothing in the home directory is to stand in for ours.
WorkingDirectory=/
{environment}Restart=on-failure
RestartSec=5
# A wrong configuration is still wrong in five seconds.
RestartPreventExitStatus=2
# The shim ends its own worker, and lets transfers end.
KillMode=mixed
TimeoutStopSec=10
UMask=0077
# No more than what works without a user namespace, which not every system lets users have.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def unit(job: Job) -> str:
    """Return the text of the unit."""
    program, *arguments = job.command
    command = [_quoted(program), *(_quoted(argument).replace("$", "$$") for argument in arguments)]
    environment = [
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.environment.items()
    ]
    return _TEMPLATE.format(
        description=DESCRIPTION, command=" ".join(command), environment="".join(environment)
    )


def _quoted(text: str) -> str:
    """Return a word as systemd reads it: no escape, no specifier, no end of a line in it."""
    for special, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("\n", "\\n")):
        text = text.replace(special, written)
    return f'"{text}"'
