"""Programs that the tunnel cannot serve work as they do without a run, and `run` says so."""

import os
import shutil

import pytest

from tests.clients.support import make_environment, uv_executable
from tests.clients.transparent.support import FILES, Developer, Internet, packages
from tests.fakes import wheel

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("curl"), reason="needs a shell and curl"
)

BAR = wheel("bar", "1.1", requires_python=">=3.8")


def test_a_program_with_a_trust_of_its_own_is_passed_through_at_its_next_try(
    developer: Developer, internet: Internet
) -> None:
    curl = f'curl -sS --cacert "{internet.bundle}" https://{FILES}/files/{BAR.filename} -o {{}}'
    script = f"{curl.format('first')}; {curl.format('second')}"
    done = developer.through("sh", "-c", script).expect()
    assert not (developer.project / "first").exists()
    assert developer.read(["second"]) == {"second": BAR.data}
    assert "curl/" in done.said
    assert f"its connections to https://{FILES} went past the local index" in done.said


def test_a_program_without_a_proxy_works_and_run_says_that_it_went_past(
    developer: Developer, internet: Internet
) -> None:
    make_environment(developer.project / ".venv")
    developer.write({
        "install.sh": f"""\
curl --fail --silent --show-error --noproxy '*' --cacert "{internet.bundle}" \\
    --connect-to {FILES}:443:127.0.0.1:{internet.public.port} \\
    --remote-name https://{FILES}/files/{BAR.filename}
"{uv_executable()}" pip install --python .venv --no-index {BAR.filename}
"""
    })  # fmt: skip
    done = developer.through("sh", "-eu", "install.sh").expect()
    assert packages(developer.project / ".venv") == {"bar": "1.1"}
    assert internet.proxy.forwarded == []
    assert "sh did not connect to the local index, but installed 1 project" in done.said
    assert "indexfallback run --address" in done.said
