"""The process that reads one buildout: a request as a line of JSON in, lines of JSON out.

The first line that comes in has ``file`` and ``markers`` (`buildout_reader.read`). Each line that
goes out is one of these:

- ``{"fetch": URL}``: the parent answers by a line with the ``path`` of a file that this process
  removes, or with ``cause`` and ``remedy``
- ``{"read": ...}``: the buildout, in the form of `buildout_process.Read`
- ``{"where": ..., "problem": ..., "remedy": ...}``: why it cannot be read
"""

import json
import os
import re
import sys
import warnings
from typing import Any, TextIO

#: What zc.buildout's errors say of files: a temporary copy, and a login in an address.
_COPY = re.compile(r" \(downloaded as [^)]*\)")
_LOGIN = re.compile(r"(?<=://)[^/?#\s@]*@")
_INSTALL = "install zc.buildout beside indexfallback (its extra [buildout])"
_CORRECT = "correct it, so that `buildout query` can read it"


def main() -> None:
    """Read the buildout that the request names, and answer."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # conditions of sections are Python, which may print
    warnings.simplefilter("ignore")  # about zc.buildout's own code
    request = _receive()
    answer = _read(request, lines)
    if "problem" in answer:
        answer = {"where": request["file"], "remedy": _CORRECT, **answer}
    _send(lines, answer)


def _read(request: dict[str, Any], lines: TextIO) -> dict[str, Any]:
    try:
        from indexfallback.wanted import buildout_reader  # noqa: PLC0415 - an extra
    except ImportError as error:
        problem = f"zc.buildout, which reads it, cannot be imported ({error})"
        return {"problem": problem, "remedy": _INSTALL}

    def fetch(url: str) -> str:
        _send(lines, {"fetch": url})
        answer = _receive()
        if "path" in answer:
            return str(answer["path"])
        raise buildout_reader.NotFetchedError(url, answer["cause"], answer["remedy"])

    try:
        return {"read": buildout_reader.read(request["file"], request["markers"], fetch)}
    except buildout_reader.ReadError as error:
        return error.as_dict()
    except Exception as error:  # noqa: BLE001 - zc.buildout and conditions raise any exception
        return {"problem": f"zc.buildout cannot read it: {_message(error)}"}


def _message(error: Exception) -> str:
    text = _LOGIN.sub("", _COPY.sub("", " ".join(str(error).split())))
    if type(error).__module__.startswith("zc."):
        return text
    if type(error) is KeyError:  # as where `[buildout] versions` names a section
        return f"there is no {text}"
    return f"{type(error).__name__}: {text}"


def _send(lines: TextIO, value: dict[str, Any]) -> None:
    lines.write(json.dumps(value) + "\n")
    lines.flush()


def _receive() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:  # the parent has ended
        raise SystemExit(1)
    value: dict[str, Any] = json.loads(line)
    return value
