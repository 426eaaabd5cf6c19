"""Each real client: set up, a tree installed through the chain, undone to the last byte."""

import pytest

from tests.clients.conftest import Chain
from tests.clients.setup.conftest import Programs
from tests.clients.setup.support import Settler
from tests.clients.support import installed

EXPECTED = {"acme-app": "1.4", "helper": "1.1", "leaf": "3.0"}
PIP_CONF = """\
; mine
[global]
timeout : 60
# PyPI by way of a colleague
[install]
no-compile = yes"""


def _set_up(settler: Settler, client: str, before: dict[str, str]) -> dict[str, bytes]:
    for name, text in before.items():
        file = settler.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    files = settler.files()
    settler.setup(client).expect()
    assert settler.files() != files
    return files


def _undo(settler: Settler, client: str, files: dict[str, bytes]) -> None:
    settler.setup(client, "--undo").expect()
    assert settler.files() == files


@pytest.mark.parametrize("version", ["pip", "old-pip"])
def test_pip(version: str, settler: Settler, outage: Chain, programs: Programs) -> None:
    files = _set_up(settler, "pip", {"config/pip/pip.conf": PIP_CONF})
    target = settler.target()
    with settler.serve("--port", str(settler.port)):
        python = str(programs(version) / "python")
        options = ("--no-cache-dir", "--no-input", "--target", str(target))
        settler.work(python, "-m", "pip", "install", *options, "acme-app").expect()
    assert installed(target) == EXPECTED
    _undo(settler, "pip", files)
