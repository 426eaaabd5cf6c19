"""Measures `mirror` beside bandersnatch: ``python -m benchmarks.mirror --help``.

Both mirror the same nginx. bandersnatch comes from an environment of its own.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.figures import MB, PER_SECOND, SECONDS, Row, Unit, table
from benchmarks.run import machine
from benchmarks.upstream import Nginx
from indexfallback.config.mirror import Mirror, Wanted
from indexfallback.mirror.selection import Selection
from indexfallback.page import ProjectPage
from indexfallback.store import PageFacts, Store, Validators
from indexfallback.store.mirrors import MirroredProject
from tests.serving import config_text, index_table

#: What the figures are stated for.
_PROJECTS, _FILES, _SIZE = 2_000, 10, 20_000
#: Names of a full index, and those that change between two runs.
_NAMES, _CHANGED = 800_000, 100
_JSON = "application/vnd.pypi.simple.v1+json"
#: What each of the two asks for: the simple API, and bandersnatch the releases of a project.
_LOCATIONS = f"""
        open_file_cache off;  # the list of names changes between two runs
        location /simple/ {{ types {{}} default_type {_JSON}; index index.json; }}
        location /pypi/ {{
            types {{}} default_type application/json; index index.json;
            rewrite ^(/pypi/[^/]+)/json$ $1/index.json break;
            add_header X-PyPI-Last-Serial 1000000;
        }}
