"""``service``: lets the system start the shim at login, and shows its state and log."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from indexfallback.cli.help import Group
from indexfallback.cli.options import Options, examples, json_option, takes_options
from indexfallback.cli.output import note, print_json, say, tell, tilde
from indexfallback.cli.running import address, health
from indexfallback.clients.environment import without_activation
from indexfallback.clients.shim_process import START_SECONDS
from indexfallback.config import Settings
from indexfallback.service.job import Job, kept_environment
from indexfallback.service.manager import Manager, ServiceError, manager


@click.group(
    cls=Group, epilog=examples("indexfallback service install", "indexfallback service logs -f")
)
def service() -> None:
    """Start the shim at each login.

    Uses a systemd user unit, a launchd agent, or a scheduled task.
    """


@service.command(
    epilog=examples("indexfallback service install", "indexfallback service install --dry-run")
)
@click.option("--dry-run", is_flag=True, help="Print the file that would be written.")
@takes_options
def install(options: Options, dry_run: bool) -> None:
    """Start the shim now and at each login.

    It keeps the options and environment variables of this command.
    """
    settings = options.settings()
    job = job_of(options, settings)
    system = manager()
    if dry_run:
        click.echo(system.text(job), nl=False)
        return
    warn_about_passwords(settings)
    before = health(settings)
    system.install(job)
    tell(f"Installed: {_named(system)}")
    if before is not None and _is_still(before, settings):
        say(
            f"another shim (process {before['pid']}) has the port: stop it, and run "
            "`indexfallback service install` again"
        )
        return
    wait_for_shim(settings)
    tell(f"Runs on {address(settings)}")


def job_of(options: Options, settings: Settings) -> Job:
    """Return the job that serves with the options and the environment of this command."""
    # The path of a directory may be relative; the index has the absolute one.
    indexes = tuple(
        f"{index.name}={index.url}" if index.is_directory else given
        for index, given in zip(settings.indexes, options.indexes, strict=False)
    )
    arguments = replace(options, indexes=indexes).as_arguments()
    return Job(
        command=(sys.executable, "-m", "indexfallback", *arguments, "serve"),
        environment=kept_environment(without_activation(os.environ), Path.cwd()),
    )


def _named(system: Manager) -> str:
    return f"{system.kind} {tilde(system.place)}"


def _is_still(before: Mapping[str, object], settings: Settings) -> bool:
    """Tell whether the shim from before the installation still runs."""
    now = health(settings)
    return now is not None and now.get("pid") == before.get("pid")


def warn_about_passwords(settings: Settings) -> None:
    """Warn about passwords in environment variables, which a service does not have."""
    for index in settings.indexes:
        if index.password_env is not None:
            say(
                f"the password of {index.name} is in {index.password_env}, which is not set for a "
                "service: put it into ~/.netrc or the keyring (keyring = true)"
            )


def wait_for_shim(settings: Settings) -> None:
    """Return when the shim that the service starts answers; raises `ServiceError`."""
    ends = time.monotonic() + START_SECONDS
    while health(settings) is None:
        if time.monotonic() > ends:
            raise ServiceError(
                "service install", f"no shim answers after {START_SECONDS:.0f} s",
                "`indexfallback service logs` says why",
            )  # fmt: skip
        time.sleep(0.05)  # there is no event to wait for


@service.command(epilog=examples("indexfallback service uninstall"))
@takes_options
def uninstall(options: Options) -> None:  # noqa: ARG001 - every command takes them
    """Stop the installed shim, and do not start it at login any more."""
    system = manager()
    if system.uninstall():
        tell(f"Removed: {_named(system)}")
        note(
            "clients that still use it wait 7.5 s for each project; `indexfallback doctor` finds "
            "them"
        )
    else:
        note("no service is installed: there is nothing to remove")


@service.command(epilog=examples("indexfallback service status --json"))
@json_option
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Show whether the service is installed and answers.

    Exits with 1 unless both are true.
    """
    settings = options.settings()
    system = manager()
    state, found = system.state(), health(settings)
    url = address(settings)
    if as_json:
        print_json({"installed": state is not None, "state": state, "answers": found is not None,
                    "url": url})  # fmt: skip
    else:
        click.echo(f"{_named(system)}: {state or 'not installed'}")
        answers = f"answers (process {found['pid']})" if found else "does not answer"
        click.echo(f"{url}: {answers}")
    sys.exit(0 if state is not None and found is not None else 1)


@service.command(
    epilog=examples("indexfallback service logs -n 100", "indexfallback service logs -f")
)
@click.option("-n", "--lines", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Print new lines as well, until Ctrl-C.")
@takes_options
def logs(options: Options, lines: int, follow: bool) -> None:  # noqa: ARG001 - as above
    """Print the last lines of the log."""
    manager().show_logs(lines=lines, follow=follow)
