"""A headless Chromium, driven over its own pipe (the DevTools protocol): no driver, no library."""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: It starts in a second; a machine that is busy with other tests may take this long.
_SECONDS = 60.0
#: Bytes that a pipe takes at once when it can be written to.
_PIECE = 512


class Browser:
    """One tab."""

    def __init__(self, send: int, receive: int) -> None:
        self._send = send
        self._receive = receive
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._session: dict[str, str] = {}
        #: What the page logged: errors, and what its policy refused.
        self.complaints: list[str] = []
        #: The addresses that were asked for.
        self.requests: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Log", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> Any:
        """Return the result of a call."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **self._session}
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(
        self, url: str, *, width: int = 1100, height: int = 900, scheme: str = "light"
    ) -> None:
        """Open an address, and wait until it is loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        self.complaints, self.requests = [], []
        self._until_loaded("Page.navigate", url=url)

    def follow(self, expression: str) -> None:
        """Run JavaScript that leaves the page, and wait until the next page is loaded."""
        self._until_loaded("Runtime.evaluate", expression=expression)

    def _until_loaded(self, method: str, **params: object) -> None:
        self._loaded = False
        self.call(method, **params)
        while not self._loaded:
            self._next()

    def press(self, key: str, code: int) -> None:
        """Press a key of that name and number."""
        text = "\r" if key == "Enter" else ""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text,
            )  # fmt: skip

    def value(self, expression: str) -> Any:
        """Return what JavaScript, ours and not the page's, finds on the page."""
        return self._evaluated(expression)

    def awaited(self, expression: str) -> Any:
        """Return what a promise of JavaScript brings, on a page that stays open."""
        return self._evaluated(expression, awaitPromise=True)

    def _evaluated(self, expression: str, **more: object) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, **more)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path: Path) -> bytes:
        """Write the whole page as PNG, and return it."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        picture = base64.b64decode(data["data"])
        path.write_bytes(picture)
        return picture

    def _write(self, data: bytes) -> None:
        """Send a message, and receive meanwhile: a browser that cannot send does not read."""
        while data:
            readable, writable, _ = select([self._receive], [self._send], [], _SECONDS)
            assert readable or writable, "the browser does not read"
            if readable:
                self._read()
            if writable:
                data = data[os.write(self._send, data[:_PIECE]) :]

    def _read(self) -> None:
        piece = os.read(self._receive, 1 << 20)
        assert piece, "the browser has ended"
        self._buffer += piece

    def _next(self) -> dict[str, Any]:
        """Return the next message, after taking note of what it says."""
        ends = monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._receive], [], [], max(0.0, ends - monotonic()))
            assert ready, "the browser does not answer"
            self._read()
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        params = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif message.get("method") == "Page.loadEventFired":
            self._loaded = True
        return message


@contextlib.contextmanager
def browsing(home: Path) -> Iterator[Browser]:
    """Give a browser, and leave no process of it behind."""
    assert CHROMIUM is not None
    to_child, to_parent = os.pipe(), os.pipe()
    # It reads its descriptor 3 and writes 4, which a shell can give it.
    script = f'exec "$@" 3<&{to_child[0]} 4>&{to_parent[1]}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={home}",
         "--disable-background-networking", "--disable-component-update"],
        pass_fds=(to_child[0], to_parent[1]), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_child[0])
    os.close(to_parent[1])
    try:
        yield Browser(to_child[1], to_parent[0])
    finally:
        os.close(to_child[1])  # which ends it
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait(60)
        os.close(to_parent[0])
