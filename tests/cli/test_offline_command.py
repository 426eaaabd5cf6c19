"""The command ``offline``, and what a running shim makes of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import Dist, FakeIndex, sdist, wheel
from tests.serving import Answer, Served, wait_until

#: A running shim sees it within a second; a busy machine needs more, seconds.
SEEN_SECONDS = 10.0
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
OLD, NEW = wheel("idna", "3.9"), wheel("idna", "3.10")

Start: TypeAlias = Callable[..., Served]


@pytest.fixture
def start(cli: CommandLine, chain: str, served: Serve) -> Start:
    """Return what starts a shim of that user."""

    def begin(cache_dir: Path | None = None) -> Served:
        return served(chain, directory=cli.directory, cache_dir=cache_dir)

    return begin


@pytest.fixture
def shim(cli: CommandLine, start: Start) -> Served:
    """A shim with both versions of ``idna`` on its page, and the older one in its cache."""
    running = start()
    cli.use(running)
    fetch(running, OLD)
    return running


def fetch(shim: Served, *files: Dist) -> None:
    """Have files served, and kept."""
    before = kept(shim)
    for file in files:
        shim.get(f"/simple/{file.project}/")
        assert shim.get(path_of(file)).status == 200
    wait_until(lambda: kept(shim) == before + len(files), SEEN_SECONDS, "a file is not kept")


def kept(shim: Served) -> int:
    files: int = shim.json("/-/status")["cache"]["files"]
    return files


def path_of(file: Dist) -> str:
    return f"/files/pypi/{file.project}.{file.sha256}/{file.filename}"


def page(shim: Served, project: str = "idna") -> Answer:
    return shim.get(f"/simple/{project}/", JSON)


def listed(shim: Served) -> set[str]:
    return {file["filename"] for file in json.loads(page(shim).body)["files"]}


def wait_for(shim: Served, *files: Dist) -> None:
    wanted = {file.filename for file in files}
    wait_until(lambda: listed(shim) == wanted, SEEN_SECONDS, f"not just {sorted(wanted)}")


def stands(cli: CommandLine, *arguments: str, **environ: str) -> dict[str, Any]:
    told: dict[str, Any] = cli("offline", "--json", *arguments, **environ).expect().json
    return told


def test_it_says_what_holds_and_keeps_what_it_is_told(cli: CommandLine) -> None:
    assert cli("offline").expect().out.startswith("auto: ")
    assert cli("offline", "on").expect().out == (
        "on: no index is asked; pages list only cached files\n"
    )
    told = stands(cli)
    assert (told["offline_mode"], told["offline"], told["offline_by"]) == ("on", True, "command")
    file = Path(told["file"])
    assert file.read_text(encoding="utf-8") == "on\n"
    assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600
    told = stands(cli, "off")
    assert (told["offline_mode"], told["offline"]) == ("off", False)
    assert stands(cli, "auto")["offline_mode"] == "auto"
    assert not file.exists()


@pytest.mark.parametrize("by", ["--offline", "INDEXFALLBACK_OFFLINE"])
def test_the_option_and_its_variable_are_stronger(cli: CommandLine, by: str) -> None:
    cli("offline", "off").expect()
    told = stands(cli, by) if by.startswith("-") else stands(cli, **{by: "1"})
    assert (told["offline_mode"], told["offline_by"]) == ("off", "option")


def test_what_cannot_be_kept_is_an_error_that_names_the_file(cli: CommandLine) -> None:
    in_the_way = cli.directory / "run" / "indexfallback"
    in_the_way.parent.mkdir(mode=0o700)
    in_the_way.write_text("a file, and no directory")
    done = cli("offline", "on").expect(1)
    assert str(in_the_way) in done.err
    assert "INDEXFALLBACK_OFFLINE=1" in done.words
    assert cli("offline").expect().out.startswith("auto: ")


def test_a_damaged_setting_counts_as_auto_and_is_said(cli: CommandLine) -> None:
    file = Path(stands(cli, "on")["file"])
    file.write_bytes(b"\xff\n")
    done = cli("offline").expect()
    assert done.out.startswith("auto: ")
    assert "`indexfallback offline auto` mends it" in done.words
    assert cli("offline", "auto").expect().err == ""


def test_a_running_shim_lists_what_is_in_the_cache_and_then_everything(
    cli: CommandLine, shim: Served, public: FakeIndex
) -> None:
    online = page(shim)
    cli("offline", "on").expect()
    wait_for(shim, OLD)
    offline = page(shim)
    assert offline.headers["ETag"] != online.headers["ETag"]
    etag = {"If-None-Match": online.headers["ETag"]}
    assert shim.get("/simple/idna/", {**JSON, **etag}).status == 200
    public.clear()
    assert shim.get(path_of(OLD)).status == 200
    assert shim.get(f"{path_of(OLD)}.metadata").body == OLD.metadata
    missing = shim.get(path_of(NEW))
    assert (missing.status, missing.problem["title"]) == (404, "No such file")
    assert "`indexfallback offline on` holds" in missing.problem["detail"]
    assert public.requests == []
    cli("offline", "auto").expect()
    wait_for(shim, OLD, NEW)
    assert page(shim).body == online.body


def test_a_page_that_was_just_sent_is_not_repeated_offline(cli: CommandLine, shim: Served) -> None:
    plain = "/simple/idna/"
    file = Path(stands(cli)["file"])
    file.parent.mkdir(exist_ok=True)
    wait_until(lambda: NEW.filename in shim.get(plain).body.decode(), SEEN_SECONDS, "no page")
    file.write_text("on\n")  # the command takes longer than a page is repeated
    wait_until(lambda: shim.json("/-/status")["offline"], SEEN_SECONDS, "it is not seen")
    assert NEW.filename not in shim.get(plain).body.decode()


def test_a_project_of_which_nothing_is_here_is_a_404_that_says_so(
    cli: CommandLine, shim: Served, private: FakeIndex
) -> None:
    assert page(shim, "acme-app").status == 200
    assert b"acme-app" in shim.get("/simple/").body
    cli("offline", "on").expect()
    wait_until(lambda: page(shim, "acme-app").status == 404, SEEN_SECONDS, "it is listed")
    problem = page(shim, "acme-app").problem
    assert "its only file is not in the cache" in problem["detail"]
    assert "`indexfallback fetch acme-app`" in problem["detail"]
    names = shim.get("/simple/").body
    assert b"idna" in names
    assert b"acme-app" not in names
    told = shim.get("/projects/acme-app/", {"Accept": "text/html"})
    assert told.status == 404
    assert b"its only file is not in the cache" in told.body


def test_a_file_that_is_gone_meanwhile_is_not_listed(cli: CommandLine, shim: Served) -> None:
    fetch(shim, NEW)
    cli("offline", "on").expect()
    wait_until(lambda: shim.json("/-/status")["offline"], SEEN_SECONDS, "it is not seen")
    wait_for(shim, OLD, NEW)
    (cli.cache / "blobs" / "sha256" / NEW.sha256[:2] / NEW.sha256).unlink()
    wait_for(shim, OLD)
    report = cli("why", "idna", "--json").expect().json
    assert (report["hidden"]["removed"], report["hidden"]["never_fetched"]) == (1, 0)


def test_why_says_what_is_hidden_and_why(cli: CommandLine, shim: Served, public: FakeIndex) -> None:
    source = sdist("idna", "3.9")
    public.add(source)
    public.add(wheel("idna", "3.11"))
    cli("why", "idna").expect()
    fetch(shim, source)
    cli("offline", "on").expect()
    wait_until(lambda: shim.json("/-/status")["offline"], SEEN_SECONDS, "it is not seen")
    done = cli.to_terminal("why", "idna").expect()
    assert "offline: 2 of 4 files are in the cache; 2 never downloaded:" in done.words
    assert "`indexfallback fetch idna` gets them while online" in done.words
    assert "hidden versions: 3.11, 3.10" in done.words
    assert "1 sdist offered: whether what is needed to build it" in done.words
    assert done.widest <= COLUMNS
    assert cli("why", "idna", "--json").expect().json["hidden"] == {
        "files": 2, "never_fetched": 2, "removed": 0, "versions": ["3.11", "3.10"],
        "offered": 2, "sdists": 1,
    }  # fmt: skip
    assert b"2 of 4 files are in the cache" in shim.get("/projects/idna/").body
    cli("offline", "auto").expect()
    wait_until(lambda: not shim.json("/-/status")["offline"], SEEN_SECONDS, "it is not seen")
    assert cli("why", "idna", "--json").expect().json["hidden"] is None


def test_status_the_start_page_and_doctor_say_so(cli: CommandLine, shim: Served) -> None:
    assert "offline" not in cli("status").expect().out
    assert cli("doctor", "--all", "--json").json["findings"]
    cli("offline", "on").expect()
    wait_until(lambda: shim.json("/-/status")["offline"], SEEN_SECONDS, "it is not seen")
    assert "offline `indexfallback offline on` holds:" in cli("status").expect().words
    assert b"Offline: `indexfallback offline on` holds." in shim.get("/").body
    (found,) = [f for f in cli("doctor", "--json").json["findings"] if f["subject"] == "offline"]
    assert found["verdict"] == "warn"
    assert "`indexfallback offline auto`" in found["remedy"]
    shim.stop()
    done = cli("status").expect(1)
    assert "offline `indexfallback offline on` holds:" in done.words
    cli("offline", "off").expect()
    assert "indexes are asked, even without a network" in cli("status").expect(1).words


def test_two_shims_and_one_that_is_started_anew_all_see_it(
    cli: CommandLine, shim: Served, start: Start, tmp_path: Path
) -> None:
    other = start(tmp_path / "other cache")
    fetch(other, NEW)
    cli("offline", "on").expect()
    wait_for(shim, OLD)
    wait_for(other, NEW)
    shim.stop(signal.SIGTERM)
    again = start()
    assert listed(again) == {OLD.filename}
    cli("offline", "auto").expect()
    wait_for(again, OLD, NEW)
    wait_for(other, OLD, NEW)


def test_a_command_that_is_killed_leaves_one_mode_or_another(cli: CommandLine) -> None:
    for number, mode in enumerate(("on", "off") * 4):
        process = subprocess.Popen(
            cli.arguments("offline", mode), env=cli.environment(), cwd=cli.cwd,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        with suppress(subprocess.TimeoutExpired):  # somewhere between its start and its end
            process.wait(0.05 * (number + 1))
        process.kill()
        process.wait()
        done = cli("offline", "--json").expect()
        assert (done.err, done.json["offline_mode"] in ("on", "off", "auto")) == ("", True)


def test_a_shim_that_is_killed_and_started_anew_is_still_offline(
    cli: CommandLine, shim: Served, start: Start
) -> None:
    cli("offline", "on").expect()
    wait_for(shim, OLD)
    shim.process.kill()
    shim.process.wait()
    assert listed(start()) == {OLD.filename}


def test_an_unknown_mode_names_those_that_there_are(cli: CommandLine) -> None:
    done = cli("offline", "never").expect(2)
    assert all(mode in done.err for mode in ("on", "off", "auto"))
    assert sys.executable not in done.err
