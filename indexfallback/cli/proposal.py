"""The chain that ``init`` proposes: the indexes in use now, before those of the configuration."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click

from indexfallback.cli.chain import is_from_pip, shown_url
from indexfallback.cli.compare import Lists, judged, lists_of, public_index
from indexfallback.cli.options import Options
from indexfallback.cli.output import print_table, say, say_more, wrapped
from indexfallback.clients import machine, takeover
from indexfallback.clients.discovery import found_indexes, ordered
from indexfallback.clients.environment import without_activation
from indexfallback.clients.undo import Step
from indexfallback.config import Index, Settings
from indexfallback.config.address import is_at
from indexfallback.config.load import chain_of, config_path
from indexfallback.config.pip import PipConfig, is_default_url
from indexfallback.doctor.copies import SAMPLE

#: Asks a question that is answered by yes or no; no is the answer of an empty line.
Ask = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A chain, and the configuration file with it."""

    file: Path
    #: The text of the file now; empty if it does not exist.
    before: str
    #: The indexes that the file has.
    chain: tuple[Index, ...]
    #: The indexes that clients use now.
    found: tuple[Index, ...]
    #: Those to add at the beginning of the chain, each with a name that is unique in it.
    new: tuple[Index, ...]
    #: The origin of each index that was found, by its address.
    origins: Mapping[str, str]
    #: The port to write, if another program has the configured one; else 0.
    port: int = 0
    #: The names that new private indexes list, by `Index.key`.
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The text of the file now, with the chain, and with the port."""
        text = takeover.with_credentials(self.before, self.found, self.chain)
        text = takeover.with_indexes(text, [(index.name, index) for index in self.new])
        steps = [Step("", self.before), Step("[[index]]", text)]
        if self.port:
            steps.append(Step("[server] port", takeover.with_port(text, self.port)))
        return tuple(steps)

    @property
    def is_needed(self) -> bool:
        """Whether the file would change."""
        return self.before != self.steps[-1].text


def proposed(options: Options, settings: Settings) -> Proposal:
    """Return the chain of the indexes in use now."""
    file = config_path(options.config)
    has_chain = bool(settings.indexes) and not is_from_pip(settings)
    chain = settings.indexes if has_chain else ()
    found, origins = _found(settings)
    new = takeover.missing(_as_private(found), chain) if has_chain else found
    named = takeover.renamed(new, chain)
    return Proposal(
        file=file,
        before=machine.read(file),
        chain=chain,
        found=tuple(found),
        new=tuple(replace(index, name=name) for name, index in named),
        origins=origins,
    )


def _found(settings: Settings) -> tuple[list[Index], dict[str, str]]:
    """Return the indexes that the clients use now, and the origin of each by its address."""
    is_shim = partial(is_at, host=settings.host, port=settings.port)
    pip = list(PipConfig(without_activation(os.environ)).indexes(is_shim))
    in_use = ordered(pip, found_indexes(machine.this_machine(), is_shim))
    chain = chain_of(
        [index for index, _ in in_use], os.environ, host=settings.host, port=settings.port
    )
    pypi = next((index.name for index in chain.indexes if is_default_url(index.url)), None)
    indexes = [
        replace(index, role="mirror", mirror_of=pypi) if is_mirror else index
        for index, (_, is_mirror) in zip(chain.indexes, in_use, strict=True)
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


def show(proposal: Proposal) -> None:
    """Print the chain, with the reason for the role of each new index."""
    click.echo("Indexes are asked in this order; the first that has a project owns it:")
    rows = []
    for number, index in enumerate((*proposal.new, *proposal.chain), 1):
        is_new = index in proposal.new
        login = ", with credentials" if index.username else ""
        origin = proposal.origins.get(index.url, "")
        why = f"{takeover.reason(index)} ({origin}{login})" if is_new else ""
        rows.append((f"  {number} {index.name}", index.role, shown_url(index), why))
    print_table((), rows)
    deferring = [index.name for index in proposal.new if index.defer_copies]
    if deferring:
        click.echo(
            wrapped(
                f"Copies of public projects in {', '.join(deferring)} stay the public index's "
                "(defer_copies = true)."
            )
        )


def examined(proposal: Proposal, settings: Settings, ask: Ask | None) -> Proposal:
    """Print which new indexes have copies of public projects; restrict them if the user agrees.

    Without ``ask``, no question is asked, and no name of a private index is sent to the public one.
    """
    lists = lists_of(replace(settings, indexes=proposal.new))
    public = (index for index in proposal.chain if not index.is_private)
    together = replace(settings, indexes=(*proposal.new, *public))
    compare = ask is not None and _may_compare(together, lists, ask)
    judgements = judged(together, lists, compare=compare)
    new = []
    for index in proposal.new:
        judgement = judgements.get(index)
        if judgement is not None:
            say(f"{index.name}: {judgement.what}")
            if judgement.remedy:
                say_more(judgement.remedy)
            if ask is not None and judgement.only and _restricts(index, judgement.only, ask):
                index = replace(index, only=judgement.only, defer_copies=False)  # noqa: PLW2901
        new.append(index)
    by_key = {index.key: names for index, names in lists.items()}
    return replace(proposal, new=tuple(new), lists=by_key)


def _may_compare(settings: Settings, lists: Lists, ask: Ask) -> bool:
    """Ask whether names of private indexes may be sent to the public one."""
    public = public_index(settings)
    listing = [index.name for index, names in lists.items() if names]
    return (
        public is not None
        and bool(listing)
        and ask(
            f"Look for copies of public projects? It asks {public.name} for up to {SAMPLE} names "
            f"of {', '.join(listing)}."
        )
    )


def _restricts(index: Index, only: Sequence[str], ask: Ask) -> bool:
    return ask(f"Ask {index.name} for nothing but {', '.join(only)} (only)?")
