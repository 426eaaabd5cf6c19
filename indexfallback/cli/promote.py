"""``promote``: publishes a release of one hosted index in another."""

import click
from packaging.version import Version

from indexfallback.cli.opening import open_all_hosted
from indexfallback.cli.options import (
    Options,
    examples,
    json_option,
    project_name,
    takes_options,
    version_number,
)
from indexfallback.cli.output import print_json, tell
from indexfallback.hosted.permit import Permit
from indexfallback.hosted.promotion import promote as promote_release
from indexfallback.store.events import local_actor
from indexfallback.words import counted


@click.command(epilog=examples("indexfallback promote PROJECT 1.0 --from staging --to prod"))
@click.argument("project", type=project_name)
@click.argument("version", type=version_number)
@click.option("--from", "source", required=True, metavar="NAME", help="The index that has it.")
@click.option("--to", "target", required=True, metavar="NAME", help="The index that gets it.")
@json_option
@takes_options
def promote(
    options: Options, *, project: str, version: Version, source: str, target: str, as_json: bool
) -> None:
    """Publish VERSION of PROJECT in another hosted index.

    All of its files are copied, verified by their hashes, or none.
    """
    with open_all_hosted(options.settings(), source, target) as (start, end):
        files = promote_release(start, end, project, version, Permit(local_actor()))
    if as_json:
        listed = [file._asdict() for file in files]
        print_json({"project": project, "version": str(version), "from": source, "to": target,
                    "files": listed})  # fmt: skip
        return
    new = sum(not file.was_there for file in files)
    if new:
        tell(f"Promoted: {project} {version} to {target}, {counted(new, 'file')}")
    else:
        tell(f"{target} has {project} {version} already, with the same content")
