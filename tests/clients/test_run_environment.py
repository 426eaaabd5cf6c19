"""What `run --address` gives to the command: for clients that need no more than their variable."""

import json
import sys

import pytest

from tests.clients.conftest import Chain
from tests.clients.support import User
from tests.fakes import wheel

_VARIABLES = {
    "pip": "PIP_INDEX_URL",
    "pip with an extra-index-url": "PIP_EXTRA_INDEX_URL",
    "uv": "UV_DEFAULT_INDEX",
    "pdm": "PDM_PYPI_URL",
    "pipenv": "PIPENV_PYPI_MIRROR",
    "poetry with poetry-plugin-pypi-mirror": "POETRY_PYPI_MIRROR_URL",
    "buildout": "buildout_testing_index_url",
}
#: Prints each variable, and what its address answers for a project.
_ASK_ALL = """
import json, os, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(url):
    with opener.open(url.rstrip("/") + "/foo/") as answer:
        return [answer.status, "foo-1.0" in answer.read().decode()]
print(json.dumps({name: ask(os.environ[name]) for name in sys.argv[1:]}))
"""


@pytest.fixture(autouse=True)
def _foo(chain: Chain) -> None:
    chain.public.add(wheel("foo"))


def test_the_variable_of_every_client_leads_to_the_chain(user: User) -> None:
    user.environment["PIP_EXTRA_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    done = user.run(sys.executable, "-c", _ASK_ALL, *_VARIABLES.values(), by_address=True)
    done.expect()
    assert json.loads(done.stdout) == {name: [200, True] for name in _VARIABLES.values()}


@pytest.mark.fault(21)
def test_a_proxy_is_not_asked_for_the_shim(user: User) -> None:
    user.environment |= {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "packages.example.com"}
    print_it = "import os; print(os.environ['NO_PROXY'], os.environ['no_proxy'])"
    done = user.run(sys.executable, "-c", print_it, by_address=True).expect()
    assert done.stdout.split() == ["packages.example.com,127.0.0.1,localhost"] * 2
