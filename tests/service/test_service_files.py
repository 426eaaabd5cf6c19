"""The service files of systemd, launchd and the task scheduler, parsed as they parse them."""

import configparser
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from indexfallback.service.job import Job, kept_environment
from indexfallback.service.launchd import agent
from indexfallback.service.systemd import unit
from indexfallback.service.windows import task

GOLDEN = Path(__file__).parent / "golden"
JOB = Job(
    command=("/opt/venv/bin/python", "-m", "indexfallback", "--config", "/home/me/my $x 5%.toml",
             "serve"),
    environment={"HTTPS_PROXY": 'http://me:a%20b"c@proxy.example.com', "INDEXFALLBACK_PORT": "1"},
)  # fmt: skip
WINDOWS = Job(
    command=("C:\\My Python\\python.exe", "-m", "indexfallback", "--config", "C:\\a b\\<c>.toml",
             "serve"),
)  # fmt: skip
LOG = "/Users/me/Library/Logs/indexfallback.log"
NAMESPACE = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("indexfallback.service", unit(JOB)),
        ("indexfallback.plist", agent(JOB, LOG)),
        ("indexfallback.xml", task(WINDOWS, "OFFICE\\me")),
    ],
)
def test_a_file_equals_the_reviewed_one(name: str, text: str) -> None:
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def _unit(job: Job) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its own docs show
    parser.read_string(unit(job))
    return parser


def test_a_unit_starts_at_login_and_again_after_a_failure() -> None:
    found = _unit(JOB)
    assert found["Install"]["WantedBy"] == "default.target"
    assert found["Service"]["Restart"] == "on-failure"
    assert found["Service"]["RestartPreventExitStatus"] == "2"


def test_a_units_words_reach_the_shim_as_they_are() -> None:
    assert _unit(JOB)["Service"]["ExecStart"].endswith('"/home/me/my $$x 5%%.toml" "serve"')
    text = unit(JOB)
    assert 'Environment="HTTPS_PROXY=http://me:a%%20b\\"c@proxy.example.com"\n' in text
    assert 'Environment="INDEXFALLBACK_PORT=1"\n' in text


def test_nothing_in_a_variable_can_begin_a_line_of_its_own() -> None:
    text = unit(Job(command=("/bin/python",), environment={"HTTPS_PROXY": "x\nExecStart=evil"}))
    assert [line for line in text.splitlines() if line.startswith("ExecStart=")] == [
        'ExecStart="/bin/python"'
    ]


def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd")
    file = tmp_path / "indexfallback.service"
    command = (sys.executable, *JOB.command[1:])
    file.write_text(unit(Job(command=command, environment=JOB.environment)), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(file)],
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if file.name in line]
    assert (done.returncode, told) == (0, [])


def test_an_agent_starts_at_login_and_again_after_a_failure() -> None:
    found = plistlib.loads(agent(JOB, LOG).encode())
    assert found["ProgramArguments"] == list(JOB.command)
    assert found["EnvironmentVariables"] == JOB.environment
    assert (found["RunAtLoad"], found["KeepAlive"]) == (True, {"SuccessfulExit": False})
    assert found["StandardErrorPath"] == LOG


def test_a_task_starts_at_logon_without_a_window_and_without_an_end() -> None:
    root = ET.fromstring(task(WINDOWS, "OFFICE\\me"))
    found = {
        path: root.findtext("/".join(f"t:{part}" for part in path.split("/")), None, NAMESPACE)
        for path in (
            "Triggers/LogonTrigger/UserId", "Actions/Exec/Command", "Actions/Exec/Arguments",
            "Settings/ExecutionTimeLimit", "Principals/Principal/RunLevel",
        )
    }  # fmt: skip
    assert found == {
        "Triggers/LogonTrigger/UserId": "OFFICE\\me",
        "Actions/Exec/Command": "C:\\My Python\\pythonw.exe",
        "Actions/Exec/Arguments": '-m indexfallback --config "C:\\a b\\<c>.toml" serve',
        "Settings/ExecutionTimeLimit": "PT0S",
        "Principals/Principal/RunLevel": "LeastPrivilege",
    }


def test_a_service_is_given_what_the_settings_depend_on_and_no_secrets(tmp_path: Path) -> None:
    kept = {"INDEXFALLBACK_PORT": "1", "https_proxy": "http://x", "PIP_NO_INDEX": "1",
            "AWS_ENDPOINT_URL": "https://s3.example.com", "AWS_REGION": "eu-1"}  # fmt: skip
    others = {"PRIVATE_INDEX_PASSWORD": "s", "PATH": "/bin", "INDEXFALLBACK_ENV": "z",
              "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}  # fmt: skip
    assert kept_environment({**others, **kept}, tmp_path) == kept


def test_its_relative_paths_are_made_absolute(tmp_path: Path) -> None:
    absolute = str(tmp_path / "elsewhere")
    given = {"PIP_CERT": absolute, "INDEXFALLBACK_CONFIG": "a/b.toml", "XDG_CACHE_HOME": "~/c"}
    kept = kept_environment({**given, "SSL_CERT_FILE": ""}, tmp_path)
    assert kept == {**given, "INDEXFALLBACK_CONFIG": str(tmp_path / "a" / "b.toml")}
