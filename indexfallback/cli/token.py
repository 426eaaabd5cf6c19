"""``token``: manages tokens for uploads, and for readers on other machines."""

import sys
import time
from contextlib import closing

import click

from indexfallback.cli.opening import hosted_index
from indexfallback.cli.options import (
    Options,
    duration,
    examples,
    json_option,
    takes_options_but_index,
)
from indexfallback.cli.output import clock, print_json, print_table, say
from indexfallback.config import Settings
from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import user_secret
from indexfallback.store.tokens import Token


@click.group(
    epilog=examples("indexfallback token create --expires '90 days'", "indexfallback token list")
)
def token() -> None:
    """Manage tokens for uploads and remote readers."""


@token.command(
    epilog=examples(
        "indexfallback token create",
        "indexfallback token create --index local --expires '90 days'",
        "indexfallback token create --read-only",
    )
)
@click.option("--index", "index", metavar="NAME", help="Only for this index; default: for all.")
@click.option(
    "--expires", type=duration, metavar="DURATION", help='Such as "90 days"; default: never.'
)
@click.option("--read-only", is_flag=True, help="Only for reading, not for uploads.")
@takes_options_but_index
def create(options: Options, index: str | None, expires: float | None, read_only: bool) -> None:
    """Create and print a token; it cannot be shown again."""
    settings = options.settings()
    if index is not None:
        _check_index(settings, index, read_only=read_only)
    with closing(Hosting()) as hosting:
        secret = hosting.tokens.create(
            index=index,
            uploads=not read_only,
            expires=None if expires is None else time.time() + expires,
        )
    click.echo(secret)


def _check_index(settings: Settings, index: str, *, read_only: bool) -> None:
    if not read_only:
        hosted_index(settings, index)
    elif settings.index(index) is None:
        names = ", ".join(each.name for each in settings.indexes)
        raise click.BadParameter(f'"{index}" is not an index; the indexes are {names}')


@token.command(epilog=examples("indexfallback token show"))
@takes_options_but_index
def show(options: Options) -> None:  # noqa: ARG001 - every command takes them
    """Print your own token, which reads from your shim.

    A shim with `private = true` asks for it; `run`, `setup` and `env` give it to clients.
    """
    secret = user_secret()
    if not secret.is_kept:  # which was said
        sys.exit(1)
    click.echo(secret.token)


@token.command("list", epilog=examples("indexfallback token list --json"))
@json_option
@takes_options_but_index
def list_(options: Options, as_json: bool) -> None:  # noqa: ARG001 - every command takes them
    """List the tokens, with the purpose and the last use of each."""
    with closing(Hosting()) as hosting:
        tokens = hosting.tokens.all()
    if as_json:
        print_json([each._asdict() for each in tokens])
    elif tokens:
        header = ("id", "made", "last used", "expires", "for")
        print_table(header, [_row(each) for each in tokens])
    else:
        say("there are no tokens; `indexfallback token create` creates one")


def _row(each: Token) -> tuple[str, ...]:
    what = "uploads and reading" if each.uploads else "reading"
    used = "never" if each.used is None else clock(each.used)
    if each.expires is None:
        expires = "never"
    else:
        expires = "expired" if each.is_expired(time.time()) else clock(each.expires)
    return (
        each.id,
        clock(each.created),
        used,
        expires,
        f"{what}: {each.index_name or 'all indexes'}",
    )


@token.command(epilog=examples("indexfallback token revoke ID"))
@click.argument("token_id", metavar="ID")
@takes_options_but_index
def revoke(options: Options, token_id: str) -> None:  # noqa: ARG001 - as above
    """Revoke the token with this ID (see `token list`) at once."""
    with closing(Hosting()) as hosting:
        if not hosting.tokens.revoke(token_id):
            say(f"there is no token {token_id}; `indexfallback token list` lists all")
            sys.exit(1)
    click.echo(f"Token {token_id} is revoked")
