"""A fake index to play with: ``python -m tests.fakes --project foo==1.0 --fault drip=1000``."""

from contextlib import suppress
from threading import Event

import click

from tests.fakes.index import FakeIndex
from tests.fakes.pages import FORMATS, HTML_ONLY
from tests.fakes.proxy import FaultProxy
from tests.fakes.wheels import sdist, wheel


@click.command()
@click.option("--port", default=0, help="Port to listen on; a free one by default.")
@click.option("--projects", default="demo==1.0", help='As in "foo==1.0 foo==1.1 bar==2.0".')
@click.option("--size", default=0, help="Bytes that each file is padded with.")
@click.option("--login", help="USER:PASSWORD to ask for.")
@click.option("--html-only", is_flag=True, help="Serve no JSON pages.")
@click.option(
    "--proxy",
    multiple=True,
    help="Serve through a fault proxy, with a fault of Faults: latency=2, bandwidth=1000, cut=99.",
)
@click.option("--path", default="/", help="Start of the paths at which faults happen.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    help="A status (503), or a method of Faults with its number: hang, delay=2, drip=1000.",
)
def main(
    *,
    port: int,
    projects: str,
    size: int,
    login: str | None,
    html_only: bool,
    path: str,
    faults: tuple[str, ...],
    proxy: tuple[str, ...],
) -> None:
    """Serve wheels and sdists that exist nowhere else, until Ctrl-C."""
    username, _, password = (login or "").partition(":")
    index = FakeIndex(
        formats=HTML_ONLY if html_only else FORMATS,
        username=username or None,
        password=password,
        port=0 if proxy else port,
    )
    for project in projects.split():
        name, _, version = project.partition("==")
        for make in (wheel, sdist):
            index.add(make(name, version or "1.0", size=size))
    for fault in faults:
        _inject(index, fault, path)
    with index, suppress(KeyboardInterrupt):
        if not proxy:
            click.echo(index.login_url)
            Event().wait()
        with FaultProxy(index.port, port=port) as through:
            for fault in proxy:
                name, _, number = fault.partition("=")
                setattr(through.faults, name, _number(number or "1"))
            click.echo(f"{through.base}/simple/")
            Event().wait()


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _inject(index: FakeIndex, fault: str, path: str) -> None:
    name, _, number = fault.partition("=")
    if name.isdigit():
        index.fail(int(name), path=path)
    elif number:
        getattr(index, name)(_number(number), path=path)
    else:
        getattr(index, name)(path=path)


if __name__ == "__main__":
    main()
