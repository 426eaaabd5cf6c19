"""``init``: creates a chain from the indexes in use, and sets up clients and the service."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import click

from indexfallback.cli.chain import is_from_pip, shown_url
from indexfallback.cli.compare import Lists, judged, lists_of, public_index
from indexfallback.cli.options import Options, examples, takes_options
from indexfallback.cli.output import print_table, say, say_more, tilde, wrapped
from indexfallback.cli.setup import installed, permanent_settings, print_results, set_up
from indexfallback.clients import files, machine, takeover
from indexfallback.clients.discovery import found_indexes, ordered
from indexfallback.clients.environment import without_activation
from indexfallback.config import Index, Settings
from indexfallback.config.address import is_at
from indexfallback.config.load import chain_of, config_path
from indexfallback.config.pip import PipConfig, is_default_url
from indexfallback.doctor.copies import SAMPLE


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
    file = config_path(options.config)
    before = machine.read(file)
    has_chain = bool(settings.indexes) and not is_from_pip(settings)
    found, origins = _found(settings)
    new = takeover.missing(_as_private(found), settings.indexes) if has_chain else found
    _show(settings.indexes if has_chain else (), new, origins)
    named = takeover.renamed(new, settings.indexes if has_chain else ())
    named = _examined(settings, named, has_chain=has_chain, asks=not yes and sys.stdin.isatty())
    after = takeover.with_indexes(before, named)
    clients = installed()
    if not yes and not sys.stdin.isatty():
        _say_what_would_be(tilde(file), clients, writes=after != before)
        raise SystemExit(1)
    if after == before:
        click.echo(f"{tilde(file)} has this chain already.")
    elif yes or click.confirm(f"Write this chain to {tilde(file)}?"):
        files.write_configuration(file, after)
        click.echo(f"Wrote {tilde(file)}")
    else:
        click.echo("Nothing was changed.")
        return
    chosen = [name for name in clients if yes or click.confirm(f"Point {name} at the local index?")]
    results = set_up(options, chosen)
    print_results(results, dry_run=False)
    _offer_service(yes=yes)
    if any(result["refused"] for result in results):
        raise SystemExit(1)


def _found(settings: Settings) -> tuple[list[Index], dict[str, str]]:
    """Return the indexes that the clients use now, and the origin of each by its address."""
    is_shim = partial(is_at, host=settings.host, port=settings.port)
    pip = list(PipConfig(without_activation(os.environ)).indexes(is_shim))
    proposed = ordered(pip, found_indexes(machine.this_machine(), is_shim))
    chain = chain_of(
        [index for index, _ in proposed], os.environ, host=settings.host, port=settings.port
    )
    pypi = next((index.name for index in chain.indexes if is_default_url(index.url)), None)
    indexes = [
        replace(index, role="mirror", mirror_of=pypi) if is_mirror else index
        for index, (_, is_mirror) in zip(chain.indexes, proposed, strict=True)
    ]
    origins = {index.url: chain.origins[f"index.{index.name}.url"] for index in indexes}
    return indexes, origins


def _as_private(found: Sequence[Index]) -> list[Index]:
    """Return the indexes with pip's main one as private, unless it is PyPI."""
    return [
        replace(index, role="private")
        if index.role == "public" and not is_default_url(index.url)
        else index
        for index in found
    ]


def _show(chain: Sequence[Index], new: Sequence[Index], origins: dict[str, str]) -> None:
    click.echo("Indexes are asked in this order; the first that has a project owns it:")
    rows = []
    for number, index in enumerate((*new, *chain), 1):
        login = ", with credentials" if index in new and index.username else ""
        origin = origins.get(index.url, "")
        why = f"{takeover.reason(index)} ({origin}{login})" if index in new else ""
        rows.append((f"  {number} {index.name}", index.role, shown_url(index), why))
    print_table((), rows)
    deferring = [index.name for index in new if index.defer_copies]
    if deferring:
        click.echo(
            wrapped(
                f"Copies of public projects in {', '.join(deferring)} stay the public index's "
                "(defer_copies = true)."
            )
        )


def _examined(
    settings: Settings, named: Sequence[tuple[str, Index]], *, has_chain: bool, asks: bool
) -> list[tuple[str, Index]]:
    """Say which of the new indexes have copies of public projects; restrict those of a yes."""
    new = [replace(index, name=name) for name, index in named]
    lists = lists_of(replace(settings, indexes=tuple(new)))
    chain = settings.indexes if has_chain else ()
    together = replace(
        settings, indexes=(*new, *(index for index in chain if not index.is_private))
    )
    judgements = judged(together, lists, compare=asks and _may_compare(together, lists))
    examined = []
    for index in new:
        judgement = judgements.get(index)
        if judgement is not None:
            say(f"{index.name}: {judgement.what}")
            if judgement.remedy:
                say_more(judgement.remedy)
            if asks and judgement.only and _restricts(index, judgement.only):
                index = replace(index, only=judgement.only, defer_copies=False)  # noqa: PLW2901
        examined.append((index.name, index))
    return examined


def _may_compare(settings: Settings, lists: Lists) -> bool:
    """Ask whether the public index may hear names of the private ones."""
    public = public_index(settings)
    listing = [index.name for index, names in lists.items() if names]
    return (
        public is not None
        and bool(listing)
        and click.confirm(
            f"Look for copies of public projects? It asks {public.name} for up to {SAMPLE} names "
            f"of {', '.join(listing)}."
        )
    )


def _restricts(index: Index, only: Sequence[str]) -> bool:
    return click.confirm(f"Ask {index.name} for nothing but {', '.join(only)} (only)?")


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
