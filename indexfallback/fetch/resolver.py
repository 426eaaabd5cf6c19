"""Resolves requirements to pins for one target, by pip or uv through the shim."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from indexfallback.clients.environment import client_environment
from indexfallback.errors import ResolveError
from indexfallback.fetch.explanation import Explanation, of_pip, of_uv
from indexfallback.fetch.local import write_stand_ins
from indexfallback.fetch.target import Target
from indexfallback.names import normalize
from indexfallback.wanted import Demand, Origin, Pin, Wanted
from indexfallback.wanted.reading import read_file

#: Prefixes of the resolvers' settings, which are for the user's own installs (another index, a
#: target) and do not apply here.
_SETTINGS = ("PIP_", "UV_")


class NoSolutionError(ResolveError):
    """A resolver found no versions that fit together."""

    def __init__(self, tool: str, explanation: Explanation) -> None:
        remedy = "`indexfallback why PROJECT` says what each index has of a project"
        super().__init__(tool, explanation.text, remedy)
        #: Requirements that it names, of which no version may fit.
        self.needed = explanation.needed


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

        Raises `NoSolutionError`, and `ResolveError` where no resolver can be used.
        """
        with TemporaryDirectory(prefix="indexfallback-") as name:
            directory = Path(name)
            file = _write(directory / "wanted.txt", demands)
            arguments = _options(wanted)
            if wanted.local:
                arguments += [f"--find-links={directory}"]
            constraints = (*wanted.constraints, *write_stand_ins(wanted.local, directory))
            if constraints:
                arguments += ["-c", _write(directory / "limits.txt", constraints)]
            if target.is_here:
                pins = self._by_pip([*arguments, "-r", file], wanted, directory)
            else:
                pins = self._by_uv([*arguments, file], target, wanted, directory)
            local = {each.project for each in wanted.local}
            return [pin for pin in pins if pin.project not in local]

    def _by_pip(self, arguments: list[str], wanted: Wanted, directory: Path) -> list[Pin]:
        report = directory / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        # Quiet, it would not say which requirements are in conflict.
        command += ["--no-cache-dir", "--progress-bar", "off", "--report", str(report)]
        command += ["--pre"] if wanted.pre else []
        done = self._call([*command, *arguments], directory)
        if done.returncode:
            raise NoSolutionError("pip", of_pip(done.stdout, done.stderr))
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
        done = self._call([*command, *arguments], directory)
        if done.returncode:
            raise NoSolutionError("uv", of_uv(done.stderr))
        # The lock has the hashes of all files of each version.
        origin = Origin("uv's resolver")
        return [replace(pin, origin=origin) for pin in read_file(lock).pins]

    def _call(self, command: list[str], directory: Path) -> "subprocess.CompletedProcess[str]":
        # In an own directory, because Python imports from the current one first.
        return subprocess.run(  # noqa: S603 - a tool and files of ours
            command, env=self._environment, cwd=directory, stdin=subprocess.DEVNULL,
            capture_output=True, check=False, encoding="utf-8", errors="replace",
        )  # fmt: skip


def _options(wanted: Wanted) -> list[str]:
    """Return the options that pip and uv share."""
    links = [f"--find-links={each}" for each in wanted.find_links]
    formats = {"--no-binary": wanted.no_binary, "--only-binary": wanted.only_binary}
    return links + [
        f"{name}={each}" for name, projects in formats.items() for each in sorted(projects)
    ]


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
