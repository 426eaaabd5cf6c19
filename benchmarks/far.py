"""An index far away: it answers each request after a delay, and holds its connections open.

``with Far(root, 0.05) as url`` serves a static tree from a process of its own, as nginx would but
for the delay, which nginx cannot make. What a connection costs a client far away besides is not
imitated.
"""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import final
from urllib.parse import unquote

import click

_BACKLOG = 1024
_STOP_SECONDS = 10.0
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d*)-(\d*)", re.IGNORECASE)


@final
class Far:
    """A running index; ``url`` ends in a slash, and its simple API is at ``url + "simple/"``."""

    def __init__(self, root: Path, delay: float) -> None:
        self._command = [sys.executable, "-m", "benchmarks.far", str(root), str(delay)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


class _Tree:
    """The files of a directory, each read once."""

    def __init__(self, root: Path, delay: float) -> None:
        self._root = root.resolve()
        self._delay = delay
        self._files: dict[str, bytes | None] = {}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until the client ends it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._delay)
                writer.write(self._answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, target, _ = head.split(b" ", 2)
        path = unquote(target.decode())
        body = self._read(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        kind = b"text/html" if path.endswith("/") else b"application/octet-stream"
        status, extra = b"200 OK", b""
        match = _RANGE.search(head)
        if match is not None:
            start, stop = _span(match[1], match[2], len(body))
            status = b"206 Partial Content"
            extra = b"Content-Range: bytes %d-%d/%d\r\n" % (start, stop - 1, len(body))
            body = body[start:stop]
        headers = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nAccept-Ranges: bytes\r\n%s" % (
            status, kind, extra,
        )  # fmt: skip
        headers += b"Content-Length: %d\r\n\r\n" % len(body)
        return headers if method == b"HEAD" else headers + body

    def _read(self, path: str) -> bytes | None:
        if path not in self._files:
            file = self._root / path.strip("/")
            file = file / "index.html" if path.endswith("/") else file
            self._files[path] = file.read_bytes() if file.is_file() else None
        return self._files[path]


def _span(first: bytes, last: bytes, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


@click.command()
@click.argument("root", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("delay", type=float)
def main(root: Path, delay: float) -> None:
    """Serve ROOT, each answer DELAY seconds late, and print where, until a signal."""

    async def serve() -> None:
        tree = _Tree(root, delay)
        server = await asyncio.start_server(tree.converse, "127.0.0.1", 0, backlog=_BACKLOG)
        click.echo(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
