"""``init``: creates a chain from the indexes in use, and sets up clients and the service."""

import sys
from collections.abc import Sequence

import click

from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import say, say_more, tilde
from indexfallback.cli.pointing import installed, permanent_settings, print_results, set_up
from indexfallback.cli.proposal import examined, proposed, show
from indexfallback.clients import files


@click.command(epilog=examples("indexfallback init", "indexfallback init --yes"))
@click.option("--yes", is_flag=True, help="Accept the chain and the clients without a question.")
@takes_options
def init(options: Options, *, yes: bool) -> None:
    """Create a chain from the indexes in use now.

    Then sets up the installed clients. Asks before each change, and before it compares names of
    private indexes with the public one. The service is installed only
    after a question on a terminal.
    """
    settings = permanent_settings(options)
    is_asked = not yes and sys.stdin.isatty()
    proposal = proposed(options, settings)
    show(proposal)
    proposal = examined(proposal, settings, click.confirm if is_asked else None)
    file, clients = tilde(proposal.file), installed()
    if not yes and not is_asked:
        _say_what_would_be(file, clients, writes=proposal.is_needed)
        raise SystemExit(1)
    if not proposal.is_needed:
        click.echo(f"{file} has this chain already.")
    elif yes or click.confirm(f"Write this chain to {file}?"):
        files.write_configuration(proposal.file, proposal.after)
        click.echo(f"Wrote {file}")
    else:
        click.echo("Nothing was changed.")
        return
    chosen = [name for name in clients if yes or click.confirm(f"Point {name} at the local index?")]
    results = set_up(options, chosen)
    print_results(results, dry_run=False)
    _offer_service(yes=yes)
    if any(result["refused"] for result in results):
        raise SystemExit(1)


def _say_what_would_be(file: str, clients: Sequence[str], *, writes: bool) -> None:
    if writes:
        click.echo(f"This chain would be written to {file}.")
    if clients:
        click.echo(f"These clients would be set up: {', '.join(clients)}.")
    say("nothing was changed, because there is no terminal; use --yes to accept the changes")


def _offer_service(*, yes: bool) -> None:
    """Offer to install the service."""
    ctx = click.get_current_context()
    group = ctx.find_root().command
    service = group.get_command(ctx, "service") if isinstance(group, click.Group) else None
    install = service.get_command(ctx, "install") if isinstance(service, click.Group) else None
    if install is not None and not yes and click.confirm("Start the local index at each login?"):
        ctx.invoke(install)
        return
    service_too = "; at each login: `indexfallback service install`" if install else ""
    say_more(f"Start the local index: `indexfallback serve`{service_too}.")
