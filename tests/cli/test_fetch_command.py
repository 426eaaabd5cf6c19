"""The command ``fetch``: what it brings, what it says, and how it ends."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.support import COMMAND_SECONDS, CommandLine
from tests.fakes import FakeIndex, sdist, wheel
from tests.fakes.pages import HTML_ONLY
from tests.serving import wait_until


def names(done_json: object) -> list[str]:
    assert isinstance(done_json, dict)
    return sorted(each["filename"] for each in done_json["files"])


def test_what_a_project_needs_comes_with_the_table_of_where_from(
    cli: CommandLine, chain: str, private: FakeIndex
) -> None:
    private.add(wheel("acme-app", "1.5", requires=["idna<3.10"]))
    done = cli("fetch", "acme-app").expect()
    assert "Resolving 1 requirement for Python" in done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[0] == ["index", "fetched", "here", "before", "size"]
    assert [line[:3] for line in lines[1:]] == [["private", "1", "0"], ["pypi", "1", "0"]]
    again = cli("fetch", "acme-app", "--json").expect()
    assert names(again.json) == ["acme_app-1.5-py3-none-any.whl", "idna-3.9-py3-none-any.whl"]
    assert [each["is_new"] for each in again.json["files"]] == [False, False]


def test_without_anything_to_fetch_it_says_what_to_give(cli: CommandLine, chain: str) -> None:
    assert "say what to fetch" in cli("fetch").expect(2).words


def test_what_no_index_has_is_named_with_cause_and_remedy(cli: CommandLine, chain: str) -> None:
    (missing,) = cli("fetch", "nowhere", "--json").expect(1).json["missing"]
    assert missing["what"] == "nowhere (the command line)"
    assert "no index has it" in missing["cause"]


def test_requirements_that_no_version_satisfies_are_told_with_the_nearest_versions(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    for number in range(250):
        public.add(wheel("many", f"1.{number}"))
    public.add(wheel("app", "9.8", requires_python=">=3.99"))
    public.add(wheel("app", "10.0"))
    for version in "1.0", "2.0":
        public.add(wheel("limited", version))
    file, limits = cli.directory / "r.txt", cli.directory / "limits.txt"
    file.write_text("idna\n\napp==9.9\nmany>3; python_version > '3'\n", encoding="utf-8")
    limits.write_text("limited<2\n", encoding="utf-8")
    done = cli("fetch", "-r", str(file), "limited>1", "app>10; os_name == 'x'", "-c", str(limits))
    app = f"missing: app==9.9 ({file}:3): there is no 9.9; the nearest versions are 9.8 and 10.0."
    assert f"{app} 9.8 needs Python >=3.99, and this is 3." in done.expect(1).words
    many = f"missing: many>3 ({file}:4): none of its 250 versions matches;"
    assert f"{many} the nearest version is 1.249" in done.words
    limited = f"missing: limited>1 (the command line) and limited<2 ({limits}:1): none of its 2"
    assert f"{limited} versions matches; the nearest versions are 1.0 and 2.0" in done.words
    assert done.words.count("Change that; until then nothing that is needed for Python 3.") == 1
    assert done.words.count("missing:") == 3
    assert "1.248" not in done.words


def test_what_a_project_requires_and_no_version_satisfies_is_told_by_either_resolver(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.add(wheel("lib", requires=["idna>=4"]))
    for options in (), ("--python", "3.12", "--platform", "win_amd64"):
        (missing,) = cli("fetch", "lib", "--json", *options).expect(1).json["missing"]
        assert missing["what"] == "idna>=4 (required by lib)"
        assert missing["cause"] == "none of its 2 versions matches; the nearest version is 3.10"


def test_a_conflict_is_told_by_the_requirements_that_contradict_one_another(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.add(wheel("old", requires=["idna<3.10"]))
    public.add(wheel("new", requires=["idna>=3.10"]))
    (missing,) = cli("fetch", "old", "new", "--json").expect(1).json["missing"]
    assert missing["what"].startswith("what is needed for Python")
    assert missing["cause"] == "pip: old 1.0 depends on idna<3.10; new 1.0 depends on idna>=3.10"


def test_a_pin_of_a_version_that_no_index_has_is_told_with_the_nearest_one(
    cli: CommandLine, chain: str
) -> None:
    file = cli.directory / "locked.txt"
    file.write_text(f"idna==3.11 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    (missing,) = cli("fetch", "-r", str(file), "--json").expect(1).json["missing"]
    assert missing["what"] == f"idna 3.11 ({file}:1)"
    assert missing["cause"] == "there is no 3.11; the nearest version is 3.10"


def test_what_comes_from_no_index_is_missing_and_the_rest_comes(
    cli: CommandLine, chain: str
) -> None:
    done = cli("fetch", "idna", "acme @ https://example.com/acme.whl", "--json").expect(1)
    assert names(done.json) == ["idna-3.10-py3-none-any.whl"]
    (missing,) = done.json["missing"]
    assert missing["cause"] == "it is not from an index"
    assert "the command line" in missing["what"]


def test_a_constraint_limits_the_version(cli: CommandLine, chain: str) -> None:
    limits = cli.directory / "limits.txt"
    limits.write_text("idna<3.10\n", encoding="utf-8")
    done = cli("fetch", "idna", "-c", str(limits), "--json").expect()
    assert names(done.json) == ["idna-3.9-py3-none-any.whl"]


def test_a_dry_run_says_what_would_come_and_fetches_no_file(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    done = cli("fetch", "idna", "--dry-run").expect()
    assert done.out.splitlines()[0].split() == ["index", "to", "fetch", "here", "before", "size"]
    assert "  idna-3.10-py3-none-any.whl\n" in done.out
    assert public.count("/files/idna-3.10-py3-none-any.whl") == 0
    cli("fetch", "idna").expect()
    assert "  idna-3.10-py3-none-any.whl (here)\n" in cli("fetch", "idna", "--dry-run").out


def test_what_builds_an_sdist_comes_with_it_and_what_builds_that(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.add(sdist("app", build_requires=["builder>=2"]))
    public.add(sdist("builder", "2.1", build_requires=["base"]))
    public.add(wheel("base", requires=["idna"]))
    done = cli("fetch", "app", "--json").expect()
    assert names(done.json) == [
        "app-1.0.tar.gz", "base-1.0-py3-none-any.whl", "builder-2.1.tar.gz",
        "idna-3.10-py3-none-any.whl",
    ]  # fmt: skip


def test_what_an_sdist_of_a_lock_needs_to_be_built_may_be_missing(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.add(sdist("app", build_requires=["nowhere"]))
    versions = cli.directory / "versions.cfg"
    versions.write_text("[versions]\napp = 1.0\n", encoding="utf-8")
    done = cli("fetch", "-r", str(versions), "--json").expect(1)
    assert names(done.json) == ["app-1.0.tar.gz"]
    (missing,) = done.json["missing"]
    assert missing["what"] == "nowhere (the build requirements of app-1.0.tar.gz)"


def test_a_file_with_another_hash_than_asked_for_is_refused_and_named(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    file = cli.directory / "locked.txt"
    file.write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    done = cli("fetch", "-r", str(file)).expect(1)
    assert "idna-3.10-py3-none-any.whl has sha256" in done.words
    assert f"{file}:1" in done.words
    assert public.count("/files/idna-3.10-py3-none-any.whl") == 0


def test_a_hash_that_the_page_does_not_state_is_checked_in_the_file(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    dist = wheel("late", "1.0")
    public.add(dist, hashes={})
    file = cli.directory / "locked.txt"
    file.write_text(f"late==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    assert f"sha256:{dist.sha256}" in cli("fetch", "-r", str(file)).expect(1).words
    file.write_text(f"late==1.0 --hash=sha256:{dist.sha256}\n", encoding="utf-8")
    cli("fetch", "-r", str(file)).expect()


def test_a_hash_is_checked_also_where_the_same_file_is_wanted_without_one(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.add(wheel("late", "1.0"), hashes={})
    file = cli.directory / "locked.txt"
    file.write_text(f"late==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    done = cli("fetch", "late", "-r", str(file)).expect(1)
    assert f"missing: late-1.0-py3-none-any.whl: {file}:1 requires another hash than" in done.words


def test_an_index_that_is_down_makes_it_fail_and_a_second_run_fetches_what_is_missing(
    cli: CommandLine, chain: str, public: FakeIndex, private: FakeIndex
) -> None:
    cfg = cli.directory / "versions.cfg"
    cfg.write_text("[versions]\nidna = 3.10\nacme-app = 1.4\n", encoding="utf-8")
    public.stop_listening()
    done = cli("fetch", "-r", str(cfg)).expect(1)
    assert "missing: idna 3.10" in done.words
    public.start_again()
    private.clear()
    done = cli("fetch", "-r", str(cfg), "--json").expect()
    assert {each["project"]: each["is_new"] for each in done.json["files"]} == {
        "acme-app": False, "idna": True,
    }  # fmt: skip
    assert private.count("/files/acme_app-1.4-py3-none-any.whl") == 0


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_it_within_a_moment_and_says_how_to_go_on(
    cli: CommandLine, chain: str, public: FakeIndex, tmp_path: Path
) -> None:
    slow = wheel("slow", "1.0", size=1 << 20)
    public.add(slow)
    public.drip(64 * 1024, path=f"/files/{slow.filename}")
    cfg = cli.directory / "versions.cfg"
    cfg.write_text("[versions]\nidna = 3.10\nslow = 1.0\n", encoding="utf-8")
    log = tmp_path / "log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            cli.arguments("-v", "fetch", "-r", str(cfg)), env=cli.environment(), stderr=err
        )
        wait_until(lambda: b"idna-3.10-py3" in log.read_bytes(), COMMAND_SECONDS, "no idna")
        public.wait_for(f"/files/{slow.filename}")
        process.send_signal(signal.SIGINT)
        # A second; three times as long on a slow machine, and far below what is still to come.
        assert process.wait(4) == 130
    said = " ".join(log.read_text(encoding="utf-8").split())
    assert "interrupted: 1 file of this run fetched" in said
    assert "fetches only the missing files" in said
    public.lift()
    again = cli("fetch", "-r", str(cfg), "--json").expect()
    assert {each["project"]: each["is_new"] for each in again.json["files"]} == {
        "idna": False, "slow": True,
    }  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_on_a_terminal_a_bar_shows_the_total_and_goes(cli: CommandLine, chain: str) -> None:
    done = cli.on_terminal("fetch", "idna").expect()
    assert "Fetching 1/1" in done.out
    assert "fetched" in done.out


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_the_bar_has_a_total_where_no_page_states_a_size(
    cli: CommandLine, chain: str, public: FakeIndex
) -> None:
    public.formats = HTML_ONLY
    slow = wheel("slow", size=1 << 20)
    public.add(slow)
    # Longer than a file is waited for in silence.
    public.drip(len(slow.data) / 3, path=f"/files/{slow.filename}")
    cfg = cli.directory / "versions.cfg"
    cfg.write_text("[versions]\nslow = 1.0\n", encoding="utf-8")
    done = cli.on_terminal("fetch", "-r", str(cfg), COLUMNS="100").expect()
    assert "/1.0 MB" in done.out
    assert "/s" in done.out
