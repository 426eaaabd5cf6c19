"""``publish``: adds files to a hosted index without a server, with the checks of an upload."""

import sys
from functools import partial
from pathlib import Path

import click

from indexfallback.cli.opening import index_option, open_hosted
from indexfallback.cli.options import Options, examples, json_option, takes_options_but_index
from indexfallback.cli.output import print_json, say, tell
from indexfallback.errors import UploadError
from indexfallback.hosted.attestations import ENDING, joined
from indexfallback.hosted.index import HostedIndex
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.publication import Published
from indexfallback.hosted.receiving import failed
from indexfallback.store.events import local_actor

#: Bytes that are copied at once.
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
@json_option
@takes_options_but_index
def publish(options: Options, files: tuple[Path, ...], index: str | None, as_json: bool) -> None:
    """Add FILEs to a hosted index, with the checks of an upload.

    FILEs are wheels (.whl) and sdists (.tar.gz, .zip). A running shim lists them at once.
    Attestations beside a FILE (FILE.publish.attestation) are published with it.
    """
    done: list[Published] = []
    errors: list[UploadError] = []
    with open_hosted(options.settings(), index) as hosted:
        for path in files:
            if path.name.endswith(ENDING) and any(map(partial(_attests, path), files)):
                continue  # `dist/*` has it, too
            try:
                published = _publish(hosted, path)
            except UploadError as error:
                errors.append(error)
                say(str(error))
                continue
            done.append(published)
            for warning in published.warnings:
                say(f"{published.filename}: warning: {warning}")
            if not as_json:
                there = "is published already" if published.was_there else "published"
                attested = ", with attestations" if published.is_attested else ""
                tell(f"{published.filename}: {there} ({hosted.index.name}){attested}")
    if as_json:
        listed = [{**file._asdict(), "identity": file.identity._asdict()} for file in done]
        print_json({"files": listed})
    sys.exit(1 if errors else 0)


def _publish(hosted: HostedIndex, path: Path) -> Published:
    with hosted.receive() as incoming:
        try:
            beside = sorted(each for each in path.parent.iterdir() if _attests(each, path))
            attestations = joined({each.name: each.read_bytes() for each in beside})
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    incoming.write(piece)
        except OSError as error:
            raise failed(path.name, error) from error
        return hosted.publish(incoming, path.name, None, Permit(local_actor()), attestations)


def _attests(path: Path, dist: Path) -> bool:
    """Tell whether a path is that of an attestation of a distribution, by its name."""
    is_beside = path.parent == dist.parent and path.name.startswith(f"{dist.name}.")
    return is_beside and path.name.endswith(ENDING)
