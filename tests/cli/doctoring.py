"""Somebody whose machine is checked by ``doctor``."""

from pathlib import Path
from typing import Any

from tests.cli.support import CommandLine
from tests.in_process import ROOT

_RANKS = ("FAIL", "warn", "ok")


class Patient:
    """A user in the directory of a project, whose pip and uv read their own files."""

    def __init__(self, cli: CommandLine, project: Path) -> None:
        self.cli = cli
        self.project = project
        project.mkdir()
        cli.cwd = project
        home = cli.directory / "home"
        self.configs = home / ".config"
        cli.environ |= {
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(self.configs),
        }

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        return _written(self.project / name, text)

    def pip_conf(self, text: str) -> Path:
        """Write pip's file of the user; pip then reads the machine's, too."""
        self.cli.environ["PIP_CONFIG_FILE"] = ""
        return _written(self.configs / "pip" / "pip.conf", text)

    def uv_toml(self, text: str) -> Path:
        """Write uv's file of the user."""
        return _written(self.configs / "uv" / "uv.toml", text)

    def findings(self, code: int = 0, *arguments: str, **environ: str) -> list[dict[str, Any]]:
        """Return all findings."""
        done = self.cli("doctor", "--json", *arguments, **environ).expect(code)
        found: list[dict[str, Any]] = done.json["findings"]
        return found

    def worst(self, subject: str, code: int = 0, *arguments: str, **environ: str) -> dict[str, Any]:
        """Return the first, which is the worst, finding about a subject."""
        found = self.findings(code, *arguments, **environ)
        ranks = [_RANKS.index(finding["verdict"]) for finding in found]
        assert ranks == sorted(ranks)
        return next(finding for finding in found if finding["subject"] == subject)

    def of(self, subject: str, code: int = 0, *arguments: str, **environ: str) -> tuple[str, str]:
        """Return its verdict and what it says."""
        finding = self.worst(subject, code, *arguments, **environ)
        assert bool(finding["remedy"]) is (finding["verdict"] != "ok")
        return finding["verdict"], finding["what"]


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
