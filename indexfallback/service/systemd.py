"""The systemd user unit, for Linux."""

from indexfallback.service.job import DESCRIPTION, NAME, Job

UNIT = f"{NAME}.service"

_TEMPLATE = """\
# Written by `indexfallback service install`, and removed by `indexfallback service uninstall`.
[Unit]
Description={description}
# Five failures in 300 s, for example because the port is taken, end the restarts.
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
# Python imports modules from there first: it must not be the home directory.
WorkingDirectory=/
{environment}Restart=on-failure
RestartSec=5
# The configuration is not valid: a restart would not help.
RestartPreventExitStatus=2
# The shim lets downloads finish for some seconds.
TimeoutStopSec=10
UMask=0077
# Only restrictions that work without user namespaces, which some systems forbid.
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
    """Return the text of the unit file."""
    program, *arguments = job.command
    command = [_quoted(program), *(_quoted(argument).replace("$", "$$") for argument in arguments)]
    environment = [
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.environment.items()
    ]
    return _TEMPLATE.format(
        description=DESCRIPTION, command=" ".join(command), environment="".join(environment)
    )


def _quoted(text: str) -> str:
    """Return a word in quotes, with the characters escaped that are special in systemd."""
    for special, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("\n", "\\n")):
        text = text.replace(special, written)
    return f'"{text}"'
