"""``publish``: files put into a hosted index as an upload would, with no server running."""

import sys
from pathlib import Path

import click

from indexfallback.cli.hosted import index_option, open_shelf
from indexfallback.cli.options import Options, examples, takes_options_but_index
from indexfallback.cli.output import print_json, say, wrapped
from indexfallback.errors import UploadError
from indexfallback.hosted.receiving import failed
from indexfallback.hosted.shelf import Published, Shelf

#: Copied at once, bytes.
_PIECE = 1 << 20


@click.command(
    epilog=examples("indexfallback publish dist/*", "indexfallback publish --index local FILE")
)
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@index_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@takes_options_but_index
def publish(options: Options, files: tuple[Path, ...], index: str | None, as_json: bool) -> None:
    """Put FILEs into a hosted index, checked as uploads are; a running shim lists them at once."""
    done: list[Published] = []
    errors: list[UploadError] = []
    with open_shelf(options.settings(), index) as shelf:
        for path in files:
            try:
                published = _publish(shelf, path)
            except UploadError as error:
                errors.append(error)
                say(str(error))
                continue
            done.append(published)
            if not as_json:
                there = "was there already" if published.was_there else "published"
                click.echo(wrapped(f"{published.filename}: {there} ({shelf.index.name})", ""))
    if as_json:
        print_json([{**file._asdict(), "identity": file.identity._asdict()} for file in done])
    sys.exit(1 if errors else 0)


def _publish(shelf: Shelf, path: Path) -> Published:
    with shelf.receive() as incoming:
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    incoming.write(piece)
        except OSError as error:
            raise failed(path.name, error) from error
        return shelf.publish(incoming, path.name, None)
