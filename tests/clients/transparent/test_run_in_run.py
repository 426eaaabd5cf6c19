"""A `run` inside a `run` uses the outer one's tunnel, and ends clearly when that has ended."""

import json
import sys

from tests.clients.support import installed, uv_executable
from tests.clients.transparent.support import Developer, Internet

#: Prints the environment, then runs the command in its arguments.
PRINT = """\
import json, os, subprocess, sys
print(json.dumps(dict(os.environ)), flush=True)
sys.exit(subprocess.call(sys.argv[1:]) if sys.argv[1:] else 0)
"""
_PRINTING = (sys.executable, "-c", PRINT)


def test_the_inner_command_has_the_tunnel_of_the_outer_run(
    developer: Developer, internet: Internet
) -> None:
    target = developer.target()
    install = (uv_executable(), "pip", "install", "--no-cache", "--target", str(target), "bar")
    run = (sys.executable, "-m", "indexfallback", "run", "--")
    done = developer.through(*_PRINTING, *run, *_PRINTING, *install).expect()
    outer, inner = map(json.loads, done.stdout.splitlines())
    assert inner == outer
    assert installed(target) == {"bar": "1.1"}
    assert internet.public.count("/simple/bar/") == 1
    assert done.stderr.count("1 project: 1 from pypi") == 1  # in the outer run's last words


def test_in_a_shell_whose_run_has_ended_run_says_so(developer: Developer) -> None:
    done = developer.through(*_PRINTING).expect()
    developer.environment.update(json.loads(done.stdout))
    done = developer.through(*_PRINTING).expect(1)
    assert done.stdout == ""
    assert "that started this shell or program has ended" in done.said
    assert "unset INDEXFALLBACK_TUNNEL" in done.said
