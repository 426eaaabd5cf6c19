"""The last lines of ``run``: what the shim did for the command, and which files it left behind."""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from indexfallback.cli.notices import corrections, sentences, untold
from indexfallback.cli.output import say, say_more
from indexfallback.clients.installed import installed_since
from indexfallback.clients.troubles import Status, troubles
from indexfallback.clients.tunnel_process import Tunnel, TunnelEndedError
from indexfallback.clients.written import written_since
from indexfallback.clients.young import newer, young_releases
from indexfallback.config import Settings
from indexfallback.server.asking import NoAnswer, ask
from indexfallback.tunnel.report import Refusal
from indexfallback.words import counted, shortened

#: Number of files, or of programs, that are named.
_NAMED = 10
#: Programs that heed HTTPS_PROXY, as tests of each show, or that call one of these.
_CLIENTS = re.compile(
    r"(pip[0-9.]*|uvx?|poetry|pdm|pipenv|pipx|hatch|tox|nox|twine|buildout)", re.ASCII
)
_PYTHON = re.compile(r"python[0-9.]*|py", re.ASCII)
_REFUSED_REMEDY = (
    "What you can do: let it trust the certificates that SSL_CERT_FILE names, or use "
    "`indexfallback run --address`, which needs no certificate."
)
_PAST_REMEDY = (
    "What you can do: if it heeds no proxy (HTTPS_PROXY), use `indexfallback run --address`."
)


def report_activity(
    settings: Settings, url: str, began: float, *, failed: bool, quiet: bool
) -> None:
    """Print the failures of a failed command, new notices, and where its projects came from."""
    wanted = f"namesakes={str(failed).lower()}&notices={str(not quiet).lower()}"
    try:
        status = ask(url, f"/-/status?since={began}&{wanted}")
    except NoAnswer as error:
        say(f"the local index has stopped answering ({error})")
        return
    for trouble in troubles(status, began) if failed else ():
        say(trouble.sentence)
        for detail in trouble.details:
            say_more(detail)
    young = young_releases(status)
    notices = untold(settings, status.get("notices", ()))
    newer_ones = newer(young, corrections(notices, young))
    if newer_ones and not failed and not quiet:
        say(newer_ones)
    projects = status["activity"]["projects"]
    for sentence in sentences(notices, young):
        say(sentence)
    if projects and not quiet:
        say(_summary(projects))


def _summary(projects: dict[str, Status]) -> str:
    owners = Counter(served["owner"] for served in projects.values())
    shares = ", ".join(f"{count:,} from {owner}" for owner, count in owners.items())
    cached = sum(served["how"] not in ("asked", "ahead") for served in projects.values())
    stale = sum(served["how"] == "stale" for served in projects.values())
    waited = covered(
        (served["when"] - served["waited"], served["when"]) for served in projects.values()
    )
    note = f" ({stale:,} stale)" if stale else ""
    return (
        f"{counted(len(projects), 'project')}: {shares}; {cached:,} from cache{note}; "
        f"{waited:.1f} s spent waiting for indexes"
    )


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the seconds that lie in at least one of the spans, each its begin and its end."""
    seconds, reached = 0.0, -math.inf
    for begin, end in sorted(spans):
        seconds += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return seconds


def report_written(url: str, began: float) -> None:
    """Name the files of the current directory that the command wrote the shim's address into."""
    files = written_since(Path.cwd(), began, url)
    if not files:
        return
    named = shortened(list(map(str, files)), _NAMED)
    say(f"the local index's address is now in {named}; it works only on this machine.")
    say_more(
        "What you can do: `indexfallback doctor --mend` puts the indexes' own addresses back. "
        "Without --address, `indexfallback run` changes no address."
    )


def report_tunnel(tunnel: Tunnel, command: Sequence[str], began: float, *, quiet: bool) -> None:
    """Print which downloads bypassed the local index, and why."""
    try:
        report = tunnel.report()
    except TunnelEndedError as error:
        say(str(error))
        return
    for refusal in report.refusals[:_NAMED]:
        say(_refused(refusal))
        say_more(_REFUSED_REMEDY)
    if quiet or report.connections or _is_known(command):
        return
    installed = installed_since(Path.cwd(), os.environ, command[0], began)
    if installed:
        say(
            f"{command[0]} did not connect to the local index, but installed "
            f"{counted(len(installed), 'project')}: from a cache of its own, or past the chain."
        )
        say_more(_PAST_REMEDY)


def _refused(refusal: Refusal) -> str:
    program = refusal.program or "A program"
    if refusal.relayed:
        return (
            f"{program} does not trust the certificate of this run; its connections to "
            f"{refusal.origin} went past the local index."
        )
    return (
        f"{program} does not trust the certificate of this run, and did not try {refusal.origin} "
        "again, where its next connection would have gone past the local index."
    )


def _is_known(command: Sequence[str]) -> bool:
    """Tell whether a command heeds HTTPS_PROXY: without requests, it has used its own cache."""
    name = Path(command[0]).stem.lower()
    if _PYTHON.fullmatch(name) and list(command[1:2]) == ["-m"]:
        name = "".join(command[2:3])
    return _CLIENTS.fullmatch(name) is not None
