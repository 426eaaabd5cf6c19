"""The command ``doctor``: the shim, the indexes, the network and the disk."""

import os
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from indexfallback import __version__
from indexfallback.config import Settings
from indexfallback.doctor.finding import Verdict
from indexfallback.doctor.machine import Machine
from indexfallback.doctor.shim import is_there
from tests.cli.doctoring import Patient
from tests.cli.support import COLUMNS, CommandLine
from tests.conftest import Serve
from tests.fakes import FakeIndex, wheel
from tests.serving import index_table


@pytest.fixture
def patient(cli: CommandLine, chain: str, public: FakeIndex, tmp_path: Path) -> Patient:
    """Return somebody with whom all is well."""
    public.add(wheel("pip", "26.3"))
    return Patient(cli, tmp_path / "project")


def test_where_all_is_well_it_says_little_and_ends_with_0(patient: Patient) -> None:
    done = patient.cli("doctor").expect()
    assert done.out == "18 checks found nothing wrong (--all shows them)\n"


def test_all_of_it_is_one_page(patient: Patient) -> None:
    done = patient.cli.to_terminal("doctor", "--all").expect()
    assert {line[:2] for line in done.out.splitlines()} == {"ok", "  "}
    assert all(len(line) <= COLUMNS for line in done.out.splitlines() if "/" not in line)
    assert len(done.out.splitlines()) <= 24


def test_the_worst_comes_first_and_fails(patient: Patient, private: FakeIndex) -> None:
    private.stop_listening()
    patient.write("requirements.txt", "-i https://elsewhere.example.com/simple/\nfoo\n")
    done = patient.cli.to_terminal("doctor").expect(1)
    first, *_, last = done.out.splitlines()
    assert first.startswith("FAIL  index private")
    assert "warn  requirements" in done.out
    assert last.endswith("found nothing wrong (--all shows them)")
    assert done.widest <= COLUMNS


def test_marks_are_coloured_on_a_terminal_alone(patient: Patient, private: FakeIndex) -> None:
    private.stop_listening()
    assert "\x1b[31mFAIL\x1b[0m" in patient.cli.on_terminal("doctor").out
    assert "\x1b" not in patient.cli.on_terminal("doctor", NO_COLOR="1").out
    assert "\x1b" not in patient.cli("doctor").out


def test_a_wrong_configuration_is_the_first_finding(patient: Patient) -> None:
    patient.cli.config.write_text('[cache]\nfrash = "1 min"\n', encoding="utf-8")
    finding = patient.findings(1)[0]
    assert (finding["verdict"], finding["subject"]) == ("FAIL", "configuration")
    assert finding["what"].startswith(f"{patient.cli.config}:2: ")
    assert 'did you mean "fresh"?' in finding["remedy"]


def test_after_a_wrong_configuration_the_checks_that_do_not_need_it_go_on(
    patient: Patient,
) -> None:
    with FakeIndex() as other:
        text = f'[server]\nport = {other.port}\n[cache]\nfrash = "1 min"\n'
        patient.cli.config.write_text(text, encoding="utf-8")
        patient.write("requirements.txt", "-i https://elsewhere.example.com/simple/\nfoo\n")
        found = patient.findings(1, PIP_TRUSTED_HOST="127.0.0.1")
    bad = [finding["subject"] for finding in found if finding["verdict"] != "ok"]
    assert bad == ["configuration", "shim", "pip", "requirements"]
    well = {finding["subject"] for finding in found if finding["verdict"] == "ok"}
    assert {"clock", "disk", "cache", "proxy", "offline"} <= well
    assert f"uses 127.0.0.1:{other.port}" in found[1]["what"]


def test_a_file_of_pip_that_pip_cannot_read_is_one_finding(
    patient: Patient, tmp_path: Path
) -> None:
    patient.cli.environ["INDEXFALLBACK_PORT"] = "1"  # nothing listens there
    file = tmp_path / "pip.conf"
    file.write_text("cert = no section\n", encoding="utf-8")
    bad = [
        found for found in patient.findings(1, PIP_CONFIG_FILE=str(file))
        if found["verdict"] != "ok"
    ]  # fmt: skip
    assert [(found["subject"], found["what"]) for found in bad] == [
        ("configuration", f"{file}: pip cannot read this file")
    ]


