"""The command ``env``, done by real shells."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexfallback.clients.environment import ADDRESS_VARIABLES
from tests.cli.support import COMMAND_SECONDS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex
from tests.in_process import ROOT
from tests.serving import Served, index_table

URL = "http://127.0.0.1:5503/simple/"
SHELLS = {
    "bash": ("bash", "--norc", "-c"),
    "zsh": ("zsh", "-f", "-c"),
    "fish": ("fish", "--no-config", "-c"),
    "powershell": ("pwsh", "-NoProfile", "-Command"),
}
#: How each does what a command prints.
DO = {
    "bash": 'eval "$({})"',
    "zsh": 'eval "$({})"',
    "fish": "{} | source",
    "powershell": "& {} | Out-String | Invoke-Expression",
}
#: Values that need every kind of quoting.
HOSTILE = "it's \"$HOME\" `id` \\n \\' 50%; $(id) \u2019 *\nsecond line"
_PRINT = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(SHELLS[name][0]) is None:
        pytest.skip(f"{name} is not installed")
    return name


def do(cli: CommandLine, shell: str, *lines: str, **environ: str) -> str:
    """Have a shell do lines, in which ENV is our command for it, and return what they print."""
    kind = "bash" if shell == "zsh" else shell
    spoken = []
    for line in lines:
        ours = " ".join(map(shlex.quote, cli.arguments("env", "--shell", kind)))
        if line.startswith("ENV"):
            line = DO[shell].format(line.replace("ENV", ours))  # noqa: PLW2901 - as it is done
        spoken.append(line)
    done = subprocess.run(
        [*SHELLS[shell], "\n".join(spoken)], env=cli.environment(**environ), cwd=ROOT,
        check=True, capture_output=True, text=True, encoding="utf-8", timeout=COMMAND_SECONDS,
    )  # fmt: skip
    return done.stdout


def environment(cli: CommandLine, shell: str, *lines: str, **environ: str) -> dict[str, Any]:
    """Return the environment that a shell gives to programs after it has done lines."""
    show = " ".join(map(shlex.quote, (sys.executable, "-c", _PRINT)))
    out = do(cli, shell, *lines, f"& {show}" if shell == "powershell" else show, **environ)
    found: dict[str, Any] = json.loads(out)
    for name in ("_", "SHLVL", "OLDPWD", "PWD"):  # the shells' own
        found.pop(name, None)
    return found


def test_every_client_is_pointed_at_the_configured_port(cli: CommandLine, shell: str) -> None:
    found = environment(cli, shell, "ENV", INDEXFALLBACK_PORT="5599")
    for name in ADDRESS_VARIABLES:
        assert found[name] == "http://127.0.0.1:5599/simple/"
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost"


def test_undone_every_variable_is_what_it_was(cli: CommandLine, shell: str) -> None:
    before = {"PDM_PYPI_URL": HOSTILE, "NO_PROXY": "packages.example.com", "UV_DEFAULT_INDEX": "x"}
    plain = environment(cli, shell, **before)
    assert plain["PDM_PYPI_URL"] == HOSTILE
    pointed = environment(cli, shell, "ENV", **before)
    assert pointed["PDM_PYPI_URL"] == URL
    assert pointed["NO_PROXY"] == "packages.example.com,127.0.0.1,localhost"
    assert environment(cli, shell, "ENV", "ENV --undo", **before) == plain


def test_done_twice_it_is_undone_at_once(cli: CommandLine, shell: str) -> None:
    before = {"PDM_PYPI_URL": HOSTILE}
    plain = environment(cli, shell, **before)
    assert environment(cli, shell, "ENV", "ENV", "ENV --undo", **before) == plain


@pytest.mark.parametrize("shell", ["bash"])
def test_a_variable_that_was_changed_since_stays_as_it_is(cli: CommandLine, shell: str) -> None:
    found = environment(
        cli, shell, "ENV", "export PIP_INDEX_URL=mine; unset UV_DEFAULT_INDEX", "ENV --undo",
        PIP_INDEX_URL="https://packages.example.com/simple/", UV_DEFAULT_INDEX="old",
    )  # fmt: skip
    assert found["PIP_INDEX_URL"] == "mine"
    assert "UV_DEFAULT_INDEX" not in found
    assert not [name for name in found if name.startswith("INDEXFALLBACK_SAVED_")]


def test_where_nothing_was_done_there_is_nothing_to_undo(cli: CommandLine) -> None:
    done = cli("env", "--undo", PIP_INDEX_URL="https://packages.example.com/simple/").expect()
    assert done.out == ""
    assert "nothing to undo" in done.words


@pytest.mark.parametrize(
    ("path", "start"),
    [("/usr/bin/fish", "set -gx "), ("/bin/zsh", "export "), ("/usr/bin/pwsh", "$env:")],
)
def test_the_shell_is_the_users(cli: CommandLine, path: str, start: str) -> None:
    assert cli("env", SHELL=path).expect().out.startswith(start)


def test_without_a_shim_it_says_so_beside_the_statements(cli: CommandLine) -> None:
    done = cli("env", INDEXFALLBACK_PORT="1").expect()
    assert "no shim runs on 127.0.0.1:1" in done.err
    assert "no shim" not in done.out


def test_on_a_terminal_it_says_how_it_is_used(cli: CommandLine) -> None:
    done = cli.on_terminal("env", "--shell", "fish").expect()
    assert "indexfallback env --shell fish | source" in done.out


def test_the_chain_behind_the_shim_stays_what_pip_has_configured(cli: CommandLine) -> None:
    extra = "https://packages.example.com/simple/"
    undone = cli("config", "show", "--json", PIP_EXTRA_INDEX_URL=extra).expect().json
    inside = environment(cli, "bash", "ENV", PIP_EXTRA_INDEX_URL=extra)
    pointed = {name: value for name, value in inside.items() if name.startswith(("PIP_", "INDEX"))}
    assert pointed["PIP_EXTRA_INDEX_URL"] == URL
    assert cli("config", "show", "--json", **pointed).expect().json == undone


def test_pip_installs_through_it(cli: CommandLine, public: FakeIndex, served: Serve) -> None:
    shim: Served = served(index_table("pypi", public.url))
    cli.use(shim)
    target = cli.directory / "target"
    install = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--target", str(target))
    do(cli, "bash", "ENV", " ".join(map(shlex.quote, (*install, "idna"))), HTTP_PROXY="http://0:9")
    assert Path(target, "idna-3.10.dist-info").is_dir()
    assert list(shim.json("/-/status")["activity"]["projects"]) == ["idna"]
