"""``token``: manages tokens for changes of hosted indexes, and for readers on other machines."""

import platform
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

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
from indexfallback.config.units import InvalidValueError
from indexfallback.config.values import patterns
from indexfallback.store.events import local_actor
from indexfallback.store.hosting import Hosting
from indexfallback.store.secret import user_secret
from indexfallback.store.tokens import PREFIX, RIGHTS, USER, Right, Token
from indexfallback.words import one_line


@click.group(
    cls=Group,
    epilog=examples("indexfallback token create --expires '90 days'", "indexfallback token list"),
)
def token() -> None:
    """Manage tokens for uploads, yanks and remote readers."""


def _rights(_context: click.Context, _parameter: click.Parameter, text: str) -> list[Right]:
    """Return the rights in an option; raises `click.BadParameter`."""
    given = [word.strip() for word in text.split(",")]
    unknown = [word for word in given if word not in RIGHTS]
    if unknown:
        raise click.BadParameter(f'"{unknown[0]}" is none of {", ".join(RIGHTS)}')
    return [right for right in RIGHTS if right in given]


def _name(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and (not text or text != one_line(text)):
        raise click.BadParameter("it must be one line of printable characters")
    return text


def _lifetime(text: str) -> float:
    """Return the seconds for which a token is valid; raises `click.BadParameter`."""
    seconds = duration(text)
    if not seconds:
        raise click.BadParameter(f'"{text}" makes a token that has expired')
    return seconds


def _patterns(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> Any:
    """Return normalised patterns of project names; raises `click.BadParameter`."""
    try:
        return patterns(list(texts), Path())
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from error


@token.command(
    epilog=examples(
        "indexfallback token create",
        "indexfallback token create --project 'acme-*' --expires '90 days'",
        "indexfallback token create --allow read",
        "indexfallback token create --allow upload,yank --index staging --index prod",
    )
)
@click.option(
    "--name", callback=_name, help="Its name in `token list`; default: this user and machine."
)
@click.option(
    "--allow",
    "rights",
    metavar="RIGHT,...",
    default="upload",
    show_default=True,
    callback=_rights,
    help="What it may do besides reading: upload, yank (and unyank), remove; or read alone.",
)
@click.option(
    "--index",
    "names",
    metavar="NAME",
    multiple=True,
    help="Only for this index (repeatable); default: for all.",
)
@click.option(
    "--project",
    "projects",
    metavar="PATTERN",
    multiple=True,
    callback=_patterns,
    help='Only for projects of this name, or such as "acme-*" (repeatable).',
)
@click.option(
    "--expires", type=_lifetime, metavar="DURATION", help='Such as "90 days"; default: never.'
)
@json_option
@takes_options_but_index
def create(
    options: Options,
    *,
    name: str | None,
    rights: list[Right],
    names: tuple[str, ...],
    projects: tuple[str, ...],
    expires: float | None,
    as_json: bool,
) -> None:
    """Create and print a token; it cannot be shown again.

    The token alone goes to standard output, how to use it to standard error.
    """
    settings = options.settings()
    for index in names:
        _check_index(settings, index, only_read=rights == ["read"])
    with closing(Hosting()) as hosting:
        made, secret = hosting.tokens.create(
            name or f"{local_actor().name}@{platform.node()}",
            rights=rights,
            indexes=names,
            projects=projects,
            expires=None if expires is None else time.time() + expires,
            actor=local_actor(),
        )
    lines = _lines(settings, made)
    if as_json:
        print_json({**made._asdict(), "token": secret, "use": lines})
        return
    note(f"token {made.id} ({made.name}), for {made.purpose}; it cannot be shown again")
    click.echo(secret)
    if options.quiet:
        return
    say_more("Use it as the password of the user __token__:")
    for line in lines:
        click.echo(f"    {line}", err=True)


def _lines(settings: Settings, made: Token) -> list[str]:
    """Return the commands that use a token, with ``TOKEN`` in its place."""
    own = root(settings)
    if "upload" in made.rights:
        # The list of the index itself: the chain's may be of another one, or not for the token.
        ways = [(f"{own}/upload/{index}/", f"{own}/index/{index}/simple/")
                for index in made.indexes] or [(f"{own}/upload/", address(settings))]  # fmt: skip
        return [
            line
            for url, check in ways
            for line in (
                f"twine upload --verbose --repository-url {url} -u {USER} -p TOKEN dist/*",
                f"uv publish --publish-url {url} --check-url {check} --token TOKEN",
            )
        ]
    if made.rights == ("read",):
        host = own.replace("://", f"://{USER}:TOKEN@", 1)
        paths = [f"index/{index}/simple/" for index in made.indexes] or ["simple/"]
        return [f"pip install --index-url {host}/{path} PROJECT" for path in paths]
    right = made.rights[-1]
    names = made.indexes or [index.name for index in settings.hosted]
    return [
        f"curl -X POST -u {USER}:TOKEN {own}/-/{right}/{name}/PROJECT/VERSION" for name in names
    ]


def _check_index(settings: Settings, index: str, *, only_read: bool) -> None:
    if not only_read:
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
        each.purpose,
    )


@token.command(epilog=examples("indexfallback token revoke ID"))
@click.argument("token_id", metavar="ID")
@takes_options_but_index
def revoke(options: Options, token_id: str) -> None:  # noqa: ARG001 - as above
    """Revoke the token with this ID (see `token list`) at once.

    ID may be the token itself, such as one that was published by mistake.
    """
    with closing(Hosting()) as hosting:
        revoked = hosting.tokens.revoke(token_id, local_actor())
    if revoked is None:
        what = (
            "this token is not known"
            if token_id.startswith(PREFIX)
            else (f"there is no token {token_id}")
        )
        say(f"{what}; `indexfallback token list` lists all")
        sys.exit(1)
    tell(f"Token {revoked.id} ({revoked.name}) is revoked")
