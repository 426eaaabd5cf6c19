"""``service``: the shim started by the system at login, and stopped, looked at, listened to."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_json, say, tilde
from indexfallback.cli.running import address, health
from indexfallback.clients.environment import without_activation
from indexfallback.clients.shim_process import START_SECONDS
from indexfallback.config import Settings
from indexfallback.service.job import Job, kept_environment
from indexfallback.service.manager import Manager, ServiceError, manager


@click.group(epilog=examples("indexfallback service install", "indexfallback service logs -f"))
def service() -> None:
    """Start the shim at each login.

    By a systemd user unit, a launchd agent, or a scheduled task.
    """


@service.command(
    epilog=examples("indexfallback service install", "indexfallback service install --dry-run")
)
@click.option("--dry-run", is_flag=True, help="Print the file that would be written.")
@takes_options
def install(options: Options, dry_run: bool) -> None:
    """Start the shim now and at each login, with these options and settings."""
    settings = options.settings()
    job = _job(options, settings)
    system = manager()
    if dry_run:
        click.echo(system.text(job), nl=False)
        return
    _tell_of_passwords(settings)
    before = health(settings)
    system.install(job)
    click.echo(f"Installed: {_named(system)}")
    if before is not None and _is_still(before, settings):
        say(
            f"process {before['pid']} serves the port already: stop it, and run "
            "`indexfallback service install` again"
        )
        return
    _wait(settings)
    click.echo(f"Runs on {address(settings)}")


def _job(options: Options, settings: Settings) -> Job:
    # A directory's address holds wherever it is run; the user may have given a relative path.
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


def _is_still(before: dict[str, object], settings: Settings) -> bool:
    """Tell whether the shim that was there, which is not the service's, still is."""
    now = health(settings)
    return now is not None and now.get("pid") == before.get("pid")


def _tell_of_passwords(settings: Settings) -> None:
    for index in settings.indexes:
        origin = settings.origins.get(f"index.{index.name}.password", "")
        if index.password is not None and origin.isidentifier():
            say(
                f"{index.name} takes its password from {origin}, which a service does not see: "
                "keep it in ~/.netrc or the keyring (keyring = true)"
            )


def _wait(settings: Settings) -> None:
    ends = time.monotonic() + START_SECONDS
    while health(settings) is None:
        if time.monotonic() > ends:
            raise ServiceError(
                "service install", f"no shim answers after {START_SECONDS:.0f} s",
                "`indexfallback service logs` says why",
            )  # fmt: skip
        time.sleep(0.05)  # nothing else tells when it listens


@service.command(epilog=examples("indexfallback service uninstall"))
@takes_options
def uninstall(options: Options) -> None:  # noqa: ARG001 - every command takes them
    """Stop the shim that was installed, and start it no more."""
    system = manager()
    if system.uninstall():
        click.echo(f"Removed: {_named(system)}")
        say("clients that are set up for it wait 7.5 s for each project: `indexfallback doctor`")
    else:
        say("no service is installed: there is nothing to remove")


@service.command(epilog=examples("indexfallback service status --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_options
def status(options: Options, as_json: bool) -> None:
    """Say whether it is installed and answers; exit 1 if not both."""
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
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@takes_options
def logs(options: Options, lines: int, follow: bool) -> None:  # noqa: ARG001 - as above
    """Print what it wrote last."""
    manager().show_logs(lines=lines, follow=follow)
