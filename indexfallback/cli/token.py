"""``token``: manages tokens for uploads, and for readers on other machines."""

import getpass
import platform
import sys
import time
from contextlib import closing

import click

from indexfallback.cli.help import Group
from indexfallback.cli.opening import hosted_index
from indexfallback.cli.options import (
    Options,
    duration,
    examples,
    json_option,
    takes_options_but_index,
)
from indexfallback.cli.output import (
    clock,
    note,
    print_json,
    print_table,
    say,
    say_more,
    tell,
)
from indexfallback.cli.running import address, root
from indexfallback.config import Settings
from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import user_secret
from indexfallback.store.tokens import USER, Token


@click.group(
    cls=Group,
    epilog=examples("indexfallback token create --expires '90 days'", "indexfallback token list"),
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
@click.option("--name", help="Its name in `token list`; default: this user and machine.")
@click.option("--index", "index", metavar="NAME", help="Only for this index; default: for all.")
@click.option(
    "--expires", type=duration, metavar="DURATION", help='Such as "90 days"; default: never.'
)
@click.option("--read-only", is_flag=True, help="Only for reading, not for uploads.")
@json_option
@takes_options_but_index
def create(
    options: Options,
    *,
    name: str | None,
    index: str | None,
    expires: float | None,
    read_only: bool,
    as_json: bool,
) -> None:
    """Create and print a token; it cannot be shown again.

    The token alone goes to standard output, how to use it to standard error.
    """
    settings = options.settings()
    if index is not None:
        _check_index(settings, index, read_only=read_only)
    with closing(Hosting()) as hosting:
        made, secret = hosting.tokens.create(
            name or f"{getpass.getuser()}@{platform.node()}",
            index=index,
            uploads=not read_only,
            expires=None if expires is None else time.time() + expires,
        )
    lines = _lines(settings, made)
    if as_json:
        print_json({**made._asdict(), "token": secret, "use": lines})
        return
    note(f"token {made.id} ({made.name}), for {_purpose(made)}; it cannot be shown again")
    click.echo(secret)
    if options.quiet:
        return
    say_more("Use it as the password of the user __token__:")
    for line in lines:
        click.echo(f"    {line}", err=True)


def _lines(settings: Settings, made: Token) -> list[str]:
    """Return the commands that use a token, with ``TOKEN`` in its place."""
    if made.uploads:
        path = f"upload/{made.index_name}/" if made.index_name else "upload/"
        url = f"{root(settings)}/{path}"
        return [
            f"twine upload --verbose --repository-url {url} -u {USER} -p TOKEN dist/*",
            f"uv publish --publish-url {url} --check-url {address(settings)} --token TOKEN",
        ]
    host = root(settings).replace("://", f"://{USER}:TOKEN@", 1)
    path = f"index/{made.index_name}/simple/" if made.index_name else "simple/"
    return [f"pip install --index-url {host}/{path} PROJECT"]


def _purpose(token: Token) -> str:
    what = "uploads and reading" if token.uploads else "reading"
    return f"{what}: {token.index_name or 'all indexes'}"


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
        print_json({"tokens": [each._asdict() for each in tokens]})
    elif tokens:
        header = ("id", "name", "made", "last used", "expires", "for")
        print_table(header, [_row(each) for each in tokens])
    else:
        note("there are no tokens; `indexfallback token create` creates one")


def _row(each: Token) -> tuple[str, ...]:
    used = "never" if each.used is None else clock(each.used)
    if each.expires is None:
        expires = "never"
    else:
        expires = "expired" if each.is_expired(time.time()) else clock(each.expires)
    return (
        each.id,
        each.name,
        clock(each.created),
        used,
        expires,
        _purpose(each),
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
    tell(f"Token {token_id} is revoked")
