"""The command ``run``."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from indexfallback.config.pip import default_url
from tests.cli.support import COLUMNS, COMMAND_SECONDS, CommandLine, Done
from tests.conftest import Serve
from tests.fakes import FakeIndex, flat_directory, wheel
from tests.in_process import ROOT
from tests.serving import all_ended, index_table, wait_until

#: Asks PyPI, as a client does by default, for pages, and ends with 1 if one is not there.
_ASK = f"""\
import sys, urllib.request, urllib.error
code = 0
for project in sys.argv[1:]:
    try:
        urllib.request.urlopen("{default_url()}" + project + "/")
    except urllib.error.HTTPError:
        code = 1
sys.exit(code)
"""
_WAIT = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def run(call: Callable[..., Done], code: str, *arguments: str, **environ: str) -> Done:
    return call("run", "--", sys.executable, "-c", code, *arguments, **environ)


@pytest.mark.usefixtures("chain")
def test_it_sums_up_who_served_what(cli: CommandLine) -> None:
    done = run(cli, _ASK, "acme-app", "idna").expect()
    assert "indexfallback: 2 projects: 1 from private, 1 from pypi; 0 from cache;" in done.words
    assert "2 from cache; 0.0 s spent waiting" in run(cli, _ASK, "acme-app", "idna").words


@pytest.mark.usefixtures("chain")
def test_with_quiet_it_says_nothing(cli: CommandLine) -> None:
    done = cli("run", "-q", "--", sys.executable, "-c", _ASK, "idna").expect()
    assert (done.out, done.err) == ("", "")


@pytest.mark.usefixtures("chain")
def test_arguments_are_the_commands_own_and_so_is_the_exit_code(cli: CommandLine) -> None:
    code = "import sys; print(sys.argv[1:]); sys.exit(7)"
    done = run(cli, code, "--index", "a", "--offline", "-vv", "--help").expect(7)
    assert done.out == "['--index', 'a', '--offline', '-vv', '--help']\n"


@pytest.mark.usefixtures("chain")
def test_a_command_that_does_not_exist_ends_with_127(cli: CommandLine) -> None:
    done = cli("run", "--", "no-such-command").expect(127)
    assert done.err == "indexfallback: no-such-command: no such command\n"


@unix
@pytest.mark.usefixtures("chain")
def test_a_command_that_cannot_be_run_ends_with_126(cli: CommandLine) -> None:
    broken = cli.directory / "broken"
    broken.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    broken.chmod(0o755)
    assert "cannot be run (No such file" in cli("run", "--", str(broken)).expect(126).words


@pytest.mark.usefixtures("chain")
def test_an_unknown_option_before_the_command_is_a_usage_error(cli: CommandLine) -> None:
    assert "No such option" in cli("run", "--nope", "--", "true").expect(2).err


def test_a_failed_command_is_told_which_index_was_away_and_what_to_do(
    cli: CommandLine, private: FakeIndex
) -> None:
    private.stop_listening()
    cli.configure(
        index_table("private", private.url, role="private", projects=["acme-*"]),
        index_table("pypi", "https://packages.example.com/simple/"),
    )
    done = run(cli.to_terminal, _ASK, "acme-app").expect(1)
    assert "indexfallback: acme-app could not be looked up.\n  private is" in done.err
    assert "private is unavailable: connection refused (127.0.0.1:" in done.words
    assert "It belongs to private (by projects), which could not be asked" in done.words
    assert "What you can do: Start private, or correct the port" in done.words
    words = done.err[done.err.index("indexfallback: ") :]
    assert max(map(len, words.splitlines())) <= COLUMNS


@pytest.mark.usefixtures("chain")
def test_a_failed_command_is_told_what_nobody_has(cli: CommandLine) -> None:
    done = run(cli, _ASK, "nope").expect(1)
    assert "indexfallback: nope was not found. No index has it. What you can do:" in done.words


@pytest.mark.usefixtures("chain")
def test_a_failed_command_is_told_of_an_outage_that_something_stood_in_for(
    cli: CommandLine, private: FakeIndex
) -> None:
    text = cli.config.read_text(encoding="utf-8")
    cli.config.write_text(f'[cache]\nfresh = "0 s"\n{text}', encoding="utf-8")
    run(cli, _ASK, "acme-app").expect()
    private.stop_listening()
    done = run(cli, _ASK.replace("sys.exit(code)", "sys.exit(3)"), "acme-app").expect(3)
    assert "private was unavailable meanwhile: connection refused (127.0.0.1:" in done.words
    assert "newer versions may be missing. What you can do: Start private, or correct" in done.words


@pytest.mark.usefixtures("chain")
def test_a_failed_command_offline_is_told_that_it_was(cli: CommandLine) -> None:
    done = cli("run", "--offline", "--", sys.executable, "-c", _ASK, "idna").expect(1)
    assert "--offline is on, and it was never seen here" in done.words
    assert "unavailable" not in done.words


@pytest.fixture
def copied(cli: CommandLine, private: FakeIndex, public: FakeIndex) -> None:
    """Configure a private index with an old idna, whose public page is cached, too."""
    private.add(wheel("idna", "3.9"))
    tables = index_table("private", private.url, role="private"), index_table("pypi", public.url)
    cli.configure(tables[1])
    cli("why", "idna").expect()
    cli.configure(*tables)


@pytest.mark.usefixtures("copied")
def test_a_failed_command_is_told_of_a_public_project_of_the_same_name(cli: CommandLine) -> None:
    done = run(cli.to_terminal, _ASK, "acme-app", "idna", "nope").expect(1)
    assert (
        "idna came from private, which has 1 file (newest 3.9); pypi has a project of this name "
        "too (newest 3.10). If private only has copies, set defer_copies or only for it."
    ) in done.words
    assert "acme-app came from" not in done.words
    assert max(map(len, done.err.splitlines())) <= COLUMNS


@pytest.mark.usefixtures("copied")
def test_a_command_that_succeeds_is_not_told_of_namesakes(cli: CommandLine) -> None:
    assert "came from" not in run(cli, _ASK, "idna").expect().words


@pytest.mark.usefixtures("copied")
def test_a_namesake_that_the_configuration_claims_is_not_told_of(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    cli.configure(
        index_table("private", private.url, role="private", projects=["idna"]),
        index_table("pypi", public.url),
    )
    assert "came from" not in run(cli, _ASK, "idna", "nope").expect(1).words


def test_a_namesake_of_an_index_that_defers_copies_has_files_of_its_own(
    cli: CommandLine, private: FakeIndex, public: FakeIndex
) -> None:
    private.add(wheel("idna", "3.9.post1"))
    cli.configure(
        index_table("private", private.url, role="private", defer_copies=True),
        index_table("pypi", public.url),
    )
    done = run(cli, _ASK, "idna", "nope").expect(1)
    assert "private has files of its own: to use pypi's, set only." in done.words


def test_without_a_configuration_it_shows_the_chain_of_pip(
    cli: CommandLine, tmp_path: Path
) -> None:
    directory = flat_directory(tmp_path / "wheels", [wheel("acme-app")])
    done = run(cli, _ASK, "acme-app", PIP_EXTRA_INDEX_URL=directory.as_uri()).expect()
    first = "indexfallback: no configuration yet, using pip's\n  1 wheels  file://"
    assert done.err.startswith(first)
    assert "(pip: extra-index-url) 2 pypi PyPI (pip: default)" in done.words


_RESTRICT = 'only = ["its-name-*"] (indexfallback init)'


def test_without_a_configuration_it_says_how_to_restrict_an_index(
    cli: CommandLine, private: FakeIndex
) -> None:
    done = run(cli.to_terminal, "pass", PIP_EXTRA_INDEX_URL=private.url).expect()
    assert f"an index with public projects too: {_RESTRICT}" in done.err
    assert max(map(len, done.err.splitlines())) <= COLUMNS


@pytest.mark.parametrize("extra", ["", "file:///srv/wheels"])
def test_without_a_private_index_on_a_network_it_says_nothing_of_that(
    cli: CommandLine, extra: str
) -> None:
    assert _RESTRICT not in run(cli, "pass", PIP_EXTRA_INDEX_URL=extra).expect().err


def test_with_a_configuration_it_says_nothing_of_restricting(
    cli: CommandLine, private: FakeIndex
) -> None:
    cli.configure(index_table("private", private.url, role="private", defer_copies=True))
    assert _RESTRICT not in run(cli, "pass").expect().err


@pytest.mark.fault(21)
def test_a_proxy_in_the_environment_does_not_come_between(cli: CommandLine, tmp_path: Path) -> None:
    directory = flat_directory(tmp_path / "wheels", [wheel("acme-app")])
    cli.configure(index_table("wheels", str(directory)))
    nobody = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    run(cli, _ASK, "acme-app", **nobody).expect()


def test_a_running_shim_of_this_configuration_is_used_and_left_running(
    cli: CommandLine, served: Serve, chain: str
) -> None:
    shim = served(chain, directory=cli.directory)
    cli.use(shim)
    run(cli, _ASK, "idna").expect()
    assert shim.json("/-/status")["activity"]["projects"]["idna"]["owner"] == "pypi"


def test_another_configurations_shim_is_not_used(
    cli: CommandLine, served: Serve, chain: str, public: FakeIndex
) -> None:
    shim = served(index_table("pypi", public.url), directory=cli.directory)
    cli.configure(chain)
    cli.use(shim)
    run(cli, _ASK, "acme-app").expect()
    assert shim.json("/-/status")["activity"]["projects"] == {}


@contextlib.contextmanager
def waiting(cli: CommandLine) -> Iterator["subprocess.Popen[str]"]:
    """Give `run` in a session of its own while its command waits."""
    started = cli.directory / "started"
    process = subprocess.Popen(
        cli.arguments("run", "--", sys.executable, "-c", _WAIT, str(started)),
        cwd=ROOT, env=cli.environment(), start_new_session=True,
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    family: list[psutil.Process] = []
    try:
        wait_until(started.exists, COMMAND_SECONDS, "the command was not started")
        family = psutil.Process(process.pid).children(recursive=True)
        yield process
    finally:
        for member in [*family, process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.communicate()


@unix
@pytest.mark.usefixtures("chain")
def test_sigterm_reaches_the_command_and_its_end_is_the_exit_code(cli: CommandLine) -> None:
    with waiting(cli) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert process.wait(COMMAND_SECONDS) == 128 + signal.SIGTERM
        wait_until(lambda: all_ended(family), 10, "a process is left")


@unix
@pytest.mark.usefixtures("chain")
def test_ctrl_c_ends_the_command_and_run_says_its_last_words(cli: CommandLine) -> None:
    with waiting(cli) as process:
        # A terminal sends it to the whole group in front of it.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=COMMAND_SECONDS)
    assert process.returncode == 128 + signal.SIGINT
    assert err.count("Traceback") <= 1  # the command's own
    assert "indexfallback/cli" not in err


@unix
@pytest.mark.usefixtures("chain")
def test_a_killed_run_leaves_no_shim_behind(cli: CommandLine) -> None:
    with waiting(cli) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        shims = [member for member in family if _WAIT not in member.cmdline()]
        assert shims
        process.kill()
        wait_until(lambda: all_ended(shims), 10, "a shim is left")