"""
_BANDERSNATCH = """\
[mirror]
directory = {home}
master = {url}
allow-non-https = true
api-method = simple
json = false
timeout = 30
workers = {workers}
hash-index = false
simple-format = JSON
stop-on-error = false
"""

#: The most resident memory of a process so far, kB; a process that has ended has none.
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")

Rows = Callable[..., Row]


@click.command()
@click.option("--bandersnatch", type=click.Path(path_type=Path), help="Its command.")
@click.option("--projects", default=_PROJECTS, help="Projects of the upstream.")
@click.option("--names", default=_NAMES, help="Names of the large one; 0 leaves it out.")
@click.option("--repeat", default=1, type=click.IntRange(1), help="How often to measure.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
def main(
    *, bandersnatch: Path | None, projects: int, names: int, repeat: int, markdown: bool
) -> None:
    """Print a table of medians, with least and most, each beside bandersnatch in the same run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows: dict[str, Row] = {}

    def row(name: str, unit: Unit, target: float | None = None) -> Row:
        return rows.setdefault(name, Row(name, unit, target))

    with TemporaryDirectory(prefix="benchmarks-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        if projects:
            (home / "upstream").mkdir()
            with Nginx(home / "upstream", _LOCATIONS) as url:
                _write_upstream(home / "upstream", url, projects)
                for _ in range(repeat):
                    _compare(home, url, bandersnatch, projects, row)
        if names:
            for _ in range(repeat):
                _all_names(home, names, bandersnatch, row)
    click.echo(machine())
    click.echo()
    click.echo(table(rows.values(), markdown=markdown))


def _compare(home: Path, url: str, bandersnatch: Path | None, projects: int, row: Rows) -> None:
    theirs: list[tuple[float, float]] = []
    if bandersnatch is not None:
        command = _bandersnatch(home, url, bandersnatch)
        theirs = [_run(command, {}) for _ in range(2)]
        found = sum(1 for path in (home / "theirs").rglob("*.whl"))
        assert found == projects * _FILES, f"bandersnatch has {found} files"
        shutil.rmtree(home / "theirs")
    ours = [_mirror(home, url) for _ in range(2)]
    shutil.rmtree(home / "ours")
    first, second = ([mine, *(theirs[n : n + 1])] for n, mine in enumerate(ours))
    rates = [projects / seconds for seconds, _ in first]
    row("first run: projects", PER_SECOND, 2 if theirs else None).add(*rates)
    row("nothing changed: runs", Unit("/s", digits=2, rate=True), 3 if theirs else None).add(
        *(1 / seconds for seconds, _ in second)
    )
    row("first run", SECONDS).add(*(seconds for seconds, _ in first))
    row("nothing changed", SECONDS).add(*(seconds for seconds, _ in second))
    row("most memory, RSS", MB, None).add(ours[0][1])
    if theirs:
        row("most memory of bandersnatch, RSS", MB).add(theirs[0][1])


def _all_names(home: Path, names: int, bandersnatch: Path | None, row: Rows) -> None:
    """Runs without the list of the run before, after a few names have changed, and after none."""
    root = home / "large"
    root.mkdir(exist_ok=True)
    serials = {f"project-{number:06}": number + 1 for number in range(names)}
    with Nginx(root, _LOCATIONS) as url:
        _fill_store(home / "ours" / "cache", f"{url}simple/", serials)
        _write_root(root, serials)
        ours = {"no list kept": _mirror(home, url)}
        for number, name in enumerate(random.Random(1).sample(sorted(serials), _CHANGED)):
            serials[name] = names + number + 1
            _write_project(root, url, name, serials[name], 1)
        _write_root(root, serials)
        ours["100 changed, dry run"] = _mirror(home, url, "--dry-run")
        ours["100 changed"] = _mirror(home, url)
        ours["none changed"] = _mirror(home, url)
        theirs: dict[str, tuple[float, float]] = {}
        if bandersnatch is not None:
            command = _bandersnatch(home, url, bandersnatch)
            (home / "theirs").mkdir()
            (home / "theirs" / "generation").write_text("5", encoding="utf-8")
            (home / "theirs" / "status").write_text(str(names), encoding="utf-8")
            theirs["100 changed"] = _run(command, {})
            found = sum(1 for path in (home / "theirs").rglob("*.whl"))
            assert found == _CHANGED, f"bandersnatch has {found} files"
            theirs["none changed"] = _run(command, {})
            shutil.rmtree(home / "theirs")
    for what, mine in ours.items():
        both = [mine, *([theirs[what]] if what in theirs else [])]
        row(f"{names:,} names, {what}", SECONDS).add(*(seconds for seconds, _ in both))
        memory = (each for _, each in both)
        row(f"{names:,} names, {what}: memory", MB, None if theirs else 500).add(*memory)
    shutil.rmtree(home / "ours")
    shutil.rmtree(root)


def _fill_store(cache: Path, source: str, serials: Mapping[str, int]) -> None:
    """Record all names as mirrored, as a first run would in hours."""
    with closing(Store(cache, 10**9)) as store:
        fingerprint = Selection(Mirror(index="upstream", projects=(Wanted("*"),))).fingerprint("")
        facts = PageFacts(Validators(), "", 0.0)
        projects = (
            MirroredProject(ProjectPage(name=name), facts, serial, fingerprint, ())
            for name, serial in serials.items()
        )
        store.mirrors.put_projects(source, projects)


def _mirror(home: Path, url: str, *arguments: str) -> tuple[float, float]:
    directory = home / "ours"
    directory.mkdir(exist_ok=True)
    config = directory / "config.toml"
    mirror = {"index": "upstream", "projects": ["*"]}
    config.write_text(
        config_text(index_table("upstream", f"{url}simple/"), mirror=mirror), encoding="utf-8"
    )
    environment = {
        "HOME": str(directory),
        "XDG_RUNTIME_DIR": str(directory),
        "PIP_CONFIG_FILE": os.devnull,
        "INDEXFALLBACK_CACHE_DIR": str(directory / "cache"),
    }
    command = [sys.executable, "-m", "indexfallback", "--config", str(config), "mirror", *arguments]
    return _run(command, environment)


def _bandersnatch(home: Path, url: str, program: Path) -> list[str]:
    """Write its configuration, and return the command of a run."""
    config = home / "bandersnatch.conf"
    text = _BANDERSNATCH.format(home=home / "theirs", url=url.rstrip("/"), workers=10)
    config.write_text(text, encoding="utf-8")
    return [str(program), "-c", str(config), "mirror"]


def _run(command: list[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Return the seconds that a command takes, and the most memory, MB."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    memory = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, memory), daemon=True)
    watcher.start()
    assert process.stderr is not None
    said = process.stderr.read()
    process.wait()
    seconds = time.perf_counter() - began
    watcher.join()
    assert process.returncode == 0, f"{command}: {said.decode()[-2000:]}"
    return seconds, memory[0]


def _watch(pid: int, memory: list[float]) -> None:
    """Note the most memory of a process while it runs, MB.

    What the system states at its end counts this script as well: the process was a copy of it.
    """
    with contextlib.suppress(OSError):
        while found := _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8")):
            memory[0] = int(found[1]) / 1000
            time.sleep(0.02)


def _write_upstream(root: Path, url: str, projects: int) -> None:
    serials = {f"project-{number:04}": number + 1 for number in range(projects)}
    for name, serial in serials.items():
        _write_project(root, url, name, serial, _FILES)
    _write_root(root, serials)


def _write_project(root: Path, url: str, name: str, serial: int, number: int) -> None:
    """Write a project with a ``number`` of files, one a version."""
    files = [_write_file(root, name, f"1.{minor}") for minor in range(number)]
    page = {
        "meta": {"api-version": "1.1", "_last-serial": serial},
        "name": name,
        "versions": [file["version"] for file in files],
        "files": [
            {
                "filename": file["filename"], "url": f"../../{file['path']}",
                "hashes": {"sha256": file["sha256"]}, "size": _SIZE,
                "upload-time": "2026-01-01T00:00:00.000000Z", "yanked": False,
                "core-metadata": False,
            }
            for file in files
        ],
    }  # fmt: skip
    _put(root / "simple" / name / "index.json", page)
    _put(root / "pypi" / name / "index.json", _releases(name, url, serial, files))


def _write_file(root: Path, name: str, version: str) -> dict[str, str]:
    data = random.Random(f"{name}{version}").randbytes(_SIZE)
    sha256 = hashlib.sha256(data).hexdigest()
    filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    path = f"packages/{sha256[:2]}/{sha256[2:4]}/{sha256[4:]}/{filename}"
    (root / path).parent.mkdir(parents=True)
    (root / path).write_bytes(data)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {
        "filename": filename, "path": path, "sha256": sha256, "md5": md5, "version": version,
    }  # fmt: skip


def _releases(name: str, url: str, serial: int, files: list[dict[str, str]]) -> dict[str, object]:
    """What bandersnatch asks for."""
    return {
        "info": {"name": name, "version": files[-1]["version"]},
        "last_serial": serial,
        "releases": {
            file["version"]: [
                {
                    "filename": file["filename"], "url": f"{url}{file['path']}", "size": _SIZE,
                    "digests": {"sha256": file["sha256"], "md5": file["md5"]},
                    "md5_digest": file["md5"], "packagetype": "bdist_wheel", "yanked": False,
                    "upload_time_iso_8601": "2026-01-01T00:00:00.000000Z", "requires_python": None,
                    "has_sig": False, "yanked_reason": None,
                }
            ]
            for file in files
        },
    }  # fmt: skip


def _write_root(root: Path, serials: Mapping[str, int]) -> None:
    meta = {"api-version": "1.1", "_last-serial": max(serials.values())}
    projects = [{"_last-serial": serial, "name": name} for name, serial in serials.items()]
    _put(root / "simple" / "index.json", {"meta": meta, "projects": projects})


def _put(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main()