@pytest.mark.parametrize("text", ["[cache", 'server = "x"\n', "[server]\nport = 70000\n"])
def test_a_configuration_of_which_nothing_can_be_read_is_one_finding(
    patient: Patient, text: str
) -> None:
    patient.cli.environ["INDEXFALLBACK_PORT"] = "1"  # nothing listens there
    patient.cli.config.write_text(text, encoding="utf-8")
    (finding,) = [found for found in patient.findings(1) if found["verdict"] != "ok"]
    assert finding["subject"] == "configuration"


# -- the shim


def test_a_running_shim_is_well(patient: Patient, served: Serve) -> None:
    text = patient.cli.config.read_text(encoding="utf-8")
    shim = served(text, cache_dir=patient.cli.cache)
    patient.cli.use(shim)
    assert patient.of("shim") == ("ok", f"version {__version__} runs on 127.0.0.1:{shim.port}")


def test_one_with_another_configuration_is_told(patient: Patient, served: Serve) -> None:
    patient.cli.use(served())
    verdict, what = patient.of("shim")
    assert (verdict, "another configuration" in what) == ("warn", True)


def test_one_of_another_version_is_told(tmp_path: Path) -> None:
    machine = Machine(
        settings=Settings(indexes=(), cache_dir=tmp_path),
        environ={},
        version="0.0.2",
        health={"version": "0.0.1", "pid": 7},
    )
    (finding,) = is_there(machine)
    assert finding.verdict is Verdict.WARN
    assert finding.what == "version 0.0.1 runs, but this is 0.0.2 (process 7)"


def test_one_that_clients_look_for_in_vain_fails(patient: Patient) -> None:
    file = patient.pip_conf("[global]\nindex-url = http://127.0.0.1:5503/simple/\n")
    finding = patient.worst("shim", 1)
    assert finding["verdict"] == "FAIL"
    where = f"but clients use it (~/.config/pip/{file.name})"
    assert finding["what"].startswith(f"none runs on 127.0.0.1:5503, {where}: ")
    assert "7.5 s" in finding["what"]
    assert "indexfallback service install" in finding["remedy"]


def test_a_port_that_another_program_has_fails(patient: Patient) -> None:
    with FakeIndex() as other:
        patient.cli.environ["INDEXFALLBACK_PORT"] = str(other.port)
        verdict, what = patient.of("shim", 1)
    assert verdict == "FAIL"
    assert f"(process {os.getpid()}) uses 127.0.0.1:" in what


# -- the indexes


def test_an_index_that_wants_a_login_fails(patient: Patient, private: FakeIndex) -> None:
    private.fail(401)
    finding = patient.worst("index private", 1)
    assert finding["what"].startswith("refused: 401 Unauthorized")
    assert finding["remedy"].startswith("Give private a login: username and password_env")


def test_a_slow_index_is_told(patient: Patient, public: FakeIndex) -> None:
    public.delay(2.0)
    verdict, what = patient.of("index pypi")
    assert (verdict, what.startswith("slow: 1 file of pip in ")) == ("warn", True)


def test_an_odd_clock_of_one_index_is_its_own_fault(patient: Patient, private: FakeIndex) -> None:
    # The public index has no clock, and the private one's is an hour ahead.
    private.header("Date", formatdate(time.time() + 3630, usegmt=True))
    verdict, what = patient.of("index private")
    assert verdict == "warn"
    assert what == "its Date header is 1 h ahead of this machine's clock"
    assert patient.of("clock")[0] == "ok"


def test_no_index_at_all_fails(patient: Patient) -> None:
    patient.cli.configure()
    finding = patient.worst("indexes", 1, PIP_NO_INDEX="1")
    assert finding["remedy"] == "indexfallback config init"


# -- the network


