"""A package index on loopback that serves, records and, on demand, fails."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from email.utils import formatdate
from ssl import SSLContext
from threading import Condition
from time import monotonic
from types import TracebackType
from typing import final
from urllib.parse import quote, unquote

from indexfallback.names import normalize
from tests.fakes.faults import Faults
from tests.fakes.listener import Listener
from tests.fakes.pages import (
    FORMATS,
    HTML_TYPE,
    JSON_TYPE,
    UPLOAD_TIME,
    Format,
    Listed,
    Project,
    negotiate,
    render,
    render_document,
    render_root,
)
from tests.fakes.wheels import Dist
from tests.fakes.wire import Reply, Request, make_conditional

#: Last-Modified before the first change: 2026-01-01. Each change counts as one second later, so
#: that two changes never share the second that an HTTP date can tell.
_EPOCH = 1767225600
_FILE_TYPE = "application/octet-stream"


@final
class FakeIndex(Faults):
    """An index with files; a context manager, listening on a free port inside the block.

    Serves ``/simple/``, ``/simple/<project>/``, ``/files/<filename>`` and ``.metadata``, and on
    demand ``/pypi/<project>/json`` and ``/pypi/<project>/<version>/json``.
    """

    def __init__(
        self,
        projects: Iterable[Dist] = (),
        *,
        formats: Collection[Format] = FORMATS,
        metadata: bool = True,
        ranges: bool = True,
        json: bool = False,
        username: str | None = None,
        password: str = "",
        files_url: str | None = None,
        port: int = 0,
        tls: SSLContext | None = None,
    ) -> None:
        super().__init__()
        #: Forms of pages that a client may choose from.
        self.formats = formats
        #: Whether pages advertise ``.metadata`` files of wheels, and they are there.
        self.metadata = metadata
        #: Whether files are served in parts.
        self.ranges = ranges
        #: Whether it has PyPI's JSON of each project.
        self.json = json
        #: Whether pages and the list of names state counters of changes, as warehouse's do.
        self.serials = False
        #: Whether a page has an ETag and a time, to be asked for again.
        self.validators = True
        #: What links to files start with; by default they are relative.
        self.files_url = files_url
        #: What it has at ``/integrity/PROJECT/VERSION/FILENAME/provenance``, by the file's name.
        self.provenance: dict[str, bytes] = {}
        #: Answers ``/-/health?challenge=CHALLENGE`` as a shim does, unrecorded; none by default.
        self.health: Callable[[str], bytes] | None = None
        self._login = (username, password) if username is not None else None
        self._projects: dict[str, Project] = {}
        self._changes = _EPOCH
        self._recorded: list[Request] = []
        # Guards projects and records; notified at each request.
        self._changed = Condition()
        self._listener = Listener(self._handle, port=port, tls=tls)
        for dist in projects:
            self.add(dist)

    def __enter__(self) -> "FakeIndex":
        self._listener.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and all connections, and wait for the threads; prompt even if hanging."""
        self._listener.close()
        self.lift()
        self._listener.join()

    # -- where it is

    @property
    def port(self) -> int:
        """The port, the same until the end of the block."""
        return self._listener.port

    @property
    def base(self) -> str:
        """The address without a path or a final slash."""
        return f"{self._listener.scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address of the simple API, without credentials."""
        return f"{self.base}/simple/"

    @property
    def login_url(self) -> str:
        """The address of the simple API with the credentials that it asks for."""
        if self._login is None:
            return self.url
        username, password = (quote(part, safe="") for part in self._login)
        return self.url.replace("://", f"://{username}:{password}@")

    def file_url(self, filename: str) -> str:
        """Return the absolute address of a file."""
        return f"{self.files_url or self.base + '/files/'}{quote(filename)}"

    # -- what it offers

    def add(
        self,
        dist: Dist,
        *,
        yanked: bool | str = False,
        upload_time: str | None = UPLOAD_TIME,
        provenance: str | None = None,
        gpg_sig: bool | None = None,
        hashes: Mapping[str, str] | None = None,
        url: str | None = None,
        folder: str = "",
    ) -> None:
        """Offer a distribution, in place of one of the same file name in the same ``folder``.

        ``hashes`` and ``url`` put something else on the page than is true. The name of the folder
        ends with a slash.
        """
        with self._changed:
            project = self.project(dist.project)
            project.files[f"{folder}{dist.filename}"] = Listed(
                dist=dist,
                url=url or "",
                yanked=yanked,
                upload_time=upload_time,
                provenance=provenance,
                gpg_sig=gpg_sig,
                hashes={"sha256": dist.sha256} if hashes is None else dict(hashes),
                metadata=dist.is_wheel,
            )

    def attest(self, dist: Dist, body: bytes) -> str:
        """Offer a distribution with a provenance object, and return the path of that."""
        path = f"/integrity/{dist.project}/{dist.version}/{dist.filename}/provenance"
        self.provenance[dist.filename] = body
        self.add(dist, provenance=path)
        return path

    def remove(self, filename: str) -> None:
        """Offer a file no longer; its project stays, be it without files.

        ``filename`` begins with the file's folder, if it has one.
        """
        with self._changed:
            for project in self._projects.values():
                if project.files.pop(filename, None):
                    self.project(project.name)

    def remove_project(self, name: str) -> None:
        """Offer a project no longer."""
        with self._changed:
            del self._projects[normalize(name)]
            self._changes += 1

    def project(self, name: str) -> Project:
        """Return what is said of a project, to be changed; made if need be, marked as modified."""
        with self._changed:
            self._changes += 1
            name = normalize(name)
            project = self._projects.setdefault(name, Project(name=name))
            project.modified = self._changes
            return project

    def demand(self, username: str, password: str) -> None:
        """Ask for another login from now on."""
        self._login = (username, password)

    # -- what was asked

    @property
    def requests(self) -> list[Request]:
        """All requests since the start or `clear`, in order."""
        with self._changed:
            return self._recorded.copy()

    @property
    def connections(self) -> int:
        """The number of connections accepted so far."""
        return self._listener.accepted

    @property
    def sent(self) -> int:
        """The number of bytes sent in bodies, of the answers that have ended."""
        return self._listener.sent

    def count(self, path: str | None = None, *, method: str | None = None) -> int:
        """Return how often a path was asked for, or how many requests there were."""
        return sum(
            path in (None, request.path) and method in (None, request.method)
            for request in self.requests
        )

    def wait_for(self, path: str | None = None, *, count: int = 1, seconds: float = 30) -> None:
        """Wait until a path has been asked for so often; an error says what was asked instead."""
        end = monotonic() + seconds
        with self._changed:
            while self.count(path) < count:
                if not self._changed.wait(end - monotonic()):
                    asked = [request.path for request in self._recorded]
                    raise TimeoutError(f"{path} not asked {count} times, but {asked}")

    def clear(self) -> None:
        """Forget the requests."""
        with self._changed:
            self._recorded.clear()

    # -- whether it can be reached

    def stop_listening(self) -> None:
        """Refuse connections, and close those there are, until `start_again`."""
        self._listener.refuse()

    def blackhole(self) -> None:
        """Let connection attempts go unanswered, until `start_again`; Linux only."""
        self._listener.ignore()

    def start_again(self) -> None:
        """Listen on the same port again."""
        self._listener.open()

    def drop_connections(self) -> None:
        """Close the connections there are, as a server does with idle ones."""
        self._listener.drop()

    # -- answers

    def _handle(self, request: Request) -> Reply:
        if self.health is not None and request.path == "/-/health":
            return Reply(body=self.health(request.target.partition("=")[2]))
        with self._changed:
            self._recorded.append(request)
            self._changed.notify_all()
            reply = self._answer(request)
        self._disturb(request, reply)
        make_conditional(request, reply)
        return reply

    def _answer(self, request: Request) -> Reply:
        """Return the answer of an index in order."""
        if not self._is_welcome(request):
            return _plain(401, {"WWW-Authenticate": 'Basic realm="fake"'})
        if request.method not in ("GET", "HEAD"):
            return _plain(405, {"Allow": "GET, HEAD"})
        return self._get(request)

    def _get(self, request: Request) -> Reply:
        # Two slashes behind the host are one, as for some servers in front of an index.
        match request.path.removeprefix("/").removeprefix("/").split("/"):
            case ["simple"]:
                return _plain(301, {"Location": "/simple/"})
            case ["simple", ""]:
                return self._root(request)
            case ["simple", name]:
                return _plain(301, {"Location": f"/simple/{name}/"})
            case ["simple", name, ""]:
                return self._page(request, unquote(name))
            case ["pypi", name, *version, "json"] if self.json and len(version) < 2:
                return self._document(unquote(name), unquote("".join(version)))
            case ["integrity", _, _, filename, "provenance"] if filename in self.provenance:
                headers = {"Content-Type": "application/vnd.pypi.integrity.v1+json"}
                return Reply(200, headers, self.provenance[filename])
            case ["files", *path]:
                return self._file(unquote("/".join(path)))
        return _plain(404)

    def _is_welcome(self, request: Request) -> bool:
        if self._login is None:
            return True
        expected = b64encode(":".join(self._login).encode()).decode()
        return request.headers.get("Authorization") == f"Basic {expected}"

    def _root(self, request: Request) -> Reply:
        form = negotiate(request.headers.get("Accept", "*/*"), self.formats)
        serials = {name: project.modified for name, project in self._projects.items()}
        stated = {**serials, "": self._changes} if self.serials else None
        page = render_root(sorted(self._projects), form, stated)
        return _entity(page, _type(form), self._changes)

    def _page(self, request: Request, name: str) -> Reply:
        if name != normalize(name):
            return _plain(301, {"Location": f"/simple/{normalize(name)}/"})
        project = self._projects.get(name)
        if project is None:
            return _plain(404)
        files = {path: self._listed(path, listed) for path, listed in project.files.items()}
        form = negotiate(request.headers.get("Accept", "*/*"), self.formats)
        serial = project.modified if self.serials else project.serial
        page = render(replace(project, files=files, serial=serial), form)
        reply = _entity(page, _type(form), project.modified)
        if not self.validators:
            del reply.headers["ETag"], reply.headers["Last-Modified"]
        return reply

    def _document(self, name: str, version: str) -> Reply:
        project = self._projects.get(name)
        files = {} if project is None else project.files
        listed = {path: self._listed(path, each) for path, each in files.items()}
        for path, each in listed.items():
            each.url = self.file_url(path)
        body = render_document(replace(project or Project(name=name), files=listed), version)
        if project is None or body is None:
            return _plain(404)
        return _entity(body, "application/json", project.modified)

    def _listed(self, path: str, listed: Listed) -> Listed:
        """Return a file as the page lists it under today's settings."""
        url = listed.url or f"{self.files_url or '../../files/'}{quote(path)}"
        return replace(listed, url=url, metadata=listed.metadata and self.metadata)

    def _file(self, filename: str) -> Reply:
        for project in self._projects.values():
            if listed := project.files.get(filename):
                dist = listed.dist
                reply = _entity(dist.data, _FILE_TYPE, project.modified, dist.sha256)
                reply.headers["Cache-Control"] = "max-age=365000000, immutable, public"
                reply.ranges = self.ranges
                return reply
            listed = project.files.get(filename.removesuffix(".metadata"))
            if listed and listed.metadata and self.metadata:
                return _entity(listed.dist.metadata, _FILE_TYPE, project.modified)
        return _plain(404)


def _type(form: Format) -> str:
    return JSON_TYPE if form == "json" else HTML_TYPE


def _entity(body: bytes, content_type: str, modified: int, sha256: str | None = None) -> Reply:
    headers = {
        "Content-Type": content_type,
        "ETag": f'"{(sha256 or hashlib.sha256(body).hexdigest())[:32]}"',
        "Last-Modified": formatdate(modified, usegmt=True),
        "Vary": "Accept",
        "Cache-Control": "max-age=600, public",
    }
    return Reply(200, headers, body, entity=True)


def _plain(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"Content-Type": "text/plain", **(headers or {})}, b"%d\n" % status)
