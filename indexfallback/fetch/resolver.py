"""Resolves requirements to pins for one target, by pip or uv through the shim."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from indexfallback.clients.environment import client_environment
from indexfallback.errors import ResolveError
from indexfallback.fetch.target import Target
from indexfallback.names import normalize
from indexfallback.wanted import Demand, Origin, Pin, Wanted
from indexfallback.wanted.reading import read_file

#: Prefixes of the resolvers' settings, which are for the user's own installs (another index, a
#: target) and do not apply here.
_SETTINGS = ("PIP_", "UV_")
#: The most lines of a resolver's error message that are shown.
_LINES = 12
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Resolver:
    """Resolves with pip for the running Python, and with uv for every other target.

    pip evaluates markers for the interpreter that runs it, even if it resolves for another one:
    with ``--python-version 3.9`` on 3.12, ``tomli; python_version < "3.11"`` would be missing. uv
    evaluates them for the target.
    """

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        kept = {name: value for name, value in environ.items() if not name.startswith(_SETTINGS)}
        self._environment = {
            **client_environment(kept, url),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "UV_NO_CONFIG": "1",
            "NO_COLOR": "1",
        }

    def resolve(self, demands: Sequence[Demand], target: Target, wanted: Wanted) -> list[Pin]:
        """Return the pins for the demands, under the constraints and options of ``wanted``.

        Raises `ResolveError`.
        """
        with TemporaryDirectory(prefix="indexfallback-") as name:
            directory = Path(name)
            file = _write(directory / "wanted.txt", demands)
            arguments = _options(wanted)
            if wanted.constraints:
                arguments += ["-c", _write(directory / "limits.txt", wanted.constraints)]
            if target.is_here:
                return self._by_pip([*arguments, "-r", file], wanted, directory)
            return self._by_uv([*arguments, file], target, wanted, directory)

    def _by_pip(self, arguments: list[str], wanted: Wanted, directory: Path) -> list[Pin]:
        report = directory / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        command += ["--quiet", "--no-cache-dir", "--report", str(report)]
        command += ["--pre"] if wanted.pre else []
        self._call("pip", [*command, *arguments], directory)
        return [_reported(each) for each in json.loads(report.read_bytes())["install"]]

    def _by_uv(
        self, arguments: list[str], target: Target, wanted: Wanted, directory: Path
    ) -> list[Pin]:
        lock = directory / "pylock.toml"
        # Installed with this package, it is beside its Python and not always on PATH.
        beside = str(Path(sys.executable).parent)
        uv = shutil.which("uv") or shutil.which("uv", path=beside)
        if uv is None:
            remedy = "install uv, which resolves for other machines"
            raise ResolveError(str(target), "pip resolves for its own Python only", remedy)
        # The Python for builds of sdists: by default uv would look for that of the target.
        command = [uv, "pip", "compile", "--python", sys.executable]
        command += ["--quiet", "--no-cache", "--no-header"]
        command += ["--format", "pylock.toml", "--output-file", str(lock), *target.uv_arguments]
        command += ["--prerelease", "allow"] if wanted.pre else []
        self._call("uv", [*command, *arguments], directory)
        # The lock has the hashes of all files of each version.
        return list(read_file(lock).pins)

    def _call(self, tool: str, command: list[str], directory: Path) -> None:
        # In an own directory, because Python imports from the current one first.
        done = subprocess.run(  # noqa: S603 - a tool and files of ours
            command, env=self._environment, cwd=directory, stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = _COLOUR.sub("", done.stderr.decode(errors="replace"))
            lines = [line.rstrip() for line in said.splitlines() if line.strip()]
            problem = " ".join(" ".join(lines[-_LINES:]).split())
            remedy = "`indexfallback why PROJECT` says what each index has of a project"
            raise ResolveError(tool, problem, remedy)


def _options(wanted: Wanted) -> list[str]:
    """Return the options that pip and uv share."""
    formats = {"--no-binary": wanted.no_binary, "--only-binary": wanted.only_binary}
    return [f"{name}={each}" for name, projects in formats.items() for each in sorted(projects)]


def _write(path: Path, demands: Sequence[Demand]) -> str:
    path.write_text("".join(f"{demand.text}\n" for demand in demands), encoding="utf-8")
    return str(path)


def _reported(entry: Mapping[str, dict[str, object]]) -> Pin:
    """Return the pin of an entry of pip's installation report, for exactly its file."""
    archive = entry["download_info"].get("archive_info", {})
    hashes = archive.get("hashes", {}) if isinstance(archive, dict) else {}
    return Pin(
        normalize(str(entry["metadata"]["name"])),
        str(entry["metadata"]["version"]),
        Origin("pip's resolver"),
        frozenset(f"{kind}:{digest}" for kind, digest in hashes.items()),
    )