def test_a_bundle_without_certificates_fails(patient: Patient, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("nothing", encoding="utf-8")
    verdict, what = patient.of("certificates", 1, REQUESTS_CA_BUNDLE=str(bundle))
    assert verdict == "FAIL"
    assert f"{bundle} (REQUESTS_CA_BUNDLE) cannot be used: no certificate" in what


@pytest.mark.parametrize(
    ("environ", "verdict"),
    [
        ({"HTTP_PROXY": "http://proxy.example.com"}, "warn"),
        ({"all_proxy": "http://proxy.example.com"}, "warn"),
        ({"HTTPS_PROXY": "http://proxy.example.com"}, "ok"),
        ({"HTTP_PROXY": "http://proxy.example.com", "NO_PROXY": "x.example.com"}, "warn"),
        ({"HTTP_PROXY": "http://proxy.example.com", "NO_PROXY": "x, 127.0.0.1"}, "ok"),
        ({"HTTP_PROXY": "http://proxy.example.com", "no_proxy": "127.0.0.0/8"}, "ok"),
    ],
)
def test_a_proxy_that_catches_the_shim_is_told(
    patient: Patient, environ: dict[str, str], verdict: str
) -> None:
    assert patient.of("proxy", 0, "--offline", **environ)[0] == verdict


@pytest.mark.parametrize(
    ("environ", "remedy"),
    [
        ({}, "export NO_PROXY=127.0.0.1,localhost"),
        ({"NO_PROXY": "x"}, 'export NO_PROXY="$NO_PROXY,127.0.0.1,localhost"'),
        ({"NO_PROXY": "x", "no_proxy": "y"}, 'export no_proxy="$no_proxy,127.0.0.1,localhost"'),
    ],
)
def test_what_mends_it_stands_on_a_line_of_its_own(
    patient: Patient, environ: dict[str, str], remedy: str
) -> None:
    proxy = {"HTTP_PROXY": "http://proxy.example.com"}
    done = patient.cli("doctor", "--offline", **proxy, **environ).expect()
    assert remedy in map(str.strip, done.out.splitlines())


def test_pips_own_proxy_fails(patient: Patient) -> None:
    file = patient.pip_conf("[global]\nproxy = http://proxy.example.com\n")
    verdict, what = patient.of("proxy", 1, NO_PROXY="127.0.0.1")
    assert (verdict, what.startswith(f"~/.config/pip/{file.name} sets")) == ("FAIL", True)


# -- the disk


def test_a_full_disk_fails(patient: Patient, mount: Callable[..., Path]) -> None:
    patient.cli.environ["INDEXFALLBACK_CACHE_DIR"] = str(mount())
    verdict, what = patient.of("disk", 1)
    assert (verdict, "nothing can be cached" in what) == ("FAIL", True)


def test_a_cache_that_others_can_write_to_fails(patient: Patient) -> None:
    patient.cli.cache.mkdir()
    patient.cli.cache.chmod(0o777)
    finding = patient.worst("cache", 1)
    assert "other users can write to it" in finding["what"]
    assert finding["remedy"] == f"run: chmod go-w {patient.cli.cache}"


def test_a_damaged_database_is_told(patient: Patient) -> None:
    patient.cli.cache.mkdir(mode=0o700)
    (patient.cli.cache / "index.sqlite3").write_bytes(b"garbage" * 1000)
    assert "index.sqlite3.damaged-" in patient.worst("cache")["what"]
    assert "index.sqlite3.damaged-" in patient.worst("cache")["what"]


def test_quarantined_files_are_told(patient: Patient) -> None:
    patient.cli("cache", "info").expect()
    quarantine = patient.cli.cache / "quarantine"
    quarantine.mkdir(exist_ok=True)
    (quarantine / "x").write_bytes(b"x")
    assert patient.worst("cache")["remedy"] == "indexfallback cache gc"


def test_it_makes_no_cache(patient: Patient) -> None:
    patient.findings()
    assert not patient.cli.cache.exists()


@pytest.mark.skipif(os.name != "posix", reason="the mode says nothing elsewhere")
def test_a_password_that_others_can_read_fails(patient: Patient, public: FakeIndex) -> None:
    url = public.url.replace("://", "://ci:hunter2@")
    patient.cli.configure(index_table("pypi", url))
    patient.cli.config.chmod(0o644)
    finding = patient.worst("secrets", 1)
    assert finding["remedy"] == f"chmod 600 {patient.cli.config}"
    assert "hunter2" not in str(finding)
    patient.cli.config.chmod(0o600)
    assert patient.of("secrets")[0] == "ok"
