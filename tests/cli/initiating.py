"""A user of ``init``, and a shim in the process of the tests in the place of one beside it."""

import importlib
import os
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote
from wsgiref.util import setup_testing_defaults

import click
import pytest

from indexfallback.cli import init_steps, init_undo
from indexfallback.cli.options import Options
from indexfallback.config import Settings
from indexfallback.server.app import make_app
from indexfallback.server.proof import Place
from indexfallback.shim import Shim
from indexfallback.store.secret import user_secret
from tests.cli.support import CommandLine, Done
from tests.cli.test_background import free_port
from tests.cli.test_setup_command import Home

#: The module: the package's attribute of this name may be the command.
init = importlib.import_module("indexfallback.cli.init")


class _Handler(BaseHTTPRequestHandler):
    """Answers GET by a WSGI application, and keeps the connection for the next request."""

    protocol_version = "HTTP/1.1"
    app: Any

    def do_GET(self) -> None:
        """Answer the request."""
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()
        }
        environ |= {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": unquote(path)}
        environ |= {"QUERY_STRING": query, "RAW_URI": self.path}
        setup_testing_defaults(environ)
        body = b"".join(self.app(environ, self._start))
        self.end_headers()
        self.wfile.write(body)

    def _start(self, status: str, headers: list[tuple[str, str]], *_: object) -> None:
        self.send_response(int(status.split(maxsplit=1)[0]))
        for header in headers:
            self.send_header(*header)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class InProcess:
    """A `keeping.Way` that starts shims in this process."""

    name = "background"
    what = "in the tests"

    def __init__(self) -> None:
        self.started: list[Settings] = []
        self._running: dict[int, ExitStack] = {}

    @property
    def runs(self) -> bool:
        """Whether a shim runs."""
        return bool(self._running)

    def start(self, options: Options, settings: Settings) -> None:
        """Start a shim."""
        self.started.append(settings)
        stack = self._running[settings.port] = ExitStack()
        shim = Shim(settings)
        stack.callback(shim.close)
        app = make_app(shim, user_secret(), Place(settings.host, settings.port))
        handler = type("Handler", (_Handler,), {"app": staticmethod(app)})
        server = ThreadingHTTPServer((settings.host, settings.port), handler)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def start_for(self, cli: CommandLine) -> None:
        """Start a shim with the present configuration of a user."""
        with patch.dict(os.environ, cli.environment(), clear=True):
            self.start(Options(), Options().settings())

    def stop(self, settings: Settings) -> None:
        """Stop the shim on the port, if one runs."""
        if stack := self._running.pop(settings.port, None):
            stack.close()

    def close(self) -> None:
        """Stop all."""
        for stack in self._running.values():
            stack.close()
        self._running.clear()


class NewUser(Home):
    """Somebody who calls ``init``, with a shim in this process and no test install."""

    def __init__(self, cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(cli)
        self._monkeypatch = monkeypatch
        self.way = InProcess()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/simple/"
        #: The questions that were asked, each with the answer of an empty line.
        self.asked: list[tuple[str, bool]] = []
        cli.environ["INDEXFALLBACK_PORT"] = str(self.port)
        monkeypatch.setattr(init, "best_way", lambda: self.way)
        monkeypatch.setattr(init, "way_of", lambda *_: self.way)
        monkeypatch.setattr(init_undo, "way_named", lambda _: self.way)
        monkeypatch.setattr(init_steps, "install_something", lambda *_: "nothing")

    def on_terminal(self, *noes: str) -> Done:
        """Call ``init`` on a terminal with empty lines, and no to questions with these words."""

        def confirm(question: str, *, default: bool = False) -> bool:
            self.asked.append((question, default))
            return default and not any(no in question for no in noes)

        with self._monkeypatch.context() as changed:
            changed.setattr(init, "_is_terminal", lambda: True)
            changed.setattr(click, "confirm", confirm)
            return self.cli("init")

    def files(self) -> dict[str, bytes]:
        """Return the files of clients and our own, without records and logs."""
        return {
            file: text for file, text in self.everything().items() if "run" not in Path(file).parts
        }
